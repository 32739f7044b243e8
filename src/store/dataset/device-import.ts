/**
 * What an operator brings beside TAC lists: when support of a model ends, which settings protocols a platform takes, who runs a
 * network and how a carrier's SIMs are told, as csv with the columns of data/README.md. A bad row is refused with its line and reason and the rest
 * goes on; a column that nobody reads is named, so that a misspelt one is not lost in silence.
 */
import { MODEL_CLASSES } from "../../kernel/devices/device-class.ts";
import { SETTINGS_FORMS } from "../../kernel/devices/form-names.ts";
import { isCalendarDay } from "../../term/calendar.ts";
import { TurnupError } from "../../term/error.ts";
import { type CsvRecord, csvRecords, type Separator, separatorOf } from "../../wire/csv/csv.ts";
import type { DatasetRow } from "./dataset-store.ts";
import { isProductFile, readProductFile } from "./endoflife.ts";
import type { OwnKind } from "./own-devices.ts";
import type { RefusedRow } from "./tac-import.ts";

/** Kinds whose rows are columns by name. */
type RowKind = Exclude<OwnKind, "tac">;

type RowsImport = {
  readonly rows: readonly DatasetRow[];
  /** The first `REFUSED_KEPT_MAX`. */
  readonly refused: readonly RefusedRow[];
  readonly refusedCount: number;
  /** What the file holds that is not read, or was read on a hint; clauses. */
  readonly warnings: readonly string[];
};

const REFUSED_KEPT_MAX = 10_000;
const CELL_CHARACTERS_MAX = 4_096;

/** Why a cell is not taken, or undefined. */
type Rule = (cell: string) => string | undefined;
type Columns = Readonly<Record<string, { readonly isNeeded?: boolean; readonly rule?: Rule }>>;

const matching =
  (pattern: RegExp, wanted: string): Rule =>
  (cell) =>
    pattern.test(cell) ? undefined : `is not ${wanted}`;
/** Handsets were sold from 1983 on; nobody has promised anything for a year beyond these. */
const YEARS = { from: 1983, to: 2100 } as const;
/** Of that form, of the calendar where it is a whole day or month, and of a year that can be. */
const dated =
  (pattern: RegExp, wanted: string): Rule =>
  (cell) => {
    const fault = matching(pattern, wanted)(cell);
    if (fault || !/^\d{4}/.test(cell)) return fault;
    if (cell.length > 4 && !isCalendarDay(`${cell}-01`.slice(0, 10))) return "is no day of the calendar";
    const year = Number(cell.slice(0, 4));
    return year < YEARS.from || year > YEARS.to
      ? `is of the year ${year}, which cannot be (${YEARS.from} to ${YEARS.to})`
      : undefined;
  };
const DATE = dated(/^\d{4}(-\d{2}(-\d{2})?)?$/, "YYYY, YYYY-MM or YYYY-MM-DD");
const YEAR = matching(/^\d{4}$/, "a year of four digits");
const ANSWER = matching(/^(yes|no|partly|unknown)$/, "yes, no, partly or unknown");

