/** The subscriber's portal behind the land door, over requests on PostgreSQL: the whole journey, and what is refused. */

import assert from "node:assert/strict";
import { test } from "vitest";
import { freeTries } from "../../../test/fixture/memory-tries.ts";
import { filled, type PortalFixture, portalOver, reading } from "../../../test/fixture/portal.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { withoutIds } from "../../../test/fixture/without-ids.ts";
import type { AccountTokens } from "../../kernel/account/card.ts";
import type { CardTries, CardTry } from "../../kernel/account/card-tries.ts";
import { DEVICE_PATHS } from "../../wire/message/legs.ts";
import { checkScreen, type Screen } from "../../wire/screen/screen.ts";

const shop = await requestShop();
const CARD = { c_number: "4111 1111 1111 1111", c_expiry: "0429", c_code: "123" };
const JAVA = { id: "java", name: { en: "Java" }, content: { kind: "activation", module: "java" } } as const;
const noticeKey = new Uint8Array(32).fill(3);

const referenceOn = (screen: Screen): string => {
  const hrefs = JSON.stringify([screen.entries, screen.actions]);
  return /\/d\/orders\/([0-9A-Z]{8})/.exec(hrefs)?.[1] ?? screen.title.split(" ").at(-1)!;
};
const orderForm = (portal: PortalFixture, id: string) => portal.screen("GET", `/d/items/${id}/order`);

test("the journey of a device: choose, give data, agree, installed, done (R3, R5, R19 to R21)", async () => {
  const fixture = await shop.fixture(
    "portal journey",
    [
      { id: "mail", kind: "feature", terms: "mail-terms", name: { en: "Mail" } },
      { id: "java", kind: "feature", name: { en: "Java" } },
    ],
    { terms: ["mail-terms"], policy: { userFields: ["givenName", "email"] } },
  );
  const { screen, seen } = portalOver(shop, fixture);
  const start = await screen("GET", DEVICE_PATHS.start);
  assert.equal(start.entries.length, 3);
  const list = await screen("GET", start.entries[1]!.href);
  assert.deepEqual(
    list.entries.map(({ label }) => label),
    ["Java", "Mail"],
  );
  const item = await screen("GET", list.entries[1]!.href);
  const order = await screen("GET", item.entries[0]!.href);
  assert.deepEqual(
    order.form?.fields.map(({ name }) => name),
    ["u_givenName", "u_email"],
  );
  const wrong = await screen(
    "POST",
    DEVICE_PATHS.requests,
    filled(order, { u_givenName: "Ada", u_email: "x" }),
  );
  assert.equal(wrong.status, 422);
  assert.equal(wrong.form?.fields[1]?.note, "is no e-mail address");
  assert.equal(wrong.form?.fields[0]?.value, "Ada");
  const status = await screen("POST", DEVICE_PATHS.requests, filled(wrong, { u_email: "ada@example.org" }));
  assert.equal(status.status, 200);
  const terms = await screen("GET", status.entries[0]!.href);
  assert.deepEqual(terms.text, ["Terms of mail-terms."]);
  const accept = terms.actions.find(({ role }) => role === "accept")!;
  const agreed = await screen("POST", accept.href, accept.hidden);
  assert.deepEqual(agreed.text, ["Done", "You have now: Mail"]);
  const mine = await screen("GET", "/d/mine");
  assert.deepEqual(
    mine.entries.map(({ label, href }) => [label, href]),
    [["Mail", "/d/mine/mail"]],
  );
  checkScreen(reading(agreed));
  assert.equal(seen.at(-1), "mine");
});

