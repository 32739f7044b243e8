/** STOP, START and quiet hours: what nobody asked for is sent to nobody who does not want it, and never in the night. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { type RequestHouse, requestShop } from "../../../test/fixture/request-shop.ts";
import { createBookkeeper } from "../../kernel/conductor/bookkeeper.ts";
import { createOutbox } from "../../kernel/conductor/outbox.ts";
import type { QuietHours } from "../../kernel/order/quiet-hours.ts";
import { createOrderStore } from "./order-store.ts";

const shop = await requestShop();
const RADIO = { id: "radio", terms: "t", content: { kind: "none" } } as const;
const MAIL = { id: "mail", content: { kind: "none" } } as const;
const HOUR_MS = 3_600_000;

let campaigns = 0;
const offerTo = (house: RequestHouse, itemId: string, msisdn = house.msisdn) =>
  shop.conductor.requests.sendOffers(house.operatorId, {
    itemId,
    to: [{ msisdn }],
    actor: "marketing",
    idempotencyKey: `campaign-${++campaigns}`,
  });
const messages = (house: RequestHouse) =>
  shop.database.rows<{ state: string; reason: string; is_unasked: boolean }>(
    "select state, reason, is_unasked from message where operator_id = $1 order by created_at, id",
    [house.operatorId],
  );
const audits = async (house: RequestHouse): Promise<readonly string[]> =>
  (await shop.registry.audit.list(house.operatorId, { limit: 100 })).rows.map(({ action }) => action);

/** A subscriber, known by a request of before. */
async function known(name: string, policy = {}, quiet: QuietHours | null = null): Promise<RequestHouse> {
  const house = await shop.house(name, [RADIO, MAIL], { terms: ["t"], policy });
  if (quiet) await setQuiet(house, quiet);
  const { orderId } = await house.ask(["radio"], { noticeKey: null });
  await house.requests.answerTerms(house.scope, orderId, "decline", "screen");
  await house.told();
  return house;
}

/** The outbox of another server, which knows the newest policy, with a centre that takes everything. */
function sender(house: RequestHouse): { pass(): Promise<void>; readonly validity: Date[] } {
  const validity: Date[] = [];
  let taken = 0;
  const books = createBookkeeper(shop.conductor, () => Promise.resolve());
  const outbox = createOutbox({
    store: createOrderStore(shop.database, shop.sealer, shop.registry.ownWords),
    books,
    smsc: {
      name: "smsc.invalid:2775",
      submit: async ({ to, expiresAt }) => {
        if (to === house.msisdn) validity.push(expiresAt);
        return { kind: "accepted", smscMessageId: `${house.operatorId}-${++taken}-${shop.time.now}` };
      },
    },
    clock: () => new Date(shop.time.now),
    random: () => 0.5,
  });
  return {
    validity,
    async pass() {
      while ((await outbox.pass(100)) === 100);
      await outbox.idle();
      await books.idle();
    },
  };
}

async function setQuiet(house: RequestHouse, quietHours: QuietHours | null): Promise<void> {
  const { version, body } = await shop.registry.policies.current(house.operatorId);
  await shop.registry.policies.put(house.operatorId, version, { ...body, quietHours }, "test");
}

/** A night that begins `fromHours` after the shop's present hour, and is 8 hours long. */
function nightFrom(fromHours: number): QuietHours {
  const at = (hours: number): string => new Date(shop.time.now + hours * HOUR_MS).toISOString().slice(11, 16);
  return { from: at(fromHours), to: at(fromHours + 8), timeZone: "UTC", timeZones: {} };
}

