/** Sets of data in the database: loaded once, replaced, found by key. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { TurnupError } from "../../term/error.ts";
import { openDatabase } from "../database/database.ts";
import { uuidv7 } from "../database/uuid.ts";
import {
  type DatasetRow,
  importDataset,
  loadShippedDatasets,
  ownDatasetHeads,
  readOwnDatasets,
} from "./dataset-store.ts";
import { DATASETS } from "./datasets.ts";
import { readShippedDatasets } from "./devices.ts";
import { type OwnKind, tacColumnsOf, tacRowOf, withOwnDatasets } from "./own-devices.ts";
import { parseTacImport } from "./tac-import.ts";

const { database, config } = await freshDatabaseConfig();
const newId = (): string => uuidv7();
const shipped = readShippedDatasets();

const counts = () =>
  database.rows<{ name: string; rowCount: number; rows: number }>(
    `select d.name, d.row_count as "rowCount", count(r.line)::int as rows from dataset d
       left join dataset_row r on r.dataset_id = d.id
      where d.operator_id is null and d.retired_at is null group by 1, 2 order by 1`,
  );

async function operator(slug: string): Promise<string> {
  const id = newId();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [id, slug]);
  return id;
}

const own = (operatorId: string, kind: OwnKind, rows: readonly DatasetRow["body"][], name = "ours") =>
  importDataset(database, {
    id: newId(),
    auditId: newId(),
    operatorId,
    kind,
    name,
    version: "v1",
    sha256: createHash("sha256").update(JSON.stringify(rows)).digest("hex"),
    licence: "the operator's",
    rows: rows.map((body, at) => ({ line: at + 2, body })),
    refused: 0,
    actor: "test",
  });

test("two servers that start at once load every shipped set once, and a later start loads nothing", async () => {
  const other = await openDatabase(config);
  try {
    const [one, two] = await Promise.all([
      loadShippedDatasets(database, newId),
      loadShippedDatasets(other, newId),
    ]);
    assert.equal(one.loaded + two.loaded, DATASETS.length);
  } finally {
    await other.close();
  }
  const loaded = await counts();
  assert.deepEqual(
    loaded.map(({ name }) => name),
    DATASETS.map(({ file }) => file.replace(/\.csv(\.gz)?$/, "")).sort(),
  );
  for (const { name, rowCount, rows } of loaded) assert.equal(rows, rowCount, name);
  assert.equal(loaded.find(({ name }) => name === "tac-osmocom")?.rows, 25_484);
  const told: string[] = [];
  assert.deepEqual(await loadShippedDatasets(database, newId, (_done, _total, name) => told.push(name)), {
    loaded: 0,
  });
  assert.deepEqual(told, []);
});

test("a set of another release is replaced, one that is shipped no more is retired, and the heads of both stay", async () => {
  await database.run("update dataset set sha256 = '\\x00' where name = 'support-policy'");
  await database.run(
    `insert into dataset (id, kind, name, version, sha256, licence, row_count) values ($1, 'tac', 'tac-before', '0', '\\x00', 'MIT', 0)`,
    [newId()],
  );
  const told: [number, number, string][] = [];
  const { loaded } = await loadShippedDatasets(database, newId, (...progress) => told.push(progress));
  assert.equal(loaded, 1);
  assert.deepEqual(told.at(-1), [100, 100, "support-policy"]);
  assert.equal((await counts()).length, DATASETS.length);
  const retired = await database.rows(
    `select name, (select count(*)::int from dataset_row where dataset_id = d.id) as rows
       from dataset d where retired_at is not null order by name`,
  );
  assert.deepEqual(retired, [
    { name: "support-policy", rows: 0 },
    { name: "tac-before", rows: 0 },
  ]);
});

test("a shipped row is found by its key, with its columns and the line it stands on", async () => {
  const row = await database.one<DatasetRow>(
    `select line, body from dataset_row r join dataset d on d.id = r.dataset_id
      where d.name = 'tac-osmocom' and d.retired_at is null and key = '35201307'`,
  );
  assert.equal(row?.body.make, "Apple");
  assert.ok(row.line > 1);
  assert.ok(Object.values(row.body).every((cell) => cell !== ""));
});

test("an operator's TAC list stands above the shipped ones, and no other operator hears of it", async () => {
  const [north, south] = [await operator("north"), await operator("south")];
  await own(north, "tac", [
    { tac: "35201307", make: "Acme", model: "One" },
    { tac: "87654321", make: "Acme", model: "Two" },
  ]);
  const catalogOf = async (id: string) =>
    new DeviceCatalog(withOwnDatasets(shipped, await readOwnDatasets(database, id)));
  const [ofNorth, ofSouth] = [await catalogOf(north), await catalogOf(south)];
  const known = ofNorth.deviceOf("35201307");
  assert.deepEqual(
    [known.make, known.model, known.source, known.datasetVersion],
    ["Acme", "One", "ours", "v1"],
  );
  assert.deepEqual(
    known.conflicts.map(({ source, make }) => [source, make]),
    [["tac-osmocom", "Apple"]],
  );
  assert.equal(ofNorth.deviceOf("87654321").model, "Two");
  assert.equal(ofSouth.deviceOf("35201307").make, "Apple");
  assert.equal(ofSouth.deviceOf("87654321").make, null);
});

test("a second import of the same name takes the first one's place; one of another name stands beside it, the newer first", async () => {
  const id = await operator("east");
  await own(id, "tac", [{ tac: "99000001", make: "Acme", model: "Old" }]);
  await own(id, "tac", [{ tac: "99000001", make: "Acme", model: "New" }]);
  assert.equal((await readOwnDatasets(database, id)).length, 1);
  await own(id, "tac", [{ tac: "99000001", make: "Acme", model: "Newest" }], "tests");
  const sets = await readOwnDatasets(database, id);
  assert.deepEqual(
    sets.map(({ name }) => name),
    ["tests", "ours"],
  );
  assert.equal(new DeviceCatalog(withOwnDatasets(shipped, sets)).deviceOf("99000001").model, "Newest");
  assert.equal((await ownDatasetHeads(database)).filter(({ operatorId }) => operatorId === id).length, 2);
  const audited = await database.rows(
    "select subject, detail from audit where operator_id = $1 order by id",
    [id],
  );
  assert.equal(audited.length, 3);
  assert.deepEqual(audited[2], { subject: "tac tests", detail: { version: "v1", rows: 1, refused: 0 } });
});

test("an import that fails half way leaves the one before as it was", async () => {
  const id = await operator("west");
  await own(id, "tac", [{ tac: "99000001", make: "Acme", model: "Old" }]);
  const twice = { tac: "99000001", make: "Acme", model: "New\u0000" }; // PostgreSQL holds no NUL
  await assert.rejects(own(id, "tac", [twice]));
  const [set] = await readOwnDatasets(database, id);
  assert.equal(set?.rows[0]?.model, "Old");
});

test("an operator's lifecycle and capability rows take the place of the shipped rows about the same thing", async () => {
  const id = await operator("centre");
  await own(id, "lifecycle", [
    {
      make: "Apple",
      label: "iPhone 6",
      released: "2014-09-19",
      security_updates_end: "2031-01-01",
      status: "supported",
    },
  ]);
  await own(id, "capability", [{ make: "Apple", os: "iOS", oma_cp: "yes", apple_mobileconfig: "no" }]);
  const data = withOwnDatasets(shipped, await readOwnDatasets(database, id));
  const device = new DeviceCatalog(data).deviceOf("35201307");
  assert.deepEqual(
    device.lifecycle?.rows.map(({ securityUpdatesEnd }) => securityUpdatesEnd),
    ["2031-01-01"],
  );
  assert.deepEqual([device.capability.omaCp, device.capability.appleProfile], ["yes", "no"]);
  assert.equal(data.lifecycle.ref.name, "ours over device-lifecycle");
  assert.equal(data.lifecycle.rows.length, shipped.lifecycle.rows.length);
});

test("every shipped TAC row comes back from its columns as it was", () => {
  for (const { rows } of shipped.tac) {
    for (const row of rows) assert.deepEqual(tacRowOf(tacColumnsOf(row)), row);
  }
  assert.ok(parseTacImport("tac,make,model\n99000001,A,B").rows.length === 1);
});

test("a list that would lose much of the one before is not taken on one person's word, and what is there stays", async () => {
  const id = await operator("guarded");
  const models = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ make: "Acme", name: `Model ${at}`, form: "phone" }));
  await own(id, "device_facts", models(40));
  await assert.rejects(own(id, "device_facts", models(30)), (error: unknown) => {
    assert.ok(error instanceof TurnupError);
    assert.equal(error.code, "import_loses_much");
    assert.match(error.message, /10 of 40 rows in use are not in the file/);
    return true;
  });
  assert.equal((await readOwnDatasets(database, id))[0]?.rows.length, 40);
  await own(id, "device_facts", models(39));
  assert.equal((await readOwnDatasets(database, id))[0]?.rows.length, 39, "a few less are a correction");
});
