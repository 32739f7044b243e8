/**
 * The text form of a delivery receipt (SMPP v3.4 Appendix B), as it is met: `key:value` in any order and case, dates in
 * several lengths, fields missing or more than the specification has, in another coding than data_coding says, with NULs.
 *
 *   id:… sub:… dlvrd:… submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000 text:…
 */
import { textOfSeptets, unpackSeptets } from "../sms/gsm7.ts";
import { isUcs2 } from "../sms/text.ts";
import { bufferOf, latin1At } from "./octets.ts";
import { tlvValue } from "./tlv.ts";
import { hasHeader, type WithUserData } from "./user-data.ts";

/** Fields as they stand, in front of the text of the message that is reported on. */
export type ReceiptText = {
  readonly id?: string | undefined;
  /** Of an id with blanks in it, whose first word alone is `id`. */
  readonly idWhole?: string | undefined;
  readonly stat?: string | undefined;
  readonly err?: string | undefined;
  readonly submitDate?: string | undefined;
  readonly doneDate?: string | undefined;
};

/** A receipt's text is 100 to 200 characters; what stands later is the start of the message it reports on. */
const MAX_TEXT_OCTETS = 1_024;
const MAX_ID_CHARACTERS = 65;
const MAX_VALUE_CHARACTERS = 40;
const KEY =
  /(?:^|[\s,;|])((?:(?:submit|done|message|msg|sms|delivery|dlr|final|err|error)[ _-]?)?[a-z][a-z_]*)\s?:/gi;
const FIELD_OF: Readonly<Record<string, keyof ReceiptText>> = {
  id: "id",
  msgid: "id",
  messageid: "id",
  smsid: "id",
  stat: "stat",
  status: "stat",
  state: "stat",
  messagestat: "stat",
  messagestatus: "stat",
  messagestate: "stat",
  msgstat: "stat",
  msgstatus: "stat",
  msgstate: "stat",
  smsstatus: "stat",
  deliverystatus: "stat",
  deliverystate: "stat",
  dlrstatus: "stat",
  finalstatus: "stat",
  finalstate: "stat",
  err: "err",
  error: "err",
  errcode: "err",
  errorcode: "err",
  submitdate: "submitDate",
  donedate: "doneDate",
};

/** An id that is left out, with the next field right behind its colon. */
const NO_ID = /^(?:id|sub|dlvrd|submit|done|stat|err|text):/i;

/**
 * Every way in which the message may be read as a receipt's text, the one that it declares first: `short_message` or
 * `message_payload`, behind a header or from the first octet, in UCS-2 of either order, one octet a character, packed septets.
 */
export function* readingsOf(pdu: WithUserData & { readonly data_coding: number }): Iterable<ReceiptText> {
  const places = [pdu.short_message, tlvValue(pdu.tlvs, "message_payload")];
  for (const octets of places) {
    if (octets === undefined || octets.length === 0) continue;
    const skips = hasHeader(pdu) ? [(octets[0] ?? 0) + 1, 0] : [0];
    for (const skip of skips) {
      const text = bufferOf(octets.subarray(skip, skip + MAX_TEXT_OCTETS));
      const codings = isUcs2(pdu.data_coding)
        ? [ucs2, singles, littleUcs2, packed]
        : [singles, ucs2, littleUcs2, packed];
      for (const read of codings) yield fieldsOf(read(text));
    }
  }
}

/** One octet a character. In the GSM alphabet the low line of an id is 0x11, which no other coding prints. */
const singles = (octets: Buffer): string => latin1At(octets, 0, octets.length).replaceAll("\x11", "_");
const ucs2 = (octets: Buffer): string => littleUcs2(Buffer.from(evenOf(octets)).swap16());
const littleUcs2 = (octets: Buffer): string => evenOf(octets).toString("utf16le");
const packed = (octets: Buffer): string => textOfSeptets(unpackSeptets(octets, MAX_TEXT_OCTETS));
const evenOf = (octets: Buffer): Buffer => octets.subarray(0, octets.length & ~1);

/**
 * Reads what stands before `text:`: the rest is the reported message, which may look like anything. The first of a key counts.
 * Where the receipt begins with that message its own fields stand behind it, and the last of a key counts.
 */
