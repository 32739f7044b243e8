/**
 * An operator's imports about devices over the shipped data: as columns in the database, as rows for the catalog. Its
 * TAC lists stand above the shipped ones; its lifecycle and capability rows take the place of shipped rows about the
 * same thing.
 */
import { platformOfRow } from "../../kernel/devices/capability.ts";
import { labelKey, makeOf } from "../../kernel/devices/names.ts";
import type { DatasetRef, DeviceDatasets, FactRow, LifecycleRow, TacRow } from "../../kernel/devices/rows.ts";
import { TacList } from "../../kernel/devices/tac-list.ts";
import { capabilityRowOf, factRowOf, lifecycleNameOf, lifecycleRowOf, menuRowOf } from "./devices.ts";

type DeviceKind = "tac" | "lifecycle" | "capability" | "device_facts" | "menus";
/** What is said of networks and of carriers on them (`own-networks.ts`). */
export const NETWORK_KINDS = ["mcc_mnc", "carrier_id"] as const;
export type OwnKind = DeviceKind | (typeof NETWORK_KINDS)[number];

type Columns = Readonly<Record<string, string>>;

export type OwnDataset = {
  readonly id: string;
  readonly operatorId: string;
  readonly kind: OwnKind;
  readonly name: string;
  readonly version: string;
  /** The GSMA's own list: it stands behind what the operator says itself. */
  readonly isGsma?: boolean;
  readonly rows: readonly Columns[];
  /** Of a TAC list that was packed as it was read, in the place of `rows`. */
  readonly tacs?: TacList;
};

/** `own` is of one operator, newest first. */
export function withOwnDatasets(shipped: DeviceDatasets, own: readonly OwnDataset[]): DeviceDatasets {
  const lists = own.filter(({ kind }) => kind === "tac");
  const tac = [...lists.filter(({ isGsma }) => !isGsma), ...lists.filter(({ isGsma }) => isGsma)].map(
    (set) => ({ ref: refOf(set), rows: set.tacs ?? new TacList(tacRowsOf(set)) }),
  );
  return {
    ...shipped,
    tac: [...tac, ...shipped.tac],
    lifecycle: withLifecycle(shipped.lifecycle, own),
    capability: withCapability(shipped.capability, own),
    menus: withMenus(shipped.menus, own),
    facts: withFacts(shipped.facts, own),
  };
}

const refOf = ({ kind, name, version }: OwnDataset): DatasetRef => ({ kind, name, version, isOwn: true });

function refOver(sets: readonly OwnDataset[], shipped: DatasetRef): DatasetRef {
  const refs = [...sets.map(refOf), shipped];
  return {
    kind: shipped.kind,
    name: refs.map(({ name }) => name).join(" over "),
    version: refs.map(({ version }) => version).join(" "),
  };
}

/** A shipped row of the same name goes; one of another name loses the model codes that the operator's own rows name. */
function withLifecycle(
  shipped: DeviceDatasets["lifecycle"],
  own: readonly OwnDataset[],
): DeviceDatasets["lifecycle"] {
  const sets = own.filter(({ kind }) => kind === "lifecycle");
  if (sets.length === 0) return shipped;
  const named = new Set<string>();
  const codes = new Set<string>();
  const rows: LifecycleRow[] = [];
  for (const row of sets.flatMap((set) => set.rows.map(lifecycleRowOf))) {
    if (named.has(lifecycleNameOf(row))) continue; // a newer import has said it
    named.add(lifecycleNameOf(row));
    for (const code of row.modelCodes) codes.add(codeOf(row, code));
    rows.push(row);
  }
  for (const row of shipped.rows) {
    if (named.has(lifecycleNameOf(row))) continue;
    const left = row.modelCodes.filter((code) => !codes.has(codeOf(row, code)));
    rows.push(left.length === row.modelCodes.length ? row : { ...row, modelCodes: left });
  }
  return { ref: refOver(sets, shipped.ref), rows };
}

