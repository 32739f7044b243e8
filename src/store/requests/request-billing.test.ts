/** The billing centre learns whom it bills: at the first success, and with what changes later (US 6,647,260, claim 7; R63, R119). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestFixture, requestShop, USER } from "../../../test/fixture/request-shop.ts";
import { readBillingNotice } from "../../wire/message/billing-api.ts";
import { shapeFaultOf } from "../../wire/message/shape.ts";
import { putAccountNumber } from "./account-books.ts";

const shop = await requestShop();
const ITEMS = ["one", "two"].map((id) => ({ id, content: { kind: "none" as const } }));
const CARD = {
  token: "tok_billing_1",
  first6: "411111",
  last4: "1111",
  brand: "visa",
  index: new Uint8Array(16).fill(3),
};
const ADDRESS = {
  streetName: "St James's Square",
  streetNumber: "12",
  postalCode: "SW1Y 4JH",
  locality: "London",
};

const done = async (fixture: RequestFixture, items: readonly string[], more = {}): Promise<string> => {
  const { orderId } = await fixture.ask(items, more);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed", (await fixture.status(orderId)).reason);
  return orderId;
};
const told = ({ saw }: RequestFixture) =>
  saw.billing.flatMap(({ kind, account }) => (account ? [{ kind, ...account }] : []));

test("the first success tells number, SIM, device, what he has, who he is, where, and the token that pays", async () => {
  const fixture = await shop.fixture("billing first", ITEMS);
  await done(fixture, ["one"], { user: { ...USER, ...ADDRESS }, card: CARD, accountNumber: "C-4711" });
  const [account, ...rest] = told(fixture);
  assert.equal(rest.length, 0);
  const { make, model, lastModified, imei, ...said } = account!;
  assert.deepEqual(said, {
    kind: "account",
    externalId: "C-4711",
    msisdn: fixture.msisdn,
    imsi: fixture.imsi,
    productOffering: [{ id: "one", bundle: null }],
    givenName: "Ada",
    familyName: "Lovelace",
    streetName: "St James's Square",
    streetNr: "12",
    postcode: "SW1Y 4JH",
    city: "London",
    country: "GB",
    paymentToken: "tok_billing_1",
  });
  assert.equal(imei?.slice(0, 14), fixture.imei.slice(0, 14));
  assert.ok(make && model, "the device by its names");
  assert.equal(Date.parse(lastModified), shop.time.now);
});

test("a change of who he is, of his account number or of what he has is told; what stayed is not told again", async () => {
  const fixture = await shop.fixture("billing change", ITEMS);
  await done(fixture, ["one"]);
  fixture.saw.billing.length = 0;
  const { subscriberId } = (await fixture.story(
    await done(fixture, ["two"], { user: { locality: "Paris" } }),
  )) as never as {
    subscriberId: string;
  };
  assert.deepEqual(
    told(fixture).map(({ kind, city, productOffering }) => [
      kind,
      city,
      productOffering?.map(({ id }) => id),
    ]),
    [["account_change", "Paris", ["one", "two"]]],
  );
  fixture.saw.billing.length = 0;
  const { operatorId } = fixture;
  await putAccountNumber(shop.database, shop.sealer, { operatorId, subscriberId, number: "C-9" });
  await done(fixture, ["two"], { action: "remove" });
  assert.deepEqual(
    told(fixture).map(({ externalId, productOffering }) => [
      externalId,
      productOffering?.map(({ id }) => id),
    ]),
    [["C-9", ["one"]]],
  );
});

test("what the operator's policy does not name stays here", async () => {
  const fixture = await shop.fixture("billing sparing", ITEMS, {
    policy: { billingFields: ["msisdn", "productOffering"] },
  });
  await done(fixture, ["one"], { card: CARD });
  const [account] = told(fixture);
  assert.deepEqual(Object.keys(account!).sort(), ["kind", "lastModified", "msisdn", "productOffering"]);
});

test("a name out of a list of devices that no notice takes whole goes out as far as it fits, and the account is opened", async () => {
  const fixture = await shop.fixture("billing long name", ITEMS);
  shop.world.model = `Galaxy\tA51 ${"SM-A515F, ".repeat(40)}`;
  await done(fixture, ["one"]);
  shop.world.model = "One";
  const { kind: _, ...account } = told(fixture)[0]!;
  assert.match(account.model!, /^Galaxy A51 SM-A515F, /);
  const { id, kind, accountId } = fixture.saw.billing[0]!;
  const notice = { ...fixture.saw.billing[0]!, account };
  assert.equal(shapeFaultOf(notice, readBillingNotice), undefined, `${kind} ${id} of ${accountId}`);
});

test("what waits for the billing centre, and what it took, stands sealed", async () => {
  const fixture = await shop.fixture("billing sealed", ITEMS);
  fixture.answers.billing = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" });
  const { orderId } = await fixture.ask(["one"], {
    user: { ...USER, ...ADDRESS },
    card: CARD,
    accountNumber: "C-0815",
  });
  await fixture.calls();
  const calls = await shop.database.rows("select * from outbound_call where order_id = $1", [orderId]);
  assert.ok(calls.length > 0);
  fixture.answers.billing = () => Promise.resolve({ kind: "done", reference: "b" });
  await shop.pass(3_600_000);
  await fixture.calls();
  const accounts = await shop.database.rows("select * from user_account where operator_id = $1", [
    fixture.operatorId,
  ]);
  const subscribers = await shop.database.rows("select * from subscriber where operator_id = $1", [
    fixture.operatorId,
  ]);
  const rows = JSON.stringify([calls, accounts, subscribers], (_, value) =>
    value?.type === "Buffer" ? Buffer.from(value.data).toString("latin1") : value,
  );
  for (const secret of ["Lovelace", "James's", "C-0815", fixture.msisdn, fixture.imsi])
    assert.ok(!rows.includes(secret), secret);
  assert.equal((accounts[0] as { state: string }).state, "registered");
  assert.ok((accounts[0] as { billing_told_sealed: unknown }).billing_told_sealed);
});
