/**
 * Provisioning server and service server over real mutual TLS and SCIM (US 6,647,260, figures 6 and 7C;
 * R28, R43, R46, R58 to R62): who is let in, what is asked for, what comes back, and what survives a restart.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import type { ServiceRegistration } from "../../kernel/calls/connectors.ts";
import { pinOf } from "../../net/exchange/exchange.ts";
import { type ServiceProvider, serviceDirectory } from "../../net/service/directory.ts";
import type { ServicePolicy } from "../../service/registration-kernel.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";
import { ensurePartyCertificates, type PartyCertificates } from "../certificates/certificates.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let base = "";
let certificates: PartyCertificates;
let foreign: PartyCertificates;
let renewed: PartyCertificates;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "turnup-service-"));
  const options = { clientIds: ["north", "south", "stranger"], commonName: "Service", now: new Date() };
  certificates = await ensurePartyCertificates({ ...options, folder: join(base, "one") });
  // The same authority and client, and a younger certificate.
  await cp(join(base, "one"), join(base, "renewed"), { recursive: true });
  for (const name of ["client-north.crt", "client-north.key"]) await rm(join(base, "renewed", name));
  renewed = await ensurePartyCertificates({ ...options, folder: join(base, "renewed") });
  foreign = await ensurePartyCertificates({ ...options, folder: join(base, "other") });
});
afterAll(() => rm(base, { recursive: true, force: true }));

const MAILBOX: Omit<ServicePolicy, "digestSecret"> = {
  accessUrl: "https://mailbox.example/in",
  fields: [
    { name: "email", kind: "email", required: true },
    { name: "birthdate", kind: "date", required: true },
    { name: "nickName", kind: "text", required: false },
  ],
};
const ACCOUNT = { name: "accountNumber", kind: "digits", required: true } as const;
let folders = 0;
async function service(more: Partial<ServiceOptions> = {}): Promise<Service> {
  const started = await startService({
    port: 0,
    certificates,
    journalFolder: join(base, `journal-${folders++}`),
    clientIds: ["north", "south"],
    services: { "/scim/v2": MAILBOX },
    ...more,
  });
  closers.push(started.close);
  return started;
}
function portOf({ url }: Service, more: Partial<ServiceProvider> = {}, clientId = "north") {
  const directory = serviceDirectory(
    [
      {
        uri: `${url}/scim/v2`,
        authority: certificates.authority,
        identity: certificates.clients.get(clientId)!,
        pins: [pinOf(new X509Certificate(certificates.server.certificate))],
        access: { kind: "certificate_bound", tokenUrl: `${url}/oauth2/token`, clientId },
        ...more,
      },
    ],
    2_000,
  );
  closers.push(directory.close);
  return directory.serverOf(more.uri ?? `${url}/scim/v2/`)!;
}
const registration = (id: string, more: Partial<ServiceRegistration> = {}): ServiceRegistration => ({
  id,
  remoteId: null,
  msisdn: "447700900123",
  user: { givenName: "Ann", familyName: "Lee", email: "ann@example.net", birthdate: "1980-02-29" },
  fields: {},
  language: "en-GB",
  ...more,
});

test("a user is registered: data is kept at the other end, and access data comes back for the device", async () => {
  const server = await service();
  const answer = await portOf(server).register(registration("r1", { fields: { nickName: "Annie" } }));
  assert.ok(answer.kind === "registered");
  const kept = server.kernelAt("/scim/v2").find("north", answer.remoteId);
  assert.deepEqual(
    [kept?.externalId, kept?.msisdn, kept?.language, kept?.fields],
    ["r1", "447700900123", "en-GB", { email: "ann@example.net", birthdate: "1980-02-29", nickName: "Annie" }],
  );
  const { userName, password = "", address } = answer.accessData;
  assert.equal(userName, "turnup-r1");
  assert.match(password, /^[A-Za-z2-9]{16}$/);
  assert.match(address ?? "", /^https:\/\/mailbox\.example\/in\/[0-9a-f]{24}$/);
  assert.ok(server.kernelAt("/scim/v2").opens(answer.remoteId, password));
  assert.ok(!server.kernelAt("/scim/v2").opens(answer.remoteId, "another"));
});

test("just the fields that are missing or corrupt are asked for, and sending only those completes it", async () => {
  const server = await service();
  const port = portOf(server);
  const asked = await port.register(
    registration("r1", { user: { givenName: "Ann", email: "not an address" } }),
  );
  assert.ok(asked.kind === "needs_information");
  assert.deepEqual(asked.fields, [
    { name: "email", problem: "corrupt" },
    { name: "birthdate", problem: "missing" },
  ]);
  assert.ok(asked.remoteId);
  const half = await port.register(
    registration("r1", {
      remoteId: asked.remoteId,
      user: {},
      fields: { birthdate: "1980-02-30", email: "a@b.example" },
    }),
  );
  assert.ok(half.kind === "needs_information");
  assert.deepEqual(half.fields, [{ name: "birthdate", problem: "corrupt" }]);
  const done = await port.register(
    registration("r1", { remoteId: asked.remoteId, user: {}, fields: { birthdate: "1980-02-28" } }),
  );
  assert.ok(done.kind === "registered");
  assert.equal(done.remoteId, asked.remoteId);
  assert.deepEqual(server.kernelAt("/scim/v2").find("north", done.remoteId)?.fields, {
    email: "a@b.example",
    birthdate: "1980-02-28",
  });
  assert.equal(server.kernelAt("/scim/v2").size(), 1);
});

test("a registration that waits for information is not asked to wait for what it has", async () => {
  const server = await service();
  const port = portOf(server);
  const asked = await port.register(registration("r1", { user: { email: "a@b.example" } }));
  assert.ok(asked.kind === "needs_information");
  // The answer was lost, or nothing new came: the same is asked for again, and no second user is made.
  const again = await port.register(registration("r1", { user: { email: "a@b.example" } }));
  assert.deepEqual(again, asked);
  assert.equal(server.kernelAt("/scim/v2").size(), 1);
});

test("a number that is none is asked for, too", async () => {
  const port = portOf(await service());
  const asked = await port.register(registration("r1", { msisdn: "0" }));
  assert.ok(asked.kind === "needs_information");
  assert.deepEqual(asked.fields, [{ name: "msisdn", problem: "corrupt" }]);
  const done = await port.register(registration("r1", { remoteId: asked.remoteId }));
  assert.equal(done.kind, "registered");
});

test("a repeat makes no second user; what was given once is replaced by new access data", async () => {
  const server = await service();
  const port = portOf(server);
  const first = await port.register(registration("r1"));
  const second = await port.register(registration("r1"));
  assert.ok(first.kind === "registered" && second.kind === "registered");
  assert.equal(second.remoteId, first.remoteId);
  assert.equal(server.kernelAt("/scim/v2").size(), 1);
  assert.notEqual(second.accessData.password, first.accessData.password);
  assert.ok(!server.kernelAt("/scim/v2").opens(first.remoteId, first.accessData.password ?? ""));
  assert.ok(server.kernelAt("/scim/v2").opens(first.remoteId, second.accessData.password ?? ""));
});

test("a removed registration is gone, and removing it again is done", async () => {
  const server = await service();
  const port = portOf(server);
  const made = await port.register(registration("r1"));
  assert.ok(made.kind === "registered");
  const gone = { id: "r1", remoteId: made.remoteId };
  assert.deepEqual([await port.remove(gone), await port.remove(gone)], [{ kind: "done" }, { kind: "done" }]);
  assert.equal(server.kernelAt("/scim/v2").size(), 0);
  assert.equal((await port.register(registration("r1"))).kind, "registered");
});

test("a user name that another has is asked for anew where it was chosen", async () => {
  const server = await service();
  const port = portOf(server);
  await port.register(registration("r1", { fields: { userName: "ann" } }));
  const answer = await port.register(registration("r2", { fields: { userName: "ANN" } }));
  assert.ok(answer.kind === "needs_information");
  assert.deepEqual(answer.fields, [{ name: "userName", problem: "corrupt" }]);
});

test("two operators see neither users nor names of each other's registrations", async () => {
  const server = await service();
  const made = await portOf(server).register(registration("r1"));
  assert.ok(made.kind === "registered");
  const south = portOf(server, {}, "south");
  await south.remove({ id: "r1", remoteId: made.remoteId });
  assert.equal(server.kernelAt("/scim/v2").size(), 1);
  const other = await south.register(registration("r1", { fields: { userName: "ann-south" } }));
  assert.ok(other.kind === "registered" && other.remoteId !== made.remoteId);
});

test("a second service asks for other fields, and each is a leg of its own", async () => {
  const bank = await service({
    services: { "/scim/v2": { ...MAILBOX, fields: [ACCOUNT] } },
  });
  const mailbox = await service();
  const asked = await portOf(bank).register(registration("r1"));
  assert.ok(asked.kind === "needs_information");
  assert.deepEqual(asked.fields, [{ name: "accountNumber", problem: "missing" }]);
  assert.equal((await portOf(mailbox).register(registration("r1"))).kind, "registered");
});

test("one server offers several services, each under its path, with fields and users of its own", async () => {
  const server = await service({
    services: { "/scim/v2": MAILBOX, "/scim/v2/alerts": { ...MAILBOX, fields: [ACCOUNT] } },
  });
  const mailbox = await portOf(server).register(registration("r1"));
  const alerts = portOf(server, { uri: `${server.url}/scim/v2/alerts` });
  const asked = await alerts.register(registration("r1"));
  assert.ok(mailbox.kind === "registered" && asked.kind === "needs_information");
  assert.deepEqual(asked.fields, [{ name: "accountNumber", problem: "missing" }]);
  const done = await alerts.register(
    registration("r1", { remoteId: asked.remoteId, fields: { accountNumber: "77" } }),
  );
  assert.equal(done.kind, "registered");
  assert.deepEqual(
    ["/scim/v2", "/scim/v2/alerts"].map((path) => server.kernelAt(path).ofClient("north")[0]?.fields),
    [{ email: "ann@example.net", birthdate: "1980-02-29" }, { accountNumber: "77" }],
  );
});

test("after a restart everything is there, the journal holds nobody's data in clear, and the password still opens", async () => {
  const journalFolder = join(base, "restart");
  const first = await service({ journalFolder });
  const made = await portOf(first).register(registration("r1"));
  await portOf(first).register(registration("r2", { user: { email: "bob@example.net" } }));
  assert.ok(made.kind === "registered");
  await first.close();
  const text = await readFile(join(journalFolder, "scim_v2", "service-journal"), "latin1");
  assert.ok(text.length > 0);
  assert.ok(
    !/ann@example|447700900123|birthdate/.test(Buffer.from(text, "base64").toString("latin1") + text),
  );
  const second = await service({ journalFolder });
  assert.equal(second.kernelAt("/scim/v2").size(), 2);
  assert.ok(second.kernelAt("/scim/v2").opens(made.remoteId, made.accessData.password ?? ""));
  const asked = await portOf(second).register(registration("r2", { user: {} }));
  assert.ok(asked.kind === "needs_information");
  assert.deepEqual(asked.fields, [{ name: "birthdate", problem: "missing" }]);
});

test("R123: word of a user's device is kept with the user, once, by the operator whose user it is, and after a restart too", async () => {
  const journalFolder = join(base, "told");
  const first = await service({ journalFolder });
  const made = await portOf(first).register(registration("r1"));
  assert.ok(made.kind === "registered");
  const { remoteId } = made;
  const news = {
    ...({ id: "n1", event: "provisioned", items: ["mail-client"], make: "Acme", model: null } as const),
    at: new Date("2026-11-29T12:00:00Z"),
  };
  const told = (server: Service, clientId = "north", id: string | null = remoteId) =>
    portOf(server, {}, clientId).tell({ ...news, registrationId: "r1", remoteId: id });
  assert.deepEqual(await told(first), { kind: "done", reference: null });
  assert.deepEqual(
    await told(first, "north", null),
    { kind: "done", reference: null },
    "found by our own id",
  );
  const foreign = await told(first, "south");
  assert.ok(foreign.kind === "refused" && foreign.cause === "takes_no_notices");
  await first.close();
  const second = await service({ journalFolder });
  assert.deepEqual(
    second
      .kernelAt("/scim/v2")
      .find("north", remoteId)
      ?.told.map(({ id, event, items }) => [id, event, items]),
    [["n1", "provisioned", ["mail-client"]]],
  );
});

test("what the journal did not take is not confirmed, not even that a user is gone", async () => {
  let broken = false;
  const faults: string[] = [];
  const server = await service({
    journal: (real) => ({
      append: (events) => (broken ? Promise.reject(new Error("the disk is gone")) : real.append(events)),
    }),
    onFault: (error) => faults.push(error.message),
  });
  const port = portOf(server);
  const made = await port.register(registration("r1"));
  assert.ok(made.kind === "registered");
  broken = true;
  for (const answer of [
    await port.register(registration("r2")),
    await port.remove({ id: "r1", remoteId: made.remoteId }),
  ]) {
    assert.ok(answer.kind === "failed");
    assert.equal(answer.cause, "busy");
  }
  assert.deepEqual(faults, ["the disk is gone", "the disk is gone"]);
});

/** Each is refused, told why, and registers nobody. */
const strangers: [string, () => Partial<ServiceProvider>, string][] = [
  [
    "shows a certificate of no client",
    () => ({ identity: certificates.clients.get("stranger")! }),
    "unauthorised",
  ],
  ["names another client than its certificate", () => withClient("south"), "unauthorised"],
  [
    "brings a token of its own making",
    () => ({ access: { kind: "bearer", token: "made-up" } }),
    "unauthorised",
  ],
  [
    "trusts another authority than the server's",
    () => ({ authority: foreign.authority }),
    "server_not_proven",
  ],
  ["has another key pinned than the server's", () => ({ pins: ["A".repeat(43)] }), "server_not_proven"],
];
function withClient(clientId: string): Partial<ServiceProvider> {
  return { access: { kind: "certificate_bound", tokenUrl: "", clientId } };
}
for (const [what, more, cause] of strangers) {
  test(`the session ends where the provisioning server ${what} (figure 7C, 766)`, async () => {
    const server = await service();
    const given = more();
    const access =
      given.access?.kind === "certificate_bound"
        ? { access: { ...given.access, tokenUrl: `${server.url}/oauth2/token` } }
        : {};
    const answer = await portOf(server, { ...given, ...access }).register(registration("r1"));
    assert.ok(answer.kind === "refused");
    assert.equal(answer.cause, cause);
    assert.equal(server.kernelAt("/scim/v2").size(), 0);
  });
}

