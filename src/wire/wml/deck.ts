/**
 * A deck as text and as a checked tree. Source: WAP-238-WML.
 * Text and values in the tree are in the syntax of WML text: `$(name)` is a reference, `$$` a dollar.
 */
import { DecodeError } from "../decode-error.ts";
import { readXml } from "../xml/read.ts";
import { type XmlContent, type XmlElement, xmlText } from "../xml/tree.ts";
import { checkDeck, holdsText, holdsVariables } from "./grammar.ts";
import { WML_PUBLIC_ID, WML_SYSTEM_ID, WML_VERSIONS, type WmlVersion } from "./tokens.ts";
import { partsOf } from "./variables.ts";

/** A deck and the version whose table it keeps to; `root` is its `wml` element. */
export type WmlDeck = { readonly version: WmlVersion; readonly root: XmlElement };

/** Beside the five of XML (WAP-238-WML §13, `%HTMLlat1` is not among them). */
const ENTITIES = { nbsp: "\u00a0", shy: "\u00ad" };

/** @throws DecodeError with the octet: no well-formed XML, or not what the DTD of WML allows */
export function readWml(text: Uint8Array | string): WmlDeck {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const { root, publicId } = readXml(bytes, { doctype: true, entities: ENTITIES });
  const version = WML_VERSIONS.find((one) => publicId === null || WML_PUBLIC_ID[one] === publicId);
  if (!version) throw new DecodeError("a document type that is not WML 1.1 to 1.3", 0);
  const deck = { version: publicId === null ? "1.3" : version, root: withoutIdleSpace(root, false) };
  checkDeck(deck.root);
  checkReferences(deck.root);
  return deck;
}

/** The deck as XML 1.0 with the document type of its version, in UTF-8. */
export function wmlText({ version, root }: WmlDeck): string {
  const doctype = `<!DOCTYPE wml PUBLIC "${WML_PUBLIC_ID[version]}" "${WML_SYSTEM_ID[version]}">`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${doctype}\n${xmlText(root)}`;
}

/** @throws DecodeError at the element: a dollar that begins no reference */
export function checkReferences(element: XmlElement): void {
  const refuse = (): never => {
    throw new DecodeError("a $ that begins no reference", element.at ?? 0);
  };
  for (const { name, value } of element.attributes) {
    if (holdsVariables(element.name, name) && !partsOf(value)) refuse();
  }
  for (const part of element.content) {
    if (typeof part !== "string") checkReferences(part);
    else if (!partsOf(part)) refuse();
  }
}

/** White space says no more than one space, and nothing between elements (§8.4); inside `pre` it stays. */
function withoutIdleSpace(element: XmlElement, isPre: boolean): XmlElement {
  const keeps = isPre || element.name === "pre";
  const { content } = element;
  const parts = content.flatMap((part, index): XmlContent[] => {
    if (typeof part !== "string") return [withoutIdleSpace(part, keeps)];
    if (keeps) return [part];
    if (!holdsText(element.name)) return part.trim() === "" ? [] : [part];
    const single = part.replace(/[ \t\r\n]+/g, " ");
    const atStart = index === 0 ? single.replace(/^ /, "") : single;
    const text = index === content.length - 1 ? atStart.replace(/ $/, "") : atStart;
    return text === "" ? [] : [text];
  });
  return { ...element, content: parts };
}
