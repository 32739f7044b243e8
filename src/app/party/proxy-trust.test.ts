/**
 * Mutual authentication at the proxy: each way in which a device or a server can be false, on real TLS. A false device
 * reaches no server; to a false server nothing of a user goes (US 6,647,260 Fig. 7A 702-706, claims 24, 33, 38).
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { ServerResponse } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import {
  IMEI,
  IMSI,
  MSISDN,
  OTHER_IMEI,
  openParties,
  type Parties,
  PROXY_ID,
  pairOf,
  SERVER_ID,
  strangerAuthority,
} from "../../../test/fixture/parties.ts";
import { parseImei } from "../../term/imei.ts";
import { authenticationText, DEVICE_PATHS } from "../../wire/message/legs.ts";
import { imeiNameOf } from "../../wire/message/party-name.ts";
import type { CertificateRequest } from "../../wire/x509/certificate.ts";
import { ensureAuthority, type Pair } from "../certificates/certificates.ts";
import type { MachineNews } from "../server/machine-watch.ts";

const DAY_MS = 86_400_000;
let road: Parties;
let factoryAuthority: Pair;
let serverAuthority: Pair;
beforeAll(async () => {
  road = await openParties();
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
  factoryAuthority = await ensureAuthority(join(road.folder, "factory"), new Date());
  serverAuthority = await ensureAuthority(join(road.folder, "server"), new Date());
});
afterAll(() => road.close());

// ---- false devices

type Faults = Partial<Pick<CertificateRequest, "purpose" | "names" | "notBefore" | "notAfter">>;
const EXPIRED: Faults = {
  notBefore: new Date(Date.now() - 9 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
};
const NOT_YET: Faults = { notBefore: new Date(Date.now() + DAY_MS / 2) };
const FALSE_DEVICES: readonly [string, () => Pair, string][] = [
  ["of a stranger's authority", () => pairOf(strangerAuthority()), "certificate_refused"],
  ["of the proxies' authority", () => road.certificates.proxy.land, "certificate_refused"],
  ["that has expired", () => pairOf(factoryAuthority, EXPIRED), "certificate_refused"],
  ["that is not yet good", () => pairOf(factoryAuthority, NOT_YET), "certificate_refused"],
  ["for servers", () => pairOf(factoryAuthority, { purpose: "server" }), "certificate_refused"],
  ["that names no device", () => pairOf(factoryAuthority, { names: [] }), "no_device_id"],
  [
    "that names two devices",
    () =>
      pairOf(factoryAuthority, {
        names: [IMEI, OTHER_IMEI].map((imei) => ({ kind: "uri", uri: imeiNameOf(parseImei(imei)) }) as const),
      }),
    "no_device_id",
  ],
  [
    "that names its device as a host",
    () => pairOf(factoryAuthority, { names: [{ kind: "dns", name: IMEI }] }),
    "no_device_id",
  ],
];
for (const [name, pair, reason] of FALSE_DEVICES) {
  test(`air leg: a certificate ${name} is refused, with one record, and no server hears of it`, async () => {
    const [received, refusals, records] = [road.received.length, road.refusals.length, road.records.length];
    const status = await road.air(road.start(), { pair: pair() }).then(
      (answer) => answer.status,
      () => "cut",
    );
    assert.ok(status === "cut" || status === 403, String(status));
    assert.equal(road.records.length, records + 1);
    assert.equal(road.records.at(-1)?.reason, reason);
    assert.equal(road.records.at(-1)?.leg, "air");
    assert.match(road.records.at(-1)?.fingerprint ?? "", /^[0-9A-F:]{95}$/);
    assert.deepEqual([road.received.length, road.refusals.length], [received, refusals]);
  });
}

test("air leg: no certificate at all gets no further than enrolment", async () => {
  assert.equal((await road.air(road.start())).status, 403);
  assert.equal(road.records.at(-1)?.reason, "no_certificate");
  assert.equal((await road.air("/.well-known/est/cacerts")).status, 200);
});

test("air leg: a right certificate passes", async () => {
  assert.equal((await road.air(road.start(), { pair: pairOf(factoryAuthority) })).status, 200);
});

test("air leg: TLS 1.2 is never spoken", async () => {
  await assert.rejects(road.air(road.start(), { pair: road.factory, tls: { maxVersion: "TLSv1.2" } }));
});

/** One request on a TLS connection, and the sessions that it was offered for later. */
function visit(port: number, tls: ConnectionOptions): Promise<{ isReused: boolean; sessions: Buffer[] }> {
  return new Promise((resolve, reject) => {
    const sessions: Buffer[] = [];
    let isReused = false;
    const socket = connect({ host: "127.0.0.1", port, ...tls });
    socket.on("error", reject);
    socket.on("session", (session) => sessions.push(session));
    socket.on("secureConnect", () => {
      isReused = socket.isSessionReused();
      socket.write("GET /.well-known/est/csrattrs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    });
    socket.on("close", () => resolve({ isReused, sessions }));
    socket.resume();
  });
}

test("no TLS session is taken up again, on either leg: each connection proves both ends anew", async () => {
  const { certificates, land, proxy } = road;
  const legs: readonly [number, ConnectionOptions][] = [
    [
      proxy.port,
      { ca: certificates.proxy.airAuthority, key: road.factory.key, cert: road.factory.certificate },
    ],
    [
      land.port,
      {
        ca: certificates.land.serverAuthority,
        key: certificates.proxy.land.key,
        cert: certificates.proxy.land.certificate,
      },
    ],
  ];
  for (const [port, tls] of legs) {
    const first = await visit(port, tls);
    assert.equal(first.isReused, false);
    for (const session of first.sessions)
      assert.equal((await visit(port, { ...tls, session })).isReused, false);
  }
});

// ---- false servers

type FalseServer = {
  readonly url: string;
  /** Everything that came, as it came. */
  readonly heard: () => string;
};
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function falseServer(
  pair: Pair,
  answerTo: (asked: { nonce: string; proxy: string; at: string }) => object,
  tls: Pick<ServerOptions, "maxVersion"> = {},
  /** What it does with a forwarded request; an empty answer unless given. */
  work: (outgoing: ServerResponse) => void = (outgoing) => void outgoing.end("{}"),
): Promise<FalseServer> {
  const heard: string[] = [];
  const server = createServer(
    {
      key: pair.key,
      cert: pair.certificate,
      ca: road.certificates.land.proxyAuthority,
      requestCert: true,
      ...tls,
    },
    (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        heard.push(`${incoming.method} ${incoming.url} ${JSON.stringify(incoming.headers)} ${body}`);
        outgoing.setHeader("content-type", "application/json");
        if (incoming.url !== DEVICE_PATHS.authentications) return work(outgoing);
        outgoing.end(JSON.stringify(answerTo(JSON.parse(body))));
      });
    },
  );
  server.on("tlsClientError", () => undefined);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: () => heard.join("\n"),
  };
}

