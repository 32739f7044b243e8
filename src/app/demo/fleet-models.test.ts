/** The models of the demonstration: what their network tells of them is true of them. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { falseModelIn } from "../../kernel/detection/false-model.ts";
import { radioTypeIn } from "../../kernel/detection/radio-type.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { fleetModels } from "./fleet-models.ts";

test("each model is served by a radio that it has, old ones by none that came later, so that none is taken for another", () => {
  const catalog = new DeviceCatalog(readShippedDatasets());
  const radios = new Map<string, string>();
  for (const { tac, make, model, radioType } of fleetModels(catalog)) {
    const radio = radioTypeIn(String(radioType));
    assert.ok(radio !== undefined && radio !== "other", `${make} ${model}: ${radioType}`);
    assert.equal(falseModelIn(catalog.deviceOf(tac), [], [radio]), null, `${make} ${model} on ${radio}`);
    radios.set(tac, radio);
  }
  assert.equal(radios.get("33504400"), "geran", "a Nokia 3100 of 2003");
  assert.ok(new Set(radios.values()).size >= 3, [...new Set(radios.values())].join(" "));
});
