/** The payment client against the simulated payment system: money moves once, whatever goes wrong between. */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { createBankClient } from "../../net/bank/client.ts";
import { type BankFaults, startBank } from "./bank.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Who answers does so in milliseconds, and on a busy machine later: they are waited for. Who is silent is not. */
const PATIENCE_MS = 20_000;
const SILENT_MS = 300;

async function world(faults: BankFaults = {}, secret = "right", timeoutMs = PATIENCE_MS) {
  const bank = await startBank({ secret: "right", faults });
  const client = createBankClient({ url: bank.url, secret, timeoutMs });
  closers.push(bank.close, client.close);
  return { bank, client };
}
const fee = (chargeId: string, amountMinor = 150) => ({
  chargeId,
  amountMinor,
  currency: "EUR",
  reason: "a key that works",
  reference: `order ${chargeId}`,
});

test("a fee is paid once, however often it is asked for", async () => {
  const { bank, client } = await world();
  const [first] = await client.requestFees([fee("c1")]);
  const [second] = await client.requestFees([fee("c1")]);
  assert.deepEqual(first, { id: "c1", kind: "paid", bookingId: "B1" });
  assert.deepEqual(second, first);
  assert.equal(bank.ledger().length, 1);
});

test("an answer lost after the booking is unreachable to us, and the repeat gets the same booking", async () => {
  const { bank, client } = await world({ request: (number) => (number === 1 ? "lose_answer" : undefined) });
  const [lost] = await client.requestFees([fee("c1")]);
  assert.ok(lost?.kind === "failed" && lost.cause === "unreachable");
  const [found] = await client.requestFees([fee("c1")]);
  assert.deepEqual(found, { id: "c1", kind: "paid", bookingId: "B1" });
  assert.equal(bank.totals().get("charge turnup EUR"), 150);
});

test("an id used for another amount is refused, and books nothing", async () => {
  const { bank, client } = await world();
  await client.requestFees([fee("c1")]);
  const [reused] = await client.requestFees([fee("c1", 1_500)]);
  assert.ok(reused?.kind === "refused" && reused.code === "id_reused");
  assert.equal(bank.totals().get("charge turnup EUR"), 150);
});

test("in one batch each entry has its own fate", async () => {
  const { bank, client } = await world({
    entry: (id, asking) =>
      id === "closed" ? "account_closed" : id === "slow" && asking === 1 ? "pending" : undefined,
  });
  const batch = ["good", "closed", "slow"].map((id) => fee(id));
  const kinds = async () => (await client.requestFees(batch)).map(({ kind }) => kind);
  assert.deepEqual(await kinds(), ["paid", "refused", "pending"]);
  assert.deepEqual(await kinds(), ["paid", "refused", "paid"]);
  assert.equal(bank.ledger().length, 2);
});

test("a fee of nothing is refused here, and the others of the batch are paid", async () => {
  const { bank, client } = await world();
  const outcomes = await client.requestFees([fee("c1"), fee("c2", 0), fee("c3")]);
  assert.deepEqual(
    outcomes.map(({ id, kind }) => `${id} ${kind}`),
    ["c1 paid", "c2 refused", "c3 paid"],
  );
  assert.equal(bank.ledger().length, 2);
});

test("a portion goes to its manufacturer, apart from the fees", async () => {
  const { bank, client } = await world();
  await client.requestFees([fee("c1")]);
  const payout = { payoutId: "c1", payee: "Nokia", amountMinor: 60, currency: "EUR", reference: "key 1" };
  const [paid] = await client.payPortions([payout]);
  assert.ok(paid?.kind === "paid");
  assert.deepEqual(
    [...bank.totals()],
    [
      ["charge turnup EUR", 150],
      ["payout Nokia EUR", 60],
    ],
  );
});

const failures: [string, BankFaults, string, string][] = [
  ["late", { request: () => "late", lateMs: 2_000 }, "right", "timeout"],
  ["down", { request: () => "down" }, "right", "busy"],
  ["asked with a wrong secret", {}, "wrong", "unauthorised"],
];
for (const [what, faults, secret, cause] of failures) {
  test(`a payment system that is ${what} gives a value: ${cause}`, async () => {
    const { client } = await world(faults, secret, what === "late" ? SILENT_MS : PATIENCE_MS);
    const [outcome] = await client.requestFees([fee("c1")]);
    assert.ok(outcome?.kind === "failed");
    assert.equal(outcome.cause, cause);
  });
}

test("the secret is never sent in clear to another machine", () => {
  assert.throws(
    () => createBankClient({ url: "http://bank.example", secret: "s", timeoutMs: 1 }),
    RangeError,
  );
});
