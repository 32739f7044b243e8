/** Several binds at one centre, over real sockets: one queue, each its window, and a fall of one leaves the others. */
import assert from "node:assert/strict";
import { test, vi } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { createSmscSimulator } from "../../sim/smsc/smsc.ts";
import { type BindPlan, createBinds } from "./binds.ts";

const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 10_000, interval: 10 });

async function bound(plan: BindPlan & { readonly window?: number }, responseDelayMs = 0) {
  const account = { systemId: "turnup", password: "password" };
  const smsc = await createSmscSimulator({
    port: 0,
    ...account,
    seed: 1,
    onMessage: async () => "delivered",
    faults: { responseDelayMs },
  });
  whenDone(() => smsc.close());
  const receipts: string[] = [];
  const binds = createBinds({
    host: "127.0.0.1",
    port: smsc.port,
    ...account,
    ...plan,
    reconnect: { minMs: 50, maxMs: 100, jitter: 0 },
    onDeliver: async (pdu) => {
      receipts.push(Buffer.from(pdu.short_message).toString());
      return 0;
    },
  });
  whenDone(() => binds.stop({ drainMs: 0 }));
  binds.start();
  await until(() => binds.all.every(({ state }) => state.name === "bound"));
  return { smsc, binds, receipts };
}
const messages = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    destination_addr: "491701234567",
    short_message: Buffer.from(`m-${at}`),
    registered_delivery: 1,
  }));

test("a transmitter and a receiver: what is sent by one has its receipts by the other", async () => {
  const { smsc, binds, receipts } = await bound({ bind: "transmitter+receiver" });
  assert.deepEqual(
    binds.all.map(({ role, number }) => `${role} ${number}`),
    ["transmitter 1", "receiver 2"],
  );
  const outcomes = await binds.submitBatch(messages(50));
  assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(["accepted"]));
  await until(() => receipts.length === 50);
  assert.deepEqual([smsc.stats.accepted, binds.stats.accepted, binds.stats.deliveries], [50, 50, 50]);
});

test("each bind has its window, and all of them are used", async () => {
  const { binds } = await bound({ binds: 3, window: 2 }, 100);
  const sent = binds.submitBatch(messages(30));
  await until(() => binds.all.every(({ stats }) => stats.inFlight === 2));
  assert.equal(binds.stats.inFlight, 6);
  assert.equal((await sent).length, 30);
});

test("a bind that falls gives back what it had unanswered; the rest goes by the others, and it comes again", async () => {
  const { smsc, binds } = await bound({ binds: 2, window: 5 }, 20);
  const sent = binds.submitBatch(messages(200));
  await until(() => smsc.stats.accepted > 40);
  smsc.dropConnections(1);
  assert.equal(binds.state.name, "bound", "the other stands");
  const outcomes = await sent;
  const unknown = outcomes.filter(({ kind }) => kind === "unknown").length;
  assert.ok(unknown <= 5, `${unknown} were unanswered on it`);
  assert.equal(outcomes.filter(({ kind }) => kind === "accepted").length, 200 - unknown);
  await until(() => binds.all.every(({ state }) => state.name === "bound"));
  assert.equal(binds.stats.binds, 3);
});

test("parts of one message go in order, whichever binds they take", async () => {
  const { smsc, binds } = await bound({ binds: 3, window: 4 });
  const parts = messages(60).map((one, at) => ({
    ...one,
    partOf: `message ${at % 4}`,
    lane: `lane ${at % 2}`,
  }));
  const outcomes = await binds.submitBatch(parts);
  assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(["accepted"]));
  for (let which = 0; which < 4; which++) {
    const numbers = smsc.log
      .map(({ userData }) => Number(Buffer.from(userData).toString().slice(2)))
      .filter((at) => at % 4 === which);
    assert.deepEqual(
      numbers,
      [...numbers].sort((one, other) => one - other),
    );
  }
});

test("who sends little is not held up by who sends much: lanes take turns", async () => {
  const { smsc, binds } = await bound({ window: 1 });
  const [much, little] = [messages(500), messages(3)];
  const all = binds.submitBatch([
    ...much.map((one) => ({ ...one, lane: "much" })),
    ...little.map((one) => ({ ...one, lane: "little", destination_addr: "491709999999" })),
  ]);
  await all;
  const places = smsc.log.flatMap(({ to }, at) => (to === "491709999999" ? [at] : []));
  assert.deepEqual(places.length, 3);
  assert.ok(Math.max(...places) <= 8, `it was taken at ${places}`);
});