test("a failed installation is offered again; done is what the device confirms (R55 to R57)", async () => {
  const fixture = await shop.fixture("portal install", [JAVA]);
  const portal = portalOver(shop, fixture);
  const { screen, land } = portal;
  const sent = await screen("POST", DEVICE_PATHS.requests, filled(await orderForm(portal, "java")), {
    noticeKey,
  });
  const reference = referenceOn(sent);
  const [item] = (await fixture.status(reference)).items;
  const content = await land("GET", DEVICE_PATHS.content(reference, item!.id));
  assert.equal(content.kind === "content" && content.contentType, "application/vnd.turnup.content");
  const report = (body: Record<string, string>, idempotencyKey: string | null) =>
    screen("POST", DEVICE_PATHS.report(reference, item!.id), body, { idempotencyKey });
  assert.equal((await report({ outcome: "installed" }, null)).status, 403); // a form of a page says nothing of devices
  assert.equal((await report({ outcome: "eaten" }, "k0")).status, 400);
  const failed = await report({ outcome: "failed", cause: "no_space" }, "k1");
  assert.match(failed.entries[0]!.label, /Java: Send again/);
  const choice = await screen("GET", failed.entries[0]!.href);
  const again = choice.actions.find(({ role }) => role === "accept")!;
  assert.equal((await screen("POST", again.href, again.hidden)).status, 200);
  const done = await report({ outcome: "installed" }, "k2");
  assert.deepEqual(done.text, ["Done", "You have now: Java"]);
  assert.deepEqual((await report({ outcome: "installed" }, "k2")).text, done.text);
  const over = await land("GET", DEVICE_PATHS.content(reference, item!.id));
  assert.equal(over.status, 404);
});

test("a client module asks in JSON under a key of its own, and a repeat gets the first answer", async () => {
  const fixture = await shop.fixture("portal json", [JAVA], { policy: { userFields: ["givenName"] } });
  const { screen } = portalOver(shop, fixture);
  const contentType = "application/json";
  const body = { selection: ["java"], user: { givenName: "Ada" } };
  const post = (idempotencyKey: string | null, given: object = body) =>
    screen("POST", DEVICE_PATHS.requests, given, { contentType, idempotencyKey, noticeKey });
  const first = await post("k1");
  assert.equal(first.status, 200);
  assert.equal(referenceOn(await post("k1")), referenceOn(first));
  assert.notEqual(referenceOn(await post("k2")), referenceOn(first));
  assert.equal((await post(null)).status, 403);
  for (const broken of [
    { selection: "java" },
    { selection: [1] },
    { ...body, user: "Ada" },
    { ...body, offer: 5 },
  ])
    assert.equal((await post("k3", broken)).status, 400, JSON.stringify(broken));
  assert.equal((await post("k4", { selection: [] })).status, 422);
  assert.equal((await post("k5", { selection: ["nothing"] })).status, 404);
});

test("a form sent twice is one request, and another answer on the same form is none", async () => {
  const fixture = await shop.fixture("portal repeat", [{ id: "mail", terms: "t" }], { terms: ["t"] });
  const portal = portalOver(shop, fixture);
  const { screen } = portal;
  const form = filled(await orderForm(portal, "mail"));
  const first = await screen("POST", DEVICE_PATHS.requests, form);
  const reference = referenceOn(first);
  assert.equal(referenceOn(await screen("POST", DEVICE_PATHS.requests, form)), reference);
  const terms = await screen("GET", DEVICE_PATHS.terms(reference));
  const hidden = (role: string) => terms.actions.find((one) => one.role === role)!.hidden!;
  const accepted = await screen("POST", DEVICE_PATHS.terms(reference), hidden("accept"));
  assert.equal(accepted.status, 200);
  assert.deepEqual(await screen("POST", DEVICE_PATHS.terms(reference), hidden("accept")), accepted);
  const declined = await screen("POST", DEVICE_PATHS.terms(reference), hidden("decline"));
  assert.equal(declined.status, 409);
  assert.deepEqual(declined.text, ["This was answered already."]);
  assert.equal((await fixture.status(reference)).state, "completed");
});

