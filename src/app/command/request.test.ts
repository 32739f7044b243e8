/** Requests and offers at a terminal, over a database of the test file's own. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createCatalogStore } from "../../store/operator/catalog-store.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import type { CommandEntry } from "../terminal/command.ts";

const entry = (name: string, load: CommandEntry["load"]): CommandEntry => ({ name, summary: "", load });
const requests = () => import("./request.ts");
const offers = () => import("./offer.ts");
const fixture = await cliFixture([
  entry("request submit", async () => (await requests()).requestSubmitCommand),
  entry("request list", async () => (await requests()).requestListCommand),
  entry("request show", async () => (await requests()).requestShowCommand),
  entry("review answer", async () => (await import("./review.ts")).reviewAnswerCommand),
  entry("review list", async () => (await import("./review.ts")).reviewListCommand),
  entry("request answer", async () => (await requests()).requestAnswerCommand),
  entry("offer send", async () => (await offers()).offerSendCommand),
  entry("offer list", async () => (await offers()).offerListCommand),
]);
const operatorId = await fixture.operator("meridian");
const catalog = createCatalogStore({ database: fixture.database, newId: uuidv7, clock: () => new Date() });
await catalog.putTerms(
  operatorId,
  "mail-terms",
  { en: "Mail costs." },
  { expected: () => true, actor: "test" },
);
for (const id of ["voice-mail", "plain", "extra"]) {
  const {
    id: _,
    version: __,
    ...body
  } = sampleItem(id, { terms: id === "voice-mail" ? "mail-terms" : null });
  await catalog.put(operatorId, id, body, { expected: () => true, actor: "test" });
}
const registry = createRegistry({ ...fixture, newId: uuidv7, clock: () => new Date() });
const request = { ...DEFAULT_POLICY.request, unknownUser: "review" } as const;
await registry.policies.put(operatorId, 0, { ...DEFAULT_POLICY, request }, "test");
const ada = pair("cli ada");
const seen = ["--imsi", ada.imsi, "--imei", ada.imei];
const USER = { givenName: "Ada", familyName: "Lovelace" };
const inDatabase = async (text: string, values: readonly unknown[] = []) =>
  (await fixture.database.one<{ n: number }>(`select count(*)::int as n from ${text}`, values))!.n;

test("a request is entered, looked at by a person, shown with what waits, answered, and listed; its steps stand in the audit", async () => {
  const file = fixture.file("ada.json", JSON.stringify(USER));
  const argv = ["request", "submit", "voice-mail", ...seen, "--msisdn", `+${ada.msisdn}`, "--user", file];
  const submitted = await fixture.run([...argv, "--key", "ticket 7", "--json"]);
  assert.equal(submitted.exitCode, 0, submitted.stderr);
  const [{ id, reference, created } = {}] = jsonLines(submitted.stdout);
  assert.equal(created, true);
  const again = await fixture.run([...argv, "--key", "ticket 7"]);
  assert.match(again.stdout, new RegExp(`request ${String(reference)} was entered before`));

  const waiting = await fixture.run(["review", "list"]);
  assert.match(waiting.stdout, new RegExp(`${String(reference)} .*a person has to look at who asks`));
  const looked = await fixture.run(["review", "answer", String(reference)]);
  assert.match(looked.stdout, /givenName +Ada\nfamilyName +Lovelace/);
  const approve = ["review", "answer", String(reference), "approve"];
  assert.equal((await fixture.run(approve)).exitCode, 2, "a reason belongs to it");
  const approved = await fixture.run([...approve, "--reason", "called back"]);
  assert.equal(approved.exitCode, 0, approved.stderr);
  const twice = await fixture.run([...approve, "--reason", "again"]);
  assert.deepEqual([twice.exitCode, /nothing_to_answer/.test(twice.stderr)], [1, true]);
  assert.match((await fixture.run(["review", "list"])).stderr, /nobody waits/);

  const shown = await fixture.run(["request", "show", String(reference)]);
  assert.match(shown.stdout, /awaiting_consent/);
  assert.match(shown.stdout, /by {12}cli, by the channel representative/);
  assert.match(shown.stdout, /\[mail-terms@1\]\nMail costs\./);
  const answered = await fixture.run(["request", "answer", String(reference), "accept", "--json"]);
  assert.equal(answered.exitCode, 0, answered.stderr);
  assert.equal(jsonLines(answered.stdout)[0]?.state, "completed");
  const late = await fixture.run(["request", "answer", String(id), "decline"]);
  assert.deepEqual([late.exitCode, /nothing_to_answer/.test(late.stderr)], [1, true]);

  const list = await fixture.run(["request", "list", "--actor", "cli", "--msisdn", `+${ada.msisdn}`]);
  for (const option of ["--channel", "--road"]) {
    const ofChannel = async (channel: string) =>
      jsonLines((await fixture.run(["request", "list", option, channel, "--json"])).stdout);
    assert.deepEqual(
      (await ofChannel("representative")).map(({ reference, channel, road }) => [reference, channel, road]),
      [[reference, "representative", "representative"]],
    );
    assert.deepEqual(await ofChannel("partner"), [], option);
  }
  assert.match(list.stdout, new RegExp(`${String(reference)} +completed +representative +cli`));
  for (const { stdout, stderr } of [submitted, shown, answered, list]) {
    for (const secret of [ada.msisdn, ada.imsi, ada.imei, "Lovelace"])
      assert.ok(!(stdout + stderr).includes(secret), secret);
  }
  const actions = "audit where operator_id = $1 and actor = 'cli' and action = $2 and subject = $3";
  for (const action of ["request.submit", "review.read", "review.answer", "request.answer"])
    assert.equal(await inDatabase(actions, [operatorId, action, id]), 1, action);
});

test("details that are asked for again are given at the terminal, by their names alone", async () => {
  const mary = pair("cli mary");
  await registry.ownRecords.put(
    operatorId,
    [
      {
        imsi: mary.imsi,
        msisdn: null,
        user: { givenName: "Mary", familyName: "Quux", birthdate: "1979-11-23" },
      },
    ],
    { source: "test", actor: "test" },
  );
  const data = (name: string, said: object) => ["--file", fixture.file(name, JSON.stringify(said))];
  const user = fixture.file(
    "mary.json",
    JSON.stringify({ givenName: "M.", familyName: "Quux", birthdate: "1979-11-23" }),
  );
  const who = ["--imsi", mary.imsi, "--imei", mary.imei, "--msisdn", `+${mary.msisdn}`];
  const submitted = await fixture.run(["request", "submit", "extra", ...who, "--user", user, "--json"]);
  const [{ reference } = {}] = jsonLines(submitted.stdout);
  const shown = await fixture.run(["request", "show", String(reference)]);
  assert.match(shown.stdout, /asked again +givenName/);
  const answer = ["request", "answer", String(reference), "details"];
  const foreign = await fixture.run([...answer, ...data("foreign.json", { fax: "+4930123456" })]);
  assert.deepEqual([foreign.exitCode, /^field_unknown/m.test(foreign.stderr)], [1, true]);
  const given = await fixture.run([...answer, ...data("details.json", { givenName: "Mary" }), "--json"]);
  assert.equal(given.exitCode, 0, given.stderr);
  assert.equal(jsonLines(given.stdout)[0]?.state, "completed");
  const audited = "audit where action = 'request.answer' and detail -> 'fields' = '[\"givenName\"]'";
  assert.equal(await inDatabase(audited), 1);
  assert.equal(await inDatabase("audit where detail::text like '%Mary%'"), 0);
});

test("what somebody has is removed at the terminal", async () => {
  assert.equal((await fixture.run(["request", "submit", "plain", ...seen])).exitCode, 0);
  const removed = await fixture.run(["request", "submit", "plain", "--remove", "--imsi", ada.imsi, "--json"]);
  assert.equal(removed.exitCode, 0, removed.stderr);
  const held = "provisioned_item where item_id = 'plain' and ended_at is null";
  assert.equal(await inDatabase(held), 0);
});

test("an offer goes to those who are known, once a key, and is listed", async () => {
  const numbers = fixture.file("numbers.txt", `+${ada.msisdn}\n\n+491719999999\n`);
  const offer = ["offer", "send", "plain", "--to", numbers, "--key", "spring"];
  const sent = await fixture.run(offer);
  assert.deepEqual(
    [sent.exitCode, sent.stdout],
    [0, "1 sent, 0 sent before, 1 not known here\n"],
    sent.stderr,
  );
  assert.equal((await fixture.run(offer)).stdout, "0 sent, 1 sent before, 1 not known here\n");
  const [row, ...more] = jsonLines(
    (await fixture.run(["offer", "list", "--state", "sent", "--json"])).stdout,
  );
  assert.deepEqual([row?.itemId, row?.madeBy, more], ["plain", "cli", []]);
  const nobody = await fixture.run(["offer", "send", "voice-mail", "+491719999998"]);
  assert.equal(nobody.exitCode, 1);
  const had = await fixture.run(["offer", "send", "voice-mail", `+${ada.msisdn}`]);
  assert.deepEqual(
    [had.exitCode, had.stdout],
    [1, "0 sent, 0 sent before, 0 not known here, 1 have it already\n"],
    "nobody is offered what he has",
  );
});

const wrong: [string, readonly string[], number, RegExp][] = [
  ["nobody is named", ["request", "submit", "plain"], 2, /--msisdn, --imsi or --imei/],
  ["a number is none", ["request", "submit", "plain", "--msisdn", "12"], 1, /msisdn_malformed/],
  ["the item is none", ["request", "submit", "nothing", ...seen], 1, /catalog_item_unknown/],
  [
    "terms have no version",
    ["request", "submit", "plain", ...seen, "--agreed", "mail-terms"],
    2,
    /mail-terms@1/,
  ],
  ["user data are none", ["request", "submit", "plain", ...seen, "--user", "-"], 2, /--user is no JSON/],
  ["the request is none", ["request", "show", "ABCDEFGH"], 1, /order_not_found/],
  ["the answer is none", ["request", "answer", "ABCDEFGH", "maybe"], 2, /An answer is one of accept/],
  ["an item is missing", ["request", "answer", "ABCDEFGH", "give_up"], 2, /--item/],
  ["nobody can answer", ["offer", "send", "plain", `+${ada.msisdn}`, "--text", "buy!"], 2, /\{code\}/],
  ["nobody is offered", ["offer", "send", "plain"], 2, /phone numbers/],
];
for (const [name, argv, exitCode, words] of wrong) {
  test(`where ${name} the command says so and enters nothing`, async () => {
    const before = await inDatabase("request");
    const run = await fixture.run(argv, "Lovelace");
    assert.equal(run.exitCode, exitCode, run.stderr);
    assert.match(run.stderr, words);
    assert.ok(!run.stderr.includes("Lovelace"));
    assert.equal(await inDatabase("request"), before);
  });
}
