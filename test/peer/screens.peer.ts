/**
 * Our decks beside libwbxml's own programs (Debian: libwbxml2-utils), and our VoiceXML beside the W3C's schema and xmllint
 * (Debian: libxml2-utils). Fails, and never skips, where they are not installed. Run by `npm run test:peer`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "vitest";
import type { Screen } from "../../src/wire/screen/screen.ts";
import { renderVxml, speaks } from "../../src/wire/screen/vxml.ts";
import { renderWml } from "../../src/wire/screen/wml.ts";
import { renderXhtmlMp } from "../../src/wire/screen/xhtmlmp.ts";
import { compileWml } from "../../src/wire/wml/compile.ts";
import { wmlText } from "../../src/wire/wml/deck.ts";
import { decodeWmlc } from "../../src/wire/wml/decode.ts";
import { readXml } from "../../src/wire/xml/read.ts";
import { type XmlContent, type XmlElement, xmlText } from "../../src/wire/xml/tree.ts";
import { SEED } from "../fixture/seed.ts";
import { anyScreen, SCREENS, terms } from "../vector/screens.ts";

const RUNS = 40;
const PROGRAM_TIMEOUT_MS = 10_000;
const SCHEMA = join(import.meta.dirname, "voicexml21");

function run(program: string, args: readonly string[], input: Uint8Array | string, debian: string): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    timeout: PROGRAM_TIMEOUT_MS,
    env: { ...process.env, XML_CATALOG_FILES: join(SCHEMA, "catalog.xml") },
  });
  if (error) throw new Error(`${program} cannot be run (${error.message}): apt-get install ${debian}`);
  assert.equal(status, 0, `${program}: ${stderr}\n${input}`);
  return stdout;
}

const pageHref = (page: number): string => `/s?page=${page}`;
const decksOf = (screen: Screen) => {
  const { decks } = renderWml(screen, { pageHref });
  return Array.from({ length: decks }, (_, deck) => renderWml(screen, { deck, pageHref }).deck);
};

/** libwbxml drops white space around text; the octets hold one dollar where text has two. */
const comparable = (element: XmlElement, dollar: string): XmlElement => ({
  name: element.name,
  attributes: element.attributes.map(({ name, value }) => ({ name, value: value.replaceAll(dollar, "$") })),
  content: element.content.flatMap((part): XmlContent[] => {
    if (typeof part !== "string") return [comparable(part, dollar)];
    const text = part.replaceAll(dollar, "$").trim();
    return text === "" ? [] : [text];
  }),
});
const treeOf = (text: string): XmlElement => readXml(new TextEncoder().encode(text), { doctype: true }).root;
const ours = (text: string): string => xmlText(comparable(treeOf(text), "$$"));
const theirs = (text: string): string => xmlText(comparable(treeOf(text), "$"));

test(`wbxml2xml reads in our decks what we wrote into them (seed ${SEED})`, () => {
  const check = (screen: Screen): void => {
    for (const deck of decksOf(screen)) {
      const bytes = compileWml(deck);
      const peer = run("wbxml2xml", ["-m", "0", "-o", "-", "-"], bytes, "libwbxml2-utils").toString("utf8");
      assert.equal(theirs(peer), ours(wmlText(decodeWmlc(bytes))));
    }
  };
  for (const screen of SCREENS) check(screen);
  fc.assert(fc.property(anyScreen, check), { seed: SEED, numRuns: RUNS });
});

test("what xml2wbxml compiles is read as the deck it was given", () => {
  for (const deck of decksOf(terms)) {
    // xml2wbxml writes xml:lang under a name that is none in XML.
    const text = wmlText(deck).replace(/ xml:lang="[^"]*"/, "");
    const bytes = run("xml2wbxml", ["-o", "-", "-"], text, "libwbxml2-utils");
    assert.equal(ours(wmlText(decodeWmlc(bytes))), ours(text));
  }
});

test(`every VoiceXML answer is valid by the schema of the W3C (seed ${SEED})`, () => {
  const check = (screen: Screen): void => {
    const text = renderVxml(screen, { transferTo: "tel:+441234567890" });
    run("xmllint", ["--nonet", "--noout", "--schema", join(SCHEMA, "vxml.xsd"), "-"], text, "libxml2-utils");
  };
  for (const screen of SCREENS.filter(speaks)) check(screen);
  fc.assert(fc.property(anyScreen.filter(speaks), check), { seed: SEED, numRuns: RUNS });
});

test("xmllint finds our XML pages well-formed", () => {
  for (const screen of SCREENS) {
    run("xmllint", ["--nonet", "--noout", "-"], renderXhtmlMp(screen, { pageHref }).text, "libxml2-utils");
    for (const deck of decksOf(screen))
      run("xmllint", ["--nonet", "--noout", "-"], wmlText(deck), "libxml2-utils");
  }
});
