/** The shipped data files: which there are, whose they are, and of when. Columns and defects: data/README.md. */

export type ShippedDataset = {
  readonly kind: DatasetKind;
  readonly file: string;
  readonly source: string;
  readonly licence: string;
  /** ISO date (or year and month) of the upstream state. */
  readonly snapshot: string;
};

export type DatasetKind =
  | "apn"
  | "apn_aosp"
  | "apn_chromeos"
  | "apn_doubtful"
  | "apn_gnome"
  | "apn_withdrawn"
  | "capability"
  | "carrier_id"
  | "device_facts"
  | "lifecycle"
  | "lifecycle_xiaomi"
  | "maker_exit"
  | "mcc_mnc"
  | "menus"
  | "operator_rename"
  | "reporting_body"
  | "support_policy"
  | "tac"
  | "tac_age"
  | "tac_samsung";

/** End dates are recomputed against the day asked for; flags without a date are true as of this day. */
export const LIFECYCLE_SNAPSHOT = "2026-08-22";

// biome-ignore format: a table
export const DATASETS: readonly ShippedDataset[] = [
  { kind: "tac", file: "tac-osmocom.csv.gz", source: "Osmocom TAC database", licence: "CC-BY-SA-3.0", snapshot: "2026-05" },
  { kind: "tac_samsung", file: "tac-samsung.csv.gz", source: "SamloaderKotlin TAC list", licence: "MIT", snapshot: "2026-05" },
  { kind: "tac_age", file: "tac-age-rules.csv", source: "Turnup", licence: "Apache-2.0", snapshot: "2026-08-22" },
  { kind: "lifecycle", file: "device-lifecycle.csv", source: "endoflife.date and press", licence: "MIT", snapshot: LIFECYCLE_SNAPSHOT },
  { kind: "lifecycle_xiaomi", file: "xiaomi-support-ended.csv", source: "Xiaomi's list of phones without further updates", licence: "Apache-2.0", snapshot: "2026-08" },
  { kind: "support_policy", file: "support-policy.csv", source: "endoflife.date and press", licence: "MIT", snapshot: LIFECYCLE_SNAPSHOT },
  { kind: "maker_exit", file: "maker-exits.csv", source: "Turnup", licence: "Apache-2.0", snapshot: "2026-11" },
  { kind: "device_facts", file: "device-facts.csv", source: "LineageOS wiki", licence: "CC-BY-SA-3.0", snapshot: "2026-07" },
  { kind: "capability", file: "provisioning-capability.csv", source: "Turnup", licence: "Apache-2.0", snapshot: "2026-08" },
  { kind: "menus", file: "phone-menus.csv", source: "Turnup, from operators' help texts", licence: "Apache-2.0", snapshot: "2026-11" },
  { kind: "reporting_body", file: "imei-reporting-bodies.csv", source: "GSMA TS.06 by way of Wikipedia", licence: "Apache-2.0", snapshot: "2026-08" },
  { kind: "mcc_mnc", file: "mcc-mnc.csv.gz", source: "Wikipedia, Mobile network codes", licence: "CC-BY-SA-4.0", snapshot: "2026-02" },
  { kind: "operator_rename", file: "operator-renames.csv.gz", source: "Wikipedia, mcc-mnc-list and the AOSP carrier list", licence: "CC-BY-SA-4.0 AND MIT AND Apache-2.0", snapshot: "2026-02" },
  { kind: "carrier_id", file: "carrier-ids.csv.gz", source: "AOSP carrier list", licence: "Apache-2.0", snapshot: "2025-03" },
  { kind: "apn", file: "apn-lineage.csv.gz", source: "LineageOS android_vendor_apn", licence: "Apache-2.0", snapshot: "2026-07-20" },
  { kind: "apn_gnome", file: "apn-gnome.csv.gz", source: "GNOME mobile-broadband-provider-info", licence: "CC-PDDC", snapshot: "2026-08-04" },
  { kind: "apn_aosp", file: "apn-aosp.csv.gz", source: "AOSP device/sample apns-full-conf", licence: "Apache-2.0", snapshot: "2021-10-11" },
  { kind: "apn_chromeos", file: "apn-chromeos.csv.gz", source: "ChromiumOS mobile operator database", licence: "BSD-3-Clause", snapshot: "2026-02-11" },
  { kind: "apn_withdrawn", file: "apn-withdrawn.csv.gz", source: "Turnup, from the histories of the sets", licence: "Apache-2.0", snapshot: "2026-08" },
  { kind: "apn_doubtful", file: "apn-doubtful.csv", source: "Turnup, from the sets and the list of networks", licence: "CC-BY-SA-4.0", snapshot: "2026-11" },
];
