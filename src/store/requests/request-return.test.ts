/** What was collected and comes back weeks later: booked once by whichever way it is told, owed again, and nothing taken away (R8). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import { readBankFile } from "../../http/v1/bank-files.ts";
import { collectionNameOf, type ToldReturn } from "../../kernel/settlement/collection-return.ts";
import { monthsAfter } from "../../term/calendar.ts";
import { uuidv7 } from "../database/uuid.ts";
import { bookBankFile } from "../settlement/bank-entries.ts";
import { createCollectionReturns } from "../settlement/collection-returns.ts";
import { createCollections } from "../settlement/collections.ts";
import { createStatements } from "../settlement/statements.ts";

const shop = await requestShop();
const { database, sealer, time } = shop;
const deps = { database, sealer, newId: uuidv7, clock: () => new Date(time.now) };
const collections = createCollections(deps);
const returns = createCollectionReturns(deps);
const DAY_MS = 86_400_000;
const ITEMS = [
  {
    id: "mail",
    content: { kind: "none" as const },
    price: { onceMinor: 0, monthlyMinor: 299, currency: "EUR" },
  },
];
const collection = { by: "token", retries: 1, retryAfterHours: 72 } as const;
const ACCOUNT = {
  token: "ba_1",
  first6: "AT****",
  last4: "3201",
  brand: "iban",
  index: new Uint8Array(32).fill(2),
  mandate: { reference: "M0123456789ABCDEF", signedOn: "2026-03-31" },
};
const fixtureOf = (name: string, policy = {}) =>
  shop.fixture(name, ITEMS, { policy: { collection: { ...collection, ...policy } } });
const rowsOf = async ({ operatorId }: RequestFixture) =>
  (await collections.list(operatorId, {}, { limit: 100, order: "asc" })).rows;

/** Something that is had, whose first month was taken. */
async function collected(fixture: RequestFixture, reference = "C1") {
  fixture.answers.collect = async () => ({ kind: "taken", reference });
  const { orderId } = await fixture.ask(["mail"], { card: ACCOUNT });
  await fixture.calls();
  const [row] = await rowsOf(fixture);
  assert.equal(row?.state, "taken");
  return { orderId, id: row.id };
}
async function month(fixture: RequestFixture, since: number, months: number): Promise<void> {
  await shop.pass(monthsAfter(new Date(since), months).getTime() - time.now + 1_000);
  await fixture.calls();
}
const toldOf = (id: string, more: Partial<ToldReturn> = {}): ToldReturn => ({
  ...{ key: `R-${id}`, source: "payment_provider", kind: "return", named: [collectionNameOf(id)] },
  ...{ amountMinor: 299n, currency: "EUR", code: "AM04", returnedOn: null },
  ...more,
});
const book = (fixture: RequestFixture, told: ToldReturn) => returns.book(fixture.operatorId, told, "test");
const balancesOf = async ({ operatorId }: RequestFixture): Promise<Record<string, number>> => {
  const rows = await database.rows<{ account: string; balance: bigint }>(
    `select account, sum(amount)::bigint as balance from posting p,
            lateral (values (p.debit, p.amount_minor), (p.credit, -p.amount_minor)) s(account, amount)
      where p.operator_id = $1 group by account having sum(amount) <> 0 order by account`,
    [operatorId],
  );
  return Object.fromEntries(rows.map(({ account, balance }) => [account, Number(balance)]));
};
const camt = (
  name: string,
  message: "camt.054" | "camt.053",
  entry: { reference: string; more?: string },
) => {
  const [body, part] =
    message === "camt.054" ? ["BkToCstmrDbtCdtNtfctn", "Ntfctn"] : ["BkToCstmrStmt", "Stmt"];
  return readBankFile(
    Buffer.from(`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:${message}.001.08"><${body}>
<GrpHdr><MsgId>M-${message}</MsgId><CreDtTm>2026-06-02T12:00:00Z</CreDtTm></GrpHdr><${part}><Id>1</Id>
<Ntry><Amt Ccy="EUR">5.99</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-02</Dt></BookgDt>
<AcctSvcrRef>${entry.reference}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>${name}</EndToEndId></Refs>
<Amt Ccy="EUR">5.99</Amt><AmtDtls><InstdAmt><Amt Ccy="EUR">2.99</Amt></InstdAmt></AmtDtls>
<RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry></${part}></${body}></Document>`),
  );
};

