/** WML as text and as octets: tokens, variables, versions, and what a hostile deck can do, which is nothing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { checkScreen } from "../screen/screen.ts";
import { compileWml, octetsOf } from "./compile.ts";
import { readWml, wmlText } from "./deck.ts";
import { decodeWmlc } from "./decode.ts";
import { openCard } from "./reader.ts";
import { WML_CODE_SPACE } from "./tokens.ts";
import { substituted } from "./variables.ts";

const hex = (text: string): string => hexOf(compileWml(text));
const compact = (text: string): string => text.replace(/\s+/g, "");
const inCard = (body: string): string => `<wml><card>${body}</card></wml>`;
const ascii = (text: string): string => hexOf(Buffer.from(text));

/** Head of a 1.3 deck without a string table, then wml with content. */
const HEAD = "030a6a007f";
const VECTORS: readonly { name: string; wml: string; hex: string }[] = [
  {
    name: "one card with a title and a text (the example of our notes)",
    wml: '<wml><card id="m" title="Hi"><p>x</p></card></wml>',
    hex: "03 0a 6a 00 7f e7 55 03 6d 00 36 03 48 69 00 01 60 03 78 00 01 01 01",
  },
  {
    name: "the three forms of a variable",
    wml: inCard("<p>$(a:escape)$(b:unesc)$(c:noesc)$d</p>"),
    hex: `${HEAD} 67 60 40 61 00 41 62 00 42 63 00 42 64 00 01 01 01`,
  },
  {
    name: "a variable in an address, escaped where nothing else is said",
    wml: inCard('<p><a href="http://a.b/?$(q)">x</a></p>'),
    hex: `${HEAD} 67 60 dc 4b 03 ${ascii("a.b/?")} 00 40 71 00 01 03 78 00 01 01 01 01`,
  },
  {
    name: "two dollars are one",
    wml: inCard("<p>$$5</p>"),
    hex: `${HEAD} 67 60 03 24 35 00 01 01 01`,
  },
  {
    name: "values with tokens of their own, and parts of values",
    wml: inCard('<do type="prev" label="help"><go href="https://www.x.com/" method="post"/></do>'),
    hex: `${HEAD} 67 e8 46 18 8d 01 ab 4c a1 03 78 00 85 1c 01 01 01 01`,
  },
  {
    name: "characters by reference",
    wml: inCard("<p>&lt;&#233;&nbsp;&amp;</p>"),
    hex: `${HEAD} 67 60 03 3c c3a9 c2a0 26 00 01 01 01`,
  },
  {
    name: "a string that stands three times, in the string table",
    wml: inCard("<p>abcd</p><p>abcd</p><p>abcd</p>"),
    hex: `030a6a 05 ${ascii("abcd")} 00 7f 67 60 83 00 01 60 83 00 01 60 83 00 01 01 01`,
  },
];
for (const { name, wml, hex: wanted } of VECTORS) {
  test(`WMLC: ${name}`, () => {
    assert.equal(hex(wml), compact(wanted));
    assert.equal(hexOf(compileWml(decodeWmlc(bytesOf(wanted)))), compact(wanted));
  });
  test(`WMLC: ${name}, cut at any octet, is refused`, () => {
    const bytes = bytesOf(wanted);
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(() => decodeWmlc(bytes.subarray(0, cut)), { name: "DecodeError" }, `cut at ${cut}`);
    }
  });
}

test("WMLC: a language that Kannel's gateway compiled without its prefix is the deck's language", () => {
  // 04 00: an attribute of the string table's first word; what wapbox 1.4.5 makes of <wml xml:lang="en">.
  const octets = bytesOf(
    `03 04 6a 05 6c 61 6e 67 00 ff 04 00 03 65 6e 00 01 ${"67 60 03 78 00 01 01 01"}`.replace(/ /g, ""),
  );
  assert.match(wmlText(decodeWmlc(octets)), /<wml xml:lang="en"><card>/);
});

