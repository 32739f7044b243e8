/** Features of a request on PostgreSQL: terms, the two sends, the device's word, retransmission (US 6,647,260, figure 7B). */

import assert from "node:assert/strict";
import { test } from "vitest";
import { ACCESS_POINT } from "../../../test/fixture/http.ts";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { withoutIds } from "../../../test/fixture/without-ids.ts";
import { verifyContent } from "../../wire/message/content.ts";
import { uuidv7 } from "../database/uuid.ts";
import { historyOf } from "../orders/event-rows.ts";

const shop = await requestShop();
const ACTIVATION = { kind: "activation", module: "wap-browser" } as const;
const BROWSER = { id: "browser", terms: "general", content: ACTIVATION, elements: ["hlr-profile"] } as const;

const ofBrowser = (name: string, policy = {}) =>
  shop.fixture(name, [BROWSER], { policy, terms: ["general"] });
const publicKeyOf = (issuer: string) => (issuer === "own.turnup" ? shop.issuer.publicKey : undefined);

/** Agreed to, with its content waiting for the device. */
async function accepted(name: string, policy = {}) {
  const fixture = await ofBrowser(name, policy);
  const { orderId, reference } = await fixture.ask(["browser"]);
  await fixture.told();
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  await fixture.calls();
  const [item] = (await fixture.status(orderId)).items;
  return { fixture, orderId, reference, itemId: item!.id };
}

test("a feature goes from its terms over content to the device's confirmation, and is billed once", async () => {
  const fixture = await ofBrowser("whole road");
  const { orderId, reference, created } = await fixture.ask(["browser"]);
  assert.ok(created);
  assert.match(reference, /^[2-9A-HJ-NP-RT-Z]{8}$/);
  const asked = await fixture.status(orderId);
  assert.equal(asked.state, "awaiting_consent");
  assert.deepEqual(
    asked.terms.map(({ text }) => text),
    ["Terms of general."],
  );
  const [terms] = await fixture.told();
  assert.equal(terms?.kind, "terms");
  assert.match(terms!.text, /Terms of general\. Reply YES \d{4}/);
  assert.equal(
    fixture.saw.elements.length + fixture.saw.billing.length,
    0,
    "nothing is done before the answer",
  );

  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  await fixture.calls();
  const [thanks, ready] = await fixture.told();
  assert.deepEqual([thanks?.kind, ready?.kind], ["status", "content_ready"]);
  assert.equal(
    (await fixture.status(orderId)).items[0]?.state,
    "sending",
    "the notice's receipt is not the content's",
  );
  const itemId = ready!.itemId!;
  const content = await fixture.requests.content(fixture.scope, { orderId: reference, itemId });
  const verdict = verifyContent(content!.bytes, publicKeyOf, fixture.imei, new Date(shop.time.now));
  assert.ok(verdict.kind === "valid");
  assert.deepEqual(verdict.content.activations, ["wap-browser"]);
  assert.equal((await fixture.status(orderId)).items[0]?.state, "delivered");

  assert.equal(await fixture.installed(orderId, itemId), true);
  assert.equal(await fixture.installed(orderId, itemId), false, "said again it changes nothing");
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(
    (await fixture.told()).map(({ kind, text }) => [kind, text.includes("browser")]),
    [["done", true]],
  );
  assert.deepEqual(
    fixture.saw.elements.map(({ element, action }) => [element, action]),
    [["hlr-profile", "add"]],
  );
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind, catalogId }) => [kind, catalogId]),
    [
      ["account", null],
      ["feature", "browser"],
    ],
  );
  const had = await fixture.requests.provisioned({
    ...fixture.scope,
    subscriberId: (await fixture.story(orderId)).subscriberId,
  });
  assert.deepEqual(
    had.map(({ itemId: id, name }) => [id, name]),
    [["browser", "browser"]],
  );
});

test("the same key opens one request, however often it comes", async () => {
  const fixture = await ofBrowser("twice");
  const first = await fixture.ask(["browser"], { idempotencyKey: "once" });
  const again = await fixture.ask(["browser"], { idempotencyKey: "once" });
  assert.deepEqual(again, { ...first, created: false });
  assert.equal((await fixture.told()).length, 1);
});

