/** Stories of software handsets on the simulated network, from the SMS to the manufacturer's server. */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { afterEach, test } from "vitest";
import { bindingOf, DEVICE_KEY_CONTENT_TYPE, signDeviceKey } from "../../wire/message/device-key.ts";
import { decodeDeviceReport, verifyDeviceReport } from "../../wire/message/device-report.ts";
import type { Arrival } from "../../wire/message/maker-api.ts";
import { encodeProvisioning } from "../../wire/omacp/codec.ts";
import { macOf } from "../../wire/omacp/mac.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import { encodeText } from "../../wire/sms/text.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import { startApplicationServer } from "../core/application-server.ts";
import { startPacketGateway, type UsageRecord } from "../core/packet-gateway.ts";
import { createFleet } from "./fleet.ts";
import type { FleetEvent, FleetOptions, FleetSighting, MobileOriginated } from "./fleet-state.ts";
import { buildPhones, type HandsetCapability, type PhoneSpec } from "./phones.ts";

const HOST = "mms.maker-one.example";
const SHORT_CODE = "4711";
const maker = generateKeyPairSync("ed25519");
const SILENT: HandsetCapability = { opensBy: "itself", takes: ["omacp", "device-key"] };
const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function world(
  options: Partial<FleetOptions> & { capability?: HandsetCapability; count?: number } = {},
) {
  const seen = {
    arrivals: [] as Arrival[],
    usage: [] as UsageRecord[],
    sightings: [] as FleetSighting[],
    reports: [] as MobileOriginated[],
    events: [] as FleetEvent[],
  };
  const server = await startApplicationServer({
    onArrivals: async (batch) => void seen.arrivals.push(...batch),
  });
  const gateway = await startPacketGateway({
    accessPoints: [
      { apn: "internet.old", hosts: [] },
      { apn: "internet.new", hosts: [] },
      { apn: "mms.maker-one", user: "u", password: "p", hosts: [HOST] },
    ],
    hosts: new Map([[HOST, server.url]]),
    onUsage: async (batch) => void seen.usage.push(...batch),
  });
  const { capability = SILENT, count = 2, ...rest } = options;
  const fleet = createFleet({
    phones: buildPhones({
      models: [{ tac: "35693803", make: "Nokia", model: "6021", capability }],
      count,
      seed: 1,
      network: { mcc: "001", mnc: "01", msisdnPrefix: "49151" },
      factoryApn: "internet.old",
    }),
    seed: 1,
    plmn: "001-01",
    gateway,
    publicKeyOf: (issuer) => (issuer === "maker-one" ? maker.publicKey : undefined),
    onSighting: (sighting) => seen.sightings.push(sighting),
    submitMo: async (sms) => void seen.reports.push(sms),
    onEvent: (event) => seen.events.push(event),
    makerHostOf: () => HOST,
    ...rest,
  });
  closers.push(server.close, gateway.close, fleet.close);
  await fleet.attachAll({ perSecond: 10_000 });
  await fleet.idle();
  const [a, b] = fleet.phones();
  assert.ok(a && b);
  return { ...seen, fleet, server, gateway, a, b, specA: a.spec, specB: b.spec };
}

const secret = Uint8Array.from(randomBytes(16));
let references = 0;
function keyParts({ imei, msisdn }: PhoneSpec, receiver = msisdn) {
  const keyId = Uint8Array.from(randomBytes(16));
  const body = signDeviceKey(
    {
      keyId,
      issuer: "maker-one",
      binding: bindingOf(secret, keyId, imei),
      confirmSecret: secret,
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
      script: { openSession: true, insertAccessPoints: true, closeSession: true, deleteAfterUse: true },
      hosts: [HOST],
      accessPoints: [{ apn: "mms.maker-one", use: "mms", authType: "pap", user: "u", password: "p" }],
    },
    maker.privateKey,
  );
  return pushParts(encodePush({ transactionId: 1, contentType: DEVICE_KEY_CONTENT_TYPE, body }), receiver);
}
function pushParts(push: Uint8Array, to: string) {
  const cut = { destPort: 2948, srcPort: 9200, reference: ++references, referenceBits: 8 } as const;
  return splitUserData(push, cut).map((part) => ({
    to,
    from: SHORT_CODE,
    esmClass: 0x40,
    dataCoding: 4,
    ...part,
  }));
}
function settingsParts({ imsi, msisdn }: PhoneSpec, pin?: string) {
  const body = encodeProvisioning({
    version: "1.1",
    characteristics: [
      {
        type: "NAPDEF",
        parms: [
          { name: "NAPID", value: "N1" },
          { name: "NAME", value: "Operator" },
          { name: "NAP-ADDRESS", value: "internet.new" },
          { name: "NAP-ADDRTYPE", value: "APN" },
          { name: "INTERNET", value: null },
        ],
        characteristics: [],
      },
    ],
  });
  const sec = pin === undefined ? "netwpin" : "userpin";
  const contentType = "application/vnd.wap.connectivity-wbxml";
  const mac = macOf(sec, { imsi, pin }, body);
  return pushParts(encodePush({ transactionId: 1, contentType, sec, mac, body }), msisdn);
}
const levels = (reports: readonly MobileOriginated[]) =>
  reports.map(({ data }) => {
    const { level, cause } = decodeDeviceReport(data);
    return `${level} ${cause}`;
  });

