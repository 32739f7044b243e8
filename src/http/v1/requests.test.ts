/** Whoever asks for somebody else, over the real server and database: staff, partners, offers, E-CARE (R23, R47, R66 to R70, R72). */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { landDoor } from "../../../test/fixture/land-door.ts";
import { freeTries } from "../../../test/fixture/memory-tries.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { RequestPolicy } from "../../kernel/order/request-policy.ts";
import { createPortalPeople } from "../../store/requests/portal-link.ts";
import { requestsQuery } from "../../store/requests/request-reader.ts";
import { enterForPartner } from "./partner/requests.ts";
import { enterForSubscriber } from "./requests.ts";

const PAN = "4111111111111111";
const ADA = {
  givenName: "Ada",
  familyName: "Lovelace",
  email: "ada@lovelace.example",
  idDocument: "X1234567",
};
const POLICY = { verify: "items" } satisfies Partial<RequestPolicy>;
const requires = { assurance: "otp" as const, verification: false, card: false };
const ITEMS = [
  { id: "voice-mail", requires, terms: "mail-terms", name: { en: "Voice mail" } },
  { id: "plain", requires, name: { en: "Plain thing" } },
  { id: "carded", requires: { ...requires, card: true }, name: { en: "Paid thing" } },
  { id: "guarded", requires: { ...requires, assurance: "network" as const } },
  {
    id: "mail",
    requires,
    kind: "service" as const,
    name: { en: "Office mail" },
    service: { uri: "https://office.example", module: null, fields: [] },
  },
];

const shop = await requestShop();
const door = await landDoor(shop);

async function fixture(name: string, policy: Partial<RequestPolicy> = {}) {
  const made = await shop.fixture(name, ITEMS, { terms: ["mail-terms"], policy: { ...POLICY, ...policy } });
  await shop.see(made.operatorId, { imsi: made.imsi, imei: made.imei, msisdn: made.msisdn });
  const tokens = await door.tokens(made.operatorId);
  return Object.assign(made, { tokens, subscriber: { msisdn: `+${made.msisdn}` } });
}
type Fixture = Awaited<ReturnType<typeof fixture>>;
const enter = (of: Fixture, body: object, key?: string) =>
  door.post(of.tokens.representative, "/v1/requests", { subscriber: of.subscriber, ...body }, key);
const audit = async (of: RequestFixture & { tokens: { admin: string } }) =>
  (await door.get(of.tokens.admin, "/v1/audit")).json().rows as {
    actor: string;
    action: string;
    subject: string;
  }[];
const rowsOf = async (token: string, url: string) =>
  (await door.get(token, url)).json().rows as Record<string, unknown>[];
/** All that stands in the database, as text. */
async function everything(): Promise<string> {
  const tables = await shop.database.rows<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) =>
      (await shop.database.rows<{ row: string }>(`select t::text as row from "${name}" t`))
        .map(({ row }) => row)
        .join("\n"),
    ),
  );
  return texts.join("\n");
}

test("a representative enters a request: the subscriber hears of it, his terms come by SMS, the audit names who", async () => {
  const of = await fixture("representative");
  const answer = await enter(of, { selection: ["voice-mail"], user: ADA, language: "en" });
  assert.equal(answer.statusCode, 202, answer.body);
  const { id, reference, created } = answer.json();
  assert.ok(created);
  const told = (await of.told()).map(({ text }) => text);
  assert.ok(
    told.some((text) => /representative asked for a change for you: Voice mail/.test(text)),
    told.join(),
  );
  assert.ok(told.some((text) => /Terms of mail-terms\. Reply YES \d{4}/.test(text)));
  for (const name of [id, reference, reference.toLowerCase()]) {
    const seen = await door.get(of.tokens.care, `/v1/requests/${name}`);
    assert.equal(seen.statusCode, 200, seen.body);
    const { channel, actor, state, assurance, consents, verification, terms } = seen.json();
    assert.deepEqual(
      [channel, actor, state, assurance],
      ["representative", "representative", "awaiting_consent", "none"],
    );
    assert.deepEqual(
      consents.map(({ termsId, answer }: { termsId: string; answer: unknown }) => [termsId, answer]),
      [["mail-terms", null]],
    );
    assert.deepEqual([verification.verdict, verification.reasons], ["approved", []]);
    assert.equal(terms[0].text, "Terms of mail-terms.");
    for (const secret of [...Object.values(ADA), of.msisdn, of.imsi, of.imei.slice(0, 14)])
      assert.ok(!seen.body.includes(secret), secret);
  }
  const [row] = await audit(of);
  assert.deepEqual([row?.actor, row?.action, row?.subject], ["representative", "request.submit", id]);
});

