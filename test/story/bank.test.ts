/** The operator's payment system in trouble (R109-113): fees and portions are paid once, and a no is seen. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { BankFaults } from "../../src/sim/bank/bank.ts";
import { kindsOf, type StoryOperator, storyFixture } from "../fixture/story.ts";

type Fault = ReturnType<NonNullable<BankFaults["request"]>>;
type Entry = ReturnType<NonNullable<BankFaults["entry"]>>;
/** What the bank does with the next requests and entries; nothing wrong once they are used up. */
const next: { requests: Fault[]; entries: Entry[] } = { requests: [], entries: [] };

const fixture = await storyFixture({
  env: { TURNUP_BANK_TIMEOUT_MS: "300" },
  world: {
    bankFaults: { request: () => next.requests.shift(), entry: () => next.entries.shift(), lateMs: 600 },
  },
});

const movedFor = (story: { charges: { id: string }[] }): string[] =>
  fixture.world.parties.bank
    .ledger()
    .filter(({ id }) => story.charges.some((charge) => charge.id === id))
    .map(({ kind, amountMinor }) => `${kind} ${amountMinor}`);

async function postingsOf(operator: StoryOperator): Promise<number> {
  return (await operator.get("/v1/postings?limit=100")).rows.length;
}

async function booksBalance(operator: StoryOperator): Promise<void> {
  const { balances } = await operator.get("/v1/balances");
  const sum = balances.reduce((total: number, one: { balanceMinor: number }) => total + one.balanceMinor, 0);
  assert.equal(sum, 0);
}

const TROUBLES: readonly { readonly what: string; readonly requests: Fault[] }[] = [
  { what: "books the fee and loses its answer", requests: ["lose_answer"] },
  {
    what: "books fee and portion and loses both answers, twice",
    requests: ["lose_answer", "lose_answer", undefined, "lose_answer"],
  },
  { what: "loses the request", requests: ["lose_request"] },
  { what: "answers too late", requests: ["late"] },
  { what: "is down", requests: ["down", "down"] },
];

for (const { what, requests } of TROUBLES) {
  test(`a bank that ${what} moves fee and portion once, and the books balance`, async () => {
    const operator = await fixture.operator();
    const phone = fixture.phone("Xperia Z3");
    next.requests = [...requests];
    await phone.attach();
    const served = await operator.ended(phone);
    assert.equal(served.state, "completed", "the phone does not wait for money");
    const story = await fixture.whileTimePasses(() => operator.settled(phone));
    assert.deepEqual(next.requests, []);
    assert.deepEqual(movedFor(story), ["charge 250", "payout 100"]);
    const [charge] = story.charges;
    assert.deepEqual([charge.state, charge.reason], ["settled", "fee received, portion paid"]);
    assert.equal(kindsOf(story).filter((kind) => kind === "fee_paid").length, 1);
    assert.equal(await postingsOf(operator), 4);
    await booksBalance(operator);
  });
}

test("a fee that the bank has not decided yet is asked for again until it has", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("G2");
  next.entries = ["pending", "pending"];
  await phone.attach();
  const story = await fixture.whileTimePasses(() => operator.settled(phone));
  assert.deepEqual([movedFor(story), story.charges[0].state], [["charge 150"], "settled"]);
  assert.equal(story.calls[0].attempts, 3);
});

test("a fee that is refused stays refused for all to see: no posting, no portion, no second asking", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  next.entries = ["account_closed"];
  await phone.attach();
  const story = await operator.settled(phone);
  const [charge] = story.charges;
  assert.equal(charge.state, "refused");
  assert.match(charge.reason, /^fee refused: refused by the payment system/);
  const asked = story.calls.find(({ kind }: { kind: string }) => kind === "fee_request");
  assert.deepEqual([asked.state, asked.attempts, asked.dueAt], ["refused", 1, null]);
  assert.ok(!story.calls.some(({ kind }: { kind: string }) => kind === "portion_payment"));
  assert.ok(kindsOf(story).includes("fee_refused"));
  assert.deepEqual([movedFor(story), await postingsOf(operator)], [[], 0]);
  const { rows } = await operator.get("/v1/charges?state=refused");
  assert.deepEqual(
    rows.map(({ id }: { id: string }) => id),
    [charge.id],
  );
  assert.equal(phone.status().now, "alive", "the subscriber does not suffer for it");
});

