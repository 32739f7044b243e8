/**
 * Features and services after the first time (US 6,647,260 columns 2 and 7; R64 to R66): the user takes back and adds, the
 * operator's people do it for them and they are told, and the billing centre goes along or nothing happens.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Phone } from "../../src/sim/phone/phone.ts";
import type { BillingNotice } from "../../src/wire/message/billing-api.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import {
  messageOn,
  modulesOf,
  orderAgain,
  orderSteps,
  settledAs,
  stateOf,
  toMenu,
} from "../fixture/story-steps.ts";

/** The billing centre refuses to prepare a change for these catalog ids. */
const refused = new Set<string>();
const fixture = await storyParties({
  habits: {
    billing: {
      refuse: ({ kind, catalogId }: BillingNotice) =>
        kind === "prepare" && catalogId !== null && refused.has(catalogId) ? "account_blocked" : undefined,
    },
  },
});
const { billing, elements } = fixture.road.sandboxes.parties;

const accounts = new Map<string, string>();
/** What runs on this phone's account at the billing centre: the ledger, summed. */
function billed({ msisdn }: Phone): string[] {
  const runs = new Set<string>();
  for (const { accountId, catalogId, action } of billing.ledger()) {
    if (accountId !== accounts.get(msisdn) || catalogId === null) continue;
    if (action === "add") runs.add(catalogId);
    else runs.delete(catalogId);
  }
  return [...runs].sort();
}

/** As the server's books show it to staff. */
async function servicesOf({ msisdn }: Phone): Promise<string[]> {
  const { services } = await fixture.get(`/v1/subscribers/${msisdn}/services`);
  return services.map(({ itemId }: { itemId: string }) => itemId).sort();
}

/** As the user reads it on the display. */
async function minedOn(phone: Phone): Promise<string[]> {
  await toMenu(phone);
  await phone.walk([{ choose: "Services" }, { await: "start" }, { choose: "What I have" }]);
  const { entries } = await phone.walk([{ await: "mine" }]);
  return entries.map(({ label }) => label).sort();
}

async function removeOn(phone: Phone, label: string): Promise<void> {
  await toMenu(phone);
  await phone.walk([
    { choose: "Services" },
    { await: "start" },
    { choose: "What I have" },
    { await: "mine" },
    { choose: label },
    { await: "remove" },
    { submit: true },
  ]);
}

const atElement = (element: string, { msisdn }: Phone): Readonly<Record<string, string>> | undefined =>
  elements.held(element).get(msisdn);

async function phoneWith(first: string): Promise<Phone> {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", first));
  await settledAs(fixture, phone, "completed");
  const opened = billing.accounts().at(-1)!;
  assert.ok(![...accounts.values()].includes(opened), "the first success registered an account of its own");
  accounts.set(phone.msisdn, opened);
  return phone;
}
/** A change is another order than the one before. */
async function changed(phone: Phone, before: string, state: string) {
  await until(
    () => fixture.story(phone),
    ({ id }) => id !== before,
    "the change is an order of its own",
  );
  return settledAs(fixture, phone, state);
}

test("R64, R65: what the user adds later is prepared at the billing centre before, and takes effect with it", async () => {
  const phone = await phoneWith("Java runtime");
  const { id } = await fixture.story(phone);
  await orderAgain(phone, "Features", "Voice mail");
  const story = await changed(phone, id, "completed");
  assert.equal(stateOf(story, "voice-mail"), "works");
  const kinds = story.events.map(({ kind }: { kind: string }) => kind);
  assert.ok(kinds.indexOf("billing_prepare_done") < kinds.indexOf("content_offered"), `${kinds}`);
  assert.ok(kinds.indexOf("works") < kinds.indexOf("billing_commit_done"));
  assert.deepEqual(billed(phone), ["java-runtime", "voice-mail"]);
  assert.deepEqual(await servicesOf(phone), ["java-runtime", "voice-mail"]);
  assert.deepEqual(await minedOn(phone), ["Java runtime", "Voice mail"]);
  assert.ok(atElement("voice-mail", phone));
  assert.deepEqual(billing.reserved(), []);
});

