/**
 * Signs and verifies HTTP messages. A verifier believes nothing that it did not ask for: the components that must be
 * covered, a moment near its own clock, a nonce that it has not seen, a key that is known for this leg, and the
 * algorithm that belongs to the key. Sources: RFC 9421 §3 and §7; RFC 9530 for the body.
 *
 *   Signature-Input: sig1=("@method" "@path" ...);created=...;nonce="...";keyid="...";alg="...";tag="turnup"
 *   Signature: sig1=:base64:
 */
import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import { isDigestOf } from "./content-digest.ts";
import { ComponentError, type SignedMessage, signatureBase } from "./signature-base.ts";
import { type BareItem, type InnerList, parseDictionary, serializeInnerList } from "./structured-field.ts";

/** Names of the registry that RFC 9421 §6.2 opens; rsa-v1_5 and P-384 are left out. */
export const SIGNATURE_ALGORITHMS = [
  "ecdsa-p256-sha256",
  "ed25519",
  "hmac-sha256",
  "rsa-pss-sha512",
] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** How far a sender's clock may stand from ours. */
export const CLOCK_TOLERANCE_SECONDS = 60;
const PSS_SALT_OCTETS = 64;
const RSA_BITS_MIN = 2_048;
const HMAC_OCTETS_MIN = 32;
const NONCE_CHARACTERS = { min: 16, max: 128 };

/** `name`, or `[name, parameters]` for `@query-param`. */
export type Component = string | readonly [name: string, parameters: Readonly<Record<string, string>>];
/** Parameters of a signature (RFC 9421 §2.3); times are seconds since 1970. */
export type SignatureParameters = {
  readonly created?: number;
  readonly expires?: number;
  readonly nonce?: string;
  readonly keyid?: string;
  readonly alg?: SignatureAlgorithm;
  readonly tag?: string;
};

/**
 * The two fields for a message.
 * @param parameters are written in the order in which they are given
 * @throws ComponentError where the message does not have a component; RangeError where the key does not fit
 */
export function signMessage(
  message: SignedMessage,
  options: {
    readonly label: string;
    readonly components: readonly Component[];
    readonly parameters: SignatureParameters;
    readonly key: KeyObject;
    readonly algorithm: SignatureAlgorithm;
  },
): { readonly signatureInput: string; readonly signature: string } {
  const { label, key, algorithm } = options;
  if (!fits(key, algorithm)) throw new RangeError(`this key is not one for ${algorithm}`);
  const list = listOf(options.components, options.parameters);
  const octets = makeSignature(Buffer.from(signatureBase(message, list)), key, algorithm);
  return {
    signatureInput: `${label}=${serializeInnerList(list)}`,
    signature: `${label}=:${octets.toString("base64")}:`,
  };
}

function listOf(components: readonly Component[], parameters: SignatureParameters): InnerList {
  const items = components.map((component) => {
    const [name, given] = typeof component === "string" ? [component, {}] : component;
    const bare: BareItem = { kind: "string", value: name };
    const list = Object.entries(given).map(([key, value]): [string, BareItem] => [
      key,
      { kind: "string", value },
    ]);
    return { bare, parameters: new Map(list) };
  });
  const list = Object.entries(parameters).map(([key, value]): [string, BareItem] => [
    key,
    typeof value === "number" ? { kind: "integer", value } : { kind: "string", value },
  ]);
  return { items, parameters: new Map(list) };
}

/** Why a message is not believed. */
export type SignatureFault =
  | "malformed"
  | "no_signature"
  | "other_label"
  | "component_missing"
  | "component_unknown"
  | "not_covered"
  | "tag_wrong"
  | "created_missing"
  | "too_old"
  | "too_new"
  | "expired"
  | "nonce_missing"
  | "replayed"
  | "key_unknown"
  | "key_other_leg"
  | "algorithm_unknown"
  | "algorithm_unfit"
  | "digest_wrong"
  | "signature_wrong";
