/** A policy replayed over verdicts of the past. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createReplay, type PastVerdicts, type Said, wordsOf } from "./replay.ts";

const past = (more: Partial<PastVerdicts> = {}): PastVerdicts => ({
  ...{ tac: "35010210", make: "Nokia", model: "3310", market: null, imeiIndex: null },
  ...{ verdict: "ended", rule: "maker_exit", asOf: "2026-05-01", count: 3, example: "order-1" },
  ...more,
});
const said = (verdict: Said["verdict"], rule: string | null): Said => ({
  verdict,
  rule,
  words: `${verdict} by ${rule}`,
});
const ENDED = said("ended", "maker_exit");

test("what the policy tried would decide otherwise is told with both verdicts, and days are no rows of their own", () => {
  const replay = createReplay();
  const listed = said("ended", "model_list");
  const current = said("supported", "age_cutoff");
  replay.add(past(), ENDED, ENDED);
  replay.add(past({ count: 5, example: "order-4" }), ENDED, current);
  replay.add(past({ count: 2, asOf: "2026-05-02", example: "order-9" }), ENDED, current);
  replay.add(past({ tac: "35010211", count: 1 }), ENDED, listed);
  const [first, second] = replay.rows();
  assert.deepEqual(
    [first?.code, first?.verdicts, first?.formerRule, first?.rule, first?.example],
    ["verdict_changes", 7, "maker_exit", "age_cutoff", "order-4"],
  );
  assert.deepEqual([second?.code, second?.verdicts], ["rule_changes", 1]);
  assert.deepEqual(replay.summary(), {
    ...{ verdicts: 11, unchanged: 3, untold: 0 },
    byCode: { verdict_changes: 7, rule_changes: 1, changes_anyway: 0 },
    moves: { "ended to supported": 7 },
  });
  assert.match(
    first ? wordsOf(first) : "",
    /^7 verdicts of Nokia 3310: ended by maker_exit becomes supported by age_cutoff;/,
  );
});

test("what data or deals alone have changed since is not laid to the policy", () => {
  const replay = createReplay();
  const now = said("supported", "maker_support_end");
  replay.add(past(), now, now);
  const [row] = replay.rows();
  assert.equal(row?.code, "changes_anyway");
  assert.match(row ? wordsOf(row) : "", /whichever policy/);
  assert.deepEqual(replay.summary().moves, {});
});

test("a policy under which it stays what it was changes nothing, although the one in force would", () => {
  const replay = createReplay();
  replay.add(past(), said("supported", "age_cutoff"), ENDED);
  assert.deepEqual([replay.rows().length, replay.summary().unchanged], [0, 3]);
});

test("markets are rows of their own, and what is beyond the limit is counted", () => {
  const replay = createReplay(1);
  const current = said("supported", "age_cutoff");
  replay.add(past({ market: "AT" }), ENDED, current);
  replay.add(past({ market: "DE", count: 4 }), ENDED, current);
  assert.deepEqual([replay.rows().length, replay.summary().untold, replay.summary().verdicts], [1, 4, 7]);
});
