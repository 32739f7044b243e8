/** Whether a key is good for a handset: signer, binding, time. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { IMEI, maker, makerKey } from "../../../test/fixture/order-engine.ts";
import { signDeviceKey, verifyDeviceKey } from "../../wire/message/device-key.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { checkMakerKey } from "./check-key.ts";
import { issueOwnKey } from "./own-key.ts";

const NOW = new Date("2026-05-04T08:00:00Z");
const DAY_MS = 86_400_000;
const OTHER_IMEI = "490154203237518";
const good = makerKey("one", { now: NOW.getTime() });
const check = (bytes: Uint8Array, imei = IMEI, now = NOW) =>
  checkMakerKey(bytes, {
    publicKeyOf: (issuer) => (issuer === "keys.maker" ? maker.publicKey : undefined),
    imei,
    now,
  });
const causeOf = (checked: ReturnType<typeof check>) =>
  checked.kind === "wrong" ? checked.cause : checked.kind;

test("a maker's key is good for the handset that it was made for, and wrong for every other reason by name", () => {
  const stranger = generateKeyPairSync("ed25519");
  const body = decodeDeviceKey(good);
  const changed = Uint8Array.from(good);
  changed[40]! ^= 1;
  assert.equal(causeOf(check(good)), "good");
  assert.equal(causeOf(check(good, OTHER_IMEI)), "key_foreign_key");
  assert.equal(causeOf(check(good.subarray(0, 60))), "key_malformed");
  assert.equal(causeOf(check(signDeviceKey(body, stranger.privateKey))), "key_bad_signature");
  assert.equal(
    causeOf(check(signDeviceKey({ ...body, issuer: "nobody" }, maker.privateKey))),
    "key_unknown_issuer",
  );
  assert.equal(causeOf(check(good, IMEI, new Date(NOW.getTime() - 2 * DAY_MS))), "key_not_yet_valid");
  assert.equal(causeOf(check(good, IMEI, new Date(NOW.getTime() + 5_000 * DAY_MS))), "key_expired");
  assert.notEqual(causeOf(check(changed)), "good");
});

test("an own key runs on its handset alone, for a year, and differs for two handsets", () => {
  const own = generateKeyPairSync("ed25519");
  const issue = (imei: string, octet: number) =>
    issueOwnKey({
      imei,
      keyId: new Uint8Array(16).fill(octet),
      confirmSecret: new Uint8Array(16).fill(octet + 1),
      accessPoints: [{ apn: "own.maker", use: "maker", authType: "none" }],
      hosts: ["app.example"],
      deleteAfterUse: true,
      issuer: "own.turnup",
      privateKey: own.privateKey,
      now: NOW,
    });
  const [one, other] = [issue(IMEI, 1), issue(OTHER_IMEI, 3)];
  const verdict = (bytes: Uint8Array, imei: string, days = 0) =>
    verifyDeviceKey(bytes, () => own.publicKey, imei, new Date(NOW.getTime() + days * DAY_MS)).kind;
  assert.deepEqual([verdict(one.bytes, IMEI), verdict(one.bytes, OTHER_IMEI)], ["valid", "refused"]);
  assert.deepEqual(
    [verdict(one.bytes, IMEI, -0.9), verdict(one.bytes, IMEI, 364), verdict(one.bytes, IMEI, 366)],
    ["valid", "valid", "refused"],
  );
  assert.notDeepEqual(one.bytes, other.bytes);
});