test("R65: what the user takes back is gone on the device, at the elements, at the billing centre and on the screens", async () => {
  const phone = await phoneWith("Voice mail");
  assert.equal(phone.client()?.installer.parameters()["voicemail.number"], "3311");
  const { id } = await fixture.story(phone);
  await orderAgain(phone, "Features", "Java runtime");
  const second = await changed(phone, id, "completed");
  await removeOn(phone, "Voice mail");
  const removal = await changed(phone, second.id, "completed");
  assert.ok(!phone.client()?.installer.parameters()["voicemail.number"], "the parameter is gone");
  assert.equal(atElement("voice-mail", phone), undefined);
  assert.deepEqual(billed(phone), ["java-runtime"]);
  assert.deepEqual(await servicesOf(phone), ["java-runtime"]);
  assert.deepEqual(await minedOn(phone), ["Java runtime"]);
  assert.match(await messageOn(phone, /removed/), /Voice mail/);

  await removeOn(phone, "Java runtime");
  const last = await changed(phone, removal.id, "completed");
  assert.equal(stateOf(last, "java-runtime"), "works");
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant"], "the maker's software sleeps again");
});

test("R64: a billing centre that refuses the change leaves the new item undone everywhere", async () => {
  const phone = await phoneWith("Java runtime");
  const { id } = await fixture.story(phone);
  refused.add("voice-mail");
  await orderAgain(phone, "Features", "Voice mail");
  const story = await changed(phone, id, "failed");
  refused.delete("voice-mail");
  assert.equal(stateOf(story, "voice-mail"), "failed");
  assert.equal(phone.client()?.installer.parameters()["voicemail.number"], undefined);
  assert.equal(atElement("voice-mail", phone), undefined);
  assert.ok(
    !story.events.some(({ kind }: { kind: string }) => kind === "element_asked"),
    "no element was asked",
  );
  assert.deepEqual(billed(phone), ["java-runtime"]);
  assert.deepEqual(await minedOn(phone), ["Java runtime"]);
  assert.match(await messageOn(phone, /failed/), /request/);
});

test("R64: a billing centre that refuses a removal leaves the item as it was on device, elements, billing and screens", async () => {
  const phone = await phoneWith("Voice mail");
  const { id } = await fixture.story(phone);
  refused.add("voice-mail");
  await removeOn(phone, "Voice mail");
  await changed(phone, id, "failed");
  refused.delete("voice-mail");
  assert.equal(phone.client()?.installer.parameters()["voicemail.number"], "3311");
  assert.ok(atElement("voice-mail", phone), "the element still serves it");
  assert.deepEqual(billed(phone), ["voice-mail"]);
  assert.deepEqual(await servicesOf(phone), ["voice-mail"]);
  assert.deepEqual(await minedOn(phone), ["Voice mail"]);
  assert.deepEqual(billing.reserved(), []);
});

test("R64: an element that fails aborts the prepared change, and the bill stays as it was", async () => {
  const phone = await phoneWith("Java runtime");
  const { id } = await fixture.story(phone);
  elements.behave("forwarding", { kind: "refuses" });
  await orderAgain(phone, "Features", "Call forwarding", { f_forwarding__target: "447700900123" });
  const story = await changed(phone, id, "failed");
  elements.behave("forwarding", { kind: "prompt" });
  assert.equal(stateOf(story, "forwarding"), "failed");
  assert.deepEqual(billed(phone), ["java-runtime"]);
  assert.deepEqual(billing.reserved(), [], "what was reserved is free again");
  assert.deepEqual(await minedOn(phone), ["Java runtime"]);
});

