/** How a request comes in on PostgreSQL: who asks, verification, packages, what cannot be had, offers (figure 7A; column 7). */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { requestShop, USER } from "../../../test/fixture/request-shop.ts";
import { withoutIds } from "../../../test/fixture/without-ids.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { noticeText } from "../../kernel/operator/notice-texts.ts";
import { DEFAULT_REQUEST_POLICY as DEFAULT } from "../../kernel/operator/request-policy.ts";
import { decodeContent } from "../../wire/message/content.ts";
import { encodeModule, signModule } from "../../wire/message/module.ts";
import { createAccounts } from "./account-store.ts";

const shop = await requestShop();
const { requires } = sampleItem("any");
const VOICE_MAIL = { id: "voice-mail", elements: ["voice-mail"] } as const;
const BANKING: Partial<CatalogItem> & { readonly id: string } = {
  id: "banking",
  requires: { ...requires, verification: true, card: true },
};
const CARD = {
  token: "tok-1",
  first6: "411111",
  last4: "1111",
  brand: "visa",
  index: new Uint8Array(32).fill(9),
};

test("who has never been seen is known from then on; who names nobody that is known is refused", async () => {
  const fixture = await shop.fixture("never seen", [VOICE_MAIL]);
  const { orderId } = await fixture.ask(["voice-mail"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  const byNumber = await fixture.ask(["voice-mail"], {
    who: { msisdn: fixture.msisdn },
    channel: "representative",
    actor: "shop 7",
  });
  assert.equal(
    (await fixture.story(byNumber.orderId)).subscriberId,
    (await fixture.story(orderId)).subscriberId,
  );
  await assert.rejects(fixture.ask(["voice-mail"], { who: { msisdn: pair("stranger").msisdn } }), {
    code: "identity_unknown",
  });
  await assert.rejects(fixture.ask(["voice-mail"], { who: {} }), { code: "identity_unknown" });
});

test("a request of nothing, of what no catalog has, or by somebody not known well enough is refused before anything", async () => {
  const fixture = await shop.fixture("refused", [
    VOICE_MAIL,
    { id: "vault", requires: { ...requires, assurance: "cert" } },
  ]);
  await assert.rejects(fixture.ask([]), { code: "selection_empty" });
  await assert.rejects(fixture.ask(["no-such-thing"]), { code: "catalog_item_unknown" });
  await assert.rejects(fixture.ask(["vault"]), { code: "assurance_too_low" });
  await assert.rejects(fixture.ask(["voice-mail"], { assurance: "none" }), { code: "assurance_too_low" });
  assert.ok((await fixture.ask(["vault"], { channel: "representative", assurance: "none" })).created);
  assert.ok((await fixture.ask(["vault"], { assurance: "cert" })).created);
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 2);
});

test("a user whom bureau and payment provider confirm goes on; his data and token go to them alone", async () => {
  const fixture = await shop.fixture("verified", [BANKING]);
  const { orderId } = await fixture.ask(["banking"], { card: CARD });
  assert.equal((await fixture.status(orderId)).state, "verifying");
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(
    fixture.saw.identities.map(({ user, msisdn }) => [user.givenName, msisdn]),
    [["Ada", fixture.msisdn]],
  );
  assert.deepEqual(
    fixture.saw.cards.map(({ token, amountMinor }) => [token, amountMinor]),
    [["tok-1", 0]],
  );
  const story = await fixture.story(orderId);
  const kept = withoutIds(JSON.stringify([story.events, story.calls, story.items]));
  assert.doesNotMatch(kept, /Lovelace|tok-1|4111/);
});

test("a mismatch, a refused card and silence until the deadline each reject the request, with nothing done", async () => {
  const cases = {
    mismatch: (fixture: Awaited<ReturnType<typeof shop.fixture>>) => {
      fixture.answers.identity = () =>
        Promise.resolve({ kind: "answered", outcome: "mismatch", score: 10, mismatched: ["birthdate"] });
    },
    card: (fixture: Awaited<ReturnType<typeof shop.fixture>>) => {
      fixture.answers.card = () => Promise.resolve({ kind: "refused", cause: "stolen", reason: "no" });
    },
    silence: (fixture: Awaited<ReturnType<typeof shop.fixture>>) => {
      fixture.answers.identity = () =>
        Promise.resolve({ kind: "failed", cause: "timeout", reason: "no answer" });
    },
    broken: (fixture: Awaited<ReturnType<typeof shop.fixture>>) => {
      fixture.answers.identity = () => Promise.reject(new Error("socket hang up of Ada"));
    },
  };
  for (const [name, arrange] of Object.entries(cases)) {
    const fixture = await shop.fixture(`rejected by ${name}`, [BANKING]);
    arrange(fixture);
    const { orderId } = await fixture.ask(["banking"], { card: CARD });
    await fixture.calls();
    const isSilent = name === "silence" || name === "broken";
    if (isSilent) {
      assert.equal((await fixture.status(orderId)).state, "verifying");
      await shop.pass(HOUR_MS);
    }
    const { state, items } = await fixture.status(orderId);
    assert.deepEqual([state, items[0]?.state], ["rejected", "cancelled"], name);
    await fixture.calls();
    assert.equal(fixture.saw.billing.length + fixture.saw.elements.length, 0);
    assert.equal(await shop.count("user_account", "operator_id = $1", [fixture.operatorId]), 0);
    assert.equal(await shop.count("request", "order_id = $1 and user_sealed is not null", [orderId]), 0);
    assert.ok((await fixture.told()).some(({ kind }) => kind === "declined"));
    assert.doesNotMatch(JSON.stringify((await fixture.story(orderId)).events), /Ada/);
  }
});

test("where no bureau is configured the request says so and is rejected in the end, never let through", async () => {
  const fixture = await shop.fixture("unset", [BANKING], { without: { bureauOf: () => undefined } });
  const { orderId } = await fixture.ask(["banking"], { card: CARD });
  await fixture.calls();
  const story = await fixture.story(orderId);
  assert.ok(story.events.some(({ reason }) => /not_configured/.test(reason)));
  await shop.pass(HOUR_MS);
  assert.equal((await fixture.status(orderId)).state, "rejected");
});

test("the short road does not change who somebody is: nobody looks at it there", async () => {
  const fixture = await shop.fixture("same person", [VOICE_MAIL, { id: "forward" }]);
  const first = await fixture.ask(["voice-mail"], { user: { ...USER, idDocument: "P 181512" } });
  await fixture.calls();
  const second = await fixture.ask(["forward"], {
    user: { familyName: "Mallory", idDocument: "X 1234", email: "new@example.org" },
  });
  assert.ok((await fixture.events(second.orderId)).includes("short_road"));
  const { subscriberId } = await fixture.story(first.orderId);
  const account = await createAccounts(shop.database, shop.sealer).find(fixture.operatorId, subscriberId);
  assert.deepEqual(
    [account?.user.familyName, account?.user.idDocument, account?.user.email],
    ["Lovelace", "P 181512", "new@example.org"],
  );
});

test("a device that was provisioned for this user before takes the short road", async () => {
  const fixture = await shop.fixture("short road", [VOICE_MAIL, { id: "forward" }], {
    policy: { verifyBy: "bureau" },
  });
  const first = await fixture.ask(["voice-mail"]);
  await fixture.calls();
  assert.equal((await fixture.status(first.orderId)).state, "completed");
  assert.equal(fixture.saw.identities.length, 1);
  const second = await fixture.ask(["forward"]);
  await fixture.calls();
  assert.equal(fixture.saw.identities.length, 1, "nobody outside is asked again");
  assert.ok((await fixture.events(second.orderId)).includes("short_road"));
  assert.equal((await fixture.status(second.orderId)).state, "completed");
});

test("a card on too many accounts stops the request, and the user is not told which pattern he met", async () => {
  const fraud = { ...DEFAULT.fraud, cardAccountsMax: 0 };
  const fixture = await shop.fixture("fraud", [VOICE_MAIL], { policy: { fraud } });
  const first = await fixture.ask(["voice-mail"], { card: CARD });
  await fixture.calls();
  assert.equal((await fixture.status(first.orderId)).state, "completed");
  const { orderId } = await fixture.ask(["voice-mail"], { card: CARD, who: pair("accomplice") });
  const status = await fixture.status(orderId);
  assert.equal(status.state, "rejected");
  assert.doesNotMatch(status.reason, /card/);
  const event = (await fixture.story(orderId)).events.find(({ kind }) => kind === "order_rejected");
  assert.deepEqual(event?.detail, { reasons: ["card_on_many_accounts"] });
});

test("a package expands to its members, each with its own outcome, and one price for all", async () => {
  const fixture = await shop.fixture("package", [
    VOICE_MAIL,
    { id: "forward", elements: ["forwarding"] },
    { id: "browser", content: { kind: "activation", module: "wap-browser" } },
    {
      id: "starter",
      kind: "package",
      includes: ["voice-mail", "forward", "browser"],
      price: { onceMinor: 500, monthlyMinor: 900, currency: "EUR" },
    },
  ]);
  const { orderId } = await fixture.ask(["starter"]);
  await fixture.calls();
  const items = (await fixture.status(orderId)).items;
  assert.deepEqual(
    items.map(({ catalogId, package: of }) => [catalogId, of]),
    [
      ["voice-mail", "starter"],
      ["forward", "starter"],
      ["browser", "starter"],
    ],
  );
  await fixture.requests.deviceReports(
    fixture.scope,
    { orderId, itemId: items[2]!.id },
    { kind: "failed", cause: "x" },
    "wideband",
  );
  await fixture.requests.chooseRetransmission(
    fixture.scope,
    { orderId, itemId: items[2]!.id },
    "give_up",
    "screen",
  );
  assert.equal((await fixture.status(orderId)).state, "partly_completed");
  const last = (await fixture.told()).at(-1);
  assert.match(last!.text, /done: voice-mail, forward\. Not done: browser/);
  await fixture.calls();
  shop.time.now += 10_000;
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing
      .filter(({ kind }) => kind === "feature")
      .map(({ catalogId, onceMinor }) => [catalogId, onceMinor]),
    [
      ["voice-mail", 500],
      ["forward", 0],
    ],
  );
});

