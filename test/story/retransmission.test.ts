/**
 * Installations that fail, and what the user chooses then; power that goes, radio that loses and doubles, SMS as the only road
 * (US 6,647,260, 7B:738-750, claims 18 and 19).
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { createPhoneStorage } from "../../src/sim/phone/storage.ts";
import { until } from "../fixture/story.ts";
import { type StoryParties, storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  askedByStaff,
  billedTo,
  centreOf,
  codeIn,
  endedAs,
  kindsOf,
  messageOn,
  modulesOf,
  noticesTo,
  orderSteps,
  settledAs,
  stateOf,
  statesOf,
} from "../fixture/story-steps.ts";

const SEED = 20_260;
const fixture = await storyParties({ seed: SEED, policy: { retransmissionLimit: 2 } });
/** Steps of the memory at which the power goes, spread over one installation; so many phones at once. */
const SAMPLES = 12;
const AT_ONCE = 4;
const JAVA = ["java-runtime active"];
const BOTH = ["java-runtime active", "news-reader active"];

/** Has the Java runtime, and is off. */
async function readyPhone(at: StoryParties, more: Parameters<StoryParties["phone"]>[0] = {}): Promise<Phone> {
  const phone = await at.phone(more);
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  await settledAs(at, phone, "completed");
  assert.deepEqual(modulesOf(phone), JAVA);
  return phone;
}

/** A phone that trusts another vendor at first: what comes for it bears a signature that it does not know. */
async function distrustfulPhone(): Promise<{ phone: Phone; trust(): void }> {
  const { vendor } = fixture.road;
  const stranger = generateKeyPairSync("ed25519").publicKey;
  let key = stranger;
  const phone = await readyPhone(fixture, { vendorKeyOf: () => key });
  return {
    phone,
    trust: () => {
      key = vendor.publicKey;
    },
  };
}

/** The account is registered already: the change is prepared first, and stands in the ledger once it is committed. */
const timesBilled = (): number =>
  billedTo(fixture).filter((line) => line === "prepare news-reader add").length;

test("a signature that is none: the device says so, the user has it sent again on the display, and its word ends the job (R55-57)", async () => {
  const { phone, trust } = await distrustfulPhone();
  const before = timesBilled();
  await askedByStaff(fixture, phone, ["news-reader"]);
  const waiting = await fixture.storyUntil(
    phone,
    (story) => stateOf(story, "news-reader") === "awaiting_choice",
    "it failed",
  );
  assert.equal(waiting.endedAt, null, "not done, and not failed either");
  assert.equal(waiting.items[0].cause, "device_bad_module_signature");
  assert.deepEqual(modulesOf(phone), JAVA);
  assert.equal(timesBilled(), before);
  trust();
  await answerNotice(phone, "choice", "accept");
  const story = await settledAs(fixture, phone, "completed");
  const kinds = kindsOf(story);
  assert.equal(kinds.filter((kind) => kind === "content_offered").length, 2);
  assert.equal(kinds.filter((kind) => kind === "retransmission_requested").length, 1);
  assert.ok(kinds.indexOf("works") < kinds.indexOf("order_completed"), "done with its word and not before");
  assert.deepEqual(modulesOf(phone), BOTH);
  assert.equal(timesBilled(), before + 1);
  assert.deepEqual(
    fixture.did(phone, "installation").map(({ outcome }) => outcome.kind),
    ["installed", "failed", "installed"],
  );
});

test("asked for again by a text with the number of the question (R56)", async () => {
  const { phone, trust } = await distrustfulPhone();
  await askedByStaff(fixture, phone, ["news-reader"]);
  const code = await codeIn(phone, /News reader could not be installed/);
  trust();
  await phone.sms(`YES ${code}`, centreOf(fixture));
  const story = await settledAs(fixture, phone, "completed");
  const chosen = story.events.find(({ kind }: { kind: string }) => kind === "retransmission_requested");
  assert.equal(chosen.evidence, "sms");
  assert.deepEqual(modulesOf(phone), BOTH);
});

for (const [way, refuse] of [
  ["on the display", (phone: Phone) => answerNotice(phone, "choice", "decline")],
  [
    "by a text",
    async (phone: Phone) =>
      phone.sms(`NO ${await codeIn(phone, /News reader could not/)}`, centreOf(fixture)),
  ],
] as const) {
  test(`refused ${way}: the job is closed as failed, and nothing is billed (R56)`, async () => {
    const { phone } = await distrustfulPhone();
    const before = timesBilled();
    await askedByStaff(fixture, phone, ["news-reader"]);
    await messageOn(phone, /could not be installed/);
    await refuse(phone);
    const story = await settledAs(fixture, phone, "failed");
    assert.deepEqual(statesOf(story), { "news-reader": "failed" });
    assert.match(story.items[0].reason, /the subscriber gave it up/);
    assert.deepEqual(modulesOf(phone), JAVA);
    assert.equal(timesBilled(), before);
  });
}

test("nobody chooses: after the deadline it has failed (R56)", async () => {
  const { phone } = await distrustfulPhone();
  await askedByStaff(fixture, phone, ["news-reader"]);
  await messageOn(phone, /could not be installed/);
  await fixture.timePasses(49 * 3_600_000);
  const story = await endedAs(fixture, phone, "failed");
  assert.deepEqual(statesOf(story), { "news-reader": "failed" });
  assert.deepEqual(modulesOf(phone), JAVA);
});

