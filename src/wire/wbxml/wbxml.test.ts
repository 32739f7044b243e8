/** What no vector of our document types shows of WBXML: literals, extensions, instructions, charsets, limits. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytesOf, hexOf } from "../hex.ts";
import type { CodeSpace } from "./code-space.ts";
import { decodeWbxml, decodeWbxmlHead, LIMITS } from "./decode.ts";
import { encodeWbxml } from "./encode.ts";
import { xmlOfElement } from "./xml.ts";

/** A toy: tags XYZ and CARD on page 0, BR on page 1; attributes STYLE, TYPE=, URL=http:// and a second page. */
const TOY: CodeSpace = {
  title: "a toy",
  version: 0x03,
  publicId: 0x7f,
  publicIdText: "-//TOY//EN",
  tags: [holes([5, "XYZ"], [6, "CARD"]), holes([5, "BR"])],
  attributeStarts: [
    holes(
      [5, { name: "STYLE", prefix: "" }],
      [6, { name: "URL", prefix: "http://" }],
      [7, { name: "URL", prefix: "" }],
    ),
    holes([5, { name: "SECOND", prefix: "" }]),
  ],
  attributeValues: [holes([0x85, ".org"], [0x86, "list"]), holes([0x85, "two"])],
  splitsValues: true,
  extension: (index, argument) => (argument === null ? `$${index}` : `$(${argument}:${index})`),
};

function holes<T>(...entries: [number, T][]): (T | undefined)[] {
  const list: (T | undefined)[] = Array.from({ length: 0x100 });
  for (const [at, entry] of entries) list[at] = entry;
  return list;
}

const HEAD = "03 01 6a";
const CASES: readonly { name: string; hex: string; xml: string }[] = [
  {
    name: "a literal tag and a literal attribute",
    hex: `${HEAD} 05 4e4557 00 00 84 00 04 00 03 61 00 01`,
    xml: '<NEW NEW="a"/>',
  },
  { name: "a literal tag with content", hex: `${HEAD} 02 4e 00 44 00 03 62 00 01`, xml: "<N>b</N>" },
  {
    name: "a literal tag with both",
    hex: `${HEAD} 02 4e 00 c4 00 05 03 62 00 01 03 63 00 01`,
    xml: '<N STYLE="b">c</N>',
  },
  {
    name: "pages of tags and attributes that switch apart",
    hex: `${HEAD} 00 45 00 01 85 00 01 05 85 01 05 00 00 06 01`,
    xml: '<XYZ><BR SECOND="two"/><BR/><CARD/></XYZ>',
  },
  {
    name: "entities in text and value, one above 16 bits",
    hex: `${HEAD} 00 c5 05 02 81 20 01 03 61 00 02 87 ec 00 01`,
    xml: '<XYZ STYLE="\u00a0">a\u{1f600}</XYZ>',
  },
  { name: "opaque text", hex: `${HEAD} 00 c5 05 c3 02 6869 01 c3 01 78 01`, xml: '<XYZ STYLE="hi">x</XYZ>' },
  {
    name: "a prefix, an inline string and a value token in one value",
    hex: `${HEAD} 00 85 06 03 61 00 85 86 01`,
    xml: '<XYZ URL="http://a.orglist"/>',
  },
  {
    name: "the three kinds of extension",
    hex: `${HEAD} 02 76 00 45 40 6e 00 81 00 c2 01`,
    xml: "<XYZ>$(n:0)$(v:1)$2</XYZ>",
  },
  {
    name: "processing instructions around and inside",
    hex: `${HEAD} 00 43 05 03 61 00 01 45 03 61 00 43 05 01 01 43 05 01`,
    xml: "<XYZ>a</XYZ>",
  },
  {
    name: "string table offsets above 127",
    hex: `${HEAD} 81 04 ${"61".repeat(129)} 00 62 00 45 83 81 02 01`,
    xml: "<XYZ>b</XYZ>",
  },
  { name: "integers longer than they need to be", hex: `03 80 7f 80 6a 80 00 05`, xml: "<XYZ/>" },
  {
    name: "a public identifier in the string table",
    hex: `03 00 00 6a 0b ${hexOf(Buffer.from("-//TOY//EN"))} 00 05`,
    xml: "<XYZ/>",
  },
  { name: "Latin-1", hex: "03 01 04 00 45 03 e9 00 01", xml: "<XYZ>\u00e9</XYZ>" },
  {
    name: "UTF-8 with a byte order mark inside",
    hex: `${HEAD} 00 45 03 efbbbf c3a9 00 01`,
    xml: "<XYZ>\ufeff\u00e9</XYZ>",
  },
];
for (const { name, hex, xml } of CASES) {
  test(`WBXML: ${name} is read`, () => {
    assert.equal(xmlOfElement(decodeWbxml(bytesOf(hex), TOY)), xml);
  });
  test(`WBXML: ${name}, cut at any octet, is refused`, () => {
    const bytes = bytesOf(hex);
    // Instructions that stand after the document are the one thing that can be missing.
    const isWhole = (cut: number) => hexOf(bytes.subarray(cut)) === "430501";
    for (let cut = 0; cut < bytes.length; cut++) {
      if (isWhole(cut)) continue;
      assert.throws(() => decodeWbxml(bytes.subarray(0, cut), TOY), { name: "DecodeError" }, `cut at ${cut}`);
    }
  });
}

