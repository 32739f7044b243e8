/** STOP, START and quiet hours: what nobody asked for is sent to nobody who does not want it, and never in the night. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import { createBookkeeper } from "../../kernel/conductor/bookkeeper.ts";
import { createInHand } from "../../kernel/conductor/in-hand.ts";
import { createOutbox } from "../../kernel/conductor/outbox.ts";
import type { QuietHours } from "../../kernel/operator/quiet-hours.ts";
import { createOrderStore } from "./order-store.ts";

const shop = await requestShop();
const RADIO = { id: "radio", terms: "t", content: { kind: "none" } } as const;
const MAIL = { id: "mail", content: { kind: "none" } } as const;
const HOUR_MS = 3_600_000;

let campaigns = 0;
const offerTo = (fixture: RequestFixture, itemId: string, msisdn = fixture.msisdn) =>
  shop.conductor.requests.sendOffers(fixture.operatorId, {
    itemId,
    to: [{ msisdn }],
    actor: "marketing",
    idempotencyKey: `campaign-${++campaigns}`,
  });
const messages = (fixture: RequestFixture) =>
  shop.database.rows<{ state: string; reason: string; is_unasked: boolean }>(
    "select state, reason, is_unasked from message where operator_id = $1 order by created_at, id",
    [fixture.operatorId],
  );
const audits = async (fixture: RequestFixture): Promise<readonly string[]> =>
  (await shop.registry.audit.list(fixture.operatorId, { limit: 100 })).rows.map(({ action }) => action);

/** A subscriber, known by a request of before. */
async function known(name: string, policy = {}, quiet: QuietHours | null = null): Promise<RequestFixture> {
  const fixture = await shop.fixture(name, [RADIO, MAIL], { terms: ["t"], policy });
  if (quiet) await setQuiet(fixture, quiet);
  const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
  await fixture.requests.answerTerms(fixture.scope, orderId, "decline", "screen");
  await fixture.told();
  return fixture;
}

/** The outbox of another server, which knows the newest policy, with a centre that takes everything. */
function sender(fixture: RequestFixture): { pass(): Promise<void>; readonly validity: Date[] } {
  const validity: Date[] = [];
  let taken = 0;
  const books = createBookkeeper(shop.conductor, () => Promise.resolve());
  const outbox = createOutbox({
    store: createOrderStore(shop.database, shop.sealer, shop.registry.ownWords),
    books,
    smsc: {
      centres: () => [
        {
          ...{ name: "smsc.invalid:2775", operators: [], prefixes: [], drain: false, failoverMs: 0 },
          ...{ downSinceMs: null, room: Number.POSITIVE_INFINITY },
        },
      ],
      failedOver: () => undefined,
      canWrite: () => true,
      submit: async ({ to, expiresAt }) => {
        if (to === fixture.msisdn) validity.push(expiresAt);
        return { kind: "accepted", smscMessageId: `${fixture.operatorId}-${++taken}-${shop.time.now}` };
      },
    },
    inHand: createInHand(),
    spend: { now: () => Promise.reject(new Error("not asked")), handedOver: () => undefined },
    sleep: () => Promise.resolve(),
    clock: () => new Date(shop.time.now),
    random: () => 0.5,
    isKeyWithheld: async () => false,
  });
  return {
    validity,
    async pass() {
      while (await outbox.pass(100));
      await outbox.idle();
      await books.idle();
    },
  };
}

async function setQuiet(fixture: RequestFixture, quietHours: QuietHours | null): Promise<void> {
  const { version, body } = await shop.registry.policies.current(fixture.operatorId);
  await shop.registry.policies.put(fixture.operatorId, version, { ...body, quietHours }, "test");
}

/** A night that begins `fromHours` after the shop's present hour, and is 8 hours long. */
function nightFrom(fromHours: number): QuietHours {
  const at = (hours: number): string => new Date(shop.time.now + hours * HOUR_MS).toISOString().slice(11, 16);
  return { from: at(fromHours), to: at(fromHours + 8), timeZone: "UTC", timeZones: {} };
}

