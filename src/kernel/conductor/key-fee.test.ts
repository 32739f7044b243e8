/** What a key costs, by what was agreed when, and how its fee is paid once. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { outboundCall } from "../../../test/fixture/order-books.ts";
import {
  HOUR_MS,
  IMSI,
  makerKey,
  OPERATOR,
  relationTerms,
  type TestEngine,
} from "../../../test/fixture/order-engine.ts";
import { answer, item, kindsOf, messagesOf, opened, receipt } from "../../../test/fixture/order-steps.ts";
import type { CallAnswer } from "../calls/answer.ts";

test("a fee says what it waits for, is asked for again, and in the end that a person has to see to it", async () => {
  const { engine, orderId } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  const key = [...engine.books.keys.values()][0]!;
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  assert.equal(item(engine, orderId, "key").keyId, key.keyId);
  const charge = () => [...engine.books.charges.values()][0]!;
  const unset: CallAnswer = {
    kind: "failed",
    cause: "not_configured",
    reason: "no payment system is configured",
  };
  await answer(engine, "fee_request", unset);
  assert.match(charge().reason, /^the fee is asked for again at .*: no payment system is configured$/);
  engine.pass(15 * 24 * HOUR_MS);
  await answer(engine, "fee_request", unset);
  assert.equal(charge().state, "requested");
  assert.match(charge().reason, /given up, a person has to see to it/);
  assert.ok(kindsOf(engine).includes("fee_request_given_up"));
});

test("a fee is asked for in the name of its item, so that one item is never paid twice", async () => {
  const { engine } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  const [call, ...more] = [...engine.books.calls.values()].filter(({ kind }) => kind === "fee_request");
  assert.ok(call?.itemId);
  assert.equal(call.idempotencyKey, call.itemId);
  assert.deepEqual(more, []);
});

test("two answers to one fee in one batch, a yes and a late no, book one payment and leave it paid", async () => {
  const { engine } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  const call = outboundCall([...engine.books.calls.values()].find(({ kind }) => kind === "fee_request")!);
  await engine.conductor.bookAnswers([
    { call, answer: { kind: "done", reference: "b1" } },
    { call, answer: { kind: "refused", cause: "limit_exceeded", reason: "too much" } },
  ]);
  const [charge] = [...engine.books.charges.values()];
  assert.equal(charge!.state, "settled");
  assert.equal(engine.books.postings.size, 2);
  assert.ok(!kindsOf(engine).includes("fee_refused"));
});
const CHEAPER = { feeMinor: 9n, currency: "USD", feeLevel: "delivered", portionBasisPoints: 10_000 } as const;
const agreeAnew = ({ books }: TestEngine): void => {
  books.terms = { ...books.terms, relations: new Map([["acme", relationTerms(CHEAPER)]]) };
};

test("a key costs what was agreed when it was issued, whatever the relation says when it works", async () => {
  const { engine } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  agreeAnew(engine);
  for (const message of messagesOf(engine, "key")) {
    message.state = "submitted";
    await receipt(engine, message.id, "delivered");
  }
  assert.equal(engine.books.charges.size, 0, "the level of the new relation is not the key's");
  const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
  await engine.conductor.confirm(OPERATOR, [traffic]);
  const [charge] = [...engine.books.charges.values()];
  assert.deepEqual([charge?.feeMinor, charge?.currency, charge?.level], [251n, "EUR", "works"]);
});

test("a maker's key costs what was agreed when it was asked for; asked for anew, it is what holds then", async () => {
  for (const isAskedAnew of [false, true]) {
    const { engine, orderId } = await opened({ policy: { package: "apart" } });
    if (isAskedAnew) {
      await answer(engine, "key_request", { kind: "refused", cause: "unknown_model", reason: "no" });
      agreeAnew(engine);
      await engine.conductor.resend(OPERATOR, orderId, "care");
    } else agreeAnew(engine);
    await answer(engine, "key_request", { kind: "key", bytes: makerKey(`agreed ${isAskedAnew}`) });
    const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
    await engine.conductor.confirm(OPERATOR, [traffic]);
    const [charge] = [...engine.books.charges.values()];
    // A third of 2.51, to the nearest cent, is the maker's; all of 0.09 in the later relation.
    assert.deepEqual(
      [charge?.feeMinor, charge?.portionMinor, charge?.currency],
      isAskedAnew ? [9n, 9n, "USD"] : [251n, 84n, "EUR"],
    );
  }
});

for (const isKeyKnown of [true, false]) {
  for (const keySource of ["own", "maker"] as const) {
    test(`a fee due at delivery is due ${isKeyKnown ? "then" : "at the handset's own word"} for a key from ${keySource === "own" ? "the own store" : "its maker"} to a model that is ${isKeyKnown ? "" : "not "}said to run keys`, async () => {
      const { engine } = await opened({
        relation: { keySource, feeLevel: "delivered" },
        judgement: { isKeyKnown },
        policy: { package: "apart" },
      });
      if (keySource === "maker")
        await answer(engine, "key_request", { kind: "key", bytes: makerKey(`proved ${isKeyKnown}`) });
      for (const message of messagesOf(engine, "key")) {
        message.state = "submitted";
        await receipt(engine, message.id, "delivered");
      }
      assert.equal(engine.books.charges.size, isKeyKnown ? 1 : 0, "any phone acknowledges an SMS");
      assert.equal(kindsOf(engine).includes("fee_level_raised"), !isKeyKnown);
      const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
      await engine.conductor.confirm(OPERATOR, [traffic]);
      assert.deepEqual(
        [...engine.books.charges.values()].map(({ level }) => level),
        [isKeyKnown ? "delivered" : "opened"],
      );
    });
  }
}
