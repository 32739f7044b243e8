/**
 * R123: each server that serves the device is told what others provisioned, changed or removed there, on both roads, on PostgreSQL: by a
 * call of its own that is made until it is answered, and whose outcome stands in the order's history.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createProxyAccounts } from "../operator/proxy-accounts.ts";

const shop = await requestShop();
type Fixture = Awaited<ReturnType<typeof shop.fixture>>;
const parameters = (name: string) => ({ kind: "parameters", values: { [name]: "1" } }) as const;

const ITEMS: readonly (Partial<CatalogItem> & { readonly id: string })[] = [
  { id: "mail-client", content: parameters("mail") },
  { id: "browser", content: parameters("browser") },
  { id: "voice-mail", content: { kind: "none" }, elements: ["voice-mail"] },
  {
    id: "mail",
    kind: "service",
    needs: ["mail-client"],
    service: { uri: "https://mail.example/scim", module: null, fields: [] },
  },
];

/** Asked for, done on the device and at everybody else's, and told. */
async function has(fixture: Fixture, selection: readonly string[], action: "add" | "remove" = "add") {
  const { orderId, reference } = await fixture.ask(selection, { action });
  await fixture.calls();
  for (const { kind, itemId, noticeId } of await fixture.told())
    if (kind === "access_data") await fixture.reply("ack", { reference, itemId, noticeId });
  for (const { id, kind, state } of (await fixture.status(orderId)).items)
    if (kind === "feature" && state === "sending") await fixture.installed(orderId, id);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  return orderId;
}
const heardBy = (list: readonly { readonly event: string; readonly items: readonly string[] }[]) =>
  list.map(({ event, items }) => `${event} ${items.join(",")}`.trim());

test("R123: what is asked for is told to the elements that serve the device, and to a provider whose service needs it; to nobody who did it", async () => {
  const fixture = await shop.fixture("told of requests", ITEMS);
  const { saw } = fixture;
  await has(fixture, ["mail-client", "mail"]);
  await has(fixture, ["voice-mail"]);
  assert.deepEqual(
    [heardBy(saw.toldElements), heardBy(saw.toldProviders)],
    [[], []],
    "nobody hears of himself",
  );
  await has(fixture, ["browser"]);
  assert.deepEqual(heardBy(saw.toldElements), ["provisioned browser"]);
  assert.deepEqual(heardBy(saw.toldProviders), [], "a browser is no affair of the mail service's");
  assert.deepEqual(
    saw.toldElements.map(({ element, msisdn, imsi, imei }) => ({ element, msisdn, imsi, imei })),
    [{ element: "voice-mail", msisdn: fixture.msisdn, imsi: fixture.imsi, imei: fixture.imei }],
  );
  const removal = await has(fixture, ["browser"], "remove");
  assert.deepEqual(heardBy(saw.toldElements), ["provisioned browser", "removed browser"]);
  const { calls, events } = await fixture.story(removal);
  assert.deepEqual(
    calls.filter(({ kind }) => kind === "server_notice").map(({ state }) => state),
    ["done"],
  );
  assert.deepEqual(
    events.map(({ kind }) => kind).filter((kind) => kind.startsWith("server_")),
    ["server_notice_queued", "server_told"],
  );
});

test("R123: a provider hears that the program which its service needs came anew", async () => {
  const fixture = await shop.fixture("told of a need", ITEMS);
  const bare = ITEMS.map((item) => (item.id === "mail" ? { ...item, needs: [] } : item));
  const other = await shop.fixture("told of no need", bare);
  for (const one of [fixture, other]) {
    await has(one, one === fixture ? ["mail-client", "mail"] : ["mail"]);
    if (one === fixture)
      await shop.database.run(
        "update provisioned_item set ended_at = now() where operator_id = $1 and item_id = 'mail-client'",
        [one.operatorId],
      );
    await has(one, ["mail-client"]);
  }
  assert.deepEqual(heardBy(fixture.saw.toldProviders), ["provisioned mail-client"]);
  const [told] = fixture.saw.toldProviders;
  assert.equal(told?.remoteId, "scim-1");
  assert.deepEqual(heardBy(other.saw.toldProviders), []);
});

