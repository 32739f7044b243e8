/**
 * Text by twelve keys, as phones of 1999 did it: the same key again turns to its next letter, a pause or another key takes
 * the letter. There is no clock here: whoever has one presses PAUSE. Letters per key: ETSI ES 202 130 (Latin, the first rows).
 */
export type DigitKey = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "*" | "#";

/** What keys give: a capital first, small, capital, or digits alone. */
export type LetterCase = "Abc" | "abc" | "ABC" | "123";

/** A text while it is typed. */
export type Typing = {
  /** What is taken for good. */
  readonly text: string;
  readonly letterCase: LetterCase;
  /** The key that still turns, and how often it was pressed beyond the first time. */
  readonly turning?: { readonly key: DigitKey; readonly times: number };
};

const LETTERS: Readonly<Record<DigitKey, string>> = {
  "0": " 0",
  "1": ".,?!1@'-_():;/&%+#*\"<>=$\u00a3\u20ac",
  "2": "abc2\u00e4\u00e0\u00e1\u00e2\u00e3\u00e5\u00e6\u00e7",
  "3": "def3\u00e9\u00e8\u00ea\u00eb\u00f0",
  "4": "ghi4\u00ed\u00ec\u00ee\u00ef",
  "5": "jkl5\u0142",
  "6": "mno6\u00f6\u00f3\u00f2\u00f4\u00f5\u00f8\u00f1",
  "7": "pqrs7\u00df",
  "8": "tuv8\u00fc\u00fa\u00f9\u00fb",
  "9": "wxyz9\u00fd\u00fe",
  "*": "@.-_+/:*",
  "#": "",
};
/** Kinds of text that begin with a name have a capital first. */
const NEXT_CASE: Readonly<Record<LetterCase, LetterCase>> = {
  Abc: "abc",
  abc: "ABC",
  ABC: "123",
  "123": "Abc",
};

/** The text with the letter that still turns. */
export function textOfTyping({ text, letterCase, turning }: Typing): string {
  if (!turning) return text;
  const letters = LETTERS[turning.key];
  const letter = letters[turning.times % letters.length] ?? "";
  const isCapital = letterCase === "ABC" || (letterCase === "Abc" && /(?:^|[ -])$/.test(text));
  return text + (isCapital && letter !== "\u00df" ? letter.toUpperCase() : letter);
}

/** The letter that still turns, taken. */
export const settled = (typing: Typing): Typing => ({
  text: textOfTyping(typing),
  letterCase: typing.letterCase,
});

/** One key of the twelve. `#` changes case and digits; more characters than `limit` are not taken. */
export function typed(typing: Typing, key: DigitKey, limit: number): Typing {
  if (key === "#") return { ...settled(typing), letterCase: NEXT_CASE[typing.letterCase] };
  if (typing.turning?.key === key) {
    return { ...typing, turning: { key, times: typing.turning.times + 1 } };
  }
  const done = settled(typing);
  if (done.text.length >= limit) return done;
  if (typing.letterCase === "123" && key !== "*") return { ...done, text: done.text + key };
  return { ...done, turning: { key, times: 0 } };
}

/** Takes back the letter that turns, else the last one. */
export function cleared(typing: Typing): Typing {
  const { text, letterCase, turning } = typing;
  return { text: turning ? text : [...text].slice(0, -1).join(""), letterCase };
}
