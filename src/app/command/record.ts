/** `turnup record ...`: the operator's own subscriber records, brought from its customer system, shown masked, erased. */

import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import type { OwnRecords, RecordNumber, SubscriberRecord } from "../../kernel/account/own-records.ts";
import { DATE_ORDERS } from "../../kernel/registration/read-date.ts";
import {
  numbersOf,
  type RecordRow,
  readRecord,
  recordColumn,
} from "../../kernel/registration/read-record.ts";
import { contentOf } from "../../store/dataset/content.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { wordOf } from "../../term/narrow.ts";
import { csvRecords, type Separator, separatorOf } from "../../wire/csv/csv.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";

/** Three million rows of a hundred octets; a larger file is parted. */
const FILE_OCTETS_MAX = 256 * 1_048_576;
/** Written in one transaction, so that a broken import is begun again and changes nothing that it wrote. */
const BATCH_ROWS = 1_000;
const REFUSED_TOLD_MAX = 20;
/** With --whole, of the records that are there. */
const MOST_REMOVED_PERCENT = 10;
const PERCENT_MAX = 100;
/** Personal data: for its owner alone. */
const REJECTED_MODE = 0o600;

const recordsOf = ({ store, newId, clock }: OperatorStore): OwnRecords =>
  createRegistry({ database: store.database, sealer: store.sealer, newId, clock }).ownRecords;

export const recordImportCommand: Command = {
  name: "record import",
  summary: "Bring the operator's own subscriber records, with which those who ask are compared",
  description: [
    "Reads csv with a header, parted by comma, semicolon, tab or |, gzipped or not: imsi, msisdn (one of them at least),",
    "givenName, familyName, birthdate, streetName, streetNumber, postalCode, locality, country, idDocument, email, fax;",
    "common other names of columns are understood. A record takes the place of the one with its SIM or number.",
    "Rows that are not taken are named on stderr by line and reason, and stand whole, with both, in a file beside it",
    "(readable by its owner alone): mend them there and import that file. Exit code 1 when no row could be taken.",
    "With --whole the file has all subscribers: who is not in it any more is erased for good. Records of rows that are not",
    "taken stay as they are; a row whose number cannot be read stops all of it, as does more than --most-removed percent.",
  ].join("\n"),
  args: [{ usage: "<file>", about: "the file; - reads standard input" }],
  options: [
    ...OPERATOR_OPTIONS,
    {
      flags: "--dates <order>",
      about: "of dates that do not say it, as 01/02/1990: which comes first",
      choices: DATE_ORDERS,
    },
    { flags: "--rejected <file>", about: "where rows go that are not taken (default FILE.rejected.csv)" },
    { flags: "--whole", about: "the file has all subscribers: who is not in it is erased" },
    {
      flags: "--most-removed <percent>",
      about: `with --whole: of the records that are there, at most so many percent go (default ${MOST_REMOVED_PERCENT})`,
    },
    { flags: "--confirm-removed <count>", about: "with --whole: so many may go, whatever their share" },
    { flags: "--dry-run", about: "read and check the file, write nothing to the database" },
  ],
  examples: [
    "turnup record import subscribers.csv",
    "turnup record import crm.csv.gz --dates dmy --operator meridian",
    "turnup record import all.csv --whole --dry-run",
  ],
  async run(context) {
    const [file = "-"] = context.args;
    const octets = await context.content(file, FILE_OCTETS_MAX);
    const { text } = contentOf("subscriber records", file, octets);
    const read = readRows(text, context);
    const rejectedFile = writeRejected(context, file, read);
    tellRejected(context, file, read, rejectedFile);
    if (read.taken.length === 0)
      throw new TurnupError("dataset_malformed", `No row of ${basename(file)} could be imported.`, {
        nextStep:
          read.rejected.length > 0 ? "Mend the rows named above." : "The file has a header and no rows.",
      });
    const told = { rejected: read.rejected.length, rejectedFile };
    if (context.flag("whole")) return await importWhole(context, read, sourceOf(file), told);
    if (context.flag("dry-run"))
      return await tell(context, { taken: read.taken.length, ...told, dryRun: true });
    return await withOperator(context, async (opened) => {
      const written = await writeAll(context, opened, read.taken, sourceOf(file));
      return await tell(context, { ...written, ...told });
    });
  },
};

const sourceOf = (file: string): string => (file === "-" ? "stdin" : basename(file));

