/** Which message centre takes a message: by operator and number, and what a fall or a drain changes. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type CentreNow, chooseCentre, type ToSend } from "./centre-choice.ts";

const NOW = 1_000_000;
const centre = (name: string, more: Partial<CentreNow> = {}): CentreNow => ({
  name,
  operators: [],
  prefixes: [],
  drain: false,
  failoverMs: 30_000,
  downSinceMs: null,
  ...more,
});
const message = (more: Partial<ToSend> = {}): ToSend => ({
  operator: "north",
  to: "+4915112345678",
  ...more,
});
const choice = (centres: readonly CentreNow[], more: Partial<ToSend> = {}) => {
  const chosen = chooseCentre(centres, message(more), NOW);
  return chosen.kind === "goes"
    ? [chosen.centre, ...(chosen.insteadOf ? [`instead of ${chosen.insteadOf}`] : [])].join(" ")
    : [chosen.code, chosen.centre].filter(Boolean).join(" ");
};

test("the longest prefix that fits goes first, then the order of the file", () => {
  const centres = [
    centre("any"),
    centre("second any"),
    centre("germany", { prefixes: ["49", "43"] }),
    centre("mobile", { prefixes: ["4915"] }),
    centre("mobile too", { prefixes: ["1", "4915"] }),
  ];
  assert.equal(choice(centres), "mobile");
  assert.equal(choice(centres, { to: "4930123456" }), "germany");
  assert.equal(choice(centres, { to: "46701234567" }), "any");
});

test("a centre takes the messages of its operators alone; none that serves one is told as that", () => {
  const centres = [centre("south's", { operators: ["south"] }), centre("north's", { operators: ["north"] })];
  assert.equal(choice(centres), "north's");
  assert.equal(choice(centres, { operator: "south" }), "south's");
  assert.equal(choice(centres, { operator: "west" }), "smsc_none");
  assert.equal(choice([centre("austria", { prefixes: ["43"] })]), "smsc_none");
});

test("one that is unbound longer than its time is passed over for the next that serves the same; sooner its messages wait", () => {
  const fallen = (seconds: number) => centre("first", { downSinceMs: NOW - seconds * 1_000 });
  assert.equal(choice([fallen(29), centre("second")]), "smsc_unbound first");
  assert.equal(choice([fallen(30), centre("second")]), "second instead of first");
  assert.equal(choice([fallen(30), centre("south's", { operators: ["south"] })]), "smsc_unbound first");
  const alsoFallen = centre("second", { downSinceMs: NOW - 1_000 });
  assert.equal(
    choice([fallen(30), alsoFallen, centre("third")]),
    "smsc_unbound first",
    "the second may be back at once",
  );
});

test("nothing new goes to a centre that is drained, whether or not it is bound", () => {
  const drained = centre("first", { drain: true });
  assert.equal(choice([drained, centre("second")]), "second");
  assert.equal(choice([drained]), "smsc_drained");
});

test("what a centre has in part, or perhaps, stays with it: bound, drained or unbound; one that is configured no more holds nothing", () => {
  const centres = [centre("first"), centre("second", { drain: true })];
  assert.equal(choice(centres, { staysWith: "second" }), "second");
  const fallen = centre("second", { downSinceMs: 0 });
  assert.equal(choice([centre("first"), fallen], { staysWith: "second" }), "smsc_unbound second");
  assert.equal(choice(centres, { staysWith: "gone" }), "first");
});
