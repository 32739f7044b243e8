/**
 * The device key: a manufacturer's signed permission, with its access points, for exactly one handset. Made by the
 * manufacturer's key server, carried by Turnup over SMS without being changed, run by the client on the handset.
 *
 *   | magic 4B 01 : 2 | key id : 16 | binding : 8 | confirm secret : 16 | not before : 4 | not after : 4 | script : 1 |
 *   | fields: tag 1, length 1, value ... | Ed25519 signature over every octet before it : 64 |
 *
 *   field 01 issuer (once, first), 02 host that the access points serve (1..4), 03 access point (1..4), in that order;
 *   an unknown tag below 80 after them is skipped, one from 80 on is refused.
 *   access point: | use : 1 | authentication : 1 | fields 01 apn, 02 user, 03 password, 04 MMSC, 05 MMS proxy, 06 port (2 octets) |
 *   script bits: 01 open session, 02 insert access points, 04 close session, 08 delete the key after use;
 *   bit 10 beside them: the binding names the model (TAC) only.
 *
 * Times are whole seconds since 1970, big-endian. Two SMS hold a key with one access point and usual names.
 * The binding names the IMEI without holding it: the first 8 octets of HMAC-SHA-256(confirm secret, "imei" + key id +
 * 14 digits). It keeps the number out of message stores; who holds the whole key and guesses among the million
 * handsets of a model can still find it, so a key is sealed at rest like the IMEI itself. A key bound to a model is for
 * makers that answer without a unique id: "model" and 8 digits stand in for "imei" and 14, and every handset of that
 * model takes it, so who asked with a unique id must refuse it.
 */
import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";
import { DecodeError } from "../decode-error.ts";

/** Media type of a device key in a WAP push. */
export const DEVICE_KEY_CONTENT_TYPE = "application/vnd.turnup.device-key";
/** Of a key's id; its first 8 name it in reports. */
export const KEY_ID_OCTETS = 16;
/** Of the secret under which the handset reports and proves its arrival. */
const CONFIRM_SECRET_OCTETS = 16;
/** Eight SMS; a longer key is refused both ways. */
export const MAX_DEVICE_KEY_OCTETS = 1_000;
/** Access points in one key; at least 1. */
export const MAX_ACCESS_POINTS = 4;
/** Hosts in one key; at least 1. */
const MAX_HOSTS = 4;

const MAGIC = [0x4b, 0x01] as const;
const BINDING_OCTETS = 8;
const FIXED_OCTETS = MAGIC.length + KEY_ID_OCTETS + BINDING_OCTETS + CONFIRM_SECRET_OCTETS + 4 + 4 + 1;
const SIGNATURE_OCTETS = 64;
const MAX_ISSUER_OCTETS = 32;
const MAX_TEXT_OCTETS = 128;
const CRITICAL_TAG = 0x80;

const FIELD = { issuer: 0x01, host: 0x02, accessPoint: 0x03 } as const;
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
const SCRIPT_BITS = { openSession: 1, insertAccessPoints: 2, closeSession: 4, deleteAfterUse: 8 } as const;

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
export type KeyScript = { readonly [Step in keyof typeof SCRIPT_BITS]: boolean };

/** Whether a key is for one handset (14 digits of the IMEI) or for all of one TAC (8 digits). */
export type KeyBinding = "handset" | "model";

