/** Four eyes on a payment file over the API on a database: persons count, not tokens (R130). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createHttpServer } from "../../src/http/server.ts";
import { hashToken, tokenOf } from "../../src/kernel/account/token.ts";
import { DEFAULT_POLICY } from "../../src/kernel/operator/policy.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { createRegistry } from "../../src/store/operator/registry.ts";
import { createRepeats } from "../../src/store/operator/repeats.ts";
import { createSealer } from "../../src/store/seal/seal.ts";
import { createCreditors } from "../../src/store/settlement/creditors.ts";
import { createPaymentDesk } from "../../src/store/settlement/payment-desk.ts";
import { freshDatabase } from "../fixture/database.ts";
import { makeFixture } from "../fixture/http.ts";
import { writePaidFee } from "../fixture/paid-fee.ts";

const OPERATOR = uuidv7();
const database = await freshDatabase();
const sealer = createSealer(Buffer.alloc(32, 9));
const clock = (): Date => new Date();
const shared = { database, sealer, newId: uuidv7, clock };
const registry = createRegistry(shared);
const fixture = makeFixture();
const server = await createHttpServer({
  ...fixture.deps,
  ...registry,
  clock,
  newId: uuidv7,
  repeats: createRepeats(shared),
  settlement: {
    ...fixture.deps.settlement,
    payments: createPaymentDesk(shared),
    creditors: createCreditors(shared),
  },
});
await database.run("insert into operator (id, slug, name, kind) values ($1, 'north', 'North', 'mno')", [
  OPERATOR,
]);
const payments = { ...DEFAULT_POLICY.payments, secondPerson: true };
await registry.policies.put(OPERATOR, 0, { ...DEFAULT_POLICY, payments }, "test");
await writePaidFee({ database, sealer }, OPERATOR);

let tokens = 0;
/** As `turnup token add` makes it. */
async function tokenOfPerson(label: string, person: string | null): Promise<string> {
  const token = tokenOf(new Uint8Array(32).fill(++tokens));
  const made = {
    id: uuidv7(),
    hash: hashToken(token),
    role: "admin",
    label,
    person,
    expiresAt: null,
  } as const;
  await registry.tokens.create(OPERATOR, made, "cli");
  return token;
}
async function call(token: string, method: "GET" | "POST" | "PUT", url: string, payload: object = {}) {
  const headers = { authorization: `Bearer ${token}`, "idempotency-key": uuidv7() };
  const answer = await server.inject({ method, url, headers, ...(method !== "GET" && { payload }) });
  return { status: answer.statusCode, body: answer.json() };
}

test("two tokens of one person are one person: only another person's token releases the file, and none that its maker made (R130)", async () => {
  const laptop = await tokenOfPerson("ada-laptop", "Ada Lovelace");
  const script = await tokenOfPerson("ada-script", "ada lovelace");
  const nobody = await tokenOfPerson("desk", null);
  const bob = await tokenOfPerson("bob", "Bob");
  const account = { name: "North", iban: "DE89370400440532013000" };
  assert.equal((await call(laptop, "PUT", "/v1/payer", account)).status, 200);
  const acme = { name: "Acme Ltd", iban: "GB29NWBK60161331926819" };
  assert.equal((await call(laptop, "PUT", "/v1/creditors/Acme", acme)).status, 200);

  const unnamed = await call(nobody, "POST", "/v1/payment-batches");
  assert.deepEqual([unnamed.status, unnamed.body.code], [403, "person_unknown"]);
  const made = await call(laptop, "POST", "/v1/payment-batches");
  assert.deepEqual([made.status, made.body.madeByPerson], [201, "Ada Lovelace"]);
  const release = (token: string) =>
    call(token, "POST", `/v1/payment-batches/${made.body.id}/release`, {
      outcome: "approved",
      reason: "seen",
    });
  const puppet = await call(laptop, "POST", "/v1/tokens", { role: "admin", label: "carol", person: "Carol" });
  assert.equal(puppet.body.person, "Carol");
  const unnamedPuppet = await call(nobody, "POST", "/v1/tokens", {
    role: "admin",
    label: "eve",
    person: "Eve",
  });
  assert.deepEqual([unnamedPuppet.status, unnamedPuppet.body.code], [403, "person_unknown"]);
  const again = await call(puppet.body.token, "POST", "/v1/tokens", {
    role: "admin",
    label: "dan",
    person: "Dan",
  });
  for (const [token, code] of [
    [laptop, "second_person_needed"],
    [script, "second_person_needed"],
    [puppet.body.token, "second_person_needed"],
    [again.body.token, "second_person_needed"],
    [nobody, "person_unknown"],
  ])
    assert.deepEqual([(await release(token)).body.code], [code]);
  const released = await release(bob);
  assert.deepEqual(
    [released.status, released.body.release, released.body.releasedByPerson],
    [200, "released", "Bob"],
  );
  const audits = await database.rows<{ detail: { person?: string } }>(
    "select detail from audit where operator_id = $1 and action like 'payment_file.%' order by id",
    [OPERATOR],
  );
  assert.deepEqual(
    audits.map(({ detail }) => detail.person),
    ["Ada Lovelace", "Bob"],
  );
});

