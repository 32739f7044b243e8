/**
 * Gathers records and delivers them in batches, in order, each until it is taken: what a network element does with
 * accounting records while its server is away. When the store is full the newest are refused and counted.
 */

const RETRY_MS = 250;

export type Batcher<Entry> = {
  /** False when the store is full and the entry was dropped. */
  push(entry: Entry): boolean;
  /** Resolves when everything pushed before was taken, or when `close` gave up. */
  flush(): Promise<void>;
  /** How many entries wait, and how many were dropped. */
  state(): { readonly waiting: number; readonly dropped: number };
  /** Tries once more to deliver what waits, then stops. */
  close(): Promise<void>;
};

export function createBatcher<Entry>(options: {
  readonly maxBatch: number;
  readonly maxWaiting: number;
  readonly intervalMs: number;
  deliver(batch: readonly Entry[]): Promise<void>;
  onFault?(error: unknown): void;
}): Batcher<Entry> {
  const { maxBatch, maxWaiting, intervalMs, deliver, onFault } = options;
  let waiting: Entry[] = [];
  let dropped = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  function schedule(afterMs: number): void {
    if (closed || timer || running || waiting.length === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      void run();
    }, afterMs);
  }

  /** Delivers until nothing waits or one delivery fails; one run at a time. */
  function run(): Promise<void> {
    running ??= deliverAll().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function deliverAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      try {
        await deliver(batch);
      } catch (error) {
        onFault?.(error);
        setTimeout(() => schedule(0), RETRY_MS).unref();
        return;
      }
      waiting = waiting.slice(batch.length);
    }
  }

  return {
    push(entry) {
      if (closed || waiting.length >= maxWaiting) {
        dropped++;
        return false;
      }
      waiting.push(entry);
      if (waiting.length >= maxBatch) {
        clearTimeout(timer);
        timer = undefined;
        void run();
      } else schedule(intervalMs);
      return true;
    },
    async flush() {
      while (waiting.length > 0 && !closed) {
        await run();
        if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    },
    state: () => ({ waiting: waiting.length, dropped }),
    async close() {
      clearTimeout(timer);
      await running;
      if (!closed && waiting.length > 0) await run();
      closed = true;
    },
  };
}
