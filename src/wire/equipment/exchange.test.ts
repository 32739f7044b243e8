/** Files that a registry exchanges: what is taken, what is told with the registry's own codes, and what stops the file. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ExchangeError, type ExchangeProfile, ExchangeReader, writeExchange } from "./exchange.ts";

/** Made up: the columns of SG.18 are not public. */
const PROFILE: ExchangeProfile = {
  separator: "|",
  header: { mark: "HDR", organisation: 1 },
  trailer: { mark: "TRL", count: 1 },
  record: { mark: "DTL", action: 1, reason: 2, from: 3, to: 4 },
  ...{ insert: "I", remove: "R", reasons: { "0011": "stolen" }, organisations: ["OURS", "THEIRS"] },
};
function read(lines: readonly string[], profile = PROFILE) {
  const reader = new ExchangeReader(profile);
  const taken = lines.map((line, at) => reader.take({ line: at + 1, cells: line.split(profile.separator) }));
  reader.end();
  return taken;
}
const row = (cells: string) => {
  const [, taken] = read(["HDR|OURS", cells, "TRL|1"]);
  return taken && "code" in taken ? taken.code : taken?.record;
};

test("a registry's records are read between header and trailer, and each that is none is told with the registry's code", () => {
  assert.deepEqual(row("DTL|I|0011|35693803564380|35693803564389"), {
    ...{ isRemoval: false, from: "35693803564380", to: "35693803564389", reason: "0011" },
    organisation: "OURS",
  });
  for (const [cells, code] of [
    ["DTL|I|0011|35693803564389|35693803564380", "0009"],
    ["DTL|I|0011|3569380356438|35693803564380", "0009"],
    ["DTL|I|0011|3569380356438x|35693803564380", "0009"],
    ["DTL|I|0099|35693803564380|35693803564380", "0010"],
    ["DTL|I|toString|35693803564380|35693803564380", "0010"],
    ["XXX|I|0011|35693803564380|35693803564380", "0011"],
    ["DTL|X|0011|35693803564380|35693803564380", "0012"],
    [`DTL|I|${"1".repeat(65)}|35693803564380|35693803564380`, "0012"],
    ["DTL|I||35693803564380|35693803564380", "0013"],
    ["DTL|I|0011|35693803564380", "0013"],
  ] as const)
    assert.equal(row(cells), code, cells);
});

test("a file without header or trailer, of a stranger, or whose trailer counts otherwise is taken as a whole by nobody", () => {
  const record = "DTL|I|0011|35693803564380|35693803564380";
  for (const [lines, code] of [
    [[], "0006"],
    [[record, "TRL|1"], "0006"],
    [["HDR|", record, "TRL|1"], "0004"],
    [["HDR|NOBODY", record, "TRL|1"], "0014"],
    [["HDR|OURS", record], "0007"],
    [["HDR|OURS", record, "TRL|2"], "0005"],
    [["HDR|OURS", record, "TRL|"], "0005"],
    [["HDR|OURS", record, "TRL|1", record], "0005"],
  ] as const)
    assert.throws(
      () => read(lines),
      (error) => error instanceof ExchangeError && error.code === code,
      `${lines} ${code}`,
    );
});

test("what is written is read again", async () => {
  const records = [{ from: "35693803564380", to: "35693803564389", reason: "0011" }];
  async function* given() {
    yield* records;
  }
  const { mark: _, ...bare } = PROFILE.record;
  for (const profile of [
    PROFILE,
    { ...PROFILE, record: { ...bare, action: 0, reason: 1, from: 2, to: 3 } },
  ]) {
    const lines: string[] = [];
    for await (const line of writeExchange(profile, given())) lines.push(line.replace(/\r\n$/, ""));
    const [, taken] = read(lines, profile);
    assert.deepEqual(taken && "record" in taken && taken.record, {
      ...{ ...records[0], isRemoval: false, organisation: "OURS" },
    });
  }
});
