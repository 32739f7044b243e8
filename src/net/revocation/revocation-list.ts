/**
 * Lists of certificates that their authority takes back (CRL, RFC 5280 clause 5): whole ones alone. A list that holds only part
 * of what was revoked, or changes to another list, marks itself by a critical extension and is refused.
 */
import type { X509Certificate } from "node:crypto";
import { Certificate, CertificateRevocationList } from "pkijs";
import { DecodeError } from "../../wire/decode-error.ts";
import { exactBuffer, isSignedBy, type Signed } from "./signed.ts";

const PEM = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

export type RevocationList = {
  /** DER of the issuer's name. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: Date;
  /** After it the list says nothing of certificates that are not on it. Null where it names none: then it never lapses. */
  readonly nextUpdate: Date | null;
  /** Serial numbers in hexadecimal, as `serialOf` writes them. */
  readonly serials: ReadonlySet<string>;
  readonly signed: Signed;
};

/**
 * Every list in a file, PEM or DER.
 * @throws DecodeError: no list, more than a list, or one that is not whole
 */
export function revocationListsIn(content: Uint8Array): RevocationList[] {
  const blocks = [...Buffer.from(content).toString("latin1").matchAll(PEM)];
  if (blocks.length === 0) return [listOf(content)];
  return blocks.map(([, base64 = ""]) => listOf(Buffer.from(base64, "base64")));
}

function listOf(der: Uint8Array): RevocationList {
  const list = parsed(der);
  const critical = (list.crlExtensions?.extensions ?? []).find((extension) => extension.critical);
  if (critical) throw new DecodeError(`a list that is not whole (critical extension ${critical.extnID})`, 0);
  return {
    issuer: new Uint8Array(list.issuer.valueBeforeDecode),
    thisUpdate: list.thisUpdate.value,
    nextUpdate: list.nextUpdate?.value ?? null,
    serials: new Set(
      (list.revokedCertificates ?? []).map(({ userCertificate }) =>
        serialText(userCertificate.valueBlock.valueHexView),
      ),
    ),
    signed: {
      content: list.tbsView,
      algorithm: list.signatureAlgorithm.algorithmId,
      signature: list.signatureValue.valueBlock.valueHexView,
    },
  };
}

function parsed(der: Uint8Array): CertificateRevocationList {
  try {
    return CertificateRevocationList.fromBER(exactBuffer(der));
  } catch (cause) {
    throw Object.assign(new DecodeError("no revocation list", 0), { cause });
  }
}

export const isListOf = (list: RevocationList, issuer: X509Certificate): boolean =>
  Buffer.compare(list.issuer, nameOf(issuer)) === 0 && isSignedBy(list.signed, issuer.publicKey);

const nameOf = (certificate: X509Certificate): Uint8Array =>
  new Uint8Array(Certificate.fromBER(exactBuffer(certificate.raw)).subject.valueBeforeDecode);

/** Without leading zeros, in small letters. */
const serialText = (octets: Uint8Array): string =>
  Buffer.from(octets)
    .toString("hex")
    .replace(/^0+(?=.)/, "");
export const serialOf = ({ serialNumber }: X509Certificate): string =>
  serialNumber.toLowerCase().replace(/^0+(?=.)/, "");
