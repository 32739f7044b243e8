/**
 * E-CARE without a person (US 6,647,260, column 5 and claim 1:112; R23, R124): where somebody stands, also before anything is
 * provisioned, and mending, sending again and giving up, each with its effect and its line in the history.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { portalOver } from "../../../test/fixture/portal.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
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