test("declined terms are kept with text, time and channel, and leave nothing else", async () => {
  const fixture = await ofBrowser("declined");
  const { orderId } = await fixture.ask(["browser"]);
  const [terms] = await fixture.told();
  const code = terms!.fields.code!;
  assert.equal(await fixture.requests.textCame(`+${fixture.msisdn}`, `no ${code}`), true);
  assert.equal((await fixture.status(orderId)).state, "declined");
  const [row] = await shop.database.rows<{ answer: string; answered_by: string; text: string }>(
    "select answer, answered_by, text from consent where order_id = $1",
    [orderId],
  );
  assert.deepEqual(row, { answer: "decline", answered_by: "sms", text: "Terms of general." });
  await fixture.calls();
  assert.equal(fixture.saw.elements.length + fixture.saw.billing.length, 0);
  assert.equal(await shop.count("outbound_call", "order_id = $1 and kind = 'billing_notice'", [orderId]), 0);
  assert.equal(await shop.count("request", "order_id = $1 and user_sealed is null", [orderId]), 1);
  await assert.rejects(fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen"), {
    code: "nothing_to_answer",
  });
});

test("terms that nobody answers expire at the policy's deadline, with nothing done", async () => {
  const fixture = await ofBrowser("silent", { consentDeadlineHours: 5 });
  const { orderId } = await fixture.ask(["browser"]);
  await shop.pass(5 * HOUR_MS);
  assert.equal((await fixture.status(orderId)).state, "expired");
  await fixture.calls();
  assert.equal(fixture.saw.billing.length, 0);
  assert.ok((await fixture.told()).some(({ text }) => /no answer came/.test(text)));
});

test("terms go to a known mail address and fax number too, sealed until they are sent", async () => {
  const fixture = await ofBrowser("by mail");
  const { orderId } = await fixture.ask(["browser"], {
    user: { email: "ada@example.org", fax: "+441632960961" },
  });
  const sealed = await shop.database.rows<{ body: object; sealed: Buffer }>(
    "select body, sealed from outbound_call where order_id = $1",
    [orderId],
  );
  assert.doesNotMatch(withoutIds(JSON.stringify(sealed.map(({ body }) => body))), /ada|1632/);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.mails.map(({ to }) => to),
    [
      { kind: "mail", address: "ada@example.org" },
      { kind: "fax", number: "+441632960961" },
    ],
  );
  assert.match(fixture.saw.mails[0]!.text, /Terms of general\./);
  assert.equal(await shop.count("outbound_call", "order_id = $1 and sealed is not null", [orderId]), 0);
});

test("a call whose row cannot be read is given up and told, and holds up no other", async () => {
  const fixture = await ofBrowser("unreadable call");
  const { orderId } = await fixture.ask(["browser"], {
    user: { email: "ada@example.org", fax: "+441632960961" },
  });
  await shop.database.run(
    "update outbound_call set body = '{}' where order_id = $1 and idempotency_key like '%:mail'",
    [orderId],
  );
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.mails.map(({ to }) => to.kind),
    ["fax"],
  );
  const rows = await shop.database.rows<{ key: string; state: string; sealed: Buffer | null }>(
    "select idempotency_key as key, state, sealed from outbound_call where order_id = $1 order by 1",
    [orderId],
  );
  assert.deepEqual(
    rows.map(({ key, state, sealed }) => [key.split(":").at(-1), state, sealed]),
    [
      ["fax", "done", null],
      ["mail", "given_up", null],
    ],
  );
  assert.equal(
    await shop.count(`(${historyOf("e.order_id = $1")}) history`, "kind = 'call_unreadable'", [orderId]),
    1,
    "the history says so",
  );
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent", "the order goes on");
});

