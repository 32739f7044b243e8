/** Another operator's list of TACs beside our verdicts: at the command line, and as a job. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { insertPastOrders } from "../../../test/fixture/past-orders.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { bringFile } from "../../store/jobs/job-files.ts";
import { createJobs } from "../../store/jobs/jobs.ts";
import { takeJob } from "../../store/jobs/run-job.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { knowledgeBeside } from "../server/knowledge-beside.ts";
import { policyComparisonKind, policyComparisons } from "../server/policy-comparison.ts";
import type { Store } from "../server/store.ts";
import { policyCompareCommand } from "./policy-compare.ts";

const fixture = await cliFixture([{ ...policyCompareCommand, load: async () => policyCompareCommand }]);
const { database, sealer } = fixture;
const NORTH = await fixture.operator("north");
const knowledge = await knowledgeBeside({ store: { database, sealer } as Store });
/** A Nokia 3310, which its maker left behind, by the shipped lists. */
const OLD_TAC = "35010210";
const NEW_TAC = tacOf("Galaxy S24");
/** In no list, and of no reporting body. */
const NOBODYS = "00999999";

function tacOf(model: string): string {
  const { catalog } = knowledge;
  for (const { rows } of catalog.data.tac)
    for (const row of rows)
      if (row.make === "Samsung" && catalog.deviceOf(row.tac).model === model) return row.tac;
  return assert.fail("no list has it");
}

await insertPastOrders(fixture, NORTH, {
  ...{ tac: OLD_TAC, make: "Nokia", model: "3310", verdict: "ended", rule: "maker_exit" },
  ...{ from: "2026-05-01T10:00:00Z", count: 3 },
});
const LIST = `tac,verdict,reason\n${NEW_TAC},ended,3G is off\n${NOBODYS},ended,\n123,ended,\n`;
const WANTED = [
  ["theirs_only", NOBODYS],
  ["ours_only", OLD_TAC],
  ["other_verdict", NEW_TAC],
];

test("each TAC of which the two say other things is a row with the rule of ours, its fact, source and date", async () => {
  const file = fixture.file("theirs.csv", LIST);
  const run = await fixture.run(["policy", "compare", file, "--operator", "north", "--json"]);
  assert.equal(run.exitCode, 0, run.stderr);
  assert.match(run.stderr, /theirs\.csv line 4: a TAC has 8 digits/);
  const rows = jsonLines(run.stdout);
  assert.deepEqual(
    rows.slice(0, -1).map(({ code, tac }) => [code, tac]),
    WANTED,
  );
  const [nobodys, old, current] = rows;
  assert.deepEqual([nobodys?.rule, nobodys?.ours], [null, "unknown"]);
  assert.equal(old?.ours, "ended");
  assert.ok(typeof old?.rule === "string" && typeof old.date === "string");
  assert.deepEqual(
    [current?.theirs, current?.theirBecause, current?.ours, current?.rule],
    ["ended", "3G is off", "supported", "maker_support_end"],
  );
  const text = await fixture.run(["policy", "compare", file, "--operator", "north"]);
  assert.match(text.stdout, /other_verdict +Samsung Galaxy S24: they say ended \(line 2, since 3G is off\)/);
  assert.match(
    text.stderr,
    /2 TACs of theirs and 1 seen here: 0 the same, 1 in theirs only, 1 in ours only, 1 with other verdicts/,
  );
});

test("as a job it leaves the same rows, those that are none too, and lets the list go", async () => {
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock: () => new Date() });
  const { termsOf } = createOrderStore(database, sealer, registry.ownWords);
  const clock = () => new Date();
  const kinds = [policyComparisonKind({ database, knowledge, termsOf, clock })];
  const deps = { database, newId: uuidv7, clock, kinds, nodeNumber: () => null, onFault: () => undefined };
  const jobs = createJobs(deps);
  async function* octets() {
    yield Buffer.from(LIST);
  }
  const file = await bringFile(deps, NORTH, octets(), 1_000);
  const id = await policyComparisons(deps, jobs).ask(NORTH, {
    ...{ fileId: file.id, sha256: file.sha256, fileName: "theirs.csv" },
    askedBy: { label: "ada-laptop", person: "Ada", vouchedBy: [] },
  });
  assert.equal(await (await takeJob(deps, new AbortController().signal))?.run(), "done");
  const rows = (await jobs.outcomes(NORTH, id, { limit: 10, after: 0 })) ?? [];
  assert.deepEqual(
    rows.map(({ code, subject }) => [code, subject]),
    [["refused", "line 4"], ...WANTED],
  );
  assert.match(rows[3]?.reason ?? "", /here it is supported by maker_support_end \(.*\); from /);
  const job = await jobs.find(NORTH, id);
  assert.equal(
    job?.reason,
    "1 of their TACs have no verdict here, 1 of ours none there, of 1 the verdicts differ.",
  );
  assert.deepEqual(await database.rows("select id from job_file"), []);
});