test("what cannot be had is named in a notice, and the rest goes on or stops as the policy says", async () => {
  const items = [
    VOICE_MAIL,
    { id: "gone", available: false },
    { id: "red", conflicts: ["blue"] },
    { id: "blue" },
    { id: "browser", content: { kind: "activation", module: "wap-browser" } },
  ] as const;
  const going = await shop.fixture("goes on", items);
  const { orderId } = await going.ask(["voice-mail", "gone", "red", "blue"]);
  await going.calls();
  assert.equal((await going.status(orderId)).state, "partly_completed");
  const told = await going.told();
  assert.match(told.find(({ kind }) => kind === "unavailable")!.text, /not available: gone/);
  assert.deepEqual(
    told
      .filter(({ kind }) => kind === "conflict")
      .map(({ text }) => /: (\w+) cannot stand beside (\w+);/.exec(text)?.slice(1)),
    [
      ["red", "blue"],
      ["blue", "red"],
    ],
  );
  assert.deepEqual(
    (await going.story(orderId)).items.map(({ subject, state, cause }) => [subject!.catalogId, state, cause]),
    [
      ["voice-mail", "delivered", null],
      ["gone", "failed", "unavailable"],
      ["red", "failed", "conflict"],
      ["blue", "failed", "conflict"],
    ],
  );
  const stopping = await shop.fixture("stops", items, { policy: { unavailableItem: "stop" } });
  const stopped = await stopping.ask(["voice-mail", "gone"]);
  await stopping.calls();
  assert.equal((await stopping.status(stopped.orderId)).state, "failed");
  assert.equal(stopping.saw.elements.length + stopping.saw.billing.length, 0);
  const plain = await shop.fixture("no client", items);
  const { orderId: without } = await plain.ask(["browser"], { noticeKey: null });
  assert.match((await plain.status(without)).items[0]!.reason, /needs the client module/);
});

