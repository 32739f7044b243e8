/**
 * What is leased to this server and what it is at work on. Between the two lies all that can go wrong while the server lives: a
 * claim whose answer was lost, a look-up that failed, a booking that could not be written. Nobody else takes such a lease up
 * before it lapses, since its owner is there; so its owner gives it back.
 *
 *   claim ── in hand ── done: forgotten
 *     │         └────── failed: in doubt
 *     └── failed: in doubt ── leased to us, in no hand, and no claim of then under way any more ── due again
 */
import type { LeaseBook } from "../order/order-store.ts";

export type InHand = {
  /** What `claim` answers is in hand from then on. */
  take<T>(claim: Promise<readonly T[]>, idOf: (one: T) => string): Promise<readonly T[]>;
  /** Until `work` has ended, which answers as it does. */
  until<T>(id: string, work: Promise<T>): Promise<T>;
  /** Gives back what fell out of hand; answers how much. It asks for nothing while nothing failed. */
  giveBack(book: LeaseBook, clock: () => Date): Promise<number>;
};

export function createInHand(): InHand {
  const held = new Set<string>();
  const claims = new Set<Promise<unknown>>();
  let isInDoubt = false;
  return {
    async take(claim, idOf) {
      const taking = claim.then((taken) => {
        for (const one of taken) held.add(idOf(one));
        return taken;
      });
      claims.add(taking);
      try {
        return await taking;
      } catch (error) {
        isInDoubt = true;
        throw error;
      } finally {
        claims.delete(taking);
      }
    },
    async until(id, work) {
      try {
        return await work;
      } catch (error) {
        isInDoubt = true;
        throw error;
      } finally {
        held.delete(id);
      }
    },
    async giveBack(book, clock) {
      if (!isInDoubt) return 0;
      isInDoubt = false;
      try {
        const leased = await book.leasedHere(clock());
        await Promise.allSettled(claims); // what they lease may be among it, and is in hand when they have ended
        const fallen = leased.filter(({ id }) => !held.has(id));
        return fallen.length === 0 ? 0 : await book.giveBack(fallen, clock());
      } catch (error) {
        isInDoubt = true;
        throw error;
      }
    },
  };
}
