/** `turnup order list`: the table of orders and its filters. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { STORY, writeOrderStory } from "../../../test/fixture/order-story.ts";

const fixture = await cliFixture([
  { name: "order list", summary: "", load: async () => (await import("./orders.ts")).orderListCommand },
]);
const run = (...argv: string[]) => fixture.run(["order", "list", ...argv]);
const idsOf = (stdout: string) => jsonLines(stdout).flatMap(({ id }) => (id === undefined ? [] : [id]));

const NORTH = await fixture.operator("north");
const empty = await run();
const { orderId } = await writeOrderStory(fixture, NORTH);
await fixture.database.run(
  `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action, due_at,
          deadline_at, make, model, verdict, created_at, updated_at)
   select gen_random_uuid(), operator_id, subscriber_id, device_id, 'sim_moved', network_kind, 'waiting',
          'no number is known', 'wait', created_at, created_at, case when n = 3 then null else 'Bolt' end, null, 'unknown', created_at, updated_at
     from provisioning_order, generate_series(1, 5) n where id = $1`,
  [orderId],
);
await fixture.database.run(
  "update provisioning_order set created_at = created_at - interval '3 hours' where state = 'waiting'",
);

test("no orders are said to be none", () => {
  assert.deepEqual([empty.exitCode, empty.stdout], [0, ""]);
  assert.match(empty.stderr, /no orders\n$/);
});

test("the table shows each order with its phone, verdict, age and reason", async () => {
  const { stdout } = await run();
  const told = stdout.trimEnd().split("\n");
  assert.equal(told.length, 7);
  assert.match(told[0] ?? "", /^ORDER +STATE +PHONE +VERDICT +AGE +REASON$/);
  assert.match(stdout, /completed +Acme One +ended +2 h +all 1 items reached "works"/);
  assert.match(stdout, /waiting +Bolt \(model not named\) +unknown +5 h +no number is known/);
  assert.match(stdout, /waiting +not named +unknown/);
});

test("each filter finds what it names and nothing else", async () => {
  for (const [argv, count] of [
    [["--state", "waiting"], 5],
    [["--state", "failed"], 0],
    [["--cause", "first_registration"], 1],
    [["--verdict", "unknown"], 5],
    [["--make", "Bolt"], 4],
    [["--make", "Acme", "--model", "One"], 1],
    [["--make", "Acme", "--model", "Two"], 0],
    [["--imsi", STORY.imsi], 6],
    [["--imsi", "262011111111111"], 0],
    [["--msisdn", `+${STORY.msisdn}`], 6],
    [["--imei", STORY.imei.slice(0, 14), "--state", "completed"], 1],
  ] as [string[], number][]) {
    const { stdout, exitCode } = await run(...argv, "--json");
    assert.equal(exitCode, 0);
    assert.equal(idsOf(stdout).length, count, argv.join(" "));
    for (const number of Object.values(STORY)) assert.ok(!stdout.includes(number));
  }
});

test("pages follow each other by cursor and lose no order", async () => {
  const all = idsOf((await run("--json")).stdout);
  const seen: unknown[] = [];
  let cursor: string[] = [];
  for (let pages = 0; pages < 10; pages++) {
    const { stdout } = await run("--json", "--limit", "4", ...cursor);
    seen.push(...idsOf(stdout));
    const next = jsonLines(stdout).at(-1)?.nextCursor;
    if (next === undefined) break;
    cursor = ["--cursor", String(next)];
  }
  assert.deepEqual(seen, all);
  assert.match((await run("--limit", "1")).stderr, /there are more: add --cursor [0-9a-f-]{36}/);
});

test("orders are listed by what --sort names, filtered by times and attempts, with their number", async () => {
  await fixture.database.run("update provisioning_order set sends = 3 where make is null");
  const makesOf = async (...argv: string[]) =>
    jsonLines((await run(...argv, "--json")).stdout).flatMap(({ id, make }) =>
      id === undefined ? [] : [make],
    );
  assert.deepEqual(await makesOf("--sort", "make"), ["Acme", "Bolt", "Bolt", "Bolt", "Bolt", null]);
  assert.deepEqual(await makesOf("--sort", "make", "--order", "desc", "--limit", "2"), [null, "Bolt"]);
  assert.deepEqual(await makesOf("--attempts-from", "2"), [null]);
  assert.deepEqual(await makesOf("--sort", "attempts"), [null]);
  assert.equal((await makesOf("--sort", "deadline")).length, 5);
  assert.deepEqual(await makesOf("--sort", "updated", "--updated-from", "2126-01-01T00:00:00Z"), []);
  assert.match((await run("--state", "waiting", "--total", "exact")).stderr, /^5 in all$/m);
  assert.match((await run("--total", "estimate")).stderr, /^about \d+ in all$/m);
  const last = jsonLines((await run("--json", "--total", "exact")).stdout).at(-1);
  assert.deepEqual(last, { total: { kind: "exact", count: 6 } });
});

test("another operator sees none of it", async () => {
  await fixture.operator("south");
  assert.deepEqual(idsOf((await run("--json", "--operator", "south")).stdout), []);
  assert.deepEqual(idsOf((await run("--json", "--operator", "south", "--imsi", STORY.imsi)).stdout), []);
});

test("wrong usage and wrong numbers are refused before anything is asked", async () => {
  for (const argv of [
    ["--state", "gone"],
    ["--limit", "0"],
    ["--limit", "1001"],
    ["--limit", "1e2"],
    ["--sort", "size"],
    ["--order", "up"],
    ["--total", "about"],
    ["--updated-from", "yesterday"],
    ["--created-to", "2026-13-01T00:00:00Z"],
    ["--attempts-from", "1"],
  ]) {
    assert.equal((await run(...argv)).exitCode, 2, argv.join(" "));
  }
  for (const [argv, said] of [
    [["--cursor", "x"], /^cursor_malformed: /],
    [["--sort", "updated", "--make", "Bolt"], /^list_not_offered: .*\n.*state, updatedFrom/],
    [["--sort", "model"], /^list_not_offered: .*make alone/],
  ] as [string[], RegExp][]) {
    const refused = await run(...argv, "--operator", "north");
    assert.equal(refused.exitCode, 1, argv.join(" "));
    assert.match(refused.stderr, said);
  }
  const { exitCode, stderr } = await run("--imei", "352013071234567");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^imei_check_digit: /);
});
