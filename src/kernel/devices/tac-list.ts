/**
 * One list of TACs, packed: 37 octets a row beside its texts, each of which is kept once, where rows as objects take several
 * hundred. A row is made when it is asked for.
 */
import { type PackedTexts, TextIndex } from "./packed-texts.ts";
import type { TacRow } from "./rows.ts";

const TAC_SHAPE = /^\d{8}$/;
const TAC_DIGITS = 8;
/** TACs with the same first six digits. */
const TACS_OF_SIX_DIGITS = 100;
/** Between the items of a list of names or codes; none holds it (data/README.md). */
const ITEM_END = "|";
const TEXT_COLUMNS = ["make", "model", "modelCodes", "names", "aka", "upstreamSource"] as const;
type TextColumn = (typeof TEXT_COLUMNS)[number];
const NO_YEAR = 0;

export class TacList implements Iterable<TacRow> {
  readonly #tacs: Uint32Array;
  /** Rows in the order of their TACs; of those with one TAC, as they stand in the list. */
  readonly #order: Uint32Array;
  readonly #texts: PackedTexts;
  readonly #columns: Readonly<Record<TextColumn, Uint32Array>>;
  readonly #listedYears: Int16Array;
  readonly #releasedYears: Int16Array;
  readonly #suspects: Uint8Array;

  /** Rows need not be kept by whoever gives them. */
  constructor(rows: Iterable<TacRow>) {
    const texts = new TextIndex();
    texts.indexOf(""); // so that a list without items costs no look
    const tacs: number[] = [];
    const years: { readonly listed: number[]; readonly released: number[] } = { listed: [], released: [] };
    const suspects: number[] = [];
    const columns = { make: [], model: [], modelCodes: [], names: [], aka: [], upstreamSource: [] };
    for (const row of rows) {
      tacs.push(Number(row.tac));
      for (const column of TEXT_COLUMNS) pushTo(columns[column], texts.indexOf(textOf(row[column])));
      years.listed.push(row.listedYear ?? NO_YEAR);
      years.released.push(row.releasedYear ?? NO_YEAR);
      suspects.push(row.suspect ? 1 : 0);
    }
    this.#tacs = Uint32Array.from(tacs);
    this.#order = Uint32Array.from(tacs.keys()).sort(
      (one, other) => this.#tacOf(one) - this.#tacOf(other) || one - other,
    );
    this.#texts = texts.packed();
    this.#columns = {
      make: Uint32Array.from(columns.make),
      model: Uint32Array.from(columns.model),
      modelCodes: Uint32Array.from(columns.modelCodes),
      names: Uint32Array.from(columns.names),
      aka: Uint32Array.from(columns.aka),
      upstreamSource: Uint32Array.from(columns.upstreamSource),
    };
    this.#listedYears = Int16Array.from(years.listed);
    this.#releasedYears = Int16Array.from(years.released);
    this.#suspects = Uint8Array.from(suspects);
  }

  /** What it takes of memory. */
  get octets(): number {
    const columns = [this.#tacs, this.#order, this.#listedYears, this.#releasedYears, this.#suspects];
    return [...columns, ...Object.values(this.#columns)].reduce(
      (sum, { byteLength }) => sum + byteLength,
      this.#texts.octets,
    );
  }

  /** The rows as the list has them; texts that several share are one. */
  *[Symbol.iterator](): Generator<TacRow> {
    const made: string[] = [];
    const text = (index: number): string => {
      made[index] ??= this.#texts.at(index);
      return made[index];
    };
    for (let at = 0; at < this.#tacs.length; at++) yield this.#row(at, text);
  }

  /** The list's first row of a TAC; undefined where it has none. */
  find(tac: string): TacRow | undefined {
    if (!TAC_SHAPE.test(tac)) return undefined;
    const place = this.#placeOf(Number(tac));
    const at = this.#order[place];
    return at !== undefined && this.#tacs[at] === Number(tac) ? this.#row(at) : undefined;
  }

  has(tac: string): boolean {
    return TAC_SHAPE.test(tac) && this.#tacs[this.#order[this.#placeOf(Number(tac))] ?? -1] === Number(tac);
  }

  /** The first row of each TAC that has the same first six digits, the given one among them. */
  *ofSixDigits(tac: string): Generator<TacRow> {
    if (!TAC_SHAPE.test(tac)) return;
    const from = Math.floor(Number(tac) / TACS_OF_SIX_DIGITS) * TACS_OF_SIX_DIGITS;
    let before = -1;
    for (let place = this.#placeOf(from); place < this.#order.length; place++) {
      const at = this.#order[place] ?? 0;
      const one = this.#tacOf(at);
      if (one >= from + TACS_OF_SIX_DIGITS) return;
      if (one !== before) yield this.#row(at);
      before = one;
    }
  }

  /** Its TACs, each once, in order. */
  *tacs(): Generator<string> {
    let before = -1;
    for (const at of this.#order) {
      const one = this.#tacOf(at);
      if (one !== before) yield digitsOf(one);
      before = one;
    }
  }

  #tacOf(at: number): number {
    return this.#tacs[at] ?? 0;
  }

  /** In `#order`, the first whose TAC is no lower. */
  #placeOf(tac: number): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tacOf(this.#order[middle] ?? 0) < tac) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #row(at: number, text = (index: number): string => this.#texts.at(index)): TacRow {
    const of = (column: TextColumn): string => text(this.#columns[column][at] ?? 0);
    return {
      tac: digitsOf(this.#tacOf(at)),
      make: of("make"),
      model: of("model"),
      modelCodes: itemsOf(of("modelCodes")),
      names: itemsOf(of("names")),
      aka: itemsOf(of("aka")),
      upstreamSource: of("upstreamSource"),
      listedYear: this.#listedYears[at] || null,
      releasedYear: this.#releasedYears[at] || null,
      suspect: this.#suspects[at] === 1,
    };
  }
}

const digitsOf = (tac: number): string => String(tac).padStart(TAC_DIGITS, "0");
const textOf = (value: string | readonly string[]): string =>
  typeof value === "string" ? value : value.join(ITEM_END);
const NONE: readonly string[] = [];
const itemsOf = (text: string): readonly string[] => (text === "" ? NONE : text.split(ITEM_END));
const pushTo = (column: number[], value: number): void => void column.push(value);