test("one person who makes two tokens for two names makes and approves no payment file by them (R130)", async () => {
  const root = await tokenOfPerson("root", "Grace");
  const made = async (person: string): Promise<string> =>
    (await call(root, "POST", "/v1/tokens", { role: "admin", label: person, person })).body.token;
  const [one, other] = [await made("Heidi"), await made("Ivan")];
  // What the file of before would have paid waits again.
  const [transfer] = await database.rows<{ id: string }>(
    "select id from payment_transfer where operator_id = $1 and state = 'exported'",
    [OPERATOR],
  );
  const lost = { reason: "the file was lost" };
  assert.equal((await call(root, "POST", `/v1/payment-transfers/${transfer?.id}/cancel`, lost)).status, 200);
  const batch = await call(one, "POST", "/v1/payment-batches");
  assert.equal(batch.status, 201, JSON.stringify(batch.body));
  const url = `/v1/payment-batches/${batch.body.id}/release`;
  const decision = { outcome: "approved", reason: "seen" };
  const refused = await call(other, "POST", url, decision);
  assert.deepEqual([refused.status, refused.body.code], [403, "second_person_needed"]);
  const released = await call(await tokenOfPerson("judy", "Judy"), "POST", url, decision);
  assert.equal(released.body.release, "released");
});

/** What earlier files would have paid waits again. */
async function takenBack(token: string): Promise<void> {
  const transfers = await database.rows<{ id: string }>(
    "select id from payment_transfer where operator_id = $1 and state = 'exported'",
    [OPERATOR],
  );
  for (const { id } of transfers) {
    const answer = await call(token, "POST", `/v1/payment-transfers/${id}/cancel`, { reason: "a test" });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
}

test("whoever changed a manufacturer's account approves no file that first pays to it, and nobody one whose account was changed since (R130)", async () => {
  const ada = await tokenOfPerson("ada-pays", "Ada Lovelace");
  const bob = await tokenOfPerson("bob-looks", "Bob");
  const ken = await tokenOfPerson("ken", "Ken");
  const desk = await tokenOfPerson("desk-again", null);
  const account = (token: string, iban: string, name = "Acme Ltd") =>
    call(token, "PUT", "/v1/creditors/Acme", { name, iban });
  const file = async () => {
    await takenBack(ada);
    const { body } = await call(ada, "POST", "/v1/payment-batches");
    const decide = async (token: string, outcome: "approved" | "refused") => {
      const answer = await call(token, "POST", `/v1/payment-batches/${body.id}/release`, {
        outcome,
        reason: "x",
      });
      return [answer.status, answer.body.code ?? answer.body.release, answer.body.detail];
    };
    return { changedAt: body.transfers[0].accountChangedAt, decide };
  };

  await account(bob, "DE89370400440532013000");
  const first = await file();
  assert.match(first.changedAt, /^20/);
  const [status, code, detail] = await first.decide(bob, "approved");
  assert.deepEqual([status, code], [403, "second_person_needed"]);
  assert.match(detail, /account of Acme was changed by Bob/);
  assert.deepEqual((await first.decide(ken, "approved")).slice(0, 2), [200, "released"]);

  // Somebody else has looked at that account: from then on it is like any other, and another name for it is no change.
  await account(bob, "DE89370400440532013000", "Acme Limited");
  const second = await file();
  assert.equal(second.changedAt, null);
  assert.deepEqual((await second.decide(bob, "approved")).slice(0, 2), [200, "released"]);

  const third = await file();
  await account(ken, "GB29NWBK60161331926819");
  assert.deepEqual((await third.decide(bob, "approved")).slice(0, 2), [409, "payment_file_outdated"]);
  assert.deepEqual((await third.decide(bob, "refused")).slice(0, 2), [200, "refused"]);

  await account(desk, "FR1420041010050500013M02606");
  const fourth = await file();
  assert.deepEqual((await fourth.decide(bob, "approved")).slice(0, 2), [403, "second_person_needed"]);
  await fourth.decide(bob, "refused");
  await account(ken, "FR1420041010050500013M02606"); // the same, by somebody who is known
  assert.deepEqual((await (await file()).decide(bob, "approved")).slice(0, 2), [200, "released"]);
});

test("whoever switches four eyes off alone has no file by it: for three days two people are needed still (R130)", async () => {
  const ada = await tokenOfPerson("ada-alone", "Ada Lovelace");
  const bob = await tokenOfPerson("bob-later", "Bob");
  const switchTo = async (secondPerson: boolean): Promise<void> => {
    const { version, body } = await registry.policies.current(OPERATOR);
    const put = { ...body, payments: { ...body.payments, secondPerson } };
    assert.ok(await registry.policies.put(OPERATOR, version, put, "ada-alone"));
  };
  await takenBack(bob);
  await switchTo(false);
  await switchTo(false); // a version more between does not hide it
  const batch = await call(ada, "POST", "/v1/payment-batches");
  assert.deepEqual([batch.status, batch.body.release], [201, "awaiting"], JSON.stringify(batch.body));
  const url = `/v1/payment-batches/${batch.body.id}/release`;
  const alone = await call(ada, "POST", url, { outcome: "approved", reason: "seen" });
  assert.equal(alone.body.code, "second_person_needed");
  assert.equal((await call(bob, "POST", url, { outcome: "approved", reason: "seen" })).status, 200);
  await takenBack(bob);
  await database.run(
    "update operator_policy set made_at = made_at - interval '73 hours' where operator_id = $1",
    [OPERATOR],
  );
  const later = await call(ada, "POST", "/v1/payment-batches");
  assert.deepEqual([later.status, later.body.release], [201, "released"], JSON.stringify(later.body));
});
