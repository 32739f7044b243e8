/**
 * Looks into whatever somebody has of a provisioning message: hexadecimal, Base64, octets, XML, a capture of SMPP. Each layer that is
 * met is told field by field; what is wrong is named and told beside the layers that could be read, so that a broken message shows
 * how far it is whole.
 */
import { isSignedProfile } from "../apple/cms.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf } from "../hex.ts";
import { commandOf } from "../smpp/command.ts";
import { HEADER_OCTETS } from "../smpp/pdu.ts";
import { CAPTURE_LIMITS, isCapture, pdusOfCapture } from "./capture.ts";
import type { Explored, ExploredMessage, ExploreOptions, Finding, Source } from "./field.ts";
import {
  exploredJson,
  exploredPart,
  exploredPush,
  exploredSigned,
  exploredWbxml,
  exploredXml,
} from "./inside.ts";
import { messagesOfPdus } from "./messages.ts";

/** What was given; `octets` where it was neither text nor a capture. */
export type InputForm = "hex" | "base64" | "xml" | "json" | "capture" | "octets";

export type Exploration = {
  readonly form: InputForm;
  readonly messages: readonly ExploredMessage[];
  /** Of the input as a whole. */
  readonly findings: readonly Finding[];
};

/** Of any kind of input. */
export const EXPLORED_OCTETS_MAX = CAPTURE_LIMITS.octets;

/** @throws DecodeError with the offset: nothing that any layer here begins with */
export function explore(input: Uint8Array, options: ExploreOptions = {}): Exploration {
  if (input.length > EXPLORED_OCTETS_MAX)
    throw new DecodeError(`more than ${EXPLORED_OCTETS_MAX} octets`, EXPLORED_OCTETS_MAX);
  const { form, inputs } = octetsOfInput(input);
  if (form === "capture") return ofCapture(inputs[0] ?? input, options);
  if (form === "json")
    return { form, messages: [{ ...NO_SOURCE, ...exploredJson(inputs[0] ?? input) }], findings: [] };
  if (form === "xml")
    return { form, messages: [{ ...NO_SOURCE, ...exploredXml(inputs[0] ?? input) }], findings: [] };
  return { form, messages: messagesOf(inputs, options), findings: [] };
}

/** Of the SMPP in a capture; a capture without any says so. */
function ofCapture(bytes: Uint8Array, options: ExploreOptions): Exploration {
  const { pdus, gaps, packets } = pdusOfCapture(bytes);
  const told = gaps.map(
    (fact): Finding => ({
      code: "capture_gap",
      layer: "capture",
      offset: null,
      fact,
      clause: "RFC 9293 §3.4",
    }),
  );
  const none: Finding[] =
    pdus.length === 0
      ? [
          {
            code: "no_smpp",
            layer: "capture",
            offset: null,
            fact: `no SMPP in ${packets} packets (TLS hides it)`,
            clause: null,
          },
        ]
      : [];
  return { form: "capture", messages: messagesOfPdus(pdus, options), findings: [...told, ...none] };
}

function octetsOfInput(input: Uint8Array): {
  readonly form: InputForm;
  readonly inputs: readonly Uint8Array[];
} {
  if (isCapture(input)) return { form: "capture", inputs: [input] };
  const text = textOfInput(input);
  if (text === undefined) return { form: "octets", inputs: [input] };
  if (text.startsWith("<")) return { form: "xml", inputs: [Buffer.from(text)] };
  if (text.startsWith("{")) return { form: "json", inputs: [Buffer.from(text)] };
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.replace(/\s+/g, ""))
    .filter((line) => line !== "");
  const joined = lines.join("");
  if (/^[0-9a-f]*$/i.test(joined)) return hexInput(lines, joined);
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(joined)) {
    const octets = Uint8Array.from(Buffer.from(joined, "base64"));
    return isCapture(octets) ? { form: "capture", inputs: [octets] } : { form: "base64", inputs: [octets] };
  }
  throw new DecodeError("neither hexadecimal, Base64, XML, a capture nor the octets of a message", 0);
}

