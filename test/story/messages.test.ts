/** What the message centre and the radio do to messages, and that every phone has its settings once in the end. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Faults } from "../../src/sim/smsc/faults.ts";
import { STATUS } from "../../src/wire/smpp/status.ts";
import { SEED } from "../fixture/seed.ts";
import { itemOf, type StoryOperator, type StoryPhone, storyFixture } from "../fixture/story.ts";

const fixture = await storyFixture({
  seed: SEED,
  world: { smscRetryMs: 50, radio: { loss: 0.1, duplicates: 0.2, reorderMs: 20 } },
  env: { TURNUP_SMSC_RESPONSE_TIMEOUT_MS: "300", TURNUP_SMSC_ENQUIRE_LINK_MS: "1000" },
});
const { smsc } = fixture.world.parties;
const MINUTE_MS = 60_000;

/** Three roads: key of the maker, key of the own store, a link. */
const fleet = (): StoryPhone[] =>
  ["Xperia Z3", "G2", "KE970 Shine", "Xperia Z3"].map((model) => fixture.phone(model));

async function turnedUp(operator: StoryOperator, phones: readonly StoryPhone[]): Promise<void> {
  await Promise.all(phones.map((phone) => phone.attach()));
  await fixture.whileTimePasses(() => Promise.all(phones.map((phone) => operator.ended(phone))));
  for (const phone of phones) {
    const applied = phone.did("applied").map((event) => ("what" in event ? event.what : ""));
    const keys = phone.spec.model === "KE970 Shine" ? 0 : 1;
    assert.equal(applied.filter((what) => what === "key").length, keys, `${phone.spec.model}: keys that ran`);
    assert.equal(applied.filter((what) => what === "settings").length, keys, "settings that it opened");
    assert.deepEqual(phone.status().refused, []);
  }
  const { rows } = await operator.get("/v1/charges?limit=100");
  assert.equal(
    rows.length,
    phones.filter(({ spec }) => spec.model !== "KE970 Shine").length,
    "one fee a key",
  );
}

const TROUBLES: readonly { readonly what: string; readonly faults: Faults }[] = [
  { what: "throttles and is full at times", faults: { throttleAbovePerSecond: 40, queueFullPart: 0.2 } },
  {
    what: "cuts the link after every seven requests, the last one taken and unanswered",
    faults: { dropAfterPdus: 7 },
  },
  { what: "loses its answers", faults: { responseLostPart: 0.3 } },
  {
    what: "loses, doubles, delays and mixes up receipts",
    faults: { receiptLostPart: 0.3, receiptDuplicatePart: 0.3, receiptReorderPart: 0.3, receiptDelayMs: 50 },
  },
  {
    what: "writes its message ids in hexadecimal here and in decimal there",
    faults: { idForms: { response: "hex", text: "decimal", tlv: "hex" } },
  },
];

for (const { what, faults } of TROUBLES) {
  test(`a message centre that ${what}: all phones are turned up, nothing runs twice (seed ${SEED})`, async () => {
    const operator = await fixture.operator();
    smsc.setFaults(faults);
    try {
      await turnedUp(operator, fleet());
    } finally {
      smsc.setFaults({});
    }
  });
}

test("a link that drops in the middle of everything is taken up again, and what was under way arrives", async () => {
  const operator = await fixture.operator();
  const phones = fleet();
  const drops = setInterval(() => smsc.dropConnections(), 150);
  try {
    await turnedUp(operator, phones);
  } finally {
    clearInterval(drops);
  }
});

test("the message centre is told each part once when nothing goes wrong, and each under its own reference", async () => {
  const operator = await fixture.operator();
  const [one, two] = [fixture.phone("Xperia Z3"), fixture.phone("Xperia Z3")];
  const before = fixture.accepted.length;
  await Promise.all([one.attach(), two.attach()]);
  for (const phone of [one, two]) {
    const story = await operator.settled(phone);
    const taken = fixture.accepted.slice(before).filter(({ to }) => to === phone.spec.msisdn);
    const parts = story.messages.reduce(
      (sum: number, { partCount }: { partCount: number }) => sum + partCount,
      0,
    );
    assert.equal(taken.length, parts);
  }
});

test("a handset that is off gets what waits for it when it is switched on", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Galaxy S25");
  const { imei, imsi, msisdn } = phone.spec;
  await operator.sight({ imei, imsi, msisdn, plmn: "001-01" });
  const sent = await operator.storyUntil(
    phone,
    ({ messages }) => messages[0]?.state === "submitted",
    "the message waits at the centre",
  );
  const item = itemOf(sent, "settings");
  assert.deepEqual([sent.state, item.state], ["provisioning", "sending"]);
  assert.ok(item.deadlineAt && item.nextAction, "it stands with a deadline and a next action");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.equal(story.messages.length, 1);
});

