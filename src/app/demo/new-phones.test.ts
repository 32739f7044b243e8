/** The users of the demonstration's new phones: what they order and agree to. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Phone } from "../../sim/phone/phone.ts";
import type { Step } from "../../sim/phone/user.ts";
import { askFor } from "./new-phones.ts";

/** A phone whose item screen offers this; what its user did there. */
async function didAt(journey: number, offered: string): Promise<readonly Step[]> {
  const scripts: (readonly Step[])[] = [];
  const phone = {
    powerOn: () => undefined,
    walk: async (script: readonly Step[]) => {
      scripts.push(script);
      return { entries: [{ label: offered, href: "/d/x" }] };
    },
  } as unknown as Phone; // what `askFor` asks of one
  await askFor(phone, journey);
  return scripts[1]!;
}

test("a new phone's user orders what he has not, agrees where there are terms, and takes back what an earlier start gave him", async () => {
  const first = (steps: readonly Step[]) => steps.flatMap((step) => Object.values(step))[0];
  for (const journey of [0, 1, 2]) {
    assert.equal(first(await didAt(journey, "Order")), "Order");
    assert.equal(first(await didAt(journey, "Remove")), "Remove");
  }
  assert.ok((await didAt(2, "Order")).some((step) => "await" in step && step.await === "notice-terms"));
  assert.ok(!(await didAt(2, "Remove")).some((step) => "await" in step && step.await === "notice-terms"));
});
