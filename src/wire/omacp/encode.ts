/**
 * Writes OMA Client Provisioning documents, fast: one pass over the document, into a buffer that grows with it.
 *
 * No string table; whole-value tokens or inline strings. Two dialects are in the field and differ in when the
 * attribute code page is switched:
 *
 * - page1: stays on the current page while it has the token, so `value=` of an APPLICATION's parms is on page 1. Shorter.
 * - page0: any token that page 0 has is written on page 0. Octet for octet what libwbxml's `xml2wbxml -n` writes,
 *   but for its habit to replace value tokens inside longer strings.
 */
import { TurnupError } from "../../term/error.ts";
import { isXmlText } from "../wbxml/charset.ts";
import { LIMITS } from "../wbxml/decode.ts";
import { END, HAS_ATTRIBUTES, HAS_CONTENT, STR_I, SWITCH_PAGE, UTF_8 } from "../wbxml/token.ts";
import { PROV_CONT } from "./code-space.ts";
import type { Characteristic, Parm, ProvisioningDocument } from "./document.ts";

/** Which code page attribute tokens are taken from, where both have one. */
export type Dialect = "page1" | "page0";

/** Far above any settings document seen (1,198 octets); a phone's SMS buffer is smaller still. */
const DOCUMENT_OCTETS_MAX = 16_384;
/** Nearly every settings document fits; a longer one costs a copy for each doubling. */
const FIRST_ROOM_OCTETS = 512;
const UTF_8_OCTETS_MAX = 3;

const TAG_DOCUMENT = 0x05;
const TAG_CHARACTERISTIC = 0x06;
const TAG_PARM = 0x07;
const NAME = 0x05;
const VALUE = 0x06;
const TYPE = 0x50;
const VERSION = 0x45;
const VERSION_1_0 = 0x46;

/** A token of page 0 in the low octet, of page 1 above it; 0 where a page has none. */
type Tokens = ReadonlyMap<string, number>;

const [NAMES, TYPES, VALUES] = tokenMaps();

/** A document that is being written. One call of the encoder owns it. */
type Draft = {
  out: Uint8Array;
  at: number;
  /** The attribute code page that a decoder is on here. */
  page: number;
  elements: number;
  /** Of dialect page1: stays on a page while it has the token. */
  readonly stays: boolean;
};

/**
 * @throws TurnupError `payload_malformed`: an empty name or type, a character that XML cannot hold, more elements than
 *   a decoder takes
 * @throws TurnupError `payload_too_long`: more than {@link DOCUMENT_OCTETS_MAX} octets
 */
export function encodeProvisioning(
  document: ProvisioningDocument,
  options?: { readonly dialect?: Dialect },
): Uint8Array {
  const draft: Draft = {
    out: Buffer.allocUnsafe(FIRST_ROOM_OCTETS),
    at: 0,
    page: 0,
    elements: 0,
    stays: (options?.dialect ?? "page1") === "page1",
  };
  putDocument(draft, document);
  if (draft.at > DOCUMENT_OCTETS_MAX) throw tooLong();
  return new Uint8Array(draft.out.subarray(0, draft.at));
}

function putDocument(draft: Draft, { version, characteristics }: ProvisioningDocument): void {
  const hasContent = characteristics.length > 0;
  putOctet(draft, PROV_CONT.version);
  putOctet(draft, PROV_CONT.publicId);
  putOctet(draft, UTF_8);
  putOctet(draft, 0);
  putOctet(draft, TAG_DOCUMENT | (version === null ? 0 : HAS_ATTRIBUTES) | (hasContent ? HAS_CONTENT : 0));
  if (version === "1.0") putOctet(draft, VERSION_1_0);
  else if (version !== null) {
    putOctet(draft, VERSION);
    putText(draft, version);
  }
  if (version !== null) putOctet(draft, END);
  putCharacteristics(draft, characteristics, 2);
  if (hasContent) putOctet(draft, END);
}

/** By index, as everywhere here: an iterator a list would cost more memory than some documents have octets. */
function putCharacteristics(draft: Draft, characteristics: readonly Characteristic[], depth: number): void {
  for (let i = 0; i < characteristics.length; i++) {
    const one = characteristics[i];
    if (one) putCharacteristic(draft, one, depth);
  }
}

function putCharacteristic(draft: Draft, characteristic: Characteristic, depth: number): void {
  const { type, parms, characteristics } = characteristic;
  if (type === "") throw malformed("A characteristic has no type.");
  if (depth >= LIMITS.depth)
    throw malformed(`Characteristics are nested more than ${LIMITS.depth - 2} deep.`);
  countElement(draft);
  const hasContent = parms.length > 0 || characteristics.length > 0;
  putOctet(draft, TAG_CHARACTERISTIC | HAS_ATTRIBUTES | (hasContent ? HAS_CONTENT : 0));
  putStart(draft, TYPES.get(type) ?? 0, TYPE, type);
  putOctet(draft, END);
  for (let i = 0; i < parms.length; i++) {
    const parm = parms[i];
    if (parm) putParm(draft, parm);
  }
  putCharacteristics(draft, characteristics, depth + 1);
  if (hasContent) putOctet(draft, END);
}

