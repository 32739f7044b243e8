/** Notices to the client module: octets both ways, sealed, and their size in SMS. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { splitUserData } from "../sms/split.ts";
import { encodePush } from "../wsp/push.ts";
import {
  decodeNotice,
  encodeNotice,
  NOTICE_CONTENT_TYPE,
  NOTICE_KINDS,
  NOTICE_PORT,
  type Notice,
} from "./notice.ts";
import { encodeReply, openReply, peekReply } from "./reply.ts";
import { keyReferenceOf } from "./sealed-message.ts";

const key = new Uint8Array(32).fill(7);
const other = new Uint8Array(32).fill(8);
const notice: Notice = {
  messageId: bytesOf("0102030405060708"),
  kind: "terms",
  reference: "K7QX4M2P",
  itemId: "01890a5d-ac96-774b-bcce-b302099a8057",
  text: "Voice mail: 2.00 EUR a month. Do you agree",
  fields: { link: "https://road.operator-one.example/s/Zk3nQ8vT5xYbR1aW7cUe" },
  at: new Date("2026-03-01T12:00:00Z"),
};
const bytes = encodeNotice(notice, key);

test("a notice of forty characters and a link goes in two SMS", () => {
  const push = encodePush({ transactionId: 1, contentType: NOTICE_CONTENT_TYPE, body: bytes });
  const parts = splitUserData(push, {
    destPort: NOTICE_PORT,
    srcPort: 9200,
    reference: 1,
    referenceBits: 16,
  });
  assert.equal(parts.length, 2, `${push.length} octets`);
});

test("a short notice goes in one SMS", () => {
  const short = { ...notice, itemId: null, text: "Work on K7QX4M2P has begun", fields: {} };
  const push = encodePush({
    transactionId: 1,
    contentType: NOTICE_CONTENT_TYPE,
    body: encodeNotice(short, key),
  });
  assert.equal(splitUserData(push, { destPort: NOTICE_PORT, reference: 1, referenceBits: 16 }).length, 1);
});

test("the octets of a notice are those of the format, whatever machine wrote them", () => {
  const small: Notice = { ...notice, kind: "status", itemId: null, text: "ok", fields: {} };
  const hex = hexOf(encodeNotice(small, key));
  assert.equal(hex.slice(0, 4), "4e01");
  assert.equal(hex.slice(4, 20), hexOf(keyReferenceOf(key)));
  assert.equal(hex.slice(20, 36), "0102030405060708");
  assert.equal(hex, VECTOR);
});
/** Opened and checked by a second implementation (AES-GCM and HKDF of pyca/cryptography) under the key of 32 octets 07. */
const VECTOR =
  "4e014bb06f8e4e3a771501020304050607086cec0625c94e4272179bd3ad5586ba71b4bbd3ae67608330b803e6ec899185c9b246abea56caf73025";

for (const kind of NOTICE_KINDS) {
  test(`a notice of kind ${kind} is read as it was written`, () => {
    const said: Notice = {
      ...notice,
      kind,
      ...(kind === "content" ? { content: new Uint8Array(200).fill(5) } : {}),
    };
    assert.deepEqual(decodeNotice(encodeNotice(said, key), key), said);
  });
}

test("any notice is read as it was written", () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/);
  const shown = fc
    .string({ unit: "grapheme", maxLength: 60 })
    .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
  fc.assert(
    fc.property(shown, fc.dictionary(name, shown, { maxKeys: 3, noNullPrototype: true }), (text, fields) => {
      const said = { ...notice, text, fields };
      assert.deepEqual(decodeNotice(encodeNotice(said, key), key), said);
    }),
    { seed: SEED },
  );
});

test("a notice sent again has the same octets, and another text under the same id another nonce", () => {
  assert.deepEqual(encodeNotice(notice, key), bytes);
  const changed = encodeNotice({ ...notice, text: "Voice mail: 9.00 EUR a month. Do you agree" }, key);
  assert.notEqual(hexOf(changed.subarray(18, 22)), hexOf(bytes.subarray(18, 22)));
  assert.notEqual(hexOf(changed.subarray(22, 30)), hexOf(bytes.subarray(22, 30)));
});

test("nothing of a notice stands in clear", () => {
  const octets = Buffer.from(bytes).toString("latin1");
  for (const secret of ["Voice", "link", "road.operator", notice.reference])
    assert.ok(!octets.includes(secret));
});

test("a notice is opened by its own key alone", () => {
  assert.throws(() => decodeNotice(bytes, other), { name: "DecodeError", offset: 2 });
});

