/** `turnup equipment check`, `switch`: what cores hear of handsets, through the API. */
import type { EquipmentSwitch } from "../../kernel/equipment/equipment-lists.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { timeOf } from "../terminal/table.ts";

type Checked = { readonly answer: string; readonly list: string | null; readonly isSpecial: boolean };

export const equipmentCheckCommand: Command = {
  name: "equipment check",
  summary: "Show what a core would be answered about a handset, and by which list",
  args: [{ usage: "<imei>", about: "14 to 16 digits" }],
  options: [{ flags: "--imsi <imsi>", about: "the SIM in it" }, ...API_OPTIONS],
  examples: ["turnup equipment check 356938035643809 --imsi 234150000000001"],
  async run(context) {
    const imsi = context.option("imsi");
    const body = { imei: context.args[0], ...(imsi !== undefined && { imsi }) };
    const checked = await apiOf(context).ask<Checked>("POST", "/v1/equipment-checks", body);
    if (context.json) await context.printJson(checked);
    else await context.print(`${checked.answer}: ${whyOf(checked)}`);
    return "ok";
  },
};

const whyOf = ({ list, isSpecial }: Checked): string => {
  if (isSpecial) return "it is no sold handset's number";
  return list === null ? "it is on no list" : `by the list ${list}`;
};

export const equipmentSwitchCommand: Command = {
  name: "equipment switch",
  summary:
    "Turn all black answers off, or on again, on every server within a second; without a word show how it stands",
  args: [{ usage: "[on|off]", about: "off: no core hears that a handset is black" }],
  options: [{ flags: "--reason <text>", about: "why; it stands in the audit" }, ...API_OPTIONS],
  examples: ["turnup equipment switch", 'turnup equipment switch off --reason "a wrong list went out"'],
  async run(context) {
    const shown = await switched(context);
    if (context.json) await context.printJson(shown);
    else await context.print(told(shown));
    return "ok";
  },
};

async function switched(context: CommandContext): Promise<EquipmentSwitch> {
  const [word] = context.args;
  if (word === undefined) return apiOf(context).ask("GET", "/v1/equipment-switch");
  if (word !== "on" && word !== "off") throw new UsageError("It is on or off.");
  const reason = context.option("reason");
  if (reason === undefined) throw new UsageError("--reason says why.");
  return apiOf(context).ask("PUT", "/v1/equipment-switch", { answersBlack: word === "on", reason });
}

const told = ({ answersBlack, changedAt, changedBy, reason }: EquipmentSwitch): string => {
  const since = changedAt === null ? "" : `, since ${timeOf(changedAt)} by ${changedBy}: ${reason}`;
  return `black answers are ${answersBlack ? "on" : "off"}${since}`;
};
