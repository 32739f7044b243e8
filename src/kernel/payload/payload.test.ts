/** Settings as a handset takes them: composed, cut into SMS, put together in any order, checked, opened, applied. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { IMEI, IMSI, maker, makerKey } from "../../../test/fixture/order-engine.ts";
import { createHandsetClient, freshHandset, type HandsetConfig } from "../../device/client.ts";
import { applyDocument } from "../../device/settings.ts";
import { unwrapPush } from "../../device/unwrap.ts";
import { decodeProvisioning, encodeProvisioning } from "../../wire/omacp/codec.ts";
import type { Characteristic } from "../../wire/omacp/document.ts";
import { decodePush } from "../../wire/wsp/push.ts";
import {
  composeKey,
  composeNokia,
  composeOmaCp,
  composePackage,
  composeText,
  cutMessage,
} from "./compose.ts";
import { settingsDocument } from "./settings-document.ts";
import type { SettingsPoint, SettingsValues, SettingsWireless } from "./settings-values.ts";

const point = (more: Partial<SettingsPoint>): SettingsPoint => ({
  use: "internet",
  apn: "internet",
  authType: "none",
  user: null,
  password: null,
  mmsc: null,
  proxy: null,
  port: null,
  homepage: null,
  ...more,
});
const INTERNET = point({ homepage: "http://wap.example/" });
const MMS = point({
  use: "mms",
  apn: "mms.example",
  authType: "pap",
  user: "ü ser",
  password: "p&ss",
  mmsc: "http://mmsc.example/",
  proxy: "010.001.002.003",
  port: 9201,
});
const ALL: SettingsValues = { name: "Zürich Mobil", points: [INTERNET, MMS] };
const AT = new Date("2026-05-04T08:00:00Z");

const client = (more: Partial<HandsetConfig> = {}) =>
  createHandsetClient({
    imei: IMEI,
    imsi: IMSI,
    opensBy: "itself",
    takes: ["omacp", "nokiaota", "device-key"],
    publicKeyOf: () => maker.publicKey,
    ...more,
  });
/** What arrives: the parts of a message, last first. */
function received(protocol: string, payload: Uint8Array): Uint8Array {
  const { parts } = cutMessage(protocol, payload, 77);
  const inOrder = [...parts].reverse().sort((one, other) => one.udh.at(-1)! - other.udh.at(-1)!);
  return Uint8Array.from(Buffer.concat(inOrder.map(({ data }) => data)));
}
const take = (bytes: Uint8Array, more: Partial<HandsetConfig> = {}) =>
  client(more).receive(freshHandset(), { from: "2948", bytes, at: AT });
const named = (all: readonly Characteristic[], type: string) => all.filter((one) => one.type === type);
const parm = (one: Characteristic | undefined, name: string) =>
  one?.parms.find((each) => each.name === name)?.value;

test("a document names each access point once, and each application finds its own, by proxy or directly", () => {
  const { characteristics } = decodeProvisioning(encodeProvisioning(settingsDocument(ALL)));
  assert.deepEqual(
    characteristics.map(({ type }) => type),
    ["BOOTSTRAP", "NAPDEF", "NAPDEF", "PXLOGICAL", "APPLICATION", "APPLICATION"],
  );
  const [internet, mms] = named(characteristics, "NAPDEF");
  assert.deepEqual(
    ["NAP-ADDRESS", "NAP-ADDRTYPE", "INTERNET"].map((name) => parm(internet, name)),
    ["internet", "APN", null],
  );
  const auth = named(mms!.characteristics, "NAPAUTHINFO")[0];
  assert.deepEqual(
    ["AUTHTYPE", "AUTHNAME", "AUTHSECRET"].map((name) => parm(auth, name)),
    ["PAP", "ü ser", "p&ss"],
  );
  const [proxy] = named(characteristics, "PXLOGICAL");
  const physical = named(proxy!.characteristics, "PXPHYSICAL")[0];
  assert.equal(parm(physical, "PXADDR"), "10.1.2.3", "a handset may read 010 as octal");
  assert.equal(parm(physical, "TO-NAPID"), parm(mms, "NAPID"));
  const [w2, w4] = named(characteristics, "APPLICATION");
  assert.deepEqual([parm(w2, "APPID"), parm(w2, "TO-NAPID")], ["w2", parm(internet, "NAPID")]);
  assert.deepEqual(
    [parm(w4, "APPID"), parm(w4, "TO-PROXY"), parm(w4, "ADDR")],
    ["w4", parm(proxy, "PROXY-ID"), "http://mmsc.example/"],
  );
});

