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
  /** Resolves when the server is ready; tells its process number as soon as there is one. */
  readonly launch: (onSpawn: (pid: number) => void) => Promise<void>;
  readonly unlock: () => void;
  readonly log: (message: string) => void;
};

export function keep({ launch, unlock, log }: Kept) {
  let pid: number | undefined;
  let watch: NodeJS.Timeout | undefined;
  let restarting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  const restarts: number[] = [];
  const onSpawn = (spawned: number): void => {
    pid = spawned;
  };

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
        await launch(onSpawn);
        return;
      } catch (error) {
        log(`PostgreSQL does not start: ${(error as Error).message}`);
        await sleep(RESTART_PAUSE_MS);
      }
    }
  };
  const look = (): void => {
    if (restarting || stopping || pid === undefined || isAlive(pid)) return;
    restarting = restart().finally(() => {
      restarting = undefined;
    });
  };

  const untie = endWithProgram(() => pid, unlock);
  const stop = async (): Promise<void> => {
    clearInterval(watch);
    await restarting;
    if (pid !== undefined) await stopServer(pid);
    untie();
    unlock();
  };
  return {
    /** Watches the server left running as process `left`, or a new one. */
    start: async (left: number | undefined): Promise<void> => {
      if (left === undefined) await launch(onSpawn);
      else onSpawn(left);
      watch = setInterval(look, WATCH_MS).unref();
    },
    pid: (): number => pid as number, // read after `start` only
    stop: (): Promise<void> => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** One program may keep several servers; their listeners are not the program's own. */
const OURS = new Set<unknown>();

/** A program that handles a signal itself is trusted to call `stop`; its exit is watched all the same. */
function endWithProgram(pid: () => number | undefined, unlock: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const atExit = (): void => {
    const server = pid();
    if (server !== undefined && isAlive(server)) process.kill(server, "SIGINT");
    unlock();
  };
  const atSignal = (signal: NodeJS.Signals): void => {
    if (!process.listeners(signal).every((listener) => OURS.has(listener))) return;
    atExit();
    untie();
    // The last of us ends the program as it would have ended without us.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  OURS.add(atSignal);
  const untie = (): void => {
    process.off("exit", atExit);
    for (const signal of signals) process.off(signal, atSignal);
    OURS.delete(atSignal);
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