/** All subscribers: what is new, changed and gone is told, and with a dry run nothing but told. */
async function importWhole(
  context: CommandContext,
  { taken, rejected }: ReadRows,
  source: string,
  told: { readonly rejected: number; readonly rejectedFile: string | undefined },
) {
  const nameless = rejected.find(({ numbers }) => numbers.length === 0);
  if (nameless)
    throw new TurnupError("dataset_malformed", `Whose row line ${nameless.line} is cannot be read.`, {
      nextStep: "Mend it: whoever it is of would be erased.",
    });
  const mostPercent = wholeNumber(context, "most-removed", PERCENT_MAX) ?? MOST_REMOVED_PERCENT;
  const confirmed = wholeNumber(context, "confirm-removed", Number.MAX_SAFE_INTEGER) ?? null;
  const dryRun = context.flag("dry-run");
  const given = {
    records: taken,
    kept: rejected.flatMap(({ numbers }) => numbers),
    source,
    actor: CLI_ACTOR,
  };
  return await withOperator(context, async (opened) => {
    const records = recordsOf(opened);
    const plan = dryRun
      ? await records.planWhole(opened.operator.id, given)
      : await records.putWhole(opened.operator.id, given, { mostPercent, confirmed });
    if (context.json)
      await context.printJson({ ...plan, ...told, rejectedFile: told.rejectedFile ?? null, dryRun });
    else
      await context.print(
        `${dryRun ? "this was a dry run, it would be: " : ""}added ${plan.added}, changed ${plan.changed}, unchanged ${plan.unchanged}, removed ${plan.removed} of ${plan.there}; not taken: ${told.rejected}`,
      );
    return "ok" as const;
  });
}

/** @throws UsageError */
function wholeNumber(context: CommandContext, name: string, most: number): number | undefined {
  const text = context.option(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) > most)
    throw new UsageError(`--${name} takes a whole number${most === PERCENT_MAX ? ` of 0 to ${most}` : ""}.`);
  return Number(text);
}

type Rejected = {
  readonly line: number;
  readonly cells: readonly string[];
  readonly reason: string;
  /** Whose it is, as far as it can be read. */
  readonly numbers: readonly RecordNumber[];
};
type ReadRows = {
  readonly header: readonly string[];
  readonly separator: Separator;
  readonly taken: readonly SubscriberRecord[];
  readonly rejected: readonly Rejected[];
  readonly unused: readonly string[];
};

/** What was added to a rejected file is not read back as data. */
const OWN_COLUMNS = ["rejected_line", "rejected_reason"];

function readRows(text: string, context: CommandContext): ReadRows {
  const separator = separatorOf(text);
  const [first] = csvRecords(text, separator);
  const header = (first?.cells ?? []).map((cell) => cell.trim());
  const fields = header.map(recordColumn);
  if (!fields.includes("imsi") && !fields.includes("msisdn"))
    throw new TurnupError("dataset_malformed", "The header names neither imsi nor msisdn.", {
      nextStep: "Name the columns in the first line: imsi,msisdn,givenName,familyName,birthdate and so on.",
    });
  const dateOrder = wordOf(DATE_ORDERS, context.option("dates"));
  const now = context.now();
  const taken: SubscriberRecord[] = [];
  const rejected: Rejected[] = [];
  const seen = new Map<string, number>();
  let isHeader = true;
  for (const { line, cells, fault } of csvRecords(text, separator)) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const read = fault ? { reason: fault } : readOne(fields, cells, { now, dateOrder });
    const keys = "record" in read ? keysOf(read.record) : [];
    const before = keys.map((key) => seen.get(key)).find((place) => place !== undefined);
    const refuse = (reason: string): void =>
      void rejected.push({ line, cells, reason, numbers: numbersOf(rowOf(fields, cells)) });
    if (!("record" in read)) refuse(read.reason);
    else if (before !== undefined) refuse(`its number stands at line ${before} already`);
    else {
      taken.push(read.record);
      for (const key of keys) seen.set(key, line);
    }
  }
  const unused = header.filter((name, at) => fields[at] === undefined && !OWN_COLUMNS.includes(name));
  return { header, separator, taken, rejected, unused };
}

const keysOf = ({ imsi, msisdn }: SubscriberRecord): readonly string[] => [
  ...(imsi === null ? [] : [`i${imsi}`]),
  ...(msisdn === null ? [] : [`m${msisdn}`]),
];

function readOne(
  fields: readonly (string | undefined)[],
  cells: readonly string[],
  reading: Parameters<typeof readRecord>[1],
): ReturnType<typeof readRecord> {
  if (cells.length > fields.length)
    return { reason: `it has ${cells.length} cells, the header has ${fields.length}` };
  // Octets that were no UTF-8 have become U+FFFD.
  if (cells.some((cell) => cell.includes("\ufffd")))
    return { reason: "it is not UTF-8: save the file as UTF-8" };
  return readRecord(rowOf(fields, cells), reading);
}

const rowOf = (fields: readonly (string | undefined)[], cells: readonly string[]): RecordRow =>
  Object.fromEntries(
    fields.flatMap((field, at) => {
      const cell = cells[at]?.trim() ?? "";
      return field !== undefined && cell !== "" ? [[field, cell]] : [];
    }),
  );

async function writeAll(
  context: CommandContext,
  opened: OperatorStore,
  taken: readonly SubscriberRecord[],
  source: string,
): Promise<{ readonly taken: number; readonly replaced: number }> {
  const records = recordsOf(opened);
  const progress = context.progress("importing records");
  let replaced = 0;
  for (let at = 0; at < taken.length; at += BATCH_ROWS) {
    const batch = taken.slice(at, at + BATCH_ROWS);
    const put = await records.put(opened.operator.id, batch, { source, actor: CLI_ACTOR });
    replaced += put.replaced;
    progress.update(at + batch.length, taken.length, "records");
  }
  progress.clear();
  return { taken: taken.length, replaced };
}

