/**
 * Messages of OMA Device Management 1.2 in XML and in WBXML, both ways. Children are read in any order, as real clients write them,
 * and written in that of the DTD. Source: OMA-TS-DM_RepPro 1.2.1, OMA-TS-SyncML_MetaInfo 1.2.
 */
import { DecodeError } from "../decode-error.ts";
import { decodeWbxml } from "../wbxml/decode.ts";
import { childrenOf, textOf, type WbxmlElement } from "../wbxml/element.ts";
import { encodeWbxml } from "../wbxml/encode.ts";
import { readXml } from "../xml/read.ts";
import { element, xmlText } from "../xml/tree.ts";
import { SYNCML_DM } from "./code-space.ts";
import {
  type AlertCommand,
  type Challenge,
  type Credential,
  type DmCommand,
  type DmMessage,
  GROUP_COMMANDS,
  ITEM_COMMANDS,
  type Item,
  type StatusCommand,
} from "./message.ts";

export const DM_XML_CONTENT_TYPE = "application/vnd.syncml.dm+xml";
export const DM_WBXML_CONTENT_TYPE = "application/vnd.syncml.dm+wbxml";

/** What a message may have at most: a device's is a few KiB. */
const XML_LIMITS = {
  documentOctets: 65_536,
  depth: 16,
  elements: 1_024,
  attributesOfAnElement: 4,
  attributes: 1_024,
};
const COMMANDS_MAX = 256;
const VER_DTD = "1.2";
const VER_PROTO = "DM/1.2";
const NAMESPACES: Readonly<Record<string, string>> = {
  SyncML: "SYNCML:SYNCML1.2",
  MgmtTree: "syncml:dmddf1.2",
};
const METINF = "syncml:metinf";

/** @throws TurnupError `payload_malformed`: a character that XML cannot hold */
export const encodeDmWbxml = (message: DmMessage): Uint8Array =>
  encodeWbxml(treeOfMessage(message), SYNCML_DM);

/** In UTF-8, with its namespaces. */
export const encodeDmXml = (message: DmMessage): Uint8Array => Buffer.from(xmlOfTree(treeOfMessage(message)));

/** @throws DecodeError with the offset: no WBXML of this type, beyond its limits, or elements that do not stand as the DTD says */
export const decodeDmWbxml = (bytes: Uint8Array): DmMessage => messageOf(decodeWbxml(bytes, SYNCML_DM));

/** @throws DecodeError likewise; XML that declares entities is refused */
export const decodeDmXml = (bytes: Uint8Array): DmMessage =>
  messageOf(plainTree(readXml(bytes, { doctype: true, limits: XML_LIMITS }).root));

/** The message as XML with its namespaces, for people and for peers. */
export const xmlOfDm = (bytes: Uint8Array): string => xmlOfTree(decodeWbxml(bytes, SYNCML_DM));

/** Namespaces as attributes: on the root, on a tree of nodes, and on each member of a Meta. */
function xmlOfTree(tree: WbxmlElement): string {
  const dressed = (one: WbxmlElement, isMeta: boolean): WbxmlElement => {
    const namespace = isMeta ? METINF : NAMESPACES[one.name];
    return {
      name: one.name,
      attributes: namespace === undefined ? [] : [{ name: "xmlns", value: namespace }],
      content: one.content.map((part) =>
        typeof part === "string" ? part : dressed(part, one.name === "Meta"),
      ),
    };
  };
  return xmlText(dressed(tree, false));
}

/** Without prefixes and namespaces: names are of one vocabulary. */
const plainTree = (one: WbxmlElement): WbxmlElement => ({
  name: one.name.replace(/^[^:]*:/, ""),
  attributes: one.attributes.filter(({ name }) => name !== "xmlns" && !name.startsWith("xmlns:")),
  content: one.content.map((part) => (typeof part === "string" ? part : plainTree(part))),
  ...(one.at === undefined ? {} : { at: one.at }),
});

// ---- written

const text = (name: string, value: string | number | undefined): WbxmlElement | undefined =>
  value === undefined ? undefined : element(name, {}, String(value));
const address = (name: string, uri: string | undefined, locName?: string): WbxmlElement | undefined =>
  uri === undefined ? undefined : element(name, {}, element("LocURI", {}, uri), text("LocName", locName));

function treeOfMessage(message: DmMessage): WbxmlElement {
  const { credential, maxMsgSize, maxObjSize } = message;
  const header = element(
    "SyncHdr",
    {},
    text("VerDTD", VER_DTD),
    text("VerProto", VER_PROTO),
    text("SessionID", message.sessionId),
    text("MsgID", message.msgId),
    address("Target", message.target),
    address("Source", message.source, message.sourceName),
    text("RespURI", message.respUri),
    credential &&
      element(
        "Cred",
        {},
        metaOf({ format: credential.format ?? undefined, type: credential.type }),
        text("Data", credential.data),
      ),
    metaOf({ maxMsgSize, maxObjSize }),
  );
  const body = element(
    "SyncBody",
    {},
    message.commands.map(treeOfCommand),
    message.isFinal ? element("Final") : undefined,
  );
  return element("SyncML", {}, header, body);
}

