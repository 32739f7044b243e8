/** Rows about unknown models: proposed, approved, the operator's own data from then on. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import type { ProposedRow } from "../../kernel/jobs/model-proposals.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createApprovals } from "../jobs/approvals.ts";
import { readOwnDatasets } from "./dataset-store.ts";
import { createModelProposals, reviewedModelsApproval } from "./reviewed-models.ts";

const database = await freshDatabase();
let nowMs = Date.parse("2026-03-01T12:00:00Z");
const deps = { database, newId: () => uuidv7(), clock: () => new Date(nowMs) };
const proposals = createModelProposals(deps);
const approvals = createApprovals({ ...deps, kinds: [reviewedModelsApproval(deps)] });
const ADA = { label: "ada-laptop", person: "Ada", vouchedBy: [], role: "engineer" } as const;

async function operator(slug: string): Promise<string> {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [id, slug]);
  return id;
}
const row = (tac: string, make: string, model: string): ProposedRow => ({
  ...{ tac, make, model, modelCodes: [], releasedYear: null },
});
const ask = async (operatorId: string, ...rows: ProposedRow[]) =>
  (await proposals.ask(operatorId, { rows, reason: "seen in the shop", askedBy: ADA })).approvalId;
const decide = (operatorId: string, id: string, outcome: "approved" | "refused") =>
  approvals.decide(operatorId, id, { outcome, reason: "looked at" }, ADA);
const names = async (operatorId: string) =>
  (await readOwnDatasets(database, operatorId)).flatMap(({ kind, name, rows }) =>
    rows.map(({ tac, make, model }) => `${kind} ${name}: ${tac} ${make} ${model}`),
  );

test("approved rows are the operator's own data, each approval on those before; what is refused is nobody's", async () => {
  const [north, south] = [await operator("north"), await operator("south")];
  const first = await ask(north, row("86999901", "Acme", "One"));
  assert.deepEqual(await names(north), [], "nothing counts before a person has agreed");
  const refused = await ask(north, row("86999903", "Acme", "Wrong"));
  const second = await ask(north, row("86999902", "Acme", "Two"), row("86999901", "Acme", "One Plus"));
  await decide(north, first, "approved");
  nowMs += 1_000;
  await decide(north, second, "approved");
  await decide(north, refused, "refused");
  assert.deepEqual((await names(north)).sort(), [
    "tac reviewed: 86999901 Acme One Plus",
    "tac reviewed: 86999902 Acme Two",
  ]);
  assert.deepEqual(await names(south), []);
  const versions = await database.rows<{ rows: number; live: boolean }>(
    `select row_count as rows, retired_at is null as live from dataset where operator_id = $1 order by live_at`,
    [north],
  );
  assert.deepEqual(versions, [
    { rows: 1, live: false },
    { rows: 2, live: true },
  ]);
});

test("a TAC that is named twice is not proposed", async () => {
  const operatorId = await operator("twice");
  await assert.rejects(ask(operatorId, row("86999901", "Acme", "One"), row("86999901", "Acme", "Two")), {
    code: "dataset_malformed",
  });
});
