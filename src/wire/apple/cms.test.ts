/**
 * Signed profiles as the explorer tells them. The vector is by OpenSSL 3.0 (`cms -sign -stream -binary -nodetach`, RSA): BER of
 * indefinite lengths, its content in pieces.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { DecodeError } from "../decode-error.ts";
import { explore } from "../explore/explore.ts";
import { decodeSignedProfile } from "./cms.ts";

const BASE64 = readFileSync(
  join(import.meta.dirname, "../../../test/vector/data/apple/signed-by-openssl.ber.b64"),
  "utf8",
);
const SIGNED = Uint8Array.from(Buffer.from(BASE64, "base64"));
const codes = (bytes: Uint8Array): string[] =>
  explore(bytes).messages.flatMap(({ findings }) => findings.map(({ code }) => code));

test("a signed profile: who signed, when, with which certificate, and then what it sets", () => {
  const [told] = explore(Buffer.from(BASE64)).messages;
  assert.deepEqual(
    told?.layers.map(({ layer }) => layer),
    ["cms", "apple-profile"],
  );
  const [cms, profile] = told?.layers ?? [];
  const valuesOf = (name: string): string[] =>
    [...(cms?.fields ?? []), ...(profile?.fields ?? [])].flatMap((field) =>
      field.name === name ? [field.value] : [],
    );
  assert.deepEqual(valuesOf("signer"), ["CN=Profile signer"]);
  const signer = cms?.fields.find(({ name }) => name === "signer");
  assert.match(
    signer?.meaning ?? "",
    /^sha256, signed 20\d\d-\d\d-\d\dT[\d:]{8}\.000Z, its signature is right$/,
  );
  assert.match(
    cms?.fields.find(({ name }) => name === "certificate")?.meaning ?? "",
    /^20\d\d-\d\d-\d\d to 20/,
  );
  assert.deepEqual(valuesOf("payload 1/APNs/1/name"), ["internet.example"]);
  assert.deepEqual(told?.findings, []);
  assert.ok(told?.xml?.includes("<key>PayloadIdentifier</key>"));
});

test("a profile that was changed after it was signed is told as changed, and so is a signature of another key", () => {
  const at = Buffer.from(SIGNED).indexOf("internet.example");
  const changed = SIGNED.slice();
  changed[at] = "I".charCodeAt(0);
  assert.deepEqual(codes(changed), ["bad_digest"]);
  const signature = SIGNED.slice();
  signature[signature.length - 20] = (signature[signature.length - 20] ?? 0) ^ 1;
  assert.deepEqual(codes(signature), ["bad_signature"]);
});

test("of a signature by RSASSA-PSS, whose parameters are not read, nothing is said that was not looked at", () => {
  const rsa = Buffer.from("2a864886f70d010101", "hex");
  const pss = SIGNED.slice();
  // The last is the signer's: its attributes do not hold it, so that the signature itself stays right.
  const at = Buffer.from(pss).lastIndexOf(rsa);
  pss[at + rsa.length - 1] = 0x0a;
  const rightOf = (bytes: Uint8Array) =>
    decodeSignedProfile(bytes).signers.map((one) => one.isSignatureRight);
  assert.deepEqual([rightOf(SIGNED), rightOf(pss)], [[true], [null]]);
  assert.deepEqual(codes(pss), []);
});

test("a bare profile is told too, and what is no profile is named", () => {
  const content = decodeSignedProfile(SIGNED).content;
  const [bare] = explore(content).messages;
  assert.deepEqual([bare?.layers.map(({ layer }) => layer), bare?.findings], [["apple-profile"], []]);
  const [other] = explore(Buffer.from('<plist version="1.0"><dict/></plist>')).messages;
  assert.deepEqual(
    other?.findings.map(({ code, layer }) => [code, layer]),
    [["malformed", "apple-profile"]],
  );
});

test("octets that were cut or changed anywhere are refused or told, and nothing is read beside them", () => {
  for (let end = 0; end < SIGNED.length; end += 11)
    assert.throws(() => decodeSignedProfile(SIGNED.subarray(0, end)), DecodeError, `cut after ${end}`);
  for (let at = 0; at < SIGNED.length; at += 29) {
    const bent = SIGNED.slice();
    bent[at] = (bent[at] ?? 0) ^ 0xff;
    try {
      decodeSignedProfile(bent);
      assert.equal(explore(bent).messages.length, 1);
    } catch (error) {
      assert.ok(error instanceof DecodeError, `${at}: ${String(error)}`);
    }
  }
  const deep = Buffer.from("3080".repeat(5_000), "hex");
  assert.throws(() => decodeSignedProfile(deep), DecodeError);
});
