/**
 * The envelope of what goes by SMS between Turnup and its client module: only the two that share a device's notice key
 * can read or make it. Notices and replies have magics, labels and so keys of their own; neither can pass as the other.
 *
 *   | magic : 2 | key reference : 8 | message id : 8 | check : 4 | sealed body | tag : 16 |     38 octets beside the body
 *
 * AES-256-GCM over the body, with all before it as associated data. Its key and the check's key come from the notice key by
 * HKDF-SHA-256 under labels; the nonce is the message id and the check. The check is an HMAC-SHA-256 of message id and body,
 * cut to 4 octets: two bodies under one message id get two nonces, and the same message sent again has the same octets.
 * The key reference is the first 8 octets of the SHA-256 of the notice key.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import { joined } from "./octets.ts";

/** Of the key that a device and the server share. */
const NOTICE_KEY_OCTETS = 32;
/** Drawn anew for each message; a repeat has the same. */
const MESSAGE_ID_OCTETS = 8;
/** Of the name by which a message tells its key. */
const KEY_REFERENCE_OCTETS = 8;
const MAGIC_OCTETS = 2;
const CHECK_OCTETS = 4;
const TAG_OCTETS = 16;
const ID_AT = MAGIC_OCTETS + KEY_REFERENCE_OCTETS;
const CHECK_AT = ID_AT + MESSAGE_ID_OCTETS;
/** Where the sealed body begins. */
export const SEALED_HEADER_OCTETS = CHECK_AT + CHECK_OCTETS;
/** What sealing adds to a body. */
const ENVELOPE_OCTETS = SEALED_HEADER_OCTETS + TAG_OCTETS;

/** What tells notices from replies. */
export type Envelope = {
  readonly magic: readonly [number, number];
  /** Label of the keys: `notice`, `reply`. */
  readonly label: string;
  /** Of the whole message, in octets. */
  readonly limit: number;
};
/** What stands in clear, before anything is opened or believed. */
export type Peeked = { readonly keyReference: Uint8Array; readonly messageId: Uint8Array };

/**
 * The first 8 octets of the SHA-256 of a notice key: names it, and tells nothing about it.
 * @throws RangeError: a key that has not 32 octets
 */
export function keyReferenceOf(noticeKey: Uint8Array): Uint8Array {
  checkKey(noticeKey);
  return Uint8Array.from(createHash("sha256").update(noticeKey).digest().subarray(0, KEY_REFERENCE_OCTETS));
}

/** @throws RangeError: a message id that has not 8 octets, a key that has not 32, a body that is too long */
export function sealMessage(
  { magic, label, limit }: Envelope,
  messageId: Uint8Array,
  body: Uint8Array,
  noticeKey: Uint8Array,
): Uint8Array {
  if (messageId.length !== MESSAGE_ID_OCTETS) throw new RangeError("a message id has 8 octets");
  if (ENVELOPE_OCTETS + body.length > limit) throw new RangeError(`a ${label} has at most ${limit} octets`);
  const check = checkOf(label, messageId, body, noticeKey);
  const header = joined([Uint8Array.from(magic), keyReferenceOf(noticeKey), messageId, check]);
  const cipher = createCipheriv("aes-256-gcm", keyOf(label, "seal", noticeKey), header.subarray(ID_AT));
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(body), cipher.final()]);
  return joined([header, sealed, cipher.getAuthTag()]);
}

/** Whose message it seems to be, before anything is believed; undefined where it is no such message. */
export function peekMessage({ magic, limit }: Envelope, bytes: Uint8Array): Peeked | undefined {
  if (bytes.length <= ENVELOPE_OCTETS || bytes.length > limit) return undefined;
  if (magic.some((octet, at) => bytes[at] !== octet)) return undefined;
  return {
    keyReference: bytes.slice(MAGIC_OCTETS, ID_AT),
    messageId: bytes.slice(ID_AT, CHECK_AT),
  };
}

/**
 * The body, once it is proved that a holder of the key made it.
 * @throws DecodeError: another kind of message, cut short, of another key, changed on the way
 */
export function openMessage(
  { magic, label, limit }: Envelope,
  bytes: Uint8Array,
  noticeKey: Uint8Array,
): { readonly messageId: Uint8Array; readonly body: Uint8Array } {
  if (bytes.length > limit) throw new DecodeError(`a ${label} longer than ${limit} octets`, limit);
  magic.forEach((octet, at) => {
    if (bytes.length > at && bytes[at] !== octet) throw new DecodeError(`not a ${label} of version 1`, at);
  });
  if (bytes.length <= ENVELOPE_OCTETS) throw new DecodeError(`${label} cut short`, bytes.length);
  const header = bytes.subarray(0, SEALED_HEADER_OCTETS);
  if (!timingSafeEqual(header.subarray(MAGIC_OCTETS, ID_AT), keyReferenceOf(noticeKey)))
    throw new DecodeError(`a ${label} for another key`, MAGIC_OCTETS);
  const tagAt = bytes.length - TAG_OCTETS;
  const decipher = createDecipheriv("aes-256-gcm", keyOf(label, "seal", noticeKey), header.subarray(ID_AT), {
    authTagLength: TAG_OCTETS,
  });
  decipher.setAAD(header);
  decipher.setAuthTag(bytes.subarray(tagAt));
  let body: Uint8Array;
  try {
    body = Uint8Array.from(
      Buffer.concat([decipher.update(bytes.subarray(SEALED_HEADER_OCTETS, tagAt)), decipher.final()]),
    );
  } catch (cause) {
    throw Object.assign(new DecodeError(`${label} was changed on its way`, SEALED_HEADER_OCTETS), { cause });
  }
  const messageId = bytes.slice(ID_AT, CHECK_AT);
  // Holds for what this encoder made: one body has one encoding.
  if (!timingSafeEqual(header.subarray(CHECK_AT), checkOf(label, messageId, body, noticeKey)))
    throw new DecodeError(`${label} with another check than its body's`, CHECK_AT);
  return { messageId, body };
}

function checkOf(label: string, messageId: Uint8Array, body: Uint8Array, noticeKey: Uint8Array): Uint8Array {
  const mac = createHmac("sha256", keyOf(label, "check", noticeKey))
    .update(messageId)
    .update(body)
    .digest();
  return mac.subarray(0, CHECK_OCTETS);
}

function keyOf(label: string, use: "seal" | "check", noticeKey: Uint8Array): Uint8Array {
  checkKey(noticeKey);
  return new Uint8Array(hkdfSync("sha256", noticeKey, "", `turnup ${label} 1 ${use}`, NOTICE_KEY_OCTETS));
}

function checkKey(noticeKey: Uint8Array): void {
  if (noticeKey.length !== NOTICE_KEY_OCTETS) throw new RangeError("a notice key has 32 octets");
}
