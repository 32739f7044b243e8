/**
 * Texts of payment files. Banks take a few characters only (EPC217-08, the SEPA requirements for an extended character set):
 * others are written as their nearest neighbours, so that a name is read, not refused.
 */

const ALLOWED = /[^A-Za-z0-9/\-?:().,'+ ]/g;
/** Letters that do not come apart into a letter and its mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  Æ: "AE",
  æ: "ae",
  Ø: "O",
  ø: "o",
  Œ: "OE",
  œ: "oe",
  Đ: "D",
  đ: "d",
  Ł: "L",
  ł: "l",
  Þ: "TH",
  þ: "th",
  ı: "i",
  "&": "+",
  _: "-",
};

/** In the characters that every bank takes; `undefined` where nothing is left. No `//`, none at either end. */
export function bankText(text: string, charactersMax: number): string | undefined {
  const plain = text
    .normalize("NFC")
    .replace(/[^\x20-\x7e]|[&_]/gu, (found) => LETTERS[found] ?? found)
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(ALLOWED, ".")
    .replace(/\/{2,}/g, "/")
    .replace(/\s+/g, " ")
    .slice(0, charactersMax)
    .replace(/^[/ ]+|[/ ]+$/g, "");
  return plain === "" ? undefined : plain;
}
