/** Access points in XML, as Android and GNOME keep them. What is hostile is refused before a parser sees it. */
import { XMLParser } from "fast-xml-parser";
import { membersOf } from "../../term/narrow.ts";
import {
  homepageOf,
  isOffered,
  malformedImport,
  type PlacedRow,
  planOf,
  type Row,
} from "./access-point-fields.ts";

/** Deepest XML that is read; apns-conf has 2 levels, serviceproviders 6. */
const XML_DEPTH_MAX = 16;

type XmlNode = Readonly<Record<string, unknown>>;

/** Android's apns-conf.xml. @throws TurnupError `access_point_import_malformed` */
export function* androidRows(text: string): Generator<PlacedRow> {
  const root = parseXml(text).apns;
  if (root === undefined) throw malformedImport("The file has no <apns>: this is not an apns-conf.xml.");
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

/** GNOME's serviceproviders.xml: one row for each network of a provider's access point. @throws TurnupError `access_point_import_malformed` */
export function* gnomeRows(text: string): Generator<PlacedRow> {
  const root = parseXml(text).serviceproviders;
  if (root === undefined)
    throw malformedImport("The file has no <serviceproviders>: this is not a serviceproviders.xml.");
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
    htmlEntities: true, // references of characters, which the parser leaves as they stand without it
    maxNestedTags: XML_DEPTH_MAX + 1,
  });
  try {
    return nodeOf(parser.parse(bare, true));
  } catch (cause) {
    throw malformedImport(
      `The file is not well-formed XML: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    );
  }
}

/** GNOME's file names its DTD and nothing more. An internal subset, and so any entity, is refused. */
function withoutDoctype(text: string): string {
  if (/<!ENTITY/i.test(text)) throw malformedImport("The XML declares entities.");
  const at = text.search(/<!DOCTYPE/i);
  if (at < 0) return text;
  const end = text.indexOf(">", at);
  const doctype = end < 0 ? "[" : text.slice(at, end);
  if (doctype.includes("[")) throw malformedImport("The XML has a DOCTYPE with declarations of its own.");
  return text.slice(0, at) + text.slice(end + 1);
}

/** Counts open tags without building anything; comments and CDATA are passed over. */
function guardDepth(text: string): void {
  let depth = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) {
    const passed = text.startsWith("<!--", at) ? "-->" : text.startsWith("<![CDATA[", at) ? "]]>" : ">";
    const end = text.indexOf(passed, at);
    if (end < 0) throw malformedImport("The XML ends inside a tag.");
    const mark = text[at + 1];
    if (mark === "/") depth--;
    else if (mark !== "!" && mark !== "?" && text[end - 1] !== "/") depth++;
    if (depth > XML_DEPTH_MAX)
      throw malformedImport(`The XML is nested deeper than ${XML_DEPTH_MAX} levels.`);
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
