/** Which addresses are voice platforms, and whose callers they bring. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { voicePlatformFinder } from "./voice-platforms.ts";

const operator = { id: "o", name: "Meridian", care: { phone: null, url: null } };
const operators = { at: async () => operator };

test("a voice platform is known by its address alone, however a socket writes it", async () => {
  const find = voicePlatformFinder({ voicePlatforms: "192.0.2.7, 2001:db8::7" }, operators);
  const wanted = { operatorId: "o", name: "voice platform" };
  for (const address of ["192.0.2.7", "::ffff:192.0.2.7", "2001:DB8::7"])
    assert.deepEqual(await find(address), wanted, address);
  for (const address of ["192.0.2.8", "", "192.0.2.70"])
    assert.equal(await find(address), undefined, address);
});

test("where none is named, or no operator is this portal's, nobody comes without a token", async () => {
  assert.equal(await voicePlatformFinder({ voicePlatforms: undefined }, operators)("127.0.0.1"), undefined);
  const ownerless = voicePlatformFinder({ voicePlatforms: "127.0.0.1" }, { at: async () => undefined });
  assert.equal(await ownerless("127.0.0.1"), undefined);
});

test("what is no address is refused before the server starts", () => {
  assert.throws(() => voicePlatformFinder({ voicePlatforms: "ivr.example" }, operators), {
    code: "config_invalid",
  });
});
