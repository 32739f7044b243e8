/** What a subscriber's reply by text is taken for. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { readAnswer } from "./reply-text.ts";
import { DEFAULT_REQUEST_POLICY } from "./request-policy.ts";

const cases: readonly (readonly [text: string, read: ReturnType<typeof readAnswer>])[] = [
  ["YES 4821", { answer: "accept", code: "4821" }],
  ["4821 yes", { answer: "accept", code: "4821" }],
  ["  Ja, 0042!", { answer: "accept", code: "0042" }],
  ["no.4821", { answer: "decline", code: "4821" }],
  ["STOP", { answer: "decline", code: null }],
  ["sí 1234", { answer: "accept", code: "1234" }],
  ["si\u0301 1234", { answer: "accept", code: "1234" }],
  ["yes or no 4821", undefined],
  ["eyes 4821", undefined],
  ["4821", undefined],
  ["", undefined],
  ["yes 12", { answer: "accept", code: null }],
];
for (const [text, read] of cases) {
  test(`"${text}" is ${read ? `${read.answer} ${read.code ?? "of the only question"}` : "no answer"}`, () => {
    assert.deepEqual(readAnswer(text, DEFAULT_REQUEST_POLICY), read);
  });
}

test("an operator's own words count, whatever their case", () => {
  const policy = { acceptWords: ["Kyllä"], declineWords: ["Ei"] };
  assert.equal(readAnswer("KYLLÄ 4821", policy)?.answer, "accept");
  assert.equal(readAnswer("yes 4821", policy), undefined);
});
