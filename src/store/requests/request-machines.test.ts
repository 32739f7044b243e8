/**
 * Whatever machines an operator has or has not, each that is there holds at the end what the subscriber was told, and what
 * was not ended by who provides it is not called removed.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { NO_CONNECTORS } from "../../kernel/conductor/request-calls.ts";

const shop = await requestShop();

const BILLING = ["none", "knows no account", "knows the account"] as const;
const ELEMENTS = ["none", "of the network"] as const;
const MAIL = ["none", "a server"] as const;
type Machines = {
  readonly billing: (typeof BILLING)[number];
  readonly elements: (typeof ELEMENTS)[number];
  readonly mail: (typeof MAIL)[number];
};
const ALL: readonly Machines[] = BILLING.flatMap((billing) =>
  ELEMENTS.flatMap((elements) => MAIL.map((mail) => ({ billing, elements, mail }))),
);
const RETRY_MS = 5 * 60_000;
const RETRIES = 3;

const serviceOf = (id: string, { elements }: Machines): Partial<CatalogItem> & { readonly id: string } => ({
  id,
  kind: "service",
  terms: "general",
  service: { uri: `https://${id}.example/scim`, module: null, fields: [] },
  elements: elements === "none" ? [] : ["e-mail"],
});

/** The books that the machines keep: what they were told and answered yes to, and nothing of what they refused. */
function booksOf(fixture: RequestFixture, { billing }: Machines) {
  const books = {
    service: new Set<string>(),
    elements: new Set<string>(),
    bill: new Set<string>(),
    mails: 0,
  };
  const refuses = { removal: false, element: false };
  const no = { kind: "refused", cause: "not_now", reason: "no" } as const;
  const done = { kind: "done", reference: null } as const;
  const prepared = new Map<string, () => void>();
  const at = { remoteIds: 0 };
  const { answers } = fixture;
  answers.register = async () => {
    const remoteId = `scim-${++at.remoteIds}`;
    books.service.add(remoteId);
    return { kind: "registered", remoteId, accessData: { user: "ada", password: "open-Sesame-77" } };
  };
  answers.remove = async ({ remoteId }) => {
    if (refuses.removal) return no;
    assert.ok(books.service.delete(remoteId!), `${remoteId} is registered there`);
    return { kind: "done" };
  };
  answers.element = async () => {
    const { element, action, catalogId } = fixture.saw.elements.at(-1)!;
    if (refuses.element && action === "remove") return no;
    books.elements[action === "add" ? "add" : "delete"](`${element} ${catalogId}`);
    return done;
  };
  answers.billing = async () => {
    const { id, kind, action, catalogId, prepared: reserved } = fixture.saw.billing.at(-1)!;
    if (billing === "knows no account") return { kind: "refused", cause: "no_such_account", reason: "no" };
    const book = () => void books.bill[action === "add" ? "add" : "delete"](catalogId!);
    if (kind === "service" || kind === "feature") book();
    if (kind === "prepare") prepared.set(id, book);
    if (kind === "commit") prepared.get(reserved!)!();
    if (kind === "commit" || kind === "abort") prepared.delete(reserved!);
    return { kind: "done", reference: `bill ${id}` };
  };
  answers.mail = async () => {
    books.mails += 1;
    return done;
  };
  const read = () => ({
    service: [...books.service],
    elements: [...books.elements].sort(),
    bill: [...books.bill].sort(),
    reserved: prepared.size,
    mails: books.mails,
  });
  return { read, refuses };
}

async function fixtureWith(name: string, machines: Machines) {
  const { billingOf, mailOf } = NO_CONNECTORS;
  const fixture = await shop.fixture(name, [serviceOf("mail", machines), serviceOf("news", machines)], {
    terms: ["general"],
    policy: { termsAlsoBy: ["mail"] },
    without: {
      ...(machines.billing === "none" && { billingOf }),
      ...(machines.mail === "none" && { mailOf }),
    },
  });
  const books = booksOf(fixture, machines);
  /** Asked, agreed to where terms are to be agreed to, and everybody was asked as often as it takes. */
  const through = async (item: string, action: "add" | "remove") => {
    const { orderId } = await fixture.ask([item], { action });
    const told = [...(await fixture.told())];
    const isAsked = (await fixture.status(orderId)).state === "awaiting_consent";
    if (isAsked) {
      await fixture.calls();
      await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
    }
    const early = told.filter(({ text }) => / is done|removed/.test(text));
    assert.deepEqual(early, [], "nobody was asked yet");
    for (let again = 0; again < RETRIES; again++) {
      await fixture.calls();
      told.push(...(await fixture.told()));
      shop.time.now += RETRY_MS;
    }
    const { state, items } = await fixture.status(orderId);
    const { subscriberId } = await fixture.story(orderId);
    const had = await fixture.requests.provisioned({ ...fixture.scope, subscriberId });
    return {
      state,
      item: items[0]!.state,
      isRemovalSaid: told.some(({ text }) => /removed/.test(text)),
      last: told
        .at(-1)!
        .text.replace(/^.*request \w+ ?/, "")
        .replace(/^is /, ""),
      had: had.map(({ itemId }) => itemId).sort(),
      isMailed: (await fixture.events(orderId)).includes("mail_sent"),
    };
  };
  return { fixture, books, through };
}

