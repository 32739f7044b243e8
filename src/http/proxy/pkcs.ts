/**
 * What enrolment puts on the wire: a request for a certificate (PKCS#10, RFC 2986) is read and checked, certificates are
 * handed out without a signer (degenerate PKCS#7, RFC 5652 §5). Base64 comes with line ends or without (RFC 8951 §3.1).
 */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { fromBER } from "asn1js";
import {
  type Attribute,
  Certificate,
  CertificationRequest,
  ContentInfo,
  EncapsulatedContentInfo,
  Extensions,
  GeneralNames,
  type RelativeDistinguishedNames,
  SignedData,
} from "pkijs";
import { DecodeError } from "../../wire/decode-error.ts";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const SUBJECT_ALT_NAME = "2.5.29.17";
const ID_DATA = "1.2.840.113549.1.7.1";
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const DNS_NAME = 2;
const URI_NAME = 6;
const KIND_OF_NAME: Readonly<Record<number, string>> = { [DNS_NAME]: "dns", [URI_NAME]: "uri" };
const CSR_OCTETS_MAX = 8_192;

export type CertificateAsked = {
  readonly publicKey: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo, base64url. */
  readonly publicKeyHash: string;
  /** `OID=value`, in order. */
  readonly subject: readonly string[];
  /** Names that are asked for: `uri:...`, `dns:...`, or `other` for a kind that no device of ours has. */
  readonly names: readonly string[];
};

/**
 * @param text base64, as EST sends it
 * @throws DecodeError: no PKCS#10, another key than P-256, or a signature that is not the key's own
 */
export function readCertificateRequest(text: string): CertificateAsked {
  const base64 = text.replace(/[\r\n\t ]/g, "");
  if (base64.length === 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new DecodeError("no base64", 0);
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length > CSR_OCTETS_MAX) throw new DecodeError("a longer request than any", CSR_OCTETS_MAX);
  const request = parsed(bytes);
  const spki = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER());
  const publicKey = keyOf(spki);
  if (publicKey.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new DecodeError("a key that is not of P-256", 0);
  if (request.signatureAlgorithm.algorithmId !== ECDSA_WITH_SHA256)
    throw new DecodeError("a signature that is not ECDSA with SHA-256", 0);
  const signature = Buffer.from(request.signatureValue.valueBlock.valueHexView);
  if (!verify("sha256", Buffer.from(request.tbsView), publicKey, signature))
    throw new DecodeError("a signature that is not of the key that is asked for", 0);
  return {
    publicKey,
    publicKeyHash: createHash("sha256").update(spki).digest("base64url"),
    subject: subjectOf(request.subject),
    names: namesOf(request),
  };
}

/** Subject of a certificate, to compare with that of a request. */
export const subjectOfCertificate = (der: Uint8Array): readonly string[] =>
  subjectOf(Certificate.fromBER(exactBuffer(der)).subject);

/** One line of base64. The first is the one that was asked for; a root stands last. */
export function certsOnly(certificates: readonly Uint8Array[]): string {
  const signed = new SignedData({
    version: 1,
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: ID_DATA }),
    certificates: certificates.map((der) => Certificate.fromBER(exactBuffer(der))),
  });
  const info = new ContentInfo({ contentType: SIGNED_DATA, content: signed.toSchema(true) });
  return Buffer.from(info.toSchema().toBER()).toString("base64");
}

function parsed(bytes: Uint8Array): CertificationRequest {
  const { result, offset } = fromBER(exactBuffer(bytes));
  if (offset !== bytes.length) throw new DecodeError("no DER, or more than one value", Math.max(0, offset));
  try {
    return new CertificationRequest({ schema: result });
  } catch (cause) {
    throw Object.assign(new DecodeError("no PKCS#10", 0), { cause });
  }
}

function keyOf(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch (cause) {
    throw Object.assign(new DecodeError("a key of no known kind", 0), { cause });
  }
}

const subjectOf = (subject: RelativeDistinguishedNames): string[] =>
  subject.typesAndValues.map(({ type, value }) => `${type}=${String(value.valueBlock.value)}`);

function namesOf(request: CertificationRequest): string[] {
  const attributes = (request.attributes ?? []).filter(
    (attribute): attribute is Attribute => attribute.type === EXTENSION_REQUEST,
  );
  const names: string[] = [];
  try {
    for (const attribute of attributes) {
      const { extensions } = new Extensions({ schema: attribute.values[0] });
      for (const { extnID, extnValue } of extensions) {
        if (extnID !== SUBJECT_ALT_NAME) continue;
        const general = GeneralNames.fromBER(extnValue.valueBlock.valueHexView);
        for (const { type, value } of general.names)
          names.push(type in KIND_OF_NAME ? `${KIND_OF_NAME[type]}:${String(value)}` : "other");
      }
    }
  } catch (cause) {
    throw Object.assign(new DecodeError("extensions that are none", 0), { cause });
  }
  return names;
}

/** Node's buffers share a pool: only their own octets may be handed on. */
const exactBuffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