const REFUSED: readonly { name: string; hex: string; offset: number }[] = [
  { name: "version 0.x", hex: "00 01 6a 00 05", offset: 0 },
  { name: "another public identifier", hex: "03 0b 6a 00 05", offset: 1 },
  { name: "a public identifier of six octets", hex: "03 80 80 80 80 80 01 6a 00 05", offset: 1 },
  { name: "a length above 32 bits", hex: "03 01 6a 9f ff ff ff 7f", offset: 3 },
  { name: "UTF-16, in which NUL ends nothing", hex: "03 01 87 77 00 05", offset: 2 },
  { name: "a string table that is cut short", hex: `${HEAD} 05 61 00`, offset: 3 },
  { name: "an unknown tag", hex: `${HEAD} 00 07`, offset: 4 },
  { name: "an unknown page of tags", hex: `${HEAD} 00 00 02 05`, offset: 4 },
  { name: "an unknown page of attributes", hex: `${HEAD} 00 85 00 09 05 01`, offset: 5 },
  { name: "an unknown attribute", hex: `${HEAD} 00 85 0a 01`, offset: 5 },
  { name: "a value before any attribute", hex: `${HEAD} 00 85 85 01`, offset: 5 },
  { name: "an unknown value", hex: `${HEAD} 00 85 05 99 01`, offset: 6 },
  { name: "the reserved token C4 in a value", hex: `${HEAD} 00 85 05 c4 01`, offset: 6 },
  { name: "a string table offset past the table", hex: `${HEAD} 02 61 00 45 83 02 01`, offset: 7 },
  { name: "a string table entry without its end", hex: `${HEAD} 01 61 45 83 00 01 00`, offset: 6 },
  { name: "text that is not UTF-8", hex: `${HEAD} 00 45 03 c3 28 00 01`, offset: 6 },
  { name: "a control character", hex: `${HEAD} 00 45 03 61 07 00 01`, offset: 6 },
  { name: "entity 0", hex: `${HEAD} 00 45 02 00 01`, offset: 5 },
  { name: "an entity above the last character", hex: `${HEAD} 00 45 02 c4 80 00 01`, offset: 5 },
  { name: "half a UTF-16 pair as entity", hex: `${HEAD} 00 45 02 83 b0 00 01`, offset: 5 },
  { name: "opaque octets that are cut short", hex: `${HEAD} 00 45 c3 05 61`, offset: 5 },
  { name: "octets after the document", hex: `${HEAD} 00 05 05`, offset: 5 },
  { name: "a literal that is no name", hex: `${HEAD} 03 61 20 00 04 00`, offset: 7 },
];
for (const { name, hex, offset } of REFUSED) {
  test(`WBXML: ${name} is refused at its octet`, () => {
    assert.throws(() => decodeWbxml(bytesOf(hex), TOY), { name: "DecodeError", offset });
  });
}

