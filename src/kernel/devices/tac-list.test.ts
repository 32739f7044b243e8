/** A packed list of TACs says what its rows said. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { PackedMap } from "./packed-texts.ts";
import type { TacRow } from "./rows.ts";
import { TacList } from "./tac-list.ts";

const row = (tac: string, more: Partial<TacRow> = {}): TacRow => ({
  tac,
  make: "Nokia",
  model: "Ø 3310 ☎",
  modelCodes: ["NHM-5", "NHM-5NX"],
  names: [],
  aka: ["3310"],
  upstreamSource: "",
  listedYear: null,
  releasedYear: 2000,
  suspect: false,
  ...more,
});

test("a packed list gives its rows back as they were, in their order, and finds the first of each TAC", () => {
  const rows = [
    row("35123499", { suspect: true, names: ["One", "Two"] }),
    row("01000100", { make: "Ericsson", releasedYear: null, listedYear: 2018, upstreamSource: "a list" }),
    row("35123499", { make: "Somebody else" }),
    row("00000001", { aka: [], modelCodes: [] }),
  ];
  const list = new TacList(rows);
  assert.deepEqual([...list], rows);
  assert.deepEqual(list.find("35123499"), rows[0]);
  assert.deepEqual(list.find("00000001"), rows[3]);
  for (const tac of ["35123498", "99999999", "0", "", "3512349x", "351234990"]) {
    assert.equal(list.find(tac), undefined, tac);
    assert.equal(list.has(tac), false, tac);
  }
  assert.deepEqual([...list.tacs()], ["00000001", "01000100", "35123499"]);
  assert.deepEqual([...new TacList([])], []);
  assert.equal(new TacList([]).find("35123499"), undefined);
});

test("TACs with the same first six digits are told together, each once, and no others", () => {
  const list = new TacList(
    ["35123500", "35123499", "35123400", "35123399", "35123400"].map((tac) => row(tac)),
  );
  assert.deepEqual(
    [...list.ofSixDigits("35123450")].map(({ tac }) => tac),
    ["35123400", "35123499"],
  );
});

test("a row of a model of its own takes no more than its texts and a hundred octets", () => {
  const rows = Array.from({ length: 20_000 }, (_, at) =>
    row(String(10_000_000 + at), { model: `Model ${at}`, modelCodes: [`CODE-${at}`], names: [`Name ${at}`] }),
  );
  const { octets } = new TacList(rows);
  assert.ok(octets / rows.length < 100, `${octets / rows.length} octets a row`);
});

test("a packed map finds what was put into it, and nothing else", () => {
  const entries = new Map(
    Array.from({ length: 5_000 }, (_, at) => [`Make/${at % 2 ? "ä" : ""}${at}`, at - 7]),
  );
  const map = new PackedMap(entries);
  for (const [key, value] of entries) assert.equal(map.get(key), value);
  for (const key of ["Make/", "Make/5000", "", "ä"]) assert.equal(map.get(key), undefined);
  assert.equal(new PackedMap(new Map()).get("any"), undefined);
});
