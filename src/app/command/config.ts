/** `turnup config`: the settings in force, and the table of all settings for the handbook. */
import { readFileSync, writeFileSync } from "node:fs";
import { runningPostgres } from "../../store/embedded/supervisor.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { certificateLine, certificateNews, namedCertificates } from "../certificates/certificate-watch.ts";
import { ALL_SETTINGS, type Config, dataFolderOf, readConfig, type Setting } from "../config/config.ts";
import { settingsIn, settingValue } from "../config/entries.ts";
import { settingsTable, withSettingsTable } from "../config/settings-table.ts";
import { checkConfig, checkOperators, namesOperators } from "../server/check-config.ts";
import { openBare } from "../server/store.ts";
import type { Command, CommandContext } from "../terminal/command.ts";

export const configCommand: Command = {
  name: "config",
  summary: "Show the settings in force and where each comes from",
  description:
    "Reads the configuration as a server would and prints what is in force; secrets as ***. A wrong configuration is\n" +
    "refused with everything that is wrong with it: values, files, certificates and their keys, the data folder, and the\n" +
    "operators that it names where their database answers. A certificate that is over, or soon will be, is told.",
  options: [
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
    { flags: "--with-proxy", about: "as `turnup serve --with-proxy` would read it" },
    { flags: "--markdown", about: "print the table of all settings instead" },
    { flags: "--update <file>", about: "write that table between the marks of a document" },
  ],
  examples: [
    "turnup config",
    "turnup config --json",
    "turnup config --with-proxy",
    "turnup config --update docs/operations.md",
  ],
  async run(context) {
    const update = context.option("update");
    if (update) {
      updateTable(update);
      return "ok";
    }
    if (context.flag("markdown")) {
      await context.print(settingsTable());
      return "ok";
    }
    const { config, from } = readConfig({ file: context.option("config"), env: context.env });
    for (const setting of settingsIn(ALL_SETTINGS, config)) {
      const value = settingValue(config, setting);
      const effective = setting.name === "data.folder" ? dataFolderOf(config, context.env) : value;
      const source = sourceOf(setting, from);
      if (context.json) {
        await context.printJson({ name: setting.name, value: effective ?? null, from: source });
      } else {
        await context.print(
          `${setting.name} = ${effective === undefined ? "(not set)" : JSON.stringify(effective)}  # ${source}`,
        );
      }
    }
    await checkConfig(config, context.env, { withProxy: context.flag("with-proxy") });
    await checkNamedOperators(config, context);
    for (const news of certificateNews(namedCertificates(config), context.now()))
      context.note(certificateLine(news));
    return "ok";
  },
};

/** Only a database that answers can tell; none is started for it. */
async function checkNamedOperators(config: Config, context: CommandContext): Promise<void> {
  if (!(await namesOperators(config))) return;
  const isThere = config.database.url !== undefined || runningPostgres(dataFolderOf(config, context.env));
  if (!isThere) {
    context.note(
      "no server runs on this data folder: whether the operators that are named exist is told at the start",
    );
    return;
  }
  const store = await openBare({ config, log: context.note, beside: true });
  try {
    await checkOperators(store.database, config);
  } finally {
    await store.close();
  }
}

const sourceOf = ({ name }: Setting, from: ReadonlyMap<string, string>): string =>
  from.get(name) ?? from.get(`${name}_file`) ?? "default";

function updateTable(file: string): void {
  try {
    writeFileSync(file, withSettingsTable(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be updated: ${messageOf(cause)}.`, {
      cause,
    });
  }
}
