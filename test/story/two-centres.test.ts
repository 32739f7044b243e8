/** Two operators of one server, a message centre each: what a fall of one changes, and that nothing goes twice without cause. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Config } from "../../src/app/config/config.ts";
import { SEED } from "../fixture/seed.ts";
import { type StoryOperator, storyFixture, until } from "../fixture/story.ts";

const fixture = await storyFixture({
  seed: SEED,
  world: { smscRetryMs: 50, secondCentre: true },
  env: { TURNUP_SMSC_RESPONSE_TIMEOUT_MS: "300", TURNUP_SMSC_FAILOVER_SECONDS: "1" },
});
const { smsc: north, secondCentre } = fixture.world.parties;
assert.ok(secondCentre);
const south = secondCentre;

/** One centre is the first operator's; the other is the second's, and takes what the first one's cannot. */
const [first, second] = [await fixture.operator(), await fixture.operator()];
const entry = (name: string, port: number, operators: readonly string[]): Config["smsc"] => ({
  ...fixture.config.smsc,
  name,
  port,
  operators: [...operators],
});
await fixture.server.change({
  ...fixture.config,
  smscEntries: [
    entry("north", north.port, [first.slug]),
    entry("south", south.port, [second.slug, first.slug]),
  ],
});
const isBound = (name: string): boolean =>
  fixture.server.engine.centres.all().some((centre) => centre.name === name && centre.downSinceMs === null);
await until(() => isBound("north") && isBound("south"), Boolean, "both centres are bound");

const numbersAt = ({ log }: typeof north): readonly string[] => log.map(({ to }) => to);
let keys = 0;
/** Answers the numbers that they go to: one each, or one for all. */
async function send(operator: StoryOperator, count: number, number?: string): Promise<readonly string[]> {
  const messages = Array.from({ length: count }, () => ({
    to: number === undefined ? `+8821080${String(++keys).padStart(5, "0")}` : `+${number}`,
    text: "hello",
  }));
  const key = { "idempotency-key": `texts-${++keys}` };
  const { status, text } = await operator.call("POST", "/v1/messages", { messages }, "admin", key);
  assert.equal(status, 202, text);
  return messages.map(({ to }) => to.slice(1));
}
type Told = {
  readonly state: string;
  readonly reason: string;
  readonly parts: readonly { readonly smsc: string }[];
};
const told = async (operator: StoryOperator, query: string): Promise<readonly Told[]> =>
  (await operator.get(`/v1/messages?limit=200${query}`)).rows;
const measure = async (line: RegExp): Promise<string | undefined> =>
  line.exec(await (await fetch(`${fixture.server.url}/metrics`)).text())?.[1];

test("each operator's messages go by its own centre, and receipts are matched though both give the same ids", async () => {
  const phones = [fixture.phone("Galaxy S25"), fixture.phone("Galaxy S25")] as const;
  for (const phone of phones) {
    await phone.attach(); // the network tells the second operator, which sends it settings
    await second.settled(phone);
  }
  const numbers = phones.map(({ spec: { msisdn } }) => msisdn.replace("+", ""));
  for (const [at, operator] of [first, second].entries()) {
    await send(operator, 40, numbers[at]);
    const texts = await until(
      () => told(operator, ""),
      (rows) => rows.length >= 40 && rows.every(({ state }) => state === "delivered"),
      "every text is delivered",
    );
    const by = new Set(texts.flatMap(({ parts }) => parts.map(({ smsc }) => smsc)));
    assert.deepEqual([...by], [["north", "south"][at]]);
  }
  const ids = new Set(north.log.map(({ messageId }) => messageId));
  assert.ok(
    south.log.some(({ messageId }) => ids.has(messageId)),
    "both gave the same id",
  );
});

test("one centre falls: its operator's messages go by the other, once each, and what it had perhaps waits for it", async () => {
  const texts = await send(first, 200);
  await until(
    () => numbersAt(north).filter((to) => texts.includes(to)).length > 20,
    Boolean,
    "it takes some",
  );
  await north.close();
  const other = await send(second, 20);
  await until(
    () => other.every((to) => numbersAt(south).includes(to)),
    Boolean,
    "the second operator's go on",
  );
  const late = await send(first, 20);
  await fixture.whileTimePasses(() =>
    until(
      () => late.every((to) => numbersAt(south).includes(to)),
      Boolean,
      "the first one's go by the other",
    ),
  );
  const [at, taken] = [numbersAt(north), numbersAt(south)];
  for (const to of [...texts, ...other, ...late])
    assert.ok(taken.filter((one) => one === to).length <= 1, `${to} went twice by one centre`);
  const twice = texts.filter((to) => at.includes(to) && taken.includes(to));
  assert.deepEqual(twice, [], "nothing that north took went by south");
  for (const { reason } of await told(first, "&state=queued"))
    assert.match(reason, /north (has it perhaps|is not bound)/);
  assert.ok(Number(await measure(/turnup_smsc_failed_over_messages_total\{centre="north"\} (\d+)/)) >= 20);
  assert.equal(await measure(/turnup_smsc_session_state\{centre="south",state="bound"\} (\d)/), "1");
  const ready = await fetch(`${fixture.server.url}/readyz`);
  assert.equal(ready.status, 200, "the server still has work");
  assert.deepEqual(((await ready.json()) as { messageCentres: unknown }).messageCentres, [
    { name: "north", bound: false },
    { name: "south", bound: true },
  ]);
});

test("drained, a centre takes nothing new: its operator's messages wait and say why", async () => {
  await fixture.server.change({
    ...fixture.config,
    smscEntries: [{ ...entry("south", south.port, [second.slug]), drain: true }],
  });
  const texts = await send(second, 3);
  const rows = await until(
    () => told(second, "&state=queued"),
    (found) => found.length === 3 && found.every(({ reason }) => reason.includes("drained")),
    "they wait and say why",
  );
  assert.match(
    rows[0]?.reason ?? "",
    /every message centre that serves it is being drained; it is looked at again at/,
  );
  assert.ok(!numbersAt(south).some((to) => texts.includes(to)));
});
