import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { newCode, questionOf, readReply } from "./read-reply.ts";

const replies: [string, "accept" | "decline", string | null][] = [
  ["YES 4821", "accept", "4821"],
  ["yes", "accept", null],
  ["  Yes.\n", "accept", null],
  ["4821 yes", "accept", "4821"],
  ["JA 4821!", "accept", "4821"],
  ["oui", "accept", null],
  ["Sí 4821", "accept", "4821"],
  ["SI", "accept", null],
  ["sim", "accept", null],
  ["да 4821", "accept", "4821"],
  ["ναι", "accept", null],
  ["はい", "accept", null],
  ["نعم 4821", "accept", "4821"],
  ["1", "accept", null],
  ["1 4821", "accept", "4821"],
  ["YES-4821", "accept", "4821"],
  ["\u201cYES\u201d 4821", "accept", "4821"],
  ["ＹＥＳ ４８２１", "accept", "4821"],
  ["NO 4821", "decline", "4821"],
  ["nein", "decline", null],
  ["Não 4821", "decline", "4821"],
  ["όχι", "decline", null],
  ["nej", "decline", null],
  ["STOP", "decline", null],
  ["2 4821", "decline", "4821"],
];
for (const [text, answer, code] of replies) {
  test(`"${text.trim()}" is ${answer}${code ? ` to ${code}` : ""}`, () =>
    assert.deepEqual(readReply(text), { answer, code }));
}

for (const text of [
  "",
  "   ",
  "4821",
  "yes no",
  "yes yes",
  "yes 4821 4822",
  "yes please",
  "yesno",
  "12",
  "3 4821",
  "YES 48210",
  "YES 482",
  "I said no, did I not",
  "y".repeat(161),
  "yes\0no",
  "__proto__",
  "constructor",
]) {
  test(`"${text.slice(0, 24)}" is no plain answer, so nothing follows from it`, () =>
    assert.equal(readReply(text), undefined));
}

test("an operator's own words count beside ours; one that would then mean both means nothing", () => {
  const own = { accept: ["Jawohl", "no"], decline: ["nope"] };
  assert.equal(readReply("JAWOHL 4821", own)?.answer, "accept");
  assert.equal(readReply("no", own), undefined);
  assert.equal(readReply("Nope", own)?.answer, "decline");
});

const words = [
  "yes",
  "ok",
  "ja",
  "oui",
  "si",
  "sim",
  "tak",
  "ano",
  "áno",
  "igen",
  "da",
  "kyllä",
  "evet",
  "nai",
  "да",
  "так",
  "是",
  "예",
];
const noes = [
  "no",
  "stop",
  "nein",
  "nee",
  "nej",
  "nei",
  "non",
  "não",
  "nie",
  "ne",
  "nem",
  "nu",
  "ei",
  "hayır",
  "oxi",
  "нет",
  "ні",
  "否",
];
test("no word means yes in one language and no in another, whatever its letter case", () => {
  for (const [list, answer] of [
    [words, "accept"],
    [noes, "decline"],
  ] as const) {
    for (const word of list) {
      for (const text of [word, word.toUpperCase(), word.normalize("NFD")])
        assert.equal(readReply(text)?.answer, answer, text);
    }
  }
});

test("a reply goes to the question it names; without a name, to the only one that is open", () => {
  const [one, other] = [{ code: "4821" }, { code: "1177" }];
  const yes = (code: string | null) => ({ answer: "accept", code }) as const;
  assert.equal(questionOf(yes("1177"), [one, other]), other);
  assert.equal(questionOf(yes(null), [one]), one);
  assert.equal(questionOf(yes(null), [one, other]), undefined, "which of two is not guessed");
  assert.equal(questionOf(yes("9999"), [one]), undefined, "a wrong number answers nothing");
  assert.equal(questionOf(yes(null), []), undefined);
  assert.equal(questionOf(yes("4821"), [one, { code: "4821" }]), undefined);
});

test("a code has four digits, does not begin with 0, and is none of those that are open", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 2 }), (random) => {
      const code = newCode(random, []);
      assert.match(code, /^[1-9]\d{3}$/);
      const next = newCode(random, [code]);
      assert.match(next, /^[1-9]\d{3}$/);
      assert.notEqual(next, code);
      assert.deepEqual(readReply(`YES ${code}`), { answer: "accept", code });
    }),
  );
  assert.equal(newCode(Uint8Array.of(0x23, 0x27), ["9999"]), "1000", "after the last comes the first");
  assert.throws(() => newCode(Uint8Array.of(1), []), RangeError);
});
