/**
 * The applications of an old phone before and after it was provided (US 11,109,201, figure 3:350): multimedia messages that are really
 * sent, told by a WAP push, fetched over each phone's own access point and acknowledged, and what the order's record says of it.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import { CONTACT_NUMBERS } from "../../src/app/demo/world-messaging.ts";
import { type StoryOperator, type StoryPhone, storyFixture, until } from "../fixture/story.ts";

const fixture = await storyFixture();
const { fleet, contacts } = fixture.world.parties;

type Side = {
  readonly outcome: string;
  readonly server: string | null;
  readonly apn: string | null;
  readonly cause: string | null;
};
type View = { readonly application: string; readonly before: Side; readonly after: Side };
const sideOf = ({ outcome, server, apn, cause }: Side): unknown[] => [outcome, server, apn, cause];

/** A group message is sent by whichever centre comes first; the others' own servers are the maker's. */
const ANY_SERVER = ["group_message"];
/** How it was before, by what the gateway saw fail, whenever its word comes. */
function assertFailedBefore(view: View | undefined, ...failed: readonly (string | null)[]): void {
  assert.ok(view);
  assert.deepEqual(sideOf(view.before), ["failed", ...failed]);
}

/** Waits until the order's record says that each works, with the server that it could not reach before. */
async function mended(operator: StoryOperator, phone: StoryPhone, names: readonly string[]) {
  const isMended = (views: readonly View[], name: string): boolean =>
    views.some(
      ({ application, before, after }) =>
        application === name &&
        after.outcome === "works" &&
        before.outcome === "failed" &&
        (after.server === before.server || ANY_SERVER.includes(name)),
    );
  const story = await operator.storyUntil(
    phone,
    ({ applications }) => names.every((name) => isMended(applications, name)),
    `${names.join(", ")} work with the server that they could not reach`,
  );
  return new Map<string, View>(story.applications.map((view: View) => [view.application, view]));
}

test("messages and video calls that failed before work over the key's access point, and the record says both (R106)", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  await phone.attach();
  assert.equal(phone.status().applications.mms?.before, "fails");
  const views = await mended(operator, phone, ["mms", "group_message", "video_call"]);
  for (const name of ["mms", "group_message", "video_call"])
    assertFailedBefore(views.get(name), WORLD.makerHost, WORLD.factoryApn, "no_route");
  for (const view of [views.get("mms"), views.get("video_call")])
    assert.deepEqual(view && sideOf(view.after), ["works", WORLD.makerHost, WORLD.makerApn, null]);
  assert.equal(phone.status().applications.mms?.now, "works");
  for (const event of phone.did("message_fetched"))
    assert.deepEqual(event.kind === "message_fetched" && [event.from, event.text], [
      `+${phone.spec.msisdn}/TYPE=PLMN`,
      "hello from Xperia Z3",
    ]);
});

test("one message to several is told to each, fetched by each over its own access point, and reported to its sender", async () => {
  const operator = await fixture.operator();
  const [one, other] = [fixture.phone("Xperia Z3"), fixture.phone("G2")];
  for (const phone of [one, other]) {
    await phone.attach();
    await mended(operator, phone, ["mms"]);
  }
  const to = [...CONTACT_NUMBERS, other.spec.msisdn];
  const sent = await fleet.sendMessage(one.index, { to, text: "tonight at eight", wantsReport: true });
  assert.equal(sent.kind === "sent" && sent.apn, WORLD.makerApn);
  const reported = () =>
    one.did("message_delivered").map((event) => event.kind === "message_delivered" && event.to);
  await until(reported, (numbers) => numbers.length === to.length, "each recipient's delivery is reported");
  assert.deepEqual(reported().sort(), to.map((number) => `+${number}/TYPE=PLMN`).sort());
  const fetched = () =>
    other
      .did("message_fetched")
      .map((event) => event.kind === "message_fetched" && `${event.from}: ${event.text}`);
  const wanted = `+${one.spec.msisdn}/TYPE=PLMN: tonight at eight`;
  await until(fetched, (texts) => texts.includes(wanted), "the other old phone has it");
  assert.equal(contacts.phones().length, CONTACT_NUMBERS.length);
});

test("an application that fails again after it worked stands in the record as failing, until it is seen to work again", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  await phone.attach();
  await mended(operator, phone, ["mms"]);
  const tell = async (path: string, body: object): Promise<unknown> =>
    (await operator.call("POST", path, body, "probe")).body.results[0].outcome;
  const { imei, imsi } = phone.spec;
  const at = { server: WORLD.makerHost, apn: WORLD.makerApn, application: "mms", source: "gateway" };
  const works = { confirmations: [{ ...at, imsi }] };
  const after = async (): Promise<string> => {
    const { applications } = await operator.story(phone);
    return applications.find(({ application }: View) => application === "mms").after.outcome;
  };
  // Its messages may have been seen to work at the operator's centre alone so far.
  if ((await tell("/v1/confirmations", works)) !== "repeated")
    assert.equal(await tell("/v1/confirmations", works), "repeated");
  assert.equal(await tell("/v1/symptoms", { symptoms: [{ ...at, imei, cause: "host_silent" }] }), "noted");
  assert.equal(await after(), "failed");
  assert.equal(await tell("/v1/confirmations", works), "booked");
  assert.equal(await after(), "works");
});

test("a phone that takes no key has its messages by the settings that its user typed in, and the record says by whose server", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("KE970 Shine");
  await phone.attach();
  const story = await operator.storyUntil(
    phone,
    ({ applications }) =>
      applications.some(({ application, after }: View) => application === "mms" && after.outcome === "works"),
    "its messages work",
  );
  const mms = story.applications.find(({ application }: View) => application === "mms");
  assertFailedBefore(mms, WORLD.ownHost, WORLD.factoryApn, "no_route");
  assert.deepEqual(sideOf(mms.after), ["works", WORLD.mmscHost, WORLD.operatorApns.mms, null]);
});