/** What the manufacturer signs. */
export type DeviceKeyBody = {
  readonly keyId: Uint8Array;
  readonly issuer: string;
  /** `handset` unless said. */
  readonly boundTo?: KeyBinding;
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
export type DeviceKey = DeviceKeyBody & { readonly boundTo: KeyBinding; readonly signature: Uint8Array };

/** Why a handset does not run a key, in the order in which it looks. */
export type KeyRefusal =
  | "malformed"
  | "unknown_issuer"
  | "bad_signature"
  | "foreign_key"
  | "not_yet_valid"
  | "expired";
/** A key that passed every check, or the first check that it failed; `detail` is for logs. */
export type KeyVerdict =
  | { readonly kind: "valid"; readonly key: DeviceKey }
  /** `key` is there only where its signature was good, so that a refusal can be reported under its secret. */
  | {
      readonly kind: "refused";
      readonly reason: KeyRefusal;
      readonly detail: string;
      readonly key?: DeviceKey;
    };

/**
 * The value that ties a key to one handset, or to its model. `imei` has 14 to 16 digits; only the first 14 count
 * (TS 23.003 clause 6.2), and only the first 8 for a model.
 * @throws RangeError: too few digits, or other characters than digits
 */
export function bindingOf(
  confirmSecret: Uint8Array,
  keyId: Uint8Array,
  imei: string,
  boundTo: KeyBinding = "handset",
): Uint8Array {
  const digits = boundTo === "handset" ? 14 : 8;
  if (!/^\d{8,16}$/.test(imei) || imei.length < digits) throw new RangeError(`${digits} digits are wanted`);
  const mac = createHmac("sha256", confirmSecret).update(boundTo === "handset" ? "imei" : "model");
  return Uint8Array.from(
    mac.update(keyId).update(imei.slice(0, digits)).digest().subarray(0, BINDING_OCTETS),
  );
}

/**
 * Signs and encodes. The same body and key give the same octets: Ed25519 draws no randomness (RFC 8032 clause 5.1.6).
 * @throws RangeError: a text, number or octets that a field cannot hold, or a key of more than 1,000 octets
 */
export function signDeviceKey(body: DeviceKeyBody, privateKey: KeyObject): Uint8Array {
  const unsigned = encodeBody(body);
  return joined([unsigned, sign(null, unsigned, privateKey)]);
}

/** @throws RangeError: a value that the format cannot hold */
export function encodeDeviceKey(key: DeviceKey): Uint8Array {
  if (key.signature.length !== SIGNATURE_OCTETS) throw new RangeError("an Ed25519 signature has 64 octets");
  return joined([encodeBody(key), key.signature]);
}

/**
 * Everything a handset checks before it runs a key, in this order: form, issuer, signature, handset, time.
 * @param imei the handset's own, 14 to 16 digits
 */
export function verifyDeviceKey(
  bytes: Uint8Array,
  publicKeyOf: (issuer: string) => KeyObject | undefined,
  imei: string,
  now: Date,
): KeyVerdict {
  let key: DeviceKey;
  try {
    key = decodeDeviceKey(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { kind: "refused", reason: "malformed", detail: error.message };
  }
  const publicKey = publicKeyOf(key.issuer);
  if (!publicKey) return { kind: "refused", reason: "unknown_issuer", detail: `issuer ${key.issuer}` };
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_OCTETS);
  if (!verify(null, signed, publicKey, key.signature)) {
    return { kind: "refused", reason: "bad_signature", detail: `not signed by ${key.issuer}` };
  }
  if (!timingSafeEqual(key.binding, bindingOf(key.confirmSecret, key.keyId, imei, key.boundTo))) {
    return { kind: "refused", reason: "foreign_key", detail: "the key is bound to another handset", key };
  }
  if (now < key.notBefore) {
    return {
      kind: "refused",
      reason: "not_yet_valid",
      detail: `valid from ${key.notBefore.toISOString()}`,
      key,
    };
  }
  if (now > key.notAfter) {
    return { kind: "refused", reason: "expired", detail: `valid until ${key.notAfter.toISOString()}`, key };
  }
  return { kind: "valid", key };
}

/**
 * Reads the form only; `verifyDeviceKey` says whether to believe it. Integers are big-endian.
 * @throws DecodeError with the offset: cut short, more than 1,000 octets, another magic, a field out of order or over
 *   its limit, an unknown tag from 80 on, an end of validity that is not after its beginning
 */
export function decodeDeviceKey(bytes: Uint8Array): DeviceKey {
  if (bytes.length > MAX_DEVICE_KEY_OCTETS)
    throw new DecodeError("device key too long", MAX_DEVICE_KEY_OCTETS);
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
  const boundTo = bytes[at + 8]! & MODEL_BIT ? "model" : "handset";
  const script = scriptOf(bytes[at + 8]! & ~MODEL_BIT, at + 8);
  const end = bytes.length - SIGNATURE_OCTETS;
  const fields = decodeFields(bytes, FIXED_OCTETS, end);
  return {
    keyId,
    boundTo,
    binding,
    confirmSecret,
    notBefore,
    notAfter,
    script,
    ...namesOf(bytes, fields, end),
    signature: bytes.slice(end),
  };
}

type Field = { readonly tag: number; readonly start: number; readonly end: number };

/** Fields in ascending order of tag, so that one value has one encoding. */
function decodeFields(bytes: Uint8Array, from: number, to: number): Field[] {
  const fields: Field[] = [];
  let last = 0;
  for (let at = from; at < to; ) {
    if (to - at < 2) throw new DecodeError("field header cut short", at);
    const tag = bytes[at]!;
    const start = at + 2;
    const end = start + bytes[at + 1]!;
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
  for (const field of fields) {
    const at = field.start - 2;
    if (field.tag === FIELD.issuer) issuers.push(textOf(bytes, field, MAX_ISSUER_OCTETS));
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
  return { issuer, hosts, accessPoints };
}

function decodeAccessPoint(bytes: Uint8Array, { start, end }: Field): KeyAccessPoint {
  if (end - start < 2) throw new DecodeError("access point cut short", start);
  const use = USES[bytes[start]!];
  const authType = AUTH_TYPES[bytes[start + 1]!];
  if (!use) throw new DecodeError(`unknown use ${bytes[start]}`, start);
  if (!authType) throw new DecodeError(`unknown authentication ${bytes[start + 1]}`, start + 1);
  const found: { -readonly [Name in keyof typeof POINT_FIELD]?: Name extends "port" ? number : string } = {};
  let last = 0;
  for (const field of decodeFields(bytes, start + 2, end)) {
    const at = field.start - 2;
    const name = (Object.keys(POINT_FIELD) as (keyof typeof POINT_FIELD)[]).find(
      (key) => POINT_FIELD[key] === field.tag,
    );
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
  const port = (bytes[start]! << 8) | bytes[start + 1]!;
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

function encodeBody(body: DeviceKeyBody): Uint8Array {
  const { hosts, accessPoints, script } = body;
  if (hosts.length < 1 || hosts.length > MAX_HOSTS) throw new RangeError("a key names 1 to 4 hosts");
  if (accessPoints.length < 1 || accessPoints.length > MAX_ACCESS_POINTS)
    throw new RangeError("a key holds 1 to 4 access points");
  if (!(body.notBefore < body.notAfter)) throw new RangeError("a key's validity begins before it ends");
  const steps = (Object.keys(SCRIPT_BITS) as (keyof typeof SCRIPT_BITS)[]).filter((step) => script[step]);
  const bytes = joined([
    Uint8Array.from(MAGIC),
    exactly(body.keyId, KEY_ID_OCTETS, "key id"),
    exactly(body.binding, BINDING_OCTETS, "binding"),
    exactly(body.confirmSecret, CONFIRM_SECRET_OCTETS, "confirm secret"),
    uint32(Math.floor(body.notBefore.getTime() / 1000)),
    uint32(Math.floor(body.notAfter.getTime() / 1000)),
    Uint8Array.of(
      steps.reduce((bits, step) => bits | SCRIPT_BITS[step], body.boundTo === "model" ? MODEL_BIT : 0),
    ),
    textField(FIELD.issuer, body.issuer, MAX_ISSUER_OCTETS),
    ...hosts.map((host) => textField(FIELD.host, host)),
    ...accessPoints.map((point) => field(FIELD.accessPoint, encodeAccessPoint(point))),
  ]);
  if (bytes.length + SIGNATURE_OCTETS > MAX_DEVICE_KEY_OCTETS)
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

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
