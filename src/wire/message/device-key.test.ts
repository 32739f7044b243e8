/** Device keys: signed octets both ways, binding, size. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { DecodeError } from "../decode-error.ts";
import { bindDeviceKey, binderOf, bindingOf, signDeviceKey, verifyDeviceKey } from "./device-key.ts";
import { type DeviceKeyBody, decodeDeviceKey, encodeDeviceKey } from "./device-key-form.ts";

const maker = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const IMEI_A = "356938035643809";
const IMEI_B = "356938035643817";
const keyId = new Uint8Array(16).fill(7);
const confirmSecret = new Uint8Array(16).fill(9);
const now = new Date("2026-03-01T12:00:00Z");
const publicKeyOf = (issuer: string) => (issuer === "maker-one" ? maker.publicKey : undefined);

const body: DeviceKeyBody = {
  keyId,
  issuer: "maker-one",
  boundTo: "handset",
  binding: bindingOf(confirmSecret, keyId, IMEI_A),
  confirmSecret,
  notBefore: new Date("2026-02-28T12:00:00Z"),
  notAfter: new Date("2026-04-01T12:00:00Z"),
  script: { openSession: true, insertAccessPoints: true, closeSession: true, deleteAfterUse: true },
  hosts: ["mms.maker-one.example"],
  accessPoints: [
    {
      apn: "mms.maker-one",
      use: "mms",
      authType: "pap",
      user: "device",
      password: "device",
      mmsc: "http://mms.maker-one.example/",
    },
  ],
};
const bytes = signDeviceKey(body, maker.privateKey);

test("a key with one access point fits two SMS, and does not hold the IMEI", () => {
  const pushHeader = 3 + "application/vnd.turnup.device-key\0".length;
  assert.ok(pushHeader + bytes.length <= 2 * 127, `${bytes.length} octets`);
  const digits = Buffer.from(bytes).toString("latin1") + Buffer.from(bytes).toString("hex");
  assert.ok(!digits.includes("35643809") && !digits.includes("3569380356438"));
});

test("a key decodes to what was signed, and encodes back to the same octets", () => {
  const { signature, ...decoded } = decodeDeviceKey(bytes);
  assert.deepEqual(decoded, body);
  assert.deepEqual(encodeDeviceKey({ ...decoded, signature }), bytes);
});

test("the handset that the key names takes it, whether it knows its IMEI with 14, 15 or 16 digits", () => {
  for (const imei of [IMEI_A.slice(0, 14), IMEI_A, `${IMEI_A.slice(0, 14)}78`])
    assert.equal(verifyDeviceKey(bytes, publicKeyOf, imei, now).kind, "valid");
});

const refusals: [string, Parameters<typeof verifyDeviceKey>, string][] = [
  ["another handset", [bytes, publicKeyOf, IMEI_B, now], "foreign_key"],
  ["a handset that does not trust the issuer", [bytes, () => undefined, IMEI_A, now], "unknown_issuer"],
  ["one that trusts another key", [bytes, () => stranger.publicKey, IMEI_A, now], "bad_signature"],
  ["one before its time", [bytes, publicKeyOf, IMEI_A, new Date("2026-02-01T00:00:00Z")], "not_yet_valid"],
  ["one after its time", [bytes, publicKeyOf, IMEI_A, new Date("2026-05-01T00:00:00Z")], "expired"],
  ["one that got half of it", [bytes.slice(0, 90), publicKeyOf, IMEI_A, now], "malformed"],
];
for (const [who, given, reason] of refusals) {
  test(`a key is refused by ${who}: ${reason}`, () => {
    const verdict = verifyDeviceKey(...given);
    assert.ok(verdict.kind === "refused");
    assert.equal(verdict.reason, reason);
  });
}

test("one bit changed anywhere is never taken", () => {
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at] = changed[at]! ^ (1 << (at % 8));
    assert.equal(verifyDeviceKey(changed, publicKeyOf, IMEI_A, now).kind, "refused", `octet ${at}`);
  }
});

test("a key cut short anywhere is refused with an offset inside it", () => {
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.throws(
      () => decodeDeviceKey(bytes.subarray(0, cut)),
      (error) => error instanceof DecodeError && error.offset >= 0 && error.offset <= cut,
    );
  }
});

test("octets that decode encode to what decodes to the same, and no others crash the decoder", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
      const mutated = Uint8Array.from(bytes);
      for (const [at, octet] of changes) mutated[at] = octet;
      try {
        // A field of a later release is skipped, so the octets may be fewer than those that came.
        const key = decodeDeviceKey(mutated);
        assert.deepEqual(decodeDeviceKey(encodeDeviceKey(key)), key);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test("a key without an access point, or with five, cannot be made", () => {
  const [point] = body.accessPoints;
  assert.throws(() => signDeviceKey({ ...body, accessPoints: [] }, maker.privateKey), RangeError);
  assert.throws(
    () => signDeviceKey({ ...body, accessPoints: Array(5).fill(point) }, maker.privateKey),
    RangeError,
  );
});

test("a key bound to a model is taken by any handset of it, and by none of another", () => {
  const binding = bindingOf(confirmSecret, keyId, IMEI_A.slice(0, 8), "model");
  const modelKey = signDeviceKey({ ...body, boundTo: "model", binding }, maker.privateKey);
  assert.equal(verifyDeviceKey(modelKey, publicKeyOf, IMEI_B, now).kind, "valid");
  const verdict = verifyDeviceKey(modelKey, publicKeyOf, "990000862471854", now);
  assert.ok(verdict.kind === "refused" && verdict.reason === "foreign_key");
});

const operator = generateKeyPairSync("ed25519");
const { binding: _binding, boundTo: _boundTo, ...unbound } = body;
const beforehand = (more: Partial<DeviceKeyBody> = {}): Uint8Array =>
  signDeviceKey(
    {
      ...unbound,
      boundTo: "none",
      binding: new Uint8Array(8),
      binder: binderOf(operator.publicKey),
      ...more,
    },
    maker.privateKey,
  );
const reasonOf = (key: Uint8Array, imei: string | null = IMEI_A): string => {
  const verdict = verifyDeviceKey(key, publicKeyOf, imei, now);
  return verdict.kind === "valid" ? "valid" : verdict.reason;
};

test("a key that was made beforehand is one handset's once its binder bound it, and before that nobody's (R131)", () => {
  const stock = beforehand();
  const bound = bindDeviceKey(stock, IMEI_A, operator.privateKey);
  assert.deepEqual([reasonOf(stock), reasonOf(stock, null)], ["foreign_key", "valid"]);
  assert.deepEqual([reasonOf(bound), reasonOf(bound, IMEI_B)], ["valid", "foreign_key"]);
  assert.deepEqual(bindDeviceKey(stock, IMEI_A, operator.privateKey), bound);
  assert.deepEqual(encodeDeviceKey(decodeDeviceKey(bound)), bound);
  assert.deepEqual(encodeDeviceKey(decodeDeviceKey(stock)), stock);
  const inner = bound.subarray(10, bound.length - 64);
  assert.deepEqual(Buffer.from(inner), Buffer.from(stock), "the maker's octets travel unchanged");
});

test("nobody but whom its maker named binds a key, and nobody binds it twice", () => {
  const bound = bindDeviceKey(beforehand(), IMEI_A, operator.privateKey);
  assert.throws(() => bindDeviceKey(beforehand(), IMEI_B, stranger.privateKey), RangeError);
  assert.throws(() => bindDeviceKey(bound, IMEI_B, operator.privateKey), RangeError);
  assert.throws(() => bindDeviceKey(bytes, IMEI_B, operator.privateKey), RangeError);
  // Another handset's binding around the same key, under a signature of somebody else.
  const forged = Uint8Array.from(bound);
  forged.set(bindingOf(confirmSecret, keyId, IMEI_B), 2);
  assert.equal(reasonOf(forged, IMEI_B), "bad_signature");
  const otherBinder = beforehand({ binder: binderOf(stranger.publicKey) });
  const stolen = Uint8Array.from(bindDeviceKey(otherBinder, IMEI_B, stranger.privateKey));
  stolen.set(beforehand(), 10);
  assert.equal(reasonOf(stolen, IMEI_B), "bad_signature");
});

test("a key made for a model and bound to one of its handsets is no other's, nor of another model's", () => {
  const forModel = beforehand({
    boundTo: "model",
    binding: bindingOf(confirmSecret, keyId, IMEI_A, "model"),
  });
  assert.equal(reasonOf(forModel), "foreign_key");
  const bound = bindDeviceKey(forModel, IMEI_A, operator.privateKey);
  assert.deepEqual([reasonOf(bound), reasonOf(bound, IMEI_B)], ["valid", "foreign_key"]);
  const otherModel = "867723051234560";
  const misled = bindDeviceKey(forModel, otherModel, operator.privateKey);
  assert.equal(reasonOf(misled, otherModel), "foreign_key");
});

test("a key that is to be bound, cut short anywhere, is refused, and one that says two things of it too", () => {
  const bound = bindDeviceKey(beforehand(), IMEI_A, operator.privateKey);
  for (let cut = 0; cut < bound.length; cut++)
    assert.throws(() => decodeDeviceKey(bound.subarray(0, cut)), DecodeError, `cut at ${cut}`);
  const unsaid = beforehand();
  const script = 2 + 16 + 8 + 16 + 8;
  unsaid[script] = (unsaid[script] ?? 0) & ~0x20;
  assert.throws(() => decodeDeviceKey(unsaid), /a binder without its bit/);
  assert.throws(() => beforehand({ boundTo: "handset" }), RangeError);
  assert.throws(() => signDeviceKey({ ...body, boundTo: "none" }, maker.privateKey), RangeError);
});
