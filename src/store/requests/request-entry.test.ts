/** How a request comes in on PostgreSQL: who asks, verification, packages, what cannot be had, offers (figure 7A; column 7). */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { requestShop, USER } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { DEFAULT_REQUEST_POLICY as DEFAULT, noticeText } from "../../kernel/order/request-policy.ts";
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
  const house = await shop.house("never seen", [VOICE_MAIL]);
  const { orderId } = await house.ask(["voice-mail"]);
  await house.errands();
  assert.equal((await house.status(orderId)).state, "completed");
  const byNumber = await house.ask(["voice-mail"], {
    who: { msisdn: house.msisdn },
    road: "representative",
    actor: "shop 7",
  });
  assert.equal((await house.story(byNumber.orderId)).subscriberId, (await house.story(orderId)).subscriberId);
  await assert.rejects(house.ask(["voice-mail"], { who: { msisdn: pair("stranger").msisdn } }), {
    code: "identity_unknown",
  });
  await assert.rejects(house.ask(["voice-mail"], { who: {} }), { code: "identity_unknown" });
});

test("a request of nothing, of what no catalog has, or by somebody not known well enough is refused before anything", async () => {
  const house = await shop.house("refused", [
    VOICE_MAIL,
    { id: "vault", requires: { ...requires, assurance: "cert" } },
  ]);
  await assert.rejects(house.ask([]), { code: "selection_empty" });
  await assert.rejects(house.ask(["no-such-thing"]), { code: "catalog_item_unknown" });
  await assert.rejects(house.ask(["vault"]), { code: "assurance_too_low" });
  await assert.rejects(house.ask(["voice-mail"], { assurance: "none" }), { code: "assurance_too_low" });
  assert.ok((await house.ask(["vault"], { road: "representative", assurance: "none" })).created);
  assert.ok((await house.ask(["vault"], { assurance: "cert" })).created);
  assert.equal(await shop.count("request", "operator_id = $1", [house.operatorId]), 2);
});

test("a user whom bureau and payment house confirm goes on; his data and token go to them alone", async () => {
  const house = await shop.house("verified", [BANKING]);
  const { orderId } = await house.ask(["banking"], { card: CARD });
  assert.equal((await house.status(orderId)).state, "verifying");
  await house.errands();
  assert.equal((await house.status(orderId)).state, "completed");
  assert.deepEqual(
    house.saw.identities.map(({ user, msisdn }) => [user.givenName, msisdn]),
    [["Ada", house.msisdn]],
  );
  assert.deepEqual(
    house.saw.cards.map(({ token, amountMinor }) => [token, amountMinor]),
    [["tok-1", 0]],
  );
  const story = await house.story(orderId);
  assert.doesNotMatch(JSON.stringify([story.events, story.calls, story.items]), /Lovelace|tok-1|4111/);
});

test("a mismatch, a refused card and silence until the deadline each reject the request, with nothing done", async () => {
  const cases = {
    mismatch: (house: Awaited<ReturnType<typeof shop.house>>) => {
      house.answers.identity = () =>
        Promise.resolve({ kind: "answered", outcome: "mismatch", score: 10, mismatched: ["birthdate"] });
    },
    card: (house: Awaited<ReturnType<typeof shop.house>>) => {
      house.answers.card = () => Promise.resolve({ kind: "refused", cause: "stolen", reason: "no" });
    },
    silence: (house: Awaited<ReturnType<typeof shop.house>>) => {
      house.answers.identity = () =>
        Promise.resolve({ kind: "failed", cause: "timeout", reason: "no answer" });
    },
    broken: (house: Awaited<ReturnType<typeof shop.house>>) => {
      house.answers.identity = () => Promise.reject(new Error("socket hang up of Ada"));
    },
  };
  for (const [name, arrange] of Object.entries(cases)) {
    const house = await shop.house(`rejected by ${name}`, [BANKING]);
    arrange(house);
    const { orderId } = await house.ask(["banking"], { card: CARD });
    await house.errands();
    const isSilent = name === "silence" || name === "broken";
    if (isSilent) {
      assert.equal((await house.status(orderId)).state, "verifying");
      await shop.pass(HOUR_MS);
    }
    const { state, items } = await house.status(orderId);
    assert.deepEqual([state, items[0]?.state], ["rejected", "cancelled"], name);
    await house.errands();
    assert.equal(house.saw.billing.length + house.saw.elements.length, 0);
    assert.equal(await shop.count("user_account", "operator_id = $1", [house.operatorId]), 0);
    assert.equal(await shop.count("request", "order_id = $1 and user_sealed is not null", [orderId]), 0);
    assert.ok((await house.told()).some(({ kind }) => kind === "declined"));
    assert.doesNotMatch(JSON.stringify((await house.story(orderId)).events), /Ada/);
  }
});

