/** Who has more due than was claimed: it is claimed for again at once, and no newer message of its goes before. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { claimOf, operatorsWithMore } from "./lane-claim.ts";
import { FIRST_CLAIM } from "./lanes.ts";

const messagesOf = (operatorId: string, count: number) =>
  Array.from({ length: count }, () => ({ operatorId, operatorSlug: operatorId }));

test("an operator that is not known yet has more where its first claim was cut, as one whose lane has no more room", () => {
  const claim = claimOf(new Map([["slow", 10]]), 250);
  const claimed = [...messagesOf("slow", 10), ...messagesOf("new", FIRST_CLAIM)];
  assert.deepEqual([...operatorsWithMore(claimed, claim)], ["slow", "new"]);
  const few = [...messagesOf("slow", 9), ...messagesOf("new", FIRST_CLAIM - 1)];
  assert.deepEqual([...operatorsWithMore(few, claim)], []);
});