test("a form without its state, with a changed one, another's, or one of another form changes nothing", async () => {
  const fixture = await shop.fixture("portal states", [{ id: "mail", terms: "t" }], { terms: ["t"] });
  const portal = portalOver(shop, fixture);
  const { screen } = portal;
  const form = filled(await orderForm(portal, "mail"));
  const { state = "", ...bare } = form;
  const flipped = `${state.slice(0, 8)}${state[8] === "A" ? "B" : "A"}${state.slice(9)}`;
  const others = filled(
    await screen("GET", "/d/items/mail/order", undefined, { who: { imei: "356938035643809" } }),
  );
  const reference = referenceOn(await screen("POST", DEVICE_PATHS.requests, form));
  const ofTerms = (await screen("GET", DEVICE_PATHS.terms(reference))).actions[0]!.hidden!.state!;
  for (const forged of ["", "x", flipped, `${state}A`, others.state!, ofTerms]) {
    const refused = await screen("POST", DEVICE_PATHS.requests, { ...bare, state: forged });
    assert.equal(refused.status, 403, forged);
    assert.equal(refused.id, "problem");
  }
  assert.equal((await screen("POST", DEVICE_PATHS.requests, bare)).status, 403);
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 1);
  shop.time.now += 3 * 3_600_000;
  const late = await screen(
    "POST",
    DEVICE_PATHS.requests,
    { ...bare, state: others.state! },
    {
      who: { imei: "356938035643809" },
    },
  );
  assert.deepEqual([late.status, late.text[0]], [409, "This page was open too long. Please begin again."]);
});

test("a card is judged at the door, exactly; it reaches the payment provider alone, and no row (R38)", async () => {
  const fixture = await shop.fixture("portal card", [{ id: "mail", requires: requires({ card: true }) }]);
  const portal = portalOver(shop, fixture);
  const { screen, cards } = portal;
  const order = await orderForm(portal, "mail");
  assert.deepEqual(
    order.form?.fields.map(({ name, kind }) => [name, kind]),
    [
      ["c_number", "secret"],
      ["c_expiry", "digits"],
      ["c_code", "secret"],
    ],
  );
  const noteFor = async (name: string, typed: Record<string, string>) => {
    const answer = await screen("POST", DEVICE_PATHS.requests, filled(order, { ...CARD, ...typed }));
    assert.equal(answer.status, 422);
    assert.ok(!JSON.stringify(answer).includes("4111 1111"), "secrets are typed again");
    return answer.form?.fields.find((field) => field.name === name)?.note;
  };
  assert.match((await noteFor("c_number", { c_number: "4111 1111 1111 1112" }))!, /a digit is wrong/);
  assert.match((await noteFor("c_number", { c_number: "12" }))!, /12 to 19 digits/);
  assert.match((await noteFor("c_expiry", { c_expiry: "0124" }))!, /no longer valid/);
  assert.match((await noteFor("c_expiry", { c_expiry: "1329" }))!, /month and year/);
  assert.match((await noteFor("c_code", { c_code: "12" }))!, /three digits/);
  assert.equal(cards.length, 0);
  const done = await screen("POST", DEVICE_PATHS.requests, filled(order, CARD));
  assert.equal(done.status, 200);
  assert.equal(cards[0]?.pan, "4111111111111111");
  const rows = JSON.stringify(
    await shop.database.rows("select * from request where operator_id = $1", [fixture.operatorId]),
  );
  assert.ok(!rows.includes("4111111111111111"));
  assert.ok(rows.includes("4111111111"), "first six and last four are kept");
});

