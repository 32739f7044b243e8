/**
 * False devices and false servers at the proxy (US 6,647,260 columns 6 and 8, Fig. 7A 702 to 706, claims 20, 26, 33, 36). Between
 * proxy and server stands a wire tap that counts what goes through, so "nothing reaches the server" is seen and not believed.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { test } from "vitest";
import type { Pair } from "../../src/app/certificates/certificates.ts";
import { ROAD_WORLD } from "../../src/app/demo/device-world.ts";
import { type ProxyServer, startProxy } from "../../src/app/party/proxy.ts";
import { type Land, startLand } from "../../src/app/server/land.ts";
import type { AuditRecord } from "../../src/proxy/session.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import type { PhoneOptions } from "../../src/sim/phone/phone-state.ts";
import { parseImei } from "../../src/term/imei.ts";
import { AIR_HEADERS, DEVICE_PATHS, LAND_HEADERS } from "../../src/wire/message/legs.ts";
import { imeiNameOf } from "../../src/wire/message/party-name.ts";
import { ask, pairOf, strangerAuthority } from "../fixture/parties.ts";
import { storyParties } from "../fixture/story-parties.ts";
import { whenDone } from "../fixture/when-done.ts";

const PLAIN_WORDS = /secure connection could not be made/;
const FORBIDDEN = 403;
/** Nothing of the reason, no number, no name of a machine is for a device that was refused. */
const TELLING = /certificate|blocked|mismatch|account|127\.0\.0\.1|\d{5}/i;

const fixture = await storyParties();
const { certificates } = fixture.road;
let lanes = 0;

type Tap = {
  readonly url: string;
  connections(): number;
  /** Octets that went towards the server. */
  octets(): number;
};

