/** The sorted file of statuses: what was built of rows in any order is found, and what was changed or cut short is told. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { chanceOf, SEED } from "../../../test/fixture/seed.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import {
  BLOCK_OCTETS,
  FILE_STATUSES,
  findInBlock,
  HEADER_OCTETS,
  StatusBlockWriter,
} from "../../wire/equipment/status-file.ts";
import { type BuildAsked, buildStatusFile } from "./build-status-file.ts";
import { openStatusFile, statusFileIdentity } from "./status-file.ts";

const folder = await mkdtemp(join(tmpdir(), "turnup-status-file-"));
whenDone(() => rm(folder, { recursive: true }));
let files = 0;
async function built(lines: readonly string[], more: Partial<BuildAsked> = {}) {
  const from = join(folder, `${++files}.csv`);
  const to = more.to ?? join(folder, `${files}.eqs`);
  writeFileSync(from, lines.join("\n"));
  const made = await buildStatusFile({
    ...{ from, to, status: "black", madeAtMs: Date.parse("2026-03-01T12:00:00Z"), runRows: 1_000 },
    ...{ signal: new AbortController().signal, onProgress: () => undefined, ...more },
  });
  const file = openStatusFile(to, { name: "national", priority: 5 });
  whenDone(() => file.close());
  return { made, file, to, of: (imei: string) => file.find({ imei })?.list.status };
}
const digits = (imei14: number) => String(imei14).padStart(14, "0");

test("each handset of many is found with its status, whatever order the rows come in, and none beside them", async () => {
  const random = chanceOf(SEED);
  const wanted = new Map<number, number>();
  const lines: string[] = [];
  for (let at = 0; at < 20_000; at++) {
    // Near to each other and far apart, at both ends of the numbers that there are.
    const handset = Math.floor(random() ** 6 * 99_999_999_999_999);
    const status = Math.floor(random() * FILE_STATUSES.length);
    lines.push(`${digits(handset)}${at % 2 ? "7" : ""},${FILE_STATUSES[status]}`);
    wanted.set(handset, Math.min(wanted.get(handset) ?? status, status));
  }
  const { made, file, of } = await built(lines);
  assert.equal(made.handsets, wanted.size);
  assert.equal(file.header.handsets, wanted.size);
  for (const [handset, status] of wanted) {
    assert.equal(of(digits(handset)), FILE_STATUSES[status], digits(handset));
    if (!wanted.has(handset + 1)) assert.equal(of(`${digits(handset + 1)}0`), undefined, digits(handset + 1));
  }
  file.verify();
  assert.ok(made.octets < 20_000 * 8 + 3 * BLOCK_OCTETS, "it is smaller than its numbers");
});

test("a handset by itself stands before a range, a narrower range before a wider, and of two rows the stricter counts", async () => {
  const { made, of } = await built([
    "\uFEFFdevice,status",
    "# of the regulator",
    "35693803,grey",
    "35693803000100-35693803000199,white\r",
    "35693803000100-35693803000199,black",
    "356938030001507,white",
    "35693803000150,white",
    "35693804000000-35693804999999,black",
  ]);
  assert.deepEqual([made.handsets, made.ranges], [1, 4]);
  for (const [imei, status] of [
    ["35693802999999", undefined],
    ["35693803000000", "grey"],
    ["35693803000099", "grey"],
    ["35693803000100", "black"],
    ["35693803000149", "black"],
    ["35693803000150", "white"],
    ["35693803000151", "black"],
    ["35693803000199", "black"],
    ["35693803000200", "grey"],
    ["35693803999999", "grey"],
    ["35693804000000", "black"],
    ["35693804999999", "black"],
    ["35693805000000", undefined],
  ] as const)
    assert.equal(of(imei), status, imei);
});

test("lines that are none are told by their numbers, and nothing is put in place", async () => {
  const to = join(folder, "refused.eqs");
  writeFileSync(to, "what was there");
  const lines = [
    "35693803564380",
    "35",
    "35693803564380,red",
    "3569380356438001",
    "35693803564381-35693803564380",
  ];
  await assert.rejects(built(lines, { to }), (error: Error) => {
    for (const fact of [/line 2: 14 to 16/, /line 3: a status is/, /line 4: .*software/, /line 5: .*before/])
      assert.match(error.message, fact);
    return true;
  });
  assert.equal(readFileSync(to, "utf8"), "what was there");
  assert.ok(!existsSync(`${to}.building`), "nothing is left behind");
});

test("a build that was cut off is begun anew, and two at once are refused", async () => {
  const to = join(folder, "again.eqs");
  mkdirSync(`${to}.building`);
  writeFileSync(join(`${to}.building`, "pid"), String(process.pid));
  await assert.rejects(built(["35693803564380"], { to }), { code: "precondition_failed" });
  writeFileSync(join(`${to}.building`, "pid"), "0x7fffffff"); // nobody's
  writeFileSync(join(`${to}.building`, "run-0"), "half a row");
  await built(["35693803564380"], { to });
  const before = statusFileIdentity(to);
  await built(["35693803564381"], { to });
  assert.notEqual(statusFileIdentity(to), before, "the file is another one, put in place whole");
});

test("a file whose octets were changed, or that was cut short, is refused where it matters", async () => {
  const { to, file, of } = await built(["35693803564380"]);
  const octets = readFileSync(to);
  const spoiled = (at: number, end = octets.length) => {
    const copy = Buffer.from(octets.subarray(0, end));
    if (at < end) copy[at] = (copy[at] ?? 0) ^ 1;
    const path = join(folder, "spoiled.eqs");
    writeFileSync(path, copy);
    return path;
  };
  const named = { name: "spoiled", priority: 1 };
  for (const at of [0, 9, 15, 31, 50, 84, octets.length - 1])
    assert.throws(() => openStatusFile(spoiled(at), named), { code: "dataset_malformed" }, `octet ${at}`);
  for (const end of [0, 100, HEADER_OCTETS, octets.length - 1])
    assert.throws(() => openStatusFile(spoiled(octets.length, end), named), { code: "dataset_malformed" });
  const inBlock = openStatusFile(spoiled(HEADER_OCTETS + 3), named);
  assert.throws(() => inBlock.find({ imei: "35693803564380" }), /block 0/);
  assert.throws(() => inBlock.verify(), { code: "dataset_malformed" });
  inBlock.close();
  file.verify();
  assert.equal(of("35693803564380"), "black");
  const { of: none } = await built([]);
  assert.equal(none("35693803564380"), undefined);
});

test("a block gives back what was put into it, and a damaged one ends without a hang", () => {
  const writer = new StatusBlockWriter();
  assert.ok(writer.put(1, 1, 0));
  assert.ok(writer.put(99_999_999_999_000, 99_999_999_999_999, 2));
  const { first, octets } = writer.take();
  assert.deepEqual(
    [0, 1, 2, 99_999_999_999_000, 99_999_999_999_999].map((handset) => findInBlock(octets, first, handset)),
    [-1, 0, -1, 2, 2],
  );
  const random = chanceOf(SEED);
  for (let turn = 0; turn < 20_000; turn++) {
    const damaged = octets.slice();
    for (let change = 0; change < 8; change++)
      damaged[Math.floor(random() * 24)] = Math.floor(random() * 256);
    try {
      const found = findInBlock(damaged, first, 99_999_999_999_500);
      assert.ok(found >= -1 && found <= 3);
    } catch (error) {
      assert.equal(error instanceof Error && error.name, "DecodeError");
    }
  }
});
