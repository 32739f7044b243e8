/** What the device in hand lacks the hardware for, on every screen of the portal: held back, with its reason (R78, R125). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { filled, portalOver } from "../../../test/fixture/portal.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { DEVICE_PATHS } from "../../wire/message/legs.ts";

const shop = await requestShop();
const EURO = { currency: "EUR", monthlyMinor: 0 } as const;
const NEEDS = { assurance: "network", verification: false, card: false } as const;
const NAME = (en: string) => ({ name: { en } });
const ITEMS = [
  {
    id: "video",
    ...NAME("Video"),
    price: { ...EURO, onceMinor: 500 },
    requires: { ...NEEDS, hardware: ["camera"] },
  },
  {
    id: "maps",
    ...NAME("Maps"),
    price: { ...EURO, onceMinor: 100 },
    requires: { ...NEEDS, screen: "240x320" },
  },
  { id: "fast", ...NAME("Fast data"), requires: { ...NEEDS, bands: ["LTE 800"] } },
  { id: "desk", ...NAME("Desk"), requires: { ...NEEDS, classes: ["tablet"] } },
  { id: "radio", ...NAME("Radio"), price: { ...EURO, onceMinor: 200 } },
  { id: "pack", ...NAME("Pack"), kind: "package", includes: ["video", "radio"] },
  { id: "film", ...NAME("Film"), kind: "package", includes: ["video", "maps"] },
] as const;
const KNOWN = shop.world.hardware;
const OLD = {
  camera: "none",
  screen: { widthPx: 128, heightPx: 160, inch: null },
  bands: ["GSM 900"],
  modelClass: "phone",
} as const;
async function on<Value>(hardware: typeof KNOWN, work: () => Promise<Value>): Promise<Value> {
  shop.world.hardware = hardware;
  try {
    return await work();
  } finally {
    shop.world.hardware = KNOWN;
  }
}

test("lists and pages say what the device lacks for an item, and lead to no form of it; of a package the rest is offered at the price of the rest", async () => {
  const fixture = await shop.fixture("lacking", ITEMS);
  const { screen } = portalOver(shop, fixture);
  await on(OLD, async () => {
    const notes = async (kind: string) =>
      (await screen("GET", `/d/list/${kind}`)).entries.map(({ label, note }) => [label, note]);
    assert.deepEqual((await notes("feature")).sort(), [
      ["Desk", "Not for this kind of device"],
      ["Fast data", "Not for your device: it lacks the radio bands"],
      ["Maps", "Not for your device: its screen is too small"],
      ["Radio", "€2.00 once"],
      ["Video", "Not for your device: it has no camera"],
    ]);
    assert.deepEqual((await notes("package")).sort(), [
      ["Film", "Not for your device: it has no camera"],
      ["Pack", "€2.00 once"],
    ]);
    const video = await screen("GET", "/d/items/video");
    assert.deepEqual([video.entries, video.text.at(-1)], [[], "Not for your device: it has no camera"]);
    const pack = await screen("GET", "/d/items/pack");
    assert.ok(pack.text.includes("Without what your device cannot have: Video"));
    assert.equal(pack.entries[0]?.label, "Order");
    assert.equal((await screen("GET", "/d/items/pack/order")).text[0], "Pack: €2.00 once");
  });
  assert.equal((await screen("GET", "/d/items/video")).entries[0]?.label, "Order", "of an unknown model");
});

test("an old address, a kept form and a client module's own JSON order nothing that the device lacks the hardware for", async () => {
  const fixture = await shop.fixture("lacking orders", ITEMS);
  const { screen } = portalOver(shop, fixture);
  const form = filled(await screen("GET", "/d/items/video/order"));
  const json = { contentType: "application/json", idempotencyKey: "k1" };
  await on(OLD, async () => {
    const old = await screen("GET", "/d/items/video/order");
    assert.deepEqual([old.status, old.code, old.form], [409, "item_unavailable", undefined]);
    const kept = await screen("POST", DEVICE_PATHS.requests, form);
    assert.deepEqual([kept.status, kept.code], [409, "item_unavailable"]);
    const asked = await screen("POST", DEVICE_PATHS.requests, { selection: ["video"] }, json);
    assert.deepEqual([asked.status, asked.code], [409, "item_unavailable"]);
  });
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 0);
});
