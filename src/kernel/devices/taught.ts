/**
 * What the rows of all TAC lists teach of each other: which name a code is sold under, and when a model came out. Kept packed,
 * since an operator's list may teach of every model that there is.
 */
import { onlyOf } from "../../term/collections.ts";
import { codesIn, labelKey, makeOf, nameIn } from "./names.ts";
import { PackedMap, type PackedTexts, TextIndex } from "./packed-texts.ts";
import type { TacRow } from "./rows.ts";

/** Where lists contradict each other about a year. */
const CONTRADICTED = 0;

/** Rows of all lists, those in which is trusted most first: read one by one, so that it can be done between other work. */
export class Lessons {
  readonly names = new Map<string, string>();
  readonly years = new Map<string, number>();

  learn(row: TacRow): void {
    learn(row, this.names, this.years);
  }
}

function lessonsOf(rows: Iterable<TacRow>): Lessons {
  const lessons = new Lessons();
  for (const row of rows) lessons.learn(row);
  return lessons;
}

export class Taught {
  readonly #names: PackedTexts;
  /** By make and code, an index of `#names`. */
  readonly #nameOfCode: PackedMap;
  /** By make and label. */
  readonly #yearOfModel: PackedMap;

  /** Rows of all lists, those in which is trusted most first, or what was learned of them. */
  constructor(rows: Iterable<TacRow> | Lessons) {
    const { names, years } = rows instanceof Lessons ? rows : lessonsOf(rows);
    const texts = new TextIndex();
    this.#nameOfCode = new PackedMap(new Map([...names].map(([key, name]) => [key, texts.indexOf(name)])));
    this.#names = texts.packed();
    this.#yearOfModel = new PackedMap(years);
  }

  nameOfCode(make: string, code: string): string | undefined {
    const at = this.#nameOfCode.get(keyOf(make, code));
    return at === undefined ? undefined : this.#names.at(at);
  }

  /** Null where no list tells one, or two tell different ones. */
  yearOfModel(make: string, label: string): number | null {
    return this.#yearOfModel.get(keyOf(make, label)) || null;
  }
}

const keyOf = (make: string, what: string): string => `${make}/${what}`;

function learn(row: TacRow, names: Map<string, string>, years: Map<string, number>): void {
  const make = row.make === "Samsung" ? row.make : makeOf(row.make);
  const name = onlyOf(row.names);
  if (name !== undefined) for (const code of row.modelCodes) names.set(keyOf(make, code), name);
  if (make === "Samsung" && row.model.includes(" ")) learnName(make, row.model, names);
  if (row.releasedYear !== null && !row.suspect) learnYear(make, row.releasedYear, row, years);
}

/** `Galaxy S4 GT-I9500` teaches the name of the code to rows that have the code alone; contradictions teach nothing. */
function learnName(make: string, model: string, names: Map<string, string>): void {
  const codes = codesIn(make, model, () => false);
  const name = nameIn(model, codes).replace(/\bGALAXY\b/, "Galaxy");
  if (codes.length !== 1 || !/^galaxy \w/i.test(name)) return;
  const key = `${make}/${codes[0]}`;
  const known = names.get(key);
  if (known === undefined) names.set(key, name);
  else if (labelKey(make, known) !== labelKey(make, name) && known.length > name.length) {
    if (labelKey(make, known).startsWith(labelKey(make, name))) names.set(key, name); // "S4 LTE" is an S4
  }
}

function learnYear(
  make: string,
  year: number,
  { model, names }: Pick<TacRow, "model" | "names">,
  years: Map<string, number>,
): void {
  for (const name of model === "" ? names : [model]) {
    const key = keyOf(make, labelKey(make, name));
    const known = years.get(key);
    years.set(key, known === undefined || known === year ? year : CONTRADICTED);
  }
}
