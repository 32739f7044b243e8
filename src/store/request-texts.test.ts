/** Texts between a subscriber and his requests: long ones, and numbers that are another's by now. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../test/order-shop.ts";
import { requestShop } from "../../test/request-shop.ts";

const shop = await requestShop();
const RADIO = { id: "radio", terms: "t", content: { kind: "none" } } as const;
/** TS 23.040 9.2.3.24.1: a message has at most 255 parts; of UCS-2 each holds 67 characters. */
const CHARACTERS_OF_NO_SMS = 255 * 67 + 1;

test("terms that are longer than any SMS go out as far as ten SMS go, with the address of the whole", async () => {
  const house = await shop.house("long terms", [RADIO]);
  const text = `${"Я".repeat(CHARACTERS_OF_NO_SMS)}`;
  await shop.catalog.putTerms(house.operatorId, "t", { en: text }, () => true, "test");
  const { orderId } = await house.ask(["radio"], { noticeKey: null });
  assert.equal((await house.status(orderId)).state, "awaiting_consent");
  const [told] = await house.told();
  assert.equal(told?.parts, 10);
  assert.match(told!.text, /Я … https:\S+$/);
  assert.equal((await house.status(orderId)).terms[0]?.text, text, "the screen has the whole");
});

test("who has a number now answers his own questions alone, not those of who had it before", async () => {
  const house = await shop.house("number before", [RADIO], { terms: ["t"] });
  const before = await house.ask(["radio"]);
  const who = { ...pair("number now"), msisdn: house.msisdn };
  const now = await house.ask(["radio"], { who });
  assert.equal(await house.requests.textCame(house.msisdn, "yes"), true);
  assert.equal((await house.status(before.orderId)).state, "awaiting_consent");
  assert.notEqual((await house.status(now.orderId)).state, "awaiting_consent");
  assert.equal(await house.requests.textCame(house.msisdn, "no"), false, "he has no other question");
});

test("a yes to an offer that cannot be had by SMS is answered, and opens nothing", async () => {
  const safe = {
    ...RADIO,
    id: "safe",
    requires: { assurance: "cert", verification: false, card: false },
  } as const;
  const house = await shop.house("offer too weak", [RADIO, safe], { terms: ["t"] });
  await house.ask(["radio"], { noticeKey: null });
  await house.told();
  await house.requests.sendOffers(house.operatorId, {
    itemId: "safe",
    to: [{ msisdn: house.msisdn }],
    actor: "marketing",
    idempotencyKey: "spring",
  });
  const [offer] = await house.told();
  const code = /YES (\d{4})/.exec(offer!.text)![1]!;
  assert.equal(await house.requests.textCame(house.msisdn, `yes ${code}`), true);
  assert.deepEqual(
    (await house.told()).map(({ text }) => /cannot be set up by SMS/.test(text)),
    [true],
  );
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [house.operatorId]),
    0,
  );
});
