/**
 * The fields of an access point as the public sets and import files write them, read into ours. All three
 * forms (our csv, Android's apns-conf, GNOME's serviceproviders) share them.
 */
import {
  type AccessPoint,
  type AuthType,
  type PdnProtocol,
  USES,
  type Use,
} from "../../kernel/settings/access-point.ts";
import { TurnupError } from "../../term/error.ts";

/** Host and port apart. An IPv4 address keeps its leading zeros: the text is what the source says. */
type HostPort = { readonly host: string | null; readonly port: number | null };

const PORT_MAX = 65_535;

/** `192.168.21.50:8080,`, `proxy.example`, `[2001:db8::1]:80`, `2001:db8::1`. */
export function parseHostPort(text: string): HostPort {
  const trimmed = text
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/[,;/\s]+$/, "");
  if (trimmed === "") return { host: null, port: null };
  const parted = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(trimmed);
  if (!parted) return { host: trimmed, port: null }; // a bare IPv6 address
  return { host: parted[1] ?? parted[2] ?? null, port: parsePort(parted[3] ?? "") };
}

/** Null where there is none: empty, not a number, or not a port. */
export function parsePort(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d{1,5}$/.test(trimmed)) return null;
  const port = Number(trimmed);
  return port >= 1 && port <= PORT_MAX ? port : null;
}

export const textOrNull = (text: string | undefined): string | null => {
  const trimmed = (text ?? "").trim();
  return trimmed === "" ? null : trimmed;
};

/** `none` as a user name or password is Android's word for having none. */
export const credentialOrNull = (text: string | undefined): string | null => {
  const value = textOrNull(text);
  return value?.toLowerCase() === "none" ? null : value;
};

/** Android's numbers (0-3) and our words. */
const AUTH_TYPES: Readonly<Record<string, AuthType>> = {
  "0": "none",
  "1": "pap",
  "2": "chap",
  "3": "pap_or_chap",
  none: "none",
  pap: "pap",
  chap: "chap",
  pap_or_chap: "pap_or_chap",
};

/** Null where nothing is said, undefined where what is said means nothing. */
export function parseAuthType(text: string | undefined): AuthType | null | undefined {
  const value = (text ?? "").trim().toLowerCase();
  if (value === "" || value === "-1") return null;
  return Object.hasOwn(AUTH_TYPES, value) ? AUTH_TYPES[value] : undefined;
}

const PROTOCOLS: Readonly<Record<string, PdnProtocol>> = {
  ip: "ipv4",
  ipv4: "ipv4",
  ipv6: "ipv6",
  ipv4v6: "ipv4v6",
};

export function parseProtocol(text: string | undefined): PdnProtocol | null | undefined {
  const value = (text ?? "").trim().toLowerCase();
  if (value === "") return null;
  return Object.hasOwn(PROTOCOLS, value) ? PROTOCOLS[value] : undefined;
}

/** What a row without a type serves, and `*`: everything that has no network of its own (Android ApnSetting). */
const EVERY_USE: readonly Use[] = ["internet", "mms", "supl", "dun", "hipri", "fota", "cbs"];

/** Android's types, parted by `|` or `,`; unknown words are left out. GNOME's usages are read the same way. */
export function parseUses(text: string | undefined): readonly Use[] {
  const words = (text ?? "")
    .toLowerCase()
    .split(/[|,\s]+/)
    .filter((word) => word !== "");
  if (words.length === 0) return ["internet", "mms"];
  if (words.includes("*")) return EVERY_USE;
  const named = words.map((word) => (word === "default" ? "internet" : word));
  return USES.filter((use) => named.includes(use));
}

/** Android has no type for WAP: a row that calls itself so and goes through a gateway serves it too. */
export function withWap(uses: readonly Use[], said: string, gateway: string | null): readonly Use[] {
  const isWap = gateway !== null && uses.includes("internet") && !uses.includes("wap") && /\bwap/i.test(said);
  return isWap ? [...uses, "wap"] : uses;
}

/** Android's list of radio technologies: 18 alone is Wi-Fi calling. */
export const isWifiOnly = (bearers: string | undefined): boolean => (bearers ?? "").trim() === "18";

/** Android's booleans; what is not said is true. */
export const saysFalse = (text: string | undefined): boolean => /^(?:false|0)$/i.test((text ?? "").trim());

/** Android's `user_visible` and `carrier_enabled`: whether somebody may choose the row at all. */
export const isOffered = (visible: string | undefined, enabled: string | undefined): boolean =>
  !saysFalse(visible) && !saysFalse(enabled);

/** Android's `server`, in which `*` stands for none. */
export const homepageOf = (server: string | undefined): string | null =>
  server === "*" ? null : textOrNull(server);

/** GNOME's plans of an access point: one for both is for contracts as well. */
export const planOf = (plans: readonly string[]): AccessPoint["plan"] =>
  plans.includes("postpaid") ? "postpaid" : plans.includes("prepaid") ? "prepaid" : null;

/** An access point of which only these are known; the rest is absent. */
export function accessPointOf(
  given: Pick<
    AccessPoint,
    "id" | "ownership" | "name" | "uses" | "apn" | "confirmed" | "source" | "criteria"
  > &
    Partial<AccessPoint>,
): AccessPoint {
  return {
    provider: null,
    protocol: null,
    authType: null,
    user: null,
    password: null,
    mmsc: null,
    mmsProxy: null,
    mmsPort: null,
    proxy: null,
    port: null,
    homepage: null,
    plan: null,
    shown: true,
    wifiOnly: false,
    ...given,
  };
}

/** The one shape the three forms are brought to; every value is text as it stood. */
export type Row = Readonly<Partial<Record<RowField, string>>>;
export type RowField =
  | "mcc"
  | "mnc"
  | "gid1"
  | "spn"
  | "imsi_prefix"
  | "iccid_prefix"
  | "carrier_id"
  | "whole_network"
  | "name"
  | "provider"
  | "use"
  | "apn"
  | "protocol"
  | "auth_type"
  | "user"
  | "password"
  | "mmsc"
  | "mms_proxy"
  | "mms_port"
  | "proxy"
  | "port"
  | "homepage"
  | "plan"
  | "hidden"
  | "bearers";
/** A row with where it stands, or why it is none. */
export type PlacedRow = { readonly where: string; readonly row: Row | string };

/** What a file that is refused whole is refused with. */
export const malformedImport = (message: string, cause?: unknown) =>
  new TurnupError("access_point_import_malformed", message, {
    cause,
    nextStep: "See data/apn-README.md for the three forms.",
  });
