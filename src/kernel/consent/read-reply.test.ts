/** Replies by text: what is a plain yes or no, and what is neither. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { codesIn, newCode, questionOf, readReply, unreadableWords } from "./read-reply.ts";

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
  ["cancel 4821", "decline", "4821"],
  ["4821 Cancel", "decline", "4821"],
  ["Yes4821", "accept", "4821"],
  ["نعم ٤٨٢١", "accept", "4821"],
  ["\u200fכן 4821", "accept", "4821"],
  ["YES 4821 👍🏽", "accept", "4821"],
  ["Ja 4821 :-)", "accept", "4821"],
  ["ＹＥＳ！ 4821", "accept", "4821"],
  ["NO 4821 😡", "decline", "4821"],
  ["Nein!!! 4821...", "decline", "4821"],
  ["YES \u2764\ufe0f 4821", "accept", "4821"],
  ["NO \u2757\ufe0f 4821", "decline", "4821"],
  ["1\ufe0f\u20e3 4821", "accept", "4821"],
  ["sì 4821", "accept", "4821"],
  ["si' 4821", "accept", "4821"],
  ["¡Sí! 4821", "accept", "4821"],
  ["kyllä 4821", "accept", "4821"],
  ["ναί 4821", "accept", "4821"],
  ["YES: (4821)", "accept", "4821"],
  ["YES\u200b 4821", "accept", "4821"],
  ["jā 4821", "accept", "4821"],
  ["YES ૪૮૨૧", "accept", "4821"],
  ["nö 4821", "decline", "4821"],
  ["YES ৪৮২১", "accept", "4821"],
  ["YES ੪੮੨੧", "accept", "4821"],
  ["YES ၄၈၂၁", "accept", "4821"],
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
  // Negated.
  "not ok 4821",
  "never said yes",
  "Nicht ja sagen 4821",
  "not yes 4821",
  "don't accept 4821",
  "no ok 4821",
  "non oui 4821",
  "kein ja 4821",
  "nicht einverstanden 4821",
  "ne pas accepter, oui? 4821",
  "Y\u0336E\u0336S\u0336 4821",
  "~YES~ 4821",
  "¬YES 4821",
  // Asked, or under a condition.
  "Is it ok to pay later? 4821",
  "yes? 4821",
  "4821 ja?",
  "¿si? 4821",
  "ναι; 4821",
  "نعم؟ 4821",
  "はい？ 4821",
  "YES⁈ 4821",
  "yes if it is free 4821",
  "ja aber nur heute 4821",
  "ok later 4821",
  "yes... 4821",
  "ok… 4821",
  // Our own words, and others'.
  "Reply YES 4821 to agree or NO 4821 to decline.",
  "Antworten Sie JA 4821 oder NEIN 4821.",
  "> YES 4821",
  "Liked \u201cReply YES 4821 to agree\u201d",
  "YES or NO 4821",
  "JA/NEIN 4821",
  "1/2 4821",
  "1 2 4821",
  "YES 4821\nNO 4821",
  "YES 4821, NO 1177",
  // Signs that say the opposite, or nothing that is sure.
  "YES 4821 👎",
  "YES ❌ 4821",
  "ok 🤔 4821",
  "YES 4821 :-(",
  "NO 👍 4821",
  "👍 4821",
  "👍",
  "eyes 4821",
  "Yesterday 4821",
  "y".repeat(161),
  // A frown or a wink that stands close to its word, or looks the other way.
  "YES:( 4821",
  "ok;) 4821",
  "YES ;-) 4821",
  "YES ): 4821",
  "ja：（ 4821",
  // Hesitation has other dots than three.
  "yes\u2025 4821",
  "はい。。。 4821",
  "yes,,, 4821",
  "نعم،، 4821",
  // What programs and forums write: not so, minus one, a box that nobody ticked, a number's sign, a decimal number.
  "!YES 4821",
  "-1 4821",
  "\u22121 4821",
  "[ ] YES 4821",
  "\u2610 YES 4821",
  "\u2116 4821",
  "Nº 4821",
  "n° 4821",
  "1.4821",
  "2,4821",
  // Another word by its accent: a year, already, gives.
  "año 4821",
  "já 4821",
  "dá 4821",
  "jó 4821",
  // No in Albanian.
  "jo 4821",
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
  assert.equal(readReply("not Jawohl 4821", own), undefined, "plain or nothing, as for ours");
});

test("a word that says no, or something else, in another language counts in its own language alone", () => {
  const [tak, nai, igen] = ["tak 4821", "nai 4821", "igen 4821"];
  const read = (text: string, language: string) => readReply(text, { accept: [], decline: [], language });
  for (const [text, own] of [
    [tak, "pl"],
    [tak, "pl-PL"],
    [nai, "el"],
    [igen, "hu"],
  ] as const)
    assert.equal(read(text, own)?.answer, "accept", `${text} in ${own}`);
  // Thanks in Danish; not in Malay; no in Alemannic German and in Hindi; again in Swedish.
  for (const [text, other] of [
    [tak, "da"],
    [tak, "ms"],
    [tak, "en"],
    [nai, "de-CH"],
    [nai, "hi"],
    [igen, "sv"],
  ] as const)
    assert.equal(read(text, other), undefined, `${text} in ${other}`);
  assert.equal(read("ναι 4821", "en")?.answer, "accept", "its own letters leave no doubt");
  assert.equal(readReply("tak", { accept: ["TAK"], decline: [], language: "en" })?.answer, "accept");
  assert.equal(read("ok; 4821", "el"), undefined, "a question mark, whatever the letters");
});

test("own words that could never be read are named: on both sides, ours of the other side, or a question's number", () => {
  assert.deepEqual(unreadableWords({ accept: ["jawoll", "oui"], decline: ["nö"] }), []);
  assert.deepEqual(unreadableWords({ accept: ["No", "sure"], decline: ["SURE", "ja"] }), [
    "No",
    "sure",
    "SURE",
    "ja",
  ]);
  assert.deepEqual(unreadableWords({ accept: ["4821", "2", "yes4821"], decline: ["1"] }), [
    "4821",
    "2",
    "yes4821",
    "1",
  ]);
  assert.deepEqual(
    unreadableWords({ accept: ["start", "BAJA", "End", "sure"], decline: ["Start", "parar", "quit"] }),
    ["start", "BAJA", "End", "Start"],
    "STOP and START are heard before any answer",
  );
});

test("numbers of questions are found in whatever a text says", () => {
  assert.deepEqual(codesIn("Is it ok to pay 12345 later? 4821"), ["4821"]);
  assert.deepEqual(codesIn("YES 4821 or 1177"), ["4821", "1177"]);
  assert.deepEqual(codesIn("yes"), []);
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
    { seed: SEED },
  );
  assert.equal(newCode(Uint8Array.of(0x23, 0x27), ["9999"]), "1000", "after the last comes the first");
  assert.throws(() => newCode(Uint8Array.of(1), []), RangeError);
});
