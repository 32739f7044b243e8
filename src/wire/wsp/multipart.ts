/**
 * Several bodies in one push, each with its content type. Source: WAP-230-WSP §8.5.
 *
 *   | number of entries: uintvar |, then each entry:
 *   | headers length: uintvar | body length: uintvar | content type | other headers | body |
 *
 * The same layout for all application/vnd.wap.multipart.* types.
 */
import { DecodeError } from "../decode-error.ts";
import { decodeUintvar, uintvar } from "../uintvar.ts";
import { type ContentType, contentTypeOctets, decodeContentType, type Parameters } from "./content-type.ts";
import { decodeHeaders, putHeader, type WspHeader } from "./header.ts";

/** The types that are taken apart. */
export const MULTIPART_TYPES: readonly string[] = [
  "application/vnd.wap.multipart.mixed",
  "application/vnd.wap.multipart.related",
];

const ENTRIES_MAX = 16;

/** One body as it was read; a view into the bytes that were decoded. */
export type MultipartEntry = ContentType & {
  readonly headers: readonly WspHeader[];
  /** Where the body stands in the bytes that were decoded. */
  readonly bodyOffset: number;
  readonly body: Uint8Array;
};

/** One body to write; a content type that has an assigned number is written as that. */
export type NewMultipartEntry = {
  readonly contentType: string;
  readonly params?: Parameters;
  readonly headers?: readonly WspHeader[];
  readonly body: Uint8Array;
};

/** @throws TurnupError `payload_malformed`: a text or number that WSP cannot hold */
export function encodeMultipart(entries: readonly NewMultipartEntry[]): Uint8Array {
  const pieces: Uint8Array[] = [Uint8Array.from(uintvar(entries.length))];
  for (const { contentType, params, headers, body } of entries) {
    const octets = contentTypeOctets(contentType, params ?? {});
    for (const header of headers ?? []) putHeader(octets, header);
    pieces.push(Uint8Array.from([...uintvar(octets.length), ...uintvar(body.length), ...octets]), body);
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

/** @throws DecodeError with the offset: cut short, left over, or a header that cannot be read */
export function decodeMultipart(bytes: Uint8Array): MultipartEntry[] {
  const count = decodeUintvar(bytes, 0);
  if (count.value > ENTRIES_MAX) throw new DecodeError(`more than ${ENTRIES_MAX} entries`, 0);
  const entries: MultipartEntry[] = [];
  let at = count.next;
  while (entries.length < count.value) {
    const headersLength = decodeUintvar(bytes, at);
    const bodyLength = decodeUintvar(bytes, headersLength.next);
    const bodyOffset = bodyLength.next + headersLength.value;
    const end = bodyOffset + bodyLength.value;
    if (end > bytes.length) throw new DecodeError("multipart entry cut short", at);
    const contentType = decodeContentType(bytes, bodyLength.next, bodyOffset);
    const headers = decodeHeaders(bytes, contentType.next, bodyOffset);
    entries.push({ ...contentType.value, headers, bodyOffset, body: bytes.subarray(bodyOffset, end) });
    at = end;
  }
  if (at < bytes.length) throw new DecodeError("octets after the last multipart entry", at);
  return entries;
}
