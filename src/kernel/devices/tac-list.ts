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

/** Takes rows one by one, so that a long list can be packed between other work. Rows need not be kept by whoever gives them. */
export class TacPacker {
  readonly texts = new TextIndex();
  readonly tacs = new Growing();
  readonly listedYears = new Growing();
  readonly releasedYears = new Growing();
  readonly suspects = new Growing();
  readonly columns: Readonly<Record<TextColumn, Growing>> = {
    ...{ make: new Growing(), model: new Growing(), modelCodes: new Growing() },
    ...{ names: new Growing(), aka: new Growing(), upstreamSource: new Growing() },
  };

  constructor() {
    this.texts.indexOf(""); // so that a list without items costs no look
  }

  push(row: TacRow): void {
    this.tacs.push(Number(row.tac));
    for (const column of TEXT_COLUMNS) this.columns[column].push(this.texts.indexOf(textOf(row[column])));
    this.listedYears.push(row.listedYear ?? NO_YEAR);
    this.releasedYears.push(row.releasedYear ?? NO_YEAR);
    this.suspects.push(row.suspect ? 1 : 0);
  }
}

const FIRST_PLACES = 1_024;

/** Whole numbers from 0 on, put one behind the other. */
class Growing {
  #places = new Uint32Array(FIRST_PLACES);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#places.length) {
      const wider = new Uint32Array(2 * this.#length);
      wider.set(this.#places);
      this.#places = wider;
    }
    this.#places[this.#length++] = value;
  }

  packed(): Uint32Array {
    return this.#places.slice(0, this.#length);
  }
}

function packerOf(rows: Iterable<TacRow>): TacPacker {
  const packer = new TacPacker();
  for (const row of rows) packer.push(row);
  return packer;
}

/** Places in the order of their TACs, of those with one TAC the first before: by numbers of both, which sort without a function. */
function orderOf(tacs: Uint32Array): Uint32Array {
  const keys = new Float64Array(tacs.length);
  for (let at = 0; at < tacs.length; at++) keys[at] = (tacs[at] ?? 0) * PLACES + at;
  keys.sort();
  const order = new Uint32Array(tacs.length);
  for (let at = 0; at < tacs.length; at++) order[at] = (keys[at] ?? 0) % PLACES;
  return order;
}
/** More rows than a list has; with the 8 digits in front still a whole number of 53 bits. */
const PLACES = 2 ** 26;

export class TacList implements Iterable<TacRow> {
  readonly #tacs: Uint32Array;
  /** Rows in the order of their TACs; of those with one TAC, as they stand in the list. */
  readonly #order: Uint32Array;
  readonly #texts: PackedTexts;
  readonly #columns: Readonly<Record<TextColumn, Uint32Array>>;
  readonly #listedYears: Int16Array;
  readonly #releasedYears: Int16Array;
  readonly #suspects: Uint8Array;

  constructor(rows: Iterable<TacRow> | TacPacker) {
    const packer = rows instanceof TacPacker ? rows : packerOf(rows);
    const { columns } = packer;
    this.#tacs = packer.tacs.packed();
    this.#order = orderOf(this.#tacs);
    this.#texts = packer.texts.packed();
    this.#columns = {
      make: columns.make.packed(),
      model: columns.model.packed(),
      modelCodes: columns.modelCodes.packed(),
      names: columns.names.packed(),
      aka: columns.aka.packed(),
      upstreamSource: columns.upstreamSource.packed(),
    };
    this.#listedYears = new Int16Array(packer.listedYears.packed());
    this.#releasedYears = new Int16Array(packer.releasedYears.packed());
    this.#suspects = new Uint8Array(packer.suspects.packed());
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
