/** Nokia/Ericsson OTA settings and bookmarks, both ways. Source: Over The Air Settings Specification 7.0, DSS00234-EN. */
import { DecodeError } from "../decode-error.ts";
import { decodeWbxml } from "../wbxml/decode.ts";
import { attributeOf, childrenOf, type WbxmlElement } from "../wbxml/element.ts";
import { encodeWbxml } from "../wbxml/encode.ts";
import { xmlOfElement } from "../wbxml/xml.ts";
import { NOKIA_OTA, NOKIA_ROOT } from "./code-space.ts";

/** Content types, both spelt out in a push; their port is 49999. */
export const NOKIA_SETTINGS = "application/x-wap-prov.browser-settings";
/** Bookmarks; settings stand above. */
export const NOKIA_BOOKMARKS = "application/x-wap-prov.browser-bookmarks";

/** PARM: its NAME, such as PROXY or PPP_AUTHTYPE, and its VALUE, empty where it has none. */
export type NokiaParm = { readonly name: string; readonly value: string };

/** ADDRESS (an access point), URL (home page or MMS centre, in `value`), NAME, BOOKMARK, MMSURL, ID. */
export type NokiaCharacteristic = {
  readonly type: string;
  /** Null where the characteristic has none. */
  readonly value: string | null;
  readonly parms: readonly NokiaParm[];
};

/** Settings or bookmarks, in document order. */
export type NokiaDocument = { readonly characteristics: readonly NokiaCharacteristic[] };

/** @throws TurnupError `payload_malformed`: a type that the code space lacks, or a character that XML cannot hold */
export function encodeNokiaOta({ characteristics }: NokiaDocument): Uint8Array {
  return encodeWbxml(
    { name: NOKIA_ROOT, attributes: [], content: characteristics.map(elementOf) },
    NOKIA_OTA,
  );
}

/** @throws DecodeError with the offset: no WBXML of this type, or elements that do not stand as the DTD says */
export function decodeNokiaOta(bytes: Uint8Array): NokiaDocument {
  const root = decodeWbxml(bytes, NOKIA_OTA);
  if (root.name !== NOKIA_ROOT) throw misplaced(root, "as the root");
  return { characteristics: childrenOf(root).map(characteristicOf) };
}

/**
 * The document as compact XML, for people.
 * @throws DecodeError with the offset, as `decodeWbxml`
 */
export const xmlOfNokiaOta = (bytes: Uint8Array): string => xmlOfElement(decodeWbxml(bytes, NOKIA_OTA));

function elementOf({ type, value, parms }: NokiaCharacteristic): WbxmlElement {
  const attributes = [{ name: "TYPE", value: type }];
  if (value !== null) attributes.push({ name: "VALUE", value });
  const content = parms.map((parm) => ({
    name: "PARM",
    attributes: [
      { name: "NAME", value: parm.name },
      { name: "VALUE", value: parm.value },
    ],
    content: [],
  }));
  return { name: "CHARACTERISTIC", attributes, content };
}

function characteristicOf(element: WbxmlElement): NokiaCharacteristic {
  if (element.name !== "CHARACTERISTIC") throw misplaced(element, "where a CHARACTERISTIC belongs");
  return {
    type: required(element, "TYPE"),
    value: attributeOf(element, "VALUE") ?? null,
    parms: childrenOf(element).map(parmOf),
  };
}

function parmOf(element: WbxmlElement): NokiaParm {
  if (element.name !== "PARM") throw misplaced(element, "where a PARM belongs");
  const [child] = childrenOf(element);
  if (child) throw misplaced(child, "inside a PARM");
  return { name: required(element, "NAME"), value: attributeOf(element, "VALUE") ?? "" };
}

function required(element: WbxmlElement, name: string): string {
  const value = attributeOf(element, name);
  if (value === undefined) throw new DecodeError(`${element.name} without ${name}`, element.at ?? 0);
  return value;
}

const misplaced = (element: WbxmlElement, where: string): DecodeError =>
  new DecodeError(`${element.name} ${where}`, element.at ?? 0);
