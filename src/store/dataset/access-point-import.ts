/**
 * Reads a file of access points that an operator brings: our own csv, Android's apns-conf.xml, GNOME's
 * serviceproviders.xml, each also gzipped. A bad row is refused with where it stands and why; the rest goes on.
 * A file that is hostile or not of its kind at all is refused whole, before a parser sees it.
 */
import {
  type AccessPoint,
  addressFaultOf,
  type DataSource,
  type MatchCriteria,
  USES,
} from "../../kernel/settings/access-point.ts";
import { parseApn } from "../../term/apn.ts";
import { TurnupError } from "../../term/error.ts";
import { decoderOf, textFormOf } from "../../wire/csv/text.ts";
import { csvRows } from "./access-point-csv.ts";
import {
  accessPointOf,
  credentialOrNull,
  isWifiOnly,
  malformedImport,
  parseAuthType,
  parseHostPort,
  parsePort,
  parseProtocol,
  parseUses,
  type Row,
  saysFalse,
  textOrNull,
  withWap,
} from "./access-point-fields.ts";
import { androidRows, gnomeRows } from "./access-point-xml.ts";
import { isGzip, unpacked } from "./gzip.ts";

const IMPORT_KINDS = ["csv", "apns-conf", "serviceproviders"] as const;
type ImportKind = (typeof IMPORT_KINDS)[number];

/** Largest file, and largest after unpacking, in octets. The largest known set has 1.3 million. */
export const IMPORT_OCTETS_MAX = 16 * 1024 * 1024;
/** Most rows of one file. */
const IMPORT_ROWS_MAX = 100_000;
/** Longest value of a field, in characters. */
const FIELD_CHARACTERS_MAX = 1024;

export type RefusedRow = { readonly where: string; readonly reason: string };
type ImportedAccessPoints = {
  readonly accessPoints: readonly AccessPoint[];
  readonly refused: readonly RefusedRow[];
};

/** How the rows are to be taken: as the operator's word, or as one more set of suggestions. */
type ImportOptions = {
  readonly ownership: AccessPoint["ownership"];
  readonly confirmed: boolean;
  readonly source: DataSource;
};

export const OPERATORS_WORD: ImportOptions = {
  ownership: "operator",
  confirmed: true,
  source: { name: "operator", version: "import", licence: "the operator's" },
};

/** A comment before the first tag may be long: licences are. */
const HEAD_OCTETS = 65_536;

/** By the first tag; anything without tags is csv. The parser checks the rest. */
export function importKindOf(octets: Uint8Array): ImportKind {
  const head = headOf(octets);
  if (!/^\ufeff?\s*</.test(head)) return "csv";
  return /<serviceproviders\b/i.test(head) ? "serviceproviders" : "apns-conf";
}

function headOf(octets: Uint8Array): string {
  try {
    const plain = isGzip(octets) ? unpacked(octets, IMPORT_OCTETS_MAX) : octets;
    return decoderOf(textFormOf(plain)).decode(plain.subarray(0, HEAD_OCTETS));
  } catch {
    return ""; // the parser says what is wrong with it
  }
}

/** @throws TurnupError `access_point_import_malformed` too large, not of its kind, or hostile */
export function parseAccessPointImport(
  bytes: Uint8Array,
  kind: ImportKind,
  options: ImportOptions = OPERATORS_WORD,
): ImportedAccessPoints {
  const accessPoints: AccessPoint[] = [];
  const refused: RefusedRow[] = [];
  for (const read of accessPointReads(bytes, kind, options)) {
    if ("reason" in read) refused.push(read);
    else accessPoints.push(read);
  }
  return { accessPoints, refused };
}

/**
 * As `parseAccessPointImport`, row by row as they are asked for.
 * @throws TurnupError `access_point_import_malformed` too large, not of its kind, or hostile
 */
export function* accessPointReads(
  bytes: Uint8Array,
  kind: ImportKind,
  options: ImportOptions,
): Generator<AccessPoint | RefusedRow> {
  const text = textOf(bytes);
  const rows = kind === "csv" ? csvRows(text) : kind === "apns-conf" ? androidRows(text) : gnomeRows(text);
  let count = 0;
  for (const { where, row } of rows) {
    if (++count > IMPORT_ROWS_MAX) throw malformedImport(`The file has more than ${IMPORT_ROWS_MAX} rows.`);
    const read = typeof row === "string" ? row : readRow(row, where, options, kind === "csv");
    yield typeof read === "string" ? { where, reason: read } : read;
  }
}

