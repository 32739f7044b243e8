/**
 * What somebody means who answers a question by text: `YES 4821`, `nein`, `1 4821`. Only a plain answer is one: one word
 * and at most one number, without a question mark, a doubt or a sign that says the opposite. Whatever could be meant
 * otherwise is not understood, since a yes can cost money.
 */
import { CODE, digitsOf, hasDoubt, hasQuestion, plain, spelled, wordsOf } from "./plain-words.ts";
import { readStop } from "./read-stop.ts";

/** By language; a word stands on one side alone, in whatever language it is read. `JO` is a yes in German and a no in Albanian. */
const ACCEPT: readonly string[] = [
  ...["YES", "Y", "OK", "OKAY", "ACCEPT", "AGREE"], // en
  ...["JA", "J", "JAWOHL", "EINVERSTANDEN"], // de, nl, da, sv, no
  ...["OUI"], // fr
  ...["SÍ", "SÌ", "SIM"], // es, it, pt
  ...["ANO"], // cs
  ...["ÁNO"], // sk
  ...["JĀ"], // lv
  ...["DA", "ДА"], // ro, hr, bg, ru
  ...["KYLLÄ"], // fi
  ...["EVET"], // tr
  ...["ΝΑΊ"], // el
  ...["ТАК"], // uk
  ...["نعم"], // ar
  ...["כן"], // he
  ...["हाँ", "हां"], // hi
  ...["是", "はい", "예", "네"], // zh, ja, ko
];
/** Only to a question in their own language: elsewhere they say no, thanks, or again. */
const ACCEPT_IN: Readonly<Record<string, readonly string[]>> = {
  pl: ["TAK"], // not in Malay, thanks in Danish
  el: ["NAI"], // no in Alemannic German and Hindi
  hu: ["IGEN"], // again in Swedish
};
const DECLINE: readonly string[] = [
  ...["NO", "N", "NOPE", "STOP", "DECLINE", "CANCEL", "REJECT", "REFUSE"], // en, es, it
  ...["NEIN", "STOPP", "ABLEHNEN", "ABBRECHEN"], // de
  ...["NEE", "NEJ", "NEI"], // nl, sv, da, no
  ...["NON"], // fr
  ...["NAO"], // pt
  ...["NIE"], // pl, sk
  ...["NE"], // cs, hr
  ...["NEM"], // hu
  ...["NU"], // ro
  ...["НЕ", "НЕТ", "НІ"], // bg, ru, uk
  ...["EI"], // fi
  ...["HAYIR"], // tr
  ...["OXI", "OCHI", "ΟΧΙ"], // el
  ...["لا"], // ar
  ...["לא"], // he
  ...["नहीं"], // hi
  ...["否", "不", "いいえ", "아니요"], // zh, ja, ko
];
const ACCEPT_DIGIT = "1";
const DECLINE_DIGIT = "2";

/** A longer text is a letter, not an answer. */
const REPLY_CHARACTERS_MAX = 160;

export type Reply = {
  readonly answer: "accept" | "decline";
  /** The number that the question named; null where none was written. */
  readonly code: string | null;
};

/** Words that an operator adds; a word that means both would mean nothing, and is left out. */
export type ReplyWords = {
  readonly accept: readonly string[];
  readonly decline: readonly string[];
  /** BCP 47, of the question; where nobody knows it, any of ours. */
  readonly language?: string;
};

/** Undefined: it is no answer, or not a plain one. */
export function readReply(text: string, own: ReplyWords = NO_OWN_WORDS): Reply | undefined {
  if (text.length > REPLY_CHARACTERS_MAX || hasQuestion(text, own.language)) return undefined;
  const words = wordsOf(text, spelled);
  const codes = words.filter((word) => CODE.test(word));
  const others = words.filter((word) => !CODE.test(word));
  const [word] = others;
  if (word === undefined || others.length > 1 || codes.length > 1) return undefined;
  const answer = meaningOf(word, own);
  if (answer === undefined || hasDoubt(text, answer)) return undefined;
  return { answer, code: codes[0] ?? null };
}
const NO_OWN_WORDS: ReplyWords = { accept: [], decline: [] };