test("a phone left behind cannot reach its maker; after the key it does, proves it, and deletes the key", async () => {
  const { fleet, server, gateway, a, specA, arrivals, usage, reports } = await world();
  assert.deepEqual([a.before, a.now], ["dead", "dead"]);
  for (const part of keyParts(specA)) assert.equal(await fleet.onMessage(part), "delivered");
  await fleet.idle();
  await Promise.all([server.flush(), gateway.flush()]);
  assert.deepEqual([a.before, a.now, a.keyOpened, a.keyDeleted], ["dead", "alive", true, true]);
  assert.deepEqual(
    arrivals.map(({ apn }) => apn),
    ["mms.maker-one"],
  );
  assert.ok(usage.some(({ apn, imsi }) => apn === "mms.maker-one" && imsi === specA.imsi));
  assert.deepEqual(levels(reports), ["opened none", "works none", "deleted none"]);
  assert.ok(
    reports.every(
      ({ to, from, data }) => to === SHORT_CODE && from === specA.msisdn && verifyDeviceReport(data, secret),
    ),
  );
});

test("the neighbour's key is refused by the phone that got it, which stays as dead as it was", async () => {
  const { fleet, b, specA, specB, arrivals, reports } = await world();
  for (const part of keyParts(specA, specB.msisdn)) await fleet.onMessage(part);
  await fleet.idle();
  assert.deepEqual([b.now, b.keyOpened, b.refused], ["dead", false, ["foreign_key"]]);
  assert.deepEqual(arrivals, []);
  assert.deepEqual(levels(reports), ["refused foreign_key"]);
});

test("parts may come in any order and twice", async () => {
  const { fleet, a, specA, reports } = await world();
  const parts = keyParts(specA);
  assert.ok(parts.length > 1);
  for (const part of [...parts.toReversed(), ...parts]) await fleet.onMessage(part);
  await fleet.idle();
  assert.equal(a.now, "alive");
  assert.deepEqual(levels(reports), ["opened none", "works none", "deleted none"]);
});

test("with a part lost nothing happens; the same message sent again is put together from both", async () => {
  const { fleet, a, specA } = await world();
  const parts = keyParts(specA);
  await fleet.onMessage(parts[0]!);
  await fleet.idle();
  assert.equal(a.keyOpened, false);
  for (const part of parts) await fleet.onMessage(part);
  await fleet.idle();
  assert.equal(a.now, "alive");
});

test("over a radio that loses, doubles and reorders, resending what was lost turns every phone up", async () => {
  const seed = 20_260_301;
  const { fleet, reports } = await world({
    count: 40,
    seed,
    radio: { loss: 0.3, duplicates: 0.3, reorderMs: 5 },
  });
  for (const { spec } of fleet.phones()) {
    for (const part of keyParts(spec)) while ((await fleet.onMessage(part)) === "absent");
  }
  await fleet.idle();
  assert.ok(
    fleet.phones().every(({ now, keyDeleted }) => now === "alive" && keyDeleted),
    `seed ${seed}`,
  );
  assert.ok(reports.length >= 120, `seed ${seed}`);
});

test("settings signed for this SIM go online on their access point; for another SIM they are refused", async () => {
  const { fleet, gateway, a, b, specA, usage } = await world();
  for (const part of settingsParts(specA)) await fleet.onMessage(part);
  for (const part of settingsParts(specA)) await fleet.onMessage({ ...part, to: b.spec.msisdn });
  await fleet.idle();
  await gateway.flush();
  assert.deepEqual([a.settingsApplied, b.settingsApplied], [1, 0]);
  assert.deepEqual(b.refused, ["wrong_mac"]);
  assert.ok(usage.some(({ apn, imsi }) => apn === "internet.new" && imsi === specA.imsi));
});

