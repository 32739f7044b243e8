/**
 * The question to an authority's responder whether one certificate is still good, and its answer (OCSP, RFC 6960; no nonce, as
 * RFC 5019 has it, so that answers may be made ahead). An answer counts where the issuer signed it, or somebody whom the issuer
 * named for that in a certificate of its own.
 */
import { createHash, X509Certificate } from "node:crypto";
import { Integer, Null, OctetString } from "asn1js";
import {
  AlgorithmIdentifier,
  BasicOCSPResponse,
  CertID,
  Certificate,
  OCSPRequest,
  OCSPResponse,
  Request,
  type SingleResponse,
  TBSRequest,
} from "pkijs";
import { exactBuffer, isSignedBy, type Signed } from "./signed.ts";

const SHA1 = "1.3.14.3.2.26";
const BASIC = "1.3.6.1.5.5.7.48.1.1";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const SUCCESSFUL = 0;
const GOOD = 0;
const REVOKED = 1;
const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** Of an answer that names no end: it is of now, and not to be kept. */
const UNDATED_MS = 60_000;

type Question = {
  /** DER, to be posted as `application/ocsp-request`. */
  readonly request: Uint8Array;
  readonly subject: CertID;
};
type OcspAnswer =
  | { readonly kind: "good" | "revoked"; readonly until: Date }
  | { readonly kind: "unknown"; readonly reason: string };

/** SHA-1 here only names the issuer: it is the one digest that every responder knows. */
export function ocspQuestion(certificate: X509Certificate, issuer: X509Certificate): Question {
  const sha1 = (octets: ArrayBuffer | Uint8Array): ArrayBuffer =>
    exactBuffer(createHash("sha1").update(new Uint8Array(octets)).digest());
  const [own, signer] = [certificate, issuer].map(({ raw }) => Certificate.fromBER(exactBuffer(raw)));
  if (!own || !signer) throw new RangeError("two certificates were read");
  const subject = new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA1, algorithmParams: new Null() }),
    issuerNameHash: new OctetString({ valueHex: sha1(own.issuer.valueBeforeDecode) }),
    issuerKeyHash: new OctetString({
      valueHex: sha1(signer.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView),
    }),
    serialNumber: new Integer({ valueHex: exactBuffer(own.serialNumber.valueBlock.valueHexView) }),
  });
  const request = new OCSPRequest({
    tbsRequest: new TBSRequest({ requestList: [new Request({ reqCert: subject })] }),
  });
  return { request: new Uint8Array(request.toSchema(true).toBER()), subject };
}

/** What a responder's answer says of the certificate that was asked for, by the issuer's word. */
export function readOcspAnswer(
  octets: Uint8Array,
  { subject }: Question,
  issuer: X509Certificate,
  now: Date,
): OcspAnswer {
  const unknown = (reason: string): OcspAnswer => ({ kind: "unknown", reason });
  const basic = basicIn(octets);
  if (typeof basic === "string") return unknown(basic);
  if (!isByIssuer(basic, issuer, now)) return unknown("the answer is not signed for this authority");
  const found = basic.tbsResponseData.responses.find(({ certID }) => isSame(certID, subject));
  if (!found) return unknown("the answer is of another certificate");
  const until = found.nextUpdate ?? new Date(found.thisUpdate.getTime() + UNDATED_MS);
  const isEarly = found.thisUpdate.getTime() > now.getTime() + CLOCK_TOLERANCE_MS;
  if (isEarly || until.getTime() + CLOCK_TOLERANCE_MS < now.getTime())
    return unknown("the answer is of another time");
  const status = statusOf(found);
  if (status === GOOD) return { kind: "good", until };
  return status === REVOKED
    ? { kind: "revoked", until }
    : unknown("the responder does not know the certificate");
}

/** Its number among the choices of CertStatus (RFC 6960 clause 4.2.1). */
const statusOf = ({ certStatus }: SingleResponse): number | undefined => {
  const tag: unknown = certStatus?.idBlock?.tagNumber;
  return typeof tag === "number" ? tag : undefined;
};

function basicIn(octets: Uint8Array): BasicOCSPResponse | string {
  try {
    const { responseStatus, responseBytes } = OCSPResponse.fromBER(exactBuffer(octets));
    const status = responseStatus.valueBlock.valueDec;
    if (status !== SUCCESSFUL) return `the responder answers ${STATUSES[status] ?? status}`;
    if (responseBytes?.responseType !== BASIC) return "an answer of a kind that is not known";
    return BasicOCSPResponse.fromBER(exactBuffer(responseBytes.response.valueBlock.valueHexView));
  } catch {
    return "the answer is no OCSP response";
  }
}
const STATUSES: Readonly<Record<number, string>> = {
  1: "malformedRequest",
  2: "internalError",
  3: "tryLater",
  5: "sigRequired",
  6: "unauthorized",
};

function isByIssuer(basic: BasicOCSPResponse, issuer: X509Certificate, now: Date): boolean {
  const signed: Signed = {
    content: basic.tbsResponseData.tbsView,
    algorithm: basic.signatureAlgorithm.algorithmId,
    signature: basic.signature.valueBlock.valueHexView,
  };
  if (isSignedBy(signed, issuer.publicKey)) return true;
  return (basic.certs ?? []).some((one) => {
    const delegate = readable(one);
    return delegate && isDelegate(delegate, issuer, now) && isSignedBy(signed, delegate.publicKey);
  });
}

/** Anybody on the way can put in what one library reads and the other does not. */
function readable(certificate: Certificate): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(certificate.toSchema().toBER()));
  } catch {
    return undefined;
  }
}

/** RFC 6960 clause 4.2.2.2: issued by the very authority, for this purpose. */
const isDelegate = (delegate: X509Certificate, issuer: X509Certificate, now: Date): boolean =>
  delegate.checkIssued(issuer) &&
  delegate.verify(issuer.publicKey) &&
  (delegate.keyUsage ?? []).includes(OCSP_SIGNING) &&
  new Date(delegate.validFrom) <= now &&
  now <= new Date(delegate.validTo);

const isSame = (one: CertID, other: CertID): boolean =>
  one.hashAlgorithm.algorithmId === other.hashAlgorithm.algorithmId &&
  one.issuerNameHash.isEqual(other.issuerNameHash) &&
  one.issuerKeyHash.isEqual(other.issuerKeyHash) &&
  one.serialNumber.isEqual(other.serialNumber);
