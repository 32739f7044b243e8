/** What a living server claimed and could not go on with is given back, and nothing that it works on. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { LeaseBook, Leased } from "../order/order-store.ts";
import { createInHand } from "./in-hand.ts";

const NOW = (): Date => new Date("2026-05-04T08:00:00Z");
type Row = { readonly id: string };
const idOf = ({ id }: Row): string => id;

/** What is leased to this server in the database, and what it gave back of it. */
function bookOf(...ids: readonly string[]): LeaseBook & { readonly back: string[]; looks: number } {
  const leased: Leased[] = ids.map((id) => ({ id, attempts: 1 }));
  const book = {
    back: [] as string[],
    looks: 0,
    leasedHere: async () => {
      book.looks++;
      return leased;
    },
    giveBack: async (some: readonly Leased[]) => {
      book.back.push(...some.map(({ id }) => id));
      return some.length;
    },
  };
  return book;
}

test("work that failed after its claim is given back, what others of the claim are at is not", async () => {
  const hand = createInHand();
  await hand.take(Promise.resolve([{ id: "failed" }, { id: "at work" }]), idOf);
  let end = (): void => undefined;
  const working = hand.until("at work", new Promise<void>((resolve) => (end = resolve)));
  await assert.rejects(hand.until("failed", Promise.reject(new Error("not booked"))));
  const book = bookOf("failed", "at work");
  assert.equal(await hand.giveBack(book, NOW), 1);
  assert.deepEqual(book.back, ["failed"]);
  end();
  await working;
});

test("a claim whose answer was lost is given back whole", async () => {
  const hand = createInHand();
  await assert.rejects(hand.take(Promise.reject(new Error("the connection ended")), idOf));
  const book = bookOf("lost", "lost too");
  await hand.giveBack(book, NOW);
  assert.deepEqual(book.back, ["lost", "lost too"]);
});

test("what a claim under way has leased already is not given back", async () => {
  const hand = createInHand();
  await assert.rejects(hand.until("other", Promise.reject(new Error("not booked"))));
  let answer = (_: readonly Row[]): void => undefined;
  const taking = hand.take(new Promise<readonly Row[]>((resolve) => (answer = resolve)), idOf);
  const book = bookOf("leased, and its answer is on the way", "other");
  const giving = hand.giveBack(book, NOW);
  await new Promise(setImmediate);
  answer([{ id: "leased, and its answer is on the way" }]);
  await Promise.all([taking, giving]);
  assert.deepEqual(book.back, ["other"]);
});

test("while nothing fails the database is not asked; where giving back fails, it is tried again", async () => {
  const hand = createInHand();
  const book = bookOf("one");
  await hand.take(Promise.resolve([{ id: "one" }]), idOf);
  await hand.until("one", Promise.resolve());
  assert.equal(await hand.giveBack(book, NOW), 0);
  assert.equal(book.looks, 0);
  await assert.rejects(hand.until("one", Promise.reject(new Error("not booked"))));
  const away = { ...book, giveBack: () => Promise.reject(new Error("the database is away")) };
  await assert.rejects(hand.giveBack(away, NOW));
  assert.equal(await hand.giveBack(book, NOW), 1);
  assert.equal(await hand.giveBack(book, NOW), 0, "once is enough");
});