test("terms that were read out count as answered by the representative; of another version they do not", async () => {
  const of = await fixture("read out");
  const agreed = [{ termsId: "mail-terms", version: 1 }];
  const { id } = (await enter(of, { selection: ["voice-mail"], agreed })).json();
  const { state, consents } = (await door.get(of.tokens.representative, `/v1/requests/${id}`)).json();
  assert.equal(state, "completed");
  assert.deepEqual(
    [consents[0].answer, consents[0].answeredBy, consents[0].sentBy],
    ["accept", "representative", ["representative"]],
  );
  const other = await fixture("read out of old");
  const old = (
    await enter(other, { selection: ["voice-mail"], agreed: [{ ...agreed[0], version: 2 }] })
  ).json();
  assert.equal((await other.status(old.id)).state, "awaiting_consent");
});

test("a representative answers terms for the subscriber once, and the audit names the answer", async () => {
  const of = await fixture("answer");
  const { id, reference } = (await enter(of, { selection: ["voice-mail"] })).json();
  const url = `/v1/requests/${reference}/terms`;
  const accepted = await door.post(of.tokens.representative, url, { answer: "accept" });
  assert.deepEqual([accepted.statusCode, accepted.json().state], [200, "completed"]);
  assert.equal(accepted.json().consents[0].answeredBy, "representative");
  const late = await door.post(of.tokens.representative, url, { answer: "decline" });
  assert.deepEqual([late.statusCode, late.json().code], [409, "nothing_to_answer"]);
  const [row] = await audit(of);
  assert.deepEqual([row?.action, row?.subject], ["request.terms", id]);
});

test("a service that misses fields gets just those, from staff; values stand nowhere in clear", async () => {
  const of = await fixture("fields");
  const access = { user: "ada", password: "open-Sesame-77" };
  of.answers.register = () =>
    Promise.resolve(
      of.saw.registrations.length === 1
        ? { kind: "needs_information", remoteId: "r1", fields: [{ name: "mailbox", problem: "missing" }] }
        : { kind: "registered", remoteId: "r1", accessData: access },
    );
  const { id } = (await enter(of, { selection: ["mail"], user: ADA })).json();
  await of.calls();
  const { items } = (await door.get(of.tokens.care, `/v1/requests/${id}`)).json();
  assert.deepEqual(
    [items[0].state, items[0].missing.map(({ name }: { name: string }) => name)],
    ["needs_information", ["mailbox"]],
  );
  const url = `/v1/requests/${id}/items/${items[0].id}/fields`;
  const foreign = await door.post(of.tokens.care, url, { fields: { iban: "x" } });
  assert.equal(foreign.json().code, "field_unknown");
  const given = await door.post(of.tokens.care, url, { fields: { mailbox: "ada.lovelace" } });
  assert.equal(given.statusCode, 200, given.body);
  await of.calls();
  assert.equal(of.saw.registrations.at(-1)?.fields.mailbox, "ada.lovelace");
  const after = await door.get(of.tokens.care, `/v1/requests/${id}`);
  assert.ok(!after.body.includes("ada.lovelace") && !after.body.includes(access.password));
});

