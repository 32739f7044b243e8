/** Each entry of one list leads to its own provisioning server (US 6,647,260 column 5, claims 11 and 12; R6). */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { type StoryParty, storyParties } from "../fixture/story-parties.ts";
import { modulesOf, SAID, toMenu } from "../fixture/story-steps.ts";

const fixture = await storyParties({ second: true });
const partner = fixture.second!;

/** The whole orders of a phone's SIM at one server. */
async function ordersAt(party: StoryParty, { imsi }: Phone) {
  const { rows } = await party.get(`/v1/orders?imsi=${imsi}`);
  return Promise.all(rows.map(({ id }: { id: string }) => party.get(`/v1/orders/${id}`)));
}
const chosenIn = (orders: Awaited<ReturnType<typeof ordersAt>>): string[] =>
  orders.flatMap(({ items }) =>
    items.map(
      ({ subject, state }: { subject: { catalogId: string }; state: string }) =>
        `${subject.catalogId} ${state}`,
    ),
  );

const hostOf = (party: StoryParty): string => new URL(party.server.road.land!.url).host;
const requestsTo = (phone: Phone, party: StoryParty): string[] =>
  fixture
    .did(phone, "request")
    .filter(
      ({ method, path }) =>
        method === "POST" && decodeURIComponent(path).includes(`/${hostOf(party)}/d/requests`),
    )
    .map(({ path }) => path);

test("R6: two entries of one list lead to two servers; each request arrives at its own and ends well there", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk([{ await: "start" }, { choose: "Features" }]);
  const list = await phone.walk([{ await: "list" }]);
  const hrefs = new Map(list.entries.map(({ label, href }) => [label, decodeURIComponent(href)]));
  assert.ok(hrefs.get("Java runtime")?.includes(hostOf(fixture)), "one entry of the list stays here");
  assert.ok(hrefs.get("Games")?.includes(hostOf(partner)), "another leads to the partner's server");

  await phone.walk([
    { choose: "Games" },
    { await: "item" },
    { choose: "Order" },
    { await: "order" },
    { fillIfAsked: SAID },
    { submit: true },
  ]);
  const games = await partner.storyUntil(
    phone,
    ({ endedAt }) => endedAt !== null,
    "the partner's order has ended",
  );
  assert.equal(games.state, "completed");
  assert.deepEqual(await ordersAt(fixture, phone), [], "the first server knows nothing of it");

  await toMenu(phone);
  await phone.walk([
    { choose: "Services" },
    { await: "start" },
    { choose: "Features" },
    { await: "list" },
    { choose: "Java runtime" },
    { await: "item" },
    { choose: "Order" },
    { await: "order" },
    { fillIfAsked: SAID },
    { submit: true },
  ]);
  const java = await fixture.storyUntil(phone, ({ endedAt }) => endedAt !== null, "the own order has ended");
  assert.equal(java.state, "completed");
  assert.deepEqual(chosenIn(await ordersAt(fixture, phone)), ["java-runtime works"]);
  assert.deepEqual(chosenIn(await ordersAt(partner, phone)), ["games delivered"]);
  assert.notEqual(java.id, games.id);
  assert.deepEqual([requestsTo(phone, fixture).length, requestsTo(phone, partner).length], [1, 1]);
  assert.deepEqual(modulesOf(phone), ["java-runtime active"]);
  assert.deepEqual(fixture.faults, []);
});

test("R6, R49: what the other server sells arrives on the device from there, signed by that server's operator", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  await phone.walk([
    { await: "start" },
    { choose: "Features" },
    { await: "list" },
    { choose: "Games" },
    { await: "item" },
    { action: "home" },
    { await: "start" },
  ]);
  const there = await phone.walk([{ choose: "Features" }, { await: "list" }]);
  assert.ok(there.entries.every(({ href }) => decodeURIComponent(href).includes(hostOf(partner))));
  await phone.walk([
    { choose: "Browser" },
    { await: "item" },
    { choose: "Order" },
    { await: "order" },
    { fillIfAsked: SAID },
    { submit: true },
  ]);
  const story = await partner.storyUntil(
    phone,
    ({ endedAt }) => endedAt !== null,
    "the partner's order has ended",
  );
  assert.equal(story.state, "completed");
  assert.deepEqual(chosenIn(await ordersAt(partner, phone)), ["wap-browser works"]);
  assert.deepEqual(await ordersAt(fixture, phone), []);
  const fetched = fixture.did(phone, "request").filter(({ path }) => path.includes("/content"));
  assert.equal(fetched.length, 1);
  assert.ok(
    decodeURIComponent(fetched[0]!.path).includes(hostOf(partner)),
    "the content too came from there",
  );
  assert.equal(
    phone.client()?.installer.parameters()["browser.homepage"],
    "https://portal.operator.example/",
  );
  assert.deepEqual(fixture.faults, []);
});

test("R6: a server that is down takes nothing from the one beside it", async () => {
  const phone = await fixture.phone();
  await partner.server.road.land!.close();
  phone.powerOn();
  await phone.walk([{ await: "start" }, { choose: "Features" }, { await: "list" }, { choose: "Games" }]);
  const { text } = await phone.walk([{ await: "problem" }]);
  assert.deepEqual(text, ["No connection. Nothing was lost."]);
  await toMenu(phone);
  await phone.walk([
    { choose: "Services" },
    { await: "start" },
    { choose: "Features" },
    { await: "list" },
    { choose: "Java runtime" },
    { await: "item" },
    { choose: "Order" },
    { await: "order" },
    { fillIfAsked: SAID },
    { submit: true },
  ]);
  const story = await fixture.storyUntil(phone, ({ endedAt }) => endedAt !== null, "the own order has ended");
  assert.equal(story.state, "completed");
  assert.deepEqual(requestsTo(phone, partner), []);
});
