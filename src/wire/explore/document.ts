/** Elements of a WBXML document, and fields of a DM notification, with where they stand. Source: WAP-192-WBXML and each type's own. */

import { hexOf } from "../hex.ts";
import { decodeNotification, sessionIdText } from "../omadm/notification.ts";
import type { CodeSpace } from "../wbxml/code-space.ts";
import { decodeWbxml, decodeWbxmlHead } from "../wbxml/decode.ts";
import { attributeOf, childrenOf, textOf, type WbxmlElement } from "../wbxml/element.ts";
import { type ExploredField, type ExploredLayer, fieldsOf } from "./field.ts";
import { PARMS } from "./meanings.ts";

/** A type of document: its tokens, its name, and where it is defined. */
export type DocumentKind = {
  readonly layer: string;
  readonly codeSpace: CodeSpace;
  readonly title: string;
  readonly clause: string;
};

/** @throws DecodeError as `decodeWbxml` */
export function documentLayers(
  bytes: Uint8Array,
  { layer, codeSpace, title, clause }: DocumentKind,
): ExploredLayer[] {
  const root = decodeWbxml(bytes, codeSpace);
  const elements = flat(root, "");
  const fields = elements.map(({ element, path }, index) => {
    const at = element.at ?? 0;
    const end = elements[index + 1]?.element.at ?? bytes.length;
    return elementField(bytes, { element, path, range: [at, Math.max(at, end)], clause });
  });
  return [
    headLayer(bytes),
    { layer, title, at: decodeWbxmlHead(bytes).bodyOffset, length: bytes.length, fields },
  ];
}

function headLayer(bytes: Uint8Array): ExploredLayer {
  const head = decodeWbxmlHead(bytes);
  const field = fieldsOf(bytes);
  const clause = "WAP-192-WBXML §5.4";
  const { start, end } = head.stringTable;
  const charset =
    head.charset === 106
      ? "UTF-8"
      : head.charset === 4
        ? "ISO-8859-1"
        : head.charset === 3
          ? "US-ASCII"
          : "unknown";
  return {
    layer: "wbxml",
    title: "head of the document",
    at: 0,
    length: head.bodyOffset,
    fields: [
      field("version", [0, 1], { value: `1.${head.version}`, clause }),
      field("public identifier and charset", [1, start - lengthOctets(end - start)], {
        value: head.publicIdText ?? `0x${head.publicId.toString(16)}`,
        meaning: `charset ${head.charset}, ${charset}`,
        clause: "WAP-192-WBXML §7.2",
      }),
      field("string table", [start - lengthOctets(end - start), end], {
        value: `${end - start} octets`,
        clause: "WAP-192-WBXML §5.7",
      }),
    ],
  };
}

const lengthOctets = (length: number): number => (length < 128 ? 1 : length < 16_384 ? 2 : 3);

type Placed = { readonly element: WbxmlElement; readonly path: string };

/** In document order; a document inside has offsets of its own, and stands as one. */
function flat(element: WbxmlElement, parent: string): Placed[] {
  const type = attributeOf(element, "type");
  const path =
    element.name === "parm" ? parent : `${parent}${parent === "" ? "" : "/"}${type ?? element.name}`;
  const inside = element.name === "Data" && childrenOf(element).length > 0 ? [] : childrenOf(element);
  return [{ element, path }, ...inside.flatMap((child) => flat(child, path))];
}

function elementField(
  bytes: Uint8Array,
  {
    element,
    path,
    range,
    clause,
  }: Placed & { readonly range: readonly [number, number]; readonly clause: string },
): ExploredField {
  const field = fieldsOf(bytes);
  if (element.name === "parm") {
    const name = attributeOf(element, "name") ?? "";
    const known = PARMS[name];
    return field(`${path}/${name}`, range, {
      value: attributeOf(element, "value") ?? "",
      meaning: known?.meaning ?? null,
      clause: known?.clause ?? clause,
    });
  }
  const attributes = element.attributes.map(({ name, value }) => `${name}="${value}"`).join(" ");
  return field(path, range, {
    value: [attributes, textOf(element)].filter((part) => part !== "").join(" "),
    clause,
  });
}

/** @throws DecodeError as `decodeNotification` */
export function notificationLayer(bytes: Uint8Array): ExploredLayer {
  const { version, uiMode, initiator, sessionId, serverId, vendor } = decodeNotification(bytes);
  const field = fieldsOf(bytes);
  const clause = "OMA-TS-DM_Notification 1.2.1 §6.2";
  const end = bytes.length - vendor.length;
  return {
    layer: "dm-notification",
    title: "OMA DM notification, package 0",
    at: null,
    length: bytes.length,
    fields: [
      field("digest", [0, 16], {
        value: hexOf(bytes.subarray(0, 16)),
        meaning: "MD5 by the server's password and nonce",
        clause: "OMA-TS-DM_Security 1.2.1 §5.3",
      }),
      field("version", [16, 18], {
        value: version,
        meaning: version === 11 ? "1.1, that of DM 1.2" : "another version than 1.1",
        clause,
      }),
      field("ui-mode", [17, 18], {
        value: uiMode,
        meaning: "what the user is asked before the session",
        clause,
      }),
      field("initiator", [17, 18], { value: initiator, clause }),
      field("session id", [21, 23], {
        value: sessionIdText(sessionId),
        meaning: "SessionID of the messages",
        clause,
      }),
      field("server id length", [23, 24], { value: bytes[23] ?? 0, clause }),
      field("server id", [24, end], {
        value: serverId,
        meaning: "the account's ServerID or PROVIDER-ID",
        clause,
      }),
      ...(vendor.length > 0
        ? [field("vendor-specific", [end, bytes.length], { value: hexOf(vendor), clause })]
        : []),
    ],
  };
}