type Meta = {
  readonly format?: string | undefined;
  readonly type?: string | undefined;
  readonly mark?: string | undefined;
  readonly size?: number | undefined;
  readonly nextNonce?: string | undefined;
  readonly maxMsgSize?: number | undefined;
  readonly maxObjSize?: number | undefined;
};

function metaOf({
  format,
  type,
  mark,
  size,
  nextNonce,
  maxMsgSize,
  maxObjSize,
}: Meta): WbxmlElement | undefined {
  const members = [
    text("Format", format),
    text("Type", type),
    text("Mark", mark),
    text("Size", size),
    text("NextNonce", nextNonce),
    text("MaxMsgSize", maxMsgSize),
    text("MaxObjSize", maxObjSize),
  ].filter((one) => one !== undefined);
  return members.length === 0 ? undefined : element("Meta", {}, members);
}

const treeOfItem = (item: Item): WbxmlElement =>
  element(
    "Item",
    {},
    address("Target", item.target),
    address("Source", item.source),
    metaOf(item),
    item.data === undefined ? undefined : element("Data", {}, item.data),
    item.moreData && element("MoreData"),
  );

function treeOfCommand(command: DmCommand): WbxmlElement {
  const cmdId = text("CmdID", command.cmdId);
  switch (command.name) {
    case "Status":
      return treeOfStatus(command);
    case "Results":
      return element(
        "Results",
        {},
        cmdId,
        text("MsgRef", command.msgRef),
        text("CmdRef", command.cmdRef),
        metaOf({ format: command.format, type: command.type }),
        command.items.map(treeOfItem),
      );
    case "Alert":
      return element(
        "Alert",
        {},
        cmdId,
        text("Data", command.code),
        text("Correlator", command.correlator),
        command.items.map(treeOfItem),
      );
    case "Atomic":
    case "Sequence":
      return element(command.name, {}, cmdId, command.commands.map(treeOfCommand));
    default:
      return element(
        command.name,
        {},
        cmdId,
        metaOf({ format: command.format, type: command.type }),
        text("Correlator", command.correlator),
        command.items.map(treeOfItem),
      );
  }
}

function treeOfStatus(status: StatusCommand): WbxmlElement {
  const { challenge } = status;
  const nonce = challenge?.nextNonce;
  return element(
    "Status",
    {},
    text("CmdID", status.cmdId),
    text("MsgRef", status.msgRef),
    text("CmdRef", status.cmdRef),
    text("Cmd", status.cmd),
    status.targetRefs.map((one) => element("TargetRef", {}, one)),
    status.sourceRefs.map((one) => element("SourceRef", {}, one)),
    challenge &&
      element(
        "Chal",
        {},
        metaOf({
          format: "b64",
          type: challenge.type,
          nextNonce: nonce ? Buffer.from(nonce).toString("base64") : undefined,
        }),
      ),
    text("Data", status.code),
    status.items.map(treeOfItem),
  );
}

// ---- read

function messageOf(root: WbxmlElement): DmMessage {
  if (root.name !== "SyncML") throw misplaced(root, "as the root");
  const header = needed(root, "SyncHdr");
  const body = needed(root, "SyncBody");
  const version = textIn(header, "VerProto");
  if (version !== VER_PROTO && version !== "DM/1.1") {
    throw new DecodeError(`protocol "${(version ?? "").slice(0, 16)}", not ${VER_PROTO}`, header.at ?? 0);
  }
  const source = needed(header, "Source");
  const cred = childOf(header, "Cred");
  const commands = commandsIn(body, 0);
  return {
    sessionId: neededValue(header, "SessionID"),
    msgId: neededValue(header, "MsgID"),
    target: neededValue(needed(header, "Target"), "LocURI"),
    source: neededValue(source, "LocURI"),
    sourceName: textIn(source, "LocName"),
    respUri: textIn(header, "RespURI"),
    credential: cred && credentialOf(cred),
    maxMsgSize: numberOf(childOf(header, "Meta"), "MaxMsgSize"),
    maxObjSize: numberOf(childOf(header, "Meta"), "MaxObjSize"),
    commands,
    isFinal: childOf(body, "Final") !== undefined,
  };
}

function commandsIn(parent: WbxmlElement, depth: number): DmCommand[] {
  if (depth > 2) throw misplaced(parent, "inside a group of a group");
  const children = childrenOf(parent).filter(({ name }) => !NO_COMMANDS.includes(name));
  if (children.length > COMMANDS_MAX)
    throw new DecodeError(`more than ${COMMANDS_MAX} commands`, parent.at ?? 0);
  return children.map((one) => commandOf(one, depth));
}

const NO_COMMANDS: readonly string[] = ["Final", "CmdID", "NoResp", "Meta"];

