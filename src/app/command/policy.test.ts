/** `turnup policy ...` on a database: by key, by file, back again; a policy whose own tests fail does not go live. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { parse } from "yaml";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createApprovals } from "../../store/jobs/approvals.ts";
import { policyApprovals } from "../../store/operator/policies.ts";
import { TurnupError } from "../../term/error.ts";
import {
  policyDiffCommand,
  policyHistoryCommand,
  policyPutCommand,
  policyRollbackCommand,
  policySetCommand,
  policyShowCommand,
} from "./policy.ts";
import { retentionSetCommand } from "./retention.ts";

const fixture = await cliFixture(
  [
    policyDiffCommand,
    policyHistoryCommand,
    policyPutCommand,
    policyRollbackCommand,
    policySetCommand,
    policyShowCommand,
    retentionSetCommand,
  ].map((command) => ({ ...command, load: async () => command })),
);
const NORTH = await fixture.operator("north");
const run = async (...argv: string[]) => await fixture.run(["policy", ...argv]);
const shown = async (key: string): Promise<string> => (await run("show", key)).stdout.trim();
/** A Nokia 3310: its maker's support ended long ago. */
const OLD_IMEI = "350102104654322";

test("a key is set, told, listed with its reason, compared, and taken back", async () => {
  const set = await run("set", "ageCutOffYears", "7", "--reason", "as agreed in May");
  assert.equal(set.exitCode, 0, set.stderr);
  assert.match(set.stdout, /^ageCutOffYears +null +7$/m);
  assert.equal(await shown("ageCutOffYears"), "7");
  await run("set", "sender", "4711");
  assert.equal(
    await shown("sender"),
    "4711",
    "a text that looks like a number is the text that the key wants",
  );
  await run("set", "listedModels", '["Nokia/6*"]');
  await run("set", "request.fraud.place", "country");
  assert.equal((await run("set", "ageCutOffYears", "null")).exitCode, 0);

  const [first, second, third] = jsonLines((await run("history", "--json")).stdout);
  assert.deepEqual([first?.version, first?.reason], [5, "ageCutOffYears was 7, is null"]);
  assert.deepEqual(second?.changed, ["request.fraud.place"]);
  assert.equal(third?.madeBy, "cli");
  assert.match((await run("history")).stdout, /^1 .* cli +\(first\) +as agreed in May$/m);

  const diff = jsonLines((await run("diff", "1", "3", "--json")).stdout);
  assert.deepEqual(diff, [
    { key: "listedModels", before: [], after: ["Nokia/6*"] },
    { key: "sender", before: "2948", after: "4711" },
  ]);
  const back = await run("rollback", "1", "--reason", "care calls doubled");
  assert.match(back.stderr, /version 6 is in force/);
  assert.deepEqual([await shown("ageCutOffYears"), await shown("sender")], ["7", "2948"]);
  const audit = await fixture.database.rows(
    "select subject, detail from audit where operator_id = $1 and action = 'policy.put' order by id desc limit 1",
    [NORTH],
  );
  assert.deepEqual(audit, [{ subject: "version 6", detail: { reason: "care calls doubled" } }]);
});

test("what is printed is a file that is taken, and a part of it is enough", async () => {
  const printed = await run("show");
  const file = fixture.file("policy.yaml", printed.stdout);
  assert.equal((await run("put", file, "--dry-run")).stderr.trim(), "nothing differs");
  assert.equal(parse(printed.stdout).ageCutOffYears, 7);
  const part = fixture.file("part.yaml", "resendLimit: 5\nsmsLimits: { perDay: 100 }\n");
  const diff = jsonLines((await run("diff", part, "--json")).stdout).map(({ key }) => key);
  assert.deepEqual(diff, ["resendLimit", "smsLimits.perDay"]);
  assert.equal(await shown("resendLimit"), "3", "a look changes nothing");
  assert.equal((await run("put", part, "--reason", "for the campaign")).exitCode, 0);
  assert.equal(await shown("resendLimit"), "5");
});

