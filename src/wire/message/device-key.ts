/**
 * The device key: a manufacturer's signed permission, with its access points, for exactly one handset. Made by the
 * manufacturer's key server, carried by Turnup over SMS without being changed, run by the client on the handset.
 *
 *   | magic 4B 01 : 2 | key id : 16 | binding : 8 | confirm secret : 16 | not before : 4 | not after : 4 | script : 1 |
 *   | fields: tag 1, length 1, value ... | Ed25519 signature over every octet before it : 64 |
 *
 *   field 01 issuer (once, first), 02 host that the access points serve (1..4), 03 access point (1..4), 04 binder (once,
 *   where bit 20 stands), in that order; an unknown tag below 80 after them is skipped, one from 80 on is refused.
 *   access point: | use : 1 | authentication : 1 | fields 01 apn, 02 user, 03 password, 04 MMSC, 05 MMS proxy, 06 port (2 octets) |
 *   script bits: 01 open session, 02 insert access points, 04 close session, 08 delete the key after use;
 *   bit 10 beside them: the binding names the model (TAC) only; bit 20: the binder binds the key to a handset at its first
 *   use (without bit 10 the binding within is 8 octets of zero).
 *
 * A key that is made beforehand, before its handset is known, names who binds it: field 04 is the binder's Ed25519 public key.
 * Bound, it travels within what its binder signs, the maker's octets unchanged:
 *
 *   | magic 4B 02 : 2 | binding to the handset : 8 | the maker's key, from 4B 01 on | binder's Ed25519 signature over every octet before it : 64 |
 *
 * Times are whole seconds since 1970, big-endian. Two SMS hold a key with one access point and usual names.
 * The binding names the IMEI without holding it: the first 8 octets of HMAC-SHA-256(confirm secret, "imei" + key id +
 * 14 digits). It keeps the number out of message stores; who holds the whole key and guesses among the million
 * handsets of a model can still find it, so a key is sealed at rest like the IMEI itself. A key bound to a model is for
 * makers that answer without a unique id: "model" and 8 digits stand in for "imei" and 14, and every handset of that
 * model takes it, so who asked with a unique id must refuse it. A handset takes no key that is still to be bound.
 */
import { createHmac, createPublicKey, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import {
  BINDING_OCTETS,
  BOUND_MAGIC,
  type DeviceKey,
  type DeviceKeyBody,
  decodeDeviceKey,
  encodeBody,
  innerOf,
  joined,
  type KeyBinding,
  SIGNATURE_OCTETS,
} from "./device-key-form.ts";

/** Media type of a device key in a WAP push. */
export const DEVICE_KEY_CONTENT_TYPE = "application/vnd.turnup.device-key";
/** What stands before such a key in its SubjectPublicKeyInfo (RFC 8410 clause 4). */
const SPKI_PREFIX = Uint8Array.from(Buffer.from("302a300506032b6570032100", "hex"));

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
  boundTo: Exclude<KeyBinding, "none"> = "handset",
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

/** 32 octets of an Ed25519 key, public or the public half of a private one, as field 04 holds them. */
export function binderOf(key: KeyObject): Uint8Array {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return Uint8Array.from(publicKey.export({ type: "spki", format: "der" }).subarray(SPKI_PREFIX.length));
}

/**
 * Binds a key that was made beforehand to the handset that uses it first. The same key, handset and binder give the same octets.
 * @param imei 14 to 16 digits
 * @throws RangeError: the key is to be bound by another, or is bound already
 * @throws DecodeError: as `decodeDeviceKey`
 */
export function bindDeviceKey(bytes: Uint8Array, imei: string, privateKey: KeyObject): Uint8Array {
  const key = decodeDeviceKey(bytes);
  if (!key.binder || key.bound) throw new RangeError("the key is none that is still to be bound");
  if (!isSame(key.binder, binderOf(privateKey))) throw new RangeError("the key names another binder");
  const unsigned = joined([
    Uint8Array.from(BOUND_MAGIC),
    bindingOf(key.confirmSecret, key.keyId, imei),
    bytes,
  ]);
  return joined([unsigned, sign(null, unsigned, privateKey)]);
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.from(one).equals(other);

/**
 * Everything a handset checks before it runs a key, in this order: form, issuer, signature, handset, time.
 * @param imei the handset's own, 14 to 16 digits; null: of a key that is still to be bound, all but the handset is checked
 */
export function verifyDeviceKey(
  bytes: Uint8Array,
  publicKeyOf: (issuer: string) => KeyObject | undefined,
  imei: string | null,
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
  const own = key.bound ? innerOf(bytes) : bytes;
  const signed = own.subarray(0, own.length - SIGNATURE_OCTETS);
  if (!verify(null, signed, publicKey, key.signature)) {
    return { kind: "refused", reason: "bad_signature", detail: `not signed by ${key.issuer}` };
  }
  if (!isBindingSigned(key, bytes)) {
    const detail = `its binding is not signed by whom ${key.issuer} names`;
    return { kind: "refused", reason: "bad_signature", detail };
  }
  if (imei !== null && !isBoundTo(key, imei)) {
    const whom = key.binder && !key.bound ? "to no handset yet" : "to another handset";
    return { kind: "refused", reason: "foreign_key", detail: `the key is bound ${whom}`, key };
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

/** Of a key that nobody bound since, there is nothing to be signed. */
function isBindingSigned({ binder, bound }: DeviceKey, bytes: Uint8Array): boolean {
  if (!bound) return true;
  if (!binder) return false;
  const key = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, binder]),
    format: "der",
    type: "spki",
  });
  return verify(null, bytes.subarray(0, bytes.length - SIGNATURE_OCTETS), key, bound.signature);
}

/** By its maker's word, and where that names a binder by the binder's word too. */
function isBoundTo(
  { binding, boundTo, binder, bound, confirmSecret, keyId }: DeviceKey,
  imei: string,
): boolean {
  const isTied = (to: Uint8Array, by: "handset" | "model"): boolean =>
    timingSafeEqual(to, bindingOf(confirmSecret, keyId, imei, by));
  if (boundTo !== "none" && !isTied(binding, boundTo)) return false;
  return binder ? bound !== undefined && isTied(bound.binding, "handset") : boundTo !== "none";
}
