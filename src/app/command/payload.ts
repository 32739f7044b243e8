/** `turnup payload encode` and `turnup payload decode`: settings documents to octets of every layer, and back. */
import { TurnupError } from "../../term/error.ts";
import { messageOf, wordOf } from "../../term/narrow.ts";
import { EXPLORED_OCTETS_MAX, explore } from "../../wire/explore/explore.ts";
import { bytesOf, hexOf } from "../../wire/hex.ts";
import { encodeProvisioning } from "../../wire/omacp/codec.ts";
import type { ProvisioningDocument } from "../../wire/omacp/document.ts";
import type { Dialect } from "../../wire/omacp/encode.ts";
import { documentOfJson, jsonOfCharacteristics } from "../../wire/omacp/json.ts";
import { type MacSecret, macOf, SECS, type Sec } from "../../wire/omacp/mac.ts";
import { type HandsetTrap, handsetTraps } from "../../wire/omacp/traps.ts";
import { documentOfXml } from "../../wire/omacp/xml.ts";
import { type Layer, type Reading, readMessage } from "../../wire/reading.ts";
import type { Pdu } from "../../wire/smpp/command.ts";
import { tlvValue } from "../../wire/smpp/tlv.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import type { Udh } from "../../wire/sms/udh.ts";
import type { WspHeader } from "../../wire/wsp/header.ts";
import { encodePush, type Push } from "../../wire/wsp/push.ts";
import { type Command, type CommandContext, type OptionSpec, UsageError } from "../terminal/command.ts";
import { printExploration } from "../terminal/exploration.ts";

const CONTENT_TYPE = "application/vnd.wap.connectivity-wbxml";
const PORTS = { destPort: 2948, srcPort: 9200 };
/** A settings file is a few KiB; a message in hex at most twice 255 parts of 140 octets. */
const INPUT_OCTETS_MAX = 1_048_576;
const DIALECTS: readonly Dialect[] = ["page1", "page0"];
const LAYERS: readonly Layer[] = ["wbxml", "push", "parts", "smpp"];

const SECRET_OPTIONS: readonly OptionSpec[] = [
  { flags: "--imsi <imsi>", about: "the subscriber's IMSI, for netwpin and usernetwpin" },
  {
    flags: "--pin <pin>",
    about: "the PIN, for userpin, usernetwpin and userpinmac; there is none by default",
  },
];

export const payloadEncodeCommand: Command = {
  name: "payload encode",
  summary: "Encode a settings document as WBXML, WSP push and SMS parts",
  description:
    'FILE holds {"characteristics": [{"type", "parms": {NAME: value}, "characteristics": [...]}]}; a value null is ' +
    'a flag, "" an empty value, a list a repeated name; "version" is "1.0" where it is left out. The output of ' +
    "turnup payload decode --json is such a file; a wap-provisioningdoc in XML is taken too. What phones are known to make " +
    "nothing of is told as warnings. Without --sec the push is unsigned. With userpinmac, mac is what " +
    "the user has to type.",
  args: [{ usage: "<file>", about: "the document in JSON or XML; - reads standard input" }],
  options: [
    { flags: "--sec <sec>", about: `how to sign: ${SECS.join(", ")}` },
    ...SECRET_OPTIONS,
    { flags: "--dialect <dialect>", about: "when to switch code pages (page1)", choices: DIALECTS },
    { flags: "--reference <number>", about: "the concatenation reference, 0 to 255 (1)" },
  ],
  examples: [
    "turnup payload encode settings.json --sec netwpin --imsi 001010123456789 --json",
    "turnup payload encode - --sec userpin --pin 4711 < settings.json",
  ],
  async run(context) {
    const document = await documentIn(context, context.args[0] ?? "");
    const encoded = { ...encode(document, context), warnings: handsetTraps(document) };
    if (context.json) await context.printJson(encoded);
    else await printEncoded(encoded, context);
    return "ok";
  },
};

