/**
 * Gathers what comes back from the world one by one (submit_sm_resp, receipts, device reports, answers) and books it in
 * batches, in that order: a receipt never overtakes the booking of its own submission within one process. A caller that
 * waits is told when its fact is on disk, so that it is acknowledged only then. While the database is away the facts
 * wait here: what the world said once it need not say again.
 */
import { TurnupError } from "../../term/error.ts";
import type { AnsweredCall } from "./answers.ts";
import type { Conductor, OpenedLink } from "./conductor.ts";
import type { Receipt, SubmittedPart, UnsentMessage } from "./order-store.ts";

const MAX_BATCH = 1_000;
/** Facts waiting to be booked; beyond it the world is asked to slow down. */
const MAX_WAITING = 100_000;
const DATABASE_RETRY_MS = 250;
/** Shorter than a message's lease: after it, what was not booked is sent or asked for again. */
const DATABASE_PATIENCE_MS = 60_000;

type Waiter<T, Result> = {
  readonly fact: T;
  readonly done: (result: Result) => void;
  readonly fail: (error: unknown) => void;
};

export type Bookkeeper = {
  submitted(part: SubmittedPart): Promise<void>;
  unsent(message: UnsentMessage): Promise<void>;
  receipt(receipt: Receipt): Promise<void>;
  /** Whether it was a report of a handset of ours. */
  report(bytes: Uint8Array): Promise<boolean>;
  answer(answer: AnsweredCall): Promise<void>;
  linkOpened(link: OpenedLink): Promise<void>;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
};

export function createBookkeeper(conductor: Conductor, pause: (ms: number) => Promise<void>): Bookkeeper {
  /** Booking twice what was booked changes nothing: a commit whose answer was lost may be repeated. */
  async function patiently<T>(book: () => Promise<T>): Promise<T> {
    for (let waitedMs = 0; ; waitedMs += DATABASE_RETRY_MS) {
      try {
        return await book();
      } catch (error) {
        const isAway = error instanceof TurnupError && error.code === "database_unavailable";
        if (!isAway || waitedMs >= DATABASE_PATIENCE_MS) throw error;
        await pause(DATABASE_RETRY_MS);
      }
    }
  }
  const queues = {
    submitted: [] as Waiter<SubmittedPart, void>[],
    unsent: [] as Waiter<UnsentMessage, void>[],
    receipts: [] as Waiter<Receipt, void>[],
    reports: [] as Waiter<Uint8Array, boolean>[],
    answers: [] as Waiter<AnsweredCall, void>[],
    links: [] as Waiter<OpenedLink, void>[],
  };
  let working: Promise<void> | null = null;

  const waiting = (): number => Object.values(queues).reduce((sum, queue) => sum + queue.length, 0);

  async function work(): Promise<void> {
    while (waiting() > 0) {
      const submitted = queues.submitted.splice(0, MAX_BATCH);
      const unsent = queues.unsent.splice(0, MAX_BATCH);
      const receipts = queues.receipts.splice(0, MAX_BATCH);
      const reports = queues.reports.splice(0, MAX_BATCH);
      const answers = queues.answers.splice(0, MAX_BATCH);
      const links = queues.links.splice(0, MAX_BATCH);
      if (submitted.length + unsent.length > 0) {
        await settle([...submitted, ...unsent], () =>
          patiently(() => conductor.bookSubmissions(factsOf(submitted), factsOf(unsent))),
        );
      }
      if (receipts.length > 0)
        await settle(receipts, () => patiently(() => conductor.bookReceipts(factsOf(receipts))));
      if (answers.length > 0)
        await settle(answers, () => patiently(() => conductor.bookAnswers(factsOf(answers))));
      if (links.length > 0) await settle(links, () => patiently(() => conductor.linksOpened(factsOf(links))));
      if (reports.length > 0)
        await settleEach(reports, () => patiently(() => conductor.bookReports(factsOf(reports))));
    }
  }

  function start(): void {
    working ??= work().finally(() => {
      working = null;
      if (waiting() > 0) start();
    });
  }

  function put<T, Result>(queue: Waiter<T, Result>[], fact: T): Promise<Result> {
    if (waiting() >= MAX_WAITING) {
      return Promise.reject(
        new TurnupError("books_full", `${MAX_WAITING} facts wait to be booked`, {
          nextStep: "send it again later",
        }),
      );
    }
    return new Promise((done, fail) => {
      queue.push({ fact, done, fail });
      // After this turn of the event loop, so that what arrived together is booked together.
      queueMicrotask(start);
    });
  }

  return {
    submitted: (part) => put(queues.submitted, part),
    unsent: (message) => put(queues.unsent, message),
    receipt: (receipt) => put(queues.receipts, receipt),
    report: (bytes) => put(queues.reports, bytes),
    answer: (answer) => put(queues.answers, answer),
    linkOpened: (link) => put(queues.links, link),
    async idle() {
      while (working) await working;
    },
  };
}

const factsOf = <T>(
  waiters: readonly Waiter<T, never>[] | readonly Waiter<T, void>[] | readonly Waiter<T, boolean>[],
): T[] => waiters.map(({ fact }) => fact);

async function settle(
  waiters: readonly Waiter<never, void>[] | readonly Waiter<unknown, void>[],
  book: () => Promise<void>,
): Promise<void> {
  try {
    await book();
    for (const { done } of waiters) done();
  } catch (error) {
    for (const { fail } of waiters) fail(error);
  }
}

async function settleEach(
  waiters: readonly Waiter<Uint8Array, boolean>[],
  book: () => Promise<boolean[]>,
): Promise<void> {
  try {
    const results = await book();
    waiters.forEach(({ done }, at) => {
      done(results[at] ?? false);
    });
  } catch (error) {
    for (const { fail } of waiters) fail(error);
  }
}
