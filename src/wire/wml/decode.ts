/**
 * WMLC octets as a deck. Source: WAP-238-WML §14, WAP-192-WBXML.
 * Extension tokens become references, a literal dollar `$$`; depth, elements and text are bounded by `wbxml/decode.ts`.
 */
import { DecodeError } from "../decode-error.ts";
import { decodeWbxml, decodeWbxmlHead } from "../wbxml/decode.ts";
import type { XmlElement } from "../xml/tree.ts";
import type { WmlDeck } from "./deck.ts";
import { checkDeck, holdsVariables } from "./grammar.ts";
import { REFERENCE_END, REFERENCE_MARK, WML_CODE_SPACE, WML_VERSIONS, type WmlVersion } from "./tokens.ts";
import { isVariableName, withoutReferences } from "./variables.ts";

const UNKNOWN_PUBLIC_ID = 1;

/** @throws DecodeError with the offset: no WMLC of version 1.1 to 1.3, cut short or left over, or beyond its limits */
export function decodeWmlc(bytes: Uint8Array): WmlDeck {
  const version = versionOf(bytes);
  const root = withReferences(decodeWbxml(bytes, WML_CODE_SPACE[version]));
  checkDeck(root);
  return { version, root };
}

function versionOf(bytes: Uint8Array): WmlVersion {
  const { publicId, publicIdText } = decodeWbxmlHead(bytes);
  if (publicIdText === null && publicId === UNKNOWN_PUBLIC_ID) return "1.3";
  const version = WML_VERSIONS.find((one) =>
    publicIdText === null
      ? WML_CODE_SPACE[one].publicId === publicId
      : WML_CODE_SPACE[one].publicIdText === publicIdText,
  );
  if (!version) throw new DecodeError("a public identifier that is not WML 1.1 to 1.3", 1);
  return version;
}

function withReferences(element: XmlElement): XmlElement {
  const at = element.at ?? 0;
  return {
    ...element,
    attributes: element.attributes.map(({ name: written, value }) => {
      const name = written === "lang" ? "xml:lang" : written; // so Kannel's gateway compiles it
      if (holdsVariables(element.name, name)) return { name, value: textOf(value, at) };
      if (value.includes(REFERENCE_MARK)) throw new DecodeError(`a variable in ${name}`, at);
      return { name, value };
    }),
    content: element.content.map((part) =>
      typeof part === "string" ? textOf(part, at) : withReferences(part),
    ),
  };
}

/** Literal text, with what the code space put between its marks as references. */
function textOf(text: string, at: number): string {
  const [first = "", ...rest] = text.split(REFERENCE_MARK);
  const parts = rest.map((part) => {
    const end = part.indexOf(REFERENCE_END);
    const colon = part.lastIndexOf(":", end);
    const name = part.slice(0, colon);
    if (!isVariableName(name)) throw new DecodeError("a variable whose name is none", at);
    return `$(${name}:${part.slice(colon + 1, end)})${withoutReferences(part.slice(end + 1))}`;
  });
  return withoutReferences(first) + parts.join("");
}
