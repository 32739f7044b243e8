/** The payment provider's client against the simulated one: cards for tokens, sums against tokens (R38). */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { startPaymentProvider } from "../../sim/payment/provider.ts";
import { paymentProvider } from "./payment-provider.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Who answers does so in milliseconds, and on a busy machine later: they are waited for. Who is silent is not. */
const PATIENCE_MS = 20_000;
const SILENT_MS = 300;

async function world(
  options: Partial<Parameters<typeof startPaymentProvider>[0]> = {},
  timeoutMs = PATIENCE_MS,
) {
  const sim = await startPaymentProvider({ secret: "right", ...options });
  const fixture = paymentProvider({ url: sim.url, secret: "right", timeoutMs });
  closers.push(sim.close, fixture.close);
  return { sim, fixture };
}
const VISA = "4111111111111111";
const card = (pan: string, idempotencyKey = `key-${pan.slice(-4)}`) => ({
  pan,
  expiry: "1230",
  cvv: "737",
  idempotencyKey,
});

async function tokenOf(fixture: ReturnType<typeof paymentProvider>, pan: string): Promise<string> {
  const answer = await fixture.tokenise(card(pan));
  assert.ok(answer.kind === "token");
  return answer.card.token;
}

test("a card becomes a token with the digits that may be shown; the provider keeps neither number nor code", async () => {
  const { sim, fixture } = await world();
  const answer = await fixture.tokenise(card(VISA));
  assert.ok(answer.kind === "token");
  const { token, ...shown } = answer.card;
  assert.deepEqual(shown, { first6: "411111", last4: "1111", brand: "visa" });
  assert.ok(!token.includes(VISA.slice(-8)));
  assert.ok(!sim.memory().includes(VISA));
  assert.ok(!/cvv|"737"/.test(sim.memory()));
});

test("a repeat under the same key is the same token; another card under it is refused", async () => {
  const { fixture } = await world();
  const first = await fixture.tokenise(card(VISA, "k"));
  assert.deepEqual(await fixture.tokenise(card(VISA, "k")), first);
  const other = await fixture.tokenise(card("5500005555555559", "k"));
  assert.ok(other.kind === "refused");
  assert.equal(other.cause, "key_reused");
});

test("a number with a wrong check digit, a month 13 and a code of letters never leave for the provider", async () => {
  const { sim, fixture } = await world();
  const bad = [
    card("4111111111111112"),
    { ...card(VISA), expiry: "1330" },
    { ...card(VISA), cvv: "abc" },
    { ...card(VISA), pan: "4111" },
  ];
  for (const one of bad) {
    const answer = await fixture.tokenise(one);
    assert.ok(answer.kind === "refused");
    assert.equal(answer.cause, "card_malformed");
    assert.ok(!JSON.stringify(answer).includes(one.pan));
  }
  assert.equal(sim.requests(), 0);
});

test("a sum is held once, however often it is asked for; nothing at all checks the card alone", async () => {
  const { sim, fixture } = await world();
  const token = await tokenOf(fixture, VISA);
  const request = { id: "a1", token, amountMinor: 995, currency: "EUR" };
  assert.deepEqual(await fixture.authorise(request), { kind: "approved", reference: "A1" });
  assert.deepEqual(await fixture.authorise(request), { kind: "approved", reference: "A1" });
  assert.deepEqual(await fixture.authorise({ ...request, id: "a2", amountMinor: 0 }), {
    kind: "approved",
    reference: "A2",
  });
  assert.deepEqual(
    sim.held().map(({ amountMinor }) => amountMinor),
    [995, 0],
  );
});

test("an answer lost after the sum was held: the repeat gets the same reference, and one sum is held", async () => {
  const { sim, fixture } = await world({
    fault: (number) => (number === 2 ? "lose_answer" : undefined),
  });
  const token = await tokenOf(fixture, VISA);
  const request = { id: "a1", token, amountMinor: 995, currency: "EUR" };
  const lost = await fixture.authorise(request);
  assert.ok(lost.kind === "failed");
  assert.deepEqual(await fixture.authorise(request), { kind: "approved", reference: "A1" });
  assert.equal(sim.held().length, 1);
});

const declines: [string, string][] = [
  ["4000000000000002", "do_not_honour"],
  ["4000000000009995", "insufficient_funds"],
  ["4000000000000069", "expired_card"],
];
for (const [pan, cause] of declines) {
  test(`the test card that ends with ${pan.slice(-4)} is declined: ${cause}`, async () => {
    const { fixture, sim } = await world();
    const answer = await fixture.authorise({
      id: "a1",
      token: await tokenOf(fixture, pan),
      amountMinor: 100,
      currency: "EUR",
    });
    assert.deepEqual(answer, { kind: "refused", cause, reason: "the payment provider declined it" });
    assert.equal(sim.held().length, 0);
  });
}