test("what somebody has is listed and can be removed; he is told what changed", async () => {
  const of = await fixture("remove");
  await enter(of, { selection: ["plain"] });
  await of.told();
  for (const number of [of.msisdn, `%2B${of.msisdn}`, of.imsi]) {
    const { services } = (
      await door.get(of.tokens.representative, `/v1/subscribers/${number}/services`)
    ).json();
    assert.deepEqual(
      services.map(({ itemId, name }: { itemId: string; name: string }) => [itemId, name]),
      [["plain", "Plain thing"]],
    );
  }
  const gone = await enter(of, { selection: ["plain"], action: "remove" });
  assert.equal(gone.statusCode, 202, gone.body);
  const told = (await of.told()).map(({ text }) => text).join("\n");
  assert.match(told, /representative asked for a change for you: Plain thing/);
  assert.match(told, /removed: Plain thing/);
  const { services } = (await door.get(of.tokens.care, `/v1/subscribers/${of.msisdn}/services`)).json();
  assert.deepEqual(services, []);
});

test("a card goes to the payment provider, and its number and code stand nowhere: no row, no answer, no audit", async () => {
  const of = await fixture("card");
  const card = { number: "4111 1111 1111 1111", expiry: "12/29", code: "737" };
  const answer = await enter(of, { selection: ["carded"], user: ADA, card }, "with-card");
  assert.equal(answer.statusCode, 202, answer.body);
  assert.equal(door.cards.at(-1)?.pan, PAN);
  const seen = await door.get(of.tokens.care, `/v1/requests/${answer.json().id}`);
  assert.equal(seen.json().card, "411111******1111");
  const all = await everything();
  for (const secret of [PAN, card.number, ...Object.values(ADA)]) assert.ok(!all.includes(secret), secret);
  assert.deepEqual([door.cards.at(-1)?.cvv, /"(?:cvv|code)": ?"737"/.test(all)], ["737", false]);

  const calls = door.cards.length;
  for (const [bad, code] of [
    [{ ...card, number: "4111 1111 1111 1112" }, "card_malformed"],
    [{ ...card, expiry: "12/19" }, "card_malformed"],
  ] as const) {
    const refused = await enter(of, { selection: ["carded"], card: bad });
    assert.equal(refused.json().code, code);
    assert.ok(!refused.body.includes("4111"));
  }
  assert.equal(door.cards.length, calls, "nothing went out");
});

test("a bank account stands in place of a card: checked, given to the payment provider with a mandate, its number nowhere", async () => {
  const of = await fixture("account");
  const iban = "AT61 1904 3002 3457 3201";
  const account = { iban, mandate: true };
  const answer = await enter(of, { selection: ["carded"], user: ADA, account }, "with-account");
  assert.equal(answer.statusCode, 202, answer.body);
  assert.equal(door.accounts.at(-1)?.iban, iban.replaceAll(" ", ""));
  assert.match(door.accounts.at(-1)?.mandate.reference ?? "", /^M[0-9A-F]{30}$/);
  const seen = await door.get(of.tokens.care, `/v1/requests/${answer.json().id}`);
  assert.equal(seen.json().card, "AT6119******3201");
  const all = await everything();
  for (const secret of [iban, "AT611904300234573201", "00234573201"])
    assert.ok(!all.includes(secret), secret);

  // As the country writes it: the registry's example of Norway.
  const national = { number: "8601 11 17947", country: "NO", mandate: true };
  const other = await enter(of, { selection: ["carded"], user: ADA, account: national }, "national");
  assert.equal(other.statusCode, 202, other.body);
  assert.equal(door.accounts.at(-1)?.iban, "NO9386011117947");

  const calls = door.accounts.length;
  const card = { number: "4111 1111 1111 1111", expiry: "12/29" };
  for (const [bad, code] of [
    [{ account: { ...account, iban: "AT61 1904 3002 3457 3202" } }, "account_malformed"],
    [{ account: { ...national, number: "8601 11 17948" } }, "account_malformed"],
    [{ account: { ...national, country: "DE" } }, "account_malformed"],
    [{ account: { iban } }, "invalid_request"],
    [{ account, card }, "invalid_request"],
    [{ account: { iban, number: "1", country: "NO", mandate: true } }, "invalid_request"],
  ] as const) {
    const refused = await enter(of, { selection: ["carded"], ...bad });
    assert.equal(refused.json().code, code, refused.body);
    assert.ok(!refused.body.includes("1904") && !refused.body.includes("17948"), refused.body);
  }
  assert.equal(door.accounts.length, calls, "nothing went out");
});

