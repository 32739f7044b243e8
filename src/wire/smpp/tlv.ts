/**
 * Optional parameters (TLVs), the tail of an SMPP PDU. Source: SMPP v3.4 §3.2.4 and §5.3.
 *
 *   | tag: 2 octets | length: 2 octets | value: `length` octets |   big-endian
 *
 * They stay a list in the order met: some may repeat (callback_num), and a PDU encodes back to the octets it came from.
 */
import { keysOf } from "../../term/record.ts";
import { latin1At, numberIn, octetsIn, type Reader, textIn, unfit, type Writer } from "./octets.ts";

const HEADER_OCTETS = 4;
const MAX_VALUE_OCTETS = 0xffff;

type Kind =
  | { readonly kind: "uint8" | "uint16" | "uint32" | "flag" }
  | { readonly kind: "text" | "octets"; readonly min: number; readonly max: number };

const uint8 = { kind: "uint8" } as const;
const uint16 = { kind: "uint16" } as const;
const uint32 = { kind: "uint32" } as const;
/** Present or not; no value (§5.3.2.41). */
const flag = { kind: "flag" } as const;
const text = (max: number) => ({ kind: "text", min: 1, max }) as const;
const octets = (min: number, max: number) => ({ kind: "octets", min, max }) as const;

/** Every optional parameter of §5.3.2 by name: its tag and the shape of its value; sizes are in octets. */
export const TLV = {
  dest_addr_subunit: { tag: 0x0005, ...uint8 },
  dest_network_type: { tag: 0x0006, ...uint8 },
  dest_bearer_type: { tag: 0x0007, ...uint8 },
  dest_telematics_id: { tag: 0x0008, ...uint16 },
  source_addr_subunit: { tag: 0x000d, ...uint8 },
  source_network_type: { tag: 0x000e, ...uint8 },
  source_bearer_type: { tag: 0x000f, ...uint8 },
  source_telematics_id: { tag: 0x0010, ...uint8 },
  qos_time_to_live: { tag: 0x0017, ...uint32 },
  payload_type: { tag: 0x0019, ...uint8 },
  additional_status_info_text: { tag: 0x001d, ...text(256) },
  receipted_message_id: { tag: 0x001e, ...text(65) },
  ms_msg_wait_facilities: { tag: 0x0030, ...uint8 },
  privacy_indicator: { tag: 0x0201, ...uint8 },
  source_subaddress: { tag: 0x0202, ...octets(2, 23) },
  dest_subaddress: { tag: 0x0203, ...octets(2, 23) },
  user_message_reference: { tag: 0x0204, ...uint16 },
  user_response_code: { tag: 0x0205, ...uint8 },
  source_port: { tag: 0x020a, ...uint16 },
  destination_port: { tag: 0x020b, ...uint16 },
  sar_msg_ref_num: { tag: 0x020c, ...uint16 },
  language_indicator: { tag: 0x020d, ...uint8 },
  sar_total_segments: { tag: 0x020e, ...uint8 },
  sar_segment_seqnum: { tag: 0x020f, ...uint8 },
  sc_interface_version: { tag: 0x0210, ...uint8 },
  callback_num_pres_ind: { tag: 0x0302, ...uint8 },
  callback_num_atag: { tag: 0x0303, ...octets(0, 65) },
  number_of_messages: { tag: 0x0304, ...uint8 },
  callback_num: { tag: 0x0381, ...octets(4, 19) },
  dpf_result: { tag: 0x0420, ...uint8 },
  set_dpf: { tag: 0x0421, ...uint8 },
  ms_availability_status: { tag: 0x0422, ...uint8 },
  network_error_code: { tag: 0x0423, ...octets(3, 3) },
  message_payload: { tag: 0x0424, ...octets(0, MAX_VALUE_OCTETS) },
  delivery_failure_reason: { tag: 0x0425, ...uint8 },
  more_messages_to_send: { tag: 0x0426, ...uint8 },
  message_state: { tag: 0x0427, ...uint8 },
  ussd_service_op: { tag: 0x0501, ...uint8 },
  display_time: { tag: 0x1201, ...uint8 },
  sms_signal: { tag: 0x1203, ...uint16 },
  ms_validity: { tag: 0x1204, ...uint8 },
  alert_on_message_delivery: { tag: 0x130c, ...flag },
  its_reply_type: { tag: 0x1380, ...uint8 },
  its_session_info: { tag: 0x1383, ...octets(2, 2) },
} as const satisfies Record<string, Kind & { readonly tag: number }>;

/** A parameter's name, as §5.3.2 spells it. */
export type TlvName = keyof typeof TLV;

type ValueOf<K> = K extends "text"
  ? string
  : K extends "octets"
    ? Uint8Array
    : K extends "flag"
      ? true
      : number;
/** What a parameter holds: a number, a text, octets, or `true` for one that is only there. */
export type TlvValue<N extends TlvName> = ValueOf<(typeof TLV)[N]["kind"]>;
/** A parameter by its name, or, where the tag is in no table (or its value unreadable in lenient mode), its octets. */
export type Tlv =
  | { [N in TlvName]: { readonly name: N; readonly value: TlvValue<N> } }[TlvName]
  | { readonly name: "unknown"; readonly tag: number; readonly value: Uint8Array };

/** Of one PDU. Far above the 44 that have names; 16,000 empty ones would cost more memory than a message may. */
const MAX_TLVS = 1_024;

/** Shared by every PDU that has none. */
export const NO_TLVS: readonly Tlv[] = Object.freeze([]);

const NAME_OF: ReadonlyMap<number, TlvName> = new Map(keysOf(TLV).map((name) => [TLV[name].tag, name]));

