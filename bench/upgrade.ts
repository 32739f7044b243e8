/**
 * `npm run bench:upgrade -- 1000000`: a database of release 0.1.0 with so many orders is brought to this release, while a
 * session beside it writes as that release's server does. Prints how long each migration took, and how long the longest of
 * those writes had to wait. docs/operations.md, "Upgrading", has the figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Database, openDatabase } from "../src/store/database/database.ts";
import { migrate, migrationFiles } from "../src/store/database/migrate.ts";
import { startEmbeddedPostgres } from "../src/store/embedded/supervisor.ts";
import { writeManyOrders } from "../test/fixture/many-orders.ts";

const ORDERS_DEFAULT = 1_000_000;
const OPERATOR = "00000000-0000-7000-8000-0000000000aa";
const ROW = "00000000-0000-7000-8000-000000000001";
const LAST_OF_0_1_0 = "0008";
const PAUSE_MS = 20;
/** What a server of release 0.1.0 writes all the time. */
const WRITES = {
  sighting: `update pairing set last_seen_at = now() where id = '${ROW}'`,
  subscriber: `update subscriber set spn = 'x' where id = '${ROW}'`,
  item: `update order_item set updated_at = now() where id = '${ROW}'`,
  message: `update message set updated_at = now() where id = '${ROW}'`,
  payload: `insert into payload (id, operator_id, kind, protocol, octets, sealed, created_at)
            values (gen_random_uuid(), '${OPERATOR}', 'link', 'text', 1, 'x', now())`,
};

const orders = Number(process.argv[2] ?? ORDERS_DEFAULT);
const folder = mkdtempSync(join(tmpdir(), "turnup-upgrade-"));
const server = await startEmbeddedPostgres({ folder, log: () => undefined });
const database = await openDatabase({ connection: server.connection, statementTimeoutMs: 600_000 });
try {
  const files = migrationFiles();
  await migrate(
    database,
    files.filter(({ name }) => name < LAST_OF_0_1_0),
  );
  const written = performance.now();
  await writeManyOrders(database, { operatorId: OPERATOR, orders, isFast: true }, (done) => {
    if (done % 250_000 === 0) say(`${done} orders written`);
  });
  say(`${orders} orders written in ${seconds(performance.now() - written)}`);
  await measured(database);
} finally {
  await database.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measured(database: Database): Promise<void> {
  let current = "before";
  const waits = new Map<string, { what: string; ms: number }>();
  const ending = new AbortController();
  const writing = Object.entries(WRITES).map(([what, text]) => write(what, text));
  async function write(what: string, text: string): Promise<void> {
    while (!ending.signal.aborted) {
      const began = performance.now();
      const during = current;
      await database.run(text).catch((error: Error) => say(`${what} failed: ${error.message}`));
      const ms = performance.now() - began;
      if (ms > (waits.get(during)?.ms ?? 0)) waits.set(during, { what, ms });
      await sleep(PAUSE_MS);
    }
  }
  await sleep(2_000);
  const began = performance.now();
  const begunAt = new Map<string, number>();
  const { applied } = await migrate(database, migrationFiles(), ({ name, isApplied }) => {
    if (!begunAt.has(name)) begunAt.set(name, performance.now());
    current = name;
    if (isApplied) say(`${name} ${seconds(performance.now() - (begunAt.get(name) ?? 0))}`);
  });
  const tookMs = performance.now() - began;
  current = "after";
  ending.abort();
  await Promise.all(writing);
  for (const [name, { what, ms }] of waits) say(`longest wait, ${name}: ${Math.round(ms)} ms (${what})`);
  say(`${applied.length} migrations in ${seconds(tookMs)}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