test("a failed installation is sent once more when the user chooses so, and works then", async () => {
  const { fixture, orderId, reference, itemId } = await accepted("retransmitted");
  await fixture.told();
  await fixture.requests.content(fixture.scope, { orderId, itemId });
  assert.equal(
    await fixture.requests.deviceReports(
      fixture.scope,
      { orderId, itemId },
      { kind: "failed", cause: "memory full" },
      "wideband",
    ),
    true,
  );
  const failed = (await fixture.status(orderId)).items[0]!;
  assert.equal(failed.state, "awaiting_choice");
  assert.match(failed.reason, /memory full/);
  assert.equal(
    await fixture.requests.content(fixture.scope, { orderId, itemId }),
    undefined,
    "nothing is to be fetched now",
  );
  const [choice] = await fixture.told();
  assert.equal(choice?.kind, "choice");
  assert.equal(await fixture.reply("retransmit", { reference, itemId }), true);
  assert.deepEqual(
    (await fixture.told()).map(({ kind }) => kind),
    ["content_ready"],
  );
  assert.ok(await fixture.requests.content(fixture.scope, { orderId, itemId }));
  assert.equal(await fixture.reply("installed", { reference, itemId }), true);
  assert.equal((await fixture.status(orderId)).state, "completed");
  const events = await fixture.events(orderId);
  assert.equal(events.filter((kind) => kind === "content_offered").length, 2);
  assert.ok(events.includes("retransmission_requested"));
});

test("a failed installation that is given up takes back what the network did, and bills nothing", async () => {
  const { fixture, orderId, itemId } = await accepted("given up");
  await fixture.told();
  await fixture.requests.deviceReports(
    fixture.scope,
    { orderId, itemId },
    { kind: "failed", cause: "bad_signature" },
    "wideband",
  );
  const [choice] = await fixture.told();
  assert.equal(await fixture.requests.textCame(fixture.msisdn, `${choice!.fields.code} No!`), true);
  await fixture.calls();
  const { state, items } = await fixture.status(orderId);
  assert.deepEqual([state, items[0]?.state], ["failed", "failed"]);
  assert.deepEqual(
    fixture.saw.elements.map(({ action }) => action),
    ["add", "remove"],
  );
  assert.equal(fixture.saw.billing.length, 0);
});

test("content is sent as often as the policy allows, and no choice is offered after that", async () => {
  const { fixture, orderId, itemId } = await accepted("limit", { retransmissionLimit: 1 });
  const failure = { kind: "failed", cause: "memory_full" } as const;
  await fixture.requests.deviceReports(fixture.scope, { orderId, itemId }, failure, "wideband");
  await fixture.requests.chooseRetransmission(fixture.scope, { orderId, itemId }, "retransmit", "screen");
  await fixture.requests.deviceReports(fixture.scope, { orderId, itemId }, failure, "wideband");
  const { state, items } = await fixture.status(orderId);
  assert.deepEqual([state, items[0]?.state], ["failed", "failed"]);
  assert.match(items[0]!.reason, /sent 2 times/);
});

test("no choice by the deadline is a no; no word of the device by its own is a failure", async () => {
  const chosen = await accepted("no choice", { choiceDeadlineHours: 3 });
  const failure = { kind: "failed", cause: "memory_full" } as const;
  const { fixture, orderId, itemId } = chosen;
  await fixture.requests.deviceReports(fixture.scope, { orderId, itemId }, failure, "wideband");
  const silent = await accepted("no word");
  await shop.pass(3 * HOUR_MS);
  assert.equal((await fixture.status(orderId)).items[0]?.state, "failed");
  assert.equal((await fixture.story(orderId)).items[0]?.cause, "no_choice");
  await shop.pass(72 * HOUR_MS);
  assert.equal((await silent.fixture.status(silent.orderId)).state, "failed");
});

test("a notice that is lost does not fail the content, and content that was fetched does not prove the notice", async () => {
  const { fixture, orderId, itemId } = await accepted("one of two");
  await fixture.requests.content(fixture.scope, { orderId, itemId });
  for (let attempt = 1; attempt <= 4; attempt++) {
    await fixture.told("failed");
    await shop.pass(6 * HOUR_MS);
  }
  const events = await fixture.events(orderId);
  assert.ok(events.includes("notice_failed"));
  assert.ok(events.includes("content_fetched"));
  assert.equal(await fixture.installed(orderId, itemId), true);
  assert.equal((await fixture.status(orderId)).state, "completed");
});

