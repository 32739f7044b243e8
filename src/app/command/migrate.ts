/** `turnup migrate`: brings the database to this release. A server does so at its start; this is for doing it before. */

import { readConfig } from "../config/config.ts";
import { openStore } from "../server/store.ts";
import type { Command } from "../terminal/command.ts";

export const migrateCommand: Command = {
  name: "migrate",
  summary: "Bring the database to this release",
  description:
    "Applies the migrations that the database lacks, each in one transaction; a second call changes nothing.\n" +
    "Refuses a database of a newer release, and one whose applied migrations were edited.",
  options: [{ flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" }],
  examples: ["turnup migrate", "DATABASE_URL=postgres://turnup@db.example/turnup turnup migrate --json"],
  async run(context) {
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const store = await openStore({ config, log: context.note, beside: true });
    const { applied, version, notes } = store.migrated;
    await store.close();
    if (context.json) await context.printJson({ version, applied, notes, server: store.server });
    else {
      for (const name of applied) await context.print(`applied ${name}`);
      await context.print(`the database is at version ${version} (${store.server})`);
    }
    return "ok";
  },
};
