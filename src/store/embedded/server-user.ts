/**
 * Decides as whom the server runs. PostgreSQL refuses to run as root, and Turnup may well be started by root:
 *
 *   self       not root: as ourselves
 *   user       root, and another user can walk to the programs and the data: as the owner of the data, or `nobody`
 *   namespace  root, from a folder only root can walk (a 0700 home): in a user namespace, where root bears another number
 *   copied     root, and the kernel forbids user namespaces: as `nobody`, with programs and data under /var/lib/turnup
 *
 * What is possible is tried out, not guessed from mode bits: access lists and security modules have their say too.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROBE_LIMIT_MS = 10_000;
/** The user with the fewest rights; present on every Linux and macOS. */
const NOBODY = { uid: 65534, gid: 65534 };

export type ServerUser =
  | { readonly kind: "self" }
  | { readonly kind: "user" | "copied"; readonly uid: number; readonly gid: number }
  | { readonly kind: "namespace"; readonly prefix: readonly string[] };

type Probe = {
  /** A program that answers `--version`. */
  readonly postgres: string;
  /** The folder that must be walked to. */
  readonly folder: string;
  readonly environment: Record<string, string>;
  /** Who owns the data already there, if any. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
};

export async function chooseServerUser(probe: Probe): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return { kind: "self" };
  const other = probe.owner && probe.owner.uid !== 0 ? probe.owner : nobody();
  if (await canWalk(probe, other)) return { kind: "user", ...other };
  const prefix = ["unshare", "--user", `--map-user=${other.uid}`, `--map-group=${other.gid}`, "--"];
  if (await answers([...prefix, probe.postgres, "--version"], probe.environment)) {
    return { kind: "namespace", prefix };
  }
  return { kind: "copied", ...nobody() };
}

/** How a program is started as that user: the words before it and the identity it is given. */
export function startAs(user: ServerUser, program: string, args: readonly string[]) {
  if (user.kind === "namespace") {
    const [first = "", ...rest] = user.prefix;
    return { command: first, args: [...rest, program, ...args], identity: {} };
  }
  const identity = user.kind === "self" ? {} : { uid: user.uid, gid: user.gid };
  return { command: program, args: [...args], identity };
}

/** The owner that files of the server must have, seen from outside. */
export function ownerOf(user: ServerUser): { readonly uid: number; readonly gid: number } | undefined {
  if (user.kind === "self") return undefined;
  return user.kind === "namespace" ? { uid: 0, gid: 0 } : { uid: user.uid, gid: user.gid };
}

async function canWalk(probe: Probe, identity: { uid: number; gid: number }): Promise<boolean> {
  const walks = await answers(["/bin/sh", "-c", 'cd "$1"', "sh", probe.folder], {}, identity);
  return walks && (await answers([probe.postgres, "--version"], probe.environment, identity));
}

async function answers(
  [command = "", ...args]: readonly string[],
  environment: Record<string, string>,
  identity: { uid?: number; gid?: number } = {},
): Promise<boolean> {
  try {
    const env = { ...process.env, ...environment };
    await run(command, args, { ...identity, env, cwd: "/", timeout: PROBE_LIMIT_MS });
    return true;
  } catch {
    return false;
  }
}

/** `initdb` asks for the user's name, so the number must stand in /etc/passwd; a slim image may number it otherwise. */
function nobody(): { uid: number; gid: number } {
  try {
    const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
    if (line) return { uid: Number(line[1]), gid: Number(line[2]) };
  } catch {
    // macOS keeps its users elsewhere; the usual number stands.
  }
  return NOBODY;
}
