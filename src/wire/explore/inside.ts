/** From a part, a push, a document in WBXML or XML down to its fields, with what is wrong told where it stands. */

import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { NOKIA_OTA } from "../nokiaota/code-space.ts";
import { NOKIA_BOOKMARKS, NOKIA_SETTINGS, xmlOfNokiaOta } from "../nokiaota/codec.ts";
import { PROV_CONT } from "../omacp/code-space.ts";
import { decodeProvisioning, xmlOf } from "../omacp/codec.ts";
import type { ProvisioningDocument } from "../omacp/document.ts";
import { type MacSecret, SECS, type Sec, verifyMac } from "../omacp/mac.ts";
import { handsetTraps } from "../omacp/traps.ts";
import { documentOfXml } from "../omacp/xml.ts";
import { SYNCML_DM } from "../omadm/code-space.ts";
import { DM_WBXML_CONTENT_TYPE, DM_XML_CONTENT_TYPE, decodeDmXml, xmlOfDm } from "../omadm/codec.ts";
import { NOTIFICATION_CONTENT_TYPE } from "../omadm/notification.ts";
import { SI, SL } from "../si/code-space.ts";
import { SI_CONTENT_TYPE, SL_CONTENT_TYPE, xmlOfSi, xmlOfSl } from "../si/codec.ts";
import { createReassembler } from "../sms/reassembly.ts";
import { decodeUdh, splitHeader } from "../sms/udh.ts";
import { decodeWbxmlHead } from "../wbxml/decode.ts";
import { decodeMultipart, MULTIPART_TYPES } from "../wsp/multipart.ts";
import { decodePush } from "../wsp/push.ts";
import { readXml } from "../xml/read.ts";
import { exploredApnPolicy, exploredApnsConf } from "./android.ts";
import { type DocumentKind, documentLayers, notificationLayer } from "./document.ts";
import { type Explored, type ExploreOptions, type Finding, NOTHING_READ as NOTHING } from "./field.ts";
import { udhLayer, wspLayer } from "./headers.ts";
import { exploredProfile, exploredSignedProfile } from "./profile.ts";

const joined = (...all: readonly Explored[]): Explored => ({
  layers: all.flatMap(({ layers }) => layers),
  xml: all.find(({ xml }) => xml !== null)?.xml ?? null,
  signature: all.find(({ signature }) => signature !== null)?.signature ?? null,
  findings: all.flatMap(({ findings }) => findings),
});

/** What a layer gives, or the finding that it is broken. */
function orFinding(layer: string, clause: string | null, read: () => Explored): Explored {
  try {
    return read();
  } catch (error) {
    const fact =
      error instanceof DecodeError ? error.message : error instanceof TurnupError ? error.message : undefined;
    if (fact === undefined) throw error;
    const offset = error instanceof DecodeError ? error.offset : null;
    return { ...NOTHING, findings: [{ code: "malformed", layer, offset, fact, clause }] };
  }
}

/** 255 parts of 140 octets. */
const LIMITS = { limitMessages: 1, limitOctets: 35_700, timeoutMs: Number.POSITIVE_INFINITY };

/** Parts of one message in any order; each has its header. */
export function exploredPart(parts: readonly Uint8Array[], options: ExploreOptions): Explored {
  const reassembler = createReassembler(LIMITS);
  let whole: Uint8Array | undefined;
  const headers = parts.map((bytes, index) =>
    orFinding("udh", "3GPP TS 23.040 §9.2.3.24", () => {
      const part = splitHeader(bytes);
      decodeUdh(part.udh);
      whole ??= reassembler.accept({ from: "", to: "", ...part, atMs: 0 })?.bytes;
      return { ...NOTHING, layers: [udhLayer(part.udh, index + 1)] };
    }),
  );
  if (whole) return joined(...headers, exploredPush(whole, options));
  const missing: Finding = {
    code: "parts_missing",
    layer: "udh",
    offset: null,
    fact: missingOf(parts),
    clause: "3GPP TS 23.040 §9.2.3.24.1",
  };
  return joined(...headers, { ...NOTHING, findings: [missing] });
}

