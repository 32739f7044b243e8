/** The shipped sets of access points against what networks publish. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { test } from "vitest";
import type { SettingsQuery } from "../../kernel/settings/access-point.ts";
import { shippedAccessPointIndex, shippedAccessPoints, shippedCarrierRules } from "./access-point-data.ts";
import { readShippedContent } from "./content.ts";
import { doubtfulCsv } from "./doubtful-rows.ts";

const VECTORS = join(import.meta.dirname, "../../../test/vector/data");

/**
 * What a contract phone's internet access point is, for networks whose operators publish it: from memory of those
 * pages, `sure` or `likely`. The weights of kernel/settings/rank.ts were set on the group `tuned`; the group
 * `unseen` was written down before the first run on it.
 */
type Truth = {
  readonly mcc: string;
  readonly mnc: string;
  readonly network: string;
  readonly internet_apns: string;
  readonly sure: string;
  readonly group: "tuned" | "unseen";
};
const truths = parse(readFileSync(join(VECTORS, "settings-truths.csv")), { columns: true }) as Truth[];

const firstInternet = (query: SettingsQuery) =>
  shippedAccessPointIndex()
    .findSettings(query)
    .matches.find(({ use }) => use === "internet");

function hitsOf(group: Truth["group"]): {
  readonly hits: number;
  readonly all: number;
  readonly missed: string[];
} {
  const asked = truths.filter((truth) => truth.group === group);
  const missed = asked.flatMap(({ mcc, mnc, network, internet_apns }) => {
    const first = firstInternet({ mcc, mnc })?.apn.toLowerCase() ?? "nothing";
    return internet_apns.toLowerCase().split("|").includes(first) ? [] : [`${network}: ${first}`];
  });
  return { hits: asked.length - missed.length, all: asked.length, missed };
}

test("the first choice is the published one for at least 148 of 153 networks the weights were set on", () => {
  const { hits, all, missed } = hitsOf("tuned");
  assert.equal(all, 153);
  assert.ok(hits >= 148, `${hits} of ${all}; missed ${missed.join("; ")}`);
});

test("the first choice is the published one for at least 53 of 58 networks the weights never saw", () => {
  const { hits, all, missed } = hitsOf("unseen");
  assert.equal(all, 58);
  assert.ok(hits >= 53, `${hits} of ${all}; missed ${missed.join("; ")}`);
});

test("where the sets name one and the same single internet APN for a network, it is the first choice there", () => {
  const apns = new Map<string, Map<string, Set<string>>>();
  for (const { criteria, uses, apn, source } of shippedAccessPoints()) {
    const { mcc, mnc, gid1, spn, imsiPrefix } = criteria;
    if (!uses.includes("internet") || apn === "" || (gid1 ?? spn ?? imsiPrefix) !== undefined) continue;
    const bySource = apns.get(`${mcc}/${mnc}`) ?? new Map<string, Set<string>>();
    apns.set(`${mcc}/${mnc}`, bySource);
    bySource.set(source.name, (bySource.get(source.name) ?? new Set()).add(apn.toLowerCase()));
  }
  let agreed = 0;
  const missed: string[] = [];
  for (const [place, bySource] of apns) {
    const named = new Set([...bySource.values()].flatMap((set) => [...set]));
    const [one] = named;
    if (bySource.size < 2 || named.size > 1) continue;
    agreed++;
    const [mcc = "", mnc = ""] = place.split("/");
    if (firstInternet({ mcc, mnc })?.apn.toLowerCase() !== one) missed.push(place);
  }
  assert.ok(agreed > 150, `${agreed} networks`);
  assert.deepEqual(missed, []);
});

const virtual = [
  { sim: { mcc: "262", mnc: "01", gid1: "44" }, apn: "internet.telekom", match: "gid1" },
  { sim: { mcc: "234", mnc: "10", spn: "giffgaff" }, apn: "giffgaff.com", match: "spn" },
  { sim: { mcc: "234", mnc: "10", spn: "Tesco" }, apn: "prepay.tesco-mobile.com", match: "spn" },
  { sim: { mcc: "234", mnc: "30", gid1: "C3FF" }, apn: "btmobile.bt.com", match: "gid1" },
  { sim: { mcc: "310", mnc: "260", gid1: "6D38" }, apn: "fast.metropcs.com", match: "gid1" },
  { sim: { mcc: "310", mnc: "260", imsi: "310260970000001" }, apn: "h2g2", match: "imsi" },
  { sim: { mcc: "302", mnc: "720", imsi: "302720392000001" }, match: "imsi" },
] as const;
for (const { sim, match, ...rest } of virtual) {
  test(`shipped data: ${JSON.stringify(sim)} gets its own access point, by ${match}`, () => {
    const first = firstInternet(sim);
    assert.equal(first?.match, match);
    if ("apn" in rest) assert.equal(first?.apn, rest.apn);
  });
}

