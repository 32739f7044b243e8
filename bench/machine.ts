/** On what the figures were measured: they mean little on any other machine. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem } from "node:os";
import { packageFolder } from "../src/store/dataset/folder.ts";
import { findBinaries } from "../src/store/embedded/binaries.ts";

export type Machine = {
  readonly date: string;
  /** The commit that was measured; `+` where files differed from it. */
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Peers and servers, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Cores that were busy in the second before the run, when nothing of the bench ran. */
  readonly busyCores: number;
};

const ABSENT = "not installed";
const LOOK_MS = 1_000;

export async function machineOf(now: Date): Promise<Machine> {
  return {
    date: now.toISOString().slice(0, 16).replace("T", " "),
    commit: commit(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${osName()}, Linux ${release()}`,
    node: process.versions.node,
    versions: {
      "npm smpp": moduleVersion("smpp"),
      "pg-boss": moduleVersion("pg-boss"),
      "graphile-worker": moduleVersion("graphile-worker"),
      libwbxml: debianVersion("libwbxml2-1"),
      Kannel: debianVersion("kannel"),
      "PostgreSQL embedded": embeddedVersion(),
      "PostgreSQL server": debianVersion("postgresql-15"),
    },
    busyCores: await busyCores(),
  };
}

async function busyCores(): Promise<number> {
  const idleMs = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0);
  const [idle, start] = [idleMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  const busy = cpus().length - (idleMs() - idle) / (performance.now() - start);
  return Math.max(0, Math.round(busy * 100) / 100);
}

function embeddedVersion(): string {
  try {
    return findBinaries().version;
  } catch {
    return ABSENT;
  }
}

function commit(): string {
  const git = (...args: string[]): string => output("git", ["-C", packageFolder(), ...args]) ?? "unknown";
  const isChanged = git("status", "--porcelain", "--", "src", "bench", "package-lock.json") !== "";
  return `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}`;
}

function osName(): string {
  if (!existsSync("/etc/os-release")) return process.platform;
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
}

function moduleVersion(name: string): string {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
  } catch {
    return ABSENT;
  }
}

const debianVersion = (name: string): string =>
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
  output("dpkg-query", ["-W", "-f", "${Version}", name]) || ABSENT;

function output(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
