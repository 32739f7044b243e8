/** Cards and bank accounts in requests that staff enters: given to the payment provider, kept nowhere (R8, R38). */

import assert from "node:assert/strict";
import { test } from "vitest";
import { landDoor } from "../../../../test/fixture/land-door.ts";
import { freeTries } from "../../../../test/fixture/memory-tries.ts";
import { ADA, staffDoor } from "../../../../test/fixture/staff-door.ts";
import { withoutIds } from "../../../../test/fixture/without-ids.ts";
import { enterForPartner } from "../partner/requests.ts";
import { enterForSubscriber } from "../requests.ts";

const { shop, door, fixture, enter } = await staffDoor();

const PAN = "4111111111111111";

/** All that stands in the database, as text. */
async function everything(): Promise<string> {
  const tables = await shop.database.rows<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) =>
      (await shop.database.rows<{ row: string }>(`select t::text as row from "${name}" t`))
        .map(({ row }) => row)
        .join("\n"),
    ),
  );
  return texts.join("\n");
}

test("a card goes to the payment provider, and its number and code stand nowhere: no row, no answer, no audit", async () => {
  const of = await fixture("card");
  const card = { number: "4111 1111 1111 1111", expiry: "12/29", code: "737" };
  const answer = await enter(of, { selection: ["carded"], user: ADA, card }, "with-card");
  assert.equal(answer.statusCode, 202, answer.body);
  assert.equal(door.cards.at(-1)?.pan, PAN);
  const seen = await door.get(of.tokens.care, `/v1/requests/${answer.json().id}`);
  assert.equal(seen.json().card, "411111******1111");
  const all = await everything();
  for (const secret of [PAN, card.number, ...Object.values(ADA)]) assert.ok(!all.includes(secret), secret);
  assert.deepEqual([door.cards.at(-1)?.cvv, /"(?:cvv|code)": ?"737"/.test(all)], ["737", false]);

  const calls = door.cards.length;
  for (const [bad, code] of [
    [{ ...card, number: "4111 1111 1111 1112" }, "card_malformed"],
    [{ ...card, expiry: "12/19" }, "card_malformed"],
  ] as const) {
    const refused = await enter(of, { selection: ["carded"], card: bad });
    assert.equal(refused.json().code, code);
    assert.ok(!withoutIds(refused.body).includes("4111"));
  }
  assert.equal(door.cards.length, calls, "nothing went out");
});

test("a bank account stands in place of a card: checked, given to the payment provider with a mandate, its number nowhere", async () => {
  const of = await fixture("account");
  const iban = "AT61 1904 3002 3457 3201";
  const account = { iban, mandate: true };
  const answer = await enter(of, { selection: ["carded"], user: ADA, account }, "with-account");
  assert.equal(answer.statusCode, 202, answer.body);
  assert.equal(door.accounts.at(-1)?.iban, iban.replaceAll(" ", ""));
  assert.match(door.accounts.at(-1)?.mandate.reference ?? "", /^M[0-9A-F]{30}$/);
  const seen = await door.get(of.tokens.care, `/v1/requests/${answer.json().id}`);
  assert.equal(seen.json().card, "AT******3201");
  const all = await everything();
  for (const secret of [iban, "AT611904300234573201", "00234573201"])
    assert.ok(!all.includes(secret), secret);

  // As the country writes it: the registry's example of Norway.
  const national = { number: "8601 11 17947", country: "NO", mandate: true };
  const other = await enter(of, { selection: ["carded"], user: ADA, account: national }, "national");
  assert.equal(other.statusCode, 202, other.body);
  assert.equal(door.accounts.at(-1)?.iban, "NO9386011117947");

  const calls = door.accounts.length;
  const card = { number: "4111 1111 1111 1111", expiry: "12/29" };
  for (const [bad, code] of [
    [{ account: { ...account, iban: "AT61 1904 3002 3457 3202" } }, "account_malformed"],
    [{ account: { ...national, number: "8601 11 17948" } }, "account_malformed"],
    [{ account: { ...national, country: "DE" } }, "account_malformed"],
    [{ account: { iban } }, "invalid_request"],
    [{ account, card }, "invalid_request"],
    [{ account: { iban, number: "1", country: "NO", mandate: true } }, "invalid_request"],
  ] as const) {
    const refused = await enter(of, { selection: ["carded"], ...bad });
    assert.equal(refused.json().code, code, refused.body);
    assert.doesNotMatch(withoutIds(refused.body), /1904|17948/);
  }
  assert.equal(door.accounts.length, calls, "nothing went out");
});

test("what a repeat is known by holds no card and nothing of a user, not even for a hash of it", () => {
  const body = {
    selection: ["carded"],
    user: ADA,
    fields: { mail: { a: "b" } },
    card: { number: PAN },
    account: { iban: "x" },
  };
  for (const { tellsApart } of [enterForSubscriber, enterForPartner]) {
    assert.deepEqual(tellsApart?.(body), {
      selection: ["carded"],
      user: null,
      fields: null,
      card: null,
      account: null,
    });
  }
});

test("a payment provider that fails, with what it was sent in its failure, leaves no trace in answer or log", async () => {
  const of = await fixture("card in logs");
  const lines: string[] = [];
  const tokenise = () => Promise.reject(new Error(`refused ${PAN}`));
  const cardsOf = () => ({ provider: { tokenise }, secret: new Uint8Array(32), tries: freeTries() });
  const stream = { write: (text: string) => void lines.push(text) };
  const logging = await landDoor(shop, { cardsOf }, { log: { level: "trace", stream } });
  const body = {
    subscriber: of.subscriber,
    selection: ["carded"],
    user: ADA,
    card: { number: PAN, expiry: "12/29" },
  };
  const answer = await logging.post(of.tokens.representative, "/v1/requests", body);
  assert.deepEqual([answer.statusCode, answer.json().code], [503, "dependency_unavailable"]);
  assert.ok(lines.some((text) => text.includes("/v1/requests")));
  for (const text of [answer.body, ...lines]) {
    for (const secret of [PAN, ...Object.values(ADA), of.msisdn]) assert.ok(!text.includes(secret), text);
  }
});

test("a fourth card for one subscriber waits, whoever enters it, and the answer says how long (R38)", async () => {
  const of = await fixture("card pause");
  const calls = door.cards.length;
  const card = (number: string) => ({ selection: ["carded"], user: ADA, card: { number, expiry: "12/29" } });
  const cards = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"];
  const answers = [];
  for (const number of cards) answers.push(await enter(of, card(number)));
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [202, 202, 202, 429],
  );
  const last = answers[3]!;
  assert.equal(last.json().code, "card_tries_exceeded");
  assert.equal(last.headers["retry-after"], "60");
  assert.equal(door.cards.length, calls + 3, "the payment provider heard of three");
});
