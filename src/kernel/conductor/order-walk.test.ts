/**
 * Random walks: whatever the world says in whatever order, no order stands without reason, next action and deadline, no
 * level is lost, nothing is charged twice, the books balance, and every order ends.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { outboundCall } from "../../../test/fixture/order-books.ts";
import {
  CHOICE,
  HOUR_MS,
  IMSI,
  makerKey,
  OPERATOR,
  type Setup,
  type TestEngine,
  testEngine,
} from "../../../test/fixture/order-engine.ts";
import { SEED } from "../../../test/fixture/seed.ts";
import { TurnupError } from "../../term/error.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import {
  arrivalProofOf,
  type ReportLevel,
  reportReferenceOf,
  signDeviceReport,
} from "../../wire/message/device-report.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { LEVELS } from "../operator/policy.ts";
import { type ItemState, type OrderState, rankOf } from "../order/order.ts";

const WALKS = 1_000;
const FINAL = new Set<OrderState>(["completed", "partly_completed", "failed", "cancelled"]);
/** More than any order of these policies can live, in looks. */
const MAX_LOOKS = 2_000;

type Fact = { readonly kind: string; readonly pick: number; readonly hours: number };
/** How often each fact comes, so that most walks go a long way before the rare ones end them. */
const FACTS = {
  advance: 8,
  submitted: 8,
  delivered: 8,
  answer: 12,
  works: 4,
  opened: 3,
  traffic: 3,
  arrival: 3,
  answer_never: 4,
  failed: 3,
  expire: 3,
  link: 2,
  resend: 3,
  policy: 2,
  number: 2,
  deleted: 2,
  expired: 1,
  refused: 1,
  answer_no: 1,
  device_refused: 1,
  settings_gone: 1,
  settings_back: 2,
  fault: 1,
  cancel: 1,
  superseded: 1,
} as const;
const fact = fc.record({
  kind: fc.oneof(
    ...Object.entries(FACTS).map(([kind, weight]) => ({ arbitrary: fc.constant(kind), weight })),
  ),
  pick: fc.nat(1_000),
  hours: fc.oneof(
    { arbitrary: fc.constant(0), weight: 20 },
    { arbitrary: fc.constantFrom(1, 25, 80, 200), weight: 1 },
  ),
});
const setup: fc.Arbitrary<Setup> = fc.record({
  policy: fc.record({
    package: fc.constantFrom("together" as const, "apart" as const),
    authentication: fc.constantFrom("netwpin" as const, "userpin" as const),
    doneAt: fc.constantFrom(...LEVELS),
    resendLimit: fc.nat(3),
    messageValidityMinutes: fc.constantFrom(1, 1_440, 4_000),
    keyApnsInSettings: fc.boolean(),
  }),
  relation: fc.oneof(
    { arbitrary: fc.constant(null), weight: 1 },
    {
      weight: 12,
      arbitrary: fc.record({
        keySource: fc.constantFrom("own", "maker", "maker", "maker", "none"),
        feeLevel: fc.constantFrom(...LEVELS),
        feeMinor: fc.constantFrom(0n, 1n, 251n, 251n),
        make: fc.constantFrom("Acme", "*"),
      }),
    },
  ),
  judgement: fc
    .record({
      verdict: fc.constantFrom("ended", "ended", "ended", "supported"),
      road: fc.constantFrom("omacp", "omacp", "omacp", "nokiaota", "link"),
    })
    .map((one) => ({ ...one, takesKey: one.road === "omacp", isKeyKnown: true })),
  msisdn: fc.constantFrom(null, "4915112345678", "4915112345678", "4915112345678"),
});

const at = <T>(values: readonly T[], pick: number): T | undefined =>
  values[pick % Math.max(1, values.length)];