test("a direct debit that comes back is booked once, by whichever way and however often it is told; it is owed, and what was had stays (R8)", async () => {
  const fixture = await fixtureOf("returned");
  const { orderId, id } = await collected(fixture);
  assert.deepEqual(await balancesOf(fixture), { "cash:payment_provider": 299, "revenue:subscribers": -299 });
  await shop.pass(20 * DAY_MS);
  const billed = fixture.saw.billing.length;
  const [first, again] = [await book(fixture, toldOf(id)), await book(fixture, toldOf(id))];
  assert.deepEqual([first.outcome, first.isRepeated, again.isRepeated], ["booked", false, true]);
  for (const message of ["camt.054", "camt.053", "camt.053"] as const) {
    const file = camt(collectionNameOf(id), message, { reference: "BANK-1" });
    const { returns: told, foreign } = await bookBankFile(deps, fixture.operatorId, file, "test");
    assert.deepEqual([told.length, told[0]?.outcome, foreign], [1, "confirmed", 0]);
  }
  const [row] = await rowsOf(fixture);
  assert.deepEqual(
    [row?.state, row?.returnCode, row?.returnedMinor, row?.owedMinor],
    ["returned", "AM04", 299n, 299n],
  );
  assert.match(row?.reason ?? "", /there was not enough on the account \(AM04\)/);
  assert.deepEqual(await balancesOf(fixture), { "receivable:subscribers": 299, "revenue:subscribers": -299 });
  assert.deepEqual(await collections.owed(fixture.operatorId), [
    { currency: "EUR", state: "returned", owedMinor: 299n, sums: 1 },
  ]);
  const statement = await createStatements(database).of(fixture.operatorId, "subscribers", {}, { limit: 9 });
  assert.deepEqual(
    statement.rows.map(({ kind, amountMinor, collectionId, orderId }) => [
      kind,
      Number(amountMinor),
      collectionId,
      orderId,
    ]),
    [
      ["due", 299, id, orderId],
      ["taken", -299, id, orderId],
      ["returned", 299, id, orderId],
    ],
  );
  assert.deepEqual(
    statement.balances.map(({ closingMinor }) => closingMinor),
    [299n],
  );
  await fixture.calls();
  const told = fixture.saw.billing.slice(billed);
  assert.deepEqual(
    told.map(({ kind, catalogId, onceMinor, monthlyMinor }) => [kind, catalogId, onceMinor, monthlyMinor]),
    [["collection_returned", "mail", 299, 0]],
  );
  const events = await fixture.events(orderId);
  assert.equal(events.filter((kind) => kind === "collection_returned").length, 1);
  assert.equal(events.filter((kind) => kind === "billing_collection_returned_done").length, 1);
  assert.equal((await fixture.status(orderId)).state, "completed", "what was provisioned stays");
  const paid = { outcome: "taken", reason: "paid by transfer" } as const;
  assert.equal((await collections.book(fixture.operatorId, id, paid, "ada")).owedMinor, 0n);
  assert.deepEqual(await balancesOf(fixture), { "cash:bank": 299, "revenue:subscribers": -299 });
});

