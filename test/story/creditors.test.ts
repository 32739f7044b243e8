/**
 * Manufacturers as payable creditors (R130; 201 claims 7 and 19): portions gather, a payment file pays them, the bank's own word
 * books them, and both sides read the same statement. The bank is one that knows files alone.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createFileBank } from "../../src/sim/bank/file-bank.ts";
import { type StoryOperator, storyFixture } from "../fixture/story.ts";

const fixture = await storyFixture();
/** Examples of the IBAN registry. */
const SONY = "GB29NWBK60161331926819";
const HUAWEI = "NL91ABNA0417164300";
const PAYER = "DE89370400440532013000";

/** JSON as it came. */
// biome-ignore lint/suspicious/noExplicitAny: answers are compared with literals, field by field
type Json = any;

async function ok(
  operator: StoryOperator,
  method: string,
  path: string,
  body?: unknown,
  headers = {},
): Promise<Json> {
  const answer = await operator.call(method, path, body, "admin", {
    ...(method === "POST" && { "idempotency-key": `key-${++keys}` }),
    ...headers,
  });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
  return answer.body ?? answer.text;
}
let keys = 0;

const byFile = { portionPaidBy: "payment_file" } as const;
async function operatorByFile(): Promise<StoryOperator> {
  const operator = await fixture.operator({
    relations: [
      { make: "Sony", ...byFile },
      { make: "Huawei", ...byFile },
    ],
  });
  await ok(operator, "PUT", "/v1/payer", { name: "Meridian Mobile", iban: PAYER, bic: "COBADEFFXXX" });
  await ok(operator, "PUT", "/v1/creditors/Sony", { name: "Sony Gerätebau & Söhne", iban: SONY });
  return operator;
}

/** Phones whose fee is paid: each leaves a portion of 1.00 euro that waits. */
async function paidFees(operator: StoryOperator, ...models: readonly string[]): Promise<Json[]> {
  const phones = models.map((model) => fixture.phone(model));
  for (const phone of phones) await phone.attach();
  const stories = [];
  for (const phone of phones) stories.push(await operator.settled(phone));
  return stories;
}

const makeFile = async (operator: StoryOperator): Promise<Json> => {
  const batch = await ok(operator, "POST", "/v1/payment-batches", {});
  return { ...batch, file: await ok(operator, "GET", `/v1/payment-batches/${batch.id}/file`) };
};
const say = (operator: StoryOperator, xml: string): Promise<Json> =>
  ok(operator, "POST", "/v1/bank-files", xml, { "content-type": "application/xml" });
const outcomes = ({ entries }: Json): string[] => entries.map(({ outcome }: Json) => outcome);
const transfersOf = async (operator: StoryOperator, { id }: Json): Promise<Json[]> =>
  (await ok(operator, "GET", `/v1/payment-batches/${id}`)).transfers;

async function owed(operator: StoryOperator, make: string): Promise<number> {
  const { balances } = await operator.get("/v1/balances");
  const sum = balances.reduce((total: number, one: Json) => total + one.balanceMinor, 0);
  assert.equal(sum, 0, "the books balance");
  const found = balances.find(({ account }: Json) => account === `payable:maker:${make.toLowerCase()}`);
  return 0 - (found?.balanceMinor ?? 0);
}

