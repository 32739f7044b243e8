/** A number that is seen with another SIM: what was meant for its old holder reaches nobody, and the new one has it alone. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import { createSettingsPages } from "../orders/settings-pages.ts";
import { createPortalPeople } from "../requests/portal-link.ts";

const shop = await requestShop();
const people = createPortalPeople(shop.database, shop.sealer);
const RADIO = { id: "radio", terms: "t", content: { kind: "none" } } as const;
const GAME = { id: "game", content: { kind: "none" } } as const;
const MAIL: Partial<CatalogItem> & { readonly id: string } = {
  id: "mail",
  kind: "service",
  service: { uri: "https://mail.example/scim", module: null, fields: [] },
};
type Sim = { readonly imsi: string; readonly imei: string; readonly msisdn: string };

/** The network sees a SIM, a moment after whatever was before. */
async function sees(fixture: RequestFixture, sim: Partial<SightingInput> & Pick<Sim, "imsi" | "imei">) {
  shop.time.now += 1_000;
  const seenAt = new Date(shop.time.now).toISOString();
  const [result] = await shop.see(fixture.operatorId, { seenAt, ...sim });
  assert.ok(result && "subscriberId" in result, JSON.stringify(result));
  return result.subscriberId;
}
const simOf = ({ imsi, imei, msisdn }: Sim): Sim => ({ imsi, imei, msisdn });
/** What goes out since, to anybody of this operator: handed over, and reported by the centre as said. */
async function sent(fixture: RequestFixture, state: "delivered" | "failed" | "none" = "none") {
  const now = new Date(shop.time.now);
  const claimed = await shop.store.claimMessages({ now, limit: 1_000, leaseMs: 120_000 });
  const told = claimed.flatMap(({ operatorId, messageId, partCount, protocol, content }) =>
    operatorId === fixture.operatorId
      ? [
          {
            messageId,
            parts: partCount,
            to: content?.to,
            text: protocol === "text" ? new TextDecoder().decode(content?.payload) : "",
          },
        ]
      : [],
  );
  await fixture.submitted(told);
  if (state !== "none") await fixture.receipt(told, state);
  return told;
}
const numberOf = async (fixture: RequestFixture, imsi: string) =>
  (await people.find(fixture.operatorId, { imsi }))?.msisdn ?? null;
const hash = (text: string) => createHash("sha256").update(text).digest();

async function offered(fixture: RequestFixture, idempotencyKey: string): Promise<string> {
  const to = [{ imsi: fixture.imsi }];
  await fixture.requests.sendOffers(fixture.operatorId, {
    itemId: "game",
    to,
    actor: "care",
    idempotencyKey,
  });
  const [id] = await shop.database.rows<{ code: string }>(
    "select code from offer where operator_id = $1 order by id desc limit 1",
    [fixture.operatorId],
  );
  return id!.code;
}

test("open questions, offers, ways in and messages of the old holder end; the new one answers none of them", async () => {
  const fixture = await shop.fixture("moves on", [RADIO, GAME], { terms: ["t"] });
  const old = simOf(fixture);
  const before = await sees(fixture, old);
  const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
  const code = await offered(fixture, "spring");
  await shop.database.run("update offer set given_sealed = '\\x01' where operator_id = $1", [
    fixture.operatorId,
  ]);
  const way = {
    operatorId: fixture.operatorId,
    subscriberId: before,
    msisdn: old.msisdn,
    tokenHash: hash("link"),
    codeHash: hash("code"),
    expiresAt: new Date(shop.time.now + HOUR_MS),
  };
  assert.equal(await people.addLink(way, new Date(shop.time.now), 3), true);
  const fresh = { ...pair("new holder of it"), msisdn: old.msisdn };
  const now = await sees(fixture, fresh);
  assert.equal(await numberOf(fixture, old.imsi), null);
  assert.equal(await numberOf(fixture, fresh.imsi), old.msisdn);
  assert.equal(
    await shop.count("former_number", "subscriber_id = $1 and new_holder_id = $2", [before, now]),
    1,
    "that he had it is kept",
  );
  assert.equal(
    await shop.count("offer", "operator_id = $1 and given_sealed is not null", [fixture.operatorId]),
    0,
    "what was given by text for an offer is forgotten with it",
  );
  for (const text of ["yes", `yes ${code}`, `YES ${(await consentCode(orderId)) ?? ""}`])
    assert.equal(await fixture.requests.textCame(old.msisdn, text), false, text);
  assert.equal(await people.useLink(fixture.operatorId, way.tokenHash, new Date(shop.time.now)), undefined);
  assert.equal(
    await people.addLink({ ...way, tokenHash: hash("late") }, new Date(shop.time.now), 3),
    false,
    "one that was looked up before is not sent after",
  );
  await shop.pass(1);
  const { state, reason } = await fixture.status(orderId);
  assert.deepEqual([state, /another SIM's now.*ask for it anew/.test(reason)], ["cancelled", true]);
  assert.ok(
    (await sent(fixture)).every(({ text }) => text === ""),
    "no word for him goes to that number",
  );
  assert.equal(await shop.count("offer", "operator_id = $1 and state = 'sent'", [fixture.operatorId]), 0);
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [fixture.operatorId]),
    0,
  );
});

