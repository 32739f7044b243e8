/** Texts of phones as message centres deliver them: whole, or one part of a longer one. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import type { Tlv } from "../../wire/smpp/tlv.ts";
import { encodeText } from "../../wire/sms/text.ts";
import { subscriberText } from "./phone-data.ts";

const UDHI = 0x40;
const PDU = {
  command: "deliver_sm",
  esm_class: 0,
  data_coding: 0,
  short_message: new Uint8Array(),
  tlvs: [],
} as unknown as DeliverSm; // the rest of the PDU says nothing of its text
const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

test("a text of one message is whole, in its own field or as message_payload", () => {
  const whole = { text: "YES 4821", part: undefined };
  assert.deepEqual(subscriberText({ ...PDU, short_message: octets("YES 4821") }), whole);
  const payload = { name: "message_payload", value: octets("YES 4821") } as const;
  assert.deepEqual(subscriberText({ ...PDU, tlvs: [payload] }), whole);
});

test("a part of a longer text says which it is, by its header as by the centre's own parameters", () => {
  const words = `${"What I heard of that from others I do not like. ".repeat(3)}So I do not say YES 4821`;
  const { parts } = encodeText(words, { reference: 7 });
  assert.equal(parts.length, 2);
  const read = parts.map(({ udh, data }) =>
    subscriberText({ ...PDU, esm_class: UDHI, short_message: Uint8Array.from([...udh, ...data]) }),
  );
  assert.deepEqual(
    read.map((one) => one?.part),
    [
      { seq: 1, total: 2 },
      { seq: 2, total: 2 },
    ],
  );
  assert.equal(read.map((one) => one?.text).join(""), words);

  // SMPP v3.4 5.3.2.22 to 5.3.2.24: sar_msg_ref_num, sar_total_segments, sar_segment_seqnum.
  const sar = (total: number, seq: number): Tlv[] => [
    { name: "sar_msg_ref_num", value: 7 },
    { name: "sar_total_segments", value: total },
    { name: "sar_segment_seqnum", value: seq },
  ];
  const last = { ...PDU, short_message: octets("YES 4821"), tlvs: sar(2, 2) };
  assert.deepEqual(subscriberText(last)?.part, { seq: 2, total: 2 });
  assert.equal(subscriberText({ ...last, tlvs: sar(1, 1) })?.part, undefined, "the only part is the whole");
});

test("a text is read by the languages that its header names", () => {
  const header = [6, 0x24, 1, 1, 0x25, 1, 1];
  const text = { ...PDU, esm_class: UDHI, short_message: Uint8Array.of(...header, 0x0b, 0x1b, 0x73) };
  assert.deepEqual(subscriberText(text), { text: "Ğş", part: undefined });
});

test("a NUL behind or inside of what a phone sent costs nothing but itself", () => {
  const ucs2 = (...units: number[]): Uint8Array =>
    Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff]));
  const ways: readonly Partial<DeliverSm>[] = [
    { data_coding: 3, short_message: octets("YES 4821\0") },
    { data_coding: 1, short_message: octets("YES\0 4821\0\0") },
    { data_coding: 8, short_message: ucs2(...[..."YES 4821\0"].map((one) => one.charCodeAt(0))) },
    {
      data_coding: 8,
      short_message: Uint8Array.from([...ucs2(...[..."YES 4821"].map((one) => one.charCodeAt(0))), 0]),
    },
  ];
  for (const way of ways)
    assert.equal(subscriberText({ ...PDU, ...way })?.text, "YES 4821", JSON.stringify(way));
});

test("octets behind data_coding 0 are read in the alphabet that the centre has there", () => {
  const text = { ...PDU, short_message: octets("a_b@c") };
  assert.equal(subscriberText(text, "ascii")?.text, "a_b@c");
  assert.equal(subscriberText(text, "latin1")?.text, "a_b@c");
  assert.equal(
    subscriberText({ ...PDU, short_message: Uint8Array.of(0x61, 0x11, 0x62, 0, 0x63) })?.text,
    "a_b@c",
  );
});
