/** What nobody asked for: STOP and START by SMS, quiet hours, and links that programs look at before people do. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { QuietHours } from "../../src/kernel/operator/quiet-hours.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import { centreOf, orderSteps, settledAs } from "../fixture/story-steps.ts";

const HOUR_MS = 3_600_000;
const SESSION = /[?&](?:amp;)?s=[A-Za-z0-9_-]{20,}/;

const fixture = await storyParties();

async function subscriber(): Promise<Phone> {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  await settledAs(fixture, phone, "completed");
  return phone;
}

let offers = 0;
async function offer(phones: readonly Phone[], itemId: string) {
  const to = phones.map(({ msisdn }) => ({ msisdn: `+${msisdn}` }));
  const key = { "idempotency-key": `stop-${++offers}` };
  const { status, body, text } = await fixture.call(
    "POST",
    "/v1/offers",
    { itemId, to },
    "representative",
    key,
  );
  assert.equal(status, 202, text);
  return body as {
    readonly results: readonly { readonly outcome: string; readonly sendsAt: string | null }[];
    readonly counts: Readonly<Record<string, number>>;
  };
}

/** A night that began an hour ago and ends in `hours`; null: none. */
async function quiet(hours: number | null): Promise<QuietHours | null> {
  const at = (of: number): string => new Date(Date.now() + of * HOUR_MS).toISOString().slice(11, 16);
  const quietHours = hours === null ? null : { from: at(-1), to: at(hours), timeZone: "UTC", timeZones: {} };
  const { version, body } = await fixture.get("/v1/policy", "admin");
  const { status, text } = await fixture.call("PUT", "/v1/policy", { ...body, quietHours }, "admin", {
    "if-match": `"${version}"`,
  });
  assert.equal(status, 200, text);
  return quietHours;
}

const textsWith = (phone: Phone, fits: RegExp): readonly string[] =>
  fixture.textsTo(phone).filter((text) => fits.test(text));
const textTo = (phone: Phone, fits: RegExp): Promise<readonly string[]> =>
  until(
    () => textsWith(phone, fits),
    ({ length }) => length > 0,
    `a text says ${fits}`,
  );
const waiting = async (): Promise<number> =>
  (await fixture.get("/v1/messages?state=queued&limit=100")).rows.length;

test("in quiet hours an offer waits and says until when; STOP meanwhile ends it, and the night's end brings it to whoever did not", async () => {
  const [sleeper, stopper] = [await subscriber(), await subscriber()];
  const night = await quiet(3);
  const { results, counts } = await offer([sleeper, stopper], "voice-mail");
  assert.deepEqual(counts, { sent: 2 });
  for (const { sendsAt } of results) assert.equal(sendsAt?.slice(11, 16), night?.to);
  assert.equal(await waiting(), 2);

  await stopper.sms("STOP", centreOf(fixture));
  await textTo(stopper, /no more offers from us/);
  assert.equal(await waiting(), 1, "what was queued for him is cancelled");
  await fixture.timePasses(4 * HOUR_MS);
  await until(
    async () => (await fixture.get("/v1/messages?state=queued&limit=100")).rows,
    ([row]) => /quiet hours until/.test(row?.reason ?? ""),
    "it is looked at when it goes out, too",
  );
  assert.deepEqual(textsWith(sleeper, /is there for you/), []);

  await quiet(null);
  await fixture.timePasses(4 * HOUR_MS);
  assert.equal((await textTo(sleeper, /Voice mail is there for you/)).length, 1);
  assert.deepEqual(textsWith(stopper, /is there for you/), []);

  const later = await offer([sleeper, stopper], "wap-browser");
  assert.deepEqual(later.counts, { sent: 1, stopped: 1 });
  await stopper.sms("Stop!", centreOf(fixture));
  await stopper.sms("START", centreOf(fixture));
  await textTo(stopper, /may get offers from us again/);
  assert.equal(textsWith(stopper, /no more offers from us/).length, 1, "confirmed once");
  assert.deepEqual((await offer([stopper], "wap-browser")).counts, { sent: 1 });
  await textTo(stopper, /Browser is there for you/);
  const actions = (await fixture.get("/v1/audit?limit=100", "admin")).rows.map(
    ({ action }: { action: string }) => action,
  );
  for (const action of ["messages.stop", "messages.start"])
    assert.equal(actions.filter((one: string) => one === action).length, 1, action);
});

test("a link that a preview looks at ten times opens nothing, and the offer is still there for its reader", async () => {
  const phone = await subscriber();
  await offer([phone], "voice-mail");
  const [text] = await textTo(phone, /Voice mail is there for you/);
  const url = fixture.server.url + /\/d\/offers\/\S+$/.exec(text!)![0];
  for (let n = 0; n < 10; n++) {
    const answer = await fetch(url, { headers: { accept: "text/html", "user-agent": "LinkPreview/1.0" } });
    assert.ok(answer.status < 500);
    assert.doesNotMatch(await answer.text(), SESSION);
  }
  const code = /YES (\d{4})/.exec(text!)![1]!;
  const before = await fixture.story(phone);
  for (const words of [`not ok ${code}`, `Is it ok to pay later? ${code}`, `never said yes ${code}`])
    await phone.sms(words, centreOf(fixture));
  await textTo(phone, new RegExp(`reply just YES ${code} or NO ${code}`));
  assert.equal((await fixture.story(phone)).id, before.id);
  await phone.sms(`1 ${code}`, centreOf(fixture));
  await until(
    () => fixture.story(phone),
    ({ id }) => id !== before.id,
    "the plain answer opens the request",
  );
  assert.equal((await settledAs(fixture, phone, "completed")).cause, "offer");
  assert.equal(textsWith(phone, /reply just YES/).length, 1, "how to answer is told once a question");
  assert.equal((await fetch(url)).status, 404);
  assert.deepEqual((await offer([phone], "voice-mail")).counts, { has_already: 1 });
});
