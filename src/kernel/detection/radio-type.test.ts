/** Radio types by number and by word. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { radioTypeIn } from "./radio-type.ts";

test("radio types are read by their numbers and in the words that exports write", () => {
  for (const [radio, ...texts] of [
    ["geran", "2", "GERAN", "GSM", "2G"],
    ["utran", "1", "UTRAN", "UMTS"],
    ["hspa_evolution", "5", "HSPA+", "hspa_evolution"],
    ["eutran", "6", "E-UTRAN", "LTE", "4G", "WB-E-UTRAN"],
    ["eutran_nb_iot", "8", "NB-IoT", "eutran_nb_iot"],
    ["lte_m", "9", "LTE-M", "Cat-M1"],
    ["nr", "51", "NR", "5G"],
    ["other", "3", "WLAN", "7", "55"],
  ] as const)
    for (const text of texts) assert.equal(radioTypeIn(text), radio, text);
  assert.equal(radioTypeIn("pigeon"), undefined);
  assert.equal(radioTypeIn(""), undefined);
});
