/**
 * Access points as Android takes them from an engineer: a fragment of `apns-conf.xml`, which a maker builds into a system image, and the
 * `apnPolicy` of an Android Management API policy, for devices that a company manages. Sources: AOSP's `apns-full-conf.xml` and
 * `TelephonyProvider` (version 8), Android Management API v1 `ApnPolicy` and `ApnSetting`.
 */
import { membersOf, wordOf } from "../../term/narrow.ts";
import { DecodeError } from "../decode-error.ts";
import { attributeOf, childrenOf, type WbxmlElement } from "../wbxml/element.ts";
import { readXml } from "../xml/read.ts";
import { element, xmlText } from "../xml/tree.ts";

/** What one entry is for; `default` is the Internet. */
const APN_TYPES = [
  ...([
    "default",
    "mms",
    "supl",
    "dun",
    "hipri",
    "fota",
    "ims",
    "cbs",
    "ia",
    "emergency",
    "mcx",
    "xcap",
  ] as const),
  ...(["bip", "vsim", "rcs", "enterprise"] as const),
] as const;
export type AndroidApnType = (typeof APN_TYPES)[number];
const PROTOCOLS = ["IP", "IPV6", "IPV4V6"] as const;
/** `authtype` of apns-conf.xml is their place. */
const AUTH_TYPES = ["NONE", "PAP", "CHAP", "PAP_OR_CHAP"] as const;
/** `mvno_type`; the policy calls the first GID. */
const MVNO_TYPES = ["gid", "spn", "imsi", "iccid"] as const;

export type AndroidApn = {
  readonly name: string;
  readonly apn: string;
  readonly types: readonly AndroidApnType[];
  readonly mcc: string;
  readonly mnc: string;
  readonly carrierId: number | null;
  readonly protocol: (typeof PROTOCOLS)[number] | null;
  readonly authType: (typeof AUTH_TYPES)[number] | null;
  readonly user: string | null;
  readonly password: string | null;
  readonly mmsc: string | null;
  readonly mmsProxy: string | null;
  readonly mmsPort: number | null;
  readonly proxy: string | null;
  readonly port: number | null;
  /** Whose SIMs of the network; `data` is what has to match. */
  readonly mvno: { readonly type: (typeof MVNO_TYPES)[number]; readonly data: string } | null;
};

const LIMITS = {
  documentOctets: 1_048_576,
  depth: 4,
  elements: 10_000,
  attributesOfAnElement: 64,
  attributes: 200_000,
};
const VERSION = 8;

/** In UTF-8. @throws TurnupError `payload_malformed`: a character that XML cannot hold */
export const encodeApnsConf = (apns: readonly AndroidApn[]): string =>
  [
    '<?xml version="1.0" encoding="utf-8"?>',
    `<apns version="${VERSION}">`,
    ...apns.map((apn) => `  ${xmlText(apnElement(apn))}`),
    "</apns>",
    "",
  ].join("\n");

const apnElement = (apn: AndroidApn): WbxmlElement =>
  element("apn", {
    carrier: apn.name,
    mcc: apn.mcc,
    mnc: apn.mnc,
    apn: apn.apn,
    type: apn.types.join(","),
    ...optional({
      carrier_id: apn.carrierId,
      protocol: apn.protocol,
      roaming_protocol: apn.protocol,
      authtype: apn.authType === null ? null : AUTH_TYPES.indexOf(apn.authType),
      user: apn.user,
      password: apn.password,
      mmsc: apn.mmsc,
      mmsproxy: apn.mmsProxy,
      mmsport: apn.mmsPort,
      proxy: apn.proxy,
      port: apn.port,
      mvno_type: apn.mvno?.type ?? null,
      mvno_match_data: apn.mvno?.data ?? null,
    }),
  });

type Plain = Readonly<Record<string, string | number | null>>;
const optional = (values: Plain): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );

/** @throws DecodeError with the offset: no such file, or an entry that no phone would take */
export function decodeApnsConf(bytes: Uint8Array): AndroidApn[] {
  const { root } = readXml(bytes, { limits: LIMITS });
  if (root.name !== "apns") throw new DecodeError("no apns-conf.xml", root.at ?? 0);
  return childrenOf(root)
    .filter(({ name }) => name === "apn")
    .map(apnOfElement);
}

