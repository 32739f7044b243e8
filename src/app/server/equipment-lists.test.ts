/** The files of equipment lists: what is read, what is told of a line with a fault, and whose lists count for whom. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { readConfig } from "../config/config.ts";
import { readEquipmentPlace } from "../config/equipment-config.ts";
import { openEquipmentBook, readEquipmentLists } from "./equipment-lists.ts";

async function placeOf(lists: unknown, files: Readonly<Record<string, string>>, more: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), "turnup-equipment-"));
  whenDone(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries({ "lists.json": JSON.stringify(lists), ...files }))
    await writeFile(join(folder, name), content);
  const env = { TURNUP_EQUIPMENT_LISTS_FILE: join(folder, "lists.json"), ...more };
  return readEquipmentPlace(readConfig({ env, folder }).config);
}
const list = (more: object = {}) => ({
  name: "stolen",
  status: "black",
  priority: 1,
  file: "stolen.txt",
  ...more,
});
const handset = (imei: string, imsi?: string) => ({
  ...{ imei, imsi, softwareVersion: undefined, msisdn: undefined, visited: undefined },
});
const book = async (place: Awaited<ReturnType<typeof placeOf>>, ids: Readonly<Record<string, string>>) => {
  let nowMs = 0;
  const operators = new Map(Object.entries(ids));
  const opened = await openEquipmentBook(
    {
      operatorIdOf: async (slug) => operators.get(slug ?? "first"),
      ownOf: () => undefined,
      monotonicMs: () => nowMs,
      onFault: (_, error) => assert.fail(String(error)),
    },
    await readEquipmentLists(place),
  );
  return {
    ...opened,
    operators,
    pass(ms: number) {
      nowMs += ms;
    },
  };
};

test("each operator is answered by its own lists, whatever ends their lines; one that has none by the rules alone", async () => {
  const place = await placeOf(
    [list({ operator: "north" }), list({ operator: "south", file: "south.txt", status: "grey" })],
    { "stolen.txt": "\uFEFF# stolen\r\n35693803564380\r\n35693803564381", "south.txt": "35693803\r" },
    { TURNUP_EQUIPMENT_WHEN_UNLISTED: "grey" },
  );
  const { statusOf } = await book(place, { north: "n", south: "s" });
  assert.equal(statusOf("n", handset("35693803564381")), "black");
  assert.equal(statusOf("s", handset("35693803564381")), "grey");
  assert.equal(statusOf("n", handset("35693803564382")), "grey");
  assert.equal(statusOf("w", handset("35693803564381")), "grey");
});

test("lists that are read again count at once, and an operator that is made later finds its lists", async () => {
  const { statusOf, change, operators, pass } = await book(
    await placeOf([list()], { "stolen.txt": "35693803564380\n" }),
    {},
  );
  const of = (imei: string) => statusOf("n", handset(imei));
  assert.equal(of("35693803564380"), "white");
  operators.set("first", "n");
  pass(1_000);
  of("35693803564380");
  await new Promise((soon) => setImmediate(soon));
  assert.equal(of("35693803564380"), "black");
  const other = await placeOf([list()], { "stolen.txt": "35693803564399" });
  change(await readEquipmentLists(other));
  await new Promise((soon) => setImmediate(soon));
  assert.deepEqual([of("35693803564380"), of("35693803564399")], ["white", "black"]);
  const off = await placeOf(
    [list()],
    { "stolen.txt": "35693803564399" },
    { TURNUP_EQUIPMENT_ANSWERS_BLACK: "false" },
  );
  change(await readEquipmentLists(off));
  await new Promise((soon) => setImmediate(soon));
  assert.equal(of("35693803564399"), "white");
});

test("what is wrong in the files is told by file and line", async () => {
  for (const [lists, files, message] of [
    [[list(), list()], {}, /stolen stands in it twice/],
    [[list(), list({ name: "other" })], {}, /priority 1 stands in it twice/],
    [
      [list(), list({ name: "other", operator: "north" })],
      {},
      /some lists name their operator, and some do not/,
    ],
    [[list({ status: "red" })], {}, /\[0\]\.status/],
    [[list({ file: "none.txt" })], {}, /none\.txt cannot be read/],
    [
      [list()],
      { "stolen.txt": "35693803564380\nx\r\n\r\n35\n" },
      /stolen\.txt: line 2: 14 to 16 .*; line 4: 14 to 16 /,
    ],
    [[list()], { "stolen.txt": "x\n".repeat(100) }, /line 5: [^;]*\.$/],
  ] as const) {
    const read = async () => readEquipmentLists(await placeOf(lists, { "stolen.txt": "", ...files }));
    await assert.rejects(read(), { message }, String(message));
  }
});

test("lines are counted right where a file is read in pieces", async () => {
  const lines = `${"35693803564380\r\n".repeat(50_000)}x\r\n`;
  const place = await placeOf([list()], { "stolen.txt": lines });
  await assert.rejects(readEquipmentLists(place), { message: /line 50001: / });
});

test("settings that let everybody in are told to whoever refuses for another reason, as locks of SIMs", async () => {
  const files = { "stolen.txt": "35693803564380" };
  const operators = { first: "op-1" };
  assert.equal((await book(await placeOf([list()], files), operators)).answersBlack("op-1"), true);
  const off = await placeOf([list()], files, { TURNUP_EQUIPMENT_ANSWERS_BLACK: "false" });
  assert.equal((await book(off, operators)).answersBlack("op-1"), false);
});
