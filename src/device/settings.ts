/**
 * The handset's own access points, and what an OMA CP document or a key changes in them. The rules are those of clients
 * in the field: an access point needs a NAP-ADDRESS of type APN; a document that serves no application installs
 * nothing; a reference to an access point that is not there breaks the document; unknown parms are skipped.
 */
import { getFrom } from "../term/collections.ts";
import type { DeviceKey } from "../wire/message/device-key-form.ts";
import type { NokiaCharacteristic, NokiaDocument } from "../wire/nokiaota/codec.ts";
import type { Characteristic, ProvisioningDocument } from "../wire/omacp/document.ts";

export type ApnUse = "internet" | "mms" | "wap" | "maker";

export type AccessPointEntry = {
  readonly apn: string;
  readonly uses: readonly ApnUse[];
  readonly authType: "none" | "pap" | "chap";
  readonly user?: string;
  readonly password?: string;
  readonly mmsc?: string;
  readonly proxy?: string;
  readonly port?: number;
  /** Of the packet session, where the document says it; else the phone asks for what it can. */
  readonly addressType?: "IPV6";
  /** Hosts that are reached this way, whatever the application; a key names them. */
  readonly hosts: readonly string[];
  readonly origin: "factory" | "settings" | "key";
};

type WirelessEntry = { readonly ssid: string; readonly security: string; readonly key: string | null };
export type HandsetSettings = {
  readonly accessPoints: readonly AccessPointEntry[];
  /** Wi-Fi networks that settings brought. */
  readonly wireless?: readonly WirelessEntry[];
};

/** What a settings store of an old phone holds. */
const MAX_ENTRIES = 16;
const INTERNET_NAP = "INTERNET";

export type Applied =
  | {
      readonly kind: "applied";
      readonly settings: HandsetSettings;
      readonly entries: readonly AccessPointEntry[];
    }
  | { readonly kind: "refused"; readonly cause: "malformed" | "unsupported"; readonly detail: string };

/** @param hasOther the document serves the handset by something else than access points */
export function applyDocument(
  settings: HandsetSettings,
  document: ProvisioningDocument,
  hasOther = false,
): Applied {
  const all = document.characteristics;
  const naps = new Map<string, AccessPointEntry>();
  for (const napdef of ofType(all, "NAPDEF").filter((one) => parmOf(one, "BEARER") !== "WLAN")) {
    const id = parmOf(napdef, "NAPID");
    const entry = entryOf(napdef);
    if (id && entry) naps.set(id, entry);
  }
  for (const application of ofType(all, "APPLICATION")) {
    const use = useOf(parmOf(application, "APPID"));
    if (!use) continue;
    const road = routeOf(application, all, naps);
    if (!road) return refused("malformed", `no access point for APPID ${parmOf(application, "APPID")}`);
    const mmsc = use === "mms" ? parmOf(application, "ADDR") : undefined;
    const entry = getFrom(naps, road.napId);
    naps.set(road.napId, {
      ...entry,
      uses: [...new Set([...entry.uses, use])],
      ...(mmsc ? { mmsc } : {}),
      ...(road.proxy ? { proxy: road.proxy } : {}),
      ...(road.port ? { port: road.port } : {}),
    });
  }
  const entries = [...naps.values()].filter(({ uses }) => uses.length > 0);
  const wireless = ofType(all, "NAPDEF").flatMap(wirelessOf);
  if (entries.length === 0 && wireless.length === 0 && !hasOther)
    return refused("unsupported", "the document serves no application of this handset");
  return { kind: "applied", settings: withWireless(insert(settings, entries), wireless), entries };
}

/** A NAPDEF of bearer WLAN, with a network that has a name. */
function wirelessOf(napdef: Characteristic): WirelessEntry[] {
  if (parmOf(napdef, "BEARER") !== "WLAN") return [];
  const [wlan] = ofType(napdef.characteristics, "WLAN");
  const ssid = wlan && (parmOf(wlan, "PRI-SSID") ?? parmOf(wlan, "PRI-H-SSID"));
  if (!wlan || !ssid) return [];
  const [wep] = ofType(wlan.characteristics, "WEPKEY");
  const key = parmOf(wlan, "WPA-PRES-KEY-ASC") ?? (wep && parmOf(wep, "DATA")) ?? null;
  return [{ ssid, security: parmOf(wlan, "SECMODE") ?? "none", key }];
}

