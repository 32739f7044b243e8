/** Models of real TACs by the shipped lists, and which list's word counts. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { shippedCatalog as catalog, shippedData as data } from "../../../test/fixture/shipped-devices.ts";
import { parseTacImport } from "../../store/dataset/tac-import.ts";
import { runsKeys } from "./capability.ts";
import { DeviceCatalog } from "./catalog.ts";
import { labelKey, makeOf } from "./names.ts";

test("every TAC of the shipped lists is found, with its source and version", () => {
  const tacs = new Set(data.tac.flatMap(({ rows }) => [...rows].map(({ tac }) => tac)));
  assert.equal(catalog.size, tacs.size);
  for (const tac of tacs) {
    const { make, source, datasetVersion } = catalog.deviceOf(tac);
    assert.ok(make && source && /^[0-9a-f]{12}$/.test(datasetVersion ?? ""), tac);
  }
});

test("a TAC in no list has no make and no model", () => {
  const device = catalog.deviceOf("35123499");
  assert.deepEqual(
    [device.make, device.model, device.source, device.capability.omaCp],
    [null, null, null, "unknown"],
  );
});

test("a model code alone gives the marketing name that the lists agree on", () => {
  const s3 = catalog.deviceOf("35341206");
  assert.deepEqual([s3.model, s3.modelCodes], ["Galaxy S3", ["GT-I9300"]]);
  const iphone = catalog.deviceOf("35648710");
  assert.deepEqual([iphone.model, iphone.releasedYear], ["iPhone SE", 2016]);
});

test("of two lists the row with the exact code wins, and the other is reported", () => {
  const device = catalog.deviceOf("35972105");
  assert.deepEqual([device.make, device.modelCodes, device.source], ["Samsung", ["SGH-I337"], "tac-osmocom"]);
  assert.deepEqual(device.conflicts, [{ source: "tac-samsung", make: "Samsung", model: "Galaxy S4 Mini" }]);
});

test("of two makes the one whose year fits the number wins", () => {
  const device = catalog.deviceOf("35642901"); // given out 2004 to 2007
  assert.deepEqual([device.make, device.model, device.conflicts[0]?.make], ["Nokia", "N76", "Samsung"]);
});

test("a name used twice never takes the later phone's support: Nokia 22 is not the 2.2, C3 of 2010 not that of 2020", () => {
  const nokia = data.tac.flatMap(({ rows }) => [...rows]).filter(({ make }) => make === "Nokia");
  const matched = nokia.filter(
    ({ tac, make }) => catalog.deviceOf(tac).make === make && catalog.deviceOf(tac).lifecycle,
  );
  assert.deepEqual(
    matched.map(({ tac }) => tac),
    [],
  );
  assert.ok(
    nokia.some(({ model }) => model === "C3" || model.startsWith("C3-")),
    "the lists hold the C3 of 2010",
  );
});

test("a name that the number contradicts brings no support date, in an import that flags nothing too", () => {
  const { rows } = parseTacImport(
    "tac,make,model\n35676300,Apple,iPhone 8\n35860804,Nokia,C3\n35299209,Apple,iPhone 8\n",
  );
  const own = { ref: { kind: "tac", name: "own", version: "0123456789ab", isOwn: true }, rows };
  const withOwn = new DeviceCatalog({ ...data, tac: [own] });
  const labels = rows.map(({ tac }) => withOwn.deviceOf(tac).lifecycle?.rows.map(({ label }) => label));
  assert.deepEqual(
    labels,
    [undefined, undefined, ["iPhone 8"]],
    "given out 2002-2005, 2008-2011 and 2016-2018",
  );
  assert.equal(catalog.deviceOf("35676300").lifecycle, null);
});

test("an operator's own import stands above the shipped lists", () => {
  const { rows } = parseTacImport(
    "tac,make,model,released_year\n35341206,Acme Ltd,Special,2024\n35123499,Acme,New,2026\n",
  );
  const own = { ref: { kind: "tac", name: "own", version: "0123456789ab", isOwn: true }, rows };
  const withOwn = new DeviceCatalog({ ...data, tac: [own, ...data.tac] });
  assert.deepEqual(
    [
      withOwn.deviceOf("35341206").model,
      withOwn.deviceOf("35341206").conflicts[0]?.model,
      withOwn.deviceOf("35123499").releasedYear,
    ],
    ["Special", "Galaxy S3", 2026],
  );
});

test("hardware facts come with the model where the list has it", () => {
  const { screen, networks, form } = catalog.deviceOf("35827609"); // Pixel 3
  assert.deepEqual(
    [screen, networks, form],
    [{ widthPx: 1080, heightPx: 2160, inch: 5.5 }, ["2G GSM", "3G UMTS", "3G CDMA2000", "4G LTE"], "phone"],
  );
});

// biome-ignore format: a table
const PROTOCOLS: readonly (readonly [string, string, string, string, string])[] = [
  ["35201307", "an iPhone 6", "no", "no", "yes"],
  ["35827609", "a Pixel 3", "no", "no", "no"],
  ["35341206", "a Galaxy S3", "yes", "no", "no"],
  ["35195903", "a Nokia N95 of Symbian", "yes", "yes", "no"],
  ["35014010", "a Nokia 3210", "no", "yes", "no"],
  ["35772402", "a keypad phone of Samsung", "yes", "unknown", "no"],
  ["35386301", "a modem", "no", "no", "no"],
  ["86366403", "a OnePlus 3T", "unknown", "no", "no"],
];
for (const [tac, what, omaCp, nokiaOta, appleProfile] of PROTOCOLS) {
  test(`${what} takes OMA CP ${omaCp}, Nokia OTA ${nokiaOta}, Apple profile ${appleProfile}`, () => {
    const { capability } = catalog.deviceOf(tac);
    assert.deepEqual(
      [capability.omaCp, capability.nokiaOta, capability.appleProfile],
      [omaCp, nokiaOta, appleProfile],
    );
    assert.ok(capability.evidence.length > 0);
  });
}

test("whether a model runs a device key is a column of its own, and nothing shipped claims that one does", () => {
  const keys = PROTOCOLS.map(([tac]) => catalog.deviceOf(tac).capability.deviceKey);
  assert.deepEqual(keys, ["no", "no", "unknown", "unknown", "no", "unknown", "no", "unknown"]);
  assert.ok(catalog.data.capability.rows.every(({ deviceKey }) => deviceKey !== "yes"));
});

test("a make is said to run keys only where every platform of it that may take one is said to", () => {
  const { rows } = catalog.data.capability;
  const says = (make: string, os: string, deviceKey: "yes" | "no") => ({
    ...rows.find((row) => row.make === "LG")!,
    make,
    os,
    deviceKey,
  });
  const with_ = (...more: ReturnType<typeof says>[]) => [
    ...more,
    ...rows.filter((row) => !more.some(({ make, os }) => row.make === make && row.os === os)),
  ];
  assert.equal(runsKeys("LG", rows), false);
  assert.equal(
    runsKeys("LG", with_(says("LG", "Android", "yes"))),
    false,
    "its feature phones are not spoken of",
  );
  const whole = with_(says("LG", "Android", "yes"), says("LG", "feature phone", "no"));
  assert.equal(runsKeys("lg", whole), true);
  assert.equal(runsKeys("*", whole), false);
  assert.equal(runsKeys("Apple", rows), false, "where none takes a key, none is confirmed");
});

test("makers have one spelling", () => {
  const spelled = [
    "Samsung Korea",
    "Samsung Electronics Co., Ltd.",
    "RIM",
    "TCT Mobile",
    "SonyEricsson",
    "OPPO",
    "HMD Global Oy",
  ];
  assert.deepEqual(spelled.map(makeOf), [
    "Samsung",
    "Samsung",
    "BlackBerry",
    "Alcatel",
    "Sony Ericsson",
    "Oppo",
    "HMD",
  ]);
  assert.equal(makeOf("Funkanlagen Leipoldt OHG"), "Funkanlagen Leipoldt OHG");
  assert.equal(makeOf("Xiaomi Communications Co Ltd"), "Xiaomi");
});

test("model names differ by plus and by the dot in a number, not by spaces or case", () => {
  assert.equal(labelKey("Samsung", "Galaxy S9 +"), labelKey("Samsung", "galaxy s9+"));
  assert.notEqual(labelKey("Samsung", "Galaxy S9"), labelKey("Samsung", "Galaxy S9+"));
  assert.notEqual(labelKey("Nokia", "22"), labelKey("Nokia", "Nokia 2.2"));
});
