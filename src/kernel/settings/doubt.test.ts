/** Which shipped rows are doubtful: whose message centre or proxy they name. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { carrierRow, networkRow, pointRow } from "../../../test/fixture/access-point-rows.ts";
import type { AccessPoint } from "./access-point.ts";
import { doubtsOf } from "./doubt.ts";

const networks = [
  networkRow("620", "07", "GH", "Glo"),
  networkRow("202", "01", "GR", "Cosmote"),
  networkRow("283", "10", "AM", "Beeline"),
  networkRow("204", "16", "NL", "Odido"),
  networkRow("208", "01", "FR", "Orange"),
  networkRow("208", "10", "FR", "SFR"),
  networkRow("647", "00", "RE", "Orange Réunion"),
  networkRow("214", "05", "ES", "Movistar"),
  networkRow("214", "03", "ES", "Kiskadee"),
  networkRow("528", "11", "BN", "DST"),
];
const carriers = [carrierRow(9, "Movistar Guest", "21403", { spns: ["Guest"] })];
const formerNames = [
  { mcc: "283", mnc: "10", name: "Orange" },
  { mcc: "204", mnc: "16", name: "Orange" },
];
const point = (plmn: string, mmsc: string | null, more: Partial<AccessPoint> = {}): AccessPoint =>
  pointRow(
    "mms",
    { mcc: plmn.slice(0, 3), mnc: plmn.slice(3) },
    { name: "MMS", uses: ["mms"], mmsc, ...more },
  );
const reasonOf = (...points: AccessPoint[]) =>
  doubtsOf(points, { networks, carriers, formerNames })[0]?.reason;

test("a Greek message centre for Ghana and a Dutch one for Armenia are doubtful, with the host and both countries", () => {
  const ghana = reasonOf(point("62007", "http://mmsc.cosmote.gr:8002"));
  assert.match(ghana ?? "", /mmsc\.cosmote\.gr is of GR, and the network of GH/);
  const armenia = reasonOf(point("28310", "http://mms.orange.nl"));
  assert.match(armenia ?? "", /mms\.orange\.nl is of NL, and the network of AM/);
});

test("a proxy says as much as a message centre", () => {
  assert.ok(reasonOf(point("62007", null, { proxy: "wap.cosmote.gr" })));
  assert.ok(reasonOf(point("62007", "http://10.0.0.1", { mmsProxy: "mms.cosmote.gr" })));
});

const fitting: readonly (readonly [string, AccessPoint])[] = [
  ["under the network's own country", point("20201", "http://mmsc.cosmote.gr:8002")],
  ["an address of digits", point("62007", "http://10.10.10.20/mms")],
  ["under no country's domain, and no network's name", point("62007", "http://mms.gloworld.com")],
  ["a part of France under .fr", point("64700", "http://mms.orange.fr")],
  ["a domain that a stranger bought, of nobody's brand", point("62007", "http://mms.picture.gr")],
  ["a single label, as `http://mms/`", point("62007", "http://mms/servlets")],
  [
    "of a carrier that is known on the network",
    point("21403", "http://mms.movistar.com", { name: "Movistar" }),
  ],
  [
    "for a group of SIMs",
    point("20810", "http://mms.orange.fr", { criteria: { mcc: "208", mnc: "10", spn: "Guest" } }),
  ],
  ["of the network by its name", point("20810", "http://mms.orange.fr", { name: "SFR MMS" })],
];
for (const [why, row] of fitting) {
  test(`a message centre is not doubtful: ${why}`, () => {
    assert.equal(reasonOf(row, point("20201", "http://mmsc.cosmote.gr")), undefined);
  });
}

test("another network's name in the same country, and a brand that is nobody's there, are doubtful", () => {
  assert.match(
    reasonOf(point("20810", "http://mms.orange.fr")) ?? "",
    /Orange \(208\/01\), which SFR never had/,
  );
  assert.match(
    reasonOf(point("52811", "http://mms.movistar.com")) ?? "",
    /Movistar \(ES\), which DST never had/,
  );
});

test("what two sets of different people say is believed; a set and the one that was copied from it are one", () => {
  const host = "http://mms.movistar.com";
  const from = (name: string) => point("52811", host, { source: { name, version: "1", licence: "none" } });
  assert.equal(reasonOf(from("GNOME"), from("LineageOS android")), undefined);
  assert.ok(reasonOf(from("AOSP device"), from("LineageOS android")));
});
