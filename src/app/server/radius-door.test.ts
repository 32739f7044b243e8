/** A server that hears packet gateways by RADIUS accounting: real packets over real sockets, two operators, one database. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Registry } from "prom-client";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { pairOf, strangerAuthority } from "../../../test/fixture/parties.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import {
  decodeRadius,
  encodeRequest,
  isAnswerAuthentic,
  RADIUS,
  type RadiusValue,
  vendorValue,
} from "../../wire/radius/packet.ts";
import { readConfig } from "../config/config.ts";
import type { RadiusPlace } from "../config/radius-config.ts";
import { checkConfig, checkOperators } from "./check-config.ts";
import { openRadius, rulesOf } from "./radius-door.ts";
import { startServer } from "./server.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const VENDOR_3GPP = 10_415;
const SECRET = "a secret of both";

function accounting(
  identifier: number,
  told: { status?: number; imsi: string; imei?: string; secret?: string; lasted?: number },
) {
  const attributes: RadiusValue[] = [
    [40, new Uint8Array([0, 0, 0, told.status ?? 1])],
    [44, octets(`session-${identifier}`)],
    ...(told.lasted === undefined ? [] : [[46, new Uint8Array([0, 0, 0, told.lasted])] as const]),
    [30, octets("internet")],
    [31, octets("447700900123")],
    vendorValue(VENDOR_3GPP, 1, octets(told.imsi)),
    ...(told.imei === undefined ? [] : [vendorValue(VENDOR_3GPP, 20, octets(told.imei))]),
    vendorValue(VENDOR_3GPP, 18, octets("26202")),
    vendorValue(VENDOR_3GPP, 21, new Uint8Array([6])), // E-UTRAN
  ];
  return encodeRequest(
    { code: RADIUS.accountingRequest, identifier, attributes },
    octets(told.secret ?? SECRET),
  );
}

/** As a gateway does: the same packet again until it is acknowledged. */
async function acknowledged(port: number, request: Uint8Array): Promise<void> {
  const socket = createSocket("udp4");
  const again = setInterval(() => socket.send(request, port, "127.0.0.1"), 1_000);
  try {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const answered = once(socket, "message");
    socket.send(request, port, "127.0.0.1");
    const [bytes] = (await answered) as [Uint8Array];
    assert.ok(isAnswerAuthentic(decodeRadius(bytes), decodeRadius(request), octets(SECRET)));
  } finally {
    clearInterval(again);
    socket.close();
  }
}

