/** RTP packets and their frames on a connection (RFC 3550 §5.1, RFC 4571 §2). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { decodeRtp, encodeRtp, frameRtp, unframeRtp } from "./packet.ts";

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
/** The fields of RFC 3550 §5.1, each at its place; the values are ours. */
const PLAIN = "80 a2 1234 00015f90 deadbeef 0400";
const packet = {
  payloadType: 34,
  sequence: 0x1234,
  timestamp: 90_000,
  ssrc: 0xdeadbeef,
  marker: true,
  payload: bytesOf("0400"),
};

test("a packet is read, and written to the same octets", () => {
  assert.deepEqual(decodeRtp(bytesOf(PLAIN)), packet);
  assert.deepEqual(encodeRtp(packet), bytesOf(PLAIN));
});

test("contributing sources, an extension and padding are passed over: the payload is what is left", () => {
  const sources = "82 a2 1234 00015f90 deadbeef 00000001 00000002 0400";
  const extension = "90 a2 1234 00015f90 deadbeef beef0001 11111111 0400";
  const padded = "a0 a2 1234 00015f90 deadbeef 0400 000003";
  for (const hex of [sources, extension, padded]) assert.deepEqual(decodeRtp(bytesOf(hex)), packet);
});

test("a packet cut short in what it says to have is refused, and so is another version", () => {
  const long = bytesOf("92 a2 1234 00015f90 deadbeef 00000001 00000002 beef0001 11111111");
  for (let cut = 0; cut < long.length; cut++)
    assert.throws(() => decodeRtp(long.slice(0, cut)), { name: "DecodeError" }, `${cut} octets`);
  assert.throws(() => decodeRtp(bytesOf("40 a2 1234 00015f90 deadbeef")), { name: "DecodeError", offset: 0 });
  for (const padding of ["00", "04"])
    assert.throws(() => decodeRtp(bytesOf(`a0 a2 1234 00015f90 deadbeef 0400 ${padding}`)), {
      name: "DecodeError",
    });
});

test("frames come out whole, wherever a connection cut them", () => {
  const stream = Buffer.concat([
    frameRtp(bytesOf(PLAIN)),
    frameRtp(new Uint8Array(0)),
    frameRtp(bytesOf("01")),
  ]);
  for (let cut = 0; cut <= stream.length; cut++) {
    const first = unframeRtp(stream.subarray(0, cut));
    const second = unframeRtp(Buffer.concat([first.rest, stream.subarray(cut)]));
    const all = [...first.packets, ...second.packets].map((one) => Buffer.from(one).toString("hex"));
    assert.deepEqual(all, [PLAIN.replaceAll(" ", ""), "", "01"]);
    assert.equal(second.rest.length, 0);
  }
});
