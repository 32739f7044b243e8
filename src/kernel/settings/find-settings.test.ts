/** Which access points a SIM's signs find, best first. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { AccessPoint, CarrierRule, MatchCriteria, Network, Use } from "./access-point.ts";
import { createAccessPointIndex, type Found } from "./find-settings.ts";

/** A network "Nordnet" with a virtual operator "Piko" by GID1 and SPN, and one, "Lumo", nobody has settings of. */
const networks: Network[] = [
  {
    mcc: "999",
    mnc: "01",
    country: "XX",
    countryName: "Exland",
    brand: "Nordnet",
    operator: "Nordnet AS",
    operational: true,
    bands: [],
  },
  {
    mcc: "999",
    mnc: "001",
    country: "XX",
    countryName: "Exland",
    brand: "Sudnet",
    operator: "Sudnet AS",
    operational: true,
    bands: [],
  },
];
const rule = (carrierId: number, name: string, more: Partial<CarrierRule> = {}): CarrierRule => ({
  carrierId,
  name,
  parentId: null,
  plmns: ["99901"],
  spns: [],
  imsiPrefixes: [],
  gid1Prefixes: [],
  gid2Prefixes: [],
  iccidPrefixes: [],
  shownPlmns: [],
  preferredApns: [],
  ...more,
});
const carriers = [
  rule(1, "Nordnet"),
  rule(2, "Piko", { gid1Prefixes: ["5A1"] }),
  rule(3, "Lumo", { spns: ["Lumo"] }),
  rule(3, "Lumo", { imsiPrefixes: ["9990177"] }),
  rule(3, "Lumo", { iccidPrefixes: ["8999177"] }),
  rule(4, "Nordnet Young", { parentId: 1, gid1Prefixes: ["E0"] }),
  rule(5, "Velo", { gid1Prefixes: ["7E"] }),
];
let made = 0;
const point = (
  apn: string,
  criteria: Partial<MatchCriteria> = {},
  more: Partial<AccessPoint> = {},
): AccessPoint => ({
  id: `point-${++made}`,
  ownership: "shipped",
  name: "Internet",
  provider: null,
  uses: ["internet"],
  apn,
  protocol: null,
  authType: null,
  user: null,
  password: null,
  mmsc: null,
  mmsProxy: null,
  mmsPort: null,
  proxy: null,
  port: null,
  homepage: null,
  plan: null,
  shown: true,
  wifiOnly: false,
  confirmed: false,
  source: { name: "test set", version: "1", licence: "none" },
  criteria: { mcc: "999", mnc: "01", ...criteria },
  ...more,
});
const own = (apn: string, criteria: Partial<MatchCriteria> = {}, uses: Use[] = ["internet"]) =>
  point(apn, criteria, { ownership: "operator", confirmed: true, uses });
const rows = [
  point("nord.internet", {}, { name: "Nordnet Internet" }),
  point("nord.mms", {}, { name: "Nordnet MMS", uses: ["mms"], mmsc: "http://mms.nord" }),
  point("nord.nocentre", {}, { name: "Nordnet MMS", uses: ["mms"] }),
  point("piko.internet", { gid1: "5A" }, { name: "Piko" }),
  point("piko.plus", { gid1: "5A1F" }, { name: "Piko Plus" }),
  point("spn.internet", { spn: "Tava" }, { name: "Tava" }),
  point("imsi.internet", { imsiPrefix: "99901x5" }, { name: "Imsi" }),
  point("iccid.internet", { iccidPrefix: "89990155" }, { name: "Iccid" }),
  point("velo.internet", {}, { name: "Velo Internet" }),
];
const index = createAccessPointIndex(rows, carriers, networks);
const find = (sim: Record<string, string>, ownAccessPoints: AccessPoint[] = []): Found =>
  index.findSettings({ mcc: "999", mnc: "01", ...sim }, ownAccessPoints);
const firstOf = ({ matches }: Found, use: Use = "internet") => matches.find((match) => match.use === use);

