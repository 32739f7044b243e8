/** References of concatenated messages: none is given twice to what is on its way to one handset. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freeReference } from "./reference.ts";

const message = (reference: number) => ({
  message: { id: "m", payloadId: "p", kind: "settings", partCount: 2, reference } as const,
});
const all = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

test("what is free stays; what another item, or a message of this step to the same subscriber, bears is passed by", () => {
  const onItsWay = {
    items: [message(7), { message: null }],
    messages: [
      { reference: 8, subscriberId: "s" },
      { reference: 9, subscriberId: "other" },
    ],
    subscriberId: "s",
  };
  assert.equal(freeReference(6, onItsWay), 6);
  assert.equal(freeReference(7, onItsWay), 9, "another subscriber's is nobody's affair");
  assert.equal(freeReference(8, onItsWay), 9);
});

test("behind 255 comes 0, and where all are borne the first is as good as any", () => {
  const none = { messages: [], subscriberId: null };
  assert.equal(freeReference(256, { ...none, items: [] }), 0);
  assert.equal(freeReference(255, { ...none, items: [message(255)] }), 0);
  assert.equal(freeReference(3, { ...none, items: all(0, 256).map(message) }), 3);
  assert.equal(
    freeReference(3, {
      ...none,
      items: all(0, 256)
        .filter((one) => one !== 2)
        .map(message),
    }),
    2,
  );
});
