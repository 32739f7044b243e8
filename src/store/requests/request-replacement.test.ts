/**
 * Services, packages and given values in the place of those before, whole or not at all (US 6,647,260 claim 6; R122): what can
 * be taken back comes first, what cannot comes last, and what only the version before had goes with evidence.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
type Item = Partial<CatalogItem> & { readonly id: string };

const HERE = "https://mail.example/scim";
const ELSEWHERE = "https://other.example/scim";
const field = (name: string) => ({ name, label: { en: name }, kind: "text", required: true }) as const;
const service = (
  uri: string,
  fields: readonly string[] = [],
  module: CatalogItem["content"] | null = null,
) => ({
  uri,
  module,
  fields: fields.map(field),
});
const module = (version: string) =>
  ({
    kind: "module",
    module: "Mail",
    version,
    sha256: "ab".repeat(32),
    octets: 10,
    url: "https://m.example/",
  }) as const;
const REFUSED = { kind: "refused", cause: "malformed", reason: "no" } as const;

async function released(fixture: RequestFixture, { id, ...said }: Item): Promise<void> {
  const { id: _, version: __, ...body } = sampleItem(id, said);
  await shop.catalog.put(fixture.operatorId, id, body, { expected: () => true, actor: "test" });
}
const itemOf = async (fixture: RequestFixture, orderId: string, catalogId: string) => {
  const item = (await fixture.status(orderId)).items.find((one) => one.catalogId === catalogId);
  assert.ok(item, catalogId);
  return item;
};
/** Whatever waits for the device: notices reach it, content is installed. */
async function deviceDoes(fixture: RequestFixture, orderId: string, fails = false): Promise<void> {
  for (let pass = 0; pass < 5; pass++) {
    await fixture.calls();
    await fixture.delivered();
    for (const { id, hasContent } of (await fixture.status(orderId)).items) {
      if (!hasContent) continue;
      const outcome = fails
        ? ({ kind: "failed", cause: "no_space" } as const)
        : ({ kind: "installed" } as const);
      await fixture.requests.deviceReports(fixture.scope, { orderId, itemId: id }, outcome, "wideband");
    }
  }
}
async function had(name: string, items: readonly Item[], fields = {}, selection = [items[0]?.id ?? ""]) {
  const fixture = await shop.fixture(name, items);
  const { orderId } = await fixture.ask(selection, { fields });
  await deviceDoes(fixture, orderId);
  assert.equal((await fixture.status(orderId)).state, "completed");
  return fixture;
}
const held = async ({ operatorId }: RequestFixture): Promise<string[]> =>
  (
    await shop.database.rows<{ item: string }>(
      `select item_id || ' ' || version as item from provisioned_item where operator_id = $1 and ended_at is null order by 1`,
      [operatorId],
    )
  ).map(({ item }) => item);
const tasksOf = ({ saw }: RequestFixture): string[] =>
  saw.elements.map(({ action, element }) => `${action} ${element}`);
const service1: Item = { id: "mail", kind: "service", service: service(HERE, ["mailbox"]) };

test("a service in a new version at the same server: the same user is changed there, none is made and none is ended", async () => {
  const fixture = await had("same server", [service1], { mail: { mailbox: "ada" } });
  const [first] = fixture.saw.registrations;
  const again = await fixture.ask(["mail"]);
  assert.equal((await fixture.story(again.orderId)).items[0]?.cause, "had", "the same version is there");
  await released(fixture, { ...service1, service: service(HERE, ["mailbox", "quota"]) });
  const { subscriberId } = await fixture.story(again.orderId);
  const [before] = await fixture.requests.provisioned({ ...fixture.scope, subscriberId });
  assert.equal(before?.isOutdated, true);
  const { orderId } = await fixture.ask(["mail"], { fields: { mail: { quota: "10" } } });
  await deviceDoes(fixture, orderId);
  assert.equal((await fixture.status(orderId)).state, "completed");
  const second = fixture.saw.registrations.at(-1);
  assert.deepEqual(
    [second?.id, second?.remoteId, second?.isChange, second?.fields],
    [first?.id, "scim-1", true, { mailbox: "ada", quota: "10" }],
  );
  assert.deepEqual(fixture.saw.removals, []);
  assert.deepEqual(await held(fixture), ["mail 2"]);
  assert.ok((await fixture.events(orderId)).includes("item_replaced"));
  const removal = await fixture.ask(["mail"], { action: "remove" });
  await fixture.calls();
  assert.equal((await fixture.status(removal.orderId)).state, "completed");
  assert.deepEqual(
    fixture.saw.removals.map(({ id, remoteId }) => [id, remoteId]),
    [[first?.id, "scim-1"]],
    "one user was there, and one is ended",
  );
});