test("a bank account may be given in place of a card, wherever a card may: judged at its field, tokenised, in no row (R8)", async () => {
  const fixture = await shop.fixture("portal account", [
    { id: "mail", requires: requires({ card: true }) },
    { id: "more", requires: requires({ card: true }) },
  ]);
  const accounts: Parameters<NonNullable<AccountTokens["tokeniseAccount"]>>[0][] = [];
  const tokeniseAccount: AccountTokens["tokeniseAccount"] = async (account) => {
    accounts.push(account);
    return account.iban.endsWith("7947")
      ? { kind: "refused", cause: "closed" }
      : { kind: "token", token: "ba_1" };
  };
  const tokenise = async () => assert.fail("no card was given");
  const cardsOf = () => ({
    provider: { tokenise, tokeniseAccount },
    secret: new Uint8Array(32),
    tries: freeTries(),
  });
  const operatorAt = async () => ({
    id: fixture.operatorId,
    name: "Meridian",
    country: "NO",
    care: { phone: null, url: null },
  });
  const portal = portalOver(shop, fixture, { cardsOf, operatorAt });
  const { screen } = portal;
  const byCard = await orderForm(portal, "mail");
  const other = byCard.entries.find(({ label }) => label === "Pay from a bank account")!;
  const order = await screen("GET", other.href);
  assert.deepEqual(
    order.form?.fields.map(({ name, kind, required }) => [name, kind, required]),
    [
      ["a_number", "text", true],
      ["a_holder", "text", true],
      ["a_mandate", "flag", true],
    ],
  );
  assert.equal(
    order.entries.find(({ label }) => label === "Pay by card")?.href,
    "/d/items/mail/order?pay=card",
  );
  const account = { a_number: "AT61 1904 3002 3457 3201", a_holder: "Ada Lovelace", a_mandate: "yes" };
  const send = (typed: Record<string, string>) =>
    screen("POST", DEVICE_PATHS.requests, filled(order, { ...account, ...typed }));
  const noteFor = async (name: string, typed: Record<string, string>) => {
    const answer = await send(typed);
    assert.equal(answer.status, 422);
    assert.ok(!withoutIds(JSON.stringify(answer)).includes("1904"), "an account's number is typed again");
    return answer.form?.fields.find((field) => field.name === name)?.note ?? "";
  };
  assert.match(await noteFor("a_number", { a_number: "AT61 1904 3002 3457 3202" }), /a digit is wrong/);
  assert.match(await noteFor("a_number", { a_number: "AT61 1904" }), /longer or shorter/);
  assert.match(await noteFor("a_number", { a_number: "8601 11 17948" }), /a digit is wrong/);
  assert.match(await noteFor("a_holder", { a_holder: " " }), /is needed/);
  assert.match(await noteFor("a_mandate", { a_mandate: "" }), /cannot collect/);
  assert.equal(accounts.length, 0);
  assert.match(await noteFor("a_number", { a_number: "8601 11 17947" }), /account was refused/);
  assert.deepEqual([accounts[0]?.iban, accounts[0]?.holder], ["NO9386011117947", "Ada Lovelace"]);
  const done = await send({});
  assert.equal(done.status, 200);
  assert.equal(accounts[1]?.iban, "AT611904300234573201");
  const rows = JSON.stringify([
    await shop.database.rows("select * from request where operator_id = $1", [fixture.operatorId]),
    await shop.database.rows("select * from user_account where operator_id = $1", [fixture.operatorId]),
  ]);
  assert.ok(
    !withoutIds(rows).includes("190430") && !rows.includes("Lovelace"),
    "number and holder are the provider's alone",
  );
  assert.ok(rows.includes("AT****3201"), "country and last four are kept");
  await fixture.calls();
  const next = await orderForm(portal, "more");
  assert.deepEqual(next.form?.fields, [], "what was left at sign-up is asked for no second time");
  assert.ok(next.text.includes("Paid from AT******3201, which you gave before."), next.text.join("\n"));
  assert.deepEqual(
    next.entries.map(({ label }) => label),
    ["Pay by card", "Pay from a bank account"],
  );
  const later = await screen("POST", DEVICE_PATHS.requests, filled(next));
  assert.equal(later.status, 200);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.cards.map(({ token }) => token),
    ["ba_1", "ba_1"],
    "a later order is checked with the token that was left",
  );
});

