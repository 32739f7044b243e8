/** Public keys of makers by their text: parsing one costs more than checking a signature's form. */
import { createPublicKey, type KeyObject } from "node:crypto";

const known = new Map<string, KeyObject>();

/** @param spki SubjectPublicKeyInfo in DER, base64; undefined where an issuer has none */
export function publicKeyOf(spki: string | undefined): KeyObject | undefined {
  if (!spki) return undefined;
  const before = known.get(spki);
  if (before) return before;
  const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
  known.set(spki, key);
  return key;
}
