/** The shipped device data as the rows that the kernel's catalog is built from; no database is needed. */

import { SETTINGS_FORMS } from "../../kernel/devices/form-names.ts";
import { labelKey, makeOf } from "../../kernel/devices/names.ts";
import type { PhoneMenuRow } from "../../kernel/devices/phone-menus.ts";
import type {
  AgeRuleRow,
  Answer,
  CapabilityRow,
  Dataset,
  DeviceDatasets,
  FactRow,
  LifecycleRow,
  MakerExitRow,
  ReportingBodyRow,
  SupportPolicyRow,
} from "../../kernel/devices/rows.ts";
import { TacList } from "../../kernel/devices/tac-list.ts";
import { wordOf } from "../../term/narrow.ts";
import { csvObjects } from "../../wire/csv/csv.ts";
import { type DatasetContent, readShippedContent } from "./content.ts";
import { DATASETS, type DatasetKind, LIFECYCLE_SNAPSHOT } from "./datasets.ts";
import { shippedDataFolder } from "./folder.ts";
import { parseTacImport } from "./tac-import.ts";

/** @throws TurnupError `dataset_missing`, `dataset_malformed` */
export function readShippedDatasets(folder = shippedDataFolder()): DeviceDatasets {
  const read = <Row>(kind: DatasetKind, rowOf: (cells: Cells) => Row): Dataset<Row> => {
    const content = readShippedContent(kind, folder);
    const rows: Row[] = [];
    for (const { row } of csvObjects(content.text)) rows.push(rowOf(row));
    return { ref: refOf(content), rows };
  };
  const readTac = (kind: "tac" | "tac_samsung"): DeviceDatasets["tac"][number] => {
    const content = readShippedContent(kind, folder);
    return { ref: refOf(content), rows: new TacList(parseTacImport(content.text).rows) };
  };
  return {
    tac: [readTac("tac"), readTac("tac_samsung")],
    lifecycle: withFurther(read("lifecycle", lifecycleRowOf), read("lifecycle_xiaomi", xiaomiRowOf)),
    lifecycleSnapshot: LIFECYCLE_SNAPSHOT,
    supportPolicy: read("support_policy", supportPolicyRowOf),
    makerExits: read("maker_exit", makerExitRowOf),
    facts: read("device_facts", factRowOf),
    capability: read("capability", capabilityRowOf),
    menus: read("menus", menuRowOf),
    ageRules: read("tac_age", ageRuleRowOf),
    reportingBodies: read("reporting_body", reportingBodyRowOf),
  };
}

type Cells = Readonly<Record<string, string>>;

const refOf = ({ kind, version }: DatasetContent) => ({
  kind,
  name: (DATASETS.find((dataset) => dataset.kind === kind)?.file ?? kind).replace(/\.csv(\.gz)?$/, ""),
  version,
});

export const lifecycleRowOf = (cells: Cells): LifecycleRow => ({
  make: textIn(cells, "make"),
  family: textIn(cells, "family"),
  form: textIn(cells, "form"),
  label: textIn(cells, "label"),
  released: textIn(cells, "released"),
  osUpdatesEnd: textIn(cells, "os_updates_end"),
  securityUpdatesEnd: textIn(cells, "security_updates_end"),
  status: textIn(cells, "status"),
  endDateQuality: textIn(cells, "end_date_quality"),
  modelCodes: listIn(cells, "model_codes"),
  sourceUrl: textIn(cells, "source_url"),
});

/**
 * A model of Xiaomi's list of phones whose updates have ended. The list says no day: the end is no later than the day on which the
 * list was first seen to name the model in the last of its regions.
 */
const xiaomiRowOf = (cells: Cells): LifecycleRow => ({
  make: textIn(cells, "make"),
  family: textIn(cells, "make"), // as the rows of the other list have it: brands of one maker share its policy
  form: textIn(cells, "form"),
  label: textIn(cells, "label"),
  released: "",
  osUpdatesEnd: "",
  securityUpdatesEnd: textIn(cells, "last_region_listed_by"),
  status: textIn(cells, "status"),
  endDateQuality: textIn(cells, "end_date_quality"),
  modelCodes: [],
  sourceUrl: textIn(cells, "source_url"),
});

/** What the first says of a model stands; the second adds models that it does not name. */
function withFurther(first: Dataset<LifecycleRow>, second: Dataset<LifecycleRow>): Dataset<LifecycleRow> {
  const named = new Set(first.rows.map(lifecycleNameOf));
  const further = second.rows.filter((row) => !named.has(lifecycleNameOf(row)));
  return { ref: first.ref, rows: [...first.rows, ...further] };
}

/** Equal where two rows are about one model, however its name is spelled. */
export const lifecycleNameOf = ({ make, label }: LifecycleRow): string =>
  `${makeOf(make)}/${labelKey(makeOf(make), label)}`;

/** `released_year` is a year, `2022-2023`, `-2021`, `2025-` or `all`. */
function supportPolicyRowOf(cells: Cells): SupportPolicyRow {
  const years = /^(\d{4})?(-)?(\d{4})?$/.exec(textIn(cells, "released_year"));
  const [, from, dash, to] = years ?? [];
  return {
    make: textIn(cells, "make"),
    family: textIn(cells, "family"),
    fromYear: from ? Number(from) : null,
    toYear: to ? Number(to) : dash || !from ? null : Number(from),
    yearsMin: numberIn(cells, "years_min") ?? 0,
    yearsMedian: numberIn(cells, "years_median") ?? 0,
    yearsMax: numberIn(cells, "years_max"),
    basis: textIn(cells, "basis"),
  };
}

