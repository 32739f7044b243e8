/**
 * `npm run build`: makes dist/, what an installed package runs. The program is dist/cli.js with its commands in files
 * beside it, each loaded when it is called; the codecs and the handset's client stand there for other projects, module
 * by module with their types. Libraries are not copied in: npm installs them (docs/adr/0007-release-build.md).
 */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bundleProgram } from "../../../bin/bundle.js";
import { LIBRARY_PARTS } from "../../http/api-page/api-page-door.ts";
import { packageFolder } from "../../store/dataset/folder.ts";

const root = packageFolder();
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
await bundleProgram(dist);
buildLibraries();
copyApiDocs();
buildConsole();
const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
process.stdout.write(`dist: ${files.length} files\n`);

/** What shows the API's description in a browser: two files of Swagger UI with its licence, not the whole of it. */
function copyApiDocs(): void {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const name of [...LIBRARY_PARTS, "LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"])
    cpSync(join(folder, name), join(dist, "api-docs", name));
}

/** The console's pages, served from dist/console. */
function buildConsole(): void {
  execFileSync(process.execPath, [join(root, "web", "build.js")], { cwd: root, stdio: "inherit" });
}

/** `turnup/wire/*` and `turnup/device`, by the exports of package.json. */
function buildLibraries(): void {
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  execFileSync(process.execPath, [join(typescript, "bin", "tsc"), "--project", "tsconfig.libraries.json"], {
    cwd: root,
    stdio: "inherit",
  });
}
