/** Which protocol a model gets its settings in. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Answer, LinkPush } from "./rows.ts";
import { linkPushOf, otherProtocolsOf, settingsProtocolOf } from "./settings-protocol.ts";

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

test("R30: beside its protocol a model takes the Nokia one where the data says so, then a text with a link; a modem has nobody who could open that", () => {
  const others = (nokiaOta: Answer, form: string | null, chosen: "omacp" | "nokiaota" | "link") =>
    otherProtocolsOf({ capability: { omaCp: "yes", nokiaOta }, form }, chosen);
  assert.deepEqual(others("yes", "phone", "omacp"), ["nokiaota", "link"]);
  assert.deepEqual(others("unknown", "phone", "omacp"), ["link"], "what is not known is not tried");
  assert.deepEqual(others("yes", "phone", "nokiaota"), ["link"]);
  assert.deepEqual(others("yes", "modem", "omacp"), ["nokiaota"]);
  assert.deepEqual(others("no", "modem", "omacp"), []);
  assert.deepEqual(others("yes", "phone", "link"), []);
});

test("a link goes by the push that the data names; of a modem, and where nothing is known, as a text", () => {
  const push = (linkPush: LinkPush, form: string | null = "phone") =>
    linkPushOf({ capability: { linkPush }, form });
  assert.deepEqual(
    (["si", "sl", "bookmark"] as const).map((one) => push(one)),
    ["si", "sl", "bookmark"],
  );
  assert.deepEqual([push("no"), push("unknown"), push("si", "modem")], [undefined, undefined, undefined]);
});