test("STOP ends open offers, cancels what is queued, is confirmed and audited once, and no later offer is sent", async () => {
  const fixture = await known("says stop");
  const [offered] = await offerTo(fixture, "mail");
  assert.equal(offered?.outcome, "sent");
  assert.equal(await fixture.requests.textCame(fixture.msisdn, "Stop!"), true);
  assert.deepEqual(
    (await messages(fixture)).filter(({ is_unasked }) => is_unasked),
    [{ state: "cancelled", reason: "the number said STOP", is_unasked: true }],
  );
  assert.deepEqual(
    (await fixture.told()).map(({ text }) => /no more offers/.test(text)),
    [true],
    "the confirmation, and nothing else",
  );
  assert.equal(await shop.count("offer", "operator_id = $1 and state = 'declined'", [fixture.operatorId]), 1);
  assert.equal((await offerTo(fixture, "mail"))[0]?.outcome, "stopped");
  await fixture.requests.textCame(fixture.msisdn, "STOP");
  assert.deepEqual(await fixture.told(), [], "confirmed once");
  assert.equal((await audits(fixture)).filter((action) => action === "messages.stop").length, 1);
  assert.equal(
    await shop.count("text_reply", "operator_id = $1 and read_as = 'stop'", [fixture.operatorId]),
    2,
  );
});

test("START is the way back, confirmed and audited; without a STOP it does nothing", async () => {
  const fixture = await known("comes back", { offerPauseDays: 0 });
  await fixture.requests.textCame(fixture.msisdn, "start");
  assert.deepEqual(await fixture.told(), []);
  await fixture.requests.textCame(fixture.msisdn, "unsubscribe");
  await fixture.told();
  await fixture.requests.textCame(fixture.msisdn, "START");
  assert.match((await fixture.told())[0]!.text, /offers from us again/);
  assert.equal((await offerTo(fixture, "mail"))[0]?.outcome, "sent");
  assert.ok((await audits(fixture)).includes("messages.start"));
});

test("STOP takes back nothing that was asked for, and agrees to nothing: open terms are declined by it", async () => {
  const fixture = await known("stops with terms open");
  const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
  await fixture.told();
  await fixture.requests.textCame(fixture.msisdn, "STOP");
  assert.equal((await fixture.status(orderId)).state, "declined");
  assert.equal((await fixture.told()).length, 2, "that he declined, and that he gets no more offers");
  const again = await fixture.ask(["radio"], { noticeKey: null });
  assert.equal((await fixture.told()).length, 1, "terms of what he asks for go out");
  assert.equal((await fixture.status(again.orderId)).state, "awaiting_consent");
});

test("a number that said STOP keeps its word with another SIM, and who said it with another number", async () => {
  const fixture = await known("moves");
  await fixture.requests.textCame(fixture.msisdn, "STOP");
  const other = { ...pair("moves to another sim"), msisdn: fixture.msisdn };
  await fixture.ask(["radio"], { who: other, noticeKey: null });
  assert.equal((await offerTo(fixture, "mail"))[0]?.outcome, "stopped");
  const elsewhere = pair("moves to another number").msisdn;
  await shop.database.run(
    "update subscriber set msisdn_index = $2, msisdn_sealed = $3 where operator_id = $1 and imsi_index = $4",
    [
      fixture.operatorId,
      shop.sealer.blindIndex("msisdn", fixture.operatorId, elsewhere),
      shop.sealer.seal("msisdn", elsewhere),
      shop.sealer.blindIndex("imsi", fixture.operatorId, fixture.imsi),
    ],
  );
  assert.equal((await offerTo(fixture, "mail", elsewhere))[0]?.outcome, "stopped");
});

/** A number that said STOP by its old SIM, is another SIM's now, and the old SIM has another number. */
async function movedOn(name: string) {
  const fixture = await known(name, { offerPauseDays: 0 });
  const { imsi, imei, msisdn } = fixture;
  const seen = async (sim: { imsi: string; imei: string; msisdn: string }) => {
    shop.time.now += 1_000;
    await shop.see(fixture.operatorId, { ...sim, seenAt: new Date(shop.time.now).toISOString() });
  };
  await seen({ imsi, imei, msisdn });
  await fixture.requests.textCame(msisdn, "STOP");
  const later = pair(`${name} later`).msisdn;
  await seen({ ...pair(`${name} heir`), msisdn });
  const betweenNumbers = () => seen({ imsi, imei, msisdn: later });
  return { fixture, later, betweenNumbers };
}
const outcomeFor = async (fixture: RequestFixture, msisdn: string) =>
  (await offerTo(fixture, "mail", msisdn))[0]?.outcome;

for (const when of ["before", "after"] as const) {
  test(`START of a number's new holder, ${when} the old one has another, leaves the old one's STOP in force`, async () => {
    const { fixture, later, betweenNumbers } = await movedOn(`start ${when}`);
    if (when === "after") await betweenNumbers();
    assert.equal(await outcomeFor(fixture, fixture.msisdn), "stopped", "the number keeps its word");
    await fixture.requests.textCame(fixture.msisdn, "START");
    if (when === "before") await betweenNumbers();
    assert.equal(await outcomeFor(fixture, fixture.msisdn), "sent");
    assert.equal(await outcomeFor(fixture, later), "stopped");
    await fixture.requests.textCame(later, "START");
    assert.equal(await outcomeFor(fixture, later), "sent", "he says it himself");
  });
}

