/** What an order's history says of the settings that were chosen. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { settingsDetail } from "./settings-detail.ts";

test("R126: the record says which Wi-Fi networks go along, or that the format has no place for them", () => {
  const wireless = [
    { name: "Hotspot", ssid: "meridian", security: "open", key: null, hidden: false },
  ] as const;
  const values = { name: "Meridian", points: [], wireless };
  const choice = { kind: "chosen", confirmed: true, source: "own", values } as const;
  assert.deepEqual(settingsDetail(choice, { protocol: "omacp" }).wireless, ["meridian"]);
  const { wirelessWithheld } = settingsDetail(choice, { protocol: "nokiaota" });
  assert.deepEqual(wirelessWithheld, {
    ssids: ["meridian"],
    reason: "nokiaota has no place for a Wi-Fi network",
  });
});
