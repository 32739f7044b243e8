/**
 * What the client on the handset says back, as one binary SMS (data coding 04) to the address that the push came from.
 *
 *   | magic 52 01 : 2 | level : 1 | cause : 1 | reference : 8 | at, seconds since 1970 : 4 | MAC : 12 |   28 octets
 *
 * The reference names the key: the first 8 octets of its id. The MAC is HMAC-SHA-256 over all before it, cut to 12
 * octets, under the key's confirm secret. A report may come twice; the same reference and level say the same thing.
 * Settings alone have no secret, so nothing is reported of them: OMA CP has no answer channel.
 *
 * The arrival proof is the same idea for the manufacturer's server: the handset shows it there over the new access point.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import { octetIn } from "../octet.ts";

/** Every report has this length. */
const DEVICE_REPORT_OCTETS = 28;
/** How many octets of a key's id name it in a report. */
export const REPORT_REFERENCE_OCTETS = 8;
const MAGIC = [0x52, 0x01] as const;
const MAC_OCTETS = 12;
const PROOF_OCTETS = 16;
const SIGNED_OCTETS = DEVICE_REPORT_OCTETS - MAC_OCTETS;

const LEVELS = ["opened", "refused", "deleted", "works"] as const;
/** The octet on the wire is the place in this list: append only. */
const CAUSES = [
  "none",
  "malformed",
  "unknown_issuer",
  "bad_signature",
  "foreign_key",
  "not_yet_valid",
  "expired",
  "wrong_mac",
  "pin_refused",
  "user_refused",
  "replayed",
  "unsupported",
  "no_connection",
  "memory_full",
] as const;

/** `opened`: applied; `deleted`: the key removed itself after use; `works`: the handset reached the manufacturer's server. */
export type ReportLevel = (typeof LEVELS)[number];
export type ReportCause = (typeof CAUSES)[number];
/** A report as it travels, not yet believed: `verifyDeviceReport` checks its MAC. */
export type DeviceReport = {
  readonly reference: Uint8Array;
  readonly level: ReportLevel;
  readonly cause: ReportCause;
  /** By the handset's clock. */
  readonly at: Date;
  readonly mac: Uint8Array;
};

/**
 * The reference of reports about a key.
 * @throws RangeError: fewer than 8 octets
 */
export function reportReferenceOf(keyId: Uint8Array): Uint8Array {
  if (keyId.length < REPORT_REFERENCE_OCTETS) throw new RangeError("a reference has 8 octets");
  return keyId.slice(0, REPORT_REFERENCE_OCTETS);
}

/**
 * Encodes and signs. `secret`: the key's confirm secret.
 * @throws RangeError: a reference that has not 8 octets, a time outside 1970 to 2106
 */
export function signDeviceReport(report: Omit<DeviceReport, "mac">, secret: Uint8Array): Uint8Array {
  const signed = encodeSigned(report);
  return Uint8Array.from(Buffer.concat([signed, macOf(signed, secret)]));
}

/**
 * Writes what `signDeviceReport` made, big-endian.
 * @throws RangeError: a MAC that has not 12 octets, a reference that has not 8, a time outside 1970 to 2106
 */
export function encodeDeviceReport(report: DeviceReport): Uint8Array {
  if (report.mac.length !== MAC_OCTETS) throw new RangeError("a report's MAC has 12 octets");
  return Uint8Array.from(Buffer.concat([encodeSigned(report), report.mac]));
}

/**
 * Reads the form only; `verifyDeviceReport` says whether to believe it. Integers are big-endian.
 * @throws DecodeError with the offset: not 28 octets, another magic, an unknown level or cause
 */
export function decodeDeviceReport(bytes: Uint8Array): DeviceReport {
  MAGIC.forEach((octet, at) => {
    if (bytes.length > at && bytes[at] !== octet)
      throw new DecodeError("not a device report of version 1", at);
  });
  if (bytes.length < DEVICE_REPORT_OCTETS) throw new DecodeError("device report cut short", bytes.length);
  if (bytes.length > DEVICE_REPORT_OCTETS)
    throw new DecodeError("octets after a device report", DEVICE_REPORT_OCTETS);
  const level = LEVELS[octetIn(bytes, 2)];
  const cause = CAUSES[octetIn(bytes, 3)];
  if (!level) throw new DecodeError(`unknown level ${bytes[2]}`, 2);
  if (!cause) throw new DecodeError(`unknown cause ${bytes[3]}`, 3);
  const seconds = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(12);
  return {
    level,
    cause,
    reference: bytes.slice(4, 12),
    at: new Date(seconds * 1000),
    mac: bytes.slice(SIGNED_OCTETS),
  };
}

/** Whether the report was made by who holds `secret`. */
export function verifyDeviceReport(bytes: Uint8Array, secret: Uint8Array): boolean {
  if (bytes.length !== DEVICE_REPORT_OCTETS) return false;
  const signed = bytes.subarray(0, SIGNED_OCTETS);
  return timingSafeEqual(bytes.subarray(SIGNED_OCTETS), macOf(signed, secret));
}

/** What a handset shows to the manufacturer's server: 16 octets that only the holder of this key can make. */
export function arrivalProofOf(confirmSecret: Uint8Array, keyId: Uint8Array): Uint8Array {
  const mac = createHmac("sha256", confirmSecret).update("arrival").update(keyId).digest();
  return Uint8Array.from(mac.subarray(0, PROOF_OCTETS));
}

/** Whether the proof is that of this key, compared in a time that does not tell how much of it is right. */
export function verifyArrivalProof(proof: Uint8Array, confirmSecret: Uint8Array, keyId: Uint8Array): boolean {
  return proof.length === PROOF_OCTETS && timingSafeEqual(proof, arrivalProofOf(confirmSecret, keyId));
}

function encodeSigned({ level, cause, reference, at }: Omit<DeviceReport, "mac">): Uint8Array {
  if (reference.length !== REPORT_REFERENCE_OCTETS) throw new RangeError("a reference has 8 octets");
  const seconds = Math.floor(at.getTime() / 1000);
  if (!(seconds >= 0 && seconds <= 0xffffffff)) throw new RangeError("a time outside 1970 to 2106");
  const bytes = new Uint8Array(SIGNED_OCTETS);
  bytes.set([...MAGIC, LEVELS.indexOf(level), CAUSES.indexOf(cause)]);
  bytes.set(reference, 4);
  new DataView(bytes.buffer).setUint32(12, seconds);
  return bytes;
}

const macOf = (signed: Uint8Array, secret: Uint8Array): Uint8Array =>
  createHmac("sha256", secret).update("report").update(signed).digest().subarray(0, MAC_OCTETS);
