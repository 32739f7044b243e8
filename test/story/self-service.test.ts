/**
 * A new phone asks by itself, through the proxy, and gets its features and services (US 6,647,260 whole; R71): by keys and
 * screens, SMS and the proxy alone. What every other company holds afterwards is looked at in its own books.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ROLES } from "../../src/kernel/account/role.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import type { Step } from "../../src/sim/phone/user.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  billedTo,
  centreOf,
  changeItem,
  codeIn,
  endedAs,
  kindsOf,
  messageOn,
  messagesOn,
  modulesOf,
  noticesTo,
  orderAgain,
  orderSteps,
  requestOf,
  settledAs,
  stateOf,
  statesOf,
  termsOnStatus,
  toMenu,
} from "../fixture/story-steps.ts";
import { tracesOf } from "../fixture/traces.ts";

const HOUR_MS = 3_600_000;
const NAME = { u_givenName: "Quillaia", u_familyName: "Brandywine" };

const fixture = await storyParties();
const { office, elements, billing, bureau } = fixture.road.sandboxes.parties;

test("first power-on to software that works: by itself, verified, agreed to on the screen, installed and told to billing (R1-5, 9, 15, 17, 20, 21, 63, 119)", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  const start = await phone.walk([{ await: "start" }]);
  const asked = fixture.did(phone, "request");
  assert.match(asked[0]!.path, /^\/r\/[^/]+\/d\/start$/, "nobody pressed a key for it");
  assert.equal(fixture.did(phone, "enrolled").length, 1, "it proved itself before it asked anything");
  assert.deepEqual(
    start.entries.map(({ label }) => label),
    ["Packages", "Features", "Services"],
  );
  const steps = orderSteps("Features", "Mail program", NAME);
  const form = await phone.walk([...steps.slice(0, 6), { await: "order" }]);
  assert.deepEqual(
    form.form?.fields.map(({ name }) => name),
    ["u_givenName", "u_familyName"],
    "the device's own number is nothing to be typed",
  );
  await phone.walk(steps.slice(6));

  await answerNotice(phone, "terms", "back");
  await fixture.timePasses(13 * HOUR_MS);
  await messageOn(phone, /request \w{8}: waiting for your answer/);
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant"], "nothing before the terms are agreed to");
  assert.deepEqual(billedTo(fixture), []);
  const shown = await termsOnStatus(phone);
  const { versions } = await fixture.get("/v1/terms/general-terms");
  assert.deepEqual(shown.text, [versions[0].texts.en]);
  await phone.walk([{ action: "accept" }]);

  const story = await settledAs(fixture, phone, "completed");
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant", "mail-client active"]);
  assert.equal(phone.client()?.installer.softwareOf("mail-client")?.length, 2_048);
  assert.equal(story.events[0].detail.assurance, "cert");
  assert.equal(bureau.asked().get(`+${phone.msisdn}`), 1);
  const { consents, verification } = await requestOf(fixture, story.id);
  assert.deepEqual(
    consents.map(({ termsId, version, answer, answeredBy }: Record<string, unknown>) => [
      termsId,
      version,
      answer,
      answeredBy,
    ]),
    [["general-terms", 1, "accept", "device"]],
  );
  assert.equal(verification.extent, "full");
  assert.deepEqual(billedTo(fixture), ["account add", "feature mail-client add"]);
  const holder = billing.holderOf(billing.accounts().at(-1)!);
  assert.deepEqual(
    [
      holder?.msisdn,
      holder?.imsi,
      holder?.imei,
      holder?.givenName,
      holder?.familyName,
      holder?.productOffering,
    ],
    [
      phone.msisdn,
      phone.imsi,
      phone.imei,
      NAME.u_givenName,
      NAME.u_familyName,
      [{ id: "mail-client", bundle: null }],
    ],
    "who it is that pays, for which number, SIM and device, and what he has",
  );
  const kinds = kindsOf(story);
  assert.ok(
    kinds.indexOf("works") < kinds.indexOf("billing_notice_queued"),
    "billing hears of it after the device's word",
  );
  await phone.until(() => phone.screen()?.id === "done", "the last screen");
  assert.ok(phone.screen()!.text.includes("You have now: Mail program"), phone.screen()!.text.join("|"));
  assert.deepEqual(noticesTo(fixture, phone), ["terms", "status", "status", "content_ready", "done"]);
  assert.ok(messagesOn(phone).at(-1)!.endsWith("is done: Mail program."));
});

test("a service in his own name: registered at its server, access data to the device alone, elements and billing told (R11, R43, R46, R48, R59, R60, R63, R64)", async () => {
  const phone = await fixture.phone();
  const before = billedTo(fixture).length;
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Mail program", NAME));
  await answerNotice(phone, "terms", "accept");
  await settledAs(fixture, phone, "completed");
  await orderAgain(phone, "Services", "Mail", { f_mail__mailbox: "brandywine" });
  const code = await codeIn(phone, /asked for Mail \(/);
  await phone.sms(`yes ${code}`, centreOf(fixture));
  const story = await settledAs(fixture, phone, "completed");

  const kernel = office.kernelAt("/scim/v2");
  const [registration, ...more] = kernel.ofClient("turnup");
  assert.ok(registration && more.length === 0, "registered once");
  assert.deepEqual(
    [registration.state, registration.msisdn, registration.fields],
    ["registered", phone.msisdn, { mailbox: "brandywine" }],
  );
  const { reference } = await requestOf(fixture, story.id);
  const [{ id: itemId }] = story.items;
  const access = phone.client()!.installer.securityOf(reference, itemId);
  assert.ok(kernel.opens(registration.id, access.password!), "the password on the device opens the mail box");
  const alert = await phone.walk([{ await: "notice-access_data" }]);
  assert.equal(alert.text.join(" ").split(access.password!).length, 2, "and its user reads it once");
  await phone.walk([{ action: "back" }]);
  assert.equal(elements.held("e-mail").get(phone.msisdn)?.imsi, phone.imsi);
  assert.equal(stateOf(story, "mail"), "access_data_sent");
  const [order] = story.events.filter(({ kind }: { kind: string }) => kind === "notice_queued").slice(-2);
  assert.deepEqual([order.detail.notice, order.detail.channel], ["access_data", "narrowband"]);

  const booked = billing.ledger().slice(before);
  assert.deepEqual(
    booked.map(({ kind, catalogId, monthlyMinor }) => [kind, catalogId, monthlyMinor]),
    [
      ["account", null, 0],
      ["feature", "mail-client", 0],
      ["prepare", "mail", 299],
    ],
    "the account once, the feature after it works, the service with its registration",
  );
  assert.equal(new Set(booked.map(({ accountId }) => accountId)).size, 1);
  assert.deepEqual(billing.reserved(), []);
  assert.deepEqual(
    await tracesOf(fixture, [phone], [access.password!, "Quillaia", "Brandywine", "brandywine"]),
    [],
    "what is his own stands nowhere in clear",
  );
  const places = await tracesOf(fixture, [phone], ["mail-terms"]);
  assert.ok(places.includes("mail-terms in table public.consent"), `what is there is found: ${places}`);
});

test("software that sleeps on the device is woken by a word, and none is fetched (R18)", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  const story = await settledAs(fixture, phone, "completed");
  assert.deepEqual(modulesOf(phone), ["java-runtime active"]);
  const [record] = phone.client()!.installer.records();
  assert.deepEqual([record?.modules, record?.activations], [[], ["java-runtime"]]);
  const fetched = story.events.find(({ kind }: { kind: string }) => kind === "content_fetched");
  assert.ok(fetched.detail.octets < 400, `${fetched.detail.octets} octets hold no software`);
});

test("a feature of the network alone is told to its elements, and each says so (R48)", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Ring-back tone"));
  await answerNotice(phone, "terms", "accept");
  const story = await settledAs(fixture, phone, "completed");
  assert.deepEqual(statesOf(story), { "ring-back": "delivered" });
  assert.deepEqual(story.items[0].subject.elements, { "hlr-profile": "done", "billing-plan": "done" });
  for (const element of ["hlr-profile", "billing-plan"]) {
    assert.equal(elements.held(element).get(phone.msisdn)?.imei, phone.imei);
  }
});

test("an element that fails takes its feature with it: what the other did is taken back, and nothing is billed (R48)", async () => {
  const phone = await fixture.phone();
  const before = billedTo(fixture).length;
  elements.behave("hlr-profile", { kind: "refuses" });
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Ring-back tone"));
  await answerNotice(phone, "terms", "accept");
  await endedAs(fixture, phone, "failed");
  await fixture.storyUntil(
    phone,
    ({ items }) => items[0].subject.elements["billing-plan"] === "undone",
    "the billing plan is taken back",
  );
  elements.behave("hlr-profile", { kind: "prompt" });
  const story = await settledAs(fixture, phone, "failed");
  assert.equal(elements.held("billing-plan").get(phone.msisdn), undefined);
  assert.deepEqual(billedTo(fixture).slice(before), []);
  assert.ok(story.events.some(({ kind }: { kind: string }) => kind === "element_failed"));
  await messageOn(phone, /failed/);
});

test("a partner's server gives user data and choice: the device gets what its user's own request gives it (R68)", async () => {
  const [own, partners] = [await fixture.phone(), await fixture.phone()];
  for (const phone of [own, partners]) {
    phone.powerOn();
    await phone.walk(orderSteps("Features", "Java runtime"));
    await settledAs(fixture, phone, "completed");
  }
  const billedFor = async (ask: () => Promise<unknown>, phone: Phone) => {
    const [{ id: before }, billed] = [await fixture.story(phone), billedTo(fixture).length];
    await ask();
    await fixture.storyUntil(phone, ({ id }) => id !== before, "the request is an order of its own");
    const story = await settledAs(fixture, phone, "completed");
    return [story, billedTo(fixture).slice(billed)] as const;
  };
  const [itself, billedItself] = await billedFor(() => orderAgain(own, "Features", "News reader"), own);
  const [entered, billedEntered] = await billedFor(async () => {
    const { status, text } = await fixture.call(
      "POST",
      "/v1/partner/requests",
      {
        subscriber: { msisdn: `+${partners.msisdn}` },
        selection: ["news-reader"],
        user: { givenName: NAME.u_givenName, familyName: NAME.u_familyName, locality: "Almond Grove" },
        assurance: "otp",
      },
      "partner",
      { "idempotency-key": "partner-1" },
    );
    assert.equal(status, 202, text);
  }, partners);
  assert.deepEqual([itself.cause, entered.cause], ["self_service", "partner"]);
  assert.deepEqual(statesOf(entered), statesOf(itself));
  assert.deepEqual(modulesOf(partners), modulesOf(own));
  assert.ok(modulesOf(partners).includes("news-reader active"));
  assert.deepEqual(billedEntered, billedItself);
  await until(
    () => billing.holderOf(billing.accounts().at(-1)!),
    (holder) => holder?.msisdn === partners.msisdn && holder.city === "Almond Grove",
    "what the partner said of him counts",
  );
  assert.ok(messagesOn(partners).some((text) => /story partner asked for a change for you/.test(text)));
  assert.ok(!messagesOn(own).some((text) => /asked for a change for you/.test(text)));
});

test("software that a service needs is sent with it, and is there when the access data is (R45)", async () => {
  const { content } = (await fixture.get("/v1/catalog/mail-client")).item;
  const { service } = (await fixture.get("/v1/catalog/directory")).item;
  assert.equal(content.kind, "module");
  await changeItem(fixture, "directory", { service: { ...service, module: content } });
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(
    orderSteps("Services", "Company directory", { ...NAME, f_directory__company: "Meridian" }),
  );
  const story = await settledAs(fixture, phone, "completed");
  assert.deepEqual(
    story.items.map(({ state }: { state: string }) => state).sort(),
    ["access_data_sent", "works"],
    "the service and its software, each with its own outcome",
  );
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant", "mail-client active"]);
  assert.equal(phone.client()?.installer.softwareOf("mail-client")?.length, 2_048, "the octets came with it");
});

test("nothing of the operator's or the provider's own is in the phone, on its screens or in its messages (R72)", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  const screens: unknown[] = [];
  const walk = async (steps: readonly Step[]) => {
    for (const step of steps) screens.push(await phone.walk([step]));
  };
  await walk(orderSteps("Features", "Mail program", NAME));
  await answerNotice(phone, "terms", "accept");
  const { id: orderId } = await settledAs(fixture, phone, "completed");
  const { reference } = await requestOf(fixture, orderId);
  await walk([{ await: "done" }, { action: "help" }, { await: "help" }]);
  await toMenu(phone);
  const mailbox = { f_mail__mailbox: "woodruff" };
  await walk([{ choose: "Services" }, ...orderSteps("Services", "Mail", mailbox)]);
  await answerNotice(phone, "terms", "accept");
  await settledAs(fixture, phone, "completed");

  const kept = phone.storage.list().map((name) => Buffer.from(phone.storage.read(name)!).toString("latin1"));
  const texts = [...messagesOn(phone), ...fixture.textsTo(phone)];
  const seen = [...kept, ...screens.map((screen) => JSON.stringify(screen)), ...texts].join("\n");
  const registrations = office.kernelAt("/scim/v2").ofClient("turnup");
  const hidden = {
    ...Object.fromEntries(ROLES.map((role) => [`token of ${role}`, fixture.token(role)])),
    "account at the billing centre": billing.accounts().at(-1)!,
    "registration at the provider": registrations.find(({ msisdn }) => msisdn === phone.msisdn)!.id,
    "order in the operator's books": orderId,
    "provider's server": new URL(office.url).host,
    "bureau's server": new URL(bureau.url).host,
    "billing centre's server": new URL(billing.url).host,
  };
  for (const [what, text] of Object.entries(hidden)) {
    assert.ok(text.length > 8, what);
    assert.ok(!seen.includes(text), `the phone was told the ${what}`);
  }
  for (const there of [reference, "Mail program", "You have now"])
    assert.ok(seen.includes(there), `what is there is found: ${there}`);
});

test("nothing broke on the way", () => {
  assert.deepEqual(fixture.faults, []);
});