function apnOfElement(one: WbxmlElement): AndroidApn {
  const at = one.at ?? 0;
  const text = (name: string): string | null => attributeOf(one, name) || null;
  const mvnoType = wordOf(MVNO_TYPES, text("mvno_type")?.toLowerCase());
  const authType = text("authtype");
  return {
    name: text("carrier") ?? "",
    apn: needed(text("apn"), "apn", at),
    types: typesOf((text("type") ?? "default").split(","), at),
    mcc: needed(text("mcc"), "mcc", at),
    mnc: needed(text("mnc"), "mnc", at),
    carrierId: numberOf(text("carrier_id"), "carrier_id", at),
    protocol: wordOf(PROTOCOLS, text("protocol")) ?? null,
    authType: authType === null ? null : (AUTH_TYPES[Number(authType)] ?? null),
    user: text("user"),
    password: text("password"),
    mmsc: text("mmsc"),
    mmsProxy: text("mmsproxy"),
    mmsPort: numberOf(text("mmsport"), "mmsport", at),
    proxy: text("proxy"),
    port: numberOf(text("port"), "port", at),
    mvno: mvnoType ? { type: mvnoType, data: text("mvno_match_data") ?? "" } : null,
  };
}

function needed(value: string | null, name: string, at: number): string {
  if (value === null) throw new DecodeError(`an access point without ${name}`, at);
  return value;
}

function numberOf(value: string | null, name: string, at: number): number | null {
  if (value === null) return null;
  if (!/^\d{1,9}$/.test(value)) throw new DecodeError(`${name} is no number`, at);
  return Number(value);
}

function typesOf(names: readonly string[], at: number): AndroidApnType[] {
  const types = names.flatMap((name) => wordOf(APN_TYPES, name.trim().toLowerCase()) ?? []);
  if (types.length === 0) throw new DecodeError("an access point of no known type", at);
  return types;
}

/** The part of a policy that holds access points: `PATCH .../policies/NAME?updateMask=deviceConnectivityManagement.apnPolicy`. */
export const encodeApnPolicy = (apns: readonly AndroidApn[]): string =>
  `${JSON.stringify(
    {
      deviceConnectivityManagement: {
        apnPolicy: { overrideApns: "OVERRIDE_APNS_ENABLED", apnSettings: apns.map(settingOf) },
      },
    },
    null,
    2,
  )}\n`;

/** It names whose SIMs of a network an entry is for by kind alone: the policy has no place for what has to match. */
const settingOf = (apn: AndroidApn) => ({
  apn: apn.apn,
  displayName: apn.name,
  apnTypes: apn.types.map((type) => type.toUpperCase()),
  numericOperatorId: apn.mcc + apn.mnc,
  ...optional({
    carrierId: apn.carrierId,
    protocol: apn.protocol,
    roamingProtocol: apn.protocol,
    authType: apn.authType,
    username: apn.user,
    password: apn.password,
    mmsc: apn.mmsc,
    mmsProxyAddress: apn.mmsProxy,
    mmsProxyPort: apn.mmsPort,
    proxyAddress: apn.proxy,
    proxyPort: apn.port,
    mvnoType: apn.mvno?.type.toUpperCase() ?? null,
  }),
});

const MCC_DIGITS = 3;

/** Reads such a part, or a whole policy with one. @throws DecodeError: no JSON, or none of it is there */
export function decodeApnPolicy(text: string): AndroidApn[] {
  const { apnSettings } = membersOf(
    membersOf(membersOf(parsed(text)).deviceConnectivityManagement).apnPolicy,
  );
  if (!Array.isArray(apnSettings)) throw new DecodeError("no apnSettings of an apnPolicy", 0);
  return apnSettings.map(apnOfSetting);
}

function parsed(text: string): unknown {
  if (text.length > LIMITS.documentOctets)
    throw new DecodeError("a policy that is too long", LIMITS.documentOctets);
  try {
    return JSON.parse(text);
  } catch {
    throw new DecodeError("no JSON", 0);
  }
}

function apnOfSetting(value: unknown): AndroidApn {
  const members = membersOf(value);
  const text = (name: string): string | null => {
    const member = members[name];
    return typeof member === "string" || typeof member === "number" ? String(member) : null;
  };
  const operator = text("numericOperatorId") ?? "";
  const mvnoType = wordOf(MVNO_TYPES, text("mvnoType")?.toLowerCase());
  const types: readonly unknown[] = Array.isArray(members.apnTypes) ? members.apnTypes : [];
  return {
    name: text("displayName") ?? "",
    apn: needed(text("apn"), "apn", 0),
    types: typesOf(
      types.map((type) => (typeof type === "string" ? type : "")),
      0,
    ),
    mcc: operator.slice(0, MCC_DIGITS),
    mnc: operator.slice(MCC_DIGITS),
    carrierId: numberOf(text("carrierId"), "carrierId", 0),
    protocol: wordOf(PROTOCOLS, text("protocol")) ?? null,
    authType: wordOf(AUTH_TYPES, text("authType")) ?? null,
    user: text("username"),
    password: text("password"),
    mmsc: text("mmsc"),
    mmsProxy: text("mmsProxyAddress"),
    mmsPort: numberOf(text("mmsProxyPort"), "mmsProxyPort", 0),
    proxy: text("proxyAddress"),
    port: numberOf(text("proxyPort"), "proxyPort", 0),
    mvno: mvnoType ? { type: mvnoType, data: "" } : null,
  };
}