test("a portion that is refused leaves the fee booked, the debt to the maker open, and a refusal to see", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  next.entries = [undefined, "account_closed"];
  await phone.attach();
  const story = await operator.settled(phone);
  const [charge] = story.charges;
  assert.equal(charge.state, "paid");
  assert.match(charge.reason, /^portion refused: refused by the payment system/);
  assert.deepEqual(movedFor(story), ["charge 250"]);
  const { balances } = await operator.get("/v1/balances");
  const debt = balances.find(({ account }: { account: string }) => account === "payable:maker:sony");
  assert.equal(Math.abs(debt.balanceMinor), 100);
  await booksBalance(operator);
});

for (const [feeLevel, billed] of [
  ["delivered", true],
  ["opened", true],
  ["works", false],
] as const) {
  test(`a fee due at "${feeLevel}" is ${billed ? "asked for" : "not asked for"} when the key ran and its road is closed`, async () => {
    // The access point leads nowhere, so that the key opens and never works.
    const operator = await fixture.operator({
      relations: [
        {
          make: "*",
          feeLevel,
          accessPoints: [{ apn: "nowhere.example", use: "maker", authType: "none" }],
        },
      ],
    });
    const phone = fixture.phone("G2");
    const says = {
      scope: "model",
      key: "LG/G2",
      body: { takesKey: true },
      why: "its maker put the client on it",
    };
    const said = await operator.call("PUT", "/v1/overrides", says, "engineer");
    assert.equal(said.status, 200, said.text);
    await phone.attach();
    const story = await operator.storyUntil(
      phone,
      ({ items, calls }) =>
        items.some(({ kind, state }: Record<string, string>) => kind === "key" && state === "opened") &&
        items.some(({ kind, state }: Record<string, string>) => kind === "settings" && state === "works") &&
        calls.every(({ dueAt }: { dueAt: string | null }) => dueAt === null),
      "the key was opened",
    );
    assert.deepEqual(
      story.charges.map(({ level, state }: Record<string, string>) => [level, state]),
      billed ? [[feeLevel, "settled"]] : [],
    );
    assert.equal(phone.status().now, "dead");
    // Time runs out: what did not work is not billed afterwards either.
    await fixture.timePasses(73 * 3_600_000);
    const ended = await operator.ended(phone, "partly_completed");
    assert.equal(ended.charges.length, billed ? 1 : 0);
  });
}

test("a fee cannot be agreed for the delivery of keys that nothing confirms, and a stored one waits for the handset's own word", async () => {
  const operator = await fixture.operator({ relations: [{ make: "*", feeLevel: "delivered" }] });
  const { make: _, ...agreed } = (await operator.get("/v1/relations")).relations.find(
    ({ make }: { make: string }) => make === "*",
  );
  const refused = await operator.call("PUT", "/v1/relations/LG", agreed, "admin");
  assert.deepEqual([refused.status, refused.body.code], [422, "fee_level_unproved"]);
  assert.equal(
    (await operator.call("PUT", "/v1/relations/LG", { ...agreed, feeLevel: "opened" }, "admin")).status,
    200,
  );
  await operator.call("DELETE", "/v1/relations/LG", undefined, "admin");

  const phone = fixture.phone("G2");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.ok(kindsOf(story).includes("fee_level_raised"));
  assert.deepEqual(
    story.charges.map(({ level }: { level: string }) => level),
    ["opened"],
  );
});