test("R66: staff change it from afar; the user is told by whom and what before, and what is done after", async () => {
  const phone = await phoneWith("Java runtime");
  const { id } = await fixture.story(phone);
  const entered = await fixture.call(
    "POST",
    "/v1/requests",
    { subscriber: { msisdn: `+${phone.msisdn}` }, selection: ["voice-mail"] },
    "care",
    { "idempotency-key": `change-${phone.msisdn}` },
  );
  assert.equal(entered.status, 202, entered.text);
  const added = await changed(phone, id, "completed");
  assert.equal(added.cause, "representative");
  assert.match(await messageOn(phone, /asked for a change for you/), /story care.*Voice mail/);
  assert.match(await messageOn(phone, /is done: /), /Voice mail|Java runtime/);
  assert.equal(phone.client()?.installer.parameters()["voicemail.number"], "3311");

  const removal = await fixture.call(
    "POST",
    "/v1/requests",
    { subscriber: { msisdn: `+${phone.msisdn}` }, action: "remove", selection: ["java-runtime"] },
    "care",
    { "idempotency-key": `change-back-${phone.msisdn}` },
  );
  assert.equal(removal.status, 202, removal.text);
  await changed(phone, added.id, "completed");
  assert.match(await messageOn(phone, /done: removed: /), /Java runtime/);
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant"]);
  assert.deepEqual(billed(phone), ["voice-mail"]);
  const { rows } = await fixture.get("/v1/audit?limit=50");
  const submitted = rows.filter(({ action }: { action: string }) => action === "request.submit");
  assert.deepEqual([...new Set(submitted.map(({ actor }: { actor: string }) => actor))], ["story care"]);
});

test("R66: a role without the right changes nothing, and the user hears nothing", async () => {
  const phone = await phoneWith("Java runtime");
  const heard = fixture.did(phone, "notice").length;
  for (const role of ["probe", "voice"] as const) {
    const { status } = await fixture.call(
      "POST",
      "/v1/requests",
      { subscriber: { msisdn: `+${phone.msisdn}` }, action: "remove", selection: ["java-runtime"] },
      role,
    );
    assert.ok(status === 401 || status === 403, String(status));
  }
  assert.deepEqual(await servicesOf(phone), ["java-runtime"]);
  assert.equal(fixture.did(phone, "notice").length, heard);
});

test("R122: call forwarding asks where to, its element gets the number, and another one is given later: on the phone, and by staff", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  const to = (number: string) => ({ f_forwarding__target: number });
  await phone.walk(orderSteps("Features", "Call forwarding", to("12345")));
  const { form } = await phone.walk([{ await: "order" }]);
  assert.match(form?.fields.at(-1)?.note ?? "", /begins with \+ and the country/);
  await phone.walk([{ fill: to("447700900111") }, { submit: true }]);
  await settledAs(fixture, phone, "completed");
  const target = () => elements.held("forwarding").get(phone.msisdn)?.target;
  assert.equal(target(), "+447700900111");

  const { id } = await fixture.story(phone);
  const billedBefore = billing.ledger().length;
  await toMenu(phone);
  await phone.walk([
    { choose: "Services" },
    { await: "start" },
    { choose: "What I have" },
    { await: "mine" },
    { choose: "Call forwarding" },
    { await: "remove" },
    { choose: "Change" },
    { await: "order" },
    { fill: to("00447700900222") },
    { submit: true },
  ]);
  const second = await changed(phone, id, "completed");
  assert.equal(target(), "+447700900222");
  assert.ok(second.events.some(({ kind }: { kind: string }) => kind === "item_replaced"));

  const asked = await fixture.call(
    "POST",
    "/v1/requests",
    {
      subscriber: { msisdn: `+${phone.msisdn}` },
      selection: ["forwarding"],
      fields: { forwarding: { target: "+447700900333" } },
    },
    "care",
    { "idempotency-key": `forward-${phone.msisdn}` },
  );
  assert.equal(asked.status, 202, asked.text);
  await changed(phone, second.id, "completed");
  assert.equal(target(), "+447700900333");
  assert.equal(billing.ledger().length, billedBefore, "another number costs nothing");
});