async function asMaker(operator: StoryOperator, make: string) {
  const { token } = await ok(operator, "POST", "/v1/tokens", { role: "maker", label: `${make} books`, make });
  return async (method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> => {
    const response = await fetch(fixture.server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        "idempotency-key": `maker-${++keys}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
}

test("portions gather into one transfer a manufacturer; only the bank's booking pays them, and each side reads the same", async () => {
  const operator = await operatorByFile();
  const stories = await paidFees(operator, "Xperia Z3", "Xperia Z3", "P20 lite");
  for (const { charges, calls } of stories) {
    assert.match(charges[0].reason, /waits for the next payment file/);
    assert.ok(!calls.some(({ kind }: Json) => kind === "portion_payment"), "the payment system is not asked");
  }
  assert.deepEqual(
    (await operator.get("/v1/payables")).rows.map(({ make, amountMinor, lines, why }: Json) => [
      make,
      amountMinor,
      lines,
      why,
    ]),
    [
      ["Sony", 200, 2, null],
      ["Huawei", 100, 1, "no_account"],
    ],
  );
  const batch = await makeFile(operator);
  assert.deepEqual(
    batch.transfers.map(({ make, amountMinor, state, creditorMasked, owner }: Json) => [
      make,
      amountMinor,
      state,
      creditorMasked,
      owner,
    ]),
    [["Sony", 200, "exported", "GB29 **** 6819", `${operator.slug} admin`]],
  );
  assert.deepEqual(
    batch.leftOut.map(({ make, why }: Json) => [make, why]),
    [["Huawei", "no_account"]],
  );
  assert.match(batch.file, /<Nm>Sony Geratebau \+ Sohne<\/Nm>/);
  assert.equal(
    await ok(operator, "GET", `/v1/payment-batches/${batch.id}/file`),
    batch.file,
    "octet for octet",
  );
  assert.equal(await owed(operator, "Sony"), 200, "a file pays nobody");
  const again = await operator.call("POST", "/v1/payment-batches", {}, "admin", {
    "idempotency-key": "again",
  });
  assert.deepEqual([again.status, again.body.code], [409, "nothing_payable"]);

  const bank = createFileBank();
  const { status, notices } = bank.take(batch.file);
  assert.deepEqual(outcomes(await say(operator, status)), ["accepted"]);
  assert.equal(await owed(operator, "Sony"), 200, "nor does a bank that took it");
  assert.deepEqual(outcomes(await say(operator, notices[0] ?? "")), ["booked"]);
  assert.equal(await owed(operator, "Sony"), 0);
  assert.deepEqual(outcomes(await say(operator, notices[0] ?? "")), ["repeated"]);
  assert.equal(await owed(operator, "Sony"), 0, "nothing is booked twice");

  const [transfer] = await transfersOf(operator, batch);
  assert.deepEqual([transfer.state, transfer.bookedMinor, transfer.deadlineAt], ["booked", 200, null]);
  const [sony] = stories;
  const settled = await operator.get(`/v1/orders/${sony.id}`);
  assert.deepEqual(
    [settled.charges[0].state, settled.charges[0].payoutReference],
    ["settled", transfer.endToEndId],
  );

  const maker = await asMaker(operator, "Sony");
  const theirs = (await maker("GET", "/v1/maker/statement")).body;
  const ours = await operator.get("/v1/statements?make=Sony");
  assert.deepEqual(theirs, ours);
  assert.deepEqual(theirs.balances, [{ currency: "EUR", openingMinor: 0, closingMinor: 0, lines: 4 }]);
  assert.deepEqual(
    theirs.rows.map(({ kind, amountMinor, endToEndId }: Json) => [kind, amountMinor, endToEndId]),
    [
      ["portion", 100, null],
      ["portion", 100, null],
      ["payout", -100, transfer.endToEndId],
      ["payout", -100, transfer.endToEndId],
    ],
  );
  const keyIds = stories
    .slice(0, 2)
    .map(({ items }: Json) => items.find(({ kind }: Json) => kind === "key").keyId.replaceAll("-", ""));
  assert.deepEqual(
    [...new Set(theirs.rows.map(({ keyReference }: Json) => keyReference))].sort(),
    keyIds.sort(),
  );
  assert.deepEqual((await maker("GET", "/v1/maker/statement?from=2999-01-01T00:00:00Z")).body.balances, [
    { currency: "EUR", openingMinor: 0, closingMinor: 0, lines: 0 },
  ]);
  const own = await operator.get("/v1/statements");
  assert.deepEqual(
    [own.account, own.balances[0].closingMinor, own.balances[0].lines],
    ["receivable:operator", 0, 6],
  );
});

test("the manufacturer hears of each key that was paid by file, and its own list shows no difference", async () => {
  const operator = await operatorByFile();
  const [story] = await paidFees(operator, "Xperia Z3");
  const batch = await makeFile(operator);
  for (const notice of createFileBank().take(batch.file).notices) await say(operator, notice);
  const told = await fixture.whileTimePasses(async () => {
    for (;;) {
      const { calls } = await operator.get(`/v1/orders/${story.id}`);
      const call = calls.find(({ kind }: Json) => kind === "remittance_notice");
      if (call && call.dueAt === null) return call;
    }
  });
  assert.equal(told.state, "done");
});

/** Each with two portions to one account, so that a part can be paid. */
const TROUBLES: readonly {
  readonly what: string;
  readonly habit: { readonly refuse: string } | { readonly pay: string } | { readonly comesBack: string };
  readonly said: readonly string[];
  readonly state: string;
  readonly owed: number;
  readonly waits: number;
}[] = [
  {
    what: "refuses the account",
    habit: { refuse: "AC04" },
    said: ["rejected"],
    state: "rejected",
    owed: 200,
    waits: 2,
  },
  {
    what: "pays a part",
    habit: { pay: "1.50" },
    said: ["accepted", "partly_booked"],
    state: "partly_booked",
    owed: 50,
    waits: 0,
  },
  {
    what: "brings the payment back",
    habit: { comesBack: "AC04" },
    said: ["accepted", "booked", "returned"],
    state: "returned",
    owed: 200,
    waits: 2,
  },
  {
    what: "takes more than was asked",
    habit: { pay: "2.01" },
    said: ["accepted", "conflict"],
    state: "accepted",
    owed: 200,
    waits: 0,
  },
];

for (const { what, habit, said, state, owed: rest, waits } of TROUBLES) {
  test(`a bank that ${what}: the books say what was paid, and what is free waits for the next file`, async () => {
    const operator = await operatorByFile();
    await paidFees(operator, "Xperia Z3", "Xperia Z3");
    const batch = await makeFile(operator);
    const bank = createFileBank(new Map([[SONY, habit]]));
    const { status, notices } = bank.take(batch.file);
    const heard: string[] = [];
    for (const file of [status, ...notices]) heard.push(...outcomes(await say(operator, file)));
    assert.deepEqual(heard, said);
    const [transfer] = await transfersOf(operator, batch);
    assert.equal(transfer.state, state);
    assert.equal(await owed(operator, "Sony"), rest);
    const { rows } = await operator.get("/v1/payables");
    assert.equal(rows[0]?.lines ?? 0, waits);
    if (waits > 0) {
      await ok(operator, "PUT", "/v1/creditors/Sony", { name: "Sony", iban: HUAWEI });
      const second = await makeFile(operator);
      for (const file of bank.take(second.file).notices) await say(operator, file);
      assert.equal(await owed(operator, "Sony"), 0, "the second file pays them, once");
      for (const file of [status, ...notices])
        assert.ok(outcomes(await say(operator, file)).every((outcome) => outcome === "repeated"));
      assert.equal(await owed(operator, "Sony"), 0);
    } else {
      assert.notEqual(transfer.deadlineAt, null, "somebody has to see to it, by then");
      const { rows: waiting } = await operator.get("/v1/payment-transfers");
      assert.deepEqual(
        waiting.map(({ id }: Json) => id),
        [transfer.id],
      );
    }
  });
}

test("what a bank says of nobody's payment books nothing, and a hostile file is refused unread", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3");
  const { file } = await makeFile(operator);
  const [notice = ""] = createFileBank().take(file).notices;
  const strange = notice.replaceAll(/T[0-9A-F]{32}/g, `T${"A".repeat(32)}`);
  assert.deepEqual(outcomes(await say(operator, strange)), ["unknown"]);
  const rent = await say(operator, notice.replaceAll(/T[0-9A-F]{32}/g, "RENT-2026-02"));
  assert.deepEqual([rent.entries, rent.foreign], [[], 1]);
  const dollars = await say(operator, notice.replaceAll('Ccy="EUR"', 'Ccy="USD"'));
  assert.deepEqual(outcomes(dollars), ["mismatch"]);
  for (const hostile of [
    notice.replace("<Document", '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Document'),
    notice.replace("<Document", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><Document'),
    notice.replace("camt.054.001.08", "pacs.008.001.08"),
    notice.slice(0, -20),
    "<Document/>",
  ]) {
    const answer = await operator.call("POST", "/v1/bank-files", hostile, "admin", {
      "content-type": "application/xml",
    });
    assert.deepEqual([answer.status, answer.body.code], [400, "bank_file_malformed"], hostile.slice(0, 60));
  }
  assert.equal(await owed(operator, "Sony"), 100);
  const { rows } = await operator.get("/v1/bank-entries?unsettled=true");
  assert.deepEqual(rows.map(({ outcome }: Json) => outcome).sort(), ["mismatch", "unknown"]);
});

test("a manufacturer disputes a line: it is held back, taken back by a posting of its own, and the sum is square", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3", "Xperia Z3");
  const maker = await asMaker(operator, "Sony");
  const { rows } = (await maker("GET", "/v1/maker/statement")).body;
  const opened = await maker("POST", "/v1/maker/disputes", {
    postingId: rows[0].id,
    reason: "we never made this key",
  });
  assert.equal(opened.status, 201, JSON.stringify(opened.body));
  assert.deepEqual([opened.body.state, opened.body.raisedBy, opened.body.decidedBy], ["open", "maker", null]);
  assert.ok(Date.parse(opened.body.deadlineAt) > Date.now());
  const twice = await maker("POST", "/v1/maker/disputes", { postingId: rows[0].id, reason: "again" });
  assert.deepEqual([twice.status, twice.body.code], [409, "dispute_not_possible"]);
  assert.deepEqual(
    (await operator.get("/v1/payables")).rows.map(({ lines, why }: Json) => [lines, why]),
    [
      [1, null],
      [1, "disputed"],
    ],
  );
  const batch = await makeFile(operator);
  assert.equal(batch.transfers[0].amountMinor, 100, "the disputed portion is in no file");
  await ok(operator, "POST", `/v1/disputes/${opened.body.id}/decision`, {
    outcome: "reversed",
    reason: "it was another make's",
  });
  for (const notice of createFileBank().take(batch.file).notices) await say(operator, notice);
  assert.equal(await owed(operator, "Sony"), 0);
  const { balances, rows: lines } = (await maker("GET", "/v1/maker/statement")).body;
  assert.deepEqual(balances, [{ currency: "EUR", openingMinor: 0, closingMinor: 0, lines: 4 }]);
  assert.deepEqual(lines.map(({ kind }: Json) => kind).sort(), ["payout", "portion", "portion", "reversed"]);
  const late = await operator.call(
    "POST",
    `/v1/disputes/${opened.body.id}/decision`,
    { outcome: "kept", reason: "no" },
    "admin",
  );
  assert.deepEqual([late.status, late.body.code], [409, "dispute_closed"]);
});

test("one of two payments of a portion is not taken back by itself: the whole portion would be owed again, and paid twice", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3");
  const { file } = await makeFile(operator);
  const half = createFileBank(new Map([[SONY, { pay: "0.60" }]])).take(file).notices[0] ?? "";
  const rest = half
    .replaceAll("B000001", "B000002")
    .replaceAll(">0.60<", ">0.40<")
    .replaceAll("-D</", "-E</");
  assert.deepEqual(outcomes(await say(operator, half)), ["partly_booked"]);
  const payoutsOf = async (): Promise<Json[]> =>
    (await operator.get("/v1/statements?make=Sony")).rows.filter(({ kind }: Json) => kind === "payout");
  const dispute = (postingId: string) =>
    operator.call("POST", "/v1/disputes", { postingId, reason: "it did not arrive" }, "admin", {
      "idempotency-key": `key-${++keys}`,
    });
  const early = await dispute((await payoutsOf())[0].id);
  assert.deepEqual([early.status, early.body.code], [409, "dispute_not_possible"]);
  assert.deepEqual(outcomes(await say(operator, rest)), ["booked"]);
  for (const { id } of await payoutsOf())
    assert.deepEqual((await dispute(id)).body.code, "dispute_not_possible");
  assert.equal(await owed(operator, "Sony"), 0);
  assert.deepEqual((await operator.get("/v1/payables")).rows, []);
});

test("a portion that is taken back after it was paid is set off against the next transfer", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3");
  const first = await makeFile(operator);
  for (const notice of createFileBank().take(first.file).notices) await say(operator, notice);
  const { rows } = await operator.get("/v1/statements?make=Sony");
  const dispute = await ok(operator, "POST", "/v1/disputes", {
    postingId: rows[0].id,
    reason: "the phone never worked",
  });
  await ok(operator, "POST", `/v1/disputes/${dispute.id}/decision`, {
    outcome: "reversed",
    reason: "agreed by phone",
  });
  assert.equal(await owed(operator, "Sony"), -100, "the manufacturer owes");
  await paidFees(operator, "Xperia Z3");
  const none = await operator.call("POST", "/v1/payment-batches", {}, "admin", {
    "idempotency-key": "set-off",
  });
  assert.deepEqual([none.status, none.body.code], [409, "nothing_payable"]);
  assert.match(none.body.detail, /set_off/);
  await paidFees(operator, "Xperia Z3");
  const second = await makeFile(operator);
  assert.equal(second.transfers[0].amountMinor, 100, "two portions less one");
  for (const notice of createFileBank().take(second.file).notices) await say(operator, notice);
  assert.equal(await owed(operator, "Sony"), 0);
  const { rows: charges } = await operator.get("/v1/charges?state=settled");
  assert.equal(charges.length, 3);
});

test("a manufacturer sees and disputes nothing of another's, and a token without a make sees nothing at all", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3");
  const { rows } = await operator.get("/v1/statements?make=Sony");
  const huawei = await asMaker(operator, "Huawei");
  assert.deepEqual((await huawei("GET", "/v1/maker/statement")).body.rows, []);
  const foreign = await huawei("POST", "/v1/maker/disputes", { postingId: rows[0].id, reason: "mine" });
  assert.deepEqual([foreign.status, foreign.body.code], [404, "posting_not_found"]);
  const nobody = await operator.call("GET", "/v1/maker/statement", undefined, "maker");
  assert.deepEqual([nobody.status, nobody.body.code], [403, "token_without_make"]);
});

test("a dispute that nobody decides in time keeps its line", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3");
  const { rows } = await operator.get("/v1/statements?make=Sony");
  const dispute = await ok(operator, "POST", "/v1/disputes", { postingId: rows[0].id, reason: "too much" });
  await fixture.database.run("update dispute set deadline_at = now() - interval '1 second' where id = $1", [
    dispute.id,
  ]);
  await fixture.whileTimePasses(async () => {
    for (;;) {
      const found = (await operator.get("/v1/disputes")).rows[0];
      if (found.state === "kept") return assert.equal(found.decidedBy, "deadline");
    }
  });
  assert.equal((await operator.get("/v1/payables")).rows[0].why, null);
});

test("a transfer is taken back only while no bank has spoken of it", async () => {
  const operator = await operatorByFile();
  await paidFees(operator, "Xperia Z3");
  const lost = await makeFile(operator);
  const taken = await ok(operator, "POST", `/v1/payment-transfers/${lost.transfers[0].id}/cancel`, {
    reason: "the file was lost",
  });
  assert.equal(taken.state, "cancelled");
  const next = await makeFile(operator);
  const bank = createFileBank();
  const { status, notices } = bank.take(next.file);
  await say(operator, status);
  const late = await operator.call(
    "POST",
    `/v1/payment-transfers/${next.transfers[0].id}/cancel`,
    { reason: "no" },
    "admin",
  );
  assert.deepEqual([late.status, late.body.code], [409, "payment_transfer_closed"]);
  for (const notice of notices) await say(operator, notice);
  assert.equal(await owed(operator, "Sony"), 0);
  // The lost file turns up at the bank after all: money moved twice, and a person has to know.
  const [again = ""] = bank.take(lost.file).notices;
  assert.deepEqual(outcomes(await say(operator, again)), ["conflict"]);
  assert.equal(await owed(operator, "Sony"), 0);
});
