/** Nonces that were seen, each until its time, at most so many: one that finds no room is refused, not forgotten. */
export type NonceBook = {
  /** False where it was noted before, or where the book is full. */
  note(nonce: string, untilSeconds: number, nowSeconds: number): boolean;
  size(): number;
};

/** A book for at most `limit` nonces. What has lapsed makes room when the next is noted. */
export function createNonceBook(limit: number): NonceBook {
  /** In the order in which they came, which is nearly the order in which they lapse. */
  const known = new Map<string, number>();
  return {
    note(nonce, untilSeconds, nowSeconds) {
      for (const [old, until] of known) {
        if (until >= nowSeconds) break;
        known.delete(old);
      }
      if (known.has(nonce) || known.size >= limit) return false;
      known.set(nonce, untilSeconds);
      return true;
    },
    size: () => known.size,
  };
}
