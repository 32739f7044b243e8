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

type BatcherOptions<Entry> = {
  readonly maxBatch: number;
  readonly maxWaiting: number;
  readonly intervalMs: number;
  deliver(batch: readonly Entry[]): Promise<void>;
  onFault?(error: unknown): void;
};

/** What waits, and the one delivery that may be under way. */
type Batching<Entry> = {
  readonly options: BatcherOptions<Entry>;
  waiting: Entry[];
  dropped: number;
  closed: boolean;
  timer: NodeJS.Timeout | undefined;
  running: Promise<void> | undefined;
};

export function createBatcher<Entry>(options: BatcherOptions<Entry>): Batcher<Entry> {
  const state: Batching<Entry> = {
    options,
    waiting: [],
    dropped: 0,
    closed: false,
    timer: undefined,
    running: undefined,
  };
  return {
    push: (entry) => push(state, entry),
    flush: () => flush(state),
    state: () => ({ waiting: state.waiting.length, dropped: state.dropped }),
    close: () => close(state),
  };
}

function push<Entry>(state: Batching<Entry>, entry: Entry): boolean {
  const { maxBatch, maxWaiting, intervalMs } = state.options;
  if (state.closed || state.waiting.length >= maxWaiting) {
    state.dropped++;
    return false;
  }
  state.waiting.push(entry);
  if (state.waiting.length >= maxBatch) {
    unscheduled(state);
    void run(state);
  } else schedule(state, intervalMs);
  return true;
}

async function flush<Entry>(state: Batching<Entry>): Promise<void> {
  while (state.waiting.length > 0 && !state.closed) {
    await run(state);
    if (state.waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function close<Entry>(state: Batching<Entry>): Promise<void> {
  unscheduled(state);
  await state.running;
  if (!state.closed && state.waiting.length > 0) await run(state);
  state.closed = true;
}

function schedule<Entry>(state: Batching<Entry>, afterMs: number): void {
  if (state.closed || state.timer || state.running || state.waiting.length === 0) return;
  state.timer = setTimeout(() => {
    state.timer = undefined;
    void run(state);
  }, afterMs);
}

function unscheduled<Entry>(state: Batching<Entry>): void {
  clearTimeout(state.timer);
  state.timer = undefined;
}

/** Delivers until nothing waits or one delivery fails; one run at a time. */
function run<Entry>(state: Batching<Entry>): Promise<void> {
  state.running ??= deliverAll(state).finally(() => {
    state.running = undefined;
  });
  return state.running;
}

async function deliverAll<Entry>(state: Batching<Entry>): Promise<void> {
  const { maxBatch, deliver, onFault } = state.options;
  while (state.waiting.length > 0) {
    const batch = state.waiting.slice(0, maxBatch);
    try {
      await deliver(batch);
    } catch (error) {
      onFault?.(error);
      setTimeout(() => schedule(state, 0), RETRY_MS).unref();
      return;
    }
    state.waiting = state.waiting.slice(batch.length);
  }
}
