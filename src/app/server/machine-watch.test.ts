/** Machines of others that refuse us: told once, counted, and told again when they take us. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { CallAnswer } from "../../kernel/calls/answer.ts";
import { createBankClient } from "../../net/bank/client.ts";
import { bankPortOf } from "../../net/bank/port.ts";
import { createEsme } from "../../net/smsc/esme.ts";
import { createSmscSimulator } from "../../sim/smsc/smsc.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { readConfig } from "../config/config.ts";
import { connectorsOf } from "./connectors.ts";
import { fetchModule } from "./fetch-module.ts";
import { observeMachines } from "./machine-measures.ts";
import { createMachineWatch, type MachineNews, machineAt, refusalsOf } from "./machine-watch.ts";
import { openPeers } from "./peers.ts";
import { watchedConnectors } from "./watched-connectors.ts";
import { watchSession } from "./watched-session.ts";

const START_MS = Date.parse("2026-05-04T08:00:00Z");
const MINUTE_MS = 60_000;
const BANK = machineAt("bank", "https://bank.example:8443/v1/operators/meridian");
const NO: CallAnswer = { kind: "failed", cause: "unauthorised", reason: "HTTP 401" };
const YES: CallAnswer = { kind: "done", reference: null };
const AWAY: CallAnswer = { kind: "failed", cause: "unreachable", reason: "ECONNREFUSED" };

function watched() {
  const told: MachineNews[] = [];
  const time = { now: START_MS };
  const watch = createMachineWatch({ nowMs: () => time.now, tell: (news) => told.push(news) });
  const registry = new Registry();
  observeMachines(registry, watch, () => time.now);
  const lines = async (): Promise<string[]> => (await registry.metrics()).split("\n");
  return { watch, told, time, lines };
}

test("a machine that refuses us is told once, again every ten minutes, and when it takes us again", async () => {
  const { watch, told, time } = watched();
  let answer: CallAnswer | CallAnswer[] = NO;
  const bank = watch.watch(BANK, { ask: async () => answer });
  for (let minute = 0; minute < 25; minute++) {
    await bank.ask();
    time.now += MINUTE_MS;
  }
  answer = AWAY; // says nothing about credentials
  await bank.ask();
  assert.deepEqual(refusalsOf(watch), [{ machine: "bank", since: new Date(START_MS) }]);
  answer = [YES, YES];
  await bank.ask();
  await bank.ask();
  const since = new Date(START_MS);
  const refused = { kind: "refused", machine: "bank bank.example:8443", cause: "unauthorised", since };
  assert.deepEqual(told, [
    { ...refused, refusals: 1 },
    { ...refused, refusals: 11 },
    { ...refused, refusals: 21 },
    { kind: "accepted", machine: "bank bank.example:8443", refusedSeconds: 25 * 60 },
  ]);
  assert.deepEqual(refusalsOf(watch), []);
});

test("measures say which kind of machine refuses us, since when, how many calls wait and for how long", async () => {
  const { watch, time, lines } = watched();
  const answers: ((answer: CallAnswer) => void)[] = [];
  const maker = watch.watch(machineAt("maker", "https://keys.maker.example"), {
    ask: () => new Promise<CallAnswer>((resolve) => answers.push(resolve)),
  });
  watch.refused(BANK, "tls");
  time.now += 30_000;
  const first = maker.ask();
  time.now += 12_000;
  const second = maker.ask();
  for (const line of [
    'turnup_machine_refused{machine="bank"} 1',
    'turnup_machine_refused{machine="maker"} 0',
    'turnup_machine_refused_seconds{machine="bank"} 42',
    'turnup_machine_refusals_total{machine="bank"} 1',
    'turnup_machine_open_calls{machine="maker"} 2',
    'turnup_machine_oldest_call_seconds{machine="maker"} 12',
    'turnup_machine_open_calls{machine="smsc"} 0',
  ])
    assert.ok((await lines()).includes(line), line);
  assert.ok(!(await lines()).join().includes("example"), "anybody may read this: no host");
  for (const answer of answers) answer(YES);
  await Promise.all([first, second]);
  assert.ok((await lines()).includes('turnup_machine_open_calls{machine="maker"} 0'));
});

test("two doors of one host that know us by two credentials are two machines: what one takes says nothing of the other", async () => {
  const { watch, told } = watched();
  const at = (tenant: string) => machineAt("service", `https://scim.example/${tenant}/v2`);
  const one = watch.watch(at("one"), { ask: async () => NO });
  const other = watch.watch(at("two"), { ask: async () => YES });
  for (let again = 0; again < 3; again++) {
    await one.ask();
    await other.ask();
  }
  assert.deepEqual(
    told.map(({ kind, machine }) => [kind, machine]),
    [["refused", "service scim.example"]],
  );
  assert.deepEqual(
    refusalsOf(watch).map(({ machine }) => machine),
    ["service"],
  );
});

test("a server of modules that does not let us in is told as one, and waits there are measured", async () => {
  const { watch, lines } = watched();
  const door = createServer((_, response) => void response.writeHead(403).end());
  const url = `http://127.0.0.1:${await listening(door)}/module`;
  await assert.rejects(watch.during(machineAt("module", url), fetchModule(url)));
  assert.ok((await lines()).includes('turnup_machine_refused{machine="module"} 1'));
  assert.ok((await lines()).includes('turnup_machine_open_calls{machine="module"} 0'));
});

test("a message centre that is in trouble, or has too much to do, does not refuse our credentials", () => {
  for (const [statusName, isRefusal] of [
    ["ESME_RSYSERR", false],
    ["ESME_RTHROTTLED", false],
    ["ESME_RALYBND", false],
    ["ESME_RINVPASWD", true],
    ["ESME_RINVSYSID", true],
    ["ESME_RBINDFAIL", true],
  ] as const) {
    const { watch } = watched();
    const state = { name: "refused", status: STATUS[statusName], statusName, retryInMs: 1 } as const;
    watchSession({ state, on: () => undefined } as never, watch, () =>
      machineAt("smsc", "smpp://smsc.example"),
    );
    assert.equal(refusalsOf(watch).length > 0, isRefusal, statusName);
  }
});

test("a call that breaks is open no more", async () => {
  const { watch, lines } = watched();
  const broken = watch.watch(BANK, { ask: () => Promise.reject(new Error("broken")) });
  await assert.rejects(broken.ask());
  assert.ok((await lines()).includes('turnup_machine_open_calls{machine="bank"} 0'));
});

test("a message centre that refuses our bind is known as one that refuses us, until it takes it", async () => {
  const { watch, told } = watched();
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: "right",
    seed: 1,
    onMessage: async () => "delivered",
  });
  whenDone(() => smsc.close());
  let password = "wrong";
  const esme = createEsme({
    host: "127.0.0.1",
    port: smsc.port,
    systemId: "turnup",
    password: () => password,
    reconnect: { minMs: 10, maxMs: 20, refusedMs: 30 },
    onDeliver: async () => 0,
  });
  whenDone(() => esme.stop());
  watchSession(esme, watch, () => machineAt("smsc", `smpp://127.0.0.1:${smsc.port}`));
  const changed = (name: string) =>
    new Promise<void>((resolve) => esme.on("state", (state) => state.name === name && resolve()));
  const refused = changed("refused");
  const bound = changed("bound");
  esme.start();
  await refused;
  assert.deepEqual(
    refusalsOf(watch).map(({ machine }) => machine),
    ["smsc"],
  );
  password = "right";
  await bound;
  assert.deepEqual(refusalsOf(watch), []);
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ["refused", "accepted"],
  );
  assert.ok(!JSON.stringify(told).includes("wrong"));
});

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  whenDone(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Says no to whoever comes, in the words of HTTP and of SMTP. */
async function doorsThatRefuse() {
  const web = createServer((request, response) => {
    request.resume();
    response.writeHead(401, { "content-type": "application/json" }).end('{"code":"unauthorised"}');
  });
  const mail = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.write("220 mail ESMTP\r\n");
    socket.on("data", (chunk) => {
      const word = String(chunk).slice(0, 4).toUpperCase();
      if (word === "EHLO") socket.write("250-mail\r\n250 AUTH PLAIN LOGIN\r\n");
      else if (word === "AUTH") socket.write("535 5.7.8 no\r\n");
      else socket.write("221 bye\r\n");
    });
  });
  return { url: `http://127.0.0.1:${await listening(web)}`, mailPort: await listening(mail) };
}