test("a card whose code is wrong gets no token", async () => {
  const { fixture } = await world();
  const answer = await fixture.tokenise(card("4000000000000127"));
  assert.ok(answer.kind === "refused");
  assert.equal(answer.cause, "incorrect_code");
});

test("a provider that is silent about a card has approved nothing", async () => {
  const { fixture, sim } = await world();
  const token = await tokenOf(fixture, "4000000000000119");
  const impatient = paymentProvider({ url: sim.url, secret: "right", timeoutMs: SILENT_MS });
  closers.push(impatient.close);
  const answer = await impatient.authorise({ id: "a1", token, amountMinor: 100, currency: "EUR" });
  assert.ok(answer.kind === "failed");
  assert.equal(answer.cause, "timeout");
  assert.equal(sim.held().length, 0);
});

test("a provider that has not decided yet is asked again under the same id until it has", async () => {
  const { fixture } = await world();
  const token = await tokenOf(fixture, "4000000000000341");
  const request = { id: "a1", token, amountMinor: 100, currency: "EUR" };
  const kinds: string[] = [];
  for (let asked = 0; asked < 3; asked++) kinds.push((await fixture.authorise(request)).kind);
  assert.deepEqual(kinds, ["failed", "failed", "approved"]);
});

const MANDATE = { reference: "M0123456789ABCDEF", signedOn: "2026-03-31" };

test("a bank account becomes a token under its mandate, and later sums are asked of that token", async () => {
  const { sim, fixture } = await world();
  const iban = "AT611904300234573201";
  const answer = await fixture.tokeniseAccount?.({ iban, mandate: MANDATE, idempotencyKey: "a" });
  assert.ok(answer?.kind === "token");
  assert.ok(!answer.token.includes("34573201"));
  assert.ok(!sim.memory().includes(iban));
  assert.ok(sim.memory().includes(MANDATE.reference));
  const held = await fixture.authorise({ id: "x", token: answer.token, amountMinor: 499, currency: "EUR" });
  assert.equal(held.kind, "approved");
  assert.deepEqual(sim.held(), [{ token: answer.token, amountMinor: 499, currency: "EUR" }]);
});

test("an account with a wrong digit, or without a mandate, never leaves; one that is closed is refused", async () => {
  const { sim, fixture } = await world();
  for (const account of [
    { iban: "AT611904300234573202", mandate: MANDATE },
    { iban: "AT611904300234573201", mandate: { ...MANDATE, reference: "" } },
  ]) {
    const answer = await fixture.tokeniseAccount?.({ ...account, idempotencyKey: "b" });
    assert.ok(answer?.kind === "refused" && answer.cause === "account_malformed");
  }
  assert.ok(!sim.memory().includes("ba_"));
  const closed = await fixture.tokeniseAccount?.({
    iban: "FR1420041010050500013M02606",
    mandate: MANDATE,
    idempotencyKey: "c",
  });
  assert.ok(closed?.kind === "refused" && closed.cause === "account_closed");
});

test("a provider that takes cards alone is found out at its first answer, and asked again after an hour", async () => {
  const sim = await startPaymentProvider({ secret: "right", cardsOnly: true });
  closers.push(sim.close);
  let now = 5;
  const options = { url: sim.url, secret: "right", timeoutMs: PATIENCE_MS, monotonicMs: () => now };
  const fixture = paymentProvider(options);
  closers.push(fixture.close);
  const account = { iban: "AT611904300234573201", holder: "Ada Lovelace", mandate: MANDATE };
  assert.deepEqual(await fixture.tokeniseAccount?.({ ...account, idempotencyKey: "d" }), {
    kind: "not_taken",
  });
  assert.equal(fixture.tokeniseAccount, undefined);
  now += 3_600_001;
  assert.notEqual(fixture.tokeniseAccount, undefined);
  assert.equal(
    (await tokenOf(fixture, "4111111111111111")).slice(0, 4),
    "tok_",
    "cards are taken all the while",
  );
  const told = paymentProvider({ ...options, cardsOnly: true });
  closers.push(told.close);
  assert.equal(told.tokeniseAccount, undefined, "the configuration may say so beforehand");
});