// What was not taken.

/** Whole rows, as they were, each with its line and reason; undefined where there are none or nowhere to write them. */
function writeRejected(context: CommandContext, file: string, read: ReadRows): string | undefined {
  const { header, separator, rejected } = read;
  const name = context.option("rejected") ?? (file === "-" ? undefined : `${file}.rejected.csv`);
  if (rejected.length === 0 || name === undefined) return undefined;
  const kept = header
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => !OWN_COLUMNS.includes(column));
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell) => quoted(cell, separator)).join(separator)}\n`;
  const handle = openRejected(name);
  try {
    writeSync(handle, line([...kept.map(({ column }) => column), ...OWN_COLUMNS]));
    for (const { line: number, cells, reason } of rejected)
      writeSync(handle, line([...kept.map(({ at }) => cells[at] ?? ""), String(number), reason]));
  } finally {
    closeSync(handle);
  }
  return name;
}

function openRejected(name: string): number {
  try {
    return openSync(name, "w", REJECTED_MODE);
  } catch (cause) {
    throw new TurnupError("file_unreadable", `The rows that are not taken cannot be written to ${name}.`, {
      cause,
      nextStep: "Name another file with --rejected.",
    });
  }
}

const quoted = (cell: string, separator: Separator): string =>
  /["\r\n]/.test(cell) || cell.includes(separator) ? `"${cell.replaceAll('"', '""')}"` : cell;

function tellRejected(
  context: CommandContext,
  file: string,
  { rejected, unused }: ReadRows,
  rejectedFile: string | undefined,
): void {
  for (const { line, reason } of rejected.slice(0, REFUSED_TOLD_MAX))
    context.note(`${file} line ${line}: ${reason}`);
  const more = rejected.length - REFUSED_TOLD_MAX;
  if (more > 0) context.note(`and ${more} more rows that were not taken`);
  if (rejectedFile) context.note(`all rows that were not taken: ${rejectedFile}`);
  if (unused.length > 0) context.note(`${file}: columns that nobody reads: ${unused.join(", ")}`);
}

type Told = {
  readonly taken: number;
  readonly replaced?: number;
  readonly rejected: number;
  readonly rejectedFile: string | undefined;
  readonly dryRun?: boolean;
};

async function tell(context: CommandContext, { taken, replaced = 0, rejected, rejectedFile, dryRun }: Told) {
  if (context.json)
    await context.printJson({
      taken,
      replaced,
      rejected,
      rejectedFile: rejectedFile ?? null,
      dryRun: dryRun ?? false,
    });
  else
    await context.print(
      `${dryRun ? "would take" : "taken"}: ${taken}, of them in place of older ones: ${replaced}; not taken: ${rejected}`,
    );
  return "ok" as const;
}

// One record.

const NUMBER_ARGUMENT = [{ usage: "<number>", about: "IMSI (14 or 15 digits) or phone number" }] as const;

const numberIn = (text: string): RecordNumber =>
  /^\d{14,15}$/.test(text)
    ? { imsi: parseImsi(text) }
    : { msisdn: parseMsisdn(text.startsWith("+") ? text : `+${text}`) };

const notFound = (): TurnupError =>
  new TurnupError("subscriber_record_not_found", "There is no record of this number.", {
    nextStep: "`turnup record import` brings them.",
  });

export const recordShowCommand: Command = {
  name: "record show",
  summary: "Show the record of one subscriber, masked",
  args: NUMBER_ARGUMENT,
  options: OPERATOR_OPTIONS,
  examples: ["turnup record show +491701234567", "turnup record show 001010000000099 --json"],
  async run(context) {
    const [number = ""] = context.args;
    return await withOperator(context, async (opened) => {
      const found = await recordsOf(opened).find(opened.operator.id, numberIn(number));
      if (!found) throw notFound();
      if (context.json) await context.printJson(found);
      else {
        const { user, ...rest } = found;
        for (const [name, value] of Object.entries({ ...rest, ...user }))
          await context.print(`${name}  ${value ?? "-"}`);
      }
      return "ok";
    });
  },
};

export const recordEraseCommand: Command = {
  name: "record erase",
  summary: "Erase the record of one subscriber for good",
  args: NUMBER_ARGUMENT,
  options: OPERATOR_OPTIONS,
  examples: ["turnup record erase +491701234567"],
  async run(context) {
    const [number = ""] = context.args;
    return await withOperator(context, async (opened) => {
      if (!(await recordsOf(opened).remove(opened.operator.id, numberIn(number), CLI_ACTOR)))
        throw notFound();
      if (context.json) await context.printJson({ erased: true });
      else await context.print("erased");
      return "ok";
    });
  },
};