test("a notice cut short anywhere, or with more behind it, is refused", () => {
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.throws(() => decodeNotice(bytes.subarray(0, cut), key), DecodeError, `cut at ${cut}`);
  }
  assert.throws(() => decodeNotice(Uint8Array.from([...bytes, 0]), key), DecodeError);
});

test("a notice changed in any bit is refused", () => {
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 0x80]) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= bit;
      assert.throws(() => decodeNotice(changed, key), DecodeError, `octet ${at}`);
    }
  }
});

test("octets of any kind are refused with an error of the codec, and are no notice at a glance", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      assert.throws(() => decodeNotice(octets, key), DecodeError);
    }),
    { seed: SEED },
  );
});

test("what the format cannot hold is refused, and the value is not repeated", () => {
  const bad: [string, Partial<Notice>][] = [
    ["a reference of seven characters", { reference: "K7QX4M2" }],
    ["a reference with a sign", { reference: "K7QX-M2P" }],
    ["a control character in the text", { text: "one\u0007" }],
    ["a text of 601 octets", { text: "a".repeat(601) }],
    ["a line feed in a field", { fields: { secret: "pass\nword" } }],
    ["a name with a space", { fields: { "a b": "1" } }],
    ["17 fields", { fields: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`f${at}`, "1"])) }],
    ["content of 1001 octets", { content: new Uint8Array(1_001) }],
    ["an item id that is no UUID", { itemId: "item" }],
    ["a message id of 7 octets", { messageId: new Uint8Array(7) }],
    ["more than 1200 octets", { text: "a".repeat(600), fields: { a: "b".repeat(400), c: "d".repeat(400) } }],
  ];
  for (const [what, change] of bad) {
    assert.throws(
      () => encodeNotice({ ...notice, ...change }, key),
      (error: unknown) => error instanceof RangeError && !error.message.includes("pass"),
      what,
    );
  }
  assert.throws(() => encodeNotice(notice, new Uint8Array(31)), RangeError);
});

test("a text may have lines: terms are read, not glanced at", () => {
  const said = { ...notice, text: "Terms\nYou pay." };
  assert.equal(decodeNotice(encodeNotice(said, key), key).text, said.text);
});

// ---- replies

const reply = {
  kind: "failed",
  messageId: notice.messageId,
  reference: notice.reference,
  itemId: notice.itemId,
  cause: "bad_signature",
} as const;
const answered = encodeReply(reply, key);

test("a reply fits one SMS, is read as it was written, and its sender is found before it is believed", () => {
  assert.ok(answered.length <= 140, `${answered.length} octets`);
  assert.deepEqual(openReply(answered, key), reply);
  assert.deepEqual(peekReply(answered)?.keyReference, keyReferenceOf(key));
  const short = { ...reply, kind: "ack", itemId: null, cause: null } as const;
  assert.deepEqual(openReply(encodeReply(short, key), key), short);
});

test("a reply cut short or changed anywhere is refused", () => {
  for (let at = 0; at < answered.length; at++) {
    assert.throws(() => openReply(answered.subarray(0, at), key), DecodeError);
    const changed = Uint8Array.from(answered);
    changed[at]! ^= 1;
    assert.throws(() => openReply(changed, key), DecodeError, `octet ${at}`);
  }
});

test("a notice is no reply and a reply no notice, under the same key, even with the other's magic in front", () => {
  assert.throws(() => openReply(bytes.slice(0, 140), key), { name: "DecodeError", offset: 0 });
  assert.throws(() => decodeNotice(answered, key), { name: "DecodeError", offset: 0 });
  const dressed = Uint8Array.from([0x4e, 0x01, ...answered.subarray(2)]);
  assert.throws(() => decodeNotice(dressed, key), { name: "DecodeError", offset: 22 });
  assert.equal(peekReply(bytes), undefined);
});

test("a cause is a word, never a text with somebody's data", () => {
  for (const cause of ["Memory full", "a".repeat(41), "ü"])
    assert.throws(() => encodeReply({ ...reply, cause }, key), RangeError);
});

test("a notice that names its server is read with it, and one that does not has no octet more", () => {
  const named = { ...notice, server: "prov.operator.example:8445" };
  const octets = encodeNotice(named, key);
  assert.equal(decodeNotice(octets, key).server, named.server);
  assert.equal(octets.length - bytes.length, 1 + named.server.length);
  assert.equal(decodeNotice(bytes, key).server, undefined);
  assert.throws(() => encodeNotice({ ...named, server: "https://prov.operator.example" }, key), RangeError);
});
