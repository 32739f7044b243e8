/**
 * What a CLI command is: a value with a run. It gets all it may touch in its context, returns or throws, and never
 * exits; `runner.ts` turns the outcome into text and an exit code.
 *
 * Adding one:
 *   1. `src/app/command/<name>.ts` exports a `Command` (`imei.ts` is a small example; `turnup settings find` has the
 *      name `settings find` and may stand in `settings.ts` beside its siblings);
 *   2. one line in the list of `src/app/terminal/cli.ts`, which loads it only when it is called;
 *   3. a test through `runCli` with a `testIo`-like set of streams, as in `command/imei.test.ts`.
 * `--json` and `--help` are there without asking.
 */

import type { Progress } from "./progress.ts";

export type Command = {
  /** The words after `turnup`: `imei`, `settings find`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What a first-time user must know: input, output, exit code. */
  readonly description?: string;
  /** In commander's notation, `<needed>`, `[optional]`, `[many...]`, each with what it is. */
  readonly args?: readonly { readonly usage: string; readonly about: string }[];
  readonly options?: readonly OptionSpec[];
  /** Whole command lines that work. */
  readonly examples: readonly string[];
  /** A server: SIGINT, SIGTERM and a closed output abort `context.signal` instead of ending the process. */
  readonly stays?: boolean;
  run(context: CommandContext): Promise<Outcome>;
};

export type OptionSpec = {
  /** In commander's notation: `--file <path>`, `-v, --verbose`, `--phones <count>`. */
  readonly flags: string;
  readonly about: string;
  readonly needed?: boolean;
  readonly choices?: readonly string[];
};

/** `failed` exits 1 after the command itself has said why; `usage` prints the usage and exits 2. */
export type Outcome = "ok" | "failed" | "usage";

export type CommandContext = {
  readonly args: readonly string[];
  /** The value of `--name VALUE`, by its long name without dashes. */
  option(name: string): string | undefined;
  /** Whether `--name` was given. */
  flag(name: string): boolean;
  readonly json: boolean;
  /** A line of output. Await the promise, where there is one, before writing more: the reader is slower than we. */
  print(line: string): Promise<void> | undefined;
  /** One JSON value on one line. */
  printJson(value: unknown): Promise<void> | undefined;
  /** A line for the person at the terminal, on stderr: progress, warnings. */
  note(line: string): void;
  /** Tells on stderr how far the work has come; the next `note` takes a bar off the screen first. */
  progress(title: string): Progress;
  /** The lines of a file, or of standard input for `-`; a line longer than `LINE_CHARACTERS_MAX` is cut there. */
  lines(file: string): AsyncIterable<string>;
  /** All of a file, or of standard input for `-`; refused above `octetsMax`. */
  content(file: string, octetsMax: number): Promise<Buffer>;
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /** Whether a person watches: colours and redrawn lines make sense. */
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
  /** Called at each SIGHUP from now on: a program that stays reads its files again. Without it SIGHUP ends the program. */
  onHangup(listener: () => void): void;
};

/** Thrown by a command for arguments that commander cannot judge; the runner prints it with the usage, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** How a command stands in the list of `cli.ts`: known by name, loaded when called. */
export type CommandEntry = {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
};

/** Longest line read from a file or standard input, in characters. */
export const LINE_CHARACTERS_MAX = 1_048_576;
