/** A policy replayed over verdicts of the past: at the command line, and as a job. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { insertPastOrders } from "../../../test/fixture/past-orders.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createJobs } from "../../store/jobs/jobs.ts";
import { takeJob } from "../../store/jobs/run-job.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { knowledgeBeside } from "../server/knowledge-beside.ts";
import { policyReplayKind, policyReplays } from "../server/policy-replay-job.ts";
import type { Store } from "../server/store.ts";
import { policyReplayCommand } from "./policy-replay.ts";

const fixture = await cliFixture([{ ...policyReplayCommand, load: async () => policyReplayCommand }]);
const { database, sealer } = fixture;
const NORTH = await fixture.operator("north");
const SOUTH = await fixture.operator("south");
const OLD = { tac: "35010210", make: "Nokia", model: "3310", verdict: "ended", rule: "maker_exit" } as const;
/** A Galaxy S24, by the shipped list. */
const NEW_TAC = await tacOf("S24");

async function tacOf(model: string): Promise<string> {
  const { catalog } = await knowledgeBeside({ store: { database, sealer } as Store });
  for (const { rows } of catalog.data.tac)
    for (const row of rows)
      if (row.make === "Samsung" && catalog.deviceOf(row.tac).model === `Galaxy ${model}`) return row.tac;
  return assert.fail("no list has it");
}
const CURRENT = {
  tac: NEW_TAC,
  make: "Samsung",
  model: "Galaxy S24",
  verdict: "supported",
  rule: "maker_support_end",
} as const;

await insertPastOrders(fixture, NORTH, { ...OLD, from: "2026-05-01T10:00:00Z", count: 20 });
await insertPastOrders(fixture, NORTH, { ...CURRENT, from: "2026-05-01T11:00:00Z", count: 7 });
await insertPastOrders(fixture, NORTH, { ...CURRENT, from: "2026-05-02T11:00:00Z", count: 5, market: "AT" });
await insertPastOrders(fixture, NORTH, { ...CURRENT, from: "2026-04-30T11:00:00Z", count: 50 });
await insertPastOrders(fixture, NORTH, {
  ...CURRENT,
  verdict: "unknown",
  rule: "age_cutoff",
  from: "2026-05-03T11:00:00Z",
  count: 2,
});
await insertPastOrders(fixture, SOUTH, { ...CURRENT, from: "2026-05-01T11:00:00Z", count: 90 });

const POLICY = 'listedModels: ["Samsung/Galaxy S24"]\n';
const replay = async (...argv: string[]) =>
  await fixture.run(["policy", "replay", "--operator", "north", "--since", "2026-05-01", ...argv]);

test("a policy tried tells each model whose verdict would be another, with both rules and why; nothing is changed", async () => {
  const run = await replay(fixture.file("new.yaml", POLICY), "--json");
  assert.equal(run.exitCode, 0, run.stderr);
  const rows = jsonLines(run.stdout);
  const told = rows
    .slice(0, -1)
    .map(({ code, tac, market, formerVerdict, formerRule, verdict, rule, verdicts }) => [
      ...[code, tac, market, formerVerdict, formerRule, verdict, rule, verdicts],
    ]);
  assert.deepEqual(told, [
    ["verdict_changes", NEW_TAC, null, "supported", "maker_support_end", "ended", "model_list", 7],
    ["verdict_changes", NEW_TAC, "AT", "supported", "maker_support_end", "ended", "model_list", 5],
    ["verdict_changes", NEW_TAC, null, "unknown", "age_cutoff", "ended", "model_list", 2],
  ]);
  assert.match(String(rows[0]?.why), /^ended by model_list \(listed Samsung\/Galaxy S24/);
  assert.deepEqual((rows.at(-1) as { summary: unknown }).summary, {
    ...{ verdicts: 34, unchanged: 20, untold: 0 },
    byCode: { verdict_changes: 14, rule_changes: 0, changes_anyway: 0 },
    moves: { "supported to ended": 12, "unknown to ended": 2 },
  });
  assert.deepEqual(await database.rows("select version from operator_policy"), []);
});

test("without a file the policy in force is replayed: what data or deals have changed since is told apart", async () => {
  const run = await replay();
  assert.match(
    run.stdout,
    /changes_anyway +2 verdicts of Samsung Galaxy S24: unknown by age_cutoff becomes supported by maker_support_end/,
  );
  assert.match(
    run.stderr,
    /34 verdicts, 32 unchanged, 0 changed, 0 by another rule, 2 changed whichever policy/,
  );
});

test("as a job it leaves a row for each model and the sums, and begins anew after a server's end", async () => {
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock: () => new Date() });
  const orders = createOrderStore(database, sealer, registry.ownWords);
  const knowledge = await knowledgeBeside({ store: { database, sealer } as Store });
  const kinds = [policyReplayKind({ database, knowledge, termsOf: orders.termsOf })];
  const deps = {
    database,
    newId: uuidv7,
    clock: () => new Date(),
    kinds,
    nodeNumber: () => null,
    onFault: () => undefined,
  };
  const jobs = createJobs(deps);
  const secret = { name: "of the laboratory", imei: "350102104654322", verdict: "ended" } as const;
  const asked = {
    ...{ id: uuidv7(), since: new Date("2026-05-01T00:00:00Z"), fromVersion: 0 },
    policy: { ...DEFAULT_POLICY, listedModels: ["Samsung/Galaxy S24"], tests: [secret] },
    askedBy: { label: "ada-laptop", person: "Ada", vouchedBy: [] },
  };
  const desk = policyReplays(database, jobs);
  assert.equal(await desk.ask(NORTH, asked), asked.id);
  assert.equal(await desk.ask(NORTH, asked), asked.id, "the same request asks for nothing");
  const kept = await database.rows<{ row: string }>("select job::text as row from job");
  assert.ok(kept.length === 1 && !JSON.stringify(kept).includes(secret.imei));
  const taken = await takeJob(deps, new AbortController().signal);
  assert.equal(await taken?.run(), "done");
  const job = await jobs.find(NORTH, asked.id);
  assert.deepEqual(
    [job?.done, job?.total, job?.reason],
    [34, 34, "14 of 34 verdicts would be others under this policy."],
  );
  const rows = (await jobs.outcomes(NORTH, asked.id, { limit: 10, after: 0 })) ?? [];
  assert.deepEqual(
    rows.map(({ position, subject, code }) => [position, subject, code]),
    [1, 2, 3].map((position) => [position, NEW_TAC, "verdict_changes"]),
  );
  assert.match(
    rows[0]?.reason ?? "",
    /^7 verdicts of Samsung Galaxy S24: supported by maker_support_end becomes ended by model_list/,
  );
  assert.equal(await jobs.find(SOUTH, asked.id), undefined, "of nobody else");
});
