/**
 * The tokens of WML. Source: WAP-191/WAP-238 (WML 1.3) §14, WAP-192-WBXML.
 *
 * Newer versions only add: `pre`, `accesskey`, `enctype` and `xml:space` came with 1.2, `cache-control` with 1.3. A handset
 * of an older version is never sent a token that its table has not.
 */
import { type AttributeStart, type CodeSpace, page, type Row } from "../wbxml/code-space.ts";

/** A version of the document type; 1.1 is that of the first phones. */
export type WmlVersion = "1.1" | "1.2" | "1.3";
/** All of them, oldest first. */
export const WML_VERSIONS: readonly WmlVersion[] = ["1.1", "1.2", "1.3"];

/** The public identifier of each, in text and in a document type. */
export const WML_PUBLIC_ID: Readonly<Record<WmlVersion, string>> = {
  "1.1": "-//WAPFORUM//DTD WML 1.1//EN",
  "1.2": "-//WAPFORUM//DTD WML 1.2//EN",
  "1.3": "-//WAPFORUM//DTD WML 1.3//EN",
};
/** The address of each document type; it is never fetched. */
export const WML_SYSTEM_ID: Readonly<Record<WmlVersion, string>> = {
  "1.1": "http://www.wapforum.org/DTD/wml_1.1.xml",
  "1.2": "http://www.wapforum.org/DTD/wml12.dtd",
  "1.3": "http://www.wapforum.org/DTD/wml13.dtd",
};
const PUBLIC_ID_NUMBER: Readonly<Record<WmlVersion, number>> = { "1.1": 0x04, "1.2": 0x09, "1.3": 0x0a };

/** How a reference to a variable is put into a URL. */
export type VariableForm = "escape" | "unesc" | "noesc";
/** EXT_I_n and EXT_T_n, in this order. */
export const VARIABLE_FORMS: readonly VariableForm[] = ["escape", "unesc", "noesc"];

/**
 * Stand around a reference (`name:form`) between the octets and our tree: no text of a document can hold them, so a
 * literal dollar and a reference are never mixed up.
 */
export const REFERENCE_MARK = "\u0001";
/** Ends a reference to a variable inside decoded text, before it is written as `$(name)`. */
export const REFERENCE_END = "\u0002";

const TAGS: readonly Row[] = [
  [
    0x1b,
    "pre a td tr table p postfield anchor access b big br card do em fieldset go head i img input meta noop prev onevent optgroup option refresh select small strong",
  ],
  [0x3b, "template timer u setvar wml"],
];

/** Token, name, the value or head of a value that it stands for, the version it came with. */
const STARTS: readonly (readonly [number, string, string?, WmlVersion?])[] = [
  [0x05, "accept-charset"],
  [0x06, "align", "bottom"],
  [0x07, "align", "center"],
  [0x08, "align", "left"],
  [0x09, "align", "middle"],
  [0x0a, "align", "right"],
  [0x0b, "align", "top"],
  [0x0c, "alt"],
  [0x0d, "content"],
  [0x0f, "domain"],
  [0x10, "emptyok", "false"],
  [0x11, "emptyok", "true"],
  [0x12, "format"],
  [0x13, "height"],
  [0x14, "hspace"],
  [0x15, "ivalue"],
  [0x16, "iname"],
  [0x18, "label"],
  [0x19, "localsrc"],
  [0x1a, "maxlength"],
  [0x1b, "method", "get"],
  [0x1c, "method", "post"],
  [0x1d, "mode", "nowrap"],
  [0x1e, "mode", "wrap"],
  [0x1f, "multiple", "false"],
  [0x20, "multiple", "true"],
  [0x21, "name"],
  [0x22, "newcontext", "false"],
  [0x23, "newcontext", "true"],
  [0x24, "onpick"],
  [0x25, "onenterbackward"],
  [0x26, "onenterforward"],
  [0x27, "ontimer"],
  [0x28, "optional", "false"],
  [0x29, "optional", "true"],
  [0x2a, "path"],
  [0x2e, "scheme"],
  [0x2f, "sendreferer", "false"],
  [0x30, "sendreferer", "true"],
  [0x31, "size"],
  [0x32, "src"],
  [0x33, "ordered", "true"],
  [0x34, "ordered", "false"],
  [0x35, "tabindex"],
  [0x36, "title"],
  [0x37, "type"],
  [0x38, "type", "accept"],
  [0x39, "type", "delete"],
  [0x3a, "type", "help"],
  [0x3b, "type", "password"],
  [0x3c, "type", "onpick"],
  [0x3d, "type", "onenterbackward"],
  [0x3e, "type", "onenterforward"],
  [0x3f, "type", "ontimer"],
  [0x45, "type", "options"],
  [0x46, "type", "prev"],
  [0x47, "type", "reset"],
  [0x48, "type", "text"],
  [0x49, "type", "vnd."],
  [0x4a, "href"],
  [0x4b, "href", "http://"],
  [0x4c, "href", "https://"],
  [0x4d, "value"],
  [0x4e, "vspace"],
  [0x4f, "width"],
  [0x50, "xml:lang"],
  [0x52, "align"],
  [0x53, "columns"],
  [0x54, "class"],
  [0x55, "id"],
  [0x56, "forua", "false"],
  [0x57, "forua", "true"],
  [0x58, "src", "http://"],
  [0x59, "src", "https://"],
  [0x5a, "http-equiv"],
  [0x5b, "http-equiv", "Content-Type"],
  [0x5c, "content", "application/vnd.wap.wmlc;charset="],
  [0x5d, "http-equiv", "Expires"],
  [0x5e, "accesskey", "", "1.2"],
  [0x5f, "enctype", "", "1.2"],
  [0x60, "enctype", "application/x-www-form-urlencoded", "1.2"],
  [0x61, "enctype", "multipart/form-data", "1.2"],
  [0x62, "xml:space", "preserve", "1.2"],
  [0x63, "xml:space", "default", "1.2"],
  [0x64, "cache-control", "no-cache", "1.3"],
];

const VALUES: readonly Row[] = [
  [
    0x85,
    ".com/ .edu/ .net/ .org/ accept bottom clear delete help http:// http://www. https:// https://www. - middle nowrap onpick onenterbackward onenterforward ontimer options password reset - text top unknown wrap www.",
  ],
];

function codeSpaceOf(version: WmlVersion): CodeSpace {
  const starts: (AttributeStart | undefined)[] = Array.from({ length: 0x80 });
  for (const [token, name, prefix = "", since = "1.1"] of STARTS) {
    if (since <= version) starts[token] = { name, prefix };
  }
  const tags = page(TAGS, (name) => name).map((name) =>
    name === "pre" && version === "1.1" ? undefined : name,
  );
  return {
    title: `WML ${version}`,
    version: version === "1.1" ? 0x01 : 0x03,
    publicId: PUBLIC_ID_NUMBER[version],
    publicIdText: WML_PUBLIC_ID[version],
    tags: [tags],
    attributeStarts: [starts],
    attributeValues: [page(VALUES, (value) => value)],
    splitsValues: true,
    extension: (index, argument) =>
      `${REFERENCE_MARK}${argument ?? ""}:${VARIABLE_FORMS[index] ?? ""}${REFERENCE_END}`,
  };
}

/** Tokens of each version, for `decodeWbxml` and `encodeWbxml`. */
export const WML_CODE_SPACE: Readonly<Record<WmlVersion, CodeSpace>> = {
  "1.1": codeSpaceOf("1.1"),
  "1.2": codeSpaceOf("1.2"),
  "1.3": codeSpaceOf("1.3"),
};
