/** Content packages: signed octets both ways, and by whom they are refused. */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { splitUserData } from "../sms/split.ts";
import { encodePush } from "../wsp/push.ts";
import { type ContentBody, decodeContent, encodeContent, verifyContent } from "./content.ts";
import { compareVersions, decodeModule, encodeModule, moduleRefusalOf, signModule } from "./module.ts";
import { encodeNotice, NOTICE_CONTENT_TYPE, NOTICE_PORT } from "./notice.ts";

const operator = generateKeyPairSync("ed25519");
const vendor = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const IMEI_A = "356938035643809";
const IMEI_B = "356938035643817";
const now = new Date("2026-03-01T12:00:00Z");
const issuerKey = (issuer: string) => (issuer === "operator-one" ? operator.publicKey : undefined);
const vendorKey = (name: string) => (name === "maker-one" ? vendor.publicKey : undefined);
const software = new TextEncoder().encode("software of a voice mail client");
const module = signModule(
  { name: "voice-mail", version: "1.10.2", vendor: "maker-one", bytes: software },
  vendor.privateKey,
);
const body: ContentBody = {
  issuer: "operator-one",
  reference: "K7QX4M2P",
  itemId: "01890a5d-ac96-774b-bcce-b302099a8057",
  notAfter: new Date("2026-04-01T12:00:00Z"),
  modules: [module],
  activations: ["conference-call"],
  removals: ["old-mail"],
  parameters: { number: "+431234", server: "mail.operator-one.example" },
  security: { password: "s3cret" },
};
const bytes = encodeContent(body, IMEI_A, operator.privateKey);

/** RFC 8032 clause 7.1, test 1: a key that everybody knows, so that octets can stand in a test. */
const KNOWN = createPrivateKey({
  key: Buffer.concat([
    bytesOf("302e020100300506032b657004220420"),
    bytesOf("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
  ]),
  format: "der",
  type: "pkcs8",
});

test("content is read as it was signed, and the device that it names takes it", () => {
  const { binding, signature, ...read } = decodeContent(bytes);
  assert.deepEqual(read, body);
  assert.equal(signature.length, 64);
  assert.equal(binding.length, 8);
  for (const imei of [IMEI_A, IMEI_A.slice(0, 14), `${IMEI_A.slice(0, 14)}07`])
    assert.equal(verifyContent(bytes, issuerKey, imei, now).kind, "valid");
});

test("the octets of content are those of the format, whatever machine wrote them", () => {
  const plain = { ...body, modules: [], activations: ["mms"], removals: [], parameters: {}, security: {} };
  assert.equal(hexOf(encodeContent(plain, IMEI_A, KNOWN)), VECTOR);
  const publicKey = createPublicKey(KNOWN);
  assert.equal(verifyContent(bytesOf(VECTOR), () => publicKey, IMEI_A, now).kind, "valid");
});
const VECTOR =
  "430169cd08c04b375158344d325001890a5dac96774bbcceb302099a80576afe425443c4209f0c6f70657261746f722d6f6e650000000802000000036d6d7379677f1119d1bb3a9f8cce6247ef79d68f47ea936d98d1e83e47c28e1b050932f4d36119b77a8b6d3d2d16bd6649871cf3bf0e52e47c5e50ef53a2bb3985830d";

const refusals: [string, Parameters<typeof verifyContent>, string][] = [
  ["another device", [bytes, issuerKey, IMEI_B, now], "foreign_device"],
  ["a device that does not trust the issuer", [bytes, () => undefined, IMEI_A, now], "unknown_issuer"],
  ["one that trusts another key", [bytes, () => stranger.publicKey, IMEI_A, now], "bad_signature"],
  ["one after its time", [bytes, issuerKey, IMEI_A, new Date("2026-05-01T00:00:00Z")], "expired"],
  ["one that got half of it", [bytes.slice(0, 90), issuerKey, IMEI_A, now], "malformed"],
];
for (const [who, given, reason] of refusals) {
  test(`content is refused by ${who}: ${reason}`, () => {
    const verdict = verifyContent(...given);
    assert.equal(verdict.kind === "refused" && verdict.reason, reason);
  });
}

test("content for the same device but of another request or item is bound to that", () => {
  const other = encodeContent({ ...body, reference: "AAAAAAAA" }, IMEI_A, operator.privateKey);
  assert.notDeepEqual(decodeContent(other).binding, decodeContent(bytes).binding);
});

test("content cut short anywhere, or with more behind it, is refused", () => {
  for (let cut = 0; cut < bytes.length; cut++)
    assert.throws(() => decodeContent(bytes.subarray(0, cut)), DecodeError, `cut at ${cut}`);
  assert.throws(() => decodeContent(Uint8Array.from([...bytes, 0])), {
    name: "DecodeError",
    offset: bytes.length,
  });
});

test("content changed in any bit is never believed", () => {
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at]! ^= 1 << (at % 8);
    const verdict = verifyContent(changed, issuerKey, IMEI_A, now);
    assert.equal(verdict.kind, "refused", `octet ${at}`);
  }
});

