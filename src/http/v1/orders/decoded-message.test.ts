/** Messages of an order as they are shown: decoded, and without what is nobody's business. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { composeNokiaBookmark, composeSi, composeSl } from "../../../kernel/payload/compose.ts";
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

test("a link that went by push or as a bookmark is a credential: it is shown to an administrator alone", () => {
  const href = "https://s.example/s/tokentokentoken";
  const at = new Date("2026-05-04T08:00:00Z");
  const link = { text: `Meridian: ${href}`, href, operator: "Meridian", createdAt: at, expiresAt: at };
  for (const [protocol, payload] of [
    ["si", composeSi(link)],
    ["sl", composeSl(link)],
    ["nokiaota", composeNokiaBookmark(link)],
  ] as const) {
    const message = { kind: "link", protocol, sec: null, partOctets: null, payload, reference: 1 } as const;
    assert.ok(!JSON.stringify(decodedMessage(message, false)).includes("tokentokentoken"), protocol);
    assert.ok(JSON.stringify(decodedMessage(message, true)).includes("tokentokentoken"), protocol);
  }
});
