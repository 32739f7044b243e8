/** Parts of an address: streets with what they are called in short, house numbers, postcodes. */
import { compareNames } from "./compare-names.ts";
import { type Agreement, agrees, bestOf, DIFFERENT } from "./field-comparison.ts";
import { fold, likeness } from "./fold-text.ts";

/** In short, in full; of the languages of most of our users. At the end or the beginning, as the language has it. */
const STREET_WORDS: Readonly<Record<string, string>> = {
  str: "strasse",
  st: "street",
  rd: "road",
  ave: "avenue",
  av: "avenue",
  avd: "avenida",
  avda: "avenida",
  blvd: "boulevard",
  bd: "boulevard",
  bvd: "boulevard",
  bld: "boulevard",
  ln: "lane",
  dr: "drive",
  ct: "court",
  sq: "square",
  hwy: "highway",
  pkwy: "parkway",
  ter: "terrace",
  cl: "close",
  cres: "crescent",
  gdns: "gardens",
  pl: "place",
  r: "rue",
  imp: "impasse",
  chem: "chemin",
  all: "allee",
  rte: "route",
  c: "calle",
  cj: "callejon",
  pza: "plaza",
  plz: "platz",
  pz: "piazza",
  v: "via",
  vle: "viale",
  cso: "corso",
  lgo: "largo",
  ul: "ulica",
  al: "aleja",
  os: "osiedle",
  n: "north",
  s: "south",
  e: "east",
  w: "west",
};
/** Of a street's name alone, at its beginning: a saint. */
const SAINTS: Readonly<Record<string, string>> = { st: "saint", ste: "sainte", s: "san", sta: "santa" };
/** What kind of street it is: left out where there is but one of the name. */
const KINDS = new Set(
  (
    "strasse street road avenue avenida boulevard lane drive court square highway parkway terrace close crescent gardens place " +
    "rue impasse chemin allee route calle callejon plaza platz piazza via viale corso largo ulica aleja osiedle weg gasse straat laan"
  ).split(" "),
);
const SMALL_WORDS = new Set(
  "de des du la le les del della di da do dos der den dem am an im zur zum of the l d".split(" "),
);
/** Written in one with the name: Hauptstr., Kerkstr. */
const GLUED = /^(.{3,}?)(?:str|strasse)$/;
const SPELLING_FROM = 0.85;

type Street = { readonly name: string; readonly number: string };

/** `Hauptstr. 12a` is a street and a number; a number in front is one, too (`12 High Street`). */
export function streetOf(text: string): Street {
  const trimmed = text.trim();
  const behind = /^(\D.*?)[\s,]+(\d+\s*[a-zA-Z]?(?:\s*[-/]\s*\d+\s*[a-zA-Z]?)?)$/.exec(trimmed);
  if (behind?.[1] && behind[2]) return { name: behind[1], number: behind[2] };
  const before = /^(\d+[a-zA-Z]?(?:\s*[-/]\s*\d+[a-zA-Z]?)?)[\s,]+(\D.*)$/.exec(trimmed);
  return before?.[1] && before[2] ? { name: before[2], number: before[1] } : { name: trimmed, number: "" };
}

export function compareStreets(given: string, onFile: string): Agreement {
  if (given.trim() === onFile.trim()) return agrees(100);
  const [one, other] = [fold(given), fold(onFile)];
  if (one.bare === other.bare || one.spelt === other.spelt) return agrees(100, "writing");
  if (one.bare === "" || other.bare === "") return compareNames(given, onFile);
  const [ours, theirs] = [one.spelt, other.spelt].map((text) => wordsOf(text ?? ""));
  if (!ours || !theirs) return DIFFERENT;
  if (ours.join("") === theirs.join("")) return agrees(98, "abbreviation");
  const [name, otherName] = [ours, theirs].map((words) => nameAlone(words ?? []).join(""));
  if (name && name === otherName && !areOtherKinds(ours, theirs)) return agrees(80, "part_of_it");
  const alike = likeness(ours.join(""), theirs.join(""));
  const bySpelling = alike >= SPELLING_FROM ? agrees(Math.round(alike * 88), "spelling") : DIFFERENT;
  const isOneScript = one.isLatin === other.isLatin;
  return isOneScript ? bySpelling : bestOf(bySpelling, compareNames(given, onFile));
}