function missingOf(parts: readonly Uint8Array[]): string {
  const seen = parts.flatMap((bytes) => {
    try {
      return decodeUdh(splitHeader(bytes).udh).concat ?? [];
    } catch {
      return [];
    }
  });
  const total = seen[0]?.total ?? 0;
  const absent = Array.from({ length: total }, (_, n) => n + 1).filter(
    (seq) => !seen.some((one) => one.seq === seq),
  );
  return absent.length > 0
    ? `of ${total} parts these are missing: ${absent.join(", ")}`
    : "the parts are not of one message";
}

export function exploredPush(bytes: Uint8Array, options: ExploreOptions): Explored {
  return orFinding("wsp", "WAP-230-WSP §8.2.4.1", () => {
    const push = decodePush(bytes);
    const head: Explored = { ...NOTHING, layers: [wspLayer(bytes)] };
    if (!MULTIPART_TYPES.includes(push.contentType)) return joined(head, exploredContent(push, options));
    const entries = orFinding("multipart", "WAP-230-WSP §8.5", () =>
      joined(...decodeMultipart(push.body).map((entry) => exploredContent(entry, options))),
    );
    return joined(head, entries);
  });
}

type Content = {
  readonly contentType: string;
  readonly params: Readonly<Record<string, number | string>>;
  readonly body: Uint8Array;
};

function exploredContent({ contentType, params, body }: Content, options: ExploreOptions): Explored {
  const type = contentType.toLowerCase();
  if (type === NOTIFICATION_CONTENT_TYPE) {
    return orFinding("dm-notification", "OMA-TS-DM_Notification 1.2.1 §6.2", () => ({
      ...NOTHING,
      layers: [notificationLayer(body)],
    }));
  }
  if (type === DM_XML_CONTENT_TYPE) return exploredXml(body);
  const kind = KINDS.find((one) => one.contentTypes.includes(type));
  const { SEC, MAC } = params;
  const sec = (typeof SEC === "number" ? SECS[SEC] : options.sec) ?? null;
  const mac = (typeof MAC === "string" ? MAC : options.mac) ?? null;
  const signature = signed(body, { sec, mac }, options.secret ?? {});
  const content = kind ? exploredDocument(body, kind) : { ...NOTHING, findings: [unknownType(contentType)] };
  return joined(
    content,
    kind === PROVISIONING ? signature : { ...signature, findings: sec === null ? [] : signature.findings },
  );
}

const unknownType = (contentType: string): Finding => ({
  code: "content_unknown",
  layer: "wsp",
  offset: null,
  fact: `nothing here reads ${contentType}`,
  clause: null,
});

function signed(
  body: Uint8Array,
  { sec, mac }: { readonly sec: Sec | null; readonly mac: string | null },
  secret: MacSecret,
): Explored {
  const clause = "OMA-WAP-ProvBoot 1.1 §5";
  if (sec === null) {
    const fact = "no SEC and no MAC: phones since 2019 refuse it, or ask their user whom they trust";
    return { ...NOTHING, findings: [{ code: "unsigned", layer: "wsp", offset: null, fact, clause }] };
  }
  const isKnown =
    (secret.imsi !== undefined || sec === "userpin" || sec === "userpinmac") &&
    (secret.pin !== undefined || sec === "netwpin");
  const isRight = isKnown ? verifyMac(sec, mac, secret, body) : null;
  const wrong: Finding = {
    code: "bad_mac",
    layer: "wsp",
    offset: null,
    fact: `the MAC is not that of this document by ${sec.toUpperCase()} and the secret that was given`,
    clause,
  };
  const lower: Finding = {
    code: "mac_lower_case",
    layer: "wsp",
    offset: null,
    fact: "the MAC has lower-case digits: Spreadtrum's Android compares it as text",
    clause,
  };
  const findings = [
    ...(isRight === false ? [wrong] : []),
    ...(mac !== null && /[a-f]/.test(mac) ? [lower] : []),
  ];
  return { ...NOTHING, signature: { sec, mac, isRight }, findings };
}