const signs = [
  { sim: { iccid: "8999015500000000001" }, apn: "iccid.internet", match: "iccid", value: "89990155" },
  { sim: { imsi: "999013500000001" }, apn: "imsi.internet", match: "imsi", value: "99901x5" },
  { sim: { gid1: "5A" }, apn: "piko.internet", match: "gid1", value: "5A" },
  { sim: { gid1: "5a1fff" }, apn: "piko.plus", match: "gid1", value: "5A1F" },
  { sim: { spn: "TAVA" }, apn: "spn.internet", match: "spn", value: "Tava" },
  { sim: {}, apn: "nord.internet", match: "plmn", value: "999/01" },
  { sim: { gid1: "7E01" }, apn: "velo.internet", match: "gid1", value: "7E01" },
] as const;
for (const { sim, apn, match, value } of signs) {
  test(`a SIM with ${JSON.stringify(sim)} gets ${apn}, and the answer names the criterion`, () => {
    const first = firstOf(find(sim));
    assert.deepEqual([first?.apn, first?.match, first?.matchValue], [apn, match, value]);
    assert.equal(first?.confirmed, false);
    assert.deepEqual(first?.source, { name: "test set", version: "1", licence: "none" });
  });
}

test("the most telling sign wins: ICCID or IMSI prefix before GID1, GID1 before SPN", () => {
  const all = find({ iccid: "8999015500000000001", gid1: "5A1F", spn: "Tava" });
  assert.deepEqual(
    all.matches.map(({ apn }) => apn),
    ["iccid.internet", "piko.plus", "piko.internet"],
  );
});

for (const sim of [{ gid1: "5A" }, { spn: "Tava" }, { gid1: "7E01" }] as Record<string, string>[]) {
  test(`a SIM of a virtual operator (${JSON.stringify(sim)}) is given nothing of its host's`, () => {
    assert.deepEqual(
      find(sim).matches.filter(({ apn }) => apn.startsWith("nord")),
      [],
    );
  });
}

const refusals = [
  { sim: { spn: "lumo" }, code: "mvno_without_access_point" },
  { sim: { imsi: "999017700000001" }, code: "mvno_without_access_point" },
  { sim: { iccid: "8999177000000000001" }, code: "mvno_without_access_point" },
  { sim: { spn: "Lumo", gid1: "FFFF" }, code: "mvno_without_access_point" },
  { sim: { spn: "Nordnet", imsi: "999017700000001" }, code: "mvno_without_access_point" },
  { sim: { gid1: "ABCD" }, code: "subscriber_group_unknown" },
  { sim: { spn: "Wonder Mobile" }, code: "subscriber_group_unknown" },
  { sim: { imsi: "262010000000001" }, code: "imsi_of_another_network" },
] as const;
for (const { sim, code } of refusals) {
  test(`a SIM with ${JSON.stringify(sim)} is refused (${code}), its host's settings are not slipped in`, () => {
    const { matches, refused } = find(sim);
    assert.deepEqual(matches, []);
    assert.equal(refused?.code, code);
  });
}

test("a refusal names the virtual operator and its host, and no subscriber's number", () => {
  const { refused } = find({ imsi: "999017700000001" });
  assert.match(refused?.reason ?? "", /Lumo/);
  assert.match(refused?.reason ?? "", /Nordnet/);
  assert.doesNotMatch(refused?.reason ?? "", /999017700000001/);
});

for (const sim of [
  { gid1: "" },
  { gid1: "FFFFFFFF" },
  { gid1: "0000" },
  { spn: "NORDNET" },
  { spn: "Nordnet XX" },
  { spn: "" },
  { gid1: "E0FF" },
  { gid1: "ABCD", spn: "Nordnet" },
  { imsi: "999010000000001" },
] as Record<string, string>[]) {
  test(`a SIM with ${JSON.stringify(sim)} is the host's own and gets the host's settings`, () => {
    const first = firstOf(find(sim));
    assert.deepEqual([first?.apn, first?.match], ["nord.internet", "plmn"]);
  });
}

