/**
 * R35: Registration, Services and Device Feature Module of the kernel (US 6,647,260, figure 4:444) stand behind ports. Each is
 * replaced here by one of the test's own while the two others are the shipped ones, on PostgreSQL.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { featuresOf, servicesOf } from "../../kernel/fulfilment/modules.ts";
import { NO_ACTION } from "../../kernel/order/scribe.ts";
import type { RequestItem, RequestTurn } from "../../kernel/order/turn.ts";
import { registrationModuleOf } from "../../kernel/requested/registration-module.ts";

const shop = await requestShop();
const { modules } = shop.world;
afterEach(() => {
  for (const name of ["registration", "services", "features"] as const) delete modules[name];
});
const SHIPPED = { modules: {} };
const deps = { deps: SHIPPED } as Pick<RequestTurn, "deps">; // nothing else of it is read where a module is looked up

const ITEMS: readonly (Partial<CatalogItem> & { readonly id: string })[] = [
  {
    id: "browser",
    content: { kind: "parameters", values: { "browser.homepage": "https://portal.example/" } },
  },
  { id: "mail", kind: "service", service: { uri: "https://mail.example/scim", module: null, fields: [] } },
];
type Fixture = Awaited<ReturnType<typeof shop.fixture>>;

const statesOf = async (fixture: Fixture, orderId: string) => {
  const { state, items } = await fixture.status(orderId);
  return { order: state, ...Object.fromEntries(items.map((item) => [item.catalogId, item.state])) };
};
/** The device installs what it was sent, and acknowledges what gives access. */
async function deviceDoes(fixture: Fixture, orderId: string, reference: string): Promise<void> {
  const told = await fixture.told();
  const { items } = await fixture.status(orderId);
  const browser = items.find(({ catalogId }) => catalogId === "browser");
  if (browser?.state === "sending") await fixture.installed(orderId, browser.id);
  for (const { kind, itemId, noticeId } of told)
    if (kind === "access_data") await fixture.reply("ack", { reference, itemId, noticeId });
}

/** Where an item stands when all of it is done. */
function done({ scribe, order }: RequestTurn, item: RequestItem, reason: string): void {
  const state = item.kind === "service" ? "access_data_sent" : "works";
  scribe.moveItem(order, item, { state, reason, nextAction: NO_ACTION, deadlineAt: null });
}

test("R35: another Registration Module lets in whom it wants; features and services are done by the shipped modules", async () => {
  const shipped = registrationModuleOf(SHIPPED);
  const asked: string[] = [];
  modules.registration = {
    match: (catalog, request, had) =>
      shipped.match(catalog, { ...request, selection: ["browser", "mail"] }, had),
    begin(turn, coming) {
      asked.push(coming.request.actor);
      // Its own register of users, in the place of bureau and policy: it knows this one, so nobody outside is asked.
      shipped.begin(
        { ...turn, terms: { ...turn.terms, policy: { ...turn.terms.policy, request: LENIENT(turn) } } },
        coming,
      );
    },
    answered: () => assert.fail("it asked nobody"),
  };
  const fixture = await shop.fixture("own registration", ITEMS, { policy: { unknownUser: "bureau" } });
  const { orderId, reference } = await fixture.ask(["browser"]);
  await fixture.calls();
  await deviceDoes(fixture, orderId, reference);
  assert.deepEqual(asked, ["device"]);
  assert.equal(fixture.saw.identities.length, 0);
  assert.deepEqual(await statesOf(fixture, orderId), {
    order: "completed",
    browser: "works",
    mail: "access_data_sent",
  });
});
const LENIENT = ({ terms }: RequestTurn) => ({ ...terms.policy.request, unknownUser: "accept" as const });

test("R35: another Services Module registers users where no SCIM server stands; the feature beside it goes its usual way", async () => {
  const registered: string[] = [];
  modules.services = {
    ...servicesOf(deps),
    register(turn, item) {
      registered.push(item.subject.catalogId);
      done(turn, item, "the directory of this house has the user");
    },
  };
  const fixture = await shop.fixture("own services", ITEMS);
  const { orderId, reference } = await fixture.ask(["browser", "mail"]);
  await fixture.calls();
  await deviceDoes(fixture, orderId, reference);
  assert.deepEqual(registered, ["mail"]);
  assert.equal(fixture.saw.registrations.length, 0, "no service server is asked");
  assert.deepEqual(await statesOf(fixture, orderId), {
    order: "completed",
    browser: "works",
    mail: "access_data_sent",
  });
});

test("R35: another Device Feature Module puts features onto the device; the service beside it goes its usual way", async () => {
  const sent: string[] = [];
  modules.features = {
    ...featuresOf(deps),
    send(turn, item) {
      sent.push(item.subject.catalogId);
      done(turn, item, "the device management of this house put it there");
    },
  };
  const fixture = await shop.fixture("own features", ITEMS);
  const { orderId, reference } = await fixture.ask(["browser", "mail"]);
  await fixture.calls();
  await deviceDoes(fixture, orderId, reference);
  assert.deepEqual(sent, ["browser"]);
  assert.equal(fixture.saw.registrations.length, 1);
  assert.deepEqual(await statesOf(fixture, orderId), {
    order: "completed",
    browser: "works",
    mail: "access_data_sent",
  });
});

test("R35: with the shipped three the same request does the same: none is a special case", async () => {
  const fixture = await shop.fixture("shipped", ITEMS);
  const { orderId, reference } = await fixture.ask(["browser", "mail"]);
  await fixture.calls();
  await deviceDoes(fixture, orderId, reference);
  assert.deepEqual(await statesOf(fixture, orderId), {
    order: "completed",
    browser: "works",
    mail: "access_data_sent",
  });
});