/** Lines that are messages of their own, each with its head, are several; else a dump that was broken into lines. */
function hexInput(
  lines: readonly string[],
  joined: string,
): { readonly form: InputForm; readonly inputs: readonly Uint8Array[] } {
  const apart =
    lines.length > 1 && lines.every((line) => line.length % 2 === 0)
      ? lines.map((line) => bytesOf(line))
      : [];
  const isSeveral = apart.length > 0 && (apart.every(isPdu) || apart.every(isPart));
  return { form: "hex", inputs: isSeveral ? apart : [bytesOf(joined)] };
}

/** Printable text in UTF-8, trimmed; undefined where the octets are none. */
function textOfInput(input: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(input).trim();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: octets of a message, not text
    return text === "" || /[\x00-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function messagesOf(inputs: readonly Uint8Array[], options: ExploreOptions): readonly ExploredMessage[] {
  const pdus = inputs.flatMap(pdusIn);
  if (pdus.length > CAPTURE_LIMITS.pdus) throw tooMany(CAPTURE_LIMITS.pdus, "PDUs");
  if (pdus.length > 0)
    return messagesOfPdus(
      pdus.map((octets) => ({ octets, stream: null, packet: null })),
      options,
    );
  const [first] = inputs;
  if (!first) throw new DecodeError("nothing is given", 0);
  return [{ ...NO_SOURCE, ...best(readingsOf(inputs, first, options)) }];
}

/** A push whose transaction is 1 to 3 begins as WBXML does: both are read. */
function readingsOf(inputs: readonly Uint8Array[], first: Uint8Array, options: ExploreOptions): Explored[] {
  if (inputs.length > PARTS_MAX) throw tooMany(PARTS_MAX, "parts");
  if (inputs.length === 1 && isSignedProfile(first)) return [exploredSigned(first)];
  if (inputs.length > 1 || isPart(first)) return [exploredPart(inputs, options)];
  const [version = 0, pduType] = first;
  return [
    ...(version >= 1 && version <= 3 ? [exploredWbxml(first, options)] : []),
    ...(pduType === PUSH ? [exploredPush(first, options)] : []),
  ];
}

/** The first that is whole, else the one that tells most. */
function best(readings: readonly Explored[]): Explored {
  const isWhole = ({ findings }: Explored): boolean => findings.every(({ code }) => code !== "malformed");
  const [most] = readings.toSorted((a, b) => b.layers.length - a.layers.length);
  const found = readings.find(isWhole) ?? most;
  if (!found)
    throw new DecodeError("octets that begin neither as SMPP, a user data header, a WSP push nor WBXML", 0);
  return found;
}

const PUSH = 0x06;
/** Their number has one octet. */
const PARTS_MAX = 255;
/** What is told of a PDU or a part takes a hundred times its octets. */
const tooMany = (most: number, what: string): DecodeError => new DecodeError(`more than ${most} ${what}`, 0);
const NO_SOURCE: Source = { source: null, destination: null, stream: null, packets: [] };

/** Octets that are PDUs one behind the other; none where they are something else. */
function pdusIn(bytes: Uint8Array): Uint8Array[] {
  const pdus: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    if (!isHeadOfPdu(rest)) return [];
    const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0);
    pdus.push(rest.subarray(0, length));
    at += length;
  }
  return pdus;
}

const isPdu = (bytes: Uint8Array): boolean => pdusIn(bytes).length > 0;

function isHeadOfPdu(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_OCTETS) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(0);
  return length >= HEADER_OCTETS && length <= bytes.length && commandOf(view.getUint32(4)) !== undefined;
}

/** A user data header of ports or of parts, whose length fits. */
function isPart(bytes: Uint8Array): boolean {
  const [length = 0, id = 0xff, first = 0] = bytes;
  if (length < 4 || 1 + length > bytes.length) return false;
  return (
    (id === 0x05 && first === 4) ||
    (id === 0x04 && first === 2) ||
    (id === 0x00 && first === 3) ||
    (id === 0x08 && first === 4)
  );
}
