/**
 * What a device gets for one item of a request: modules to install, dormant software to wake, parameters for its
 * applications, and security data for it alone (US 6,647,260, abstract and columns 6 to 7). Signed by the operator's issuer,
 * bound to one device, one request and one item.
 *
 *   | magic 43 01 : 2 | not after, seconds since 1970 : 4 | reference : 8 | item : 16 | binding : 8 | issuer : 1 + n |
 *   | sections : 4 + n, each: tag 1, length 4, value | Ed25519 signature : 64 |
 *
 *   sections in ascending order: 01 module (`module.ts`), 02 activation, 03 removal, each the name of a module;
 *   04 parameter, 05 security value: | name 1 + n | value 2 + n |. An unknown tag is refused.
 *
 * The binding is the first 8 octets of HMAC-SHA-256(item, "content" + reference + 14 digits of the IMEI): it keeps the number
 * out of what is stored; the operator's signature keeps it from being chosen. The signature covers `turnup-content-1`, LF,
 * and every octet before it. An activation has no octets of software: what it wakes is on the device (claims 3 and 4).
 */
import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";
import { entriesOf } from "../../term/record.ts";
import { DecodeError } from "../decode-error.ts";
import { decodeModule, encodeModule, MAX_MODULE_OCTETS, MODULE_NAME, type SoftwareModule } from "./module.ts";
import { referenceIn, referenceOctets } from "./notice.ts";
import {
  joined,
  numberOctets,
  readOctets,
  sizedOctets,
  textOctets,
  timeOctets,
  uuidOctets,
  uuidOf,
} from "./octets.ts";

/** Media type of a package, in HTTP and inside a notice. */
export const CONTENT_TYPE_OF_CONTENT = "application/vnd.turnup.content";
/** Of a whole package, its signature counted. */
export const MAX_CONTENT_OCTETS = 4_194_304;
/** Sections of each kind in one package. */
const CONTENT_LIMITS = {
  modules: 8,
  activations: 16,
  removals: 16,
  parameters: 64,
  security: 32,
} as const;

const MAGIC = Uint8Array.of(0x43, 0x01);
const BINDING_OCTETS = 8;
const UUID_OCTETS = 16;
const SIGNATURE_OCTETS = 64;
const IMEI_DIGITS = 14;
const DOMAIN = new TextEncoder().encode("turnup-content-1\n");
const SECTION = { module: 1, activation: 2, removal: 3, parameter: 4, security: 5 } as const;
const ISSUER = { min: 1, max: 40 } as const;
const VALUE_NAME = { min: 1, max: 40, pattern: /^[A-Za-z][A-Za-z0-9_.-]*$/ } as const;
const VALUE = { max: 1_000 } as const;

/** What the operator signs. */
export type ContentBody = {
  readonly issuer: string;
  /** 8 letters and digits. */
  readonly reference: string;
  /** UUID of the order's item. */
  readonly itemId: string;
  readonly notAfter: Date;
  readonly modules: readonly SoftwareModule[];
  /** Names of modules that sleep on the device. */
  readonly activations: readonly string[];
  /** Names of modules that leave the device. */
  readonly removals: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** Passwords and keys for this device alone; the device keeps them apart from the rest. */
  readonly security: Readonly<Record<string, string>>;
};
/** A package as it travels: what is signed, the binding to the device, and the Ed25519 signature over both. */
export type Content = ContentBody & { readonly binding: Uint8Array; readonly signature: Uint8Array };

/** Why a device does not take a package, in the order in which it looks. */
export type ContentRefusal = "malformed" | "unknown_issuer" | "bad_signature" | "foreign_device" | "expired";
/** A package that passed every check, or the first check that it failed; `detail` is for logs. */
export type ContentVerdict =
  | { readonly kind: "valid"; readonly content: Content }
  | { readonly kind: "refused"; readonly reason: ContentRefusal; readonly detail: string };

/**
 * The 8 octets that tie a package to one device.
 * @param imei of 14 to 16 digits; only the first 14 count (TS 23.003 clause 6.2)
 * @throws RangeError: another number of digits, an item id that is no UUID, a reference of another form
 */
