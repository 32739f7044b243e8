/** Access points in csv: our own columns, and those of the sets that are shipped, so that what was exported can be brought. */
import { entriesOf } from "../../term/record.ts";
import { plainText } from "../../term/spreadsheet.ts";
import { type CsvRecord, csvRecords, separatorOf } from "../../wire/csv/csv.ts";
import {
  homepageOf,
  isOffered,
  malformedImport,
  type PlacedRow,
  type Row,
  type RowField,
} from "./access-point-fields.ts";

/** Columns of apn-lineage and apn-gnome, and what ours are called. */
const OTHER_NAMES: Readonly<Record<string, RowField>> = {
  carrier: "name",
  type: "use",
  usage: "use",
  authtype: "auth_type",
  auth: "auth_type",
  mmsproxy: "mms_proxy",
  mmsport: "mms_port",
};
/** What an MVNO is told by in apn-lineage. */
const SIGNS: Readonly<Record<string, RowField>> = {
  gid: "gid1",
  spn: "spn",
  imsi: "imsi_prefix",
  iccid: "iccid_prefix",
};
const NEEDED = ["mcc", "mnc", "use", "apn"];
/** Numbers that are names: a spreadsheet may have kept or lost their zeros. */
const NUMBERS: readonly string[] = ["mcc", "mnc", "imsi_prefix", "iccid_prefix", "carrier_id"];

/** @throws TurnupError `access_point_import_malformed` the header lacks a column */
export function* csvRows(text: string): Generator<PlacedRow> {
  let header: readonly string[] | undefined;
  let isShippedForm = false;
  for (const record of csvRecords(text, separatorOf(text))) {
    if (!header) {
      const heads = record.cells.map((head) => head.trim().toLowerCase());
      isShippedForm = !heads.includes("use") && (heads.includes("type") || heads.includes("usage"));
      header = heads.map((head) =>
        isShippedForm && Object.hasOwn(OTHER_NAMES, head) ? (OTHER_NAMES[head] ?? head) : head,
      );
      const missing = NEEDED.filter((head) => !header?.includes(head));
      if (missing.length > 0) throw malformedImport(`The header lacks ${missing.join(", ")}.`);
      continue;
    }
    const row = cellsOf(header, record);
    const where = `line ${record.line}`;
    yield { where, row: typeof row === "string" ? row : isShippedForm ? ownForm(row) : row };
  }
  if (!header) throw malformedImport("The file is empty.");
}

function cellsOf(header: readonly string[], { cells, fault }: CsvRecord): Record<string, string> | string {
  if (fault) return fault;
  if (cells.length > header.length) return `has ${cells.length} cells, the header has ${header.length}`;
  const row: Record<string, string> = {};
  for (const [at, head] of header.entries()) {
    const cell = (cells[at] ?? "").trim();
    row[head] = NUMBERS.includes(head) ? plainText(cell) : cell;
  }
  return row;
}

/** A row of a shipped set: its criteria and switches are written in columns of their own. */
function ownForm({ mvno_type: type = "", mvno_match_data: data = "", ...row }: Record<string, string>): Row {
  const sign = Object.hasOwn(SIGNS, type.toLowerCase()) ? SIGNS[type.toLowerCase()] : undefined;
  const [plan = ""] = entriesOf({ postpaid: "", prepaid: "" })
    .map(([name]) => name)
    .filter((name) => (row.plan ?? "").split("|").includes(name));
  return {
    ...row,
    plan,
    homepage: homepageOf(row.server) ?? row.homepage ?? "",
    hidden: String(!isOffered(row.user_visible, row.carrier_enabled)),
    bearers: (row.bearer_bitmask ?? "").replaceAll("|", ","),
    use: (row.use ?? "").replaceAll("-", "|"),
    ...(sign && data ? { [sign]: data } : {}),
  };
}
