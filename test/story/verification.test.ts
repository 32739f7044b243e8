/** Who asks is verified before anything is done, and what they are known by stands nowhere in clear (US 6,647,260, 7A:708-712; columns 1, 3, 7). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import { DEFAULT_FRAUD_LIMITS } from "../../src/kernel/registration/registration-policy.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  billedTo,
  endedAs,
  kindsOf,
  messageOn,
  modulesOf,
  orderAgain,
  orderSteps,
  requestOf,
  settledAs,
  statesOf,
} from "../fixture/story-steps.ts";
import { tracesOf } from "../fixture/traces.ts";

const HOUR_MS = 3_600_000;
const NAME = { u_givenName: "Quillaia", u_familyName: "Brandywine" };
const EXPIRY = { c_expiry: "1230", c_code: "739" };
/** What each of the payment provider's test cards does. */
const CARD = {
  good: "4111111111111111",
  declined: "4000000000000002",
  refusedAtOnce: "4000000000000127",
  silent: "4000000000000119",
};

const fixture = await storyParties({ policy: { fraud: { ...DEFAULT_FRAUD_LIMITS, cardAccountsMax: 1 } } });
const { bureau, provider: payment, elements } = fixture.road.sandboxes.parties;

async function asks(label: string, fill: Readonly<Record<string, string>>): Promise<Phone> {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", label, fill));
  return phone;
}

/** Nothing was done, and nobody was told but the subscriber. */
async function stopped(phone: Phone, code: string, told: RegExp): Promise<void> {
  const before = billedTo(fixture).length;
  const story = await settledAs(fixture, phone, "rejected");
  const { verification, consents } = await requestOf(fixture, story.id);
  assert.ok(verification.reasons.includes(code), `${code} is not in ${verification.reasons}`);
  assert.deepEqual(
    consents.map(({ answer }: { answer: string | null }) => answer),
    consents.map(() => null),
    "no terms were even asked",
  );
  assert.ok(Object.values(statesOf(story)).every((state) => state === "cancelled"));
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant"]);
  assert.equal(billedTo(fixture).length, before);
  assert.equal(elements.held("billing-plan").get(phone.msisdn), undefined);
  const { services, account } = await fixture.get(`/v1/care/subscribers/${phone.imsi}`);
  assert.deepEqual([services, account], [[], null]);
  await messageOn(phone, told);
}

test("a user whom the bureau does not match is not let in (R36, R38)", async () => {
  const phone = await asks("Mail program", { ...NAME, u_familyName: "Mismatch" });
  await stopped(phone, "identity_mismatch", /was not accepted: identity mismatch/);
});

test("a bureau that is silent is a no when its time is over (R38)", async () => {
  const phone = await asks("Mail program", { ...NAME, u_familyName: "Timeout" });
  await fixture.storyUntil(
    phone,
    (story) => kindsOf(story).includes("identity_check_delayed"),
    "it was asked",
  );
  assert.equal((await fixture.story(phone)).state, "verifying");
  await fixture.timePasses(2 * HOUR_MS);
  await stopped(phone, "identity_unverified", /was not accepted: identity unverified/);
});

for (const [what, number, code, told] of [
  ["declined", CARD.declined, "card_refused", /not accepted: card refused/],
  ["not answered for in time", CARD.silent, "card_unverified", /not accepted: card unverified/],
] as const) {
  test(`a card that is ${what} stops the request (R8, R36, R38)`, async () => {
    const phone = await asks("Data plan S", { ...NAME, ...EXPIRY, c_number: number });
    if (number === CARD.silent) {
      await fixture.storyUntil(
        phone,
        (story) => kindsOf(story).includes("card_check_delayed"),
        "it was asked",
      );
      await fixture.timePasses(2 * HOUR_MS);
    }
    await stopped(phone, code, told);
  });
}

test("a card that the provider refuses at once is told on the form, and no request is made (R8)", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk(
    orderSteps("Features", "Data plan S", { ...NAME, ...EXPIRY, c_number: CARD.refusedAtOnce }),
  );
  await phone.until(
    () => phone.screen()?.form?.fields.some(({ note }) => note === "the card was refused") ?? false,
    "the form says so",
  );
  assert.equal(await fixture.story(phone), undefined);
});

let known: Phone;
test("bureau and card agree: he is let in, and the same device takes the short road afterwards (R8, R36, R37, R46)", async () => {
  known = await asks("Data plan S", { ...NAME, ...EXPIRY, c_number: CARD.good });
  await answerNotice(known, "terms", "accept");
  const story = await settledAs(fixture, known, "completed");
  const { verification, card } = await requestOf(fixture, story.id);
  assert.deepEqual([verification.extent, verification.identity, verification.card], ["full", "bureau", true]);
  assert.equal(card, "411111******1111");
  assert.equal(payment.held().length, 1);
  assert.equal(bureau.asked().get(`+${known.msisdn}`), 1);

  await orderAgain(known, "Features", "Mail program");
  await answerNotice(known, "terms", "accept");
  const second = await settledAs(fixture, known, "completed");
  assert.equal((await requestOf(fixture, second.id)).verification.extent, "short");
  assert.equal(bureau.asked().get(`+${known.msisdn}`), 1, "nobody outside is asked again");
});

