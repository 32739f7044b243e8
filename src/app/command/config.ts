/** `turnup config`: the settings in force, and the table of all settings for the handbook. */
import { readFileSync, writeFileSync } from "node:fs";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { ALL_SETTINGS, dataFolderOf, readConfig, type Setting } from "../config/config.ts";
import { settingsTable, withSettingsTable } from "../config/settings-table.ts";
import type { Command } from "../terminal/command.ts";

export const configCommand: Command = {
  name: "config",
  summary: "Show the settings in force and where each comes from",
  description:
    "Reads the configuration as a server would and prints what is in force; secrets as ***. A wrong configuration is\n" +
    "refused with everything that is wrong with it.",
  options: [
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
    { flags: "--markdown", about: "print the table of all settings instead" },
    { flags: "--update <file>", about: "write that table between the marks of a document" },
  ],
  examples: ["turnup config", "turnup config --json", "turnup config --update docs/operations.md"],
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
    for (const setting of ALL_SETTINGS) {
      const value = (config[setting.section as keyof typeof config] as Record<string, unknown>)[setting.key];
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
    return "ok";
  },
};

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