export const payloadDecodeCommand: Command = {
  name: "payload decode",
  summary: "Decode a provisioning message of any layer and check its MAC",
  description:
    "Without --as, whatever it is given is told field by field, with offset, octets, meaning and clause, and what is wrong " +
    "is named: hexadecimal, Base64, XML, or by --file a capture of SMPP (pcap, pcapng) or the octets themselves. With --as, " +
    "one message a call: parts takes each part's header and data as one argument or line, in any order, smpp whole " +
    "PDUs likewise. Reads OMA CP, Nokia OTA settings, Service Indication and Service Loading, and without --as OMA DM and Apple profiles, signed or not. " +
    "macVerified is null without the secret; a MAC that does not verify is an answer (false), not a failure.",
  args: [{ usage: "[hex...]", about: "the octets in hex; - reads them from standard input, one a line" }],
  options: [
    { flags: "--as <layer>", about: "what the octets are", choices: LAYERS },
    { flags: "--file <path>", about: "a capture, XML or octets to look into; - reads standard input" },
    ...SECRET_OPTIONS,
    { flags: "--sec <sec>", about: `SEC, for a message without its header: ${SECS.join(", ")}` },
    { flags: "--mac <hex>", about: "MAC, for a message without its header" },
  ],
  examples: [
    "turnup payload decode 030b6a004501 --as wbxml --sec netwpin --imsi 466923103145252 \\\n" +
      "    --mac 1AF545FE2823DC9347064450F90FF1BBF957E146 --json",
    "turnup payload decode - --as parts --pin 4711 < parts.txt",
    "turnup payload decode --file smpp.pcapng --pin 4711",
  ],
  async run(context) {
    const layer = wordOf(LAYERS, context.option("as"));
    if (context.args.length === 0 && (layer || context.option("file") === undefined)) return "usage";
    if (!layer) return await exploreGiven(context);
    const reading = readMessage(layer, await inputsOf(layer, context), {
      secret: secretIn(context),
      sec: secIn(context),
      mac: context.option("mac"),
    });
    if (context.json) await context.printJson(jsonOfReading(reading));
    else await printReading(reading, context);
    return "ok";
  },
};

async function exploreGiven(context: CommandContext): Promise<"ok"> {
  const { args, content, option } = context;
  const file = option("file") ?? (args.length === 1 && args[0] === "-" ? "-" : undefined);
  const given = file === undefined ? Buffer.from(args.join("\n")) : await content(file, EXPLORED_OCTETS_MAX);
  const found = explore(given, { secret: secretIn(context), sec: secIn(context), mac: option("mac") });
  if (context.json) await context.printJson(found);
  else await printExploration(found, context);
  return "ok";
}

type Encoded = {
  /** What phones make nothing of, although the document is well-formed. */
  readonly warnings: readonly HandsetTrap[];
  readonly wbxml: string;
  readonly push: string;
  readonly mac: string | null;
  readonly parts: readonly { readonly udh: string; readonly data: string }[];
};

function encode(document: ProvisioningDocument, context: CommandContext): Omit<Encoded, "warnings"> {
  const sec = secIn(context);
  const secret = secretIn(context);
  if (!sec && (secret.imsi !== undefined || secret.pin !== undefined)) {
    throw new UsageError("--imsi and --pin sign a message: say how with --sec.");
  }
  const wbxml = encodeProvisioning(document, {
    dialect: wordOf(DIALECTS, context.option("dialect")) ?? "page1",
  });
  const mac = sec ? macOf(sec, secret, wbxml) : null;
  const push = encodePush({
    transactionId: 1,
    contentType: CONTENT_TYPE,
    sec,
    // The user is what carries a USERPINMAC, not the message.
    mac: sec === "userpinmac" ? undefined : (mac ?? undefined),
    body: wbxml,
  });
  const parts = splitUserData(push, { ...PORTS, reference: referenceIn(context), referenceBits: 8 });
  return {
    wbxml: hexOf(wbxml),
    push: hexOf(push),
    mac,
    parts: parts.map(({ udh, data }) => ({ udh: hexOf(udh), data: hexOf(data) })),
  };
}

const secretIn = ({ option }: CommandContext): MacSecret => ({ imsi: option("imsi"), pin: option("pin") });

function secIn({ option }: CommandContext): Sec | undefined {
  const text = option("sec");
  const sec = SECS.find((name) => name === text?.toLowerCase());
  if (text !== undefined && !sec) throw new UsageError(`--sec is one of ${SECS.join(", ")}, not "${text}".`);
  return sec;
}

/** `--reference`, of commands that compose parts. */
export function referenceIn({ option }: CommandContext): number {
  const text = option("reference") ?? "1";
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) throw new UsageError("--reference is 0 to 255.");
  return Number(text);
}

/** XML begins with a `<`, JSON never does. */
async function documentIn({ content }: CommandContext, file: string): Promise<ProvisioningDocument> {
  const octets = await content(file, INPUT_OCTETS_MAX);
  const text = octets.toString("utf8").replace(/^\ufeff/, "");
  if (text.trimStart().startsWith("<")) return documentOfXml(octets);
  return documentOfJson(jsonIn(text, file));
}

function jsonIn(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TurnupError("payload_malformed", `${file} is no JSON: ${messageOf(cause)}.`, { cause });
  }
}