test("STOP ends open offers, cancels what is queued, is confirmed and audited once, and no later offer is sent", async () => {
  const house = await known("says stop");
  const [offered] = await offerTo(house, "mail");
  assert.equal(offered?.outcome, "sent");
  assert.equal(await house.requests.textCame(house.msisdn, "Stop!"), true);
  assert.deepEqual(
    (await messages(house)).filter(({ is_unasked }) => is_unasked),
    [{ state: "cancelled", reason: "the number said STOP", is_unasked: true }],
  );
  assert.deepEqual(
    (await house.told()).map(({ text }) => /no more offers/.test(text)),
    [true],
    "the confirmation, and nothing else",
  );
  assert.equal(await shop.count("offer", "operator_id = $1 and state = 'declined'", [house.operatorId]), 1);
  assert.equal((await offerTo(house, "mail"))[0]?.outcome, "stopped");
  await house.requests.textCame(house.msisdn, "STOP");
  assert.deepEqual(await house.told(), [], "confirmed once");
  assert.equal((await audits(house)).filter((action) => action === "messages.stop").length, 1);
  assert.equal(
    await shop.count("text_reply", "operator_id = $1 and read_as = 'stop'", [house.operatorId]),
    2,
  );
});

test("START is the way back, confirmed and audited; without a STOP it does nothing", async () => {
  const house = await known("comes back", { offerPauseDays: 0 });
  await house.requests.textCame(house.msisdn, "start");
  assert.deepEqual(await house.told(), []);
  await house.requests.textCame(house.msisdn, "unsubscribe");
  await house.told();
  await house.requests.textCame(house.msisdn, "START");
  assert.match((await house.told())[0]!.text, /offers from us again/);
  assert.equal((await offerTo(house, "mail"))[0]?.outcome, "sent");
  assert.ok((await audits(house)).includes("messages.start"));
});

test("STOP takes back nothing that was asked for, and agrees to nothing: open terms are declined by it", async () => {
  const house = await known("stops with terms open");
  const { orderId } = await house.ask(["radio"], { noticeKey: null });
  await house.told();
  await house.requests.textCame(house.msisdn, "STOP");
  assert.equal((await house.status(orderId)).state, "declined");
  assert.equal((await house.told()).length, 2, "that he declined, and that he gets no more offers");
  const again = await house.ask(["radio"], { noticeKey: null });
  assert.equal((await house.told()).length, 1, "terms of what he asks for go out");
  assert.equal((await house.status(again.orderId)).state, "awaiting_consent");
});

test("a number that said STOP keeps its word with another SIM, and who said it with another number", async () => {
  const house = await known("moves");
  await house.requests.textCame(house.msisdn, "STOP");
  const other = { ...pair("moves to another sim"), msisdn: house.msisdn };
  await house.ask(["radio"], { who: other, noticeKey: null });
  assert.equal((await offerTo(house, "mail"))[0]?.outcome, "stopped");
  const elsewhere = pair("moves to another number").msisdn;
  await shop.database.run(
    "update subscriber set msisdn_index = $2, msisdn_sealed = $3 where operator_id = $1 and imsi_index = $4",
    [
      house.operatorId,
      shop.sealer.blindIndex("msisdn", house.operatorId, elsewhere),
      shop.sealer.seal("msisdn", elsewhere),
      shop.sealer.blindIndex("imsi", house.operatorId, house.imsi),
    ],
  );
  assert.equal((await offerTo(house, "mail", elsewhere))[0]?.outcome, "stopped");
});

/** A number that said STOP by its old SIM, is another SIM's now, and the old SIM has another number. */
async function movedOn(name: string) {
  const house = await known(name, { offerPauseDays: 0 });
  const { imsi, imei, msisdn } = house;
  const seen = async (sim: { imsi: string; imei: string; msisdn: string }) => {
    shop.time.now += 1_000;
    await shop.see(house.operatorId, { ...sim, seenAt: new Date(shop.time.now).toISOString() });
  };
  await seen({ imsi, imei, msisdn });
  await house.requests.textCame(msisdn, "STOP");
  const later = pair(`${name} later`).msisdn;
  await seen({ ...pair(`${name} heir`), msisdn });
  const betweenNumbers = () => seen({ imsi, imei, msisdn: later });
  return { house, later, betweenNumbers };
}
const outcomeFor = async (house: RequestHouse, msisdn: string) =>
  (await offerTo(house, "mail", msisdn))[0]?.outcome;

