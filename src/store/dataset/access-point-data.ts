/**
 * The access points that come with the program: four sets of volunteers, what of them is doubtful or was withdrawn, the Android
 * carrier list and the list of networks with their former names, from CSV under data/ (data/apn-README.md says what each is).
 * Read once a process, about 15,000 rows.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type {
  AccessPoint,
  CarrierRule,
  DataSource,
  MatchCriteria,
  Network,
} from "../../kernel/settings/access-point.ts";
import type { FormerName } from "../../kernel/settings/doubt.ts";
import { type AccessPointIndex, createAccessPointIndex } from "../../kernel/settings/find-settings.ts";
import { isForGroup } from "../../kernel/settings/rank.ts";
import { TurnupError } from "../../term/error.ts";
import { optionalMember } from "../../term/record.ts";
import { csvObjects } from "../../wire/csv/csv.ts";
import {
  accessPointOf,
  credentialOrNull,
  homepageOf,
  isOffered,
  isWifiOnly,
  parseAuthType,
  parseHostPort,
  parsePort,
  parseProtocol,
  parseUses,
  planOf,
  textOrNull,
  withWap,
} from "./access-point-fields.ts";
import { shippedDataFolder } from "./folder.ts";
import { isGzip } from "./gzip.ts";

/** Largest file after unpacking, in octets; ours are below 1 MiB. */
const FILE_OCTETS_MAX = 32 * 1024 * 1024;

export const LINEAGE: DataSource = {
  name: "LineageOS android_vendor_apn",
  version: "2026-07-20",
  licence: "Apache-2.0",
};
export const GNOME: DataSource = {
  name: "GNOME mobile-broadband-provider-info",
  version: "2026-08-04",
  licence: "public domain",
};

const AOSP: DataSource = {
  name: "AOSP device/sample apns-full-conf",
  version: "2021-10-11",
  licence: "Apache-2.0",
};
const CHROMEOS: DataSource = {
  name: "ChromiumOS mobile operator database",
  version: "2026-02-11",
  licence: "BSD-3-Clause",
};

type Row = Readonly<Record<string, string>>;

/** What is known of networks: who runs them, whose SIMs are on them, what these reach the packet network by. */
export type NetworkData = {
  readonly points: readonly AccessPoint[];
  readonly carriers: readonly CarrierRule[];
  readonly networks: readonly Network[];
  readonly formerNames: readonly FormerName[];
};

let sharedData: NetworkData | undefined;
let sharedIndex: AccessPointIndex | undefined;

/** Read on first need, and kept. */
export function shippedNetworkData(): NetworkData {
  sharedData ??= {
    points: shippedAccessPoints(),
    carriers: shippedCarrierRules(),
    networks: shippedNetworks(),
    formerNames: shippedFormerNames(),
  };
  return sharedData;
}

export const accessPointIndexOf = (data: NetworkData): AccessPointIndex =>
  createAccessPointIndex(data.points, data.carriers, data.networks, data.formerNames);

/** The index over all shipped sets, made on first need. */
export function shippedAccessPointIndex(): AccessPointIndex {
  sharedIndex ??= accessPointIndexOf(shippedNetworkData());
  return sharedIndex;
}

/** The newest set first: equals keep this order. */
export function shippedAccessPoints(folder = shippedDataFolder()): AccessPoint[] {
  const doubtful = new Map(readRows(folder, "apn-doubtful.csv").map(({ id, reason }) => [id, reason]));
  const aosp = readRows(folder, AOSP_FILE);
  const history = historyOf(readRows(folder, "apn-withdrawn.csv.gz"), aosp);
  return readAccessPoints(folder, aosp).map((point) => {
    const reason = doubtful.get(point.id);
    const withdrawnBy = history.withdrawnBy(point);
    const isChangedLast = history.isChangedLast(point);
    if (reason === undefined && withdrawnBy === undefined && !isChangedLast) return point;
    return {
      ...point,
      ...optionalMember("doubtful", reason),
      ...optionalMember("withdrawnBy", withdrawnBy),
      ...(isChangedLast && { isChangedLast }),
    };
  });
}

const AOSP_FILE = "apn-aosp.csv.gz";

