/** Reads what the proxy says of who asks: the headers of the land leg, each at most once, each of its form. */
import { ASSURANCES, type Assurance } from "../../kernel/catalog/catalog-item.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImei } from "../../term/imei.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { BEARERS, type Bearer, LAND_HEADERS } from "../../wire/message/legs.ts";
import type { HeaderLines } from "../header-lines.ts";
import type { LandIdentity } from "./handler.ts";

const CAPABILITY_CHARACTERS_MAX = 400;
const DEFAULT_LANGUAGE = "en";

/** Undefined where a header is doubled, missing or no such thing: no proxy of ours writes that. */
export function identityOf(headers: HeaderLines, proxy: string): LandIdentity | undefined {
  const names = Object.values(LAND_HEADERS);
  if (names.some((name) => (headers.get(name)?.length ?? 0) > 1)) return undefined;
  const one = (name: string): string | null => headers.get(name)?.[0] ?? null;
  const assurance = one(LAND_HEADERS.assurance);
  const bearer = one(LAND_HEADERS.bearer);
  const airOctets = one(LAND_HEADERS.airOctets);
  const capability = one(LAND_HEADERS.capability);
  if (!isAssurance(assurance) || !(bearer === null || isBearer(bearer))) return undefined;
  if (airOctets !== null && !/^[1-9]\d{0,8}$/.test(airOctets)) return undefined;
  if (capability !== null && capability.length > CAPABILITY_CHARACTERS_MAX) return undefined;
  try {
    return {
      imei: parseImei(one(LAND_HEADERS.imei) ?? ""),
      imsi: readOr(one(LAND_HEADERS.imsi), parseImsi),
      msisdn: readOr(one(LAND_HEADERS.msisdn), parseMsisdn),
      assurance,
      bearer,
      airOctets: airOctets === null ? null : Number(airOctets),
      capability,
      proxy,
      language: languageOf(one(LAND_HEADERS.language)),
    };
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}

/** The first language that is named, whatever its weight: phones send one. */
export const languageOf = (accepted: string | null): string =>
  /^\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})(?=[\s,;]|$)/.exec(accepted ?? "")?.[1] ?? DEFAULT_LANGUAGE;

const isAssurance = (text: string | null): text is Assurance => ASSURANCES.some((known) => known === text);
const isBearer = (text: string): text is Bearer => BEARERS.some((known) => known === text);
const readOr = <Value>(value: string | null, parse: (text: string) => Value): Value | null =>
  value === null ? null : parse(value);