test("R123: what the network had done, and that the SIM is in another handset, is told to elements, providers and the billing centre", async () => {
  const fixture = await shop.fixture("told of sightings", ITEMS);
  await has(fixture, ["mail-client", "mail", "voice-mail"]);
  const { version, body } = await shop.registry.policies.current(fixture.operatorId);
  const policy = { ...DEFAULT_POLICY, request: body.request, doneAt: "delivered" as const };
  await shop.registry.policies.put(fixture.operatorId, version, policy, "test");
  const { imsi, msisdn } = fixture;
  const handset = async (imei: string): Promise<string> => {
    const [seen] = await shop.see(fixture.operatorId, { imsi, msisdn, imei });
    assert.ok(seen && "orderId" in seen && seen.orderId, JSON.stringify(seen));
    await shop.pass(1_000);
    await shop.conductor.tellChanges(100);
    await fixture.delivered();
    await fixture.calls();
    return seen.orderId;
  };
  await handset(fixture.imei);
  assert.deepEqual(heardBy(fixture.saw.toldProviders), ["provisioned settings"]);
  const before = { elements: fixture.saw.toldElements.length, billing: fixture.saw.billing.length };
  const orderId = await handset(pair("another handset").imei);
  assert.equal((await fixture.story(orderId)).state, "completed");
  const both = ["changed handset", "changed settings"];
  assert.deepEqual(heardBy(fixture.saw.toldElements.slice(before.elements)).sort(), both);
  assert.deepEqual(heardBy(fixture.saw.toldProviders.slice(1)).sort(), both);
  const billed = fixture.saw.billing
    .slice(before.billing)
    .filter(({ provisioning }) => provisioning?.items.includes("settings"));
  assert.deepEqual(
    billed.map(({ kind, provisioning, onceMinor, monthlyMinor }) => ({
      kind,
      provisioning,
      onceMinor,
      monthlyMinor,
    })),
    [
      {
        kind: "provisioning",
        provisioning: { event: "changed", items: ["settings"], make: "Acme", model: "One" },
        onceMinor: 0,
        monthlyMinor: 0,
      },
    ],
  );
});