test("content that is small enough goes by SMS alone, and the client's word for it comes the same way", async () => {
  const { fixture, orderId, reference, itemId } = await accepted("narrowband", {
    narrowbandContentOctets: 600,
  });
  const content = (await fixture.told()).find(({ kind }) => kind === "content");
  const verdict = verifyContent(content!.content!, publicKeyOf, fixture.imei, new Date(shop.time.now));
  assert.ok(verdict.kind === "valid" && verdict.content.itemId === itemId);
  assert.equal((await fixture.status(orderId)).items[0]?.state, "delivered");
  await fixture.reply("ack", { reference, itemId, noticeId: content!.noticeId });
  assert.equal((await fixture.status(orderId)).items[0]?.state, "opened");
  await fixture.reply("installed", { reference, itemId });
  assert.equal((await fixture.status(orderId)).state, "completed");
});

test("a device's word on what was never sent to it is worth nothing, by whatever way it comes", async () => {
  const fixture = await ofBrowser("nothing sent");
  const { orderId, reference } = await fixture.ask(["browser"]);
  const itemId = (await fixture.status(orderId)).items[0]!.id;
  const says = async () => {
    const before = [await fixture.status(orderId), await fixture.events(orderId)];
    assert.equal(await fixture.installed(orderId, itemId), false);
    const failed = { kind: "failed", cause: "memory_full" } as const;
    assert.equal(
      await fixture.requests.deviceReports(fixture.scope, { orderId, itemId }, failed, "wideband"),
      false,
    );
    for (const kind of ["ack", "installed", "failed"] as const)
      await fixture.reply(kind, { reference, itemId, ...(kind === "failed" && { cause: "memory_full" }) });
    assert.deepEqual([await fixture.status(orderId), await fixture.events(orderId)], before);
  };
  await says(); // nobody agreed to it yet
  await fixture.requests.answerTerms(fixture.scope, orderId, "decline", "screen");
  await fixture.calls();
  await says();
  assert.equal((await fixture.status(orderId)).state, "declined");
  assert.deepEqual([fixture.saw.billing, fixture.saw.elements], [[], []]);
});

test("an element of the network that fails fails its item, and the device's late word does not mend it", async () => {
  const fixture = await ofBrowser("element");
  fixture.answers.element = () =>
    Promise.resolve({ kind: "refused", cause: "no_such_profile", reason: "no" });
  const { orderId } = await fixture.ask(["browser"]);
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  await fixture.calls();
  const { state, items } = await fixture.status(orderId);
  assert.equal(state, "failed");
  assert.match(items[0]!.reason, /hlr-profile failed: no_such_profile/);
  assert.equal(await fixture.installed(orderId, items[0]!.id), false);
  assert.equal(fixture.saw.billing.length, 0);
});

test("which channel a notice takes stands in its event with the rule that decided", async () => {
  const long = "All of it, word for word. ".repeat(40);
  const fixture = await shop.fixture("rule", [BROWSER]);
  await shop.catalog.putTerms(
    fixture.operatorId,
    "general",
    { en: long },
    { expected: () => true, actor: "test" },
  );
  shop.time.now += 3_000;
  const { orderId } = await fixture.ask(["browser"]);
  const [terms] = await fixture.told();
  assert.ok(terms!.parts <= 3 && terms!.text.length < 200, "it points to the screen");
  assert.equal((await fixture.status(orderId)).terms[0]?.text, long);
  const event = (await fixture.story(orderId)).events.find(({ kind }) => kind === "notice_queued");
  const { channel, rule } = event!.detail as { channel: string; rule: string };
  assert.equal(channel, "wideband");
  assert.match(rule, /longer than 3 SMS/);
});

