/** Facts in batches: none lost, none acknowledged before it is on disk. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { TurnupError } from "../../term/error.ts";
import type { Receipt } from "../order/message.ts";
import { createBookkeeper } from "./bookkeeper.ts";
import type { Conductor } from "./conductor.ts";

const receipt = (smscMessageId: string): Receipt => ({
  smsc: "one",
  smscMessageId,
  state: "delivered",
  errorCode: null,
});
const noPause = async (): Promise<void> => undefined;
const away = (): TurnupError => new TurnupError("database_unavailable", "the database cannot be reached");

/** A conductor that books nothing but what a test gives it. */
const conductor = (parts: Partial<Conductor>): Conductor =>
  new Proxy(parts as Conductor, {
    get: (given, name) =>
      Reflect.get(given, name) ??
      (async () => {
        throw new Error(`${String(name)} was not expected`);
      }),
  });

test("one fact that cannot be booked fails alone, and every other of its batch is booked", async () => {
  const booked: string[] = [];
  const books = createBookkeeper(
    conductor({
      async bookReceipts(receipts) {
        if (receipts.some(({ smscMessageId }) => smscMessageId === "bad"))
          throw new Error("invalid byte sequence");
        booked.push(...receipts.map(({ smscMessageId }) => smscMessageId));
      },
    }),
    noPause,
  );
  const names = [...Array.from({ length: 50 }, (_, n) => `r${n}`), "bad", "last"];
  const outcomes = await Promise.allSettled(names.map((name) => books.receipt(receipt(name))));
  assert.deepEqual(
    outcomes.flatMap(({ status }, at) => (status === "rejected" ? [names[at]] : [])),
    ["bad"],
  );
  assert.deepEqual([...booked].sort(), names.filter((name) => name !== "bad").sort());
});

test("while the database is away a fact waits, and is acknowledged when it is on disk", async () => {
  let attempts = 0;
  const books = createBookkeeper(
    conductor({
      async bookReceipts() {
        attempts += 1;
        if (attempts < 4) throw away();
      },
    }),
    noPause,
  );
  await books.receipt(receipt("one"));
  assert.equal(attempts, 4);
});

test("a database that stays away fails what waits, so that the world says it again, and the next facts are tried", async () => {
  let isAway = true;
  const books = createBookkeeper(
    conductor({
      async bookReceipts() {
        if (isAway) throw away();
      },
    }),
    noPause,
  );
  await assert.rejects(Promise.all([books.receipt(receipt("one")), books.receipt(receipt("two"))]), {
    code: "database_unavailable",
  });
  isAway = false;
  await books.receipt(receipt("three"));
  await books.idle();
});

test("submissions are booked before the receipts that came with them, and part and refusal of one message together", async () => {
  const order: string[] = [];
  const books = createBookkeeper(
    conductor({
      async bookSubmissions(taken, unsent) {
        order.push(`submissions ${taken.length}+${unsent.length}`);
      },
      async bookReceipts(receipts) {
        order.push(`receipts ${receipts.length}`);
      },
    }),
    noPause,
  );
  await Promise.all([
    books.receipt(receipt("m/1")),
    books.submitted({ messageId: "m", sequence: 1, smsc: "one", smscMessageId: "m/1" }),
    books.unsent({ messageId: "m", reason: "refused", retryAt: null, errorCode: "x" }),
  ]);
  assert.deepEqual(order, ["submissions 1+1", "receipts 1"]);
});

test("parts that the SMSC took are booked together after a moment, or at once with what somebody waits for", async () => {
  const booked: string[] = [];
  const moments: (() => void)[] = [];
  const books = createBookkeeper(
    conductor({
      async bookSubmissions(taken) {
        booked.push(`parts ${taken.map(({ smscMessageId }) => smscMessageId).join(" ")}`);
      },
      async bookReceipts(receipts) {
        booked.push(`receipts ${receipts.map(({ smscMessageId }) => smscMessageId).join(" ")}`);
      },
    }),
    () => new Promise((resolve) => moments.push(resolve)),
  );
  const part = (smscMessageId: string) => ({ messageId: "m", sequence: 1, smsc: "one", smscMessageId });
  const [a, b] = [books.submitted(part("a")), books.submitted(part("b"))];
  await new Promise(setImmediate);
  assert.deepEqual(booked, []);
  moments.shift()?.();
  await Promise.all([a, b]);
  assert.deepEqual(booked, ["parts a b"]);

  const c = books.submitted(part("c"));
  await Promise.all([books.receipt(receipt("c")), c]);
  assert.deepEqual(booked.slice(1), ["parts c", "receipts c"]);

  void books.submitted(part("d"));
  await books.idle();
  assert.deepEqual(booked.slice(3), ["parts d"]);
});