/** A push or a document may be spread over arguments and lines, as a hex dump is; parts and PDUs stand one by one. */
async function inputsOf(layer: Layer, { args, content }: CommandContext): Promise<Uint8Array[]> {
  const texts: string[] = [];
  for (const arg of args) {
    if (arg !== "-") texts.push(arg);
    else texts.push(...(await content("-", INPUT_OCTETS_MAX)).toString("utf8").split("\n"));
  }
  const filled = texts.map((text) => text.trim()).filter((text) => text !== "");
  if (layer === "wbxml" || layer === "push") return [bytesOf(filled.join(""))];
  return filled.map((text) => bytesOf(text));
}

function jsonOfReading(reading: Reading) {
  return {
    xml: reading.xml,
    version: reading.document?.version ?? null,
    characteristics: reading.document && jsonOfCharacteristics(reading.document.characteristics),
    sec: reading.sec,
    mac: reading.mac,
    macVerified: reading.macVerified,
    wsp: reading.push && jsonOfPush(reading.push),
    headers: reading.push?.headers.map(jsonOfHeader) ?? null,
    entries:
      reading.entries?.map(({ contentType, params, body }) => ({ contentType, params, body: hexOf(body) })) ??
      null,
    udh: reading.udh?.map(jsonOfUdh) ?? null,
    smpp: reading.pdus && jsonOfPdus(reading.pdus),
  };
}

const jsonOfPush = (push: Push) => ({
  transactionId: push.transactionId,
  pduType: push.pduType,
  headersLength: push.headersLength,
  contentType: push.contentType,
  contentTypeCode: push.contentTypeCode,
  params: push.params,
  bodyOffset: push.bodyOffset,
});

const jsonOfHeader = ({ name, value }: WspHeader) => ({
  name,
  value: typeof value === "object" ? hexOf(value) : value,
});

const jsonOfUdh = ({ elements, ...udh }: Udh) =>
  elements ? { ...udh, elements: elements.map(({ id, value }) => ({ id, value: hexOf(value) })) } : udh;

/** What all PDUs of a message have in common, then each of them; the message itself is shown by the other layers. */
function jsonOfPdus(pdus: readonly Pdu[]) {
  const [first] = pdus;
  if (!first || !("esm_class" in first)) return null;
  const more = pdus.map((pdu) =>
    "tlvs" in pdu ? (tlvValue(pdu.tlvs, "more_messages_to_send") ?? null) : null,
  );
  return {
    esm_class: first.esm_class,
    data_coding: first.data_coding,
    ...("protocol_id" in first ? { protocol_id: first.protocol_id } : {}),
    source_addr: first.source_addr,
    ...("destination_addr" in first ? { dest_addr: first.destination_addr } : {}),
    ...(more.some((value) => value !== null) ? { more_messages_to_send_tlv_0426: more } : {}),
    pdus: pdus.map((pdu) => jsonOfPdu(pdu)),
  };
}

function jsonOfPdu(pdu: Pdu): Record<string, unknown> {
  const fields = Object.entries(pdu).filter(([name]) => name !== "short_message" && name !== "tlvs");
  const tlvs = "tlvs" in pdu ? pdu.tlvs.filter(({ name }) => name !== "message_payload") : [];
  const shown = tlvs.map((tlv) => ({
    ...tlv,
    value: tlv.value instanceof Uint8Array ? hexOf(tlv.value) : tlv.value,
  }));
  return { ...Object.fromEntries(fields), tlvs: shown };
}

async function printEncoded(
  { wbxml, push, mac, parts, warnings }: Encoded,
  { print }: CommandContext,
): Promise<void> {
  await print(`wbxml   ${wbxml}`);
  await print(`push    ${push}`);
  await print(`mac     ${mac ?? "none: the push is unsigned"}`);
  for (const [index, { udh, data }] of parts.entries()) await print(`part ${index + 1}  ${udh}${data}`);
  for (const { code, at, fact, clause } of warnings)
    await print(`warning ${code} ${at}: ${fact} (${clause})`);
}

async function printReading(reading: Reading, { print }: CommandContext): Promise<void> {
  const { xml, sec, mac, macVerified, push, udh, pdus } = reading;
  if (pdus) await print(`smpp    ${pdus.map(({ command }) => command).join(", ")}`);
  for (const [index, header] of (udh ?? []).entries()) {
    await print(`udh ${index + 1}   ${JSON.stringify(jsonOfUdh(header))}`);
  }
  if (push) await print(`wsp     ${JSON.stringify(jsonOfPush(push))}`);
  const verdict = macVerified === null ? "not checked" : macVerified ? "verified" : "does NOT verify";
  if (sec) await print(`mac     ${sec} ${mac ?? "without a MAC"}: ${verdict}`);
  await print(`xml     ${xml ?? "none: this content is no settings document"}`);
}
