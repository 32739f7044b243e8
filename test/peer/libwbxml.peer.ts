/**
 * Our WBXML beside libwbxml's own programs (Debian: libwbxml2-utils): each reads what the other wrote. Fails, and never
 * skips, where they are not installed. Run by `npm run test:peer`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { test } from "vitest";
import { composeOmaCp } from "../../src/kernel/payload/compose.ts";
import { type Dialect, decodeProvisioning, encodeProvisioning, xmlOf } from "../../src/wire/omacp/codec.ts";
import type { Characteristic, ProvisioningDocument } from "../../src/wire/omacp/document.ts";
import { decodePush } from "../../src/wire/wsp/push.ts";
import { SEED } from "../fixture/seed.ts";

const DOCUMENTS = 60;
const PROGRAM_TIMEOUT_MS = 10_000;

function run(program: string, args: readonly string[], input: Uint8Array | string): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, timeout: PROGRAM_TIMEOUT_MS });
  if (error) throw new Error(`${program} cannot be run (${error.message}): apt-get install libwbxml2-utils`);
  assert.equal(status, 0, `${program}: ${stderr}`);
  return stdout;
}

/** Without the prolog, which names the document type and nothing of the document. */
const readByPeer = (bytes: Uint8Array): string =>
  run("wbxml2xml", ["-m", "0", "-o", "-", "-"], bytes)
    .toString("utf8")
    .replace(/^.*?(?=<wap-provisioningdoc)/s, "")
    .trimEnd();

const PROLOG =
  '<?xml version="1.0"?><!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://www.wapforum.org/DTD/prov.dtd">';
const writtenByPeer = (xml: string, args: readonly string[]): Buffer =>
  run("xml2wbxml", [...args, "-o", "-", "-"], PROLOG + xml);

/** Objects as a decoder makes them. */
const PLAIN = { noNullPrototype: true } as const;
// Words that have tokens on page 0 and on page 1, words that have none, and text of every script.
const value = fc.oneof(
  fc.constantFrom("GSM-GPRS", "IPV4", "APN", "PAP", "CHAP", "w2", "w4", "internet.example", "10.11.12.13"),
  fc.stringMatching(/^[A-Za-z0-9 .:/_-]{1,40}$/).map((text) => text.trim() || "x"),
  fc.constantFrom("Ünïcode é", "日本語", "a & b < c > d", 'say "hi"'),
);
const parm = fc.record(
  {
    name: fc.constantFrom(
      "NAPID",
      "NAME",
      "BEARER",
      "NAP-ADDRESS",
      "AUTHTYPE",
      "APPID",
      "TO-PROXY",
      "ADDR",
      "X-OWN",
    ),
    value: fc.option(value, { nil: null, freq: 8 }),
  },
  PLAIN,
);
const inner = fc.record(
  {
    type: fc.constantFrom("NAPAUTHINFO", "PXPHYSICAL", "PORT", "APPADDR", "VALIDITY"),
    parms: fc.array(parm, { minLength: 1, maxLength: 4 }),
    characteristics: fc.constant([] as readonly Characteristic[]),
  },
  PLAIN,
);
const outer = fc.record(
  {
    type: fc.constantFrom("NAPDEF", "PXLOGICAL", "APPLICATION", "BOOTSTRAP", "ACCESS"),
    parms: fc.array(parm, { minLength: 1, maxLength: 6 }),
    characteristics: fc.array(inner, { maxLength: 3 }),
  },
  PLAIN,
);
const documents = fc.record(
  {
    version: fc.constantFrom("1.0", "1.1", null),
    characteristics: fc.array(outer, { minLength: 1, maxLength: 4 }),
  },
  PLAIN,
) satisfies fc.Arbitrary<ProvisioningDocument>;

for (const dialect of ["page0", "page1"] as const satisfies readonly Dialect[]) {
  test(`wbxml2xml reads in our ${dialect} documents what we wrote into them`, () => {
    fc.assert(
      fc.property(documents, (document) => {
        const bytes = encodeProvisioning(document, { dialect });
        assert.equal(readByPeer(bytes), xmlOf(bytes));
      }),
      { seed: SEED, numRuns: DOCUMENTS },
    );
  });
}

for (const [how, args] of [
  ["with a string table", []],
  ["with inline strings", ["-n"]],
] as const) {
  test(`documents that xml2wbxml wrote ${how} are read as what it was given`, () => {
    fc.assert(
      fc.property(documents, (document) => {
        const xml = xmlOf(encodeProvisioning(document));
        const bytes = writtenByPeer(xml, args);
        assert.equal(xmlOf(bytes), xml);
        assert.deepEqual(decodeProvisioning(bytes), document);
      }),
      { seed: SEED, numRuns: DOCUMENTS },
    );
  });
}

test("wbxml2xml reads in the settings of Wi-Fi networks the characteristic and parms that phones look for", () => {
  const wireless = [
    { name: "Hotspot", ssid: "meridian", security: "wpa_psk", key: "correct horse", hidden: true },
    { name: "Depot", ssid: "depot", security: "wep", key: "12345", hidden: false },
  ] as const;
  const bytes = composeOmaCp({ name: "Meridian", points: [], wireless }, { sec: "userpin", pin: "1234" });
  const xml = readByPeer(decodePush(bytes).body);
  const parm = (name: string, value: string): string => `<parm name="${name}" value="${value}"/>`;
  for (const said of [
    `${parm("BEARER", "WLAN")}${parm("NAME", "Hotspot")}<characteristic type="WLAN">${parm("PRI-SSID", "meridian")}${parm("PRI-H-SSID", "meridian")}`,
    `${parm("SECMODE", "WPA-PRESHARED-KEY")}${parm("WPA-PRES-KEY-ASC", "correct horse")}`,
    `${parm("WEPKEYIND", "0")}<characteristic type="WEPKEY">${parm("LENGTH", "64")}${parm("INDEX", "0")}${parm("DATA", "12345")}`,
  ])
    assert.ok(xml.includes(said), `${said} in ${xml}`);
});
