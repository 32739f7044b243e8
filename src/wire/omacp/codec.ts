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
  const root = decodeWbxml(bytes, PROV_CONT);
  if (root.name !== PROV_DOC) throw misplaced(root, "as the root");
  refuseText(root);
  return { version: versionOf(root), characteristics: childrenOf(root).map(characteristicOf) };
}

/** The document as compact XML, every element and attribute in coded order. */
export const xmlOf = (bytes: Uint8Array): string => xmlOfElement(decodeWbxml(bytes, PROV_CONT));

function versionOf(root: WbxmlElement): ProvisioningDocument["version"] {
  refuseOtherAttributes(root, ["version"]);
  const version = attributeOf(root, "version") ?? null;
  if (version === null || version === "1.0" || version === "1.1") return version;
  throw new DecodeError(`document version "${version.slice(0, 16)}"`, root.at ?? 0);
}

function characteristicOf(element: WbxmlElement): Characteristic {
  if (element.name !== "characteristic") throw misplaced(element, "where a characteristic belongs");
  refuseText(element);
  refuseOtherAttributes(element, ["type"]);
  const children = childrenOf(element);
  return {
    type: required(element, "type"),
    parms: children.filter(({ name }) => name === "parm").map(parmOf),
    characteristics: children.filter(({ name }) => name !== "parm").map(characteristicOf),
  };
}

function parmOf(element: WbxmlElement): Parm {
  refuseOtherAttributes(element, ["name", "value"]);
  refuseText(element);
  const [child] = childrenOf(element);
  if (child) throw misplaced(child, "inside a parm");
  return { name: required(element, "name"), value: attributeOf(element, "value") ?? null };
}

function required(element: WbxmlElement, name: string): string {
  const value = attributeOf(element, name);
  if (!value) throw new DecodeError(`${element.name} without ${name}`, element.at ?? 0);
  return value;
}

/** One of each at most: a phone that takes the first and one that takes the last must read the same. */
function refuseOtherAttributes(element: WbxmlElement, allowed: readonly string[]): void {
  for (const [index, { name }] of element.attributes.entries()) {
    if (!allowed.includes(name)) {
      throw new DecodeError(`${element.name} with attribute ${name}`, element.at ?? 0);
    }
    if (element.attributes.findIndex((attribute) => attribute.name === name) !== index) {
      throw new DecodeError(`${element.name} with two attributes ${name}`, element.at ?? 0);
    }
  }
}

function refuseText(element: WbxmlElement): void {
  if (textOf(element) !== "") {
    throw new DecodeError(`text inside ${element.name}`, element.at ?? 0);
  }
}

const misplaced = (element: WbxmlElement, where: string): DecodeError =>
  new DecodeError(`${element.name} ${where}`, element.at ?? 0);