test("notices go in the request's language, and in English where the operator has none in it", async () => {
  const items = ["x", "y"].map((id) => ({ id, terms: "t" }));
  const fixture = await shop.fixture("languages", items, { terms: ["t"] });
  for (const [id, language, words] of [
    ["x", "de-AT", /Antworten Sie JA/],
    ["y", "fi", /Reply YES/],
  ] as const) {
    await fixture.ask([id], { language, noticeKey: null });
    const [terms] = await fixture.told();
    assert.match(terms!.text, words);
  }
  const policy = { ...DEFAULT, notices: { en: { done: "own" }, fr: { done: "fini" } } };
  assert.deepEqual(
    [noticeText(policy, "done", "fr"), noticeText(policy, "done", "de"), noticeText(policy, "failed", "fr")],
    ["fini", "own", noticeText(DEFAULT, "failed", "en")],
  );
});

test("while it waits, the subscriber hears how far it is, as often as the policy says", async () => {
  const fixture = await shop.fixture("periodic", [{ id: "x", terms: "t" }], {
    terms: ["t"],
    policy: { statusIntervalMinutes: 60, consentDeadlineHours: 4 },
  });
  const { orderId } = await fixture.ask(["x"]);
  await fixture.told();
  const kinds: string[] = [];
  for (let hour = 1; hour <= 4; hour++) {
    await shop.pass(HOUR_MS);
    kinds.push(
      ...(await fixture.told()).map(({ text }) => (/waiting for your answer/.test(text) ? "status" : "end")),
    );
  }
  assert.deepEqual(kinds, ["status", "status", "status", "end"]);
  assert.equal((await fixture.status(orderId)).state, "expired");
});

