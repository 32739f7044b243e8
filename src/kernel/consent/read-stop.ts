/**
 * STOP and START by text: what a phone number wants that nobody asked to be sent. A STOP is heard in more than its plain form,
 * since one too many costs an offer and one too few is a nuisance; a START is heard in its plain form alone.
 * Words: CTIA Messaging Principles and Best Practices (2023) 5.1.3, and what operators of other languages use.
 */
import { CODE, wordsOf } from "./plain-words.ts";

/** Said first or last, whatever stands beside it: `STOP`, `stop sending me this`, `bitte stop`. */
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
const STOP_ALONE: readonly string[] = ["END", "QUIT", "CANCEL", "REVOKE", "ENDE"];
const START: readonly string[] = ["START", "UNSTOP", "RESUME", "ANMELDEN", "СТАРТ"];
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
  const others = words.filter((word) => !CODE.test(word));
  const [first = "", second = ""] = others;
  const last = others.at(-1) ?? "";
  if (others.length === 1 && codes.length === 0 && START_WORDS.has(first))
    return text.includes("?") ? undefined : { kind: "start" };
  const isAlone = others.length === 1 && codes.length === 0 && ALONE_WORDS.has(first);
  const isSaid = STOP_WORDS.has(first) || STOP_WORDS.has(last) || (first === "OPT" && second === "OUT");
  if (!isAlone && (!isSaid || others.some((word) => NEGATION_WORDS.has(word)))) return undefined;
  return { kind: "stop", code: codes.length === 1 ? (codes[0] ?? null) : null };
}

const setOf = (words: readonly string[]): ReadonlySet<string> => new Set(words.flatMap(wordsOf));
const STOP_WORDS = setOf(STOP);
const ALONE_WORDS = setOf(STOP_ALONE);
const START_WORDS = setOf(START);
const NEGATION_WORDS = setOf(NEGATIONS);
