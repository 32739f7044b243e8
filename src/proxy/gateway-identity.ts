/**
 * What an operator's own gateway says of a line, in headers. A header is believed from that gateway's addresses alone and
 * under the one name that was agreed with it; from everybody else all of them are taken off. Two that differ say that
 * somebody lies, so the request is refused. Names seen in the field: the WAP gateway makers' manuals.
 */

import { TurnupError } from "../term/error.ts";
import { parseImei } from "../term/imei.ts";
import { parseImsi } from "../term/imsi.ts";
import { parseMsisdn } from "../term/msisdn.ts";
import { type Bearer, LAND_HEADERS } from "../wire/message/legs.ts";
import type { NetworkIdentity } from "./admission.ts";

export type GatewayRule = {
  readonly name: string;
  /** Addresses of its land side, IPv4 or IPv6, in their shortest form. */
  readonly addresses: readonly string[];
  readonly bearer: Bearer;
  /** One name each, in small letters; null where this gateway does not tell it. */
  readonly msisdnHeader: string | null;
  readonly imsiHeader: string | null;
  readonly deviceIdHeader: string | null;
};

/** Taken off whatever is no agreed header of that gateway; in small letters. */
const IDENTITY_HEADERS: readonly string[] = [
  "x-wap-network-client-ip",
  "x-wap-network-client-msisdn",
  "x-wap-session-id",
  "x-wap-gateway",
  "x-wap-client-sdu-size",
  "x-msisdn",
  "x-imsi",
  "x-imei",
  "x-up-calling-line-id",
  "x-up-subno",
  "x-nokia-msisdn",
  "x-h3g-msisdn",
  "x-network-info",
  "msisdn",
  "client-cert",
  "client-cert-chain",
  "forwarded",
  "x-forwarded-for",
  ...Object.values(LAND_HEADERS).filter(
    (name) => !["accept-language", "turnup-capability", "turnup-bearer"].includes(name),
  ),
];

/** Header lines as they came: the same name may stand more than once. */
export type HeaderLines = ReadonlyMap<string, readonly string[]>;

export const gatewayAt = (rules: readonly GatewayRule[], address: string): GatewayRule | undefined =>
  rules.find(({ addresses }) => addresses.includes(plainAddress(address)));

/** An IPv4 address in IPv6 clothes, as a socket that listens on both tells it. */
export const plainAddress = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase();

/** `conflict`: two headers, or two lines of one, name different lines; or one is no such number. */
export function identityFrom(
  { msisdnHeader, imsiHeader, deviceIdHeader }: GatewayRule,
  headers: HeaderLines,
): NetworkIdentity | "conflict" | "none" {
  const msisdn = oneOf(headers, msisdnHeader, parseMsisdn);
  const imsi = oneOf(headers, imsiHeader, parseImsi);
  const deviceId = oneOf(headers, deviceIdHeader, parseImei);
  if (msisdn === "conflict" || imsi === "conflict" || deviceId === "conflict") return "conflict";
  if (otherNumbers(headers, msisdnHeader, msisdn)) return "conflict";
  if (msisdn === null && imsi === null) return "none";
  return { msisdn, imsi, deviceId };
}

const PHONE_HEADERS = IDENTITY_HEADERS.filter((name) => /msisdn|calling-line-id|subno/.test(name));

/** A header that was not agreed on, beside the agreed one and of another number: a phone's own, or a second gateway's. */
function otherNumbers(headers: HeaderLines, agreed: string | null, msisdn: string | null): boolean {
  if (msisdn === null) return false;
  return PHONE_HEADERS.filter((name) => name !== agreed).some((name) =>
    (headers.get(name) ?? []).some((value) => readOr(value, parseMsisdn) !== msisdn),
  );
}

function oneOf(
  headers: HeaderLines,
  name: string | null,
  parse: (text: string) => string,
): string | "conflict" | null {
  const lines = name === null ? [] : (headers.get(name) ?? []).flatMap((line) => line.split(","));
  const values = new Set(lines.map((line) => readOr(line.trim(), parse)));
  if (values.size === 0) return null;
  const [value] = values;
  return values.size > 1 || value === undefined ? "conflict" : value;
}

function readOr(text: string, parse: (text: string) => string): string | undefined {
  try {
    return parse(text.replace(/^tel:/i, ""));
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}