for (const sim of [
  { mcc: "234", mnc: "15", spn: "eSIM Go" },
  { mcc: "505", mnc: "01", spn: "Exetel" },
  { mcc: "208", mnc: "01", spn: "YouPrice O" },
  { mcc: "310", mnc: "260", gid1: "4C45" },
]) {
  test(`shipped data: ${JSON.stringify(sim)}, a virtual operator without a set, is refused by name`, () => {
    const { matches, refused } = shippedAccessPointIndex().findSettings(sim);
    assert.deepEqual([matches, refused?.code], [[], "mvno_without_access_point"]);
  });
}

test("no virtual operator of the carrier list, asked by its own signs, is given a row in its host's name", () => {
  const index = shippedAccessPointIndex();
  let asked = 0;
  const given: string[] = [];
  for (const rule of shippedCarrierRules()) {
    const [gid1, spn, imsi] = [
      rule.gid1Prefixes[0],
      rule.spns.find((name) => name !== ""),
      rule.imsiPrefixes[0],
    ];
    if (rule.preferredApns.length > 0 || (gid1 ?? spn ?? imsi) === undefined) continue;
    for (const plmn of rule.plmns) {
      const sim = {
        mcc: plmn.slice(0, 3),
        mnc: plmn.slice(3),
        ...(gid1 ? { gid1 } : {}),
        ...(spn ? { spn } : {}),
      };
      const found = index.findSettings(sim);
      asked++;
      const host = found.matches.find(({ match }) => match === "plmn");
      const isVirtual = found.matches.some(({ match }) => match !== "plmn") || found.refused !== undefined;
      if (
        host &&
        isVirtual &&
        !found.matches.some(({ match, owner }) => match !== "plmn" && owner === "host")
      ) {
        given.push(`${plmn} ${rule.name}: ${host.apn}`);
      }
    }
  }
  assert.ok(asked > 400, `${asked} asked`);
  assert.deepEqual(given, []);
});

const hostNames = [
  ["262/01", "Telekom.de"],
  ["262/02", "Vodafone.de"],
  ["262/03", "o2 - de"],
  ["234/15", "vodafone UK"],
  ["234/20", "3"],
  ["234/30", "EE"],
  ["208/01", "Orange F"],
  ["208/10", "F SFR"],
  ["208/20", "F-Bouygues Telecom"],
  ["222/01", "I TIM"],
  ["310/260", "T-Mobile"],
  ["310/410", "AT&T"],
  ["240/01", "TELIA S"],
  ["404/10", "airtel"],
] as const;
for (const [place, spn] of hostNames) {
  test(`shipped data: a SIM on ${place} that shows "${spn}" is the network's own`, () => {
    const [mcc = "", mnc = ""] = place.split("/");
    assert.equal(firstInternet({ mcc, mnc, spn })?.apn, firstInternet({ mcc, mnc })?.apn);
  });
}

test("only known MNC lengths answer: 262/001 and 310/41 are not 262/01 and 310/410", () => {
  const index = shippedAccessPointIndex();
  assert.equal(index.findSettings({ mcc: "262", mnc: "001" }).refused?.code, "network_unknown");
  assert.equal(index.findSettings({ mcc: "310", mnc: "41" }).refused?.code, "network_unknown");
  assert.deepEqual(index.plmnOfImsi("310410123456789"), { mcc: "310", mnc: "410" });
  assert.deepEqual(index.plmnOfImsi("262011234567890"), { mcc: "262", mnc: "01" });
});