test("a memory that is full stays as it was; after as many tries as the policy grants it has failed (R50, R56)", async () => {
  const storage = createPhoneStorage({ roomOctets: 7_000 });
  const phone = await readyPhone(fixture, { storage });
  const before = timesBilled();
  await askedByStaff(fixture, phone, ["news-reader"]);
  for (let time = 0; time < 2; time++) await answerNotice(phone, "choice", "accept");
  const story = await settledAs(fixture, phone, "failed");
  assert.equal(story.items[0].cause, "device_memory_full");
  assert.match(story.items[0].reason, /it was sent 3 times/);
  assert.deepEqual(modulesOf(phone), JAVA);
  assert.equal(timesBilled(), before);
});

test("power that goes at any step of an installation leaves the old state or the new one, and the job is done once (R16, R50, R57)", async () => {
  const whole = await readyPhone(fixture);
  const from = whole.storage.steps;
  await askedByStaff(fixture, whole, ["news-reader"]);
  await settledAs(fixture, whole, "completed");
  const steps = whole.storage.steps - from;
  const before = timesBilled();
  const sampled = Array.from({ length: SAMPLES }, (_, at) => 1 + Math.floor((at * steps) / SAMPLES));
  let cuts = 0;
  async function cutAt(atStep: number): Promise<void> {
    const phone = await readyPhone(fixture);
    phone.powerOff();
    await askedByStaff(fixture, phone, ["news-reader"]);
    phone.powerOn();
    phone.cutPower({ atStep, part: 0.5, losesUnsynced: atStep % 2 === 0 });
    await until(
      () => !phone.isOn() || modulesOf(phone).length === 2,
      (holds) => holds,
      "the power goes, or it is there",
    );
    if (!phone.isOn()) cuts++;
    phone.powerOn();
    const now = modulesOf(phone);
    assert.ok(
      [JAVA, BOTH].some((state) => state.join() === now.join()),
      `half a state at step ${atStep}: ${now}`,
    );
    await endedAs(fixture, phone, "completed");
    if (!phone.isOn()) cuts++; // after its report went out
    phone.powerOff();
    phone.powerOn();
    await settledAs(fixture, phone, "completed");
    assert.deepEqual(modulesOf(phone), BOTH, `step ${atStep}`);
    assert.equal(phone.client()?.installer.softwareOf("news-reader")?.length, 2_048);
    assert.equal(phone.client()?.installer.records().length, 2);
  }
  for (let at = 0; at < sampled.length; at += AT_ONCE)
    await Promise.all(sampled.slice(at, at + AT_ONCE).map(cutAt));
  assert.ok(cuts >= 6, `power went ${cuts} times of ${sampled.length}`);
  assert.equal(timesBilled() - before, sampled.length, "each once");
});

test("a radio that doubles every message has nothing done twice (R16)", async () => {
  const radio = { duplicates: 1, smsDuplicates: 1 };
  const phone = await fixture.phone({ radio });
  const before = billedTo(fixture).length;
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  await settledAs(fixture, phone, "completed");
  const { rows } = await fixture.get(`/v1/orders?imsi=${phone.imsi}`);
  assert.equal(rows.length, 1);
  assert.deepEqual(modulesOf(phone), JAVA);
  assert.equal(
    fixture
      .did(phone, "installation")
      .filter(({ outcome }) => outcome.kind === "installed" && !outcome.repeated).length,
    1,
  );
  assert.deepEqual(billedTo(fixture).slice(before), ["account add", "feature java-runtime add"]);
  assert.deepEqual(noticesTo(fixture, phone), ["content_ready", "done"], "each is seen once");
});

test("a radio that loses messages: sent once more, by the other channel, or asked for again, and done once (R16, R54)", async () => {
  const radio = { loss: 0, answerLoss: 0, smsLoss: 0 };
  const phone = await readyPhone(fixture, { radio });
  const before = timesBilled();
  Object.assign(radio, { loss: 0.3, answerLoss: 0.1, smsLoss: 0.2 });
  await askedByStaff(fixture, phone, ["news-reader"]);
  const choosing = until(
    async () => {
      if (phone.screen()?.id === "notice-choice")
        await answerNotice(phone, "choice", "accept").catch(() => undefined);
      return modulesOf(phone).length;
    },
    (count) => count === 2,
    "it is there in the end",
  );
  await choosing;
  Object.assign(radio, { loss: 0, answerLoss: 0, smsLoss: 0 });
  const story = await settledAs(fixture, phone, "completed");
  assert.deepEqual(statesOf(story), { "news-reader": "works" });
  assert.equal(timesBilled(), before + 1);
  assert.equal(phone.client()?.installer.records().length, 2);
});

test("content that is small enough comes by SMS alone and is answered by SMS alone (R22, R54)", async () => {
  const narrow = await storyParties({ seed: SEED, policy: { narrowbandContentOctets: 1_000 } });
  const phone = await narrow.phone();
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Java runtime"));
  const story = await settledAs(narrow, phone, "completed");
  assert.deepEqual(modulesOf(phone), JAVA);
  const offered = story.events.find(({ kind }: { kind: string }) => kind === "content_offered");
  assert.deepEqual(
    [offered.detail.channel, offered.detail.rule],
    ["narrowband", "content that is small enough"],
  );
  assert.deepEqual(
    narrow.did(phone, "request").filter(({ path }) => /content|report/.test(path)),
    [],
  );
  assert.ok(noticesTo(narrow, phone).includes("content"));
  assert.equal(
    story.events.find(({ kind }: { kind: string }) => kind === "works").evidence,
    "device:client_sms",
  );
  assert.deepEqual(narrow.faults, []);
});

test("nothing broke on the way", () => {
  assert.deepEqual(fixture.faults, []);
});
