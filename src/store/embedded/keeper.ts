/**
 * Keeps a running server for as long as the program lives: starts it again when it ends on its own (the kernel's
 * killer of large processes, an operator's slip), and ends it with the program, whichever way the program ends
 * short of SIGKILL. After that the next start adopts it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { TurnupError } from "../../term/error.ts";
import { isAlive, waitForEnd } from "./process.ts";

const WATCH_MS = 250;
/** A server that ends again and again has a reason that restarting does not mend. */
const RESTARTS_MAX = 5;
const RESTARTS_WINDOW_MS = 60_000;
const RESTART_PAUSE_MS = 500;
/** A fast shutdown writes all that is not yet in its place. */
const STOP_LIMIT_MS = 120_000;
const KILL_LIMIT_MS = 10_000;

type Kept = {
  readonly relaunch: () => Promise<{ readonly pid: number }>;
  readonly unlock: () => void;
  readonly log: (message: string) => void;
};

export function keep(first: { readonly pid: number }, { relaunch, unlock, log }: Kept) {
  let pid = first.pid;
  let restarting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  const restarts: number[] = [];

  const restart = async (): Promise<void> => {
    while (!stopping) {
      restarts.push(performance.now());
      const inWindow = restarts.filter((at) => at > performance.now() - RESTARTS_WINDOW_MS);
      if (inWindow.length > RESTARTS_MAX) {
        log(`PostgreSQL ended ${RESTARTS_MAX} times within ${RESTARTS_WINDOW_MS / 1000} s and is left so`);
        clearInterval(watch);
        return;
      }
      log(`PostgreSQL, process ${pid}, ended unasked; starting it again`);
      try {
        pid = (await relaunch()).pid;
        return;
      } catch (error) {
        log(`PostgreSQL does not start: ${(error as Error).message}`);
        await sleep(RESTART_PAUSE_MS);
      }
    }
  };
  const watch = setInterval(() => {
    if (restarting || stopping || isAlive(pid)) return;
    restarting = restart().finally(() => {
      restarting = undefined;
    });
  }, WATCH_MS).unref();

  const untie = endWithProgram(() => pid, unlock);
  const stop = async (): Promise<void> => {
    clearInterval(watch);
    await restarting;
    await stopServer(pid);
    untie();
    unlock();
  };
  return {
    pid: () => pid,
    stop: (): Promise<void> => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** A program that handles a signal itself is trusted to call `stop`; its exit is watched all the same. */
function endWithProgram(pid: () => number, unlock: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const atExit = (): void => {
    if (isAlive(pid())) process.kill(pid(), "SIGINT");
    unlock();
  };
  const atSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    atExit();
    untie();
    process.kill(process.pid, signal); // and end as it would have ended without us
  };
  const untie = (): void => {
    process.off("exit", atExit);
    for (const signal of signals) process.off(signal, atSignal);
  };
  process.on("exit", atExit);
  for (const signal of signals) process.on(signal, atSignal);
  return untie;
}

export async function stopServer(pid: number): Promise<void> {
  const steps = [
    ["SIGINT", STOP_LIMIT_MS], // fast: sessions are cut, all is written
    ["SIGQUIT", KILL_LIMIT_MS], // immediate: the log is replayed at the next start
    ["SIGKILL", KILL_LIMIT_MS],
  ] as const;
  for (const [signal, limitMs] of steps) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    if (await waitForEnd(pid, limitMs)) return;
  }
  throw new TurnupError("embedded_failed", `PostgreSQL, process ${pid}, does not end`);
}
