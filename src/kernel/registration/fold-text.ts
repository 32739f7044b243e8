/**
 * Text as it is compared: without what people write differently and mean alike. Letters of other scripts become Latin ones by
 * any-ascii (ISC), and spellings of one sound become one, since nobody's passport, keyboard and clerk agree on them.
 */
import { latinOf } from "../../term/latin.ts";

/** How letters with marks are written where there are none: by their own convention, which no table of marks knows. */
const SPELT_OUT: Readonly<Record<string, string>> = {
  ä: "ae",
  ö: "oe",
  ü: "ue",
  å: "aa",
  ø: "oe",
  æ: "ae",
};
const NOT_LATIN = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;

/** Lower case, one form of each letter; marks of a sentence are gone, what parts words is one space. */
const plain = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/['’‘ʼ`´]/g, "")
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();

const ascii = (text: string): string =>
  latinOf(text)
    .toLowerCase()
    .replace(/['’`]/g, "")
    .replace(/[^a-z0-9]+/g, " ")
    .trim();

/** A text in the forms in which it may agree with another, from the strictest to the widest. */
export type Folded = {
  readonly plain: string;
  /** Without marks on letters: `muller` of Müller. */
  readonly bare: string;
  /** With the letters that a mark stands for: `mueller` of Müller. */
  readonly spelt: string;
  /** One spelling a sound, whatever the script was. */
  readonly sound: string;
  readonly isLatin: boolean;
};

export function fold(text: string): Folded {
  const form = plain(text);
  const bare = ascii(form);
  const spelt = ascii(form.replace(/[äöüåøæ]/g, (letter) => SPELT_OUT[letter] ?? letter));
  return { plain: form, bare, spelt, sound: soundOf(bare), isLatin: !NOT_LATIN.test(form) };
}

/** Ways to write one sound when a name comes from another script (ISO 9, BGN/PCGN and passports differ in just these). */
const SOUNDS: readonly (readonly [RegExp, string])[] = [
  [/shch|sch/g, "sh"],
  [/tch/g, "ch"],
  [/kh/g, "h"],
  [/ph/g, "f"],
  [/th/g, "t"],
  [/ts|tz/g, "c"],
  [/ks/g, "x"],
  [/q|ck/g, "k"],
  [/w/g, "v"],
  [/oy|ou/g, "u"],
  [/[yj]/g, "i"],
  [/ie/g, "e"],
  [/i+/g, "i"],
  [/([a-z])\1/g, "$1"],
];

const soundOf = (text: string): string =>
  SOUNDS.reduce((said, [written, meant]) => said.replace(written, meant), text);

/**
 * How alike two texts are, from 0 to 1: letters that have to be put in, left out, changed or swapped with their neighbour,
 * against the longer of the two (Damerau 1964, as optimal string alignment).
 */
export function likeness(one: string, other: string): number {
  const longest = Math.max(one.length, other.length);
  if (longest === 0) return 1;
  if (longest > COMPARED_CHARACTERS_MAX) return one === other ? 1 : 0;
  return 1 - distance(one, other) / longest;
}

/** Fields are shorter (`check-user-data.ts`); a bound for the square of work. */
const COMPARED_CHARACTERS_MAX = 300;

function distance(one: string, other: string): number {
  const width = other.length + 1;
  let [before, last]: [number[], number[]] = [[], Array.from({ length: width }, (_, at) => at)];
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let at = 1; at < width; at++) {
      const isSame = one[row - 1] === other[at - 1];
      const least = Math.min(
        (last[at] ?? 0) + 1,
        (now[at - 1] ?? 0) + 1,
        (last[at - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwapped = row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1];
      now.push(isSwapped ? Math.min(least, (before[at - 2] ?? 0) + 1) : least);
    }
    [before, last] = [last, now];
  }
  return last[other.length] ?? 0;
}
