/** `turnup migrate`: brings the database to this release. A server does so at its start; this is for doing it before. */

import { migrate, migrationFiles, type OnMigrateProgress } from "../../store/database/migrate.ts";
import { readConfig } from "../config/config.ts";
import { openBare } from "../server/store.ts";
import type { Command, CommandContext } from "../terminal/command.ts";

export const migrateCommand: Command = {
  name: "migrate",
  summary: "Bring the database to this release",
  description:
    "Applies the migrations that the database lacks and tells how far it is; a second call changes nothing. What changes large\n" +
    "tables goes in batches: killed, it goes on where it was when it is called again. It needs no seal key.\n" +
    "Refuses a database of a newer release, and one whose applied migrations were edited.",
  options: [{ flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" }],
  examples: ["turnup migrate", "DATABASE_URL=postgres://turnup@db.example/turnup turnup migrate --json"],
  async run(context) {
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const watch = migrationWatch(context);
    const store = await openBare({ config, log: context.note, beside: true });
    try {
      const { applied, version, notes } = await migrate(store.database, migrationFiles(), watch.take);
      for (const note of notes) context.note(`changed for ${note}`);
      const tookMs = Object.fromEntries(applied.map((name) => [name, watch.tookMs.get(name) ?? 0]));
      if (context.json) await context.printJson({ version, applied, tookMs, notes, server: store.server });
      else {
        for (const name of applied) {
          await context.print(`applied ${name} in ${((tookMs[name] ?? 0) / 1_000).toFixed(1)} s`);
        }
        await context.print(`the database is at version ${version} (${store.server})`);
      }
    } finally {
      await store.close();
    }
    return "ok";
  },
};

/** Which migration, how far, and for how long each ran here. */
export function migrationWatch(context: CommandContext): {
  readonly take: OnMigrateProgress;
  readonly tookMs: ReadonlyMap<string, number>;
} {
  const progress = context.progress("migrate");
  const begunAt = new Map<string, number>();
  const tookMs = new Map<string, number>();
  return {
    tookMs,
    take({ name, part, parts, table, done, total, isApplied }) {
      const nowMs = performance.now();
      const sinceMs = nowMs - (begunAt.get(name) ?? nowMs);
      if (!begunAt.has(name)) begunAt.set(name, nowMs);
      if (isApplied) tookMs.set(name, Math.round(sinceMs));
      const where = parts === 1 ? name : `${name}, part ${part} of ${parts}`;
      const seconds = `${Math.round(sinceMs / 1_000)} s`;
      if (table === null) progress.update(part - 1, parts, `parts of ${name}, ${seconds}`);
      else progress.update(done, total, `rows of ${table}: ${where}, ${seconds}`);
    },
  };
}
