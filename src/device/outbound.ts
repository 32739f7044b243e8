/**
 * What the client module sends, and how its requests to the proxy look. The device's own words in them come from its store,
 * never from a form (`wire/message/legs.ts`, AIR_HEADERS).
 */
import { DecodeError } from "../wire/decode-error.ts";
import { CONTENT_TYPE_OF_CONTENT, MAX_CONTENT_OCTETS } from "../wire/message/content.ts";
import { AIR_HEADERS, UNAVAILABLE_SCREEN_ID } from "../wire/message/legs.ts";
import { decodeScreenJson, SCREEN_JSON_TYPE, SCREEN_OCTETS_MAX } from "../wire/screen/json.ts";
import { type Screen, ScreenError } from "../wire/screen/screen.ts";
import { capabilityOf, type DeviceClass } from "./device-class.ts";
import type { Identity } from "./identity.ts";

/** One item of a request. */
export type ItemAddress = { readonly server: string; readonly reference: string; readonly itemId: string };

export type Outbound =
  /** Of the application: its answer is shown. */
  | {
      readonly kind: "screen";
      readonly method: "GET" | "POST";
      readonly path: string;
      readonly fields: Readonly<Record<string, string>> | null;
      readonly idempotencyKey: string | null;
    }
  /** `isKnocked`: nobody vouches for whoever named it. */
  | {
      readonly kind: "content";
      readonly path: string;
      readonly item: ItemAddress;
      readonly isKnocked?: boolean;
    }
  /** How an installation ended. `narrowband`: where to say it by SMS when the proxy cannot be reached. */
  | {
      readonly kind: "report";
      readonly path: string;
      readonly item: ItemAddress;
      readonly cause: string | null;
      /** What the device has now, `Name version` each. */
      readonly modules?: readonly string[];
      readonly idempotencyKey: string;
    }
  /** `bytes` in hex. `item`: of a report, which can go through the proxy when no SMS goes. */
  | {
      readonly kind: "sms";
      readonly to: string;
      readonly bytes: string;
      readonly report: { readonly item: ItemAddress; readonly cause: string | null } | null;
    };

export type WidebandRequest = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};
export type WidebandAnswer =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly contentType: string;
      readonly body: Uint8Array;
    }
  /** No answer came, or none that is one. */
  | { readonly kind: "lost"; readonly cause: string };

const FORM = "application/x-www-form-urlencoded";

/** Undefined for what goes by SMS. */
export function requestOf(
  message: Outbound,
  identity: Identity,
  deviceClass: DeviceClass,
  language: string,
): WidebandRequest | undefined {
  const headers = headersOf(identity, deviceClass, language);
  switch (message.kind) {
    case "sms":
      return undefined;
    case "content":
      return { method: "GET", path: message.path, headers: headers(null), body: null };
    case "screen": {
      const { method, path, fields, idempotencyKey } = message;
      const body = fields && new URLSearchParams(fields).toString();
      return { method, path, headers: headers(idempotencyKey), body };
    }
    case "report": {
      const { path, cause, modules = [], idempotencyKey } = message;
      const outcome = cause === null ? { outcome: "installed" } : { outcome: "failed", cause };
      const fields = modules.length > 0 ? { ...outcome, modules: modules.join(",") } : outcome;
      const body = new URLSearchParams(fields).toString();
      return { method: "POST", path, headers: headers(idempotencyKey), body };
    }
  }
}

/** The key of notices goes with what changes something, and never in clear: a WAP gateway's way has no secrets. */
const headersOf =
  ({ imei, proxy, noticeKey }: Identity, deviceClass: DeviceClass, language: string) =>
  (idempotencyKey: string | null): Record<string, string> => {
    const isSecure = proxy.startsWith("https:");
    const key = Buffer.from(noticeKey).toString("base64");
    return {
      accept: `${SCREEN_JSON_TYPE}, ${CONTENT_TYPE_OF_CONTENT}`,
      "accept-language": language,
      [AIR_HEADERS.capability]: capabilityOf(deviceClass),
      [AIR_HEADERS.deviceId]: imei,
      ...(idempotencyKey === null
        ? {}
        : { "content-type": FORM, [AIR_HEADERS.idempotencyKey]: idempotencyKey }),
      ...(idempotencyKey !== null && isSecure ? { [AIR_HEADERS.noticeKey]: key } : {}),
    };
  };

/** The most that is worth reading of an answer. */
export const MAX_ANSWER_OCTETS = Math.max(SCREEN_OCTETS_MAX, MAX_CONTENT_OCTETS);

type ReadAnswer =
  | { readonly kind: "screen"; readonly status: number; readonly screen: Screen }
  | { readonly kind: "content"; readonly bytes: Uint8Array }
  | { readonly kind: "nothing"; readonly status: number }
  | { readonly kind: "unreadable" };

export function readAnswer({
  status,
  contentType,
  body,
}: Extract<WidebandAnswer, { kind: "answer" }>): ReadAnswer {
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type.trim() === CONTENT_TYPE_OF_CONTENT && status < 300) return { kind: "content", bytes: body };
  if (body.length === 0 && status < 300) return { kind: "nothing", status };
  if (type.trim() !== SCREEN_JSON_TYPE) return { kind: "unreadable" };
  try {
    return { kind: "screen", status, screen: decodeScreenJson(body) };
  } catch (error) {
    if (error instanceof DecodeError || error instanceof ScreenError) return { kind: "unreadable" };
    throw error;
  }
}

const UNAVAILABLE = 503;

/** The proxy's own word that the server is not there now: whether it had the message, nobody knows. */
export const isAway = (read: ReadAnswer): boolean =>
  read.kind === "screen" && read.status === UNAVAILABLE && read.screen.id === UNAVAILABLE_SCREEN_ID;