test("a reply without a number answers the only question; with two questions it is asked which", async () => {
  const items = ["x", "y"].map((id) => ({ id, terms: "t" }));
  const fixture = await shop.fixture("replies", items, { terms: ["t"] });
  const first = await fixture.ask(["x"]);
  assert.equal(await fixture.requests.textCame(fixture.msisdn, "what is this?"), false);
  assert.equal(await fixture.requests.textCame(pair("nobody").msisdn, "yes"), false);
  assert.equal(await fixture.requests.textCame(fixture.msisdn, "Yes!"), true);
  assert.equal((await fixture.status(first.orderId)).state, "completed");
  const [second, third] = [
    await fixture.ask(["x"], { who: pair("r2") }),
    await fixture.ask(["y"], { who: pair("r2") }),
  ];
  await fixture.told();
  assert.equal(await fixture.requests.textCame(pair("r2").msisdn, "yes"), true);
  const told = await fixture.told();
  assert.match(told[0]!.text, /with the number/);
  for (const { orderId } of [second, third])
    assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
});

test("another subscriber's scope sees no request and answers none", async () => {
  const fixture = await shop.fixture("scopes", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const { orderId, reference } = await fixture.ask(["x"]);
  const { orderId: foreign } = await fixture.ask(["x"], { who: pair("stranger to scopes") });
  const scope = { operatorId: fixture.operatorId, subscriberId: (await fixture.story(foreign)).subscriberId };
  assert.equal(await fixture.requests.find(scope, reference), undefined);
  await assert.rejects(fixture.requests.answerTerms(scope, orderId, "accept", "screen"), {
    code: "order_not_found",
  });
  const elsewhere = await shop.operator();
  assert.equal(
    await fixture.requests.find({ operatorId: elsewhere, subscriberId: null }, reference),
    undefined,
  );
  assert.equal(
    (await fixture.requests.find({ ...scope, subscriberId: null }, reference.toLowerCase()))?.orderId,
    orderId,
  );
});

test("a reply under another device's key, or changed on the way, is none", async () => {
  const fixture = await shop.fixture("foreign key", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const other = await shop.fixture("other key", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const { orderId, reference } = await fixture.ask(["x"]);
  await other.ask(["x"]);
  assert.equal(await other.reply("accept", { reference }), false);
  assert.equal(await fixture.requests.replyCame(new Uint8Array(50)), false);
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
  assert.equal(await fixture.reply("accept", { reference }), true);
  assert.equal(await fixture.reply("accept", { reference }), true, "said twice it changes nothing");
  assert.equal((await fixture.status(orderId)).state, "completed");
});

test("an offer goes once to each who is known; a reply starts the same flow with it filled in, and closes it", async () => {
  const fixture = await shop.fixture("offers", [VOICE_MAIL, { id: "gold", terms: "t" }], { terms: ["t"] });
  await fixture.ask(["voice-mail"], { noticeKey: null });
  await fixture.calls();
  await fixture.told();
  const send = () =>
    fixture.requests.sendOffers(fixture.operatorId, {
      itemId: "gold",
      to: [{ msisdn: fixture.msisdn }, { msisdn: pair("unknown to offers").msisdn }],
      actor: "marketing",
      idempotencyKey: "spring",
    });
  assert.deepEqual(
    (await send()).map(({ outcome }) => outcome),
    ["sent", "unknown_subscriber"],
  );
  assert.deepEqual(
    (await send()).map(({ outcome }) => outcome),
    ["repeated", "unknown_subscriber"],
  );
  const [offer] = await fixture.told();
  const code = /YES (\d{4})/.exec(offer!.text)![1]!;
  const token = offer!.text.split("/").at(-1)!;
  assert.equal((await fixture.requests.findOffer(token))?.itemId, "gold");
  assert.equal(await fixture.requests.findOffer("no such token"), undefined);
  assert.equal(await fixture.requests.textCame(fixture.msisdn, `yes ${code}`), true);
  const terms = (await fixture.told()).find(({ text }) => /Terms of t/.test(text));
  assert.ok(terms, "it is agreed to like any other request");
  const [order] = await shop.database.rows<{ id: string; state: string }>(
    "select o.id, o.state from provisioning_order o where operator_id = $1 and cause = 'offer'",
    [fixture.operatorId],
  );
  assert.equal(order?.state, "awaiting_consent");
  assert.equal(await shop.count("offer", "order_id = $1 and state = 'taken'", [order!.id]), 1);
  assert.equal(await fixture.requests.textCame(fixture.msisdn, `yes ${code}`), true);
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [fixture.operatorId]),
    1,
  );
});

test("what was asked for at a sighting's time does not take its place, and is not replaced by it", async () => {
  const fixture = await shop.fixture("beside a sighting", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const { orderId } = await fixture.ask(["x"]);
  const [seen] = await shop.see(fixture.operatorId, {
    imsi: fixture.imsi,
    imei: fixture.imei,
    msisdn: fixture.msisdn,
  });
  assert.ok(seen && "orderId" in seen);
  await fixture.ask(["x"]);
  await shop.pass(0);
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
  assert.equal((await fixture.story(seen.orderId)).state, "provisioning");
});

test("an item that cannot be composed fails alone, and a subscriber's yes is kept all the same", async () => {
  const values = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`value${at}`, "x"]));
  const many = { kind: "parameters", values } as const;
  const fixture = await shop.fixture(
    "too many values",
    [{ id: "many", terms: "t", content: many }, VOICE_MAIL, { id: "points", content: { kind: "settings" } }],
    { terms: ["t"], policy: { narrowbandContentOctets: 100 } },
  );
  const choice = shop.world.choice;
  shop.world.choice = { kind: "chosen", values: { name: "M", points: [] }, confirmed: true, source: "test" };
  const { orderId } = await fixture.ask(["many", "voice-mail", "points"]);
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  shop.world.choice = choice;
  await fixture.calls();
  const story = await fixture.story(orderId);
  assert.deepEqual(
    story.items.map(({ state, cause }) => [state, cause]),
    [
      ["failed", "cannot_be_composed"],
      ["delivered", null],
      ["failed", "cannot_be_composed"],
    ],
  );
  assert.equal(story.state, "partly_completed");
});

