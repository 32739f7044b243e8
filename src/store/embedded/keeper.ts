/**
 * Keeps a running server for as long as the program lives: starts it again when it ends on its own (the kernel's
 * killer of large processes, an operator's slip), and ends it with the program, whichever way the program ends
 * short of SIGKILL. After that the next start adopts it.
 *
 *   ended ── at once, a few times ── then after pauses that grow ── steady again? as if nothing had been
 *                                          └── never steady for `giveUpMs`: lost, the program is told
 *
 * A full disk is waited for without an end: there is room again as soon as somebody makes some.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import { isAlive, waitForEnd } from "./process.ts";

const WATCH_MS = 250;

export type RestartLimits = {
  /** Restarts within `steadyMs` that come at once. */
  readonly atOnce: number;
  /** The first pause after them; each further one is twice as long. */
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
  /** A server that lived this long is well again. */
  readonly steadyMs: number;
  /** One that was not well for this long has a reason that restarting does not mend. */
  readonly giveUpMs: number;
};
const RESTART_LIMITS: RestartLimits = {
  atOnce: 5,
  pauseMs: 500,
  pauseMaxMs: 15_000,
  steadyMs: 60_000,
  giveUpMs: 600_000,
};
/** A fast shutdown writes all that is not yet in its place. */
const STOP_LIMIT_MS = 120_000;
const KILL_LIMIT_MS = 10_000;

type Kept = {
  /** Resolves when the server is ready; tells its process number as soon as there is one. A full disk is `database_full`. */
  readonly launch: (onSpawn: (pid: number) => void) => Promise<void>;
  readonly unlock: () => void;
  readonly log: (message: string) => void;
  /** Told once, when the server is given up. */
  readonly onLost?: ((error: TurnupError) => void) | undefined;
  readonly limits?: Partial<RestartLimits> | undefined;
};

type Keeper = Omit<Kept, "limits"> & {
  readonly limits: RestartLimits;
  pid: number | undefined;
  watch: NodeJS.Timeout | undefined;
  restarting: Promise<void> | undefined;
  stopping: Promise<void> | undefined;
  readonly pauseEnds: AbortController;
  trouble: Trouble;
  isFull: boolean;
  /** The program may end without ending the server. */
  readonly untie: () => void;
};

export function keep(given: Kept) {
  const kept: Keeper = {
    ...given,
    limits: { ...RESTART_LIMITS, ...given.limits },
    pid: undefined,
    watch: undefined,
    restarting: undefined,
    stopping: undefined,
    pauseEnds: new AbortController(),
    trouble: noTrouble(performance.now()),
    isFull: false,
    untie: endWithProgram(() => kept.pid, given.unlock),
  };

  return {
    /** Watches the server left running as process `left`, or a new one. */
    start: async (left: number | undefined): Promise<void> => {
      if (left === undefined) await launch(kept);
      else kept.pid = left;
      kept.watch = setInterval(() => look(kept), WATCH_MS).unref();
    },
    /** It does not run, since its disk is full. */
    isFull: (): boolean => kept.isFull,
    pid: (): number => kept.pid as number, // read after `start` only
    stop: (): Promise<void> => {
      kept.stopping ??= stop(kept);
      kept.pauseEnds.abort();
      return kept.stopping;
    },
  };
}

const launch = (kept: Keeper): Promise<void> =>
  kept.launch((pid) => {
    kept.pid = pid;
  });

async function restart(kept: Keeper): Promise<void> {
  const { lastReadyAtMs, restarts } = kept.trouble;
  if (restarts > 0 && performance.now() - lastReadyAtMs > kept.limits.steadyMs)
    kept.trouble = noTrouble(performance.now());
  kept.trouble.sinceMs ??= performance.now();
  kept.log(`PostgreSQL, process ${kept.pid}, ended unasked; starting it again`);
  for (let why = "it ends again and again"; !kept.stopping; ) {
    if (performance.now() - kept.trouble.sinceMs > kept.limits.giveUpMs) return giveUp(kept, why);
    const pauseMs = pauseBefore(++kept.trouble.restarts, kept.limits);
    if (pauseMs > 0)
      await sleep(pauseMs, undefined, { signal: kept.pauseEnds.signal }).catch(() => undefined);
    if (kept.stopping) return;
    try {
      await launch(kept);
      kept.trouble.lastReadyAtMs = performance.now();
      kept.isFull = false;
      if (kept.trouble.restarts > kept.limits.atOnce)
        kept.log(`PostgreSQL runs again, as process ${kept.pid}`);
      return;
    } catch (error) {
      why = messageOf(error);
      kept.log(`PostgreSQL does not start: ${why}`);
      kept.isFull = error instanceof TurnupError && error.code === "database_full";
      if (kept.isFull) kept.trouble.sinceMs = performance.now();
    }
  }
}

function giveUp(kept: Keeper, why: string): void {
  kept.log(`PostgreSQL was not well for ${Math.round(kept.limits.giveUpMs / 1000)} s and is given up`);
  clearInterval(kept.watch);
  kept.onLost?.(
    new TurnupError(
      "embedded_failed",
      sentenceOf(`The embedded PostgreSQL died and does not come back: ${why}`),
      {
        nextStep: "See postgres/server.log in the data folder; a new start tries again.",
      },
    ),
  );
}

function look(kept: Keeper): void {
  if (kept.restarting || kept.stopping || kept.pid === undefined || isAlive(kept.pid)) return;
  kept.restarting = restart(kept).finally(() => {
    kept.restarting = undefined;
  });
}

async function stop(kept: Keeper): Promise<void> {
  clearInterval(kept.watch);
  await kept.restarting;
  if (kept.pid !== undefined) await stopServer(kept.pid);
  kept.untie();
  kept.unlock();
}

type Trouble = { restarts: number; sinceMs: number | undefined; lastReadyAtMs: number };
const noTrouble = (nowMs: number): Trouble => ({ restarts: 0, sinceMs: undefined, lastReadyAtMs: nowMs });

/** None for the first few, then growing, so that a server that dies at once does not wear out its disk. */
function pauseBefore(restart: number, { atOnce, pauseMs, pauseMaxMs }: RestartLimits): number {
  return restart <= atOnce ? 0 : Math.min(pauseMaxMs, pauseMs * 2 ** (restart - atOnce - 1));
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
  throw new TurnupError("embedded_failed", `PostgreSQL, process ${pid}, does not end.`);
}
