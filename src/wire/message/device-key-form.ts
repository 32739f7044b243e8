/**
 * The octets of a device key, as `device-key.ts` lays them out: read by form alone, and written. Integers are big-endian.
 */

import { keysOf } from "../../term/record.ts";
import { DecodeError } from "../decode-error.ts";
import { octetIn, uint16In } from "../octet.ts";

/** Of a key's id; its first 8 name it in reports. */
export const KEY_ID_OCTETS = 16;

/** Of the secret under which the handset reports and proves its arrival. */
const CONFIRM_SECRET_OCTETS = 16;
/** Eight SMS; a longer key is refused both ways. */
export const MAX_DEVICE_KEY_OCTETS = 1000;

/** Access points in one key; at least 1. */
export const MAX_ACCESS_POINTS = 4;
/** Hosts in one key; at least 1. */
const MAX_HOSTS = 4;
const MAGIC = [0x4b, 0x01] as const;
export const BOUND_MAGIC = [0x4b, 0x02] as const;

/** An Ed25519 public key without its wrapping (RFC 8032 clause 5.1.5). */
export const BINDER_OCTETS = 32;
export const BINDING_OCTETS = 8;
const FIXED_OCTETS = MAGIC.length + KEY_ID_OCTETS + BINDING_OCTETS + CONFIRM_SECRET_OCTETS + 4 + 4 + 1;
export const SIGNATURE_OCTETS = 64;
const MAX_ISSUER_OCTETS = 32;
const MAX_TEXT_OCTETS = 128;
const CRITICAL_TAG = 0x80;
const FIELD = { issuer: 0x01, host: 0x02, accessPoint: 0x03, binder: 0x04 } as const;
const POINT_FIELD = {
  apn: 0x01,
  user: 0x02,
  password: 0x03,
  mmsc: 0x04,
  mmsProxy: 0x05,
  port: 0x06,
} as const;

const USES = ["maker", "mms", "internet", "wap"] as const;
const AUTH_TYPES = ["none", "pap", "chap"] as const;
const MODEL_BIT = 0x10;
const BINDER_BIT = 0x20;
const SCRIPT_BITS = {
  openSession: 1,
  insertAccessPoints: 2,
  closeSession: 4,
  deleteAfterUse: 8,
} as const;
/** One access point that a key puts on the handset. Texts have at most 128 octets of UTF-8. */
export type KeyAccessPoint = {
  readonly apn: string;
  /** What the handset uses it for; `maker` is the manufacturer's own service. */
  readonly use: (typeof USES)[number];
  readonly authType: (typeof AUTH_TYPES)[number];
  readonly user?: string;
  readonly password?: string;
  readonly mmsc?: string;
  readonly mmsProxy?: string;
  readonly port?: number;
};

/** What the handset does with a key; each step is one bit of the script octet. */
export type KeyScript = {
  readonly [Step in keyof typeof SCRIPT_BITS]: boolean;
};
/**
 * Whether its maker's signature ties a key to one handset (14 digits of the IMEI), to all of one TAC (8 digits), or to none:
 * then whom it names as its binder does.
 */
export type KeyBinding = "handset" | "model" | "none";

/** What the manufacturer signs. */
export type DeviceKeyBody = {
  readonly keyId: Uint8Array;
  readonly issuer: string;
  /** `handset` unless said. */
  readonly boundTo?: KeyBinding;
  /** Who binds it to a handset at its first use: 32 octets, never of a key that is bound to a handset from the start. */
  readonly binder?: Uint8Array;
  readonly binding: Uint8Array;
  /** Signs the handset's reports and its arrival at the manufacturer's server. */
  readonly confirmSecret: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly script: KeyScript;
  /** Hosts, `name` or `name:port`, that the access points lead to. */
  readonly hosts: readonly string[];
  readonly accessPoints: readonly KeyAccessPoint[];
};

/** A key as it travels: what the manufacturer signs, and the Ed25519 signature of 64 octets. */
export type DeviceKey = DeviceKeyBody & {
  readonly boundTo: KeyBinding;
  readonly signature: Uint8Array;
  /** What its binder put around it: 8 octets that name the handset, and a signature of 64. */
  readonly bound?: { readonly binding: Uint8Array; readonly signature: Uint8Array };
};

