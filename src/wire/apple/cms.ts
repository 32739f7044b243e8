/**
 * Reads CMS SignedData (RFC 5652 clause 5) with its content inside, as configuration profiles are signed: DER, and BER of indefinite
 * lengths, which Java's libraries write. Nothing is said of whom to trust: that is for whoever installs it.
 */
import { createHash, verify, X509Certificate } from "node:crypto";
import { DecodeError } from "../decode-error.ts";

export type SignedProfile = {
  readonly contentType: string;
  /** What was signed, and where it begins in the octets given; null: in pieces. */
  readonly content: Uint8Array;
  readonly contentAt: number | null;
  readonly certificates: readonly CmsCertificate[];
  readonly signers: readonly CmsSigner[];
};
export type CmsCertificate = {
  readonly at: number;
  readonly end: number;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly validFrom: Date;
  readonly validTo: Date;
};
type CmsSigner = {
  readonly at: number;
  readonly end: number;
  /** Of its certificate, in upper-case hexadecimal. */
  readonly serial: string;
  readonly digest: string;
  readonly signingTime: Date | null;
  /** The content has the digest that was signed. */
  readonly isContentRight: boolean;
  /** The signature is by the key of the certificate with this serial number; null: that is not there, or of another kind of key or scheme. */
  readonly isSignatureRight: boolean | null;
};

const SIGNED_DATA = "2a864886f70d010702";
const ATTRIBUTES = {
  digest: "2a864886f70d010904",
  time: "2a864886f70d010905",
} as const;
const DIGESTS: Readonly<Record<string, string>> = {
  "2b0e03021a": "sha1",
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
};
/** RSASSA-PSS, whose parameters are not read here: nothing is said of such a signature. */
const PSS = "2a864886f70d01010a";
const OCTETS_MAX = 1_048_576;
const DEPTH_MAX = 24;
const NODES_MAX = 4_096;
const [SEQUENCE, SET] = [0x30, 0x31];

type Node = {
  readonly tag: number;
  readonly at: number;
  readonly body: number;
  /** Of its content; behind it stands the end mark of an indefinite length. */
  readonly bodyEnd: number;
  readonly end: number;
  readonly children: readonly Node[];
};
type Reader = { readonly bytes: Uint8Array; nodes: number };

/** Whether octets begin as such a structure does. */
export const isSignedProfile = (bytes: Uint8Array): boolean =>
  bytes[0] === SEQUENCE && hex(bytes.subarray(0, 24)).includes(`0609${SIGNED_DATA}`);

/** @throws DecodeError with the offset: no SignedData, cut short, too deep, or without what it signs */
export function decodeSignedProfile(bytes: Uint8Array): SignedProfile {
  if (bytes.length > OCTETS_MAX) throw new DecodeError(`more than ${OCTETS_MAX} octets`, OCTETS_MAX);
  const reader: Reader = { bytes, nodes: 0 };
  const root = nodeAt(reader, 0, bytes.length, 0);
  const [type, wrapped] = root.children;
  if (!type || hexOfBody(reader, type) !== SIGNED_DATA)
    throw new DecodeError("no SignedData of CMS", root.at);
  const signedData = needed(wrapped?.children[0], "SignedData", root);
  const encapsulated = needed(
    signedData.children.find(({ tag }) => tag === SEQUENCE),
    "what it signs",
    signedData,
  );
  const octets = needed(encapsulated.children[1]?.children[0], "what it signs inside", encapsulated);
  const pieces = octets.children.length > 0 ? octets.children : [octets];
  const content = Buffer.concat(pieces.map((one) => bodyOf(reader, one)));
  const certificates = signedData.children
    .filter(({ tag }) => tag === 0xa0)
    .flatMap(({ children }) => children.map((one) => certificateOf(reader, one)));
  const signerInfos = signedData.children.filter(({ tag }) => tag === SET).at(-1)?.children ?? [];
  return {
    contentType: dottedOf(bodyOf(reader, needed(encapsulated.children[0], "a content type", encapsulated))),
    content,
    contentAt: pieces.length === 1 ? (pieces[0]?.body ?? null) : null,
    certificates: certificates.map(({ told }) => told),
    signers: signerInfos.map((one) => signerOf(reader, one, content, certificates)),
  };
}

function nodeAt(reader: Reader, at: number, limit: number, depth: number): Node {
  const { bytes } = reader;
  if (depth > DEPTH_MAX || ++reader.nodes > NODES_MAX)
    throw new DecodeError("nested too deep, or too much", at);
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) throw new DecodeError("cut short", at);
  if ((tag & 0x1f) === 0x1f) throw new DecodeError("a tag of several octets", at);
  const isConstructed = (tag & 0x20) !== 0;
  if (first === 0x80) {
    if (!isConstructed) throw new DecodeError("an indefinite length of a plain value", at);
    const children = childrenOf(reader, at + 2, limit, depth, true);
    const bodyEnd = children.at(-1)?.end ?? at + 2;
    return { tag, at, body: at + 2, bodyEnd, end: bodyEnd + 2, children };
  }
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (lengthOctets > 4) throw new DecodeError("a length of more than four octets", at);
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthOctets; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const body = at + 2 + lengthOctets;
  const end = body + length;
  if (end > limit) throw new DecodeError("cut short", at);
  return {
    tag,
    at,
    body,
    bodyEnd: end,
    end,
    children: isConstructed ? childrenOf(reader, body, end, depth, false) : [],
  };
}

