/** The tokens of Service Indication and Service Loading. Source: WAP-167-ServiceInd §8.3, WAP-168-ServiceLoad §9.3. */
import { type AttributeStart, type CodeSpace, page, type Row } from "../wbxml/code-space.ts";
import { dateOfOctets, octetsOfDate } from "./date.ts";

const VALUES: readonly Row[] = [[0x85, ".com/ .edu/ .net/ .org/"]];

function starts(rows: readonly (readonly [token: number, name: string, prefix: string])[]) {
  const entries: (AttributeStart | undefined)[] = Array.from({ length: 0x20 });
  for (const [token, name, prefix] of rows) entries[token] = { name, prefix };
  return entries;
}

/** Tokens of Service Indication, for `decodeWbxml` and `encodeWbxml`. */
export const SI: CodeSpace = {
  title: "a Service Indication",
  version: 0x02,
  publicId: 0x05,
  publicIdText: "-//WAPFORUM//DTD SI 1.0//EN",
  tags: [page([[0x05, "si indication info item"]], (name) => name)],
  attributeStarts: [
    starts([
      [0x05, "action", "signal-none"],
      [0x06, "action", "signal-low"],
      [0x07, "action", "signal-medium"],
      [0x08, "action", "signal-high"],
      [0x09, "action", "delete"],
      [0x0a, "created", ""],
      [0x0b, "href", ""],
      [0x0c, "href", "http://"],
      [0x0d, "href", "http://www."],
      [0x0e, "href", "https://"],
      [0x0f, "href", "https://www."],
      [0x10, "si-expires", ""],
      [0x11, "si-id", ""],
      [0x12, "class", ""],
    ]),
  ],
  attributeValues: [page(VALUES, (value) => value)],
  splitsValues: true,
  opaque: { attributes: ["created", "si-expires"], textOf: dateOfOctets, octetsOf: octetsOfDate },
};

/** Tokens of Service Loading, for `decodeWbxml` and `encodeWbxml`. */
export const SL: CodeSpace = {
  title: "a Service Loading",
  version: 0x02,
  publicId: 0x06,
  publicIdText: "-//WAPFORUM//DTD SL 1.0//EN",
  tags: [page([[0x05, "sl"]], (name) => name)],
  attributeStarts: [
    starts([
      [0x05, "action", "execute-low"],
      [0x06, "action", "execute-high"],
      [0x07, "action", "cache"],
      [0x08, "href", ""],
      [0x09, "href", "http://"],
      [0x0a, "href", "http://www."],
      [0x0b, "href", "https://"],
      [0x0c, "href", "https://www."],
    ]),
  ],
  attributeValues: [page(VALUES, (value) => value)],
  splitsValues: true,
};
