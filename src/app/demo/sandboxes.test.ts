/** The sandboxes and the connectors that the configuration makes: every port reaches its machine, by the settings alone. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import { readConfig } from "../config/config.ts";
import { type ConnectorConfig, connectorsOf } from "../server/connectors.ts";
import { startSandboxes } from "./sandboxes.ts";
import { starterCatalog } from "./starter-catalog.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
let base = "";
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "turnup-sandboxes-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function world() {
  const sandboxes = await startSandboxes({ folder: join(base, "world"), now: new Date() });
  closers.push(sandboxes.close);
  const { connectors, close } = await connectorsOf(sandboxes.config);
  closers.push(close);
  return { sandboxes, connectors, close };
}
const configOf = (env: Record<string, string>): ConnectorConfig => readConfig({ env, folder: base }).config;
const OPERATOR = "0b0e5f6e-0000-4000-8000-000000000001";

test("each connector of the sandboxes' configuration does its work at its machine", async () => {
  const { connectors, sandboxes } = await world();
  const { bureau, elements, billing, mailbox } = sandboxes.parties;
  const user = { givenName: "Ann", familyName: "Lee" };
  const verified = await connectors.bureauOf(OPERATOR)?.verify({ id: "v1", msisdn: "447700900123", user });
  assert.ok(verified?.kind === "answered" && verified.outcome === "match");
  assert.equal(bureau.asked().get("+447700900123"), 1);
  const fixture = connectors.paymentProviderOf(OPERATOR);
  const token = await fixture?.tokenise({
    pan: "4111111111111111",
    expiry: "1230",
    cvv: null,
    idempotencyKey: "k",
  });
  assert.ok(fixture && token?.kind === "token");
  const held = await fixture.authorise({ id: "a", token: token.card.token, amountMinor: 0, currency: "EUR" });
  assert.equal(held.kind, "approved");
  const device = { msisdn: "447700900123", imsi: "234150000000001", imei: "356938035643809" };
  for (const element of ["billing-plan", "voice-mail", "forwarding", "e-mail", "hlr-profile"] as const) {
    const task = {
      id: `t-${element}`,
      element,
      action: "add",
      catalogId: element,
      values: {},
      ...device,
    } as const;
    assert.equal((await connectors.elementOf(OPERATOR, element)?.apply(task))?.kind, "done");
    assert.equal(elements.held(element).size, 1);
  }
  const notice = { id: "n1", kind: "account", accountId: "a1", catalogId: null, action: "add" } as const;
  const money = { onceMinor: 0, monthlyMinor: 0, currency: null, prepared: null, account: null };
  assert.equal((await connectors.billingOf(OPERATOR)?.tell({ ...notice, ...money }))?.kind, "done");
  assert.deepEqual(billing.accounts(), ["a1"]);
  for (const to of [
    { kind: "mail", address: "ann@example.net" },
    { kind: "fax", number: "+442079460000" },
  ] as const) {
    const mail = { id: `m-${to.kind}`, to, subject: "Terms", text: "YES 4821", language: "en" };
    assert.equal((await connectors.mailOf(OPERATOR)?.send(mail))?.kind, "done");
  }
  assert.deepEqual(
    mailbox.mails().map(({ to }) => to),
    [["ann@example.net"], ["FAX=+442079460000@fax.example"]],
  );
});

/** Services of the starter catalog that the sandboxes serve: URI and fields that are asked for. */
function servicesOf(origins: Readonly<Record<string, string>>) {
  const { items } = starterCatalog({ origins }) as {
    items: Record<
      string,
      { service?: { uri: string; fields?: { name: string; kind: string; required?: boolean }[] } }
    >;
  };
  return Object.values(items).flatMap(({ service }) =>
    service && Object.values(origins).some((origin) => service.uri.startsWith(origin)) ? [service] : [],
  );
}
const VALUES: Record<string, string> = {
  text: "Acme",
  digits: "77",
  phone: "447700900123",
  email: "a@b.example",
  secret: "correct-horse",
  date: "1980-02-29",
};

test("every service of the starter catalog is served: it asks for what its item says, and registers with just that", async () => {
  const { connectors, sandboxes } = await world();
  const services = servicesOf(sandboxes.origins);
  assert.equal(services.length, 3);
  for (const [at, { uri, fields = [] }] of services.entries()) {
    const server = connectors.serviceAt(OPERATOR, uri);
    assert.ok(server, uri);
    const empty = {
      id: `r${at}`,
      remoteId: null,
      msisdn: "447700900123",
      user: {},
      fields: {},
      language: "en",
    };
    const asked = await server.register(empty);
    assert.ok(asked.kind === "needs_information", `${uri}: ${JSON.stringify(asked)}`);
    const wanted = fields.filter(({ required = true }) => required).map(({ name }) => name);
    assert.deepEqual(
      asked.fields.map(({ name }) => name),
      wanted,
    );
    const given = Object.fromEntries(fields.map(({ name, kind }) => [name, VALUES[kind] ?? ""]));
    const done = await server.register({ ...empty, remoteId: asked.remoteId, fields: given });
    assert.ok(done.kind === "registered");
    assert.deepEqual(Object.keys(done.accessData).sort(), ["address", "password", "userName"]);
  }
  assert.equal(connectors.serviceAt(OPERATOR, "https://nobody.example/scim/v2"), undefined);
});

