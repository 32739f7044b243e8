/** Staff enters requests for subscribers, over the real server and database (R47, R66, R70, R72). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ADA, staffDoor } from "../../../../test/fixture/staff-door.ts";

const { door, fixture, enter, audit, rowsOf } = await staffDoor();

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