/** One of a name; a later setting takes its place. */
function withWireless(settings: HandsetSettings, came: readonly WirelessEntry[]): HandsetSettings {
  if (came.length === 0) return settings;
  const kept = (settings.wireless ?? []).filter(({ ssid }) => !came.some((one) => one.ssid === ssid));
  return { ...settings, wireless: [...kept, ...came].slice(-MAX_ENTRIES) };
}

/**
 * Nokia/Ericsson OTA settings 7.0: the first ADDRESS of the GPRS bearer counts, and the first of repeated PARMs. With an
 * MMSURL it serves MMS, else browsing. They know no authentication, so only a user lets them in.
 */
export function applyNokia(settings: HandsetSettings, { characteristics }: NokiaDocument): Applied {
  const address = characteristics.find(
    (characteristic) => characteristic.type === "ADDRESS" && parmIn(characteristic, "BEARER") === "GPRS",
  );
  const apn = address && parmIn(address, "GPRS_ACCESSPOINTNAME");
  if (!address || !apn) return refused("unsupported", "no packet data access point in the settings");
  const mmsc = characteristics.find(({ type }) => type === "MMSURL")?.value ?? undefined;
  const authType = { PAP: "pap", CHAP: "chap" }[parmIn(address, "PPP_AUTHTYPE") ?? ""];
  const known = authType === "pap" || authType === "chap" ? authType : "none";
  const user = known === "none" ? undefined : parmIn(address, "PPP_AUTHNAME");
  const password = known === "none" ? undefined : parmIn(address, "PPP_AUTHSECRET");
  const proxy = parmIn(address, "PROXY");
  const entry: AccessPointEntry = {
    apn,
    uses: [mmsc ? "mms" : "internet"],
    authType: known,
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(mmsc ? { mmsc } : {}),
    ...(proxy ? { proxy } : {}),
    hosts: [],
    origin: "settings",
  };
  return { kind: "applied", settings: insert(settings, [entry]), entries: [entry] };
}

const parmIn = ({ parms }: NokiaCharacteristic, name: string): string | undefined =>
  parms.find((parm) => parm.name === name)?.value;

/** The access points that a key brings. They lead to the hosts that the key names. */
export function entriesOfKey(key: DeviceKey): AccessPointEntry[] {
  const hosts = key.hosts.map((host) => host.replace(/:\d+$/, ""));
  return key.accessPoints.map(({ apn, use, authType, user, password, mmsc, mmsProxy, port }) => ({
    apn,
    uses: [use],
    authType,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(mmsc === undefined ? {} : { mmsc }),
    ...(mmsProxy === undefined ? {} : { proxy: mmsProxy }),
    ...(port === undefined ? {} : { port }),
    hosts,
    origin: "key",
  }));
}

/**
 * New entries take their uses from older ones, and replace an entry of the same APN and user; what a key brought stays,
 * also when settings name the same APN. The oldest go when the store is full, those of keys last.
 */
export function insert(settings: HandsetSettings, entries: readonly AccessPointEntry[]): HandsetSettings {
  let kept = [...settings.accessPoints];
  for (const entry of entries) {
    const same = kept.find((old) => isSame(old, entry));
    const merged: AccessPointEntry =
      same?.origin === "key"
        ? { ...same, ...entry, hosts: [...new Set([...same.hosts, ...entry.hosts])], origin: "key" }
        : entry;
    kept = kept
      .filter((old) => old !== same)
      .map((old) => ({ ...old, uses: old.uses.filter((use) => !merged.uses.includes(use)) }));
    kept.push(merged);
  }
  while (kept.length > MAX_ENTRIES) {
    const oldest = kept.findIndex(({ origin }) => origin !== "key");
    kept.splice(Math.max(oldest, 0), 1);
  }
  return { ...settings, accessPoints: kept };
}

