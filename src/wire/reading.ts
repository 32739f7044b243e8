/**
 * Reads one provisioning message from any layer down to its document: SMPP PDUs, parts of short messages, a WSP push, or
 * bare WBXML. For people who look into a message: each layer that was met is told under its own name.
 */
import { DecodeError } from "./decode-error.ts";
import { NOKIA_BOOKMARKS, NOKIA_SETTINGS, xmlOfNokiaOta } from "./nokiaota/codec.ts";
import { PROV_CONT } from "./omacp/code-space.ts";
import { decodeProvisioning, xmlOf } from "./omacp/codec.ts";
import type { ProvisioningDocument } from "./omacp/document.ts";
import { type MacSecret, SECS, type Sec, verifyMac } from "./omacp/mac.ts";
import { SI, SL } from "./si/code-space.ts";
import { SI_CONTENT_TYPE, SL_CONTENT_TYPE, xmlOfSi, xmlOfSl } from "./si/codec.ts";
import type { Pdu, PduOf } from "./smpp/command.ts";
import { decodePdu } from "./smpp/pdu.ts";
import { tlvValue } from "./smpp/tlv.ts";
import { hasHeader, octetsOf, userDataOf as userDataPartOf } from "./smpp/user-data.ts";
import { createReassembler, type WholeMessage } from "./sms/reassembly.ts";
import { decodeUdh, encodeUdh, splitHeader, type Udh, type UserDataPart } from "./sms/udh.ts";
import { decodeWbxmlHead } from "./wbxml/decode.ts";
import type { ContentType } from "./wsp/content-type.ts";
import { decodeMultipart, MULTIPART_TYPES, type MultipartEntry } from "./wsp/multipart.ts";
import { decodePush, type Push } from "./wsp/push.ts";

/** What the caller has: one WBXML document, one push, the user data of parts, or whole SMPP PDUs. */
export type Layer = "wbxml" | "push" | "parts" | "smpp";

/** What the message does not say: a SEC and MAC for a document without its header, the secret to check them by. */
export type ReadingOptions = {
  readonly secret?: MacSecret | undefined;
  readonly sec?: Sec | undefined;
  readonly mac?: string | undefined;
};

/** What each layer said; null for layers that were not met. */
export type Reading = {
  /** Of any known document type; null where the content is something else. */
  readonly xml: string | null;
  /** Of an OMA CP document. */
  readonly document: ProvisioningDocument | null;
  readonly sec: Sec | null;
  readonly mac: string | null;
  /** Null where nothing is signed, or the secret for it was not given. */
  readonly macVerified: boolean | null;
  readonly push: Push | null;
  /** What a push of several holds. */
  readonly entries: readonly MultipartEntry[] | null;
  /** In the order of the parts. */
  readonly udh: readonly Udh[] | null;
  readonly pdus: readonly Pdu[] | null;
};

const NOTHING: Reading = {
  xml: null,
  document: null,
  sec: null,
  mac: null,
  macVerified: null,
  push: null,
  entries: null,
  udh: null,
  pdus: null,
};

const OMA_CP_CONTENT_TYPE = "application/vnd.wap.connectivity-wbxml";
const UNKNOWN_PUBLIC_ID = 1;
/** 255 parts of 140 octets. */
const LIMITS = { limitMessages: 1, limitOctets: 35_700, timeoutMs: Number.POSITIVE_INFINITY };

/**
 * @throws DecodeError: at the offset in the given octets for `wbxml` and `push`; in the part or PDU that the message
 *   names, or in the joined message, for the others
 */
export function readMessage(layer: Layer, inputs: readonly Uint8Array[], options: ReadingOptions): Reading {
  switch (layer) {
    case "wbxml":
      return readDocument(typeOfWbxml(only(inputs)), only(inputs), {}, options);
    case "push":
      return readPush(only(inputs), options);
    case "parts":
      return readParts(
        inputs.map((bytes, index) => named(`part ${index + 1}`, () => splitHeader(bytes))),
        options,
      );
    case "smpp": {
      const pdus = inputs.map((bytes, index) => named(`PDU ${index + 1}`, () => decodePdu(bytes)));
      const parts = pdus.map((pdu, index) => named(`PDU ${index + 1}`, () => userDataOf(pdu)));
      return { ...readParts(parts, options), pdus };
    }
  }
}

