// Question: how long does the replay of a policy over verdicts of the past take?
// Budget: a minute for the verdicts of a million sightings.

import { createKnowledge } from "../src/app/server/knowledge.ts";
import { replayPolicy } from "../src/app/server/policy-replay.ts";
import { DeviceCatalog } from "../src/kernel/devices/catalog.ts";
import { DEFAULT_POLICY } from "../src/kernel/operator/policy.ts";
import { openDatabase } from "../src/store/database/database.ts";
import { migrate, migrationFiles } from "../src/store/database/migrate.ts";
import { uuidv7 } from "../src/store/database/uuid.ts";
import { shippedAccessPointIndex, shippedNetworks } from "../src/store/dataset/access-point-data.ts";
import { readShippedDatasets } from "../src/store/dataset/devices.ts";
import { createRegistry } from "../src/store/operator/registry.ts";
import { createOrderStore } from "../src/store/orders/order-store.ts";
import { createSealer } from "../src/store/seal/seal.ts";
import { insertPastOrders } from "../test/fixture/past-orders.ts";
import { freshDatabase, startDebianPostgres } from "./postgres.ts";
import type { Bench, Figure, Question } from "./question.ts";

const VERDICTS = 1_000_000;
const QUICK_VERDICTS = 100_000;
/** Models that an operator sees, each for some days. */
const TACS = 2_000;
const AIM_SECONDS = 60;
const SINCE = new Date("2026-01-01T00:00:00Z");
const DAY_MS = 86_400_000;
const DAYS = 90;

export const replayQuestion: Question = {
  name: "replay",
  asks: "How long does the replay of a policy over the verdicts of a million sightings take?",
  how: `${VERDICTS.toLocaleString("en")} orders with a verdict each, of ${TACS.toLocaleString("en")} TACs of the shipped list on ${DAYS} days, are replayed under another cut-off age, by a process that has looked at none of these models before.`,
  durability: "nothing is written. There is no peer.",
  uses: ["PostgreSQL"],
  measure,
};

async function measure({ quick, runs, progress }: Bench): Promise<readonly Figure[]> {
  const server = await startDebianPostgres();
  const connection = { connectionString: await freshDatabase(server, "replay") };
  const database = await openDatabase({ connection });
  try {
    await migrate(database, migrationFiles());
    const sealer = createSealer(Buffer.alloc(32, 3));
    const operatorId = uuidv7();
    await database.run("insert into operator (id, slug, name, kind) values ($1, 'bench', 'Bench', 'mno')", [
      operatorId,
    ]);
    const verdicts = quick ? QUICK_VERDICTS : VERDICTS;
    const { tac: lists } = readShippedDatasets();
    const tacs = lists
      .flatMap(({ rows }) => [...rows].map((row) => row.tac))
      .filter((_, at) => at % 15 === 0)
      .slice(0, TACS);
    const count = Math.ceil(verdicts / tacs.length);
    progress(`writing ${count * tacs.length} orders`);
    for (const [at, tac] of tacs.entries()) {
      const from = new Date(SINCE.getTime() + (at % DAYS) * DAY_MS).toISOString();
      await insertPastOrders({ database, sealer }, operatorId, {
        tac,
        from,
        count,
        verdict: "ended",
        rule: "maker_exit",
      });
    }
    await database.run("analyze provisioning_order, device");
    const registry = createRegistry({ database, sealer, newId: uuidv7, clock: () => new Date() });
    const terms = await createOrderStore(database, sealer, registry.ownWords).termsOf(operatorId);
    const seconds: number[] = [];
    let note = "";
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      const catalog = new DeviceCatalog(readShippedDatasets());
      const networks = shippedNetworks();
      const knowledge = createKnowledge({
        catalog,
        accessPoints: shippedAccessPointIndex(),
        networks,
        sealer,
      });
      const began = performance.now();
      const policy = { ...DEFAULT_POLICY, ageCutOffYears: 5 };
      const { rows, summary } = await replayPolicy(
        { database, knowledge, terms },
        { policy, since: SINCE, onProgress: async () => undefined },
      );
      seconds.push((performance.now() - began) / 1_000);
      note = `${summary.verdicts} verdicts, ${rows.length} rows`;
    }
    const aim = { kind: "at most", value: AIM_SECONDS } as const;
    return [{ what: "replay", unit: "s", values: seconds, peers: [], aim, note }];
  } finally {
    await database.close();
    await server.close();
  }
}
