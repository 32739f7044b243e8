/** Offers by SMS of what asks for something: a link, or one field by text that is read back; a yes alone orders nothing of it (R67). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
const field = (name: string, kind: "phone" | "text" | "email", en: string) =>
  ({ name, label: { en }, kind, required: true }) as const;
const ITEMS: readonly (Partial<CatalogItem> & { readonly id: string })[] = [
  {
    id: "forwarding",
    name: { en: "Call forwarding" },
    elements: ["forwarding"],
    fields: [field("target", "phone", "Forward to")],
  },
  {
    id: "mail",
    kind: "service",
    service: { uri: "https://m.example/scim", module: null, fields: [field("box", "text", "Mailbox")] },
  },
  {
    id: "both",
    kind: "package",
    includes: ["forwarding", "mail"],
  },
];
async function offered(name: string, itemId: string) {
  const fixture = await shop.fixture(name, ITEMS);
  await shop.see(fixture.operatorId, { imsi: fixture.imsi, imei: fixture.imei, msisdn: fixture.msisdn });
  await fixture.told();
  const to = [{ msisdn: fixture.msisdn }];
  const offer = { itemId, to, actor: "test", idempotencyKey: name };
  const [sent] = await fixture.requests.sendOffers(fixture.operatorId, offer);
  assert.equal(sent?.outcome, "sent");
  const [told] = await fixture.told();
  return { fixture, text: told?.text ?? "" };
}
const says = async (fixture: RequestFixture, text: string): Promise<string> => {
  await fixture.requests.textCame(fixture.msisdn, text);
  return (await fixture.told()).map((one) => one.text).join("\n");
};
const orders = ({ operatorId }: RequestFixture) => shop.count("request", "operator_id = $1", [operatorId]);

test("one short field is asked for by text, read back, and ordered by the yes that follows; a value that is none is told what is wrong", async () => {
  const { fixture, text } = await offered("by text", "forwarding");
  const code = /Reply (\d{4}) and then that/.exec(text)?.[1];
  assert.ok(code && /It needs: Forward to\./.test(text) && text.includes("/d/offers/"), text);
  assert.match(await says(fixture, `yes ${code}`), /still needs: Forward to\. Nothing was ordered/);
  assert.match(await says(fixture, `${code} soon`), /not read that as Forward to: it is a phone number/);
  assert.match(await says(fixture, `yes ${code}`), /still needs/);
  assert.match(await says(fixture, `${code} +49 151 98765432`), /Forward to: \+4915198765432\. Reply YES/);
  assert.equal(await orders(fixture), 0, "nothing is ordered before the yes");
  assert.match(await says(fixture, `${code}: +49 151 11111111`), /Forward to: \+4915111111111\. Reply YES/);
  await says(fixture, `yes ${code}`);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.elements.map(({ action, values }) => [action, values.target]),
    [["add", "+4915111111111"]],
  );
  const [row] = await shop.database.rows<{ state: string; given_sealed: Buffer | null }>(
    "select state, given_sealed from offer where operator_id = $1",
    [fixture.operatorId],
  );
  assert.deepEqual(row, { state: "taken", given_sealed: null });
  assert.equal(
    await shop.count("text_reply", "operator_id = $1 and read_as = 'field'", [fixture.operatorId]),
    3,
  );
});

test("a NO after the value was read leaves the offer, and the value is forgotten", async () => {
  const { fixture, text } = await offered("no after all", "forwarding");
  const code = /Reply (\d{4})/.exec(text)?.[1];
  await says(fixture, `${code} +49 151 98765432`);
  await says(fixture, `no ${code}`);
  const [row] = await shop.database.rows<{ state: string; given_sealed: Buffer | null }>(
    "select state, given_sealed from offer where operator_id = $1",
    [fixture.operatorId],
  );
  assert.deepEqual([row, await orders(fixture)], [{ state: "declined", given_sealed: null }, 0]);
});

test("what was given for an offer that ran out is forgotten, and not before", async () => {
  const { fixture, text } = await offered("ran out", "forwarding");
  const code = /Reply (\d{4})/.exec(text)?.[1];
  await says(fixture, `${code} +49 151 98765432`);
  const given = () =>
    shop.count("offer", "operator_id = $1 and given_sealed is not null", [fixture.operatorId]);
  await shop.conductor.forget();
  assert.equal(await given(), 1);
  await shop.database.run("update offer set expires_at = $2 where operator_id = $1", [
    ...[fixture.operatorId, new Date(shop.time.now)],
  ]);
  await shop.conductor.forget();
  assert.equal(await given(), 0);
});

test("what a text cannot give, or more than one field, is given under the link: a yes is answered so, and orders nothing", async () => {
  for (const itemId of ["mail", "both"]) {
    const { fixture, text } = await offered(`by form ${itemId}`, itemId);
    assert.match(text, /It needs: .*Mailbox\. Give it under https:\S+\/d\/offers\//, itemId);
    assert.match(await says(fixture, "yes"), /still needs: .*Mailbox\. Nothing was ordered\. Open the link/);
    assert.equal(await orders(fixture), 0);
  }
});