function commandOf(one: WbxmlElement, depth: number): DmCommand {
  const cmdId = neededValue(one, "CmdID");
  if (one.name === "Status") return statusOf(one, cmdId);
  if (one.name === "Alert") return alertOf(one, cmdId);
  const meta = childOf(one, "Meta");
  const [format, type] = [textIn(meta, "Format"), textIn(meta, "Type")];
  const items = itemsOf(one);
  if (one.name === "Results") {
    return {
      name: "Results",
      cmdId,
      msgRef: textIn(one, "MsgRef"),
      cmdRef: neededValue(one, "CmdRef"),
      format,
      type,
      items,
    };
  }
  const group = GROUP_COMMANDS.find((name) => name === one.name);
  if (group) return { name: group, cmdId, commands: commandsIn(one, depth + 1) };
  const name = ITEM_COMMANDS.find((known) => known === one.name);
  if (!name) throw misplaced(one, "where a command belongs");
  return { name, cmdId, correlator: textIn(one, "Correlator"), format, type, items };
}

/** Clients leave out the reference of the header. */
function statusOf(one: WbxmlElement, cmdId: string): StatusCommand {
  const cmd = neededValue(one, "Cmd");
  const chal = childOf(one, "Chal");
  const cmdRef = textIn(one, "CmdRef") ?? (cmd === "SyncHdr" ? "0" : undefined);
  if (cmdRef === undefined) throw new DecodeError("Status without CmdRef", one.at ?? 0);
  return {
    name: "Status",
    cmdId,
    msgRef: neededValue(one, "MsgRef"),
    cmdRef,
    cmd,
    targetRefs: allOf(one, "TargetRef").map(textOf),
    sourceRefs: allOf(one, "SourceRef").map(textOf),
    challenge: chal && challengeOf(chal),
    code: codeIn(one),
    items: itemsOf(one),
  };
}

const alertOf = (one: WbxmlElement, cmdId: string): AlertCommand => ({
  name: "Alert",
  cmdId,
  // Without one it is 1200's older kin; DM knows no such alert.
  code: codeIn(one),
  correlator: textIn(one, "Correlator"),
  items: itemsOf(one),
});

function codeIn(one: WbxmlElement): number {
  const code = textIn(one, "Data") ?? "";
  if (!/^\d{1,5}$/.test(code)) throw new DecodeError(`${one.name} without a code`, one.at ?? 0);
  return Number(code);
}

const itemsOf = (one: WbxmlElement): Item[] => allOf(one, "Item").map(itemOf);

function itemOf(one: WbxmlElement): Item {
  const meta = childOf(one, "Meta");
  const data = childOf(one, "Data");
  const [tree] = data ? childrenOf(data) : [];
  return {
    target: textIn(childOf(one, "Target"), "LocURI"),
    source: textIn(childOf(one, "Source"), "LocURI"),
    format: textIn(meta, "Format"),
    type: textIn(meta, "Type"),
    mark: textIn(meta, "Mark"),
    size: numberOf(meta, "Size"),
    data: tree ?? (data && rawTextOf(data)),
    moreData: childOf(one, "MoreData") ? true : undefined,
  };
}

function credentialOf(cred: WbxmlElement): Credential {
  const meta = childOf(cred, "Meta");
  return {
    // SyncML's default where Meta says none.
    type: textIn(meta, "Type") ?? "syncml:auth-basic",
    format: textIn(meta, "Format") ?? null,
    data: textIn(cred, "Data") ?? "",
  };
}

function challengeOf(chal: WbxmlElement): Challenge {
  const meta = needed(chal, "Meta");
  const nonce = textIn(meta, "NextNonce");
  return {
    type: neededValue(meta, "Type"),
    nextNonce: nonce === undefined ? null : Uint8Array.from(Buffer.from(nonce, "base64")),
  };
}

const allOf = (one: WbxmlElement, name: string): WbxmlElement[] =>
  childrenOf(one).filter((child) => child.name === name);
const childOf = (one: WbxmlElement | undefined, name: string): WbxmlElement | undefined =>
  one && childrenOf(one).find((child) => child.name === name);
/** Text of a child, trimmed; undefined where there is none. */
function textIn(one: WbxmlElement | undefined, name: string): string | undefined {
  const child = childOf(one, name);
  return child && textOf(child);
}
/** A node's value is what stands there, white space too. */
const rawTextOf = ({ content }: WbxmlElement): string =>
  content.filter((part) => typeof part === "string").join("");

function numberOf(one: WbxmlElement | undefined, name: string): number | undefined {
  const value = textIn(one, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,10}$/.test(value)) throw new DecodeError(`${name} is no number`, one?.at ?? 0);
  return Number(value);
}

function needed(one: WbxmlElement, name: string): WbxmlElement {
  const child = childOf(one, name);
  if (!child) throw new DecodeError(`${one.name} without ${name}`, one.at ?? 0);
  return child;
}

function neededValue(one: WbxmlElement, name: string): string {
  const value = textIn(one, name);
  if (!value) throw new DecodeError(`${one.name} without ${name}`, one.at ?? 0);
  return value;
}

const misplaced = (one: WbxmlElement, where: string): DecodeError =>
  new DecodeError(`${one.name} ${where}`, one.at ?? 0);
