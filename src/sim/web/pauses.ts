/** Pauses that end with their owner: whoever closes a machine ends them, and nothing wakes after it. */
export type Pauses = {
  pause(ms: number): Promise<void>;
  /** Those who pause are not woken. */
  end(): void;
};

export function createPauses(): Pauses {
  const timers = new Set<NodeJS.Timeout>();
  return {
    pause: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          timers.delete(timer);
          resolve();
        }, ms);
        timers.add(timer);
      }),
    end(): void {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