const consentCode = async (orderId: string) =>
  (await shop.database.rows<{ code: string }>("select code from consent where order_id = $1", [orderId]))[0]
    ?.code;

for (const [name, how] of [
  ["waits in the queue", "queued"],
  ["waits to be sent again", "failed"],
  ["is at the message centre", "submitted"],
] as const) {
  test(`access data of the old holder that ${name} is nobody's: not sent, not proved by a receipt, and its registration is ended`, async () => {
    const fixture = await shop.fixture(`access ${how}`, [MAIL]);
    const old = simOf(fixture);
    await sees(fixture, old);
    const { orderId } = await fixture.ask(["mail"], { noticeKey: null });
    await fixture.calls();
    const first = how === "queued" ? [] : await sent(fixture, how === "failed" ? "failed" : "none");
    await sees(fixture, { ...pair(`heir ${how}`), msisdn: old.msisdn });
    if (how === "submitted") await fixture.receipt(first, "delivered");
    await shop.pass(HOUR_MS);
    await fixture.calls();
    assert.ok(!(await sent(fixture)).some(({ text }) => text.includes("open-Sesame-77")));
    const item = (await fixture.story(orderId)).items[0]!;
    assert.deepEqual([item.state, item.cause], ["cancelled", "taken_back"]);
    assert.deepEqual(
      fixture.saw.removals.map(({ remoteId }) => remoteId),
      ["scim-1"],
      "who has it cannot use it",
    );
    assert.equal(
      await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]),
      0,
    );
  });
}

for (const another of [false, true]) {
  test(`what an element of the network did by the former number is taken back by that number: a new one meanwhile ${another}`, async () => {
    const fixture = await shop.fixture(`element ${another}`, [{ ...MAIL, elements: ["e-mail"] }]);
    const old = simOf(fixture);
    await sees(fixture, old);
    const { orderId } = await fixture.ask(["mail"], { noticeKey: null });
    await fixture.calls();
    await sees(fixture, { ...pair(`element heir ${another}`), msisdn: old.msisdn });
    if (another) await sees(fixture, { ...old, msisdn: pair("element other").msisdn });
    await shop.pass(HOUR_MS);
    await fixture.calls();
    assert.deepEqual(
      fixture.saw.elements.map(({ action, msisdn, imsi }) => [action, msisdn, imsi]),
      [
        ["add", old.msisdn, old.imsi],
        ["remove", old.msisdn, old.imsi],
      ],
    );
    const { state, cause } = (await fixture.story(orderId)).items[0]!;
    assert.deepEqual([state, cause], ["cancelled", "taken_back"]);
  });
}

