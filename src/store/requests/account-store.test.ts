/** Accounts of users in the database, sealed. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import type { FactsQuery } from "../../kernel/account/account-facts.ts";
import { cardIndex } from "../../kernel/account/card.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { cardSecretOf, createAccounts } from "./account-store.ts";

const MINE = uuidv7();
const THEIRS = uuidv7();
const database = await freshDatabase();
const sealer = createSealer(Buffer.alloc(32, 7));
const accounts = createAccounts(database, sealer);
const now = new Date("2026-03-01T12:00:00Z");
const minutesAgo = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
for (const [id, slug] of [
  [MINE, "mine"],
  [THEIRS, "theirs"],
]) {
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [id, slug]);
}

async function subscriber(operatorId = MINE): Promise<string> {
  const id = uuidv7();
  await database.run(
    "insert into subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn) values ($1, $2, $3, $3, '262-01')",
    [id, operatorId, Buffer.from(id)],
  );
  return id;
}
async function device(operatorId = MINE): Promise<string> {
  const id = uuidv7();
  await database.run(
    "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $3, '35693803')",
    [id, operatorId, Buffer.from(id)],
  );
  return id;
}
async function seen(
  subscriberId: string,
  deviceId: string,
  { since = 60, until = 1, plmn = "262-01", isCurrent = true, operatorId = MINE } = {},
): Promise<void> {
  await database.run(
    `insert into pairing (id, operator_id, subscriber_id, device_id, first_seen_at, last_seen_at, since, is_current)
     values ($1, $2, $3, $4, $5, $6, $5, $7)`,
    [uuidv7(), operatorId, subscriberId, deviceId, minutesAgo(since), minutesAgo(until), isCurrent],
  );
  await database.run(
    `insert into sighting (id, operator_id, subscriber_id, device_id, serving_plmn, source, outcome, seen_at)
     values ($1, $2, $3, $4, $5, 'api', 'sim_moved', $6)`,
    [uuidv7(), operatorId, subscriberId, deviceId, plmn, minutesAgo(since)],
  );
}
async function order(
  subscriberId: string,
  deviceId: string,
  cause: string,
  minutes: number,
): Promise<string> {
  const id = uuidv7();
  await database.run(
    `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action, created_at, updated_at)
     values ($1, $2, $3, $4, $5, 'mno', 'completed', 'r', 'n', $6, $6)`,
    [id, MINE, subscriberId, deviceId, cause, minutesAgo(minutes)],
  );
  return id;
}
const account = (subscriberId: string, said: object = {}, operatorId = MINE) => ({
  id: uuidv7(),
  operatorId,
  subscriberId,
  user: {},
  language: "en",
  card: null,
  ...said,
});
const ask = (subscriberId: string, deviceId: string, said: Partial<FactsQuery> = {}) =>
  accounts.factsOf({
    operatorId: MINE,
    subscriberId,
    deviceId,
    cardIndex: null,
    idDocument: null,
    seenSince: minutesAgo(1_440),
    requestsSince: minutesAgo(1_440),
    cardsSince: minutesAgo(1_440),
    recordTriesSince: minutesAgo(1_440),
    ...said,
  });
const card = (index: number) => ({
  token: `tok_${index}`,
  digits: "4111111111",
  index: new Uint8Array(32).fill(index),
});

test("an account keeps what the user told, sealed: nothing of it stands in the table", async () => {
  const who = await subscriber();
  const user = {
    givenName: "Zoë",
    familyName: "Ångström",
    email: "zoe@mail.example",
    idDocument: "L01X00T47",
  };
  const made = await accounts.put(account(who, { user, card: card(1) }), now);
  assert.deepEqual([made.user, made.state, made.card?.token], [user, "verified", "tok_1"]);
  assert.deepEqual((await accounts.find(MINE, who))?.user, user);
  const [dump] = await database.rows<{ row: string }>("select user_account::text as row from user_account");
  assert.doesNotMatch(dump?.row ?? "", /Ångström|zoe@|L01X00T47/);
});

test("a later request brings an account to what is known now: same id, new words, old ones kept, the card kept", async () => {
  const who = await subscriber();
  const first = await accounts.put(
    account(who, { user: { givenName: "Ann", email: "a@b.example" }, card: card(2) }),
    now,
  );
  await database.run("update user_account set state = 'registered', billing_reference = 'b1' where id = $1", [
    first.id,
  ]);
  const second = await accounts.put(account(who, { user: { email: "new@b.example" }, language: "de" }), now);
  assert.equal(second.id, first.id);
  assert.deepEqual(second.user, { givenName: "Ann", email: "new@b.example" });
  assert.deepEqual(
    [second.language, second.card?.token, second.state, second.billingReference],
    ["de", "tok_2", "registered", "b1"],
  );
});

test("two requests of one user at once make one account", async () => {
  const who = await subscriber();
  const made = await Promise.all([1, 2, 3, 4].map(() => accounts.put(account(who), now)));
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
});

test("an account of another operator is none", async () => {
  const who = await subscriber();
  await accounts.put(account(who), now);
  assert.equal(await accounts.find(THEIRS, who), undefined);
});

test("whoever never was here is a stranger, seen nowhere", async () => {
  assert.deepEqual(await ask(await subscriber(), await device()), {
    record: null,
    recordTries: 0,
    isKnownDevice: false,
    account: null,
    pairing: "never",
    ofDevice: [],
    ofSubscriber: [],
    cardsTried: 0,
    cardAccounts: 0,
    documentAccounts: 0,
    deviceAccounts: 0,
    requestsOfDevice: 0,
    requestsOfSubscriber: 0,
  });
});

test("a device that something was provisioned to for this subscriber is known, even when it was taken back since", async () => {
  const [who, other, phone] = [await subscriber(), await subscriber(), await device()];
  const orderId = await order(who, phone, "self_service", 90);
  await database.run(
    `insert into provisioned_item (id, operator_id, subscriber_id, device_id, item_id, version, order_id, since, ended_at)
     values ($1, $2, $3, $4, 'mms', 1, $5, $6, $6)`,
    [uuidv7(), MINE, who, phone, orderId, now],
  );
  assert.equal((await ask(who, phone)).isKnownDevice, true);
  assert.equal((await ask(other, phone)).isKnownDevice, false);
  assert.equal((await ask(who, await device())).isKnownDevice, false);
});

test("the pairing is current, elsewhere or nowhere", async () => {
  const [who, phone, old] = [await subscriber(), await device(), await device()];
  await seen(who, old, { isCurrent: false, since: 300, until: 200 });
  await seen(who, phone, { isCurrent: true });
  assert.equal((await ask(who, phone)).pairing, "current");
  assert.equal((await ask(who, old)).pairing, "another_device");
});

test("stays of device and SIM come with their place, the latest first, within the window alone", async () => {
  const [one, two, phone, other] = [await subscriber(), await subscriber(), await device(), await device()];
  await seen(one, phone, { since: 30, until: 5, plmn: "262-01", isCurrent: false });
  await seen(two, phone, { since: 3, until: 1, plmn: "310-260" });
  await seen(one, other, { since: 4_000, until: 3_000, plmn: "208-01", isCurrent: false });
  const facts = await ask(two, phone);
  assert.deepEqual(facts.ofDevice, [
    { subscriberId: two, deviceId: phone, place: "310-260", since: minutesAgo(3), lastSeenAt: minutesAgo(1) },
    { subscriberId: one, deviceId: phone, place: "262-01", since: minutesAgo(30), lastSeenAt: minutesAgo(5) },
  ]);
  assert.equal((await ask(one, phone)).ofSubscriber.length, 1);
  assert.equal((await ask(one, phone, { seenSince: minutesAgo(5_000) })).ofSubscriber.length, 2);
});

test("accounts of others are counted by card, by identity document however it is spelt, and by device", async () => {
  const [who, phone] = [await subscriber(), await device()];
  const others = [await subscriber(), await subscriber(), await subscriber()];
  const [first = "", second = "", closed = ""] = others;
  const user = { idDocument: "p7 77-x" };
  for (const other of others) {
    await accounts.put(account(other, { user, card: card(9) }), now);
    await seen(other, phone, { isCurrent: true });
  }
  await accounts.put(account(who, { user, card: card(9) }), now);
  await database.run("update user_account set state = 'closed' where subscriber_id = $1", [closed]);
  await accounts.put(account(await subscriber(THEIRS), { user, card: card(9) }, THEIRS), now);
  const facts = await ask(who, phone, { cardIndex: card(9).index, idDocument: "P777X" });
  assert.deepEqual([facts.cardAccounts, facts.documentAccounts, facts.deviceAccounts], [2, 2, 2]);
  assert.ok(first !== second);
  const unlike = await ask(who, phone, { cardIndex: card(8).index, idDocument: "P777Y" });
  assert.deepEqual([unlike.cardAccounts, unlike.documentAccounts], [0, 0]);
});

test("requests of the device's road count within their window, orders of the other road do not", async () => {
  const [who, phone, other] = [await subscriber(), await device(), await subscriber()];
  await order(who, phone, "self_service", 10);
  await order(other, phone, "representative", 20);
  await order(who, phone, "sim_moved", 5);
  await order(who, phone, "partner", 3_000);
  const facts = await ask(who, phone);
  assert.deepEqual([facts.requestsOfDevice, facts.requestsOfSubscriber], [2, 1]);
});

test("a card is seen again by its index after the seal key was changed, at this operator alone", () => {
  const changed = createSealer([Buffer.alloc(32, 9), Buffer.alloc(32, 7)]);
  const index = (by: typeof sealer, operatorId: string): string =>
    Buffer.from(cardIndex(cardSecretOf(by, operatorId), operatorId, "4111111111111111")).toString("hex");
  assert.equal(index(sealer, MINE), index(changed, MINE));
  assert.notEqual(index(sealer, MINE), index(sealer, THEIRS));
  assert.notDeepEqual(cardSecretOf(sealer, MINE), cardSecretOf(sealer, THEIRS));
  assert.notDeepEqual(cardSecretOf(sealer, MINE), cardSecretOf(createSealer(Buffer.alloc(32, 8)), MINE));
});
