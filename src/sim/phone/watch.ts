/** Who looks at a display: woken when it may have changed. */
export type Watch = {
  changed(): void;
  /** Resolves at the next change, or after so long. */
  next(withinMs: number): Promise<void>;
};

export function createWatch(): Watch {
  const watchers = new Set<() => void>();
  return {
    changed(): void {
      for (const wake of [...watchers]) wake();
    },
    next: (withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(wake, withinMs);
        function wake(): void {
          clearTimeout(timer);
          watchers.delete(wake);
          resolve();
        }
        watchers.add(wake);
      }),
  };
}
