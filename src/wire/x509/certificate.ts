/**
 * Writes X.509 v3 certificates with ECDSA P-256 keys, for a private authority between Turnup and a manufacturer.
 * Reading and checking is node's own (`X509Certificate`, TLS); this is the half that node lacks. DER by X.690, the
 * profile of RFC 5280 clause 4, algorithm identifiers of RFC 5758 clause 3.2.
 *
 *   Certificate ::= SEQUENCE { TBSCertificate, ecdsa-with-SHA256, BIT STRING signature }
 *   TBSCertificate ::= SEQUENCE { [0] v3, serial, algorithm, issuer, validity, subject, public key, [3] extensions }
 */
import { createHash, type KeyObject, sign } from "node:crypto";

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const PURPOSE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;
const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;
/** RFC 5280 clause 4.1.2.2: at most 20 octets and positive. */
const MAX_SERIAL_OCTETS = 20;

export type SubjectName =
  | { readonly kind: "dns"; readonly name: string }
  | { readonly kind: "ip"; readonly octets: Uint8Array }
  | { readonly kind: "uri"; readonly uri: string };

export type CertificateRequest = {
  readonly serial: Uint8Array;
  readonly commonName: string;
  /** An authority signs itself: it is its own issuer. */
  readonly purpose: "authority" | keyof typeof PURPOSE;
  readonly names: readonly SubjectName[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly issuer: {
    readonly commonName: string;
    readonly publicKey: KeyObject;
    readonly privateKey: KeyObject;
  };
};

/** The certificate in DER. Keys are P-256; an ECDSA signature draws randomness inside node, so octets differ by call. */
export function composeCertificate(request: CertificateRequest): Uint8Array {
  const { issuer, publicKey } = request;
  for (const key of [publicKey, issuer.publicKey, issuer.privateKey]) {
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new RangeError("a P-256 key is wanted");
  }
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const tbs = sequence(
    der(0xa0, integer(Uint8Array.of(2))),
    integer(positive(request.serial)),
    algorithm,
    nameOf(issuer.commonName),
    sequence(timeOf(request.notBefore), timeOf(request.notAfter)),
    nameOf(request.commonName),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensionsOf(request))),
  );
  return sequence(tbs, algorithm, bitString(sign("sha256", tbs, issuer.privateKey)));
}

/** DER as the text form that TLS libraries take (RFC 7468). */
export function pemOf(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extensionsOf({ purpose, names, publicKey, issuer }: CertificateRequest): Uint8Array[] {
  const authority = purpose === "authority";
  const extensions = [
    extension(EXTENSION.basicConstraints, authority ? sequence(der(TAG.boolean, [0xff])) : sequence(), true),
    // Bit 5 keyCertSign and bit 6 cRLSign for an authority, bit 0 digitalSignature for the others.
    extension(EXTENSION.keyUsage, der(TAG.bitString, authority ? [1, 0x06] : [7, 0x80]), true),
    extension(EXTENSION.subjectKeyId, der(TAG.octetString, keyIdOf(publicKey))),
    extension(EXTENSION.authorityKeyId, sequence(der(0x80, keyIdOf(issuer.publicKey)))),
  ];
  if (!authority) extensions.push(extension(EXTENSION.extendedKeyUsage, sequence(oid(PURPOSE[purpose]))));
  if (names.length > 0)
    extensions.push(extension(EXTENSION.subjectAltName, sequence(...names.map(generalName))));
  return extensions;
}

function generalName(name: SubjectName): Uint8Array {
  switch (name.kind) {
    case "dns":
      return der(0x82, ascii(name.name));
    case "uri":
      return der(0x86, ascii(name.uri));
    case "ip":
      if (name.octets.length !== 4 && name.octets.length !== 16)
        throw new RangeError("an IP address has 4 or 16 octets");
      return der(0x87, name.octets);
  }
}

const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(id), ...(critical ? [der(TAG.boolean, [0xff])] : []), der(TAG.octetString, value));

/** SHA-1 of the subject public key's bit string, as RFC 5280 clause 4.2.1.2 (1) has it; a name, not a protection. */
function keyIdOf(publicKey: KeyObject): Uint8Array {
  // An uncompressed P-256 point is the last 65 octets of its SubjectPublicKeyInfo.
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(point).digest();
}

const nameOf = (commonName: string): Uint8Array =>
  sequence(der(TAG.set, sequence(oid(COMMON_NAME), der(TAG.utf8, new TextEncoder().encode(commonName)))));

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

/** A DER integer: no superfluous leading zeros, and one where the top bit would make it negative. */
function integer(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((octet) => octet !== 0);
  const trimmed = first < 0 ? Uint8Array.of(0) : magnitude.subarray(first);
  return der(TAG.integer, trimmed[0]! & 0x80 ? [0, ...trimmed] : trimmed);
}

function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(TAG.oid, octets);
}

const ascii = (text: string): Uint8Array => {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError("only ASCII fits here");
  return new TextEncoder().encode(text);
};

const bitString = (value: Uint8Array): Uint8Array => der(TAG.bitString, [0, ...value]);

const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(TAG.sequence, Buffer.concat(parts));

function der(tag: number, value: ArrayLike<number>): Uint8Array {
  const { length } = value;
  const lengthOctets =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError("a certificate part is longer than 65535 octets");
  const bytes = new Uint8Array(1 + lengthOctets.length + length);
  bytes.set([tag, ...lengthOctets]);
  bytes.set(value, 1 + lengthOctets.length);
  return bytes;
}
