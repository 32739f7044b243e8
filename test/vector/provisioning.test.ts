/** The encoder of OMA CP documents: exact octets in both dialects, agreement with the general WBXML encoder, refusals. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { bytesOf, hexOf } from "../../src/wire/hex.ts";
import { PROV_CONT, PROV_DOC } from "../../src/wire/omacp/code-space.ts";
import { decodeProvisioning, encodeProvisioning, xmlOf } from "../../src/wire/omacp/codec.ts";
import type { Characteristic, ProvisioningDocument } from "../../src/wire/omacp/document.ts";

import { macOf } from "../../src/wire/omacp/mac.ts";
import type { WbxmlElement } from "../../src/wire/wbxml/element.ts";
import { encodeWbxml } from "../../src/wire/wbxml/encode.ts";
import { SEED } from "../fixture/seed.ts";
import { LIBWBXML_PAGE_0 } from "./oma-cp.ts";
import { characteristic, SAMPLES } from "./settings-samples.ts";

const DOCUMENT_OCTETS_MAX = 16_384;

const documentOf = (...characteristics: Characteristic[]): ProvisioningDocument => ({
  version: "1.0",
  characteristics,
});

for (const { name, document, hex, mac } of SAMPLES) {
  test(`the ${name} sample encodes to the octets and the MAC that others agree on`, () => {
    const bytes = encodeProvisioning(document);
    assert.equal(hexOf(bytes), hex);
    assert.equal(macOf("userpin", { pin: "1234" }, bytes), mac);
    assert.deepEqual(decodeProvisioning(bytes), document);
  });
}

test("the page-0 dialect switches as libwbxml does, for names and for values", () => {
  const document = documentOf(
    characteristic("APPLICATION", {
      APPID: "w4",
      ADDRTYPE: "IPV6",
      AAUTHLEVEL: "APPSRV",
      AAUTHTYPE: "HTTP-DIGEST",
      STARTPAGE: null,
      ZZZ: "",
      PORTNBR: "1",
    }),
  );
  // Octets of xml2wbxml -n (libwbxml 0.11.8) for the same document.
  const hex =
    "030b6a00c54601c6000155018736000006037734000187000135000006860187000130000006" +
    "00018d0187330000069d01871c018705035a5a5a000601872306033100010101";
  assert.equal(hexOf(encodeProvisioning(document, { dialect: "page0" })), hex);
});

for (const { id, hex } of LIBWBXML_PAGE_0) {
  test(`${id}: the page-0 dialect writes libwbxml's octets`, () => {
    const document = decodeProvisioning(bytesOf(hex));
    assert.equal(hexOf(encodeProvisioning(document, { dialect: "page0" })), hex);
    assert.deepEqual(decodeProvisioning(encodeProvisioning(document)), document);
  });
}

test("the page-1 dialect needs one switch for an APPLICATION, and goes back for what page 1 lacks", () => {
  const document = documentOf(
    characteristic("APPLICATION", { APPID: "w7", ADDRTYPE: "IPV4", AUTHTYPE: "PAP" }),
    characteristic("NAPDEF", { NAPID: "N" }),
  );
  assert.equal(
    hexOf(encodeProvisioning(document)),
    [
      "030b6a00 c54601",
      "c6000155 01",
      "8736 0603773700 01",
      "8735 060349505634 00 01",
      "8700000c 069a 01",
      "01",
    ]
      .concat(["c655 01", "8711 06034e00 01", "01", "01"])
      .join("")
      .replace(/\s/g, ""),
  );
});

const REAL_NAMES = PROV_CONT.attributeStarts
  .flat()
  .flatMap((start) => (start?.name === "name" && start.prefix ? [start.prefix] : []));
const REAL_TYPES = PROV_CONT.attributeStarts
  .flat()
  .flatMap((start) => (start?.name === "type" && start.prefix ? [start.prefix] : []));
const REAL_VALUES = PROV_CONT.attributeValues.flat().filter((value) => value !== undefined);

/** As our own objects are, with a prototype. */
const PLAIN = { noNullPrototype: true } as const;
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }).filter((value) => encodes(value)),
  fc.string({ maxLength: 8 }),
);
const parm = fc.record(
  {
    name: fc.oneof(fc.constantFrom(...REAL_NAMES), text.filter(isPlainName)),
    value: fc.option(fc.oneof(fc.constantFrom(...REAL_VALUES), text)),
  },
  PLAIN,
);
const { tree } = fc.letrec<{ tree: Characteristic }>((tie) => ({
  tree: fc.record(
    {
      type: fc.oneof(fc.constantFrom(...REAL_TYPES), text.filter(isPlainName)),
      parms: fc.array(parm, { maxLength: 5 }),
      characteristics: fc.oneof(
        { depthSize: "small" },
        fc.constant([]),
        fc.array(tie("tree"), { maxLength: 3 }),
      ),
    },
    PLAIN,
  ),
}));
const anyDocument: fc.Arbitrary<ProvisioningDocument> = fc.record(
  { version: fc.constantFrom("1.0", "1.1", null), characteristics: fc.array(tree, { maxLength: 4 }) },
  PLAIN,
);

