/**
 * The Content-Type at the head of a push and of each part of a multipart. Source: WAP-230-WSP §8.4.2.24.
 *
 *   without parameters: | code + 80 |  or  | text | 00 |
 *   with parameters:    | value length | code + 80, or length and code, or text and 00 | parameters |
 *   a parameter:        | token + 80, or name and 00 | integer, or text and 00 |
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { SECS } from "../omacp/mac.ts";
import { decodeUintvar, uintvar } from "../uintvar.ts";
import { contentTypeCodeOf, contentTypeOf, PARAMETER_CODES, PARAMETERS } from "./assigned-numbers.ts";
import {
  decodeInteger,
  decodeText,
  decodeValueLength,
  octetAt,
  putInteger,
  putText,
  valueLength,
} from "./value.ts";

/** By name: "Charset" (IANA MIBenum), "SEC" (0 to 3), "MAC" (40 hex digits) and others, or a name of its own. */
export type Parameters = Readonly<Record<string, number | string>>;

/** A content type as it was read, with its parameters. */
export type ContentType = {
  readonly contentType: string;
  /** Null where the type was spelt out. */
  readonly contentTypeCode: number | null;
  readonly params: Parameters;
};

const PARAMETERS_MAX = 16;
/** Its value is a uintvar, unlike the others'. */
const Q = 0x00;

/**
 * Reads a Content-Type that ends before `end`.
 * @throws DecodeError with the offset: cut short, a number without a type, a parameter twice, or too many of them
 */
export function decodeContentType(
  bytes: Uint8Array,
  at: number,
  end: number,
): { readonly value: ContentType; readonly next: number } {
  if (octetAt(bytes, at, end) >= 0x20) {
    const media = decodeMedia(bytes, at, end);
    return { value: { ...media.value, params: {} }, next: media.next };
  }
  const length = decodeValueLength(bytes, at, end);
  const next = length.next + length.value;
  const media = decodeMedia(bytes, length.next, next);
  return { value: { ...media.value, params: decodeParameters(bytes, media.next, next) }, next };
}

/**
 * The octets of a Content-Type. SEC may be given by its name.
 * @throws TurnupError `payload_malformed`: a type or parameter that WSP cannot write
 */
export function contentTypeOctets(contentType: string, params: Parameters): number[] {
  const code = contentTypeCodeOf(contentType);
  const octets: number[] = [];
  if (code === undefined) putType(octets, contentType);
  else putInteger(octets, code);
  const named = Object.entries(params);
  if (named.length === 0 && (code ?? 0) < 0x80) return octets;
  for (const [name, value] of named) putParameter(octets, name, value);
  octets.unshift(...valueLength(octets.length));
  return octets;
}

function decodeMedia(bytes: Uint8Array, at: number, end: number) {
  const first = octetAt(bytes, at, end);
  if (first >= 0x20 && first < 0x80) {
    const { value, next } = decodeText(bytes, at, end);
    return { value: { contentType: value, contentTypeCode: null }, next };
  }
  const { value: code, next } = decodeInteger(bytes, at, end);
  const contentType = contentTypeOf(code);
  if (contentType === undefined) throw new DecodeError(`content type ${code} is unknown`, at);
  return { value: { contentType, contentTypeCode: code }, next };
}

function decodeParameters(bytes: Uint8Array, from: number, end: number): Parameters {
  const params = new Map<string, number | string>();
  for (let at = from; at < end; ) {
    const name = decodeParameterName(bytes, at, end);
    // Two values of one parameter: which of them signs?
    if (params.has(name.value)) throw new DecodeError(`parameter ${name.value} twice`, at);
    if (params.size === PARAMETERS_MAX) throw new DecodeError(`more than ${PARAMETERS_MAX} parameters`, at);
    const value = decodeParameterValue(bytes, name.next, end, name.value);
    params.set(name.value, value.value);
    at = value.next;
  }
  return Object.fromEntries(params);
}

function decodeParameterName(bytes: Uint8Array, at: number, end: number) {
  if (octetAt(bytes, at, end) >= 0x20 && octetAt(bytes, at, end) < 0x80) return decodeText(bytes, at, end);
  const { value: token, next } = decodeInteger(bytes, at, end);
  const name = PARAMETERS.get(token);
  if (name === undefined) throw new DecodeError(`content type parameter ${token} is unknown`, at);
  return { value: name, next };
}

function decodeParameterValue(bytes: Uint8Array, at: number, end: number, name: string) {
  if (name === PARAMETERS.get(Q)) {
    const { value, next } = decodeUintvar(bytes, at);
    if (next > end) throw new DecodeError("parameter cut short", at);
    return { value, next };
  }
  const first = octetAt(bytes, at, end);
  const isInteger = first >= 0x80 || (first > 0 && first < 0x20);
  const read = isInteger ? decodeInteger(bytes, at, end) : decodeText(bytes, at, end);
  if ((name === "SEC" && !isInteger) || (name === "MAC" && isInteger)) {
    throw new DecodeError(`${name} of the wrong form`, at);
  }
  return read;
}

function putParameter(octets: number[], name: string, value: number | string): void {
  const token = PARAMETER_CODES.get(name);
  if (token === undefined) putText(octets, name);
  else putInteger(octets, token);
  const secs: readonly (string | number)[] = SECS;
  const sec = name === "SEC" ? secs.indexOf(value) : -1;
  if (sec >= 0) putInteger(octets, sec);
  else if (typeof value === "string") putText(octets, value);
  else if (token === Q) octets.push(...uintvar(value));
  else putInteger(octets, value);
}

/** A type that is spelt out: printable, so that it can stand where a code would. */
function putType(octets: number[], contentType: string): void {
  if (!/^[!-~]+\/[!-~]+$/.test(contentType)) {
    throw new TurnupError("payload_malformed", `"${contentType.slice(0, 64)}" is no content type.`);
  }
  putText(octets, contentType);
}