test("one access point for two uses is one NAPDEF; one name with two logins is two, each with its own application", () => {
  const shared = settingsDocument({
    name: "M",
    points: [INTERNET, point({ use: "mms", mmsc: "http://m/" })],
  });
  assert.equal(named(shared.characteristics, "NAPDEF").length, 1);
  const login = (user: string) => point({ use: "mms", authType: "pap", user, mmsc: `http://${user}/` });
  const two = settingsDocument({ name: "M", points: [login("a"), login("b")] });
  const naps = named(two.characteristics, "NAPDEF").map((nap) => parm(nap, "NAPID"));
  const roads = named(two.characteristics, "APPLICATION").map((one) => parm(one, "TO-NAPID"));
  assert.equal(naps.length, 2);
  assert.deepEqual(roads, naps);
});

test("a WAP gateway that is the only road is the phone's internet, named by its proxy and by its access point", () => {
  const wap = point({ use: "wap", apn: "wap.example", proxy: "010.0.0.1", port: 9201, protocol: "ipv4v6" });
  const alone = settingsDocument({ name: "M", points: [wap] }).characteristics;
  const [nap] = named(alone, "NAPDEF");
  assert.deepEqual([parm(nap, "INTERNET"), parm(nap, "LOCAL-ADDRTYPE")], [null, undefined]);
  const [browser] = named(alone, "APPLICATION");
  assert.deepEqual([parm(browser, "TO-PROXY"), parm(browser, "TO-NAPID")], ["PX1", "NAP1"]);
  const beside = settingsDocument({ name: "M", points: [INTERNET, wap] }).characteristics;
  const [, gateway] = named(beside, "NAPDEF");
  const [, second] = named(beside, "APPLICATION");
  assert.deepEqual([parm(gateway, "INTERNET"), parm(second, "TO-NAPID")], [undefined, undefined]);
});

test("the protocol of an access point reaches the phone, an IPv6 proxy with its type, and one APN with two protocols is two", () => {
  const six = point({ protocol: "ipv6" });
  const mms = point({ use: "mms", mmsc: "http://[2001:DB8::5]/", proxy: "2001:0db8:0::1", protocol: "ipv4" });
  const document = settingsDocument({ name: "M", points: [six, mms] });
  const naps = named(document.characteristics, "NAPDEF");
  assert.deepEqual(
    naps.map((nap) => parm(nap, "LOCAL-ADDRTYPE")),
    ["IPV6", undefined],
  );
  const physical = named(named(document.characteristics, "PXLOGICAL")[0]!.characteristics, "PXPHYSICAL")[0];
  assert.deepEqual([parm(physical, "PXADDR"), parm(physical, "PXADDRTYPE")], ["2001:db8::1", "IPV6"]);
  const applied = applyDocument({ accessPoints: [] }, decodeProvisioning(encodeProvisioning(document)));
  assert.ok(applied.kind === "applied");
  assert.deepEqual(
    applied.entries.map(({ addressType }) => addressType),
    ["IPV6", undefined],
  );
});

test("no access point, or more than a document may hold, is refused", () => {
  assert.throws(() => settingsDocument({ name: "M", points: [] }), RangeError);
  const many = Array.from({ length: 9 }, (_, n) => point({ apn: `a${n}` }));
  assert.throws(() => settingsDocument({ name: "M", points: many }), RangeError);
});

