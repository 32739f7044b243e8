/** What other things have taken the place of and may still be in use: each is closed after a while, or when all is. */

/** The longest that anybody who began with it is waited for. */
const IN_USE_MS = 120_000;

type Closable = { close(): unknown };
type Retired = { add(thing: Closable): void; close(): Promise<void> };

export function createRetired(): Retired {
  const waiting = new Map<Closable, NodeJS.Timeout>();
  const end = (thing: Closable): unknown => {
    clearTimeout(waiting.get(thing));
    waiting.delete(thing);
    return thing.close();
  };
  return {
    add(thing) {
      waiting.set(thing, setTimeout(() => void end(thing), IN_USE_MS).unref());
    },
    async close() {
      await Promise.all([...waiting.keys()].map(end));
    },
  };
}
