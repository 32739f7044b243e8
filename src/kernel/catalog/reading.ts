/**
 * Reads values that came from outside (JSON or YAML, already parsed) and gathers all that is wrong with them, each with
 * its place, so that whoever wrote a catalog mends it in one go. What was wrong reads as an empty value of its kind.
 */
import { firstOf } from "../../term/collections.ts";

/** Where, as `items/mms/price/currency`, and what should stand there. */
export type CatalogProblem = { readonly at: string; readonly wanted: string };

/** Problems told at once; more help nobody. */
const PROBLEMS_MAX = 50;

/** A catalog id, of an item or of terms. */
export const CATALOG_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const isCatalogId = (text: string): boolean => CATALOG_ID.test(text);

/** Control characters, but line feed and tab where `lines` allows them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const CONTROL_BUT_LINES = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const LANGUAGE = /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/;
const LANGUAGES_MAX = 30;
const URL_CHARACTERS_MAX = 300;

export class Reading {
  readonly problems: CatalogProblem[] = [];

  refuse(at: string, wanted: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ at, wanted });
  }

  /** Its own members alone; with `known`, others are refused. */
  record(value: unknown, at: string, known?: readonly string[]): ReadonlyMap<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.refuse(at, value === undefined ? "is missing" : "must be an object");
      return new Map();
    }
    const members = new Map(Object.entries(value));
    if (known) {
      for (const name of members.keys()) {
        if (!known.includes(name)) this.refuse(`${at}/${shortened(name)}`, "is not known here");
      }
    }
    return members;
  }

  list(value: unknown, at: string, itemsMax: number): readonly unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) this.refuse(at, "must be a list");
    else if (value.length > itemsMax) this.refuse(at, `must have at most ${itemsMax} members`);
    else return value;
    return [];
  }

  text(value: unknown, at: string, charactersMax: number, { lines = false } = {}): string {
    if (value === undefined) this.refuse(at, "is missing");
    else if (typeof value !== "string") this.refuse(at, "must be text");
    else if (value.trim() === "") this.refuse(at, "must not be empty");
    else if (value.length > charactersMax) this.refuse(at, `must have at most ${charactersMax} characters`);
    else if ((lines ? CONTROL_BUT_LINES : CONTROL).test(value))
      this.refuse(at, "must not hold control characters");
    else return value;
    return "";
  }

  matching(value: unknown, at: string, pattern: RegExp, wanted: string): string {
    if (typeof value === "string" && pattern.test(value)) return value;
    this.refuse(at, value === undefined ? "is missing" : `must be ${wanted}`);
    return "";
  }

  integer(value: unknown, at: string, min: number, max: number): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max)
      return value;
    this.refuse(at, value === undefined ? "is missing" : `must be an integer of ${min} to ${max}`);
    return min;
  }

  yesOrNo(value: unknown, at: string, unlessGiven: boolean): boolean {
    if (value === undefined) return unlessGiven;
    if (typeof value !== "boolean") this.refuse(at, "must be true or false");
    return value === true;
  }

  oneOf<Word extends string>(value: unknown, at: string, words: readonly Word[], unlessGiven?: Word): Word {
    if (value === undefined && unlessGiven !== undefined) return unlessGiven;
    const found = words.find((word) => word === value);
    if (found === undefined)
      this.refuse(at, value === undefined ? "is missing" : `must be one of ${words.join(", ")}`);
    return found ?? firstOf(words);
  }

  /** Ids, none twice. */
  ids(value: unknown, at: string, idsMax: number): readonly string[] {
    const ids = this.list(value, at, idsMax).map((id, n) =>
      this.matching(id, `${at}/${n}`, CATALOG_ID, "the id of an item"),
    );
    this.refuseTwins(ids, at);
    return ids;
  }

  refuseTwins(words: readonly string[], at: string): void {
    const twin = words.findIndex((word, n) => word !== "" && words.indexOf(word) !== n);
    if (twin !== -1) this.refuse(`${at}/${twin}`, "is there twice");
  }

  /** Texts by BCP 47 language, `en` among them; tags are written as RFC 5646 recommends. */
  localized(
    value: unknown,
    at: string,
    charactersMax: number,
    options: { readonly lines?: boolean } = {},
  ): Readonly<Record<string, string>> {
    const members = this.record(value, at);
    if (members.size > LANGUAGES_MAX) this.refuse(at, `must have at most ${LANGUAGES_MAX} languages`);
    if (typeof value === "object" && value !== null && !members.has("en"))
      this.refuse(`${at}/en`, "is missing: English stands in for others");
    const texts: [string, string][] = [];
    for (const [tag, text] of [...members].slice(0, LANGUAGES_MAX)) {
      const language = canonicalLanguage(tag);
      if (language === undefined) this.refuse(`${at}/${shortened(tag)}`, "must be a language tag of BCP 47");
      else texts.push([language, this.text(text, `${at}/${language}`, charactersMax, options)]);
    }
    this.refuseTwins(
      texts.map(([language]) => language),
      at,
    );
    return Object.fromEntries(texts);
  }

  /** An https URL without credentials and fragment. */
  httpsUrl(value: unknown, at: string, options: { readonly origin?: boolean } = {}): string {
    const text = this.text(value, at, URL_CHARACTERS_MAX);
    if (text === "") return "";
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== "https:" || url.username !== "" || url.password !== "" || url.hash !== "") {
      this.refuse(at, "must be an https URL without user, password and fragment");
    } else if (options.origin && url.origin !== text) {
      this.refuse(at, `must be an origin alone, as ${shortened(url.origin)}`);
    }
    return text;
  }
}

/** `de-at` reads `de-AT`; undefined for what is no language tag. */
function canonicalLanguage(tag: string): string | undefined {
  if (!LANGUAGE.test(tag)) return undefined;
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined; // RangeError: its subtags contradict each other
  }
}

/** Characters of a foreign name that a message repeats. */
const NAME_TOLD_MAX = 60;
export const shortened = (name: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would forge log lines
  name.slice(0, NAME_TOLD_MAX).replace(/[\u0000-\u001f\u007f]/g, "?");