test("what expires is sent again, later and later, and fails in the end with the cause; a person may resend it", async () => {
  const operator = await fixture.operator({ policy: { resendLimit: 2, messageValidityMinutes: 60 } });
  const phone = fixture.phone("Galaxy S25");
  const { imei, imsi, msisdn } = phone.spec;
  await operator.sight({ imei, imsi, msisdn, plmn: "001-01" });
  for (let attempt = 1; attempt <= 3; attempt++) {
    await operator.storyUntil(
      phone,
      ({ messages }) =>
        messages.some((message: { attempts: number; state: string }) => message.state === "submitted"),
      `attempt ${attempt} is at the centre`,
    );
    await fixture.timePasses(66 * MINUTE_MS); // it expires, and a late receipt has had its five minutes
    if (attempt === 3) break;
    const story = await operator.storyUntil(
      phone,
      (one) => itemOf(one, "settings").attempt === attempt + 1,
      "it is sent again",
    );
    const item = itemOf(story, "settings");
    assert.deepEqual([story.state, item.state], ["provisioning", "sending"]);
    assert.match(item.reason, new RegExp(`expired undelivered; attempt ${attempt + 1} follows`));
    await fixture.timePasses(21 * MINUTE_MS);
  }
  const failed = await operator.ended(phone, "failed");
  const item = itemOf(failed, "settings");
  assert.deepEqual([item.state, item.cause, item.attempt], ["failed", "sms_expired", 3]);
  assert.match(item.reason, /3 attempts were made/);
  assert.equal(item.nextAction, "a person may resend it");
  assert.deepEqual(failed.charges, []);
  assert.equal(new Set(failed.messages.map(({ reference }: { reference: number }) => reference)).size, 3);
  const payloads = new Set(failed.messages.map(({ content }: { content: { hex: string } }) => content.hex));
  assert.equal(payloads.size, 1, "the same octets each time");

  await phone.attach();
  const resent = await operator.call("POST", `/v1/orders/${failed.id}/resend`, {}, "care", {
    "idempotency-key": "r",
  });
  assert.equal(resent.status, 202, resent.text);
  const story = await operator.ended(phone);
  assert.ok(story.events.some(({ kind }: { kind: string }) => kind === "reopened"));
  assert.equal(phone.did("applied").length, 1, "of all that came it opened one");
});

test("what the centre refuses for good is not tried for ever: the item fails with the centre's own word", async () => {
  const operator = await fixture.operator({ policy: { resendLimit: 0 } });
  const phone = fixture.phone("Galaxy S25");
  smsc.setFaults({ refuse: { part: 1, status: STATUS.ESME_RINVDSTADR } });
  try {
    await phone.attach();
    const story = await fixture.whileTimePasses(() => operator.ended(phone, "failed"));
    const item = itemOf(story, "settings");
    assert.equal(item.cause, "sms_failed");
    assert.match(item.reason, /ESME_RINVDSTADR/);
  } finally {
    smsc.setFaults({});
  }
});

test("an order can be cancelled while its message waits; a finished one can be neither cancelled nor sent again", async () => {
  const operator = await fixture.operator();
  const [off, on] = [fixture.phone("Galaxy S25"), fixture.phone("Galaxy S25")];
  const { imei, imsi, msisdn } = off.spec;
  const { orderId } = await operator.sight({ imei, imsi, msisdn, plmn: "001-01" });
  await operator.storyUntil(
    off,
    (story) => itemOf(story, "settings")?.state === "sending",
    "it is being sent",
  );
  const ask = (id: string, what: string, key: string) =>
    operator.call("POST", `/v1/orders/${id}/${what}`, {}, "admin", { "idempotency-key": key });
  assert.equal((await ask(orderId, "cancel", "1")).status, 202);
  const cancelled = await operator.ended(off, "cancelled");
  assert.match(cancelled.reason, /^cancelled by story-/);
  const closed = await ask(orderId, "cancel", "2");
  assert.deepEqual([closed.status, closed.body.code], [409, "order_closed"]);

  await on.attach();
  const story = await operator.settled(on);
  for (const what of ["resend", "cancel"]) {
    const { status, body } = await ask(story.id, what, `3${what}`);
    assert.deepEqual([status, body.code], [409, "order_closed"], what);
  }
  const missing = await ask("01900000-0000-7000-8000-00000000dead", "resend", "4");
  assert.deepEqual([missing.status, missing.body.code], [404, "order_not_found"]);
  const audit = (await operator.get("/v1/audit")).rows as { action: string }[];
  assert.deepEqual(
    audit.map(({ action }) => action).filter((action) => action.startsWith("order.")),
    ["order.cancel"],
  );
});
