/** Short messages: headers, cutting, putting together, text. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { packSeptets, septetsOf, textOfSeptets, unpackSeptets } from "./gsm7.ts";
import { createReassembler, type IncomingPart } from "./reassembly.ts";
import { splitUserData } from "./split.ts";
import { decodePackedText, decodeText, encodeText } from "./text.ts";
import { decodeUdh, encodeUdh, splitHeader, type Udh } from "./udh.ts";

const HEADERS: readonly { name: string; hex: string; udh: Udh }[] = [
  { name: "none", hex: "", udh: {} },
  { name: "no elements", hex: "00", udh: {} },
  { name: "8-bit ports", hex: "04 04 02 f5 f0", udh: { destPort: 0xf5, srcPort: 0xf0, portBits: 8 } },
  {
    name: "concatenation before ports",
    hex: "0b 00 03 05 03 02 05 04 0b84 23f0",
    udh: { destPort: 2948, srcPort: 9200, concat: { refBits: 8, ref: 5, total: 3, seq: 2 } },
  },
  {
    name: "an element that we do not know, and an empty one",
    hex: "08 24 01 05 70 00 06 01 aa",
    udh: {
      elements: [
        { id: 0x24, value: bytesOf("05") },
        { id: 0x70, value: bytesOf("") },
        { id: 0x06, value: bytesOf("aa") },
      ],
    },
  },
  {
    name: "an element twice, the last of which counts",
    hex: "0c 05 04 0001 0002 05 04 0b84 23f0",
    udh: { destPort: 2948, srcPort: 9200 },
  },
];
for (const { name, hex, udh } of HEADERS) {
  test(`a user data header with ${name} is read, and survives encoding`, () => {
    assert.deepEqual(decodeUdh(bytesOf(hex)), udh);
    assert.deepEqual(decodeUdh(encodeUdh(udh)), udh);
  });
}

const BAD_HEADERS: readonly { name: string; hex: string; offset: number }[] = [
  { name: "a length past its end", hex: "05 00 03 01 02", offset: 0 },
  { name: "octets after it", hex: "00 01", offset: 1 },
  { name: "an element without a length", hex: "01 00", offset: 1 },
  { name: "an element past its end", hex: "04 00 03 01 02", offset: 1 },
  { name: "ports of three octets", hex: "05 05 03 0b84 23", offset: 1 },
  { name: "part 0", hex: "05 00 03 01 02 00", offset: 1 },
  { name: "part 3 of 2", hex: "05 00 03 01 02 03", offset: 1 },
  { name: "a total of 0", hex: "05 00 03 01 00 00", offset: 1 },
];
for (const { name, hex, offset } of BAD_HEADERS) {
  test(`a user data header with ${name} is refused at its octet`, () => {
    assert.throws(() => decodeUdh(bytesOf(hex)), { name: "DecodeError", offset });
  });
}

test("a header field that does not fit is refused before it is sent", () => {
  for (const udh of [{ destPort: 65536 }, { destPort: 256, portBits: 8 as const }, { srcPort: -1 }]) {
    assert.throws(() => encodeUdh(udh), { code: "payload_malformed" });
  }
});

const PORTS = { destPort: 2948, srcPort: 9200 };
const ROOM: readonly {
  name: string;
  alone: number;
  each: number;
  cut: Parameters<typeof splitUserData>[1];
}[] = [
  {
    name: "ports, 8-bit reference",
    alone: 133,
    each: 128,
    cut: { ...PORTS, reference: 0x1a5, referenceBits: 8 },
  },
  {
    name: "ports, 16-bit reference",
    alone: 133,
    each: 127,
    cut: { ...PORTS, reference: 0x11a5c, referenceBits: 16 },
  },
  { name: "no ports, 8-bit reference", alone: 140, each: 134, cut: { reference: 0x1a5, referenceBits: 8 } },
  {
    name: "no ports, 16-bit reference",
    alone: 140,
    each: 133,
    cut: { reference: 0x11a5c, referenceBits: 16 },
  },
];
for (const { name, alone, each, cut } of ROOM) {
  test(`cutting with ${name}: ${alone} octets alone, ${each} in each of several parts, 255 parts at most`, () => {
    const bytesFor = (length: number) => Uint8Array.from({ length }, (_, i) => i);
    assert.equal(splitUserData(bytesFor(alone), cut).length, 1);
    assert.deepEqual(
      splitUserData(bytesFor(alone + 1), cut).map(({ data }) => data.length),
      [each, alone + 1 - each],
    );
    assert.equal(splitUserData(bytesFor(255 * each), cut).length, 255);
    assert.throws(() => splitUserData(bytesFor(255 * each + 1), cut), { code: "payload_too_long" });
    for (const [index, { udh, data }] of splitUserData(bytesFor(3 * each), cut).entries()) {
      const ref = cut.referenceBits === 8 ? 0xa5 : 0x1a5c;
      const concat = { refBits: cut.referenceBits, ref, total: 3, seq: index + 1 };
      const ports = cut.destPort ? PORTS : {};
      assert.deepEqual(decodeUdh(udh), { ...ports, concat });
      assert.equal(hexOf(encodeUdh(decodeUdh(udh))), hexOf(udh));
      assert.ok(udh.length + data.length <= 140);
    }
  });
}

const LIMITS = { limitMessages: 3, limitOctets: 1_000, timeoutMs: 60_000 };
const partsOf = (text: string, reference: number, octets = 20): IncomingPart[] =>
  splitUserData(Buffer.from(text), { ...PORTS, reference, referenceBits: 8, maxOctets: octets }).map(
    (part) => ({
      from: "46700",
      to: "46701",
      ...part,
      atMs: 0,
    }),
  );
const textFrom = (message: { readonly bytes: Uint8Array } | null): string | null =>
  message && Buffer.from(message.bytes).toString();

test("parts of many messages, mixed and repeated in any order, give each message once", () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
      const reassembler = createReassembler({ limitMessages: 8, limitOctets: 10_000, timeoutMs: 1 });
      const texts = Array.from({ length: 8 }, (_, i) => `message ${i} `.repeat(4));
      const parts = texts.flatMap((text, reference) => partsOf(text, reference));
      const shuffled = [...parts, ...parts]
        .map((part) => ({ part, at: numbers.next().value as number }))
        .sort((a, b) => a.at - b.at);
      const whole = shuffled.flatMap(({ part }) => textFrom(reassembler.accept(part)) ?? []);
      assert.deepEqual(whole.sort(), texts);
      assert.equal(reassembler.pending, 0);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("parts from another sender, to another receiver or of another reference do not mix", () => {
  const reassembler = createReassembler(LIMITS);
  const [first, second] = partsOf("0123456789abcd", 1) as [IncomingPart, IncomingPart];
  assert.equal(reassembler.accept(first), null);
  assert.equal(reassembler.accept({ ...second, from: "1" }), null);
  assert.equal(reassembler.accept({ ...second, to: "1" }), null);
  assert.equal(textFrom(reassembler.accept(second)), "0123456789abcd");
});

test("another total, and other octets, under the same reference are refused, and the message goes on", () => {
  const reassembler = createReassembler(LIMITS);
  const [first, second] = partsOf("0123456789abcd", 1) as [IncomingPart, IncomingPart];
  reassembler.accept(first);
  assert.throws(() => reassembler.accept(partsOf("0123456789abcdefghi", 1)[2]!), { name: "DecodeError" });
  assert.throws(() => reassembler.accept(partsOf("XXXXXXXXXXXXXX", 1)[0]!), { name: "DecodeError" });
  assert.equal(textFrom(reassembler.accept(second)), "0123456789abcd");
});

test("a reference that comes round again opens a new message, also when its first part is the same", () => {
  const reassembler = createReassembler(LIMITS);
  const read = (text: string) => partsOf(text, 1).map((part) => textFrom(reassembler.accept(part)));
  assert.deepEqual(read("01234567 first"), [null, "01234567 first"]);
  assert.deepEqual(read("01234567 first"), [null, null]);
  assert.deepEqual(read("01234567 other"), [null, "01234567 other"]);
  assert.deepEqual(read("abcdefgh x and a third part"), [null, null, null, "abcdefgh x and a third part"]);
});

test("a message that waits too long is forgotten", () => {
  const reassembler = createReassembler(LIMITS);
  const [first, second] = partsOf("0123456789abcd", 1) as [IncomingPart, IncomingPart];
  reassembler.accept(first);
  assert.equal(reassembler.accept({ ...second, atMs: 60_001 }), null);
  assert.equal(textFrom(reassembler.accept({ ...first, atMs: 120_001 })), "0123456789abcd");
});

test("more unfinished messages, or more octets in them, than the limits push out the oldest", () => {
  const many = createReassembler(LIMITS);
  for (let reference = 0; reference < 100; reference++) many.accept(partsOf("0123456789abcd", reference)[0]!);
  assert.equal(many.pending, LIMITS.limitMessages);
  assert.equal(many.accept(partsOf("0123456789abcd", 0)[1]!), null);
  assert.equal(textFrom(many.accept(partsOf("0123456789abcd", 99)[1]!)), "0123456789abcd");

  const large = createReassembler({ ...LIMITS, limitOctets: 300 });
  const long = "x".repeat(256);
  for (const part of partsOf(long, 1, 140).slice(0, 1)) large.accept(part);
  for (const part of partsOf(long, 2, 140).slice(0, 1)) large.accept(part);
  assert.equal(large.pending, 2);
  large.accept(partsOf(long, 3, 140)[0]!);
  assert.equal(large.pending, 2);
});

test("a part whose header cannot be read is refused", () => {
  const part = { ...partsOf("0123456789abcd", 1)[0]!, udh: bytesOf("05 00 03 01 02 03") };
  assert.throws(() => createReassembler(LIMITS).accept(part), { name: "DecodeError" });
});

test("the GSM alphabet: every character there and back, the escaped ones as two septets", () => {
  const alphabet = Uint8Array.from({ length: 128 }, (_, i) => i).filter((septet) => septet !== 0x1b);
  const characters = textOfSeptets(alphabet);
  assert.equal(new Set(characters).size, 127);
  assert.deepEqual(septetsOf(characters)?.flat(), [...alphabet]);
  assert.deepEqual(septetsOf("@$_ §€[]")?.map(hexOfSeptets), [
    "00",
    "02",
    "11",
    "20",
    "5f",
    "1b65",
    "1b3c",
    "1b3e",
  ]);
  assert.equal(septetsOf("č"), undefined);
  assert.equal(septetsOf("\uffff"), undefined);
  assert.equal(textOfSeptets(bytesOf("1b41 1b1b 61 1b")), "A a ");
});

const hexOfSeptets = (septets: readonly number[]): string => hexOf(Uint8Array.from(septets));

test("septets are packed as TS 23.038 packs them", () => {
  const hello = Uint8Array.from(septetsOf("hellohello")!.flat());
  assert.equal(hexOf(packSeptets(hello)), "e8329bfd4697d9ec37");
  assert.equal(textOfSeptets(unpackSeptets(bytesOf("e8329bfd4697d9ec37"), 10)), "hellohello");
  // Behind a header of 6 octets one bit is filled, so that the text starts at a septet boundary.
  assert.equal(hexOf(packSeptets(Uint8Array.of(0x41), 1)), "82");
  assert.equal(decodePackedText(bytesOf("82"), 1, 6), "A");
  fc.assert(
    fc.property(fc.uint8Array({ max: 127 }), fc.integer({ min: 0, max: 6 }), (septets, fillBits) => {
      assert.deepEqual(unpackSeptets(packSeptets(septets, fillBits), septets.length, fillBits), septets);
    }),
    { seed: SEED },
  );
});

const TEXTS: readonly { name: string; text: string; dataCoding: number; sizes: number[] }[] = [
  { name: "160 characters of the GSM alphabet", text: "a".repeat(160), dataCoding: 0, sizes: [160] },
  { name: "161 of them", text: "a".repeat(161), dataCoding: 0, sizes: [153, 8] },
  {
    name: "an escaped character at the seam",
    text: `${"a".repeat(152)}€${"a".repeat(7)}`,
    dataCoding: 0,
    sizes: [152, 9],
  },
  { name: "70 characters of another script", text: "ж".repeat(70), dataCoding: 8, sizes: [140] },
  { name: "71 of them", text: "ж".repeat(71), dataCoding: 8, sizes: [134, 8] },
  {
    name: "a character of two units at the seam",
    text: `${"ж".repeat(66)}😀${"ж".repeat(5)}`,
    dataCoding: 8,
    sizes: [132, 14],
  },
  { name: "nothing", text: "", dataCoding: 0, sizes: [0] },
];
for (const { name, text, dataCoding, sizes } of TEXTS) {
  test(`text: ${name} becomes ${sizes.length} parts and reads the same`, () => {
    const message = encodeText(text, { reference: 300 });
    assert.equal(message.dataCoding, dataCoding);
    assert.deepEqual(
      message.parts.map(({ data }) => data.length),
      sizes,
    );
    assert.equal(message.parts.map(({ data }) => decodeText(dataCoding, data)).join(""), text);
    if (sizes.length > 1) {
      assert.deepEqual(
        message.parts.map(({ udh }) => decodeUdh(udh).concat),
        sizes.map((_, i) => ({ refBits: 8, ref: 44, total: sizes.length, seq: i + 1 })),
      );
    }
  });
}

test("text: every coding scheme that holds text is read, the others are refused", () => {
  const a = bytesOf("61");
  for (const coding of [0x00, 0x01, 0x03, 0x10, 0x11, 0xc0, 0xd0, 0xf0, 0xf1])
    assert.equal(decodeText(coding, a), "a");
  for (const coding of [0x08, 0x18, 0xe0]) assert.equal(decodeText(coding, bytesOf("0436")), "ж");
  assert.equal(decodeText(0x03, bytesOf("e9")), "é");
  for (const coding of [0x02, 0x04, 0x05, 0x14, 0x20, 0x84, 0xf4, 0xf5]) {
    assert.throws(() => decodeText(coding, a), { name: "DecodeError" }, `coding ${coding}`);
  }
  assert.throws(() => decodeText(0x08, bytesOf("043604")), { name: "DecodeError", offset: 2 });
});

test("text: more than 255 parts, and half a UTF-16 pair, are refused", () => {
  assert.equal(encodeText("a".repeat(255 * 153), { reference: 1 }).parts.length, 255);
  assert.throws(() => encodeText("a".repeat(255 * 153 + 1), { reference: 1 }), { code: "payload_too_long" });
  assert.throws(() => encodeText("ж\ud83d", { reference: 1 }), { code: "payload_malformed" });
});

test("user data without the header that is announced is refused", () => {
  assert.throws(() => splitHeader(new Uint8Array(0)), { name: "DecodeError", offset: 0 });
  assert.throws(() => splitHeader(bytesOf("05 00")), { name: "DecodeError", offset: 0 });
  assert.equal(hexOf(splitHeader(bytesOf("00 61")).data), "61");
});
