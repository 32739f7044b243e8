/**
 * SMPP v3.4 PDUs, octets to value and back.
 *
 *   | command_length: 4 | command_id: 4 | command_status: 4 | sequence_number: 4 | fields | optional parameters |
 *
 * submit_sm, deliver_sm and their responses go by hand-written readers and writers (nearly all traffic is theirs),
 * every other command by the table in command.ts; a test holds the two ways to the same result.
 */
import { membersOf } from "../../term/narrow.ts";
import { DecodeError } from "../decode-error.ts";
import {
  COMMAND,
  type Command,
  commandOf,
  type DestAddress,
  FIELDS,
  type Field,
  type FieldsOf,
  isResponse,
  type Pdu,
  type PduOf,
  RESPONSE_BIT,
  type UnsuccessSme,
} from "./command.ts";
import { bufferOf, numberIn, octetsIn, Reader, textIn, uint32At, unfit, Writer } from "./octets.ts";
import { NO_TLVS, readTlvs, type Tlv, tlvRoom, writeTlvs } from "./tlv.ts";
import { hasHeader, octetsOf, type WithUserData } from "./user-data.ts";

/** Of the four integers in front of every PDU (§3.2). */
export const HEADER_OCTETS = 16;
/** sm_length 255 is reserved (§5.2.21). */
export const MAX_SHORT_MESSAGE_OCTETS = 254;
/** number_of_dests, §4.5.1. */
const MAX_DESTINATIONS = 254;
const TIME_OCTETS = 17;
/** Fixed fields of submit_sm and deliver_sm with every text at its longest. */
const SHORT_MESSAGE_ROOM = HEADER_OCTETS + 6 + 2 * 23 + 3 + 2 * TIME_OCTETS + 5;
const EMPTY = new Uint8Array(0);

/** How strictly a peer is read; strict unless said. */
export type DecodeOptions = {
  /** `strict` holds every rule of the specification; `lenient` takes what the field is known to send. */
  readonly mode?: "strict" | "lenient";
};

/**
 * Reads exactly one PDU. A response that bears an error may lack its body (its fields are then empty), and is read
 * when it has one. Lenient mode takes over-long text, a missing body in any response, optional parameters on every
 * command and odd-sized values of them; it never reads past an end.
 * @throws DecodeError what does not fit, and at which octet
 */
export function decodePdu(bytes: Uint8Array, options?: DecodeOptions): Pdu {
  return decodePduAt(bufferOf(bytes), 0, bytes.length, options?.mode === "lenient");
}

/**
 * The same on a stretch of a larger buffer, for whoever has framed it already.
 * @throws DecodeError as `decodePdu`; offsets count from `start`
 */
export function decodePduAt(buffer: Buffer, start: number, end: number, lenient: boolean): Pdu {
  if (end - start < HEADER_OCTETS) throw new DecodeError("the PDU header is cut short", 0);
  const length = uint32At(buffer, start);
  if (length !== end - start) {
    throw new DecodeError(`command_length says ${length} octets, ${end - start} are there`, 0);
  }
  const id = uint32At(buffer, start + 4);
  const status = uint32At(buffer, start + 8);
  const sequence = uint32At(buffer, start + 12);
  const reader = new Reader(buffer, start, end, lenient);
  reader.at = start + HEADER_OCTETS;
  switch (id) {
    case COMMAND.submit_sm.id:
      return readSubmitSm(reader, status, sequence);
    case COMMAND.deliver_sm.id:
      return readDeliverSm(reader, status, sequence);
    case COMMAND.submit_sm_resp.id:
      if (reader.at < end) return readSubmitSmResp(reader, status, sequence);
      break;
    case COMMAND.deliver_sm_resp.id:
      if (reader.at < end) return readDeliverSmResp(reader, status, sequence);
  }
  const command = commandOf(id);
  if (!command) throw new DecodeError(`command_id 0x${id.toString(16).padStart(8, "0")} is unknown`, 4);
  return readByTable(reader, command, status, sequence);
}

