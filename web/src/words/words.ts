/**
 * The console's words: a key, its text in each language, arguments in braces, plurals as ICU writes them. A key that is missing
 * in a language does not compile. English stands in the first load, the other comes when it is asked for.
 */
import { en } from "./en.ts";

export type Words = Readonly<Record<keyof typeof en, string>>;
export type WordKey = keyof typeof en;
type Arguments = Readonly<Record<string, string | number>>;

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

let words: Words = en;
export let language: Language = "en";

export async function chooseLanguage(asked: string): Promise<void> {
  language = LANGUAGES.find((one) => one === asked) ?? "en";
  words = language === "de" ? (await import("./de.ts")).de : en;
  document.documentElement.lang = language;
}

/** `{n, plural, one {# order} other {# orders}}` and `{name}`. */
export function t(key: WordKey, given: Arguments = {}): string {
  return words[key]
    .replace(
      /\{(\w+), plural, one \{([^}]*)\} other \{([^}]*)\}\}/g,
      (_, name: string, one: string, other: string) => {
        const count = Number(given[name]);
        return (new Intl.PluralRules(language).select(count) === "one" ? one : other).replace(
          "#",
          number(count),
        );
      },
    )
    .replace(/\{(\w+)\}/g, (_, name: string) => String(given[name] ?? ""));
}

/** Whether a word is there, for codes that the server may send before this page knows them. */
export const isKey = (key: string): key is WordKey => key in words;

export const number = (value: number): string => new Intl.NumberFormat(language).format(value);
export const money = (minor: number, currency: string): string => {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
};
const inZone = (options: Intl.DateTimeFormatOptions, at: string): string =>
  new Intl.DateTimeFormat(language, options).format(new Date(at));
export const clockTime = (at: string): string => inZone({ hour: "2-digit", minute: "2-digit" }, at);
export const exactTime = (at: string): string => inZone({ dateStyle: "medium", timeStyle: "long" }, at);
export const stampOf = (at: string): string =>
  inZone(
    { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" },
    at,
  );
export const dayOf = (at: string): string =>
  inZone({ weekday: "short", day: "numeric", month: "short", year: "numeric" }, at);

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** "4 min. ago", "in 3 hr.": the largest unit that fits once. */
export function relative(at: string, nowMs: number): string {
  const ms = new Date(at).getTime() - nowMs;
  const [unit, length] = UNITS.find(([, one]) => Math.abs(ms) >= one) ?? ["second", 1_000];
  return new Intl.RelativeTimeFormat(language, { style: "short", numeric: "auto" }).format(
    Math.trunc(ms / length),
    unit,
  );
}
