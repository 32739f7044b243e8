/**
 * The access points that come with the program: the LineageOS and the GNOME sets, the Android carrier list and
 * the list of networks, from gzipped CSV under data/ (data/apn-README.md says what each is). Read once a
 * process, about 11,000 rows.
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
import { type AccessPointIndex, createAccessPointIndex } from "../../kernel/settings/find-settings.ts";
import { TurnupError } from "../../term/error.ts";
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

type Row = Readonly<Record<string, string>>;

let shared: AccessPointIndex | undefined;

/** The index over all shipped sets, made on first need. */
export function shippedAccessPointIndex(): AccessPointIndex {
  shared ??= createAccessPointIndex(shippedAccessPoints(), shippedCarrierRules(), shippedNetworks());
  return shared;
}

/** The newest set first: equals keep this order. */
export function shippedAccessPoints(folder = shippedDataFolder()): AccessPoint[] {
  const lineage = readRows(folder, "apn-lineage.csv.gz").map(fromLineageRow);
  const gnome = readRows(folder, "apn-gnome.csv.gz")
    .filter((row) => row.mnc !== "")
    .map(fromGnomeRow);
  return [...gnome, ...lineage];
}

export function shippedCarrierRules(folder = shippedDataFolder()): CarrierRule[] {
  return readRows(folder, "carrier-ids.csv.gz").map((row) => ({
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
  }));
}

export function shippedNetworks(folder = shippedDataFolder()): Network[] {
  return readRows(folder, "mcc-mnc.csv.gz").map((row) => ({
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
  }));
}

function fromLineageRow(row: Row, at: number): AccessPoint {
  return accessPointOf({
    id: `lineage-${at + 1}`,
    ownership: "shipped",
    name: row.carrier ?? "",
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
    source: LINEAGE,
    criteria: lineageCriteria(row),
  });
}

const MVNO_CRITERION: Readonly<Record<string, "gid1" | "spn" | "imsiPrefix" | "iccidPrefix">> = {
  gid: "gid1",
  spn: "spn",
  imsi: "imsiPrefix",
  iccid: "iccidPrefix",
};

function lineageCriteria(row: Row): MatchCriteria {
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
    text = gunzipSync(readFileSync(path), { maxOutputLength: FILE_OCTETS_MAX }).toString("utf8");
  } catch (cause) {
    throw new TurnupError("dataset_missing", `${path} cannot be read.`, {
      cause,
      nextStep: "Install the package again.",
    });
  }
  return Array.from(csvObjects(text), ({ row }) => row);
}