test("a certificate of another authority gets through no handshake, and is counted", async () => {
  const server = await service();
  const answer = await portOf(server, { identity: foreign.clients.get("north")! }).register(
    registration("r1"),
  );
  assert.ok(answer.kind === "refused");
  assert.equal(answer.cause, "unauthorised");
  assert.equal(server.kernelAt("/scim/v2").size(), 0);
  assert.ok(server.refusals().wrong_authority > 0);
});

type Raw = { readonly status: number; readonly body: string; readonly headers: Record<string, unknown> };
/** What a caller with a certificate of ours gets, by hand. */
function call(
  server: Service,
  method: string,
  path: string,
  more: { from?: PartyCertificates; clientId?: string; token?: string; body?: string; type?: string } = {},
): Promise<Raw> {
  const pair = (more.from ?? certificates).clients.get(more.clientId ?? "north")!;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: server.port,
        method,
        path,
        key: pair.key,
        cert: pair.certificate,
        ca: certificates.authority,
        agent: false,
        headers: {
          ...(more.token ? { authorization: `Bearer ${more.token}` } : {}),
          "content-type": more.type ?? "application/scim+json",
        },
      },
      (incoming) => {
        let body = "";
        incoming.setEncoding("utf8").on("data", (chunk) => {
          body += chunk;
        });
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, body, headers: incoming.headers }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(more.body);
  });
}
async function tokenFor(server: Service, clientId = "north"): Promise<string> {
  const { body } = await call(server, "POST", "/oauth2/token", {
    clientId,
    type: "application/x-www-form-urlencoded",
    body: `grant_type=client_credentials&client_id=${clientId}`,
  });
  return (JSON.parse(body) as { access_token: string }).access_token;
}

