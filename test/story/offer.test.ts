/** Offers of upgrades by SMS (US 6,647,260 column 8; R67): a reply or a tap starts the usual flow with the offer filled in. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createBrowserPhone } from "../../src/sim/phone/browser.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  centreOf,
  endedAs,
  modulesOf,
  orderSteps,
  settledAs,
  stateOf,
  toMenu,
} from "../fixture/story-steps.ts";
import { whenDone } from "../fixture/when-done.ts";

const DAY_MS = 24 * 3_600_000;
const OFFER_DAYS = 14;

const fixture = await storyParties({ policy: { offerDays: OFFER_DAYS } });

/** A subscriber with something already: offers are of upgrades. */
async function subscriber(): Promise<Phone> {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  await settledAs(fixture, phone, "completed");
  return phone;
}

let offers = 0;
async function offer(phone: Phone, itemId: string, key = `offer-${++offers}`) {
  const { status, body, text } = await fixture.call(
    "POST",
    "/v1/offers",
    { itemId, to: [{ msisdn: `+${phone.msisdn}` }] },
    "representative",
    { "idempotency-key": key },
  );
  assert.equal(status, 202, text);
  return body.results[0] as { readonly outcome: string; readonly offerId: string | null };
}

/** What came by SMS: its number to reply with, and its link's path. */
async function offered(phone: Phone, fits: RegExp): Promise<{ code: string; url: string }> {
  const texts = await until(
    () => fixture.textsTo(phone).filter((text) => fits.test(text)),
    ({ length }) => length > 0,
    `an offer says ${fits}`,
  );
  // What still lacks a field is not ordered by a yes: its offer leads to the form alone.
  const [, code = "", path] =
    /(?:YES (\d{4}), or see|Give it under) \S*?(\/d\/offers\/\S+)$/.exec(texts.at(-1)!) ?? [];
  assert.ok(path, texts.at(-1));
  return { code, url: fixture.server.url + path };
}

/** The operator lets an item be asked for by a link. */
async function takesLinks(itemId: string): Promise<void> {
  const { id, version, ...item } = (await fixture.get(`/v1/catalog/${itemId}`)).item;
  const changed = { ...item, requires: { ...item.requires, assurance: "link" } };
  const { status, text } = await fixture.call("PUT", `/v1/catalog/${id}`, changed, "admin", {
    "if-match": `"${version}"`,
  });
  assert.equal(status, 200, text);
}

const offerNow = async (id: string | null) =>
  (await fixture.get("/v1/offers?limit=100")).rows.find((row: { id: string }) => row.id === id);

const takenBy = async ({ offerId }: { readonly offerId: string | null }) => {
  const { state, orderId } = await offerNow(offerId);
  return [state, orderId];
};

/** Any browser, with nothing of ours and nobody that vouches for it. */
function browserAt(url: string) {
  const browser = createBrowserPhone({ url, markup: "html", deviceClass: "palm", seed: 1 });
  whenDone(() => browser.close());
  return browser;
}

async function another(phone: Phone, before: { readonly id: string }): Promise<void> {
  await until(
    () => fixture.story(phone),
    ({ id }) => id !== before.id,
    "the answer opened a request",
  );
}

test("R67: an offer by SMS, taken by a reply: the usual request, with the offer's item in it, to a working device", async () => {
  const phone = await subscriber();
  const before = await fixture.story(phone);
  const { outcome, offerId } = await offer(phone, "voice-mail");
  assert.equal(outcome, "sent");
  const { code } = await offered(phone, /Voice mail is there for you/);
  assert.equal((await fixture.story(phone)).id, before.id, "nothing is done before the subscriber says yes");
  assert.equal((await offerNow(offerId)).state, "sent");

  await phone.sms(`yes ${code}`, centreOf(fixture));
  await another(phone, before);
  const story = await settledAs(fixture, phone, "completed");
  assert.equal(story.cause, "offer");
  assert.equal(stateOf(story, "voice-mail"), "works");
  assert.equal(phone.client()?.installer.parameters()["voicemail.number"], "3311");
  const { state, orderId } = await offerNow(offerId);
  assert.deepEqual([state, orderId], ["taken", story.id]);

  await phone.sms(`YES ${code}`, centreOf(fixture));
  await until(
    () => fixture.get(`/v1/orders?imsi=${phone.imsi}`),
    ({ rows }) => rows.length === 2,
    "there are the two orders",
  );
  assert.equal((await fixture.story(phone)).id, story.id, "the same reply again opens nothing");
});

