/**
 * `npm run test:guards [-- WORD]`: breaks each guard of `guards.ts` (or those whose file or words hold WORD) in a copy of
 * the checkout, runs the tests that it names one after another until one fails, and says which guards nobody holds.
 * Ends with 0 where each broken line made a test fail, 1 otherwise. About ten seconds a guard; the checkout is not touched.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { GUARDS, type Guard } from "./guards.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const COPIED = ["bin", "data", "docs", "src", "test", "package.json", "tsconfig.json", "vitest.config.ts"];
/** One file of tests that takes longer than this has met an endless loop, which is a failure too. */
const TESTS_SECONDS_MAX = 300;

type Outcome = "held" | "not held" | "not run";

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function copyOfCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), "turnup-guards-"));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "dir");
  return folder;
}

type Ran = { readonly failed: number; readonly passed: number };

/** Counts from vitest's line of tests: a module that does not load has failed, and has no failed test. */
async function runTests(folder: string, path: string): Promise<Ran> {
  const vitest = join("node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--bail=1", path], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    child.kill("SIGKILL");
  }, TESTS_SECONDS_MAX * 1_000);
  await new Promise((ended) => child.once("close", ended));
  clearTimeout(timer);
  if (isOver) return { failed: 1, passed: 0 };
  const [counts = ""] = /^ *Tests +.*$/m.exec(output) ?? [];
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(counts)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed") };
}

async function outcomeOf(folder: string, { file, line, broken, tests }: Guard): Promise<Outcome> {
  const path = join(folder, file);
  const whole = readFileSync(path, "utf8");
  if (whole.split(line).length !== 2) return "not run";
  writeFileSync(
    path,
    whole.replace(line, () => broken),
  );
  try {
    for (const test of tests) {
      const { failed, passed } = await runTests(folder, test);
      if (failed > 0) return "held";
      if (passed === 0) return "not run"; // it does not even compile: nothing was shown
    }
    return "not held";
  } finally {
    writeFileSync(path, whole);
  }
}

async function main(): Promise<void> {
  const [word = ""] = process.argv.slice(2);
  const chosen = GUARDS.filter(({ file, what }) => `${file} ${what}`.includes(word));
  const folder = copyOfCheckout();
  const counts: Record<Outcome, number> = { held: 0, "not held": 0, "not run": 0 };
  try {
    for (const [at, guard] of chosen.entries()) {
      const outcome = await outcomeOf(folder, guard);
      counts[outcome]++;
      print(
        `${at + 1}/${chosen.length}  ${outcome.padEnd(8)}  ${guard.protects.padEnd(8)}  ${guard.what} (${guard.file})`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  print(`${counts.held} held, ${counts["not held"]} not held, ${counts["not run"]} not run`);
  process.exitCode = counts.held === chosen.length ? 0 : 1;
}

await main();