/** The way to a host for a use: the entry that names the host, else the newest for the use, else the internet. */
export function routeTo(settings: HandsetSettings, host: string, use: ApnUse): AccessPointEntry | undefined {
  const newest = [...settings.accessPoints].reverse();
  return (
    newest.find(({ hosts }) => hosts.includes(host)) ??
    newest.find(({ uses }) => uses.includes(use)) ??
    newest.find(({ uses }) => uses.includes("internet"))
  );
}

const isSame = (one: AccessPointEntry, other: AccessPointEntry): boolean =>
  one.apn.toLowerCase() === other.apn.toLowerCase() && one.user === other.user;

function entryOf(napdef: Characteristic): AccessPointEntry | undefined {
  const apn = parmOf(napdef, "NAP-ADDRESS");
  if (!apn || parmOf(napdef, "NAP-ADDRTYPE") !== "APN") return undefined;
  const [auth] = ofType(napdef.characteristics, "NAPAUTHINFO");
  const authType = auth ? { PAP: "pap", CHAP: "chap" }[parmOf(auth, "AUTHTYPE") ?? ""] : undefined;
  // Without a known AUTHTYPE the name and secret are ignored, as clients do.
  const known = authType === "pap" || authType === "chap" ? authType : "none";
  const user = known !== "none" && auth ? parmOf(auth, "AUTHNAME") : undefined;
  const password = known !== "none" && auth ? parmOf(auth, "AUTHSECRET") : undefined;
  return {
    apn,
    uses: hasFlag(napdef, "INTERNET") ? ["internet"] : [],
    authType: known,
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(parmOf(napdef, "LOCAL-ADDRTYPE") === "IPV6" ? { addressType: "IPV6" } : {}),
    hosts: [],
    origin: "settings",
  };
}

type Route = { readonly napId: string; readonly proxy?: string; readonly port?: number };

/** Where an application goes: TO-NAPID directly, or TO-PROXY by the proxy's TO-NAPID. */
function routeOf(
  application: Characteristic,
  all: readonly Characteristic[],
  naps: ReadonlyMap<string, AccessPointEntry>,
): Route | undefined {
  const proxyId = parmOf(application, "TO-PROXY");
  if (!proxyId) {
    const napId = napIdOf(parmOf(application, "TO-NAPID"), naps);
    return napId ? { napId } : undefined;
  }
  const logical = ofType(all, "PXLOGICAL").find((proxy) => parmOf(proxy, "PROXY-ID") === proxyId);
  const [physical] = logical ? ofType(logical.characteristics, "PXPHYSICAL") : [];
  const napId = physical && napIdOf(parmOf(physical, "TO-NAPID"), naps);
  if (!logical || !physical || !napId) return undefined;
  const [port] = [...ofType(physical.characteristics, "PORT"), ...ofType(logical.characteristics, "PORT")];
  const number = Number(port ? parmOf(port, "PORTNBR") : undefined);
  const proxy = parmOf(physical, "PXADDR");
  return {
    napId,
    ...(proxy ? { proxy } : {}),
    ...(Number.isInteger(number) && number > 0 && number < 65_536 ? { port: number } : {}),
  };
}

/** The reserved word INTERNET means any access point with that flag. */
function napIdOf(named: string | undefined, naps: ReadonlyMap<string, AccessPointEntry>): string | undefined {
  if (named === undefined) return undefined;
  if (naps.has(named)) return named;
  if (named !== INTERNET_NAP) return undefined;
  return [...naps].find(([, { uses }]) => uses.includes("internet"))?.[0];
}

/** w2 browses; w4, and ap0005 in another spelling, is MMS. */
function useOf(appId: string | undefined): ApnUse | undefined {
  if (appId === "w2") return "internet";
  if (appId === "w4" || appId === "ap0005") return "mms";
  return undefined;
}

const ofType = (characteristics: readonly Characteristic[], type: string): Characteristic[] =>
  characteristics.filter((characteristic) => characteristic.type === type);

const parmOf = (characteristic: Characteristic, name: string): string | undefined =>
  characteristic.parms.find((parm) => parm.name === name)?.value ?? undefined;

const hasFlag = (characteristic: Characteristic, name: string): boolean =>
  characteristic.parms.some((parm) => parm.name === name);

const refused = (cause: "malformed" | "unsupported", detail: string): Applied => ({
  kind: "refused",
  cause,
  detail,
});