for (const [name, ends] of [
  ["is lost too", true],
  ["is kept", false],
] as const) {
  test(`what was done by a later number is taken back by that one, not by the one before it: the later ${name}`, async () => {
    const fixture = await shop.fixture(`later ${name}`, [{ ...MAIL, elements: ["e-mail"] }]);
    const old = simOf(fixture);
    await sees(fixture, old);
    await sees(fixture, { ...pair(`later first heir ${name}`), msisdn: old.msisdn });
    const later = { ...old, msisdn: pair(`later number ${name}`).msisdn };
    await sees(fixture, later);
    shop.time.now += 1_000;
    const { orderId } = await fixture.ask(["mail"], { noticeKey: null, who: later });
    await fixture.calls();
    if (ends) await sees(fixture, { ...pair("later second heir"), msisdn: later.msisdn });
    else await shop.conductor.cancel(fixture.operatorId, orderId, "care");
    await shop.pass(HOUR_MS);
    await fixture.calls();
    assert.deepEqual(
      fixture.saw.elements.map(({ action, msisdn }) => [action, msisdn]),
      [
        ["add", later.msisdn],
        ["remove", later.msisdn],
      ],
    );
  });
}

/** Sightings that two servers take at the same time: each waits for a row that the test holds, and both go on together. */
async function seesAtOnce(
  fixture: RequestFixture,
  held: readonly string[],
  ...batches: readonly (readonly (Sim & { readonly seenAt: string })[])[]
): Promise<void> {
  const waiting = async (): Promise<number> =>
    (await shop.database.one<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
    ))!.n;
  const answers = await shop.database.transaction(async (tx) => {
    await tx.rows("select id from subscriber where id = any($1::uuid[]) order by id for update", [held]);
    const running = batches.map((batch) =>
      shop.intakeOf().accept(
        fixture.operatorId,
        batch.map((sim) => ({ plmn: "00101", ...sim })),
        "api",
      ),
    );
    const end = performance.now() + 10_000;
    while ((await waiting()) < batches.length) assert.ok(performance.now() < end, "both wait for it");
    return running;
  });
  for (const results of await Promise.all(answers))
    for (const result of results) assert.ok("subscriberId" in result, JSON.stringify(result));
}
const seenAt = (aheadMs: number): string => new Date(shop.time.now + aheadMs).toISOString();
const holdersOf = async (fixture: RequestFixture, msisdn: string): Promise<number> =>
  shop.count("subscriber", "operator_id = $1 and msisdn_index = $2", [
    fixture.operatorId,
    shop.sealer.blindIndex("msisdn", fixture.operatorId, msisdn),
  ]);

test("a number that two SIMs are seen with at the same moment is left with the one that was seen last", async () => {
  for (let round = 0; round < 5; round++) {
    const fixture = await shop.fixture(`at once ${round}`, [RADIO]);
    const { msisdn } = pair(`at once number ${round}`);
    const [one, other] = [pair(`at once one ${round}`), pair(`at once other ${round}`)];
    const ids = [await sees(fixture, simless(one)), await sees(fixture, simless(other))];
    await seesAtOnce(
      fixture,
      ids,
      [{ ...one, msisdn, seenAt: seenAt(1_000) }],
      [{ ...other, msisdn, seenAt: seenAt(2_000) }],
    );
    assert.equal(await holdersOf(fixture, msisdn), 1, `round ${round}`);
    assert.equal(await numberOf(fixture, other.imsi), msisdn);
  }
});
const simless = ({ imsi, imei }: Sim) => ({ imsi, imei });

test("a number that moves on twice at the same moment ends with one SIM", async () => {
  const fixture = await shop.fixture("twice", [RADIO]);
  const old = simOf(fixture);
  const [one, other] = [pair("twice one"), pair("twice other")];
  const id = await sees(fixture, old);
  await seesAtOnce(
    fixture,
    [id],
    [{ ...one, msisdn: old.msisdn, seenAt: seenAt(1_000) }],
    [{ ...other, msisdn: old.msisdn, seenAt: seenAt(2_000) }],
  );
  assert.equal(await holdersOf(fixture, old.msisdn), 1);
  assert.equal(await numberOf(fixture, other.imsi), old.msisdn);
});

test("a number whose SIM gets another at the same moment goes to whom it is seen with", async () => {
  const fixture = await shop.fixture("leaves", [RADIO]);
  const old = simOf(fixture);
  const [heir, next] = [pair("leaves heir"), pair("leaves next").msisdn];
  const id = await sees(fixture, old);
  await seesAtOnce(
    fixture,
    [id],
    [{ ...old, msisdn: next, seenAt: seenAt(1_000) }],
    [{ ...heir, msisdn: old.msisdn, seenAt: seenAt(1_000) }],
  );
  assert.equal(await numberOf(fixture, old.imsi), next);
  assert.equal(await numberOf(fixture, heir.imsi), old.msisdn);
});