test("WBXML: an extension token is refused where the document type gives it no meaning", () => {
  const { extension: _, ...plain } = TOY;
  assert.throws(() => decodeWbxml(bytesOf(`${HEAD} 00 45 c0 01`), plain), { name: "DecodeError", offset: 5 });
});

/** One more of each than the limit, and exactly the limit. */
const AT_LIMIT: readonly { name: string; body: (count: number) => string; limit: number }[] = [
  { name: "depth", limit: LIMITS.depth, body: (count) => "45".repeat(count) + "01".repeat(count) },
  { name: "elements", limit: LIMITS.elements, body: (count) => `45${"06".repeat(count - 1)}01` },
  { name: "attributes", limit: LIMITS.attributes, body: (count) => `85${"05".repeat(count)}01` },
  { name: "characters", limit: LIMITS.textCharacters, body: (count) => `4503${"61".repeat(count)}0001` },
  { name: "pieces of text", limit: LIMITS.textPieces, body: (count) => `8505${"85".repeat(count)}01` },
];
for (const { name, body, limit } of AT_LIMIT) {
  test(`WBXML: ${limit} ${name} are read, one more is refused`, () => {
    decodeWbxml(bytesOf(`${HEAD} 00 ${body(limit)}`), TOY);
    assert.throws(() => decodeWbxml(bytesOf(`${HEAD} 00 ${body(limit + 1)}`), TOY), {
      name: "DecodeError",
      message: new RegExp(`more than ${limit}`),
    });
  });
}

test("WBXML: a string table entry that is referred to again and again counts each time", () => {
  const entry = "61".repeat(1024);
  const hex = (times: number) => `${HEAD} 8801 ${entry} 00 45 ${"8300".repeat(times)} 01`;
  decodeWbxml(bytesOf(hex(16)), TOY);
  assert.throws(() => decodeWbxml(bytesOf(hex(17)), TOY), { name: "DecodeError" });
});

test("WBXML: more octets than 255 short messages hold are not looked at", () => {
  assert.throws(() => decodeWbxmlHead(new Uint8Array(LIMITS.documentOctets + 1)), { name: "DecodeError" });
});

test("WBXML: the encoder takes the longest head of a value, and value tokens inside it", () => {
  const root = {
    name: "XYZ",
    attributes: [
      { name: "URL", value: "http://a.org/list" },
      { name: "SECOND", value: "" },
    ],
    content: [
      "t",
      { name: "BR", attributes: [], content: [] },
      { name: "CARD", attributes: [], content: [] },
    ],
  };
  const bytes = encodeWbxml(root, TOY);
  assert.equal(
    hexOf(bytes),
    "037f6a00c506036100850 32f00 86 0001 05 0300 01 03 7400 0001 05 0000 06 01".replace(/ /g, ""),
  );
  assert.equal(
    xmlOfElement(decodeWbxml(bytes, TOY)),
    '<XYZ URL="http://a.org/list" SECOND="">t<BR/><CARD/></XYZ>',
  );
});

test("WBXML: the encoder refuses what the document type has no name for, and what XML cannot hold", () => {
  const of = (name: string, attribute: string, text: string) => () =>
    encodeWbxml({ name, attributes: [{ name: attribute, value: "" }], content: [text] }, TOY);
  of("XYZ", "STYLE", "fine")();
  for (const wrong of [of("ABC", "STYLE", "x"), of("XYZ", "HUE", "x"), of("XYZ", "STYLE", "\0")]) {
    assert.throws(wrong, { name: "TurnupError", code: "payload_malformed" });
  }
});