/** Settings that name all of them, each with a secret that is not the right one. */
function configOf(url: string, mailPort: number) {
  const folder = mkdtempSync(join(tmpdir(), "turnup-machines-"));
  whenDone(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "turnup.toml");
  const section = (name: string): string => `[${name}]\nurl = "${url}"\nsecret = "not-the-right-one"\n`;
  const mail = `[mail]\nhost = "127.0.0.1"\nport = ${mailPort}\ntls = "none"\nuser = "us"\npassword = "wrong"\nfrom = "us@here.example"\n`;
  const bearer = { kind: "bearer", tokenFile: "token" };
  writeFileSync(join(folder, "token"), "wrong");
  writeFileSync(join(folder, "providers.json"), JSON.stringify([{ uri: SERVICE, access: bearer }]));
  const service = `[service]\nproviders_file = "${join(folder, "providers.json")}"\ntimeout_ms = 2000\n`;
  const machines = ["identity", "payment", "element", "billing"].map(section);
  const peers = [{ origin: PEER, name: "Games", apiUrl: url, tokenFile: "token" }];
  writeFileSync(join(folder, "peers.json"), JSON.stringify(peers));
  const peer = `[peer]\nfile = "${join(folder, "peers.json")}"\n`;
  writeFileSync(file, [...machines, mail, service, peer].join("\n"));
  return readConfig({ file, env: {}, folder }).config;
}
const PEER = "https://games.example:8445";
const SERVICE = "https://mail.example/scim/v2";

