/** Fields of a user data header (3GPP TS 23.040) and of a WSP push (WAP-230-WSP) with where they stand. */
import { hexOf } from "../hex.ts";
import { SECS } from "../omacp/mac.ts";
import { decodeUdh } from "../sms/udh.ts";
import { decodeUintvar } from "../uintvar.ts";
import { decodeContentType, type Parameters } from "../wsp/content-type.ts";
import { placedHeaders } from "../wsp/header.ts";
import { type ExploredField, type ExploredLayer, fieldsOf } from "./field.ts";

const PORTS: Readonly<Record<number, string>> = {
  2948: "WAP push",
  2949: "secure WAP push",
  9200: "WAP connectionless",
  9201: "WAP connection-oriented",
  49996: "Nokia SyncML settings",
  49999: "Nokia and Ericsson settings and bookmarks",
};

/** @param udh as `splitHeader` gives it, its length octet first */
export function udhLayer(udh: Uint8Array, part: number): ExploredLayer {
  const field = fieldsOf(udh);
  const clause = "3GPP TS 23.040 §9.2.3.24";
  const fields: ExploredField[] = [
    field("UDHL", [0, 1], { value: udh[0] ?? 0, meaning: "octets that follow", clause }),
  ];
  for (let at = 1; at + 1 < udh.length; ) {
    const end = Math.min(udh.length, at + 2 + (udh[at + 1] ?? 0));
    fields.push(field(...elementOf(udh, at, end)));
    at = end;
  }
  return { layer: "udh", title: `user data header of part ${part}`, at: 0, length: udh.length, fields };
}

function elementOf(udh: Uint8Array, at: number, end: number): FieldTold {
  const { destPort, srcPort, concat } = decodeUdh(Uint8Array.of(end - at, ...udh.subarray(at, end)));
  if (destPort !== undefined && srcPort !== undefined) {
    const clause = udh[at] === 5 ? "3GPP TS 23.040 §9.2.3.24.4" : "3GPP TS 23.040 §9.2.3.24.3";
    return [
      "application ports",
      [at, end],
      { value: `to ${destPort}, from ${srcPort}`, meaning: PORTS[destPort], clause },
    ];
  }
  if (concat) {
    const clause = concat.refBits === 8 ? "3GPP TS 23.040 §9.2.3.24.1" : "3GPP TS 23.040 §9.2.3.24.8";
    const value = `part ${concat.seq} of ${concat.total}, reference ${concat.ref}`;
    return ["concatenation", [at, end], { value, meaning: `reference of ${concat.refBits} bits`, clause }];
  }
  const id = (udh[at] ?? 0).toString(16).padStart(2, "0");
  return [
    `element ${id}`,
    [at, end],
    { value: hexOf(udh.subarray(at + 2, end)), clause: "3GPP TS 23.040 §9.2.3.24" },
  ];
}

type FieldTold = globalThis.Parameters<ReturnType<typeof fieldsOf>>;

/** @param bytes a push that `decodePush` has read */
export function wspLayer(bytes: Uint8Array): ExploredLayer {
  const field = fieldsOf(bytes);
  const { value: headersLength, next } = decodeUintvar(bytes, 2);
  const end = next + headersLength;
  const type = decodeContentType(bytes, next, end);
  const { contentType, contentTypeCode, params } = type.value;
  return {
    layer: "wsp",
    title: `push of ${contentType}`,
    at: null,
    length: end,
    fields: [
      field("transaction id", [0, 1], { value: bytes[0] ?? 0, clause: "WAP-230-WSP §8.2.1" }),
      field("PDU type", [1, 2], { value: "06", meaning: "Push", clause: "WAP-230-WSP §8.2.4.1" }),
      field("headers length", [2, next], {
        value: headersLength,
        meaning: "content type and headers",
        clause: "WAP-230-WSP §8.2.4.1",
      }),
      field("content type", [next, type.next], {
        value: [
          contentType,
          ...Object.entries(params).map(([name, value]) => parameterText(name, value)),
        ].join("; "),
        meaning:
          contentTypeCode === null ? "spelt out" : `code 0x${contentTypeCode.toString(16).padStart(2, "0")}`,
        clause: "WAP-230-WSP §8.4.2.24",
      }),
      ...placedHeaders(bytes, type.next, end).map(({ name, value, at, end: after }) =>
        field(name, [at, after], {
          value: typeof value === "object" ? hexOf(value) : value,
          meaning: name === "X-Wap-Application-Id" ? APPLICATIONS[String(value)] : null,
          clause: "WAP-230-WSP §8.4.2",
        }),
      ),
    ],
  };
}

const APPLICATIONS: Readonly<Record<string, string>> = {
  2: "WML browser",
  4: "MMS",
  5: "SyncML",
  7: "OMA DM",
  8: "DRM",
  9: "e-mail",
};

function parameterText(name: string, value: Parameters[string] | undefined): string {
  const sec = name === "SEC" && typeof value === "number" ? SECS[value] : undefined;
  return `${name}=${sec ? `${value} (${sec.toUpperCase()})` : value}`;
}
