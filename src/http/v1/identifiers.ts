/** IMSI, MSISDN and IMEI as callers write them, in one way for all routes that ask for subscribers and devices by them. */
import Type from "typebox";
import type { ErrorCode } from "../../term/error.ts";
import { type Imei, parseImei } from "../../term/imei.ts";
import { type Imsi, parseImsi } from "../../term/imsi.ts";
import { type Msisdn, parseMsisdn } from "../../term/msisdn.ts";
import { text } from "../schema.ts";

/** Codes of a route that reads an IMEI. */
export const IMEI_ERRORS = [
  "imei_malformed",
  "imei_check_digit",
  "imei_filler",
  "imei_test",
] as const satisfies readonly ErrorCode[];
/** Codes of a route that reads any of them. */
export const IDENTIFIER_ERRORS = [...IMEI_ERRORS, "imsi_malformed", "msisdn_malformed"] as const;

/** A list may be asked for by each of them. */
export const identifierQuery = {
  imsi: Type.Optional(text("6 to 15 digits.", 15)),
  msisdn: Type.Optional(text("E.164.", 40)),
  imei: Type.Optional(text("15 digits.", 40)),
};

type Written = {
  readonly imsi?: string | undefined;
  readonly msisdn?: string | undefined;
  readonly imei?: string | undefined;
};

/** Those that were given. @throws TurnupError one of `IDENTIFIER_ERRORS` */
export const identifiersIn = ({
  imsi,
  imei,
  msisdn,
}: Written): { readonly imsi?: Imsi; readonly imei?: Imei; readonly msisdn?: Msisdn } => ({
  ...(imsi !== undefined && { imsi: parseImsi(imsi) }),
  ...(imei !== undefined && { imei: parseImei(imei) }),
  ...(msisdn !== undefined && { msisdn: parseMsisdn(msisdn) }),
});