test("two SIMs that swap their numbers each lose what was open by the former one, whichever is seen first", async () => {
  for (const isTogether of [false, true]) {
    const fixture = await shop.fixture(`swap ${isTogether}`, [RADIO], { terms: ["t"] });
    const one = simOf(fixture);
    const other = pair(`swap other ${isTogether}`);
    await sees(fixture, one);
    await sees(fixture, other);
    const first = await fixture.ask(["radio"], { noticeKey: null });
    const second = await fixture.ask(["radio"], { noticeKey: null, who: other });
    const swapped = [
      { ...one, msisdn: other.msisdn },
      { ...other, msisdn: one.msisdn },
    ];
    if (isTogether) {
      shop.time.now += 1_000;
      const seenAt = (ms: number) => new Date(shop.time.now + ms).toISOString();
      await shop.see(fixture.operatorId, ...swapped.map((sim, at) => ({ ...sim, seenAt: seenAt(at) })));
    } else for (const sim of swapped) await sees(fixture, sim);
    assert.equal(await numberOf(fixture, one.imsi), other.msisdn);
    assert.equal(await numberOf(fixture, other.imsi), one.msisdn);
    for (const msisdn of [one.msisdn, other.msisdn])
      assert.equal(await fixture.requests.textCame(msisdn, "yes"), false);
    await shop.pass(1_000);
    for (const { orderId } of [first, second])
      assert.equal((await fixture.status(orderId)).state, "cancelled", `${isTogether}`);
  }
});

test("a late sighting of the old holder does not bring the number back, nor does one take it from who was seen since", async () => {
  const fixture = await shop.fixture("late", [RADIO]);
  const old = simOf(fixture);
  await sees(fixture, old);
  const heir = { ...pair("late heir"), msisdn: old.msisdn };
  const long = new Date(shop.time.now + 500).toISOString();
  await sees(fixture, heir);
  await sees(fixture, { ...old, seenAt: long });
  assert.equal(await numberOf(fixture, old.imsi), null);
  assert.equal(await numberOf(fixture, heir.imsi), old.msisdn);
  const third = { ...pair("late third"), msisdn: old.msisdn };
  await sees(fixture, { ...third, seenAt: long });
  assert.equal(await numberOf(fixture, third.imsi), null);
  assert.equal(await numberOf(fixture, heir.imsi), old.msisdn);
  await sees(fixture, third);
  assert.equal(await numberOf(fixture, third.imsi), old.msisdn, "seen with it now");
});

