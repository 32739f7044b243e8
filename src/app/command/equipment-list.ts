/** `turnup equipment-list ...`: the operator's own lists of handsets, through the API. */
import { createReadStream } from "node:fs";
import {
  EQUIPMENT_FORMS,
  EQUIPMENT_IMPORTS,
  EQUIPMENT_STATUSES,
  type EquipmentChanged,
  type EquipmentListView,
  type EquipmentVersion,
} from "../../kernel/equipment/equipment-lists.ts";
import { IMPORT_MODES } from "../../kernel/jobs/imports.ts";
import type { JobView } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

const PATH = "/v1/equipment-lists";
const NAME = { usage: "<name>", about: "of the list" } as const;
const REASON = { flags: "--reason <text>", about: "why; it stands in the audit", needed: true } as const;
const EDITS_MAX = 1_000;

const lists = async (context: CommandContext): Promise<readonly EquipmentListView[]> =>
  (await apiOf(context).ask<{ readonly equipmentLists: EquipmentListView[] }>("GET", PATH)).equipmentLists;

/** The path of the list that the first argument names. @throws TurnupError `equipment_list_not_found` */
async function pathOf(context: CommandContext): Promise<string> {
  const [name] = context.args;
  const list = (await lists(context)).find((one) => one.name === name || one.id === name);
  if (!list)
    throw new TurnupError("equipment_list_not_found", `There is no list of handsets ${name}.`, {
      nextStep: "`turnup equipment-list list` lists them.",
    });
  return `${PATH}/${list.id}`;
}

export const equipmentListListCommand: Command = {
  name: "equipment-list list",
  summary: "List the operator's own lists of handsets, highest priority first",
  options: API_OPTIONS,
  examples: ["turnup equipment-list list"],
  async run(context) {
    const all = await lists(context);
    if (context.json) for (const one of all) await context.printJson(one);
    else if (all.length === 0) context.note("no list of the operator's own");
    else
      for (const line of tableOf(
        ["NAME", "STATUS", "PRIORITY", "ENTRIES", "VERSION", "CHANGED", "BY", "REASON"],
        all.map((one) => [
          ...[one.name, one.status, String(one.priority), String(one.entries), String(one.version)],
          ...[timeOf(one.changedAt), one.changedBy, one.reason],
        ]),
        { right: [2, 3, 4] },
      ))
        await context.print(line);
    return "ok";
  },
};

export const equipmentListAddCommand: Command = {
  name: "equipment-list add",
  summary: "Make a list of handsets; it is empty at first",
  args: [NAME],
  options: [
    { flags: "--status <status>", about: "what cores hear", choices: EQUIPMENT_STATUSES, needed: true },
    { flags: "--priority <number>", about: "higher counts before lower", needed: true },
    { ...REASON, about: "why a handset stands in it" },
    ...API_OPTIONS,
  ],
  examples: ['turnup equipment-list add stolen --status black --priority 20 --reason "lost or stolen"'],
  async run(context) {
    const made = await apiOf(context).ask<EquipmentListView>("POST", PATH, {
      name: context.args[0],
      status: context.option("status"),
      priority: integerOf(context.option("priority"), "--priority"),
      reason: context.option("reason"),
    });
    if (context.json) await context.printJson(made);
    else await context.print(`list ${made.name} is made: ${made.status}, priority ${made.priority}`);
    return "ok";
  },
};

function integerOf(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw new UsageError(`${what} is a whole number.`);
  return Number(text);
}

export const equipmentListRemoveCommand: Command = {
  name: "equipment-list remove",
  summary: "Remove a list of handsets with its versions; a black one has to be nearly empty",
  args: [NAME],
  options: API_OPTIONS,
  examples: ["turnup equipment-list remove stolen"],
  async run(context) {
    await apiOf(context).ask("DELETE", await pathOf(context));
    if (context.json) await context.printJson({ removed: context.args[0] });
    else await context.print("removed");
    return "ok";
  },
};

export const equipmentListChangeCommand: Command = {
  name: "equipment-list change",
  summary: "Add handsets, ranges and models to a list, or take them away: all of it or nothing",
  description:
    "DEVICE is a handset (14 to 16 digits), a range (35693803564380-35693803569999), a TAC, or a TAC with one software version (35693803/07). In force on every server within a second.",
  args: [NAME, { usage: "<device...>", about: "one or several" }],
  options: [
    { flags: "--take-away", about: "take them out of the list" },
    {
      flags: "--sims <imsis>",
      about: "IMSIs, with commas between, that are let in with them although the list is black",
    },
    { flags: "--note <text>", about: "why these stand in it" },
    REASON,
    ...API_OPTIONS,
  ],
  examples: [
    'turnup equipment-list change stolen 356938035643809 --reason "reported by its owner"',
    'turnup equipment-list change stolen 356938035643809 --take-away --reason "found"',
  ],
  async run(context) {
    const [, ...devices] = context.args;
    if (devices.length > EDITS_MAX) throw new UsageError(`At most ${EDITS_MAX} at once; import a file.`);
    const [sims, note] = [context.option("sims")?.split(","), context.option("note")];
    const edits = context.flag("take-away")
      ? { remove: devices }
      : { add: devices.map((device) => ({ device, ...(sims && { sims }), ...(note && { note }) })) };
    const path = `${await pathOf(context)}/entries`;
    const body = { ...edits, reason: context.option("reason") };
    await printChanged(context, await apiOf(context).ask<EquipmentChanged>("POST", path, body));
    return "ok";
  },
};