test("a service in a new version at another server: registered there first; the former registration ends when all of it is there", async () => {
  const fixture = await had("other server", [{ ...service1, elements: ["e-mail"] }], {
    mail: { mailbox: "ada" },
  });
  await released(fixture, {
    ...service1,
    service: service(ELSEWHERE, ["mailbox"]),
    elements: ["voice-mail"],
  });
  fixture.saw.elements.length = 0;
  fixture.answers.register = () =>
    Promise.resolve({ kind: "registered", remoteId: "scim-2", accessData: { user: "ada" } });
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  assert.equal((await itemOf(fixture, orderId, "mail")).state, "registered");
  assert.deepEqual(fixture.saw.removals, [], "until its access data is there, the former one stays");
  assert.deepEqual(tasksOf(fixture), ["add voice-mail"]);
  assert.deepEqual(await held(fixture), ["mail 1"]);
  await deviceDoes(fixture, orderId);
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(
    fixture.saw.registrations.at(-1)?.fields,
    { mailbox: "ada" },
    "what was given is not asked again",
  );
  assert.deepEqual(tasksOf(fixture), ["add voice-mail", "remove e-mail"]);
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.deepEqual(await held(fixture), ["mail 2"]);
  const events = await fixture.events(orderId);
  for (const kind of ["item_replaced", "registration_end_asked", "registration_removed"] as const)
    assert.ok(events.includes(kind), kind);
});

test("where the new server refuses, the former registration stays and the elements serve the former version again", async () => {
  const fixture = await had("refused", [{ ...service1, elements: ["e-mail"] }], { mail: { mailbox: "ada" } });
  await released(fixture, { ...service1, service: service(ELSEWHERE), elements: ["voice-mail"] });
  fixture.saw.elements.length = 0;
  fixture.answers.register = () => Promise.resolve(REFUSED);
  const { orderId } = await fixture.ask(["mail"]);
  await deviceDoes(fixture, orderId);
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.deepEqual(tasksOf(fixture), ["add voice-mail", "remove voice-mail"], "e-mail was never touched");
  assert.deepEqual([fixture.saw.removals, await held(fixture)], [[], ["mail 1"]]);
});

test("an element that refuses comes before service server and device: neither hears of a version that does not come about", async () => {
  const fixture = await had("element first", [{ ...service1, elements: ["e-mail"] }], {
    mail: { mailbox: "ada" },
  });
  await released(fixture, {
    ...service1,
    service: service(HERE, ["mailbox"], module("2")),
    elements: ["e-mail"],
  });
  const registered = fixture.saw.registrations.length;
  fixture.answers.element = () => Promise.resolve(REFUSED);
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.equal(fixture.saw.registrations.length, registered);
  assert.ok(!(await fixture.events(orderId)).includes("content_offered"));
  assert.deepEqual(await held(fixture), ["mail 1"]);
});

test("a service whose new software the device does not take is put back at its server, with what was given before", async () => {
  const mail: Item = { ...service1, service: service(HERE, ["mailbox"], module("1")) };
  const fixture = await had("software", [mail], { mail: { mailbox: "ada" } });
  await released(fixture, { ...mail, service: service(HERE, ["mailbox"], module("2")) });
  const { orderId } = await fixture.ask(["mail"], { fields: { mail: { mailbox: "countess" } } });
  for (let sends = 0; sends < 5; sends++) {
    await deviceDoes(fixture, orderId, true);
    const waits = (await fixture.status(orderId)).items.find(({ state }) => state === "awaiting_choice");
    if (!waits) break;
    await fixture.requests.chooseRetransmission(
      fixture.scope,
      { orderId, itemId: waits.id },
      "give_up",
      "screen",
    );
  }
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  const told = fixture.saw.registrations.map(({ fields, isChange = false }) => [fields.mailbox, isChange]);
  assert.deepEqual(told, [
    ["ada", false],
    ["countess", true],
    ["ada", true],
  ]);
  assert.ok((await fixture.events(orderId)).includes("registration_restored"));
  assert.deepEqual([fixture.saw.removals, await held(fixture)], [[], ["mail 1"]]);
  const next = await fixture.ask(["mail"]);
  await deviceDoes(fixture, next.orderId);
  assert.deepEqual(await held(fixture), ["mail 2"], "asked for again, it comes about");
});

