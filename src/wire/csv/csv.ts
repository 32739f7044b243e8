/**
 * RFC 4180 text to records, as people's programs write it. Own code beside csv-parse because the shipped lists are read
 * at each start of the command line: 34,000 rows take 30 ms here and 150 ms there (measured; two thirds of `turnup imei`),
 * and because a file with one bad quote must cost that line and no other. Lines without a quote, all but a few, are split
 * as they are.
 */
import { firstOf } from "../../term/collections.ts";

export type CsvRecord = {
  readonly line: number;
  readonly cells: readonly string[];
  /** Why the line is no record; its cells are then what stands between its separators. */
  readonly fault?: string;
};

/** Most cells of one record. */
export const CSV_CELLS_MAX = 256;
/** Longest quoted cell, in characters: what runs on beyond it was never meant to. */
const QUOTED_CHARACTERS_MAX = 65_536;

/** What parts the cells: a comma by the standard, a semicolon where the comma is for decimals, a tab, or the GSMA's `|`. */
export const SEPARATORS = [",", ";", "\t", "|"] as const;
export type Separator = (typeof SEPARATORS)[number];

/** The line by which spreadsheets are told the separator; it holds no data. */
export const SEPARATOR_LINE = /^\ufeff?"?sep=(.)"?[^\S\r\n]*(?:\r\n?|\n|$)/i;
/** A carriage return that ends a line by itself, as spreadsheets of old write it. */
const LONE_RETURN = /\r(?!\n)/;

/**
 * How often over the characters of a text may be read for quotes that turn out to close nothing; from then on none closes on a later line.
 * A file that people's programs wrote stays below once or twice; one that was made for it would be read 128 times.
 */
export const REREADS_MAX = 8;

export const UNCLOSED = "a quote is opened and never closed";

/** What a `sep=` line says, else the separator that the first line with text holds most of. */
export function separatorOf(text: string): Separator {
  const said = SEPARATORS.find((separator) => separator === SEPARATOR_LINE.exec(text)?.[1]);
  if (said) return said;
  const [first = ""] = /[^\r\n]+/.exec(text) ?? [];
  const counts = SEPARATORS.map((separator) => first.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? firstOf(SEPARATORS);
}

/**
 * Yields each record with the line it begins on; a quoted cell may span lines. A `sep=` line, empty lines and lines of
 * separators alone are skipped. Between bars a quote is a character like any other: that is how the GSMA writes its list
 * (a cell whose quotes are doubled is the one exception).
 */
export function* csvRecords(given: string, separator: Separator = ","): Generator<CsvRecord> {
  const text = LONE_RETURN.test(given) ? given.replace(/\r\n?/g, "\n") : given;
  const [intro = ""] = SEPARATOR_LINE.exec(text) ?? [];
  let line = intro === "" ? 1 : 2;
  let at = intro.length || (text.charCodeAt(0) === 0xfeff ? 1 : 0);
  let inVain = 0;
  const lastQuote = separator === "|" ? -1 : text.lastIndexOf('"');
  while (at < text.length) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const raw = text.slice(at, text.charCodeAt(end - 1) === 13 ? end - 1 : end);
    if (at > lastQuote || !raw.includes('"')) {
      if (!isBlank(raw, separator)) {
        const cells = raw.split(separator, CSV_CELLS_MAX);
        yield { line, cells: lastQuote < 0 && raw.includes('""') ? cells.map(undoubled) : cells };
      }
      at = end + 1;
      line += 1;
      continue;
    }
    const isLineAlone = inVain > text.length * REREADS_MAX;
    const quoted = isLineAlone ? quotedRecord(raw, 0, separator) : quotedRecord(text, at, separator);
    const isWhole = typeof quoted !== "number" && !isLineAlone;
    if (typeof quoted === "number") {
      inVain += quoted;
      yield { line, cells: raw.split(separator, CSV_CELLS_MAX), fault: UNCLOSED };
    } else yield { line, cells: quoted.cells };
    line += isWhole ? quoted.lines : 1;
    at = isWhole ? quoted.next : end + 1;
  }
}

/** Nobody writes `"Two ""2"""` but a program that doubles quotes: between bars that alone is no text as it stands. */
export function undoubled(cell: string): string {
  const inside = /^"((?:[^"]|"")*)"$/.exec(cell.trim())?.[1];
  return inside?.includes('""') ? inside.replaceAll('""', '"') : cell;
}

export function isBlank(raw: string, separator: Separator): boolean {
  for (let at = 0; at < raw.length; at++) {
    const character = raw[at];
    if (character !== separator && character !== " " && character !== "\t") return false;
  }
  return true;
}

/** Records as objects by the names of the header, which is the first record. */
export function* csvObjects(
  text: string,
  separator: Separator = ",",
): Generator<{ readonly line: number; readonly row: Record<string, string> }> {
  let header: readonly string[] | undefined;
  for (const { line, cells } of csvRecords(text, separator)) {
    if (!header) {
      header = cells;
      continue;
    }
    const row: Record<string, string> = {};
    for (const [at, name] of header.entries()) row[name] = cells[at] ?? "";
    yield { line, row };
  }
}

type Quoted = { readonly cells: string[]; readonly next: number; readonly lines: number };

/** Characters that were read in vain: a quote is opened that nothing closes, or that only a later line's own quote would close. */
export function quotedRecord(text: string, start: number, separator: Separator): Quoted | number {
  const cells: string[] = [];
  let lines = 1;
  let at = start;
  while (cells.length < CSV_CELLS_MAX) {
    let cell = "";
    if (text[at] === '"') {
      const quoted = quotedCell(text, at + 1);
      if (!quoted) return Math.min(text.length, at + QUOTED_CHARACTERS_MAX) - start;
      const breaks = quoted.cell.split("\n").length - 1;
      if (breaks > 0 && !endsCell(text, quoted.next, separator)) return quoted.next - start;
      cell = quoted.cell;
      at = quoted.next;
      lines += breaks;
    }
    const stop = nextOf(text, at, separator);
    cell += text.slice(at, text[stop] !== separator && text[stop - 1] === "\r" ? stop - 1 : stop);
    cells.push(unwrapped(cell));
    at = stop + 1;
    if (text[stop] !== separator) break;
  }
  return { cells, next: at, lines };
}

/** From behind the opening quote to behind the closing one; a doubled quote is one. */
function quotedCell(
  text: string,
  start: number,
): { readonly cell: string; readonly next: number } | undefined {
  let cell = "";
  for (let at = start; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0 || quote - start > QUOTED_CHARACTERS_MAX) return undefined;
    cell += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') return { cell, next: at };
    cell += '"';
    at += 1;
  }
}

const endsCell = (text: string, at: number, separator: Separator): boolean =>
  at >= text.length || text[at] === separator || text[at] === "\n" || text.startsWith("\r\n", at);

/** `="0012"` is how a spreadsheet is kept from taking text for a number. */
const unwrapped = (cell: string): string => /^="([^"]*)"$/.exec(cell.trim())?.[1] ?? cell;

function nextOf(text: string, at: number, separator: Separator): number {
  let stop = at;
  while (stop < text.length && text[stop] !== separator && text[stop] !== "\n") stop += 1;
  return stop;
}