async function printChanged(context: CommandContext, changed: EquipmentChanged): Promise<void> {
  const { version, added, changed: others, removed, unchanged, entries } = changed;
  if (context.json) return void (await context.printJson(changed));
  await context.print(
    `version ${version}: ${added} added, ${others} changed, ${removed} removed, ${unchanged} as before; ${entries} entries`,
  );
}

export const equipmentListImportCommand: Command = {
  name: "equipment-list import",
  summary: "Bring a file for a list of handsets: a job compares it with what is in force",
  description:
    "A line holds a device, and after commas the SIMs that are let in with it, a note, an owner. `turnup job rows ID` tells each line that was not taken.",
  args: [NAME, { usage: "<file>", about: "CSV, or gzip of it" }],
  options: [
    { flags: "--mode <mode>", about: "approve unless given", choices: IMPORT_MODES },
    {
      flags: "--how <how>",
      about: "replace unless given: the file is all of the list",
      choices: EQUIPMENT_IMPORTS,
    },
    { flags: "--form <form>", about: "exchange: a registry's file", choices: EQUIPMENT_FORMS },
    ...API_OPTIONS,
  ],
  examples: ["turnup equipment-list import stolen stolen.csv --mode dry_run"],
  async run(context) {
    const [, file = ""] = context.args;
    const query = new URLSearchParams();
    for (const name of ["mode", "how", "form"]) {
      const value = context.option(name);
      if (value !== undefined) query.set(name, value);
    }
    const path = `${await pathOf(context)}/imports?${query}`;
    const octets = createReadStream(file);
    const job = await apiOf(context).send<JobView>("POST", path, { mediaType: "text/csv", octets });
    if (context.json) await context.printJson(job);
    else await context.print(`job ${job.id}: \`turnup job show ${job.id}\` tells how far it is`);
    return "ok";
  },
};

export const equipmentListExportCommand: Command = {
  name: "equipment-list export",
  summary: "Print what a list of handsets holds, as the file that an import reads",
  args: [NAME],
  options: API_OPTIONS,
  examples: ["turnup equipment-list export stolen > stolen.csv"],
  async run(context) {
    const path = `${await pathOf(context)}/entries.csv`;
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of await apiOf(context).read(path)) {
      const lines = (rest + decoder.decode(part, { stream: true })).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) await context.print(line);
    }
    return "ok";
  },
};

export const equipmentListVersionsCommand: Command = {
  name: "equipment-list versions",
  summary: "List the versions of a list of handsets, newest first",
  args: [NAME],
  options: API_OPTIONS,
  examples: ["turnup equipment-list versions stolen"],
  async run(context) {
    const path = `${await pathOf(context)}/versions`;
    const { versions } = await apiOf(context).ask<{ readonly versions: EquipmentVersion[] }>("GET", path);
    if (context.json) for (const one of versions) await context.printJson(one);
    else
      for (const line of tableOf(
        ["VERSION", "MADE", "BY", "ADDED", "CHANGED", "REMOVED", "ENTRIES", "REASON"],
        versions.map((one) => [
          ...[String(one.version), timeOf(one.madeAt), one.madeBy, String(one.added), String(one.changed)],
          ...[String(one.removed), String(one.entries), one.reason],
        ]),
        { right: [0, 3, 4, 5, 6] },
      ))
        await context.print(line);
    return "ok";
  },
};

export const equipmentListRestoreCommand: Command = {
  name: "equipment-list restore",
  summary: "Put a former version of a list of handsets back in force, as a new one",
  args: [NAME, { usage: "<version>", about: "`equipment-list versions` lists them" }],
  options: [REASON, ...API_OPTIONS],
  examples: ['turnup equipment-list restore stolen 12 --reason "the new file was of another country"'],
  async run(context) {
    const version = integerOf(context.args[1], "The version");
    const path = `${await pathOf(context)}/restore`;
    const body = { version, reason: context.option("reason") };
    await printChanged(context, await apiOf(context).ask<EquipmentChanged>("POST", path, body));
    return "ok";
  },
};
