/** `turnup source ...`, `turnup device special` and `turnup doubt ...` through the API of a server that listens. */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { OPERATOR_A, OPERATOR_B, openFixture, THING_ID, tokenFor } from "../../../test/fixture/http.ts";
import { portOf } from "../server/address.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const TURNUP_URL = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const sources = () => import("./sources.ts");
const review = () => import("./device-review.ts");
const entries = [
  { name: "source list", summary: "", load: async () => (await sources()).sourceListCommand },
  { name: "source conflicts", summary: "", load: async () => (await sources()).sourceConflictsCommand },
  { name: "device special", summary: "", load: async () => (await sources()).deviceSpecialCommand },
  { name: "device propose", summary: "", load: async () => (await review()).deviceProposeCommand },
  { name: "doubt list", summary: "", load: async () => (await review()).doubtListCommand },
  { name: "doubt end", summary: "", load: async () => (await review()).doubtEndCommand },
];
const run = (operatorId: string, ...argv: readonly string[]) =>
  runWith(entries, argv, "", { env: { TURNUP_URL, TURNUP_TOKEN: tokenFor(operatorId, "admin") } });

test("sources are listed with rate, refusals, lag, health and what their silence proves", async () => {
  const { stdout } = await run(OPERATOR_A, "source", "list");
  assert.match(
    stdout,
    /^SOURCE +STATE +A MINUTE +LAST HOUR +REFUSED +LAG +LAST HEARD +SILENCE PROVES +REASON/,
  );
  assert.match(stdout, /\nradius +healthy +12 +720 +0 +0\.8 s +\S+ \S+ +yes +it tells as it usually does/);
  const [one] = (await run(OPERATOR_A, "source", "list", "--json")).stdout.trim().split("\n");
  assert.equal(JSON.parse(one ?? "").source, "radius");
  assert.match((await run(OPERATOR_B, "source", "list")).stderr, /no source told anything yet/);
});

test("SIMs that two sources disagree about, and numbers of no handset, are listed; another operator has none", async () => {
  const conflicts = await run(OPERATOR_A, "source", "conflicts");
  assert.match(conflicts.stdout, /\n26201\*+3210 +radius +356938\*+9 +s13 +352013\*+8 +\S+ .* 2\n/);
  assert.match((await run(OPERATOR_B, "source", "conflicts")).stderr, /no two sources disagree/);
  assert.match((await run(OPERATOR_A, "device", "special")).stdout, /\nzeros +radius +3 /);
  assert.match((await run(OPERATOR_B, "device", "special")).stderr, /none came in the last 30 days/);
});

test("doubts are listed with their reasons and ended with what was looked at; a row is proposed with where it is known from", async () => {
  assert.match((await run(OPERATOR_A, "doubt", "list")).stdout, /false_model .*Samsung SGH-E250/);
  assert.match((await run(OPERATOR_B, "doubt", "list")).stderr, /no such doubt/);
  const ended = await run(OPERATOR_A, "doubt", "end", THING_ID, "--reason", "seen in the shop");
  assert.equal(ended.exitCode, 0, ended.stderr);
  const silent = await run(OPERATOR_A, "doubt", "end", THING_ID);
  assert.match(silent.stderr, /--reason says what was looked at/);
  const row = "86999901=Samsung/Galaxy A54/2023";
  const asked = await run(OPERATOR_A, "device", "propose", row, "--reason", "seen in the shop");
  assert.match(asked.stdout, /waits until/);
  assert.match(
    (await run(OPERATOR_A, "device", "propose", "8699", "--reason", "x")).stderr,
    /is not TAC=MAKE/,
  );
});
