/** Ed25519 keys of issuers as PEM and base64. */
import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { issuerKeyLines, issuerKeyOf } from "./issuer-key.ts";

/** RFC 8410 clause 10.1: the example of an Ed25519 public key. */
const RFC_8410 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

test("the example key of RFC 8410 reads the same as PEM and as base64, and its fingerprint is that of the same octets", () => {
  const octets = Buffer.from(RFC_8410, "base64");
  const key = issuerKeyOf("maker", createPublicKey({ key: octets, format: "der", type: "spki" }));
  assert.deepEqual(key, {
    issuer: "maker",
    algorithm: "Ed25519",
    spki: RFC_8410,
    pem: `-----BEGIN PUBLIC KEY-----\n${RFC_8410}\n-----END PUBLIC KEY-----\n`,
    fingerprint: createHash("sha256").update(octets).digest("base64"),
    raw: "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
  });
  const printed = issuerKeyLines(key).join("\n");
  for (const wanted of ["maker", RFC_8410, key.fingerprint, key.pem.trimEnd()])
    assert.ok(printed.includes(wanted));
});

test("of a private key its public half is told, and a key of another kind is refused", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  assert.deepEqual(issuerKeyOf("a", privateKey), issuerKeyOf("a", publicKey));
  const { publicKey: other } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.throws(() => issuerKeyOf("a", other), RangeError);
});
