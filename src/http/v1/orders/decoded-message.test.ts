/** Messages of an order as they are shown: decoded, and without what is nobody's business. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { decodedMessage } from "./decoded-message.ts";

test("what a notice said is shown to nobody, and that is told in words, whoever asks and however it went", () => {
  for (const protocol of ["notice", "text"]) {
    const notice = { kind: "notice", protocol, sec: null, payload: new Uint8Array(0), reference: 7 };
    for (const seesSecrets of [true, false]) {
      assert.deepEqual(decodedMessage(notice, seesSecrets), {
        hex: null,
        wsp: null,
        bodies: [],
        parts: [],
        problem: "a notice is shown to its subscriber alone",
      });
    }
  }
});
