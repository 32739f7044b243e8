/** An operator's Wi-Fi networks on PostgreSQL: whose they are, and where their key stands. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderShop } from "../../../test/fixture/order-shop.ts";
import type { WirelessNetwork } from "../../kernel/settings/wireless-network.ts";
import { uuidv7 } from "../database/uuid.ts";

const shop = await orderShop();
const network = (): WirelessNetwork => ({
  ...{ id: uuidv7(), name: "Meridian", ssid: "meridian-hotspot", security: "wpa_psk" },
  ...{ key: "correct horse", hidden: true, models: ["Nokia/E*"] },
});

test("R126: a Wi-Fi network is its operator's alone, its key stands sealed, and orders are decided by it at once", async () => {
  const [mine, theirs] = [await shop.operator(), await shop.operator()];
  const { wirelessNetworks, audit } = shop.registry;
  const one = network();
  await wirelessNetworks.add(mine, one, "tester");
  await wirelessNetworks.add(mine, one, "tester");
  assert.deepEqual(await wirelessNetworks.list(mine), [one]);
  assert.deepEqual(await wirelessNetworks.list(theirs), []);
  const rows = await shop.database.rows("select * from wireless_network where operator_id = $1", [mine]);
  assert.equal(rows.length, 1);
  assert.ok(!JSON.stringify(rows).includes("correct horse"));
  assert.deepEqual((await shop.store.termsOf(mine)).wirelessNetworks, [one]);
  assert.equal(await wirelessNetworks.retire(theirs, one.id, "tester"), false);
  assert.equal(await wirelessNetworks.retire(mine, one.id, "tester"), true);
  assert.deepEqual((await shop.store.termsOf(mine)).wirelessNetworks, []);
  const { rows: told } = await audit.list(mine, { limit: 10 });
  assert.deepEqual(told.map(({ action }) => action).sort(), [
    "wireless_network.add",
    "wireless_network.retire",
  ]);
  assert.ok(!JSON.stringify(told).includes("correct horse"));
});