test("every machine of the configuration that refuses our credentials is known as one that does", async () => {
  const { watch, told } = watched();
  const { url, mailPort } = await doorsThatRefuse();
  const config = configOf(url, mailPort);
  const open = await connectorsOf(config);
  whenDone(() => open.close());
  const peers = openPeers(config);
  whenDone(() => peers.close());
  const { bureauOf, paymentProviderOf, serviceAt, elementOf, billingOf, mailOf, peerAt } = watchedConnectors(
    { ...open.connectors, peerAt: peers.at },
    config,
    watch,
  );
  const bankClient = createBankClient({ url, secret: "wrong", timeoutMs: 5_000 });
  whenDone(() => bankClient.close());
  const bank = watch.watch(machineAt("bank", url), bankPortOf(bankClient));

  const [id, msisdn, imsi, imei] = ["id-1", "447700900123", "001010000000001", "356938035643809"];
  const money = { amountMinor: 100, currency: "EUR" };
  const to = { kind: "mail", address: "who@there.example" } as const;
  await bank.requestFees([{ id, ...money, amountMinor: 100n, payee: "", reference: "order" }]);
  await bureauOf!("o")!.verify({ id, msisdn, user: { givenName: "Ann", familyName: "Lee" } as never });
  await paymentProviderOf!("o")!.authorise({ id, token: "card", ...money });
  const task = {
    id,
    msisdn,
    imsi,
    imei,
    element: "forwarding",
    action: "add",
    catalogId: "f",
    values: {},
  } as const;
  await elementOf!("o", "forwarding")!.apply(task);
  const notice = {
    kind: "account",
    accountId: "a",
    catalogId: null,
    action: "add",
    prepared: null,
    account: null,
  } as const;
  await billingOf!("o")!.tell({ id, ...notice, onceMinor: 0, monthlyMinor: 0, currency: null } as never);
  await mailOf!("o")!.send({ id, to, subject: "s", text: "t", language: "en" });
  await peerAt!("o", PEER)!.forward({
    ...{ id, action: "add", selection: ["game"], subscriber: { imsi, imei, msisdn }, user: {}, fields: {} },
    ...{ language: "en", assurance: "otp", noticeKey: null, reference: null },
  });
  assert.deepEqual(
    refusalsOf(watch).map(({ machine }) => machine),
    ["bank", "identity", "payment", "element", "billing", "mail", "peer"],
  );
  for (const secret of ["not-the-right-one", "wrong", msisdn, imsi, imei, "Ann", "who@"])
    assert.ok(!JSON.stringify(told).includes(secret), secret);
  // A provider's server stands behind TLS: stories refuse us there (`service.test.ts`); here, that it is watched.
  assert.ok(serviceAt!("o", SERVICE));
  assert.ok(watch.states().some(({ kind, host }) => kind === "service" && host === "mail.example"));
});
