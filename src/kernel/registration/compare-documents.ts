/**
 * Numbers of identity documents: spaces, dashes and fillers say nothing. Where the machine readable zone was copied, its check
 * digit is looked at and left out. Source: ICAO Doc 9303-3 §4.9 (check digits), -4 to -6 (places of the number).
 */
import { type Agreement, agrees, DIFFERENT } from "./field-comparison.ts";

const WEIGHTS = [7, 3, 1] as const;
/** A document number has nine places in the machine readable zone, then its check digit. */
const NUMBER_CHARACTERS = 9;
/** First line of TD1 (30 characters) behind type and country; second line of TD2 (36) and TD3 (44). */
const TD1 = /^[ACI][A-Z<][A-Z<]{3}([A-Z0-9<]{9})(\d)[A-Z0-9<]{15}$/;
const TD2_TD3 = /^([A-Z0-9<]{9})(\d)[A-Z<]{3}\d{6}\d[MFX<]\d{6}\d[A-Z0-9<]{8}(?:[A-Z0-9<]{8})?$/;

type DocumentNumber = {
  readonly number: string;
  /** `none`: it was given without a check digit. */
  readonly checkDigit: "right" | "wrong" | "none";
};

/** 0 to 9, then A is 10 to Z 35; `<` is 0; weights 7, 3, 1 and again; the sum modulo 10. */
export function mrzCheckDigit(text: string): number {
  return (
    [...text].reduce(
      (sum, character, at) => sum + worthOf(character) * (WEIGHTS[at % WEIGHTS.length] ?? 0),
      0,
    ) % 10
  );
}

const worthOf = (character: string): number => (character === "<" ? 0 : Number.parseInt(character, 36));

/** A line of the machine readable zone, or the number with its fillers and check digit, or the number as it is printed. */
export function readDocumentNumber(text: string): DocumentNumber {
  const zone = text
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[\s./-]/g, "");
  const [, lineNumber, lineDigit] = TD1.exec(zone) ?? TD2_TD3.exec(zone) ?? [];
  if (lineNumber !== undefined && lineDigit !== undefined) return checked(lineNumber, lineDigit);
  const [, filled, digit] = /^([A-Z0-9<]*<[A-Z0-9<]*?)(\d)$/.exec(zone) ?? [];
  if (filled?.length === NUMBER_CHARACTERS && digit !== undefined) return checked(filled, digit);
  return { number: zone.replace(/[^A-Z0-9]/g, ""), checkDigit: "none" };
}

const checked = (number: string, digit: string): DocumentNumber => ({
  number: number.replaceAll("<", ""),
  checkDigit: mrzCheckDigit(number) === Number(digit) ? "right" : "wrong",
});

export function compareDocuments(given: string, onFile: string): Agreement {
  const [one, other] = [readDocumentNumber(given), readDocumentNumber(onFile)];
  if (one.number === "" || other.number === "") return DIFFERENT;
  if (one.checkDigit === "wrong") return agrees(0, "check_digit_wrong");
  if (one.number === other.number)
    return given.trim() === onFile.trim() ? agrees(100) : agrees(100, "writing");
  if (withoutDigit(one.number) === other.number || withoutDigit(other.number) === one.number)
    return agrees(98, "check_digit");
  return plainLetters(one.number) === plainLetters(other.number) ? agrees(85, "lookalikes") : DIFFERENT;
}

/** A tenth character that is the check digit of the nine before it; a shorter number never had one to be taken for it. */
const withoutDigit = (number: string): string => {
  const [body, last] = [number.slice(0, NUMBER_CHARACTERS), number.slice(NUMBER_CHARACTERS)];
  return body.length === NUMBER_CHARACTERS && /^\d$/.test(last) && mrzCheckDigit(body) === Number(last)
    ? body
    : number;
};

const LOOKALIKES: Readonly<Record<string, string>> = {
  O: "0",
  Q: "0",
  I: "1",
  L: "1",
  S: "5",
  B: "8",
  Z: "2",
};
const plainLetters = (text: string): string =>
  text.replace(/[OQILSBZ]/g, (letter) => LOOKALIKES[letter] ?? letter);
