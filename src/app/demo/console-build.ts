/**
 * In a checkout the console is built when it is missing or older than its sources: by a program beside this one, so that nobody waits
 * for it. An installed package has it built, and no sources of it.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packageFolder } from "../../store/dataset/folder.ts";

/** Answers what ends it, if it still runs; `tell` gets its lines. */
export function buildConsoleBeside(tell: (line: string) => void): () => void {
  const builder = join(packageFolder(), "web", "build.js");
  if (!existsSync(builder)) return () => undefined;
  const child = spawn(process.execPath, [builder, "--if-needed"], { stdio: ["ignore", "pipe", "ignore"] });
  child.on("error", (error) => tell(`the console is not built: ${error.message}`));
  child.on("exit", (code) => {
    if (code !== null && code !== 0) tell("the console is not built: npm run build:web says why");
  });
  createInterface({ input: child.stdout }).on("line", tell);
  return () => void child.kill();
}
