/**
 * `npm run check`: types, linter and the unit tests (the boundaries among them) at the same time, since each of them has long
 * times in which it uses one core. The tests are shown as they run; what the other two say follows, and a line for each.
 * Ends with 0 where all three are content.
 */
import { spawn } from "node:child_process";
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const TOOLS = {
  types: ["npm", "run", "--silent", "typecheck"],
  lint: ["npm", "run", "--silent", "lint"],
  tests: ["npm", "run", "--silent", "test:unit"],
} as const;

type Ended = { readonly name: string; readonly ok: boolean; readonly seconds: number; readonly said: string };

function run(name: keyof typeof TOOLS): Promise<Ended> {
  const [command, ...words] = TOOLS[name];
  const began = performance.now();
  const child = spawn(command, words, {
    cwd: ROOT,
    shell: process.platform === "win32",
    stdio: ["ignore", name === "tests" ? "inherit" : "pipe", name === "tests" ? "inherit" : "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return new Promise((settle) => {
    const end = (ok: boolean): void =>
      settle({ name, ok, said, seconds: (performance.now() - began) / 1_000 });
    child.once("error", (error) => {
      said += `${error.message}\n`;
      end(false);
    });
    child.once("close", (code) => end(code === 0));
  });
}

const ended = await Promise.all([run("types"), run("lint"), run("tests")]);
for (const { ok, said } of ended) if (!ok) process.stdout.write(said);
for (const { name, ok, seconds } of ended)
  process.stdout.write(`${name.padEnd(5)} ${ok ? "ok" : "FAILED"} after ${seconds.toFixed(1)} s\n`);
process.exitCode = ended.every(({ ok }) => ok) ? 0 : 1;
