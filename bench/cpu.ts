/**
 * Where the processor's time goes while something is measured: the machine is shared, so how much each process took
 * says more than how long it lasted. Linux only, from /proc; elsewhere nothing is known.
 */
import { readdirSync, readFileSync } from "node:fs";

const SAMPLE_MS = 250;
/** Of `utime` and `stime`: USER_HZ is 100 on every Linux that Node runs on (proc(5)). */
const MS_PER_TICK = 10;

export type CpuWatch = {
  /** From here on. */
  start(): void;
  /** Milliseconds by the name that `roleOf` gave. */
  stop(): ReadonlyMap<string, number>;
};

/** A process that ends keeps what the last sample saw of it. */
export function watchCpu(
  roleOf: (process: { pid: number; command: string }) => string | undefined,
): CpuWatch {
  const before = new Map<number, number>();
  const seen = new Map<number, { readonly role: string; readonly ms: number }>();
  const sample = (): void => {
    for (const { pid, command, ms } of processes()) {
      const role = roleOf({ pid, command });
      if (role !== undefined) seen.set(pid, { role, ms });
    }
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    start() {
      sample();
      for (const [pid, { ms }] of seen) before.set(pid, ms);
    },
    stop() {
      clearInterval(timer);
      const taken = new Map<string, number>();
      for (const [pid, { role, ms }] of seen)
        taken.set(role, (taken.get(role) ?? 0) + ms - (before.get(pid) ?? 0));
      return taken;
    },
  };
}

function* processes(): Iterable<{ pid: number; command: string; ms: number }> {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold blanks
      yield { pid, command, ms: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK };
    } catch {
      // it ended between the two
    }
  }
}