function childrenOf(reader: Reader, from: number, limit: number, depth: number, hasMark: boolean): Node[] {
  const children: Node[] = [];
  let at = from;
  while (hasMark ? !(reader.bytes[at] === 0 && reader.bytes[at + 1] === 0) : at < limit) {
    const child = nodeAt(reader, at, limit, depth + 1);
    children.push(child);
    at = child.end;
  }
  return children;
}

function needed(node: Node | undefined, what: string, parent: Node): Node {
  if (!node) throw new DecodeError(`without ${what}`, parent.at);
  return node;
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
const bodyOf = ({ bytes }: Reader, { body, bodyEnd }: Node): Uint8Array => bytes.subarray(body, bodyEnd);
const hexOfBody = (reader: Reader, node: Node): string => hex(bodyOf(reader, node));

type Certificate = { readonly told: CmsCertificate; readonly x509: X509Certificate };

function certificateOf({ bytes }: Reader, { at, end }: Node): Certificate {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(bytes.subarray(at, end));
  } catch {
    throw new DecodeError("a certificate that cannot be read", at);
  }
  const { subject, issuer, serialNumber: serial, validFrom, validTo } = x509;
  const plain = (name: string): string => name.replaceAll("\n", ", ");
  return {
    x509,
    told: {
      ...{ at, end, serial },
      subject: plain(subject),
      issuer: plain(issuer),
      validFrom: new Date(validFrom),
      validTo: new Date(validTo),
    },
  };
}

function signerOf(
  reader: Reader,
  node: Node,
  content: Uint8Array,
  certificates: readonly Certificate[],
): CmsSigner {
  const [, id, algorithm] = node.children;
  const serialNode = id?.children[1];
  const serial = serialNode ? hexOfBody(reader, serialNode).toUpperCase() : "";
  const digest = DIGESTS[algorithm?.children[0] ? hexOfBody(reader, algorithm.children[0]) : ""] ?? "unknown";
  const attributes = node.children.find(({ tag }) => tag === 0xa0);
  const attributeOf = (type: string): Node | undefined =>
    attributes?.children.find((one) => one.children[0] && hexOfBody(reader, one.children[0]) === type)
      ?.children[1]?.children[0];
  const told = attributeOf(ATTRIBUTES.digest);
  const time = attributeOf(ATTRIBUTES.time);
  const own = digest === "unknown" ? "" : createHash(digest).update(content).digest("hex");
  const isContentRight = told ? hexOfBody(reader, told) === own : !attributes && own !== "";
  const x509 = certificates.find((one) => sameNumber(one.told.serial, serial))?.x509;
  const signature = node.children.findLast(({ tag }) => tag === 0x04);
  // The attributes are signed as a SET, whatever tag they bear inside (§5.4).
  const signed = attributes
    ? Buffer.concat([Buffer.of(SET), reader.bytes.subarray(attributes.at + 1, attributes.end)])
    : content;
  const by = signature && node.children[node.children.indexOf(signature) - 1]?.children[0];
  const isPss = by !== undefined && hexOfBody(reader, by) === PSS;
  const isKnown = x509 !== undefined && signature !== undefined && digest !== "unknown" && !isPss;
  return {
    at: node.at,
    end: node.end,
    ...{ serial, digest, isContentRight },
    signingTime: time ? timeOf(Buffer.from(bodyOf(reader, time)).toString("latin1")) : null,
    isSignatureRight: isKnown ? isVerified(digest, signed, x509, bodyOf(reader, signature)) : null,
  };
}

/** Null where the certificate holds no key that can be read. */
function isVerified(
  digest: string,
  signed: Uint8Array,
  x509: X509Certificate,
  signature: Uint8Array,
): boolean | null {
  try {
    return verify(digest, signed, x509.publicKey, signature);
  } catch {
    return null;
  }
}

const sameNumber = (one: string, other: string): boolean =>
  one.replace(/^0+/, "") === other.replace(/^0+/, "");

/** UTCTime and GeneralizedTime, both in UTC (RFC 5652 clause 11.3); null where it is no time. */
function timeOf(text: string): Date | null {
  const [, year = "", month, day, hour, minute, second] =
    /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
  if (year === "") return null;
  const whole = year.length === 4 ? year : `${Number(year) < 50 ? "20" : "19"}${year}`;
  const time = new Date(`${whole}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? null : time;
}

function dottedOf(octets: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of octets) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first = 0, ...rest] = arcs;
  const head = Math.min(2, Math.floor(first / 40));
  return [head, first - head * 40, ...rest].join(".");
}