/** Passes octets on both ways, and counts those towards the server. */
async function tap(to: () => number): Promise<Tap> {
  const sockets = new Set<Socket>();
  let [connections, octets] = [0, 0];
  const server = createServer((from) => {
    connections += 1;
    const onwards = connect(to(), "127.0.0.1");
    for (const socket of [from, onwards]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    }
    from.on("data", (piece) => {
      octets += piece.length;
    });
    from.pipe(onwards).pipe(from);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  whenDone(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { url: `https://127.0.0.1:${port}`, connections: () => connections, octets: () => octets };
}

type Lane = { readonly proxy: ProxyServer; readonly wire: Tap; readonly records: AuditRecord[] };

/** A proxy of its own, which leads through a tap to the fixture's server, or to a false one. */
async function lane(
  believed: { readonly port?: number; readonly publicKey?: KeyObject; readonly authority?: string } = {},
): Promise<Lane> {
  const wire = await tap(() => believed.port ?? fixture.server.road.land!.port);
  const records: AuditRecord[] = [];
  lanes += 1;
  const proxy = await startProxy({
    id: ROAD_WORLD.proxyId,
    port: 0,
    certificates: certificates.proxy,
    journalFolder: join(fixture.folder, `journal-${lanes}`),
    servers: [
      {
        id: ROAD_WORLD.landId,
        url: wire.url,
        authority: believed.authority ?? certificates.land.serverAuthority,
        publicKey: believed.publicKey ?? certificates.land.publicKey,
      },
    ],
    onTerminated: (record) => records.push(record),
    onFault: (error) => assert.fail(error),
  });
  whenDone(() => proxy.close());
  return { proxy, wire, records };
}

/** On this lane; its account is opened there unless it shall be unknown. */
async function phoneOn(
  { proxy, wire }: Lane,
  more: Partial<PhoneOptions> = {},
  isKnown = true,
): Promise<Phone> {
  const phone = await fixture.phone({ proxyUri: proxy.url, provisioningUri: wire.url, ...more });
  const { imei: deviceId, imsi, msisdn } = phone;
  if (isKnown) await proxy.keepAccounts([{ deviceId, imsi, msisdn }]);
  return phone;
}

const reasonsOf = ({ records }: Lane): string[] => [...new Set(records.map(({ reason }) => reason))];

async function seesPlainWords(phone: Phone): Promise<void> {
  phone.powerOn();
  const screen = await phone.walk([{ await: "refused" }]);
  const { title, text, entries, actions, form } = screen;
  assert.match(text.join(" "), PLAIN_WORDS);
  assert.doesNotMatch([title, ...text].join(" "), TELLING);
  assert.deepEqual([entries, actions, form], [[], [], undefined], "it leads nowhere and asks for nothing");
  assert.ok(phone.lines().length > 0, "a person can read it on the display");
}

/** What goes out of the device is a question for the first screen, never a form. */
function sentNoUserData(phone: Phone): void {
  const methods = fixture.did(phone, "request").map(({ method }) => method);
  assert.deepEqual([...new Set(methods)], ["GET"]);
}

const stranger = strangerAuthority();
const factoryOf = (imei: string): Promise<Pair> => certificates.factoryPair(imei);

const FALSE_DEVICES: readonly {
  readonly name: string;
  readonly reason: string;
  make(on: Lane): Promise<Phone>;
}[] = [
  {
    name: "a device that has no account at the proxy",
    reason: "device_unknown",
    make: (on) => phoneOn(on, {}, false),
  },
  {
    name: "a device that shows another phone's certificate",
    reason: "device_mismatch",
    async make(on) {
      const honest = await phoneOn(on);
      return phoneOn(on, { factory: await factoryOf(honest.imei) });
    },
  },
  {
    name: "a device that says it is another phone",
    reason: "device_mismatch",
    async make(on) {
      const honest = await phoneOn(on);
      const thief = await phoneOn(on);
      return phoneOn(on, { imei: honest.imei, factory: await factoryOf(thief.imei) });
    },
  },
  {
    name: "a device whose account the operator blocked",
    reason: "device_blocked",
    async make(on) {
      const phone = await phoneOn(on);
      await on.proxy.setBlocked(phone.imei, true);
      return phone;
    },
  },
];

for (const { name, reason, make } of FALSE_DEVICES) {
  test(`R10, R24, R26: ${name} is refused at the proxy in plain words, and not an octet reaches the server`, async () => {
    const on = await lane();
    const phone = await make(on);
    await seesPlainWords(phone);
    assert.equal(on.wire.connections(), 0, "no connection towards the server was even opened");
    assert.ok(reasonsOf(on).includes(reason), `${reasonsOf(on)}`);
    const [record] = on.records.filter((one) => one.reason === reason);
    assert.equal(record?.leg, "air");
    assert.equal(record?.state, "connected", "it came no further than the proxy's door");
    assert.ok(record?.fingerprint && record.address, "who it was can be looked up");
    assert.doesNotMatch(
      JSON.stringify(on.records),
      new RegExp(`${phone.imei}|${phone.imsi}|${phone.msisdn}`),
    );
    sentNoUserData(phone);
    assert.equal(await fixture.story(phone), undefined);
  });
}

test("R24, R26: a certificate of a factory that nobody knows ends the connection, and the device says so in its own words", async () => {
  const on = await lane();
  const phone = await fixture.phone({ proxyUri: on.proxy.url, provisioningUri: on.wire.url });
  const forged = pairOf(stranger, { names: [{ kind: "uri", uri: imeiNameOf(parseImei(phone.imei)) }] });
  const liar = await phoneOn(on, { imei: phone.imei, factory: forged });
  liar.powerOn();
  const { text, form } = await liar.walk([{ await: "problem" }]);
  assert.deepEqual([text, form], [["No connection. Nothing was lost."], undefined]);
  assert.equal(on.wire.connections(), 0);
  assert.deepEqual(reasonsOf(on), ["certificate_refused"]);
  assert.equal(on.records[0]?.fingerprint, new X509Certificate(forged.certificate).fingerprint256);
  sentNoUserData(liar);
});

test("R24, R26: a blocked phone that was released goes its way, through the same proxy", async () => {
  const on = await lane();
  const phone = await phoneOn(on);
  await on.proxy.setBlocked(phone.imei, true);
  await seesPlainWords(phone);
  await on.proxy.setBlocked(phone.imei, false);
  phone.powerOff();
  phone.powerOn();
  assert.equal((await phone.walk([{ await: "start" }])).title, "Meridian");
  assert.ok(on.wire.octets() > 0, "the tap would have seen it");
});

test("R24, R25: a server that cannot sign with the key that was agreed gets the question and nothing else", async () => {
  const reached: string[] = [];
  const impostor: Land = await startLand({
    id: ROAD_WORLD.landId,
    port: 0,
    certificates: { ...certificates.land, signingKey: generateKeyPairSync("ed25519").privateKey },
    proxies: [certificates.landProxy],
    async handler(_identity, { path }) {
      reached.push(path);
      return assert.fail("a request reached the impostor");
    },
    enrolmentOf: async () => assert.fail("a token reached the impostor"),
  });
  whenDone(() => impostor.close());
  const on = await lane({ port: impostor.port });
  const phone = await phoneOn(on);
  await seesPlainWords(phone);
  assert.deepEqual(reached, []);
  assert.ok(on.wire.octets() > 0, "it was asked to prove itself");
  const { leg, reason, state, server, device } = on.records.at(-1)!;
  assert.deepEqual([leg, reason, state], ["land", "server_not_proved", "connected"]);
  assert.equal(server, new URL(on.wire.url).host);
  assert.notEqual(device, phone.imei, "masked");
  sentNoUserData(phone);
});

test("R24, R25: a server with a certificate of another authority is told nothing at all", async () => {
  const forged = pairOf(stranger, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  const heard: Buffer[] = [];
  const impostor = createTlsServer({ key: forged.key, cert: forged.certificate }, (socket) => {
    socket.on("data", (piece) => heard.push(piece));
    socket.on("error", () => undefined);
  });
  impostor.on("tlsClientError", () => undefined); // the proxy hangs up: that is what is wanted
  impostor.listen(0, "127.0.0.1");
  await once(impostor, "listening");
  whenDone(() => void impostor.close());
  const on = await lane({ port: (impostor.address() as AddressInfo).port });
  const phone = await phoneOn(on);
  await seesPlainWords(phone);
  assert.ok(on.wire.connections() > 0);
  assert.equal(Buffer.concat(heard).length, 0, "not one octet behind the handshake");
  assert.deepEqual(reasonsOf(on), ["server_not_proved"]);
  sentNoUserData(phone);
});

test("R27, R28: a session of one leg opens nothing on the other, and the phone holds nothing that a service server takes", async () => {
  const on = await lane();
  const phone = await phoneOn(on);
  phone.powerOn();
  await phone.walk([{ await: "start" }]);
  const airToken = phone.sessionToken();
  assert.ok(airToken, "the phone has a session with the proxy");
  const land = new URL(fixture.server.road.land!.url);
  const { land: pair, airAuthority } = certificates.proxy;
  const asked = await ask(new URL(DEVICE_PATHS.start, land), {
    headers: { [LAND_HEADERS.session]: airToken, [AIR_HEADERS.session]: airToken },
    ca: certificates.land.serverAuthority,
    key: pair.key,
    cert: pair.certificate,
  });
  assert.equal(
    asked.status,
    401,
    "the phone's token is none on the land leg, not even behind the proxy's own certificate",
  );
  const own = await factoryOf(phone.imei);
  const refusals = async (): Promise<number> => {
    const measures = await fetch(`${fixture.server.url}/metrics`).then((answer) => answer.text());
    const counted = /^turnup_handshakes_refused_total\{door="land",cause="wrong_authority"\} (\d+)$/m;
    return Number(counted.exec(measures)?.[1] ?? Number.NaN);
  };
  const before = await refusals();
  await assert.rejects(
    ask(new URL(DEVICE_PATHS.start, land), {
      ca: certificates.land.serverAuthority,
      key: own.key,
      cert: own.certificate,
    }),
    "a device's certificate opens no land leg",
  );
  assert.equal(await refusals(), before + 1, "and the server counted it");
  const wrong = await ask(
    new URL(DEVICE_PATHS.through(new URL(on.wire.url).host, DEVICE_PATHS.start), on.proxy.url),
    {
      ca: airAuthority,
      key: pair.key,
      cert: pair.certificate,
    },
  ).catch((error: Error) => error);
  assert.ok(wrong instanceof Error || wrong.status === FORBIDDEN, "the proxy's land pair is no device's");
  const service = new URL(`${fixture.road.sandboxes.parties.office.url}/scim/v2/Users`);
  await assert.rejects(
    ask(service, { rejectUnauthorized: false, key: own.key, cert: own.certificate }),
    "a device's certificate opens no session with a service server",
  );
  assert.ok(fixture.road.sandboxes.parties.office.refusals().wrong_authority > 0);
});

test("R26: who fails too often is locked out, and a good phone beside it is not", async () => {
  const on = await lane();
  const bad = await phoneOn(on, {}, false);
  for (let time = 0; time < 4; time++) {
    await seesPlainWords(bad);
    bad.powerOff();
  }
  assert.ok(reasonsOf(on).includes("locked_out"), `${reasonsOf(on)}`);
  const good = await phoneOn(on);
  good.powerOn();
  await good.walk([{ await: "start" }]);
});