test("WMLC: a literal dollar in octets is never taken for a variable, nor a variable for text", () => {
  const deck = decodeWmlc(bytesOf(`${HEAD} 67 60 03 ${ascii("$(pin)")} 00 42 ${ascii("pin")} 00 01 01 01`));
  assert.match(wmlText(deck), /<p>\$\$\(pin\)\$\(pin:noesc\)<\/p>/);
  assert.deepEqual(openCard(deck, { variables: { pin: "1234" } }).screen.text, ["$(pin)1234"]);
});

test("WML versions differ by what they know, and each says which it is", () => {
  const doctype = (version: string, uri: string) =>
    `<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML ${version}//EN" "${uri}">`;
  const link = inCard('<p><a href="x" accesskey="1">y</a></p>');
  const plain = inCard("<p>x</p>");
  const old = doctype("1.1", "http://www.wapforum.org/DTD/wml_1.1.xml");
  assert.equal(hex(old + plain).slice(0, 8), "01046a00");
  assert.equal(hex(doctype("1.2", "http://www.wapforum.org/DTD/wml12.dtd") + link).slice(0, 8), "03096a00");
  assert.equal(hex(plain).slice(0, 8), "030a6a00");
  assert.throws(() => compileWml(old + link), { name: "DecodeError", message: /WML 1\.1 has no accesskey/ });
  assert.throws(() => readWml(`${doctype("2.0", "x")}${plain}`), { name: "DecodeError" });
  assert.equal(decodeWmlc(compileWml(old + plain)).version, "1.1");
});

test("WMLC: the public identifier may stand as text in the string table", () => {
  const id = "-//WAPFORUM//DTD WML 1.1//EN";
  const head = `01 00 00 6a ${(id.length + 1).toString(16)} ${ascii(id)} 00`;
  assert.equal(decodeWmlc(bytesOf(`${head} 7f 67 60 03 78 00 01 01 01`)).version, "1.1");
});

test("the far ends of the token tables stand where WAP-238 §14 has them", () => {
  assert.equal(WML_CODE_SPACE["1.3"].tags[0]?.[0x3f], "wml");
  assert.equal(WML_CODE_SPACE["1.3"].tags[0]?.[0x39], "strong");
  assert.deepEqual(WML_CODE_SPACE["1.3"].attributeStarts[0]?.[0x64], {
    name: "cache-control",
    prefix: "no-cache",
  });
  assert.equal(WML_CODE_SPACE["1.3"].attributeValues[0]?.[0xa1], "www.");
  assert.equal(WML_CODE_SPACE["1.3"].attributeValues[0]?.[0x9b], "reset");
});

const REFUSED: readonly { name: string; wml: string; at: string }[] = [
  { name: "text outside a paragraph", wml: inCard("stray"), at: "<card" },
  { name: "an element of no WML", wml: inCard("<p><script/></p>"), at: "<script" },
  { name: "an attribute of no WML", wml: inCard('<p onclick="x">y</p>'), at: "<p" },
  { name: "a card inside a paragraph", wml: inCard("<p><card/></p>"), at: "<card/" },
  { name: "a link to nowhere", wml: inCard("<p><a>x</a></p>"), at: "<a>" },
  { name: "an anchor with two tasks", wml: inCard("<p><anchor>x<prev/><noop/></anchor></p>"), at: "<anchor" },
  {
    name: "a timer behind a key",
    wml: inCard('<do type="prev"><prev/></do><timer value="1"/>'),
    at: "<timer",
  },
  { name: "a head behind a card", wml: "<wml><card><p>x</p></card><head/></wml>", at: "<head" },
  { name: "no card", wml: "<wml><head/></wml>", at: "<wml" },
  { name: "a dollar that begins nothing", wml: inCard("<p>5$</p>"), at: "<p" },
  { name: "a form of a variable that is none", wml: inCard("<p>$(x:loud)</p>"), at: "<p" },
];
for (const { name, wml, at } of REFUSED) {
  test(`WML: ${name} is refused at its element`, () => {
    assert.throws(() => readWml(wml), { name: "DecodeError", offset: wml.indexOf(at) });
  });
}

