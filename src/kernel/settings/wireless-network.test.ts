/** Wi-Fi networks: which keys are keys, and for which models a network is (R126). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type WirelessNetwork, wirelessFault, wirelessFor } from "./wireless-network.ts";

const network = (more: Partial<WirelessNetwork> = {}): WirelessNetwork => ({
  ...{ id: "1", name: "Meridian", ssid: "meridian", security: "wpa_psk", key: "eight888" },
  ...{ hidden: false, models: [] },
  ...more,
});

test("a key is refused that no phone would take, and a name of more than 32 octets", () => {
  assert.equal(wirelessFault(network()), undefined);
  assert.equal(wirelessFault(network({ security: "open", key: null })), undefined);
  assert.equal(wirelessFault(network({ security: "wep", key: "12345" })), undefined);
  for (const bad of [
    network({ key: "short77" }),
    network({ key: null }),
    network({ key: "ü".repeat(10) }),
    network({ security: "open" }),
    network({ security: "wep", key: "123456" }),
  ])
    assert.equal(wirelessFault(bad)?.at, "key");
  assert.equal(wirelessFault(network({ ssid: "ü".repeat(17) }))?.at, "ssid", "octets count, not characters");
});

test("a network for some models goes to no other, and one for all to handsets that nobody named too", () => {
  const some = network({ id: "2", models: ["Nokia/E*"] });
  const idsFor = (make: string | null, model: string | null) =>
    wirelessFor([network(), some], { make, model }).map(({ id }) => id);
  assert.deepEqual(idsFor("Nokia", "E71"), ["1", "2"]);
  assert.deepEqual(idsFor("Nokia", "3310"), ["1"]);
  assert.deepEqual(idsFor(null, null), ["1"]);
});
