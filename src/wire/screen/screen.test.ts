/** What a screen may hold, and its neutral forms: what a device gets is what a server sent, or nothing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { account, anyScreen, roads, SCREENS } from "../../../test/vector/screens.ts";
import { decodeScreenJson, encodeScreenJson, SCREEN_OCTETS_MAX } from "./json.ts";
import { checkScreen, type Field, isSafeHref, SCREEN_LIMITS, type Screen } from "./screen.ts";
import { decodeScreenXml, encodeScreenXml } from "./xml.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

const SAFE = [
  "/a",
  "a?b=1#c",
  "?s=1",
  "#card",
  "./x",
  "https://h.example/a",
  "HTTP://h.example:8080",
  "http://[::1]/x",
  "https://h.example?next=a@b",
];
const UNSAFE = [
  "javascript:alert(1)",
  "JaVaScRiPt:x",
  "data:text/html,x",
  "//other.example/x",
  "\\\\other",
  "/\\other",
  "http:/x",
  "http:x",
  "https://me:pw@h.example/",
  "https://me@h.example",
  "tel:123",
  " /a",
  "/a b",
  "/ä",
  '/"',
  "/<",
  "",
  "wtai://wp",
];
test("an address is http, https, or inside the server; nothing else passes for one", () => {
  for (const href of SAFE) assert.equal(isSafeHref(href), true, href);
  for (const href of UNSAFE) assert.equal(isSafeHref(href), false, href);
});

const withField = (field: Partial<Field>): Screen => ({
  ...account,
  form: {
    ...account.form!,
    fields: [{ name: "a", label: "A", kind: "text", required: true, ...field } as Field],
  },
});
const REFUSED: readonly (readonly [path: string, screen: Screen])[] = [
  ["id", { ...roads, id: "1" }],
  ["title", { ...roads, title: " " }],
  ["title", { ...roads, title: "a\nb" }],
  ["title", { ...roads, title: "a\u202e".replace("\u202e", "\ud800") }],
  ["title", { ...roads, title: "x".repeat(SCREEN_LIMITS.title + 1) }],
  ["lang", { ...roads, lang: "english please" }],
  ["text", { ...roads, text: Array.from({ length: SCREEN_LIMITS.paragraphs + 1 }, () => "x") }],
  ["text", { ...roads, text: Array.from({ length: 21 }, () => "x".repeat(2_000)) }],
  ["text[0]", { ...roads, text: ["x".repeat(SCREEN_LIMITS.paragraph + 1)] }],
  [
    "entries",
    {
      ...roads,
      entries: Array.from({ length: SCREEN_LIMITS.entries + 1 }, () => ({ label: "x", href: "/" })),
    },
  ],
  ["entries[0].href", { ...roads, entries: [{ label: "x", href: "javascript:x" }] }],
  ["entries[0].note", { ...roads, entries: [{ label: "x", note: "", href: "/" }] }],
  ["form.action", { ...account, form: { ...account.form!, action: "//evil.example" } }],
  ["form.fields[0].name", withField({ name: "class" })],
  ["form.fields[0].name", withField({ name: "__proto__" })],
  ["form.fields[0].name", withField({ name: "a b" })],
  ["form.fields[0].name", withField({ name: "state" })],
  ["form.fields[0].minLength", withField({ minLength: 5, maxLength: 4 })],
  ["form.fields[0].maxLength", withField({ maxLength: 0 })],
  ["form.fields[0].choices", withField({ kind: "choice" })],
  ["form.fields[0].choices", withField({ kind: "choice", choices: [] })],
  ["form.fields[0].choices", withField({ choices: [{ value: "a", label: "A" }] })],
  ["form.fields[0].value", withField({ kind: "secret", value: "1234" })],
  ["actions[0].href", { ...roads, actions: [{ role: "help", label: "x", href: "data:x" }] }],
  ["actions[0].hidden", { ...roads, actions: [{ role: "help", label: "x", href: "/", hidden: { a: "b" } }] }],
  ["refreshSeconds", { ...roads, refreshSeconds: 0 }],
];
for (const [path, screen] of REFUSED) {
  test(`a screen that is wrong at ${path} is refused there`, () => {
    assert.throws(() => checkScreen(screen), { name: "ScreenError", path });
  });
}

const FORMS = [
  { name: "JSON", encode: encodeScreenJson, decode: decodeScreenJson },
  { name: "XML", encode: encodeScreenXml, decode: decodeScreenXml },
] as const;
for (const { name, encode, decode } of FORMS) {
  describe(`the neutral form in ${name}`, () => {
    test(`brings any screen over unchanged (seed ${SEED})`, () => {
      for (const screen of SCREENS) assert.deepEqual(decode(octets(encode(screen))), screen);
      fc.assert(
        fc.property(anyScreen, (screen) => assert.deepEqual(decode(octets(encode(screen))), screen)),
        { seed: SEED, numRuns: 300 },
      );
    });

    test("is refused when it is cut short anywhere", () => {
      const bytes = octets(encode(account));
      for (let cut = 0; cut < bytes.length; cut += 7) {
        assert.throws(() => decode(bytes.subarray(0, cut)), { name: "DecodeError" }, `cut at ${cut}`);
      }
    });

    test(`with octets changed is a screen that keeps every limit, or a refusal (seed ${SEED})`, () => {
      const whole = octets(encode(account));
      const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
          const bytes = Uint8Array.from(whole);
          for (const [at, octet] of changes) bytes[at] = octet;
          try {
            checkScreen(decode(bytes));
          } catch (error) {
            assert.match((error as Error).name, /^(?:DecodeError|ScreenError)$/, String(error));
          }
        }),
        { seed: SEED, numRuns: 1_500 },
      );
    });

    test("is not read beyond its limit", () => {
      assert.throws(() => decode(new Uint8Array(SCREEN_OCTETS_MAX + 1)), { name: "DecodeError" });
    });
  });
}

test("a member or element that nobody knows is refused, and so is a script in the place of an address", () => {
  const json = (change: object) => octets(JSON.stringify({ ...roads, ...change }));
  assert.throws(() => decodeScreenJson(json({ script: "x" })), { name: "ScreenError", path: "script" });
  assert.throws(() => decodeScreenJson(json({ text: [1] })), { name: "ScreenError", path: "text[0]" });
  assert.throws(() => decodeScreenJson(json({ entries: [{ label: "x", href: "javascript:x" }] })), {
    path: "entries[0].href",
  });
  const xml = encodeScreenXml(roads);
  assert.throws(() => decodeScreenXml(octets(xml.replace("<text>", "<script/><text>"))), {
    name: "DecodeError",
    offset: xml.indexOf("<text>"),
  });
  assert.throws(() => decodeScreenXml(octets(xml.replace("<entry ", '<entry onclick="x" '))), {
    name: "DecodeError",
  });
  assert.throws(() => decodeScreenXml(octets(xml.replace("urn:turnup:screen:1", "urn:other"))), {
    name: "DecodeError",
    offset: xml.indexOf("<screen"),
  });
});

test("a hidden name that would reach into objects is refused, and reaches nothing", () => {
  const text = encodeScreenJson(account).replace('"hidden":{', '"hidden":{"__proto__":"x",');
  assert.throws(() => decodeScreenJson(octets(text)), { name: "ScreenError" });
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
});
