/**
 * Reads a file of access points that an operator brings: our own csv, Android's apns-conf.xml, GNOME's
 * serviceproviders.xml, each also gzipped. A bad row is refused with where it stands and why; the rest goes on.
 * A file that is hostile or not of its kind at all is refused whole, before a parser sees it.
 */
import { parse } from "csv-parse/sync";
import { XMLParser } from "fast-xml-parser";
import {
  type AccessPoint,
  addressFaultOf,
  type DataSource,
  type MatchCriteria,
  USES,
} from "../../kernel/settings/access-point.ts";
import { parseApn } from "../../term/apn.ts";
import { TurnupError } from "../../term/error.ts";
import { membersOf } from "../../term/narrow.ts";
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
  saysFalse,
  textOrNull,
  withWap,
} from "./access-point-fields.ts";
import { isGzip, unpacked } from "./gzip.ts";

const IMPORT_KINDS = ["csv", "apns-conf", "serviceproviders"] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

/** Largest file, and largest after unpacking, in octets. The largest known set has 1.3 million. */
export const IMPORT_OCTETS_MAX = 16 * 1024 * 1024;
/** Most rows of one file. */
const IMPORT_ROWS_MAX = 100_000;
/** Deepest XML that is read; apns-conf has 2 levels, serviceproviders 6. */
const XML_DEPTH_MAX = 16;
/** Longest value of a field, in characters. */
const FIELD_CHARACTERS_MAX = 1024;

type RefusedRow = { readonly where: string; readonly reason: string };
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

/** @throws TurnupError `access_point_import_malformed` too large, not of its kind, or hostile */
export function parseAccessPointImport(
  bytes: Uint8Array,
  kind: ImportKind,
  options: ImportOptions = OPERATORS_WORD,
): ImportedAccessPoints {
  const text = textOf(bytes);
  const rows = kind === "csv" ? csvRows(text) : kind === "apns-conf" ? androidRows(text) : gnomeRows(text);
  const accessPoints: AccessPoint[] = [];
  const refused: RefusedRow[] = [];
  let count = 0;
  for (const { where, row } of rows) {
    if (++count > IMPORT_ROWS_MAX) throw malformed(`The file has more than ${IMPORT_ROWS_MAX} rows.`);
    const read = readRow(row, where, options, kind === "csv");
    if (typeof read === "string") refused.push({ where, reason: read });
    else accessPoints.push(read);
  }
  return { accessPoints, refused };
}

const malformed = (message: string, cause?: unknown) =>
  new TurnupError("access_point_import_malformed", message, {
    cause,
    nextStep: "See data/apn-README.md for the three forms.",
  });

/** The one shape the three forms are brought to; every value is text as it stood. */
type Row = Readonly<Partial<Record<RowField, string>>>;
type RowField =
  | "mcc"
  | "mnc"
  | "gid1"
  | "spn"
  | "imsi_prefix"
  | "iccid_prefix"
  | "carrier_id"
  | "whole_network"
  | "name"
  | "provider"
  | "use"
  | "apn"
  | "protocol"
  | "auth_type"
  | "user"
  | "password"
  | "mmsc"
  | "mms_proxy"
  | "mms_port"
  | "proxy"
  | "port"
  | "homepage"
  | "plan"
  | "hidden"
  | "bearers";
type PlacedRow = { readonly where: string; readonly row: Row };

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

function* csvRows(text: string): Generator<PlacedRow> {
  let records: {
    readonly record: Readonly<Record<string, string>>;
    readonly info: { readonly lines: number };
  }[];
  try {
    records = parse(text, {
      columns: (heads: string[]) => heads.map((head) => head.trim().toLowerCase()),
      bom: true,
      info: true,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: 64 * 1024,
      to: IMPORT_ROWS_MAX + 1,
    });
  } catch (cause) {
    throw malformed(`The file is not CSV: ${cause instanceof Error ? cause.message : String(cause)}.`, cause);
  }
  const first = records[0]?.record;
  const missing = ["mcc", "mnc", "use", "apn"].filter((head) => first !== undefined && !(head in first));
  if (missing.length > 0) throw malformed(`The header lacks ${missing.join(", ")}.`);
  for (const { record, info } of records) {
    const row = Object.fromEntries(Object.entries(record).map(([head, value]) => [head, value.trim()]));
    yield { where: `line ${info.lines}`, row };
  }
}

type XmlNode = Readonly<Record<string, unknown>>;

function* androidRows(text: string): Generator<PlacedRow> {
  const root = parseXml(text).apns;
  if (root === undefined) throw malformed("The file has no <apns>: this is not an apns-conf.xml.");
  let at = 0;
  for (const apn of nodesOf(nodeOf(root).apn)) {
    const of = (name: string) => attribute(apn, name);
    const sign = { gid: "gid1", spn: "spn", imsi: "imsi_prefix", iccid: "iccid_prefix" }[
      of("mvno_type").toLowerCase()
    ];
    yield {
      where: `apns/apn[${++at}]`,
      row: {
        mcc: of("mcc"),
        mnc: of("mnc"),
        carrier_id: of("carrier_id"),
        name: of("carrier"),
        use: of("type"),
        apn: of("apn"),
        protocol: of("protocol"),
        auth_type: of("authtype"),
        user: of("user"),
        password: of("password"),
        mmsc: of("mmsc"),
        mms_proxy: of("mmsproxy"),
        mms_port: of("mmsport"),
        proxy: of("proxy"),
        port: of("port"),
        homepage: homepageOf(of("server")) ?? "",
        hidden: String(!isOffered(of("user_visible"), of("carrier_enabled"))),
        bearers: of("bearer_bitmask").replaceAll("|", ","),
        ...(sign && of("mvno_match_data") ? { [sign]: of("mvno_match_data") } : {}),
      },
    };
  }
}

