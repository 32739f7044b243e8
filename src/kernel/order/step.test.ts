/** One transaction of the conductor: whom its orders are about is read once. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { ConductorDeps } from "./deps.ts";
import type { OrderDraft, Subscriber } from "./order-draft.ts";
import type { OrderTransaction } from "./order-store.ts";
import { createScribe } from "./scribe.ts";
import { createStep } from "./step.ts";
import type { Ending } from "./turn.ts";

const orderOf = (id: string, operatorId = "mine"): OrderDraft => ({ id, operatorId }) as OrderDraft;
const subjectOf = (id: string): Subscriber => ({ imsi: `imsi of ${id}` }) as Subscriber;

function step() {
  const asked: (readonly string[])[] = [];
  const tx = {
    subjectsOf: async (ids: readonly string[]) => {
      asked.push(ids);
      return new Map(ids.map((id) => [id, subjectOf(id)]));
    },
    termsOf: async (operatorId: string) => ({ operatorId }),
  } as unknown as OrderTransaction;
  const scribe = createScribe(new Date(0), () => "id");
  return {
    asked,
    step: createStep({} as ConductorDeps, tx, scribe, (order) => order.id as unknown as Ending),
  };
}

test("whom orders are about is read once a transaction, for all of them in one go", async () => {
  const { asked, step: one } = step();
  const turns = await one.turnsOf([orderOf("a"), orderOf("b"), orderOf("a")]);
  assert.deepEqual(
    turns.map(({ subject }) => subject.imsi),
    ["imsi of a", "imsi of b", "imsi of a"],
  );
  await one.turnsOf([orderOf("b"), orderOf("c")]);
  await one.turnOf(orderOf("a"));
  assert.deepEqual(asked, [["a", "b"], ["c"]]);
});

test("who came along with an order is not read again", async () => {
  const { asked, step: one } = step();
  one.know("a", subjectOf("elsewhere"));
  assert.equal((await one.turnOf(orderOf("a"))).subject.imsi, "imsi of elsewhere");
  assert.deepEqual(await one.turnsOf([]), []);
  assert.deepEqual(asked, []);
});

test("each order's turn goes by its own operator's terms", async () => {
  const turns = await step().step.turnsOf([orderOf("a", "mine"), orderOf("b", "theirs")]);
  assert.deepEqual(
    turns.map(({ terms }) => terms.operatorId),
    ["mine", "theirs"],
  );
});
