/**
 * `npm run build`: makes dist/, what an installed package runs. The program is dist/cli.js with its commands in files
 * beside it, each loaded when it is called; the codecs and the handset's client stand alone for other projects, with
 * their types. Libraries are not copied in: npm installs them (docs/adr/0007-release-build.md).
 */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { packageFolder } from "../store/dataset/folder.ts";

const root = packageFolder();
const src = join(root, "src");
const dist = join(root, "dist");

/** Every module of a room under its own name: `wire/smpp/pdu` becomes `turnup/wire/smpp/pdu`. */
function modulesOf(room: string): string[] {
  return readdirSync(join(src, room), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(src, room, name));
}

const libraries = [...modulesOf("wire"), join(src, "device", "client.ts")];

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: Object.fromEntries(
    [join(src, "app", "cli.ts"), ...libraries].map((path) => {
      const name = relative(src, path).replace(/\.ts$/, "");
      return [name === join("app", "cli") ? "cli" : name, path];
    }),
  ),
  outdir: dist,
  // In dist/ itself: the migrations are looked for beside the file that reads them.
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20.19",
  metafile: true,
  logLevel: "warning",
});
cpSync(join(src, "store", "migrations"), join(dist, "migrations"), { recursive: true });
const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
execFileSync(
  process.execPath,
  [join(typescript, "bin", "tsc"), "--project", join(root, "tsconfig.types.json")],
  {
    cwd: root,
    stdio: "inherit",
  },
);
const octets = Object.values(metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0);
process.stdout.write(
  `dist: ${Object.keys(metafile.outputs).length} files, ${(octets / 1_048_576).toFixed(1)} MiB, ` +
    `and the types of ${libraries.length} modules\n`,
);