for (const machines of ALL) {
  const { billing, elements, mail } = machines;
  const name = `billing: ${billing}, elements: ${elements}, mail: ${mail}`;
  const bill = (...ids: string[]): string[] => (billing === "knows the account" ? ids : []);
  const network = (...ids: string[]): string[] =>
    elements === "none" ? [] : ids.map((id) => `e-mail ${id}`);

  test(`added, changed and removed, each party has what the subscriber was told (${name})`, async () => {
    const { books, through, fixture } = await fixtureWith(name, machines);
    const isMailed = mail === "a server";
    const added = await through("mail", "add");
    assert.deepEqual(added, {
      ...{ state: "completed", item: "access_data_sent", isRemovalSaid: false, last: "done: mail." },
      ...{ had: ["mail"], isMailed },
    });
    const first = { service: ["scim-1"], elements: network("mail"), bill: bill("mail"), reserved: 0 };
    assert.deepEqual(books.read(), { ...first, mails: isMailed ? 1 : 0 });

    const changed = await through("news", "add");
    assert.deepEqual(changed, { ...added, last: "done: news.", had: ["mail", "news"] });
    const both = {
      service: ["scim-1", "scim-2"],
      elements: network("mail", "news"),
      bill: bill("mail", "news"),
      reserved: 0,
      mails: isMailed ? 2 : 0,
    };
    assert.deepEqual(books.read(), both);

    const removed = await through("mail", "remove");
    assert.deepEqual(removed, {
      ...{ state: "completed", item: "works", isRemovalSaid: true, last: "done: removed: mail." },
      ...{ had: ["news"], isMailed: false },
    });
    assert.deepEqual(
      fixture.saw.removals.map(({ remoteId }) => remoteId),
      ["scim-1"],
      "the service server was asked once",
    );
    const rest = { service: ["scim-2"], elements: network("news"), bill: bill("news"), reserved: 0 };
    assert.deepEqual(books.read(), { ...rest, mails: both.mails });
  });

  if (mail === "a server") continue; // no letter goes out with a removal
  const refusers = elements === "none" ? (["removal"] as const) : (["removal", "element"] as const);
  for (const refuser of refusers) {
    const who = refuser === "removal" ? "the service server" : "an element";
    test(`what ${who} does not end is had, billed and provided as before, and nobody says that it was removed (${name})`, async () => {
      const { books, through } = await fixtureWith(`${refuser} refused, ${name}`, machines);
      await through("mail", "add");
      const before = books.read();
      books.refuses[refuser] = true;
      const { last, ...said } = await through("mail", "remove");
      assert.deepEqual(said, {
        ...{ state: "failed", item: "failed", isRemovalSaid: false, had: ["mail"], isMailed: false },
      });
      assert.match(last, /^failed: .*not_now/);
      assert.deepEqual(books.read(), before);
      books.refuses[refuser] = false;
      const again = await through("mail", "remove");
      assert.deepEqual([again.state, again.had, again.isRemovalSaid], ["completed", [], true]);
      assert.deepEqual(books.read(), { ...before, service: [], elements: [], bill: [] });
    });
  }
}

test("an element that the service needs and the operator has not fails the service, and what was registered is ended", async () => {
  for (const billing of BILLING) {
    const machines = { billing, elements: "of the network", mail: "none" } as const;
    const { elementOf, billingOf } = NO_CONNECTORS;
    const fixture = await shop.fixture(
      `no element, ${billing}`,
      [{ ...serviceOf("mail", machines), terms: null }],
      {
        without: { elementOf, ...(billing === "none" && { billingOf }) },
      },
    );
    const books = booksOf(fixture, machines);
    const { orderId } = await fixture.ask(["mail"]);
    for (let hour = 0; hour < 30 && (await fixture.status(orderId)).state !== "failed"; hour++) {
      await fixture.calls();
      await shop.pass(60 * 60_000);
    }
    await fixture.calls();
    const story = await fixture.story(orderId);
    assert.equal(story.state, "failed");
    assert.match(story.items[0]!.reason, /e-mail failed: not_configured/);
    assert.deepEqual(books.read(), { service: [], elements: [], bill: [], reserved: 0, mails: 0 });
  }
});
