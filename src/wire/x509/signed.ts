/** What certificates and requests for them have in common around their contents: an ECDSA signature by a P-256 key. */
import { type KeyObject, sign } from "node:crypto";
import { bitString, oid, sequence } from "./der.ts";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
/** An AlgorithmIdentifier in DER: ecdsa-with-SHA256. Source: RFC 5758 clause 3.2. */
export const SIGNATURE_ALGORITHM = sequence(oid(ECDSA_WITH_SHA256));

/** @throws RangeError: a key that is not of P-256 */
export function checkCurve(...keys: readonly KeyObject[]): void {
  for (const { asymmetricKeyDetails } of keys)
    if (asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new RangeError("a P-256 key is wanted");
}

/**
 * Content, algorithm and signature as one SEQUENCE. The signature draws randomness inside node, so octets differ by call.
 * Source: RFC 5280 clause 4.1, RFC 2986 clause 4.2.
 * @param content in DER
 * @throws RangeError: too long, as `der`
 */
export const signed = (content: Uint8Array, privateKey: KeyObject): Uint8Array =>
  sequence(content, SIGNATURE_ALGORITHM, bitString(sign("sha256", content, privateKey)));
