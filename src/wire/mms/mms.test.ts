/** MMS PDUs: what others wrote is read, what we write reads back, and what is none is refused. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { MMS_SAMPLES, MMS_VECTORS } from "../../../test/vector/mms.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { decodeMms, encodeMms, type NewMmsPdu } from "./codec.ts";

const octetsOf = (hex: string): Uint8Array => bytesOf(hex.replaceAll(" ", ""));
const headOf = (pdu: object): object =>
  Object.fromEntries(Object.entries(pdu).filter(([name]) => name !== "content"));

for (const { name, hex, says } of MMS_VECTORS) {
  test(`${name}: it is read as its sender meant it`, () => {
    assert.deepEqual(headOf(decodeMms(octetsOf(hex))), says);
  });

  test(`${name}: cut at any octet of its headers it is refused`, () => {
    const bytes = octetsOf(hex);
    for (let end = 0; end < bytes.length - 2; end++) {
      const cut = () => decodeMms(bytes.subarray(0, end));
      assert.throws(cut, (error) => error instanceof DecodeError && error.offset <= end, `cut at ${end}`);
    }
  });
}

for (const pdu of MMS_SAMPLES) {
  test(`${pdu.type} as it is written reads back`, () => {
    const read = decodeMms(encodeMms(pdu));
    assert.deepEqual(headOf(read), headOf(pdu));
    if (!("content" in pdu) || !("content" in read)) return;
    assert.equal(read.content.contentType, pdu.content.contentType);
    assert.deepEqual(
      read.content.parts?.map(({ contentType, body }) => [contentType, hexOf(body)]),
      pdu.content.parts.map(({ contentType, body }) => [contentType, hexOf(body)]),
    );
  });
}

const NOTIFY = "8c83 98743100 8d92 9581";
const refused: readonly [string, string, RegExp][] = [
  ["no message type in front", "8d92 8c83", /not in front/],
  ["a type of the future", "8cff", /type 255/],
  ["no transaction", "8c83 8d92 9581", /transactionId/],
  ["a transaction twice", "8c83 98743100 98743200 8d92 9581", /twice/],
  ["a status that nobody knows", "8c83 98743100 8d92 95ff", /status 255/],
  ["a version that is no short integer", "8c83 98743100 8d12 9581", /version/],
  ["a From of no known form", `${NOTIFY} 890182`, /no known form/],
  ["octets after an address", `${NOTIFY} 8905 80 6100 6100`, /after an address/],
  ["a date behind the year 9999", `${NOTIFY} 8506ffffffffffff`, /9999/],
  ["text that is not UTF-8", `${NOTIFY} 9604eaff4100`, /UTF-8/],
  ["a charset of two octets a character", `${NOTIFY} 96050203f74100`, /charset/],
  ["an expiry of no known form", `${NOTIFY} 8803820101`, /no known form/],
  ["a message to send without a body", "8c80 98743100 8d92 890181", /content type/],
];
for (const [what, hex, why] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => decodeMms(octetsOf(hex)),
      (error) => error instanceof DecodeError && why.test(error.message),
    );
  });
}

test("a field that is not known is skipped by the length that its first octet tells, as is an application's own", () => {
  const unknown = "b1 80  a3 0301 0203  a4 6100  582d4100 6200";
  assert.deepEqual(decodeMms(octetsOf(`8c83 98743100 ${unknown} 8d92 9581`)), {
    type: "m-notifyresp-ind",
    transactionId: "t1",
    version: "1.2",
    status: "retrieved",
  });
});

test("limits: 600 kB, 100 addresses, and no more", () => {
  assert.throws(() => decodeMms(new Uint8Array(614_401)), /614400/);
  const [send] = MMS_SAMPLES;
  assert.ok(send?.type === "m-send-req");
  const to = (count: number): NewMmsPdu => ({
    ...send,
    to: Array.from({ length: count }, (_, at) => `+${at}`),
  });
  assert.equal(decodeMms(encodeMms(to(100))).to?.length, 100);
  assert.throws(() => encodeMms(to(101)), /100 addresses/);
  const many = octetsOf(`8c80 ${"97 6100 ".repeat(101)}`);
  assert.throws(() => decodeMms(many), /100 addresses/);
  assert.throws(() => decodeMms(octetsOf(`8c83 ${"b180".repeat(300)}`)), /256 MMS fields/);
});

test("what MMS cannot hold is not written", () => {
  const ack: NewMmsPdu = { type: "m-acknowledge-ind", transactionId: "t", version: "1.2" };
  assert.throws(() => encodeMms({ ...ack, version: "9.1" }), /version/);
  assert.throws(() => encodeMms({ ...ack, status: "eaten" }), /status/);
  assert.throws(() => encodeMms({ ...ack, date: new Date(-1) }), /1970/);
  assert.throws(() => encodeMms({ ...ack, subject: "a\0b" }), /character 0/);
});
