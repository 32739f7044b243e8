/** How a server stays: until it is asked to stop, or until what it stands on is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TurnupError } from "../../term/error.ts";

/** Without its database a server may wait for many things while it closes; whoever starts it again need not. */
const CLOSE_LIMIT_MS = 20_000;

export function untilStopped(signal: AbortSignal) {
  let onLost!: (error: TurnupError) => void;
  const lost = new Promise<TurnupError>((resolve) => {
    onLost = resolve;
  });
  return {
    onLost,
    /** Waits, then closes. @throws what was lost */
    async end(close: () => Promise<void>): Promise<void> {
      const error = await Promise.race([untilAborted(signal), lost]);
      if (!error) return close();
      await Promise.race([close().catch(() => undefined), sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]);
      throw error;
    },
  };
}

export function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
