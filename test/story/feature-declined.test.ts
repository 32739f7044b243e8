/** Terms that are declined, or that nobody answers: nothing is installed or billed, and the answer is kept (US 6,647,260, 7B:732-736). */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  billedTo,
  centreOf,
  codeIn,
  endedAs,
  kindsOf,
  messageOn,
  modulesOf,
  noticesTo,
  openTerms,
  orderSteps,
  requestOf,
  settledAs,
  statesOf,
} from "../fixture/story-steps.ts";
import { tracesOf } from "../fixture/traces.ts";

const HOUR_MS = 3_600_000;
const NAME = { u_givenName: "Quillaia", u_familyName: "Brandywine", u_email: "quillaia@mail.example" };
const FAX = { u_fax: "+442079460123" };

const fixture = await storyParties({ policy: { userFields: ["givenName", "familyName", "email", "fax"] } });
const { mailbox, bureau } = fixture.road.sandboxes.parties;

async function asks(): Promise<Phone> {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Mail program", { ...NAME, ...FAX }));
  return phone;
}

type Consent = {
  termsId: string;
  version: number;
  answer: string;
  answeredBy: string;
  answeredAt: string;
  text: string;
};
/** What is kept of the answer: by the API, and the exact text in the books. */
async function consentOf(orderId: string): Promise<Consent> {
  const { consents } = await requestOf(fixture, orderId);
  assert.equal(consents.length, 1);
  const [{ text }] = (await fixture.database.rows<{ text: string }>(
    "select text from consent where order_id = $1",
    [orderId],
  )) as [{ text: string }];
  return { ...consents[0], text };
}
const textInForce = async (): Promise<string> =>
  (await fixture.get("/v1/terms/general-terms")).versions[0].texts.en;

async function leftNothing(phone: Phone, orderId: string): Promise<void> {
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant"]);
  assert.equal(fixture.did(phone, "installation").length, 0);
  assert.deepEqual(billedTo(fixture), []);
  assert.deepEqual(fixture.road.sandboxes.parties.billing.reserved(), []);
  const { services } = await fixture.get(`/v1/care/subscribers/${phone.imsi}`);
  assert.deepEqual(services, []);
  const { rows } = await fixture.get("/v1/charges?limit=10").catch(() => ({ rows: [] }));
  assert.deepEqual(rows, []);
  const [{ sealed }] = (await fixture.database.rows<{ sealed: boolean }>(
    "select user_sealed is not null as sealed from request where order_id = $1",
    [orderId],
  )) as [{ sealed: boolean }];
  assert.equal(sealed, false, "of a request that came to nothing no user data is kept");
}

test("declined on the display: nothing is installed, nothing billed, the answer kept with text, version, time and channel (R20, R51, R53)", async () => {
  const began = Date.now();
  const phone = await asks();
  await answerNotice(phone, "terms", "decline");
  const story = await settledAs(fixture, phone, "declined");
  await leftNothing(phone, story.id);
  const { termsId, version, answer, answeredBy, answeredAt, text } = await consentOf(story.id);
  assert.deepEqual([termsId, version, answer, answeredBy], ["general-terms", 1, "decline", "client_sms"]);
  assert.equal(text, await textInForce());
  assert.ok(Date.parse(answeredAt) >= began && Date.parse(answeredAt) <= Date.now());
  assert.ok(
    kindsOf(story).indexOf("notice_queued") < kindsOf(story).indexOf("terms_declined"),
    "pushed before",
  );
  assert.deepEqual(statesOf(story), { "mail-client": "cancelled" });
  await messageOn(phone, /you declined; nothing was set up and nothing is charged/);
  assert.deepEqual(noticesTo(fixture, phone), ["terms", "declined"]);
});

test("declined on the server's screen, which says so (R20, R53)", async () => {
  const phone = await asks();
  await openTerms(phone);
  await phone.walk([{ action: "decline" }]);
  const last = await phone.walk([{ await: "done" }]);
  assert.ok(last.text.includes("Declined by you"), last.text.join("|"));
  const story = await settledAs(fixture, phone, "declined");
  assert.equal((await consentOf(story.id)).answeredBy, "device");
  await leftNothing(phone, story.id);
});

test("declined by a text with the number of the question; another number answers nothing (R20, R53)", async () => {
  const phone = await asks();
  const code = await codeIn(phone, /asked for Mail program/);
  const wrong = code === "0000" ? "1111" : "0000";
  await phone.sms(`NO ${wrong}`, centreOf(fixture));
  await until(
    () => phone.texts().at(-1)?.text ?? "",
    (text) => /nothing was agreed to. Please reply just YES \d{4} or NO \d{4}/.test(text),
    "the wrong number is told",
  );
  assert.equal((await fixture.story(phone)).state, "awaiting_consent");
  await phone.sms(`No, ${code}`, centreOf(fixture));
  const story = await settledAs(fixture, phone, "declined");
  assert.equal((await consentOf(story.id)).answeredBy, "sms");
  await leftNothing(phone, story.id);
});

test("nobody answers until the deadline: over, with nothing done, and said to the user (R20, R53)", async () => {
  const phone = await asks();
  await messageOn(phone, /asked for Mail program/);
  await fixture.timePasses(47 * HOUR_MS);
  await messageOn(phone, /waiting for your answer/);
  assert.equal((await fixture.story(phone)).state, "awaiting_consent");
  await fixture.timePasses(2 * HOUR_MS);
  const story = await endedAs(fixture, phone, "expired");
  assert.equal((await consentOf(story.id)).answer, null);
  await messageOn(phone, /no answer came .* nothing was set up and nothing is charged/);
  await leftNothing(phone, story.id);
  // A yes that comes after that is too late.
  const code = await codeIn(phone, /asked for Mail program/);
  await phone.sms(`YES ${code}`, centreOf(fixture));
  await answerNotice(phone, "terms", "accept").catch(() => undefined);
  await settledAs(fixture, phone, "expired");
  await leftNothing(phone, story.id);
});

test("the same terms went to the mail address and the fax number that are known (R52)", async () => {
  const phone = await asks();
  const text = await messageOn(phone, /asked for Mail program/);
  const { reference } = await requestOf(fixture, (await fixture.story(phone)).id);
  const ours = await until(
    () => mailbox.mails().filter(({ headers }) => headers.get("subject")?.includes(reference)),
    ({ length }) => length === 2,
    "both are there",
  );
  assert.deepEqual(ours.flatMap(({ to }) => to).sort(), [
    "FAX=+442079460123@fax.example",
    "quillaia@mail.example",
  ]);
  const terms = await textInForce();
  for (const mail of ours) {
    assert.ok(mail.text.replace(/=?\r\n/g, "").includes(terms.slice(0, 40)), mail.text);
    assert.ok(mail.text.replace(/\s+/g, " ").includes(/(YES \d{4})/.exec(text)![1]!), "and how to answer");
  }
  const { id } = await fixture.story(phone);
  await until(
    async () => (await requestOf(fixture, id)).consents[0].sentBy,
    (sentBy: string[]) => sentBy.length === 3 && ["sms", "mail", "fax"].every((one) => sentBy.includes(one)),
    "each of the three took them",
  );
  await answerNotice(phone, "terms", "decline");
  await settledAs(fixture, phone, "declined");
  assert.deepEqual(
    await tracesOf(fixture, [phone], ["Quillaia", "Brandywine", "quillaia@", "442079460123"]),
    [],
  );
  assert.equal(bureau.asked().get(`+${phone.msisdn}`), 1);
  assert.deepEqual(fixture.faults, []);
});