/** The first value under a name, if any. */
export function tlvValue<N extends TlvName>(tlvs: readonly Tlv[], name: N): TlvValue<N> | undefined {
  for (const tlv of tlvs) {
    if (tlv.name === name) return tlv.value as TlvValue<N>; // the name decides the value's type in TLV
  }
  return undefined;
}

/**
 * Reads the rest of a PDU.
 * @throws DecodeError with the offset of the parameter's tag: cut short, a value that its kind does not have (strict
 *   readers), or more than 1,024 parameters
 */
export function readTlvs(reader: Reader): readonly Tlv[] {
  if (reader.at >= reader.end) return NO_TLVS;
  const tlvs: Tlv[] = [];
  while (reader.at < reader.end) {
    // A NUL or two behind the last field are met in the field, and too short to be a parameter.
    if (reader.lenient && reader.end - reader.at < HEADER_OCTETS) break;
    if (tlvs.length === MAX_TLVS) throw reader.refuse(`more than ${MAX_TLVS} optional parameters`, reader.at);
    tlvs.push(readTlv(reader));
  }
  reader.at = reader.end;
  return tlvs.length === 0 ? NO_TLVS : tlvs;
}

function readTlv(reader: Reader): Tlv {
  const start = reader.at;
  if (reader.end - start < HEADER_OCTETS) {
    throw reader.refuse(`${reader.end - start} trailing octets are no optional parameter`, start);
  }
  const tag = reader.uint16("tag");
  const length = reader.uint16("length");
  if (reader.end - reader.at < length) {
    throw reader.refuse(`optional parameter ${tagText(tag)} of ${length} octets passes the end`, start);
  }
  const end = reader.at + length;
  const name = NAME_OF.get(tag);
  const value = name === undefined ? undefined : readValue(reader, TLV[name], length);
  if (name !== undefined && value !== undefined) {
    reader.at = end;
    return { name, value } as Tlv; // readValue gives what TLV says for this name
  }
  if (name !== undefined && !reader.lenient) {
    throw reader.refuse(`${name} cannot have a value like this (${length} octets)`, start);
  }
  return { name: "unknown", tag, value: reader.octets(length, "value") };
}

/** Undefined when the octets are not such a value. A lenient reader takes any size from 1 to 4 for an integer. */
function readValue(reader: Reader, kind: Kind, length: number): Tlv["value"] | undefined {
  const { buffer, at, lenient } = reader;
  switch (kind.kind) {
    case "uint8":
    case "uint16":
    case "uint32": {
      const due = kind.kind === "uint8" ? 1 : kind.kind === "uint16" ? 2 : 4;
      if (length !== due && !(lenient && length >= 1 && length <= 4)) return undefined;
      const value = buffer.readUIntBE(at, length);
      return value < 2 ** (8 * due) ? value : undefined;
    }
    case "flag":
      return length === 0 || lenient ? true : undefined;
    case "text": {
      const stop = buffer.subarray(at, at + length).indexOf(0);
      const fits = length >= kind.min && length <= kind.max && stop === length - 1;
      if (!fits && (!lenient || (stop < 0 ? length : stop) >= kind.max)) return undefined;
      return latin1At(buffer, at, stop < 0 ? at + length : at + stop);
    }
    case "octets":
      if (length < kind.min || length > kind.max) return undefined;
      return reader.octets(length, "value");
  }
}

/** How many octets the parameters take at most. */
export function tlvRoom(tlvs: readonly Tlv[]): number {
  let room = 0;
  for (const { value } of tlvs) {
    room += HEADER_OCTETS + (typeof value === "number" || value === true ? 4 : value.length + 1);
  }
  return room;
}

/**
 * Writes parameters in the order given.
 * @throws TurnupError `smpp_field_invalid`: a value that its kind does not hold
 */
export function writeTlvs(writer: Writer, tlvs: readonly Tlv[]): void {
  for (const tlv of tlvs) writeTlv(writer, tlv);
}

function writeTlv(writer: Writer, tlv: Tlv): void {
  if (tlv.name === "unknown") {
    writer.uint16(tlv.tag, "tag");
    writeOctets(writer, tlv.value, { name: "an unknown parameter", min: 0, max: MAX_VALUE_OCTETS });
    return;
  }
  const kind: Kind & { readonly tag: number } = TLV[tlv.name];
  writer.uint16(kind.tag, "tag");
  switch (kind.kind) {
    case "uint8":
      writer.uint16(1, "length");
      writer.uint8(numberIn(tlv.value, tlv.name), tlv.name);
      break;
    case "uint16":
      writer.uint16(2, "length");
      writer.uint16(numberIn(tlv.value, tlv.name), tlv.name);
      break;
    case "uint32":
      writer.uint16(4, "length");
      writer.uint32(numberIn(tlv.value, tlv.name), tlv.name);
      break;
    case "flag":
      writer.uint16(0, "length");
      break;
    case "text": {
      const text = textIn(tlv.value, tlv.name);
      writer.uint16(text.length + 1, "length");
      writer.text(text, kind.max, tlv.name);
      break;
    }
    case "octets":
      writeOctets(writer, octetsIn(tlv.value, tlv.name), { name: tlv.name, min: kind.min, max: kind.max });
      break;
  }
}

function writeOctets(
  writer: Writer,
  value: Uint8Array,
  { name, min, max }: { readonly name: string; readonly min: number; readonly max: number },
): void {
  if (value.length < min || value.length > max) {
    throw unfit(name, `${value.length} octets, ${min} to ${max} fit`);
  }
  writer.uint16(value.length, "length");
  writer.octets(value);
}

const tagText = (tag: number): string => `0x${tag.toString(16).padStart(4, "0")}`;
