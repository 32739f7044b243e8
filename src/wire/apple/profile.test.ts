/** Configuration profiles: the golden files, there and back, what phones refuse, and what other makers write. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { DecodeError } from "../decode-error.ts";
import { decodePlist, encodePlist, type PlistDict, PlistReal, type PlistValue } from "./plist.ts";
import { type AppleProfile, decodeAppleProfile, encodeAppleProfile } from "./profile.ts";

const golden = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, "../../../test/vector/data/apple", name));

const PROFILE: AppleProfile = {
  identifier: "turnup.settings.meridian",
  uuid: "0B7C5B0E-5A3C-5F0E-8C1D-2E3F4A5B6C7D",
  displayName: "Meridian & <Söhne>",
  description: "Sets the access point internet.meridian for mobile data.",
  organization: "Meridian & <Söhne>",
  secondsUntilRemoval: null,
  payloads: [
    {
      kind: "cellular",
      identifier: "turnup.settings.meridian.apn",
      uuid: "1B7C5B0E-5A3C-5F0E-8C1D-2E3F4A5B6C7D",
      displayName: "Meridian (internet.meridian)",
      attachApn: {
        name: "internet.meridian",
        authentication: "CHAP",
        username: "gast",
        password: "gehe>im",
        protocols: 3,
      },
      apns: [
        {
          name: "internet.meridian",
          authentication: "CHAP",
          username: "gast",
          password: "gehe>im",
          protocols: 3,
          proxyServer: "10.0.0.1",
          proxyPort: 8080,
          roamingProtocols: 1,
          domesticRoamingProtocols: 3,
          xlat464: true,
        },
      ],
    },
  ],
};
const LEGACY: AppleProfile = {
  ...PROFILE,
  secondsUntilRemoval: 60,
  payloads: [
    {
      kind: "apn",
      identifier: "turnup.settings.meridian.apn",
      uuid: "1B7C5B0E-5A3C-5F0E-8C1D-2E3F4A5B6C7D",
      displayName: null,
      apns: [{ apn: "internet.meridian", username: "", password: "gehe>im", proxy: null, proxyPort: null }],
    },
  ],
};

for (const [name, profile] of [
  ["cellular.mobileconfig", PROFILE],
  ["legacy-removal.mobileconfig", LEGACY],
] as const) {
  test(`${name}: the profile is written octet for octet as the golden file, and read from it`, () => {
    assert.equal(Buffer.from(encodeAppleProfile(profile)).toString(), Buffer.from(golden(name)).toString());
    assert.deepEqual(decodeAppleProfile(golden(name)), profile);
  });
}

/** As the schemas of the two payloads have them: a key of another name would be passed over by the phone, in silence. */
const SCHEMA: Readonly<Record<string, readonly string[]>> = {
  AttachAPN: ["Name", "AuthenticationType", "Username", "Password", "AllowedProtocolMask"],
  APNs: [
    ...["Name", "AuthenticationType", "Username", "Password", "ProxyServer", "ProxyPort"],
    ...["AllowedProtocolMask", "AllowedProtocolMaskInRoaming", "AllowedProtocolMaskInDomesticRoaming"],
    "EnableXLAT464",
  ],
  apns: ["apn", "username", "password", "proxy", "proxyPort"],
};

test("every key of an access point is one of Apple's schema, and all of them are written", () => {
  const [cellular] = (decodePlist(encodeAppleProfile(PROFILE)) as PlistDict).PayloadContent as PlistDict[];
  assert.deepEqual(Object.keys(cellular!.AttachAPN as PlistDict), SCHEMA.AttachAPN);
  assert.deepEqual(Object.keys((cellular!.APNs as PlistDict[])[0]!).toSorted(), SCHEMA.APNs!.toSorted());
  const [legacy] = (decodePlist(encodeAppleProfile(LEGACY)) as PlistDict).PayloadContent as PlistDict[];
  assert.equal(legacy!.DefaultsDomainName, "com.apple.managedCarrier");
  const [point] = (legacy!.DefaultsData as PlistDict).apns as PlistDict[];
  assert.ok(Object.keys(point!).every((key) => SCHEMA.apns!.includes(key)));
  assert.ok(point!.password instanceof Uint8Array, "the older payload has its password as data");
});