test("what the network sent to a SIM waits for its number when that moved on, and is sent there when it comes", async () => {
  const fixture = await shop.fixture("settings", [RADIO]);
  const old = simOf(fixture);
  const subscriberId = await sees(fixture, old);
  await shop.pass(1);
  const [order] = await shop.database.rows<{ id: string }>(
    "select id from provisioning_order where subscriber_id = $1",
    [subscriberId],
  );
  const story = () => fixture.story(order!.id);
  assert.equal((await story()).state, "provisioning", (await story()).reason);
  await sees(fixture, { ...pair("settings heir"), msisdn: old.msisdn });
  await shop.pass(1);
  const item = (await story()).items.find(({ kind }) => kind === "settings")!;
  assert.deepEqual([item.state, item.cause], ["sending", "number_lost"]);
  assert.match(item.nextAction, /send a sighting with this SIM's MSISDN/);
  assert.ok((await story()).messages.every(({ state }) => state === "cancelled"));
  await sees(fixture, { ...old, msisdn: pair("another number").msisdn });
  await shop.pass(1);
  const again = await story();
  assert.ok(
    again.messages.some(({ state }) => state === "queued"),
    JSON.stringify(again.items),
  );
  assert.equal(again.items.find(({ kind }) => kind === "settings")!.cause, null);
});

test("a link that went to a number that moved on stays closed; the SIM's new number gets one of its own", async () => {
  const fixture = await shop.fixture("link", [RADIO]);
  const old = simOf(fixture);
  const opened: string[] = [];
  const said: string[] = [];
  const pages = createSettingsPages({
    database: shop.database,
    sealer: shop.sealer,
    clock: () => new Date(shop.time.now),
    onOpened: async (orderId) => void opened.push(orderId),
    onDownloaded: async () => undefined,
    onSaid: ({ orderId, userAgent }) => void said.push(`${orderId} ${userAgent}`),
    menusOf: () => [],
    shownOf: async (settings) => settings,
  });
  const tokenTo = async (msisdn: string): Promise<string> => {
    const his = (await sent(fixture)).filter(({ to }) => to === msisdn);
    assert.equal(his.length, 1);
    return /\/s\/([A-Za-z0-9_-]+)/.exec(his[0]!.text)![1]!;
  };
  shop.world.protocol = "link";
  try {
    const subscriberId = await sees(fixture, old);
    await shop.pass(1);
    const { id } = (await shop.database.one<{ id: string }>(
      "select id from provisioning_order where subscriber_id = $1",
      [subscriberId],
    ))!;
    const first = await tokenTo(old.msisdn);
    assert.equal((await pages.look(first))?.state, "ready");
    await sees(fixture, { ...pair("link heir"), msisdn: old.msisdn });
    await shop.pass(1);
    assert.equal((await pages.open(first))?.state, "expired");
    await assert.rejects(shop.conductor.resend(fixture.operatorId, id, "care"), {
      code: "nothing_to_resend",
      message: /another SIM's now/,
    });
    const later = pair("link later").msisdn;
    await sees(fixture, { ...old, msisdn: later });
    await shop.pass(1);
    const second = await tokenTo(later);
    assert.notEqual(second, first);
    await shop.conductor.resend(fixture.operatorId, id, "care");
    assert.equal(await tokenTo(later), second, "sent again it is the same");
    assert.equal((await pages.open(first, "Old/1.0"))?.state, "expired", "whoever has it");
    assert.deepEqual(opened, []);
    assert.equal((await pages.turn(second))?.state, "ready", "nobody pressed its button yet");
    assert.equal((await pages.open(second, "New/1.0"))?.state, "open");
    assert.equal((await pages.turn(second))?.state, "open");
    assert.deepEqual(opened, [id]);
    assert.deepEqual(said, [`${id} New/1.0`], "a browser that opened nothing says nothing of the handset");
  } finally {
    shop.world.protocol = "omacp";
  }
});

test("a profile's download is claimed with its booking: a server that falls between the two has claimed nothing", async () => {
  const fixture = await shop.fixture("download", [RADIO]);
  shop.world.protocol = "link";
  try {
    await sees(fixture, simOf(fixture));
    await shop.pass(1);
  } finally {
    shop.world.protocol = "omacp";
  }
  const link = await shop.database.one<{ id: string }>("select id from link where operator_id = $1", [
    fixture.operatorId,
  ]);
  assert.ok(link);
  const now = new Date(shop.time.now);
  await assert.rejects(
    shop.store.transaction(async (tx) => {
      assert.equal(await tx.claimDownload(link.id, now), true);
      throw new Error("the server fell");
    }),
    /the server fell/,
  );
  const claims = await shop.store.transaction(async (tx) => [
    await tx.claimDownload(link.id, now),
    await tx.claimDownload(link.id, now),
  ]);
  assert.deepEqual(claims, [true, false]);
});

test("a person's word alone takes no number from a SIM; a line that the network names does", async () => {
  const fixture = await shop.fixture("words", [RADIO]);
  const old = simOf(fixture);
  await sees(fixture, old);
  const typed = { ...pair("typed"), msisdn: old.msisdn };
  await fixture.ask(["radio"], { channel: "representative", assurance: "none", who: typed });
  assert.equal(await numberOf(fixture, old.imsi), old.msisdn);
  assert.equal(await numberOf(fixture, typed.imsi), null);
  shop.time.now += 1_000;
  const line = { ...pair("line"), msisdn: old.msisdn };
  await fixture.ask(["radio"], { who: line });
  assert.equal(await numberOf(fixture, line.imsi), old.msisdn);
  assert.equal(await numberOf(fixture, old.imsi), null);
});
