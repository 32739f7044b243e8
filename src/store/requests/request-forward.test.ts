/**
 * Items whose catalog entry names another provisioning server: from whatever road, they are forwarded there or refused with
 * the reason, and nothing of them is done or billed here (US 6,647,260 column 5; R6, R40 and R120).
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { requestShop, USER } from "../../../test/fixture/request-shop.ts";
import type { PeerAnswer } from "../../kernel/calls/connectors.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import type { NewRequest } from "../../kernel/order/request.ts";

const shop = await requestShop();
const THERE = "https://games.example:8445";
const NOWHERE = "https://nobody.example:8445";
shop.world.peers.set(THERE, { name: "Games fixture", portalUrl: null, takesRequests: true });
const EURO = { currency: "EUR", onceMinor: 0 } as const;
const PRICE = { price: { ...EURO, monthlyMinor: 500 } };
const module = { kind: "activation", module: "java" } as const;
const items = (server: string): (Partial<CatalogItem> & { readonly id: string })[] => [
  {
    id: "games",
    ...PRICE,
    content: module,
    terms: "t",
    elements: ["hlr-profile"],
    provisioningServer: server,
  },
  {
    id: "guide",
    kind: "service",
    provisioningServer: server,
    service: { uri: "https://g.example/", module: null, fields: [] },
  },
  { id: "radio", ...PRICE },
  { id: "fun", kind: "package", includes: ["radio", "games"] },
  { id: "theirs", kind: "package", includes: [], provisioningServer: server },
];
const setup = { terms: ["t"], policy: { minimumAssurance: "otp" } } as const;
const ROADS: readonly NewRequest["channel"][] = ["self_service", "representative", "telephone", "partner"];

type Word = Extract<PeerAnswer, { kind: "forwarded" }>;
const word = (state: Word["state"], its: Word["items"][number]["state"], ids = ["games"]): Word => ({
  kind: "forwarded",
  reference: "GAMES234",
  state,
  reason: "as it stands there",
  items: ids.map((catalogId) => ({ catalogId, package: null, state: its, reason: "its own reason" })),
});

for (const road of ROADS) {
  test(`on the road ${road} an item of a server that takes no requests is refused by name, and no order is opened`, async () => {
    const fixture = await shop.fixture(`nowhere ${road}`, items(NOWHERE), setup);
    for (const id of ["games", "guide", "theirs"]) {
      await assert.rejects(
        fixture.ask([id], { channel: road, noticeKey: null }),
        (error: Error & { code?: string; nextStep?: string }) => {
          assert.equal(error.code, "item_elsewhere");
          assert.match(error.message, new RegExp(`${id}: this is provisioned by nobody\\.example:8445`));
          assert.match(error.nextStep ?? "", new RegExp(`${NOWHERE}/d/items/${id}`));
          return true;
        },
      );
    }
    assert.equal(await shop.count("provisioning_order", "operator_id = $1", [fixture.operatorId]), 0);
    assert.deepEqual([fixture.saw.forwarded, fixture.saw.elements, fixture.saw.billing], [[], [], []]);
  });

  test(`on the road ${road} it is forwarded, done by its server's word alone, and billed and agreed to there`, async () => {
    const fixture = await shop.fixture(`forwarded ${road}`, items(THERE), setup);
    const { orderId } = await fixture.ask(["games"], { channel: road, user: USER });
    const order = () => fixture.status(orderId);
    assert.equal((await order()).state, "provisioning", "no terms of ours are to be agreed to");
    assert.equal((await order()).items[0]?.state, "pending");
    await fixture.calls();
    assert.equal((await order()).items[0]?.state, "pending", "nobody answered there");

    fixture.answers.forward = async () => word("awaiting_consent", "pending");
    await shop.pass(10_000);
    await fixture.calls();
    const waits = (await order()).items[0]!;
    assert.deepEqual([waits.state, waits.server], ["forwarded", THERE]);
    assert.match(waits.reason, /Games fixture has it, as its request GAMES234/);
    assert.equal((await order()).state, "provisioning");
    const told = (await fixture.told()).map(({ text }) => text).join("\n");
    assert.match(told, /Games fixture provides and bills games; it has your request/);

    fixture.answers.forward = async () => word("completed", "works");
    await shop.pass(3_600_000);
    await fixture.calls();
    assert.equal((await order()).state, "completed");
    assert.equal((await order()).items[0]?.state, "works");
    assert.match((await order()).items[0]!.reason, /Games fixture says that it is done/);
    assert.deepEqual([fixture.saw.elements, fixture.saw.billing, fixture.saw.registrations], [[], [], []]);
    assert.deepEqual(
      await fixture.requests.provisioned({ ...fixture.scope, subscriberId: await subscriberOf(orderId) }),
      [],
    );

    const [sent] = fixture.saw.forwarded;
    assert.deepEqual(
      [sent?.server, sent?.selection, sent?.action, sent?.subscriber.imsi, sent?.subscriber.imei],
      [THERE, ["games"], "add", fixture.imsi, fixture.imei],
    );
    assert.deepEqual(sent?.noticeKey, fixture.noticeKey);
    assert.equal(sent?.assurance, road === "representative" ? "otp" : road === "partner" ? "otp" : "network");
    assert.equal(
      new Set(fixture.saw.forwarded.map(({ id }) => id)).size,
      1,
      "one request there, however often asked",
    );
    assert.deepEqual(
      fixture.saw.forwarded.map(({ reference }) => reference),
      [null, null, "GAMES234"],
      "once it has the request it is asked by its reference: no key is known there for two weeks",
    );
  });
}

const subscriberOf = async (orderId: string): Promise<string> =>
  (await shop.database.one<{ id: string }>(
    "select subscriber_id as id from provisioning_order where id = $1",
    [orderId],
  ))!.id;

test("what its server refuses, or did not manage, has failed here with that server's reason, and is not billed", async () => {
  for (const [what, answer, reason] of [
    [
      "refused",
      { kind: "refused", cause: "assurance_too_low", reason: "no" },
      /does not take the request: assurance too low/,
    ],
    ["failed", word("failed", "failed"), /request GAMES234: its own reason/],
    ["declined", word("declined", "cancelled"), /request GAMES234: its own reason/],
    ["expired without proof", word("partly_completed", "sending"), /its own reason/],
    ["another item", word("completed", "works", ["other"]), /as it stands there/],
  ] as const) {
    const fixture = await shop.fixture(`no ${what}`, items(THERE), setup);
    fixture.answers.forward = async () => answer;
    const { orderId } = await fixture.ask(["games"]);
    await fixture.calls();
    const { state, items: its } = await fixture.status(orderId);
    assert.deepEqual([state, its[0]?.state], ["failed", "failed"], what);
    assert.match(its[0]!.reason, reason);
    assert.deepEqual(fixture.saw.billing, []);
  }
});

test("a server that never says what became of it: given up at the deadline, said so, not billed", async () => {
  const fixture = await shop.fixture("silence", items(THERE), setup);
  const { orderId } = await fixture.ask(["games"]);
  await fixture.calls();
  await shop.pass(15 * 24 * 3_600_000);
  await fixture.calls();
  await shop.pass(1_000);
  const { state, items: its } = await fixture.status(orderId);
  assert.deepEqual([state, its[0]?.state], ["failed", "failed"]);
  assert.deepEqual(fixture.saw.billing, []);
});

test("a package member of another server goes there; the rest is done, billed and agreed to here, each by its own price", async () => {
  const fixture = await shop.fixture("member", items(THERE), setup);
  fixture.answers.forward = async () => word("completed", "works");
  const { orderId } = await fixture.ask(["fun"]);
  assert.equal((await fixture.status(orderId)).terms.length, 0, "the terms of games are its server's to ask");
  await fixture.calls();
  const { state, items: its } = await fixture.status(orderId);
  assert.equal(state, "completed");
  assert.deepEqual(its.map((item) => `${item.catalogId} ${item.state}`).sort(), [
    "games works",
    "radio delivered",
  ]);
  const booked = fixture.saw.billing.filter(({ kind }) => kind === "feature");
  assert.deepEqual(
    booked.map(({ catalogId, monthlyMinor }) => [catalogId, monthlyMinor]),
    [["radio", 500]],
  );
});

test("a package member of a server that takes no requests falls with its reason and that server's address; the rest goes on", async () => {
  const fixture = await shop.fixture("member nowhere", items(NOWHERE), setup);
  const { orderId } = await fixture.ask(["fun"], { noticeKey: null });
  await fixture.calls();
  const { state, items: its } = await fixture.status(orderId);
  assert.equal(state, "partly_completed");
  assert.deepEqual(its.map((item) => `${item.catalogId} ${item.state}`).sort(), [
    "games failed",
    "radio delivered",
  ]);
  const told = (await fixture.told()).map(({ text }) => text).join("\n");
  assert.match(
    told,
    /games comes from nobody\.example:8445 alone: https:\/\/nobody\.example:8445\/d\/items\/games/,
  );
  assert.deepEqual(fixture.saw.elements, []);
});

test("a package may carry its own server: it goes there as one, and its members are that server's affair", async () => {
  const fixture = await shop.fixture("their package", items(THERE), setup);
  const ended = word("completed", "works", ["puzzle", "race"]);
  fixture.answers.forward = async () => ({
    ...ended,
    items: ended.items.map((one) => ({ ...one, package: "theirs" })),
  });
  const { orderId } = await fixture.ask(["theirs"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(
    fixture.saw.forwarded.map(({ selection }) => selection),
    [["theirs"]],
  );
});

test("an offer of it is forwarded when it is taken by a text, and none is sent that could not be", async () => {
  const fixture = await shop.fixture("offered", items(THERE), setup);
  await fixture.ask(["radio"]);
  await fixture.told();
  const offer = {
    itemId: "games",
    to: [{ msisdn: fixture.msisdn }],
    actor: "marketing",
    idempotencyKey: "k",
  };
  await fixture.requests.sendOffers(fixture.operatorId, offer);
  const [text] = await fixture.told();
  assert.match(text!.text, /games is there for you \(billed by its own provider\)/);
  const code = /YES (\d{4})/.exec(text!.text)![1]!;
  assert.equal(await fixture.requests.textCame(fixture.msisdn, `yes ${code}`), true);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.forwarded.map(({ selection }) => selection),
    [["games"]],
  );

  const other = await shop.fixture("offered nowhere", items(NOWHERE), setup);
  await other.ask(["radio"]);
  await assert.rejects(
    other.requests.sendOffers(other.operatorId, { ...offer, to: [{ msisdn: other.msisdn }] }),
    {
      code: "item_elsewhere",
    },
  );
});

test("what was provisioned here before its server was another one's is removed here, and what was not is removed there", async () => {
  const fixture = await shop.fixture("moved", [{ id: "radio", ...PRICE }], setup);
  const { orderId } = await fixture.ask(["radio"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  const { version, id: _id, ...radio } = (await shop.catalog.find(fixture.operatorId, "radio"))!.current!;
  await shop.catalog.put(
    fixture.operatorId,
    "radio",
    { ...radio, provisioningServer: THERE },
    { expected: (now) => now === version, actor: "test" },
  );
  shop.time.now += 60_000;
  const removal = await fixture.ask(["radio"], { action: "remove" });
  await fixture.calls();
  assert.deepEqual(fixture.saw.forwarded, []);
  assert.equal((await fixture.status(removal.orderId)).state, "completed");
  fixture.answers.forward = async () => word("completed", "works", ["radio"]);
  const there = await fixture.ask(["radio"], { action: "remove" });
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.forwarded.map(({ action }) => action),
    ["remove"],
  );
  assert.equal((await fixture.status(there.orderId)).state, "completed");
});

test("an order that is cancelled meanwhile asks its server no more, and says that what is there goes on", async () => {
  const fixture = await shop.fixture("cancelled", items(THERE), setup);
  fixture.answers.forward = async () => word("provisioning", "sending");
  const { orderId } = await fixture.ask(["games"]);
  await fixture.calls();
  await shop.desk.cancel(fixture.operatorId, orderId, "care");
  await shop.pass(3_600_000);
  const before = fixture.saw.forwarded.length;
  await fixture.calls();
  assert.equal(fixture.saw.forwarded.length, before);
  assert.match(
    (await fixture.status(orderId)).items[0]!.reason,
    /what its own server has of it goes on there/,
  );
});

test("what staff enter for a device that never asked here: a knock names this server, and the content waits for it", async () => {
  const java = { id: "java", content: module } as const;
  const fixture = await shop.fixture("never asked", [java], setup);
  const asked = () => fixture.ask(["java"], { channel: "representative", noticeKey: null });
  const { orderId: unfetched } = await asked();
  const [fallen] = (await fixture.status(unfetched)).items;
  assert.equal(fallen?.state, "failed", "without a door for proxies nobody could fetch it");
  shop.world.landName = "prov.example:8445";
  const { orderId } = await asked();
  shop.world.landName = null;
  const { items: its, reference } = await fixture.status(orderId);
  assert.deepEqual([its[0]?.state, its[0]?.hasContent], ["sending", true]);
  assert.ok((await fixture.events(orderId)).includes("knock_queued"));
  const [pushed] = await shop.database.rows<{ n: number }>(
    "select count(*)::int as n from payload p join message m on m.payload_id = p.id where m.order_id = $1 and p.protocol = 'notice'",
    [orderId],
  );
  assert.equal(pushed?.n, 1);
  assert.equal(reference.length, 8);
});

test("what another server has done for somebody is not offered to him again, until it is removed there", async () => {
  const fixture = await shop.fixture("offered elsewhere", items(THERE), setup);
  let campaigns = 0;
  const offered = async (itemId: string) => {
    const to = [{ msisdn: fixture.msisdn }];
    const offer = { itemId, to, actor: "staff", idempotencyKey: `elsewhere-${++campaigns}` };
    return (await fixture.requests.sendOffers(fixture.operatorId, offer))[0]!.outcome;
  };
  const forward = async (action: "add" | "remove", ids: readonly string[]) => {
    fixture.answers.forward = async () => word("completed", "works", [...ids]);
    const { orderId } = await fixture.ask(ids, { action, user: USER, noticeKey: null });
    await fixture.calls();
    assert.equal((await fixture.status(orderId)).state, "completed");
  };
  await forward("add", ["guide"]);
  assert.equal(await offered("guide"), "has_already");
  await forward("add", ["theirs"]);
  assert.equal(await offered("theirs"), "has_already");
  await forward("remove", ["guide"]);
  assert.equal(await offered("guide"), "sent");
});

test("an offer of a package says what another server bills, and calls it free no more than its page does", async () => {
  const free = { price: null };
  const own = (more: object) => [
    ...items(THERE),
    { id: "plain", ...free },
    { id: "duo", kind: "package" as const, includes: ["plain", "games"], ...more },
  ];
  const priceTold = async (name: string, more: object) => {
    const fixture = await shop.fixture(name, own(more), setup);
    await fixture.ask(["plain"], { noticeKey: null });
    await fixture.told();
    const to = [{ msisdn: fixture.msisdn }];
    const itemId = name === "offer of three" ? "fun" : "duo";
    await fixture.requests.sendOffers(fixture.operatorId, {
      itemId,
      to,
      actor: "staff",
      idempotencyKey: "p",
    });
    return /\(([^)]*)\)/.exec((await fixture.told())[0]!.text)![1];
  };
  assert.equal(await priceTold("offer of two", free), "billed by its own provider");
  assert.equal(await priceTold("offer of three", free), "€5.00 a month, the rest billed by its own provider");
});
