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
