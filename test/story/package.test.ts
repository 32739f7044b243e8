/** A package comes to its fixed set, each member by its own flow, and what became of each is told (US 6,647,260, claim 10, 7A:720). */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { type StoryParties, storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  changeItem,
  messageOn,
  modulesOf,
  noticesTo,
  openTerms,
  orderAgain,
  orderSteps,
  settledAs,
  statesOf,
} from "../fixture/story-steps.ts";

const CARD = { c_number: "4111111111111111", c_expiry: "1230", c_code: "123" };
const BUSINESS = {
  u_givenName: "Quillaia",
  u_familyName: "Brandywine",
  f_mail__mailbox: "quillaia",
  f_directory__company: "Meridian Ltd",
  f_forwarding__target: "447700900123",
  ...CARD,
};

// Nobody here reports what phones do with access points: that they arrived is enough.
const orders = { doneAt: "delivered" } as const;
const fixture = await storyParties({ orders });
const stopping = await storyParties({ orders, policy: { unavailableItem: "stop", conflictingItem: "stop" } });

async function ordered(at: StoryParties, label: string, fill = {}): Promise<Phone> {
  const phone = await at.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Packages", label, fill));
  return phone;
}

test("software, service and network features of one package: one request, each by its own flow (R7, R44)", async () => {
  const phone = await ordered(fixture, "Business package", BUSINESS);
  await openTerms(phone); // more than three SMS: only the server's screen holds all of it
  await phone.walk([{ action: "accept" }]);
  const story = await settledAs(fixture, phone, "completed");
  assert.deepEqual(statesOf(story), {
    "mail-client": "works",
    mail: "access_data_sent",
    directory: "access_data_sent",
    forwarding: "delivered",
  });
  assert.ok(
    story.items.every(({ subject }: { subject: { package: string } }) => subject.package === "business"),
  );
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant", "mail-client active"]);
  const { office, elements, billing } = fixture.road.sandboxes.parties;
  assert.equal(office.kernelAt("/scim/v2").ofClient("turnup").length, 1);
  assert.equal(office.kernelAt("/scim/v2/directory").ofClient("turnup").length, 1);
  assert.equal(elements.held("forwarding").get(phone.msisdn)?.target, "+447700900123");
  assert.ok(elements.held("e-mail").has(phone.msisdn));
  const booked = billing.ledger();
  assert.deepEqual(booked[0]?.kind, "account");
  assert.deepEqual(
    booked
      .slice(1)
      .map(({ kind, catalogId }) => `${kind} ${catalogId}`)
      .sort(),
    ["feature forwarding", "feature mail-client", "service directory", "service mail"],
  );
  assert.equal(
    booked.reduce((sum, { monthlyMinor }) => sum + monthlyMinor, 0),
    990,
    "the package's one price",
  );
  const done = await messageOn(phone, /is done/);
  for (const name of ["Mail program", "Mail", "Company directory", "Call forwarding"])
    assert.ok(done.includes(name), done);
});

test("a member that cannot be had is named by SMS, and the rest goes on (R7, R41)", async () => {
  await changeItem(fixture, "voice-mail", { available: false });
  const phone = await ordered(fixture, "Starter package");
  const story = await settledAs(fixture, phone, "partly_completed");
  assert.deepEqual(statesOf(story), {
    "mms-settings": "delivered",
    "wap-browser": "works",
    "voice-mail": "failed",
  });
  await messageOn(phone, /not available: Voice mail\./);
  await messageOn(
    phone,
    /done: (Picture messages, Browser|Browser, Picture messages)\. Not done: Voice mail\./,
  );
  assert.ok(noticesTo(fixture, phone).includes("unavailable"));
});

test("by another policy one member that cannot be had stops all of it, and it is named (R7, R41)", async () => {
  await changeItem(stopping, "voice-mail", { available: false });
  const phone = await ordered(stopping, "Starter package");
  const story = await settledAs(stopping, phone, "failed");
  assert.deepEqual(statesOf(story), {
    "mms-settings": "cancelled",
    "wap-browser": "cancelled",
    "voice-mail": "failed",
  });
  await messageOn(phone, /not available: Voice mail\./);
  assert.deepEqual(stopping.road.sandboxes.parties.billing.ledger(), []);
  assert.equal(stopping.did(phone, "installation").length, 0);
});

for (const [what, at, rest] of [
  ["and the rest goes on", fixture, "works"],
  ["and all of it stops by another policy", stopping, "cancelled"],
] as const) {
  test(`a pair in conflict: neither is provisioned, both are named, ${what} (R7, R42)`, async () => {
    const phone = await at.phone();
    phone.powerOn();
    await phone.walk(orderSteps("Features", "Java runtime"));
    await settledAs(at, phone, "completed");
    const before = at.road.sandboxes.parties.billing.ledger().length;
    const selection = ["wap-browser", "forwarding", "ring-back"];
    const asked = await at.call(
      "POST",
      "/v1/requests",
      {
        subscriber: { imsi: phone.imsi },
        selection,
        fields: { forwarding: { target: "+447700900123" } },
      },
      "care",
      {
        "idempotency-key": `pair-${rest}`,
      },
    );
    assert.equal(asked.status, 202, asked.text);
    await messageOn(phone, /Call forwarding cannot stand beside Ring-back tone; neither is set up/);
    await messageOn(phone, /Ring-back tone cannot stand beside Call forwarding; neither is set up/);
    const story = await settledAs(at, phone, rest === "works" ? "partly_completed" : "failed");
    assert.deepEqual(statesOf(story), { "wap-browser": rest, forwarding: "failed", "ring-back": "failed" });
    for (const element of ["forwarding", "hlr-profile", "billing-plan"])
      assert.equal(at.road.sandboxes.parties.elements.held(element).get(phone.msisdn), undefined);
    assert.equal(at.road.sandboxes.parties.billing.ledger().length - before, rest === "works" ? 1 : 0);
  });
}

test("a member that conflicts with what he has is named; what he has keeps working (R7, R42)", async () => {
  await changeItem(fixture, "starter", { includes: ["wap-browser", "forwarding"] });
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Ring-back tone"));
  await answerNotice(phone, "terms", "accept");
  await settledAs(fixture, phone, "completed");
  await orderAgain(phone, "Packages", "Starter package");
  const story = await settledAs(fixture, phone, "partly_completed");
  assert.deepEqual(statesOf(story), { "wap-browser": "works", forwarding: "failed" });
  await messageOn(phone, /Call forwarding cannot stand beside Ring-back tone, which you have\./);
  assert.ok(fixture.road.sandboxes.parties.elements.held("hlr-profile").has(phone.msisdn));
});

test("nothing broke on the way", () => {
  assert.deepEqual([...fixture.faults, ...stopping.faults], []);
});
