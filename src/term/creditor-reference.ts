/**
 * Structured creditor reference (ISO 11649): `RF`, two check digits, up to 21 letters and digits. Whoever is paid finds by it
 * what is paid, without a person.
 */
import { mod97DigitsOf, passesMod97 } from "./mod-97.ts";

const REFERENCE_CHARACTERS_MAX = 21;

/**
 * @param reference 1 to 21 of A-Z and 0-9
 * @throws RangeError anything else: it is made of ids of ours
 */
export function creditorReferenceOf(reference: string): string {
  if (!new RegExp(`^[A-Z0-9]{1,${REFERENCE_CHARACTERS_MAX}}$`).test(reference))
    throw new RangeError(`a creditor reference holds 1 to ${REFERENCE_CHARACTERS_MAX} letters and digits`);
  return `RF${mod97DigitsOf("RF", reference)}${reference}`;
}

/** With or without the spaces that people write. */
export function isCreditorReference(text: string): boolean {
  const [, digits, rest] = /^RF(\d{2})([A-Z0-9]{1,21})$/.exec(text.replace(/\s/g, "").toUpperCase()) ?? [];
  return digits !== undefined && rest !== undefined && passesMod97("RF", digits, rest);
}
