/**
 * Writes OMA Client Provisioning documents, fast: one pass over the document into one buffer that all calls share.
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

export type Dialect = "page1" | "page0";

/** Far above any settings document seen (1,198 octets); a phone's SMS buffer is smaller still. */
export const DOCUMENT_OCTETS_MAX = 16_384;
/** The longest piece that is written without a look at the room left: head, tags, switches, tokens. */
const SLACK_OCTETS = 32;
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

const out = new Uint8Array(DOCUMENT_OCTETS_MAX + SLACK_OCTETS);
let at = 0;
let page = 0;
let elements = 0;

/**
 * @throws TurnupError `payload_malformed`: an empty name or type, a character that XML cannot hold, more elements than
 *   a decoder takes
 * @throws TurnupError `payload_too_long`: more than {@link DOCUMENT_OCTETS_MAX} octets
 */
export function encodeProvisioning(
  document: ProvisioningDocument,
  options?: { readonly dialect?: Dialect },
): Uint8Array {
  return encodeToScratch(document, options?.dialect ?? "page1").slice();
}

/** The same in the shared buffer: good until the next call of any encoder here. */
export function encodeToScratch(document: ProvisioningDocument, dialect: Dialect): Uint8Array {
  const stays = dialect === "page1";
  page = 0;
  elements = 0;
  out[0] = PROV_CONT.version;
  out[1] = PROV_CONT.publicId;
  out[2] = UTF_8;
  out[3] = 0;
  at = 4;
  const { version, characteristics } = document;
  const hasContent = characteristics.length > 0;
  out[at++] = TAG_DOCUMENT | (version === null ? 0 : HAS_ATTRIBUTES) | (hasContent ? HAS_CONTENT : 0);
  if (version === "1.0") out[at++] = VERSION_1_0;
  else if (version !== null) {
    out[at++] = VERSION;
    putText(version);
  }
  if (version !== null) out[at++] = END;
  for (let i = 0; i < characteristics.length; i++) {
    putCharacteristic(characteristics[i] as Characteristic, stays, 2);
  }
  if (hasContent) out[at++] = END;
  if (at > DOCUMENT_OCTETS_MAX) throw tooLong();
  return out.subarray(0, at);
}

function putCharacteristic(characteristic: Characteristic, stays: boolean, depth: number): void {
  const { type, parms, characteristics } = characteristic;
  if (type === "") throw malformed("a characteristic without a type");
  if (depth >= LIMITS.depth) throw malformed(`characteristics more than ${LIMITS.depth - 2} deep`);
  countElement();
  const hasContent = parms.length > 0 || characteristics.length > 0;
  out[at++] = TAG_CHARACTERISTIC | HAS_ATTRIBUTES | (hasContent ? HAS_CONTENT : 0);
  putStart(TYPES.get(type) ?? 0, TYPE, type, stays);
  out[at++] = END;
  for (let i = 0; i < parms.length; i++) putParm(parms[i] as Parm, stays);
  for (let i = 0; i < characteristics.length; i++) {
    putCharacteristic(characteristics[i] as Characteristic, stays, depth + 1);
  }
  if (hasContent) out[at++] = END;
}

function putParm({ name, value }: Parm, stays: boolean): void {
  if (name === "") throw malformed("a parm without a name");
  countElement();
  out[at++] = TAG_PARM | HAS_ATTRIBUTES;
  putStart(NAMES.get(name) ?? 0, NAME, name, stays);
  if (value !== null) putValue(value, stays);
  out[at++] = END;
}

/** `name="X"` or `type="X"` as one token, else the bare start (on both pages) and X inline. */
function putStart(tokens: number, bareStart: number, text: string, stays: boolean): void {
  if (tokens !== 0) {
    putToken(tokens, stays);
    return;
  }
  if (!stays) switchTo(0);
  out[at++] = bareStart;
  putText(text);
}

function putValue(value: string, stays: boolean): void {
  if (!stays) switchTo(0);
  out[at++] = VALUE;
  const tokens = VALUES.get(value) ?? 0;
  if (stays) {
    const token = page === 0 ? tokens & 0xff : tokens >> 8;
    if (token === 0) putText(value);
    else out[at++] = token;
  } else if (tokens !== 0) putToken(tokens, false);
  // libwbxml writes no octets for an empty value, most operators' encoders an empty string.
  else if (value !== "") putText(value);
}

function putToken(tokens: number, stays: boolean): void {
  const wanted = stays && page === 1 && tokens > 0xff ? 1 : (tokens & 0xff) !== 0 ? 0 : 1;
  switchTo(wanted);
  out[at++] = wanted === 0 ? tokens & 0xff : tokens >> 8;
}

function switchTo(wanted: number): void {
  if (page === wanted) return;
  page = wanted;
  out[at++] = SWITCH_PAGE;
  out[at++] = wanted;
}

function putText(text: string): void {
  if (at + text.length * UTF_8_OCTETS_MAX > DOCUMENT_OCTETS_MAX) refuseTooLong(text);
  const start = at;
  out[at++] = STR_I;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) {
      putAnyText(text, start + 1);
      break;
    }
    out[at++] = code;
  }
  out[at++] = 0;
}

function putAnyText(text: string, start: number): void {
  if (!isXmlText(text)) throw malformed(`a character in "${printable(text)}" that XML cannot hold`);
  at = start + encoder.encodeInto(text, out.subarray(start)).written;
}

const encoder = new TextEncoder();

function refuseTooLong(text: string): void {
  if (at + Buffer.byteLength(text) <= DOCUMENT_OCTETS_MAX) return;
  throw tooLong();
}

function countElement(): void {
  if (++elements >= LIMITS.elements) throw malformed(`more than ${LIMITS.elements - 1} elements`);
  if (at > DOCUMENT_OCTETS_MAX) throw tooLong();
}

const tooLong = (): TurnupError =>
  new TurnupError("payload_too_long", `a document of more than ${DOCUMENT_OCTETS_MAX} octets`);

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