test("where no bank accounts are taken none is offered; one that is given all the same is told so at its field (R8)", async () => {
  const fixture = await shop.fixture("portal cards alone", [
    { id: "mail", requires: requires({ card: true }) },
  ]);
  const portal = portalOver(shop, fixture);
  const order = await portal.screen("GET", "/d/items/mail/order?pay=account");
  assert.deepEqual(
    order.form?.fields.map(({ name }) => name),
    ["c_number", "c_expiry", "c_code"],
  );
  assert.ok(!order.entries.some(({ label }) => label.includes("bank account")));
  const account = { pay: "account", a_number: "AT611904300234573201", a_holder: "Ada", a_mandate: "yes" };
  const told = await portal.screen("POST", DEVICE_PATHS.requests, filled(order, account));
  assert.deepEqual(
    [told.status, told.form?.fields[0]?.note],
    [422, "bank accounts are not taken; please give a card"],
  );
  // It was taken when the form was drawn, and the provider says no to the first one.
  const tokeniseAccount = async () => ({ kind: "not_taken" }) as const;
  const tokenise = async () => assert.fail("no card was given");
  const cardsOf = () => ({
    provider: { tokenise, tokeniseAccount },
    secret: new Uint8Array(32),
    tries: freeTries(),
  });
  const late = portalOver(shop, fixture, { cardsOf });
  const offered = await late.screen("GET", "/d/items/mail/order?pay=account");
  const { pay: _, ...typed } = account;
  const refused = await late.screen("POST", DEVICE_PATHS.requests, filled(offered, typed));
  assert.equal(refused.status, 422);
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 0);
});

test("a client module gives an account in JSON, under the same rules (R8)", async () => {
  const fixture = await shop.fixture("portal json account", [
    { id: "mail", requires: requires({ card: true }) },
  ]);
  const accounts: string[] = [];
  const tokeniseAccount = async ({ iban }: { iban: string }) => {
    accounts.push(iban);
    return { kind: "token", token: "ba_2" } as const;
  };
  const tokenise = async () => assert.fail("no card was given");
  const cardsOf = () => ({
    provider: { tokenise, tokeniseAccount },
    secret: new Uint8Array(32),
    tries: freeTries(),
  });
  const { screen } = portalOver(shop, fixture, { cardsOf });
  const post = (idempotencyKey: string, account: object, more: object = {}) =>
    screen(
      "POST",
      DEVICE_PATHS.requests,
      { selection: ["mail"], account, ...more },
      { contentType: "application/json", idempotencyKey, noticeKey },
    );
  const account = { number: "8601 11 17947", country: "NO", holder: "Ada", mandate: "yes" };
  assert.equal((await post("k1", { ...account, mandate: "no" })).status, 422);
  assert.equal((await post("k2", { ...account, number: "8601 11 17948" })).status, 422);
  assert.equal(
    (await post("k3", account, { card: { number: "4111111111111111", expiry: "0429" } })).status,
    400,
  );
  assert.equal((await post("k4", account)).status, 200);
  assert.deepEqual(accounts, ["NO9386011117947"]);
});

test("a refused card is told on the form; a payment provider that is away leaves nothing behind", async () => {
  const fixture = await shop.fixture("portal no card", [{ id: "mail", requires: requires({ card: true }) }]);
  const say = { answer: { kind: "refused", cause: "lost" } as { kind: "refused" | "failed"; cause: string } };
  const tokenise = async () => say.answer;
  const cardsOf = () => ({ provider: { tokenise }, secret: new Uint8Array(32), tries: freeTries() });
  const portal = portalOver(shop, fixture, { cardsOf });
  const order = await orderForm(portal, "mail");
  const refused = await portal.screen("POST", DEVICE_PATHS.requests, filled(order, CARD));
  assert.deepEqual([refused.status, refused.form?.fields[0]?.note], [422, "the card was refused"]);
  say.answer = { kind: "failed", cause: "timeout" };
  const away = await portal.screen("POST", DEVICE_PATHS.requests, filled(order, CARD));
  assert.deepEqual([away.status, away.id], [503, "problem"]);
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 0);
  const none = portalOver(shop, fixture, { cardsOf: () => undefined });
  assert.equal((await orderForm(none, "mail")).status, 503);
});