for (const when of ["before", "after"] as const) {
  test(`START of a number's new holder, ${when} the old one has another, leaves the old one's STOP in force`, async () => {
    const { house, later, betweenNumbers } = await movedOn(`start ${when}`);
    if (when === "after") await betweenNumbers();
    assert.equal(await outcomeFor(house, house.msisdn), "stopped", "the number keeps its word");
    await house.requests.textCame(house.msisdn, "START");
    if (when === "before") await betweenNumbers();
    assert.equal(await outcomeFor(house, house.msisdn), "sent");
    assert.equal(await outcomeFor(house, later), "stopped");
    await house.requests.textCame(later, "START");
    assert.equal(await outcomeFor(house, later), "sent", "he says it himself");
  });
}

test("STOP of a number's new holder stays in force when the old one says START, and takes his STOP from nobody", async () => {
  const { house, later, betweenNumbers } = await movedOn("stop");
  await house.requests.textCame(house.msisdn, "STOP");
  await betweenNumbers();
  assert.equal(await outcomeFor(house, later), "stopped");
  await house.requests.textCame(later, "START");
  assert.equal(await outcomeFor(house, later), "sent");
  assert.equal(await outcomeFor(house, house.msisdn), "stopped");
});

test("what was queued by a server that did not know of the STOP is withheld when it is to go out", async () => {
  const house = await known("queued elsewhere");
  await offerTo(house, "mail");
  await shop.database.run(
    "insert into message_stop (operator_id, msisdn_index, stopped_at) values ($1, $2, now())",
    [house.operatorId, shop.sealer.blindIndex("msisdn", house.operatorId, house.msisdn)],
  );
  const { pass, validity } = sender(house);
  await pass();
  assert.deepEqual(validity, []);
  const [last] = (await messages(house)).filter(({ is_unasked }) => is_unasked);
  assert.deepEqual([last?.state, last?.reason], ["failed", "the number said STOP"]);
});

test("an offer in quiet hours waits for their end; what was asked for does not", async () => {
  const night = nightFrom(-1);
  const house = await known("sleeps", {}, night);
  const [offered] = await offerTo(house, "mail");
  assert.equal(offered?.outcome, "sent");
  assert.equal(offered?.sendsAt?.slice(11, 16), night.to);
  await house.ask(["radio"], { noticeKey: null });
  assert.deepEqual(
    (await house.told()).map(({ text }) => /you asked for/.test(text)),
    [true],
    "the terms go out at night",
  );
  shop.time.now += 8 * HOUR_MS;
  assert.deepEqual(
    (await house.told()).map(({ text }) => /is there for you/.test(text)),
    [true],
  );
});

test("quiet hours that came into force after it was queued hold it back too, and no centre delivers it in the night", async () => {
  const house = await known("night falls");
  await offerTo(house, "mail");
  await setQuiet(house, nightFrom(-1));
  const { pass, validity } = sender(house);
  await pass();
  assert.deepEqual(validity, []);
  assert.match((await messages(house)).at(-1)!.reason, /quiet hours until/);
  shop.time.now += 9 * HOUR_MS;
  await pass();
  assert.ok(validity.length > 0, "all its parts go out in the morning");
  const untilNight = Number(validity.at(-1)) - shop.time.now;
  assert.ok(untilNight > 0 && untilNight <= 16 * HOUR_MS, "valid until the next night at most");
});

test("a campaign by plain texts is held back by STOP and by quiet hours, a text that was asked for by neither", async () => {
  const house = await known("campaign", {}, nightFrom(-1));
  await house.requests.textCame(house.msisdn, "STOP");
  await house.told();
  const send = (to: string, text: string, isUnasked: boolean) =>
    shop.texts.send(house.operatorId, [{ to, text, idempotencyKey: `${house.operatorId} ${text}` }], {
      isUnasked,
    });
  await send(house.msisdn, "winter sale", true);
  await send(pair("never seen here").msisdn, "night sale", true);
  await send(house.msisdn, "your code is 1", false);
  const { pass, validity } = sender(house);
  await pass();
  assert.equal(validity.length, 1, "the code alone goes out at night");
  shop.time.now += 9 * HOUR_MS;
  await pass();
  const rows = (await messages(house)).filter(({ is_unasked }) => is_unasked);
  assert.deepEqual(
    rows.map(({ state, reason }) => [state, state === "failed" ? reason : ""]),
    [
      ["failed", "the number said STOP"],
      ["submitted", ""],
    ],
  );
});