function contentBindingOf(imei: string, reference: string, itemId: string): Uint8Array {
  if (!/^\d{14,16}$/.test(imei)) throw new RangeError("an IMEI of 14 to 16 digits is wanted");
  const mac = createHmac("sha256", uuidOctets(itemId)).update("content").update(referenceOctets(reference));
  return Uint8Array.from(mac.update(imei.slice(0, IMEI_DIGITS)).digest().subarray(0, BINDING_OCTETS));
}

/**
 * Signs and encodes for one device. The same body and key give the same octets.
 * @throws RangeError: a value that the format cannot hold
 */
export function encodeContent(body: ContentBody, imei: string, privateKey: KeyObject): Uint8Array {
  const unsigned = unsignedOf(body, contentBindingOf(imei, body.reference, body.itemId));
  return joined([unsigned, sign(null, joined([DOMAIN, unsigned]), privateKey)]);
}

/** Everything a device checks before it looks inside, in this order: form, issuer, signature, device, time. */
export function verifyContent(
  bytes: Uint8Array,
  publicKeyOf: (issuer: string) => KeyObject | undefined,
  imei: string,
  now: Date,
): ContentVerdict {
  const refused = (reason: ContentRefusal, detail: string) => ({ kind: "refused", reason, detail }) as const;
  let content: Content;
  try {
    content = decodeContent(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return refused("malformed", error.message);
    throw error;
  }
  const publicKey = publicKeyOf(content.issuer);
  if (!publicKey) return refused("unknown_issuer", `issuer ${content.issuer}`);
  const signed = joined([DOMAIN, bytes.subarray(0, bytes.length - SIGNATURE_OCTETS)]);
  if (!verify(null, signed, publicKey, content.signature))
    return refused("bad_signature", `not signed by ${content.issuer}`);
  const binding = contentBindingOf(imei, content.reference, content.itemId);
  if (!timingSafeEqual(content.binding, binding))
    return refused("foreign_device", "the content is bound to another device");
  if (now > content.notAfter) return refused("expired", `valid until ${content.notAfter.toISOString()}`);
  return { kind: "valid", content };
}

/**
 * Reads the form only; `verifyContent` says whether to believe it. Integers are big-endian.
 * @throws DecodeError with the offset: too long, cut short, another magic, an unknown section or one out of order
 */
export function decodeContent(bytes: Uint8Array): Content {
  if (bytes.length > MAX_CONTENT_OCTETS) throw new DecodeError("content too long", MAX_CONTENT_OCTETS);
  MAGIC.forEach((octet, at) => {
    if (bytes.length > at && bytes[at] !== octet) throw new DecodeError("not content of version 1", at);
  });
  const reader = readOctets(bytes);
  reader.octets(MAGIC.length, "content");
  const notAfter = new Date(reader.number(4, "end of validity") * 1_000);
  const reference = referenceIn(reader);
  const itemId = uuidOf(reader.octets(UUID_OCTETS, "item"));
  const binding = reader.octets(BINDING_OCTETS, "binding");
  const issuer = reader.text(1, ISSUER, "issuer");
  const sectionsAt = reader.at + 4;
  const sections = reader.sized(4, MAX_CONTENT_OCTETS, "sections");
  const signature = reader.octets(SIGNATURE_OCTETS, "signature");
  if (reader.left > 0) throw new DecodeError("octets after the content", reader.at);
  const parts = partsOf(sectionsIn(sections, sectionsAt), sectionsAt);
  return { issuer, reference, itemId, notAfter, ...parts, binding, signature };
}

function sectionsIn(bytes: Uint8Array, offset: number): Sections {
  const sections = emptySections();
  const reader = readOctets(bytes, offset);
  let last = 0;
  while (reader.left > 0) {
    const at = reader.at;
    const tag = reader.number(1, "section");
    if (tag < last) throw new DecodeError(`section ${tag} after section ${last}`, at);
    last = tag;
    readSection(sections, tag, reader.sized(4, MAX_MODULE_OCTETS, "section"), at);
  }
  return sections;
}

type Sections = {
  readonly modules: SoftwareModule[];
  readonly activations: string[];
  readonly removals: string[];
  readonly parameters: [string, string][];
  readonly security: [string, string][];
};
const emptySections = (): Sections => ({
  modules: [],
  activations: [],
  removals: [],
  parameters: [],
  security: [],
});

const SECTION_HEADER_OCTETS = 5;

function readSection(sections: Sections, tag: number, value: Uint8Array, at: number): void {
  const start = at + SECTION_HEADER_OCTETS;
  switch (tag) {
    case SECTION.module:
      sections.modules.push(decodeModule(value, start));
      break;
    case SECTION.activation:
      sections.activations.push(nameIn(value, start));
      break;
    case SECTION.removal:
      sections.removals.push(nameIn(value, start));
      break;
    case SECTION.parameter:
      sections.parameters.push(pairIn(value, start));
      break;
    case SECTION.security:
      sections.security.push(pairIn(value, start));
      break;
    default:
      throw new DecodeError(`unknown section ${tag}`, at);
  }
}

function nameIn(value: Uint8Array, at: number): string {
  const name = Buffer.from(value).toString("latin1");
  if (name.length > MODULE_NAME.max || !MODULE_NAME.pattern.test(name))
    throw new DecodeError("name of a module is no text of its form", at);
  return name;
}

function pairIn(value: Uint8Array, at: number): [string, string] {
  const reader = readOctets(value, at);
  const pair: [string, string] = [
    reader.text(1, VALUE_NAME, "name of a value"),
    reader.text(2, VALUE, "a value"),
  ];
  if (reader.left > 0) throw new DecodeError("octets after a value", reader.at);
  return pair;
}

/** Names stand once in each list, in ascending order where order means nothing: one content has one encoding. */
function partsOf(
  sections: Sections,
  at: number,
): Omit<ContentBody, "issuer" | "reference" | "itemId" | "notAfter"> {
  const { modules, activations, removals, parameters, security } = sections;
  for (const [list, limit] of entriesOf(CONTENT_LIMITS)) {
    if (sections[list].length > limit) throw new DecodeError(`more than ${limit} ${list}`, at);
  }
  for (const names of [parameters.map(([name]) => name), security.map(([name]) => name)]) {
    if (names.some((name, index) => name <= (names[index - 1] ?? "")))
      throw new DecodeError("a value out of its order", at);
  }
  for (const names of [modules.map(({ name }) => name), activations, removals]) {
    if (new Set(names).size < names.length) throw new DecodeError("a module that is named twice", at);
  }
  return {
    modules,
    activations,
    removals,
    parameters: Object.fromEntries(parameters),
    security: Object.fromEntries(security),
  };
}

function unsignedOf(body: ContentBody, binding: Uint8Array): Uint8Array {
  checkCounts(body);
  const pairs = (tag: number, values: Readonly<Record<string, string>>): Uint8Array[] =>
    Object.entries(values)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) =>
        section(
          tag,
          joined([
            textOctets(1, name, VALUE_NAME, "name of a value"),
            textOctets(2, value, VALUE, `value of ${name}`),
          ]),
        ),
      );
  const name = (text: string): Uint8Array => textOctets(1, text, MODULE_NAME, "name of a module").subarray(1);
  const sections = [
    ...body.modules.map((module) => section(SECTION.module, encodeModule(module))),
    ...body.activations.map((text) => section(SECTION.activation, name(text))),
    ...body.removals.map((text) => section(SECTION.removal, name(text))),
    ...pairs(SECTION.parameter, body.parameters),
    ...pairs(SECTION.security, body.security),
  ];
  const bytes = joined([
    MAGIC,
    timeOctets(body.notAfter),
    referenceOctets(body.reference),
    uuidOctets(body.itemId),
    binding,
    textOctets(1, body.issuer, ISSUER, "issuer"),
    sizedOctets(4, joined(sections)),
  ]);
  if (bytes.length + SIGNATURE_OCTETS > MAX_CONTENT_OCTETS)
    throw new RangeError(`content has at most ${MAX_CONTENT_OCTETS} octets`);
  return bytes;
}

function checkCounts(body: ContentBody): void {
  const { modules, activations, removals, parameters, security } = body;
  const lists = {
    modules,
    activations,
    removals,
    parameters: Object.keys(parameters),
    security: Object.keys(security),
  };
  for (const [name, limit] of entriesOf(CONTENT_LIMITS)) {
    if (lists[name].length > limit) throw new RangeError(`content has at most ${limit} ${name}`);
  }
  for (const names of [modules.map(({ name }) => name), activations, removals]) {
    if (new Set(names).size < names.length) throw new RangeError("a module that is named twice");
  }
}

const section = (tag: number, value: Uint8Array): Uint8Array =>
  joined([numberOctets(1, tag, "a tag"), sizedOctets(4, value)]);
