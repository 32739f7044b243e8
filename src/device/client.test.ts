/** The handset client as stories: what it takes, from whom, and what it says back. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { bindingOf, DEVICE_KEY_CONTENT_TYPE, signDeviceKey } from "../wire/message/device-key.ts";
import type { DeviceKeyBody } from "../wire/message/device-key-form.ts";
import { decodeDeviceReport, verifyArrivalProof, verifyDeviceReport } from "../wire/message/device-report.ts";
import { encodeNokiaOta, NOKIA_SETTINGS } from "../wire/nokiaota/codec.ts";
import { encodeProvisioning } from "../wire/omacp/codec.ts";
import type { Characteristic } from "../wire/omacp/document.ts";
import { macOf } from "../wire/omacp/mac.ts";
import { encodeMultipart } from "../wire/wsp/multipart.ts";
import { encodePush } from "../wire/wsp/push.ts";
import {
  createHandsetClient,
  freshHandset,
  type HandsetConfig,
  type HandsetEffect,
  type HandsetState,
} from "./client.ts";
import { type AccessPointEntry, insert, routeTo } from "./settings.ts";

const IMEI_A = "356938035643809";
const IMEI_B = "356938035643817";
const IMSI_A = "001010123456789";
const IMSI_B = "001010123456780";
const FROM = "4711";
const MAKER_HOST = "mms.maker-one.example";
const at = new Date("2026-03-01T12:00:00Z");
const maker = generateKeyPairSync("ed25519");
const secret = new Uint8Array(16).fill(9);

const OLD: AccessPointEntry = {
  apn: "internet.old",
  uses: ["internet"],
  authType: "none",
  hosts: [],
  origin: "factory",
};
function handset(changes: Partial<HandsetConfig> = {}) {
  return createHandsetClient({
    imei: IMEI_A,
    imsi: IMSI_A,
    opensBy: "itself",
    takes: ["omacp", "device-key"],
    publicKeyOf: (issuer) => (issuer === "maker-one" ? maker.publicKey : undefined),
    ...changes,
  });
}
function keyFor(imei: string, changes: Partial<DeviceKeyBody> = {}): Uint8Array {
  const keyId = changes.keyId ?? new Uint8Array(16).fill(7);
  return signDeviceKey(
    {
      keyId,
      issuer: "maker-one",
      binding: bindingOf(secret, keyId, imei),
      confirmSecret: secret,
      notBefore: new Date("2026-02-01T00:00:00Z"),
      notAfter: new Date("2026-04-01T00:00:00Z"),
      script: { openSession: true, insertAccessPoints: true, closeSession: true, deleteAfterUse: true },
      hosts: [`${MAKER_HOST}:80`],
      accessPoints: [{ apn: "mms.maker-one", use: "mms", authType: "pap", user: "u", password: "p" }],
      ...changes,
    },
    maker.privateKey,
  );
}
const keyPush = (key: Uint8Array) =>
  encodePush({ transactionId: 1, contentType: DEVICE_KEY_CONTENT_TYPE, body: key });

const node = (type: string, parms: [string, string?][], characteristics: Characteristic[] = []) => ({
  type,
  parms: parms.map(([name, value = null]) => ({ name, value })),
  characteristics,
});
const NAPDEF = node("NAPDEF", [
  ["NAPID", "N1"],
  ["BEARER", "GSM-GPRS"],
  ["NAME", "Operator"],
  ["NAP-ADDRESS", "internet.new"],
  ["NAP-ADDRTYPE", "APN"],
  ["INTERNET"],
]);
const MMS_NAPDEF = node(
  "NAPDEF",
  [
    ["NAPID", "N2"],
    ["NAME", "MMS"],
    ["NAP-ADDRESS", "mms.new"],
    ["NAP-ADDRTYPE", "APN"],
  ],
  [
    node("NAPAUTHINFO", [
      ["AUTHTYPE", "PAP"],
      ["AUTHNAME", "user"],
      ["AUTHSECRET", "word"],
    ]),
  ],
);
const PROXY = node(
  "PXLOGICAL",
  [["PROXY-ID", "P1"]],
  [
    node(
      "PXPHYSICAL",
      [
        ["PHYSICAL-PROXY-ID", "P1a"],
        ["PXADDR", "10.0.0.1"],
        ["TO-NAPID", "N2"],
      ],
      [node("PORT", [["PORTNBR", "8080"]])],
    ),
  ],
);
const W2 = node("APPLICATION", [
  ["APPID", "w2"],
  ["TO-NAPID", "N1"],
]);
const W4 = node("APPLICATION", [
  ["APPID", "w4"],
  ["TO-PROXY", "P1"],
  ["ADDR", "http://mmsc.example/"],
]);
const wbxml = (characteristics: Characteristic[]) => encodeProvisioning({ version: "1.1", characteristics });
const DOCUMENT = wbxml([NAPDEF, MMS_NAPDEF, PROXY, W2, W4]);
const OMA_CP = "application/vnd.wap.connectivity-wbxml";

function settingsPush(given: { imsi?: string; pin?: string; document?: Uint8Array } = {}): Uint8Array {
  const { document = DOCUMENT, pin, imsi = IMSI_A } = given;
  const sec = pin === undefined ? "netwpin" : "userpin";
  return encodePush({
    transactionId: 1,
    contentType: OMA_CP,
    sec,
    mac: macOf(sec, { imsi, pin }, document),
    body: document,
  });
}
const receive = (client: ReturnType<typeof handset>, bytes: Uint8Array, state = freshHandset([OLD])) =>
  client.receive(state, { from: FROM, bytes, at });
const kinds = (effects: readonly HandsetEffect[]) => effects.map(({ kind }) => kind);
function effectOf<Kind extends HandsetEffect["kind"]>(effects: readonly HandsetEffect[], kind: Kind) {
  const found = effects.find((effect) => effect.kind === kind);
  assert.ok(found, `no ${kind} in ${kinds(effects)}`);
  return found as Extract<HandsetEffect, { kind: Kind }>;
}
const apnFor = (state: HandsetState, host: string, use: "mms" | "internet" = "mms") =>
  routeTo(state.settings, host, use)?.apn;

test("a key runs its session, brings its access point, and is reported opened with its own secret", () => {
  const { state, effects } = receive(handset(), keyPush(keyFor(IMEI_A)));
  assert.deepEqual(kinds(effects), ["applied", "report", "connect"]);
  const applied = effectOf(effects, "applied");
  assert.ok(applied.what === "key");
  assert.deepEqual(applied.session, ["opened", "inserted", "closed"]);
  const report = effectOf(effects, "report");
  assert.equal(report.to, FROM);
  assert.ok(verifyDeviceReport(report.bytes, secret));
  assert.equal(decodeDeviceReport(report.bytes).level, "opened");
  assert.ok(verifyArrivalProof(effectOf(effects, "connect").proof, secret, new Uint8Array(16).fill(7)));
  assert.equal(apnFor(state, MAKER_HOST), "mms.maker-one");
  assert.equal(apnFor(state, "elsewhere.example", "internet"), "internet.old");
});

test("when its application arrived, the key works, deletes itself and leaves the evidence of it", () => {
  const client = handset();
  const opened = receive(client, keyPush(keyFor(IMEI_A)));
  const { keyId } = effectOf(opened.effects, "connect");
  const failed = client.connected(opened.state, { keyId, reached: false, at });
  assert.deepEqual(failed, { state: opened.state, effects: [] });
  const { state, effects } = client.connected(opened.state, { keyId, reached: true, at });
  assert.deepEqual(kinds(effects), ["report", "deleted", "report"]);
  const levels = effects.flatMap((effect) => (effect.kind === "report" ? [effect.level] : []));
  assert.deepEqual(levels, ["works", "deleted"]);
  assert.deepEqual(state.heldKeys, []);
  assert.deepEqual(state.ranKeys, [{ keyId, level: "deleted", at }]);
  assert.equal(apnFor(state, MAKER_HOST), "mms.maker-one");
});

test("a key that shall stay is kept after it worked", () => {
  const client = handset();
  const script = { openSession: true, insertAccessPoints: true, closeSession: true, deleteAfterUse: false };
  const opened = receive(client, keyPush(keyFor(IMEI_A, { script })));
  const { state, effects } = client.connected(opened.state, { keyId: "07".repeat(16), reached: true, at });
  assert.deepEqual(kinds(effects), ["report"]);
  assert.equal(state.heldKeys.length, 1);
});

test("a key for handset A is refused by handset B, which says so and changes nothing", () => {
  const before = freshHandset([OLD]);
  const { state, effects } = receive(handset({ imei: IMEI_B }), keyPush(keyFor(IMEI_A)), before);
  assert.deepEqual(kinds(effects), ["refused", "report"]);
  const { level, cause } = effectOf(effects, "report");
  assert.deepEqual([level, cause], ["refused", "foreign_key"]);
  assert.deepEqual(state, before);
});

test("a key with a bad signature, or of an issuer nobody trusts, is refused without a word to the sender", () => {
  const changed = keyFor(IMEI_A);
  changed[20] = changed[20]! ^ 1;
  for (const key of [changed, keyFor(IMEI_A, { issuer: "stranger" })])
    assert.deepEqual(kinds(receive(handset(), keyPush(key)).effects), ["refused"]);
});

test("a key whose session is not whole is refused and inserts nothing", () => {
  const script = { openSession: true, insertAccessPoints: true, closeSession: false, deleteAfterUse: true };
  const { state, effects } = receive(handset(), keyPush(keyFor(IMEI_A, { script })));
  assert.equal(effectOf(effects, "report").cause, "unsupported");
  assert.equal(state.settings.accessPoints.length, 1);
});

test("a key sent again changes nothing, and is answered with how far it came", () => {
  const client = handset();
  const opened = receive(client, keyPush(keyFor(IMEI_A)));
  const again = receive(client, keyPush(keyFor(IMEI_A)), opened.state);
  assert.deepEqual(again.state, opened.state);
  const { level, cause } = effectOf(again.effects, "report");
  assert.deepEqual([level, cause], ["opened", "replayed"]);
  assert.deepEqual(kinds(again.effects), ["repeated", "report", "connect"]); // it has not arrived yet
  const works = client.connected(opened.state, { keyId: "07".repeat(16), reached: true, at });
  const later = receive(client, keyPush(keyFor(IMEI_A)), works.state);
  assert.deepEqual(kinds(later.effects), ["repeated", "report"]);
  assert.equal(effectOf(later.effects, "report").level, "deleted");
  assert.deepEqual(later.state, works.state);
});

test("settings signed for this SIM are applied as phones do: browser, MMS by its proxy, credentials", () => {
  const { state, effects } = receive(handset(), settingsPush());
  assert.deepEqual(kinds(effects), ["applied"]);
  assert.deepEqual(state.settings.accessPoints.slice(1), [
    { apn: "internet.new", uses: ["internet"], authType: "none", hosts: [], origin: "settings" },
    {
      apn: "mms.new",
      uses: ["mms"],
      authType: "pap",
      user: "user",
      password: "word",
      mmsc: "http://mmsc.example/",
      proxy: "10.0.0.1",
      port: 8080,
      hosts: [],
      origin: "settings",
    },
  ]);
  assert.deepEqual(state.settings.accessPoints[0]?.uses, []);
});

test("settings signed for another SIM are refused, also on a phone that would ask its user", () => {
  for (const opensBy of ["itself", "prompt"] as const) {
    const { state, effects } = receive(handset({ opensBy }), settingsPush({ imsi: IMSI_B }));
    assert.equal(effectOf(effects, "refused").cause, "wrong_mac");
    assert.deepEqual(state, freshHandset([OLD]));
  }
});

test("ordinary settings after a key leave the key's road as it was", () => {
  const client = handset();
  const opened = receive(client, keyPush(keyFor(IMEI_A)));
  const { state } = receive(client, settingsPush(), opened.state);
  assert.equal(apnFor(state, MAKER_HOST), "mms.maker-one");
  assert.equal(apnFor(state, "mmsc.example"), "mms.new");
});

test("settings and key in one package are both taken; a package with a foreign key gives its settings still", () => {
  const bundle = (imei: string) =>
    encodePush({
      transactionId: 1,
      contentType: "application/vnd.wap.multipart.mixed",
      body: encodeMultipart([
        { contentType: DEVICE_KEY_CONTENT_TYPE, params: {}, body: keyFor(imei) },
        {
          contentType: OMA_CP,
          params: { SEC: "netwpin", MAC: macOf("netwpin", { imsi: IMSI_A }, DOCUMENT) },
          body: DOCUMENT,
        },
      ]),
    });
  const both = receive(handset(), bundle(IMEI_A));
  assert.deepEqual(kinds(both.effects), ["applied", "report", "connect", "applied"]);
  const half = receive(handset(), bundle(IMEI_B));
  assert.deepEqual(kinds(half.effects), ["refused", "report", "applied"]);
});

test("a PIN is asked for, and only the right one opens the settings", () => {
  const client = handset();
  const asked = receive(client, settingsPush({ pin: "4831" }));
  const { promptId, needs } = effectOf(asked.effects, "prompt");
  assert.equal(needs, "pin");
  const wrong = client.answer(asked.state, { promptId, accepted: true, pin: "1234", at });
  assert.equal(effectOf(wrong.effects, "prompt").triesLeft, 2);
  const right = client.answer(wrong.state, { promptId, accepted: true, pin: "4831", at });
  assert.deepEqual(kinds(right.effects), ["applied"]);
  assert.deepEqual(right.state.prompts, []);
});

test("three wrong PINs, or letters for one, end the matter", () => {
  const client = handset();
  let { state, effects } = receive(client, settingsPush({ pin: "4831" }));
  const { promptId } = effectOf(effects, "prompt");
  for (const pin of ["1111", "letters", ""])
    ({ state, effects } = client.answer(state, { promptId, accepted: true, pin, at }));
  assert.equal(effectOf(effects, "refused").cause, "pin_refused");
  const late = client.answer(state, { promptId, accepted: true, pin: "4831", at });
  assert.deepEqual(late.effects, []);
  assert.equal(late.state.settings.accessPoints.length, 1);
});

test("a model that asks its user waits for the yes, once for a message that comes twice, and reports a no", () => {
  const client = handset({ opensBy: "prompt" });
  const asked = receive(client, keyPush(keyFor(IMEI_A)));
  const { promptId, needs } = effectOf(asked.effects, "prompt");
  assert.equal(needs, "consent");
  assert.equal(asked.state.settings.accessPoints.length, 1);
  const twice = receive(client, keyPush(keyFor(IMEI_A)), asked.state);
  assert.deepEqual(kinds(twice.effects), ["repeated"]);
  const yes = client.answer(twice.state, { promptId, accepted: true, at });
  assert.deepEqual(kinds(yes.effects), ["applied", "report", "connect"]);
  const no = client.answer(twice.state, { promptId, accepted: false, at });
  assert.equal(effectOf(no.effects, "report").cause, "user_refused");
});

test("a key that ran out while the user thought is refused at the yes", () => {
  const client = handset({ opensBy: "prompt" });
  const asked = receive(client, keyPush(keyFor(IMEI_A)));
  const { promptId } = effectOf(asked.effects, "prompt");
  const yes = client.answer(asked.state, { promptId, accepted: true, at: new Date("2026-05-01T00:00:00Z") });
  assert.equal(effectOf(yes.effects, "refused").cause, "expired");
  assert.equal(yes.state.settings.accessPoints.length, 1);
});

const useless: [string, Characteristic[], string][] = [
  ["no application", [MMS_NAPDEF], "unsupported"],
  [
    "an application whose access point is missing",
    [
      NAPDEF,
      node("APPLICATION", [
        ["APPID", "w4"],
        ["TO-NAPID", "N9"],
      ]),
    ],
    "malformed",
  ],
  [
    "an access point of another type",
    [node("NAPDEF", [["NAPID", "N1"], ["NAP-ADDRESS", "555"], ["NAP-ADDRTYPE", "E164"], ["INTERNET"]])],
    "unsupported",
  ],
];
for (const [what, characteristics, cause] of useless) {
  test(`a document with ${what} installs nothing: ${cause}`, () => {
    const { state, effects } = receive(handset(), settingsPush({ document: wbxml(characteristics) }));
    assert.equal(effectOf(effects, "refused").cause, cause);
    assert.equal(state.settings.accessPoints.length, 1);
  });
}

test("settings without authentication are refused, and what is no settings at all is left alone", () => {
  const bare = encodePush({ transactionId: 1, contentType: OMA_CP, body: DOCUMENT });
  assert.equal(effectOf(receive(handset(), bare).effects, "refused").cause, "unsupported");
  const other = encodePush({ transactionId: 1, contentType: "text/vnd.wap.si", body: DOCUMENT });
  assert.deepEqual(kinds(receive(handset(), other).effects), ["ignored"]);
  const old = handset({ takes: ["omacp"] });
  assert.deepEqual(kinds(receive(old, keyPush(keyFor(IMEI_A))).effects), ["ignored"]);
});

test("Nokia settings, which prove nothing, wait for the user even on a model that opens by itself", () => {
  const client = handset({ takes: ["nokiaota"] });
  const parms = [
    ["BEARER", "GPRS"],
    ["GPRS_ACCESSPOINTNAME", "internet.nokia"],
    ["PPP_AUTHTYPE", "PAP"],
    ["PPP_AUTHNAME", "user"],
    ["PPP_AUTHSECRET", "word"],
  ].map(([name, value]) => ({ name: name!, value: value! }));
  const body = encodeNokiaOta({ characteristics: [{ type: "ADDRESS", value: null, parms }] });
  const push = encodePush({ transactionId: 1, contentType: NOKIA_SETTINGS, charset: 106, body });
  const asked = receive(client, push);
  const { promptId, needs } = effectOf(asked.effects, "prompt");
  assert.equal(needs, "consent");
  const { state } = client.answer(asked.state, { promptId, accepted: true, at });
  assert.deepEqual(state.settings.accessPoints.at(-1), {
    apn: "internet.nokia",
    uses: ["internet"],
    authType: "pap",
    user: "user",
    password: "word",
    hosts: [],
    origin: "settings",
  });
  assert.deepEqual(kinds(receive(handset(), push).effects), ["ignored"]);
});

test("a push cut short anywhere is refused or ignored, never a crash, and changes nothing", () => {
  for (const push of [keyPush(keyFor(IMEI_A)), settingsPush()]) {
    for (let cut = 0; cut < push.length; cut++) {
      const { state } = receive(handset(), push.subarray(0, cut));
      assert.deepEqual(state, freshHandset([OLD]), `cut at ${cut}`);
    }
  }
});

test("the state is a value: what a step was given is not changed by it", () => {
  const state = freshHandset([OLD]);
  const before = structuredClone(state);
  receive(handset(), keyPush(keyFor(IMEI_A)), state);
  receive(handset({ opensBy: "prompt" }), settingsPush(), state);
  assert.deepEqual(state, before);
});

test("a full settings store drops its oldest entries, those of keys last", () => {
  const entry = (apn: string, origin: "key" | "settings"): AccessPointEntry => ({ ...OLD, apn, origin });
  const first = insert({ accessPoints: [] }, [entry("of-key", "key")]);
  const many = Array.from({ length: 40 }, (_, at) => entry(`apn-${at}`, "settings"));
  const { accessPoints } = insert(first, many);
  assert.equal(accessPoints.length, 16);
  assert.ok(accessPoints.some(({ apn }) => apn === "of-key"));
  assert.ok(accessPoints.some(({ apn }) => apn === "apn-39"));
});