test("what a repeat is known by holds no card and nothing of a user, not even for a hash of it", () => {
  const body = {
    selection: ["carded"],
    user: ADA,
    fields: { mail: { a: "b" } },
    card: { number: PAN },
    account: { iban: "x" },
  };
  for (const { tellsApart } of [enterForSubscriber, enterForPartner]) {
    assert.deepEqual(tellsApart?.(body), {
      selection: ["carded"],
      user: null,
      fields: null,
      card: null,
      account: null,
    });
  }
});

test("a payment provider that fails, with what it was sent in its failure, leaves no trace in answer or log", async () => {
  const of = await fixture("card in logs");
  const lines: string[] = [];
  const tokenise = () => Promise.reject(new Error(`refused ${PAN}`));
  const cardsOf = () => ({ provider: { tokenise }, secret: new Uint8Array(32), tries: freeTries() });
  const stream = { write: (text: string) => void lines.push(text) };
  const logging = await landDoor(shop, { cardsOf }, { log: { level: "trace", stream } });
  const body = {
    subscriber: of.subscriber,
    selection: ["carded"],
    user: ADA,
    card: { number: PAN, expiry: "12/29" },
  };
  const answer = await logging.post(of.tokens.representative, "/v1/requests", body);
  assert.deepEqual([answer.statusCode, answer.json().code], [503, "dependency_unavailable"]);
  assert.ok(lines.some((text) => text.includes("/v1/requests")));
  for (const text of [answer.body, ...lines]) {
    for (const secret of [PAN, ...Object.values(ADA), of.msisdn]) assert.ok(!text.includes(secret), text);
  }
});

test("a fourth card for one subscriber waits, whoever enters it, and the answer says how long (R38)", async () => {
  const of = await fixture("card pause");
  const calls = door.cards.length;
  const card = (number: string) => ({ selection: ["carded"], user: ADA, card: { number, expiry: "12/29" } });
  const cards = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"];
  const answers = [];
  for (const number of cards) answers.push(await enter(of, card(number)));
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [202, 202, 202, 429],
  );
  const last = answers[3]!;
  assert.equal(last.json().code, "card_tries_exceeded");
  assert.equal(last.headers["retry-after"], "60");
  assert.equal(door.cards.length, calls + 3, "the payment provider heard of three");
});

test("the same key opens one request; with something else to ask it is refused", async () => {
  const of = await fixture("keys");
  const first = await enter(of, { selection: ["plain"] }, "k1");
  const again = await enter(of, { selection: ["plain"] }, "k1");
  assert.equal(again.headers["idempotency-replayed"], "true");
  assert.deepEqual(again.json(), first.json());
  assert.equal((await enter(of, { selection: ["mail"] }, "k1")).json().code, "idempotency_key_reused");
  assert.equal((await rowsOf(of.tokens.care, "/v1/requests")).length, 1);
  const without = await door.server.inject({
    method: "POST",
    url: "/v1/requests",
    headers: { authorization: `Bearer ${of.tokens.representative}` },
    payload: { subscriber: of.subscriber, selection: ["plain"] },
  });
  assert.equal(without.json().code, "idempotency_key_missing");
});

