/**
 * Phone numbers as a country's people write them, by the numbering plans of libphonenumber. Apart from `msisdn.ts`
 * because the plans cost 80 kB and some milliseconds to load, which the hot paths do not pay.
 */
import {
  type CountryCode,
  isSupportedCountry,
  type MetadataJson,
  parsePhoneNumberFromString,
} from "libphonenumber-js/core";
import plans from "libphonenumber-js/min/metadata";
import { TurnupError } from "./error.ts";
import { type Msisdn, parseMsisdn } from "./msisdn.ts";

/**
 * Reads `0170 1234567` with `DE` as 491701234567, and an international number as itself.
 * @param country ISO 3166-1 alpha-2, where the number was written
 * @throws TurnupError `country_unknown`; `msisdn_malformed`: not a possible number of that country
 */
export function msisdnFromNational(text: string, country: string): Msisdn {
  const home = country.toUpperCase() as CountryCode; // the next line proves the cast
  if (!isSupportedCountry(home, plans as MetadataJson)) {
    // the package types its own data as any JSON
    throw new TurnupError("country_unknown", "There is no numbering plan for this country code.");
  }
  if (/^\s*(?:\+|00)/.test(text)) return parseMsisdn(text);
  const number = text.length > 40 ? undefined : parsePhoneNumberFromString(text, home, plans as MetadataJson); // the package types its own data as any JSON
  if (!number?.isPossible())
    throw new TurnupError("msisdn_malformed", `This is no possible phone number of ${home}.`);
  return parseMsisdn(number.number);
}
