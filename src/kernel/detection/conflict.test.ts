/** When two sources contradict each other about a SIM, and when both can be right. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { conflictIn, type SimSeen } from "./conflict.ts";
import type { SightingSource } from "./sighting.ts";

const AT = Date.UTC(2026, 4, 4, 8);
const seen = (source: SightingSource, handset: string, seconds: number): SimSeen => ({
  source,
  handset,
  seenMs: AT + seconds * 1_000,
});

test("two sources that name two handsets within a minute contradict each other, whichever was told first", () => {
  const [gateway, core] = [seen("radius", "A", 0), seen("s13", "B", 40)];
  for (const told of [
    [gateway, core],
    [core, gateway],
  ])
    assert.deepEqual(conflictIn(told), { rule: "at_once", one: gateway, other: core });
});

test("one source that sees a SIM in two handsets within a minute does not contradict another", () => {
  assert.equal(conflictIn([seen("radius", "A", 0), seen("radius", "B", 40)]), null);
});

test("a SIM that moves to another handset, as one source sees first and the other later, is no conflict", () => {
  assert.equal(conflictIn([seen("radius", "A", 0), seen("s13", "B", 90), seen("radius", "B", 100)]), null);
});

test("a gateway that has the SIM in one handset all the while contradicts who saw it in another in between", () => {
  const told = [seen("radius", "A", 0), seen("s13", "B", 300), seen("radius", "A", 600)];
  assert.equal(conflictIn(told)?.rule, "between");
});

test("a SIM that was tried in another phone and put back was seen there by both: no conflict", () => {
  const told = [
    ...[seen("radius", "A", 0), seen("s13", "B", 300), seen("radius", "B", 310)],
    ...[seen("s13", "A", 900), seen("radius", "A", 910)],
  ];
  assert.equal(conflictIn(told), null);
});

test("of a handset that a core did not ask about nothing follows: it keeps answers, and so contradicts nobody by silence", () => {
  for (const lossy of ["s13", "gsup", "eir", "applet", "csv"] as const)
    assert.equal(
      conflictIn([seen(lossy, "A", 0), seen("radius", "B", 300), seen(lossy, "A", 600)]),
      null,
      lossy,
    );
});

test("what lies more than an hour apart is not compared", () => {
  assert.equal(
    conflictIn([seen("radius", "A", 0), seen("s13", "B", 3_700), seen("radius", "A", 7_400)]),
    null,
  );
});