/** A message that is not believed; `fault` is the rule that it broke. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
  readonly fault: SignatureFault;
  constructor(fault: SignatureFault, detail = fault.replaceAll("_", " ")) {
    super(`the message's signature: ${detail}`);
    this.fault = fault;
  }
}

/** A key that a peer signs with, on one leg alone. */
export type SigningPeer = {
  readonly keyid: string;
  readonly leg: string;
  readonly algorithm: SignatureAlgorithm;
  readonly key: KeyObject;
};

/** What a verifier asks of every message. */
export type VerifierRules = {
  readonly label: string;
  readonly leg: string;
  readonly tag: string;
  /** Names of components that must be covered, whatever the message holds. */
  readonly required: readonly string[];
  /** Fields that must be covered where the message has them. */
  readonly coveredIfPresent: readonly string[];
  keyOf(keyid: string): SigningPeer | undefined;
  /** Notes a nonce until then; false where it was noted before, or where no more can be noted. */
  noteNonce(nonce: string, untilSeconds: number): boolean;
};

/**
 * Who signed the message. The nonce is noted last, so that a forger cannot spend other people's.
 * @param nowSeconds since 1970
 * @throws SignatureError: the first rule that the message breaks
 */
export function verifyMessage(
  message: SignedMessage,
  body: Uint8Array,
  rules: VerifierRules,
  nowSeconds: number,
): { readonly keyid: string; readonly covered: ReadonlySet<string> } {
  const { list, params, octets } = readSignature(message, rules.label);
  const covered = coverageOf(list, message, rules);
  const { nonce, peer } = checkParameters(list, rules, nowSeconds);
  if (covered.has("content-digest")) checkDigest(message, body);
  const base = baseOf(message, list, params);
  if (!isSignature(base, octets, peer.key, peer.algorithm)) throw new SignatureError("signature_wrong");
  // A nonce is kept until no message that bears it could pass the clock any more.
  const until = nowSeconds + 2 * CLOCK_TOLERANCE_SECONDS;
  if (!rules.noteNonce(`${peer.keyid}\n${nonce}`, until)) throw new SignatureError("replayed");
  return { keyid: peer.keyid, covered };
}

function readSignature(message: SignedMessage, label: string) {
  const input = message.headers.get("signature-input");
  const signature = message.headers.get("signature");
  if (!input || !signature) throw new SignatureError("no_signature");
  const inputs = dictionaryOf(input);
  const signatures = dictionaryOf(signature);
  const list = inputs.get(label);
  const value = signatures.get(label);
  if (!list || !value) throw new SignatureError("other_label");
  if (list.kind !== "list" || value.kind !== "item" || value.bare.kind !== "bytes")
    throw new SignatureError("malformed");
  return { list, params: list.text, octets: value.bare.value };
}

function dictionaryOf(values: readonly string[]): ReturnType<typeof parseDictionary> {
  try {
    return parseDictionary(values.join(", "));
  } catch (error) {
    if (error instanceof DecodeError) throw new SignatureError("malformed", error.message);
    throw error;
  }
}

function coverageOf(list: InnerList, message: SignedMessage, rules: VerifierRules): ReadonlySet<string> {
  const covered = new Set(
    list.items.flatMap(({ bare, parameters }) =>
      bare.kind === "string" && parameters.size === 0 ? [bare.value] : [],
    ),
  );
  const wanted = [...rules.required, ...rules.coveredIfPresent.filter((name) => message.headers.has(name))];
  const left = wanted.find((name) => !covered.has(name));
  if (left !== undefined) throw new SignatureError("not_covered", `${left} is not covered`);
  return covered;
}