test("the user types the PIN of the notice, also when the notice comes last", async () => {
  const { fleet, a, b, specA, specB } = await world({ capability: { opensBy: "pin", takes: ["omacp"] } });
  const notice = async (to: string) => {
    const { dataCoding, parts } = encodeText("Your settings will ask for a PIN: 4831", { reference: 1 });
    for (const part of parts)
      await fleet.onMessage({ to, from: SHORT_CODE, esmClass: 0, dataCoding, ...part });
  };
  await notice(specA.msisdn);
  for (const part of settingsParts(specA, "4831")) await fleet.onMessage(part);
  for (const part of settingsParts(specB, "4831")) await fleet.onMessage(part);
  await fleet.idle();
  assert.deepEqual([a.settingsApplied, b.settingsApplied, b.waitsForUser], [1, 0, 1]);
  await notice(specB.msisdn);
  await fleet.idle();
  assert.equal(b.settingsApplied, 1);
});

test("a user who declines is reported, and the phone stays as it was", async () => {
  const capability: HandsetCapability = { opensBy: "prompt", takes: ["omacp", "device-key"] };
  const { fleet, a, specA, reports } = await world({ capability, user: { declines: 1 } });
  for (const part of keyParts(specA)) await fleet.onMessage(part);
  await fleet.idle();
  assert.deepEqual([a.keyOpened, a.now], [false, "dead"]);
  assert.deepEqual(levels(reports), ["refused user_refused"]);
});

test("a phone without settings over the air is set up by hand from the link in a text", async () => {
  const capability: HandsetCapability = { opensBy: "prompt", takes: [] };
  const { fleet, gateway, a, specA, usage } = await world({
    capability,
    openLink: async () => [{ apn: "internet.new", use: "internet" }],
  });
  for (const part of settingsParts(specA)) await fleet.onMessage(part);
  const { dataCoding, parts } = encodeText("Settings: https://s.example/x", { reference: 1 });
  for (const part of parts)
    await fleet.onMessage({ to: specA.msisdn, from: SHORT_CODE, esmClass: 0, dataCoding, ...part });
  await fleet.idle();
  await gateway.flush();
  assert.equal(a.settingsApplied, 1);
  assert.ok(usage.some(({ apn }) => apn === "internet.new"));
});

test("each phone is seen when it attaches, and again when its SIM moves", async () => {
  const { fleet, sightings, specA, specB } = await world();
  assert.equal(sightings.length, 2);
  fleet.swapSims(0, 1);
  assert.deepEqual(
    sightings.slice(2).map(({ imei, imsi }) => [imei, imsi]),
    [
      [specA.imei, specB.imsi],
      [specB.imei, specA.imsi],
    ],
  );
  for (const part of settingsParts({ ...specB, imsi: specA.imsi, msisdn: specA.msisdn }))
    await fleet.onMessage(part);
  await fleet.idle();
  assert.equal(fleet.phones()[1]?.settingsApplied, 1);
});

test("a report that the message centre does not take is tried again", async () => {
  let refusals = 2;
  const taken: MobileOriginated[] = [];
  const { fleet, specA } = await world({
    async submitMo(sms) {
      if (refusals-- > 0) throw new Error("no link");
      taken.push(sms);
    },
  });
  for (const part of keyParts(specA)) await fleet.onMessage(part);
  await fleet.idle();
  assert.deepEqual(levels(taken).toSorted(), ["deleted none", "opened none", "works none"]);
});

test("octets that are no message leave a phone as it was", async () => {
  const { fleet, a, specA } = await world();
  const sms = { to: specA.msisdn, from: SHORT_CODE, esmClass: 0x40, dataCoding: 4 };
  await fleet.onMessage({
    ...sms,
    udh: Uint8Array.of(6, 5, 4, 0x0b, 0x84, 0x23, 0xf0),
    data: Uint8Array.of(1, 2, 3),
  });
  await fleet.onMessage({ ...sms, udh: Uint8Array.of(9, 1), data: Uint8Array.of(1) });
  await fleet.idle();
  assert.equal(a.settingsApplied, 0);
  assert.equal(a.refused.length, 2);
  assert.equal(
    await fleet.onMessage({ ...sms, to: "4915100000000", udh: new Uint8Array(0), data: new Uint8Array(0) }),
    "absent",
  );
});

test("the same seed makes the same phones, each with numbers of its own", () => {
  const options = {
    models: [{ tac: "35693803", make: "Nokia", model: "6021", capability: SILENT }],
    count: 5_000,
    seed: 7,
    network: { mcc: "001", mnc: "01", msisdnPrefix: "49151" },
    factoryApn: "internet.old",
  };
  const phones = buildPhones(options);
  assert.deepEqual(buildPhones(options), phones);
  for (const name of ["imei", "imsi", "msisdn"] as const)
    assert.equal(new Set(phones.map((phone) => phone[name])).size, 5_000);
  assert.ok(phones.every(({ imsi }) => imsi.length === 15));
});