test("R67: taken by a tap on its link: the order is filled in, asks just what is missing, and terms come before anything", async () => {
  const phone = await subscriber();
  const before = await fixture.story(phone);
  const first = await offer(phone, "mail-client");
  const program = browserAt((await offered(phone, /Mail program is there for you/)).url);
  await program.open();
  assert.match(
    program.screen()?.text.join(" ") ?? "",
    /from the phone itself/,
    "a link is less than this item wants",
  );
  await takesLinks("mail-client");
  await program.open();
  const [button] = program.screen()?.actions ?? [];
  assert.equal(button?.hidden?.selection, "mail-client", "nobody has to look for it in a list");
  await program.walk([{ choose: "Order" }, { await: /^Request / }]);
  await another(phone, before);
  const waiting = await fixture.storyUntil(phone, ({ state }) => state === "awaiting_consent", "terms wait");
  assert.equal(waiting.cause, "offer");
  await answerNotice(phone, "terms", "accept");
  const story = await settledAs(fixture, phone, "completed");
  assert.ok(modulesOf(phone).includes("mail-client active"));
  assert.deepEqual(await takenBy(first), ["taken", story.id]);
  await program.open().catch(() => undefined);
  assert.equal(program.statuses().at(-1), 404, "its link is over");

  await toMenu(phone); // what is on the display is read
  await takesLinks("mail");
  const second = await offer(phone, "mail");
  const mail = browserAt((await offered(phone, /: Mail is there for you/)).url);
  await mail.open();
  const fields = mail.screen()?.form?.fields.map(({ name }) => name);
  assert.deepEqual(fields, ["f_mail__mailbox"], "what the service wants, and nothing else");
  await mail.walk([{ fill: { f_mail__mailbox: "anna" } }, { submit: true }, { await: /^Request / }]);
  await another(phone, story);
  await answerNotice(phone, "terms", "accept");
  const registered = await settledAs(fixture, phone, "completed");
  assert.equal(stateOf(registered, "mail"), "access_data_sent");
  assert.deepEqual(await takenBy(second), ["taken", registered.id]);
  assert.equal(fixture.road.sandboxes.parties.office.kernelAt("/scim/v2").size(), 1);
});

test("R67: declined by a reply: no order, nothing billed, and the link is over too", async () => {
  const phone = await subscriber();
  const before = await fixture.story(phone);
  const ledger = fixture.road.sandboxes.parties.billing.ledger().length;
  const { offerId } = await offer(phone, "voice-mail");
  const { code, url } = await offered(phone, /Voice mail is there for you/);
  await phone.sms(`NO ${code}`, centreOf(fixture));
  await until(
    () => offerNow(offerId),
    ({ state }) => state === "declined",
    "the offer is declined",
  );
  assert.equal((await fetch(url)).status, 404);
  assert.equal((await fixture.story(phone)).id, before.id);
  assert.equal(fixture.road.sandboxes.parties.billing.ledger().length, ledger);
});

test("R67: an offer whose time is over opens nothing, neither by reply nor by link", async () => {
  const phone = await subscriber();
  const before = await fixture.story(phone);
  const { offerId } = await offer(phone, "voice-mail");
  const { code, url } = await offered(phone, /Voice mail is there for you/);
  const late = OFFER_DAYS * DAY_MS + 1;
  await fixture.database.run(
    "update offer set expires_at = expires_at - $1 * interval '1 ms' where id = $2",
    [late, offerId],
  );
  assert.equal((await offerNow(offerId)).state, "expired");
  assert.equal((await fetch(url)).status, 404);
  await phone.sms(`YES ${code}`, centreOf(fixture));
  const { outcome } = await offer(phone, "wap-browser");
  assert.equal(outcome, "sent", "another offer goes its own way");
  const next = await offered(phone, /Browser is there for you/);
  await phone.sms(`YES ${next.code}`, centreOf(fixture));
  await another(phone, before);
  const story = await endedAs(fixture, phone, "completed");
  assert.deepEqual(
    story.items.map(({ subject }: { subject: { catalogId: string } }) => subject.catalogId),
    ["wap-browser"],
  );
  const { rows } = await fixture.get(`/v1/orders?imsi=${phone.imsi}`);
  assert.equal(rows.length, 2, "the first one, and that of the offer in time");
});

test("R67: one sending of an offer reaches each subscriber once, however often it is asked for", async () => {
  const phone = await subscriber();
  const first = await offer(phone, "voice-mail", "campaign-1");
  const again = await offer(phone, "voice-mail", "campaign-1");
  assert.deepEqual(again, first, "the same answer again");
  await offered(phone, /Voice mail is there for you/);
  assert.equal(fixture.textsTo(phone).filter((text) => /is there for you/.test(text)).length, 1);
  assert.deepEqual(fixture.faults, []);
});
