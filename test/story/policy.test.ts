/** Every switch that the operator has, both ways (R77, R85 to R89, 100, 108): what it does to the order of one phone. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import type { Relation } from "../../src/kernel/operator/operator-terms.ts";
import type { OrderPolicy } from "../../src/kernel/operator/policy.ts";
import { itemOf, kindsOf, type StoryPhone, storyFixture } from "../fixture/story.ts";

/** A number that no list knows, and that gives no age away. */
const UNKNOWN = {
  tac: "86999999",
  make: "unknown",
  model: "No name",
  capability: { opensBy: "itself", takes: ["omacp", "device-key"] },
} as const;
const fixture = await storyFixture({ models: [UNKNOWN] });

type Terms = {
  readonly policy?: Partial<OrderPolicy>;
  readonly relations?: readonly (Partial<Relation> & { readonly make: string })[];
};
const OWN_KEYS = {
  keySource: "own",
  keyServer: null,
  keyIssuers: {},
  portionBasisPoints: 0,
  appHosts: [WORLD.ownHost],
  accessPoints: [{ apn: WORLD.ownApn, use: "maker", authType: "none", mmsc: `http://${WORLD.ownHost}/m` }],
} as const;

async function turnUp(model: string, terms: Terms) {
  const operator = await fixture.operator(terms);
  const phone = fixture.phone(model);
  await phone.attach();
  return { operator, phone, story: await operator.settled(phone) };
}

type Reason = { readonly rule: string; readonly outcome: string; readonly decided: boolean };
const decided = (story: { verdictReasons: Reason[] }): string[] =>
  story.verdictReasons.filter((reason) => reason.decided).map(({ rule, outcome }) => `${rule}: ${outcome}`);

test("a new phone of a maker without a deal counts as left behind, and gets a key of the own store", async () => {
  const { story, phone } = await turnUp("Galaxy S25", {
    relations: [{ make: "Samsung", ...OWN_KEYS, deal: false }],
  });
  assert.equal(story.verdict, "ended");
  assert.ok(decided(story).includes("maker_relation: ended"), decided(story).join());
  assert.equal(itemOf(story, "key").state, "works");
  assert.equal(phone.status().keyOpened, true);
});

test("a listed model counts as left behind whatever its age, and its neighbour does not", async () => {
  const listed = await turnUp("Galaxy S25", { policy: { listedModels: ["Samsung/Galaxy S25*"] } });
  assert.deepEqual([listed.story.verdict, decided(listed.story)], ["ended", ["model_list: ended"]]);
  const other = await turnUp("Galaxy S25", { policy: { listedModels: ["Samsung/Galaxy S24"] } });
  assert.equal(other.story.verdict, "supported");
});

test("the operator's own cut-off age decides where it is set", async () => {
  const strict = await turnUp("Galaxy S25", { policy: { ageCutOffYears: 0 } });
  assert.deepEqual([strict.story.verdict, decided(strict.story)], ["ended", ["age_cutoff: ended"]]);
  const { version } = (await strict.operator.call("GET", "/v1/policy")).body;
  assert.ok(version > 0);
  assert.equal(strict.story.policyVersion, version, "and the order names the version that judged it");
  const mild = await turnUp("Galaxy S25", { policy: { ageCutOffYears: 30 } });
  assert.equal(mild.story.verdict, "supported");
});

for (const keyWithoutDeal of [true, false]) {
  test(`a phone that is not left behind, of a maker without a deal, gets ${keyWithoutDeal ? "a key" : "no key"} where the policy says so`, async () => {
    const operator = await fixture.operator({
      policy: { keyWithoutDeal },
      relations: [{ make: "Samsung", ...OWN_KEYS, deal: false }],
    });
    const override = {
      scope: "model",
      key: "Samsung/Galaxy S25",
      body: { verdict: "supported" },
      why: "tested",
    };
    const put = await operator.call("PUT", "/v1/overrides", override);
    assert.equal(put.status, 200, put.text);
    const phone = fixture.phone("Galaxy S25");
    await phone.attach();
    const story = await operator.settled(phone);
    assert.equal(story.verdict, "supported");
    assert.deepEqual(decided(story), ["operator_override: supported"]);
    assert.equal(itemOf(story, "key")?.state, keyWithoutDeal ? "works" : undefined);
    assert.equal(story.charges.length, keyWithoutDeal ? 1 : 0);
  });
}