test("proxies of the GNOME set are parted into host and port, whatever commas trail; leading zeros stay", () => {
  const points = shippedAccessPoints();
  const andorra = points.find(({ criteria, apn }) => criteria.mcc === "213" && apn === "mms");
  assert.deepEqual([andorra?.mmsProxy, andorra?.mmsPort], ["192.168.21.50", 8080]);
  assert.ok(points.every(({ mmsProxy, proxy }) => !/[,\s]/.test(`${mmsProxy}${proxy}`)));
  assert.ok(points.some(({ mmsProxy }) => mmsProxy === "212.183.137.012"));
  for (const { mmsPort, port } of points) {
    for (const one of [mmsPort, port])
      assert.ok(one === null || (Number.isInteger(one) && one > 0 && one < 65_536));
  }
});

test("no IMS, emergency or MMS-only access point is the first choice for the internet where another is known", () => {
  const wrong: string[] = [];
  for (const place of new Set(
    shippedAccessPoints().map(({ criteria }) => `${criteria.mcc}/${criteria.mnc}`),
  )) {
    const [mcc = "", mnc = ""] = place.split("/");
    const first = firstInternet({ mcc, mnc });
    if (first && /^(?:ims|sos|emergency|xcap|hos)$/i.test(first.apn)) wrong.push(`${place} ${first.apn}`);
  }
  assert.deepEqual(wrong, []);
});

test("apn-doubtful.csv is what the rule makes of the sets; `npm run build:data` writes it anew", () => {
  assert.equal(readShippedContent("apn_doubtful").text, doubtfulCsv());
});

test("a doubtful row is no first choice anywhere, and the Greek message centre of Ghana and the Dutch one of Armenia are such", () => {
  const doubtful = shippedAccessPoints().filter((point) => point.doubtful !== undefined);
  for (const [mcc, host] of [
    ["620", "mmsc.cosmote.gr"],
    ["283", "mms.orange.nl"],
  ] as const)
    assert.ok(doubtful.some(({ criteria, mmsc }) => criteria.mcc === mcc && mmsc?.includes(host)));
  for (const { criteria } of doubtful) {
    const { matches } = shippedAccessPointIndex().findSettings({ mcc: criteria.mcc, mnc: criteria.mnc });
    const at = matches.findIndex((match) => match.doubtful !== undefined);
    assert.ok(matches.slice(at < 0 ? matches.length : at).every((match) => match.doubtful !== undefined));
  }
});

/** From general knowledge of what operators publish, not from any of the sets; one a country. */
const byHand: readonly (readonly [string, string, string, RegExp])[] = [
  ["262", "01", "Telekom DE", /^internet\.(telekom|t-mobile|v6\.telekom)$/i],
  ["262", "02", "Vodafone DE", /^web\.vodafone\.de$/i],
  ["262", "07", "o2 DE", /^internet$/i],
  ["234", "10", "O2 UK", /^mobile\.o2\.co\.uk$/i],
  ["234", "15", "Vodafone UK", /^wap\.vodafone\.co\.uk$/i],
  ["234", "20", "Three UK", /^three\.co\.uk$/i],
  ["234", "30", "EE", /^everywhere$/i],
  ["208", "10", "SFR", /^sl2sfr$/i],
  ["208", "15", "Free", /^free$/i],
  ["208", "20", "Bouygues", /^(mmsbouygtel|ebouygtel)\.com$/i],
  ["214", "07", "Movistar ES", /^(movistar\.es|telefonica\.es)$/i],
  ["222", "10", "Vodafone IT", /^(mobile|web\.omnitel)/i],
  ["228", "01", "Swisscom", /^gprs\.swisscom\.ch$/i],
  ["232", "01", "A1", /^a1\.net$/i],
  ["260", "01", "Plus", /^(plus|internet)$/i],
  ["302", "720", "Rogers", /^ltemobile\.apn$|^ltedata\.apn$|^internet\.com$/i],
  ["310", "260", "T-Mobile US", /^fast\.t-mobile\.com$/i],
  ["310", "410", "AT&T", /^(nxtgenphone|enhancedphone|phone)$/i],
  ["505", "01", "Telstra", /^telstra\.(internet|wap)$/i],
  ["440", "10", "Docomo", /^spmode\.ne\.jp$/i],
  ["404", "10", "Airtel", /^airtelgprs\.com$/i],
];
test("twenty-one networks looked at by hand: twenty get the access point that their operators publish", () => {
  const wrong = byHand.flatMap(([mcc, mnc, name, apn]) => {
    const first = firstInternet({ mcc, mnc })?.apn ?? "nothing";
    return apn.test(first) ? [] : [`${name}: ${first}`];
  });
  assert.deepEqual(wrong, [], wrong.join("; "));
});
