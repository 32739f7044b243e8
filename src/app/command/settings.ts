/** `turnup settings find`: the access points for a SIM, from the shipped sets and a file of one's own. */

import { type AccessPoint, type SettingsQuery, USES, type Use } from "../../kernel/settings/access-point.ts";
import type { AccessPointIndex, Found, Match } from "../../kernel/settings/find-settings.ts";
import { readSettingsQuery } from "../../kernel/settings/query.ts";
import { shippedAccessPointIndex } from "../../store/dataset/access-point-data.ts";
import { IMPORT_OCTETS_MAX, parseAccessPointImport } from "../../store/dataset/access-point-import.ts";
import { TurnupError } from "../../term/error.ts";
import type { Command, CommandContext } from "../terminal/command.ts";

const QUERY_OPTIONS = ["mcc", "mnc", "gid1", "spn", "imsi", "iccid"] as const;

export const settingsFindCommand: Command = {
  name: "settings find",
  summary: "Find the access points for a SIM, best first",
  description:
    "Own access points (--own) come first; the shipped sets are suggestions nobody has confirmed. A SIM of a\n" +
    "virtual operator for which nothing is known is refused with the reason: its host's settings are not given. Without\n" +
    "SPN and GID1 a virtual operator's SIM looks like its host's: the answer says so (`unchecked`).\n" +
    "Needs no server. A refusal is an answer: exit code 0.",
  options: [
    { flags: "--mcc <digits>", about: "mobile country code, 3 digits" },
    { flags: "--mnc <digits>", about: "mobile network code, 2 or 3 digits: 01 is not 001" },
    { flags: "--gid1 <hex>", about: "group identifier level 1 of the SIM" },
    { flags: "--spn <name>", about: "service provider name of the SIM" },
    { flags: "--imsi <digits>", about: "gives MCC and MNC too, if they are not given" },
    { flags: "--iccid <digits>", about: "number of the SIM card" },
    { flags: "--use <use>", about: "only this use", choices: USES },
    { flags: "--own <file>", about: "the operator's own access points, csv (see data/apn-README.md)" },
    { flags: "--file <file>", about: "queries, one JSON object a line; - reads standard input" },
    { flags: "--show-secrets", about: "print passwords (those shipped are public)" },
  ],
  examples: [
    "turnup settings find --mcc 262 --mnc 01",
    "turnup settings find --mcc 234 --mnc 10 --spn giffgaff --use internet --json",
    "turnup settings find --file queries.jsonl --json",
  ],
  async run(context) {
    const file = context.option("file");
    const given = QUERY_OPTIONS.flatMap((name) => {
      const value = context.option(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    if (file ? given.length > 0 : given.length === 0) return "usage";
    const index = shippedAccessPointIndex();
    const own = await ownAccessPoints(context);
    if (file) return await answerLines(context, file, index, own);
    const query = readSettingsQuery(Object.fromEntries(given), index.plmnOfImsi);
    const found = withUse(index.findSettings(query, own), context.option("use"));
    if (context.json) await context.printJson(answerOf(found, context.flag("show-secrets")));
    else for (const line of tableOf(query, found, context.flag("show-secrets"))) await context.print(line);
    return "ok";
  },
};

/** A bad line is answered in its place, and the rest goes on. */
async function answerLines(
  context: CommandContext,
  file: string,
  index: AccessPointIndex,
  own: readonly AccessPoint[],
): Promise<"ok"> {
  let line = 0;
  let bad = 0;
  for await (const text of context.lines(file)) {
    line++;
    if (text.trim() === "") continue;
    try {
      const query = readSettingsQuery(parseJson(text), index.plmnOfImsi);
      const found = withUse(index.findSettings(query, own), context.option("use"));
      await context.printJson(answerOf(found, context.flag("show-secrets")));
    } catch (error) {
      if (!(error instanceof TurnupError)) throw error;
      bad++;
      await context.printJson({ error: { code: error.code, message: error.message }, line });
    }
  }
  if (bad > 0) context.note(`${bad} of ${line} lines could not be read`);
  return "ok";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TurnupError("settings_query_malformed", "The line is not JSON.", { cause });
  }
}

async function ownAccessPoints(context: CommandContext): Promise<readonly AccessPoint[]> {
  const path = context.option("own");
  if (path === undefined) return [];
  const read = parseAccessPointImport(await context.content(path, IMPORT_OCTETS_MAX), "csv");
  for (const { where, reason } of read.refused) context.note(`${path} ${where}: ${reason}`);
  return read.accessPoints;
}

function withUse(found: Found, use: string | undefined): Found {
  if (use === undefined || found.matches.length === 0) return found;
  const matches = found.matches.filter((match) => match.use === use);
  if (matches.length > 0) return { ...found, matches };
  const reason = `access points are known for this SIM, but none for ${use}`;
  return { ...found, matches, refused: { code: "no_access_point", reason } };
}

type Answer = {
  readonly matches: readonly (Omit<Match, "password"> & { readonly password?: string | null })[];
  readonly refused?: string;
  readonly refusedCode?: string;
  readonly unchecked?: Found["unchecked"];
};

function answerOf({ matches, refused, unchecked }: Found, withSecrets: boolean): Answer {
  return {
    matches: matches.map(({ password, ...rest }) => (withSecrets ? { ...rest, password } : rest)),
    ...(refused ? { refused: refused.reason, refusedCode: refused.code } : {}),
    ...(unchecked ? { unchecked } : {}),
  };
}

function* tableOf(
  query: SettingsQuery,
  { matches, refused, unchecked }: Found,
  withSecrets: boolean,
): Generator<string, void, undefined> {
  if (refused) yield `${query.mcc}/${query.mnc}: ${refused.reason}`;
  if (matches.length > 0) yield* rowsOf(matches, withSecrets);
  if (unchecked) yield `note: ${unchecked.reason}`;
}

function* rowsOf(matches: Found["matches"], withSecrets: boolean): Generator<string, void, undefined> {
  const heads = [
    "USE",
    "APN",
    "USER",
    ...(withSecrets ? ["PASSWORD"] : []),
    "AUTH",
    "MMSC / PROXY",
    "MATCH",
    "SOURCE",
  ];
  const rows = matches.map((match) => [
    match.use,
    match.apn,
    match.user ?? "",
    ...(withSecrets ? [match.password ?? ""] : []),
    match.authType ?? "",
    [match.mmsc, proxyOf(match)].filter(Boolean).join(" via "),
    match.match === "own" ? "own" : `${match.match} ${match.matchValue}`,
    `${match.confirmed ? "confirmed" : "unconfirmed"}: ${match.source.name} ${match.source.version}`,
  ]);
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? "").length)));
  for (const row of [heads, ...rows]) {
    yield row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  }
}

function proxyOf(match: Match & { readonly use: Use }): string {
  const host = match.use === "mms" ? match.mmsProxy : match.proxy;
  const port = match.use === "mms" ? match.mmsPort : match.port;
  return host === null ? "" : port === null ? host : `${host}:${port}`;
}