test("input that cannot be meant is refused with its place and opens nothing", async () => {
  const of = await fixture("broken");
  const cases: [object, string][] = [
    [{ selection: [] }, "invalid_request"],
    [{ selection: ["Not An Id"] }, "invalid_request"],
    [{ selection: ["nothing-like-it"] }, "catalog_item_unknown"],
    [{ selection: ["plain"], subscriber: {} }, "invalid_request"],
    [{ selection: ["plain"], subscriber: { msisdn: "12" } }, "msisdn_malformed"],
    [{ selection: ["plain"], subscriber: { imsi: "12ab56" } }, "imsi_malformed"],
    [{ selection: ["plain"], subscriber: { imei: "356938035643808" } }, "imei_check_digit"],
    [{ selection: ["plain"], subscriber: { msisdn: "+491719999999" } }, "identity_unknown"],
    [{ selection: ["plain"], user: { givenName: 7 } }, "invalid_request"],
    [{ selection: ["plain"], user: { shoeSize: "44" } }, "invalid_request"],
    [{ selection: ["plain"], language: "<script>" }, "invalid_request"],
    [{ selection: ["plain"], fields: { mail: { "bad name": "x" } } }, "invalid_request"],
    [{ selection: ["plain"], agreed: [{ termsId: "mail-terms" }] }, "invalid_request"],
    [{ selection: ["plain"], offerId: "01900000-0000-7000-8000-0000000000ff" }, "nothing_to_answer"],
    [{ selection: ["plain"], surprise: true }, "invalid_request"],
  ];
  for (const [body, code] of cases) {
    const answer = await enter(of, body);
    assert.equal(answer.json().code, code, JSON.stringify(body) + answer.body);
  }
  assert.deepEqual(await rowsOf(of.tokens.care, "/v1/requests"), []);
  for (const url of [
    "/v1/requests/ILLEGAL0",
    "/v1/requests/x",
    "/v1/requests?channel=by_air",
    "/v1/requests?road=by_air",
  ])
    assert.equal((await door.get(of.tokens.care, url)).statusCode, 400, url);
  assert.equal((await door.get(of.tokens.care, "/v1/requests/ABCDEFGH")).json().code, "order_not_found");
});

test("requests are listed by state, road, actor and subscriber, a page at a time", async () => {
  const of = await fixture("lists");
  await enter(of, { selection: ["plain"] });
  await enter(of, { selection: ["voice-mail"] });
  await of.ask(["mail"], { assurance: "cert" });
  const other = await door.token(of.operatorId, "representative", "shop 4");
  await door.post(other, "/v1/requests", { subscriber: of.subscriber, selection: ["carded"] });
  const count = async (query: string) => (await rowsOf(of.tokens.care, `/v1/requests?${query}`)).length;
  assert.equal(await count(""), 4);
  assert.equal(await count("state=awaiting_consent"), 1);
  assert.equal(await count("channel=self_service"), 1);
  assert.equal(await count("actor=shop%204"), 1);
  assert.equal(await count("actor=nobody"), 0);
  assert.equal(await count(`msisdn=%2B${of.msisdn}&channel=representative`), 3);
  assert.equal(await count(`imsi=${of.imsi}`), 4);
  assert.equal(await count(`imei=${of.imei}`), 4);
  assert.equal(await count("msisdn=%2B491719999999"), 0);
  const seen: unknown[] = [];
  let url = "/v1/requests?limit=3";
  for (let pages = 0; url !== "" && pages < 5; pages++) {
    const answer = await door.get(of.tokens.care, url);
    seen.push(...answer.json().rows.map(({ id }: { id: string }) => id));
    url = /^<(.+)>; rel="next"$/.exec(String(answer.headers.link ?? ""))?.[1] ?? "";
  }
  assert.deepEqual([seen.length, new Set(seen).size], [4, 4]);
});

