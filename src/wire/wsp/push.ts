/**
 * WSP's connectionless Push: what the user data of a push SMS holds. Source: WAP-230-WSP §8.2.4.1, WAP-235-PushOTA.
 *
 *   | transaction id: 1 | 06 | headers length: uintvar | content type | other headers | body |
 *
 * The headers length counts the content type too. A body has no length of its own: it is the rest.
 */
import { DecodeError } from "../decode-error.ts";
import type { Sec } from "../omacp/mac.ts";
import { decodeUintvar, uintvar } from "../uintvar.ts";
import { type ContentType, contentTypeOctets, decodeContentType, type Parameters } from "./content-type.ts";
import { decodeHeaders, putHeader, type WspHeader } from "./header.ts";

const PUSH = 0x06;
/** 255 SMS of 134 octets are 34,170. */
const PUSH_OCTETS_MAX = 65_536;

/** A push as it was read; offsets are octets in the user data. */
export type Push = ContentType & {
  readonly transactionId: number;
  readonly pduType: typeof PUSH;
  readonly headersLength: number;
  readonly headers: readonly WspHeader[];
  readonly bodyOffset: number;
  /** A view into the bytes that were decoded. */
  readonly body: Uint8Array;
};

/** A push to write. */
export type NewPush = {
  /** One octet; a sender counts it on so that a repeated message can be told from a new one. */
  readonly transactionId: number;
  /** One that has an assigned number is written as that. */
  readonly contentType: string;
  readonly sec?: Sec | undefined;
  readonly mac?: string | undefined;
  /** IANA MIBenum, 106 for UTF-8. */
  readonly charset?: number | undefined;
  /** X-Wap-Application-Id; without it a phone takes its WAP browser's. */
  readonly applicationId?: number | undefined;
  readonly headers?: readonly WspHeader[] | undefined;
  /** Content type parameters other than the three above, after them. */
  readonly params?: Parameters | undefined;
  readonly body: Uint8Array;
};

/** @throws TurnupError `payload_malformed`: a text or number that WSP cannot hold */
export function encodePush(push: NewPush): Uint8Array {
  const { body } = push;
  const headers = contentTypeOctets(push.contentType, paramsOf(push));
  if (push.applicationId !== undefined) {
    putHeader(headers, { name: "X-Wap-Application-Id", value: push.applicationId });
  }
  for (const header of push.headers ?? []) putHeader(headers, header);
  const length = uintvar(headers.length);
  const bodyOffset = 2 + length.length + headers.length;
  const bytes = new Uint8Array(bodyOffset + body.length);
  bytes[0] = push.transactionId & 0xff;
  bytes[1] = PUSH;
  bytes.set(length, 2);
  bytes.set(headers, 2 + length.length);
  bytes.set(body, bodyOffset);
  return bytes;
}

/** SEC and MAC first, as all senders in the field do, then the charset. */
function paramsOf({ sec, mac, charset, params }: NewPush): Parameters {
  const all: Record<string, number | string> = {};
  if (sec !== undefined) all.SEC = sec;
  if (mac !== undefined) all.MAC = mac;
  if (charset !== undefined) all.Charset = charset;
  return params ? { ...all, ...params } : all;
}

/** @throws DecodeError with the offset: no push, headers cut short, or a header that cannot be read */
export function decodePush(bytes: Uint8Array): Push {
  if (bytes.length > PUSH_OCTETS_MAX) {
    throw new DecodeError(`a push of more than ${PUSH_OCTETS_MAX} octets`, PUSH_OCTETS_MAX);
  }
  const [transactionId, pduType] = bytes;
  if (transactionId === undefined || pduType === undefined) {
    throw new DecodeError("push cut short", bytes.length);
  }
  if (pduType !== PUSH) throw new DecodeError(`PDU type ${pduType} is no push`, 1);
  const { value: headersLength, next } = decodeUintvar(bytes, 2);
  const bodyOffset = next + headersLength;
  if (bodyOffset > bytes.length) throw new DecodeError("push headers cut short", 2);
  const contentType = decodeContentType(bytes, next, bodyOffset);
  return {
    transactionId,
    pduType,
    headersLength,
    ...contentType.value,
    headers: decodeHeaders(bytes, contentType.next, bodyOffset),
    bodyOffset,
    body: bytes.subarray(bodyOffset),
  };
}