test("STOP of a number's new holder stays in force when the old one says START, and takes his STOP from nobody", async () => {
  const { fixture, later, betweenNumbers } = await movedOn("stop");
  await fixture.requests.textCame(fixture.msisdn, "STOP");
  await betweenNumbers();
  assert.equal(await outcomeFor(fixture, later), "stopped");
  await fixture.requests.textCame(later, "START");
  assert.equal(await outcomeFor(fixture, later), "sent");
  assert.equal(await outcomeFor(fixture, fixture.msisdn), "stopped");
});

test("what was queued by a server that did not know of the STOP is withheld when it is to go out", async () => {
  const fixture = await known("queued elsewhere");
  await offerTo(fixture, "mail");
  await shop.database.run(
    "insert into message_stop (operator_id, msisdn_index, stopped_at) values ($1, $2, now())",
    [fixture.operatorId, shop.sealer.blindIndex("msisdn", fixture.operatorId, fixture.msisdn)],
  );
  const { pass, validity } = sender(fixture);
  await pass();
  assert.deepEqual(validity, []);
  const [last] = (await messages(fixture)).filter(({ is_unasked }) => is_unasked);
  assert.deepEqual([last?.state, last?.reason], ["failed", "the number said STOP"]);
});

test("an offer in quiet hours waits for their end; what was asked for does not", async () => {
  const night = nightFrom(-1);
  const fixture = await known("sleeps", {}, night);
  const [offered] = await offerTo(fixture, "mail");
  assert.equal(offered?.outcome, "sent");
  assert.equal(offered?.sendsAt?.slice(11, 16), night.to);
  await fixture.ask(["radio"], { noticeKey: null });
  assert.deepEqual(
    (await fixture.told()).map(({ text }) => /you asked for/.test(text)),
    [true],
    "the terms go out at night",
  );
  shop.time.now += 8 * HOUR_MS;
  assert.deepEqual(
    (await fixture.told()).map(({ text }) => /is there for you/.test(text)),
    [true],
  );
});

test("quiet hours that came into force after it was queued hold it back too, and no centre delivers it in the night", async () => {
  const fixture = await known("night falls");
  await offerTo(fixture, "mail");
  await setQuiet(fixture, nightFrom(-1));
  const { pass, validity } = sender(fixture);
  await pass();
  assert.deepEqual(validity, []);
  assert.match((await messages(fixture)).at(-1)!.reason, /quiet hours until/);
  shop.time.now += 9 * HOUR_MS;
  await pass();
  assert.ok(validity.length > 0, "all its parts go out in the morning");
  const untilNight = Number(validity.at(-1)) - shop.time.now;
  assert.ok(untilNight > 0 && untilNight <= 16 * HOUR_MS, "valid until the next night at most");
});

test("a text that a centre of one operator brought is that operator's alone, though another knows its number", async () => {
  const [one, other] = [await known("centre of one"), await known("centre of another")];
  const stops = async () =>
    Promise.all(
      [one, other].map(
        async (fixture) => (await audits(fixture)).filter((action) => action === "messages.stop").length,
      ),
    );
  await one.requests.textCame(one.msisdn, "STOP", { address: "2948", operatorId: other.operatorId });
  assert.deepEqual(await stops(), [0, 1]);
  await one.requests.textCame(one.msisdn, "STOP", { address: "2948", operatorId: one.operatorId });
  assert.deepEqual(await stops(), [1, 1]);
});

test("a campaign by plain texts is held back by STOP and by quiet hours, a text that was asked for by neither", async () => {
  const fixture = await known("campaign", {}, nightFrom(-1));
  await fixture.requests.textCame(fixture.msisdn, "STOP");
  await fixture.told();
  const send = (to: string, text: string, isUnasked: boolean) =>
    shop.texts.send(fixture.operatorId, [{ to, text, idempotencyKey: `${fixture.operatorId} ${text}` }], {
      isUnasked,
    });
  await send(fixture.msisdn, "winter sale", true);
  await send(pair("never seen here").msisdn, "night sale", true);
  await send(fixture.msisdn, "your code is 1", false);
  const { pass, validity } = sender(fixture);
  await pass();
  assert.equal(validity.length, 1, "the code alone goes out at night");
  shop.time.now += 9 * HOUR_MS;
  await pass();
  const rows = (await messages(fixture)).filter(({ is_unasked }) => is_unasked);
  assert.deepEqual(
    rows.map(({ state, reason }) => [state, state === "failed" ? reason : ""]),
    [
      ["failed", "the number said STOP"],
      ["submitted", ""],
    ],
  );
});
