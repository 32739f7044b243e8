/** Tokens of the API: their shape, their hash, and for how long they are good. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { admit, hashToken, isTokenShaped, type TokenRecord, tokenOf } from "./token.ts";

const now = new Date("2026-03-01T12:00:00Z");
const later = new Date(now.getTime() + 1);
const record: TokenRecord = {
  id: "t",
  operatorId: "o",
  role: "care",
  make: null,
  label: "desk 4",
  person: null,
  vouchedBy: [],
  expiresAt: null,
  revokedAt: null,
};

test("a token is its prefix and 256 bits, and hashes to 32 octets that do not show it", () => {
  const token = tokenOf(new Uint8Array(32).fill(0xfb));
  assert.equal(token, `tup_${"-_v7".repeat(10)}-_s`);
  assert.ok(isTokenShaped(token));
  assert.equal(hashToken(token).length, 32);
  assert.throws(() => tokenOf(new Uint8Array(31)), RangeError);
});

for (const text of [
  "",
  "tup_",
  `tup_${"a".repeat(42)}`,
  `tup_${"a".repeat(44)}`,
  `tub_${"a".repeat(43)}`,
  `tup_${"a".repeat(42)}=`,
]) {
  test(`"${text}" has not the shape of a token, so nobody looks it up`, () =>
    assert.ok(!isTokenShaped(text)));
}

test("a good token names its bearer; it is good until the moment it expires or is revoked", () => {
  const bearer = { tokenId: "t", operatorId: "o", role: "care", label: "desk 4", vouchedBy: [] };
  assert.deepEqual(admit(record, now), bearer);
  assert.deepEqual(admit({ ...record, person: "Ada", vouchedBy: ["Bob"] }, now), {
    ...bearer,
    person: "Ada",
    vouchedBy: ["Bob"],
  });
  assert.equal(admit({ ...record, expiresAt: later }, now).tokenId, "t");
  assert.equal(admit({ ...record, revokedAt: later }, now).tokenId, "t");
});

const refusals: [string, TokenRecord | undefined, string][] = [
  ["an unknown one", undefined, "token_unknown"],
  ["one that expires now", { ...record, expiresAt: now }, "token_expired"],
  ["one that was revoked now", { ...record, revokedAt: now }, "token_revoked"],
  ["one revoked and expired", { ...record, expiresAt: now, revokedAt: now }, "token_revoked"],
];
for (const [name, given, code] of refusals) {
  test(`${name} is refused as ${code}, with what to do`, () => {
    assert.throws(
      () => admit(given, now),
      (error: { code: string; nextStep?: string }) => error.code === code && error.nextStep !== undefined,
    );
  });
}