function checkParameters(
  { parameters }: InnerList,
  rules: VerifierRules,
  nowSeconds: number,
): { readonly nonce: string; readonly peer: SigningPeer } {
  const text = (name: string): string | undefined => {
    const value = parameters.get(name);
    if (value && value.kind !== "string") throw new SignatureError("malformed", `${name} is no string`);
    return value?.value;
  };
  if (text("tag") !== rules.tag) throw new SignatureError("tag_wrong");
  checkMoment(parameters, nowSeconds);
  const nonce = text("nonce") ?? "";
  if (nonce.length < NONCE_CHARACTERS.min || nonce.length > NONCE_CHARACTERS.max)
    throw new SignatureError("nonce_missing");
  const peer = rules.keyOf(text("keyid") ?? "");
  if (!peer) throw new SignatureError("key_unknown");
  if (peer.leg !== rules.leg) throw new SignatureError("key_other_leg");
  const alg = text("alg");
  if (alg !== undefined && !SIGNATURE_ALGORITHMS.some((known) => known === alg))
    throw new SignatureError("algorithm_unknown");
  // The key's own algorithm decides; a message that names another is not asked for its reasons (§7.3.6).
  if ((alg !== undefined && alg !== peer.algorithm) || !fits(peer.key, peer.algorithm))
    throw new SignatureError("algorithm_unfit");
  return { nonce, peer };
}

function checkMoment(parameters: InnerList["parameters"], nowSeconds: number): void {
  const created = parameters.get("created");
  if (created?.kind !== "integer") throw new SignatureError("created_missing");
  if (created.value < nowSeconds - CLOCK_TOLERANCE_SECONDS) throw new SignatureError("too_old");
  if (created.value > nowSeconds + CLOCK_TOLERANCE_SECONDS) throw new SignatureError("too_new");
  const expires = parameters.get("expires");
  if (expires !== undefined && (expires.kind !== "integer" || expires.value < nowSeconds))
    throw new SignatureError("expired");
}

function checkDigest({ headers }: SignedMessage, body: Uint8Array): void {
  try {
    if (isDigestOf((headers.get("content-digest") ?? []).join(", "), body)) return;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  throw new SignatureError("digest_wrong");
}

function baseOf(message: SignedMessage, list: InnerList, params: string): Buffer {
  try {
    return Buffer.from(signatureBase(message, list, params));
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    const isMissing = /does not have/.test(error.message);
    throw new SignatureError(isMissing ? "component_missing" : "component_unknown", error.message);
  }
}

function fits(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  switch (algorithm) {
    case "ed25519":
      return key.asymmetricKeyType === "ed25519";
    case "ecdsa-p256-sha256":
      return key.asymmetricKeyDetails?.namedCurve === "prime256v1";
    case "hmac-sha256":
      return key.type === "secret" && (key.symmetricKeySize ?? 0) >= HMAC_OCTETS_MIN;
    case "rsa-pss-sha512": {
      const isRsa = key.asymmetricKeyType === "rsa" || key.asymmetricKeyType === "rsa-pss";
      return isRsa && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN;
    }
  }
}

const pss = (key: KeyObject) => ({
  key,
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: PSS_SALT_OCTETS,
});

function makeSignature(base: Buffer, key: KeyObject, algorithm: SignatureAlgorithm): Buffer {
  switch (algorithm) {
    case "ed25519":
      return sign(null, base, key);
    case "ecdsa-p256-sha256":
      return sign("sha256", base, { key, dsaEncoding: "ieee-p1363" });
    case "hmac-sha256":
      return createHmac("sha256", key).update(base).digest();
    case "rsa-pss-sha512":
      return sign("sha512", base, pss(key));
  }
}

/** Whether these octets are the key's signature over this base. */
export function isSignature(
  base: Buffer,
  octets: Uint8Array,
  key: KeyObject,
  algorithm: SignatureAlgorithm,
): boolean {
  switch (algorithm) {
    case "ed25519":
      return verify(null, base, key, octets);
    case "ecdsa-p256-sha256":
      return verify("sha256", base, { key, dsaEncoding: "ieee-p1363" }, octets);
    case "hmac-sha256": {
      const wanted = createHmac("sha256", key).update(base).digest();
      return wanted.length === octets.length && timingSafeEqual(wanted, octets);
    }
    case "rsa-pss-sha512":
      return verify("sha512", base, pss(key), octets);
  }
}
