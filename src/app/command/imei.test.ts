/** `turnup imei`: one number or a file of them, answered line by line. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import type { ImeiAnswer } from "./imei.ts";

const ENTRIES = [{ name: "imei", summary: "", load: async () => (await import("./imei.ts")).imeiCommand }];
const run = (argv: readonly string[], stdin = "") => runWith(ENTRIES, ["imei", ...argv], stdin);
const answersOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ImeiAnswer);

const CASES = parse(
  readFileSync(join(import.meta.dirname, "../../../test/vector/data/imei-cases.csv"), "utf8"),
  {
    columns: true,
  },
) as { input: string; kind: string; valid: string }[];

test("every row of the IMEI cases is answered as the file says", async () => {
  const { stdout, exitCode } = await run(["--json", ...CASES.map(({ input }) => input)]);
  const answers = answersOf(stdout);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    answers.map(({ input, kind, valid }) => ({ input, kind, valid })),
    CASES.map(({ input, kind, valid }) => ({ input, kind: kind || "none", valid: valid === "yes" })),
  );
  for (const { valid, error, tac, kind } of answers) {
    assert.equal(error === undefined, valid);
    assert.equal(tac !== null, valid && !kind.startsWith("meid"));
  }
});

test("an answer has all fields, years as numbers", async () => {
  const { stdout } = await run(["35201307123456", "--json", "--as-of", "2026-11-22"]);
  const [answer] = answersOf(stdout);
  assert.ok(answer);
  const {
    input,
    valid,
    imei,
    tac,
    make,
    model,
    source,
    releasedYear,
    ageWindow,
    modelCodes,
    verdict,
    supportEnds,
  } = answer;
  assert.deepEqual(
    { input, valid, imei, tac, make, model, source, releasedYear, ageWindow, verdict, supportEnds },
    {
      input: "35201307123456",
      valid: true,
      imei: "352013071234568",
      tac: "35201307",
      make: "Apple",
      model: "iPhone 6",
      source: "tac-osmocom",
      releasedYear: 2014,
      ageWindow: { from: 2014, to: 2016 },
      verdict: "ended",
      supportEnds: "2023-01-23",
    },
  );
  assert.ok(Array.isArray(modelCodes));
  assert.deepEqual(
    answer.reasons.map(({ rule, decided }) => [rule, decided]),
    [["maker_support_end", true]],
  );
});

test("a file is answered line by line: blank lines skipped, bad ones answered, order kept, CRLF and no last line end", async () => {
  const { stdout, exitCode } = await run(
    ["--file", "-", "--json"],
    "\ufeff490154203237518\r\n\r\nrubbish\n  35201307123456  ",
  );
  assert.equal(exitCode, 0);
  assert.deepEqual(
    answersOf(stdout).map(({ input, valid }) => [input, valid]),
    [
      ["490154203237518", true],
      ["rubbish", false],
      ["35201307123456", true],
    ],
  );
});

test("a line without end is cut, not kept whole in memory", async () => {
  const { stdout, exitCode } = await run(
    ["--file", "-", "--json"],
    `${"4".repeat(3_000_000)}\n490154203237518\n`,
  );
  const answers = answersOf(stdout);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    answers.map(({ valid }) => valid),
    [false, true],
  );
  assert.ok((answers[0]?.input.length ?? 0) <= 1_048_576);
});

test("ten thousand lines stream through", async () => {
  const { stdout } = await run(["--file", "-", "--json"], "35201307123456\n".repeat(10_000));
  assert.equal(stdout.trim().split("\n").length, 10_000);
});

test("the card for people names the device, the verdict, and marks the rule that decided", async () => {
  const { stdout } = await run(["35201307123456", "1", "--as-of", "2026-11-22"]);
  assert.match(stdout, /device +Apple iPhone 6/);
  assert.match(stdout, /\* maker_support_end +ended +model iPhone 6, matchedBy \w+, ends 2023-01-23/);
  assert.match(stdout, /^1 {2}not valid \(identity_unknown\)/m);
});

test("the operator's cut-off and the day can be given", async () => {
  const { stdout } = await run(["35037334123456", "--json", "--cut-off", "2", "--as-of", "2026-01-01"]);
  assert.equal(answersOf(stdout)[0]?.verdict, "ended");
});

for (const argv of [
  [],
  ["--as-of", "2026-02-30", "1"],
  ["--as-of", "soon", "1"],
  ["--cut-off", "0", "1"],
  ["--bogus"],
]) {
  test(`turnup imei ${argv.join(" ")} is wrong usage`, async () => {
    const { exitCode, stdout, stderr } = await run(argv);
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    assert.notEqual(stderr, "");
  });
}

test("a file that is not there ends with its code, as text or as JSON", async () => {
  const text = await run(["--file", "/nowhere/seen.txt"]);
  assert.equal(text.exitCode, 1);
  assert.match(text.stderr, /^file_unreadable: .*\nCheck the path/);
  const json = await run(["--file", "/nowhere/seen.txt", "--json"]);
  assert.equal(JSON.parse(json.stderr).error.code, "file_unreadable");
});

test("bin/turnup.js answers from any folder, and a reader that stops early is no error", () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-imei-"));
  try {
    const bin = join(import.meta.dirname, "../../../bin/turnup.js");
    writeFileSync(join(folder, "seen.txt"), "35201307123456\n".repeat(20_000));
    const command = `"${process.execPath}" "${bin}" imei --file seen.txt --json | head -1; echo "exit \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: folder, encoding: "utf8" });
    const [first, exit] = stdout.trim().split("\n");
    assert.equal((JSON.parse(first ?? "") as ImeiAnswer).model, "iPhone 6");
    assert.equal(exit, "exit 0");
    assert.equal(stderr.replace(/^npm warn.*\n/gm, ""), "");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
