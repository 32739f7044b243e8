/** Nokia OTA settings: exact octets of the specification's example, every token, refusals. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { VECTORS } from "../../../test/vector/oma-cp.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { NOKIA_OTA } from "./code-space.ts";
import { decodeNokiaOta, encodeNokiaOta } from "./codec.ts";

test("the specification's example encodes to its octets", () => {
  const { hex } = VECTORS.find(({ id }) => id === "libwbxml-ota-2")!;
  assert.equal(hexOf(encodeNokiaOta(decodeNokiaOta(bytesOf(hex)))), hex);
});

test("every token of the code space is written for its name or value, and read back", () => {
  const starts = NOKIA_OTA.attributeStarts[0]!;
  const tokensOf = (name: string) =>
    [...starts.entries()].flatMap(([token, start]) =>
      start?.name === name && start.prefix ? [{ token, text: start.prefix }] : [],
    );
  assert.deepEqual([tokensOf("TYPE").length, tokensOf("NAME").length, tokensOf("VALUE").length], [6, 20, 26]);
  for (const { token, text } of tokensOf("TYPE")) {
    const document = { characteristics: [{ type: text, value: null, parms: [] }] };
    assert.equal(encodeNokiaOta(document)[6], token, text);
    assert.deepEqual(decodeNokiaOta(encodeNokiaOta(document)), document);
  }
  for (const { token, text } of tokensOf("NAME")) {
    const document = {
      characteristics: [{ type: "ADDRESS", value: null, parms: [{ name: text, value: "x" }] }],
    };
    assert.equal(encodeNokiaOta(document)[9], token, text);
    assert.deepEqual(decodeNokiaOta(encodeNokiaOta(document)), document);
  }
  for (const { token, text } of tokensOf("VALUE")) {
    const document = {
      characteristics: [{ type: "ADDRESS", value: null, parms: [{ name: "PORT", value: text }] }],
    };
    assert.equal(encodeNokiaOta(document)[10], token, text);
    assert.deepEqual(decodeNokiaOta(encodeNokiaOta(document)), document);
  }
});

test("elements that do not stand as they should, and types without a token, are refused", () => {
  for (const hex of [
    "01016a0006",
    "01016a0045 87 1501 01",
    "01016a0045 c60601 87 11 03 61 00 01 01 01",
    "01016a0045 46 01 01",
  ]) {
    assert.throws(() => decodeNokiaOta(bytesOf(hex)), { name: "DecodeError" }, hex);
  }
  const unknown = { characteristics: [{ type: "SHOE", value: null, parms: [] }] };
  assert.throws(() => encodeNokiaOta(unknown), { code: "payload_malformed" });
});
