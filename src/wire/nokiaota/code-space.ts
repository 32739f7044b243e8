/**
 * The tokens of Nokia's and Ericsson's Over The Air settings 7.0 (2001). One page; values are attribute starts too.
 * A document carries no public identifier: its type is known by the push's content type.
 */
import { type AttributeStart, type CodeSpace, page, type Row } from "../wbxml/code-space.ts";

/** The document's root element. */
export const NOKIA_ROOT = "CHARACTERISTIC-LIST";

const TYPES: readonly Row[] = [
  [0x06, "ADDRESS URL NAME"],
  [0x7c, "MMSURL ID - BOOKMARK"],
];
const NAMES: readonly Row[] = [
  [0x12, "BEARER PROXY PORT NAME PROXY_TYPE URL PROXY_AUTHNAME PROXY_AUTHSECRET SMS_SMSC_ADDRESS"],
  [0x1b, "USSD_SERVICE_CODE GPRS_ACCESSPOINTNAME PPP_LOGINTYPE PROXY_LOGINTYPE"],
  [0x21, "CSD_DIALSTRING PPP_AUTHTYPE PPP_AUTHNAME PPP_AUTHSECRET"],
  [0x28, "CSD_CALLTYPE CSD_CALLSPEED"],
  [0x7e, "ISP_NAME"],
];
const VALUES: readonly Row[] = [
  [0x45, "GSM/CSD GSM/SMS GSM/USSD IS-136/CSD GPRS"],
  [0x60, "9200 9201 9202 9203 AUTOMATIC MANUAL"],
  [0x6a, "AUTO 9600 14400 19200 28800 38400 PAP CHAP ANALOGUE ISDN 43200 57600 MSISDN_NO IPV4 MS_CHAP"],
];

const entriesOf = (rows: readonly Row[], name: string): (readonly [number, AttributeStart])[] =>
  [...page(rows, (prefix): AttributeStart => ({ name, prefix })).entries()].filter(
    (entry): entry is [number, AttributeStart] => entry[1] !== undefined,
  );

const starts: (AttributeStart | undefined)[] = Array.from({ length: 0x80 });
starts[0x10] = { name: "NAME", prefix: "" };
starts[0x11] = { name: "VALUE", prefix: "" };
for (const [token, start] of [
  ...entriesOf(TYPES, "TYPE"),
  ...entriesOf(NAMES, "NAME"),
  ...entriesOf(VALUES, "VALUE"),
]) {
  starts[token] = start;
}

/** Its tokens, for `decodeWbxml` and `encodeWbxml`. */
export const NOKIA_OTA: CodeSpace = {
  title: "Nokia OTA settings",
  version: 0x01,
  publicId: 0x01,
  publicIdText: null,
  tags: [page([[0x05, `${NOKIA_ROOT} CHARACTERISTIC PARM`]], (name) => name)],
  attributeStarts: [starts],
  attributeValues: [[]],
  splitsValues: false,
};
