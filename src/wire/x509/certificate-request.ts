/**
 * Writes requests for certificates (PKCS#10) of P-256 keys: how a device has a key that it made itself certified.
 * Source: RFC 2986 clause 4; names among the extensions that are asked for by RFC 2985 clause 5.4.2.
 *
 *   CertificationRequest ::= SEQUENCE { CertificationRequestInfo, ecdsa-with-SHA256, BIT STRING signature }
 *   CertificationRequestInfo ::= SEQUENCE { version 0, subject, public key, [0] attributes }
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import {
  der,
  extension,
  generalName,
  integer,
  nameOf,
  oid,
  SUBJECT_ALT_NAME,
  type SubjectName,
  sequence,
  TAG,
} from "./der.ts";
import { checkCurve, signed } from "./signed.ts";

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/**
 * In DER. An ECDSA signature draws randomness inside node, so octets differ by call.
 * @throws RangeError: a key that is not of P-256, an alternative name that is not ASCII
 */
export function composeCertificateRequest(request: {
  readonly commonName: string;
  readonly names: readonly SubjectName[];
  readonly privateKey: KeyObject;
}): Uint8Array {
  const { commonName, names, privateKey } = request;
  checkCurve(privateKey);
  const extensions = sequence(extension(SUBJECT_ALT_NAME, sequence(...names.map(generalName))));
  const info = sequence(
    integer(Uint8Array.of(0)),
    nameOf(commonName),
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    der(0xa0, names.length > 0 ? sequence(oid(EXTENSION_REQUEST), der(TAG.set, extensions)) : []),
  );
  return signed(info, privateKey);
}
