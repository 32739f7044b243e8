/**
 * Runs a piece of work again and again: at once while there is more, when it is woken, and at the latest every
 * `pauseMs`. A failure is told and waited out; it never ends the loop.
 */
export type Loop = {
  wake(): void;
  /** Resolves when the pass that runs has ended; no other begins. */
  stop(): Promise<void>;
};

const FAILURE_PAUSE_MS = 1_000;

export function startLoop(options: {
  readonly name: string;
  readonly pauseMs: number;
  /** Answers whether there is more to do at once. */
  readonly pass: () => Promise<boolean>;
  readonly onFailure: (name: string, error: unknown) => void;
}): Loop {
  let stopping = false;
  let isWoken = false;
  let wakeUp: (() => void) | null = null;

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        wakeUp = null;
        resolve();
      }
      wakeUp = done;
    });

  async function run(): Promise<void> {
    while (!stopping) {
      isWoken = false;
      let pauseMs = options.pauseMs;
      try {
        if (await options.pass()) continue;
      } catch (error) {
        options.onFailure(options.name, error);
        pauseMs = FAILURE_PAUSE_MS;
      }
      if (!isWoken && !stopping) await sleep(pauseMs);
    }
  }

  const running = run();
  return {
    wake() {
      isWoken = true;
      wakeUp?.();
    },
    async stop() {
      stopping = true;
      wakeUp?.();
      await running;
    },
  };
}
