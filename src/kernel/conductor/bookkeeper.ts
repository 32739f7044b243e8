/**
 * Gathers what comes back from the world one by one (submit_sm_resp, receipts, device reports, answers) and books it in
 * batches, in that order: a receipt never overtakes the booking of its own submission within one process. A caller that
 * waits is told when its fact is on disk, so that it is acknowledged only then. Nobody waits for what the SMSC took: it is
 * gathered for a moment, or until something else is booked. While the database is away the facts
 * wait here: what the world said once it need not say again.
 */
import { pairsOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import type { AnsweredCall } from "../calls/answer.ts";
import type { Receipt, SubmittedPart, UnsentMessage } from "../order/message.ts";
import type { Conductor, OpenedLink } from "./conductor.ts";

const MAX_BATCH = 1_000;
/** Facts waiting to be booked; beyond it the world is asked to slow down. */
const MAX_WAITING = 100_000;
/**
 * How long a part that the SMSC took waits for others: a message a booking costs more than to send it. A server that is
 * killed in between sends the part again, as it would one whose booking was under way.
 */
const GATHER_MS = 5;
const GATHERED_ENOUGH = 200;
const DATABASE_RETRY_MS = 250;
/** Shorter than a message's lease: after it, what was not booked is sent or asked for again. */
const DATABASE_PATIENCE_MS = 60_000;

type Waiter<T, Result> = {
  readonly fact: T;
  readonly done: (result: Result) => void;
  readonly fail: (error: unknown) => void;
};

/** What the SMSC said to a part, or became of a message that it did not take. */
type Submission = { readonly taken?: SubmittedPart; readonly unsent?: UnsentMessage };

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

/** Facts that wait to be booked, and whether somebody is about to. */
type Books = {
  readonly conductor: Conductor;
  readonly pause: (ms: number) => Promise<void>;
  readonly queues: {
    readonly submissions: Waiter<Submission, void>[];
    readonly receipts: Waiter<Receipt, void>[];
    readonly answers: Waiter<AnsweredCall, void>[];
    readonly links: Waiter<OpenedLink, void>[];
    readonly reports: Waiter<Uint8Array, boolean>[];
  };
  working: Promise<void> | null;
  isGathering: boolean;
};

export function createBookkeeper(conductor: Conductor, pause: (ms: number) => Promise<void>): Bookkeeper {
  const queues = { submissions: [], receipts: [], answers: [], links: [], reports: [] };
  const books: Books = { conductor, pause, queues, working: null, isGathering: false };
  return {
    submitted: (taken) => put(books, books.queues.submissions, { taken }, startSoon),
    unsent: (unsent) => put(books, books.queues.submissions, { unsent }),
    receipt: (receipt) => put(books, books.queues.receipts, receipt),
    report: (bytes) => put(books, books.queues.reports, bytes),
    answer: (answer) => put(books, books.queues.answers, answer),
    linkOpened: (link) => put(books, books.queues.links, link),
    async idle() {
      while (waitingIn(books) > 0) {
        start(books);
        await books.working;
      }
      await books.working;
    },
  };
}

const waitingIn = ({ queues }: Books): number =>
  Object.values(queues).reduce((sum, queue) => sum + queue.length, 0);

/** Something else than parts that the SMSC took, which somebody waits for; or enough of those. */
const isUrgent = (books: Books): boolean => {
  const gathered = books.queues.submissions.length;
  return waitingIn(books) > gathered || gathered >= GATHERED_ENOUGH;
};

function put<T, Result>(
  books: Books,
  queue: Waiter<T, Result>[],
  fact: T,
  begin: (books: Books) => void = start,
): Promise<Result> {
  if (waitingIn(books) >= MAX_WAITING) {
    return Promise.reject(
      new TurnupError("books_full", `${MAX_WAITING} facts wait to be booked.`, {
        nextStep: "Send it again later.",
      }),
    );
  }
  return new Promise((done, fail) => {
    queue.push({ fact, done, fail });
    // After this turn of the event loop, so that what arrived together is booked together.
    queueMicrotask(() => begin(books));
  });
}

function start(books: Books): void {
  books.working ??= work(books).finally(() => {
    books.working = null;
    if (isUrgent(books)) start(books);
    else startSoon(books);
  });
}

function startSoon(books: Books): void {
  if (isUrgent(books)) return start(books);
  if (books.isGathering || books.working || waitingIn(books) === 0) return;
  books.isGathering = true;
  void books.pause(GATHER_MS).then(() => {
    books.isGathering = false;
    if (waitingIn(books) > 0) start(books);
  });
}

async function work(books: Books): Promise<void> {
  const { queues, conductor } = books;
  do {
    const submissions = queues.submissions.splice(0, MAX_BATCH);
    const receipts = queues.receipts.splice(0, MAX_BATCH);
    const answers = queues.answers.splice(0, MAX_BATCH);
    const links = queues.links.splice(0, MAX_BATCH);
    const reports = queues.reports.splice(0, MAX_BATCH);
    const bookSubmissions = quietly((facts: readonly Submission[]) =>
      conductor.bookSubmissions(
        facts.flatMap(({ taken }) => taken ?? []),
        facts.flatMap(({ unsent }) => unsent ?? []),
      ),
    );
    await bookAll(books, submissions, bookSubmissions);
    await bookAll(books, receipts, quietly(conductor.bookReceipts));
    await bookAll(books, answers, quietly(conductor.bookAnswers));
    await bookAll(books, links, quietly(conductor.linksOpened));
    await bookAll(books, reports, conductor.bookReports);
  } while (isUrgent(books));
}

/** All together; where one of them cannot be booked, by halves, so that it fails alone. */
async function bookAll<T, Result>(
  { pause }: Pick<Books, "pause">,
  waiters: readonly Waiter<T, Result>[],
  book: (facts: readonly T[]) => Promise<readonly Result[]>,
): Promise<void> {
  if (waiters.length === 0) return;
  try {
    const results = await patiently(pause, () => book(waiters.map(({ fact }) => fact)));
    for (const [{ done }, result] of pairsOf(waiters, results)) done(result);
  } catch (error) {
    if (waiters.length === 1 || isOfTheDatabase(error)) {
      for (const { fail } of waiters) fail(error);
      return;
    }
    const half = Math.ceil(waiters.length / 2);
    await bookAll({ pause }, waiters.slice(0, half), book);
    await bookAll({ pause }, waiters.slice(half), book);
  }
}

/** Booking twice what was booked changes nothing: a commit whose answer was lost may be repeated. */
async function patiently<T>(pause: Books["pause"], book: () => Promise<T>): Promise<T> {
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

/** For facts whose booking answers nothing. */
const quietly =
  <T>(book: (facts: readonly T[]) => Promise<void>) =>
  async (facts: readonly T[]): Promise<undefined[]> => {
    await book(facts);
    return facts.map(() => undefined);
  };

/** No single fact is to blame. */
const isOfTheDatabase = (error: unknown): boolean =>
  error instanceof TurnupError && error.code.startsWith("database_");