test("a card that comes too soon is told on the form; it counts for session, number and device, and goes nowhere", async () => {
  const fixture = await shop.fixture("portal paused", [{ id: "mail", requires: requires({ card: true }) }]);
  const counted: CardTry[] = [];
  const pause = { of: "session", until: new Date(shop.time.now + 60_000), tries: 3 } as const;
  const tries: CardTries = {
    begin: async (one) => {
      counted.push(one);
      return { kind: "pause", pause };
    },
    end: async () => assert.fail("nothing was begun"),
  };
  const tokenise = async () => assert.fail("the payment provider hears nothing of it");
  const cardsOf = () => ({ provider: { tokenise }, secret: new Uint8Array(32), tries });
  const portal = portalOver(shop, fixture, { cardsOf });
  const order = await orderForm(portal, "mail");
  const paused = await portal.screen("POST", DEVICE_PATHS.requests, filled(order, CARD));
  assert.deepEqual(
    [paused.status, paused.form?.fields[0]?.note],
    [422, "too many cards were tried; please wait"],
  );
  assert.deepEqual(
    counted.map(({ by }) => by.map(({ kind }) => kind)),
    [["session", "number", "device"]],
  );
  assert.ok(!JSON.stringify(counted).includes("4111111111111111"));
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 0);
});

test("another's request is none, whether looked at, answered or fetched", async () => {
  const fixture = await shop.fixture("portal others", [{ id: "mail", terms: "t" }], { terms: ["t"] });
  const portal = portalOver(shop, fixture);
  const { screen } = portal;
  const reference = referenceOn(
    await screen("POST", DEVICE_PATHS.requests, filled(await orderForm(portal, "mail"))),
  );
  const [item] = (await fixture.status(reference)).items;
  const who = { imei: "356938035643809", imsi: "001019999999999", msisdn: null };
  for (const path of [
    DEVICE_PATHS.order(reference),
    DEVICE_PATHS.terms(reference),
    DEVICE_PATHS.fields(reference, item!.id),
    DEVICE_PATHS.choice(reference, item!.id),
    DEVICE_PATHS.content(reference, item!.id),
  ]) {
    const refused = await screen("GET", path, undefined, { who });
    assert.deepEqual([refused.status, refused.text], [404, ["There is no such request of yours."]], path);
  }
  const answer = { answer: "accept" };
  assert.equal(
    (await screen("POST", DEVICE_PATHS.terms(reference), answer, { who, idempotencyKey: "k" })).status,
    404,
  );
  assert.equal((await fixture.status(reference)).state, "awaiting_consent");
});

test("what somebody has he can remove, and it is not told as had any more (R65)", async () => {
  const fixture = await shop.fixture("portal remove", [{ id: "mail", name: { en: "Mail" } }]);
  const portal = portalOver(shop, fixture);
  const { screen } = portal;
  await screen("POST", DEVICE_PATHS.requests, filled(await orderForm(portal, "mail")));
  const item = await screen("GET", "/d/items/mail");
  assert.equal(item.entries[0]?.label, "Remove");
  const gone = await screen(
    "POST",
    DEVICE_PATHS.requests,
    filled(await screen("GET", item.entries[0]!.href)),
  );
  assert.deepEqual(gone.text, ["Done", "Mail: removed"]);
  assert.deepEqual((await screen("GET", "/d/mine")).entries, []);
});

test("only what a service misses is asked for again, by the names that a form can have (R61)", async () => {
  const label = { en: "Mail box" };
  const field = { name: "mail.box-name", label, kind: "text", required: false } as const;
  const service = { uri: "https://mail.example", module: null, fields: [field] };
  const fixture = await shop.fixture("portal fields", [
    { id: "mail", kind: "service", service, name: { en: "Mail" } },
  ]);
  fixture.answers.register = () =>
    Promise.resolve({
      kind: "needs_information",
      remoteId: "r",
      fields: [{ name: field.name, problem: "missing" }],
    });
  const portal = portalOver(shop, fixture);
  const { screen } = portal;
  const reference = referenceOn(
    await screen("POST", DEVICE_PATHS.requests, filled(await orderForm(portal, "mail"))),
  );
  await fixture.calls();
  const status = await screen("GET", DEVICE_PATHS.order(reference));
  const fields = await screen("GET", status.entries[0]!.href);
  assert.deepEqual(
    fields.form?.fields.map((one) => one.label),
    ["Mail box"],
  );
  const name = fields.form!.fields[0]!.name;
  fixture.answers.register = ({ fields: given }) => {
    assert.equal(given[field.name], "ada");
    return Promise.resolve({ kind: "registered", remoteId: "r", accessData: {} });
  };
  assert.equal((await screen("POST", fields.form!.action, filled(fields, { [name]: "ada" }))).status, 200);
  await fixture.calls();
  assert.match((await screen("GET", DEVICE_PATHS.order(reference))).text.join(" "), /You have now: Mail/);
});

