/** SIMs that move between handsets, and what is known or not of them (R73-76, 79, 80, 84). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { imeiFromNetwork } from "../../src/term/imei.ts";
import { itemOf, type StoryOperator, type StoryPhone, storyFixture, until } from "../fixture/story.ts";

const fixture = await storyFixture({ world: { smscRetryMs: 100 } });
const HOUR_MS = 3_600_000;

type Row = { readonly id: string; readonly cause: string; readonly state: string };
const ordersOf = async (operator: StoryOperator, query: string): Promise<Row[]> =>
  (await operator.get(`/v1/orders?limit=100&${query}`)).rows;
const countOrders = async (operator: StoryOperator): Promise<number> => (await ordersOf(operator, "")).length;

const pairOf = ({ imei, imsi, msisdn }: StoryPhone["spec"]) => ({ imei, imsi, msisdn, plmn: "001-01" });

type Pairing = { readonly imsiMasked: string; readonly isCurrent: boolean; readonly firstSeenAt: string };
const pairingsOf = async (operator: StoryOperator, imei: string): Promise<Pairing[]> =>
  (await operator.get(`/v1/devices/${imei}`)).pairings;

test("a SIM moved to another handset opens one order there; the same pair again, by whoever saw it, opens none", async () => {
  const operator = await fixture.operator();
  const [one, other] = [fixture.phone("Xperia Z3"), fixture.phone("G2")];
  await one.attach();
  await other.attach();
  await operator.settled(one);
  await operator.settled(other);
  assert.equal(await countOrders(operator), 2);

  fixture.world.parties.fleet.swapSims(one.index, other.index);
  await until(
    () => countOrders(operator),
    (count) => count === 4,
    "each SIM opens an order in its new handset",
  );
  for (const [phone, model] of [
    [one, "Xperia Z3"],
    [other, "G2"],
  ] as const) {
    const story = await operator.settled(phone);
    assert.deepEqual([story.cause, story.model, story.charges.length], ["sim_moved", model, 1]);
    assert.equal(itemOf(story, "key").state, "works", "the SIM in it is another; so is the key");
  }

  const again = pairOf(one.status().spec);
  for (const report of [
    again,
    { ...again, imei: again.imei.slice(0, 14) }, // as the network sends it
    { ...again, imei: undefined, imeisv: `${again.imei.slice(0, 14)}07`, source: "applet" },
    { ...again, source: "s13" },
  ]) {
    const { outcome } = await operator.sight(report);
    assert.equal(outcome, "unchanged", JSON.stringify(Object.keys(report)));
  }
  assert.equal(await countOrders(operator), 4);

  // Many to many, with history: each handset has had both SIMs, each has one now.
  for (const { spec } of [one, other]) {
    const pairings = await pairingsOf(operator, spec.imei);
    assert.deepEqual(pairings.map(({ isCurrent }) => isCurrent).sort(), [false, true]);
    assert.equal(new Set(pairings.map(({ firstSeenAt }) => firstSeenAt)).size, 2);
  }
});

test("a sighting that comes late tells where the SIM once was, and opens nothing", async () => {
  const operator = await fixture.operator();
  const [now, before] = [fixture.phone("Galaxy S25"), fixture.phone("Galaxy S25")];
  await now.attach();
  await operator.settled(now);
  const { imsi, msisdn } = now.spec;
  const late = {
    imei: before.spec.imei,
    imsi,
    msisdn,
    plmn: "001-01",
    seenAt: new Date(Date.now() - HOUR_MS).toISOString(),
  };
  assert.equal((await operator.sight(late)).outcome, "late");
  assert.equal((await operator.sight(pairOf(now.spec))).outcome, "unchanged", "it is still where it is");
  assert.equal(await countOrders(operator), 1);
  assert.deepEqual(
    (await pairingsOf(operator, before.spec.imei)).map(({ isCurrent }) => isCurrent),
    [false],
  );
});

test("a SIM that moves on while its order is under way is followed: the younger order does the work", async () => {
  // A centre that tries again at once would bring the first handset's key to the second before the move is known.
  const patient = await storyFixture({ world: { smscRetryMs: HOUR_MS } });
  const operator = await patient.operator();
  const [first, second] = [patient.phone("Xperia Z3"), patient.phone("Xperia Z3")];
  const { imsi, msisdn } = second.spec;
  // The first handset is off: what is sent there stays at the message centre.
  await operator.sight({ ...pairOf(first.spec), imsi, msisdn });
  await until(
    async () => {
      const [row] = await ordersOf(operator, `imsi=${imsi}`);
      return row
        ? ((await operator.get(`/v1/orders/${row.id}`)).messages as { kind: string; state: string }[])
        : [];
    },
    // Before that they would go straight into the other handset, which refuses the first one's key.
    (messages) =>
      messages.some(({ kind }) => kind === "key") && messages.every(({ state }) => state === "submitted"),
    "what the first order sends is at the message centre",
  );
  await second.attach();
  const story = await operator.settled(second);
  assert.deepEqual([story.cause, story.state], ["sim_moved", "completed"]);
  const rows = await until(
    () => ordersOf(operator, `imsi=${imsi}`),
    (all) => all.every(({ state }) => state === "completed" || state === "cancelled"),
    "the older order stands aside",
  );
  assert.deepEqual(
    rows.map(({ state }) => state),
    ["completed", "cancelled"],
  );
  assert.equal(second.did("applied").length, 2, "one key, one set of settings");
});

test("a SIM that moves into a handset for which a key is still on its way gets a key of its own", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  const former = fixture.phone("Xperia Z3");
  // Another SIM was in it; its key was issued and waits at the message centre for a handset that is off.
  const { imsi, msisdn } = former.spec;
  await operator.sight({ ...pairOf(phone.spec), imsi, msisdn });
  await until(
    async () => (await ordersOf(operator, `imsi=${imsi}`))[0],
    (row) => row?.state === "provisioning",
    "the key of the former SIM is on its way",
  );
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual([itemOf(story, "key").state, phone.status().now], ["works", "alive"]);
});

test("an order that was cancelled before its key arrived is asked for anew, and gets another key", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  const { imei, imsi, msisdn } = phone.spec;
  const { orderId } = await operator.sight(pairOf(phone.spec));
  const first = await operator.storyUntil(
    phone,
    (story) => itemOf(story, "key")?.state === "sending",
    "a key is sent",
  );
  const once = (key: string) => ({ "idempotency-key": key });
  const cancelled = await operator.call("POST", `/v1/orders/${orderId}/cancel`, {}, "admin", once("cancel"));
  assert.equal(cancelled.status, 202, cancelled.text);
  const opened = await operator.call("POST", "/v1/orders", { imei, imsi, msisdn }, "care", once("again"));
  assert.equal(opened.status, 202, opened.text);
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual([story.id, story.cause], [opened.body.orderId, "requested"]);
  assert.notEqual(itemOf(story, "key").keyId, itemOf(first, "key").keyId);
  assert.equal(phone.status().now, "alive");
});

test("without a number the order waits, says what is missing and until when, and goes on when a sighting brings it", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Galaxy S25");
  const { imei, imsi } = phone.spec;
  await operator.sight({ imei, imsi, plmn: "001-01" });
  const waiting = await operator.storyUntil(phone, ({ state }) => state === "waiting", "it waits");
  assert.equal(waiting.reason, "no phone number is known for this SIM");
  assert.equal(waiting.nextAction, "send a sighting with its MSISDN");
  assert.ok(
    Date.parse(waiting.dueAt) > Date.now() && Date.parse(waiting.deadlineAt) > Date.parse(waiting.dueAt),
  );
  assert.deepEqual(waiting.messages, []);

  await phone.attach(); // its sighting has the number
  const story = await operator.settled(phone);
  assert.equal(story.id, waiting.id);
  assert.equal(story.cause, "first_registration");
});

test("an order whose number never comes fails at its deadline, with the cause, and costs nothing", async () => {
  const operator = await fixture.operator({ policy: { waitDeadlineHours: 2 } });
  const phone = fixture.phone("Galaxy S25");
  const { imei, imsi } = phone.spec;
  await operator.sight({ imei, imsi, plmn: "001-01" });
  await operator.storyUntil(phone, ({ state }) => state === "waiting", "it waits");
  await fixture.timePasses(HOUR_MS + 1);
  await operator.storyUntil(phone, ({ dueAt }) => Date.parse(dueAt) > Date.now(), "it was looked at again");
  await fixture.timePasses(HOUR_MS + 1);
  const story = await operator.ended(phone, "failed");
  assert.match(story.reason, /no phone number.*the deadline has passed/);
  assert.deepEqual([story.dueAt, story.deadlineAt, story.messages, story.charges], [null, null, [], []]);
});

/** Subscribers of a virtual operator on Telekom's network, of which no list knows the access points. */
const virtual = (serial: number) => ({
  imei: imeiFromNetwork(`35163707${serial}`),
  imsi: `26201${serial}0000`,
  msisdn: `4917${serial}00`,
  plmn: "262-01",
  spn: "Wonder Mobile",
});