test("a channel, and how far a verification went, stand under their former name too, and are found by it", async () => {
  const of = await fixture("former names");
  const { id } = (await enter(of, { selection: ["voice-mail"] })).json();
  await of.ask(["mail"], { assurance: "cert" });
  for (const query of [
    "channel=representative",
    "road=representative",
    "channel=representative&road=self_service",
  ]) {
    const rows = await rowsOf(of.tokens.care, `/v1/requests?${query}`);
    assert.deepEqual(
      rows.map(({ id, channel, road }) => [id, channel, road]),
      [[id, "representative", "representative"]],
      query,
    );
  }
  const { channel, road, verification } = (await door.get(of.tokens.care, `/v1/requests/${id}`)).json();
  assert.deepEqual([channel, road], ["representative", "representative"]);
  assert.deepEqual([verification.extent, verification.road], ["short", "short"]);
});

test("a list of requests runs on an index, whatever it is filtered by", async () => {
  const of = await fixture("plans");
  await shop.database.run("analyze request");
  const page = { limit: 20, cursor: undefined };
  for (const filter of [
    {},
    { actor: "x" },
    { channel: "partner" as const },
    { state: "rejected" as const },
  ]) {
    const { text, values } = requestsQuery(of.operatorId, filter, {}, page);
    const plan = await shop.database.transaction(async (tx) => {
      await tx.run("set local enable_seqscan = off"); // a few rows are read whole otherwise, and rightly
      return tx.rows<{ "QUERY PLAN": string }>(`explain ${text}`, values);
    });
    const lines = plan.map((row) => row["QUERY PLAN"]).join("\n");
    assert.ok(!/Seq Scan/.test(lines) && /Index/.test(lines), lines);
  }
});

test("a partner enters a request with its own word for who asks, polls it, and sees no other's", async () => {
  const of = await fixture("partner");
  const acme = await door.token(of.operatorId, "partner", "acme");
  const rival = await door.token(of.operatorId, "partner", "rival");
  const body = { subscriber: of.subscriber, selection: ["voice-mail"], user: ADA, assurance: "cert" };
  const answer = await door.post(acme, "/v1/partner/requests", body, "1");
  assert.equal(answer.statusCode, 202, answer.body);
  const { id, reference } = answer.json();
  const row = await shop.database.one<{ assurance: string; actor: string; cause: string }>(
    "select r.assurance, r.actor, o.cause from request r join provisioning_order o on o.id = r.order_id where r.order_id = $1",
    [id],
  );
  assert.deepEqual(row, { assurance: "otp", actor: "acme", cause: "partner" }, "capped by policy");

  const told = (await of.told()).map(({ text }) => text);
  assert.ok(told.some((text) => /acme asked for a change for you/.test(text)));
  const [terms] = told.filter((text) => /YES \d{4}/.test(text));
  assert.equal((await door.get(acme, `/v1/partner/requests/${id}`)).json().state, "awaiting_consent");
  await of.requests.textCame(of.msisdn, /YES \d{4}/.exec(terms!)![0]);
  const done = await door.get(acme, `/v1/partner/requests/${reference}`);
  assert.equal(done.json().state, "completed");
  assert.ok(!/lovelace|Masked|subscriberId/.test(done.body), "a partner learns nothing that it did not give");

  for (const url of [`/v1/partner/requests/${id}`, `/v1/partner/requests/${reference}`])
    assert.equal((await door.get(rival, url)).json().code, "order_not_found");
  assert.deepEqual(await rowsOf(rival, "/v1/partner/requests"), []);
  assert.equal((await rowsOf(acme, "/v1/partner/requests")).length, 1);
  const fields = await door.post(
    rival,
    `/v1/partner/requests/${id}/items/${done.json().items[0].id}/fields`,
    { fields: { a: "b" } },
  );
  assert.equal(fields.json().code, "order_not_found");
  // Both companies count from 1: the key of one is not the key of the other.
  const theirs = await door.post(rival, "/v1/partner/requests", { ...body, selection: ["plain"] }, "1");
  assert.equal(theirs.statusCode, 202, theirs.body);
  assert.notEqual(theirs.json().id, id);
  assert.deepEqual((await door.post(acme, "/v1/partner/requests", body, "1")).json(), answer.json());
  assert.equal((await audit(of)).filter(({ actor }) => actor === "acme").length, 1);
});