type Kind = DocumentKind & {
  readonly contentTypes: readonly string[];
  readonly xmlOf: (bytes: Uint8Array) => string;
};
const PROVISIONING: Kind = {
  layer: "oma-cp",
  codeSpace: PROV_CONT,
  title: "OMA Client Provisioning document",
  clause: "OMA-WAP-ProvCont 1.1 §4",
  contentTypes: ["application/vnd.wap.connectivity-wbxml"],
  xmlOf,
};
const KINDS: readonly Kind[] = [
  PROVISIONING,
  {
    layer: "si",
    codeSpace: SI,
    title: "Service Indication",
    clause: "WAP-167-ServiceInd §6",
    contentTypes: [SI_CONTENT_TYPE],
    xmlOf: xmlOfSi,
  },
  {
    layer: "sl",
    codeSpace: SL,
    title: "Service Loading",
    clause: "WAP-168-ServiceLoad §6",
    contentTypes: [SL_CONTENT_TYPE],
    xmlOf: xmlOfSl,
  },
  {
    layer: "oma-dm",
    codeSpace: SYNCML_DM,
    title: "OMA DM message",
    clause: "OMA-TS-DM_RepPro 1.2.1 §6",
    contentTypes: [DM_WBXML_CONTENT_TYPE, "application/vnd.syncml+wbxml"],
    xmlOf: xmlOfDm,
  },
  {
    layer: "nokia-ota",
    codeSpace: NOKIA_OTA,
    title: "Nokia and Ericsson settings",
    clause: "Over The Air Settings 7.0 §5",
    contentTypes: [NOKIA_SETTINGS, NOKIA_BOOKMARKS],
    xmlOf: xmlOfNokiaOta,
  },
];

function exploredDocument(body: Uint8Array, kind: Kind): Explored {
  return orFinding(kind.layer, kind.clause, () => ({
    ...NOTHING,
    layers: documentLayers(body, kind),
    xml: kind.xmlOf(body),
    findings: kind === PROVISIONING ? trapsOf(decodeProvisioning(body)) : [],
  }));
}

const trapsOf = (document: ProvisioningDocument): Finding[] =>
  handsetTraps(document).map(({ code, at, fact, clause }) => ({
    code,
    layer: "oma-cp",
    offset: null,
    fact: `${at}: ${fact}`,
    clause,
  }));

/**
 * A bare document tells its type by its public identifier; without one it is what can be read. What is broken is a finding.
 */
export function exploredWbxml(bytes: Uint8Array, options: ExploreOptions): Explored {
  return orFinding("wbxml", "WAP-192-WBXML §5.4", () => {
    const { publicId, publicIdText } = decodeWbxmlHead(bytes);
    const named = KINDS.find(({ codeSpace }) =>
      publicIdText === null ? codeSpace.publicId === publicId : codeSpace.publicIdText === publicIdText,
    );
    const tried = (named ? [named] : KINDS).map((kind) => ({ kind, read: exploredDocument(bytes, kind) }));
    const best =
      tried.find(({ read }) => read.findings.every(({ code }) => code !== "malformed")) ?? tried[0];
    if (!best) return NOTHING;
    const signature = options.sec
      ? signed(bytes, { sec: options.sec, mac: options.mac ?? null }, options.secret ?? {})
      : NOTHING;
    return joined(best.read, signature);
  });
}

/** A policy of a managed Android device. */
export const exploredJson = (bytes: Uint8Array): Explored =>
  orFinding("android-management", null, () => exploredApnPolicy(bytes));

/** A configuration profile that is signed. */
export const exploredSigned = (bytes: Uint8Array): Explored =>
  orFinding("cms", "RFC 5652 §5", () => exploredSignedProfile(bytes));

/** Settings, a message of OMA DM, a configuration profile; what else is XML is told by its root. */
export function exploredXml(bytes: Uint8Array): Explored {
  return orFinding("xml", "XML 1.0", () => {
    const { root } = readXml(bytes, { doctype: true });
    const name = root.name.replace(/^.*:/, "");
    const xml = Buffer.from(bytes).toString("utf8");
    if (name === "wap-provisioningdoc") {
      return orFinding("oma-cp", PROVISIONING.clause, () => ({
        ...NOTHING,
        xml,
        findings: trapsOf(documentOfXml(bytes)),
      }));
    }
    if (name === "apns") return orFinding("apns-conf", null, () => exploredApnsConf(bytes));
    if (name === "plist") return orFinding("apple-profile", null, () => exploredProfile(bytes));
    if (name === "SyncML") {
      return orFinding("oma-dm", "OMA-TS-DM_RepPro 1.2.1 §6", () => {
        decodeDmXml(bytes);
        return { ...NOTHING, xml };
      });
    }
    const fact = `nothing here reads a document whose root is ${name.slice(0, 40)}`;
    return {
      ...NOTHING,
      xml,
      findings: [{ code: "content_unknown", layer: "xml", offset: null, fact, clause: null }],
    };
  });
}
