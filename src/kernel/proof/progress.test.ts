/** The table of order.ts and progress.ts: every state of an item and every fact, and what becomes of it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type Setup, type TestEngine, testEngine } from "../../../test/fixture/order-engine.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { reportReferenceOf, signDeviceReport } from "../../wire/message/device-report.ts";
import { ITEM_STATES, type ItemState } from "../order/order.ts";

const FACTS = ["delivered", "failed", "expired", "opened", "works", "refused"] as const;
type Fact = (typeof FACTS)[number];

/** States of requests' items, which no key is ever in. */
const OF_REQUESTS = [
  "awaiting_choice",
  "registering",
  "needs_information",
  "registered",
  "access_data_sent",
  "forwarded",
] as const;
type KeyState = Exclude<ItemState, (typeof OF_REQUESTS)[number]>;
const KEY_STATES = ITEM_STATES.filter(
  (state): state is KeyState => !(OF_REQUESTS as readonly ItemState[]).includes(state),
);

/** Own key, apart, done when it works; attempts are left. A dash: nothing changes. */
const TABLE: Readonly<Record<KeyState, Readonly<Record<Fact, ItemState | "-">>>> = {
  //                delivered               failed          expired         opened            works            refused
  pending: row("-", "-", "-", "-", "-", "-"),
  waiting_for_key: row("-", "-", "-", "-", "-", "-"),
  sending: row("delivered", "sending", "sending", "opened", "works", "failed"),
  delivered: row("-", "-", "-", "opened", "works", "failed"),
  opened: row("-", "-", "-", "-", "works", "-"),
  works: row("-", "-", "-", "-", "-", "-"),
  failed: row("delivered", "-", "-", "opened", "works", "-"),
  cancelled: row("-", "-", "-", "-", "-", "-"),
};
function row(...cells: readonly (ItemState | "-")[]): Record<Fact, ItemState | "-"> {
  return Object.fromEntries(FACTS.map((fact, at) => [fact, cells[at]!])) as Record<Fact, ItemState | "-">;
}

const POLICY: NonNullable<Setup["policy"]> = { package: "apart", doneAt: "works", resendLimit: 3 };

async function keyIn(state: ItemState): Promise<{ engine: TestEngine; orderId: string }> {
  const engine = testEngine({ policy: POLICY, relation: { keySource: "own" } });
  const orderId = engine.open();
  await engine.conductor.advance(1);
  const order = engine.order(orderId);
  const key = order.items.find(({ kind }) => kind === "key")!;
  for (const message of engine.books.messages.values()) message.state = "submitted";
  const isSent = state !== "pending" && state !== "waiting_for_key";
  Object.assign(key, { state, ...(isSent ? {} : { message: null }) });
  return { engine, orderId };
}

async function tell({ books, conductor, world }: TestEngine, fact: Fact): Promise<void> {
  const message = [...books.messages.values()].find(({ kind }) => kind === "key")!;
  if (fact === "delivered" || fact === "failed" || fact === "expired") {
    await conductor.bookReceipts([{ smsc: "one", smscMessageId: message.id, state: fact, errorCode: "034" }]);
    return;
  }
  const { keyId, confirmSecret } = decodeDeviceKey([...books.keys.values()][0]!.bytes);
  const body = {
    reference: reportReferenceOf(keyId),
    level: fact,
    cause: fact === "refused" ? "bad_signature" : "none",
    at: new Date(world.now),
  } as const;
  assert.deepEqual(await conductor.bookReports([signDeviceReport(body, confirmSecret)]), [true]);
}

for (const state of KEY_STATES) {
  for (const fact of FACTS) {
    const becomes = TABLE[state][fact];
    test(`a key that is ${state}, told "${fact}", is ${becomes === "-" ? "what it was" : becomes}`, async () => {
      const { engine, orderId } = await keyIn(state);
      const item = () => engine.order(orderId).items.find(({ kind }) => kind === "key")!;
      const before = { ...item() };
      await tell(engine, fact);
      assert.equal(item().state, becomes === "-" ? state : becomes);
      if (becomes === "-") assert.equal(item().message?.id, before.message?.id);
      assert.notEqual(item().reason, "");
      assert.notEqual(item().nextAction, "");
      if (state === "sending" && becomes === "sending") {
        assert.notEqual(
          item().message?.id,
          before.message?.id,
          "the payload goes out in a message of its own",
        );
        assert.equal(item().message?.payloadId, before.message?.payloadId);
        assert.notEqual(item().message?.reference, before.message?.reference);
      }
      assert.equal(engine.books.charges.size, item().state === "works" && state !== "works" ? 1 : 0);
    });
  }
}

test("what the handset refused stays refused when the receipts of it come later", async () => {
  const { engine, orderId } = await keyIn("sending");
  await tell(engine, "refused");
  await tell(engine, "delivered");
  const key = engine.order(orderId).items.find(({ kind }) => kind === "key")!;
  assert.equal(key.state, "failed");
  assert.match(key.cause ?? "", /^device_/);
});