/** The access point of a row, or why there is none. */
function readRow(row: Row, where: string, options: ImportOptions, strict: boolean): AccessPoint | string {
  for (const [field, value] of Object.entries(row)) {
    if (value.length > FIELD_CHARACTERS_MAX)
      return `${field} is longer than ${FIELD_CHARACTERS_MAX} characters`;
    if (/\p{Cc}/u.test(value.trim())) return `${field} holds control characters`;
  }
  const criteria = readCriteria(row);
  if (typeof criteria === "string") return criteria;
  const authType = parseAuthType(row.auth_type);
  if (authType === undefined) return `auth_type "${row.auth_type}" is none of none, pap, chap, pap_or_chap`;
  const protocol = parseProtocol(row.protocol);
  if (protocol === undefined) return `protocol "${row.protocol}" is none of ipv4, ipv6, ipv4v6`;
  const uses = readUses(row, strict);
  if (typeof uses === "string") return uses;
  const apn = (row.apn ?? "").trim();
  const apnFault = faultOfApn(apn, uses, strict);
  if (apnFault) return apnFault;
  const mmsProxy = parseHostPort(row.mms_proxy ?? "");
  const proxy = parseHostPort(row.proxy ?? "");
  for (const field of ["mms_port", "port"] as const) {
    if ((row[field] ?? "").trim() !== "" && parsePort(row[field] ?? "") === null) {
      return `${field} "${row[field]}" is not a port (1 to 65535)`;
    }
  }
  const mmsc = textOrNull(row.mmsc);
  if (strict && uses.includes("mms") && !/^https?:\/\/\S+$/i.test(mmsc ?? "")) {
    return "an access point for mms needs mmsc, a URL with http:// or https://";
  }
  const homepage = textOrNull(row.homepage);
  const fault = addressFaultOf({ mmsc, mmsProxy: mmsProxy.host, proxy: proxy.host, homepage });
  if (fault) return `${FIELD_OF[fault.field]} ${fault.wanted}`;
  return accessPointOf({
    id: `import-${where}`,
    name: textOrNull(row.name) ?? apn,
    provider: textOrNull(row.provider),
    uses: strict ? uses : withWap(uses, `${row.name} ${apn}`, proxy.host),
    apn,
    protocol,
    authType,
    user: credentialOrNull(row.user),
    password: credentialOrNull(row.password),
    mmsc,
    mmsProxy: mmsProxy.host,
    mmsPort: parsePort(row.mms_port ?? "") ?? mmsProxy.port,
    proxy: proxy.host,
    port: parsePort(row.port ?? "") ?? proxy.port,
    homepage,
    plan: row.plan === "postpaid" || row.plan === "prepaid" ? row.plan : null,
    shown: row.hidden !== "true",
    wifiOnly: isWifiOnly(row.bearers),
    criteria,
    ...options,
  });
}

const FIELD_OF = { mmsc: "mmsc", mmsProxy: "mms_proxy", proxy: "proxy", homepage: "homepage" } as const;

function readUses(row: Row, strict: boolean): AccessPoint["uses"] | string {
  const uses = parseUses(row.use);
  if (!strict) return uses.length > 0 ? uses : `type "${row.use}" names no use that is known`;
  const words = (row.use ?? "")
    .toLowerCase()
    .split(/[|,\s]+/)
    .filter((word) => word !== "");
  if (words.length === 0) return "use is empty: internet, mms, or several parted by |";
  const known: readonly string[] = [...USES, "default"];
  const strange = words.find((word) => !known.includes(word));
  return strange ? `use "${strange}" is none of ${USES.join(", ")}` : uses;
}

/** The operator's own must be well-formed (TS 23.003 clause 9); the public sets hold old spellings such as `#777`. */
function faultOfApn(apn: string, uses: AccessPoint["uses"], strict: boolean): string | undefined {
  if (apn === "") return uses.includes("ia") && uses.length === 1 ? undefined : "apn is empty";
  if (!strict) return apn.length > 100 ? "apn is longer than 100 characters" : undefined;
  try {
    parseApn(apn);
    return undefined;
  } catch (error) {
    if (error instanceof TurnupError) return `apn "${apn}": ${error.message}`;
    throw error;
  }
}

function readCriteria(row: Row): MatchCriteria | string {
  const { mcc = "", mnc = "", gid1, spn, imsi_prefix, iccid_prefix, carrier_id } = row;
  if (!/^\d{3}$/.test(mcc)) return `mcc "${mcc}" is not 3 digits`;
  if (!/^\d{2,3}$/.test(mnc)) return `mnc "${mnc}" is not 2 or 3 digits`;
  if (gid1 && !/^[0-9a-f]+$/i.test(gid1)) return `gid1 "${gid1}" is not hexadecimal`;
  if (imsi_prefix && !/^[\dx]{1,15}$/i.test(imsi_prefix))
    return "imsi_prefix is not digits (x stands for any)";
  if (iccid_prefix && !/^\d{1,20}$/.test(iccid_prefix)) return "iccid_prefix is not digits";
  if (carrier_id && !/^-?\d{1,9}$/.test(carrier_id)) return `carrier_id "${carrier_id}" is not a number`;
  return {
    mcc,
    mnc,
    ...(gid1 ? { gid1 } : {}),
    ...(spn ? { spn } : {}),
    ...(imsi_prefix ? { imsiPrefix: imsi_prefix } : {}),
    ...(iccid_prefix ? { iccidPrefix: iccid_prefix } : {}),
    ...(carrier_id ? { carrierId: Number(carrier_id) } : {}),
    ...(row.whole_network && !saysFalse(row.whole_network) ? { wholeNetwork: true } : {}),
  };
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > IMPORT_OCTETS_MAX)
    throw malformedImport(`The file has more than ${IMPORT_OCTETS_MAX} octets.`);
  let plain = bytes;
  if (isGzip(bytes)) {
    try {
      plain = unpacked(bytes, IMPORT_OCTETS_MAX);
    } catch (cause) {
      throw malformedImport(`The gzip is broken or unpacks to more than ${IMPORT_OCTETS_MAX} octets.`, cause);
    }
  }
  const form = textFormOf(plain);
  try {
    return form === "utf-8"
      ? new TextDecoder("utf-8", { fatal: true }).decode(plain)
      : decoderOf(form).decode(plain);
  } catch (cause) {
    throw malformedImport("The text is not UTF-8.", cause);
  }
}
