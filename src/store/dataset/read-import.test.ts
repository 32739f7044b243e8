/** A file that is read in pieces gives what it gives as a whole, wherever it is cut. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { RowRead } from "./device-import.ts";
import type { OwnKind } from "./own-devices.ts";
import { openStreamedImport, readDeviceImport } from "./read-import.ts";

async function* cut(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

type Hints = Parameters<typeof readDeviceImport>[3];
const FILES: readonly (readonly [string, OwnKind, string, Hints?])[] = [
  [
    "a TAC list",
    "tac",
    'tac,make,model\n87654321,Acme,"One, silver"\n1234567,Acme,Two\n3514730,Acme,Three\n"87654322,87654323",Acme,Four\n87654321,Acme,Again\n',
  ],
  ["a TAC list by places", "tac", "Acme;87654321;One\r\nAcme;x;Two\r\n", { columns: "tac=1,make=0,model=2" }],
  [
    "a Device Map",
    "tac",
    'TAC|Manufacturer|Model Name|Marketing Name|Brand Name\n87654321|Acme|A1|One 14"|Acme\n',
  ],
  ["a lifecycle", "lifecycle", "sep=;\nmake;label;security_updates_end\nAcme;One;2031-01-01\nAcme;;2031\n"],
  ["a capability list", "capability", "make,os,oma_cp,colour\nAcme,iOS,yes,red\nAcme,iOS,maybe,red\n"],
  [
    "models by JSON",
    "device_facts",
    '[{"make": "Acme", "name": "One", "bands": ["GSM 900"]}, {"make": "Acme"}]',
  ],
  ["models by csv", "device_facts", "make,name,form\rAcme,One,pager\rAcme,Two,spaceship\r"],
];

for (const [what, kind, text, hints] of FILES) {
  test(`${what}: the same rows, refusals and warnings in pieces as in one`, async () => {
    const whole = readDeviceImport(kind, "ours", Buffer.from(text), hints);
    for (const length of [1, 3, 16, 10_000]) {
      const streamed = await openStreamedImport(kind, cut(text, length), hints);
      const reads: RowRead[] = [];
      for await (const piece of streamed.pieces) reads.push(...piece);
      assert.deepEqual(
        reads.filter((read) => "body" in read),
        whole.rows,
        `pieces of ${length}`,
      );
      assert.deepEqual(
        reads.flatMap((read) => ("refused" in read ? [{ line: read.line, reason: read.refused }] : [])),
        whole.refused,
      );
      assert.deepEqual(streamed.warnings(), whole.warnings);
    }
  });
}

test("what a file is read from is let go of where its header is none, and where somebody stops in the middle", async () => {
  let closed = 0;
  async function* source(text: string): AsyncGenerator<string> {
    try {
      yield text;
      yield* cut("87654321,Acme,One\n".repeat(50_000), 65_536);
    } finally {
      closed++;
    }
  }
  await assert.rejects(openStreamedImport("tac", source("a,b\n")), { code: "dataset_malformed" });
  assert.equal(closed, 1);
  const { pieces } = await openStreamedImport("tac", source("tac,make,model\n"));
  for await (const _ of pieces) break;
  assert.equal(closed, 2);
});
