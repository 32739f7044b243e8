/** Business identifier code of a bank (ISO 9362:2022): prefix 4, country 2, suffix 2, branch 3 or none. It has no check digit. */
import { TurnupError } from "./error.ts";

const SHAPE = /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/;

/**
 * In capitals, 8 or 11 characters.
 * @throws TurnupError `account_malformed`
 */
export function parseBic(text: string): string {
  const bic = text.replace(/\s/g, "").toUpperCase();
  if (SHAPE.test(bic)) return bic;
  throw new TurnupError("account_malformed", "A BIC has 8 or 11 characters: bank, country, place, branch.", {
    details: { field: "bic", code: "bic_malformed" },
    nextStep: "Read it again, or leave it out: an IBAN of the single euro payments area needs none.",
  });
}
