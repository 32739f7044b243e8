/**
 * What somebody means who answers a question by text: `YES 4821`, `nein`, `1 4821`. Only a plain answer is one: one word
 * and at most one number, without a question mark, a doubt or a sign that says the opposite. Whatever could be meant
 * otherwise is not understood, since a yes can cost money.
 */
import { CODE, digitsOf, hasDoubt, hasQuestion, plain, wordsOf } from "./plain-words.ts";

/** By language; a word stands on one side alone, in whatever language it is read. */
const ACCEPT: readonly string[] = [
  ...["YES", "Y", "OK", "OKAY", "ACCEPT", "AGREE"], // en
  ...["JA", "J", "JO", "JAWOHL", "EINVERSTANDEN"], // de, nl, da, sv, no
  ...["OUI"], // fr
  ...["SI", "SIM"], // es, it, pt
  ...["TAK"], // pl
  ...["ANO"], // cs
  ...["ÁNO"], // sk
  ...["IGEN"], // hu
  ...["DA", "ДА"], // ro, hr, bg, ru
  ...["KYLLA"], // fi
  ...["EVET"], // tr
  ...["NAI", "ΝΑΙ"], // el
  ...["ТАК"], // uk
  ...["نعم"], // ar
  ...["כן"], // he
  ...["हाँ", "हां"], // hi
  ...["是", "はい", "예", "네"], // zh, ja, ko
];
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
export type ReplyWords = { readonly accept: readonly string[]; readonly decline: readonly string[] };

/** Undefined: it is no answer, or not a plain one. */
export function readReply(text: string, own: ReplyWords = NO_OWN_WORDS): Reply | undefined {
  if (text.length > REPLY_CHARACTERS_MAX || hasQuestion(text)) return undefined;
  const words = wordsOf(text);
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
 * Which of an operator's own words could never be read: said on both sides, ours on the other side, or a question's number.
 * An operator that made "no" mean yes would leave its subscribers no way to say no.
 */
export function unreadableWords(own: ReplyWords): readonly string[] {
  const isUnreadable = (word: string, wanted: Reply["answer"]): boolean =>
    wordsOf(word).length !== 1 || CODE.test(digitsOf(word)) || meaningOf(plain(word), own) !== wanted;
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
  { code }: Reply,
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

function meaningOf(word: string, own: ReplyWords): Reply["answer"] | undefined {
  const isAccept =
    word === ACCEPT_DIGIT || ACCEPT_WORDS.has(word) || own.accept.some((one) => plain(one) === word);
  const isDecline =
    word === DECLINE_DIGIT || DECLINE_WORDS.has(word) || own.decline.some((one) => plain(one) === word);
  if (isAccept === isDecline) return undefined;
  return isAccept ? "accept" : "decline";
}

const ACCEPT_WORDS: ReadonlySet<string> = new Set(ACCEPT.map(plain));
const DECLINE_WORDS: ReadonlySet<string> = new Set(DECLINE.map(plain));