async function happen(engine: TestEngine, orderId: string, { kind, pick, hours }: Fact): Promise<void> {
  const { books, conductor, world } = engine;
  engine.pass(hours * HOUR_MS);
  const messages = [...books.messages.values()];
  const message = at(messages, pick);
  const receipt = (state: "delivered" | "failed" | "expired") =>
    message && conductor.bookReceipts([{ smsc: "one", smscMessageId: message.id, state, errorCode: "034" }]);
  const due = [...books.calls.values()].filter(({ dueAt }) => dueAt !== null);
  const call = at(due, pick);
  const answer = (given: CallAnswer) => {
    if (!call) return undefined;
    call.attempts += 1;
    return conductor.bookAnswers([{ call: outboundCall(call), answer: given }]);
  };
  const key = at([...books.keys.values()], pick);
  const report = (level: ReportLevel) => {
    if (!key) return undefined;
    const { keyId, confirmSecret } = decodeDeviceKey(key.bytes);
    const cause = level === "refused" ? "bad_signature" : "none";
    const body = { reference: reportReferenceOf(keyId), level, cause, at: new Date(world.now) } as const;
    return conductor.bookReports([signDeviceReport(body, confirmSecret)]);
  };
  switch (kind) {
    case "advance":
      return void (await conductor.advance(10));
    case "submitted":
      if (message?.state === "queued") message.state = "submitted";
      return;
    case "refused":
      return (
        message &&
        conductor.bookSubmissions(
          [],
          [{ messageId: message.id, reason: "refused", retryAt: null, errorCode: "ESME_RINVDSTADR" }],
        )
      );
    case "delivered":
    case "failed":
    case "expired":
      return receipt(kind);
    case "expire":
      return void (await conductor.expire(10));
    case "answer": {
      if (call?.kind !== "key_request") return answer({ kind: "done", reference: `bank-${pick}` });
      const wrong = [makerKey(`k${pick}`, { imei: "490154203237518" }), Uint8Array.of(1, 2, 3)];
      const bytes = pick % 5 === 0 ? at(wrong, pick)! : makerKey(`k${pick % 7}`, { now: world.now });
      return answer({ kind: "key", bytes });
    }
    case "answer_no":
      return answer({ kind: "refused", cause: "no_agreement", reason: "no" });
    case "answer_never":
      return answer({ kind: "failed", cause: "timeout", reason: "no answer within 10000 ms" });
    case "opened":
    case "works":
    case "deleted":
      return void (await report(kind));
    case "device_refused":
      return void (await report("refused"));
    case "traffic": {
      const apn = pick % 2 === 0 ? "internet" : "acme.maker";
      return void (await conductor.confirm(OPERATOR, [{ kind: "traffic", imsi: IMSI, apn, source: "walk" }]));
    }
    case "arrival": {
      if (!key) return;
      const { keyId, confirmSecret } = decodeDeviceKey(key.bytes);
      const proof = arrivalProofOf(confirmSecret, keyId);
      return void (await conductor.confirm(OPERATOR, [
        { kind: "arrival", keyId: key.keyId, proof, source: "walk" },
      ]));
    }
    case "link": {
      const item = engine.order(orderId).items.find(({ kind }) => kind === "settings");
      return item && conductor.linksOpened([{ orderId, itemId: item.id }]);
    }
    case "resend":
    case "cancel":
      try {
        await conductor[kind](OPERATOR, orderId, "someone");
      } catch (error) {
        assert.ok(error instanceof TurnupError, String(error));
        assert.ok(["order_closed", "nothing_to_resend"].includes(error.code), error.code);
      }
      return;
    case "settings_gone":
      world.choice = { kind: "refused", code: "no_access_point", reason: "none is known" };
      return;
    case "settings_back":
      world.choice = CHOICE;
      return;
    case "number": {
      const subject = books.subjects.get(orderId)!;
      books.subjects.set(orderId, { ...subject, msisdn: "4915112345678" });
      return;
    }
    case "policy": {
      const doneAt = at(LEVELS, pick)!;
      books.terms = {
        ...books.terms,
        policy: { ...books.terms.policy, doneAt, proofDeadlineHours: 1 + (pick % 80) },
      };
      return;
    }
    case "fault":
      world.fault = pick % 2 === 0 ? new RangeError("cannot be composed") : null;
      return;
    case "superseded":
      if (pick % 20 === 0) books.superseded.add(orderId);
  }
}

type Before = {
  readonly state: OrderState;
  readonly items: ReadonlyMap<string, ItemState>;
  readonly events: number;
};
const snapshot = (engine: TestEngine, orderId: string): Before => {
  const { state, items } = engine.order(orderId);
  return {
    state,
    items: new Map(items.map((item) => [item.id, item.state])),
    events: engine.books.events.length,
  };
};

