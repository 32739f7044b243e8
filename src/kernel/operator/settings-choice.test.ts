/** Which of the settings found are sent, and why none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Found, Match } from "../settings/find-settings.ts";
import type { OperatorTerms } from "./operator-terms.ts";
import { DEFAULT_POLICY } from "./policy.ts";
import { settingsChoiceOf, settingsQueryOf } from "./settings-choice.ts";

const SIM = { imsi: "262010000000001", imei: "", msisdn: null, iccid: null, homePlmn: "26201" };
const match = (more: Partial<Match>): Match => ({
  use: "internet",
  apn: "web",
  name: "Internet",
  provider: null,
  owner: "host",
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
  confirmed: false,
  source: { name: "a set", version: "1", licence: "none" },
  agreeing: [],
  match: "plmn",
  matchValue: "262/01",
  accessPointId: "a",
  ...more,
});
const OWN = match({
  confirmed: true,
  match: "own",
  source: { name: "the operator", version: "1", licence: "" },
});

function choose(found: Found, more: Partial<Pick<OperatorTerms, "kind">> & { send?: boolean } = {}) {
  const terms: OperatorTerms = {
    operatorId: "o",
    operatorSlug: "meridian",
    operatorName: "Meridian",
    kind: more.kind ?? "mno",
    homePlmns: ["262/01"],
    policy: { ...DEFAULT_POLICY, sendUnconfirmed: more.send ?? false },
    policyVersion: 1,
    relations: new Map(),
    accessPoints: [],
    overrides: new Map(),
  };
  return settingsChoiceOf(found, settingsQueryOf({ ...SIM, gid1: null, spn: null }), terms);
}

test("a SIM is looked for by its network and by as much of its names as is known", () => {
  assert.deepEqual(settingsQueryOf({ ...SIM, homePlmn: "310410", gid1: "ba", spn: null }), {
    mcc: "310",
    mnc: "410",
    imsi: SIM.imsi,
    gid1: "ba",
  });
});

test("the operator's own access points are sent as confirmed, under its name", () => {
  const choice = choose({ matches: [OWN] });
  assert.ok(choice.kind === "chosen");
  assert.deepEqual([choice.values.name, choice.confirmed, choice.source], ["Meridian", true, "the operator"]);
  assert.equal(choice.values.unconfirmed, undefined);
});

test("suggestions go out for a host that says so alone, and say that nobody confirmed them", () => {
  const found = { matches: [match({})] };
  const sent = choose(found, { send: true });
  assert.ok(sent.kind === "chosen");
  assert.deepEqual([sent.confirmed, sent.values.unconfirmed], [false, true]);
  for (const withheld of [choose(found), choose(found, { kind: "mvno", send: true })])
    assert.deepEqual(
      [withheld.kind, "code" in withheld && withheld.code],
      ["refused", "settings_unconfirmed"],
    );
});

test("what is held back beside what is sent is told; a use of which nothing is known is no news", () => {
  const mms = match({ use: "mms", apn: "mms", mmsc: "http://mms" });
  const choice = choose({ matches: [OWN, mms] });
  assert.ok(choice.kind === "chosen");
  assert.deepEqual(Object.keys(choice.withheld ?? {}), ["mms"]);
});

test("R127: access points that the maker blocked are held back with who says so, and the others are sent", () => {
  const found = { matches: [OWN, { ...OWN, use: "mms" as const, mmsc: "http://mms", accessPointId: "b" }] };
  const terms: OperatorTerms = {
    ...{
      operatorId: "o",
      operatorSlug: "o",
      operatorName: "Meridian",
      kind: "mvno",
      homePlmns: [],
      policy: DEFAULT_POLICY,
    },
    ...{ policyVersion: 1, relations: new Map(), accessPoints: [], overrides: new Map() },
  };
  const query = settingsQueryOf({ ...SIM, gid1: null, spn: null });
  const blocked = (...uses: string[]) =>
    settingsChoiceOf(found, query, terms, { uses, source: "its letter of 2012" });
  const some = blocked("mms");
  assert.ok(some.kind === "chosen");
  assert.deepEqual(
    some.values.points.map(({ use }) => use),
    ["internet"],
  );
  assert.match(some.withheld?.mms ?? "", /the maker lets nobody set this access point .*its letter of 2012/);
  const all = blocked("mms", "internet");
  assert.ok(all.kind === "refused");
  assert.equal(all.code, "access_points_blocked");
  assert.match(all.reason, /: internet, mms$/);
});
