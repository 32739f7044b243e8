/** `turnup source list`, `source conflicts`, `device special`: what sources of sightings tell, through the API. */
import type { SightingConflict } from "../../kernel/detection/conflict-view.ts";
import type { SourceView } from "../../kernel/detection/source-view.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import type { Command } from "../terminal/command.ts";
import { ageOf, tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

type Source = Awaited<ReturnType<SourceView["sources"]>>[number];
type Special = Awaited<ReturnType<SourceView["special"]>>[number];

const secondsOf = (ms: number | null): string => (ms === null ? "" : `${Math.round(ms / 100) / 10} s`);
const decimal = (value: number): string => String(Math.round(value * 10) / 10);

export const sourceListCommand: Command = {
  name: "source list",
  summary: "List the sources of sightings: how much each tells, how late, and how it fares",
  description:
    "Of all servers. A source that asks at times and keeps the answer (s13, gsup, eir), or that speaks at changes alone (applet), proves\n" +
    "nothing by what it does not name: SILENCE PROVES says which one does.",
  options: [...API_OPTIONS],
  examples: ["turnup source list"],
  async run(context) {
    const { sources } = await apiOf(context).ask<{ sources: readonly Source[] }>("GET", "/v1/sources");
    if (context.json) for (const one of sources) await context.printJson(one);
    else if (sources.length === 0) context.note("no source told anything yet");
    else
      for (const line of tableOf(
        [
          "SOURCE",
          "STATE",
          "A MINUTE",
          "LAST HOUR",
          "REFUSED",
          "LAG",
          "LAST HEARD",
          "SILENCE PROVES",
          "REASON",
        ],
        sources.map(({ source, state, perMinute, lastHour, lastReceivedAt, silenceProves, reason }) => [
          ...[source, state, decimal(perMinute), String(lastHour.received), String(lastHour.refused)],
          ...[secondsOf(lastHour.lagMs), ageOf(lastReceivedAt, context.now())],
          ...[silenceProves ? "yes" : "no", reason],
        ]),
      ))
        await context.print(line);
    return "ok";
  },
};

export const sourceConflictsCommand: Command = {
  name: "source conflicts",
  summary: "List SIMs that two sources see in two handsets at once, newest first",
  options: [...API_OPTIONS, { flags: "--limit <count>", about: "rows of one page, 1 to 1000 (default 20)" }],
  examples: ["turnup source conflicts"],
  async run(context) {
    const limit = limitOf(context.option("limit"));
    const { rows } = await apiOf(context).ask<{ rows: readonly SightingConflict[] }>(
      "GET",
      `/v1/sightings/conflicts?limit=${limit}`,
    );
    if (context.json) for (const row of rows) await context.printJson(row);
    else if (rows.length === 0) context.note("no two sources disagree");
    else
      for (const line of tableOf(
        ["SIM", "SOURCE", "HANDSET", "OTHER", "HANDSET", "FOUND", "AGAIN", "TIMES"],
        rows.map((row) => [
          ...[row.imsiMasked, row.source, row.imeiMasked, row.otherSource, row.otherImeiMasked],
          ...[timeOf(row.foundAt), timeOf(row.lastAt), String(row.times)],
        ]),
      ))
        await context.print(line);
    return "ok";
  },
};

export const deviceSpecialCommand: Command = {
  name: "device special",
  summary: "Tell how often numbers came that name no handset: zeros, runs and numbers for tests",
  options: [...API_OPTIONS],
  examples: ["turnup device special"],
  async run(context) {
    const { special } = await apiOf(context).ask<{ special: readonly Special[] }>(
      "GET",
      "/v1/devices/special",
    );
    if (context.json) for (const one of special) await context.printJson(one);
    else if (special.length === 0) context.note("none came in the last 30 days");
    else
      for (const line of tableOf(
        ["CLASS", "SOURCE", "TIMES", "LAST"],
        special.map((one) => [one.class, one.source, String(one.times), ageOf(one.lastAt, context.now())]),
      ))
        await context.print(line);
    return "ok";
  },
};