function check(engine: TestEngine, orderId: string, before: Before): void {
  const order = engine.order(orderId);
  const news = engine.books.events.slice(before.events).map(({ kind }) => kind);
  assert.notEqual(order.reason, "");
  assert.notEqual(order.nextAction, "");
  if (FINAL.has(order.state)) {
    assert.equal(order.dueAt, null, "a final order is due for nothing");
    assert.equal(order.deadlineAt, null);
    assert.equal(order.nextAction, "none");
  } else {
    assert.ok(order.dueAt && order.deadlineAt, "an open order has a next look and a deadline");
    assert.notEqual(order.nextAction, "none");
  }
  if (FINAL.has(before.state) && !FINAL.has(order.state)) {
    assert.ok(news.includes("reopened"), `${before.state} became ${order.state}`);
    assert.notEqual(before.state, "cancelled");
    assert.notEqual(before.state, "completed");
  }
  for (const item of order.items) {
    assert.notEqual(item.reason, "");
    assert.notEqual(item.nextAction, "");
    const isClosed = item.state === "failed" || item.state === "cancelled";
    if (isClosed || FINAL.has(order.state))
      assert.equal(item.deadlineAt, null, `${item.state} has no deadline`);
    else if (item.nextAction !== "none") {
      assert.ok(item.deadlineAt, `${item.kind} ${item.state} has a deadline`);
      assert.ok(order.dueAt! <= item.deadlineAt, "its order is looked at in time");
      assert.ok(order.deadlineAt! >= item.deadlineAt, "its order does not end before it");
    } else assert.ok(rankOf(item.state) > 0, `${item.state} is left with nothing to do`);
    const was = before.items.get(item.id);
    if (was && rankOf(was) > rankOf(item.state)) {
      assert.equal(item.state, "failed", `${was} became ${item.state}`);
      assert.match(item.cause ?? "", /^device_/);
    }
    if (item.message) assert.ok(engine.books.messages.has(item.message.id), "what carries an item is there");
    if (item.state === "sending") assert.ok(item.message);
  }
}

/** Money, over all that was ever done. */
function checkBooks({ books }: TestEngine): void {
  const charges = [...books.charges.values()];
  assert.equal(new Set(charges.map(({ itemId }) => itemId)).size, charges.length);
  const accounts = new Map<string, bigint>();
  for (const { debit, credit, amountMinor } of books.postings.values()) {
    assert.ok(amountMinor > 0n);
    accounts.set(debit, (accounts.get(debit) ?? 0n) + amountMinor);
    accounts.set(credit, (accounts.get(credit) ?? 0n) - amountMinor);
  }
  assert.equal(
    [...accounts.values()].reduce((sum, one) => sum + one, 0n),
    0n,
  );
  assert.equal(accounts.get("receivable:operator") ?? 0n, 0n);
  const sum = (states: readonly string[], of: "feeMinor" | "portionMinor") =>
    charges.filter(({ state }) => states.includes(state)).reduce((total, one) => total + one[of], 0n);
  assert.equal(-(accounts.get("revenue:fees") ?? 0n), sum(["paid", "settled"], "feeMinor"));
  assert.equal(-(accounts.get("payable:maker:acme") ?? 0n), sum(["paid"], "portionMinor"));
  for (const charge of charges) {
    assert.ok(charge.portionMinor <= charge.feeMinor);
    if (charge.keySource === "own") assert.equal(charge.portionMinor, 0n);
    const proofs = books.events.filter(({ itemId }) => itemId === charge.itemId).map(({ kind }) => kind);
    const enough = LEVELS.slice(LEVELS.indexOf(charge.level));
    assert.ok(
      enough.some((level) => proofs.includes(level)),
      "no fee before the level that the contract names",
    );
  }
  const told = [...books.calls.values()].filter(({ kind }) => kind === "download_notice");
  assert.equal(
    new Set(told.map(({ itemId }) => itemId)).size,
    told.length,
    "the maker hears of a download once",
  );
}

/** Nobody says anything any more: time alone ends every order. */
async function runOut(engine: TestEngine, orderId: string): Promise<void> {
  engine.world.fault = null;
  for (let looks = 0; !FINAL.has(engine.order(orderId).state); looks++) {
    assert.ok(looks < MAX_LOOKS, `still ${engine.order(orderId).state}: ${engine.order(orderId).reason}`);
    const times = [
      engine.order(orderId).dueAt!.getTime(),
      ...[...engine.books.messages.values()]
        .filter(({ state }) => state === "queued" || state === "submitted")
        .map(({ expiresAt }) => expiresAt.getTime() + 5 * 60_000),
    ];
    engine.world.now = Math.max(engine.world.now, Math.min(...times));
    const before = snapshot(engine, orderId);
    await engine.conductor.expire(100);
    await engine.conductor.advance(100);
    check(engine, orderId, before);
    const { dueAt } = engine.order(orderId);
    assert.ok(
      dueAt === null || dueAt.getTime() > engine.world.now,
      "what was looked at is not due again at once",
    );
  }
}

test("whatever happens in whatever order: reasons, deadlines, levels and money hold, and every order ends", async () => {
  await fc.assert(
    fc.asyncProperty(
      setup,
      fc.array(fact, { minLength: 5, maxLength: 80, size: "max" }),
      async (given, walk) => {
        const engine = testEngine(given);
        const orderId = engine.open();
        for (const step of walk) {
          const before = snapshot(engine, orderId);
          await happen(engine, orderId, step);
          check(engine, orderId, before);
        }
        checkBooks(engine);
        await runOut(engine, orderId);
        checkBooks(engine);
      },
    ),
    { seed: SEED, numRuns: WALKS },
  );
});