/** The numbers of questions that a text names, whatever else it says. */
export const codesIn = (text: string): readonly string[] =>
  text.length > REPLY_CHARACTERS_MAX ? [] : wordsOf(text).filter((word) => CODE.test(word));

/**
 * Which of an operator's own words could never be read: said on both sides, ours on the other side, a question's number, or
 * heard as STOP or START before. An operator that made "no" mean yes would leave its subscribers no way to say no.
 */
export function unreadableWords(own: ReplyWords): readonly string[] {
  const isTaken = (word: string, wanted: Reply["answer"]): boolean => {
    const preference = readStop(word)?.kind;
    return preference === "start" || (preference === "stop" && wanted === "accept");
  };
  const isUnreadable = (word: string, wanted: Reply["answer"]): boolean =>
    wordsOf(word).length !== 1 ||
    CODE.test(digitsOf(word)) ||
    isTaken(word, wanted) ||
    meaningOf(spelled(word), own) !== wanted;
  return [
    ...own.accept.filter((word) => isUnreadable(word, "accept")),
    ...own.decline.filter((word) => isUnreadable(word, "decline")),
  ];
}

/**
 * The question that a reply answers: the one whose code it names, or, without a code, the only one that is open.
 * A code that no open question has answers nothing, even where just one is open: it was meant for another.
 */
export function questionOf<Question extends { readonly code: string }>(
  { code }: Pick<Reply, "code">,
  open: readonly Question[],
): Question | undefined {
  if (code !== null) {
    const named = open.filter((question) => question.code === code);
    return named.length === 1 ? named[0] : undefined;
  }
  return open.length === 1 ? open[0] : undefined;
}

/** A code of 4 digits from random octets, unlike those of the questions that are open; none begins with 0. */
export function newCode(random: Uint8Array, taken: readonly string[]): string {
  if (random.length < CODE_OCTETS) throw new RangeError(`a code is made of ${CODE_OCTETS} octets or more`);
  const [high = 0, low = 0] = random;
  const first = (high * 256 + low) % CODES;
  for (let n = 0; n < CODES; n++) {
    const code = String(FIRST_CODE + ((first + n) % CODES));
    if (!taken.includes(code)) return code;
  }
  throw new RangeError("every code of 4 digits is taken");
}
export const CODE_OCTETS = 2;
const FIRST_CODE = 1_000;
const CODES = 9_000;

/** A yes as it is spelled, or without any accent; a no with whatever accents it came. */
function meaningOf(word: string, own: ReplyWords): Reply["answer"] | undefined {
  const bare = plain(word);
  const isLike = (one: string): boolean => plain(one) === bare;
  const isAccept =
    word === ACCEPT_DIGIT ||
    ACCEPT_WORDS.has(word) ||
    wordsIn(own.language).has(word) ||
    own.accept.some((one) => isLike(one) && (word === bare || word === spelled(one)));
  const isDecline = word === DECLINE_DIGIT || DECLINE_WORDS.has(bare) || own.decline.some(isLike);
  if (isAccept === isDecline) return undefined;
  return isAccept ? "accept" : "decline";
}

const spellings = (words: readonly string[]): ReadonlySet<string> =>
  new Set(words.flatMap((word) => [spelled(word), plain(word)]));
const ACCEPT_WORDS = spellings(ACCEPT);
const DECLINE_WORDS: ReadonlySet<string> = new Set(DECLINE.map(plain));
const NO_WORDS: ReadonlySet<string> = new Set();
const ACCEPT_WORDS_IN = new Map(Object.entries(ACCEPT_IN).map(([of, words]) => [of, spellings(words)]));
const ANY_WORDS: ReadonlySet<string> = new Set([...ACCEPT_WORDS_IN.values()].flatMap((words) => [...words]));

const wordsIn = (language: string | undefined): ReadonlySet<string> =>
  language === undefined
    ? ANY_WORDS
    : (ACCEPT_WORDS_IN.get(language.toLowerCase().split("-")[0] ?? "") ?? NO_WORDS);