test("a partner's word is not enough for what wants more than policy trusts partners; policy can trust them more", async () => {
  const body = (of: Fixture) => ({ subscriber: of.subscriber, selection: ["guarded"], assurance: "aka" });
  const of = await fixture("guarded");
  const refused = await door.post(of.tokens.partner, "/v1/partner/requests", body(of));
  assert.deepEqual([refused.statusCode, refused.json().code], [403, "assurance_too_low"]);
  const trusting = await fixture("trusted", { partnerAssurance: "network" });
  const weak = { ...body(trusting), assurance: "otp" };
  assert.equal((await door.post(trusting.tokens.partner, "/v1/partner/requests", weak)).statusCode, 403);
  const taken = await door.post(trusting.tokens.partner, "/v1/partner/requests", body(trusting));
  assert.equal(taken.statusCode, 202, taken.body);
});

test("an offer goes by SMS; a reply starts the request with the offer filled in, and the list tells what became of it", async () => {
  const of = await fixture("offer");
  const to = [{ msisdn: `+${of.msisdn}` }, { msisdn: "+491719999999" }];
  const send = (key: string) =>
    door.post(
      of.tokens.representative,
      "/v1/offers",
      { itemId: "plain", to, text: "{item} for you: {code} or {link}" },
      key,
    );
  const answer = await send("o1");
  assert.equal(answer.statusCode, 202, answer.body);
  assert.deepEqual(
    answer.json().results.map(({ outcome }: { outcome: string }) => outcome),
    ["sent", "unknown_subscriber"],
  );
  assert.equal((await send("o1")).headers["idempotency-replayed"], "true");
  const [sms, ...more] = await of.told();
  assert.deepEqual(more, []);
  const code = /^Plain thing for you: (\d{4}) or https:\/\//.exec(sms!.text)![1];
  assert.equal((await rowsOf(of.tokens.care, "/v1/offers?state=sent")).length, 1);
  assert.ok(await of.requests.textCame(of.msisdn, `YES ${code}`));
  const [offer] = await rowsOf(of.tokens.care, "/v1/offers");
  assert.deepEqual([offer?.state, offer?.madeBy, offer?.itemId], ["taken", "representative", "plain"]);
  const request = (await door.get(of.tokens.care, `/v1/requests/${offer?.orderId}`)).json();
  assert.deepEqual([request.channel, request.selection, request.state], ["offer", ["plain"], "completed"]);
  const unknown = await door.post(of.tokens.care, "/v1/offers", { itemId: "nothing", to });
  assert.equal(unknown.json().code, "catalog_item_unknown");
  const mute = await door.post(of.tokens.care, "/v1/offers", {
    itemId: "plain",
    to,
    text: "no way to answer",
  });
  assert.equal(mute.json().errors[0].at, "body/text");
});

test("an offer that nobody answered in its days reads expired", async () => {
  const of = await fixture("late offer", { offerDays: 1 });
  await door.post(of.tokens.care, "/v1/offers", { itemId: "plain", to: [{ imsi: of.imsi }] });
  const before = shop.time.now;
  shop.time.now += 86_400_000;
  assert.deepEqual(await rowsOf(of.tokens.care, "/v1/offers?state=sent"), []);
  assert.equal((await rowsOf(of.tokens.care, "/v1/offers?state=expired")).length, 1);
  shop.time.now = before;
});

