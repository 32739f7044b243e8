/** Content-Digest: binds a body to its headers, and through a signature to its sender. Source: RFC 9530 §2, §5. */
import { createHash, timingSafeEqual } from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import { parseDictionary } from "./structured-field.ts";

const HASHES: ReadonlyMap<string, string> = new Map([
  ["sha-256", "sha256"],
  ["sha-512", "sha512"],
]);

/** The field's value for this body, by SHA-256. */
export const contentDigestOf = (body: Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

/**
 * Whether every digest that the field gives by SHA-256 or SHA-512 is this body's, and at least one is given. The weak
 * algorithms of the registry (md5, sha, unixsum ...) prove nothing and are passed over (§5).
 * @throws DecodeError: the field is none
 */
export function isDigestOf(field: string, body: Uint8Array): boolean {
  let proved = false;
  for (const [name, member] of parseDictionary(field)) {
    const hash = HASHES.get(name);
    if (!hash) continue;
    if (member.kind !== "item" || member.bare.kind !== "bytes")
      throw new DecodeError("a digest is octets", 0);
    const digest = createHash(hash).update(body).digest();
    const given = member.bare.value;
    if (given.length !== digest.length || !timingSafeEqual(given, digest)) return false;
    proved = true;
  }
  return proved;
}
