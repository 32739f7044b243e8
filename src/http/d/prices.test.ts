/** What a package costs and which terms come with it, from its page to what is booked and kept (R7, R20, R44). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { filled, portalOver } from "../../../test/fixture/portal.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { DEVICE_PATHS } from "../../wire/message/legs.ts";

const shop = await requestShop();
const EURO = { currency: "EUR" } as const;
const NAME = (en: string) => ({ name: { en } });
const ITEMS = [
  { id: "mail", ...NAME("Mail"), terms: "mail-terms", price: { ...EURO, onceMinor: 299, monthlyMinor: 0 } },
  { id: "news", ...NAME("News"), terms: "news-terms", price: { ...EURO, onceMinor: 0, monthlyMinor: 199 } },
  { id: "radio", ...NAME("Radio") },
  { id: "all", ...NAME("All of it"), kind: "package", includes: ["mail", "news", "radio"] },
] as const;
const setup = { terms: ["mail-terms", "news-terms"] };

test("the terms of a package's members are reached from its page and its form, agreed to, and kept with their versions", async () => {
  const fixture = await shop.fixture("package terms", ITEMS, setup);
  const { screen } = portalOver(shop, fixture);
  const page = await screen("GET", "/d/items/all");
  const form = await screen("GET", "/d/items/all/order");
  for (const { entries } of [page, form]) {
    const terms = entries.filter(({ label }) => label.startsWith("Terms"));
    assert.deepEqual(
      terms.map(({ label }) => label),
      ["Terms: Mail", "Terms: News"],
    );
    const texts = await Promise.all(terms.map(({ href }) => screen("GET", href)));
    assert.deepEqual(
      texts.map(({ text }) => text),
      [["Terms of mail-terms."], ["Terms of news-terms."]],
    );
    const back = texts[0]!.actions.find(({ role }) => role === "back");
    assert.equal(back?.href, "/d/items/all", "back leads to the package");
  }
  assert.equal((await screen("GET", "/d/items/radio/terms/mail-terms")).status, 404, "none of its own");

  const { orderId } = await fixture.ask(["all"], { noticeKey: null });
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  const kept = await shop.database.rows<{ terms_id: string; terms_version: number; answer: string }>(
    "select terms_id, terms_version, answer from consent where order_id = $1 order by terms_id",
    [orderId],
  );
  assert.deepEqual(
    kept.map((one) => `${one.terms_id}@${one.terms_version} ${one.answer}`),
    ["mail-terms@1 accept", "news-terms@1 accept"],
  );
});

test("page, SMS with the terms, offer and billing centre name one price for a package without one of its own", async () => {
  const fixture = await shop.fixture("package price", ITEMS, setup);
  const { screen } = portalOver(shop, fixture);
  const words = "€2.99 once, €1.99 a month";
  assert.ok((await screen("GET", "/d/items/all")).text.includes(words));
  assert.deepEqual((await screen("GET", "/d/items/all/order")).text[0], `All of it: ${words}`);
  const { orderId } = await fixture.ask(["all"], { noticeKey: null });
  const [terms] = await fixture.told();
  assert.match(terms!.text, /you asked for Mail, News, Radio \(€2\.99 once, €1\.99 a month\)\. Terms of/);
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "sms");
  await fixture.calls();
  const booked = fixture.saw.billing.filter(({ kind }) => kind === "feature");
  const sum = (of: "onceMinor" | "monthlyMinor"): number => booked.reduce((all, one) => all + one[of], 0);
  assert.deepEqual([booked.length, sum("onceMinor"), sum("monthlyMinor")], [3, 299, 199]);
  await fixture.told();

  const other = await shop.fixture("package offer", ITEMS, setup);
  await other.ask(["radio"], { noticeKey: null });
  await other.told();
  const offer = { itemId: "all", to: [{ msisdn: other.msisdn }], actor: "marketing", idempotencyKey: "k" };
  await other.requests.sendOffers(other.operatorId, offer);
  const [offered] = await other.told();
  assert.match(offered!.text, /All of it is there for you \(€2\.99 once, €1\.99 a month\)/);
});

test("a form whose price has changed is shown anew with the price of now, and nothing is ordered by it", async () => {
  const fixture = await shop.fixture("price moves", ITEMS.slice(2, 3));
  const { screen } = portalOver(shop, fixture);
  const form = await screen("GET", "/d/items/radio/order");
  assert.deepEqual(form.text, ["Radio: Free"]);
  const { version, id: _id, ...radio } = (await shop.catalog.find(fixture.operatorId, "radio"))!.current!;
  const price = { ...EURO, onceMinor: 0, monthlyMinor: 499 };
  await shop.catalog.put(
    fixture.operatorId,
    "radio",
    { ...radio, price },
    { expected: (now) => now === version, actor: "test" },
  );
  shop.time.now += 60_000; // the catalog may be some seconds old
  const again = await screen("POST", DEVICE_PATHS.requests, filled(form));
  assert.equal(again.status, 422);
  assert.match(again.text[0]!, /price has changed/);
  assert.equal(again.text[1], "Radio: €4.99 a month");
  const count = () => shop.count("provisioning_order", "operator_id = $1", [fixture.operatorId]);
  assert.equal(await count(), 0);
  const done = await screen("POST", DEVICE_PATHS.requests, filled(again));
  assert.equal(done.status, 200);
  assert.equal(await count(), 1);
});
