/** So many at once, so many waiting, none for longer than a time: what is more is turned away at once. */
export type Gate = {
  /** The way to leave, or undefined where there was no place. */
  enter(): Promise<(() => void) | undefined>;
};

export function createGate(limits: {
  readonly inside: number;
  readonly waiting: number;
  readonly waitMs: number;
}): Gate {
  let inside = 0;
  const waiting: (() => void)[] = [];

  function leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = waiting.shift();
      if (next) next();
      else inside--;
    };
  }

  return {
    enter() {
      if (inside < limits.inside) {
        inside++;
        return Promise.resolve(leaveOnce());
      }
      if (waiting.length >= limits.waiting) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(admit), 1);
          resolve(undefined);
        }, limits.waitMs);
        function admit(): void {
          clearTimeout(timer);
          resolve(leaveOnce());
        }
        waiting.push(admit);
      });
    },
  };
}
