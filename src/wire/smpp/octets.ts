/**
 * The two hands of the SMPP codec: a reader that never passes the end of its PDU and a writer that refuses what a
 * field cannot hold. Integers are big-endian and unsigned; a C-octet string ends with a NUL (SMPP v3.4 §3.1).
 *
 * Both are classes with plain number fields and no closures, because they stand in the path of every PDU.
 */

import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { octetAt } from "../octet-at.ts";

/** Seeing octets as a Buffer costs nothing and brings the fast text methods. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Text of one octet a character. The method is Node's own under toString("latin1"), without its checks of the arguments. */
export function latin1At(buffer: Buffer, start: number, end: number): string {
  return (buffer as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(start, end); // Node has it; its types do not
}

/**
 * Reads the fields of one PDU. Where it ends too early, or a text is too long, they throw `DecodeError` with the
 * offset.
 */
export class Reader {
  readonly buffer: Buffer;
  /** Where the PDU starts; offsets in errors count from here. */
  readonly start: number;
  readonly end: number;
  /** Lenient readers take text longer than its field and values of an odd size; never octets past the end. */
  readonly lenient: boolean;
  at: number;

  constructor(buffer: Buffer, start: number, end: number, lenient: boolean) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.lenient = lenient;
    this.at = start;
  }

  refuse(message: string, at: number): DecodeError {
    return new DecodeError(message, at - this.start);
  }

  uint8(field: string): number {
    if (this.at >= this.end) throw this.refuse(`${field} is cut short`, this.at);
    return octetAt(this.buffer, this.at++);
  }

  uint16(field: string): number {
    const { buffer, at } = this;
    if (this.end - at < 2) throw this.refuse(`${field} is cut short`, at);
    this.at = at + 2;
    return (octetAt(buffer, at) << 8) | octetAt(buffer, at + 1);
  }

  uint32(field: string): number {
    const { buffer, at } = this;
    if (this.end - at < 4) throw this.refuse(`${field} is cut short`, at);
    this.at = at + 4;
    return uint32At(buffer, at);
  }

  /** A C-octet string of at most `maxOctets`, its NUL counted. */
  text(maxOctets: number, field: string): string {
    const { buffer, at, end } = this;
    let stop = at;
    while (stop < end && buffer[stop] !== 0) stop++;
    if (stop >= end) throw this.refuse(`${field} has no ending NUL`, at);
    if (stop - at >= maxOctets && !this.lenient) {
      throw this.refuse(`${field} has ${stop - at} characters, at most ${maxOctets - 1} fit`, at);
    }
    this.at = stop + 1;
    return stop === at ? "" : latin1At(buffer, at, stop);
  }

  /** A copy, so that what is kept does not hold a whole read of the socket in memory. */
  octets(count: number, field: string): Uint8Array {
    const { at } = this;
    if (this.end - at < count) {
      throw this.refuse(`${field} of ${count} octets passes the end of the PDU`, at);
    }
    this.at = at + count;
    return copyOf(this.buffer, at, count);
  }
}

/**
 * Writes fields into room that the caller has measured. A value that its field does not hold: TurnupError
 * `smpp_field_invalid`.
 */
export class Writer {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.buffer = buffer;
    this.at = at;
  }

  uint8(value: number, field: string): void {
    if (value >>> 0 !== value || value > 0xff) throw unfit(field, `${value} is no integer of 1 octet`);
    this.buffer[this.at++] = value;
  }

  uint16(value: number, field: string): void {
    if (value >>> 0 !== value || value > 0xffff) throw unfit(field, `${value} is no integer of 2 octets`);
    this.buffer[this.at++] = value >>> 8;
    this.buffer[this.at++] = value;
  }

  uint32(value: number, field: string): void {
    if (value >>> 0 !== value) throw unfit(field, `${value} is no integer of 4 octets`);
    const { buffer, at } = this;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
    this.at = at + 4;
  }

  /** Latin-1 text and its NUL. Writing by hand beats the native call for strings of this size. */
  text(value: string, maxOctets: number, field: string): void {
    const { length } = value;
    if (length >= maxOctets) {
      throw unfit(field, `${length} characters are too many, at most ${maxOctets - 1} fit`);
    }
    const { buffer } = this;
    let { at } = this;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code === 0 || code > 0xff) throw unfit(field, `character ${i} cannot stand in it`);
      buffer[at++] = code;
    }
    buffer[at] = 0;
    this.at = at + 1;
  }

  octets(value: Uint8Array): void {
    this.buffer.set(value, this.at);
    this.at += value.length;
  }
}

/** An unsigned integer of 4 octets, big-endian; the caller has looked that they are there. */
export function uint32At(buffer: Buffer, at: number): number {
  return (
    ((octetAt(buffer, at) << 24) |
      (octetAt(buffer, at + 1) << 16) |
      (octetAt(buffer, at + 2) << 8) |
      octetAt(buffer, at + 3)) >>>
    0
  );
}

/** The number that a field of this kind holds. @throws TurnupError `smpp_field_invalid`: a value of another kind */
export function numberIn(value: unknown, field: string): number {
  if (typeof value !== "number") throw unfit(field, "it is no number");
  return value;
}

/** The text that a field of this kind holds. @throws TurnupError `smpp_field_invalid`: a value of another kind */
export function textIn(value: unknown, field: string): string {
  if (typeof value !== "string") throw unfit(field, "it is no text");
  return value;
}

/** The octets that a field of this kind holds. @throws TurnupError `smpp_field_invalid`: a value of another kind */
export function octetsIn(value: unknown, field: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw unfit(field, "it is no octets");
  return value;
}

/** A field that the wire cannot carry: the caller's value, named without being shown. */
export function unfit(field: string, why: string): TurnupError {
  return new TurnupError("smpp_field_invalid", `${field}: ${why}.`);
}

const NOTHING = new Uint8Array(0);

function copyOf(buffer: Buffer, at: number, count: number): Uint8Array {
  if (count === 0) return NOTHING;
  const copy = new Uint8Array(count);
  for (let i = 0; i < count; i++) copy[i] = octetAt(buffer, at + i);
  return copy;
}