function fieldsOf(whole: string): ReceiptText {
  // NULs pad and end fields; a byte order mark, or a header that nothing declares, stands in front.
  const plain = whole.replace(/[\0\ufeff]|^\xef\xbb\xbf/g, " ").replace(/^[\p{Cc}\s@]+/u, "");
  const cut = plain.search(/\btext\s?[:=]/i);
  if (cut === 0) return valuesIn(plain, "last");
  const text = cut < 0 ? plain : plain.slice(0, cut);
  const found = valuesIn(text);
  if (isWhole(found)) return found;
  const loose = valuesIn(loosened(text));
  return isWhole(loose) ? loose : found;
}
const isWhole = ({ id, stat }: ReceiptText): boolean => id !== undefined && stat !== undefined;

/** With other signs between: `id=M1&stat=DELIVRD`, `{"id":"M1"}`, `id:M1/stat:DELIVRD`, `<id>M1</id>`, or none at all: `id:M1sub:001stat:DELIVRD`. */
const loosened = (text: string): string =>
  text
    .replace(/(?<=\d)text\s?[:=].*$/is, "")
    .replace(/<([a-z_]{2,20})>([^<>]*)<\/[a-z_]{2,20}>/gi, " $1:$2 ")
    .replace(/<\/?[a-z_]{2,20}>/gi, " ")
    .replace(/["'{}&/]/g, " ")
    .replace(/=/g, ":")
    .replace(/(?<=[^\s])(sub|dlvrd|submit date|done date|stat|err)(?=:)/gi, " $1")
    .replace(/\s+:\s*/g, ":");

function valuesIn(text: string, counts: "first" | "last" = "first"): ReceiptText {
  const keys = [...text.matchAll(KEY)];
  const fields: Partial<Record<keyof ReceiptText, string>> = {};
  for (const [at, key] of keys.entries()) {
    const field = FIELD_OF[(key[1] ?? "").toLowerCase().replace(/[ _-]/g, "")];
    const value = text.slice(key.index + key[0].length, keys[at + 1]?.index).replace(/[\s,;|]+$/, "");
    if (field === undefined || value.trim() === "") continue;
    if (counts === "first" && fields[field] !== undefined) continue;
    fields[field] = value.trim().replace(/\s+/g, " ");
  }
  const { id, stat, err, submitDate, doneDate } = fields;
  const name = printed(id?.split(/[\s,;|]/)[0]);
  const isWords = id?.includes(" ") && id.length <= MAX_ID_CHARACTERS && !NO_ID.test(id);
  return {
    ...(isWords && { idWhole: id }),
    id: name === undefined || NO_ID.test(name) ? undefined : name.slice(0, MAX_ID_CHARACTERS),
    stat: printed(stat)?.slice(0, MAX_VALUE_CHARACTERS),
    err: printed(err)?.slice(0, MAX_VALUE_CHARACTERS),
    submitDate,
    doneDate,
  };
}

const printed = (value: string | undefined): string | undefined =>
  value?.replace(/\p{Cc}|^"|"$/gu, "").replace(/^(?:<(.*)>|\[(.*)\]|\((.*)\)|'(.*)')$/, "$1$2$3$4") ||
  undefined;

/** Of a year in four digits; YYMMDDhhmmss of the year 2020 looks alike and is long over. */
const FOUR_DIGIT_YEAR = /^20[1-9]\d/;

/**
 * YYMMDDhhmm, with seconds, or with a year in four digits, and what of a second may stand behind; 16 characters are SMPP's own
 * absolute time. Separators are taken too. All of them are the centre's clock: what the last form says of its zone is not
 * believed, since some centres write milliseconds there. A date that does not exist is left out, not invented.
 */
export function parseDate(written: string | undefined, utcOffsetMinutes: number): Date | undefined {
  const digits = written?.replace(/(?<=\d)[\s/.:T-](?=\d)/g, "").replace(/\s?[Z+-]$/i, "");
  if (digits === undefined || !/^\d{10,17}$/.test(digits)) return undefined;
  const long = FOUR_DIGIT_YEAR.test(digits) && digits.length >= 12 ? existing(digits) : undefined;
  const date = long ?? (digits.length === 11 ? undefined : existing(`20${digits}`));
  return date && new Date(date.getTime() - utcOffsetMinutes * 60_000);
}

/** Of YYYYMMDDhhmm, then perhaps seconds and a fraction of them. */
function existing(digits: string): Date | undefined {
  const at = (from: number, to: number) => Number(digits.slice(from, to).padEnd(to - from, "0"));
  const [year, month, day, hour, minute, second] = [
    at(0, 4),
    at(4, 6),
    at(6, 8),
    at(8, 10),
    at(10, 12),
    at(12, 14),
  ];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, at(14, 15) * 100));
  const isReal = date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
  return isReal && hour < 24 && minute < 60 && second < 60 ? date : undefined;
}