test("what a phone refuses is not written: two cellular payloads, a UUID twice, a payload without access points", () => {
  const [payload] = PROFILE.payloads;
  assert.ok(payload?.kind === "cellular");
  const other = { ...payload, uuid: "2B7C5B0E-5A3C-5F0E-8C1D-2E3F4A5B6C7D" };
  assert.throws(() => encodeAppleProfile({ ...PROFILE, payloads: [payload, other] }), /a phone holds one/);
  const twice = { ...payload, uuid: PROFILE.uuid.toLowerCase() };
  assert.throws(() => encodeAppleProfile({ ...PROFILE, payloads: [twice] }), /a UUID twice/);
  const empty = { ...payload, attachApn: null, apns: [] };
  assert.throws(() => encodeAppleProfile({ ...PROFILE, payloads: [empty] }), /without an access point/);
});

test("a user without a name has no password either, and a port goes with its proxy", () => {
  const [payload] = PROFILE.payloads;
  assert.ok(payload?.kind === "cellular");
  const apns = payload.apns.map((apn) => ({ ...apn, username: null, proxyServer: null }));
  const text = Buffer.from(
    encodeAppleProfile({ ...PROFILE, payloads: [{ ...payload, attachApn: null, apns }] }),
  ).toString();
  assert.doesNotMatch(text, /Password|ProxyPort|AttachAPN/);
});

test("a profile of another maker is read: a payload of another type by its type, older keys passed over", () => {
  const read = decodeAppleProfile(golden("of-another-maker.mobileconfig"));
  assert.deepEqual(
    read.payloads.map((payload) => [payload.kind, payload.kind === "other" ? payload.type : ""]),
    [
      ["other", "com.apple.webClip.managed"],
      ["cellular", ""],
    ],
  );
  const cellular = read.payloads[1];
  assert.ok(cellular?.kind === "cellular");
  assert.deepEqual(
    cellular.apns.map(({ name, protocols }) => [name, protocols]),
    [["em", 3]],
  );
  assert.equal(cellular.attachApn?.authentication, null);
});

for (const [what, text, fact] of [
  ["a binary list", "bplist00\u0001", /binary property list/],
  ["another root", "<dict/>", /where plist is wanted/],
  ["no value", "<plist/>", /without its one value/],
  ["a key twice", "<plist><dict><key>a</key><true/><key>a</key><true/></dict></plist>", /twice/],
  ["a key without a value", "<plist><dict><key>a</key></dict></plist>", /without its value/],
  ["no base64", "<plist><data>a</data></plist>", /no base64/],
  ["no day", "<plist><date>2026-02-30T00:00:00Z</date></plist>", /no date/],
  ["text between", "<plist><dict>x</dict></plist>", /text inside/],
  ["an entity", '<!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>', /./],
  ["too deep", `<plist>${"<array>".repeat(20)}${"</array>".repeat(20)}</plist>`, /deep/],
  ["no profile", "<plist><dict/></plist>", /PayloadType is missing/],
  [
    "a mask of 4",
    "<plist><dict><key>PayloadType</key><string>Configuration</string><key>PayloadIdentifier</key><string>a</string><key>PayloadUUID</key><string>b</string><key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.cellular</string><key>PayloadIdentifier</key><string>a</string><key>PayloadUUID</key><string>c</string><key>APNs</key><array><dict><key>Name</key><string>em</string><key>AllowedProtocolMask</key><integer>4</integer></dict></array></dict></array></dict></plist>",
    /PayloadContent\[0\]\.APNs\[0\]\.AllowedProtocolMask is none of 1, 2, 3/,
  ],
] as const) {
  test(`refused, with what was met: ${what}`, () => {
    assert.throws(
      () => decodeAppleProfile(new TextEncoder().encode(text)),
      (error: unknown) => error instanceof DecodeError && fact.test(error.message),
    );
  });
}

const wholeSeconds = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000));
const lists = fc.letrec<{ value: PlistValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.maxSafeInteger(),
    fc.boolean(),
    wholeSeconds,
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: -1_000_000, max: 1_000_000 }).map((hundredths) => new PlistReal(hundredths / 100)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
  ),
}));

test("every property list that is written is read as it was", () => {
  fc.assert(
    fc.property(lists.value, (value) => {
      assert.deepEqual(decodePlist(encodePlist(value)), value);
    }),
    { seed: SEED },
  );
});

test("octets of no property list are refused by a DecodeError and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      assert.throws(() => decodeAppleProfile(octets), DecodeError);
    }),
    { seed: SEED },
  );
});
