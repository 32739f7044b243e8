/** Keys that the reference maker makes for handsets that nobody knows yet, and for a model alone. */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { test } from "vitest";
import { bindDeviceKey, binderOf, verifyDeviceKey } from "../wire/message/device-key.ts";
import { decodeDeviceKey } from "../wire/message/device-key-form.ts";
import { createKeyServer } from "./key-server.ts";
import type { MakerClient } from "./policy.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const IMEI = "356938035643809";
const OTHER = "356938035643817";
const signing = generateKeyPairSync("ed25519");
const operator = generateKeyPairSync("ed25519");
const binder = Buffer.from(binderOf(operator.publicKey)).toString("hex");
const client: MakerClient = { id: "one", feeMinor: 300, portionBasisPoints: 5_000, currency: "EUR" };
const makerWith = (more: { readonly allowModelOnly?: boolean } = {}) =>
  createKeyServer(
    {
      issuer: "keys.acme",
      signingKey: signing.privateKey,
      indexSecret: new Uint8Array(32),
      clients: [client],
      makes: ["Acme"],
      modelOf: (tac) => (tac === IMEI.slice(0, 8) ? { make: "Acme", model: "One" } : undefined),
      offerOf: (network) =>
        network?.mnc === "99"
          ? undefined
          : { accessPoints: [{ apn: "acme", use: "maker", authType: "none" }], hosts: ["app.acme.example"] },
      deleteAfterUse: true,
      validityMs: 86_400_000,
      ...more,
    },
    (octets) => Uint8Array.from(randomBytes(octets)),
  );
const verdict = (key: Uint8Array, imei: string): string => {
  const found = verifyDeviceKey(key, () => signing.publicKey, imei, NOW);
  return found.kind === "valid" ? "valid" : found.reason;
};
const wanted = { batchId: "b-1", make: "Acme", count: 3, binder };

test("a batch is so many keys, each to be bound by whom the request names; asked for again it is the same", () => {
  const maker = makerWith();
  const { answer, events } = maker.issueBatch(client, wanted, NOW);
  assert.ok("keys" in answer);
  assert.equal(events.length, 3);
  const [first, second] = answer.keys;
  assert.ok(first && second);
  assert.equal(
    new Set(answer.keys.map((key) => Buffer.from(decodeDeviceKey(key).keyId).toString("hex"))).size,
    3,
  );
  assert.equal(verdict(first, IMEI), "foreign_key", "nobody's before it is bound");
  const bound = bindDeviceKey(first, IMEI, operator.privateKey);
  assert.deepEqual([verdict(bound, IMEI), verdict(bound, OTHER)], ["valid", "foreign_key"]);
  const again = maker.issueBatch(client, wanted, NOW);
  assert.deepEqual([again.answer, again.events], [answer, []]);
  assert.equal(maker.issuedKeys(client, undefined, 10).entries.length, 3, "they stand in its books");
  const some = maker.issueBatch(client, { ...wanted, batchId: "b-2", models: ["Acme/Two*"] }, NOW).answer;
  assert.deepEqual("keys" in some && some.models, ["Acme/Two*"], "what it is for goes along");
});

test("another make, and a network without an agreement, get no batch; a longer one adds what is missing", () => {
  const maker = makerWith();
  const refusalOf = (more: object) => {
    const { answer } = maker.issueBatch(client, { ...wanted, ...more }, NOW);
    return "code" in answer ? answer.code : "given";
  };
  assert.equal(refusalOf({ make: "Bolt" }), "not_our_make");
  assert.equal(refusalOf({ network: { mcc: "262", mnc: "99" } }), "no_agreement");
  assert.equal(maker.size(), 0);
  assert.equal(refusalOf({}), "given");
  assert.equal(refusalOf({ count: 5 }), "given");
  assert.equal(maker.size(), 5);
});

test("a key for a model alone is still one handset's: who asked binds it, and a model of another maker's takes none", () => {
  const model = { make: "Acme", model: "One", tac: IMEI.slice(0, 8) };
  const ask = (maker: ReturnType<typeof makerWith>) =>
    maker.issue(client, [{ requestId: "r", model, binder, deleteAfterUse: false }], NOW).answer[0];
  const refused = ask(makerWith());
  assert.equal(refused && "refused" in refused ? refused.refused.code : "", "unique_id_required");
  const given = ask(makerWith({ allowModelOnly: true }));
  assert.ok(given && "key" in given);
  const bound = bindDeviceKey(given.key, IMEI, operator.privateKey);
  assert.deepEqual(
    [verdict(given.key, IMEI), verdict(bound, IMEI), verdict(bound, OTHER)],
    ["foreign_key", "valid", "foreign_key"],
  );
  assert.equal(
    decodeDeviceKey(given.key).script.deleteAfterUse,
    false,
    "it is to stay, as the operator asked",
  );
});
