/**
 * What a server that was killed leaves in the way of the next one.
 *
 * PostgreSQL asks of a lock file only whether its process number is taken (`kill(pid, 0)`). The number of a dead server
 * may be: by a zombie, where nobody waits for the dead (a container whose first process does not), or by any other
 * program, since numbers are few in a container and begin anew. Each start would fail, for ever. So whoever is sure that
 * the server has ended takes the files away before the next launch.
 *
 *   <data>/postmaster.pid                   of the data folder
 *   <socket folder>/.s.PGSQL.5432.lock      of the socket
 *
 * Two servers on one data folder stay impossible: the folder is locked by us (folder-lock.ts), no process works in it,
 * and PostgreSQL itself still refuses while anybody has the shared memory of this data folder.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TurnupError } from "../../term/error.ts";
import { isAlive, isServerOf, processesIn } from "./process.ts";

/** The workers of a server that was killed end by themselves; until then a new one may not start. */
export const LEFTOVER_LIMIT_MS = 15_000;
const KILL_LIMIT_MS = 5_000;
const POLL_MS = 20;

/**
 * Takes the lock files of a dead server away.
 * @throws TurnupError `embedded_failed`: the server lives, or its workers cannot be ended
 */
export async function clearLeftovers(
  data: string,
  socket: string,
  log: (message: string) => void,
  limitMs: number = LEFTOVER_LIMIT_MS,
): Promise<void> {
  const locks = [join(data, "postmaster.pid"), `${socket}.lock`].filter((file) => existsSync(file));
  if (locks.length === 0) return;
  for (const lock of locks) {
    const pid = processNumberIn(lock);
    if (pid !== undefined && isServerOf(pid, data)) {
      throw new TurnupError("embedded_failed", `PostgreSQL, process ${pid}, works in ${data} already.`, {
        nextStep: `Stop that one (kill -INT ${pid}).`,
      });
    }
  }
  await endWorkers(data, log, limitMs);
  for (const lock of locks) rmSync(lock, { force: true });
}

/** Workers whose server died: they look for it now and then, but not in the middle of a long statement. */
async function endWorkers(data: string, log: (message: string) => void, limitMs: number): Promise<void> {
  if (await noneLeft(data, limitMs)) return;
  const left = processesIn(data).filter(isAlive);
  log(`killing what a dead PostgreSQL server left running: ${left.join(", ")}`);
  for (const pid of left) process.kill(pid, "SIGKILL"); // the next start replays the log, as after the death itself
  if (await noneLeft(data, KILL_LIMIT_MS)) return;
  throw new TurnupError("embedded_failed", `Processes of a dead PostgreSQL server do not end in ${data}.`);
}

async function noneLeft(data: string, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (processesIn(data).some(isAlive)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** The first line; nothing where the file was cut short by the death of the machine. */
function processNumberIn(lock: string): number | undefined {
  try {
    const pid = Math.abs(Number.parseInt(readFileSync(lock, "utf8"), 10)); // a single-user server writes it below zero
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