test("a token is worth nothing on a connection with another certificate, nor after its time (RFC 8705)", async () => {
  let now = Date.parse("2026-05-01T00:00:00Z");
  const server = await service({ now: () => new Date(now) });
  const token = await tokenFor(server);
  const users = async (clientId: string) =>
    (await call(server, "GET", "/scim/v2/Users", { clientId, token })).status;
  assert.equal(await users("north"), 200);
  assert.equal(await users("south"), 401);
  const { status } = await call(server, "GET", "/scim/v2/Users", { token, from: renewed });
  assert.equal(status, 401); // the same client, and another certificate
  now += 601_000;
  assert.equal(await users("north"), 401);
  assert.equal(server.refusals().no_token, 3);
});

test("the server says what it can do, as RFC 7643 and RFC 8414 write it", async () => {
  const server = await service();
  const token = await tokenFor(server);
  const get = async (path: string) => {
    const { status, body } = await call(server, "GET", path, { token });
    assert.equal(status, 200, path);
    return JSON.parse(body) as Record<string, never>;
  };
  const config = await get("/scim/v2/ServiceProviderConfig");
  assert.deepEqual(
    [config.patch, config.filter],
    [{ supported: true }, { supported: true, maxResults: 100 }],
  );
  const types = await get("/scim/v2/ResourceTypes");
  assert.match(JSON.stringify(types), /"endpoint":"\/Users"/);
  const schema = (await get(`/scim/v2/Schemas/${EXTENSION_SCHEMA}`)) as {
    attributes?: Record<string, string>[];
  };
  const rules = Object.fromEntries(
    (schema.attributes ?? []).map(({ name, mutability, returned }) => [name, `${mutability} ${returned}`]),
  );
  assert.equal(rules.fields, "writeOnly never");
  assert.equal(rules.accessData, "readOnly request");
  const metadata = await get("/.well-known/oauth-authorization-server");
  assert.equal(metadata.tls_client_certificate_bound_access_tokens, true);
});

