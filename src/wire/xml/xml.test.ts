/** Strict XML in: what is not well-formed, expands, or points elsewhere is refused with its octet. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { readXml, XML_LIMITS } from "./read.ts";
import { element, escaped, htmlText, xmlText } from "./tree.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => xmlText(readXml(bytes(text)).root);

const READ: readonly (readonly [name: string, text: string, same: string])[] = [
  [
    "a declaration, comments around, white space in tags",
    '<?xml version="1.0" encoding="utf-8"?>\n<!-- a --><a  b = "1"\n>x</a ><!--b-->\n',
    '<a b="1">x</a>',
  ],
  [
    "references of both kinds and the five names",
    "<a>&#65;&#x1F600;&lt;&amp;&quot;&apos;&gt;</a>",
    "<a>A😀&lt;&amp;&quot;&#39;&gt;</a>",
  ],
  ["CDATA", "<a><![CDATA[<&]]></a>", "<a>&lt;&amp;</a>"],
  [
    "line ends as one, white space in a value as a space",
    '<a b="x\ty\r\nz">p\r\nq</a>',
    '<a b="x y z">p&#10;q</a>',
  ],
  ["a byte order mark", "\ufeff<a/>", "<a/>"],
  ["single quotes", "<a b='\"'/>", '<a b="&quot;"/>'],
];
for (const [name, text, same] of READ) test(`XML: ${name}`, () => assert.equal(read(text), same));

const REFUSED: readonly (readonly [name: string, text: string, offset: number])[] = [
  ["nothing", "", 0],
  ["text alone", "hello", 0],
  ["an element without its end", "<a><b></b>", 10],
  ["ends in the wrong order", "<a><b></a></b>", 6],
  ["an end that only begins like its start", "<a></ab>", 6],
  ["two roots", "<a/><b/>", 4],
  ["text after the root", "<a/>x", 4],
  ["an attribute twice", '<a b="1" b="2"/>', 9],
  ["an attribute without quotes", "<a b=1/>", 5],
  ["an attribute without a space", '<a b="1"c="2"/>', 8],
  ["an attribute without a value", "<a b/>", 4],
  ["a < in a value", '<a b="<"/>', 6],
  ["a document type", "<!DOCTYPE a><a/>", 0],
  ["an internal subset, which could declare entities", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 1],
  ["an entity that nobody declared", "<a>é&x;</a>", 3],
  ["an & that begins nothing", "<a>a & b</a>", 3],
  ["a reference to half a pair", "<a>&#xd800;</a>", 3],
  ["a reference to no character", "<a>&#0;</a>", 3],
  ["a reference beyond the last character", "<a>&#x110000;</a>", 3],
  ["a control character", "<a>\u0001</a>", 3],
  ["a processing instruction", "<a><?php x?></a>", 4],
  ["a comment with two hyphens inside", "<a><!-- a -- b --></a>", 3],
  ["]]> in text", "<a>]]></a>", 3],
  ["an encoding that is not UTF-8", '<?xml version="1.0" encoding="utf-16"?><a/>', 0],
  ["a name that begins with a digit", "<1/>", 1],
  ["an octet offset behind characters of two and four octets", "<a>é😀<1/></a>", 10],
];
for (const [name, text, offset] of REFUSED) {
  test(`XML: ${name} is refused at its octet`, () => {
    assert.throws(() => readXml(bytes(text)), { name: "DecodeError", offset });
  });
}

test("XML: octets that are no UTF-8 are refused, and no limit can be passed", () => {
  assert.throws(() => readXml(Uint8Array.of(0x3c, 0xff, 0x2f, 0x3e)), { name: "DecodeError" });
  const deep = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth);
  readXml(bytes(deep(XML_LIMITS.depth)));
  assert.throws(() => readXml(bytes(deep(XML_LIMITS.depth + 1))), { message: /deep/ });
  const wide = (count: number) => `<a>${"<b/>".repeat(count - 1)}</a>`;
  readXml(bytes(wide(XML_LIMITS.elements)));
  assert.throws(() => readXml(bytes(wide(XML_LIMITS.elements + 1))), { message: /more than 4096 elements/ });
  const attributes = (count: number) =>
    `<a${Array.from({ length: count }, (_, at) => ` b${at}=""`).join("")}/>`;
  readXml(bytes(attributes(XML_LIMITS.attributesOfAnElement)));
  assert.throws(() => readXml(bytes(attributes(XML_LIMITS.attributesOfAnElement + 1))), {
    message: /too many attributes/,
  });
  assert.throws(() => readXml(new Uint8Array(XML_LIMITS.documentOctets + 1)), { message: /octets/ });
});

test(`XML: what is written is read back the same (seed ${SEED})`, () => {
  const text = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((one) => !/[\p{Cc}\ufffe\uffff]/u.test(one));
  fc.assert(
    fc.property(text, text, (one, other) => {
      const tree = element("a", { b: one }, other, element("c", {}, one));
      const { root } = readXml(bytes(xmlText(tree)));
      assert.equal(xmlText(root), xmlText(tree));
      assert.equal(root.attributes[0]?.value, one);
      assert.equal(root.content[0], other);
      assert.equal(readXml(bytes(xmlText(tree, { ascii: true }))).root.content[0], other);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test(`XML: random octets cost no more than a refusal (seed ${SEED})`, () => {
  const piece = fc.constantFrom(
    "<",
    ">",
    "/",
    "a",
    "=",
    '"',
    "&",
    ";",
    "#",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    " ",
    "\ufeff",
    "<a>",
    "</a>",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        readXml(bytes(pieces.join("")));
      } catch (error) {
        assert.equal((error as Error).name, "DecodeError", String(error));
      }
    }),
    { seed: SEED, numRuns: 3_000 },
  );
});

test("HTML: empty elements have no end, and an attribute without value has none", () => {
  const tree = element(
    "p",
    { class: "x" },
    element("input", { required: true, value: "" }),
    element("b", {}, "<"),
  );
  assert.equal(htmlText(tree), '<p class="x"><input required value=""><b>&lt;</b></p>');
  assert.equal(escaped("é😀\"'", { ascii: true }), "&#233;&#128512;&quot;&#39;");
});