test("octets of any kind are refused with an error of the codec", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (octets, withMagic) => {
      const given = withMagic ? Uint8Array.from([0x43, 0x01, ...octets]) : octets;
      assert.throws(() => decodeContent(given), DecodeError);
    }),
    { seed: SEED },
  );
});

test("an activation has no octets of software, and goes by SMS alone in three parts", () => {
  const activation = { ...body, modules: [], removals: [], parameters: {}, security: {} };
  const content = encodeContent(activation, IMEI_A, operator.privateKey);
  assert.ok(content.length < 160, `${content.length} octets`);
  const messageId = new Uint8Array(8);
  const { reference, itemId } = body;
  const sealed = encodeNotice(
    { messageId, kind: "content", reference, itemId, text: "Conference call", fields: {}, content, at: now },
    new Uint8Array(32),
  );
  const push = encodePush({ transactionId: 1, contentType: NOTICE_CONTENT_TYPE, body: sealed });
  assert.ok(splitUserData(push, { destPort: NOTICE_PORT, reference: 1, referenceBits: 16 }).length <= 3);
});

test("what content cannot hold is refused when it is made", () => {
  const bad: Partial<ContentBody>[] = [
    { modules: [module, module] },
    { activations: ["Big Name"] },
    { activations: ["mms", "mms"] },
    { parameters: { "1": "x" } },
    { parameters: { a: "x".repeat(1_001) } },
    { parameters: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`p${at}`, ""])) },
    { issuer: "" },
  ];
  for (const change of bad)
    assert.throws(() => encodeContent({ ...body, ...change }, IMEI_A, operator.privateKey), RangeError);
  assert.throws(() => encodeContent(body, "12345", operator.privateKey), RangeError);
});

// ---- modules

test("a module file is read as it was written, and believed under its vendor's key alone", () => {
  const file = encodeModule(module);
  assert.deepEqual(decodeModule(file), module);
  assert.equal(moduleRefusalOf(module, vendorKey), undefined);
  assert.equal(
    moduleRefusalOf(module, () => undefined),
    "unknown_vendor",
  );
  assert.equal(
    moduleRefusalOf(module, () => stranger.publicKey),
    "bad_module_signature",
  );
});

test("a module that was changed, renamed or given another version is not its vendor's any more", () => {
  for (const change of [{ name: "voice-mail2" }, { version: "1.10.3" }, { bytes: software.slice(1) }])
    assert.equal(moduleRefusalOf({ ...module, ...change }, vendorKey), "bad_module_signature");
});

test("a module file cut short anywhere is refused; an operator's good signature does not stand in for a vendor's", () => {
  const file = encodeModule(module);
  for (let cut = 0; cut < file.length; cut++)
    assert.throws(() => decodeModule(file.subarray(0, cut)), DecodeError, `cut at ${cut}`);
  const forged = { ...module, signature: new Uint8Array(64) };
  const content = encodeContent({ ...body, modules: [forged] }, IMEI_A, operator.privateKey);
  const verdict = verifyContent(content, issuerKey, IMEI_A, now);
  assert.ok(verdict.kind === "valid");
  assert.equal(moduleRefusalOf(verdict.content.modules[0]!, vendorKey), "bad_module_signature");
});

test("versions are compared number by number", () => {
  assert.ok(compareVersions("1.9", "1.10") < 0);
  assert.ok(compareVersions("2", "1.99.99") > 0);
  assert.equal(compareVersions("1.0", "1"), 0);
});