const RELAY: Item = { id: "relay", elements: ["forwarding", "voice-mail"] };

test("an element that the new version has no use for lets go last, and it is replaced when that element says so", async () => {
  const fixture = await had("dropped", [RELAY]);
  await released(fixture, { ...RELAY, elements: ["forwarding"] });
  fixture.saw.elements.length = 0;
  fixture.answers.element = ({ action }) =>
    Promise.resolve(
      action === "remove"
        ? { kind: "failed", cause: "timeout", reason: "silent" }
        : { kind: "done", reference: null },
    );
  const { orderId } = await fixture.ask(["relay"]);
  await fixture.calls();
  assert.deepEqual(tasksOf(fixture), ["add forwarding", "remove voice-mail"]);
  assert.equal((await fixture.status(orderId)).state, "provisioning", "no answer yet");
  assert.deepEqual(await held(fixture), ["relay 1"]);
  fixture.answers.element = () => Promise.resolve({ kind: "done", reference: null });
  await shop.pass(60_000);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  const said = (await fixture.story(orderId)).events.filter(({ kind }) => kind === "element_done");
  assert.match(said.at(-1)?.reason ?? "", /voice-mail does nothing any more for the version before/);
  assert.equal(said.at(-1)?.evidence, "element:voice-mail");
  assert.deepEqual(await held(fixture), ["relay 2"]);
});