test("the handset applies what the document says: internet, MMS and its proxy", () => {
  const applied = applyDocument(
    { accessPoints: [] },
    decodeProvisioning(encodeProvisioning(settingsDocument(ALL))),
  );
  assert.ok(applied.kind === "applied");
  const [internet, mms] = applied.settings.accessPoints;
  assert.deepEqual([internet?.apn, internet?.uses], ["internet", ["internet"]]);
  assert.deepEqual(
    [mms?.apn, mms?.uses, mms?.user, mms?.password, mms?.mmsc, mms?.proxy, mms?.port],
    ["mms.example", ["mms"], "ü ser", "p&ss", "http://mmsc.example/", "10.1.2.3", 9201],
  );
});

test("settings signed with the IMSI open by themselves on that SIM's phone, and on no other's", () => {
  const bytes = received("omacp", composeOmaCp(ALL, { sec: "netwpin", imsi: IMSI }));
  assert.equal(take(bytes).effects[0]?.kind, "applied");
  assert.equal(take(bytes, { imsi: "001010999999999" }).effects[0]?.kind, "refused");
});

test("settings signed with a PIN ask for it, and open with that PIN alone", () => {
  const bytes = received("omacp", composeOmaCp(ALL, { sec: "userpin", pin: "0427" }));
  const asked = take(bytes);
  assert.deepEqual([asked.effects[0]?.kind, asked.state.settings.accessPoints.length], ["prompt", 0]);
  const promptId = asked.state.prompts[0]!.id;
  const given = (pin: string) =>
    client().answer(asked.state, { promptId, accepted: true, pin, at: AT }).state.settings.accessPoints
      .length;
  assert.equal(given("1234"), 0);
  assert.equal(given("0427"), 2);
});

test("a package carries the key first and settings whose MAC is their own", () => {
  const packed = composePackage(makerKey("one", { now: AT.getTime() }), ALL, { sec: "netwpin", imsi: IMSI });
  const bytes = received("multipart", packed);
  assert.deepEqual(
    unwrapPush(bytes).map(({ kind }) => kind),
    ["key", "settings"],
  );
  const applied = take(bytes).effects.flatMap((effect) => (effect.kind === "applied" ? [effect.what] : []));
  assert.deepEqual(applied, ["key", "settings"]);
});

test("a key that is sent alone runs on its handset and is refused by every other", () => {
  const bytes = received("device_key", composeKey(makerKey("one", { now: AT.getTime() })));
  assert.ok(take(bytes).effects.some((effect) => effect.kind === "applied" && effect.what === "key"));
  const other = take(bytes, { imei: "490154203237518" }).effects;
  assert.ok(other.some((effect) => effect.kind === "refused"));
  assert.ok(!other.some((effect) => effect.kind === "applied"));
});

test("Nokia settings go in a message a use, each of which its phone applies once the user agreed", () => {
  const messages = composeNokia(ALL);
  assert.equal(messages.length, 2);
  for (const message of messages) {
    assert.deepEqual(
      unwrapPush(received("nokiaota", message)).map(({ kind }) => kind),
      ["nokia"],
    );
  }
  assert.deepEqual(composeNokia({ name: "M", points: [point({ use: "maker" })] }), []);
});

test("a text of more than 160 characters, and one beyond GSM's alphabet, arrive whole", () => {
  for (const text of ["x".repeat(161), "é€[".repeat(100), "настройки ".repeat(20), "👍".repeat(70)]) {
    const { parts, dataCoding } = cutMessage("text", composeText(text), 5);
    assert.ok(parts.length > 1, "in several SMS");
    // The centre packs septets that travel one an octet: 153 of them beside a header of 7.
    const most = dataCoding === 0x00 ? 153 : 140 - 6;
    assert.ok(parts.every(({ data }) => data.length <= most));
    if (dataCoding === 0x08) {
      const joined = Buffer.concat(parts.map(({ data }) => data));
      assert.equal(joined.swap16().toString("utf16le"), text);
    }
  }
});

