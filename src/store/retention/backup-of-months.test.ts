/** A backup and the months of its tables: it restores into the same ones, and what goes meanwhile waits for it. */
import assert from "node:assert/strict";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabaseConfig, waitersFor } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { restoreBackup, writeBackup } from "../database/backup.ts";
import { uuidv7 } from "../database/uuid.ts";
import { ensureOperator } from "../operator/operators.ts";
import { createSealer } from "../seal/seal.ts";
import { GROWN, makeMonthsAhead, partitionsOf } from "./partitions.ts";
import { sweepStep } from "./sweep.ts";

const NOW = new Date("2026-09-01T00:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "turnup-months-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));

async function filled() {
  const { database, config } = await freshDatabaseConfig();
  await makeMonthsAhead(database, new Date("2026-05-01T00:00:00Z"));
  const operatorId = uuidv7();
  await ensureOperator(database, {
    id: operatorId,
    slug: "kept",
    name: "Kept",
    kind: "mno",
    homePlmns: [],
  });
  await database.run(
    "insert into operator_policy (operator_id, version, body, made_by) values ($1, 1, $2, 'ada')",
    [
      operatorId,
      JSON.stringify({ ...DEFAULT_POLICY, retention: { ...DEFAULT_POLICY.retention, sightings: 1 } }),
    ],
  );
  for (const at of ["2026-05-10T00:00:00Z", "2026-05-11T00:00:00Z", "2026-08-10T00:00:00Z"])
    await database.run(
      `insert into sighting (id, operator_id, subscriber_id, device_id, serving_plmn, source, outcome, seen_at)
       values ($1, $2, $1, $1, '262-01', 'radius', 'sim_moved', $3)`,
      [uuidv7(), operatorId, at],
    );
  const deps = { database, sealer: createSealer(Buffer.alloc(32, 7)), newId: uuidv7, clock: () => NOW };
  return { database, connection: config.connection, deps };
}

test("a month whose time is over waits for the backup that reads it: the backup is of one moment, and is restored into the same months", async () => {
  const { database, connection, deps } = await filled();
  const file = join(folder, "taken.gz");
  const months = (await partitionsOf(database, GROWN.sightings)).map(({ name }) => name);
  await sweepStep(deps, "sightings"); // begins; the next step drops May
  const taken = await database.transaction(async (held) => {
    await held.run("lock table charge in access exclusive mode"); // the backup is held before it comes to sightings
    const backup = writeBackup(connection, createWriteStream(file), NOW, () => undefined);
    await until(
      () => held.rows(waitersFor("charge")),
      (rows) => rows.length > 0,
      "the backup waits",
    );
    await assert.rejects(sweepStep(deps, "sightings"), /took too long/);
    return { backup };
  });
  await taken.backup;
  for (let steps = 0; await sweepStep(deps, "sightings"); steps++) assert.ok(steps < 20);
  assert.deepEqual(await database.rows("select count(*)::int as n from sighting"), [{ n: 1 }]);

  const { database: empty, config } = await freshDatabaseConfig({ migrated: false });
  await restoreBackup({ database: empty, connection: config.connection }, file, { onRows: () => undefined });
  const rows = await empty.rows(
    `select tableoid::regclass::text as place, count(*)::int as rows from sighting group by 1 order by 1`,
  );
  assert.deepEqual(rows, [
    { place: "sighting_2026_05", rows: 2 },
    { place: "sighting_default", rows: 1 },
  ]);
  assert.deepEqual(await empty.rows("select from monthly_statistic"), [], "nothing had gone");
  const restored = (await partitionsOf(empty, GROWN.sightings)).map(({ name }) => name);
  assert.deepEqual(restored, months);
});
