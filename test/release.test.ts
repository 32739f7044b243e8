/** The package as npm would install it: built, packed, unpacked elsewhere, and run there without the sources. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { freshDatabaseConfig } from "./fixture/database.ts";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "turnup release "));
afterAll(() => rmSync(folder, { recursive: true }));

execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT, stdio: "pipe" });
const [archive = ""] = readdirSync(folder);
execFileSync("tar", ["-xzf", archive], { cwd: folder });
const installed = join(folder, "package");
symlinkSync(join(ROOT, "node_modules"), join(installed, "node_modules"));

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [join(installed, "bin", "turnup.js"), ...args], {
    cwd: "/",
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  });

test("the package that npm would install runs from another folder, with its data", () => {
  assert.equal(existsSync(join(installed, "src")), false);
  const { stdout, stderr, status } = run(["imei", "490154203237518", "--json"]);
  assert.equal(status, 0, stderr);
  const { make, verdict } = JSON.parse(stdout) as { make: string; verdict: string };
  assert.deepEqual([make, verdict], ["Nokia", "ended"]);
});

test("the package brings every migration", async () => {
  const { url } = await freshDatabaseConfig({ migrated: false });
  const { stdout, stderr, status } = run(["migrate", "--json"], {
    DATABASE_URL: url,
    TURNUP_DATA_FOLDER: join(folder, "data"),
  });
  assert.equal(status, 0, stderr);
  const files = readdirSync(join(ROOT, "src", "store", "migrations")).filter((name) => name.endsWith(".sql"));
  const { version, applied } = JSON.parse(stdout) as { version: number; applied: string[] };
  assert.equal(version, Number(files.sort().at(-1)!.slice(0, 4)));
  assert.equal(applied.length, files.length);
});

test("the codecs and the handset's client are exported, each with its types", async () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const { types, default: module } = manifest.exports["./wire/*"];
  const fileOf = (pattern: string): string => join(installed, pattern.replace("*", "omacp/codec"));
  assert.ok(existsSync(fileOf(types)));
  const { decodeProvisioning } = (await import(
    fileOf(module)
  )) as typeof import("../src/wire/omacp/codec.ts");
  assert.throws(() => decodeProvisioning(Uint8Array.of(0x03)), { name: "DecodeError" });
  const device = manifest.exports["./device"];
  assert.ok(existsSync(join(installed, device.types)));
  const client = (await import(join(installed, device.default))) as typeof import("../src/device/client.ts");
  assert.deepEqual(client.freshHandset().settings.accessPoints, []);
});

test("the package holds licences and documents, and no test", () => {
  for (const name of ["LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "data/NOTICE.md", "docs/errors.md"])
    assert.ok(existsSync(join(installed, name)), name);
  const names = readdirSync(installed, { recursive: true, encoding: "utf8" }).filter(
    (name) => !name.startsWith("node_modules"),
  );
  assert.deepEqual(
    names.filter((name) => /\.test\.|^bench|^test/.test(name)),
    [],
  );
});
