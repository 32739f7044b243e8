/**
 * Where the processor's time goes while something is measured: the machine is shared, so how much each process took
 * says more than how long it lasted. Linux only, from /proc; elsewhere nothing is known.
 */
import { readdirSync, readFileSync } from "node:fs";

const LOOK_MS = 250;
/** Of `utime` and `stime`: USER_HZ is 100 on every Linux that Node runs on (proc(5)). */
const MS_PER_TICK = 10;

export type WatchedProcess = { readonly pid: number; readonly parent: number };

/** Milliseconds, user and system. */
type Taken = WatchedProcess & { readonly ms: number };

export type CpuWatch = {
  /** From here on. */
  start(): void;
  /** What each process took since; one that ended keeps what the last look saw of it. */
  stop(): readonly Taken[];
};

export function watchCpu(): CpuWatch {
  const before = new Map<number, number>();
  const seen = new Map<number, Taken>();
  const look = (): void => {
    for (const one of processes()) seen.set(one.pid, one);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      look();
      for (const { pid, ms } of seen.values()) before.set(pid, ms);
      timer = setInterval(look, LOOK_MS);
    },
    stop() {
      clearInterval(timer);
      look();
      return [...seen.values()].map((one) => ({ ...one, ms: one.ms - (before.get(one.pid) ?? 0) }));
    },
  };
}

/** Of a process that lives; undefined where the system does not tell. */
export function parentOf(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const parent = Number(fieldsOf(pid)[1]);
  return Number.isInteger(parent) ? parent : undefined;
}

/** Of `/proc/PID/stat` those behind the name, which may hold blanks itself (proc(5), from the third on). */
function fieldsOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function* processes(): Iterable<Taken> {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const fields = fieldsOf(pid);
      const ms = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
      yield { pid, parent: Number(fields[1]), ms };
    } catch {
      // it ended between the two
    }
  }
}
