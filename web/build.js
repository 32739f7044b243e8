// Builds the console into dist/console. `npm run build:web` always; with --if-needed only where it is missing or older than its sources,
// which is how `npm start` calls it, beside the server. The former build stays in place until the new one is whole.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL(".", import.meta.url));
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const folder = join(dist, "console");
const note = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

process.env.NODE_ENV = "production"; // else whoever builds with another gets the libraries that look for faults, twice as large
const state = stateOfSources();
if (process.argv.includes("--if-needed")) {
  if (builtState() === state) process.exit(0);
  note("building the console beside the start");
  setPriority(constants.priority.PRIORITY_LOW);
}
const vite = await import("vite").catch(() => undefined);
if (vite === undefined) {
  note("the console is not built: vite is not installed (npm ci brings it)");
  process.exit(process.argv.includes("--if-needed") ? 0 : 1);
}
const beganAt = Date.now();
const made = join(dist, `.console-${process.pid}`);
const former = join(dist, `.console-before-${process.pid}`);
try {
  mkdirSync(dist, { recursive: true });
  await vite.build({
    configFile: join(web, "vite.config.ts"),
    logLevel: "warn",
    build: { outDir: made, emptyOutDir: true },
  });
  writeFileSync(join(made, ".state"), state);
  if (existsSync(folder)) renameSync(folder, former);
  renameSync(made, folder);
  note(`console built in ${((Date.now() - beganAt) / 1_000).toFixed(1)} s`);
} finally {
  rmSync(made, { recursive: true, force: true });
  rmSync(former, { recursive: true, force: true });
}

/** What the build is made from: every source by its content, and which libraries. */
function stateOfSources() {
  const hash = createHash("sha256");
  const names = readdirSync(web, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names) {
    if (name.endsWith(".gen.ts") || !statSync(join(web, name)).isFile()) continue;
    hash.update(`${name}\n`).update(readFileSync(join(web, name)));
  }
  hash.update(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url))));
  return hash.digest("hex");
}

function builtState() {
  const path = join(folder, ".state");
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