const LOOPBACK = { kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) } as const;
const serverPair = (faults: Faults = {}, authority = serverAuthority): Pair =>
  pairOf(authority, { purpose: "server", names: [LOOPBACK], ...faults });

type Proof = {
  readonly server?: string;
  readonly nonce?: string;
  readonly atMs?: number;
  readonly endsMs?: number;
  readonly key?: KeyObject;
  readonly proxy?: string;
};
const proofOf =
  (faults: Proof = {}) =>
  (asked: { nonce: string; proxy: string }): object => {
    const answer = {
      server: faults.server ?? SERVER_ID,
      nonce: faults.nonce ?? asked.nonce,
      at: new Date(faults.atMs ?? Date.now()).toISOString(),
      session: "session",
      expiresAt: new Date(faults.endsMs ?? Date.now() + 60_000).toISOString(),
    };
    const text = authenticationText({ ...answer, proxy: faults.proxy ?? asked.proxy });
    const signature = sign(null, Buffer.from(text), faults.key ?? road.certificates.land.signingKey);
    return { ...answer, signature: signature.toString("base64") };
  };

/** A device's request with user data, through the proxy to that server. */
async function requestThrough(url: string) {
  const { serverAuthority: authority, publicKey } = road.certificates.land;
  news.length = 0;
  await road.restartProxy({
    servers: [{ url, id: SERVER_ID, authority, publicKey }],
    onMachine: (one) => news.push(one),
  });
  const records = road.records.length;
  const answer = await road.air(DEVICE_PATHS.through(new URL(url).host, DEVICE_PATHS.requests), {
    method: "POST",
    pair: road.factory,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "familyName=Jones&card=4111111111111111",
  });
  return { answer, records: road.records.slice(records) };
}

/** What the last proxy told of its servers. */
const news: MachineNews[] = [];
const toldOf = () => news.map(({ kind, machine }) => [kind, machine]);

function heardNothingOfTheUser({ heard }: FalseServer): void {
  assert.doesNotMatch(heard(), new RegExp(`Jones|4111111111111111|${IMEI}|${IMSI}|${MSISDN}|/d/requests`));
}

const FALSE_PAIRS: readonly [string, () => Pair][] = [
  ["a stranger's authority", () => serverPair({}, strangerAuthority())],
  ["the proxies' authority", () => serverPair({}, factoryAuthority)],
  ["an expired certificate", () => serverPair(EXPIRED)],
  ["a certificate that is not yet good", () => serverPair(NOT_YET)],
  ["a client's certificate", () => serverPair({ purpose: "client" })],
  ["another's name", () => serverPair({ names: [{ kind: "dns", name: "other.example" }] })],
];
for (const [name, pair] of FALSE_PAIRS) {
  test(`land leg: a server with ${name} hears nothing at all`, async () => {
    const server = await falseServer(pair(), proofOf());
    const { answer, records } = await requestThrough(server.url);
    assert.equal(answer.status, 403);
    assert.equal(server.heard(), "");
    assert.deepEqual(
      records.map(({ leg, reason }) => [leg, reason]),
      [["land", "server_not_proved"]],
    );
    assert.deepEqual(toldOf(), [["refused", `server ${new URL(server.url).host}`]]);
  });
}

