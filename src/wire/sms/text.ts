/**
 * Text messages: the coding that a text needs, its parts, and text back from a received coding.
 * Source: 3GPP TS 23.038 §4 to §6, SMPP v3.4 §5.2.19.
 *
 * In SMPP the septets of the default alphabet travel one an octet, after a header too; the SMSC packs them
 * (`packSeptets` is for the few that want it done).
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { type NationalShifts, septetsOf, textOfSeptets, unpackSeptets } from "./gsm7.ts";
import { PARTS_MAX, USER_DATA_OCTETS } from "./split.ts";
import { encodeUdh, type UserDataPart } from "./udh.ts";

/** SMPP data_coding values; above 0F the value is a GSM coding scheme. */
export const DATA_CODING = { gsm7: 0x00, ascii: 0x01, latin1: 0x03, binary: 0x04, ucs2: 0x08 } as const;

/** Of the user data header of one of several parts, by the bits of its reference (TS 23.040 §9.2.3.24). */
const HEADER_OCTETS = { 8: 6, 16: 7 } as const;

/** Room in one message, alone and beside a header, in units of the coding: septets, or octets of whole UTF-16 units. */
function roomOf(isSeptets: boolean, maxOctets: number, refBits: 8 | 16): { alone: number; beside: number } {
  const beside = maxOctets - HEADER_OCTETS[refBits];
  return isSeptets
    ? { alone: Math.floor((maxOctets * 8) / 7), beside: Math.floor((beside * 8) / 7) }
    : { alone: maxOctets - (maxOctets % 2), beside: beside - (beside % 2) };
}

/** A text's coding (SMPP's data_coding), and its parts with their headers. */
export type TextMessage = { readonly dataCoding: number; readonly parts: readonly UserDataPart[] };

/** How a long text is cut; an 8-bit reference unless said, which leaves room for one more character a part. */
export type TextCut = {
  /** Fresh for each message to one phone; of a longer counter the low bits are taken. */
  readonly reference: number;
  readonly referenceBits?: 8 | 16;
  /** Octets of user data in one message; 140 unless the bearer holds another number. */
  readonly maxOctets?: number;
};

/**
 * The default alphabet where it has every character, else UCS-2. An escaped character, and one of two UTF-16 units,
 * stays in one part.
 * @throws TurnupError `payload_too_long`: more than 255 parts
 * @throws TurnupError `payload_malformed`: half of a UTF-16 pair
 */
export function encodeText(text: string, cut: TextCut): TextMessage {
  const septets = septetsOf(text);
  const { referenceBits: refBits = 8, maxOctets = USER_DATA_OCTETS } = cut;
  const room = roomOf(septets !== undefined, maxOctets, refBits);
  const characters = septets ?? ucs2Of(text);
  const dataCoding = septets ? DATA_CODING.gsm7 : DATA_CODING.ucs2;
  const octets = characters.reduce((sum, character) => sum + character.length, 0);
  if (octets <= room.alone) {
    return { dataCoding, parts: [{ udh: new Uint8Array(0), data: joined(characters, octets) }] };
  }
  const chunks = chunksOf(characters, room.beside);
  const total = chunks.length;
  if (total > PARTS_MAX) {
    throw new TurnupError("payload_too_long", `The text needs more than ${PARTS_MAX} messages.`);
  }
  const ref = cut.reference & (refBits === 8 ? 0xff : 0xffff);
  const parts = chunks.map((data, index) => ({
    udh: encodeUdh({ concat: { refBits, ref, total, seq: index + 1 } }),
    data,
  }));
  return { dataCoding, parts };
}

function joined(characters: readonly (readonly number[])[], octets: number): Uint8Array {
  const data = new Uint8Array(octets);
  let at = 0;
  for (const character of characters) for (const octet of character) data[at++] = octet;
  return data;
}

/**
 * Text of one message or of all its parts together, by SMPP data_coding or GSM coding scheme.
 * @param shifts languages that the header names, for the default alphabet (`nationalShiftsOf`)
 * @throws DecodeError: a coding that holds no text, or text that is cut inside a character
 */
export function decodeText(dataCoding: number, bytes: Uint8Array, shifts?: NationalShifts): string {
  const coding = dataCoding <= 0x0f ? dataCoding : alphabetOf(dataCoding);
  switch (coding) {
    case DATA_CODING.gsm7:
      return textOfSeptets(bytes, shifts);
    case DATA_CODING.ascii:
    case DATA_CODING.latin1:
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    case DATA_CODING.ucs2:
      return textOfUcs2(bytes);
    default:
      throw new DecodeError(`data coding ${dataCoding} holds no text`, 0);
  }
}

/** Text of a user data field as it is on the air: septets packed behind a header of `udhOctets`. */
export function decodePackedText(packed: Uint8Array, septetCount: number, udhOctets = 0): string {
  const fillBits = (7 - ((udhOctets * 8) % 7)) % 7;
  return textOfSeptets(unpackSeptets(packed, septetCount, fillBits));
}

/** The SMPP coding that a GSM coding scheme means (3GPP TS 23.038 §4); compressed text is not read. */
function alphabetOf(scheme: number): number {
  const group = scheme >> 4;
  const alphabet = (scheme >> 2) & 3;
  const isGeneral = group < 0x8;
  if (isGeneral && (scheme & 0x20) === 0) {
    return [DATA_CODING.gsm7, DATA_CODING.binary, DATA_CODING.ucs2][alphabet] ?? -1;
  }
  if (group === 0xc || group === 0xd) return DATA_CODING.gsm7;
  if (group === 0xe) return DATA_CODING.ucs2;
  if (group === 0xf) return scheme & 0x04 ? DATA_CODING.binary : DATA_CODING.gsm7;
  return -1;
}

/** Whether a coding is UCS-2, as SMPP numbers it or by a GSM coding scheme. */
export const isUcs2 = (dataCoding: number): boolean =>
  (dataCoding <= 0x0f ? dataCoding : alphabetOf(dataCoding)) === DATA_CODING.ucs2;

function ucs2Of(text: string): (readonly number[])[] {
  return Array.from(text, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    if (units.length === 1 && (character.charCodeAt(0) & 0xf800) === 0xd800) {
      throw new TurnupError("payload_malformed", "The text holds half of a UTF-16 pair.");
    }
    return units.flatMap((unit) => [unit >> 8, unit & 0xff]);
  });
}

function textOfUcs2(bytes: Uint8Array): string {
  if (bytes.length % 2 === 1)
    throw new DecodeError("UCS-2 text of an odd number of octets", bytes.length - 1);
  const units = Buffer.from(bytes).swap16();
  return units.toString("utf16le");
}

function chunksOf(characters: readonly (readonly number[])[], room: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let chunk: number[] = [];
  for (const character of characters) {
    if (chunk.length + character.length > room) {
      chunks.push(Uint8Array.from(chunk));
      chunk = [];
    }
    chunk.push(...character);
  }
  chunks.push(Uint8Array.from(chunk));
  return chunks;
}
