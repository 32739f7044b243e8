/**
 * RFC 4180 text to records. Own code beside csv-parse because the shipped lists are read at each start of the command
 * line: 34,000 rows take 30 ms here and 150 ms there (measured; two thirds of `turnup imei`). Lines without a quote,
 * all but a few, are split as they are.
 */
import { firstOf } from "../../term/collections.ts";

export type CsvRecord = { readonly line: number; readonly cells: readonly string[] };

/** Most cells of one record. */
const CSV_CELLS_MAX = 256;

/** What parts the cells: a comma by the standard, a semicolon where the comma is for decimals, a tab, or the GSMA's `|`. */
export const SEPARATORS = [",", ";", "\t", "|"] as const;
export type Separator = (typeof SEPARATORS)[number];

/** The separator that the first line with text holds most of. */
export function separatorOf(text: string): Separator {
  const [first = ""] = /[^\r\n]+/.exec(text) ?? [];
  const counts = SEPARATORS.map((separator) => first.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? firstOf(SEPARATORS);
}

/** Yields each record with the line it begins on; a quoted cell may span lines. Empty lines are skipped. */
export function* csvRecords(text: string, separator: Separator = ","): Generator<CsvRecord> {
  let line = 1;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const raw = text.slice(at, text.charCodeAt(end - 1) === 13 ? end - 1 : end);
    if (!raw.includes('"')) {
      if (raw !== "") yield { line, cells: raw.split(separator, CSV_CELLS_MAX) };
      at = end + 1;
      line += 1;
      continue;
    }
    const quoted = quotedRecord(text, at, separator);
    yield { line, cells: quoted.cells };
    line += quoted.lines;
    at = quoted.next;
  }
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

function quotedRecord(text: string, start: number, separator: Separator): Quoted {
  const cells: string[] = [];
  let lines = 1;
  let at = start;
  while (cells.length < CSV_CELLS_MAX) {
    let cell = "";
    if (text[at] === '"') {
      at += 1;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote < 0) return { cells: [...cells, cell + text.slice(at)], next: text.length, lines };
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at += 1;
      }
      lines += cell.split("\n").length - 1;
    }
    const stop = nextOf(text, at, separator);
    cell += text.slice(at, text[stop] !== separator && text[stop - 1] === "\r" ? stop - 1 : stop);
    cells.push(cell);
    at = stop + 1;
    if (text[stop] !== separator) break;
  }
  return { cells, next: at, lines };
}

function nextOf(text: string, at: number, separator: Separator): number {
  let stop = at;
  while (stop < text.length && text[stop] !== separator && text[stop] !== "\n") stop += 1;
  return stop;
}
