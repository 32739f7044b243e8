/** What a run shows of each phone's applications: what the order's events say, and nothing else. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { testEngine } from "../../../test/fixture/order-engine.ts";
import { emptyChangeSet, type NewEvent } from "../../kernel/order/change-set.ts";
import { lineOf, RunView } from "./run-view.ts";

const AT = Date.UTC(2026, 4, 4, 8);

async function viewOf(events: readonly Partial<NewEvent>[]) {
  const engine = testEngine();
  const order = engine.order(engine.open());
  const view = new RunView();
  const all = events.map(
    (event, at): NewEvent => ({
      id: String(at),
      operatorId: order.operatorId,
      orderId: order.id,
      itemId: null,
      kind: "symptom_seen",
      state: null,
      reason: "",
      evidence: null,
      detail: null,
      at: new Date(AT + at * 1_000),
      ...event,
    }),
  );
  const done = view.take({ ...emptyChangeSet(), orders: [{ ...order, state: "completed" }], events: all });
  return { view, line: done.map((row) => lineOf(row)).join("\n") };
}
const failed = (application: string): Partial<NewEvent> => ({ detail: { application, server: "mms.maker" } });
const works = (application: string): Partial<NewEvent> => ({
  kind: "application_works",
  state: "works",
  evidence: "traffic:mmsc",
  detail: { application, server: "mms.maker" },
});

test("a phone's line says how many of the applications that were seen on it work", async () => {
  const { line, view } = await viewOf([failed("mms"), failed("video_call"), works("mms")]);
  assert.match(line, /1 of 2 work/);
  assert.deepEqual(view.totals.applications, {
    mms: { failedBefore: 1, cutOffBefore: 0, works: 1, reached: 0, fails: 0, notSeen: 0 },
    video_call: { failedBefore: 1, cutOffBefore: 0, works: 0, reached: 0, fails: 0, notSeen: 1 },
  });
});

test("where nobody saw any application, nothing is said to work", async () => {
  const { line, view } = await viewOf([{ kind: "judged", state: "ended", detail: null }]);
  assert.match(line, /not seen/);
  assert.deepEqual(view.totals.applications, {});
});

test("applications that failed before and were not seen since are not said to fail still", async () => {
  const { line } = await viewOf([failed("mms"), failed("video_call")]);
  assert.match(line, /not seen yet/);
  assert.doesNotMatch(line, /0 of 2/);
});

test("what the data of a model says is cut off is not counted as seen to fail", async () => {
  const cannotReach = [{ application: "app_store", from: "model_data", source: "https://maker.example" }];
  const { view } = await viewOf([{ kind: "judged", state: "ended", detail: { symptoms: { cannotReach } } }]);
  const { app_store: store } = view.totals.applications;
  assert.deepEqual([store?.failedBefore, store?.cutOffBefore], [0, 1]);
});
