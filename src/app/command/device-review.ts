/** `turnup device propose`, `doubt list`, `doubt end`: what a person says of models and of handsets, through the API. */
import type { ImeiDoubt } from "../../kernel/detection/doubts.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

const EXAMPLE_ID = "01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11";
const REASON = { flags: "--reason <text>", about: "where it is known from, or what was looked at" };
/** `35693803=Nokia/6300`, with a year behind where it is known: `35693803=Nokia/6300/2007`. */
const ROW = /^(\d{8})=([^/]{1,80})\/([^/]{1,120})(?:\/(\d{4}))?$/;

const rowOf = (text: string) => {
  const [, tac, make, model, year] = ROW.exec(text) ?? [];
  if (tac === undefined) throw new UsageError(`${text} is not TAC=MAKE/MODEL or TAC=MAKE/MODEL/YEAR.`);
  return { tac, make, model, ...(year !== undefined && { releasedYear: Number(year) }) };
};

export const deviceProposeCommand: Command = {
  name: "device propose",
  summary: "Propose which models TACs are of that no list names; they count when a person approves",
  args: [
    {
      usage: "<rows...>",
      about: "TAC=MAKE/MODEL, or TAC=MAKE/MODEL/YEAR where the year it came out is known",
    },
  ],
  options: [...API_OPTIONS, REASON],
  examples: ['turnup device propose 35693803=Nokia/6300/2007 --reason "seen in the shop"'],
  async run(context) {
    const reason = context.option("reason");
    if (reason === undefined) throw new UsageError("--reason says where it is known from.");
    const rows = context.args.map(rowOf);
    const asked = await apiOf(context).ask<{ approvalId: string; expiresAt: string }>(
      "POST",
      "/v1/devices/unknown/proposals",
      { rows, reason },
    );
    if (context.json) await context.printJson(asked);
    else
      await context.print(
        `approval ${asked.approvalId}: waits until ${timeOf(asked.expiresAt)}; \`turnup approval approve ${asked.approvalId}\``,
      );
    return "ok";
  },
};

export const doubtListCommand: Command = {
  name: "doubt list",
  summary: "List doubts whether handsets are what their IMEIs say, newest first",
  options: [
    ...API_OPTIONS,
    { flags: "--kind <kind>", about: "only false_model, clone or special" },
    { flags: "--all", about: "those that ended too" },
    { flags: "--limit <count>", about: "rows of one page, 1 to 1000 (default 20)" },
  ],
  examples: ["turnup doubt list", "turnup doubt list --kind clone"],
  async run(context) {
    const query = new URLSearchParams({ limit: String(limitOf(context.option("limit"))) });
    const kind = context.option("kind");
    if (kind !== undefined) query.set("kind", kind);
    if (!context.flag("all")) query.set("open", "true");
    const { rows } = await apiOf(context).ask<{ rows: readonly ImeiDoubt[] }>(
      "GET",
      `/v1/devices/doubts?${query}`,
    );
    if (context.json) for (const row of rows) await context.printJson(row);
    else if (rows.length === 0) context.note("no such doubt");
    else
      for (const line of tableOf(
        ["DOUBT", "KIND", "FOUND", "AGAIN", "ENDED BY", "REASON"],
        rows.map(({ id, kind: of, foundAt, confirmedAt, endedBy, reason }) => [
          ...[id, of, timeOf(foundAt), timeOf(confirmedAt), endedBy ?? "", reason],
        ]),
      ))
        await context.print(line);
    return "ok";
  },
};

export const doubtEndCommand: Command = {
  name: "doubt end",
  summary: "Say that you have looked, and that the handset is what its IMEI says",
  args: [{ usage: "<id>", about: "of the doubt" }],
  options: [...API_OPTIONS, REASON],
  examples: [`turnup doubt end ${EXAMPLE_ID} --reason "seen in the shop"`],
  async run(context) {
    const reason = context.option("reason");
    if (reason === undefined) throw new UsageError("--reason says what was looked at.");
    const id = encodeURIComponent(context.args[0] ?? "");
    const doubt = await apiOf(context).ask<ImeiDoubt>("POST", `/v1/devices/doubts/${id}/end`, { reason });
    if (context.json) await context.printJson(doubt);
    else await context.print(`doubt ${doubt.id}: ended by ${doubt.endedBy ?? ""}. ${doubt.endReason ?? ""}`);
    return "ok";
  },
};