/** One row for each network of a provider's access point. */
function* gnomeRows(text: string): Generator<PlacedRow> {
  const root = parseXml(text).serviceproviders;
  if (root === undefined)
    throw malformed("The file has no <serviceproviders>: this is not a serviceproviders.xml.");
  for (const country of nodesOf(nodeOf(root).country)) {
    for (const provider of nodesOf(country.provider)) {
      const providerName = textIn(provider.name);
      for (const gsm of nodesOf(provider.gsm)) {
        const networks = nodesOf(gsm["network-id"]);
        const gid1 = attribute(nodesOf(gsm["gid1-id"])[0] ?? {}, "value") || textIn(gsm.gid1);
        let at = 0;
        for (const apn of nodesOf(gsm.apn)) {
          const path = `country[${attribute(country, "code")}]/provider[${providerName}]/apn[${++at}]`;
          const row = { ...gnomeRow(apn, providerName), ...(gid1 ? { gid1 } : {}) };
          for (const network of networks) {
            yield {
              where: path,
              row: { ...row, mcc: attribute(network, "mcc"), mnc: attribute(network, "mnc") },
            };
          }
        }
      }
    }
  }
}

function gnomeRow(apn: XmlNode, provider: string): Row {
  const mmsc = textIn(apn.mmsc);
  const usages = nodesOf(apn.usage).flatMap((usage) => attribute(usage, "type").split("-"));
  const plans = nodesOf(apn.plan).map((plan) => attribute(plan, "type"));
  return {
    name: textIn(apn.name) || provider,
    provider,
    use: [...usages, ...(mmsc !== "" && usages.length > 0 && !usages.includes("mms") ? ["mms"] : [])].join(
      "|",
    ),
    apn: attribute(apn, "value"),
    auth_type: attribute(nodesOf(apn.authentication)[0] ?? {}, "method"),
    user: textIn(apn.username),
    password: textIn(apn.password),
    mmsc,
    mms_proxy: textIn(apn.mmsproxy),
    plan: planOf(plans) ?? "",
  };
}

const ATTRIBUTE = "@";

/** The parser gets no DOCTYPE, so it can meet no entity but the five of XML itself and character references. */
function parseXml(text: string): XmlNode {
  const bare = withoutDoctype(text);
  guardDepth(bare);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: ATTRIBUTE,
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: true,
    maxNestedTags: XML_DEPTH_MAX + 1,
  });
  try {
    return nodeOf(parser.parse(bare, true));
  } catch (cause) {
    throw malformed(
      `The file is not well-formed XML: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    );
  }
}

/** GNOME's file names its DTD and nothing more. An internal subset, and so any entity, is refused. */
function withoutDoctype(text: string): string {
  if (/<!ENTITY/i.test(text)) throw malformed("The XML declares entities.");
  const at = text.search(/<!DOCTYPE/i);
  if (at < 0) return text;
  const end = text.indexOf(">", at);
  const doctype = end < 0 ? "[" : text.slice(at, end);
  if (doctype.includes("[")) throw malformed("The XML has a DOCTYPE with declarations of its own.");
  return text.slice(0, at) + text.slice(end + 1);
}

/** Counts open tags without building anything; comments and CDATA are passed over. */
function guardDepth(text: string): void {
  let depth = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) {
    const passed = text.startsWith("<!--", at) ? "-->" : text.startsWith("<![CDATA[", at) ? "]]>" : ">";
    const end = text.indexOf(passed, at);
    if (end < 0) throw malformed("The XML ends inside a tag.");
    const mark = text[at + 1];
    if (mark === "/") depth--;
    else if (mark !== "!" && mark !== "?" && text[end - 1] !== "/") depth++;
    if (depth > XML_DEPTH_MAX) throw malformed(`The XML is nested deeper than ${XML_DEPTH_MAX} levels.`);
    at = end;
  }
}

const nodeOf = (value: unknown): XmlNode => membersOf(value);

const nodesOf = (value: unknown): XmlNode[] =>
  value === undefined ? [] : (Array.isArray(value) ? value : [value]).map(nodeOf);

function attribute(node: XmlNode, name: string): string {
  const value = Object.hasOwn(node, ATTRIBUTE + name) ? node[ATTRIBUTE + name] : undefined;
  return typeof value === "string" ? value : "";
}

/** The text of an element, of the first where it stands in several languages. */
function textIn(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === "string") return first;
  const text = nodeOf(first)["#text"];
  return typeof text === "string" ? text : "";
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > IMPORT_OCTETS_MAX)
    throw malformed(`The file has more than ${IMPORT_OCTETS_MAX} octets.`);
  let plain = bytes;
  if (isGzip(bytes)) {
    try {
      plain = unpacked(bytes, IMPORT_OCTETS_MAX);
    } catch (cause) {
      throw malformed(`The gzip is broken or unpacks to more than ${IMPORT_OCTETS_MAX} octets.`, cause);
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (cause) {
    throw malformed("The text is not UTF-8.", cause);
  }
}
