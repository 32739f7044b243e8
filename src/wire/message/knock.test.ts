/** A knock, both ways, and what is refused. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { hexOf } from "../hex.ts";
import { decodeKnock, encodeKnock } from "./knock.ts";

const KNOCK = {
  server: "games.example:8445",
  reference: "7HK2MQ9T",
  itemId: "0199f0aa-0000-7000-8000-000000000002",
};

test("a knock has the octets of its format, and is read as it was written", () => {
  const bytes = encodeKnock(KNOCK);
  assert.equal(
    hexOf(bytes),
    `4b01${hexOf(Buffer.from("7HK2MQ9T"))}100199f0aa00007000800000000000000212${hexOf(Buffer.from("games.example:8445"))}`,
  );
  assert.deepEqual(decodeKnock(bytes), KNOCK);
});

test("a knock that is cut anywhere, longer, or of another form is refused", () => {
  const bytes = encodeKnock(KNOCK);
  for (let cut = 0; cut < bytes.length; cut++)
    assert.throws(() => decodeKnock(bytes.slice(0, cut)), { name: "DecodeError" }, `cut at ${cut}`);
  assert.throws(() => decodeKnock(Uint8Array.of(...bytes, 0)), /octets after/);
  assert.throws(() => decodeKnock(Uint8Array.of(0x4e, ...bytes.slice(1))), /no knock/);
  for (const server of ["games.example", "games.example:8445/d/start", "a b:1", ":8445"])
    assert.throws(() => encodeKnock({ ...KNOCK, server }), RangeError, server);
});