const LIFECYCLE: Columns = {
  make: { isNeeded: true },
  label: { isNeeded: true },
  family: {},
  form: {},
  released: { rule: DATE },
  os_updates_end: {
    rule: dated(/^(\d{4}-\d{2}-\d{2}|ended|running|true|false)$/i, "YYYY-MM-DD, ended or running"),
  },
  security_updates_end: {
    rule: dated(/^(\d{4}(-\d{2}-\d{2})?|true|false)$/i, "YYYY, YYYY-MM-DD, true (has ended) or false"),
  },
  status: { rule: matching(/^(ended|supported)$/, "ended or supported") },
  end_date_quality: {},
  model_codes: {},
  source_url: {},
};
const CAPABILITY: Columns = {
  make: { isNeeded: true },
  os: { isNeeded: true },
  chipset: {},
  from_year: { rule: YEAR },
  to_year: { rule: YEAR },
  oma_cp: { rule: ANSWER },
  nokia_ericsson_ota: { rule: ANSWER },
  apple_mobileconfig: { rule: ANSWER },
  android_enterprise_apn: { rule: ANSWER },
  wap_push: { rule: matching(/^(si|sl|bookmark|no|unknown)$/, "si, sl, bookmark, no or unknown") },
  device_key: { rule: ANSWER },
  settings_form: {
    rule: matching(new RegExp(`^(${SETTINGS_FORMS.join("|")})$`), SETTINGS_FORMS.join(", ")),
  },
  native_apn_db: {},
  note: {},
  evidence: {},
};
/** A row gives one of these at least. */
const CAPABILITY_ANSWERS = [
  "oma_cp",
  "nokia_ericsson_ota",
  "apple_mobileconfig",
  "android_enterprise_apn",
  "wap_push",
  "settings_form",
  "device_key",
];
const VERSION = matching(/^\d{1,2}$/, "a major version");
const MENUS: Columns = {
  system: { isNeeded: true, rule: matching(/^(android|ios)$/, "android or ios") },
  make: { isNeeded: true },
  from: { rule: VERSION },
  to: { rule: VERSION },
  path_en: { isNeeded: true },
  add_en: { isNeeded: true },
  path_de: {},
  add_de: {},
  evidence: { rule: matching(/^(seen|general)$/, "seen or general") },
  source: {},
};
const USES = matching(/^(internet|mms|wap)(\|(internet|mms|wap))*$/, "internet, mms and wap, parted by |");
const FACTS: Columns = {
  make: { isNeeded: true },
  name: { isNeeded: true },
  model_codes: {},
  released: { rule: DATE },
  form: { rule: matching(new RegExp(`^(${MODEL_CLASSES.join("|")})$`), MODEL_CLASSES.join(", ")) },
  networks: {},
  bands: {},
  soc: {},
  camera: {},
  screen_px: { rule: matching(/^\d{1,5}x\d{1,5}$/, "WIDTHxHEIGHT in pixels") },
  screen_inch: { rule: matching(/^\d{1,2}(\.\d{1,2})?$/, "inches") },
  blocked_access_points: { rule: USES },
  blocked_source: {},
};
/** Columns of the shipped lifecycle file that the program does not read. */
const KNOWN_UNUSED = ["key", "discontinued", "os_versions", "dataset", "codename"];

/** What the cells say of the end together, with true and false as endoflife.date means them: has ended, has not. */
function lifecycleOf(body: Body): Body | string {
  const { security_updates_end: said = "", os_updates_end: os = "", ...rest } = body;
  const flag = /^(true|false)$/i.test(said) ? said.toLowerCase() === "true" : undefined;
  const flagged = flag === undefined ? undefined : flag ? "ended" : "supported";
  const status = rest.status ?? flagged;
  if (flagged && status !== flagged) return `security_updates_end says ${flagged} and status ${status}`;
  const system = /^true$/i.test(os) ? "ended" : /^false$/i.test(os) ? "running" : os;
  const end = flagged ? "" : said;
  if (!end && !system && !status)
    return "says nothing of the end of support: give security_updates_end, os_updates_end or status";
  for (const [name, day] of [
    ["security_updates_end", end],
    ["os_updates_end", system],
  ] as const) {
    if (/^\d/.test(day) && rest.released && isBefore(day, rest.released))
      return `${name} ${day} is before released ${rest.released}`;
  }
  return {
    ...rest,
    ...(end ? { security_updates_end: end } : {}),
    ...(system ? { os_updates_end: system } : {}),
    ...(status ? { status } : {}),
    ...(flagged && !rest.end_date_quality ? { end_date_quality: "flag-only" } : {}),
  };
}

/** Whether all of one date lies before all of the other; a year or month alone is any of its days. */
const isBefore = (end: string, start: string): boolean =>
  end.slice(0, start.length) < start.slice(0, end.length);

const capabilityOf = (body: Body): Body | string =>
  CAPABILITY_ANSWERS.some((name) => body[name])
    ? body
    : `names no settings protocol and no device_key: give ${CAPABILITY_ANSWERS.slice(0, -1).join(", ")} or ${CAPABILITY_ANSWERS.at(-1)}`;

const factsOf = (body: Body): Body | string =>
  body.blocked_access_points && !body.blocked_source
    ? "says that access points are blocked and not who says so: give blocked_source"
    : body;

