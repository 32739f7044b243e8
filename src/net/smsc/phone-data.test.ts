/** Which messages carry octets of an application, by their coding and header. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { partOf } from "../../wire/smpp/user-data.ts";
import { createReassembler } from "../../wire/sms/reassembly.ts";
import { applicationOctets, subscriberText } from "./phone-data.ts";

const REPORT = Uint8Array.of(0x54, 0x52, 1, 2, 3);
const pdu = (more: Partial<DeliverSm>): DeliverSm =>
  ({ data_coding: 0x04, esm_class: 0, short_message: REPORT, tlvs: [], ...more }) as unknown as DeliverSm;

test("a report is found in every way that centres deliver 8-bit data, and a text is none", () => {
  const ported = Uint8Array.of(6, 5, 4, 0x0b, 0x84, 0x23, 0xf0, ...REPORT);
  const ways: readonly Partial<DeliverSm>[] = [
    {},
    { data_coding: 0xf5 },
    { data_coding: 0x15 },
    { esm_class: 0x40, short_message: ported },
    { short_message: new Uint8Array(0), tlvs: [{ name: "message_payload", value: REPORT }] },
  ];
  for (const way of ways) assert.deepEqual(applicationOctets(pdu(way)), REPORT, JSON.stringify(way));
  for (const data_coding of [0x00, 0x08, 0x10, 0xf1])
    assert.equal(applicationOctets(pdu({ data_coding })), undefined);
});

test("a user data header that is longer than its message heads nothing of ours", () => {
  assert.equal(
    applicationOctets(pdu({ esm_class: 0x40, short_message: Uint8Array.of(200, 1, 2) })),
    undefined,
  );
});

test("what a subscriber wrote is read in every coding that holds text, behind a header too; octets of an application are none", () => {
  const text = Uint8Array.of(0x59, 0x45, 0x53);
  const ways: readonly Partial<DeliverSm>[] = [
    { data_coding: 0x00, short_message: text },
    { data_coding: 0x03, short_message: text },
    { data_coding: 0x08, short_message: Uint8Array.of(0, 0x59, 0, 0x45, 0, 0x53) },
    { data_coding: 0x00, esm_class: 0x40, short_message: Uint8Array.of(3, 0x24, 1, 0, ...text) },
    {
      data_coding: 0x00,
      short_message: new Uint8Array(0),
      tlvs: [{ name: "message_payload", value: text }],
    } as unknown as Partial<DeliverSm>,
  ];
  for (const way of ways)
    assert.deepEqual(subscriberText(pdu(way)), { text: "YES", part: undefined }, JSON.stringify(way));
  assert.equal(subscriberText(pdu({})), undefined);
});

test("parts that parameters name are joined as those that a header names (SMPP v3.4 5.3.2.22 to 24)", () => {
  const parts = createReassembler({ limitMessages: 9, limitOctets: 1_000, timeoutMs: 1_000 });
  const sar = (seq: number, total = 2): Partial<DeliverSm> => ({
    short_message: Uint8Array.of(seq),
    tlvs: [
      { name: "sar_msg_ref_num", value: 300 },
      { name: "sar_total_segments", value: total },
      { name: "sar_segment_seqnum", value: seq },
    ],
  });
  const join = (more: Partial<DeliverSm>) =>
    parts.accept({ from: "49", to: "815", ...partOf(pdu(more)), atMs: 0 });
  assert.equal(join(sar(2)), null);
  assert.deepEqual(join(sar(1))?.bytes, Uint8Array.of(1, 2));
  for (const [seq, total] of [
    [1, 1],
    [0, 2],
    [3, 2],
  ] as const)
    assert.deepEqual(partOf(pdu(sar(seq, total))).udh, new Uint8Array(0), `${seq} of ${total} is no part`);
  const both = { ...sar(1), esm_class: 0x40, short_message: Uint8Array.of(5, 0, 3, 9, 2, 2, 7) };
  assert.deepEqual(partOf(pdu(both)).udh, Uint8Array.of(5, 0, 3, 9, 2, 2), "the header's own word counts");
});
