/** Text of a file that comes in parts: the same however it is cut, packed or not; bombs and broken files are refused. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "vitest";
import { decodedText } from "../../wire/csv/text.ts";
import { linesIn, textOf } from "./file-text.ts";

const OCTETS_MAX = 64 * 1_048_576;
async function* cut(octets: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length);
}
async function read(octets: Uint8Array, length = 1_000, octetsMax = OCTETS_MAX): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of textOf(cut(octets, length), octetsMax)) pieces.push(piece);
  return pieces.join("");
}
const TEXT = `tac,make,model\n${"35123411,Café,X\n".repeat(100)}`;
const FORMS: readonly (readonly [string, Buffer])[] = [
  ["UTF-8", Buffer.from(TEXT)],
  ["UTF-8 with its mark", Buffer.from(`\ufeff${TEXT}`)],
  ["UTF-16 with its mark", Buffer.from(`\ufeff${TEXT}`, "utf16le")],
  ["UTF-16 without a mark", Buffer.from(TEXT, "utf16le")],
  ["a short text", Buffer.from("a,b\n1,2")],
  ["nothing", Buffer.alloc(0)],
];

for (const [what, octets] of FORMS) {
  test(`${what} is read as it is as a whole, wherever it is cut, packed or not`, async () => {
    for (const length of [1, 2, 3, 255, 256, 257, 5_000]) {
      assert.equal(await read(octets, length), decodedText(octets), `parts of ${length}`);
      if (octets.length > 0)
        assert.equal(await read(gzipSync(octets), Math.max(2, length)), decodedText(octets));
    }
  });
}

test("a packed file that is cut off, that is broken, or that unpacks to far more than a list does, is refused", async () => {
  const packed = gzipSync(Buffer.from(TEXT));
  const broken = Buffer.from(packed);
  broken.fill(0xff, 20, 40);
  for (const octets of [
    packed.subarray(0, packed.length - 12),
    broken,
    gzipSync(Buffer.alloc(30 * 1_048_576)),
  ])
    await assert.rejects(read(octets), { code: "dataset_malformed" });
});

test("a file that is longer than one may be is refused before all of it was read; a fault on the way stays what it is", async () => {
  await assert.rejects(read(Buffer.alloc(5_000, 65), 1_000, 4_000), { code: "input_too_long" });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield gzipSync(Buffer.from(TEXT)).subarray(0, 30);
    throw new RangeError("the database went away");
  }
  const reading = async () => {
    for await (const _ of textOf(failing(), OCTETS_MAX));
  };
  await assert.rejects(reading, RangeError);
});

test("lines are counted whatever ends them, and wherever the text is cut", async () => {
  for (const [text, lines] of [
    ["a\nb\nc", 3],
    ["a\r\nb\r\nc", 3],
    ["a\rb\rc", 3],
    ["a\nb\n", 3],
    ["a\r\nb\r\n", 3],
    ["a\rb\r", 3],
    ["", 1],
  ] as const) {
    for (const length of [1, 2, 10]) {
      async function* pieces(): AsyncGenerator<string> {
        for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
      }
      assert.equal(await linesIn(pieces()), lines, JSON.stringify([text, length]));
    }
  }
});
