/** Asks the payment provider what came back of what it took, and weighs again what came before its time. */
import type { PaymentProvider } from "../../kernel/calls/connectors.ts";
import type { CollectionReturns } from "../../kernel/settlement/collection-return.ts";
import type { returnsAsking } from "../../store/settlement/returns-asking.ts";

/** So long another server leaves the asking to one that may have died over it. Two that ask at once book all once. */
const LEASE_MS = 30_000;
const TOLD_BY = "payment provider";

type Deps = {
  readonly returns: CollectionReturns;
  readonly asking: ReturnType<typeof returnsAsking>;
  /** Undefined where there is no provider, or it tells of none. */
  readonly portOf: (operatorId: string) => PaymentProvider["returns"];
  readonly clock: () => Date;
  readonly pollMs: number;
};

/** Whether there is more to ask for at once. */
export async function askReturns({ returns, asking, portOf, clock, pollMs }: Deps): Promise<boolean> {
  const now = clock();
  const taken = await asking.take(now, new Date(now.getTime() + LEASE_MS));
  if (!taken) return false;
  const later = new Date(now.getTime() + pollMs);
  const port = portOf(taken.operatorId);
  const answer = await port?.({ after: taken.cursor });
  for (const operatorId of await asking.operators()) await returns.lookAgain(operatorId);
  if (answer?.kind !== "returns") {
    const failure = answer?.kind === "failed" ? answer.cause : null;
    await asking.heard(taken, { cursor: taken.cursor, dueAt: later, now, failure });
    return false;
  }
  for (const told of answer.returns) {
    const owner = (await asking.ownerOf(told.named)) ?? taken.operatorId;
    await returns.book(owner, { ...told, source: "payment_provider" }, TOLD_BY);
  }
  // Only now: what was not booked is told again.
  const { cursor, isMore } = answer;
  await asking.heard(taken, { cursor, dueAt: isMore ? now : later, now, failure: null });
  return isMore;
}