/** Digits that a spreadsheet takes for a number lose the zero in front: `01` is not `1`, and is not guessed. */
const MNC = matching(/^\d{2,3}$/, "2 or 3 digits; a zero in front counts");
const NETWORKS: Columns = {
  mcc: { isNeeded: true, rule: matching(/^\d{3}$/, "3 digits") },
  mnc: { isNeeded: true, rule: MNC },
  country: { rule: matching(/^[A-Z]{2}(\/[A-Z]{2})*$/, "of two capital letters, as ISO 3166 has it") },
  country_name: {},
  brand: {},
  operator: {},
  status: {},
  type: {},
  bands: {},
  notes: {},
};
const networkSaid = (body: Body): Body | string =>
  ["country", "brand", "operator", "status", "bands"].some((name) => body[name])
    ? body
    : "says nothing of the network: give country, brand, operator, status or bands";

const listed = (one: string, wanted: string): Rule => matching(new RegExp(`^${one}(\\|${one})*$`), wanted);
const CARRIERS: Columns = {
  carrier_id: { rule: matching(/^\d{1,9}$/, "a number of the list of carriers") },
  name: { isNeeded: true },
  parent_id: { rule: matching(/^\d{1,9}$/, "a number of the list of carriers") },
  mccmnc: { isNeeded: true, rule: listed("\\d{5,6}", "networks of 5 or 6 digits, parted by |") },
  spn: {},
  imsi_prefix: { rule: listed("[\\dxX]{5,15}", "digits of an IMSI, x for any, parted by |") },
  gid1: { rule: listed("[\\da-fA-F]{1,40}", "hexadecimal digits, parted by |") },
  gid2: { rule: listed("[\\da-fA-F]{1,40}", "hexadecimal digits, parted by |") },
  iccid_prefix: { rule: listed("\\d{1,20}", "digits of an ICCID, parted by |") },
  plmn: { rule: listed("\\d{5,6}", "networks of 5 or 6 digits, parted by |") },
  preferred_apn: {},
};

/** Where makers' menus hide their access points: the path by `>`. */
const SHAPES: Readonly<Record<RowKind, { readonly columns: Columns; readonly judge: Judge }>> = {
  lifecycle: { columns: LIFECYCLE, judge: lifecycleOf },
  capability: { columns: CAPABILITY, judge: capabilityOf },
  menus: { columns: MENUS, judge: (body) => body },
  device_facts: { columns: FACTS, judge: factsOf },
  mcc_mnc: { columns: NETWORKS, judge: networkSaid },
  carrier_id: { columns: CARRIERS, judge: (body) => body },
};

