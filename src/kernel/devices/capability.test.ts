/** What a platform leaves open, the chipset may say (R125): by the shipped data, with its source. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { shippedData } from "../../../test/fixture/shipped-devices.ts";
import { capabilityOf } from "./capability.ts";

const { rows } = shippedData.capability;
const release = (day: string) => ({ from: day, to: day, basis: "facts" }) as const;
const phone = (said: Partial<Parameters<typeof capabilityOf>[0]>, data = rows) =>
  capabilityOf(
    {
      make: "Tecno",
      model: "Spark 5",
      modelCodes: [],
      form: "phone",
      release: release("2020-05-01"),
      isListedSmartphone: true,
      chipset: null,
      ...said,
    },
    data,
  );

test("an Android phone of which nobody knows takes OMA CP where its chip maker's build does, and the data says so", () => {
  const { omaCp, byChipset, evidence } = phone({ chipset: "MediaTek MT6761 Helio A22" });
  assert.deepEqual(
    [omaCp, byChipset?.chipset, byChipset?.protocols],
    ["yes", "MediaTek MT6761 Helio A22", ["omaCp"]],
  );
  assert.ok(evidence.some((one) => one.includes(byChipset?.evidence ?? "?")));
  for (const chipset of [null, "Qualcomm MSM8939 Snapdragon 615", "Snapdragon beside MediaTek"]) {
    const other = phone({ chipset });
    assert.deepEqual([other.omaCp, other.byChipset], ["unknown", null], String(chipset));
  }
});

test("what the data says of a maker's own platform stands, and so does a release before the chip maker's build", () => {
  const chipset = "Mediatek Helio G85";
  assert.deepEqual(
    [phone({ make: "Samsung", chipset }).omaCp, phone({ make: "Samsung", chipset }).byChipset],
    ["yes", null],
  );
  assert.equal(phone({ make: "Xiaomi", chipset }).omaCp, "unknown");
  assert.equal(phone({ chipset, release: release("2010-05-01") }).omaCp, "unknown");
  assert.equal(phone({ make: "Apple", chipset }).omaCp, "no");
});

test("a platform of which is said that it takes no OMA CP gets no form of it from its chip maker", () => {
  const chipset = "MediaTek MT6761";
  assert.equal(phone({ chipset }).settingsForm, "oma_cp");
  const said = rows.map((row) =>
    row.make === "*" && row.chipset === "" ? { ...row, omaCp: "no" as const, settingsForm: null } : row,
  );
  assert.deepEqual([phone({ chipset }, said).omaCp, phone({ chipset }, said).settingsForm], ["no", null]);
});