test("access data and what users said are in no later answer", async () => {
  const server = await service();
  const made = await portOf(server).register(registration("r1"));
  assert.ok(made.kind === "registered");
  const token = await tokenFor(server);
  for (const path of ["", `/${made.remoteId}`]) {
    const { status, body } = await call(server, "GET", `/scim/v2${USERS}${path}`, { token });
    assert.equal(status, 200);
    assert.ok(body.includes('"externalId":"r1"'));
    assert.ok(!body.includes(made.accessData.password ?? "?"));
    assert.ok(!/accessData|birthdate|1980-02-29/.test(body), body);
  }
});

const broken: [string, string, number][] = [
  ["no JSON", "{", 400],
  ["a list", "[]", 400],
  ["no user name", '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"x"}', 400],
  ["no number", '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x"}', 400],
  ["another schema", '{"schemas":["urn:x"],"userName":"x","externalId":"x"}', 400],
  [
    "a user of too many octets",
    JSON.stringify({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: "x",
      externalId: "x",
      [EXTENSION_SCHEMA]: {
        fields: Array.from({ length: 50 }, (_, at) => ({ name: `f${at}`, value: "v".repeat(900) })),
      },
    }),
    400,
  ],
  ["more than the door reads", `"${"x".repeat(70_000)}"`, 413],
];
for (const [what, body, status] of broken) {
  test(`a message with ${what} is refused in SCIM's words, and nothing is kept`, async () => {
    const server = await service();
    const answer = await call(server, "POST", "/scim/v2/Users", { token: await tokenFor(server), body });
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, /"urn:ietf:params:scim:api:messages:2\.0:Error"/);
    assert.equal(server.kernelAt("/scim/v2").size(), 0);
  });
}
