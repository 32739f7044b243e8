/** A server that cannot open all its doors leaves nothing open behind it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, vi } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { readConfig } from "../config/config.ts";
import { startServer } from "./server.ts";

/** Sessions of a server's own: its pool, its presence among the nodes, its ear for changes. */
const SESSIONS = `select application_name as name from pg_stat_activity
  where datname = current_database() and application_name like 'turnup%' and application_name not like 'turnup_test%'`;

test("a server whose door does not open closes all that it had opened, and says why", async () => {
  const { database, url } = await freshDatabaseConfig();
  const folder = mkdtempSync(join(tmpdir(), "turnup-door-"));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const env = { DATABASE_URL: url, TURNUP_DATA_FOLDER: folder, TURNUP_HTTP_PORT: String(port) };
  const { config } = readConfig({ env, folder });
  const starting = startServer({ config, log: () => undefined });
  await assert.rejects(starting, { code: "http_port_unusable" });
  await vi.waitFor(async () => assert.deepEqual(await database.rows(SESSIONS), []), { timeout: 10_000 });
  other.close();
  rmSync(folder, { recursive: true });
});