test("the same message is cut into the same octets, whenever it is cut", () => {
  const payload = composeOmaCp(ALL, { sec: "netwpin", imsi: IMSI });
  assert.deepEqual(cutMessage("omacp", payload, 200), cutMessage("omacp", Uint8Array.from(payload), 200));
});

test("R126: a Wi-Fi network goes in an OMA CP document as an access point of bearer WLAN, and a phone takes it", () => {
  const wireless = [
    { name: "Hotspot", ssid: "meridian", security: "wpa_psk", key: "correct horse", hidden: false },
    { name: "Depot", ssid: "depot", security: "wep", key: "12345", hidden: true },
    { name: "Lobby", ssid: "lobby", security: "open", key: null, hidden: false },
  ] as const;
  const bytes = composeOmaCp(
    { name: "Meridian", points: [point({ apn: "web" })], wireless },
    { sec: "userpin", pin: "1234" },
  );
  const document = decodeProvisioning(decodePush(bytes).body);
  const xml = JSON.stringify(document);
  for (const said of [
    "WLAN",
    "PRI-SSID",
    "meridian",
    "WPA-PRES-KEY-ASC",
    "correct horse",
    "PRI-H-SSID",
    "WEPKEY",
  ])
    assert.ok(xml.includes(said), said);
  const applied = applyDocument({ accessPoints: [] }, document);
  assert.ok(applied.kind === "applied");
  assert.deepEqual(
    applied.settings.accessPoints.map(({ apn }) => apn),
    ["web"],
  );
  assert.deepEqual(applied.settings.wireless, [
    { ssid: "meridian", security: "WPA-PRESHARED-KEY", key: "correct horse" },
    { ssid: "depot", security: "WEP", key: "12345" },
    { ssid: "lobby", security: "none", key: null },
  ]);
});

test("R126: phones' own clients find in a Wi-Fi network's parms what they look for, hidden, shared or with WEP", () => {
  const wlanOf = (network: Partial<SettingsWireless>) => {
    const wireless = [
      { name: "N", ssid: "meridian", security: "open", key: null, hidden: false, ...network } as const,
    ];
    const bytes = composeOmaCp({ name: "M", points: [], wireless }, { sec: "userpin", pin: "1234" });
    const naps = decodeProvisioning(decodePush(bytes).body).characteristics.filter(
      ({ type }) => type === "NAPDEF",
    );
    assert.deepEqual(naps[0]?.parms[1], { name: "BEARER", value: "WLAN" });
    const [wlan] = naps[0]?.characteristics ?? [];
    const inner = wlan?.characteristics.map(({ type, parms }) => [
      type,
      ...parms.map(({ name, value }) => `${name}=${value}`),
    ]);
    return { parms: wlan?.parms.map(({ name, value }) => `${name}=${value}`), inner };
  };
  // S60's access point adapter takes the name from PRI-SSID alone, and PRI-H-SSID for the word that it is hidden.
  assert.deepEqual(wlanOf({ hidden: true }), {
    parms: ["PRI-SSID=meridian", "PRI-H-SSID=meridian", "NETMODE=INFRA"],
    inner: [],
  });
  // S60 and MediaTek's CCA parser know WPA and WPA-PRESHARED-KEY apart.
  assert.deepEqual(wlanOf({ security: "wpa_psk", key: "correct horse" }), {
    parms: [
      "PRI-SSID=meridian",
      "NETMODE=INFRA",
      "SECMODE=WPA-PRESHARED-KEY",
      "WPA-PRES-KEY-ASC=correct horse",
    ],
    inner: [],
  });
  // S60 puts DATA to the INDEX that it read before it, and uses the one that WEPKEYIND names.
  assert.deepEqual(wlanOf({ security: "wep", key: "0123456789" }), {
    parms: ["PRI-SSID=meridian", "NETMODE=INFRA", "SECMODE=WEP", "WEPKEYIND=0"],
    inner: [["WEPKEY", "LENGTH=64", "INDEX=0", "DATA=0123456789"]],
  });
});
