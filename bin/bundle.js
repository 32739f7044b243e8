// The program as one bundle. `npm run build` makes it for the release; in a checkout it is made anew whenever a source
// has changed, since bundled it starts in half the time that hundreds of TypeScript modules take.
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, "node_modules", ".cache", "turnup");
/** Bundles of earlier sources that are kept: a program that was started from one loads its commands as they are called. */
const KEPT = 4;

/**
 * Libraries of many small modules, most of those that a start reads: a checkout's bundle has them inside. A release names
 * its libraries and does not copy them.
 */
const MANY_MODULES = ["typebox"];

/** @param {string} folder @param {{ readonly sourcemap?: boolean, readonly inside?: readonly string[] }} [options] */
export async function bundleProgram(folder, { sourcemap = false, inside = [] } = {}) {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: [join(root, "src", "app", "terminal", "cli.ts")],
    outdir: folder,
    // All in one folder: the migrations are looked for beside the file that reads them.
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    ...(inside.length === 0 ? { packages: "external" } : { external: librariesBut(inside) }),
    platform: "node",
    format: "esm",
    target: "node20.19",
    logLevel: "silent",
    sourcemap,
  });
  cpSync(join(root, "src", "store", "migrations"), join(folder, "migrations"), { recursive: true });
}

/** @param {readonly string[]} inside @returns {string[]} */
function librariesBut(inside) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.keys({ ...dependencies, ...devDependencies })
    .filter((name) => !inside.includes(name))
    .flatMap((name) => [name, `${name}/*`]);
}

/** The program's file for the sources as they are now. @returns {Promise<string>} */
export async function bundleOfCheckout() {
  // A program looks for its data upwards from itself, and would find that of the checkout where the libraries are.
  if (realpathSync(join(root, "node_modules")) !== join(realpathSync(root), "node_modules"))
    throw new Error("the libraries stand in another checkout");
  const folder = join(cache, stateOfSources());
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true });
    const made = mkdtempSync(join(cache, "making-"));
    try {
      await bundleProgram(made, { sourcemap: true, inside: MANY_MODULES });
      chmodSync(made, 0o755); // another user may start this checkout
      renameSync(made, folder); // whole or not at all: another process may be making the same
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
    forgetOldest();
  }
  const program = join(folder, "cli.js");
  accessSync(program, constants.R_OK);
  return program;
}

/** Names, sizes and times of all sources, and what bundles them. */
function stateOfSources() {
  const hash = createHash("sha256");
  const note = (/** @type {string} */ path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  note(fileURLToPath(import.meta.url));
  note(join(root, "package.json"));
  for (const name of MANY_MODULES) note(join(root, "node_modules", name, "package.json"));
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  for (const name of sources.sort()) if (/\.(ts|sql|json)$/.test(name)) note(join(root, "src", name));
  return hash.digest("hex").slice(0, 16);
}

function forgetOldest() {
  const known = readdirSync(cache)
    .filter((name) => !name.startsWith("making-"))
    .map((name) => ({ path: join(cache, name), madeMs: statSync(join(cache, name)).mtimeMs }))
    .sort((one, other) => other.madeMs - one.madeMs);
  for (const { path } of known.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}