test("E-CARE sees where somebody stands who has nothing yet, and then each step with what is next", async () => {
  const of = await fixture("care");
  const look = async () => {
    const answer = await door.get(of.tokens.care, `/v1/care/subscribers/${of.msisdn}`);
    assert.equal(answer.statusCode, 200, answer.body);
    for (const secret of [of.msisdn, of.imsi, of.imei.slice(0, 14), ...Object.values(ADA)])
      assert.ok(!answer.body.includes(secret), secret);
    return answer.json();
  };
  const nothing = await look();
  assert.deepEqual(
    [nothing.requests, nothing.services, nothing.account, nothing.lastScreen],
    [[], [], null, null],
  );
  assert.deepEqual(
    nothing.devices.map(({ isCurrent, tac }: { isCurrent: boolean; tac: string }) => [isCurrent, tac]),
    [[true, of.imei.slice(0, 8)]],
  );
  assert.deepEqual(
    nothing.orders.map(({ cause }: { cause: string }) => cause),
    ["first_registration"],
  );
  await enter(of, { selection: ["voice-mail"], user: ADA });
  const waiting = await look();
  const [request] = waiting.requests;
  assert.equal(request.state, "awaiting_consent");
  assert.ok(request.reason && request.nextAction && request.deadlineAt);
  assert.equal(waiting.account.state, "verified");
  const unknown = await door.get(of.tokens.care, "/v1/care/subscribers/491719999999");
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, "subscriber_not_found"]);
});

test("care sends a new link to the phone, not too many, and the link works for its subscriber alone", async () => {
  const of = await fixture("link");
  const url = `/v1/care/subscribers/${of.msisdn}/link`;
  const first = await door.post(of.tokens.care, url, undefined, "l1");
  assert.equal(first.statusCode, 202, first.body);
  assert.equal(
    (await door.post(of.tokens.care, url, undefined, "l1")).headers["idempotency-replayed"],
    "true",
  );
  const mine = () => door.sent.filter(({ to }) => to === of.msisdn);
  assert.equal(mine().length, 1);
  assert.match(mine()[0]!.text, /^Meridian: .*https:\/\/turnup\.invalid\/d\/l\/[\w-]{22}$/);
  const [, token = ""] = /\/d\/l\/([\w-]{22})$/.exec(mine()[0]!.text)!;
  const people = createPortalPeople(shop.database, shop.sealer);
  const use = (operatorId: string) =>
    people.useLink(operatorId, createHash("sha256").update(token).digest(), new Date(shop.time.now));
  assert.equal(await use(first.json().subscriberId), undefined, "of no other operator");
  assert.equal(await use(of.operatorId), first.json().subscriberId);
  assert.equal(await use(of.operatorId), undefined, "once");
  for (let sent = 1; sent < 5; sent++) await door.post(of.tokens.care, url, undefined);
  const more = await door.post(of.tokens.care, url, undefined);
  assert.deepEqual([more.statusCode, more.json().code], [429, "too_many_requests"]);
  assert.equal(mine().length, 5);
  assert.equal((await audit(of))[0]?.action, "link.send");
});

test("nothing of one operator is seen, answered or offered by another", async () => {
  const [of, other] = [await fixture("mine"), await fixture("theirs")];
  const { id, reference } = (await enter(of, { selection: ["voice-mail"] })).json();
  for (const url of [
    `/v1/requests/${id}`,
    `/v1/requests/${reference}`,
    `/v1/subscribers/${of.msisdn}/services`,
    `/v1/care/subscribers/${of.imsi}`,
  ])
    assert.equal((await door.get(other.tokens.admin, url)).statusCode, 404, url);
  const answer = await door.post(other.tokens.admin, `/v1/requests/${id}/terms`, { answer: "accept" });
  assert.equal(answer.json().code, "order_not_found");
  assert.deepEqual(await rowsOf(other.tokens.admin, "/v1/requests"), []);
  assert.deepEqual(await rowsOf(other.tokens.admin, `/v1/requests?msisdn=%2B${of.msisdn}`), []);
  const offered = await door.post(other.tokens.admin, "/v1/offers", {
    itemId: "plain",
    to: [{ msisdn: `+${of.msisdn}` }],
  });
  assert.equal(offered.json().results[0].outcome, "unknown_subscriber");
  assert.equal((await of.status(id)).state, "awaiting_consent");
});
