/**
 * Product files of endoflife.date as lifecycle rows: the YAML that the site is made from (also with the page's text behind
 * it), the JSON of its API by cycles, and that of its API v1. `eol` is the end of security updates, `eoas` (in older files
 * `support`) that of system updates; each is a day, true (has ended) or false.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { makeOf } from "../../kernel/devices/names.ts";
import { TurnupError } from "../../term/error.ts";
import type { CsvRecord } from "../../wire/csv/csv.ts";

type ProductFile = {
  /** The header first: columns of data/README.md. */
  readonly records: readonly CsvRecord[];
  readonly warnings: readonly string[];
};

/** Their longest file has some 300 cycles. */
const CYCLES_MAX = 10_000;
const TEXT_CHARACTERS_MAX = 8 * 1_024 * 1_024;

/** Words of a product's name that are no part of the maker's. */
const PRODUCT_WORDS = /\s+(?:phones?|mobile|mobility|smartphones?|handsets?|devices?|tablets?)$/i;
/** Families that stand for their maker. */
const MAKER_OF_FAMILY: Readonly<Record<string, string>> = {
  galaxy: "Samsung",
  ipad: "Apple",
  iphone: "Apple",
  pixel: "Google",
  xperia: "Sony",
  zenfone: "Asus",
};

/** Whether the text is JSON, or YAML with a list of releases; csv is neither. */
export const isProductFile = (text: string): boolean =>
  /^\ufeff?\s*[[{]/.test(text) || /^\ufeff?---\s*$/m.test(text.slice(0, 1_000)) || /^releases:/m.test(text);

/** @throws TurnupError `dataset_malformed`: not of this form, or the make is said nowhere */
export function readProductFile(text: string, givenMake?: string): ProductFile {
  if (text.length > TEXT_CHARACTERS_MAX) throw malformed("The product file is too long.");
  const lines = new LineCounter();
  const { frontMatter, firstLine } = frontMatterOf(text);
  const document = parsed(frontMatter, lines);
  const root: unknown = document.contents;
  const result = isMap(root) ? (root.get("result") ?? root) : undefined;
  const list: unknown = isSeq(root) ? root : isMap(result) ? result.get("releases") : undefined;
  if (!isSeq(list)) throw malformed("The file holds no list of releases.");
  if (list.items.length > CYCLES_MAX) throw malformed(`The file has more than ${CYCLES_MAX} releases.`);
  const title = isMap(result) ? textOf(result, "title") || textOf(result, "label") : "";
  const cycles = list.items.flatMap((item) => {
    if (!isMap(item)) return [];
    const line = lines.linePos(item.range?.[0] ?? 0).line + firstLine - 1;
    return [{ line, cycle: cycleOf(item) }];
  });
  const named = makeNamed(
    givenMake,
    title,
    cycles.map(({ cycle }) => cycle.label),
  );
  const header = { line: 0, cells: ["make", ...CELLS] };
  const records = cycles.map(({ line, cycle }) => ({
    line,
    cells: [named.make, ...CELLS.map((name) => cycle[name])],
  }));
  return { records: [header, ...records], warnings: named.warnings };
}

function parsed(text: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> {
  const unread = () => malformed("The file is neither JSON nor YAML that can be read.");
  try {
    const document = parseDocument(text, { lineCounter, merge: false });
    if (document.errors.length === 0) return document;
  } catch {
    throw unread(); // nested too deep for the parser
  }
  throw unread();
}

const malformed = (fact: string): TurnupError =>
  new TurnupError("dataset_malformed", fact, {
    nextStep:
      "Lifecycles are csv, or a product file of endoflife.date: YAML with releases, or the JSON of its API.",
  });

/** The pages of the site have their data between two lines of dashes. */
function frontMatterOf(text: string): { readonly frontMatter: string; readonly firstLine: number } {
  const opening = /^\ufeff?\s*---[^\S\n]*\r?\n/.exec(text)?.[0];
  if (opening === undefined) return { frontMatter: text.replace(/^\ufeff/, ""), firstLine: 1 };
  const rest = text.slice(opening.length);
  const end = /^---[^\S\n]*$/m.exec(rest)?.index ?? rest.length;
  return { frontMatter: rest.slice(0, end), firstLine: opening.split("\n").length };
}

const CELLS = ["label", "released", "os_updates_end", "security_updates_end", "discontinued"] as const;
type Cycle = Readonly<Record<(typeof CELLS)[number], string>>;

function cycleOf(item: YAMLMap): Cycle {
  const name = textOf(item, "releaseCycle") || textOf(item, "cycle") || textOf(item, "name");
  const label = (textOf(item, "releaseLabel") || textOf(item, "label"))
    .replaceAll("__RELEASE_CYCLE__", name)
    .replaceAll("__CODENAME__", textOf(item, "codename"))
    .trim();
  return {
    label: label || name,
    released: textOf(item, "releaseDate"),
    os_updates_end: textOf(item, "eoasFrom") || textOf(item, "eoas", "support") || textOf(item, "isEoas"),
    security_updates_end: textOf(item, "eolFrom") || textOf(item, "eol") || textOf(item, "isEol"),
    discontinued:
      textOf(item, "discontinuedFrom") || textOf(item, "discontinued") || textOf(item, "isDiscontinued"),
  };
}

/** Of the first of the names that is there; null and what is no scalar says nothing. */
function textOf(map: YAMLMap, ...names: readonly string[]): string {
  for (const name of names) {
    const node = map.get(name, true);
    if (isScalar(node) && node.value !== null) return String(node.value).trim();
  }
  return "";
}

/** As given; else of the title; else the word that all cycles begin with, which is said. */
function makeNamed(
  given: string | undefined,
  title: string,
  labels: readonly string[],
): { readonly make: string; readonly warnings: readonly string[] } {
  if (given) return { make: given, warnings: [] };
  const family = (text: string): string =>
    MAKER_OF_FAMILY[text.toLowerCase()] ?? makeOf(text.replace(/^(.+)\s(\w+)$/, familyCut));
  if (title !== "") {
    const make = family(title.replace(PRODUCT_WORDS, ""));
    return { make, warnings: [`the make ${make} is taken from the title "${title}"`] };
  }
  const first = [...new Set(labels.map((label) => /^([a-z]{2,})[\s-]/i.exec(label)?.[1]?.toLowerCase()))];
  const [word] = first;
  if (word === undefined || first.length > 1) {
    throw new TurnupError("dataset_malformed", "The file does not say whose products these are.", {
      nextStep: "Name the maker: --make Samsung.",
    });
  }
  const make = family(word.replace(/^./, (letter) => letter.toUpperCase()));
  return {
    make,
    warnings: [`the make ${make} is the word that all releases begin with; --make names another`],
  };
}

/** `Apple iPhone` is of Apple. */
const familyCut = (whole: string, before: string, last: string): string =>
  Object.hasOwn(MAKER_OF_FAMILY, last.toLowerCase()) ? before : whole;