async function folderWith(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "turnup-radius-"));
  whenDone(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

const client = (more: object = {}) => ({
  name: "pgw-1",
  addresses: ["127.0.0.1"],
  secretFile: "pgw.secret",
  ...more,
});

test("R73: a session that a gateway tells of is a sighting of its operator's, acknowledged when it is on disk; another's gateway tells of another's", async () => {
  const folder = await folderWith({
    "pgw.secret": `${SECRET}\n`,
    "clients.json": JSON.stringify([client()]),
  });
  const { database, url } = await freshDatabaseConfig();
  const env = {
    ...{ DATABASE_URL: url, TURNUP_DATA_FOLDER: folder, TURNUP_HTTP_PORT: "0", TURNUP_RADIUS_PORT: "0" },
    TURNUP_RADIUS_CLIENTS_FILE: join(folder, "clients.json"),
  };
  const { config } = readConfig({ env, folder });
  const ids = { north: uuidv7(1_000), south: uuidv7(2_000) };
  for (const slug of ["north", "south"] as const)
    await ensureOperator(database, { id: ids[slug], slug, name: slug, kind: "mvno", homePlmns: ["23415"] });
  const server = await startServer({ config, log: () => undefined });
  whenDone(() => server.close());
  const port = server.radiusPort ?? assert.fail("no door is open");
  const seen = () =>
    database.rows<{ slug: string; source: string; serving: string; outcome: string }>(
      `select o.slug, s.source, s.serving_plmn as serving, s.outcome
         from sighting s join operator o on o.id = s.operator_id order by s.id`,
    );
  const begun = { imsi: "234150000000001", imei: "3569380356438091" };
  await acknowledged(port, accounting(1, begun));
  await acknowledged(port, accounting(2, { ...begun, status: 3 }));
  await acknowledged(port, accounting(3, { imsi: "234150000000002" }));
  await acknowledged(port, accounting(4, { imsi: "234150000000003", imei: "0000000000000000" }));
  const north = { slug: "north", source: "radius", serving: "26202", outcome: "first_registration" };
  assert.deepEqual(
    await seen(),
    [north],
    "the same again changes nothing, and no handset's number is no sighting",
  );

  await writeFile(join(folder, "clients.json"), JSON.stringify([client({ operator: "south" })]));
  await server.change(readConfig({ env, folder }).config, undefined);
  await acknowledged(port, accounting(5, begun));
  assert.deepEqual(await seen(), [north, { ...north, slug: "south" }]);

  const socket = createSocket("udp4");
  const wrong = accounting(6, { ...begun, secret: "another secret" });
  await new Promise<void>((sent) => void socket.send(wrong, port, "127.0.0.1", () => sent()));
  await acknowledged(port, accounting(7, begun));
  socket.close();
  const measures = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
  for (const line of [
    'turnup_radius_packets_total{client="pgw-1",outcome="wrong_secret"} 1',
    'turnup_radius_packets_total{client="",outcome="unknown_client"} 0',
    'turnup_radius_sightings_total{client="pgw-1",outcome="first_registration"} 2',
  ])
    assert.ok(measures.includes(`${line}\n`), line);

  // What was learned of access points is written at the latest now: a session that opened, of a SIM that was seen.
  await server.close();
  const used = await database.rows(
    `select o.slug, u.plmn, u.apn, u.sessions::int as sessions
       from access_point_use u join operator o on o.id = u.operator_id order by o.slug`,
  );
  assert.deepEqual(used, [
    { slug: "north", plmn: "23415", apn: "internet", sessions: 1 },
    { slug: "south", plmn: "23415", apn: "internet", sessions: 2 },
  ]);
  const radios = await database.rows(
    `select o.slug, r.radio from device_radio r join operator o on o.id = r.operator_id order by o.slug`,
  );
  assert.deepEqual(
    radios,
    ["north", "south"].map((slug) => ({ slug, radio: "eutran" })),
    "on which radio each operator's handset was seen, once however many sessions told it",
  );
});

test("a gateway within a network of other gateways is known as itself, wherever it stands in the file", () => {
  const one = (name: string, ...addresses: string[]) => ({
    name,
    addresses,
    secret: octets(name),
    ...{ certificate: undefined, operator: undefined, disconnect: undefined },
  });
  const { clientAt } = rulesOf({
    clients: [
      one("all", "0.0.0.0/0", "::/0"),
      one("net", "192.0.2.16/28"),
      one("pgw", "192.0.2.17", "2001:db8::1"),
    ],
  });
  for (const [address, name] of [
    ["192.0.2.17", "pgw"],
    ["::ffff:192.0.2.17", "pgw"],
    ["192.0.2.18", "net"],
    ["192.0.2.1", "all"],
    ["2001:db8::1", "pgw"],
    ["2001:db8::2", "all"],
  ] as const)
    assert.equal(clientAt(address)?.name, name, address);
});

test("what the file of gateways says wrong is told by name before anything starts", async () => {
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [[client({ addresses: ["10.0.0.0/33"] })], /\[0\]\.addresses\[0\]: an IP address or a network/],
    [[client({ addresses: ["pgw.example"] })], /an IP address or a network/],
    [[client({ secretFile: "short.secret" })], /short\.secret: a secret of 8 to 256 octets/],
    [[client({ secretFile: "missing.secret" })], /missing\.secret cannot be read/],
    [[client(), client()], /a name stands in it twice/],
    [
      [client(), client({ name: "pgw-2", addresses: ["127.0.0.1/32"] })],
      /127\.0\.0\.1\/32 stands in it twice/,
    ],
    [[], /clients\.json/],
    [[{ name: "pgw-1", addresses: ["127.0.0.1"] }], /pgw-1 has neither secretFile nor certificate/],
    [[client({ addresses: undefined })], /pgw-1 has a secret, and no addresses/],
    [[{ name: "pgw-1", certificate: "pgw.example" }], /dns:, uri: or cn: and a certificate's name/],
    [
      ["dns:A.example", "dns:a.example"].map((certificate, at) => ({ name: `pgw-${at}`, certificate })),
      /dns:a\.example stands in it twice/,
    ],
    ["{", /it is no JSON/],
  ];
  for (const [clients, message] of rows) {
    const folder = await folderWith({
      ...{ "pgw.secret": SECRET, "short.secret": "1234567" },
      "clients.json": typeof clients === "string" ? clients : JSON.stringify(clients),
    });
    const env = {
      ...{ TURNUP_DATA_FOLDER: folder, TURNUP_RADIUS_PORT: "0" },
      TURNUP_RADIUS_CLIENTS_FILE: join(folder, "clients.json"),
    };
    await assert.rejects(checkConfig(readConfig({ env, folder }).config, env), { message });
  }
  const folder = await folderWith({});
  const env = { TURNUP_DATA_FOLDER: folder, TURNUP_RADIUS_PORT: "0" };
  await assert.rejects(checkConfig(readConfig({ env, folder }).config, env), {
    message: "radius.port is set, and radius.clients_file is not.",
  });
  const clientsFile = join(
    await folderWith({ "clients.json": JSON.stringify([{ name: "a", certificate: "cn:a" }]) }),
    "clients.json",
  );
  const overTls = { ...env, TURNUP_RADIUS_TLS_PORT: "0", TURNUP_RADIUS_CLIENTS_FILE: clientsFile };
  await assert.rejects(checkConfig(readConfig({ env: overTls, folder }).config, overTls), {
    message: "radius.tls_port is set, and a file of its TLS is missing.",
  });
});

test("an operator that a gateway is said to be of and that is not there is refused by name", async () => {
  const folder = await folderWith({
    "pgw.secret": SECRET,
    "clients.json": JSON.stringify([client({ operator: "west" })]),
  });
  const { database } = await freshDatabaseConfig();
  await ensureOperator(database, { id: uuidv7(), slug: "north", name: "north", kind: "mvno", homePlmns: [] });
  const env = { TURNUP_RADIUS_PORT: "0", TURNUP_RADIUS_CLIENTS_FILE: join(folder, "clients.json") };
  await assert.rejects(checkOperators(database, readConfig({ env, folder }).config), {
    message: "radius.clients_file: operator of pgw-1 = west: there is no operator of this short name.",
  });
});

/** A door without a database behind it. */
async function doorFor(
  place: Omit<RadiusPlace, "host">,
  more: Partial<Parameters<typeof openRadius>[0]> = {},
) {
  const taken: string[] = [];
  const registry = new Registry();
  const listener = await openRadius(
    {
      intake: {
        async accept(operatorId, sightings) {
          taken.push(...sightings.map(({ imsi }) => `${operatorId} ${imsi}`));
          return sightings.map(() => ({ outcome: "unchanged" }));
        },
      },
      ...{ confirm: async () => [], homePlmnOf: () => undefined, clockToleranceMs: 0, registry },
      ...{ locks: { session: () => undefined }, statuses: { statusOf: () => "white" } },
      ...{ operatorIdOf: async (slug) => slug ?? "first", clock: () => new Date(0), monotonicMs: () => 0 },
      isReady: async () => false,
      audit: { record: async () => undefined },
      onFault: (_name, error) => assert.fail(String(error)),
      ...more,
    },
    { host: "127.0.0.1", ...place },
  );
  whenDone(() => listener.close());
  return { listener, taken, registry };
}

test("over TLS a gateway is known by a name in its certificate or by its fingerprint, and from its addresses alone where it has some", async () => {
  const authority = strangerAuthority();
  const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  const pairs = ["named.example", "printed.example", "elsewhere.example", "stranger.example"].map((name) =>
    pairOf(authority, { names: [{ kind: "dns", name }] }),
  );
  const [named, printed, elsewhere, stranger] = pairs;
  const print = new X509Certificate(printed?.certificate ?? "").fingerprint256
    .replaceAll(":", "")
    .toLowerCase();
  const one = (name: string, certificate: string, addresses: string[] = []) => ({
    ...{ name, certificate, addresses, secret: undefined, operator: name, disconnect: undefined },
  });
  const tls = { port: 0, files: { ...own, authorities: authority.certificate } };
  const clients = [
    one("north", "dns:named.example"),
    one("south", `sha256:${print}`),
    one("west", "dns:elsewhere.example", ["192.0.2.1"]),
  ];
  const { listener, taken, registry } = await doorFor({ port: undefined, tls, clients });
  assert.equal(listener.port, undefined, "no door for UDP");
  const tell = (pair: typeof named): Promise<string> =>
    new Promise((done) => {
      const socket = connect({
        ...{ port: listener.tlsPort, host: "127.0.0.1", servername: "localhost", ca: authority.certificate },
        ...{ key: pair?.key, cert: pair?.certificate },
      });
      socket.on("error", () => undefined).on("close", () => done("cut"));
      const request = { imsi: "234150000000001", imei: "3569380356438091", secret: "radsec" };
      socket.on("secureConnect", () => socket.write(accounting(1, request)));
      socket.on("data", (bytes) => {
        done(String(decodeRadius(bytes).code));
        socket.destroy();
      });
    });
  assert.deepEqual(
    [await tell(named), await tell(printed), await tell(elsewhere), await tell(stranger)],
    ["5", "5", "cut", "cut"],
  );
  assert.deepEqual(taken, ["north 234150000000001", "south 234150000000001"]);
  listener.change({ host: "127.0.0.1", port: undefined, tls, clients: clients.slice(1) });
  assert.equal(await tell(named), "cut");
  const measures = await registry.metrics();
  assert.match(measures, /turnup_radius_packets_total\{client="",outcome="unknown_client"\} 3\n/);
});

test("a gateway that cannot be heard for a while is told in the log once a second, not with each of its packets", async () => {
  const faults: unknown[] = [];
  let nowMs = 0;
  let failures = 0;
  const client = { name: "pgw-1", addresses: ["127.0.0.1"], secret: octets(SECRET) };
  const clients = [{ ...client, certificate: undefined, operator: undefined, disconnect: undefined }];
  const { listener: door } = await doorFor(
    { port: 0, tls: undefined, clients },
    {
      intake: {
        accept() {
          failures += 1;
          return Promise.reject(new Error("the database is away"));
        },
      },
      monotonicMs: () => nowMs,
      onFault: (_name, error) => faults.push(error),
    },
  );
  const socket = createSocket("udp4");
  whenDone(() => void socket.close());
  const notKept = async (identifier: number) => {
    const before = failures;
    socket.send(
      accounting(identifier, { imsi: "234150000000001", imei: "3569380356438091" }),
      door.port,
      "127.0.0.1",
    );
    while (failures === before) await new Promise((soon) => setImmediate(soon));
    await new Promise((soon) => setImmediate(soon));
  };
  for (const identifier of [1, 2, 3]) await notKept(identifier);
  assert.equal(faults.length, 1);
  nowMs = 1_000;
  await notKept(4);
  assert.equal(faults.length, 2);
});

test("R73: a session that is open is shown to the lock of its SIM; one that ended, late word, a number that is refused and a handset on a black list are not", async () => {
  const client = { name: "pgw-1", addresses: ["127.0.0.1"], secret: octets(SECRET) };
  const clients = [{ ...client, certificate: undefined, operator: "north", disconnect: undefined }];
  const [open, late, refused, black] = [1, 2, 3, 4].map((one) => `23415000000000${one}`);
  const shown: object[] = [];
  const { listener } = await doorFor(
    { port: 0, tls: undefined, clients },
    {
      intake: {
        accept: async (_operatorId, sightings) =>
          sightings.map(({ imsi }) => {
            if (imsi === late) return { outcome: "late", subscriberId: "", deviceId: "" };
            if (imsi === refused) return { outcome: "refused", code: "imei_malformed", reason: "" };
            return { outcome: "unchanged" };
          }),
      },
      locks: { session: (one) => void shown.push(one) },
      statuses: { statusOf: (_operatorId, { imsi }) => (imsi === black ? "black" : "white") },
    },
  );
  const port = listener.port ?? assert.fail("no door is open");
  const imei = "3569380356438091";
  for (const [at, imsi = ""] of [open, late, refused, black].entries())
    await acknowledged(port, accounting(at, { imsi, imei }));
  await acknowledged(port, accounting(5, { imsi: open ?? "", imei, status: 3 }));
  await acknowledged(port, accounting(6, { imsi: open ?? "", imei, status: 2, lasted: 60 }));
  const told = { operatorId: "north", imsi: open, imei, source: "radius", client: "pgw-1" };
  assert.deepEqual(shown, [told, told], "its start, and that it goes on");
});
