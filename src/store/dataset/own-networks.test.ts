/** What an operator says of networks and carriers stands in the place of what is shipped about them, and of nothing else. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { accessPointIndexOf, shippedNetworkData } from "./access-point-data.ts";
import type { OwnDataset } from "./own-devices.ts";
import { withOwnNetworks } from "./own-networks.ts";
import { readDeviceImport } from "./read-import.ts";

const shipped = shippedNetworkData();
type Kind = "mcc_mnc" | "carrier_id";
const setOf = (kind: Kind, text: string): OwnDataset => ({
  ...{ id: "1", operatorId: "2", kind, name: "ours", version: "1" },
  rows: readDeviceImport(kind, "ours", Buffer.from(text)).rows.map(({ body }) => body),
});
const refusalsOf = (kind: Kind, text: string) =>
  readDeviceImport(kind, "ours", Buffer.from(text)).refused.map(({ line, reason }) => `${line}: ${reason}`);
const networkIn = (own: readonly OwnDataset[], mcc: string, mnc: string) =>
  withOwnNetworks(shipped, own).networks.filter((one) => one.mcc === mcc && one.mnc === mnc);

test("an operator's network takes the place of the listed one, keeps its country where it says none, and a newer import counts", () => {
  const older = setOf("mcc_mnc", "mcc,mnc,brand\n262,01,Telefant\n262,98,Fieldnet\n");
  const newer = setOf("mcc_mnc", "mcc;mnc;brand;country\n262;01;Magenta;\n999;07;Depot;AT\n");
  const [network, ...others] = networkIn([newer, older], "262", "01");
  assert.deepEqual([network?.brand, network?.country, others.length], ["Magenta", "DE", 0]);
  const [made] = networkIn([newer, older], "262", "98");
  assert.deepEqual([made?.brand, made?.country], ["Fieldnet", "DE"], "its country is that of its MCC");
  assert.equal(networkIn([newer], "999", "07")[0]?.country, "AT");
  assert.equal(shipped.networks.find(({ mcc, mnc }) => mcc + mnc === "26201")?.brand === "Magenta", false);
  assert.deepEqual(withOwnNetworks(shipped, []).networks, shipped.networks);
});

test("a carrier of the operator's tells its SIMs by what it says; by its name it is the listed one, whose access points are its", () => {
  const listed = shipped.carriers.find(({ name }) => name === "congstar");
  assert.ok(listed);
  const own = setOf("carrier_id", `name,mccmnc,gid1,spn\n${listed.name},26201,beef,\nOur MVNO,26201,,Lumo\n`);
  const { carriers } = withOwnNetworks(shipped, [own]);
  const same = carriers.filter(({ carrierId }) => carrierId === listed.carrierId);
  assert.deepEqual(
    same.map(({ gid1Prefixes }) => gid1Prefixes),
    [["beef"]],
    "all that was listed of it is gone",
  );
  assert.equal(
    withOwnNetworks(shipped, [setOf("carrier_id", "name,mccmnc,gid1\ncongstar,23415,beef\n")]).carriers.find(
      ({ gid1Prefixes }) => gid1Prefixes.includes("beef"),
    )?.carrierId,
    -1,
    "one of the same name elsewhere is another",
  );
  const made = carriers.find(({ name }) => name === "Our MVNO");
  assert.ok(made && made.carrierId < 0, "a number that no list has");
  const index = accessPointIndexOf(withOwnNetworks(shipped, [own]));
  const sim = { mcc: "262", mnc: "01", spn: "Lumo" };
  assert.equal(accessPointIndexOf(shipped).kindOf(sim), "unknown");
  assert.equal(index.kindOf(sim), "virtual");
  assert.ok(index.aboutNetwork("262", "01").virtualOperators.some(({ name }) => name === "Our MVNO"));
});

test("rows that cannot be are refused by line: a code that lost its zero, a country in words, digits that are none", () => {
  assert.deepEqual(
    refusalsOf(
      "mcc_mnc",
      "mcc,mnc,country,brand\n262,1,DE,Lost\n262,02,Germany,Words\n26,02,DE,Short\n262,03,,\n262,03,DE,Well\n",
    ),
    [
      "2: mnc is not 2 or 3 digits; a zero in front counts",
      "3: country is not of two capital letters, as ISO 3166 has it",
      "4: mcc is not 3 digits",
      "5: says nothing of the network: give country, brand, operator, status or bands",
    ],
  );
  assert.deepEqual(
    refusalsOf(
      "carrier_id",
      "name,mccmnc,gid1,imsi_prefix\nA,262,,\nB,26201,xyz,\nC,26201,,26201x7\nD,26201|26202,,\n",
    ),
    [
      "2: mccmnc is not networks of 5 or 6 digits, parted by |",
      "3: gid1 is not hexadecimal digits, parted by |",
    ],
  );
  assert.throws(
    () => refusalsOf("carrier_id", "carrier,network\nA,26201\n"),
    /The header lacks name and mccmnc/,
  );
});
