/** Bands of models and networks, as lists write them (R78, R125). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { serviceOf } from "./bands.ts";
import { displayOf } from "./device-class.ts";

const TELEKOM = ["GSM 900", "LTE 800", "LTE 1800", "TD-LTE 2300", "5G 3500"];

test("a network serves a model that has one of its bands, and none that has others alone", () => {
  assert.deepEqual(serviceOf(["GSM 900", "GSM 1800"], TELEKOM), { answer: "yes", common: ["GSM 900"] });
  assert.equal(serviceOf(["GSM 850", "GSM 1900"], TELEKOM).answer, "no");
  assert.equal(serviceOf(["UMTS 900"], TELEKOM).answer, "no", "another technology in the same band");
  assert.deepEqual(serviceOf(["4G LTE"], TELEKOM).common, ["LTE 800", "LTE 1800", "TD-LTE 2300"]);
  assert.equal(serviceOf(["TDMA 800"], ["TDMA"]).answer, "yes");
});

test("where a list says nothing of bands, nothing is decided", () => {
  assert.equal(serviceOf([], TELEKOM).answer, "unknown");
  assert.equal(serviceOf(["GSM 900"], []).answer, "unknown");
  assert.equal(serviceOf(["GSM 900"], ["Unknown", "MVNO"]).answer, "unknown");
});

test("R13: a model shows what its screen says, else the least of its class, else nothing is known", () => {
  assert.equal(displayOf("phone", { widthPx: 176, heightPx: 220 }), "screen=176x220px; class=phone");
  assert.equal(displayOf("pager", null), "screen=20x8; class=pager");
  assert.equal(displayOf("remote", { widthPx: null, heightPx: null }), "screen=12x2; class=remote");
  assert.equal(displayOf("phone", null), null);
  assert.equal(displayOf(null, null), null);
});
