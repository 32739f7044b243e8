/** A text from a telephone as words, however its keys, alphabet and accents wrote them, and the signs that say it is no plain answer. */

/** What a question is named by. */
export const CODE_DIGITS = 4;
export const CODE = /^\d{4}$/;

/** Capitals without accents: `sí`, `Si` and `SI` are one word, as a keypad with twelve keys writes them. */
export const plain = (text: string): string =>
  digitsOf(text).normalize("NFKD").replace(ACCENTS, "").normalize("NFC").toUpperCase();

/** Accents alone: a stroke through a letter (U+0335 to U+0338) is no accent, it takes the letter back. */
const ACCENTS = /[\u0300-\u0334\u0339-\u036f]/g;

/** A number that hangs on its word (`YES4821`) is a word of its own. */
export const wordsOf = (text: string): readonly string[] =>
  plain(text)
    .replace(/(?<=[\p{L}\p{M}])(?=\p{N})|(?<=\p{N})(?=\p{L})/gu, " ")
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== "");

/** First digits of the alphabets that write their own (Arabic, Persian, Devanagari, Bengali, Thai). */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50];

/** `٤٨٢١` as `4821`. */
export const digitsOf = (text: string): string =>
  text.replace(/\p{Nd}/gu, (digit) => {
    const at = digit.codePointAt(0) ?? 0;
    const zero = ZEROS.find((first) => at >= first && at < first + 10);
    return zero === undefined ? digit : String(at - zero);
  });

/** A question mark of any script; Greek writes it like a semicolon. */
export function hasQuestion(text: string): boolean {
  if (
    /[?\u00bf\u037e\u055e\u061f\u1367\u203d\u2047-\u2049\u2753\u2754\u2e2e\ua60f\ufe16\ufe56\uff1f]/.test(
      text,
    )
  )
    return true;
  return /\p{Script=Greek}/u.test(text) && text.includes(";");
}

/** Signs that take nothing back: spaces, stops, quotation marks, brackets, and the marks of direction of Arabic and Hebrew. */
const SIGNS =
  /[\s\p{Cc}.,:;!'"`´‘’‚“”„«»‹›()[\]{}#*+/=_\u2010-\u2015\u3001\u3002\u060c\u061b\u06d4\u0964\u05f3\u05f4\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff-]/gu;
const WORDS = /[\p{L}\p{M}\p{N}]/gu;
/** Skin tones and the marks that join an emoji or choose its look. */
const EMOJI_PARTS = /[\u{1f3fb}-\u{1f3ff}\u{fe0e}\u{fe0f}\u{200d}]/gu;
/** Faces and hands that go with a yes. All others may say the opposite, or be a joke. */
const YES_SIGNS = [
  "👍",
  "👌",
  "✅",
  "✔",
  "☑",
  "🙂",
  "😊",
  "😀",
  "😃",
  "😄",
  "😁",
  "☺",
  "🙏",
  "❤",
  "🎉",
  "👏",
];
/** Western smileys that frown or wink. */
const FROWN = /(?:^|[^\p{L}\p{N}])[:;=8x]['’]?-?[([{/\\|<cCpPsS](?![\p{L}\p{N}])/u;

/**
 * Whether signs beside the word make it less than plain. A yes bears none but friendly ones, no dots that hesitate and no
 * mark of a quotation (`> YES`); a no is not taken back by anger, only by a sign that says yes.
 */
export function hasDoubt(text: string, answer: "accept" | "decline"): boolean {
  const left = text.normalize("NFKC").replace(EMOJI_PARTS, "").replace(WORDS, "").replace(SIGNS, "");
  const signs = [...left];
  if (answer === "decline") return signs.some((sign) => YES_SIGNS.includes(sign));
  if (/\.\s*\.|\u2026/.test(text) || FROWN.test(text)) return true;
  return signs.some((sign) => !YES_SIGNS.includes(sign));
}
