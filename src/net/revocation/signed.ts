/** Whether an authority signed what says that it did: lists (RFC 5280) and responders' answers (RFC 6960) alike. */
import { type KeyObject, verify } from "node:crypto";

/** RFC 4055, 5758, 8410. What rests on SHA-1 proves nothing any more. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.3.101.112": null,
};

export type Signed = {
  /** DER, as it was signed. */
  readonly content: Uint8Array;
  /** Object identifier. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
};

/** False for an algorithm that is not known, too. */
export function isSignedBy({ content, algorithm, signature }: Signed, key: KeyObject): boolean {
  const digest = DIGESTS[algorithm];
  if (digest === undefined) return false;
  try {
    return verify(digest, content, key, signature);
  } catch {
    return false; // a key of another kind than the algorithm is for
  }
}

/** The library keeps what it was given: only a buffer's own octets may be handed on. */
export const exactBuffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