/** As their sets have them, without what we say of them. */
export function readAccessPoints(
  folder = shippedDataFolder(),
  aospRows: readonly Row[] = readRows(folder, AOSP_FILE),
): AccessPoint[] {
  const android = (prefix: string, source: DataSource) => (row: Row, at: number) =>
    fromAndroidRow(row, `${prefix}-${at + 1}`, source);
  const gnome = readRows(folder, "apn-gnome.csv.gz")
    .filter((row) => row.mnc !== "")
    .map(fromGnomeRow);
  const lineage = readRows(folder, "apn-lineage.csv.gz").map(android("lineage", LINEAGE));
  // Added whole it was seen to gain nothing: only what no other set has, and what is told apart by a SIM's signs.
  const chromeos = readRows(folder, "apn-chromeos.csv.gz")
    .map((row, at) => ({ row, point: android("chromeos", CHROMEOS)(row, at) }))
    .filter(({ row }) => row.fills_gap === "yes" || row.mvno_type)
    .map(({ point }) => point);
  const aosp = aospRows.map(android("aosp", AOSP));
  return [...gnome, ...lineage, ...chromeos, ...withoutReplaced(aosp, lineage)];
}

/**
 * LineageOS's set began as AOSP's and goes on: where it has rows for a group's carrier, or of the same name, what AOSP said of the
 * group is history, however exactly it names the SIM.
 */
function withoutReplaced(older: readonly AccessPoint[], newer: readonly AccessPoint[]): AccessPoint[] {
  const keysOf = ({ criteria: { mcc, mnc, carrierId }, name, uses }: AccessPoint) =>
    [name.toLowerCase(), ...(carrierId === undefined ? [] : [carrierId])].flatMap((who) =>
      uses.map((use) => `${mcc}${mnc} ${who} ${use}`),
    );
  const replaced = new Set(newer.filter(isForGroup).flatMap(keysOf));
  return older.filter((point) => !isForGroup(point) || !keysOf(point).some((key) => replaced.has(key)));
}

/** Names that networks had before. */
export const shippedFormerNames = (folder = shippedDataFolder()): (FormerName & { readonly now: string })[] =>
  readRows(folder, "operator-renames.csv.gz").map((row) => ({
    mcc: row.mcc ?? "",
    mnc: row.mnc ?? "",
    name: row.former_name ?? "",
    now: row.current_name ?? "",
  }));

const SET_NAMES: Readonly<Record<string, string>> = {
  aosp: AOSP.name,
  gnome: GNOME.name,
  lineage: LINEAGE.name,
};

/**
 * What the sets' own histories say: which took an APN out, and which touched a network last. Days of single rows are known of
 * AOSP alone; of the others the months in which they took something out.
 */
function historyOf(withdrawals: readonly Row[], aosp: readonly Row[]) {
  const withdrawn = new Map<string, string[]>();
  const latest = new Map<string, Map<string, string>>();
  const touched = (plmn: string, set: string, day: string) => {
    const bySet = latest.get(plmn) ?? new Map<string, string>();
    latest.set(plmn, bySet);
    if (day > (bySet.get(set) ?? "")) bySet.set(set, day);
  };
  for (const { source = "", mcc, mnc, apn = "", withdrawn: day = "" } of withdrawals) {
    const [plmn, set] = [`${mcc}${mnc}`, SET_NAMES[source] ?? source];
    const key = `${plmn} ${apn.toLowerCase()}`;
    withdrawn.set(key, [...(withdrawn.get(key) ?? []), set]);
    touched(plmn, set, day);
  }
  for (const { mcc, mnc, changed = "" } of aosp) touched(`${mcc}${mnc}`, AOSP.name, changed);
  const lastOf = new Map(
    [...latest].map(([plmn, bySet]) => [plmn, [...bySet].sort(([, a], [, b]) => (a < b ? 1 : -1))[0]?.[0]]),
  );
  return {
    withdrawnBy: ({ apn, criteria: { mcc, mnc }, source }: AccessPoint) =>
      withdrawn.get(`${mcc}${mnc} ${apn.toLowerCase()}`)?.find((set) => set !== source.name),
    isChangedLast: ({ criteria: { mcc, mnc }, source }: AccessPoint) => lastOf.get(mcc + mnc) === source.name,
  };
}

export const shippedCarrierRules = (folder = shippedDataFolder()): CarrierRule[] =>
  readRows(folder, "carrier-ids.csv.gz").map(carrierRuleOf);

/** A row of the columns of data/README.md. */
export const carrierRuleOf = (row: Row): CarrierRule => ({
  carrierId: Number(row.carrier_id),
  name: row.name ?? "",
  parentId: row.parent_id ? Number(row.parent_id) : null,
  plmns: listOf(row.mccmnc),
  // A leading `|` is the empty name: a SIM without one.
  spns: row.spn ? row.spn.split("|").map((spn) => spn.trim()) : [],
  imsiPrefixes: listOf(row.imsi_prefix),
  gid1Prefixes: listOf(row.gid1),
  gid2Prefixes: listOf(row.gid2),
  iccidPrefixes: listOf(row.iccid_prefix),
  shownPlmns: listOf(row.plmn),
  preferredApns: listOf(row.preferred_apn),
});