function readSubmitSm(reader: Reader, command_status: number, sequence_number: number): PduOf<"submit_sm"> {
  const pdu: PduOf<"submit_sm"> = {
    command: "submit_sm",
    command_status,
    sequence_number,
    service_type: reader.text(6, "service_type"),
    source_addr_ton: reader.uint8("source_addr_ton"),
    source_addr_npi: reader.uint8("source_addr_npi"),
    source_addr: reader.text(21, "source_addr"),
    dest_addr_ton: reader.uint8("dest_addr_ton"),
    dest_addr_npi: reader.uint8("dest_addr_npi"),
    destination_addr: reader.text(21, "destination_addr"),
    esm_class: reader.uint8("esm_class"),
    protocol_id: reader.uint8("protocol_id"),
    priority_flag: reader.uint8("priority_flag"),
    schedule_delivery_time: readTime(reader, "schedule_delivery_time"),
    validity_period: readTime(reader, "validity_period"),
    registered_delivery: reader.uint8("registered_delivery"),
    replace_if_present_flag: reader.uint8("replace_if_present_flag"),
    data_coding: reader.uint8("data_coding"),
    sm_default_msg_id: reader.uint8("sm_default_msg_id"),
    short_message: readShortMessage(reader),
    tlvs: readTlvs(reader),
  };
  if (!reader.lenient) checkHeaderFits(reader, pdu);
  return pdu;
}

/** The twin of readSubmitSm: two functions, so that each makes objects of one shape. */
function readDeliverSm(reader: Reader, command_status: number, sequence_number: number): PduOf<"deliver_sm"> {
  const pdu: PduOf<"deliver_sm"> = {
    command: "deliver_sm",
    command_status,
    sequence_number,
    service_type: reader.text(6, "service_type"),
    source_addr_ton: reader.uint8("source_addr_ton"),
    source_addr_npi: reader.uint8("source_addr_npi"),
    source_addr: reader.text(21, "source_addr"),
    dest_addr_ton: reader.uint8("dest_addr_ton"),
    dest_addr_npi: reader.uint8("dest_addr_npi"),
    destination_addr: reader.text(21, "destination_addr"),
    esm_class: reader.uint8("esm_class"),
    protocol_id: reader.uint8("protocol_id"),
    priority_flag: reader.uint8("priority_flag"),
    schedule_delivery_time: readTime(reader, "schedule_delivery_time"),
    validity_period: readTime(reader, "validity_period"),
    registered_delivery: reader.uint8("registered_delivery"),
    replace_if_present_flag: reader.uint8("replace_if_present_flag"),
    data_coding: reader.uint8("data_coding"),
    sm_default_msg_id: reader.uint8("sm_default_msg_id"),
    short_message: readShortMessage(reader),
    tlvs: readTlvs(reader),
  };
  if (!reader.lenient) checkHeaderFits(reader, pdu);
  return pdu;
}

function readSubmitSmResp(
  reader: Reader,
  command_status: number,
  sequence_number: number,
): PduOf<"submit_sm_resp"> {
  const message_id = reader.text(65, "message_id");
  const tlvs = readTail(reader, "submit_sm_resp");
  return { command: "submit_sm_resp", command_status, sequence_number, message_id, tlvs };
}

function readDeliverSmResp(
  reader: Reader,
  command_status: number,
  sequence_number: number,
): PduOf<"deliver_sm_resp"> {
  const message_id = reader.text(65, "message_id");
  const tlvs = readTail(reader, "deliver_sm_resp");
  return { command: "deliver_sm_resp", command_status, sequence_number, message_id, tlvs };
}

/** What follows the fields: optional parameters where the command has them or the reader is lenient, else nothing. */
function readTail(reader: Reader, command: Command): readonly Tlv[] {
  if (reader.at >= reader.end) return NO_TLVS;
  if (!reader.lenient && !COMMAND[command].optional) {
    throw reader.refuse(`${reader.end - reader.at} trailing octets after ${command}`, reader.at);
  }
  return readTlvs(reader);
}

function readTime(reader: Reader, field: string): string {
  const start = reader.at;
  const text = reader.text(TIME_OCTETS, field);
  if (text.length !== 0 && text.length !== TIME_OCTETS - 1 && !reader.lenient) {
    throw reader.refuse(`${field} has ${text.length} characters instead of 0 or 16`, start);
  }
  return text;
}

