/** What a POST says: where it says two things it says nothing. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { FORM_TYPE } from "../proxy/forms.ts";
import { readPosted } from "./body.ts";

const form = (text: string) => readPosted(FORM_TYPE, Buffer.from(text)).texts;

test("a form that says yes and no in one field is refused, in either order", () => {
  for (const text of [
    "answer=accept&answer=decline",
    "answer=decline&answer=accept",
    "a=1&answer=accept&a=2",
  ])
    assert.throws(() => form(text), { code: "body_malformed" }, text);
  assert.deepEqual(
    [...form("answer=accept&state=x&answer=accept")],
    [
      ["answer", "accept"],
      ["state", "x"],
    ],
  );
});

test("of JSON only texts are texts: a number, true or a list is no answer", () => {
  const { texts } = readPosted(
    "application/json",
    Buffer.from('{"answer": true, "choice": ["retransmit"], "x": "y"}'),
  );
  assert.deepEqual([...texts], [["x", "y"]]);
});