test("access points that were asked for go by the road of a sighting, and are done at the level of the policy", async () => {
  const fixture = await shop.fixture("settings", [{ id: "internet", content: { kind: "settings" } }]);
  const { orderId } = await fixture.ask(["internet"], { noticeKey: null });
  const story = await fixture.story(orderId);
  assert.deepEqual(
    story.messages.map(({ kind, protocol }) => [kind, protocol]),
    [["settings", "omacp"]],
  );
  const traffic = { kind: "traffic", imsi: fixture.imsi, apn: "internet", source: "probe" } as const;
  const [early] = await shop.conductor.confirm(fixture.operatorId, [traffic]);
  assert.equal(early?.outcome, "no_order", "nothing was handed over yet that it could prove");
  await fixture.submitted(story.messages.map(({ id, partCount }) => ({ messageId: id, parts: partCount })));
  assert.deepEqual(await shop.conductor.confirm(fixture.operatorId, [traffic]), [{ outcome: "booked" }]);
  assert.equal((await fixture.status(orderId)).state, "completed");
  await fixture.calls();
  shop.time.now += 10_000;
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind }) => kind),
    ["account", "feature"],
  );
});

test("a subscriber hears what somebody else asked for in his name, and what was removed", async () => {
  const fixture = await shop.fixture("by staff", [VOICE_MAIL]);
  await fixture.ask(["voice-mail"], { channel: "representative", actor: "shop 7", noticeKey: null });
  await fixture.calls();
  const [changed, done] = await fixture.told();
  assert.match(changed!.text, /shop 7 asked for a change for you: voice-mail/);
  assert.match(done!.text, /is done: voice-mail/);
  for (let again = 0; again < 3; again++) {
    await fixture.calls();
    shop.time.now += 10_000;
  }
  await fixture.ask(["voice-mail"], { action: "remove", noticeKey: null });
  await fixture.calls();
  assert.match((await fixture.told()).at(-1)!.text, /removed: voice-mail/);
  assert.deepEqual(
    fixture.saw.elements.map(({ action }) => action),
    ["add", "remove"],
  );
});