test("a part that came back and was paid otherwise is owed no second time when the rest comes back", async () => {
  const fixture = await fixtureOf("returned in parts");
  const { id } = await collected(fixture);
  const back = (key: string, amountMinor: bigint) => book(fixture, toldOf(id, { key, amountMinor }));
  const paid = () => collections.book(fixture.operatorId, id, { outcome: "taken", reason: "paid" }, "ada");
  assert.equal((await back("P1", 100n)).outcome, "booked");
  assert.equal((await paid()).owedMinor, 0n);
  assert.equal((await back("P2", 199n)).outcome, "booked");
  assert.equal((await rowsOf(fixture))[0]?.owedMinor, 199n);
  assert.deepEqual(await collections.owed(fixture.operatorId), [
    { currency: "EUR", state: "returned", owedMinor: 199n, sums: 1 },
  ]);
  assert.equal((await paid()).owedMinor, 0n);
  assert.deepEqual(await balancesOf(fixture), { "cash:bank": 299, "revenue:subscribers": -299 });
});

test("what was refused and paid otherwise does not come back by the payment provider's word: a person looks, and nothing is owed", async () => {
  const fixture = await fixtureOf("paid otherwise");
  fixture.answers.collect = async () => ({ kind: "refused", cause: "expired_card", reason: "refused" });
  await fixture.ask(["mail"], { card: ACCOUNT });
  await fixture.calls();
  const [row] = await rowsOf(fixture);
  assert.equal(row?.state, "refused");
  const id = row.id;
  await collections.book(fixture.operatorId, id, { outcome: "taken", reason: "by transfer" }, "ada");
  assert.equal((await book(fixture, toldOf(id))).outcome, "conflict");
  const [after] = await rowsOf(fixture);
  assert.deepEqual(
    [after?.owedMinor, after?.reason],
    [0n, "it was paid otherwise, as ada booked: by transfer"],
    "nobody says that the payment provider took it",
  );
  assert.deepEqual(await balancesOf(fixture), { "cash:bank": 299, "revenue:subscribers": -299 });
});

test("a notification and a statement that tells less of the same return are one bank's word of it", async () => {
  const fixture = await fixtureOf("told less");
  const { id } = await collected(fixture);
  const name = collectionNameOf(id);
  const entry = { endToEndId: name, direction: "debit", isReversal: false, isBooked: true } as const;
  const more = { currency: "EUR", returnReason: "MD06", bookedOn: "2026-06-02", bankReference: "BANK-7" };
  const fact = { kind: "movement", ...entry, ...more, amountMinor: 100n, collectedMinor: null } as const;
  const told = async (source: string, facts: readonly (typeof fact & { otherNames?: string[] })[]) => {
    const file = { source, messageId: source, sha256: new Uint8Array(32), facts };
    const { returns: booked } = await bookBankFile(deps, fixture.operatorId, file, "test");
    return booked.map(({ outcome, isRepeated }) => [outcome, isRepeated]);
  };
  assert.deepEqual(await told("camt.054", [{ ...fact, otherNames: ["TX-1"] }]), [["booked", false]]);
  assert.deepEqual(await told("camt.053", [fact]), [["booked", true]]);
  assert.equal((await rowsOf(fixture))[0]?.returnedMinor, 100n);
});

test("two servers that are told the same at one moment book it once", async () => {
  const fixture = await fixtureOf("returned at once");
  const { id } = await collected(fixture);
  const tellings = [toldOf(id), toldOf(id), toldOf(id, { key: "BANK-9", source: "camt.054" })];
  const told = await Promise.all(tellings.map((one) => book(fixture, one)));
  assert.equal(told.filter(({ outcome, isRepeated }) => outcome === "booked" && !isRepeated).length, 1);
  assert.deepEqual(await balancesOf(fixture), { "receivable:subscribers": 299, "revenue:subscribers": -299 });
});

