/** When what a handset says of itself, or its radio, proves its IMEI false. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { falseModelIn, type ListedModel } from "./false-model.ts";
import type { Said, SaidSource } from "./said-of-device.ts";

const NOKIA_6300: ListedModel = {
  make: "Nokia",
  model: "6300",
  modelCodes: ["RM-217"],
  networks: ["2G GSM"],
  release: { from: "2007-01-01", to: "2007-12-31" },
};
const GALAXY_A51: ListedModel = {
  make: "Samsung",
  model: "Galaxy A51",
  modelCodes: ["SM-A515F"],
  networks: ["2G GSM", "3G UMTS", "4G LTE"],
  release: { from: "2019-12-16", to: "2019-12-16" },
};
const IPHONE_UA =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
const android = (model: string) =>
  `Mozilla/5.0 (Linux; Android 13; ${model}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36`;
const said = (source: SaidSource, value: string, times = 2): Said => ({ source, value, times });

test("a handset whose own profile names another maker than its number bears a false IMEI", () => {
  const found = falseModelIn(
    NOKIA_6300,
    [said("ua_profile", "http://wap.samsungmobile.com/uaprof/SGH-E250.xml", 1)],
    [],
  );
  assert.deepEqual(found, {
    rule: "other_make",
    reason: "its number is of Nokia 6300, and its own profile (UAProf) says Samsung SGH-E250",
  });
});

test("an iPhone behind a Nokia's number is told by its product, at once", () => {
  assert.equal(falseModelIn(NOKIA_6300, [said("apple_product", "iPhone14,2", 1)], [])?.rule, "other_make");
});

test("a browser that says so once may be another phone's, to which the link was handed on; twice it counts", () => {
  assert.equal(falseModelIn(GALAXY_A51, [said("user_agent", IPHONE_UA, 1)], []), null);
  assert.equal(falseModelIn(GALAXY_A51, [said("user_agent", IPHONE_UA, 2)], [])?.rule, "other_make");
});

test("what a computer or a tablet opened says nothing of the phone", () => {
  for (const value of [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1",
  ])
    assert.equal(falseModelIn(NOKIA_6300, [said("user_agent", value, 9)], []), null, value);
});

test("a Samsung's code for another market is the same model, and another model's code is not", () => {
  assert.equal(falseModelIn(GALAXY_A51, [said("user_agent", android("SM-A515U1"))], []), null);
  assert.equal(falseModelIn(GALAXY_A51, [said("user_agent", android("SM-G991B"))], [])?.rule, "other_model");
});

test("a browser that hides its model still says Android, which no phone of 2007 runs", () => {
  assert.equal(falseModelIn(NOKIA_6300, [said("user_agent", android("K"))], [])?.rule, "no_such_system");
  assert.equal(falseModelIn(GALAXY_A51, [said("user_agent", android("K"))], []), null);
});

test("brands of one house, and makers that build for others, prove nothing", () => {
  const pixel: ListedModel = { ...GALAXY_A51, make: "HTC", model: "Pixel", modelCodes: [] };
  assert.equal(falseModelIn(pixel, [said("user_agent", android("Pixel"))], []), null);
  const vodafone: ListedModel = { ...GALAXY_A51, make: "Vodafone", model: "Smart", modelCodes: [] };
  assert.equal(falseModelIn(vodafone, [said("user_agent", android("ZTE Blade V9"))], []), null);
  const poco: ListedModel = { ...GALAXY_A51, make: "Xiaomi", model: "F1", modelCodes: [] };
  assert.equal(falseModelIn(poco, [said("user_agent", android("POCO F1"))], []), null);
});

test("a model without that radio that is seen on it bears a false IMEI", () => {
  assert.equal(falseModelIn(NOKIA_6300, [], ["geran"]), null);
  assert.deepEqual(falseModelIn(NOKIA_6300, [], ["geran", "eutran"]), {
    rule: "no_such_radio",
    reason: "its number is of Nokia 6300, which has no more than 2G, and it was seen on eutran",
  });
});

test("where no list has the radios of a model, its year tells whether such a radio can be in it", () => {
  const old = { ...NOKIA_6300, networks: [] };
  assert.equal(falseModelIn(old, [], ["utran"]), null);
  assert.equal(falseModelIn(old, [], ["eutran"])?.rule, "no_such_radio");
  assert.equal(falseModelIn({ ...old, release: null }, [], ["nr"]), null);
});

test("a number that no list names contradicts nobody", () => {
  const unknown: ListedModel = { make: null, model: null, modelCodes: [], networks: [], release: null };
  assert.equal(falseModelIn(unknown, [said("apple_product", "iPhone14,2")], ["nr"]), null);
});