function putParm(draft: Draft, { name, value }: Parm): void {
  if (name === "") throw malformed("A parm has no name.");
  countElement(draft);
  putOctet(draft, TAG_PARM | HAS_ATTRIBUTES);
  putStart(draft, NAMES.get(name) ?? 0, NAME, name);
  if (value !== null) putValue(draft, value);
  putOctet(draft, END);
}

/** `name="X"` or `type="X"` as one token, else the bare start (on both pages) and X inline. */
function putStart(draft: Draft, tokens: number, bareStart: number, text: string): void {
  if (tokens !== 0) {
    putToken(draft, tokens);
    return;
  }
  if (!draft.stays) switchTo(draft, 0);
  putOctet(draft, bareStart);
  putText(draft, text);
}

function putValue(draft: Draft, value: string): void {
  const { stays } = draft;
  if (!stays) switchTo(draft, 0);
  putOctet(draft, VALUE);
  const tokens = VALUES.get(value) ?? 0;
  if (stays) {
    const token = draft.page === 0 ? tokens & 0xff : tokens >> 8;
    if (token === 0) putText(draft, value);
    else putOctet(draft, token);
  } else if (tokens !== 0) putToken(draft, tokens);
  // libwbxml writes no octets for an empty value, most operators' encoders an empty string.
  else if (value !== "") putText(draft, value);
}

function putToken(draft: Draft, tokens: number): void {
  const staysHere = draft.stays && draft.page === 1 && tokens > 0xff;
  const wanted = staysHere ? 1 : (tokens & 0xff) !== 0 ? 0 : 1;
  switchTo(draft, wanted);
  putOctet(draft, wanted === 0 ? tokens & 0xff : tokens >> 8);
}

function switchTo(draft: Draft, wanted: number): void {
  if (draft.page === wanted) return;
  draft.page = wanted;
  putOctet(draft, SWITCH_PAGE);
  putOctet(draft, wanted);
}

function putOctet(draft: Draft, octet: number): void {
  if (draft.at === draft.out.length) grow(draft, draft.at + 1);
  draft.out[draft.at++] = octet;
}

function putText(draft: Draft, text: string): void {
  makeRoom(draft, text);
  const { out } = draft;
  let { at } = draft;
  out[at++] = STR_I;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) {
      at = putAnyText(draft, text, draft.at + 1);
      break;
    }
    out[at++] = code;
  }
  out[at++] = 0;
  draft.at = at;
}

/** Where the text ends. */
function putAnyText({ out }: Draft, text: string, start: number): number {
  if (!isXmlText(text)) throw malformed(`"${printable(text)}" has a character that XML cannot hold.`);
  return start + encoder.encodeInto(text, out.subarray(start)).written;
}

const encoder = new TextEncoder();

/** Room for a text between its token and its NUL. */
function makeRoom(draft: Draft, text: string): void {
  const { out, at } = draft;
  const most = at + text.length * UTF_8_OCTETS_MAX;
  if (most > DOCUMENT_OCTETS_MAX && at + Buffer.byteLength(text) > DOCUMENT_OCTETS_MAX) throw tooLong();
  if (most + 2 > out.length) grow(draft, Math.min(most, DOCUMENT_OCTETS_MAX) + 2);
}

function grow(draft: Draft, octets: number): void {
  const larger = new Uint8Array(Math.max(2 * draft.out.length, octets));
  larger.set(draft.out.subarray(0, draft.at));
  draft.out = larger;
}

function countElement(draft: Draft): void {
  if (++draft.elements >= LIMITS.elements)
    throw malformed(`The document has more than ${LIMITS.elements - 1} elements.`);
  if (draft.at > DOCUMENT_OCTETS_MAX) throw tooLong();
}

const tooLong = (): TurnupError =>
  new TurnupError("payload_too_long", `The document has more than ${DOCUMENT_OCTETS_MAX} octets.`);

const malformed = (fact: string): TurnupError => new TurnupError("payload_malformed", fact);

const printable = (text: string): string => JSON.stringify(text.slice(0, 32)).slice(1, -1);

function tokenMaps(): [names: Tokens, types: Tokens, values: Tokens] {
  const maps = { name: new Map<string, number>(), type: new Map<string, number>() };
  const values = new Map<string, number>();
  const add = (map: Map<string, number>, text: string, token: number, onPage: number): void => {
    map.set(text, (map.get(text) ?? 0) | (token << (8 * onPage)));
  };
  for (const onPage of [0, 1]) {
    for (const [token, start] of (PROV_CONT.attributeStarts[onPage] ?? []).entries()) {
      if (!start?.prefix) continue;
      if (start.name === "name" || start.name === "type") add(maps[start.name], start.prefix, token, onPage);
    }
    for (const [token, value] of (PROV_CONT.attributeValues[onPage] ?? []).entries()) {
      if (value) add(values, value, token, onPage);
    }
  }
  return [maps.name, maps.type, values];
}
