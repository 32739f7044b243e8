/**
 * The device knowledge as rows, each set with the data set it came from, so that every answer can name its source.
 * Where rows come from (shipped files, an operator's import, tables) is not known here; columns: data/README.md.
 */

import type { SettingsForm } from "./form-names.ts";
import type { PhoneMenuRow } from "./phone-menus.ts";

/** One version of one source. */
export type DatasetRef = {
  readonly kind: string;
  readonly name: string;
  /** Short digest of the file, so that two imports of one list can be told apart. */
  readonly version: string;
  /** An operator's own import: stands above the shipped lists. */
  readonly isOwn?: boolean;
};

export type Dataset<Row> = { readonly ref: DatasetRef; readonly rows: readonly Row[] };

export type TacRow = {
  readonly tac: string;
  readonly make: string;
  /** As the list writes it; empty in lists that give codes and names only. */
  readonly model: string;
  /** Model codes: of the whole family where the list does not know better. */
  readonly modelCodes: readonly string[];
  /** Marketing names. */
  readonly names: readonly string[];
  /** Other names and codes of the model or its variants. */
  readonly aka: readonly string[];
  /** The older list that the row was copied from. */
  readonly upstreamSource: string;
  /** Year of the list's own state, where it is not of today; a TAC in it was given out by then. */
  readonly listedYear: number | null;
  readonly releasedYear: number | null;
  /** The number and the release year cannot both be right. */
  readonly suspect: boolean;
};

export type LifecycleRow = {
  readonly make: string;
  readonly family: string;
  readonly form: string;
  readonly label: string;
  /** YYYY, YYYY-MM or YYYY-MM-DD; empty where not known. */
  readonly released: string;
  /** ISO date, `ended`, `running` or empty. */
  readonly osUpdatesEnd: string;
  /** YYYY or ISO date, or empty. */
  readonly securityUpdatesEnd: string;
  /** As of the snapshot of the data set. */
  readonly status: string;
  readonly endDateQuality: string;
  readonly modelCodes: readonly string[];
  readonly sourceUrl: string;
};

export type SupportPolicyRow = {
  readonly make: string;
  readonly family: string;
  readonly fromYear: number | null;
  readonly toYear: number | null;
  readonly yearsMin: number;
  readonly yearsMedian: number;
  readonly yearsMax: number | null;
  readonly basis: string;
};

export type MakerExitRow = {
  readonly make: string;
  /** Holds for models released up to this year; null for all. */
  readonly releasedUntil: number | null;
  /** ISO date by which all support had ended. */
  readonly endedBy: string;
  readonly note: string;
  /** Applications whose servers were switched off for models released up to that year, and who says so. */
  readonly cutOff: readonly string[];
  readonly cutOffReleasedUntil: number | null;
  readonly cutOffSource: string;
};

export type FactRow = {
  readonly make: string;
  readonly name: string;
  readonly modelCodes: readonly string[];
  readonly released: string;
  readonly form: string;
  readonly networks: readonly string[];
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  readonly inch: number | null;
  /** `GSM 900`, `LTE 1800`; empty where the list says none. */
  readonly bands: readonly string[];
  readonly chipset: string;
  /** As the list writes it: `5 MP, autofocus`. */
  readonly camera: string;
  /** Uses whose access points the maker lets nobody set on the model, and who says so. */
  readonly blockedUses: readonly string[];
  readonly blockedSource: string;
  /** Of an operator's import: that a model is in it says nothing of its platform. */
  readonly isOwn?: boolean;
};

export type Answer = "yes" | "no" | "partly" | "unknown";

/**
 * Service Indication (WAP-167), Service Loading (WAP-168), or a bookmark of Nokia's Over The Air settings 7.0. None is signed, and
 * many phones hide or drop them.
 */
export type LinkPush = "si" | "sl" | "bookmark" | "no" | "unknown";

export type CapabilityRow = {
  readonly make: string;
  readonly os: string;
  /** First word of the chipset's name as lists of models write it; empty: any. Such a row says what the rows for any maker leave open. */
  readonly chipset: string;
  readonly fromYear: number | null;
  readonly toYear: number | null;
  readonly omaCp: Answer;
  readonly nokiaOta: Answer;
  readonly appleProfile: Answer;
  readonly androidEnterpriseApn: Answer;
  /** The WAP push that it shows or opens a link by; `unknown` goes as a text. */
  readonly linkPush: LinkPush;
  /** Whether a client on it runs a device key that comes over the air. */
  readonly deviceKey: Answer;
  /** The form in which it gets access points; null: what follows from the answers above. */
  readonly settingsForm: SettingsForm | null;
  readonly nativeApnDb: string;
  readonly note: string;
  readonly evidence: string;
};

export type AgeRuleRow = {
  readonly rbi: string;
  readonly xxxxFrom: string;
  readonly xxxxTo: string;
  readonly yyFrom: string;
  readonly yyTo: string;
  /** 5th and 95th percentile of the release years of the models in this range. */
  readonly yearFrom: number;
  readonly yearTo: number;
  readonly sample: number;
};

export type ReportingBodyRow = {
  readonly rbi: string;
  readonly body: string;
  readonly origin: string;
  readonly allocatesNow: string;
};

/** A list of TACs, which is large: packed where a server keeps it (`tac-list.ts`). */
type TacDataset = { readonly ref: DatasetRef; readonly rows: Iterable<TacRow> };

/** All that a catalog is built from. `tac` sets stand in order of trust: an operator's own import first. */
export type DeviceDatasets = {
  readonly tac: readonly TacDataset[];
  readonly lifecycle: Dataset<LifecycleRow>;
  /** ISO date of the lifecycle rows' `status`. */
  readonly lifecycleSnapshot: string;
  readonly supportPolicy: Dataset<SupportPolicyRow>;
  readonly makerExits: Dataset<MakerExitRow>;
  readonly facts: Dataset<FactRow>;
  readonly capability: Dataset<CapabilityRow>;
  /** An operator's own rows stand before those that are shipped. */
  readonly menus: Dataset<PhoneMenuRow>;
  readonly ageRules: Dataset<AgeRuleRow>;
  readonly reportingBodies: Dataset<ReportingBodyRow>;
};
