/** What an item needs of a model's hardware, and what the lists say that the model has (R78, R125). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { lackOf } from "./hardware.ts";

const UNKNOWN = { camera: null, screen: null, bands: [], modelClass: null };
const OLD = {
  camera: "none",
  screen: { widthPx: 128, heightPx: 160, inch: null },
  bands: ["GSM 900", "GSM 1800"],
  modelClass: "phone",
} as const;
const MODEM = { ...UNKNOWN, modelClass: "modem" } as const;

test("a model lacks what a list says that it is without, and what nobody knows decides nothing", () => {
  const needs = [
    [{ hardware: ["camera"] }, "camera"],
    [{ hardware: ["screen"] }, undefined],
    [{ screen: "176x220" }, "screen"],
    [{ screen: "160x128" }, undefined],
    [{ bands: ["LTE 800", "LTE 1800"] }, "bands"],
    [{ bands: ["LTE 800", "GSM 900"] }, undefined],
    [{ classes: ["tablet", "watch"] }, "class"],
    [{ classes: ["phone"] }, undefined],
    [{}, undefined],
  ] as const;
  for (const [need, lack] of needs) {
    assert.equal(lackOf(need, OLD), lack, JSON.stringify(need));
    assert.equal(lackOf(need, UNKNOWN), undefined, `${JSON.stringify(need)} of an unknown model`);
  }
  assert.equal(lackOf({ hardware: ["screen"] }, MODEM), "screen", "a modem shows nothing");
});

test("a list that names no camera says that there is none; one that says nothing does not", () => {
  const lacks = (camera: string | null) => lackOf({ hardware: ["camera"] }, { ...UNKNOWN, camera });
  for (const text of ["none", "No", "0 MP", "0", "not present", "-"])
    assert.equal(lacks(text), "camera", text);
  for (const text of [null, "0.3 MP", "5 MP, autofocus", "VGA", "nonesuch"])
    assert.equal(lacks(text), undefined, String(text));
});