const SETTINGS = { id: "access-points", content: { kind: "settings" }, elements: [] } as const;
const REFUSED = {
  kind: "refused",
  code: "settings_unconfirmed",
  reason: "internet of a set is not confirmed",
  nextAction: "add an access point of your own for these SIMs",
} as const;

test("settings that somebody asked for wait where nothing confirmed may be sent, and go when their operator has said which", async () => {
  const fixture = await shop.fixture("asked settings", [SETTINGS]);
  const { choice } = shop.world;
  try {
    shop.world.choice = REFUSED;
    const { orderId } = await fixture.ask(["access-points"]);
    await fixture.calls();
    const waiting = await fixture.story(orderId);
    const [item] = waiting.items;
    assert.deepEqual(
      [waiting.state, item?.state, item?.cause],
      ["provisioning", "pending", "settings_unconfirmed"],
    );
    assert.deepEqual([item?.reason, item?.nextAction], [REFUSED.reason, REFUSED.nextAction]);
    assert.ok(Date.parse(item!.deadlineAt!) > shop.time.now);
    assert.deepEqual(
      (await fixture.told()).filter(({ kind }) => kind === "text"),
      [],
    );
    assert.ok(waiting.messages.every(({ kind }) => kind === "notice"));
    assert.ok(Date.parse(waiting.dueAt!) <= shop.time.now + 60_000, "looked at again by itself");

    shop.time.now += HOUR_MS;
    await shop.conductor.advance(100);
    assert.equal((await fixture.events(orderId)).filter((kind) => kind === "settings_waited_for").length, 1);
    const still = await fixture.story(orderId);
    assert.ok(Date.parse(still.dueAt!) <= shop.time.now + HOUR_MS);

    shop.world.choice = choice;
    const point = { ...ACCESS_POINT, id: uuidv7() };
    await shop.registry.accessPoints.add(fixture.operatorId, point, "test");
    assert.ok(
      Date.parse((await fixture.story(orderId)).dueAt!) < shop.time.now + 60_000,
      "an access point wakes it",
    );
    shop.time.now += 60_000;
    await shop.conductor.advance(100);
    const going = await fixture.story(orderId);
    assert.deepEqual([going.items[0]?.state, going.items[0]?.apns], ["sending", ["internet"]]);
    assert.ok(going.messages.some(({ kind }) => kind === "settings"));
  } finally {
    shop.world.choice = choice;
  }
});

test("settings that wait for an access point in vain fail of that at their deadline", async () => {
  const fixture = await shop.fixture("settings in vain", [SETTINGS]);
  const { choice } = shop.world;
  try {
    shop.world.choice = REFUSED;
    const { orderId } = await fixture.ask(["access-points"]);
    shop.time.now += 8 * 24 * HOUR_MS;
    await shop.conductor.advance(100);
    const story = await fixture.story(orderId);
    assert.deepEqual(
      [story.state, story.items[0]?.state, story.items[0]?.cause],
      ["failed", "failed", "settings_unconfirmed"],
    );
    assert.match(story.items[0]!.reason, /is not confirmed; the deadline has passed/);
  } finally {
    shop.world.choice = choice;
  }
});

// ---- a bearer without packet data

type Story = { readonly events: readonly { readonly kind: string; readonly detail: unknown }[] };
const detailOf = ({ events }: Story, wanted: string): Readonly<Record<string, unknown>> => ({
  ...(events.find(({ kind }) => kind === wanted)?.detail as object),
});

const BIG = {
  kind: "module",
  module: "game",
  version: "1",
  sha256: "a".repeat(64),
  octets: 9_000,
  url: null,
} as const;

test("R31: content that the bearer of its request does not carry is refused at once, with both figures", async () => {
  const fixture = await shop.fixture("too large for tdma", [{ id: "game", content: BIG }]);
  const { orderId } = await fixture.ask(["game"], { bearer: "tdma" });
  await fixture.calls();
  const [item] = (await fixture.status(orderId)).items;
  assert.equal(item?.state, "failed");
  assert.match(item!.reason, /its content has 9000 octets, and tdma carries 1816 in one message/);
  const told = await fixture.told();
  assert.ok(
    told.every(({ kind }) => kind !== "content_ready"),
    "nothing is announced that cannot come",
  );
  const messages = (await fixture.story(orderId)).messages;
  assert.ok(
    messages.length > 0 &&
      messages.every(({ bearer, channel }) => bearer === "tdma" && channel === "narrowband"),
  );
});

