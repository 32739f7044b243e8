/** Which protocol a model gets its settings in. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Answer } from "./rows.ts";
import { settingsProtocolOf } from "./settings-protocol.ts";

const protocol = (omaCp: Answer, nokiaOta: Answer, form: string | null = "phone") =>
  settingsProtocolOf({ capability: { omaCp, nokiaOta }, form }, "omacp");

test("a model gets settings in the protocol that the data names, OMA CP before the Nokia one", () => {
  assert.equal(protocol("yes", "yes"), "omacp");
  assert.equal(protocol("no", "yes"), "nokiaota");
  assert.equal(protocol("unknown", "yes"), "nokiaota");
  assert.equal(protocol("no", "no"), "link");
  assert.equal(protocol("no", "unknown"), "link");
});

test("of which nothing is known, the operator chooses; but a modem has nobody who could open a page or a message", () => {
  assert.equal(protocol("unknown", "no"), "omacp");
  assert.equal(
    settingsProtocolOf({ capability: { omaCp: "unknown", nokiaOta: "no" }, form: null }, "link"),
    "link",
  );
  assert.equal(protocol("unknown", "unknown", "modem"), "link");
});