const HOSTILE: readonly { name: string; hex: string }[] = [
  { name: "a variable without a name", hex: `${HEAD} 67 60 40 00 01 01 01` },
  {
    name: "a variable whose name closes the reference",
    hex: `${HEAD} 67 60 40 ${ascii("a:escape)$(b")} 00 01 01 01`,
  },
  { name: "a variable in an identifier", hex: `${HEAD} e7 55 40 61 00 01 60 03 78 00 01 01 01` },
  { name: "a variable token without argument", hex: `${HEAD} 67 60 c0 01 01 01` },
  { name: "another document type", hex: "03 05 6a 00 7f 67 01 01" },
  { name: "elements a thousand deep", hex: `${HEAD} 67 ${"60".repeat(1_000)}` },
  { name: "a string table longer than the document", hex: "03 0a 6a 8f ff ff ff 7f 7f" },
  { name: "a tag of no WML", hex: `${HEAD} 67 7a 01 01 01` },
];
for (const { name, hex: octets } of HOSTILE) {
  test(`WMLC: ${name} is refused with its octet`, () => {
    const bytes = bytesOf(octets);
    assert.throws(
      () => decodeWmlc(bytes),
      (error: unknown) =>
        error instanceof Error &&
        error.name === "DecodeError" &&
        (error as Error & { offset: number }).offset <= bytes.length,
    );
  });
}

test(`WMLC: octets changed at random are refused, or read as a deck that a phone can show (seed ${SEED})`, () => {
  const whole = compileWml(
    inCard(
      '<p>Pay $$5 <a href="https://a.example/$(x)">a</a></p><p>PIN <input name="pin" type="password"/></p><do type="accept" label="Go"><go href="/x" method="post"><postfield name="pin" value="$(pin)"/></go></do>'.replace(
        /(.*)(<do.*)$/s,
        "$2$1",
      ),
    ),
  );
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, octet] of changes) bytes[at] = octet;
        try {
          checkScreen(openCard(decodeWmlc(bytes)).screen);
          read++;
        } catch (error) {
          assert.equal((error as Error).name, "DecodeError", String(error));
        }
      },
    ),
    { seed: SEED, numRuns: 3_000 },
  );
  assert.ok(read > 100, "some changes are harmless");
});

test(`WML: text of random pieces is refused with an offset inside it, or shown (seed ${SEED})`, () => {
  const piece = fc.constantFrom(
    "<wml>",
    "</wml>",
    "<card>",
    '<card id="__proto__">',
    "</card>",
    "<p>",
    "</p>",
    "$",
    "$(constructor)",
    "&amp;",
    "&x;",
    "<br/>",
    '<input name="constructor"/>',
    '<input name="__proto__"/>',
    '<a href="javascript:x">',
    "</a>",
    "text",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    '<!DOCTYPE wml [<!ENTITY a "b">]>',
    "<?x?>",
    "\u0007",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (pieces, isFramed) => {
      const text = isFramed ? inCard(`<p>${pieces.join("")}</p>`) : pieces.join("");
      try {
        checkScreen(openCard(decodeWmlc(compileWml(text))).screen);
      } catch (error) {
        assert.equal((error as Error).name, "DecodeError", String(error));
        assert.ok((error as Error & { offset: number }).offset <= Buffer.byteLength(text));
      }
    }),
    { seed: SEED, numRuns: 3_000 },
  );
});

test("a deck costs at most the sum of its parts", () => {
  const root = readWml(inCard("<p>abcd</p><p>abcd</p><p>abcd</p>")).root;
  assert.equal(octetsOf(root, "1.3"), 28);
  assert.ok(compileWml({ version: "1.3", root }).length <= 5 + 28);
});

test("references are replaced as their place asks: escaped in an address, as they are in text", () => {
  const variables = { a: "x y&z", b: "x%20y" };
  assert.equal(substituted("/?q=$(a)", variables, "address"), "/?q=x%20y%26z");
  assert.equal(substituted("/?q=$(a:noesc)", variables, "address"), "/?q=x y&z");
  assert.equal(substituted("$(b:unesc) $b $$b $(gone)", variables, "text"), "x y x%20y $b ");
});
