/** SMPP PDUs out of a stream of octets, in whatever pieces it comes. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { hexOf } from "../hex.ts";
import type { Pdu } from "./command.ts";
import { createPduFramer } from "./framer.ts";
import { createPduPacker } from "./packer.ts";
import { encodePdu, makePdu } from "./pdu.ts";

const PDUS: readonly Pdu[] = [
  makePdu("enquire_link", 1),
  makePdu("submit_sm", 2, { destination_addr: "4512345678", short_message: new Uint8Array(140).fill(1) }),
  makePdu("submit_sm_resp", 3, { message_id: "7f" }),
  makePdu("data_sm", 4, { tlvs: [{ name: "message_payload", value: new Uint8Array(3000).fill(2) }] }),
  makePdu("unbind", 5),
];
const STREAM = Buffer.concat(PDUS.map(encodePdu));

for (const size of [1, 2, 3, 4, 5, 15, 16, 17, 100, 2999, STREAM.length]) {
  test(`framer: a stream in pieces of ${size} octets gives the same PDUs`, () => {
    const framer = createPduFramer();
    const got: string[] = [];
    for (let at = 0; at < STREAM.length; at += size) {
      for (const pdu of framer.push(Buffer.from(STREAM.subarray(at, at + size)))) got.push(hexOf(pdu));
    }
    assert.deepEqual(
      got,
      PDUS.map((pdu) => hexOf(encodePdu(pdu))),
    );
    assert.equal(framer.pendingOctets, 0);
  });
}

for (const [length, hex] of [
  [0, "00000000"],
  [3, "00000003"],
  [4, "00000004"],
  [8, "00000008"],
  [15, "0000000f"],
  [1001, "000003e9"],
  [0xffffffff, "ffffffff"],
  [1195725856, "47455420"], // "GET "
] as const) {
  test(`framer: a length of ${length} is refused at its fourth octet, after the PDU before it, for good`, () => {
    const framer = createPduFramer({ maxPduOctets: 1000 });
    const seen: number[] = [];
    const take = (_buffer: Buffer, start: number, end: number) => void seen.push(end - start);
    const bytes = Buffer.concat([encodePdu(makePdu("enquire_link", 1)), Buffer.from(hex, "hex")]);
    framer.feed(bytes.subarray(0, 19), take);
    assert.throws(() => framer.feed(bytes.subarray(19), take), {
      name: "DecodeError",
      message: new RegExp(`command_length ${length} `),
    });
    assert.deepEqual(seen, [16]);
    assert.throws(() => framer.feed(encodePdu(makePdu("enquire_link", 2)), take), { name: "DecodeError" });

    const together = createPduFramer({ maxPduOctets: 1000 });
    const yielded: number[] = [];
    assert.throws(() => {
      for (const pdu of together.push(bytes)) yielded.push(pdu.length);
    });
    assert.deepEqual(yielded, [16]);
  });
}

test("framer: what is kept of an unfinished PDU never passes the limit", () => {
  const framer = createPduFramer({ maxPduOctets: 1000 });
  const start = Buffer.alloc(999);
  start.writeUInt32BE(1000);
  assert.deepEqual([...framer.push(start)], []);
  assert.equal(framer.pendingOctets, 999);
  assert.equal([...framer.push(Buffer.alloc(1))][0]?.length, 1000);
});

test("packer: PDUs added together leave as one piece; a refused one leaves nothing behind", () => {
  const sent: Uint8Array[] = [];
  const packer = createPduPacker((octets) => sent.push(octets));
  for (const pdu of PDUS.slice(0, 2)) packer.add(pdu);
  assert.throws(() => packer.add(makePdu("submit_sm", 9, { source_addr: "€" })), {
    code: "smpp_field_invalid",
  });
  for (const pdu of PDUS.slice(2)) packer.add(pdu);
  assert.ok(sent.length === 0);
  packer.flush();
  packer.flush();
  assert.equal(sent.length, 1);
  assert.equal(sent.map(hexOf).join(""), hexOf(STREAM));
});

test("packer: more than a block leaves in order, nothing twice, earlier pieces untouched", () => {
  const sent: Uint8Array[] = [];
  const packer = createPduPacker((octets) => sent.push(octets));
  const expected: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const pdu = makePdu("submit_sm", i, { short_message: new Uint8Array(140).fill(i) });
    expected.push(hexOf(encodePdu(pdu)));
    packer.add(pdu);
    if (i % 97 === 0) packer.flush();
  }
  packer.flush();
  assert.equal(sent.map(hexOf).join(""), expected.join(""));
});