test("a person of the operator may have content sent once more; an order that ended is not opened again", async () => {
  const fixture = await shop.fixture("resend", [
    { id: "browser", content: { kind: "activation", module: "b" } },
  ]);
  const { orderId } = await fixture.ask(["browser"]);
  await fixture.told();
  await shop.conductor.resend(fixture.operatorId, orderId, "care");
  assert.deepEqual(
    (await fixture.told()).map(({ kind }) => kind),
    ["content_ready"],
  );
  const [item] = (await fixture.status(orderId)).items;
  await fixture.installed(orderId, item!.id);
  await assert.rejects(shop.conductor.resend(fixture.operatorId, orderId, "care"), { code: "order_closed" });
});

test("module octets come from the catalog or from the server that keeps them, and are what the catalog names", async () => {
  const { signed, sha256 } = signedModule();
  const content = {
    kind: "module",
    module: "chess",
    version: "1.0",
    sha256,
    octets: signed.length,
    url: "https://content.example/chess",
  } as const;
  const fixture = await shop.fixture("module elsewhere", [{ id: "chess", content }]);
  const { orderId } = await fixture.ask(["chess"]);
  const [item] = (await fixture.status(orderId)).items;
  const fetched = () => fixture.requests.content(fixture.scope, { orderId, itemId: item!.id });
  await assert.rejects(fetched(), { code: "content_unavailable" });
  shop.world.fetchModule = async () => Uint8Array.of(1, 2, 3);
  await assert.rejects(fetched(), { code: "content_unavailable", message: /other octets/ });
  shop.world.fetchModule = async () => signed;
  const got = decodeContent((await fetched())!.bytes);
  assert.deepEqual(
    got.modules.map(({ name, version }) => [name, version]),
    [["chess", "1.0"]],
  );
});

function signedModule(): { readonly signed: Uint8Array; readonly sha256: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const module = { name: "chess", version: "1.0", vendor: "acme", bytes: Uint8Array.of(7, 7, 7) };
  const signed = encodeModule(signModule(module, privateKey));
  return { signed, sha256: createHash("sha256").update(signed).digest("hex") };
}
