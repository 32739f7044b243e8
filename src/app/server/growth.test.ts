/** The loops that keep the database from growing for ever, over PostgreSQL: what they do, and what they say where they cannot. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createSealer } from "../../store/seal/seal.ts";
import { ClosingStack } from "./closing-stack.ts";
import { keepGrowth } from "./growth.ts";

const NOW = new Date("2026-11-30T23:00:00Z");

test("a server makes months ahead and tells how many there are; of a table that is in use it says that it could not, and goes on with the others", async () => {
  const database = await freshDatabase();
  const closing = new ClosingStack();
  const measures = new Registry();
  const faults: string[] = [];
  const ahead = async (): Promise<Record<string, number>> => {
    const metric = await measures.getSingleMetric("turnup_partition_months_ahead")?.get();
    return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [labels.kind, value]));
  };
  await database.transaction(async (reader) => {
    await reader.rows("select from sighting"); // as a backup does
    keepGrowth(
      closing,
      { database, sealer: createSealer(Buffer.alloc(32, 7)), newId: uuidv7, clock: () => NOW },
      { measures, lookMs: 1, onFault: (what, error) => faults.push(`${what}: ${error}`) },
    );
    try {
      const told = await until(ahead, ({ events }) => events === 2, "months of events are told");
      assert.deepEqual(told, { sightings: -1, events: 2, audit: 2, messages: 2 });
      await until(
        () => faults,
        ({ length }) => length > 0,
        "it is told that months of sightings cannot be made",
      );
    } finally {
      await closing.close();
    }
  });
  assert.match(faults.join("\n"), /^partitions: .*took too long/m);
});