test("where no bureau is configured the request says so and is rejected in the end, never let through", async () => {
  const house = await shop.house("unset", [BANKING], { without: { bureauOf: () => undefined } });
  const { orderId } = await house.ask(["banking"], { card: CARD });
  await house.errands();
  const story = await house.story(orderId);
  assert.ok(story.events.some(({ reason }) => /not_configured/.test(reason)));
  await shop.pass(HOUR_MS);
  assert.equal((await house.status(orderId)).state, "rejected");
});

test("the short road does not change who somebody is: nobody looks at it there", async () => {
  const house = await shop.house("same person", [VOICE_MAIL, { id: "forward" }]);
  const first = await house.ask(["voice-mail"], { user: { ...USER, idDocument: "P 181512" } });
  await house.errands();
  const second = await house.ask(["forward"], {
    user: { familyName: "Mallory", idDocument: "X 1234", email: "new@example.org" },
  });
  assert.ok((await house.events(second.orderId)).includes("short_road"));
  const { subscriberId } = await house.story(first.orderId);
  const account = await createAccounts(shop.database, shop.sealer).find(house.operatorId, subscriberId);
  assert.deepEqual(
    [account?.user.familyName, account?.user.idDocument, account?.user.email],
    ["Lovelace", "P 181512", "new@example.org"],
  );
});

test("a device that was provisioned for this user before takes the short road", async () => {
  const house = await shop.house("short road", [VOICE_MAIL, { id: "forward" }], {
    policy: { verifyBy: "bureau" },
  });
  const first = await house.ask(["voice-mail"]);
  await house.errands();
  assert.equal((await house.status(first.orderId)).state, "completed");
  assert.equal(house.saw.identities.length, 1);
  const second = await house.ask(["forward"]);
  await house.errands();
  assert.equal(house.saw.identities.length, 1, "nobody outside is asked again");
  assert.ok((await house.events(second.orderId)).includes("short_road"));
  assert.equal((await house.status(second.orderId)).state, "completed");
});

test("a card on too many accounts stops the request, and the user is not told which pattern he met", async () => {
  const fraud = { ...DEFAULT.fraud, cardAccountsMax: 0 };
  const house = await shop.house("fraud", [VOICE_MAIL], { policy: { fraud } });
  const first = await house.ask(["voice-mail"], { card: CARD });
  await house.errands();
  assert.equal((await house.status(first.orderId)).state, "completed");
  const { orderId } = await house.ask(["voice-mail"], { card: CARD, who: pair("accomplice") });
  const status = await house.status(orderId);
  assert.equal(status.state, "rejected");
  assert.doesNotMatch(status.reason, /card/);
  const event = (await house.story(orderId)).events.find(({ kind }) => kind === "order_rejected");
  assert.deepEqual(event?.detail, { reasons: ["card_on_many_accounts"] });
});