/** @throws RangeError: a value that the format cannot hold */
export function encodeDeviceKey(key: DeviceKey): Uint8Array {
  if (key.signature.length !== SIGNATURE_OCTETS) throw new RangeError("an Ed25519 signature has 64 octets");
  const inner = joined([encodeBody(key), key.signature]);
  if (!key.bound) return inner;
  const binding = exactly(key.bound.binding, BINDING_OCTETS, "binding");
  return joined([
    Uint8Array.from(BOUND_MAGIC),
    binding,
    inner,
    exactly(key.bound.signature, SIGNATURE_OCTETS, "signature"),
  ]);
}

/** The maker's octets of a bound key. */
export const innerOf = (bytes: Uint8Array): Uint8Array =>
  bytes.subarray(BOUND_HEAD_OCTETS, bytes.length - SIGNATURE_OCTETS);
const BOUND_HEAD_OCTETS = BOUND_MAGIC.length + BINDING_OCTETS;
/**
 * Reads the form only; `verifyDeviceKey` says whether to believe it. Integers are big-endian.
 * @throws DecodeError with the offset: cut short, more than 1,000 octets, another magic, a field out of order or over
 *   its limit, an unknown tag from 80 on, an end of validity that is not after its beginning, a binder without its bit
 */
export function decodeDeviceKey(bytes: Uint8Array): DeviceKey {
  if (bytes.length > MAX_DEVICE_KEY_OCTETS)
    throw new DecodeError("device key too long", MAX_DEVICE_KEY_OCTETS);
  if (!BOUND_MAGIC.every((octet, at) => bytes[at] === octet)) return decodeOwn(bytes);
  if (bytes.length < BOUND_HEAD_OCTETS + SIGNATURE_OCTETS)
    throw new DecodeError("device key cut short", bytes.length);
  const key = insideBound(innerOf(bytes));
  if (!key.binder) throw new DecodeError("bound, and names no binder", BOUND_HEAD_OCTETS);
  return {
    ...key,
    bound: {
      binding: bytes.slice(BOUND_MAGIC.length, BOUND_HEAD_OCTETS),
      signature: bytes.slice(bytes.length - SIGNATURE_OCTETS),
    },
  };
}

/** Its faults are told at their place in the whole. */
function insideBound(inner: Uint8Array): DeviceKey {
  try {
    return decodeOwn(inner);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const fact = error.message.replace(/ \(at octet \d+\)$/, "");
    throw new DecodeError(fact, error.offset + BOUND_HEAD_OCTETS);
  }
}

