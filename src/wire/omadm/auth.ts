/**
 * How a management server and a device prove themselves to each other. H is MD5, the only digest of OMA DM 1.2; both sides
 * stand behind TLS besides. Source: OMA-TS-DM_Security 1.2.1 §5.3, §5.4.
 *
 *   basic | B64(user ":" password)
 *   md5   | B64(H(B64(H(user ":" password)) ":" nonce))
 *   MAC   | B64(H(B64(H(user ":" password)) ":" nonce ":" B64(H(body)))), in the header x-syncml-hmac: no RFC 2104, whatever it is called
 *
 * The nonce goes in as octets. Whoever checks needs B64(H(user ":" password)) alone: the password is never kept for that.
 */
import { createHash } from "node:crypto";
import { DecodeError } from "../decode-error.ts";

/** The header's name, in the case in which Node.js gives headers. */
const HMAC_HEADER = "x-syncml-hmac";
/** A user's name and a MAC stand in it; more is no such header. */
const HEADER_CHARACTERS_MAX = 1_024;

const md5 = (...parts: readonly (Uint8Array | string)[]): Buffer => {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** What is kept of a credential: B64(H(user ":" password)). */
export const credentialHash = (user: string, password: string): string =>
  md5(`${user}:${password}`).toString("base64");

export const encodeBasicCredential = (user: string, password: string): string =>
  Buffer.from(`${user}:${password}`).toString("base64");

/** @param hash as {@link credentialHash} gives it */
export const encodeMd5Credential = (hash: string, nonce: Uint8Array): string =>
  md5(hash, ":", nonce).toString("base64");

/** @param body the body of the HTTP message as sent */
export const encodeBodyMac = (hash: string, nonce: Uint8Array, body: Uint8Array): string =>
  md5(hash, ":", nonce, ":", md5(body).toString("base64")).toString("base64");

/** The value of the header for a body. */
export const encodeHmacHeader = (user: string, mac: string): string =>
  `algorithm=MD5, username="${user.replace(/["\\]/g, "\\$&")}", mac=${mac}`;

/** What the header says; `mac` is B64 of 16 octets. */
export type HmacHeader = { readonly user: string; readonly mac: string };

/**
 * Reads the header: members in any order, `algorithm` MD5 where it is missing. A MAC of 32 hexadecimal characters in Base64, as
 * the specification's own example has it, is read too.
 * @throws DecodeError: no user, no MAC, or another algorithm
 */
export function decodeHmacHeader(text: string): HmacHeader {
  if (text.length > HEADER_CHARACTERS_MAX) throw new DecodeError(`${HMAC_HEADER} is too long`, 0);
  const members = new Map<string, string>();
  for (const [, name = "", quoted, plain] of text.matchAll(
    /([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g,
  )) {
    members.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  const user = members.get("username");
  const mac = members.get("mac");
  if ((members.get("algorithm") ?? "MD5").toUpperCase() !== "MD5") {
    throw new DecodeError(`${HMAC_HEADER} of another algorithm than MD5`, 0);
  }
  if (!user || !mac) throw new DecodeError(`${HMAC_HEADER} without username or mac`, 0);
  return { user, mac: plainMac(mac) };
}

function plainMac(mac: string): string {
  const octets = Buffer.from(mac, "base64");
  const text = octets.toString("latin1");
  return /^[0-9a-f]{32}$/i.test(text) ? Buffer.from(text, "hex").toString("base64") : mac;
}