test("a second start finds its certificates and its registrations again", async () => {
  const folder = join(base, "again");
  const first = await startSandboxes({ folder, now: new Date() });
  const before = await readFile(join(folder, "office", "certificates", "authority.crt"), "utf8");
  await first.close();
  const second = await startSandboxes({ folder, now: new Date() });
  closers.push(second.close);
  assert.equal(await readFile(join(folder, "office", "certificates", "authority.crt"), "utf8"), before);
});

test("what is not configured is not there, and a closed connector asks nobody", async () => {
  const none = await connectorsOf(configOf({}));
  closers.push(none.close);
  const { bureauOf, paymentProviderOf, serviceAt, elementOf, billingOf, mailOf } = none.connectors;
  const ports = [
    bureauOf(OPERATOR),
    paymentProviderOf(OPERATOR),
    serviceAt(OPERATOR, "https://a.example"),
    elementOf(OPERATOR, "voice-mail"),
    billingOf(OPERATOR),
    mailOf(OPERATOR),
  ];
  assert.ok(ports.every((port) => port === undefined));
  const { connectors, close, sandboxes } = await world();
  await close();
  const answer = await connectors
    .bureauOf(OPERATOR)
    ?.verify({ id: "v", msisdn: "447700900123", user: { email: "a@b.c" } });
  assert.ok(answer?.kind === "failed" && answer.cause === "closed");
  assert.equal(sandboxes.parties.bureau.requests(), 0);
});

test("one element may be elsewhere", async () => {
  const { close, connectors } = await connectorsOf(
    configOf({ TURNUP_ELEMENT_VOICE_MAIL_URL: "https://voice.example" }),
  );
  closers.push(close);
  assert.ok(connectors.elementOf(OPERATOR, "voice-mail"));
  assert.equal(connectors.elementOf(OPERATOR, "e-mail"), undefined);
});

test("the billing file is one of the ways", async () => {
  const file = join(base, "billing.csv");
  const { close, connectors } = await connectorsOf(configOf({ TURNUP_BILLING_CSV_FILE: file }));
  closers.push(close);
  const notice = { id: "n1", kind: "account", accountId: "a1", catalogId: null, action: "add" } as const;
  const money = { onceMinor: 0, monthlyMinor: 0, currency: null, prepared: null, account: null };
  assert.equal((await connectors.billingOf(OPERATOR)?.tell({ ...notice, ...money }))?.kind, "done");
  assert.match(await readFile(file, "utf8"), /,n1,account,a1,/);
});

const wrong: [string, Record<string, string>, RegExp][] = [
  [
    "a bureau without its secret",
    { TURNUP_IDENTITY_URL: "https://b.example" },
    /identity\.secret is missing/,
  ],
  [
    "two ways to the billing centre",
    { TURNUP_BILLING_URL: "https://b.example", TURNUP_BILLING_SECRET: "s", TURNUP_BILLING_CSV_FILE: "b.csv" },
    /give one of them/,
  ],
  ["mail without a sender", { TURNUP_MAIL_HOST: "mail.example" }, /mail\.from is missing/],
  [
    "mail in clear to another machine",
    { TURNUP_MAIL_HOST: "mail.example", TURNUP_MAIL_FROM: "a@b.example", TURNUP_MAIL_TLS: "none" },
    /over TLS only/,
  ],
  [
    "an authority that is not there",
    { TURNUP_ELEMENT_URL: "https://e.example", TURNUP_ELEMENT_AUTHORITY_FILE: "none.pem" },
    /ENOENT/,
  ],
  ["providers that are not there", { TURNUP_SERVICE_PROVIDERS_FILE: "none.json" }, /ENOENT/],
];
for (const [what, env, fact] of wrong) {
  test(`${what} is told before anything starts`, async () => {
    await assert.rejects(connectorsOf(configOf(env)), { code: "config_invalid", message: fact });
  });
}

const providers: [string, string, RegExp][] = [
  ["no JSON", "{", /it is no JSON/],
  [
    "a secret in it",
    '[{"uri":"https://a.example","access":{"kind":"bearer","token":"hush"}}]',
    /token: an unknown member/,
  ],
  ["no token file", '[{"uri":"https://a.example","access":{"kind":"bearer"}}]', /tokenFile is missing/],
  [
    "a key without a certificate",
    '[{"uri":"https://a.example","keyFile":"k","access":{"kind":"bearer"}}]',
    /go together/,
  ],
  [
    "a bound token without a certificate",
    '[{"uri":"https://a.example","access":{"kind":"certificate_bound","tokenUrl":"https://a.example/t","clientId":"c"}}]',
    /wants a certificate/,
  ],
  ["http", '[{"uri":"http://a.example","access":{"kind":"bearer"}}]', /an https URL is wanted/],
];
for (const [at, [what, content, fact]] of providers.entries()) {
  test(`a list of providers with ${what} is refused, and says where`, async () => {
    const file = join(base, `providers-${at}.json`);
    await writeFile(file, content);
    const config = configOf({ TURNUP_SERVICE_PROVIDERS_FILE: file });
    await assert.rejects(connectorsOf(config), (error: Error & { code?: string }) => {
      assert.equal(error.code, "config_invalid");
      assert.match(error.message, fact);
      return !error.message.includes("hush");
    });
  });
}