function wordsOf(text: string): readonly string[] {
  const words = text.split(" ").filter((word) => word !== "");
  return words.flatMap((word, at) => {
    const isFirst = at === 0 && words.length > 1;
    const isLast = at === words.length - 1;
    if (isFirst && !isLast && SAINTS[word] && words.length > 2) return [SAINTS[word]];
    const whole = STREET_WORDS[word];
    if (whole && (isFirst || isLast) && words.length > 1) return [whole];
    const [, stem] = GLUED.exec(word) ?? [];
    return stem ? [stem, "strasse"] : [word];
  });
}

function nameAlone(words: readonly string[]): readonly string[] {
  const kept = words.filter((word) => !KINDS.has(word) && !SMALL_WORDS.has(word));
  return kept.length > 0 ? kept : words;
}

/** Oak Road is not Oak Avenue. */
function areOtherKinds(one: readonly string[], other: readonly string[]): boolean {
  const [kinds, otherKinds] = [one, other].map((words) => words.filter((word) => KINDS.has(word)));
  return kinds !== undefined && otherKinds !== undefined && kinds.length > 0 && otherKinds.length > 0;
}

/** `12 a`, `12A`, `No. 12a` and `012 A` are one; a flat or the end of a range may be missing. */
export function compareHouseNumbers(given: string, onFile: string): Agreement {
  const [one, other] = [given, onFile].map(houseNumber);
  if (!one || !other) return DIFFERENT;
  if (one === other) return given.trim() === onFile.trim() ? agrees(100) : agrees(100, "writing");
  const [first, alsoFirst] = [one, other].map((text) => /^\d+[a-z]?/.exec(text)?.[0]);
  if (first !== undefined && first === alsoFirst) return agrees(80, "range");
  const [digits, alsoDigits] = [one, other].map((text) => /^\d+/.exec(text)?.[0]);
  return digits !== undefined && digits === alsoDigits ? agrees(70, "part_of_it") : DIFFERENT;
}

const houseNumber = (text: string): string =>
  fold(text)
    .bare.replace(/^(?:no|nr|num|numero|n)\b\s*/, "")
    .replace(/\s+/g, text.includes("-") || text.includes("/") ? "-" : "")
    .replace(/^0+(?=\d)/, "")
    .replace(/(\d)-([a-z])/g, "$1$2");

/** Spaces, dashes and a country's letter in front say nothing; of a ZIP+4 the ZIP is compared. */
export function comparePostalCodes(given: string, onFile: string, country: string | undefined): Agreement {
  const [one, other] = [given, onFile].map((text) => postalCode(text, country));
  if (one === "" || one !== other) return DIFFERENT;
  return given.trim() === onFile.trim() ? agrees(100) : agrees(100, "writing");
}

const ZIP = /^\d{9}$/;
function postalCode(text: string, country: string | undefined): string {
  const code = text
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "");
  const digits = /^[A-Z]{1,3}(\d{4,6})$/.exec(code)?.[1] ?? code; // D-10115, CH-8001, FIN-00100
  return country === "US" && ZIP.test(digits) ? digits.slice(0, 5) : digits;
}

/** A place with what people add to it or leave out: `Frankfurt a. M.`, `St. Gallen`. */
export function compareLocalities(given: string, onFile: string): Agreement {
  const direct = compareNames(given, onFile);
  const saintly = compareNames(sainted(given), sainted(onFile));
  if (saintly.score <= direct.score) return direct;
  return { score: saintly.score, reasons: [...new Set([...saintly.reasons, "abbreviation" as const])] };
}

const sainted = (text: string): string =>
  text.replace(/\bst\.?\s+/gi, "sankt ").replace(/\bsaint\s+/gi, "sankt ");
