/**
 * The verdict on real TACs of the shipped lists, beside what is publicly known of the phones' support, and each rule
 * by itself.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  shippedCatalog as catalog,
  shippedKnowledge as knowledge,
} from "../../../test/fixture/shipped-devices.ts";
import {
  DEFAULT_SUPPORT_POLICY,
  decideSupport,
  type SupportQuestion,
  type SupportReason,
} from "./decide-support.ts";

const AS_OF = "2026-11-22";

function ask(tac: string, more: Partial<SupportQuestion> = {}) {
  const device = catalog.deviceOf(tac);
  const question = {
    device,
    policy: DEFAULT_SUPPORT_POLICY,
    relation: null,
    override: null,
    asOf: AS_OF,
    ...more,
  };
  return { device, ...decideSupport(question, knowledge) };
}
const deciding = (reasons: readonly SupportReason[]) => reasons.find(({ decided }) => decided)?.rule;

// TAC, make, model, verdict as of November 2026, the maker's end where there is one.
// biome-ignore format: a table
const PHONES: readonly (readonly [string, string, string, "ended" | "supported" | "unknown", (string | null)?])[] = [
  ["01124500", "Apple", "iPhone 1", "ended", "2010-06-20"],
  ["01130000", "Apple", "iPhone 4", "ended", "2014-09-17"],
  ["01302900", "Apple", "iPhone 4S", "ended", "2019-07-22"],
  ["01332700", "Apple", "iPhone 5", "ended", "2019-07-22"],
  ["35201307", "Apple", "iPhone 6", "ended", "2023-01-23"],
  ["35200107", "Apple", "iPhone 6 Plus", "ended", "2023-01-23"],
  ["35380108", "Apple", "iPhone 6s", "ended", "2025-03-31"],
  ["35298409", "Apple", "iPhone 7", "ended", "2025-03-31"],
  ["35727609", "Apple", "iPhone XS Max", "ended", "2026-04-22"],
  ["35292511", "Apple", "iPhone 11", "supported", null],
  ["35104463", "Apple", "iPhone 13", "supported", null],
  ["01309400", "Apple", "iPad 2", "ended", "2019-07-22"],
  ["35206807", "Apple", "iPad Air 2", "ended", "2024-09-16"],
  ["35341206", "Samsung", "Galaxy S3", "ended"],
  ["35972105", "Samsung", "SGH-I337", "ended"], // Galaxy S4 for AT&T: the other list says S4 Mini
  ["35116947", "Samsung", "Galaxy S5", "ended", "2017-04-01"],
  ["35232608", "Samsung", "Galaxy S7", "ended", "2019-06-01"],
  ["35332510", "Samsung", "Galaxy S9", "ended", "2022-04-05"],
  ["35011041", "Samsung", "Galaxy S20", "ended", "2025-03-05"],
  ["35008659", "Samsung", "Galaxy S21 5G", "ended", "2026-02-21"],
  ["35002027", "Samsung", "Galaxy S22", "supported", "2027-02-25"],
  ["35037334", "Samsung", "Galaxy S23", "supported", "2028-02-17"],
  ["35007012", "Samsung", "Galaxy S24", "supported", "2031-01-24"],
  ["35000861", "Samsung", "Galaxy S25", "supported", "2032-02-03"],
  ["35137949", "Samsung", "Galaxy Z Fold6", "supported", "2031-07-24"], // by the code of another market
  ["35255111", "Samsung", "Galaxy A40", "ended", null], // the list says ended without a date
  ["35772402", "Samsung", "SGH-D900i", "ended"],
  ["35134010", "Nokia", "3310", "ended"],
  ["35014000", "Nokia", "3210", "ended"],
  ["35195903", "Nokia", "N95", "ended"],
  ["35151304", "Nokia", "E72", "ended"],
  ["35592505", "Nokia", "Lumia 520", "ended"],
  ["35514607", "Microsoft", "Lumia 640", "ended"],
  ["35267708", "Google", "Pixel XL", "ended", "2019-10-06"],
  ["35827609", "Google", "Pixel 3", "ended", "2021-10-05"],
  ["35751110", "Google", "Pixel 4a", "ended", "2023-08-05"],
  ["86798102", "Google", "Nexus 6P", "ended"],
  ["86867902", "Xiaomi", "Redmi 3", "ended"],
  ["86326504", "Xiaomi", "Redmi 8A", "ended"],
  ["86751306", "Xiaomi", "Redmi 9A", "ended", "2023-06-25"],
  ["35158506", "LG", "G2", "ended"],
  ["35213606", "LG", "Nexus 5", "ended"],
  ["35163707", "Sony", "Xperia Z3", "ended"],
  ["35276509", "Sony", "Xperia XA2", "ended"],
  ["35668200", "Sony Ericsson", "W800i", "ended"],
  ["35169006", "HTC", "One (M8)", "ended"],
  ["86093803", "Huawei", "ALE-L21", "ended"],
  ["35186508", "Motorola", "Moto G5", "ended"],
  ["35153001", "Motorola", "RAZR V3", "ended"],
  ["86366403", "OnePlus", "3T", "ended"],
  ["86122904", "OnePlus", "GM1900", "ended"],
  ["35719706", "Fairphone", "2", "ended", "2023-03-07"],
  ["35150305", "BlackBerry", "9900", "ended"],
  ["35017051", "Siemens", "C65", "ended"],
  ["35209900", "Alcatel", "One Touch 332", "ended"],
  ["35345678", "Samsung", "Galaxy Note8", "unknown"], // the number is of 2020 or later: the row cannot be right
];

for (const [tac, make, model, verdict, supportEnds] of PHONES) {
  test(`${make} ${model} (TAC ${tac}) is ${verdict}`, () => {
    const answer = ask(tac);
    assert.deepEqual([answer.device.make, answer.device.model], [make, model]);
    assert.equal(answer.verdict, verdict, JSON.stringify(answer.reasons));
    if (supportEnds !== undefined) assert.equal(answer.supportEnds, supportEnds);
    assert.equal(deciding(answer.reasons) !== undefined, verdict !== "unknown");
  });
}

test("no phone of the shipped lists with a release of 2023 or later is ended unless its maker dated the end", () => {
  const tacs = new Set(catalog.data.tac.flatMap(({ rows }) => [...rows].map(({ tac }) => tac)));
  const wrong = [...tacs]
    .map((tac) => ask(tac))
    .filter(({ device, verdict, supportEnds }) => {
      return (device.releasedYear ?? 0) >= 2023 && verdict === "ended" && supportEnds === null;
    });
  assert.deepEqual(
    wrong.map(({ device }) => device.tac),
    [],
  );
});

test("the verdict moves with the day asked for, not with the day of the data", () => {
  assert.equal(ask("35201307", { asOf: "2022-12-31" }).verdict, "supported");
  assert.equal(ask("35201307", { asOf: "2023-01-24" }).verdict, "ended");
  assert.equal(ask("35002027", { asOf: "2027-02-25" }).verdict, "supported");
  assert.equal(ask("35002027", { asOf: "2027-02-26" }).verdict, "ended");
});

test("a flag without a date is believed for a year, then no longer", () => {
  assert.equal(ask("35104463", { asOf: "2027-08-01" }).verdict, "supported");
  assert.equal(deciding(ask("35104463", { asOf: "2027-08-01" }).reasons), "maker_support_end");
  assert.equal(ask("35104463", { asOf: "2045-01-01" }).verdict, "ended");
});

test("an override of the operator stands above all, either way", () => {
  const override = { scope: "tac", verdict: "supported", supportEnds: "2030-01-01" } as const;
  const answer = ask("35134010", { override });
  assert.deepEqual(
    [answer.verdict, answer.supportEnds, deciding(answer.reasons)],
    ["supported", "2030-01-01", "operator_override"],
  );
  assert.equal(ask("35000861", { override: { scope: "imei", verdict: "ended" } }).verdict, "ended");
});

test("a listed model or series is left behind whatever its age (R87)", () => {
  for (const pattern of ["Samsung/Galaxy S25", "samsung/galaxys25", "SAMSUNG/galaxy s2*", "Samsung/*"]) {
    const answer = ask("35000861", { policy: { ...DEFAULT_SUPPORT_POLICY, listedModels: [pattern] } });
    assert.deepEqual([answer.verdict, deciding(answer.reasons)], ["ended", "model_list"], pattern);
  }
  for (const pattern of [
    "Samsung/Galaxy S2",
    "Apple/Galaxy S25",
    "Galaxy S25",
    "Samsung/Galaxy S25 Ultra",
    "",
  ]) {
    const answer = ask("35000861", { policy: { ...DEFAULT_SUPPORT_POLICY, listedModels: [pattern] } });
    assert.equal(answer.verdict, "supported", pattern);
  }
});

test("without a deal between operator and maker even a new device is left behind (R88)", () => {
  const answer = ask("35000861", { relation: { make: "Samsung", deal: false } });
  assert.deepEqual([answer.verdict, deciding(answer.reasons)], ["ended", "maker_relation"]);
  assert.equal(ask("35000861", { relation: { make: "Samsung", deal: true } }).verdict, "supported");
});

test("the operator's cut-off counts whole years from the model's release to the day asked for (R86)", () => {
  const cutOff = (ageCutOffYears: number, asOf: string) =>
    ask("35037334", { policy: { ...DEFAULT_SUPPORT_POLICY, ageCutOffYears }, asOf }); // Galaxy S23, 17 February 2023
  assert.equal(cutOff(2, "2025-02-17").verdict, "supported");
  for (const [years, day] of [
    [2, "2025-02-18"],
    [3, "2026-02-18"],
    [4, "2027-02-18"],
  ] as const) {
    assert.deepEqual(
      [cutOff(years, day).verdict, deciding(cutOff(years, day).reasons)],
      ["ended", "age_cutoff"],
    );
  }
});

test("a TAC in no list has no make and no model, and is ended only when all of its age are", () => {
  const old = ask("35260003"); // 35, 2600, 03: models of 2006 to 2009
  assert.deepEqual(
    [old.device.make, old.device.model, old.device.ageWindow],
    [null, null, { from: 2006, to: 2009 }],
  );
  assert.deepEqual([old.verdict, deciding(old.reasons)], ["ended", "number_age"]);
  const middle = ask("86000005"); // 2019 to 2022: an iPhone 11 of that age is supported
  assert.deepEqual([middle.device.make, middle.verdict], [null, "unknown"]);
  const young = ask("86999908"); // 2025 and 2026
  assert.deepEqual([young.device.make, young.verdict], [null, "supported"]);
});

test("two windows of one number decide nothing", () => {
  const answer = ask("35123499");
  assert.equal(answer.device.make, null);
  assert.equal(answer.device.ageWindows.length, 2);
  assert.deepEqual([answer.device.ageWindow, answer.verdict], [null, "unknown"]);
  assert.equal(answer.reasons[0]?.saw.undecided, true);
});

test("a support of two weeks is a slip of the list and decides nothing", () => {
  const row = catalog.data.lifecycle.rows.find(({ label }) => label === "Nokia X71");
  assert.ok(row);
  const device = {
    ...catalog.deviceOf("35123499"),
    make: "Nokia",
    lifecycle: { how: "label", rows: [row] },
  } as const;
  const release = { from: row.released, to: row.released, basis: "lifecycle" } as const;
  const answer = ask("35123499", { device: { ...device, release }, asOf: "2020-01-01" });
  assert.notEqual(answer.supportEnds, "2019-05-01");
});

test("the default policy says so with each rule: no rule of the operator is asked", () => {
  const rules = ask("35201307").reasons.map(({ rule }) => rule);
  assert.deepEqual(rules, ["maker_support_end"]);
});
