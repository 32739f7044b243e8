/** A number that another SIM bears now: its new holder answers nothing for the old one, and gets nothing of theirs. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import type { PhoneEvent } from "../../src/sim/phone/phone-state.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  billedTo,
  centreOf,
  codeIn,
  orderAgain,
  orderSteps,
  settledAs,
} from "../fixture/story-steps.ts";

const fixture = await storyParties();
const kernel = fixture.road.sandboxes.parties.office.kernelAt("/scim/v2");
const registered = (): number =>
  kernel.ofClient("turnup").filter(({ state }) => state === "registered").length;

/** Has the mail program, and is asked whether they agree to the service's terms. */
async function asked(): Promise<{ readonly phone: Phone; readonly code: string }> {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Mail program"));
  await answerNotice(phone, "terms", "accept");
  await settledAs(fixture, phone, "completed");
  await orderAgain(phone, "Services", "Mail", { f_mail__mailbox: `box-${phone.msisdn.slice(-4)}` });
  return { phone, code: await codeIn(phone, /asked for Mail \(/) };
}

/** The network sees the number with another SIM in another phone, which is on. */
async function heirOf({ msisdn }: Phone): Promise<{ readonly heir: Phone; readonly events: PhoneEvent[] }> {
  const events: PhoneEvent[] = [];
  const heir = await fixture.phone({ msisdn, onEvent: (event) => events.push(event) });
  const { imei, imsi } = heir;
  const plmn = `${WORLD.network.mcc}-${WORLD.network.mnc}`;
  const { status, text } = await fixture.call("POST", "/v1/sightings", { imei, imsi, msisdn, plmn }, "probe");
  assert.equal(status, 200, text);
  heir.powerOn();
  await heir.walk([{ await: "start" }]);
  return { heir, events };
}

test("the new holder's yes answers no question of the old one's, with its number or without", async () => {
  const { phone, code } = await asked();
  const [before, billed] = [registered(), billedTo(fixture).length];
  phone.powerOff();
  const { heir, events } = await heirOf(phone);
  for (const words of [`yes ${code}`, "YES", "1"]) await heir.sms(words, centreOf(fixture));
  const ended = await fixture.storyUntil(phone, ({ endedAt }) => endedAt !== null, "his request is over");
  assert.equal(ended.state, "cancelled");
  assert.match(ended.reason, /another SIM's now/);
  assert.deepEqual([registered(), billedTo(fixture).length], [before, billed]);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "notice" || kind === "text"),
    [],
    "nothing of it is told to the new holder",
  );
});

test("access data that waited for the old holder's phone reaches no other, and is good for nothing", async () => {
  const { phone, code } = await asked();
  const before = registered();
  phone.powerOff();
  await phone.sms(`yes ${code}`, centreOf(fixture));
  const waits = await fixture.storyUntil(
    phone,
    ({ items }) => items[0]?.state === "registered",
    "it is registered, and its access data is on its way",
  );
  assert.equal(registered(), before + 1);
  const { heir, events } = await heirOf(phone);
  await until(registered, (count) => count === before, "the registration is ended at the service server");
  const ended = await fixture.storyUntil(
    phone,
    ({ id, items, messages }) =>
      id === waits.id &&
      items[0]?.cause === "taken_back" &&
      messages.every(
        ({ state }: { state: string }) => !["queued", "submitting", "submitted"].includes(state),
      ),
    "nothing of it is on its way any more",
  );
  assert.ok(ended.events.some(({ kind }: { kind: string }) => kind === "registration_taken_back"));
  await heir.walk(orderSteps("Features", "Java runtime"));
  await settledAs(fixture, heir, "completed"); // what was sent to the number before that has come
  const came = events.flatMap((event) => (event.kind === "notice" ? [event.notice] : []));
  assert.ok(came.includes("done") && !came.includes("access_data"), came.join());
  assert.deepEqual(
    events.filter(({ kind }) => kind === "text"),
    [],
  );
});