test("a device of whose SIM the operator has a record is asked for what it is compared with, and what agrees in part once more (R38)", async () => {
  const fixture = await shop.fixture("portal record", [{ id: "mail", name: { en: "Mail" } }], {
    policy: { unknownUser: "bureau" },
  });
  const { operatorId, imsi } = fixture;
  const user = { givenName: "Quillaia", familyName: "Brandywine", birthdate: "1979-11-23" };
  await shop.registry.ownRecords.put(operatorId, [{ imsi, msisdn: null, user }], { source: "t", actor: "t" });
  const portal = portalOver(shop, fixture);
  const { screen } = portal;
  const form = await orderForm(portal, "mail");
  assert.deepEqual(
    form.form?.fields.map(({ name }) => name),
    ["u_givenName", "u_familyName", "u_birthdate"],
  );
  const typed = { u_givenName: "Q.", u_familyName: "BRANDYWINE", u_birthdate: "1979-11-23" };
  const status = await screen("POST", DEVICE_PATHS.requests, filled(form, typed));
  const lead = status.entries.find(({ label }) => label === "Give your details");
  const details = await screen("GET", lead?.href ?? "");
  assert.deepEqual(
    details.form?.fields.map(({ name, value }) => [name, value]),
    [["u_givenName", undefined]],
    "the name of the field alone",
  );
  const wrong = await screen("POST", details.form?.action ?? "", filled(details, { u_givenName: "123" }));
  assert.equal(wrong.status, 422);
  const done = await screen("POST", wrong.form?.action ?? "", filled(wrong, { u_givenName: "Quillaia" }));
  assert.equal(done.status, 200);
  await fixture.calls();
  assert.match((await screen("GET", "/d/requests")).text.join(" "), /You have now: Mail/);
  assert.deepEqual(fixture.saw.identities, [], "nobody outside was asked");
});

test("help is there before anything is provisioned, for a SIM that nobody has seen too (R23)", async () => {
  const fixture = await shop.fixture("portal help", [{ id: "mail" }]);
  const { screen } = portalOver(shop, fixture);
  assert.equal((await screen("GET", "/d/start")).status, 200);
  const help = await screen("GET", "/d/help");
  assert.match(help.text.join(" "), /no request under way.*\+44 20 7946 0000/);
  assert.equal((await screen("GET", "/d/nothing")).status, 404);
  assert.equal((await screen("POST", "/d/start", {})).status, 405);
  assert.equal((await screen("GET", "/d/sign-in")).status, 404); // a proxy vouches for the device
});

test("what a proxy's word is too weak for is refused before anything is asked", async () => {
  const fixture = await shop.fixture("portal assurance", [
    { id: "mail", requires: requires({ assurance: "cert" }) },
  ]);
  const { screen } = portalOver(shop, fixture);
  const refused = await screen("GET", "/d/items/mail/order", undefined, { who: { assurance: "network" } });
  assert.deepEqual([refused.status, refused.code, refused.entries], [403, "assurance_needs_device", []]);
});

function requires(said: object) {
  return { assurance: "network", verification: false, card: false, ...said } as const;
}

test("R34: a device whose account is blocked is refused by the server itself, before it is shown anything, whatever its proxy knows", async () => {
  const fixture = await shop.fixture("portal blocked", [JAVA]);
  const asked: string[] = [];
  const portal = portalOver(shop, fixture, {
    async isShutOut(operatorId, imei, proxy) {
      asked.push(`${operatorId} ${imei} ${proxy}`);
      return true;
    },
  });
  await assert.rejects(portal.land("GET", DEVICE_PATHS.start), { code: "device_blocked" });
  assert.deepEqual(asked, [`${fixture.operatorId} ${fixture.imei} proxy-1`]);
  assert.deepEqual(portal.seen, []);
});