test("land leg: a server that speaks TLS 1.2 alone hears nothing", async () => {
  const server = await falseServer(serverPair(), proofOf(), { maxVersion: "TLSv1.2" });
  const { answer } = await requestThrough(server.url);
  assert.equal(answer.status, 403);
  assert.equal(server.heard(), "");
});

const FALSE_PROOFS: readonly [string, Proof][] = [
  ["a key that is not the pinned one", { key: generateKeyPairSync("ed25519").privateKey }],
  ["another server's name", { server: "turnup-2" }],
  ["another nonce: a proof that was given before", { nonce: Buffer.alloc(32).toString("base64") }],
  ["a proof that was made for another proxy", { proxy: "edge-2" }],
  ["a moment two minutes ago", { atMs: Date.now() - 120_000 }],
  ["a session that is over", { endsMs: Date.now() - 1_000 }],
  ["a session without end", { endsMs: Date.now() + 400 * DAY_MS }],
];
for (const [name, faults] of FALSE_PROOFS) {
  test(`false server: ${name} proves nothing; nothing is forwarded and no user data leaves`, async () => {
    const server = await falseServer(serverPair(), proofOf(faults));
    const { answer, records } = await requestThrough(server.url);
    assert.equal(answer.status, 403);
    assert.match(
      server.heard(),
      /^POST \/d\/authentications [^\n]*$/,
      "it was asked for its proof, and no more",
    );
    heardNothingOfTheUser(server);
    assert.deepEqual(
      records.map(({ leg, reason, state }) => [leg, reason, state]),
      [["land", "server_not_proved", "connected"]],
    );
  });
}

test("false server: an answer of another shape proves nothing", async () => {
  const server = await falseServer(serverPair(), () => ({ ok: true }));
  const { answer } = await requestThrough(server.url);
  assert.equal(answer.status, 403);
  heardNothingOfTheUser(server);
});

test("the same server with the right proof is sent the request: what was refused above is the proof alone", async () => {
  const server = await falseServer(serverPair(), proofOf());
  await requestThrough(server.url);
  assert.match(server.heard(), /POST \/d\/requests [^\n]*Jones/);
  assert.deepEqual(toldOf(), []);
  assert.match(server.heard(), new RegExp(`"turnup-imei":"${IMEI}"`));
  assert.match(
    server.heard(),
    /proxy=\(\\"@method\\" \\"@authority\\" \\"@path\\" \\"@query\\" \\"content-digest\\"/,
  );
  assert.match(server.heard(), new RegExp(`keyid=\\\\"${PROXY_ID}-1\\\\"`));
});

// ---- a server that breaks off

const REPEATS: readonly [string, "GET" | "POST", Record<string, string>, number, number][] = [
  ["a GET", "GET", {}, 200, 2],
  ["a POST with an idempotency key", "POST", { "idempotency-key": "k-1" }, 200, 2],
  ["a POST without one", "POST", {}, 503, 1],
];
for (const [name, method, headers, status, times] of REPEATS) {
  test(`${name} that nobody knows to have arrived is sent ${times === 1 ? "no second time" : "again, signed anew"}`, async () => {
    let cuts = 1;
    const server = await falseServer(serverPair(), proofOf(), {}, (outgoing) => {
      if (cuts-- > 0) outgoing.socket?.destroy();
      else outgoing.end("{}");
    });
    const { serverAuthority: authority, publicKey } = road.certificates.land;
    await road.restartProxy({
      servers: [{ url: server.url, id: SERVER_ID, authority, publicKey }],
      limits: { retryPauseMs: 1 },
    });
    const answer = await road.air(DEVICE_PATHS.through(new URL(server.url).host, DEVICE_PATHS.requests), {
      method,
      pair: road.factory,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: method === "POST" ? "a=1" : "",
    });
    assert.equal(answer.status, status);
    const sent = server
      .heard()
      .split("\n")
      .filter((line) => line.includes(" /d/requests "));
    assert.equal(sent.length, times);
    const nonces = sent.map((line) => /nonce=\\"([^"\\]+)/.exec(line)?.[1]);
    assert.equal(new Set(nonces).size, times);
  });
}

test("content that breaks off is never taken for whole, and the proxy goes on", async () => {
  const server = await falseServer(serverPair(), proofOf(), {}, (outgoing) => {
    outgoing.writeHead(200, {
      "content-type": "application/vnd.turnup.content",
      "content-length": "1000000",
    });
    outgoing.write(Buffer.alloc(1_000), () => outgoing.socket?.destroy());
  });
  const { serverAuthority: authority, publicKey } = road.certificates.land;
  await road.restartProxy({
    servers: [{ url: server.url, id: SERVER_ID, authority, publicKey }],
    limits: { retryPauseMs: 1, inFlight: 1, waiting: 0 },
  });
  const path = DEVICE_PATHS.through(new URL(server.url).host, "/d/orders/AB12CD34/items/x/content");
  for (let turn = 0; turn < 3; turn++)
    await assert.rejects(road.air(path, { pair: road.factory }), /aborted|hang up|RESET/i);
});