function only(inputs: readonly Uint8Array[]): Uint8Array {
  const [bytes, ...more] = inputs;
  if (!bytes || more.length > 0) throw new DecodeError(`${inputs.length} messages where one is read`, 0);
  return bytes;
}

function readParts(parts: readonly UserDataPart[], options: ReadingOptions): Reading {
  const headers = parts.map(({ udh }, index) => named(`part ${index + 1}`, () => decodeUdh(udh)));
  const { bytes } = joined(parts, headers);
  const udh = headers
    .filter(({ concat }, index) => headers.findIndex((other) => other.concat?.seq === concat?.seq) === index)
    .toSorted((a, b) => (a.concat?.seq ?? 1) - (b.concat?.seq ?? 1));
  return { ...named("the joined message", () => readPush(bytes, options)), udh };
}

function joined(parts: readonly UserDataPart[], headers: readonly Udh[]): WholeMessage {
  const reassembler = createReassembler(LIMITS);
  const whole: WholeMessage[] = [];
  for (const [index, part] of parts.entries()) {
    const message = named(`part ${index + 1}`, () =>
      reassembler.accept({ from: "", to: "", ...part, atMs: 0 }),
    );
    if (message) whole.push(message);
  }
  const references = new Set(headers.map(({ concat }) => concat && `${concat.refBits} ${concat.ref}`));
  if (whole.length > 1 || references.size > 1) throw new DecodeError("parts of more than one message", 0);
  if (!whole[0]) throw new DecodeError(missingOf(headers), 0);
  return whole[0];
}

function missingOf(headers: readonly Udh[]): string {
  const total = headers[0]?.concat?.total;
  if (total === undefined) return "no part of a message";
  const seen = headers.map(({ concat }) => concat?.seq);
  const missing = Array.from({ length: total }, (_, index) => index + 1).filter((seq) => !seen.includes(seq));
  return `of ${total} parts these are missing: ${missing.join(", ")}`;
}

/** The user data of a PDU, whichever of SMPP's three ways tells ports and parts: UDH, or optional parameters. */
function userDataOf(pdu: Pdu): UserDataPart {
  if (pdu.command !== "submit_sm" && pdu.command !== "deliver_sm" && pdu.command !== "data_sm") {
    throw new DecodeError(`${pdu.command} carries no message`, 4);
  }
  if (pdu.command === "data_sm" && tlvValue(pdu.tlvs, "message_payload") === undefined)
    throw new DecodeError(`${pdu.command} without a message`, 4);
  return hasHeader(pdu) ? userDataPartOf(pdu) : { udh: headerFromTlvs(pdu), data: octetsOf(pdu) };
}

function headerFromTlvs({ tlvs }: PduOf<"submit_sm" | "deliver_sm" | "data_sm">): Uint8Array {
  const destPort = tlvValue(tlvs, "destination_port");
  const srcPort = tlvValue(tlvs, "source_port");
  const ref = tlvValue(tlvs, "sar_msg_ref_num");
  const total = tlvValue(tlvs, "sar_total_segments");
  const seq = tlvValue(tlvs, "sar_segment_seqnum");
  const isPart = ref !== undefined && total !== undefined && seq !== undefined;
  return encodeUdh({
    ...(destPort === undefined ? {} : { destPort }),
    ...(srcPort === undefined ? {} : { srcPort }),
    ...(isPart ? { concat: { refBits: 16, ref, total, seq } } : {}),
  });
}

function readPush(bytes: Uint8Array, options: ReadingOptions): Reading {
  const push = decodePush(bytes);
  const { bodyOffset, body } = push;
  if (!MULTIPART_TYPES.includes(push.contentType)) {
    return { ...shifted(bodyOffset, () => readContent(push, body, options)), push };
  }
  const entries = shifted(bodyOffset, () => decodeMultipart(body));
  const settings = entries.find(({ contentType }) => typeOfContent(contentType));
  const offset = bodyOffset + (settings?.bodyOffset ?? 0);
  const content = settings ? shifted(offset, () => readContent(settings, settings.body, options)) : NOTHING;
  return { ...content, push, entries };
}

