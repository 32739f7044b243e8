/** A text from a telephone as words, however its keys, alphabet and accents wrote them, and the signs that say it is no plain answer. */

/** What a question is named by. */
export const CODE = /^\d{4}$/;

/** Capitals without accents: `sí`, `Si` and `SI` are one word, as a keypad with twelve keys writes them. */
export const plain = (text: string): string =>
  digitsOf(text.replace(LOOKS, "")).normalize("NFKD").replace(ACCENTS, "").normalize("NFC").toUpperCase();

/** Capitals as they were spelled: `año` (a year) is not `ano` (a yes). */
export const spelled = (text: string): string =>
  digitsOf(text.replace(LOOKS, "")).normalize("NFKC").toUpperCase().normalize("NFC");

/** Accents alone: a stroke through a letter (U+0335 to U+0338) is no accent, it takes the letter back. */
const ACCENTS = /[\u0300-\u0334\u0339-\u036f]/g;
/** What only chooses how the sign before it looks, or joins two: in itself neither sign nor word. */
const LOOKS = /[\ufe0e\ufe0f\u20e3\u200d]/g;

/**
 * A number that hangs on its word (`YES4821`) is a word of its own.
 * @param written `plain`, or `spelled`
 */
export const wordsOf = (text: string, written: (text: string) => string = plain): readonly string[] =>
  written(text)
    .replace(/(?<=[\p{L}\p{M}])(?=\p{N})|(?<=\p{N})(?=\p{L})/gu, " ")
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== "");

/** `٤٨٢١` as `4821`: digits of every alphabet stand ten in a row, from zero to nine (Unicode 15, 4.6). */
export const digitsOf = (text: string): string =>
  text.replace(/\p{Nd}/gu, (digit) => {
    const at = digit.codePointAt(0) ?? 0;
    let first = at;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
    return String((at - first) % 10);
  });

/**
 * A question mark of any script; Greek writes it like a semicolon.
 * @param language BCP 47, where it is known
 */
export function hasQuestion(text: string, language = ""): boolean {
  const isGreek = /\p{Script=Greek}/u.test(text) || /^el\b/i.test(language);
  return QUESTION.test(text) || (isGreek && text.includes(";"));
}
const QUESTION =
  /[?\u00bf\u037e\u055e\u061f\u1367\u1945\u203d\u2047-\u2049\u2753\u2754\u2cfa\u2cfb\u2e2e\ua60f\ufe16\ufe56\uff1f]/;

/** Signs that take nothing back: spaces, stops, quotation marks, brackets, and marks of direction and of width. */
const SIGNS =
  /[\s\p{Cc}.,:;!¡'"`´‘’‚“”„«»‹›()[\]{}#*+/=_\u2010-\u2015\u3001\u3002\u060c\u061b\u06d4\u0964\u05f3\u05f4\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff-]/gu;
const WORDS = /[\p{L}\p{M}\p{N}]/gu;
/** Skin tones and the marks that join an emoji or choose its look. */
const EMOJI_PARTS = /[\u{1f3fb}-\u{1f3ff}\u{fe0e}\u{fe0f}\u{200d}]/gu;
/** Faces and hands that go with a yes. All others may say the opposite, or be a joke. */
const YES_SIGNS = [..."👍👌✅✔☑🙂😊😀😃😄😁☺🙏❤🎉👏"];
/** Western smileys that frown, wink or put out a tongue, and the frown that looks the other way. */
const FACES = [
  /[:;=]['’]?-?[([{/\\|<@](?![\p{L}\p{N}])/u,
  /(?:^|[^\p{L}\p{N}])8-?[([{](?![\p{L}\p{N}])/u,
  /;['’]?-?[)\]}]/,
  /(?:^|\s)[)\]}]-?['’]?[:;=]/,
];
/** Two dots, or commas, of any script: whoever writes them has not made up their mind. */
const HESITATION = /[.,\u3001\u3002\u060c\u06d4\u0964]\s*[.,\u3001\u3002\u060c\u06d4\u0964]/;
/** `!YES` and `-1` as programs and forums write a no; an empty box. */
const TAKEN_BACK = [/(?:^|\s)!+(?=\p{L})/u, /[-\u2010-\u2015\u2212]\s*1(?!\d)/, /[[(]\s*[\])]/];
/** The signs of a number (`Nº 4821`, `n° 4821`), which are no `no`; and a decimal number. */
const NUMBER = /[\u2116\u00ba\u00b0]|\d[.,]\d/;

/**
 * Whether signs beside the word make it less than plain. A yes bears none but friendly ones, no dots that hesitate and no
 * mark of a quotation (`> YES`); a no is not taken back by anger, only by a sign that says yes.
 */
export function hasDoubt(text: string, answer: "accept" | "decline"): boolean {
  if (NUMBER.test(digitsOf(text))) return true;
  const written = digitsOf(text.normalize("NFKC"));
  const signs = [...written.replace(EMOJI_PARTS, "").replace(WORDS, "").replace(SIGNS, "")];
  if (answer === "decline") return signs.some((sign) => YES_SIGNS.includes(sign));
  if ([HESITATION, ...FACES, ...TAKEN_BACK].some((mark) => mark.test(written))) return true;
  return signs.some((sign) => !YES_SIGNS.includes(sign));
}
