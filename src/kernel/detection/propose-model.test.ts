/** Which model handsets say that they are, and when that is ground for a row. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type HandsetSaid, proposedModelOf } from "./propose-model.ts";
import { modelSaid, type SaidSource } from "./said-of-device.ts";

const handset = (deviceId: string, source: SaidSource, value: string): HandsetSaid => ({
  deviceId,
  said: [{ source, value, times: 1 }],
});
const browser = (deviceId: string, model: string): HandsetSaid =>
  handset(deviceId, "user_agent", `Mozilla/5.0 (Linux; Android 13; ${model} Build/TP1A) AppleWebKit/537.36`);

test("two handsets that say the same model are ground for a row, whatever market each was made for", () => {
  assert.deepEqual(proposedModelOf("35693803", [browser("a", "SM-A546B"), browser("b", "SM-A546E")]), {
    make: "Samsung",
    model: "SM-A546B",
    handsets: 2,
    ofHandsets: 2,
    sources: ["user_agent"],
  });
});

test("one handset alone, however often it says so, is none", () => {
  assert.equal(proposedModelOf("35693803", [browser("a", "SM-A546B"), browser("a", "SM-A546B")]), null);
});

test("handsets that disagree are ground for nothing; one false IMEI among many does not count", () => {
  const two = [browser("a", "SM-A546B"), browser("b", "SM-A546B")];
  assert.equal(proposedModelOf("35693803", [...two, browser("c", "Pixel 7")]), null);
  const many = [...two, ...["d", "e"].map((id) => browser(id, "SM-A546B")), browser("c", "Pixel 7")];
  assert.equal(proposedModelOf("35693803", many)?.handsets, 4);
});

test("a special TAC is nobody's model", () => {
  assert.equal(proposedModelOf("00440245", [browser("a", "SM-A546B"), browser("b", "SM-A546B")]), null);
});

test("what a device says is read where its form is known, and says nothing where it is not", () => {
  for (const [source, value, make, model] of [
    ["user_agent", "Nokia6300/2.0 (05.00) Profile/MIDP-2.0 Configuration/CLDC-1.1", "Nokia", "6300"],
    ["user_agent", "SonyEricssonK800i/R1JC Browser/NetFront/3.3", "Sony Ericsson", "K800i"],
    [
      "user_agent",
      "Mozilla/5.0 (Linux; Android 12; moto g(30)) AppleWebKit/537.36",
      "Motorola",
      "moto g(30)",
    ],
    ["user_agent", "Mozilla/5.0 (Android 13; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", null, null],
    ["user_agent", "curl/8.0", null, null],
    ["user_agent", "profiled/1.0 (iPhone14,2) CFNetwork/1494 Darwin/23.4.0", "Apple", "iPhone14,2"],
    ["user_agent", "profiled/1.0 (iPad8,11) CFNetwork/1494 Darwin/23.4.0", null, null],
    ["ua_profile", "http://nds1.nds.nokia.com/uaprof/N6300r100.xml", "Nokia", "6300"],
    ["ua_profile", "http://wap.sonyericsson.com/UAprof/K800iR101.xml", "Sony Ericsson", "K800i"],
    ["ua_profile", "http://218.249.47.94/Xianghe/MTK_LTE_Phone_UAprofile.xml", null, null],
    ["apple_product", "iPhone14,2", "Apple", "iPhone14,2"],
    ["terminal_profile", "ffffffff7f1100df", null, null],
  ] as const) {
    const told = modelSaid({ source, value });
    assert.deepEqual([told.make, told.model], [make, model], value);
  }
});
