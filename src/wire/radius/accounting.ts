/**
 * What an Accounting-Request of a mobile gateway (GGSN, PGW, SMF) says of a session: whose SIM, in which handset, on which access point,
 * where. Source: RFC 2866 section 5; 3GPP TS 29.061 clause 16.4.7 (attributes of vendor 10415), TS 29.561 clause 11.3.1.
 *
 * The handset's number is met in more shapes than the standard's 16 digits: see `imeiIn`.
 */
import { octetAt } from "../octet-at.ts";
import { type RadiusPacket, type RadiusValue, type VendorAttribute, vendorAttributes } from "./packet.ts";

/** RFC 2866 section 5.1. */
const STATUSES: Readonly<Record<number, AccountingStatus>> = {
  1: "start",
  2: "stop",
  3: "interim",
  7: "on",
  8: "off",
};
/** `on` and `off` are of the gateway itself: all its sessions have ended. */
export type AccountingStatus = "start" | "stop" | "interim" | "on" | "off";

/** Optional numbers that were there and cannot be read: each is left out, and the rest counts. */
export const ACCOUNTING_FIELDS = ["imsi", "imei", "msisdn", "visited"] as const;
export type AccountingField = (typeof ACCOUNTING_FIELDS)[number];

/** Undefined where the packet is silent. Numbers are digits; nobody has checked yet whether they are anybody's. */
export type Accounting = {
  readonly status: AccountingStatus | undefined;
  readonly sessionId: string | undefined;
  readonly imsi: string | undefined;
  /** 14 to 16 digits, as the gateway has them. */
  readonly imei: string | undefined;
  /** International, without `+`. */
  readonly msisdn: string | undefined;
  /** Called-Station-Id: the access point or data network name. */
  readonly apn: string | undefined;
  /** Network where the handset is, 5 or 6 digits. */
  readonly visited: string | undefined;
  /** Home network of the SIM with the true length of its MNC. */
  readonly home: string | undefined;
  /**
   * `subscribed`: the handset or the network named it, and the subscription has it; `handset`, `network`: who named it, and the
   * subscription does not say (TS 29.274 clause 8.58).
   */
  readonly selection: "subscribed" | "handset" | "network" | undefined;
  /** Value of 3GPP-RAT-Type: 1 UTRAN, 2 GERAN, 6 E-UTRAN, 51 NR ... (TS 29.061 clause 16.4.7.2, attribute 21). */
  readonly radioType: number | undefined;
  /** Seconds since 1970 at the gateway. */
  readonly eventSeconds: number | undefined;
  /** Seconds that the gateway has been trying to tell it. */
  readonly delaySeconds: number | undefined;
  /** How long the session has lasted (RFC 2866 section 5.7). */
  readonly sessionSeconds: number | undefined;
  readonly unread: readonly AccountingField[];
  /**
   * By what the gateway knows the session, as it wrote it: User-Name, NAS-IP-Address, NAS-Identifier, Acct-Session-Id, NAS-IPv6-Address
   * (RFC 5176 section 3).
   */
  readonly identification: readonly RadiusValue[];
};

const VENDOR_3GPP = 10_415;
const VENDOR_CISCO = 9;
const ATTRIBUTE = {
  called: 30,
  calling: 31,
  status: 40,
  delay: 41,
  sessionId: 44,
  lasted: 46,
  event: 55,
} as const;
const IDENTIFICATION = [1, 4, 32, ATTRIBUTE.sessionId, 95];
const OF_3GPP = { imsi: 1, home: 8, selection: 12, visited: 18, imei: 20, radioType: 21 } as const;
const CISCO_PAIR = 1;
const SELECTIONS: Readonly<Record<string, Accounting["selection"]>> = {
  0: "subscribed",
  1: "handset",
  2: "network",
};

