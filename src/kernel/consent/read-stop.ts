/**
 * STOP and START by text: what a phone number wants that nobody asked to be sent. A STOP is heard in more than its plain form,
 * since one too many costs an offer and one too few is a nuisance; a START is heard in its plain form alone.
 * Words: CTIA Messaging Principles and Best Practices (2023) 5.1.3, and what operators of other languages use.
 */
import { CODE, hasQuestion, wordsOf } from "./plain-words.ts";

/** Said first, behind a word of courtesy, or last, whatever stands beside it: `stop sending me this`, `please stop this`. */
const STOP: readonly string[] = [
  ...["STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT"], // en and everywhere
  ...["STOPP", "ABMELDEN", "ABBESTELLEN", "AUSTRAGEN"], // de, sv, no
  ...["ARRET", "DESABONNER"], // fr
  ...["BAJA", "PARAR", "SAIR"], // es, pt
  ...["AFMELDEN", "AFMELD", "AVSLUTA"], // nl, da, sv
  ...["СТОП", "ΣΤΟΠ"], // ru, bg, uk, el
  ...["توقف", "הסר", "रोकें", "退订", "停止", "중지"], // ar, he, hi, zh, ja, ko
];
/** Verbs of other meanings too: they end offers only where they stand alone. */
const STOP_ALONE: readonly string[] = ["END", "QUIT", "CANCEL", "REVOKE", "ENDE", "BASTA"];
const START: readonly string[] = ["START", "UNSTOP", "RESUME", "ANMELDEN", "СТАРТ"];
/** Letters that anger repeats. */
const STOP_DRAWN_OUT = /^S+T+O+P+$/;
/** What courtesy or anger puts before it. */
const BEFORE: readonly string[] = [
  ...["PLEASE", "PLS", "PLZ", "JUST", "HELLO", "HI", "OK", "NO"],
  ...["BITTE", "HALLO", "SVP", "POR", "FAVOR", "PER", "FAVORE"],
];
/** `don't stop`, `nicht stoppen`, `non-stop`. */
const NEGATIONS: readonly string[] = [
  ...[
    "DONT",
    "NOT",
    "NEVER",
    "CANT",
    "WONT",
    "NICHT",
    "NIE",
    "NIEMALS",
    "KEIN",
    "PAS",
    "JAMAIS",
    "NUNCA",
    "NON",
  ],
];
/** A longer text is a letter, not an answer. */
const CHARACTERS_MAX = 160;

/** `code`: the question that a STOP names too; null where it names none, or more than one. */
export type StopRead = { readonly kind: "stop"; readonly code: string | null } | { readonly kind: "start" };

export function readStop(text: string): StopRead | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  const words = wordsOf(text.replace(/(\p{L})['’`](\p{L})/gu, "$1$2"));
  const codes = words.filter((word) => CODE.test(word));
  const others = asOne(words.filter((word) => !CODE.test(word)));
  const isAlone = others.length === 1 && codes.length === 0;
  if (isAlone && START_WORDS.has(others[0] ?? "")) return hasQuestion(text) ? undefined : { kind: "start" };
  if (!(isAlone && ALONE_WORDS.has(others[0] ?? "")) && !isSaid(others)) return undefined;
  return { kind: "stop", code: codes.length === 1 ? (codes[0] ?? null) : null };
}

/** `S T O P` is one word. */
const asOne = (words: readonly string[]): readonly string[] =>
  words.length > 1 && words.every(({ length }) => length === 1) ? [words.join("")] : words;

function isSaid(words: readonly string[]): boolean {
  if (words.some((word) => NEGATION_WORDS.has(word))) return false;
  const [first = "", second = ""] = words.slice(words.findIndex((word) => !BEFORE_WORDS.has(word)));
  const isStop = (word: string): boolean => STOP_WORDS.has(word) || STOP_DRAWN_OUT.test(word);
  return isStop(first) || isStop(words.at(-1) ?? "") || (first === "OPT" && second === "OUT");
}

const setOf = (words: readonly string[]): ReadonlySet<string> =>
  new Set(words.flatMap((word) => wordsOf(word)));
const STOP_WORDS = setOf(STOP);
const ALONE_WORDS = setOf(STOP_ALONE);
const START_WORDS = setOf(START);
const BEFORE_WORDS = setOf(BEFORE);
const NEGATION_WORDS = setOf(NEGATIONS);
