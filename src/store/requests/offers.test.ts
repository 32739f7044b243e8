/** Whom an offer goes to: nobody is offered what they have, have ordered, cannot have, or said no to a while ago. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { countOffers } from "../../kernel/requested/offers.ts";

const shop = await requestShop();
const DAY_MS = 24 * 3_600_000;
const plain = (id: string, more = {}) => ({ id, content: { kind: "none" }, ...more }) as const;

let campaigns = 0;
async function fixture(name: string, policy = {}) {
  const items = [
    plain("mail"),
    plain("radio", { terms: "t" }),
    plain("quiet", { conflicts: ["mail"] }),
    plain("gone", { available: false }),
    plain("needy", { needs: ["radio"] }),
    plain("software", { content: { kind: "activation", module: "java" } }),
    plain("both", { kind: "package", includes: ["mail", "radio"] }),
    plain("known", {}),
  ];
  const of = await shop.fixture(name, items, { terms: ["t"], policy });
  await of.ask(["known"], { noticeKey: null }); // somebody whom the books know
  await of.told();
  const offer = async (itemId: string, key = `c${++campaigns}`) => {
    const to = [{ msisdn: of.msisdn }];
    const [one] = await of.requests.sendOffers(of.operatorId, {
      itemId,
      to,
      actor: "m",
      idempotencyKey: key,
    });
    return one!.outcome;
  };
  return { ...of, offer };
}

test("what he has, also as all of a package, is not offered; what he has ordered neither", async () => {
  const of = await fixture("has it");
  await of.ask(["mail"], { noticeKey: null });
  assert.equal(await of.offer("mail"), "has_already");
  assert.equal(await of.offer("both"), "sent", "the radio of it he lacks");
  const { orderId } = await of.ask(["radio"], { noticeKey: null });
  assert.equal((await of.status(orderId)).state, "awaiting_consent");
  assert.equal(await of.offer("radio"), "ordered_already");
  assert.equal(await of.offer("both"), "ordered_already");
  await of.requests.answerTerms(of.scope, orderId, "accept", "screen");
  assert.equal(await of.offer("both"), "has_already");
});

test("what cannot stand beside what he has, what is not to be had, and what he could not use are not offered", async () => {
  const of = await fixture("cannot have it");
  await of.ask(["mail"], { noticeKey: null });
  await of.told();
  assert.equal(await of.offer("quiet"), "conflict");
  assert.equal(await of.offer("gone"), "not_available");
  assert.equal(await of.offer("needy"), "not_available");
  assert.equal(await of.offer("software"), "not_available", "his phone has no client");
  assert.equal((await of.told()).length, 0);
});

test("what he declined is not offered again before the operator's pause is over", async () => {
  const of = await fixture("declined", { offerPauseDays: 30 });
  assert.equal(await of.offer("mail"), "sent");
  const [told] = await of.told();
  await of.requests.textCame(of.msisdn, `no ${/YES (\d{4})/.exec(told!.text)![1]}`);
  assert.equal(await of.offer("mail"), "declined_recently");
  assert.equal(await of.offer("radio"), "sent", "another item is");
  shop.time.now += 29 * DAY_MS;
  assert.equal(await of.offer("mail"), "declined_recently");
  shop.time.now += 2 * DAY_MS;
  assert.equal(await of.offer("mail"), "sent");
  const eager = await fixture("declined, no pause", { offerPauseDays: 0 });
  assert.equal(await eager.offer("mail"), "sent");
  const [first] = await eager.told();
  await eager.requests.textCame(eager.msisdn, `no ${/YES (\d{4})/.exec(first!.text)![1]}`);
  assert.equal(await eager.offer("mail"), "sent");
});

test("results are counted by outcome, in one order, without those that did not come", async () => {
  const of = await fixture("counted");
  assert.equal(await of.offer("mail", "same"), "sent");
  assert.equal(await of.offer("mail", "same"), "repeated");
  const one = (outcome: "sent" | "stopped" | "has_already") => ({ outcome, offerId: null, sendsAt: null });
  assert.deepEqual(countOffers([one("stopped"), one("sent"), one("has_already"), one("sent")]), {
    sent: 2,
    stopped: 1,
    has_already: 1,
  });
  assert.deepEqual(countOffers([]), {});
});

test("open questions of one subscriber have different numbers, whatever chance says", async () => {
  const of = await fixture("numbers", { offerPauseDays: 0 });
  const items = ["mail", "radio", "needy", "both"];
  for (const [n, itemId] of items.entries()) await of.offer(itemId, `n${n}`);
  await shop.database.run("update offer set code = '1000' where operator_id = $1 and item_id = 'mail'", [
    of.operatorId,
  ]);
  const codes = await shop.database.rows<{ code: string }>("select code from offer where operator_id = $1", [
    of.operatorId,
  ]);
  assert.equal(new Set(codes.map(({ code }) => code)).size, codes.length);
  for (const { code } of codes) assert.match(code, /^[1-9]\d{3}$/);
});