const codeOf = ({ make }: Pick<LifecycleRow, "make">, code: string): string =>
  `${makeOf(make)}/${code.toUpperCase()}`;

/** What the operator says of a model takes the place of all that is shipped under its name or one of its codes. */
function withFacts(shipped: DeviceDatasets["facts"], own: readonly OwnDataset[]): DeviceDatasets["facts"] {
  const sets = own.filter(({ kind }) => kind === "device_facts");
  if (sets.length === 0) return shipped;
  const keysOf = ({ make, name, modelCodes }: FactRow): readonly string[] => [
    `${makeOf(make)}/${labelKey(makeOf(make), name)}`,
    ...modelCodes.map((code) => codeOf({ make }, code)),
  ];
  const rows: FactRow[] = [];
  const said = new Set<string>();
  const isSaid = (row: FactRow): boolean => keysOf(row).some((key) => said.has(key));
  for (const row of sets.flatMap((set) => set.rows.map((row) => ({ ...factRowOf(row), isOwn: true })))) {
    if (isSaid(row)) continue; // a newer import has said it
    for (const key of keysOf(row)) said.add(key);
    rows.push(row);
  }
  return { ref: refOver(sets, shipped.ref), rows: [...rows, ...shipped.rows.filter((row) => !isSaid(row))] };
}

/** What the operator says of a make on a platform takes the place of all that is shipped about the two. */
function withCapability(
  shipped: DeviceDatasets["capability"],
  own: readonly OwnDataset[],
): DeviceDatasets["capability"] {
  const sets = own.filter(({ kind }) => kind === "capability");
  if (sets.length === 0) return shipped;
  const keyOf = (row: (typeof shipped.rows)[number]) => `${row.make}/${platformOfRow(row)}/${row.chipset}`;
  const rows = sets.flatMap((set) => set.rows.map(capabilityRowOf));
  const said = new Set(rows.map(keyOf));
  return {
    ref: refOver(sets, shipped.ref),
    rows: [...rows, ...shipped.rows.filter((row) => !said.has(keyOf(row)))],
  };
}

/** What the operator says of a make's menus stands before all that is shipped about it. */
function withMenus(shipped: DeviceDatasets["menus"], own: readonly OwnDataset[]): DeviceDatasets["menus"] {
  const sets = own.filter(({ kind }) => kind === "menus");
  if (sets.length === 0) return shipped;
  return {
    ref: refOver(sets, shipped.ref),
    rows: [...sets.flatMap((set) => set.rows.map(menuRowOf)), ...shipped.rows],
  };
}

/** The columns of data/README.md; an item of a list holds no `|`, since the parser splits there. */
export function tacColumnsOf(row: TacRow): Record<string, string> {
  const columns = {
    tac: row.tac,
    make: row.make,
    model: row.model,
    model_codes: row.modelCodes.join("|"),
    marketing_names: row.names.join("|"),
    aka: row.aka.join("|"),
    upstream_source: row.upstreamSource,
    dump: row.listedYear === null ? "" : String(row.listedYear),
    released_year: row.releasedYear === null ? "" : String(row.releasedYear),
    age_check: row.suspect ? "suspect" : "",
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== ""));
}

export const tacRowOf = (columns: Columns): TacRow => ({
  tac: columns.tac ?? "",
  make: columns.make ?? "",
  model: columns.model ?? "",
  modelCodes: listOf(columns.model_codes),
  names: listOf(columns.marketing_names),
  aka: listOf(columns.aka),
  upstreamSource: columns.upstream_source ?? "",
  listedYear: yearOf(columns.dump),
  releasedYear: yearOf(columns.released_year),
  suspect: columns.age_check === "suspect",
});

/** One after the other: they are packed, and never all there at once. */
function* tacRowsOf({ rows }: OwnDataset): Generator<TacRow> {
  for (const row of rows) yield tacRowOf(row);
}

const NONE: readonly string[] = [];
const listOf = (text: string | undefined): readonly string[] => (text ? text.split("|") : NONE);
const yearOf = (text: string | undefined): number | null => (text ? Number(text) : null);
