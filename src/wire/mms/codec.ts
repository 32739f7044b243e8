/**
 * The PDUs between an MMS client and its centre (MMSC), in their binary form, both ways.
 * Source: OMA-TS-MMS_ENC-V1_3, clauses 6 and 7; on HTTP and in a push under `MMS_CONTENT_TYPE`.
 *
 *   | 8C | type | other fields: field + 80, value |   and in M-Send.req and M-Retrieve.conf   | 84 | content type | body |
 *
 * Message-Type stands first, and Content-Type last. A field that is not known is skipped by its length, as is one with a
 * name in text; one that may stand once and stands twice is refused: which one counts?
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { contentTypeOctets, decodeContentType } from "../wsp/content-type.ts";
import { decodeMultipart, encodeMultipart, MULTIPART_TYPES } from "../wsp/multipart.ts";
import { decodeInteger, decodeText, octetAt, putText, type Read } from "../wsp/value.ts";
import {
  CONTENT_TYPE_FIELD,
  codeOf,
  FIELDS,
  type Field,
  MESSAGE_TYPE_FIELD,
  MESSAGE_TYPES,
} from "./code-space.ts";
import { MANDATORY, type MmsPdu, type MmsType, type NewMmsPdu, WITH_BODY } from "./pdu.ts";
import {
  decodeDate,
  decodeEncodedString,
  decodeExpiry,
  decodeFrom,
  decodeVersion,
  putDate,
  putEncodedString,
  putExpiry,
  putFrom,
  putLong,
  putVersion,
  skipValue,
} from "./value.ts";

export { MMS_CONTENT_TYPE } from "./code-space.ts";
export type { MmsPdu, MmsPduOf, NewMmsPdu } from "./pdu.ts";

/** The largest content class of OMA MMS 1.3 is 600 kB (OMA-TS-MMS_CONF-V1_3, clause 7.1). */
const MMS_OCTETS_MAX = 614_400;
const FIELDS_MAX = 256;
const ADDRESSES_MAX = 100;

/**
 * Reads one PDU, its body as a view into `bytes`.
 * @throws DecodeError with the offset: longer than 600 kB, no PDU of the seven, cut short, a field of another form or twice,
 *   or one that the PDU must have is missing
 */
export function decodeMms(bytes: Uint8Array): MmsPdu {
  if (bytes.length > MMS_OCTETS_MAX)
    throw new DecodeError(`an MMS PDU of more than ${MMS_OCTETS_MAX} octets`, MMS_OCTETS_MAX);
  if (octetAt(bytes, 0, bytes.length) !== (MESSAGE_TYPE_FIELD | 0x80))
    throw new DecodeError("no MMS PDU: the message type is not in front", 0);
  const type = MESSAGE_TYPES.get(octetAt(bytes, 1, bytes.length));
  if (type === undefined) throw new DecodeError(`MMS message type ${bytes[1]} is not read`, 1);
  const { fields, next } = decodeFields(bytes, 2);
  for (const name of MANDATORY[type])
    if (!fields.has(name)) throw new DecodeError(`${type} without its ${name}`, next);
  const head = { type, ...Object.fromEntries(fields) };
  // What a PDU must have was looked for above, and each value was read by the form of its name.
  if (!hasBody(type)) return head as MmsPdu; // what it must have was looked for above
  return { ...head, content: decodeBody(bytes, next, type) } as MmsPdu; // likewise
}

/** @throws TurnupError `payload_malformed`: a text, time or number that MMS cannot hold, or an unknown word */
export function encodeMms(pdu: NewMmsPdu): Uint8Array {
  const octets = [MESSAGE_TYPE_FIELD | 0x80, codeOf(MESSAGE_TYPES, pdu.type) ?? 0];
  const given: Readonly<Record<string, unknown>> = pdu;
  // The order of clause 6: who and which first, so that a reader finds them in front.
  for (const code of [0x18, 0x0d, ...[...FIELDS.keys()].filter((one) => one !== 0x18 && one !== 0x0d)]) {
    const field = FIELDS.get(code);
    const value = field && given[field.name];
    if (field && value !== undefined) putField(octets, code, field, value);
  }
  if (!("content" in pdu)) return Uint8Array.from(octets);
  const { contentType, params = {}, parts } = pdu.content;
  octets.push(CONTENT_TYPE_FIELD | 0x80, ...contentTypeOctets(contentType, params));
  return Uint8Array.from(Buffer.concat([Uint8Array.from(octets), encodeMultipart(parts)]));
}

type Fields = ReadonlyMap<string, unknown>;

