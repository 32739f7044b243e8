/** Requests as they are listed, and as E-CARE sees them (R23, R66). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { ADA, staffDoor } from "../../../../test/fixture/staff-door.ts";
import { createPortalPeople } from "../../../store/requests/portal-link.ts";
import { requestsQuery } from "../../../store/requests/request-reader.ts";

const { shop, door, fixture, enter, audit, rowsOf } = await staffDoor();

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

test("requests are listed by the market where the device was (R128)", async () => {
  const of = await fixture("markets");
  const first = (await enter(of, { selection: ["plain"] })).json().id;
  const second = (await enter(of, { selection: ["voice-mail"] })).json().id;
  await shop.database.run(
    "update provisioning_order set market = 'DE', serving_plmn = '26201' where id = $1",
    [first],
  );
  const listed = async (query: string) =>
    (await rowsOf(of.tokens.care, `/v1/requests?${query}`)).map(({ id, market, servingPlmn }) => [
      id,
      market,
      servingPlmn,
    ]);
  assert.deepEqual(await listed("market=DE"), [[first, "DE", "26201"]]);
  assert.deepEqual(await listed("market=FR"), []);
  assert.equal((await listed("limit=10")).filter(([id]) => id === second || id === first).length, 2);
  assert.equal((await door.get(of.tokens.care, "/v1/requests?market=de")).statusCode, 400);
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
    { market: "DE" },
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