test("the operator's own access point comes before any shipped one, confirmed, also before a closer match", () => {
  const found = find({ gid1: "5A1F" }, [own("mine", { gid1: "5A" })]);
  assert.deepEqual(
    found.matches.map(({ apn, match, confirmed }) => [apn, match, confirmed]),
    [
      ["mine", "own", true],
      ["piko.plus", "gid1", false],
      ["piko.internet", "gid1", false],
    ],
  );
});

test("an operator's access point for its network is not given to a virtual operator's SIM, unless it says so", () => {
  const { refused } = find({ spn: "Lumo" }, [own("mine")]);
  assert.equal(refused?.code, "mvno_without_access_point");
  assert.match(refused?.reason ?? "", /own access points there are not said to be for such a SIM/);
  assert.doesNotMatch(find({ spn: "Lumo" }).refused?.reason ?? "", /own access points/);
  assert.equal(firstOf(find({ spn: "Lumo" }, [own("mine", { wholeNetwork: true })]))?.apn, "mine");
  assert.equal(firstOf(find({ spn: "Lumo" }, [own("mine", { spn: "lumo" })]))?.apn, "mine");
  assert.equal(firstOf(find({ gid1: "ABCD" }, [own("mine", { gid1: "AB" })]))?.apn, "mine");
});

test("an operator's access point for another network or another group stays away", () => {
  const strangers = [
    own("other", { mnc: "001" }),
    own("group", { gid1: "77" }),
    own("name", { spn: "Tava" }),
  ];
  assert.equal(firstOf(find({}, strangers))?.apn, "nord.internet");
});

test("MNC 001 is not 01: neither gets the other's access point", () => {
  const found = index.findSettings({ mcc: "999", mnc: "001" });
  assert.deepEqual(found.matches, []);
  assert.equal(found.refused?.code, "no_access_point");
});

test("an unknown network is refused, and the one with the other MNC length is named, not taken", () => {
  const { refused, matches } = createAccessPointIndex(rows, carriers, networks.slice(0, 1)).findSettings({
    mcc: "999",
    mnc: "001",
  });
  assert.deepEqual(matches, []);
  assert.equal(refused?.code, "network_unknown");
  assert.match(refused?.reason ?? "", /999\/01 is known/);
});

test("MMS is offered only with a message centre, and carries it alone", () => {
  const mms = find({}).matches.filter(({ use }) => use === "mms");
  assert.deepEqual(
    mms.map(({ apn, mmsc }) => [apn, mmsc]),
    [["nord.mms", "http://mms.nord"]],
  );
});

test("a row for several uses gives one match for each", () => {
  const both = point(
    "nord.all",
    {},
    { name: "Nordnet", uses: ["internet", "mms", "supl"], mmsc: "http://m" },
  );
  const found = createAccessPointIndex([both], carriers, networks).findSettings({ mcc: "999", mnc: "01" });
  assert.deepEqual(
    found.matches.map(({ use, mmsc }) => [use, mmsc]),
    [
      ["internet", null],
      ["mms", "http://m"],
      ["supl", null],
    ],
  );
});

test("the first choice is the contract phone's: not prepaid, not tethering, not IMS, not another brand's", () => {
  const crowd = [
    point("aaa.prepaid", {}, { name: "Nordnet Prepaid" }),
    point("ims", {}, { name: "Nordnet IMS" }),
    point("aab.modem", {}, { name: "Nordnet Modem", uses: ["internet", "dun"] }),
    point("aac.hidden", {}, { name: "Nordnet", shown: false }),
    point("aad.brand", {}, { name: "Zebra" }),
    point("zzz.right", {}, { name: "Nordnet Internet" }),
  ];
  const found = createAccessPointIndex(crowd, carriers, networks).findSettings({ mcc: "999", mnc: "01" });
  assert.equal(firstOf(found)?.apn, "zzz.right");
});

