/**
 * Who the device is and where it turns to first: the store that the maker and the SIM fill (US 6,647,260 Fig. 3, 316, and
 * column 5). The client adds it to what it sends; a user can neither type nor change it, so no form may ask for it.
 *
 *   unready (an address is missing or wrong) -> nothing of the user is asked or sent; the reason is shown
 *   ready -> factory credential -> enrolled credential (the device's own key and certificate)
 */

import { TurnupError } from "../term/error.ts";
import { parseImei } from "../term/imei.ts";
import { integer, object, octets, oneOf, type Read, ShapeError, text } from "../wire/message/shape.ts";
import type { Screen } from "../wire/screen/screen.ts";

/** Where a private key and its certificate lie; the key itself is not in this store. */
export type CredentialReference = { readonly kind: "factory" | "enrolled"; readonly reference: string };

export type StoredIdentity = {
  /** 15 digits. */
  readonly imei: string;
  /** Of the SIM: 6 to 15 digits. */
  readonly imsi: string;
  readonly credential: CredentialReference | null;
  /** `https://host:port`, of the provisioning server that the device was sold with. */
  readonly provisioningUri: string | null;
  /** `https://host:port`, or `http://` of an operator's WAP gateway. */
  readonly proxyUri: string | null;
  /** 32 octets that secure notices by SMS; drawn by the device itself. */
  readonly noticeKey: Uint8Array;
};

export type Identity = {
  readonly imei: string;
  readonly imsi: string;
  /** `host:port`. */
  readonly server: string;
  /** Origin. */
  readonly proxy: string;
  readonly noticeKey: Uint8Array;
};
export type IdentityFault =
  | "imei_wrong"
  | "imsi_wrong"
  | "provisioning_uri_missing"
  | "provisioning_uri_wrong"
  | "proxy_uri_missing"
  | "proxy_uri_wrong";
type IdentityVerdict =
  | { readonly kind: "ready"; readonly identity: Identity }
  | { readonly kind: "unready"; readonly fault: IdentityFault };

const MAX_URI = 256;
const MAX_REFERENCE = 200;
const NOTICE_KEY_OCTETS = 32;
const DEFAULT_PORT = { "https:": 443, "http:": 80 } as const;

/** Judges the whole store before anything is sent (R2 of the requirements). */
export function judgeIdentity(stored: StoredIdentity): IdentityVerdict {
  const unready = (fault: IdentityFault): IdentityVerdict => ({ kind: "unready", fault });
  const { imei, imsi, provisioningUri, proxyUri, noticeKey } = stored;
  if (!isImei(imei)) return unready("imei_wrong");
  if (!/^\d{6,15}$/.test(imsi)) return unready("imsi_wrong");
  if (provisioningUri === null) return unready("provisioning_uri_missing");
  const server = addressOf(provisioningUri, ["https:"]);
  if (!server) return unready("provisioning_uri_wrong");
  if (proxyUri === null) return unready("proxy_uri_missing");
  const proxy = addressOf(proxyUri, ["https:", "http:"]);
  if (!proxy) return unready("proxy_uri_wrong");
  return { kind: "ready", identity: { imei, imsi, server: server.host, proxy: proxy.origin, noticeKey } };
}

function isImei(digits: string): boolean {
  try {
    return parseImei(digits) === digits;
  } catch (error) {
    if (error instanceof TurnupError) return false;
    throw error;
  }
}

/** An address without user information, path, query or fragment; `host` always tells the port. */
function addressOf(
  uri: string,
  protocols: readonly (keyof typeof DEFAULT_PORT)[],
): { readonly host: string; readonly origin: string } | undefined {
  const url = uri.length <= MAX_URI && URL.canParse(uri) ? new URL(uri) : undefined;
  const protocol = protocols.find((one) => one === url?.protocol);
  if (!url || !protocol || url.username || url.password || url.search || url.hash || url.hostname === "")
    return undefined;
  if (url.pathname !== "/" && url.pathname !== "/d/start") return undefined;
  return { host: `${url.hostname}:${url.port || DEFAULT_PORT[protocol]}`, origin: url.origin };
}

/** The store after a certificate of the device's own came. */
export const withEnrolled = (stored: StoredIdentity, reference: string): StoredIdentity => ({
  ...stored,
  credential: { kind: "enrolled", reference },
});

/** The names under which a form could ask for what the device says itself. */
const IDENTITY_FIELD = /^(imei(sv)?|imsi|iccid|device_?id|notice_?key)$/i;

/** The same screen without fields for the device's identity: nobody types it (R9). */
export function withoutIdentityFields(screen: Screen): Screen {
  const { form } = screen;
  if (!form?.fields.some(({ name }) => IDENTITY_FIELD.test(name))) return screen;
  const fields = form.fields.filter(({ name }) => !IDENTITY_FIELD.test(name));
  return { ...screen, form: { ...form, fields } };
}

// ---- at rest

const orNull =
  <Value>(read: Read<Value>): Read<Value | null> =>
  (value, path) =>
    value === null ? null : read(value, path);

const storedShape = object({
  version: integer({ min: 1, max: 1 }),
  imei: text({ min: 0, max: 20 }),
  imsi: text({ min: 0, max: 20 }),
  credential: orNull(
    object({ kind: oneOf(["factory", "enrolled"]), reference: text({ max: MAX_REFERENCE }) }),
  ),
  provisioningUri: orNull(text({ min: 0, max: 1_000 })),
  proxyUri: orNull(text({ min: 0, max: 1_000 })),
  noticeKey: octets({ min: NOTICE_KEY_OCTETS, max: NOTICE_KEY_OCTETS }),
});

export function encodeIdentity(stored: StoredIdentity): Uint8Array {
  const noticeKey = Buffer.from(stored.noticeKey).toString("base64");
  return new TextEncoder().encode(JSON.stringify({ version: 1, ...stored, noticeKey }));
}

/** Undefined where the store holds no identity that can be read. */
export function decodeIdentity(bytes: Uint8Array): StoredIdentity | undefined {
  try {
    const { version: _, ...stored } = storedShape(JSON.parse(new TextDecoder().decode(bytes)), "");
    return stored;
  } catch (error) {
    if (error instanceof ShapeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