/** Neither empty nor the text of a value token, which the general encoder would take for a name's rest. */
function isPlainName(name: string): boolean {
  return name !== "" && !REAL_VALUES.includes(name);
}

/** Text that an XML document can hold. */
function encodes(value: string): boolean {
  return !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(value);
}

test("any document survives encoding and decoding, in both dialects", () => {
  fc.assert(
    fc.property(anyDocument, fc.constantFrom("page1", "page0"), (document, dialect) => {
      assert.deepEqual(decodeProvisioning(encodeProvisioning(document, { dialect })), document);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test("the fast encoder and the general WBXML encoder write the same octets", () => {
  fc.assert(
    fc.property(anyDocument, (document) => {
      assert.equal(hexOf(encodeProvisioning(document)), hexOf(encodeWbxml(rootOf(document), PROV_CONT)));
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

function rootOf({ version, characteristics }: ProvisioningDocument): WbxmlElement {
  const attributes = version === null ? [] : [{ name: "version", value: version }];
  return { name: PROV_DOC, attributes, content: characteristics.map(elementOf) };
}

function elementOf({ type, parms, characteristics }: Characteristic): WbxmlElement {
  const parmElements = parms.map(({ name, value }) => ({
    name: "parm",
    attributes: [{ name: "name", value: name }, ...(value === null ? [] : [{ name: "value", value }])],
    content: [],
  }));
  return {
    name: "characteristic",
    attributes: [{ name: "type", value: type }],
    content: [...parmElements, ...characteristics.map(elementOf)],
  };
}

const REFUSED: readonly (readonly [fact: string, document: ProvisioningDocument, code: string])[] = [
  ["a NUL in a value", documentOf(characteristic("NAPDEF", { NAME: "a\0b" })), "payload_malformed"],
  ["half a UTF-16 pair", documentOf(characteristic("NAPDEF", { NAME: "a\ud800" })), "payload_malformed"],
  ["a parm without a name", documentOf(characteristic("NAPDEF", { "": "x" })), "payload_malformed"],
  ["a characteristic without a type", documentOf(characteristic("", {})), "payload_malformed"],
  [
    "a document that no phone holds",
    documentOf(characteristic("NAPDEF", { NAME: "x".repeat(DOCUMENT_OCTETS_MAX) })),
    "payload_too_long",
  ],
  [
    "many long values",
    documentOf(...Array.from({ length: 40 }, () => characteristic("NAPDEF", { NAME: "é".repeat(400) }))),
    "payload_too_long",
  ],
  [
    "more elements than a decoder takes",
    documentOf(...Array.from({ length: 1024 }, () => characteristic("NAPDEF", {}))),
    "payload_malformed",
  ],
];
for (const [fact, document, code] of REFUSED) {
  test(`${fact} is refused, and the next document is encoded right`, () => {
    assert.throws(() => encodeProvisioning(document), { name: "TurnupError", code });
    assert.equal(hexOf(encodeProvisioning(SAMPLES[0]!.document)), SAMPLES[0]!.hex);
  });
}

test("a value as long as fits is encoded, one more octet is refused", () => {
  const around = encodeProvisioning(documentOf(characteristic("NAPDEF", { NAME: "x" }))).length - 1;
  const fits = "x".repeat(DOCUMENT_OCTETS_MAX - around);
  const bytes = encodeProvisioning(documentOf(characteristic("NAPDEF", { NAME: fits })));
  assert.equal(bytes.length, DOCUMENT_OCTETS_MAX);
  assert.throws(() => encodeProvisioning(documentOf(characteristic("NAPDEF", { NAME: `${fits}x` }))), {
    code: "payload_too_long",
  });
});

test("nesting as deep as a decoder goes is encoded, one deeper is refused", () => {
  const nested = (depth: number): Characteristic =>
    characteristic("NAPDEF", { NAME: "n" }, ...(depth > 1 ? [nested(depth - 1)] : []));
  const deepest = documentOf(nested(14));
  assert.deepEqual(decodeProvisioning(encodeProvisioning(deepest)), deepest);
  assert.throws(() => encodeProvisioning(documentOf(nested(15))), { code: "payload_malformed" });
});

test("XML shows what stands in a document, special characters escaped", () => {
  const bytes = encodeProvisioning(documentOf(characteristic("NAPDEF", { NAME: `<&"'>\n`, INTERNET: null })));
  assert.equal(
    xmlOf(bytes),
    `<wap-provisioningdoc version="1.0"><characteristic type="NAPDEF"><parm name="NAME" value="&lt;&amp;&quot;&apos;&gt;&#10;"/><parm name="INTERNET"/></characteristic></wap-provisioningdoc>`,
  );
});