/** Reads a body by the content type that announces it. */
function readContent(
  { contentType, params }: ContentType,
  body: Uint8Array,
  options: ReadingOptions,
): Reading {
  const type = typeOfContent(contentType);
  return type ? readDocument(type, body, params, options) : { ...NOTHING, ...signatureIn(params, options) };
}

function readDocument(
  type: DocumentType,
  body: Uint8Array,
  params: ContentType["params"],
  options: ReadingOptions,
): Reading {
  const { sec, mac } = signatureIn(params, options);
  const secret = options.secret ?? {};
  return {
    ...NOTHING,
    xml: type.xmlOf(body),
    document: type === PROVISIONING ? decodeProvisioning(body) : null,
    sec,
    mac,
    macVerified: sec !== null && isKnown(sec, secret) ? verifyMac(sec, mac, secret, body) : null,
  };
}

function signatureIn({ SEC, MAC }: ContentType["params"], { sec, mac }: ReadingOptions) {
  return {
    sec: (typeof SEC === "number" ? SECS[SEC] : sec) ?? null,
    mac: (typeof MAC === "string" ? MAC : mac) ?? null,
  };
}

const isKnown = (sec: Sec, { imsi, pin }: MacSecret): boolean =>
  (imsi !== undefined || sec === "userpin" || sec === "userpinmac") &&
  (pin !== undefined || sec === "netwpin");

type DocumentType = { readonly xmlOf: (bytes: Uint8Array) => string };
const PROVISIONING: DocumentType = { xmlOf };
const NOKIA: DocumentType = { xmlOf: xmlOfNokiaOta };
const INDICATION: DocumentType = { xmlOf: xmlOfSi };
const LOADING: DocumentType = { xmlOf: xmlOfSl };

const DOCUMENT_TYPES: ReadonlyMap<string, DocumentType> = new Map([
  [OMA_CP_CONTENT_TYPE, PROVISIONING],
  [NOKIA_SETTINGS, NOKIA],
  [NOKIA_BOOKMARKS, NOKIA],
  [SI_CONTENT_TYPE, INDICATION],
  [SL_CONTENT_TYPE, LOADING],
]);

/** A sender may spell a type in any case. */
const typeOfContent = (contentType: string): DocumentType | undefined =>
  DOCUMENT_TYPES.get(contentType.toLowerCase());

/** A bare document says its type by its public identifier; without one it is OMA CP, or what Nokia sends like that. */
function typeOfWbxml(bytes: Uint8Array): DocumentType {
  const head = decodeWbxmlHead(bytes);
  const isOf = (space: typeof SI): boolean =>
    head.publicIdText === null ? head.publicId === space.publicId : head.publicIdText === space.publicIdText;
  if (isOf(PROV_CONT)) return PROVISIONING;
  if (isOf(SI)) return INDICATION;
  if (isOf(SL)) return LOADING;
  if (head.publicId === UNKNOWN_PUBLIC_ID) return isProvisioning(bytes) ? PROVISIONING : NOKIA;
  throw new DecodeError(
    `no document type is known by ${head.publicIdText ?? `public id ${head.publicId}`}`,
    1,
  );
}

/** Tokens alone do not tell: some stand for an attribute in both code spaces. */
function isProvisioning(bytes: Uint8Array): boolean {
  try {
    decodeProvisioning(bytes);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** A refusal inside a body, told at its place in the whole. */
function shifted<T>(offset: number, read: () => T): T {
  return retold((error) => new DecodeError(factOf(error), error.offset + offset), read);
}

/** A refusal in one of several inputs, told with which one. */
function named<T>(where: string, read: () => T): T {
  return retold((error) => new DecodeError(`${where}: ${factOf(error)}`, error.offset), read);
}

function retold<T>(tell: (error: DecodeError) => DecodeError, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof DecodeError ? tell(error) : error;
  }
}

const factOf = (error: DecodeError): string => error.message.replace(/ \(at octet \d+\)$/, "");
