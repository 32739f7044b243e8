/** WSP pushes and multiparts beyond what the vectors show. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { macOf } from "../omacp/mac.ts";
import { decodeUintvar, uintvar } from "../uintvar.ts";
import { decodeMultipart, encodeMultipart } from "./multipart.ts";
import { decodePush, encodePush, type NewPush } from "./push.ts";

const BODY = bytesOf("030b6a0005");
const PROVISIONING = "application/vnd.wap.connectivity-wbxml";
const MAC = "9FA8FC8D7D0B6B888300609294B4A2454D61F66D";
const MAC_HEX = hexOf(Buffer.from(MAC));

const SHAPES: readonly { name: string; push: Omit<NewPush, "body" | "transactionId">; hex: string }[] = [
  { name: "unsigned", push: { contentType: PROVISIONING }, hex: "01 b6" },
  {
    name: "unsigned with a charset",
    push: { contentType: PROVISIONING, charset: 106 },
    hex: "04 03 b6 81 ea",
  },
  {
    name: "signed with NETWPIN",
    push: { contentType: PROVISIONING, sec: "netwpin", mac: MAC },
    hex: `2f 1f 2d b6 91 80 92 ${MAC_HEX} 00`,
  },
  {
    name: "signed, with a charset",
    push: { contentType: PROVISIONING, sec: "userpin", mac: MAC, charset: 106 },
    hex: `31 1f 2f b6 91 81 92 ${MAC_HEX} 00 81 ea`,
  },
  {
    name: "for USERPINMAC, without a MAC",
    push: { contentType: PROVISIONING, sec: "userpinmac" },
    hex: "04 03 b6 91 83",
  },
  { name: "of a type without a number", push: { contentType: "a/b" }, hex: "04 612f62 00" },
  {
    name: "of a type with a long number",
    push: { contentType: "application/vnd.nokia.syncset+wbxml" },
    hex: "04 03 02 020b",
  },
  { name: "for an application", push: { contentType: PROVISIONING, applicationId: 7 }, hex: "03 b6 af 87" },
  {
    name: "for an application with a long number",
    push: { contentType: PROVISIONING, applicationId: 0x8002 },
    hex: "05 b6 af 02 8002",
  },
  {
    name: "with a charset above 127, a header of its own name, a date and octets",
    push: {
      contentType: PROVISIONING,
      charset: 1015,
      headers: [
        { name: "X-A", value: "b" },
        { name: "Expires", value: 0x5f000000 },
        { name: "0x2A", value: bytesOf("00ff") },
        { name: "Content-Location", value: "\u00e9" },
      ],
    },
    hex: "1a 05 b6 81 02 03f7 582d4100 6200 94 04 5f000000 aa 02 00ff 8e 7f e9 00",
  },
];
for (const { name, push, hex } of SHAPES) {
  const bytes = bytesOf(`25 06 ${hex} ${hexOf(BODY)}`);
  test(`a push ${name} is written as the field writes it, and read back`, () => {
    assert.equal(hexOf(encodePush({ ...push, transactionId: 0x25, body: BODY })), hexOf(bytes));
    const read = decodePush(bytes);
    assert.equal(read.contentType, push.contentType);
    assert.equal(read.transactionId, 0x25);
    assert.equal(hexOf(read.body), hexOf(BODY));
    assert.equal(hexOf(encodePush(read)), hexOf(bytes));
  });
  test(`a push ${name} is refused where its headers are cut`, () => {
    for (let cut = 0; cut < bytes.length - BODY.length; cut++) {
      assert.throws(() => decodePush(bytes.subarray(0, cut)), { name: "DecodeError" }, `cut at ${cut}`);
    }
  });
}

const REFUSED: readonly { name: string; hex: string; offset: number }[] = [
  { name: "a confirmed push", hex: "01 07 01 b6", offset: 1 },
  { name: "no content type", hex: "01 06 00", offset: 3 },
  { name: "an unknown content type", hex: "01 06 01 f7", offset: 3 },
  { name: "an unknown parameter", hex: "01 06 04 03 b6 a9 81", offset: 5 },
  { name: "SEC twice", hex: "01 06 06 05 b6 91 80 91 81", offset: 7 },
  { name: "a SEC that is text", hex: "01 06 05 04 b6 91 61 00", offset: 6 },
  { name: "a MAC that is a number", hex: "01 06 04 03 b6 92 81", offset: 6 },
  { name: "a MAC without its end", hex: "01 06 05 04 b6 92 41 42 00", offset: 6 },
  { name: "a content type longer than the headers", hex: "01 06 02 03 b6 81 ea", offset: 3 },
  { name: "an integer of seven octets", hex: "01 06 09 b6 8d 07 00000000000001", offset: 5 },
  { name: "another page of header fields", hex: "01 06 03 b6 05 80", offset: 4 },
];
for (const { name, hex, offset } of REFUSED) {
  test(`a push with ${name} is refused at its octet`, () => {
    assert.throws(() => decodePush(bytesOf(hex)), { name: "DecodeError", offset });
  });
}

test("a push keeps a parameter named __proto__ as what it is", () => {
  const bytes = encodePush({
    transactionId: 1,
    contentType: "a/b",
    params: Object.fromEntries([["__proto__", "x"]]),
    body: BODY,
  });
  assert.deepEqual(Object.entries(decodePush(bytes).params), [["__proto__", "x"]]);
});

test("texts and numbers that no WSP header holds are refused before they are sent", () => {
  const wrong: Partial<NewPush>[] = [
    { contentType: "no type" },
    { contentType: "a/\u20ac" },
    { mac: "a\0b" },
    { mac: "\u20ac" },
    { charset: -1 },
    { charset: 1.5 },
    { headers: [{ name: "a b", value: 1 }] },
    { headers: [{ name: "X", value: 2 ** 48 }] },
    { headers: [{ name: "X", value: "\u0001" }] },
  ];
  for (const change of wrong) {
    const push = { transactionId: 1, contentType: PROVISIONING, body: BODY, ...change };
    assert.throws(() => encodePush(push), { name: "TurnupError", code: "payload_malformed" });
  }
});

test("a key and signed settings travel in one package, each with its own type", () => {
  const key = bytesOf("0102030405");
  const mac = macOf("userpin", { pin: "1234" }, BODY);
  const bytes = encodeMultipart([
    { contentType: "application/vnd.turnup.device-key", body: key },
    { contentType: PROVISIONING, params: { SEC: "userpin", MAC: mac }, body: BODY },
  ]);
  const [first, second, ...more] = decodeMultipart(bytes);
  assert.equal(more.length, 0);
  assert.equal(first!.contentType, "application/vnd.turnup.device-key");
  assert.equal(first!.contentTypeCode, null);
  assert.deepEqual(first!.body, key);
  assert.deepEqual(second!.params, { SEC: 1, MAC: mac });
  assert.equal(second!.contentTypeCode, 0x36);
  assert.deepEqual(second!.body, BODY);
  assert.equal(hexOf(encodeMultipart([first!, second!])), hexOf(bytes));
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.throws(() => decodeMultipart(bytes.subarray(0, cut)), { name: "DecodeError" }, `cut at ${cut}`);
  }
  assert.throws(() => decodeMultipart(Uint8Array.of(...bytes, 0)), {
    name: "DecodeError",
    offset: bytes.length,
  });
});

test("a package of 16 parts is read, of 17 refused", () => {
  const parts = (count: number) =>
    encodeMultipart(Array.from({ length: count }, () => ({ contentType: "a/b", body: BODY })));
  assert.equal(decodeMultipart(parts(16)).length, 16);
  assert.throws(() => decodeMultipart(parts(17)), { name: "DecodeError", offset: 0 });
});

test("integers of variable length: every size, up to 32 bits, never more octets than needed", () => {
  for (const [value, hex] of [
    [0, "00"],
    [127, "7f"],
    [128, "8100"],
    [16383, "ff7f"],
    [0xffffffff, "8fffffff7f"],
  ] as const) {
    assert.equal(hexOf(Uint8Array.from(uintvar(value))), hex);
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
      const octets = Uint8Array.from(uintvar(value));
      assert.deepEqual(decodeUintvar(octets, 0), { value, next: octets.length });
    }),
    { seed: SEED },
  );
  assert.throws(() => decodeUintvar(bytesOf("9fffffff7f"), 0), { name: "DecodeError" });
  assert.throws(() => decodeUintvar(bytesOf("808080808001"), 0), { name: "DecodeError" });
});
