/**
 * RFC 4180 text that comes in pieces, as records: what `csvRecords` reads of the whole, in bounded memory. A record is given as soon as
 * nothing that may follow can change it.
 */
import {
  CSV_CELLS_MAX,
  type CsvRecord,
  isBlank,
  quotedRecord,
  REREADS_MAX,
  SEPARATOR_LINE,
  type Separator,
  UNCLOSED,
  undoubled,
} from "./csv.ts";

/** Longest record, in characters; as many are held back at most, where a quote may still be closed. */
const RECORD_CHARACTERS_MAX = 1_048_576;
/** Longest `sep=` line. */
const INTRO_CHARACTERS = 64;

const TOO_LONG = `the line is longer than ${RECORD_CHARACTERS_MAX} characters`;

export class CsvReader {
  readonly #separator: Separator;
  #held = "";
  #line = 1;
  #read = 0;
  #inVain = 0;
  /** The carriage return that a piece ended with: the line feed that belongs to it may begin the next one. */
  #hasReturn = false;
  #hasBegun = false;
  /** Within a line that is too long. */
  #isSkipping = false;

  constructor(separator: Separator) {
    this.#separator = separator;
  }

  /** Any of CR LF, CR and LF ends a line. The records are to be taken, all of them, before the next piece is given. */
  *push(piece: string, isLast = false): Generator<CsvRecord> {
    const given = this.#hasReturn ? `\r${piece}` : piece;
    this.#hasReturn = !isLast && given.endsWith("\r");
    const whole = this.#hasReturn ? given.slice(0, -1) : given;
    const text = whole.includes("\r") ? whole.replace(/\r\n?/g, "\n") : whole;
    this.#held += text;
    this.#read += text.length;
    if (!this.#begin(isLast)) return;
    let at = 0;
    try {
      for (;;) {
        const next = this.#next(at, isLast);
        if (!next) return;
        at = next.at;
        if (next.record) yield next.record;
      }
    } finally {
      this.#held = this.#held.slice(at);
    }
  }

  /** What is left when no piece follows. */
  end(): Generator<CsvRecord> {
    return this.push("", true);
  }

  /** Past the byte order mark and a `sep=` line; false where more is needed to tell. */
  #begin(isLast: boolean): boolean {
    if (this.#hasBegun) return true;
    if (!isLast && this.#held.length < INTRO_CHARACTERS && !this.#held.includes("\n")) return false;
    this.#hasBegun = true;
    const [intro = ""] = SEPARATOR_LINE.exec(this.#held) ?? [];
    if (intro !== "") this.#line = 2;
    this.#held = this.#held.slice(intro.length || (this.#held.charCodeAt(0) === 0xfeff ? 1 : 0));
    return true;
  }

  /** The next line or record from there on; undefined where what is held does not tell it. */
  #next(at: number, isLast: boolean): { readonly at: number; readonly record?: CsvRecord } | undefined {
    const left = this.#held.length - at;
    if (left === 0) return undefined;
    const end = this.#held.indexOf("\n", at);
    if (this.#isSkipping) return this.#skipped(end);
    if (end < 0 && !isLast) {
      if (left <= RECORD_CHARACTERS_MAX) return undefined;
      this.#isSkipping = true;
      return { at: this.#held.length, record: { line: this.#line, cells: [], fault: TOO_LONG } };
    }
    const stop = end < 0 ? this.#held.length : end;
    const raw = this.#held.slice(at, stop);
    if (this.#separator === "|" || !raw.includes('"')) {
      const line = this.#line++;
      if (isBlank(raw, this.#separator)) return { at: Math.min(stop + 1, this.#held.length) };
      const cells = raw.split(this.#separator, CSV_CELLS_MAX);
      const isDoubled = this.#separator === "|" && raw.includes('""');
      return {
        at: Math.min(stop + 1, this.#held.length),
        record: { line, cells: isDoubled ? cells.map(undoubled) : cells },
      };
    }
    return this.#quoted(at, stop, isLast);
  }

  #skipped(end: number): { readonly at: number } {
    if (end < 0) return { at: this.#held.length };
    this.#isSkipping = false;
    this.#line++;
    return { at: end + 1 };
  }

  #quoted(
    at: number,
    stop: number,
    isLast: boolean,
  ): { readonly at: number; readonly record: CsvRecord } | undefined {
    const isLineAlone = this.#inVain > this.#read * REREADS_MAX;
    const raw = this.#held.slice(at, stop);
    const quoted = isLineAlone
      ? quotedRecord(raw, 0, this.#separator)
      : quotedRecord(this.#held, at, this.#separator);
    const isAtEnd = typeof quoted === "number" || (!isLineAlone && quoted.next > this.#held.length);
    // What follows may close the quote, or belong to the record.
    if (isAtEnd && !isLineAlone && !isLast && this.#held.length - at <= RECORD_CHARACTERS_MAX)
      return undefined;
    const line = this.#line;
    const isWhole = typeof quoted !== "number" && !isLineAlone;
    this.#line += isWhole ? quoted.lines : 1;
    const next = Math.min(isWhole ? quoted.next : stop + 1, this.#held.length);
    if (typeof quoted !== "number") return { at: next, record: { line, cells: quoted.cells } };
    this.#inVain += quoted;
    const cells = raw.split(this.#separator, CSV_CELLS_MAX);
    return { at: next, record: { line, cells, fault: UNCLOSED } };
  }
}