test("R31: small content goes to a device on TDMA by short messages, each message saying so", async () => {
  const fixture = await shop.fixture("small for tdma", [{ id: "game", content: ACTIVATION }]);
  const { orderId } = await fixture.ask(["game"], { bearer: "tdma" });
  await fixture.calls();
  const told = await fixture.told();
  assert.ok(told.some(({ kind, content }) => kind === "content" && content));
  const offered = detailOf(await fixture.story(orderId), "content_offered");
  assert.deepEqual(
    [offered.channel, offered.rule, offered.bearer],
    ["narrowband", "tdma has no wideband", "tdma"],
  );
  const carried = (await fixture.story(orderId)).messages.find(({ octets }) => octets > 300);
  assert.equal(carried?.partOctets, 239);
});

test("R31: content is held back while its device is on a bearer that does not carry it, and goes where one does", async () => {
  const { fixture, orderId, itemId } = await accepted("roams");
  const narrow = { bearer: "tdma", octetsMax: 60 };
  for (let times = 0; times < 2; times++)
    await assert.rejects(fixture.requests.content(fixture.scope, { orderId, itemId }, narrow), {
      code: "bearer_too_narrow",
      message: /The content has \d+ octets, and tdma carries 60/,
    });
  const [held] = (await fixture.status(orderId)).items;
  assert.equal(held?.state, "sending", "it can still be fetched elsewhere");
  assert.match(held!.reason, /tdma carries 60/);
  const kinds = await fixture.events(orderId);
  assert.equal(kinds.filter((kind) => kind === "content_held_back").length, 1, "said once");
  assert.ok(!kinds.includes("content_fetched"));
  const wide = { bearer: "lte", octetsMax: null };
  assert.ok(await fixture.requests.content(fixture.scope, { orderId, itemId }, wide));
  const fetched = detailOf(await fixture.story(orderId), "content_fetched");
  assert.deepEqual([fetched.channel, fetched.bearer], ["wideband", "lte"]);
});

test("what needs a camera goes to no model that is known to have none: neither ordered nor offered, with the reason; the rest of its package goes on (R125)", async () => {
  const camera = { assurance: "network", verification: false, card: false, hardware: ["camera"] } as const;
  const items = [
    { id: "video", requires: camera },
    { id: "plain" },
    { id: "pack", kind: "package", includes: ["video", "plain"] },
  ] as const;
  const fixture = await shop.fixture("no camera", items);
  await shop.see(fixture.operatorId, { imsi: fixture.imsi, imei: fixture.imei, msisdn: fixture.msisdn });
  const offer = async (idempotencyKey: string) =>
    (
      await fixture.requests.sendOffers(fixture.operatorId, {
        itemId: "video",
        to: [{ msisdn: fixture.msisdn }],
        actor: "test",
        idempotencyKey,
      })
    )[0]?.outcome;
  shop.world.hardware = { ...shop.world.hardware, camera: "none" };
  try {
    const { orderId } = await fixture.ask(["pack"]);
    const { state, items: got } = await fixture.status(orderId);
    assert.deepEqual(
      [state, ...got.map(({ catalogId, state: at }) => `${catalogId} ${at}`).sort()],
      ["partly_completed", "plain delivered", "video failed"],
    );
    const lacking = got.find(({ catalogId }) => catalogId === "video");
    assert.match(lacking?.reason ?? "", /it needs a camera, and this model has none/);
    assert.equal(await offer("without"), "device_lacks");
  } finally {
    shop.world.hardware = { ...shop.world.hardware, camera: null };
  }
  assert.equal(await offer("with"), "sent");
  const again = await fixture.ask(["video"]);
  assert.equal((await fixture.status(again.orderId)).state, "completed");
});