const makerExitRowOf = (cells: Cells): MakerExitRow => ({
  make: textIn(cells, "make"),
  releasedUntil: numberIn(cells, "released_until"),
  endedBy: textIn(cells, "ended_by"),
  note: textIn(cells, "note"),
  cutOff: textIn(cells, "cut_off_applications").split("|").filter(Boolean),
  cutOffReleasedUntil: numberIn(cells, "cut_off_released_until"),
  cutOffSource: textIn(cells, "cut_off_source"),
});

export function factRowOf(cells: Cells): FactRow {
  const pixels = /^(\d+)x(\d+)$/.exec(textIn(cells, "screen_px"));
  const sides = pixels ? [Number(pixels[1]), Number(pixels[2])] : [];
  return {
    make: textIn(cells, "make"),
    name: textIn(cells, "name"),
    modelCodes: listIn(cells, "model_codes"),
    released: textIn(cells, "released"),
    form: textIn(cells, "form"),
    networks: listIn(cells, "networks"),
    widthPx: pixels ? Math.min(...sides) : null, // some rows give the sides of a phone held lengthwise
    heightPx: pixels ? Math.max(...sides) : null,
    inch: numberIn(cells, "screen_inch"),
    bands: listIn(cells, "bands"),
    chipset: textIn(cells, "soc"),
    camera: textIn(cells, "camera"),
    blockedUses: listIn(cells, "blocked_access_points"),
    blockedSource: textIn(cells, "blocked_source"),
  };
}

export const capabilityRowOf = (cells: Cells): CapabilityRow => ({
  make: textIn(cells, "make"),
  os: textIn(cells, "os"),
  chipset: textIn(cells, "chipset"),
  fromYear: numberIn(cells, "from_year"),
  toYear: numberIn(cells, "to_year"),
  omaCp: answerIn(cells, "oma_cp"),
  nokiaOta: answerIn(cells, "nokia_ericsson_ota"),
  appleProfile: answerIn(cells, "apple_mobileconfig"),
  androidEnterpriseApn: answerIn(cells, "android_enterprise_apn"),
  linkPush: wordOf(["si", "sl", "bookmark", "no"] as const, textIn(cells, "wap_push")) ?? "unknown",
  deviceKey: answerIn(cells, "device_key"),
  settingsForm: wordOf(SETTINGS_FORMS, textIn(cells, "settings_form")) ?? null,
  nativeApnDb: textIn(cells, "native_apn_db"),
  note: textIn(cells, "note"),
  evidence: textIn(cells, "evidence"),
});

export function menuRowOf(cells: Cells): PhoneMenuRow {
  const texts = (name: string): [string, string][] =>
    Object.entries(cells).flatMap(([column, text]) => {
      const language = new RegExp(`^${name}_([a-z]{2,3})$`).exec(column)?.[1];
      return language === undefined || text === "" ? [] : [[language, text]];
    });
  const paths = texts("path").map(([language, text]) => [language, text.split(/\s*>\s*/)] as const);
  return {
    system: textIn(cells, "system") === "ios" ? "ios" : "android",
    make: textIn(cells, "make"),
    from: numberIn(cells, "from"),
    to: numberIn(cells, "to"),
    path: { en: [], ...Object.fromEntries(paths) },
    add: { en: "", ...Object.fromEntries(texts("add")) },
    evidence: textIn(cells, "evidence") === "seen" ? "seen" : "general",
    source: textIn(cells, "source"),
  };
}

const ageRuleRowOf = (cells: Cells): AgeRuleRow => ({
  rbi: textIn(cells, "rbi"),
  xxxxFrom: textIn(cells, "xxxx_from"),
  xxxxTo: textIn(cells, "xxxx_to"),
  yyFrom: textIn(cells, "yy_from"),
  yyTo: textIn(cells, "yy_to"),
  yearFrom: numberIn(cells, "year_p05") ?? 0,
  yearTo: numberIn(cells, "year_p95") ?? 0,
  sample: numberIn(cells, "sample") ?? 0,
});

const reportingBodyRowOf = (cells: Cells): ReportingBodyRow => ({
  rbi: textIn(cells, "rbi"),
  body: textIn(cells, "body"),
  origin: textIn(cells, "origin"),
  allocatesNow: textIn(cells, "allocates_now"),
});

const textIn = (cells: Cells, name: string): string => cells[name] ?? "";

const listIn = (cells: Cells, name: string): readonly string[] => {
  const text = textIn(cells, name);
  return text === "" ? [] : text.split("|");
};

function numberIn(cells: Cells, name: string): number | null {
  const text = textIn(cells, name);
  const value = Number(text);
  return text === "" || !Number.isFinite(value) ? null : value;
}

const ANSWERS = ["yes", "no", "partly"] as const;
const answerIn = (cells: Cells, name: string): Answer => wordOf(ANSWERS, textIn(cells, name)) ?? "unknown";