test("where it does not let go, what stands in the network alone is put back whole; what is on the device stands, and what is left is said", async () => {
  const fixture = await had("kept", [RELAY]);
  await released(fixture, { ...RELAY, elements: ["forwarding"] });
  fixture.saw.elements.length = 0;
  fixture.answers.element = ({ action }) =>
    Promise.resolve(action === "remove" ? REFUSED : { kind: "done", reference: null });
  const { orderId } = await fixture.ask(["relay"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.deepEqual(tasksOf(fixture), [
    "add forwarding",
    "remove voice-mail",
    ...["add voice-mail", "add forwarding"],
  ]);
  assert.deepEqual(await held(fixture), ["relay 1"]);

  const parameters = (target: string) => ({ kind: "parameters", values: { target } }) as const;
  const other = await had("left", [{ ...RELAY, content: parameters("one") }]);
  await released(other, { ...RELAY, content: parameters("two"), elements: ["forwarding"] });
  other.answers.element = fixture.answers.element;
  const there = await other.ask(["relay"]);
  await deviceDoes(other, there.orderId);
  const { state, items } = await other.status(there.orderId);
  assert.equal(state, "completed");
  assert.match(
    items[0]?.reason ?? "",
    /voice-mail did not let go of the version before.*a person has to see to it/,
  );
  assert.deepEqual(await held(other), ["relay 2"]);
});

const member = (id: string): Item => ({ id, elements: ["hlr-profile"] });
const PACK: Item = { id: "pack", kind: "package", includes: ["one", "two"] };

test("a package in a new version: what it holds now comes, and what it holds no more goes once all of that is there", async () => {
  const fixture = await had("package", [PACK, member("one"), member("two"), member("three"), RELAY], {}, [
    "pack",
  ]);
  await fixture.ask(["relay"]);
  await fixture.calls();
  fixture.saw.toldElements.length = 0;
  await released(fixture, { ...PACK, includes: ["one", "three"] });
  fixture.saw.elements.length = 0;
  const { orderId } = await fixture.ask(["pack"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(
    fixture.saw.elements.map(({ action, catalogId }) => `${action} ${catalogId}`),
    ["add three", "remove two"],
  );
  assert.deepEqual(await held(fixture), ["one 1", "relay 1", "three 1"]);
  assert.deepEqual(
    fixture.saw.toldElements
      .filter(({ element }) => element === "forwarding")
      .map(({ event, items }) => `${event} ${items.join(" ")}`)
      .sort(),
    ["provisioned three", "removed two"],
    "other elements hear what came and what went, each as what it is",
  );
  const told = (await fixture.told()).map(({ text }) => text);
  assert.ok(
    told.some((text) =>
      /is done: (three, one|one, three)\. No longer part of it, and ended: two\./.test(text),
    ),
    told.join("\n"),
  );
});

test("where the package does not come about whole, what it held before stays; and what they chose by itself never goes with it", async () => {
  const fixture = await had("not whole", [PACK, member("one"), member("two"), member("three")], {}, ["pack"]);
  await released(fixture, { ...PACK, includes: ["one", "three"] });
  fixture.answers.element = ({ catalogId }) =>
    Promise.resolve(catalogId === "three" ? REFUSED : { kind: "done", reference: null });
  const { orderId } = await fixture.ask(["pack"]);
  await fixture.calls();
  const stays = await itemOf(fixture, orderId, "two");
  assert.deepEqual([stays.state, /it stays, since three/.test(stays.reason)], ["cancelled", true]);
  assert.deepEqual(await held(fixture), ["one 1", "two 1"]);

  const other = await had("by itself", [PACK, member("one"), member("two"), member("three")], {}, ["two"]);
  await released(other, { ...PACK, includes: ["one", "three"] });
  const all = await other.ask(["pack"]);
  await other.calls();
  assert.equal((await other.status(all.orderId)).state, "completed");
  assert.deepEqual(await held(other), ["one 1", "three 1", "two 1"]);
});

const FIRST = "+4915198765432";
const SECOND = "+4915198765433";
const FORWARDING: Item = {
  id: "forwarding",
  elements: ["forwarding"],
  terms: "general",
  price: { onceMinor: 100, monthlyMinor: 100, currency: "EUR" },
  fields: [{ name: "target", label: { en: "Forward to" }, kind: "phone", required: true }],
};

test("another number to forward calls to: the element gets it, nothing is charged or agreed to again, and where it fails the former one stands", async () => {
  const fixture = await shop.fixture("given anew", [FORWARDING], { terms: ["general"] });
  const to = (target: string) => ({ fields: { forwarding: { target } } });
  const { orderId: first } = await fixture.ask(["forwarding"], to(FIRST));
  await fixture.requests.answerTerms(fixture.scope, first, "accept", "screen");
  await fixture.calls();
  assert.equal((await fixture.status(first)).state, "completed");
  const billed = fixture.saw.billing.length;
  const same = await fixture.ask(["forwarding"], to(FIRST));
  assert.equal(
    (await fixture.story(same.orderId)).items[0]?.cause,
    "had",
    "the same number is there already",
  );

  const { orderId } = await fixture.ask(["forwarding"], to(SECOND));
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  const targets = () => fixture.saw.elements.map(({ action, values }) => `${action} ${values.target}`);
  assert.deepEqual(targets(), [`add ${FIRST}`, `add ${SECOND}`]);
  assert.equal(fixture.saw.billing.length, billed);

  let refusals = 1;
  fixture.answers.element = () =>
    Promise.resolve(refusals-- > 0 ? REFUSED : { kind: "done", reference: null });
  const { orderId: third } = await fixture.ask(["forwarding"], to(FIRST));
  await fixture.calls();
  assert.equal((await fixture.status(third)).state, "failed");
  const back = await fixture.ask(["forwarding"], to(SECOND));
  assert.equal(
    (await fixture.story(back.orderId)).items[0]?.cause,
    "had",
    "what is held is the number that stands",
  );
  const rows = await shop.database.rows(
    "select to_jsonb(p) - 'given_sealed' as p from provisioned_item p where operator_id = $1 and given_sealed is not null",
    [fixture.operatorId],
  );
  assert.equal(rows.length, 1);
  assert.ok(!JSON.stringify([rows, await fixture.story(third)]).includes("98765433"), "nowhere in clear");
});