export function readAccounting(packet: RadiusPacket): Accounting {
  const vendors = vendorAttributes(packet, [VENDOR_3GPP, VENDOR_CISCO]);
  const of3gpp = (type: number): Uint8Array | undefined =>
    vendors.findLast((one) => one.vendor === VENDOR_3GPP && one.type === type)?.value;
  const plain = (type: number): Uint8Array | undefined =>
    packet.attributes.find((attribute) => attribute.type === type)?.value;
  const unread: AccountingField[] = [];
  const field = (name: AccountingField, value: Uint8Array | undefined, read: (value: Uint8Array) => Read) => {
    const found = value && read(value);
    if (found === "unread") unread.push(name);
    return found === "unread" ? undefined : found;
  };
  const radio = of3gpp(OF_3GPP.radioType);
  return {
    status: STATUSES[numberIn(plain(ATTRIBUTE.status)) ?? 0],
    sessionId: textIn(plain(ATTRIBUTE.sessionId)),
    imsi: field("imsi", of3gpp(OF_3GPP.imsi), imsiIn),
    imei: field("imei", of3gpp(OF_3GPP.imei), imeiIn) ?? imeiOfCisco(vendors),
    msisdn: field("msisdn", plain(ATTRIBUTE.calling), msisdnIn),
    apn: textIn(plain(ATTRIBUTE.called)),
    visited: field("visited", of3gpp(OF_3GPP.visited), plmnIn),
    home: digitsOf(of3gpp(OF_3GPP.home), PLMN),
    selection: SELECTIONS[textIn(of3gpp(OF_3GPP.selection)) ?? ""],
    radioType: radio?.length === 1 ? octetAt(radio, 0) : undefined,
    eventSeconds: numberIn(plain(ATTRIBUTE.event)),
    delaySeconds: numberIn(plain(ATTRIBUTE.delay)),
    sessionSeconds: numberIn(plain(ATTRIBUTE.lasted)),
    unread,
    identification: packet.attributes.flatMap(({ type, value }): RadiusValue[] =>
      IDENTIFICATION.includes(type) ? [[type, value]] : [],
    ),
  };
}

/** Digits; undefined where the value says that there is none; `unread` where it is in no form that is known. */
type Read = string | undefined | "unread";

const PLMN = /^\d{5,6}$/;
const FILLERS = /[\0fF]+$/;
const TBCD_OCTETS = 8;

const digitsOf = (value: Uint8Array | undefined, form: RegExp): string | undefined => {
  const text = textIn(value);
  return text !== undefined && form.test(text) ? text : undefined;
};
const imsiIn = (value: Uint8Array): Read => {
  const text = (textIn(value) ?? "").replace(/^imsi-/, "");
  if (text === "") return undefined;
  return /^\d{6,15}$/.test(text) ? text : "unread";
};
const plmnIn = (value: Uint8Array): Read =>
  digitsOf(value, PLMN) ?? (value.length === 0 ? undefined : "unread");

/** Digits with country code; `+`, `00` and `msisdn-` in front of them are met too. A number of fewer digits is nobody's. */
const msisdnIn = (value: Uint8Array): Read => {
  const text = (textIn(value) ?? "").replace(/^(?:msisdn-)?(?:\+|00)?/, "");
  if (text === "") return undefined;
  return /^[1-9]\d{6,14}$/.test(text) ? text : "unread";
};

/**
 * The standard's 16 digits (IMEISV); 15 (IMEI) or 14; 15 and a software version behind a comma; `imei-` and `imeisv-` in front; NUL or F
 * behind; 8 octets of swapped digits. One digit over and over says that there is none.
 */
function imeiIn(value: Uint8Array): Read {
  const text = (textIn(value) ?? "").replace(/^imei(?:sv)?-/i, "").replace(FILLERS, "");
  const [, comma, version] = /^(\d{15}),(\d{2})$/.exec(text) ?? [];
  const digits =
    comma !== undefined && version !== undefined
      ? comma.slice(0, 14) + version
      : /^\d{14,16}$/.test(text)
        ? text
        : value.length === TBCD_OCTETS && !/^\d+$/.test(text)
          ? swappedDigits(value)
          : undefined;
  if (digits === undefined || !/^\d{14,16}$/.test(digits)) return value.length === 0 ? undefined : "unread";
  return /^(\d)\1+$/.test(digits) ? undefined : digits;
}

/** Low half octet first, filler F behind (TS 29.274 clause 8.10); empty where a half octet is no digit. */
function swappedDigits(value: Uint8Array): string {
  const digits = Array.from(
    value,
    (octet) => `${(octet & 0x0f).toString(16)}${(octet >> 4).toString(16)}`,
  ).join("");
  return /^\d+f?$/.test(digits) ? digits.replace("f", "") : "";
}

/** Where the gateway has no 3GPP-IMEISV: `imei=...` or `3gpp-imei=...` among Cisco's own pairs. */
function imeiOfCisco(vendors: readonly VendorAttribute[]): string | undefined {
  for (const { vendor, type, value } of vendors) {
    if (vendor !== VENDOR_CISCO || type !== CISCO_PAIR) continue;
    const [, digits] = /^(?:3gpp-)?imei(?:sv)?=(\d{14,16})$/i.exec(textIn(value) ?? "") ?? [];
    if (digits !== undefined && !/^(\d)\1+$/.test(digits)) return digits;
  }
  return undefined;
}

const numberIn = (value: Uint8Array | undefined): number | undefined =>
  value?.length === 4 ? new DataView(value.buffer, value.byteOffset, 4).getUint32(0) : undefined;

/** Printable ASCII, without what stands behind a NUL; undefined where it is something else. */
function textIn(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = Buffer.from(value.buffer, value.byteOffset, value.length)
    .toString("latin1")
    .replace(/\0+$/, "");
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}
