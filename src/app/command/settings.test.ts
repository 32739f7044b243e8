/** `turnup settings find`: which access points a SIM gets, and why. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { test } from "vitest";
import { runCli } from "../terminal/runner.ts";
import { settingsFindCommand } from "./settings.ts";

const entry = {
  name: settingsFindCommand.name,
  summary: settingsFindCommand.summary,
  load: async () => settingsFindCommand,
};

async function turnup(argv: readonly string[], stdin = "") {
  const out = new PassThrough();
  const err = new PassThrough();
  const code = await runCli([entry], ["settings", "find", ...argv], {
    stdin: Readable.from([stdin]) as never,
    stdout: out,
    stderr: err,
    env: {},
    now: () => new Date(0),
    version: "0",
    signal: new AbortController().signal,
  });
  const text = (stream: PassThrough) => String(stream.read() ?? "");
  return { code, out: text(out), err: text(err) };
}
const linesOf = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("settings find answers in JSON, best first, unconfirmed, with source and criterion, without password", async () => {
  const { code, out } = await turnup(["--mcc", "262", "--mnc", "01", "--json"]);
  const [answer] = linesOf(out);
  const [first] = answer.matches;
  assert.equal(code, 0);
  assert.deepEqual(
    [first.use, first.apn, first.confirmed, first.match],
    ["internet", "internet.telekom", false, "plmn"],
  );
  assert.deepEqual(Object.keys(first.source), ["name", "version", "licence"]);
  assert.equal("refused" in answer, false);
  assert.doesNotMatch(out, /"password"/);
});

test("passwords are printed only when asked for", async () => {
  const { out } = await turnup(["--mcc", "262", "--mnc", "01", "--json", "--show-secrets"]);
  assert.equal(linesOf(out)[0].matches[0].password, "telekom");
});

test("a use narrows the answer, and one that is not known says so", async () => {
  const mms = linesOf((await turnup(["--mcc", "262", "--mnc", "02", "--use", "mms", "--json"])).out)[0];
  assert.deepEqual(
    mms.matches.map((match: { use: string; mmsPort: number }) => [match.use, match.mmsPort]),
    [["mms", 80]],
  );
  const none = linesOf((await turnup(["--mcc", "262", "--mnc", "02", "--use", "mcx", "--json"])).out)[0];
  assert.match(none.refused, /none for mcx/);
});

test("a virtual operator without a set is refused with names, and that is an answer: exit code 0", async () => {
  const { code, out } = await turnup(["--mcc", "234", "--mnc", "15", "--spn", "eSIM Go", "--json"]);
  const [answer] = linesOf(out);
  assert.deepEqual([code, answer.matches], [0, []]);
  assert.match(answer.refused, /eSIM Go.*Vodafone UK/);
});

test("an IMSI alone gives MCC and MNC", async () => {
  const { out } = await turnup(["--imsi", "310260123456789", "--json"]);
  assert.equal(linesOf(out)[0].matches[0].apn, "fast.t-mobile.com");
});

test("a file gives one answer a line; a bad line is answered in its place and the rest goes on", async () => {
  const queries = [
    '{"mcc":"234","mnc":"20"}',
    "not json",
    '{"mcc":"262","mnc":1}',
    '["mcc"]',
    '{"mcc":"234","mnc":"20","gid1":"xyz"}',
    '{"mcc":"234","mnc":"10","spn":"giffgaff"}',
  ];
  const { code, out } = await turnup(["--file", "-", "--json"], `${queries.join("\n")}\n`);
  const answers = linesOf(out);
  assert.equal(code, 0);
  assert.equal(answers[0].matches[0].apn, "three.co.uk");
  assert.deepEqual(
    answers.slice(1, 5).map(({ error, line }) => [error.code, line]),
    [2, 3, 4, 5].map((line) => ["settings_query_malformed", line]),
  );
  assert.deepEqual([answers[5].matches[0].apn, answers[5].matches[0].match], ["giffgaff.com", "spn"]);
});

test("the operator's own file comes first, confirmed, and its bad rows are named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-"));
  try {
    const file = join(folder, "own.csv");
    writeFileSync(file, "mcc,mnc,use,apn\n262,01,internet,own.telekom\n262,1,internet,x\n");
    const { out, err } = await turnup(["--mcc", "262", "--mnc", "01", "--own", file, "--json"]);
    const [first] = linesOf(out)[0].matches;
    assert.deepEqual([first.apn, first.match, first.confirmed], ["own.telekom", "own", true]);
    assert.match(err, /line 3: mnc "1"/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a person gets a table that says what is unconfirmed and where it is from", async () => {
  const { out } = await turnup(["--mcc", "262", "--mnc", "02"]);
  assert.match(out, /^USE +APN/);
  assert.match(out, /\nnote: only the network was given, neither SPN nor GID1 or GID2: no such sign/);
  assert.match(out, /internet +web\.vodafone\.de .*unconfirmed: AOSP/);
});

const wrong = [
  { argv: [], code: 2 },
  { argv: ["--mcc", "262"], code: 1 },
  { argv: ["--mcc", "26", "--mnc", "01"], code: 1 },
  { argv: ["--mcc", "262", "--mnc", "1"], code: 1 },
  { argv: ["--mcc", "262", "--mnc", "01", "--use", "surfing"], code: 2 },
  { argv: ["--mcc", "262", "--mnc", "01", "--file", "-"], code: 2 },
  { argv: ["--file", "/nowhere/queries.jsonl"], code: 1 },
];
for (const { argv, code } of wrong) {
  test(`settings find ${argv.join(" ")}: exit code ${code}, nothing on stdout`, async () => {
    const result = await turnup(argv);
    assert.deepEqual([result.code, result.out], [code, ""]);
    assert.notEqual(result.err, "");
  });
}