function readShortMessage(reader: Reader): Uint8Array {
  const start = reader.at;
  const length = reader.uint8("sm_length");
  if (length > MAX_SHORT_MESSAGE_OCTETS && !reader.lenient) {
    throw reader.refuse(`sm_length ${length} is above ${MAX_SHORT_MESSAGE_OCTETS}`, start);
  }
  if (reader.end - reader.at < length) {
    throw reader.refuse(`sm_length ${length} passes the end of the PDU`, start);
  }
  return reader.octets(length, "short_message");
}

/** With the UDH indicator set, the user data must hold the whole header that its first octet announces. */
function checkHeaderFits(reader: Reader, pdu: WithUserData): void {
  if (!hasHeader(pdu)) return;
  const data = octetsOf(pdu);
  const [announced] = data;
  if (announced === undefined) return;
  if (announced + 1 > data.length) {
    const why = `the user data header of ${announced + 1} octets passes the message of ${data.length}`;
    throw reader.refuse(why, reader.end - data.length);
  }
}

function readByTable(reader: Reader, command: Command, status: number, sequence: number): Pdu {
  const pdu: Record<string, unknown> = { command, command_status: status, sequence_number: sequence };
  const bodiless = reader.at === reader.end && isResponse(command) && (status !== 0 || reader.lenient);
  for (const [name, field] of FIELDS[command]) {
    pdu[name] = bodiless ? emptyValue(field) : readField(reader, field, name);
  }
  pdu.tlvs = readTail(reader, command);
  if (command === "submit_multi" && !reader.lenient) {
    checkHeaderFits(reader, pdu as unknown as PduOf<"submit_multi">); // filled by the loop above
  }
  return pdu as unknown as Pdu; // the table that names the fields also makes the type
}

function readField(reader: Reader, field: Field, name: string): unknown {
  switch (field.kind) {
    case "uint8":
      return reader.uint8(name);
    case "uint32":
      return reader.uint32(name);
    case "text":
      return reader.text(field.max, name);
    case "time":
      return readTime(reader, name);
    case "short_message":
      return readShortMessage(reader);
    case "dest_address":
      return readDestAddresses(reader);
    case "unsuccess_sme":
      return readUnsuccessSmes(reader);
  }
}

function readDestAddresses(reader: Reader): DestAddress[] {
  const start = reader.at;
  const count = reader.uint8("number_of_dests");
  if (!reader.lenient && (count === 0 || count > MAX_DESTINATIONS)) {
    throw reader.refuse(`number_of_dests ${count} is not 1 to ${MAX_DESTINATIONS}`, start);
  }
  const addresses: DestAddress[] = [];
  while (addresses.length < count) {
    const at = reader.at;
    const dest_flag = reader.uint8("dest_flag");
    if (dest_flag === 1) addresses.push({ dest_flag, ...readSme(reader) });
    else if (dest_flag === 2) addresses.push({ dest_flag, dl_name: reader.text(21, "dl_name") });
    else throw reader.refuse(`dest_flag ${dest_flag} is neither 1 nor 2`, at);
  }
  return addresses;
}

function readUnsuccessSmes(reader: Reader): UnsuccessSme[] {
  const count = reader.uint8("no_unsuccess");
  const smes: UnsuccessSme[] = [];
  while (smes.length < count) {
    smes.push({ ...readSme(reader), error_status_code: reader.uint32("error_status_code") });
  }
  return smes;
}

const readSme = (reader: Reader) => ({
  dest_addr_ton: reader.uint8("dest_addr_ton"),
  dest_addr_npi: reader.uint8("dest_addr_npi"),
  destination_addr: reader.text(21, "destination_addr"),
});

function emptyValue(field: Field): unknown {
  switch (field.kind) {
    case "uint8":
    case "uint32":
      return 0;
    case "text":
    case "time":
      return "";
    case "short_message":
      return EMPTY;
    case "dest_address":
    case "unsuccess_sme":
      return [];
  }
}

/** What may be given of a PDU; the rest is 0 or empty. */
export type PduInit<C extends Command> = Partial<FieldsOf<C>> & {
  readonly command_status?: number;
  readonly tlvs?: readonly Tlv[];
};