test("a package expands to its members, each with its own outcome, and one price for all", async () => {
  const house = await shop.house("package", [
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
  const { orderId } = await house.ask(["starter"]);
  await house.errands();
  const items = (await house.status(orderId)).items;
  assert.deepEqual(
    items.map(({ catalogId, package: of }) => [catalogId, of]),
    [
      ["voice-mail", "starter"],
      ["forward", "starter"],
      ["browser", "starter"],
    ],
  );
  await house.requests.deviceReports(
    house.scope,
    orderId,
    items[2]!.id,
    { kind: "failed", cause: "x" },
    "wideband",
  );
  await house.requests.chooseRetransmission(house.scope, orderId, items[2]!.id, "give_up", "screen");
  assert.equal((await house.status(orderId)).state, "partly_completed");
  const last = (await house.told()).at(-1);
  assert.match(last!.text, /done: voice-mail, forward\. Not done: browser/);
  await house.errands();
  shop.time.now += 10_000;
  await house.errands();
  assert.deepEqual(
    house.saw.billing
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
  const going = await shop.house("goes on", items);
  const { orderId } = await going.ask(["voice-mail", "gone", "red", "blue"]);
  await going.errands();
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
  const stopping = await shop.house("stops", items, { policy: { unavailableItem: "stop" } });
  const stopped = await stopping.ask(["voice-mail", "gone"]);
  await stopping.errands();
  assert.equal((await stopping.status(stopped.orderId)).state, "failed");
  assert.equal(stopping.saw.elements.length + stopping.saw.billing.length, 0);
  const plain = await shop.house("no client", items);
  const { orderId: without } = await plain.ask(["browser"], { noticeKey: null });
  assert.match((await plain.status(without)).items[0]!.reason, /needs the client module/);
});

test("notices go in the request's language, and in English where the operator has none in it", async () => {
  const items = ["x", "y"].map((id) => ({ id, terms: "t" }));
  const house = await shop.house("languages", items, { terms: ["t"] });
  for (const [id, language, words] of [
    ["x", "de-AT", /Antworten Sie JA/],
    ["y", "fi", /Reply YES/],
  ] as const) {
    await house.ask([id], { language, noticeKey: null });
    const [terms] = await house.told();
    assert.match(terms!.text, words);
  }
  const policy = { ...DEFAULT, notices: { en: { done: "own" }, fr: { done: "fini" } } };
  assert.deepEqual(
    [noticeText(policy, "done", "fr"), noticeText(policy, "done", "de"), noticeText(policy, "failed", "fr")],
    ["fini", "own", noticeText(DEFAULT, "failed", "en")],
  );
});

test("while it waits, the subscriber hears how far it is, as often as the policy says", async () => {
  const house = await shop.house("periodic", [{ id: "x", terms: "t" }], {
    terms: ["t"],
    policy: { statusIntervalMinutes: 60, consentDeadlineHours: 4 },
  });
  const { orderId } = await house.ask(["x"]);
  await house.told();
  const kinds: string[] = [];
  for (let hour = 1; hour <= 4; hour++) {
    await shop.pass(HOUR_MS);
    kinds.push(
      ...(await house.told()).map(({ text }) => (/waiting for your answer/.test(text) ? "status" : "end")),
    );
  }
  assert.deepEqual(kinds, ["status", "status", "status", "end"]);
  assert.equal((await house.status(orderId)).state, "expired");
});

test("a reply without a number answers the only question; with two questions it is asked which", async () => {
  const items = ["x", "y"].map((id) => ({ id, terms: "t" }));
  const house = await shop.house("replies", items, { terms: ["t"] });
  const first = await house.ask(["x"]);
  assert.equal(await house.requests.textCame(house.msisdn, "what is this?"), false);
  assert.equal(await house.requests.textCame(pair("nobody").msisdn, "yes"), false);
  assert.equal(await house.requests.textCame(house.msisdn, "Yes!"), true);
  assert.equal((await house.status(first.orderId)).state, "completed");
  const [second, third] = [
    await house.ask(["x"], { who: pair("r2") }),
    await house.ask(["y"], { who: pair("r2") }),
  ];
  await house.told();
  assert.equal(await house.requests.textCame(pair("r2").msisdn, "yes"), true);
  const told = await house.told();
  assert.match(told[0]!.text, /with the number/);
  for (const { orderId } of [second, third])
    assert.equal((await house.status(orderId)).state, "awaiting_consent");
});

test("another subscriber's scope sees no request and answers none", async () => {
  const house = await shop.house("scopes", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const { orderId, reference } = await house.ask(["x"]);
  const { orderId: foreign } = await house.ask(["x"], { who: pair("stranger to scopes") });
  const scope = { operatorId: house.operatorId, subscriberId: (await house.story(foreign)).subscriberId };
  assert.equal(await house.requests.find(scope, reference), undefined);
  await assert.rejects(house.requests.answerTerms(scope, orderId, "accept", "screen"), {
    code: "order_not_found",
  });
  const elsewhere = await shop.operator();
  assert.equal(
    await house.requests.find({ operatorId: elsewhere, subscriberId: null }, reference),
    undefined,
  );
  assert.equal(
    (await house.requests.find({ ...scope, subscriberId: null }, reference.toLowerCase()))?.orderId,
    orderId,
  );
});

test("a reply under another device's key, or changed on the way, is none", async () => {
  const house = await shop.house("foreign key", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const other = await shop.house("other key", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const { orderId, reference } = await house.ask(["x"]);
  await other.ask(["x"]);
  assert.equal(await other.reply("accept", { reference }), false);
  assert.equal(await house.requests.replyCame(new Uint8Array(50)), false);
  assert.equal((await house.status(orderId)).state, "awaiting_consent");
  assert.equal(await house.reply("accept", { reference }), true);
  assert.equal(await house.reply("accept", { reference }), true, "said twice it changes nothing");
  assert.equal((await house.status(orderId)).state, "completed");
});

test("an offer goes once to each who is known; a reply starts the same flow with it filled in, and closes it", async () => {
  const house = await shop.house("offers", [VOICE_MAIL, { id: "gold", terms: "t" }], { terms: ["t"] });
  await house.ask(["voice-mail"], { noticeKey: null });
  await house.errands();
  await house.told();
  const send = () =>
    house.requests.sendOffers(house.operatorId, {
      itemId: "gold",
      to: [{ msisdn: house.msisdn }, { msisdn: pair("unknown to offers").msisdn }],
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
  const [offer] = await house.told();
  const code = /YES (\d{4})/.exec(offer!.text)![1]!;
  const token = offer!.text.split("/").at(-1)!;
  assert.equal((await house.requests.findOffer(token))?.itemId, "gold");
  assert.equal(await house.requests.findOffer("no such token"), undefined);
  assert.equal(await house.requests.textCame(house.msisdn, `yes ${code}`), true);
  const terms = (await house.told()).find(({ text }) => /Terms of t/.test(text));
  assert.ok(terms, "it is agreed to like any other request");
  const [order] = await shop.database.rows<{ id: string; state: string }>(
    "select o.id, o.state from provisioning_order o where operator_id = $1 and cause = 'offer'",
    [house.operatorId],
  );
  assert.equal(order?.state, "awaiting_consent");
  assert.equal(await shop.count("offer", "order_id = $1 and state = 'taken'", [order!.id]), 1);
  assert.equal(await house.requests.textCame(house.msisdn, `yes ${code}`), true);
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [house.operatorId]),
    1,
  );
});

test("what was asked for at a sighting's time does not take its place, and is not replaced by it", async () => {
  const house = await shop.house("beside a sighting", [{ id: "x", terms: "t" }], { terms: ["t"] });
  const { orderId } = await house.ask(["x"]);
  const [seen] = await shop.see(house.operatorId, {
    imsi: house.imsi,
    imei: house.imei,
    msisdn: house.msisdn,
  });
  assert.ok(seen && "orderId" in seen);
  await house.ask(["x"]);
  await shop.pass(0);
  assert.equal((await house.status(orderId)).state, "awaiting_consent");
  assert.equal((await house.story(seen.orderId)).state, "provisioning");
});

test("an item that cannot be composed fails alone, and a subscriber's yes is kept all the same", async () => {
  const values = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`value${at}`, "x"]));
  const many = { kind: "parameters", values } as const;
  const house = await shop.house(
    "too many values",
    [{ id: "many", terms: "t", content: many }, VOICE_MAIL, { id: "points", content: { kind: "settings" } }],
    { terms: ["t"], policy: { narrowbandContentOctets: 100 } },
  );
  const choice = shop.world.choice;
  shop.world.choice = { kind: "chosen", values: { name: "M", points: [] }, confirmed: true, source: "test" };
  const { orderId } = await house.ask(["many", "voice-mail", "points"]);
  await house.requests.answerTerms(house.scope, orderId, "accept", "screen");
  shop.world.choice = choice;
  await house.errands();
  const story = await house.story(orderId);
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
  const house = await shop.house("settings", [{ id: "internet", content: { kind: "settings" } }]);
  const { orderId } = await house.ask(["internet"], { noticeKey: null });
  const story = await house.story(orderId);
  assert.deepEqual(
    story.messages.map(({ kind, protocol }) => [kind, protocol]),
    [["settings", "omacp"]],
  );
  const traffic = { kind: "traffic", imsi: house.imsi, apn: "internet", source: "probe" } as const;
  const [early] = await shop.conductor.confirm(house.operatorId, [traffic]);
  assert.equal(early?.outcome, "no_order", "nothing was handed over yet that it could prove");
  await house.submitted(story.messages.map(({ id, partCount }) => ({ messageId: id, parts: partCount })));
  assert.deepEqual(await shop.conductor.confirm(house.operatorId, [traffic]), [{ outcome: "booked" }]);
  assert.equal((await house.status(orderId)).state, "completed");
  await house.errands();
  shop.time.now += 10_000;
  await house.errands();
  assert.deepEqual(
    house.saw.billing.map(({ kind }) => kind),
    ["account", "feature"],
  );
});

test("a subscriber hears what somebody else asked for in his name, and what was removed", async () => {
  const house = await shop.house("by staff", [VOICE_MAIL]);
  await house.ask(["voice-mail"], { road: "representative", actor: "shop 7", noticeKey: null });
  await house.errands();
  const [changed, done] = await house.told();
  assert.match(changed!.text, /shop 7 asked for a change for you: voice-mail/);
  assert.match(done!.text, /is done: voice-mail/);
  for (let again = 0; again < 3; again++) {
    await house.errands();
    shop.time.now += 10_000;
  }
  await house.ask(["voice-mail"], { action: "remove", noticeKey: null });
  await house.errands();
  assert.match((await house.told()).at(-1)!.text, /removed: voice-mail/);
  assert.deepEqual(
    house.saw.elements.map(({ action }) => action),
    ["add", "remove"],
  );
});

test("a person of the operator may have content sent once more; an order that ended is not opened again", async () => {
  const house = await shop.house("resend", [{ id: "browser", content: { kind: "activation", module: "b" } }]);
  const { orderId } = await house.ask(["browser"]);
  await house.told();
  await shop.conductor.resend(house.operatorId, orderId, "care");
  assert.deepEqual(
    (await house.told()).map(({ kind }) => kind),
    ["content_ready"],
  );
  const [item] = (await house.status(orderId)).items;
  await house.installed(orderId, item!.id);
  await assert.rejects(shop.conductor.resend(house.operatorId, orderId, "care"), { code: "order_closed" });
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
  const house = await shop.house("module elsewhere", [{ id: "chess", content }]);
  const { orderId } = await house.ask(["chess"]);
  const [item] = (await house.status(orderId)).items;
  const fetched = () => house.requests.content(house.scope, orderId, item!.id);
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
