/**
 * Access points: what a phone needs to reach the packet network for a use, and for whose SIMs it is meant.
 * One row may serve several uses (`default|mms|supl` in the public sets).
 */

import { hostOf, plainUrl } from "../../term/host.ts";
import type { PdnProtocol } from "../payload/settings-values.ts";

/** In the order an answer lists them. The names are Android's APN types; `internet` is its `default`. */
export const USES = [
  "internet",
  "mms",
  "wap",
  "supl",
  "dun",
  "ims",
  "xcap",
  "fota",
  "cbs",
  "hipri",
  "ia",
  "emergency",
  "mcx",
] as const;
export type Use = (typeof USES)[number];

export type AuthType = "none" | "pap" | "chap" | "pap_or_chap";

export const PDN_PROTOCOLS = ["ipv4", "ipv6", "ipv4v6"] as const satisfies readonly PdnProtocol[];
export type { PdnProtocol };

/**
 * Whose SIMs an access point is for. MCC and MNC are text: MNC `01` is not `001`. All criteria that are
 * given must hold; with none beyond MCC/MNC it is for the network's own subscribers, not for the virtual
 * operators it hosts.
 */
export type MatchCriteria = {
  readonly mcc: string;
  readonly mnc: string;
  /** Hexadecimal prefix of EF_GID1 (TS 31.102 clause 4.2.10), letter case ignored. */
  readonly gid1?: string;
  /** Service provider name, whole, letter case ignored. */
  readonly spn?: string;
  /** Leading digits of the IMSI; `x` stands for any digit. */
  readonly imsiPrefix?: string;
  readonly iccidPrefix?: string;
  /** Carrier of the Android carrier list; says whose the row is, it excludes nobody by itself. */
  readonly carrierId?: number;
  /** An operator's explicit word that this serves every SIM of the network, hosted ones too. */
  readonly wholeNetwork?: boolean;
  /** `make/model` or `make/model*`: for these models alone (R79). */
  readonly models?: readonly string[];
};

/** Where a fact comes from; goes with every answer. */
export type DataSource = { readonly name: string; readonly version: string; readonly licence: string };

/** How a device connects by it, and what it reaches there: what is written into a phone. */
export type Connection = {
  readonly apn: string;
  readonly protocol: PdnProtocol | null;
  readonly authType: AuthType | null;
  readonly user: string | null;
  readonly password: string | null;
  readonly mmsc: string | null;
  readonly mmsProxy: string | null;
  readonly mmsPort: number | null;
  readonly proxy: string | null;
  readonly port: number | null;
  readonly homepage: string | null;
};

export type AccessPoint = Connection & {
  readonly id: string;
  readonly ownership: "operator" | "shipped";
  /** What the source calls the row: `Vodafone WAP(Pre)`. */
  readonly name: string;
  /** Whose the row is where the source says so apart from the name. */
  readonly provider: string | null;
  readonly uses: readonly Use[];
  readonly plan: "postpaid" | "prepaid" | null;
  /** False where the source hides the row from the user or disables it. */
  readonly shown: boolean;
  /** Only for Wi-Fi calling (Android bearer 18, IWLAN): never a road for a phone on the radio. */
  readonly wifiOnly: boolean;
  readonly confirmed: boolean;
  readonly source: DataSource;
  readonly criteria: MatchCriteria;
  /** Why the row is doubtful: its message centre or proxy is another country's or brand's. It is never a first choice. */
  readonly doubtful?: string;
  /** Another set that had this APN for the network and took it out. */
  readonly withdrawnBy?: string;
  /** Its set is the one that changed this network last. */
  readonly isChangedLast?: boolean;
};

/** A network of the public numbering lists. */
export type Network = {
  readonly mcc: string;
  readonly mnc: string;
  /** ISO 3166 alpha-2. */
  readonly country: string;
  readonly countryName: string;
  readonly brand: string;
  readonly operator: string;
  readonly operational: boolean | null;
  /** `GSM 900`, `LTE 1800`; empty where the list says none. */
  readonly bands: readonly string[];
};

/** One rule of the Android carrier list: a SIM that meets all given criteria is this carrier's. */
export type CarrierRule = {
  readonly carrierId: number;
  readonly name: string;
  /** The carrier this one is a part of. */
  readonly parentId: number | null;
  /** MCC and MNC run together; the MCC has always three digits. */
  readonly plmns: readonly string[];
  /** The empty name stands for a SIM without one. */
  readonly spns: readonly string[];
  readonly imsiPrefixes: readonly string[];
  readonly gid1Prefixes: readonly string[];
  readonly gid2Prefixes: readonly string[];
  readonly iccidPrefixes: readonly string[];
  readonly shownPlmns: readonly string[];
  readonly preferredApns: readonly string[];
};

/** What is known of the SIM that asks. */
export type SettingsQuery = {
  readonly mcc: string;
  readonly mnc: string;
  readonly gid1?: string;
  readonly spn?: string;
  readonly imsi?: string;
  readonly iccid?: string;
  /** Of the handset, where it is known. */
  readonly make?: string | null;
  readonly model?: string | null;
};

type Addresses = Partial<Pick<Connection, "mmsc" | "mmsProxy" | "proxy" | "homepage">>;

/**
 * The first host of a connection that is none, and where it stands; undefined where all are well. Digits and dots that are no
 * address are refused, since a phone keeps them and fails in silence.
 */
export function addressFaultOf(
  addresses: Addresses,
): { readonly field: keyof Addresses; readonly wanted: string } | undefined {
  for (const field of ["mmsProxy", "proxy"] as const) {
    const text = addresses[field];
    if (text && !hostOf(text)) return { field, wanted: `"${text}" is no host and no address` };
  }
  for (const field of ["mmsc", "homepage"] as const) {
    const text = addresses[field];
    if (text && !plainUrl(text)) return { field, wanted: `"${text}" has no host and no address in it` };
  }
  return undefined;
}
