/** Runs a CLI command in a test: text in, text and exit code out, no process. */
import { Readable, Writable } from "node:stream";
import type { CommandEntry } from "./command.ts";
import { runCli } from "./runner.ts";

export type CliRun = { readonly stdout: string; readonly stderr: string; readonly exitCode: number };

export async function runWith(
  entries: readonly CommandEntry[],
  argv: readonly string[],
  stdin = "",
  more: { readonly env?: Record<string, string>; readonly now?: Date } = {},
): Promise<CliRun> {
  const out = collector();
  const err = collector();
  const exitCode = await runCli(entries, argv, {
    stdin: Readable.from(stdin === "" ? [] : [Buffer.from(stdin)]),
    stdout: out.stream,
    stderr: err.stream,
    env: more.env ?? {},
    now: () => more.now ?? new Date("2026-11-22T12:00:00Z"),
    version: "0.0.0-test",
    signal: new AbortController().signal,
  });
  return { stdout: out.text(), stderr: err.text(), exitCode };
}

function collector(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}