test("an item that needs no card is had without one, once the bureau knows who asks (R8, R38)", async () => {
  const phone = await asks("Java runtime", {});
  const story = await settledAs(fixture, phone, "completed");
  const { verification, card } = await requestOf(fixture, story.id);
  assert.deepEqual([verification.identity, verification.card, card], ["bureau", false, null]);
  assert.equal(bureau.asked().get(`+${phone.msisdn}`), 1);
});

test("a bank account is given on the phone in place of a card, goes through the proxy, and stands nowhere but at the provider (R8)", async () => {
  const iban = "NO9386011117947";
  const holder = "Quillaia Xanthorrhoea";
  const phone = await fixture.phone();
  phone.powerOn();
  const toForm = orderSteps("Features", "Data plan S").slice(0, -3);
  const account = { a_holder: holder, a_mandate: "yes" };
  await phone.walk([
    ...toForm,
    { choose: "Pay from a bank account" },
    { fill: { ...NAME, ...account, a_number: "NO9386011117948" } },
    { submit: true },
  ]);
  await phone.until(
    () =>
      phone
        .screen()
        ?.form?.fields.some(({ name, note }) => name === "a_number" && /a digit is wrong/.test(note ?? "")) ??
      false,
    "the form says which digit",
  );
  assert.equal(await fixture.story(phone), undefined);
  await phone.walk([{ fill: { ...account, a_number: iban } }, { submit: true }]);
  await answerNotice(phone, "terms", "accept");
  const story = await settledAs(fixture, phone, "completed");
  const { card } = await requestOf(fixture, story.id);
  assert.equal(card, "NO******7947");
  const { token } = payment.held().at(-1)!;
  assert.match(token, /^ba_/);
  assert.deepEqual(await tracesOf(fixture, [phone], [iban, iban.slice(4), holder]), []);
});

test("a device that was seen with another SIM in another place at the same time is a clone: stopped, and not told which pattern (R39)", async () => {
  const phone = await fixture.phone();
  const seenAt = new Date();
  const here = `${WORLD.network.mcc}-${WORLD.network.mnc}`;
  for (const [imsi, plmn, minutesAgo] of [
    ["001019777000001", "310-410", 4],
    [phone.imsi, here, 1],
  ] as const) {
    const sighting = {
      imei: phone.imei,
      imsi,
      plmn,
      seenAt: new Date(seenAt.getTime() - minutesAgo * 60_000),
    };
    const { status, text, body } = await fixture.call("POST", "/v1/sightings", sighting, "probe");
    assert.equal(status, 200, text);
    assert.notEqual(body.results[0].outcome, "refused", text);
  }
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  const own = await fixture.storyUntil(phone, ({ cause }) => cause === "self_service", "it asked");
  await endedAs(fixture, phone, "rejected");
  const { verification } = await requestOf(fixture, own.id);
  assert.ok(verification.reasons.includes("cloned_device"), String(verification.reasons));
  await messageOn(phone, /was not accepted: please contact us/);
  assert.deepEqual(modulesOf(phone), ["java-runtime dormant"]);
});

test("one card on many accounts stops the request (R39)", async () => {
  const second = await asks("Data plan S", { ...NAME, ...EXPIRY, c_number: CARD.good });
  await answerNotice(second, "terms", "accept");
  await settledAs(fixture, second, "completed");
  const third = await asks("Data plan S", { ...NAME, ...EXPIRY, c_number: CARD.good });
  await stopped(third, "card_on_many_accounts", /please contact us/);
});

test("no card number, code, name or password stands anywhere in clear (R46, R72)", async () => {
  await orderAgain(known, "Services", "Mail", { f_mail__mailbox: "brandywine" });
  await answerNotice(known, "terms", "accept");
  const story = await settledAs(fixture, known, "completed");
  const { reference } = await requestOf(fixture, story.id);
  const { password, address } = known.client()!.installer.securityOf(reference, story.items[0].id);
  const code = [`"${EXPIRY.c_code}"`, `=${EXPIRY.c_code}&`];
  const hidden = [
    ...Object.values(CARD),
    ...code,
    "Quillaia",
    "Brandywine",
    "brandywine",
    password!,
    address!,
  ];
  assert.deepEqual(await tracesOf(fixture, [...fixture.road.phones], hidden), []);
  for (const number of Object.values(CARD)) assert.ok(!payment.memory().includes(number));
  assert.deepEqual(fixture.faults, []);
});
