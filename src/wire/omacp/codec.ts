/** OMA Client Provisioning documents as WBXML, both ways. Source: OMA-WAP-ProvCont 1.1, WAP-192-WBXML. */
import { DecodeError } from "../decode-error.ts";
import { decodeWbxml } from "../wbxml/decode.ts";
import { attributeOf, childrenOf, textOf, type WbxmlElement } from "../wbxml/element.ts";
import { xmlOfElement } from "../wbxml/xml.ts";
import { PROV_CONT, PROV_DOC } from "./code-space.ts";
import type { Characteristic, Parm, ProvisioningDocument } from "./document.ts";

export { type Dialect, encodeProvisioning } from "./encode.ts";

/**
 * Reads a document. The order of a parm that follows a nested characteristic is not kept; `xmlOf` shows it.
 * @throws DecodeError with the offset: no WBXML of this type, or elements that do not stand as the DTD says
 */
export function decodeProvisioning(bytes: Uint8Array): ProvisioningDocument {
  return documentOfTree(decodeWbxml(bytes, PROV_CONT));
}

/**
 * The document that a tree of elements is, from whichever form it was read.
 * @throws DecodeError: elements that do not stand as the DTD says
 */
export function documentOfTree(root: WbxmlElement): ProvisioningDocument {
  if (root.name !== PROV_DOC) throw misplaced(root, "as the root");
  refuseOtherAttributes(root, ["version"]);
  refuseText(root);
  const characteristics: Characteristic[] = [];
  for (const part of root.content) if (typeof part !== "string") characteristics.push(characteristicOf(part));
  return { version: versionOf(root), characteristics };
}

/**
 * The document as compact XML, every element and attribute in coded order.
 * @throws DecodeError with the offset, as `decodeWbxml`
 */
export const xmlOf = (bytes: Uint8Array): string => xmlOfElement(decodeWbxml(bytes, PROV_CONT));

function versionOf(root: WbxmlElement): ProvisioningDocument["version"] {
  const version = attributeOf(root, "version") ?? null;
  if (version === null || version === "1.0" || version === "1.1") return version;
  throw new DecodeError(`document version "${version.slice(0, 16)}"`, root.at ?? 0);
}

const NONE: readonly never[] = Object.freeze([]);

function characteristicOf(element: WbxmlElement): Characteristic {
  if (element.name !== "characteristic") throw misplaced(element, "where a characteristic belongs");
  refuseOtherAttributes(element, ["type"]);
  refuseText(element);
  const type = required(element, "type");
  if (element.content.length === 0) return { type, parms: NONE, characteristics: NONE };
  const parms: Parm[] = [];
  const characteristics: Characteristic[] = [];
  for (const part of element.content) {
    if (typeof part === "string") continue;
    if (part.name === "parm") parms.push(parmOf(part));
    else characteristics.push(characteristicOf(part));
  }
  return { type, parms, characteristics };
}

function parmOf(element: WbxmlElement): Parm {
  refuseOtherAttributes(element, ["name", "value"]);
  if (element.content.length > 0) {
    refuseText(element);
    const [child] = childrenOf(element);
    if (child) throw misplaced(child, "inside a parm");
  }
  return { name: required(element, "name"), value: attributeOf(element, "value") ?? null };
}

function required(element: WbxmlElement, name: string): string {
  const value = attributeOf(element, name);
  if (!value) throw new DecodeError(`${element.name} without ${name}`, element.at ?? 0);
  return value;
}

/** One of each at most: a phone that takes the first and one that takes the last must read the same. */
function refuseOtherAttributes(
  { name: element, attributes, at }: WbxmlElement,
  allowed: readonly string[],
): void {
  for (let i = 0; i < attributes.length; i++) {
    const name = attributes[i]?.name ?? "";
    if (!allowed.includes(name)) throw new DecodeError(`${element} with attribute ${name}`, at ?? 0);
    for (let before = 0; before < i; before++) {
      if (attributes[before]?.name === name)
        throw new DecodeError(`${element} with two attributes ${name}`, at ?? 0);
    }
  }
}

function refuseText(element: WbxmlElement): void {
  if (textOf(element) !== "") throw new DecodeError(`text inside ${element.name}`, element.at ?? 0);
}

const misplaced = (element: WbxmlElement, where: string): DecodeError =>
  new DecodeError(`${element.name} ${where}`, element.at ?? 0);