test("the SIM of an unknown virtual operator never gets its host's access points: it waits, and goes on with its own", async () => {
  const operator = await fixture.operator({ homePlmns: ["262-01"], accessPoints: [] });
  const sim = virtual(100_001);
  const { orderId } = await operator.sight(sim);
  const tell = () => operator.get(`/v1/orders/${orderId}`);
  const waiting = await until(tell, ({ state }) => state === "waiting", "the order waits");
  assert.match(waiting.reason, /Wonder Mobile.*Telekom's is not given in its place/);
  assert.equal(waiting.nextAction, "add an access point of your own for these SIMs");
  assert.deepEqual([waiting.items, waiting.messages], [[], []]);

  const point = {
    name: "Wonder",
    uses: ["internet"],
    apn: "internet.wonder",
    criteria: { mcc: "262", mnc: "01", spn: "Wonder Mobile" },
  };
  const added = await operator.call("POST", "/v1/access-points", point, "engineer", {
    "idempotency-key": "wonder",
  });
  assert.equal(added.status, 201, added.text);
  const going = await until(tell, ({ state }) => state === "provisioning", "it goes on");
  assert.deepEqual(itemOf(going, "settings").apns, ["internet.wonder"]);
  assert.equal(going.events.filter(({ kind }: { kind: string }) => kind === "order_waiting").length, 1);
});

type Json = Awaited<ReturnType<StoryOperator["get"]>>;
/** SIMs of Telekom's network whose kind no sign tells: an IMSI, and nothing else. */
const unsigned = (serial: number) => {
  const { spn: _, ...sim } = virtual(serial);
  return sim;
};
const looked = (operator: StoryOperator, orderId: string): Promise<Json> =>
  until(
    () => operator.get(`/v1/orders/${orderId}`),
    ({ state }) => state !== "received",
    "it was looked at",
  );
const sentTo = (msisdn: string) => fixture.accepted.filter(({ to }) => to === msisdn);
const settingsOf = (policy: Json, sendUnconfirmed: boolean) => ({ ...policy, sendUnconfirmed });
/** Settings alone: keys have stories of their own. */
const NO_KEYS = { make: "Sony", keySource: "none" } as const;
async function putPolicy(operator: StoryOperator, sendUnconfirmed: boolean) {
  const { version, body } = await operator.get("/v1/policy");
  return operator.call("PUT", "/v1/policy", settingsOf(body, sendUnconfirmed), "engineer", {
    "if-match": `"${version}"`,
  });
}

for (const kind of ["mvno", "secondary", "tertiary"] as const) {
  test(`the shipped access points of its host are never sent for an operator of kind ${kind}: the order waits, and goes on with its own`, async () => {
    // Also where a release before wrote the switch into its policy.
    const operator = await fixture.operator({ kind, homePlmns: ["262-01"], accessPoints: [] });
    await fixture.database.run(
      `insert into operator_policy (operator_id, version, body, made_by) values ($1, 1, '{"sendUnconfirmed": true}', 'before')`,
      [operator.id],
    );
    const sim = unsigned({ mvno: 100_002, secondary: 100_012, tertiary: 100_022 }[kind]);
    const { orderId } = await operator.sight(sim);
    const story = await looked(operator, orderId);
    assert.deepEqual([story.state, story.reasonCode], ["waiting", "settings_unconfirmed"]);
    assert.match(story.reason, /^internet\.telekom of .* is not confirmed, and an operator that is no host/);
    assert.equal(story.nextAction, "add an access point of your own for these SIMs");
    assert.ok(Date.parse(story.deadlineAt) > Date.now());
    assert.deepEqual([story.items, story.messages, sentTo(sim.msisdn)], [[], [], []]);

    const point = { name: "Ours", uses: ["internet"], apn: "ours", criteria: { mcc: "262", mnc: "01" } };
    const key = { "idempotency-key": "ours" };
    assert.equal((await operator.call("POST", "/v1/access-points", point, "engineer", key)).status, 201);
    const going = await until(
      () => operator.get(`/v1/orders/${orderId}`),
      ({ state }) => state === "provisioning",
      "it goes on by itself",
    );
    assert.deepEqual(itemOf(going, "settings").apns, ["ours"]);
    const opened = going.events.find(({ kind: of }: { kind: string }) => of === "order_provisioning");
    assert.equal(opened.detail.confirmed, true);
    assert.match(opened.detail.unchecked, /^only the IMSI was given, neither SPN nor GID1 or GID2/);
    assert.match(opened.detail.withheld.mms, /is not confirmed/, "the host's is not put beside it");
  });
}

test("the policy of an operator that is no host cannot switch its host's access points on", async () => {
  const operator = await fixture.operator({ kind: "mvno", homePlmns: ["262-01"], accessPoints: [] });
  const refused = await putPolicy(operator, true);
  assert.deepEqual([refused.status, refused.body.code], [422, "unconfirmed_not_allowed"]);
  assert.match(refused.body.nextStep, /\/v1\/access-points/);
  assert.equal((await putPolicy(operator, false)).status, 200);
});

test("a host's shipped access points wait for its word: off by default, sent once its policy says so, held back when it says no again", async () => {
  const operator = await fixture.operator({
    kind: "mno",
    homePlmns: ["262-01"],
    accessPoints: [],
    relations: [NO_KEYS],
  });
  const sim = unsigned(100_003);
  const { orderId } = await operator.sight(sim);
  const waiting = await looked(operator, orderId);
  assert.deepEqual([waiting.state, waiting.reasonCode], ["waiting", "settings_unconfirmed"]);
  assert.match(waiting.nextAction, /or switch on "sendUnconfirmed" in the policy/);
  assert.deepEqual(sentTo(sim.msisdn), []);

  assert.equal((await putPolicy(operator, true)).status, 200);
  const sent = await until(
    () => operator.get(`/v1/orders/${orderId}`),
    ({ messages }) => messages.some(({ state }: Json) => state === "submitted" || state === "delivered"),
    "it is sent",
  );
  assert.ok(itemOf(sent, "settings").apns.includes("internet.telekom"));
  const opened = sent.events.find(({ kind }: { kind: string }) => kind === "order_provisioning");
  assert.equal(opened.detail.confirmed, false, "the order says that nobody has confirmed them");
  assert.match(opened.detail.unchecked, /no such sign of a virtual operator on Telekom could be checked/);

  assert.equal((await putPolicy(operator, false)).status, 200);
  const before = sentTo(sim.msisdn).length;
  const again = await operator.call("POST", `/v1/orders/${orderId}/resend`, {}, "care", {
    "idempotency-key": "again",
  });
  assert.deepEqual([again.status, again.body.code], [409, "settings_unconfirmed"]);
  assert.equal(sentTo(sim.msisdn).length, before);
});

test("settings that nobody confirmed and that wait to be sent when the switch goes off do not go out any more", async () => {
  const operator = await fixture.operator({
    kind: "mno",
    homePlmns: ["262-01"],
    accessPoints: [],
    policy: { sendUnconfirmed: true },
    relations: [NO_KEYS],
  });
  const sim = unsigned(100_005);
  const { orderId } = await operator.sight(sim);
  const tell = () => operator.get(`/v1/orders/${orderId}`);
  await until(
    tell,
    ({ messages }) => messages.length > 0 && messages.every(({ state }: Json) => state !== "queued"),
    "handed over",
  );
  const before = sentTo(sim.msisdn).length;
  assert.equal((await putPolicy(operator, false)).status, 200);
  // As if the centre had put it off: it is due again.
  await fixture.database.run("update message set state = 'queued', due_at = now() where order_id = $1", [
    orderId,
  ]);
  const held = await until(tell, ({ state }) => state === "failed", "it is given up");
  const item = itemOf(held, "settings");
  assert.deepEqual([item.state, item.cause], ["failed", "settings_unconfirmed"]);
  assert.match(held.messages[0].reason, /suggestions that nobody confirmed/);
  assert.equal(held.messages.length, 1, "it is not sent again later either");
  assert.equal(sentTo(sim.msisdn).length, before);
});

test("a page with settings that nobody confirmed closes when the switch goes off, and counts as opened by nobody", async () => {
  const operator = await fixture.operator({
    kind: "mno",
    homePlmns: ["262-01"],
    accessPoints: [],
    policy: { sendUnconfirmed: true },
    relations: [NO_KEYS],
  });
  // A model that takes no settings over the air.
  const { imei } = fixture.phone("iPhone 13").spec;
  const { orderId } = await operator.sight({ ...unsigned(100_006), imei });
  const tell = () => operator.get(`/v1/orders/${orderId}`);
  const { messages } = await until(tell, (story) => story.messages.length > 0, "the link is sent");
  const [path] = /\/s\/[A-Za-z0-9_-]+/.exec(messages[0].content.bodies[0].text) ?? [];
  const open = () =>
    fetch(fixture.server.url + path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  assert.equal((await putPolicy(operator, false)).status, 200);
  const closed = await open();
  assert.equal(closed.status, 410);
  assert.doesNotMatch(await closed.text(), /internet\.telekom/);
  assert.notEqual(itemOf(await tell(), "settings").state, "opened");
  assert.equal((await putPolicy(operator, true)).status, 200);
  assert.match(await (await open()).text(), /internet\.telekom/);
});

for (const returningPair of ["open", "skip"] as const) {
  test(`a SIM that returns to a handset it was in before opens ${returningPair === "open" ? "an order" : "none"} where the policy says ${returningPair}`, async () => {
    const operator = await fixture.operator({ policy: { returningPair } });
    const [home, away] = [fixture.phone("Galaxy S25"), fixture.phone("Galaxy S25")];
    const { imsi, msisdn } = home.spec;
    const inHandset = (phone: StoryPhone) => operator.sight({ ...pairOf(phone.spec), imsi, msisdn });
    const outcomes: string[] = [];
    for (const phone of [home, away, home, home]) outcomes.push((await inHandset(phone)).outcome);
    const returned = returningPair === "open" ? "sim_moved" : "unchanged";
    assert.deepEqual(outcomes, ["first_registration", "sim_moved", returned, "unchanged"]);
    assert.equal((await ordersOf(operator, `imsi=${imsi}`)).length, returningPair === "open" ? 3 : 2);
  });
}

test("two operators see the same SIM and handset at once: each has its own order, and neither sees the other's", async () => {
  const mine = await fixture.operator({ kind: "mno" });
  const theirs = await fixture.operator({ kind: "secondary", policy: { doneAt: "delivered" } });
  const phone = fixture.phone("Galaxy S25");
  const pair = pairOf(phone.spec);
  const [a, b] = await Promise.all([mine.sight(pair), theirs.sight(pair)]);
  assert.deepEqual([a.outcome, b.outcome], ["first_registration", "first_registration"]);
  assert.notEqual(a.orderId, b.orderId);
  for (const [operator, own, other, kind] of [
    [mine, a, b, "mno"],
    [theirs, b, a, "secondary"],
  ] as const) {
    const rows = await ordersOf(operator, `imei=${phone.spec.imei}`);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [own.orderId],
    );
    const story = await operator.get(`/v1/orders/${own.orderId}`);
    assert.deepEqual([story.networkKind, story.subscriberId], [kind, own.subscriberId]);
    for (const path of [`/v1/orders/${other.orderId}`]) {
      const { status, body } = await operator.call("GET", path);
      assert.deepEqual([status, body.code], [404, "order_not_found"]);
    }
    const cancel = await operator.call("POST", `/v1/orders/${other.orderId}/cancel`, {}, "admin", {
      "idempotency-key": "x",
    });
    assert.deepEqual([cancel.status, cancel.body.code], [404, "order_not_found"]);
  }
  assert.notEqual(a.subscriberId, b.subscriberId);
  assert.notEqual(a.deviceId, b.deviceId);
});

test("an order is marked with the market of its SIM where the operator's region rule names it", async () => {
  const operator = await fixture.operator({
    homePlmns: ["262-01"],
    accessPoints: [],
    kind: "tertiary",
    policy: { markets: ["DE"] },
  });
  const german = await operator.sight(virtual(100_004));
  const testNetwork = await operator.sight(pairOf(fixture.phone("Galaxy S25").spec));
  const told = async ({ orderId }: { orderId: string }) => {
    const { market, networkKind } = await operator.get(`/v1/orders/${orderId}`);
    return { market, networkKind };
  };
  assert.deepEqual(await told(german), { market: "DE", networkKind: "tertiary" });
  assert.deepEqual(await told(testNetwork), { market: null, networkKind: "tertiary" });
});
