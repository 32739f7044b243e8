/**
 * Writes X.509 v3 certificates with ECDSA P-256 keys, for a private authority between Turnup and a manufacturer.
 * Reading and checking is node's own (`X509Certificate`, TLS); this is the half that node lacks. DER by X.690, the
 * profile of RFC 5280 clause 4, algorithm identifiers of RFC 5758 clause 3.2.
 *
 *   Certificate ::= SEQUENCE { TBSCertificate, ecdsa-with-SHA256, BIT STRING signature }
 *   TBSCertificate ::= SEQUENCE { [0] v3, serial, algorithm, issuer, validity, subject, public key, [3] extensions }
 */
import { createHash, type KeyObject } from "node:crypto";
import {
  ascii,
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
import { checkCurve, SIGNATURE_ALGORITHM, signed } from "./signed.ts";

export type { SubjectName } from "./der.ts";

/** Of an authority's responder, among what it tells of itself (RFC 5280 clause 4.2.2.1). */
const OCSP = "1.3.6.1.5.5.7.48.1";
const PURPOSE = {
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
  ocsp: "1.3.6.1.5.5.7.3.9",
} as const;
const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: SUBJECT_ALT_NAME,
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
} as const;
/** RFC 5280 clause 4.1.2.2: at most 20 octets and positive. */
const MAX_SERIAL_OCTETS = 20;

/** What a certificate says, and who signs it. `notAfter` is its last second. */
export type CertificateRequest = {
  readonly serial: Uint8Array;
  readonly commonName: string;
  /** An authority signs itself: it is its own issuer. */
  readonly purpose: "authority" | keyof typeof PURPOSE;
  readonly names: readonly SubjectName[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** URL of the responder that says whether it was taken back. */
  readonly responder?: string;
  readonly issuer: {
    readonly commonName: string;
    readonly publicKey: KeyObject;
    readonly privateKey: KeyObject;
  };
};

/**
 * The certificate in DER. Keys are P-256; an ECDSA signature draws randomness inside node, so octets differ by call.
 * @throws RangeError: a key that is not of P-256, an alternative name that is not ASCII
 */
export function composeCertificate(request: CertificateRequest): Uint8Array {
  const { issuer, publicKey } = request;
  checkCurve(publicKey, issuer.publicKey, issuer.privateKey);
  const tbs = sequence(
    der(0xa0, integer(Uint8Array.of(2))),
    integer(positive(request.serial)),
    SIGNATURE_ALGORITHM,
    nameOf(issuer.commonName),
    sequence(timeOf(request.notBefore), timeOf(request.notAfter)),
    nameOf(request.commonName),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensionsOf(request))),
  );
  return signed(tbs, issuer.privateKey);
}

/** DER as the text form that TLS libraries take (RFC 7468). */
export function pemOf(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extensionsOf({ purpose, names, publicKey, issuer, responder }: CertificateRequest): Uint8Array[] {
  const authority = purpose === "authority";
  const extensions = [
    extension(EXTENSION.basicConstraints, authority ? sequence(der(TAG.boolean, [0xff])) : sequence(), true),
    // Bit 5 keyCertSign and bit 6 cRLSign for an authority, bit 0 digitalSignature for the others.
    extension(EXTENSION.keyUsage, der(TAG.bitString, authority ? [1, 0x06] : [7, 0x80]), true),
    extension(EXTENSION.subjectKeyId, der(TAG.octetString, keyIdOf(publicKey))),
    extension(EXTENSION.authorityKeyId, sequence(der(0x80, keyIdOf(issuer.publicKey)))),
  ];
  if (!authority) extensions.push(extension(EXTENSION.extendedKeyUsage, sequence(oid(PURPOSE[purpose]))));
  if (responder !== undefined) {
    const location = generalName({ kind: "uri", uri: responder });
    extensions.push(extension(EXTENSION.authorityInfoAccess, sequence(sequence(oid(OCSP), location))));
  }
  if (names.length > 0)
    extensions.push(extension(EXTENSION.subjectAltName, sequence(...names.map(generalName))));
  return extensions;
}

/** SHA-1 of the subject public key's bit string, as RFC 5280 clause 4.2.1.2 (1) has it; a name, not a protection. */
function keyIdOf(publicKey: KeyObject): Uint8Array {
  // An uncompressed P-256 point is the last 65 octets of its SubjectPublicKeyInfo.
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(point).digest();
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280 clause 4.1.2.5). */
function timeOf(date: Date): Uint8Array {
  const digits = `${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? der(TAG.utcTime, ascii(digits.slice(2)))
    : der(TAG.generalizedTime, ascii(digits));
}

function positive(serial: Uint8Array): Uint8Array {
  if (serial.length < 1 || serial.length > MAX_SERIAL_OCTETS - 1)
    throw new RangeError("a serial number has 1 to 19 octets");
  return serial;
}
