/** Questions about processes that are not our children: a server or a Turnup left by an earlier run. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "../../term/narrow.ts";

const POLL_MS = 5;

/** A zombie has ended; only its parent has not looked yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== "EPERM") return false;
  }
  return statOf(pid)?.state !== "Z";
}

/**
 * What tells a process from a later one with the same number: the boot and the moment it started. A number alone
 * means nothing after a restart of the machine or in a container, where every program may be number 1.
 */
export function stampOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startedAtByPs(pid);
  const stat = statOf(pid);
  if (!stat || stat.state === "Z") return undefined;
  return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${stat.startTicks}`;
}

/** True when it ended within `limitMs`. */
export async function waitForEnd(pid: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Whether the process works in `folder`, as each server process does in its data folder; unknown without /proc. */
function worksIn(pid: number, folder: string): boolean | "unknown" {
  if (process.platform !== "linux") return "unknown";
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch (error) {
    return codeOf(error) === "ENOENT" ? false : "unknown";
  }
}

/**
 * Whether a process is a PostgreSQL server of the data folder `data`. By the folder it works in; where that may not be
 * looked at (root in a container has no right over processes of `nobody`), by the words it was started with, which all
 * may read: a number alone may belong to any program by now, even to ourselves.
 */
export function isServerOf(pid: number, data: string): boolean {
  if (pid === process.pid || !isAlive(pid)) return false;
  const works = worksIn(pid, data);
  if (works !== "unknown") return works;
  const [program = "", ...words] = wordsOf(pid);
  return /(^|\/)postgres$/.test(program) && words.includes(data);
}

/** All processes working in `folder`, as far as we may look. */
export function processesIn(folder: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && worksIn(pid, folder) === true);
}

/** The name in brackets may hold anything, spaces and brackets too: fields are counted after the last one. */
function statOf(pid: number): { state: string; startTicks: string } | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTicks: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** What a process was started with; nothing where it has ended. */
function wordsOf(pid: number): string[] {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(" ");
  } catch {
    return [];
  }
}

function startedAtByPs(pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}
