/**
 * Says at the messages of an operator of whom nothing is claimed, since no centre that takes them is bound, that this is why they
 * wait: once an outage, some at a time. What is said holds a moment that stays true while they go out later in their turn.
 */
import type { OrderStore, WaitingPlace } from "../order/order-store.ts";
import { serves } from "./centre-choice.ts";
import type { CentreState, Lanes } from "./lanes.ts";

/** Messages that are told at a look of one operator. */
const TOLD_AT_ONCE = 500;
/** What became due meanwhile is told at the next look. */
const LOOK_MS = 5_000;
const BEFORE_ALL: WaitingPlace = { dueAt: new Date(0), id: "00000000-0000-0000-0000-000000000000" };

type Told = { readonly after: WaitingPlace; readonly nextAtMs: number };

export class Unserved {
  #told = new Map<string, Told>();

  /** Tells those that are to be told now. */
  async tell(
    store: Pick<OrderStore, "tellWaiting">,
    lanes: Lanes,
    centres: readonly CentreState[],
    now: Date,
  ): Promise<void> {
    const unserved = lanes.unserved(centres);
    const before = this.#told;
    this.#told = new Map(); // of an operator that is served again the next outage is told anew
    const nowMs = now.getTime();
    for (const { operatorId, operatorSlug } of unserved) {
      const told = before.get(operatorId) ?? { after: BEFORE_ALL, nextAtMs: nowMs };
      this.#told.set(operatorId, told);
      if (nowMs < told.nextAtMs) continue;
      const reason = whyUnserved(centres, operatorSlug, now);
      const { after } = told;
      const last = await store.tellWaiting({ operatorId, reason, now, limit: TOLD_AT_ONCE, after });
      this.#told.set(operatorId, { after: last ?? after, nextAtMs: last ? nowMs : nowMs + LOOK_MS });
    }
  }
}

function whyUnserved(centres: readonly CentreState[], operatorSlug: string, now: Date): string {
  const names = centres.filter((centre) => serves(centre, operatorSlug)).map(({ name }) => name);
  if (names.length === 0) return "no message centre serves its operator; it goes once one does";
  return `no message centre of its operator was bound at ${now.toISOString()} (${names.join(", ")}); it goes in its turn once one is`;
}