for (const keyForUnknown of [true, false]) {
  test(`a phone that no list knows gets ${keyForUnknown ? "a key and " : "no key, only "}settings where the policy says so`, async () => {
    const { story, phone } = await turnUp(UNKNOWN.model, {
      policy: { keyForUnknown, unknownProtocol: "omacp" },
    });
    assert.deepEqual(
      [story.verdict, story.make, story.model],
      ["unknown", null, null],
      "a model is never guessed",
    );
    assert.equal(itemOf(story, "key")?.state, keyForUnknown ? "works" : undefined);
    assert.equal(phone.status().keyOpened, keyForUnknown);
    assert.equal(itemOf(story, "settings").state, "works");
  });
}

for (const [unknownProtocol, protocol] of [
  ["omacp", "omacp"],
  ["link", "text"],
] as const) {
  test(`a phone whose protocol nobody knows gets its settings by ${unknownProtocol} where the policy says so`, async () => {
    const operator = await fixture.operator({ policy: { unknownProtocol, doneAt: "delivered" } });
    const phone = fixture.phone(UNKNOWN.model);
    await phone.attach();
    const story = await operator.ended(phone);
    assert.deepEqual(
      story.messages.map((message: { protocol: string }) => message.protocol),
      [protocol],
    );
  });
}

/** An access point that leads nowhere: a key that runs, and works for nobody. */
const NOWHERE = [
  { make: "*", accessPoints: [{ apn: "nowhere.example", use: "maker", authType: "none" }] },
] as const;

for (const [doneAt, state] of [
  ["delivered", "completed"],
  ["opened", "completed"],
  ["works", "provisioning"],
] as const) {
  test(`a key that was opened and works for nobody leaves the order ${state} where done means "${doneAt}"`, async () => {
    const operator = await fixture.operator({ policy: { doneAt }, relations: NOWHERE });
    const phone = fixture.phone("G2");
    await phone.attach();
    const story = await operator.storyUntil(
      phone,
      (one) => itemOf(one, "key")?.state === "opened" && itemOf(one, "settings")?.state === "works",
      "the key was opened",
    );
    assert.equal(story.state, state);
    assert.equal(
      itemOf(story, "key").nextAction,
      state === "completed" ? "none" : "wait for proof that it works",
    );
    assert.deepEqual(story.charges, [], "the contract's own level is another matter");
  });
}

for (const keyApnsInSettings of [true, false]) {
  test(`the key's access points ${keyApnsInSettings ? "stand" : "do not stand"} in the settings too where the policy says so`, async () => {
    const { story } = await turnUp("G2", { policy: { keyApnsInSettings } });
    const settings = story.messages.find(({ kind }: { kind: string }) => kind === "settings");
    assert.equal(settings.content.bodies[0].xml.includes(WORLD.ownApn), keyApnsInSettings);
    assert.ok(settings.content.bodies[0].xml.includes("internet.meridian"));
  });
}

test("without a key source for its make, a phone left behind gets its settings, and the order says why no key", async () => {
  const { story } = await turnUp("G2", { relations: [{ make: "LG", keySource: "none" }] });
  assert.equal(story.verdict, "ended");
  assert.deepEqual(
    kindsOf(story).filter((kind) => kind.startsWith("key_")),
    ["key_not_available"],
  );
  assert.equal(story.items.length, 1);
});

test("a policy changed over the API holds for the next phone, with its version and its author kept", async () => {
  const operator = await fixture.operator();
  const first = fixture.phone("Galaxy S25");
  await first.attach();
  assert.equal((await operator.settled(first)).verdict, "supported");
  const { body, version } = await operator.get("/v1/policy");
  const put = await operator.call("PUT", "/v1/policy", { ...body, listedModels: ["Samsung/*"] }, "engineer", {
    "if-match": `"${version}"`,
  });
  assert.equal(put.status, 200, put.text);
  const stale = await operator.call("PUT", "/v1/policy", body, "engineer", { "if-match": `"${version}"` });
  assert.equal(stale.status, 412);
  const verdictOf = async (phone: StoryPhone): Promise<string> => {
    await phone.attach();
    return (await operator.settled(phone)).verdict;
  };
  assert.equal(await verdictOf(fixture.phone("Galaxy S25")), "ended");
  const { madeBy } = await operator.get("/v1/policy");
  assert.match(madeBy, /engineer$/);
});
