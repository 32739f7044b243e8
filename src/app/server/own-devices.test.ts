/** An operator's own lists of devices answer that operator alone, and are taken up while servers run. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { shippedNetworkData } from "../../store/dataset/access-point-data.ts";
import { importDataset } from "../../store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { createOwnDevices } from "./own-devices.ts";

const database = await freshDatabase();
const own = createOwnDevices(readShippedDatasets(), database, shippedNetworkData);

async function operator(slug: string): Promise<string> {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [id, slug]);
  return id;
}

const importTac = (operatorId: string, model: string) =>
  importDataset(database, {
    id: uuidv7(),
    auditId: uuidv7(),
    operatorId,
    kind: "tac",
    name: "ours",
    version: "v1",
    sha256: "00",
    licence: "own",
    rows: [{ line: 2, body: { tac: "35201307", make: "Acme", model } }],
    refused: 0,
    actor: "test",
  });

test("each operator's import answers that operator alone, and is taken up while the server runs", async () => {
  const [north, south, none] = [await operator("north"), await operator("south"), await operator("none")];
  await own.refresh();
  assert.equal(own.of(north), undefined);
  await importTac(north, "Of north");
  await importTac(south, "Of south");
  await Promise.all([own.refresh(), own.refresh()]);
  assert.equal(own.of(north)?.catalog.deviceOf("35201307").model, "Of north");
  assert.equal(own.of(south)?.catalog.deviceOf("35201307").model, "Of south");
  assert.equal(own.of(none), undefined);

  const before = own.of(south);
  await importTac(north, "Of north again");
  await own.refresh();
  assert.equal(own.of(north)?.catalog.deviceOf("35201307").model, "Of north again");
  assert.equal(own.of(south), before, "what did not change is not built again");

  await database.run("update dataset set retired_at = now() where operator_id = $1", [north]);
  await own.refresh();
  assert.equal(own.of(north), undefined);
});
