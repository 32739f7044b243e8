/**
 * `npm run test:steady [-- RUNS [ARGUMENTS OF VITEST]]`: the whole suite so many times (10), each with a seed of its own, while two
 * processes beside it keep two cores busy. Prints a line a run; what failed stands below it. Ends with 0 where every run was green.
 * A run takes about half an hour on two cores.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { chanceOf, SEED } from "../fixture/seed.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const RUNS_DEFAULT = 10;
const BUSY_PROCESSES = 2;
/** The largest seed and one more: seeds are 31 bits. */
const SEEDS = 2 ** 31;

const [runsWord = String(RUNS_DEFAULT), ...vitestArguments] = process.argv.slice(2);
const runs = Number(runsWord);
if (!Number.isInteger(runs) || runs < 1) {
  process.stderr.write(`How often is a whole number from 1, not ${runsWord}.\n`);
  process.exit(2);
}

let isStopped = false;
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function busy(): ChildProcess {
  const child = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

async function runOnce(seed: number): Promise<{ readonly isGreen: boolean; readonly output: string }> {
  const child = spawn(process.execPath, [VITEST, "run", ...vitestArguments], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", TURNUP_TEST_SEED: String(seed) },
  });
  const stop = (signal: NodeJS.Signals): void => {
    child.kill(signal);
    isStopped = true;
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((ended) => child.once("close", ended));
  process.off("SIGINT", stop).off("SIGTERM", stop);
  return { isGreen: code === 0, output };
}

const chance = chanceOf(SEED);
const besides = Array.from({ length: BUSY_PROCESSES }, busy);
let green = 0;
for (let run = 1; run <= runs && !isStopped; run++) {
  const seed = Math.floor(chance() * SEEDS);
  const began = performance.now();
  const { isGreen, output } = await runOnce(seed);
  const [counts = "no tests were counted"] = /^\d+ passed, \d+ failed, \d+ skipped$/m.exec(output) ?? [];
  const seconds = Math.round((performance.now() - began) / 1_000);
  print(`run ${run} of ${runs}: ${counts}, ${seconds} s, seed ${seed}`);
  if (isGreen) green++;
  else for (const [failed] of output.matchAll(/^ *FAIL .*$/gm)) print(failed);
}
for (const child of besides) child.kill("SIGKILL");
print(`${green} of ${runs} runs were green`);
process.exitCode = green === runs ? 0 : 1;