export const shippedNetworks = (folder = shippedDataFolder()): Network[] =>
  readRows(folder, "mcc-mnc.csv.gz").map(networkOf);

/** A row of the columns of data/README.md. */
export const networkOf = (row: Row): Network => ({
  mcc: row.mcc ?? "",
  mnc: row.mnc ?? "",
  country: row.country ?? "",
  countryName: row.country_name ?? "",
  brand: row.brand ?? "",
  operator: row.operator ?? "",
  operational: row.status === "Operational" ? true : row.status === "Not operational" ? false : null,
  bands: (row.bands ?? "")
    .split("/")
    .map((band) => band.trim())
    .filter((band) => /\d|GSM|UMTS|LTE|CDMA|5G/.test(band)),
});

/** Android's columns; ChromiumOS has the same, with the provider in one of its own. */
function fromAndroidRow(row: Row, id: string, source: DataSource): AccessPoint {
  return accessPointOf({
    id,
    ownership: "shipped",
    name: row.carrier || row.provider || "",
    provider: textOrNull(row.provider),
    uses: withWap(parseUses(row.type), `${row.carrier} ${row.apn}`, textOrNull(row.proxy)),
    apn: (row.apn ?? "").trim(),
    protocol: parseProtocol(row.protocol) ?? null,
    authType: parseAuthType(row.authtype) ?? null,
    user: credentialOrNull(row.user),
    password: credentialOrNull(row.password),
    mmsc: textOrNull(row.mmsc),
    mmsProxy: textOrNull(row.mmsproxy),
    mmsPort: parsePort(row.mmsport ?? ""),
    proxy: textOrNull(row.proxy),
    port: parsePort(row.port ?? ""),
    homepage: homepageOf(row.server),
    shown: isOffered(row.user_visible, row.carrier_enabled),
    wifiOnly: isWifiOnly(row.bearer_bitmask?.replaceAll("|", ",")),
    confirmed: false,
    source,
    criteria: androidCriteria(row),
  });
}

const MVNO_CRITERION: Readonly<Record<string, "gid1" | "spn" | "imsiPrefix" | "iccidPrefix">> = {
  gid: "gid1",
  spn: "spn",
  imsi: "imsiPrefix",
  iccid: "iccidPrefix",
};

function androidCriteria(row: Row): MatchCriteria {
  const name = MVNO_CRITERION[row.mvno_type ?? ""];
  return {
    mcc: row.mcc ?? "",
    mnc: row.mnc ?? "",
    ...(name && row.mvno_match_data ? { [name]: row.mvno_match_data } : {}),
    ...(row.carrier_id ? { carrierId: Number(row.carrier_id) } : {}),
  };
}

/** GNOME's usages; a row that names a message centre beside its internet serves both. */
function fromGnomeRow(row: Row, at: number): AccessPoint {
  const { host, port } = parseHostPort(row.mmsproxy ?? "");
  const mmsc = textOrNull(row.mmsc);
  const uses = parseUses((row.usage ?? "").replaceAll("-", "|"));
  return accessPointOf({
    id: `gnome-${at + 1}`,
    ownership: "shipped",
    name: row.name || row.provider || "",
    provider: textOrNull(row.provider),
    uses: mmsc !== null && !uses.includes("mms") ? [...uses, "mms"] : uses,
    apn: (row.apn ?? "").trim(),
    authType: parseAuthType(row.auth) ?? null,
    user: credentialOrNull(row.user),
    password: credentialOrNull(row.password),
    mmsc,
    mmsProxy: host,
    mmsPort: port,
    plan: planOf(listOf(row.plan)),
    confirmed: false,
    source: GNOME,
    criteria: { mcc: row.mcc ?? "", mnc: row.mnc ?? "", ...(row.gid1 ? { gid1: row.gid1 } : {}) },
  });
}

const listOf = (text: string | undefined): string[] =>
  (text ?? "")
    .split("|")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function readRows(folder: string, file: string): Row[] {
  const path = join(folder, file);
  let text: string;
  try {
    const octets = readFileSync(path);
    text = (isGzip(octets) ? gunzipSync(octets, { maxOutputLength: FILE_OCTETS_MAX }) : octets).toString(
      "utf8",
    );
  } catch (cause) {
    throw new TurnupError("dataset_missing", `${path} cannot be read.`, {
      cause,
      nextStep: "Install the package again.",
    });
  }
  return Array.from(csvObjects(text), ({ row }) => row);
}
