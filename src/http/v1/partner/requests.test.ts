/** Partners that ask for somebody, and offers that somebody answers, over the real server and database (R67 to R69). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ADA, staffDoor } from "../../../../test/fixture/staff-door.ts";

const { shop, door, fixture, audit, rowsOf } = await staffDoor();

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
  const body = (of: { readonly subscriber: object }) => ({
    subscriber: of.subscriber,
    selection: ["guarded"],
    assurance: "aka",
  });
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
