/** Which terms somebody has to agree to, and which they agreed to before. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem, samplePackage } from "../../../test/fixture/catalog-samples.ts";
import { standingOf, termsDue, textIn } from "./terms-due.ts";

const inForce = new Map([
  ["mail-terms", { version: 2, texts: { en: "Mail costs.", de: "Post kostet." } }],
  ["bank-terms", { version: 1, texts: { en: "Bank.", "pt-BR": "Banco." } }],
]);
const mail = sampleItem("mail", { terms: "mail-terms" });
const push = sampleItem("push", { terms: "mail-terms" });
const bank = sampleItem("bank", { terms: "bank-terms" });
const free = sampleItem("free");

test("terms are asked for once, for all that needs them, in their newest version (260 figure 7B:732)", () => {
  const { due, unknown } = termsDue([mail, free, push, bank], inForce, [], "de-AT");
  assert.deepEqual(due, [
    { termsId: "mail-terms", version: 2, language: "de", text: "Post kostet.", neededBy: ["mail", "push"] },
    { termsId: "bank-terms", version: 1, language: "en", text: "Bank.", neededBy: ["bank"] },
  ]);
  assert.deepEqual(unknown, []);
});

test("a package's own terms are asked for beside those of its members", () => {
  const gold = samplePackage("gold", ["mail"], { terms: "bank-terms" });
  assert.deepEqual(
    termsDue([gold, mail], inForce, [], "en").due.map(({ termsId }) => termsId),
    ["bank-terms", "mail-terms"],
  );
});

test("who agreed to this version before is not asked again; an older version, or a no since, does not count", () => {
  const given = (version: number, answer: "accept" | "decline") => ({
    termsId: "mail-terms",
    version,
    answer,
  });
  const isAsked = (...answers: ReturnType<typeof given>[]): boolean =>
    termsDue([mail], inForce, answers, "en").due.length > 0;
  assert.equal(isAsked(given(2, "accept")), false);
  assert.equal(isAsked(given(1, "accept")), true);
  assert.equal(isAsked(given(2, "decline")), true);
  assert.equal(isAsked(given(2, "accept"), given(2, "decline")), true);
  assert.equal(isAsked(given(2, "decline"), given(2, "accept")), false);
  assert.equal(isAsked({ ...given(2, "accept"), termsId: "bank-terms" }), true);
});

test("terms that nobody wrote are told, not taken as agreed", () => {
  const odd = sampleItem("odd", { terms: "no-terms" });
  assert.deepEqual(termsDue([odd], inForce, [], "en"), { due: [], unknown: ["no-terms"] });
  assert.deepEqual(termsDue([mail], new Map([["mail-terms", { version: 1, texts: {} }]]), [], "en").unknown, [
    "mail-terms",
  ]);
});

test("a language gives way to the one it is a form of, to another form of it, and to English last", () => {
  const texts = { en: "e", de: "d", "pt-BR": "b", "zh-Hant-HK": "z" };
  for (const [asked, found] of [
    ["de", "de"],
    ["DE-ch", "de"],
    ["pt", "pt-BR"],
    ["pt-PT", "pt-BR"],
    ["zh-hant-hk", "zh-Hant-HK"],
    ["fr", "en"],
    ["", "en"],
    ["d", "en"],
  ] as const) {
    assert.equal(textIn(texts, asked)?.language, found, asked);
  }
  assert.equal(textIn({ de: "d" }, "fr"), undefined);
});

test("one no ends all, silence is no yes, and nothing to ask is agreed", () => {
  const [yes, no, open] = [{ answer: "accept" }, { answer: "decline" }, { answer: null }] as const;
  assert.equal(standingOf([yes, yes]), "accepted");
  assert.equal(standingOf([yes, open]), "open");
  assert.equal(standingOf([yes, no, open]), "declined");
  assert.equal(standingOf([]), "accepted");
});