test("a sum is taken from a card and from an account by one path: once a key, an account by its mandate alone", async () => {
  const { sim, fixture } = await world();
  const iban = "AT611904300234573201";
  const account = await fixture.tokeniseAccount?.({ iban, mandate: MANDATE, idempotencyKey: "a" });
  assert.ok(account?.kind === "token");
  const mandate = MANDATE.reference;
  const due = { amountMinor: 299, currency: "EUR", purpose: "renewal", endToEndId: "C1" } as const;
  const byCard = { ...due, id: "1", token: await tokenOf(fixture, VISA), mandate: null };
  const byAccount = { ...due, id: "2", token: account.token, mandate };
  for (const one of [byCard, byAccount, byCard, byAccount])
    assert.equal((await fixture.collect(one)).kind, "taken");
  assert.deepEqual(
    sim.taken().map(({ token, mandate, amountMinor }) => [token, mandate, amountMinor]),
    [
      [byCard.token, null, 299],
      [account.token, mandate, 299],
    ],
  );
  const without = await fixture.collect({ ...byAccount, id: "3", mandate: null });
  assert.ok(without.kind === "refused" && without.cause === "mandate_unknown");
  const nothing = await fixture.collect({ ...byCard, id: "4", amountMinor: 0 });
  assert.ok(nothing.kind === "refused" && nothing.cause === "malformed", "nothing is not collected");
});

test("an answer that is lost is the first one again under the same key; a debit that takes days is pending until it is taken", async () => {
  let asked = 0;
  const { sim, fixture } = await world({
    fault: (_, { path }) => {
      if (path === "/v1/charges") asked += 1;
      return path === "/v1/charges" && asked === 1 ? "lose_answer" : undefined;
    },
  });
  const due = {
    amountMinor: 299,
    currency: "EUR",
    purpose: "order",
    mandate: null,
    endToEndId: "C1",
  } as const;
  const one = { ...due, id: "1", token: await tokenOf(fixture, VISA) };
  assert.equal((await fixture.collect(one)).kind, "failed");
  assert.deepEqual(await fixture.collect(one), { kind: "taken", reference: "C1" });
  assert.equal(sim.taken().length, 1);
  const slow = await fixture.tokeniseAccount?.({
    iban: "NL91ABNA0417164300",
    mandate: MANDATE,
    idempotencyKey: "b",
  });
  assert.ok(slow?.kind === "token");
  const debit = { ...due, id: "2", token: slow.token, mandate: MANDATE.reference };
  const kinds: string[] = [];
  for (let round = 0; round < 3; round++) kinds.push((await fixture.collect(debit)).kind);
  assert.deepEqual(kinds, ["failed", "failed", "taken"]);
});

test("a day on which something came back that the calendar lacks is none, and what is told with it is heard", async () => {
  const { sim, fixture } = await world();
  const token = await tokenOf(fixture, VISA);
  await fixture.collect({
    ...{ id: "1", token, endToEndId: "CA1", amountMinor: 299, currency: "EUR" },
    ...{ purpose: "order", mandate: null },
  });
  sim.giveBack({ code: "AM04", returnedOn: "2026-02-30" });
  sim.giveBack({ code: "AM04", returnedOn: "2026-02-28" });
  const told = await fixture.returns?.({ after: null });
  assert.deepEqual(told?.kind === "returns" && told.returns.map(({ returnedOn }) => returnedOn), [
    null,
    "2026-02-28",
  ]);
});

test("what came back is told oldest first, from where the last answer ended; a provider without such a list says so, a silent one nothing", async () => {
  const { sim, fixture } = await world();
  const due = { amountMinor: 299, currency: "EUR", purpose: "order", mandate: null } as const;
  const token = await tokenOf(fixture, VISA);
  for (const id of ["1", "2"]) await fixture.collect({ ...due, id, token, endToEndId: `CA${id}` });
  const first = await fixture.returns?.({ after: null });
  assert.deepEqual(first, { kind: "returns", returns: [], cursor: "0", isMore: false });
  sim.giveBack({ reference: "C1", code: "AM04" });
  sim.giveBack({ reference: "C2", code: "4855", kind: "chargeback", amountMinor: 100 });
  const told = { currency: "EUR", returnedOn: null };
  assert.deepEqual(await fixture.returns?.({ after: "0" }), {
    kind: "returns",
    returns: [
      { ...told, key: "R1", kind: "return", named: ["CA1", "C1"], amountMinor: 299n, code: "AM04" },
      { ...told, key: "R2", kind: "chargeback", named: ["CA2", "C2"], amountMinor: 100n, code: "4855" },
    ],
    cursor: "2",
    isMore: false,
  });
  for (let number = 0; number < 150; number++) sim.giveBack({ code: "MD06", amountMinor: 1 });
  const page = await fixture.returns?.({ after: "2" });
  assert.ok(page?.kind === "returns" && page.isMore);
  assert.deepEqual([page.returns.length, page.cursor], [100, "102"]);
  const without = await world(
    {
      fault: (_, { path }) => (path.startsWith("/v1/returns") ? "late" : undefined),
      lateMs: 2_000,
    },
    SILENT_MS,
  );
  assert.equal((await without.fixture.returns?.({ after: null }))?.kind, "failed");
});