/** A key as its maker signed it. */
function decodeOwn(bytes: Uint8Array): DeviceKey {
  MAGIC.forEach((octet, at) => {
    if (bytes.length > at && bytes[at] !== octet) throw new DecodeError("not a device key of version 1", at);
  });
  if (bytes.length < FIXED_OCTETS + SIGNATURE_OCTETS)
    throw new DecodeError("device key cut short", bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bindingAt = MAGIC.length + KEY_ID_OCTETS;
  const secretAt = bindingAt + BINDING_OCTETS;
  const at = secretAt + CONFIRM_SECRET_OCTETS;
  const keyId = bytes.slice(MAGIC.length, bindingAt);
  const binding = bytes.slice(bindingAt, secretAt);
  const confirmSecret = bytes.slice(secretAt, at);
  const notBefore = new Date(view.getUint32(at) * 1000);
  const notAfter = new Date(view.getUint32(at + 4) * 1000);
  if (!(notBefore < notAfter)) throw new DecodeError("validity ends before it begins", at);
  const bits = view.getUint8(at + 8);
  const hasBinder = (bits & BINDER_BIT) !== 0;
  const boundTo = bits & MODEL_BIT ? "model" : hasBinder ? "none" : "handset";
  if (boundTo === "none" && binding.some((octet) => octet !== 0))
    throw new DecodeError("bound by its maker, and to be bound", bindingAt);
  const script = scriptOf(bits & ~(MODEL_BIT | BINDER_BIT), at + 8);
  const end = bytes.length - SIGNATURE_OCTETS;
  const fields = decodeFields(bytes, FIXED_OCTETS, end);
  const names = namesOf(bytes, fields, end);
  if (hasBinder !== (names.binder !== undefined))
    throw new DecodeError(hasBinder ? "no binder" : "a binder without its bit", at + 8);
  return {
    keyId,
    boundTo,
    binding,
    confirmSecret,
    notBefore,
    notAfter,
    script,
    ...names,
    signature: bytes.slice(end),
  };
}

export type Field = { readonly tag: number; readonly start: number; readonly end: number };
/** Fields in ascending order of tag, so that one value has one encoding. */
function decodeFields(bytes: Uint8Array, from: number, to: number): Field[] {
  const fields: Field[] = [];
  let last = 0;
  for (let at = from; at < to; ) {
    if (to - at < 2) throw new DecodeError("field header cut short", at);
    const tag = octetIn(bytes, at);
    const start = at + 2;
    const end = start + octetIn(bytes, at + 1);
    if (end > to) throw new DecodeError("field value cut short", at);
    if (tag < last) throw new DecodeError(`field ${tag} after field ${last}`, at);
    fields.push({ tag, start, end });
    last = tag;
    at = end;
  }
  return fields;
}

function namesOf(bytes: Uint8Array, fields: readonly Field[], end: number) {
  const issuers: string[] = [];
  const hosts: string[] = [];
  const accessPoints: KeyAccessPoint[] = [];
  const binders: Uint8Array[] = [];
  for (const field of fields) {
    const at = field.start - 2;
    if (field.tag === FIELD.binder) {
      if (field.end - field.start !== BINDER_OCTETS || binders.length > 0)
        throw new DecodeError("a binder is one key of 32 octets", at);
      binders.push(bytes.slice(field.start, field.end));
    } else if (field.tag === FIELD.issuer) issuers.push(textOf(bytes, field, MAX_ISSUER_OCTETS));
    else if (field.tag === FIELD.host) hosts.push(textOf(bytes, field));
    else if (field.tag === FIELD.accessPoint) accessPoints.push(decodeAccessPoint(bytes, field));
    else if (field.tag >= CRITICAL_TAG || field.tag === 0)
      throw new DecodeError(`unknown field ${field.tag}`, at);
  }
  const [issuer] = issuers;
  if (issuer === undefined || issuers.length > 1)
    throw new DecodeError(`${issuers.length} issuers, not 1`, end);
  if (hosts.length < 1 || hosts.length > MAX_HOSTS)
    throw new DecodeError(`${hosts.length} hosts, not 1 to 4`, end);
  if (accessPoints.length < 1 || accessPoints.length > MAX_ACCESS_POINTS)
    throw new DecodeError(`${accessPoints.length} access points, not 1 to 4`, end);
  const [binder] = binders;
  return { issuer, hosts, accessPoints, ...(binder && { binder }) };
}

function decodeAccessPoint(bytes: Uint8Array, { start, end }: Field): KeyAccessPoint {
  if (end - start < 2) throw new DecodeError("access point cut short", start);
  const use = USES[octetIn(bytes, start)];
  const authType = AUTH_TYPES[octetIn(bytes, start + 1)];
  if (!use) throw new DecodeError(`unknown use ${bytes[start]}`, start);
  if (!authType) throw new DecodeError(`unknown authentication ${bytes[start + 1]}`, start + 1);
  const found: {
    -readonly [Name in keyof typeof POINT_FIELD]?: Name extends "port" ? number : string;
  } = {};
  let last = 0;
  for (const field of decodeFields(bytes, start + 2, end)) {
    const at = field.start - 2;
    const name = keysOf(POINT_FIELD).find((key) => POINT_FIELD[key] === field.tag);
    if (!name || field.tag === last)
      throw new DecodeError(`field ${field.tag} unknown or twice in an access point`, at);
    last = field.tag;
    if (name === "port") found.port = portOf(bytes, field);
    else found[name] = textOf(bytes, field);
  }
  const { apn, ...rest } = found;
  if (apn === undefined) throw new DecodeError("access point without an APN", start);
  return { apn, use, authType, ...rest };
}

function portOf(bytes: Uint8Array, { start, end }: Field): number {
  if (end - start !== 2) throw new DecodeError("a port has 2 octets", start);
  const port = uint16In(bytes, start);
  if (port === 0) throw new DecodeError("port 0", start);
  return port;
}

/** Text of a field: UTF-8, not empty, no control characters. */
function textOf(bytes: Uint8Array, { start, end }: Field, limit = MAX_TEXT_OCTETS): string {
  if (end === start) throw new DecodeError("empty text", start);
  if (end - start > limit) throw new DecodeError(`text longer than ${limit} octets`, start + limit);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, end));
  } catch {
    throw new DecodeError("text is not UTF-8", start);
  }
  if (hasControl(text)) throw new DecodeError("control character in text", start);
  return text;
}

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);
function scriptOf(bits: number, at: number): KeyScript {
  if (bits > 15) throw new DecodeError("unknown script step", at);
  const has = (bit: number): boolean => (bits & bit) !== 0;
  return {
    openSession: has(SCRIPT_BITS.openSession),
    insertAccessPoints: has(SCRIPT_BITS.insertAccessPoints),
    closeSession: has(SCRIPT_BITS.closeSession),
    deleteAfterUse: has(SCRIPT_BITS.deleteAfterUse),
  };
}

