/**
 * E-CARE without a person (US 6,647,260, column 5 and claim 1:112; R23, R124): where somebody stands, also before anything is
 * provisioned, and mending, sending again and giving up, each with its effect and its line in the history.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { filled, portalOver } from "../../../test/fixture/portal.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import { withoutIds } from "../../../test/fixture/without-ids.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { createTelephonePins } from "../../store/requests/telephone-pins.ts";
import type { Action, Screen } from "../../wire/screen/screen.ts";

const shop = await requestShop();
const words = ({ text }: Screen): string => text.join(" ");
const action = ({ actions }: Screen, role: Action["role"]): Action => {
  const found = actions.find((one) => one.role === role);
  assert.ok(found, `there is no ${role}`);
  return found;
};
const entry = ({ entries }: Screen, label: string): string => {
  const found = entries.find((one) => one.label === label);
  assert.ok(found, `there is no ${label} among ${entries.map((one) => one.label)}`);
  return found.href;
};

async function seen(name: string, { withNumber = true, resends = 3 } = {}) {
  const fixture = await shop.fixture(name, [{ id: "mms" }], { policy: { selfCareResendsMax: resends } });
  const { imsi, imei, msisdn, operatorId } = fixture;
  const [result] = await shop.see(operatorId, { imsi, imei, ...(withNumber && { msisdn }) });
  await shop.pass(0);
  const portal = portalOver(shop, fixture);
  const post = ({ href, hidden }: Action) => portal.screen("POST", href, hidden ?? {});
  assert.ok(result && "orderId" in result && result.orderId);
  return { ...portal, fixture, post, networkOrderId: result.orderId };
}

const messagesOf = ({ operatorId }: RequestFixture, orderId: string) =>
  shop.count("message", "operator_id = $1 and order_id = $2", [operatorId, orderId]);
const historyOf = async (fixture: RequestFixture, orderId: string) =>
  (await fixture.story(orderId)).events.map(({ kind, evidence }) => `${kind} ${evidence}`);

test("R23, R124: before anything is provisioned the help tells whoever is looked at that a person is awaited, and until when", async () => {
  const fixture = await shop.fixture("care review", [{ id: "mms" }], {
    policy: { unknownUser: DEFAULT_POLICY.request.unknownUser, reviewDeadlineHours: 24 },
  });
  const { deadlineAt } = await fixture
    .ask(["mms"], { user: {} })
    .then(({ orderId }) => fixture.status(orderId));
  const time = `${deadlineAt?.slice(11, 16)} UTC`;
  const { screen } = portalOver(shop, fixture);
  const help = words(await screen("GET", "/d/help"));
  assert.match(help, /A person of ours looks at it, until \d+ May/);
  assert.ok(help.includes(time), help);
  const list = await screen("GET", "/d/orders");
  const status = words(await screen("GET", list.entries[0]?.href ?? ""));
  assert.ok(status.includes(time) && /A person of ours/.test(status), status);
});

test("before anything is provisioned a device hears what its settings wait for, and gives them up with effect", async () => {
  const { fixture, screen, post, networkOrderId } = await seen("care waiting", { withNumber: false });
  const who = { msisdn: null };
  const help = await screen("GET", "/d/help", undefined, { who });
  assert.match(words(help), /Settings of your phone: waiting.*not told us your number/);
  const care = await screen("GET", entry(help, "Settings of your phone"), undefined, { who });
  assert.equal(
    care.actions.some(({ role }) => role === "accept"),
    false,
    "there is nothing to send again",
  );
  const sure = await screen("GET", entry(care, "Give up"), undefined, { who });
  assert.equal((await fixture.story(networkOrderId)).state, "waiting", "one press is not enough");
  const done = await post(action(sure, "accept"));
  assert.match(words(done), /It was given up\..*cancelled/);
  assert.doesNotMatch(words(done), /sent again/, "nothing is promised of what was given up");
  assert.equal((await fixture.story(networkOrderId)).state, "cancelled");
  assert.ok((await historyOf(fixture, networkOrderId)).includes("self_care_give_up device"));
  assert.match(words(await screen("GET", "/d/help")), /no request under way/);
});

test("settings on their way are sent again, as often a day as the policy allows, and are told as sent only then", async () => {
  const { fixture, screen, post, networkOrderId } = await seen("care resend", { resends: 2 });
  const help = await screen("GET", "/d/help");
  assert.match(words(help), /being set up\. It was sent to your phone/);
  const before = await messagesOf(fixture, networkOrderId);
  const path = entry(help, "Settings of your phone");
  for (const nth of [1, 2]) {
    const sent = await post(action(await screen("GET", path), "accept"));
    assert.match(words(sent), /It is being sent again/);
    assert.equal(await messagesOf(fixture, networkOrderId), before + nth, "a message is queued for each");
  }
  const refused = await post(action(await screen("GET", path), "accept"));
  assert.deepEqual([refused.status, refused.code], [429, "care_limit_reached"]);
  assert.match(words(refused), /Nothing was sent/);
  assert.doesNotMatch(words(refused), /being sent again/);
  assert.equal(await messagesOf(fixture, networkOrderId), before + 2);
  const history = await historyOf(fixture, networkOrderId);
  assert.equal(history.filter((one) => one === "self_care_resend device").length, 2);
  await shop.pass(25 * 3_600_000);
});

test("the same press twice is one: the form's repeat sends nothing more", async () => {
  const { fixture, screen, post, networkOrderId } = await seen("care twice");
  const press = action(await screen("GET", `/d/help/orders/${networkOrderId}`), "accept");
  await post(press);
  const once = await messagesOf(fixture, networkOrderId);
  await post(press);
  assert.equal(await messagesOf(fixture, networkOrderId), once);
});

test("of a request it says what is missing, leads to where that is mended, and gives it up", async () => {
  const fixture = await shop.fixture("care request", [{ id: "mail", terms: "mail-terms" }], {
    terms: ["mail-terms"],
    policy: { unknownUser: DEFAULT_POLICY.request.unknownUser, verify: "items" },
  });
  const { screen } = portalOver(shop, fixture);
  const { orderId, reference } = await fixture.ask(["mail"]);
  const help = await screen("GET", "/d/help");
  assert.match(words(help), /waiting for you to agree.*read the terms and answer/);
  const care = await screen("GET", entry(help, `Request ${reference}`));
  const mend = await screen("GET", entry(care, "See it and mend it"));
  assert.ok(mend.entries.some(({ label }) => label === "Terms"));
  assert.equal(
    care.actions.some(({ role }) => role === "accept"),
    false,
    "nothing of it was ever sent",
  );
  const sure = await screen("GET", entry(care, "Give up"));
  const { href, hidden = {} } = action(sure, "accept");
  const forced = await screen("POST", href, { ...hidden, choice: "resend" });
  assert.deepEqual([forced.status, forced.code], [409, "nothing_to_resend"]);
  assert.match(words(forced), /Nothing was sent/);
  assert.ok(
    !(await fixture.events(orderId)).includes("self_care_resend"),
    "what was not done is in no history",
  );
  const again = action(await screen("GET", `/d/help/orders/${orderId}/give-up`), "accept");
  const done = await screen("POST", again.href, again.hidden ?? {});
  assert.match(words(done), /It was given up/);
  assert.equal((await fixture.status(orderId)).state, "cancelled");
  assert.ok((await historyOf(fixture, orderId)).includes("self_care_give_up device"));
});

test("nobody helps themselves to another subscriber's order, nor without a way in", async () => {
  const one = await seen("care of one");
  const other = portalOver(shop, await shop.fixture("care of another", [{ id: "mms" }]));
  const path = `/d/help/orders/${one.networkOrderId}`;
  assert.equal((await other.screen("GET", path)).status, 404);
  const { hidden = {} } = action(await one.screen("GET", path), "accept");
  assert.ok([403, 404].includes((await other.screen("POST", path, hidden)).status));
  await assert.rejects(
    shop.conductor.selfCare.giveUp(
      { operatorId: one.fixture.operatorId, subscriberId: "01900000-0000-7000-8000-0000000000ff" },
      one.networkOrderId,
      "screen",
    ),
    { code: "order_not_found" },
  );
  assert.equal((await one.fixture.story(one.networkOrderId)).state, "provisioning");
});

const TITLE = "PIN for the telephone";
async function pinOwner(name: string) {
  const { fixture, screen, sent, faults } = await seen(name);
  const { operatorId } = fixture;
  const pins = createTelephonePins(shop.database, shop.sealer, () => new Date(shop.time.now));
  const row = await shop.database.one<{ id: string }>("select id from subscriber where operator_id = $1", [
    operatorId,
  ]);
  assert.ok(row);
  const form = () => screen("GET", "/d/pin");
  return {
    ...{ screen, sent, faults, operatorId, form },
    is: (pin: string) => pins.check(operatorId, row.id, pin),
    async put(typed: Readonly<Record<string, string>>) {
      return screen("POST", "/d/pin", filled(await form(), typed));
    },
    audit: () =>
      shop.database.rows<{ actor: string; detail: unknown }>(
        "select actor, detail from audit where operator_id = $1 and action = 'telephone_pin.put'",
        [operatorId],
      ),
  };
}
const notes = ({ form }: Screen) =>
  Object.fromEntries(form?.fields.map(({ name, note }) => [name, note]) ?? []);

test("R69: a subscriber chooses the PIN for the telephone behind the help; it is kept, booked and told by SMS, and stands on no page", async () => {
  const { screen, put, is, sent, audit } = await pinOwner("pin chosen");
  const page = await screen("GET", entry(await screen("GET", "/d/help"), TITLE));
  assert.equal(
    page.form?.fields.every(({ kind }) => kind === "secret"),
    true,
  );
  const weak = await put({ pin_new: "1234", pin_again: "1234" });
  assert.equal(weak.status, 422);
  assert.match(String(notes(weak).pin_new), /none in a row/);
  const other = await put({ pin_new: "2580", pin_again: "2581" });
  assert.deepEqual([other.status, notes(other).pin_again], [422, "is not the same as above"]);
  assert.doesNotMatch(withoutIds(JSON.stringify([weak, other])), /1234|258[01]/);
  assert.equal(await is("2580"), "locked", "there is none yet");
  const texts = sent.length;
  const form = filled(await screen("GET", "/d/pin"), { pin_new: "2580", pin_again: "2580" });
  const kept = await screen("POST", "/d/pin", form);
  assert.match(words(kept), /PIN is kept/);
  assert.match(words(await screen("POST", "/d/pin", form)), /PIN is kept/, "the same form again");
  assert.equal(await is("2580"), "right");
  assert.deepEqual(
    sent.slice(texts).map(({ text }) => text),
    ["Meridian: a new PIN for the telephone was chosen. If it was not you, call us at once."],
  );
  assert.deepEqual(await audit(), [{ actor: "device", detail: {} }]);
});

test("R69: whoever has the SIM in hand changes no PIN without the one until now, whose wrong tries are those of the telephone", async () => {
  const { put, is, audit, sent } = await pinOwner("pin guarded");
  await put({ pin_new: "2580", pin_again: "2580" });
  const texts = sent.length;
  const mine = { pin_new: "7193", pin_again: "7193" };
  for (const pin_now of ["", "2581", "7193"]) {
    const refused = await put({ ...mine, pin_now });
    assert.deepEqual([refused.status, notes(refused).pin_now], [422, "is not your PIN"], pin_now);
  }
  assert.equal(await is("7193"), "wrong");
  for (const pin_now of ["3001", "3002"]) await put({ ...mine, pin_now });
  const locked = await put({ ...mine, pin_now: "2580" });
  assert.match(String(notes(locked).pin_now), /wrong too often/);
  assert.deepEqual([(await audit()).length, sent.length], [1, texts]);
  shop.time.now += 3_600_000;
  assert.match(words(await put({ ...mine, pin_now: "2580" })), /PIN is kept/);
  assert.equal(await is("7193"), "right");
});

test("R69: nobody unknown chooses a PIN, and a form that was not drawn for whoever sends it changes none", async () => {
  const { screen, form, is } = await pinOwner("pin of nobody");
  const stranger = { who: { imei: "490154203237518", imsi: null, msisdn: null } };
  const unknown = await screen("GET", "/d/pin", undefined, stranger);
  assert.deepEqual([unknown.status, unknown.code], [404, "identity_unknown"]);
  const another = await pinOwner("pin of another");
  const foreign = filled(await another.form(), { pin_new: "2580", pin_again: "2580" });
  assert.equal((await screen("POST", "/d/pin", foreign)).code, "form_foreign");
  const { state: _, ...bare } = filled(await form(), { pin_new: "2580", pin_again: "2580" });
  assert.equal((await screen("POST", "/d/pin", bare)).code, "form_foreign");
  assert.equal(await is("2580"), "locked");
});
