/** A Wi-Fi network of the operator's: a setting beside its access points, where the format to the model has one (R126). */
import { isModelListed } from "../devices/names.ts";

export const WIRELESS_SECURITY = ["open", "wep", "wpa_psk"] as const;
type WirelessSecurity = (typeof WIRELESS_SECURITY)[number];

export type WirelessNetwork = {
  readonly id: string;
  /** What the phone shows. */
  readonly name: string;
  /** 1 to 32 octets (IEEE 802.11 clause 9.4.2.2). */
  readonly ssid: string;
  /** `wpa_psk`: WPA and WPA2 with a passphrase. */
  readonly security: WirelessSecurity;
  /** Null where it is open. */
  readonly key: string | null;
  /** It does not tell its name by itself. */
  readonly hidden: boolean;
  /** `make/model` or `make/model*`; empty: every model that takes one. */
  readonly models: readonly string[];
};

/** Those for the model; a handset that nobody named gets what is for every model. */
export const wirelessFor = (
  networks: readonly WirelessNetwork[],
  { make, model }: { readonly make: string | null; readonly model: string | null },
): readonly WirelessNetwork[] =>
  networks.filter(
    ({ models }) =>
      models.length === 0 ||
      (make !== null && models.some((pattern) => isModelListed(pattern, make, model ?? ""))),
  );

const SSID_OCTETS_MAX = 32;
/** Passphrase of 8 to 63 printable ASCII characters (IEEE 802.11 annex J.4); WEP of 5 or 13 characters, or twice as many hex digits. */
const KEYS: Readonly<Record<WirelessSecurity, RegExp>> = {
  open: /^$/,
  wep: /^(?:[\x20-\x7e]{5}|[\x20-\x7e]{13}|[0-9A-Fa-f]{10}|[0-9A-Fa-f]{26})$/,
  wpa_psk: /^[\x20-\x7e]{8,63}$/,
};

/** What is wrong with it, with its place; undefined where nothing is. */
export function wirelessFault({
  ssid,
  security,
  key,
}: Pick<WirelessNetwork, "ssid" | "security" | "key">):
  | { readonly at: string; readonly wanted: string }
  | undefined {
  const octets = new TextEncoder().encode(ssid).length;
  if (octets < 1 || octets > SSID_OCTETS_MAX) return { at: "ssid", wanted: `1 to ${SSID_OCTETS_MAX} octets` };
  if (!KEYS[security].test(key ?? "")) {
    const wanted = {
      open: "no key",
      wep: "5 or 13 characters, or 10 or 26 hexadecimal digits",
      wpa_psk: "8 to 63 printable ASCII characters",
    }[security];
    return { at: "key", wanted };
  }
  return undefined;
}