/** Whether a file that begins so can be read as a whole alone: a product file of endoflife.date, a JSON list of models. */
export const isReadWhole = (kind: RowKind, head: string): boolean =>
  (kind === "lifecycle" && isProductFile(head)) || (kind === "device_facts" && /^\ufeff?\s*\[/.test(head));

/**
 * A file that `isReadWhole`: a product file (YAML or JSON), whose make is `make` or what the file says; a JSON list of objects with the
 * columns' names, whose lists may be lists.
 * @throws TurnupError `dataset_malformed`: nobody says the make, or the JSON is no list of objects
 */
export function openWhole(kind: RowKind, text: string, make?: string): RowsFile {
  const { columns, judge } = SHAPES[kind];
  if (kind !== "lifecycle") return openRows(kind, csvOfJson(text));
  const product = readProductFile(text, make);
  const [header, ...records] = product.records;
  if (!header) throw empty();
  const { read } = rowReaderOf(header, columns, judge);
  return { reads: records.map(read), warnings: product.warnings };
}

/**
 * How each record of a csv file is read.
 * @param head the file's first lines, or all of it
 * @throws TurnupError `dataset_malformed`: the header lacks a needed column
 */
export function openRowLines(kind: RowKind, head: string): RowLines {
  const separator = separatorOf(head);
  const [first] = csvRecords(head, separator);
  if (!first) throw empty();
  const { columns, judge } = SHAPES[kind];
  return { separator, headerLine: first.line, ...rowReaderOf(first, columns, judge) };
}

/**
 * All of a list of models at once.
 * @throws TurnupError `dataset_malformed`: the header lacks a needed column, or the JSON is no list of objects
 */
export const parseModelsImport = (text: string): RowsImport =>
  collected(
    isReadWhole("device_facts", text) ? openWhole("device_facts", text) : openRows("device_facts", text),
  );

/** Each object a line: what is wrong with one is told by the line that it would have. */
function csvOfJson(text: string): string {
  const malformed = (cause?: unknown) =>
    new TurnupError("dataset_malformed", "The file is no JSON list of objects.", { cause });
  let list: unknown;
  try {
    list = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw malformed(cause);
  }
  if (!Array.isArray(list)) throw malformed();
  const names = Object.keys(FACTS);
  const cellOf = (value: unknown): string =>
    Array.isArray(value) ? value.join("|") : value === undefined || value === null ? "" : String(value);
  const quoted = (cell: string): string => `"${cell.replaceAll('"', '""').replace(/[\r\n]+/g, " ")}"`;
  const lines = list.map((one: unknown) => {
    if (typeof one !== "object" || one === null || Array.isArray(one)) throw malformed();
    const members = new Map(Object.entries(one));
    return names.map((name) => quoted(cellOf(members.get(name)))).join(",");
  });
  return [names.join(","), ...lines].join("\n");
}

type Body = DatasetRow["body"];

/** The row as it is kept, or why it is refused. */
type Judge = (body: Body) => Body | string;

/** A file whose header was read: its rows come as they are asked for, each with its line, or why it is none. */
type RowsFile = {
  readonly reads: Iterable<RowRead>;
  readonly warnings: readonly string[];
};
export type RowRead = { readonly line: number } & ({ readonly body: Body } | { readonly refused: string });

function openRows(kind: RowKind, text: string): RowsFile {
  const { separator, headerLine, read, warnings } = openRowLines(kind, text);
  function* reads(): Generator<RowRead> {
    for (const record of csvRecords(text, separator)) if (record.line > headerLine) yield read(record);
  }
  return { reads: reads(), warnings };
}

const empty = (): TurnupError => new TurnupError("dataset_malformed", "The file is empty.");

type RowReader = { readonly warnings: readonly string[]; read(record: CsvRecord): RowRead };
/** Of a csv file whose header was read. */
type RowLines = RowReader & { readonly separator: Separator; readonly headerLine: number };

function rowReaderOf({ cells: names }: CsvRecord, columns: Columns, judge: Judge): RowReader {
  const header = headerOf(names, columns);
  const unused = header.filter((name) => !Object.hasOwn(columns, name) && !KNOWN_UNUSED.includes(name));
  const warnings = unused.length > 0 ? [`columns that nobody reads: ${unused.join(", ")}`] : [];
  const read = ({ line, fault, cells }: CsvRecord): RowRead => {
    const found = fault ?? bodyOf(header, cells, columns);
    const body = typeof found === "string" ? found : judge(found);
    return typeof body === "string" ? { line, refused: body } : { line, body };
  };
  return { warnings, read };
}

/** All of it at once. */
function collected({ reads, warnings }: RowsFile): RowsImport {
  const rows: DatasetRow[] = [];
  const refused: RefusedRow[] = [];
  let refusedCount = 0;
  for (const read of reads) {
    if ("body" in read) rows.push(read);
    else if (++refusedCount <= REFUSED_KEPT_MAX) refused.push({ line: read.line, reason: read.refused });
  }
  return { rows, refused, refusedCount, warnings };
}

function headerOf(cells: readonly string[], columns: Columns): readonly string[] {
  const header = cells.map((cell) => cell.trim().toLowerCase());
  const needed = Object.keys(columns).filter((name) => columns[name]?.isNeeded);
  const missing = needed.filter((name) => !header.includes(name));
  if (missing.length === 0) return header;
  throw new TurnupError("dataset_malformed", `The header lacks ${missing.join(" and ")}.`, {
    nextStep: `The columns are ${Object.keys(columns).join(", ")}; data/README.md describes them.`,
  });
}

/** The columns that are read and not empty, or why the row is refused. */
function bodyOf(header: readonly string[], cells: readonly string[], columns: Columns): Body | string {
  if (cells.length > header.length) return `has ${cells.length} cells, the header has ${header.length}`;
  const body: Record<string, string> = {};
  for (const [at, name] of header.entries()) {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
    const cell = (cells[at] ?? "").trim();
    if (!column) continue;
    if (cell === "") {
      if (column.isNeeded) return `${name} is empty`;
      continue;
    }
    if (cell.length > CELL_CHARACTERS_MAX) return `${name} is longer than ${CELL_CHARACTERS_MAX} characters`;
    const fault = column.rule?.(cell);
    if (fault) return `${name} ${fault}`;
    body[name] = cell;
  }
  return body;
}