test("a file whose own tests fail does not go live, each is told with what the rules said, and none with an IMEI in the clear", async () => {
  const tests = (verdict: string) =>
    `ageCutOffYears: 8\ntests:\n  - { name: the old phone, imei: "${OLD_IMEI}", verdict: ended }\n` +
    `  - { name: the new phone, model: "Samsung/Galaxy S24", verdict: ${verdict}, asOf: 2026-11-30 }\n`;
  const bad = await run("put", fixture.file("bad.yaml", tests("ended")));
  assert.equal(bad.exitCode, 1);
  assert.match(
    bad.stderr,
    /tests\/1: the new phone: ended, and the rules say supported by maker_support_end/,
  );
  assert.match(bad.stderr, /policy_test_failed/);
  assert.equal(await shown("ageCutOffYears"), "7");
  const good = await run("put", fixture.file("good.yaml", tests("supported")));
  assert.equal(good.exitCode, 0, good.stderr);

  const later = await run("set", "listedModels", '["Samsung/*"]');
  assert.equal(later.exitCode, 1, "the tests stay, and hold for each change that follows");
  assert.match(later.stderr, /the new phone: supported, and the rules say ended by model_list/);
  const kept = await fixture.database.rows("select body::text as body from operator_policy");
  assert.ok(!JSON.stringify(kept).includes(OLD_IMEI), "sealed at rest");
  assert.ok((await run("show", "tests")).stdout.includes(OLD_IMEI), "and whole for whoever edits it");
});

test("what a policy has not, or cannot be, is refused with its place", async () => {
  assert.match((await run("show", "nothing.of.it")).stderr, /A policy has no key nothing\.of\.it/);
  const unknown = await run("set", "ageCutoff", "7");
  assert.notEqual(unknown.exitCode, 0);
  assert.match(unknown.stderr, /ageCutoff: is not known here/);
  assert.match((await run("set", "resendLimit", "many")).stderr, /resendLimit/);
  assert.match(
    (await run("put", fixture.file("broken.yaml", "a: [1\n"))).stderr,
    /The policy file \S+broken\.yaml is not taken: Line \d/,
  );
  assert.match((await run("rollback", "99")).stderr, /The policy has no version 99\./);
});

test("where the policy wants two persons, nothing changes until another one agrees, the end of that rule neither", async () => {
  assert.equal((await run("set", "policyChanges.secondPerson", "true")).exitCode, 0);
  const before = await shown("resendLimit");
  const nobody = await run("set", "resendLimit", "9");
  assert.match(nobody.stderr, /person_unknown/);
  const past = await fixture.run(["retention", "set", "--sightings", "13"]);
  assert.match(past.stderr, /second_person_needed/, "no other command goes past it");
  const asked = await run("set", "policyChanges.secondPerson", "false", "--person", "Ada", "--json");
  assert.equal(asked.exitCode, 0, asked.stderr);
  const [{ waiting }] = jsonLines(asked.stdout) as [{ waiting: { approvalId: string } }];
  const other = await run("set", "resendLimit", "9", "--person", "Ada", "--json");
  const [second] = jsonLines(other.stdout) as [{ waiting: { approvalId: string } }];
  assert.equal(await shown("policyChanges.secondPerson"), "true");
  assert.equal(await shown("resendLimit"), before);

  const [kept] = await fixture.database.rows<{ at: Date }>("select max(asked_at) as at from approval");
  const failing: string[] = [];
  const heard: string[] = [];
  const deps = {
    changes: {
      tellHere(news: "everything" | { readonly kind: string }): void {
        heard.push(news === "everything" ? news : news.kind);
      },
    },
    database: fixture.database,
    sealer: fixture.sealer,
    newId: uuidv7,
    clock: () => kept?.at ?? assert.fail(),
  };
  const check = async () => {
    if (failing.length > 0) throw new TurnupError("policy_test_failed", "A test fails.");
  };
  const approvals = createApprovals({ ...deps, kinds: [policyApprovals({ ...deps, check })] });
  const decide = (id: string, person: string) =>
    approvals.decide(
      NORTH,
      id,
      { outcome: "approved", reason: "seen" },
      { label: person, person, vouchedBy: [], role: "admin" },
    );
  await assert.rejects(decide(waiting.approvalId, "ada"), { code: "second_person_needed" });
  failing.push("by what is known of devices now");
  await assert.rejects(decide(waiting.approvalId, "Bob"), { code: "policy_test_failed" });
  failing.pop();
  assert.equal(await shown("policyChanges.secondPerson"), "true", "what was not carried out was not decided");
  const view = await approvals.find(NORTH, waiting.approvalId);
  assert.deepEqual(
    [view?.state, view?.title],
    ["waiting", "Changes the policy: policyChanges.secondPerson."],
  );
  heard.length = 0;
  assert.equal((await decide(waiting.approvalId, "Bob")).state, "approved");
  assert.deepEqual(heard, ["policy"], "this server forgets what it remembered before it answers");
  assert.equal(await shown("policyChanges.secondPerson"), "false");
  await assert.rejects(
    decide(second.waiting.approvalId, "Bob"),
    { code: "precondition_failed" },
    "made from a version before",
  );
  assert.equal(await shown("resendLimit"), before);
});
