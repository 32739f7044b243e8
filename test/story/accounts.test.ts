/** What care, the operator and the manufacturer can find out by themselves (R111, R114-116). */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { createMakerClient } from "../../src/net/maker/client.ts";
import { itemOf, storyFixture } from "../fixture/story.ts";

const fixture = await storyFixture();
const { makerUrl, maker } = fixture.world.addresses;
const client = createMakerClient({ url: makerUrl, ...maker, timeoutMs: 5_000 });
afterAll(() => client.close());

async function atTheMaker() {
  const [keys, payments] = [
    await client.issuedKeys({ limit: 500 }),
    await client.paymentStates({ limit: 500 }),
  ];
  assert.ok(keys.kind === "answered" && payments.kind === "answered");
  return { keys: keys.answer.keys, ...payments.answer };
}
const hexOf = (uuid: string): string => uuid.replaceAll("-", "");

test("the maker lists the keys it issued, matches them with what is due and paid, and finds no difference", async () => {
  const operator = await fixture.operator();
  const phones = ["Xperia Z3", "Xperia Z3", "P20 lite"].map((model) => fixture.phone(model));
  for (const phone of phones) await phone.attach();
  const stories = [];
  for (const phone of phones) stories.push(await operator.settled(phone));
  const { keys, payments, totals } = await atTheMaker();
  const ours = stories.map((story) => hexOf(itemOf(story, "key").keyId)).sort();
  assert.deepEqual(keys.map(({ keyId }) => keyId).sort(), ours);
  assert.ok(
    keys.every(({ downloadedAt }) => downloadedAt !== undefined),
    "it was told of each download",
  );
  assert.deepEqual(
    payments.map(({ state, dueMinor, receivedMinor }) => ({ state, dueMinor, receivedMinor })),
    phones.map(() => ({ state: "paid", dueMinor: 100, receivedMinor: 100 })),
  );
  assert.deepEqual(totals, { dueMinor: 300, receivedMinor: 300, differences: 0, currency: "EUR" });
  assert.ok(!JSON.stringify([keys, payments]).includes(phones[0]!.spec.imei.slice(0, 14)));
});

test("a portion that is not what the maker's contract says is a difference that the maker finds unaided", async () => {
  const operator = await fixture.operator({ relations: [{ make: "Sony", portionBasisPoints: 2_000 }] });
  const phone = fixture.phone("Xperia Z3");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.equal(story.charges[0].portionMinor, 50);
  const { payments, totals } = await atTheMaker();
  const keyId = hexOf(itemOf(story, "key").keyId);
  const found = payments.find((payment) => payment.keyId === keyId);
  assert.deepEqual([found?.state, found?.dueMinor, found?.receivedMinor], ["differs", 100, 50]);
  assert.equal(totals.differences, 1);
});

test("care finds the devices that were restored, by model and by cause, and nothing of other tenants", async () => {
  const other = await fixture.operator();
  const operator = await fixture.operator();
  const leftBehind = ["Xperia Z3", "G2", "G2"].map((model) => fixture.phone(model));
  const phones = [...leftBehind, fixture.phone("Galaxy S25")];
  for (const phone of phones) await phone.attach();
  for (const phone of phones) await operator.settled(phone);
  const { imei, imsi, msisdn } = leftBehind[2]!.spec;
  await other.sight({ imei, imsi, msisdn, plmn: "001-01" });

  const list = async (query: string, who = operator): Promise<{ id: string; model: string }[]> =>
    (await who.get(`/v1/orders?limit=100&${query}`, "care")).rows;
  const restored = await list("verdict=ended&state=completed");
  assert.deepEqual(restored.map(({ model }) => model).sort(), ["G2", "G2", "Xperia Z3"]);
  assert.equal((await list("make=LG&model=G2&state=completed")).length, 2);
  assert.deepEqual(
    (await list("verdict=supported")).map(({ model }) => model),
    ["Galaxy S25"],
  );
  assert.equal((await list("cause=first_registration")).length, 4);
  for (const nothing of ["cause=sim_moved", "make=Nokia", "state=failed", "verdict=unknown"])
    assert.deepEqual(await list(nothing), [], nothing);
  const rules = new Set<string>();
  for (const { id } of restored) {
    const story = await operator.get(`/v1/orders/${id}`, "care");
    for (const reason of story.verdictReasons) if (reason.decided) rules.add(reason.rule);
  }
  assert.deepEqual(
    [...rules].sort(),
    ["maker_exit", "support_estimate"],
    "each names the rule that counted it as left behind",
  );
  const report = await operator.get("/v1/reports/restored", "care");
  assert.deepEqual(
    report.restored
      .map(({ model, rule, handsets, withKey }: Record<string, unknown>) => [model, rule, handsets, withKey])
      .sort(),
    [
      ["G2", "maker_exit", 2, 2],
      ["Xperia Z3", "support_estimate", 1, 1],
    ],
  );
  assert.equal((await list("make=LG", other)).length, 1);
});