/**
 * What the manufacturer signs.
 * @throws RangeError: a value that a field cannot hold, or a key of more than 1,000 octets, bound or to be bound
 */
export function encodeBody(body: DeviceKeyBody): Uint8Array {
  const { hosts, accessPoints, script } = body;
  if (hosts.length < 1 || hosts.length > MAX_HOSTS) throw new RangeError("a key names 1 to 4 hosts");
  if (accessPoints.length < 1 || accessPoints.length > MAX_ACCESS_POINTS)
    throw new RangeError("a key holds 1 to 4 access points");
  if (!(body.notBefore < body.notAfter)) throw new RangeError("a key's validity begins before it ends");
  const { binder, boundTo = "handset" } = body;
  if (binder ? boundTo === "handset" : boundTo === "none")
    throw new RangeError("a key is bound to its handset by its maker, or by whom its maker names");
  const steps = keysOf(SCRIPT_BITS).filter((step) => script[step]);
  const bytes = joined([
    Uint8Array.from(MAGIC),
    exactly(body.keyId, KEY_ID_OCTETS, "key id"),
    exactly(body.binding, BINDING_OCTETS, "binding"),
    exactly(body.confirmSecret, CONFIRM_SECRET_OCTETS, "confirm secret"),
    uint32(Math.floor(body.notBefore.getTime() / 1000)),
    uint32(Math.floor(body.notAfter.getTime() / 1000)),
    Uint8Array.of(
      steps.reduce(
        (bits, step) => bits | SCRIPT_BITS[step],
        (boundTo === "model" ? MODEL_BIT : 0) | (binder ? BINDER_BIT : 0),
      ),
    ),
    textField(FIELD.issuer, body.issuer, MAX_ISSUER_OCTETS),
    ...hosts.map((host) => textField(FIELD.host, host)),
    ...accessPoints.map((point) => field(FIELD.accessPoint, encodeAccessPoint(point))),
    ...(binder ? [field(FIELD.binder, exactly(binder, BINDER_OCTETS, "binder"))] : []),
  ]);
  const around = binder ? BOUND_HEAD_OCTETS + SIGNATURE_OCTETS : 0; // what comes around it when it is bound
  if (bytes.length + SIGNATURE_OCTETS + around > MAX_DEVICE_KEY_OCTETS)
    throw new RangeError("the key is longer than 1000 octets");
  return bytes;
}

function encodeAccessPoint(point: KeyAccessPoint): Uint8Array {
  const texts = (["apn", "user", "password", "mmsc", "mmsProxy"] as const).flatMap((name) => {
    const text = point[name];
    return text === undefined ? [] : [textField(POINT_FIELD[name], text)];
  });
  if (point.port !== undefined) {
    if (!Number.isInteger(point.port) || point.port < 1 || point.port > 0xffff)
      throw new RangeError(`port ${point.port}`);
    texts.push(field(POINT_FIELD.port, Uint8Array.of(point.port >> 8, point.port & 0xff)));
  }
  return joined([Uint8Array.of(USES.indexOf(point.use), AUTH_TYPES.indexOf(point.authType)), ...texts]);
}

function textField(tag: number, text: string, limit = MAX_TEXT_OCTETS): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < 1 || bytes.length > limit || hasControl(text))
    throw new RangeError(`a text of 1 to ${limit} octets without control characters is wanted`);
  return field(tag, bytes);
}

function field(tag: number, value: Uint8Array): Uint8Array {
  if (value.length > 0xff) throw new RangeError("a field holds at most 255 octets");
  return joined([Uint8Array.of(tag, value.length), value]);
}

function uint32(seconds: number): Uint8Array {
  if (!(seconds >= 0 && seconds <= 0xffffffff)) throw new RangeError("a time outside 1970 to 2106");
  return Uint8Array.of(seconds >>> 24, (seconds >>> 16) & 0xff, (seconds >>> 8) & 0xff, seconds & 0xff);
}

function exactly(bytes: Uint8Array, octets: number, name: string): Uint8Array {
  if (bytes.length !== octets) throw new RangeError(`a ${name} has ${octets} octets`);
  return bytes;
}

export const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