function decodeFields(bytes: Uint8Array, from: number): { readonly fields: Fields; readonly next: number } {
  const fields = new Map<string, unknown>();
  const end = bytes.length;
  let at = from;
  for (let count = 0; at < end; count++) {
    if (count === FIELDS_MAX) throw new DecodeError(`more than ${FIELDS_MAX} MMS fields`, at);
    const first = octetAt(bytes, at, end);
    const code = first & 0x7f;
    if (first >= 0x80 && code === CONTENT_TYPE_FIELD) return { fields, next: at };
    if (first < 0x80) {
      const name = decodeText(bytes, at, end); // an application's own header: name and value in text
      at = decodeText(bytes, name.next, end).next;
      continue;
    }
    const field = FIELDS.get(code);
    at = field ? takeField(fields, bytes, at, field) : skipValue(bytes, at + 1, end);
  }
  return { fields, next: at };
}

/** Reads a field's value into `fields`; answers where the next field begins. */
function takeField(fields: Map<string, unknown>, bytes: Uint8Array, at: number, field: Field): number {
  const { value, next } = decodeField(bytes, at + 1, bytes.length, field);
  const known = fields.get(field.name);
  if (field.form !== "addresses") {
    if (fields.has(field.name)) throw new DecodeError(`${field.name} twice`, at);
    fields.set(field.name, value);
    return next;
  }
  const addresses = Array.isArray(known) ? known : [];
  if (addresses.length === ADDRESSES_MAX)
    throw new DecodeError(`more than ${ADDRESSES_MAX} addresses in ${field.name}`, at);
  fields.set(field.name, [...addresses, value]);
  return next;
}

function decodeField(bytes: Uint8Array, at: number, end: number, field: Field): Read<unknown> {
  switch (field.form) {
    case "text":
      return decodeText(bytes, at, end);
    case "encoded":
    case "addresses":
      return decodeEncodedString(bytes, at, end);
    case "from":
      return decodeFrom(bytes, at, end);
    case "date":
      return decodeDate(bytes, at, end);
    case "expiry":
      return decodeExpiry(bytes, at, end);
    case "size":
      return decodeInteger(bytes, at, end);
    case "version":
      return decodeVersion(bytes, at, end);
    case "word":
    case "word-or-text": {
      const octet = octetAt(bytes, at, end);
      if (octet < 0x80 && field.form === "word-or-text") return decodeText(bytes, at, end);
      const value = field.words.get(octet);
      if (value === undefined) throw new DecodeError(`${field.name} ${octet} is unknown`, at);
      return { value, next: at + 1 };
    }
  }
}

function decodeBody(bytes: Uint8Array, at: number, type: MmsType) {
  if (at >= bytes.length) throw new DecodeError(`${type} without its content type`, at);
  const { value, next } = decodeContentType(bytes, at + 1, bytes.length);
  const { contentType, params } = value;
  const body = bytes.subarray(next);
  return { contentType, params, body, parts: partsIn(contentType, body, next) };
}

function partsIn(contentType: string, body: Uint8Array, offset: number) {
  if (!MULTIPART_TYPES.includes(contentType)) return null;
  try {
    return decodeMultipart(body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const fact = error.message.replace(/ \(at octet \d+\)$/, "");
    throw new DecodeError(fact, offset + error.offset);
  }
}

const hasBody = (type: MmsType): boolean => WITH_BODY.some((one) => one === type);

function putField(octets: number[], code: number, field: Field, value: unknown): void {
  if (field.form === "addresses") {
    const addresses = Array.isArray(value) ? value : [];
    if (addresses.length > ADDRESSES_MAX)
      throw new TurnupError("payload_malformed", `More than ${ADDRESSES_MAX} addresses in one MMS.`);
    for (const address of addresses) {
      octets.push(code | 0x80);
      putEncodedString(octets, String(address));
    }
    return;
  }
  octets.push(code | 0x80);
  if (value === null) return putFrom(octets, null);
  if (value instanceof Date) return putDate(octets, value);
  if (typeof value === "number") return putLong(octets, value);
  if (isExpiry(value)) return putExpiry(octets, value);
  putWord(octets, field, String(value));
}

const isExpiry = (value: unknown): value is Parameters<typeof putExpiry>[1] =>
  typeof value === "object" && value !== null && "kind" in value;

function putWord(octets: number[], field: Field, value: string): void {
  if (field.form === "from") return putFrom(octets, value);
  if (field.form === "version") return putVersion(octets, value);
  if (field.form === "encoded") return putEncodedString(octets, value);
  if (!("words" in field)) return putText(octets, value);
  const octet = codeOf(field.words, value);
  if (octet !== undefined) octets.push(octet);
  else if (field.form === "word-or-text") putText(octets, value);
  else throw new TurnupError("payload_malformed", `"${value.slice(0, 40)}" is no ${field.name} of MMS.`);
}