/** A PDU with the given fields; those left out are 0 or empty. */
export function makePdu<C extends Command>(
  command: C,
  sequence_number: number,
  init: PduInit<C> = {},
): PduOf<C> {
  const { command_status = 0, tlvs = NO_TLVS } = init;
  const given = membersOf(init);
  const pdu: Record<string, unknown> = { command, command_status, sequence_number };
  for (const [name, field] of FIELDS[command]) pdu[name] = given[name] ?? emptyValue(field);
  pdu.tlvs = tlvs;
  return pdu as PduOf<C>; // every field of the table has just been set
}

/**
 * The PDU's octets.
 * @throws TurnupError `smpp_field_invalid`: a value that its field cannot hold
 */
export function encodePdu(pdu: Pdu): Uint8Array {
  const room = Buffer.allocUnsafe(roomFor(pdu));
  const end = encodePduInto(pdu, room, 0);
  return new Uint8Array(room.buffer, room.byteOffset, end);
}

/** No PDU is written to more octets than this; a cheap bound, not the exact length. */
export function roomFor(pdu: Pdu): number {
  switch (pdu.command) {
    case "submit_sm":
    case "deliver_sm":
      return SHORT_MESSAGE_ROOM + pdu.short_message.length + tlvRoom(pdu.tlvs);
    case "submit_sm_resp":
    case "deliver_sm_resp":
      return HEADER_OCTETS + pdu.message_id.length + 1 + tlvRoom(pdu.tlvs);
    case "submit_multi":
      return SHORT_MESSAGE_ROOM + 24 * pdu.dest_address.length + pdu.short_message.length + tlvRoom(pdu.tlvs);
    case "submit_multi_resp":
      return HEADER_OCTETS + 66 + 27 * pdu.unsuccess_sme.length + tlvRoom(pdu.tlvs);
    case "replace_sm":
      return HEADER_OCTETS + 65 + 23 + 2 * TIME_OCTETS + 3 + pdu.short_message.length + tlvRoom(pdu.tlvs);
    default:
      return 256 + tlvRoom(pdu.tlvs); // the longest of the rest is data_sm, 16 + 6 + 2 × 67 + 3
  }
}

/**
 * Writes the PDU at `at` of `target` and returns where it ends. `target` must have `roomFor(pdu)` octets from there;
 * what is written after a refusal is undefined.
 * @throws TurnupError `smpp_field_invalid`: a value that its field cannot hold
 */
export function encodePduInto(pdu: Pdu, target: Buffer, at: number): number {
  if (at + roomFor(pdu) > target.length) throw new RangeError(`no room for ${pdu.command}`);
  const writer = new Writer(target, at + HEADER_OCTETS);
  switch (pdu.command) {
    case "submit_sm":
    case "deliver_sm":
      writeMessage(writer, pdu);
      break;
    case "submit_sm_resp":
    case "deliver_sm_resp":
      writeMessageId(writer, pdu);
      break;
    default:
      writeByTable(writer, pdu);
  }
  const end = writer.at;
  writer.at = at;
  writer.uint32(end - at, "command_length");
  writer.uint32(COMMAND[pdu.command].id, "command_id");
  writer.uint32(pdu.command_status, "command_status");
  writer.uint32(pdu.sequence_number, "sequence_number");
  return end;
}

function writeMessage(writer: Writer, pdu: PduOf<"submit_sm"> | PduOf<"deliver_sm">): void {
  writer.text(pdu.service_type, 6, "service_type");
  writer.uint8(pdu.source_addr_ton, "source_addr_ton");
  writer.uint8(pdu.source_addr_npi, "source_addr_npi");
  writer.text(pdu.source_addr, 21, "source_addr");
  writer.uint8(pdu.dest_addr_ton, "dest_addr_ton");
  writer.uint8(pdu.dest_addr_npi, "dest_addr_npi");
  writer.text(pdu.destination_addr, 21, "destination_addr");
  writer.uint8(pdu.esm_class, "esm_class");
  writer.uint8(pdu.protocol_id, "protocol_id");
  writer.uint8(pdu.priority_flag, "priority_flag");
  writeTime(writer, pdu.schedule_delivery_time, "schedule_delivery_time");
  writeTime(writer, pdu.validity_period, "validity_period");
  writer.uint8(pdu.registered_delivery, "registered_delivery");
  writer.uint8(pdu.replace_if_present_flag, "replace_if_present_flag");
  writer.uint8(pdu.data_coding, "data_coding");
  writer.uint8(pdu.sm_default_msg_id, "sm_default_msg_id");
  writeShortMessage(writer, pdu.short_message);
  if (pdu.tlvs.length > 0) writeTlvs(writer, pdu.tlvs);
}

