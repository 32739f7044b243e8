/** Checkouts to measure, which stay as they are while somebody works on: each a folder with the libraries of this one. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFolder } from "../src/store/dataset/folder.ts";
import { ownFolder } from "./leftovers.ts";

const LOCK = "package-lock.json";
const ARCHIVE_OCTETS_MAX = 1_000_000_000;

export type Checkout = {
  readonly folder: string;
  /** `1a2b3c4`. */
  readonly commit: string;
  /** It was written for other versions of libraries than it runs with. */
  readonly hasOtherLibraries: boolean;
};

/** @throws Error where the repository has no such revision */
export function checkOut(revision: string): Checkout {
  const commit = git("rev-parse", "--short", "--verify", `${revision}^{commit}`).toString().trim();
  const folder = newFolder();
  execFileSync("tar", ["-x", "-C", folder], { input: git("archive", commit) });
  const hasOtherLibraries = !git("show", `HEAD:${LOCK}`).equals(git("show", `${commit}:${LOCK}`));
  return { folder, commit, hasOtherLibraries };
}

/** This checkout as it is now, with what is not committed yet; answers its folder. */
export function checkOutNow(): string {
  const folder = newFolder();
  const names = git("ls-files", "--cached", "--others", "--exclude-standard", "-z").toString().split("\0");
  for (const name of names.filter((one) => one !== "" && existsSync(join(packageFolder(), one))))
    cpSync(join(packageFolder(), name), join(folder, name), { preserveTimestamps: true });
  return folder;
}

/** With a folder of libraries of its own, since the bundle of a checkout's sources is kept there. */
function newFolder(): string {
  const folder = ownFolder(mkdtempSync(join(tmpdir(), "turnup-bench-revision-")));
  const libraries = join(packageFolder(), "node_modules");
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(libraries))
    if (!name.startsWith(".")) symlinkSync(join(libraries, name), join(folder, "node_modules", name));
  return folder;
}

const git = (...args: string[]): Buffer =>
  execFileSync("git", ["-C", packageFolder(), ...args], {
    maxBuffer: ARCHIVE_OCTETS_MAX,
    stdio: ["ignore", "pipe", "pipe"],
  });
