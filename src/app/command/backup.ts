/** `turnup backup` and `turnup restore`: a whole database as one file, and back. */

import { createWriteStream, existsSync, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { restoreBackup, type Told, writeBackup } from "../../store/database/backup.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import { readConfig } from "../config/config.ts";
import { openBare, openSeals, sealKeyFile } from "../server/store.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { migrationWatch } from "./migrate.ts";

const CONFIG_OPTION = {
  flags: "--config <file>",
  about: "configuration (default ./turnup.toml where there is one)",
};

export const backupCommand: Command = {
  name: "backup",
  summary: "Write the whole database into one file, while it is in use",
  description:
    "One moment of all tables, compressed; servers may go on beside it. The file is there when it is whole.\n" +
    "The seal key is NOT in it: without that key nobody can read the identifiers, so keep a copy of it apart from the\n" +
    "backups. `turnup restore` brings the file back.",
  args: [{ usage: "<file>", about: "the file to write; it must not be there yet" }],
  options: [CONFIG_OPTION],
  examples: ["turnup backup /var/backups/turnup-2026-11-22.gz"],
  async run(context) {
    const file = oneFile(context);
    if (existsSync(file)) {
      throw new TurnupError("file_unwritable", `${file} is there already.`, { nextStep: "Name a new file." });
    }
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const store = await openBare({ config, log: context.note, beside: true });
    try {
      const told = await writeWhole(file, (sink) =>
        writeBackup(store.connection, sink, context.now(), progressOf(context, "backup")),
      );
      await tell(context, file, told);
    } finally {
      await store.close();
    }
    context.note(`The seal key is not in it: keep a copy of ${keyOf(config)} apart from the backups.`);
    return "ok";
  },
};

export const restoreCommand: Command = {
  name: "restore",
  summary: "Bring an empty database to the state of a backup",
  description:
    "All or nothing, into a database without a row; then brought to this release. A backup of a newer release is refused.\n" +
    "The seal key is not in a backup: put the one of the former server into the data folder, or give it as seal.key.",
  args: [{ usage: "<file>", about: "the file that `turnup backup` wrote" }],
  options: [CONFIG_OPTION],
  examples: ["TURNUP_DATA_FOLDER=/var/lib/turnup-new turnup restore /var/backups/turnup-2026-11-22.gz"],
  async run(context) {
    const file = oneFile(context);
    if (!existsSync(file) || !statSync(file).isFile()) {
      throw new TurnupError("file_unreadable", `${file} cannot be read: there is no such file.`);
    }
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const store = await openBare({ config, log: context.note, beside: true });
    try {
      const told = await restoreBackup(store, file, {
        onRows: progressOf(context, "restore"),
        onMigrate: migrationWatch(context).take,
      });
      await tell(context, file, told);
      await openSeals(config, store.database).then(
        () => context.note("The seal key here opens what is sealed in it."),
        (error: Error) =>
          context.note(
            `The data is back, and cannot be used yet. ${sentenceOf(error.message)} Put the former server's key there.`,
          ),
      );
    } finally {
      await store.close();
    }
    return "ok";
  },
};

function oneFile({ args }: CommandContext): string {
  const [file, ...more] = args;
  if (file === undefined || more.length > 0) throw new UsageError("Name one file.");
  return file;
}

function progressOf(context: CommandContext, title: string): (rows: number, total: number | null) => void {
  const progress = context.progress(title);
  return (rows, total) => progress.update(rows, total, "rows");
}

/** Complete and on the disk under another name first: whoever finds the file finds all of it. */
async function writeWhole(
  file: string,
  write: (sink: NodeJS.WritableStream) => Promise<Told>,
): Promise<Told> {
  const aside = `${file}.part`;
  try {
    const told = await write(createWriteStream(aside, { mode: 0o600, flags: "wx" }));
    const handle = await open(aside, "r+");
    await handle.sync().finally(() => handle.close());
    await rename(aside, file);
    return told;
  } catch (error) {
    const code = codeOf(error);
    if (code !== "EEXIST") await rm(aside, { force: true });
    if (!/^E[A-Z]+$/.test(code ?? "")) throw error;
    throw new TurnupError("file_unwritable", `${aside} cannot be written: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

const keyOf = (config: Parameters<typeof sealKeyFile>[0]): string =>
  config.seal.key ? "the setting seal.key" : sealKeyFile(config);

async function tell(context: CommandContext, file: string, { tables, rows, version }: Told): Promise<void> {
  if (context.json) await context.printJson({ file, tables, rows, version });
  else await context.print(`${file}: ${rows} rows of ${tables} tables, version ${version}`);
}