/** An error response with nothing to say goes without a body (§4.4.2). */
function writeMessageId(
  writer: Writer,
  { command_status, message_id, tlvs }: PduOf<"submit_sm_resp"> | PduOf<"deliver_sm_resp">,
): void {
  if (command_status !== 0 && message_id === "" && tlvs.length === 0) return;
  writer.text(message_id, 65, "message_id");
  if (tlvs.length > 0) writeTlvs(writer, tlvs);
}

function writeTime(writer: Writer, value: string, field: string): void {
  const { length } = value;
  if (length !== 0 && length !== TIME_OCTETS - 1)
    throw unfit(field, `${length} characters instead of 0 or 16`);
  writer.text(value, TIME_OCTETS, field);
}

function writeShortMessage(writer: Writer, value: Uint8Array): void {
  if (value.length > MAX_SHORT_MESSAGE_OCTETS) {
    throw unfit("short_message", `${value.length} octets, at most ${MAX_SHORT_MESSAGE_OCTETS} fit`);
  }
  writer.uint8(value.length, "sm_length");
  writer.octets(value);
}

function writeByTable(writer: Writer, pdu: Pdu): void {
  const values: Readonly<Record<string, unknown>> = pdu;
  if (pdu.command_status !== 0 && COMMAND[pdu.command].id >= RESPONSE_BIT && isEmpty(pdu)) return;
  for (const [name, field] of FIELDS[pdu.command]) writeField(writer, field, values[name], name);
  writeTlvs(writer, pdu.tlvs);
}

function isEmpty(pdu: Pdu): boolean {
  const values: Readonly<Record<string, string | number | ArrayLike<unknown>>> = pdu;
  for (const [name] of FIELDS[pdu.command]) {
    const value = values[name];
    if (typeof value === "number" ? value !== 0 : value?.length !== 0) return false;
  }
  return pdu.tlvs.length === 0;
}

function writeField(writer: Writer, field: Field, value: unknown, name: string): void {
  switch (field.kind) {
    case "uint8":
      writer.uint8(numberIn(value, name), name);
      break;
    case "uint32":
      writer.uint32(numberIn(value, name), name);
      break;
    case "text":
      writer.text(textIn(value, name), field.written ?? field.max, name);
      break;
    case "time":
      writeTime(writer, textIn(value, name), name);
      break;
    case "short_message":
      writeShortMessage(writer, octetsIn(value, name));
      break;
    case "dest_address":
      writeDestAddresses(writer, listIn(value, name));
      break;
    case "unsuccess_sme":
      writeUnsuccessSmes(writer, listIn(value, name));
      break;
  }
}

/** What a list holds is looked at as it is written, member by member. */
function listIn<Entry>(value: unknown, field: string): readonly Entry[] {
  if (!Array.isArray(value)) throw unfit(field, "it is no list");
  return value;
}

function writeDestAddresses(writer: Writer, addresses: readonly DestAddress[]): void {
  const { length } = addresses;
  if (length === 0 || length > MAX_DESTINATIONS) {
    throw unfit("dest_address", `${length} destinations, 1 to ${MAX_DESTINATIONS} fit`);
  }
  writer.uint8(length, "number_of_dests");
  for (const address of addresses) {
    writer.uint8(address.dest_flag, "dest_flag");
    if (address.dest_flag === 1) writeSme(writer, address);
    else writer.text(address.dl_name, 21, "dl_name");
  }
}

function writeUnsuccessSmes(writer: Writer, smes: readonly UnsuccessSme[]): void {
  writer.uint8(smes.length, "no_unsuccess");
  for (const sme of smes) {
    writeSme(writer, sme);
    writer.uint32(sme.error_status_code, "error_status_code");
  }
}

function writeSme(writer: Writer, sme: Omit<UnsuccessSme, "error_status_code">): void {
  writer.uint8(sme.dest_addr_ton, "dest_addr_ton");
  writer.uint8(sme.dest_addr_npi, "dest_addr_npi");
  writer.text(sme.destination_addr, 21, "destination_addr");
}