test("R123: what changes outside an order's end is told as well, once to each: the SIM in another handset without an order, the number that is another's, the account that is blocked and closed", async () => {
  const fixture = await shop.fixture("told of changes", ITEMS);
  const { operatorId, imsi, imei, msisdn, saw } = fixture;
  const others = await shop.fixture("told of nothing", ITEMS);
  await has(fixture, ["mail-client", "mail", "voice-mail"]);
  const { version, body } = await shop.registry.policies.current(operatorId);
  const policy = { ...DEFAULT_POLICY, request: body.request, returningPair: "skip" as const };
  await shop.registry.policies.put(operatorId, version, policy, "test");
  const proxyAccounts = createProxyAccounts({ ...shop, newId: uuidv7, clock: () => new Date(shop.time.now) });
  const lists = () => ({
    elements: saw.toldElements,
    providers: saw.toldProviders,
    billing: saw.billing.flatMap(({ provisioning }) => provisioning ?? []),
  });
  /** What each of the three heard of one change, once it was told. */
  const heard = async (change: () => Promise<unknown>) => {
    const before = Object.values(lists()).map((list) => list.length);
    await change();
    await shop.conductor.tellChanges(100);
    await shop.conductor.tellChanges(100);
    await fixture.calls();
    return Object.values(lists()).map((list, at) => heardBy(list.slice(before[at])));
  };
  const seen = (over: object) => async () => {
    shop.time.now += HOUR_MS;
    const [one] = await shop.see(operatorId, { imsi, imei, msisdn, ...over });
    return one && "orderId" in one ? one.orderId : undefined;
  };
  const onThisDevice = await seen({})();
  const away = pair("elsewhere").imei;
  const handset = [["changed handset"], ["changed handset"], ["changed handset"]];
  assert.deepEqual(await heard(seen({ imei: away })), handset);
  assert.deepEqual(
    await heard(seen({})),
    handset,
    "back in the first one: no order is opened, and all hear of it",
  );
  assert.deepEqual(await heard(seen({})), [[], [], []], "the same pair again is no news");

  const account = [["changed account"], ["changed account"], ["changed account"]];
  await proxyAccounts.put(operatorId, { imei }, "test");
  assert.deepEqual(
    await heard(() => proxyAccounts.put(operatorId, { imei, isBlocked: true }, "test")),
    account,
  );
  assert.deepEqual(await heard(() => proxyAccounts.put(operatorId, { imei, isBlocked: true }, "test")), [
    [],
    [],
    [],
  ]);
  const closed = [["removed account"], ["removed account"], ["removed account"]];
  assert.deepEqual(await heard(() => proxyAccounts.close(operatorId, imei, "test")), closed);

  const taker = pair("takes the number");
  const number = [["changed number"], ["changed number"], ["changed number"]];
  assert.deepEqual(await heard(seen({ imsi: taker.imsi, imei: taker.imei })), number);
  assert.equal(saw.toldElements.at(-1)?.msisdn, msisdn, "it knows them by the number that they had");
  assert.deepEqual([others.saw.toldElements, others.saw.toldProviders], [[], []]);
  const { calls, events } = await fixture.story(onThisDevice ?? "");
  assert.ok(calls.filter(({ kind }) => kind === "server_notice").every(({ state }) => state === "done"));
  assert.ok(events.some(({ reason }) => /is told what was removed: account/.test(reason)));
});

test("R123: a server that gives no answer is asked again under the same id until it has heard; one that takes no notices is not asked again; each outcome stands in the history", async () => {
  const fixture = await shop.fixture("told late", ITEMS);
  await has(fixture, ["voice-mail"]);
  let silent = 2;
  fixture.answers.told = async () =>
    silent-- > 0 ? { kind: "failed", cause: "timeout", reason: "-" } : { kind: "done", reference: null };
  const orderId = await has(fixture, ["browser"]);
  const callsOf = async (id: string) =>
    (await fixture.story(id)).calls.filter(({ kind }) => kind === "server_notice");
  const [waiting] = await callsOf(orderId);
  assert.equal(waiting?.state, "due");
  assert.match(waiting?.reason ?? "", /gave no answer: timeout/);
  assert.ok(waiting?.dueAt, "its next try has a time");
  for (let hour = 0; hour < 3; hour++) {
    shop.time.now += HOUR_MS;
    await fixture.calls();
  }
  assert.equal((await callsOf(orderId))[0]?.state, "done");
  assert.equal(new Set(fixture.saw.toldElements.map(({ id }) => id)).size, 1);
  assert.equal(fixture.saw.toldElements.length, 3);

  fixture.answers.told = async () => ({ kind: "refused", cause: "no_listener", reason: "-" });
  const refused = await has(fixture, ["mail-client"]);
  assert.equal((await callsOf(refused))[0]?.state, "refused");
  fixture.answers.told = async () => ({ kind: "failed", cause: "timeout", reason: "-" });
  const lost = await has(fixture, ["browser"], "remove");
  for (let week = 0; week < 4; week++) {
    shop.time.now += 24 * 7 * HOUR_MS;
    await fixture.calls();
  }
  assert.equal((await callsOf(lost))[0]?.state, "given_up");
  for (const [id, words] of [
    [refused, /takes no such notice: no_listener/],
    [lost, /could not be told in time: timeout: a person has to see to it/],
  ] as const) {
    const said = (await fixture.story(id)).events.find(({ kind }) => kind === "server_not_told");
    assert.match(said?.reason ?? "", words);
  }
});
