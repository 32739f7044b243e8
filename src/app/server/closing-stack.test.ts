/** What a start opened is closed in turn, whatever of it fails. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ClosingStack, opening } from "./closing-stack.ts";

function doors(...broken: string[]) {
  const closed: string[] = [];
  const door = (name: string) => ({
    name,
    async close() {
      await Promise.resolve();
      closed.push(name);
      if (broken.includes(name)) throw new Error(`${name} does not close`);
    },
  });
  return { closed, door };
}

test("what was opened last is closed first, one after the other, and each once", async () => {
  const { closed, door } = doors();
  const closing = new ClosingStack();
  assert.equal(closing.use(door("database")).name, "database");
  closing.defer(() => closed.push("a timer"));
  closing.use(door("door"));
  await Promise.all([closing.close(), closing.close()]);
  assert.deepEqual(closed, ["door", "a timer", "database"]);
});

test("one that does not close keeps no other open, and the first failure is told", async () => {
  const { closed, door } = doors("door", "engine");
  const closing = new ClosingStack();
  for (const name of ["database", "engine", "door"]) closing.use(door(name));
  await assert.rejects(closing.close(), { message: "door does not close" });
  assert.deepEqual(closed, ["door", "engine", "database"]);
});

test("where one does not open, those before it are closed, and the reason stays its own", async () => {
  const { closed, door } = doors("engine");
  const opened = opening(async (closing) => {
    for (const name of ["database", "engine"]) closing.use(door(name));
    throw new Error("the port is taken");
  });
  await assert.rejects(opened, { message: "the port is taken" });
  assert.deepEqual(closed, ["engine", "database"]);
});

test("what opened as a whole stays open", async () => {
  const { closed, door } = doors();
  const { name } = await opening(async (closing) => closing.use(door("database")));
  assert.deepEqual([name, closed], ["database", []]);
});
