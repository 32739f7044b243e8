/** Access points by model and Wi-Fi networks at a terminal, over the same code as the API (R79, R126). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createRegistry } from "../../store/operator/registry.ts";

const points = () => import("./access-point.ts");
const networks = () => import("./wireless-network.ts");
const fixture = await cliFixture([
  { name: "access-point add", summary: "", load: async () => (await points()).accessPointAddCommand },
  { name: "access-point list", summary: "", load: async () => (await points()).accessPointListCommand },
  { name: "access-point remove", summary: "", load: async () => (await points()).accessPointRemoveCommand },
  {
    name: "wireless-network add",
    summary: "",
    load: async () => (await networks()).wirelessNetworkAddCommand,
  },
  {
    name: "wireless-network list",
    summary: "",
    load: async () => (await networks()).wirelessNetworkListCommand,
  },
  {
    name: "wireless-network remove",
    summary: "",
    load: async () => (await networks()).wirelessNetworkRemoveCommand,
  },
]);
const { accessPoints, wirelessNetworks, audit } = createRegistry({
  ...fixture,
  newId: uuidv7,
  clock: () => new Date(),
});
const NORTH = await fixture.operator("north");
await fixture.operator("south");
const run = (...argv: string[]) => fixture.run([...argv, "--operator", "north"]);

test("an access point for a model is added from a file, listed without its password, and removed", async () => {
  const point = {
    name: "Old phones",
    uses: ["internet"],
    apn: "old.example",
    user: "wap",
    password: "open-sesame",
    criteria: { mcc: "001", mnc: "01", models: ["Nokia/3310*"] },
  };
  const both = [
    point,
    { ...point, name: "All phones", apn: "all.example", criteria: { mcc: "001", mnc: "01" } },
  ];
  const added = await run("access-point", "add", fixture.file("points.json", JSON.stringify(both)), "--json");
  assert.equal(added.exitCode, 0, added.stderr);
  const [one, other] = jsonLines(added.stdout);
  assert.deepEqual([one?.password, one?.criteria, other?.apn], ["***", point.criteria, "all.example"]);
  const kept = await accessPoints.list(NORTH);
  assert.deepEqual(
    kept.map(({ apn, password, confirmed, ownership }) => [apn, password, confirmed, ownership]),
    [
      ["old.example", "open-sesame", true, "operator"],
      ["all.example", "open-sesame", true, "operator"],
    ],
  );
  const listed = await run("access-point", "list");
  assert.match(listed.stdout, /Old phones +old\.example +internet +001-01 +Nokia\/3310\*/);
  assert.match(listed.stdout, /All phones +all\.example +internet +001-01 +all/);
  assert.ok(!(listed.stdout + added.stdout).includes("open-sesame"));
  assert.match(
    (await fixture.run(["access-point", "list", "--operator", "south"])).stderr,
    /no access point/,
  );

  assert.equal((await run("access-point", "remove", String(one?.id))).exitCode, 0);
  assert.deepEqual(
    (await accessPoints.list(NORTH)).map(({ apn }) => apn),
    ["all.example"],
  );
  const twice = await run("access-point", "remove", String(one?.id));
  assert.match(twice.stderr, /^access_point_not_found: /m);
  const { rows } = await audit.list(NORTH, { limit: 20 });
  for (const action of ["access_point.add", "access_point.retire"])
    assert.ok(
      rows.some((row) => row.action === action && row.actor === "cli"),
      action,
    );
});

test("of a file with one bad entry nothing is written, and the entry and its field are named", async () => {
  const good = { name: "Shop", ssid: "shop", security: "wpa_psk", key: "correct horse" };
  for (const [bad, words] of [
    [{ ...good, key: "short" }, /entry 1 is no Wi-Fi network: key 8 to 63 printable ASCII/],
    [{ ...good, security: "none" }, /entry 1 is no Wi-Fi network: security must be one of/],
    [{ ...good, colour: "red" }, /colour is not known here/],
  ] as const) {
    const { exitCode, stderr } = await run(
      "wireless-network",
      "add",
      fixture.file("bad.json", JSON.stringify([good, bad])),
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, words);
  }
  assert.deepEqual(await wirelessNetworks.list(NORTH), []);
  assert.equal((await run("wireless-network", "add", fixture.file("no.json", "{"))).exitCode, 2);
  const mad = await run("access-point", "add", fixture.file("mad.json", '{"name": "x"}'));
  assert.match(mad.stderr, /uses is missing; apn is missing; criteria is missing/);
});

test("a Wi-Fi network for a model is added, listed without its key, and removed", async () => {
  const network = {
    name: "Shop",
    ssid: "shop",
    security: "wpa_psk",
    key: "correct horse",
    models: ["Nokia/*"],
  };
  const file = fixture.file("wifi.json", JSON.stringify(network));
  const added = await run("wireless-network", "add", file, "--json");
  assert.equal(added.exitCode, 0, added.stderr);
  const [{ id } = {}] = jsonLines(added.stdout);
  const [kept] = await wirelessNetworks.list(NORTH);
  assert.deepEqual(
    [kept?.ssid, kept?.key, kept?.hidden, kept?.models],
    ["shop", "correct horse", false, ["Nokia/*"]],
  );
  const listed = await run("wireless-network", "list");
  assert.match(listed.stdout, /Shop +shop +wpa_psk +Nokia\/\*/);
  assert.ok(!(listed.stdout + added.stdout).includes("correct horse"));
  assert.equal((await run("wireless-network", "remove", String(id))).exitCode, 0);
  assert.deepEqual(await wirelessNetworks.list(NORTH), []);
});
