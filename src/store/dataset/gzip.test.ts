/** A gzip that unpacks to more than such a file ever holds is refused before it is unpacked. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { test } from "vitest";
import { TurnupError } from "../../term/error.ts";
import { parseAccessPointImport } from "./access-point-import.ts";
import { contentOf } from "./content.ts";
import { isGzip, unpacked } from "./gzip.ts";

const MIB = 1024 * 1024;

test("what is packed comes back, also where it is all repetition and small", () => {
  const text = Buffer.from("35693803,Nokia,3310\n".repeat(50_000));
  assert.deepEqual(unpacked(gzipSync(text), 16 * MIB), text);
});

/** As Node tells where it stopped: what the process has grown by meanwhile is other tests' too. */
const stoppedBelow = (octetsMax: number) => (error: unknown) => {
  const [, octets] = /Cannot create a Buffer larger than (\d+) bytes/.exec(String(error)) ?? [];
  return octets !== undefined && Number(octets) < octetsMax;
};

test("a bomb is refused long before its size: of 400 MiB of zeros no 100 MiB are unpacked", () => {
  const bomb = Buffer.concat(new Array<Buffer>(400).fill(gzipSync(Buffer.alloc(MIB)))); // RFC 1952: members follow one another
  assert.ok(isGzip(bomb) && bomb.length < MIB);
  const isEarly = stoppedBelow(100 * MIB);
  assert.throws(() => unpacked(bomb, 512 * MIB), isEarly);
  for (const [code, read] of [
    ["dataset_malformed", () => contentOf("tac", "list.csv.gz", bomb)],
    ["access_point_import_malformed", () => parseAccessPointImport(bomb, "csv")],
  ] as const)
    assert.throws(
      read,
      (error) => error instanceof TurnupError && error.code === code && isEarly(error.cause),
    );
});

test("a large bomb is refused by its first octets, whatever its size would let a list come to; a large list is unpacked whole", () => {
  const bomb = Buffer.concat(new Array<Buffer>(3_000).fill(gzipSync(Buffer.alloc(MIB)))); // 3 GiB
  assert.ok(bomb.length > 2 * MIB);
  assert.throws(() => unpacked(bomb, 512 * MIB), /larger than 19922944 bytes/);
  const list = randomBytes(MIB);
  assert.deepEqual(unpacked(gzipSync(list), 16 * MIB), list);
});