test("an APN that two sets name independently goes before one of a single set", () => {
  const pair = [
    point("one.set", {}, { name: "Nordnet" }),
    point("two.sets", {}, { name: "Nordnet" }),
    point("two.sets", {}, { name: "Nordnet", source: { name: "second set", version: "1", licence: "none" } }),
  ];
  const found = createAccessPointIndex(pair, carriers, networks).findSettings({ mcc: "999", mnc: "01" });
  assert.deepEqual([firstOf(found)?.apn, firstOf(found)?.agreeing], ["two.sets", ["second set"]]);
});

test("an IMSI alone names its network by the known lengths of MNC", () => {
  assert.deepEqual(index.plmnOfImsi("999010000000001"), { mcc: "999", mnc: "01" });
  assert.deepEqual(index.plmnOfImsi("999001000000001"), { mcc: "999", mnc: "001" });
  assert.equal(index.plmnOfImsi("998010000000001"), undefined);
});

test("two subscribers of one kind get the same answer, and one of another kind is not served from it", () => {
  assert.deepEqual(find({ imsi: "999010000000001" }), find({ imsi: "999010000000002" }));
  assert.equal(find({ imsi: "999017700000002" }).refused?.code, "mvno_without_access_point");
});

test("where only an IMSI or an ICCID was given, the answer says that no sign of a virtual operator could be checked", () => {
  const byImsi = find({ imsi: "999010000000001" });
  assert.equal(byImsi.unchecked?.code, "virtual_operator_not_checked");
  assert.match(byImsi.unchecked?.reason ?? "", /^only the IMSI was given, neither SPN nor GID1 or GID2/);
  assert.match(
    byImsi.unchecked?.reason ?? "",
    /on Nordnet could be checked; the IMSI is in none of the 1 ranges/,
  );
  assert.doesNotMatch(byImsi.unchecked?.reason ?? "", /999010000000001/);
  assert.deepEqual(byImsi.unchecked?.signs, ["spn", "gid1", "gid2", "iccid"]);
  const byIccid = find({ iccid: "8999100000000000001" }).unchecked;
  assert.match(byIccid?.reason ?? "", /^only the ICCID was given/);
  assert.deepEqual(byIccid?.signs, ["spn", "gid1", "gid2", "imsi"]);
  assert.match(find({}).unchecked?.reason ?? "", /^only the network was given/);
  const both = find({ imsi: "999010000000001", iccid: "8999100000000000001" });
  assert.match(both.unchecked?.reason ?? "", /^only the IMSI and the ICCID/);
  // Also beside the operator's own, which is for the network's own SIMs.
  assert.ok(find({ imsi: "999010000000001" }, [own("mine")]).unchecked);
});

for (const sim of [
  { imsi: "999010000000001", spn: "Nordnet" },
  { imsi: "999010000000001", spn: "" },
  { imsi: "999010000000001", gid1: "FFFF" },
  { gid1: "5A" },
  { imsi: "999017700000001" },
] as Record<string, string>[]) {
  test(`a SIM with ${JSON.stringify(sim)} was told by a sign that was read: nothing is left unchecked`, () => {
    assert.equal(find(sim).unchecked, undefined);
  });
}

test("R79: an access point for a model stands before those for all, and is for no other handset", () => {
  const own = [
    point("all", {}, { ownership: "operator", confirmed: true }),
    point("old-nokia", { models: ["Nokia/6*"] }, { ownership: "operator", confirmed: true }),
  ];
  const index = createAccessPointIndex([], carriers, networks);
  const apns = (make: string | null, model: string | null) =>
    index
      .findSettings({ mcc: "999", mnc: "01", make, model }, own)
      .matches.filter(({ use }) => use === "internet")
      .map(({ apn }) => apn);
  assert.deepEqual(apns("Nokia", "6230i"), ["old-nokia", "all"]);
  assert.deepEqual(apns("Nokia", "3310"), ["all"]);
  assert.deepEqual(apns(null, null), ["all"]);
});
