/**
 * A software module, signed by who made it. The same octets are the file that a vendor hands out, what the catalog keeps,
 * and a part of the content that a device gets (`content.ts`).
 *
 *   | magic 4D 01 : 2 | name : 1 + n | version : 1 + n | vendor : 1 + n | software : 4 + n | Ed25519 signature : 64 |
 *
 * The signature covers `turnup-module-1`, LF, and every octet before it, so no other message of ours can pass as a module.
 */
import { type KeyObject, sign, verify } from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import { joined, readOctets, sizedOctets, textOctets } from "./octets.ts";

/** Of the software alone, in octets. */
const MAX_SOFTWARE_OCTETS = 1_048_576;
/** Of a whole module: its names, software and signature. */
export const MAX_MODULE_OCTETS = MAX_SOFTWARE_OCTETS + 256;

/** A module as it travels, not yet believed: the vendor's Ed25519 signature has 64 octets. */
export type SoftwareModule = {
  /** `a-z 0-9 . -`, at most 63. */
  readonly name: string;
  /** One to four numbers with points between: `2.0.11`. */
  readonly version: string;
  readonly vendor: string;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
};
/** Why a device does not install a module whose form is right. */
export type ModuleRefusal = "unknown_vendor" | "bad_module_signature";

const MAGIC = Uint8Array.of(0x4d, 0x01);
const SIGNATURE_OCTETS = 64;
const DOMAIN = new TextEncoder().encode("turnup-module-1\n");
/** The rule for a module's name, in octets. */
export const MODULE_NAME = { min: 1, max: 63, pattern: /^[a-z0-9][a-z0-9.-]*$/ } as const;
const VERSION = { min: 1, max: 23, pattern: /^(0|[1-9]\d{0,4})(\.(0|[1-9]\d{0,4})){0,3}$/ } as const;
const VENDOR = { min: 1, max: 40, pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/ } as const;

/**
 * Ed25519 draws no randomness: the same module and key give the same octets.
 * @throws RangeError: a name or software that the format cannot hold
 */
export function signModule(module: Omit<SoftwareModule, "signature">, privateKey: KeyObject): SoftwareModule {
  const signature = Uint8Array.from(sign(null, signedOctets(module), privateKey));
  return { ...module, signature };
}

/**
 * Why a device must not run it; undefined where it may.
 * @throws RangeError: a name or software that the format cannot hold
 */
export function moduleRefusalOf(
  module: SoftwareModule,
  publicKeyOf: (vendor: string) => KeyObject | undefined,
): ModuleRefusal | undefined {
  const publicKey = publicKeyOf(module.vendor);
  if (!publicKey) return "unknown_vendor";
  return verify(null, signedOctets(module), publicKey, module.signature) ? undefined : "bad_module_signature";
}

/** @throws RangeError: a value that the format cannot hold */
export function encodeModule(module: SoftwareModule): Uint8Array {
  if (module.signature.length !== SIGNATURE_OCTETS)
    throw new RangeError("an Ed25519 signature has 64 octets");
  return joined([unsigned(module), module.signature]);
}

/**
 * Reads the form only; `moduleRefusalOf` says whether to believe it.
 * @throws DecodeError with the offset: too long, cut short, another magic, or a field of another form
 */
export function decodeModule(bytes: Uint8Array, offset = 0): SoftwareModule {
  if (bytes.length > MAX_MODULE_OCTETS) throw new DecodeError("module too long", offset + MAX_MODULE_OCTETS);
  const reader = readOctets(bytes, offset);
  MAGIC.forEach((octet, at) => {
    if (reader.number(1, "module") !== octet) throw new DecodeError("not a module of version 1", offset + at);
  });
  const name = reader.text(1, MODULE_NAME, "name of a module");
  const version = reader.text(1, VERSION, "version of a module");
  const vendor = reader.text(1, VENDOR, "vendor of a module");
  const software = reader.sized(4, MAX_SOFTWARE_OCTETS, "software");
  const signature = reader.octets(SIGNATURE_OCTETS, "signature of a module");
  if (reader.left > 0) throw new DecodeError("octets after a module", reader.at);
  return { name, version, vendor, bytes: software, signature };
}

/** Below 0 where `one` is the older; numbers count, not their digits: 1.9 is older than 1.10. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one.split(".").map(Number), other.split(".").map(Number)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const signedOctets = (module: Omit<SoftwareModule, "signature">): Uint8Array =>
  joined([DOMAIN, unsigned(module)]);

function unsigned({ name, version, vendor, bytes }: Omit<SoftwareModule, "signature">): Uint8Array {
  if (bytes.length > MAX_SOFTWARE_OCTETS)
    throw new RangeError(`software of at most ${MAX_SOFTWARE_OCTETS} octets goes into a module`);
  return joined([
    MAGIC,
    textOctets(1, name, MODULE_NAME, "name of a module"),
    textOctets(1, version, VERSION, "version of a module"),
    textOctets(1, vendor, VENDOR, "vendor of a module"),
    sizedOctets(4, bytes),
  ]);
}
