/** `turnup retention show` and `set`: what would go is shown before it is said, and what was said is the policy's. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { retentionSetCommand, retentionShowCommand } from "./retention.ts";

const fixture = await cliFixture(
  [retentionShowCommand, retentionSetCommand].map((command) => ({ ...command, load: async () => command })),
);
const NORTH = await fixture.operator("north");
await fixture.database.run(
  `insert into sighting (id, operator_id, subscriber_id, device_id, serving_plmn, source, outcome, seen_at)
   values ($1, $2, $1, $1, '262-01', 'radius', 'sim_moved', '2020-05-10T00:00:00Z')`,
  [uuidv7(), NORTH],
);

test("a look shows what would go, and what was said is the policy's next version, with who said it", async () => {
  const kept = await fixture.run(["retention", "show"]);
  assert.match(kept.stdout, /^sightings +kept for ever +nothing +0 +never$/m);
  const asked = await fixture.run(["retention", "show", "--sightings", "13"]);
  assert.match(asked.stdout, /^sightings +kept for ever +13 months +before \d{4}-\d\d-01 +1 +never$/m);
  assert.match(asked.stdout, /^sightings +2020-05 +1$/m);
  assert.match(asked.stdout, /^sighting_default +\d+ +\d+\.\d$/m);
  const lines = jsonLines((await fixture.run(["retention", "show", "--sightings", "13", "--json"])).stdout);
  const [first] = lines as { retained?: { over: unknown } }[];
  assert.deepEqual(first?.retained?.over, [{ month: "2020-05", entries: 1 }]);

  const set = await fixture.run(["retention", "set", "--sightings", "13"]);
  assert.equal(
    set.stdout,
    "sightings: 13 months\nevents: kept for ever\naudit: kept for ever\nmessages: kept for ever\npeople: kept for ever\n",
  );
  assert.match((await fixture.run(["retention", "show"])).stdout, /^sightings +13 months /m);
  const audit = await fixture.database.rows(
    "select actor, subject, detail from audit where operator_id = $1 and action = 'retention.put'",
    [NORTH],
  );
  const none = { sightings: null, events: null, audit: null, messages: null, people: null };
  const detail = { before: none, after: { ...none, sightings: 13 } };
  assert.deepEqual(audit, [{ actor: "cli", subject: "version 1", detail }]);
});

test("what is shorter than other work needs is refused, and so is saying nothing", async () => {
  const short = await fixture.run(["retention", "set", "--audit", "3"]);
  assert.equal(short.exitCode, 2);
  assert.match(short.stderr, /--audit is 12 to 240, or ever\./);
  assert.match((await fixture.run(["retention", "set"])).stderr, /Name at least one of/);
});
