/**
 * What a gateway answers when a server ends or changes a session by itself. Source: RFC 5176 section 2.3 (codes), 3.5 (Error-Cause), 3.6
 * (which attributes may stand in which packet).
 */
import type { RADIUS, RadiusPacket, RadiusValue } from "./packet.ts";

const ERROR_CAUSE = 101;
const EVENT_TIMESTAMP = 55;

/** RFC 5176 section 3.5, by the names given there. */
const ERROR_CAUSES: Readonly<Record<number, string>> = {
  201: "Residual Session Context Removed",
  202: "Invalid EAP Packet",
  401: "Unsupported Attribute",
  402: "Missing Attribute",
  403: "NAS Identification Mismatch",
  404: "Invalid Request",
  405: "Unsupported Service",
  406: "Unsupported Extension",
  407: "Invalid Attribute Value",
  501: "Administratively Prohibited",
  502: "Request Not Routable",
  503: "Session Context Not Found",
  504: "Session Context Not Removable",
  505: "Other Proxy Processing Error",
  506: "Resources Unavailable",
  507: "Request Initiated",
  508: "Multiple Session Selection Unsupported",
};

/** A refusal's cause; the name is undefined where the number is of none that is known. */
export type ErrorCause = { readonly code: number; readonly name: string | undefined };

/** `cause`: undefined where the answer has none, which is legal. */
export type DynamicAnswer = {
  readonly isAck: boolean;
  readonly cause: ErrorCause | undefined;
};

type DynamicCode = typeof RADIUS.disconnectRequest | typeof RADIUS.coaRequest;

/** Undefined: it answers no request of this code. */
export function readDynamicAnswer(
  { code, attributes }: Pick<RadiusPacket, "code" | "attributes">,
  asked: DynamicCode,
): DynamicAnswer | undefined {
  if (code !== asked + 1 && code !== asked + 2) return undefined;
  const value = attributes.find(({ type, value }) => type === ERROR_CAUSE && value.length === 4)?.value;
  const number = value && new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
  return {
    isAck: code === asked + 1,
    cause: number === undefined ? undefined : { code: number, name: ERROR_CAUSES[number] },
  };
}

/** When it was asked: a gateway drops what is older than five minutes, and keeps it for one that comes again (section 3.3). */
export function eventTimestamp(seconds: number): RadiusValue {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, seconds);
  return [EVENT_TIMESTAMP, value];
}
