/**
 * A side says that a line of its statement is wrong. While that is open the portion goes into no payment file; a person of the
 * operator decides: the line is kept, or taken back by a posting of its own that sums to zero with it. Nothing is ever edited.
 * Whoever decides nothing in time keeps the line: books do not stand open for ever.
 */

import { TurnupError } from "../../term/error.ts";
import { wordOf } from "../../term/narrow.ts";
import type { Entry } from "./postings.ts";

/** From its booking on. */
const DISPUTABLE_DAYS = 120;
/** For the decision. */
export const DECISION_DAYS = 30;
/** Open at a time with one manufacturer: each holds a portion back. */
const OPEN_DISPUTES_MAX = 500;

export const DISPUTE_STATES = ["open", "kept", "reversed"] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];
export type DisputeSide = "maker" | "operator";

/** What a posting books, told by its reference. */
export const LINE_KINDS = [
  "fee",
  "paid",
  "portion",
  "payout",
  "returned",
  "reversed",
  "due",
  "taken",
  "settled",
] as const;
export type LineKind = (typeof LINE_KINDS)[number];
const REFERENCE = new RegExp(`^[^:]+:(${LINE_KINDS.join("|")})(?::|$)`);
/** `<charge>:fee`, `<charge>:payout`, `<line>:payout:<bank's entry>`, `<posting>:reversed`. */
export function lineKindOf(reference: string): LineKind {
  return wordOf(LINE_KINDS, REFERENCE.exec(reference)?.[1]) ?? "paid";
}

type Line = {
  readonly id: string;
  readonly reference: string;
  readonly bookedAt: Date;
  readonly isDisputed: boolean;
  readonly isReversed: boolean;
  /** Of a payout: its portion was paid in parts, or a part of it came back. */
  readonly isInParts: boolean;
};

/** @throws TurnupError `dispute_not_possible`, `dispute_limit` */
export function checkDispute(line: Line, openDisputes: number, now: Date): void {
  const kind = lineKindOf(line.reference);
  const days = (now.getTime() - line.bookedAt.getTime()) / 86_400_000;
  if (kind === "reversed" || kind === "returned") throw notPossible("This line takes another one back.");
  if (line.isReversed) throw notPossible("This line was taken back already.");
  if (line.isDisputed) throw notPossible("This line is disputed already.");
  checkReversible(line);
  if (days > DISPUTABLE_DAYS)
    throw notPossible(`This line was booked more than ${DISPUTABLE_DAYS} days ago.`);
  if (openDisputes >= OPEN_DISPUTES_MAX)
    throw new TurnupError("dispute_limit", `${openDisputes} disputes are open with this manufacturer.`, {
      nextStep: "Decide some of them first.",
    });
}

/**
 * A payout that is taken back leaves its whole portion owed again, so it has to be the whole of it: with one part of several, the
 * other would be paid twice.
 * @throws TurnupError `dispute_not_possible`
 */
export function checkReversible({ reference, isInParts }: Pick<Line, "reference" | "isInParts">): void {
  if (lineKindOf(reference) !== "payout" || !isInParts) return;
  throw new TurnupError(
    "dispute_not_possible",
    "This portion was paid in parts, or a part of it came back: no part is taken back by itself.",
    { nextStep: "Dispute the portion, or import the bank's own word of what came back." },
  );
}

const notPossible = (fact: string): TurnupError =>
  new TurnupError("dispute_not_possible", fact, { nextStep: "GET /v1/disputes tells what was decided." });

/** The posting that takes one back: the other way round, under a name of its own. */
export const reversalOf = ({
  id,
  debit,
  credit,
  amountMinor,
}: Omit<Entry, "reference"> & { readonly id: string }): Entry => ({
  reference: `${id}:reversed`,
  debit: credit,
  credit: debit,
  amountMinor,
});