test("want of funds lets later months be collected; a closed account or a missing mandate ends it until another is left; `hold` waits until it is paid", async () => {
  const since = time.now;
  const cases = [
    { name: "funds", code: "AM04", policy: {}, asked: 2 },
    { name: "closed", code: "AC04", policy: {}, asked: 1 },
    { name: "mandate", code: "MD01", policy: {}, asked: 1 },
    { name: "held", code: "AM04", policy: { afterReturn: "hold" }, asked: 1 },
  ];
  const made = [];
  for (const one of cases) {
    const fixture = await fixtureOf(`returned ${one.name}`, one.policy);
    const { id } = await collected(fixture);
    assert.equal((await book(fixture, toldOf(id, { code: one.code }))).outcome, "booked");
    made.push({ ...one, fixture, id });
  }
  for (const { fixture, name, asked } of made) {
    await month(fixture, since, 1);
    assert.equal(fixture.saw.collections.length, asked, name);
    const rows = await rowsOf(fixture);
    assert.deepEqual(
      rows.map(({ state }) => state),
      ["returned", asked === 2 ? "taken" : "refused"],
      name,
    );
    assert.match(rows[1]?.reason ?? "", asked === 2 ? /took it/ : /came back/, name);
  }
  const [, closed, , held] = made;
  assert.ok(closed && held);
  await collections.book(held.fixture.operatorId, held.id, { outcome: "taken", reason: "paid" }, "ada");
  const other = { ...ACCOUNT, token: "ba_2", mandate: { ...ACCOUNT.mandate, reference: "M2" } };
  await closed.fixture.ask(["mail"], { action: "remove" });
  await closed.fixture.calls();
  await closed.fixture.ask(["mail"], { card: other });
  await closed.fixture.calls();
  assert.equal(closed.fixture.saw.collections.at(-1)?.token, "ba_2", "another account is asked");
  await month(held.fixture, since, 2);
  assert.equal(held.fixture.saw.collections.length, 2, "paid, and collected again");
});

test("a return that names nothing known is kept and shown; it books when its sum becomes known, or a person says which it is", async () => {
  const fixture = await fixtureOf("unknown return");
  const early = toldOf(uuidv7(), { key: "R-early", named: ["C-77"] });
  assert.equal((await book(fixture, early)).outcome, "unknown");
  const stray = await book(fixture, toldOf(uuidv7(), { key: "R-stray" }));
  assert.equal(stray.outcome, "unknown");
  const other = await shop.operator();
  const unsettled = async (operatorId = fixture.operatorId) =>
    (await returns.list(operatorId, { unsettled: true }, { limit: 9 })).rows.map(({ outcome }) => outcome);
  assert.deepEqual([await unsettled(), await unsettled(other)], [["unknown", "unknown"], []]);
  const { id } = await collected(fixture, "C-77");
  assert.equal(await returns.lookAgain(fixture.operatorId), 1, "its provider's number came meanwhile");
  assert.equal((await rowsOf(fixture))[0]?.state, "returned");
  await assert.rejects(returns.settle(other, stray.id, { reason: "mine" }, "eve"), {
    code: "collection_return_not_found",
  });
  const settled = await returns.settle(fixture.operatorId, stray.id, { reason: "another system's" }, "ada");
  assert.deepEqual([settled.outcome, await unsettled()], ["settled", []]);
  await assert.rejects(
    returns.settle(fixture.operatorId, stray.id, { collectionId: id, reason: "no" }, "ada"),
    {
      code: "collection_return_closed",
    },
  );
  // By the name of another operator's sum nothing of it is found.
  const foreign = await returns.book(other, toldOf(id, { key: "R-foreign" }), "test");
  assert.deepEqual([foreign.outcome, foreign.collectionId], ["unknown", null]);
});

test("a key that the provider had before is no refusal: what became of it a person asks", async () => {
  const fixture = await fixtureOf("key reused");
  fixture.answers.collect = async () => ({ kind: "refused", cause: "key_reused", reason: "refused" });
  await fixture.ask(["mail"], { card: ACCOUNT });
  await fixture.calls();
  assert.equal((await rowsOf(fixture))[0]?.state, "unknown");
});
