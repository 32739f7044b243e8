/**
 * Runs one CLI command: finds it by the words given, loads it alone, hands it its context, and turns what comes back
 * into output and an exit code.
 *
 *   0  done, or help was asked for
 *   1  refused or failed: `code: message` and the next step on stderr; with --json one object {error: {...}} there
 *   2  wrong usage
 *  75  of a program that stays (`serve`, `proxy`, ...): what it stands on is missing and may come back; start it again
 */

import { createReadStream } from "node:fs";
import { CommanderError, Option, Command as Program } from "commander";
import { type ErrorCode, TurnupError } from "../../term/error.ts";
import { sentenceOf } from "../../term/sentence.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import {
  type Command,
  type CommandContext,
  type CommandEntry,
  LINE_CHARACTERS_MAX,
  type Outcome,
  UsageError,
} from "./command.ts";
import { inTodaysWords } from "./former-words.ts";
import { linesOf } from "./lines.ts";
import { type Progress, progressOn } from "./progress.ts";

/** The outside of a program, given so that a test can be one. */
type Io = {
  readonly stdin: NodeJS.ReadableStream & AsyncIterable<Buffer | string>;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  readonly version: string;
  /** Aborted when the program is asked to stop; a command that `stays` ends on it. */
  readonly signal: AbortSignal;
  /** Whom to call at each SIGHUP. */
  onHangup?(listener: () => void): void;
  /** Told before the run whether the command stays, so that signals and a closed output are handled its way. */
  onCommand?(command: Command): void;
};

export async function runCli(
  entries: readonly CommandEntry[],
  given: readonly string[],
  io: Io,
): Promise<number> {
  const { argv, notes } = inTodaysWords(given);
  let exitCode = 0;
  let stays = false;
  const asJson = argv.includes("--json");
  for (const note of asJson ? [] : notes) io.stderr.write(`${note}\n`);
  const program = new Program("turnup")
    .description(
      "Turns up mobile devices: from the first sight of a phone to settings that work and are paid for, and from a device's choice to features and services that work.",
    )
    .version(io.version)
    .exitOverride()
    .enablePositionalOptions() // a command that has commands below it (`smsc`, `smsc check`) takes no options of theirs
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => asJson || io.stderr.write(text),
    });
  for (const entry of entries) {
    const isCalled = argv.includes(entry.name.split(" ", 1).join());
    const parent = groupOf(program, entry.name, entries);
    const command = isCalled ? await entry.load() : undefined;
    const mount = parent
      .command(entry.name.slice(entry.name.lastIndexOf(" ") + 1))
      .description(entry.summary)
      .exitOverride();
    if (command) {
      mountCommand(
        mount,
        command,
        async (context) => {
          io.onCommand?.(command);
          stays = command.stays ?? false;
          exitCode = exitCodeOf(await command.run(context), mount, io);
        },
        io,
      );
    }
  }
  if (argv.length === 0) {
    io.stdout.write(program.helpInformation());
    return 2;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    const code = report(error, asJson, io);
    return stays && error instanceof TurnupError && MAY_COME_BACK.has(error.code) ? EXIT_START_AGAIN : code;
  }
}

/** EX_TEMPFAIL of sysexits.h. */
export const EXIT_START_AGAIN = 75;
/** What a program is missing that a mount, room on a disk or the end of another program gives back to it. */
const MAY_COME_BACK: ReadonlySet<ErrorCode> = new Set([
  "data_folder_in_use",
  "data_folder_unusable",
  "database_full",
  "database_timeout",
  "database_unavailable",
  "embedded_failed",
  "http_port_unusable",
  "journal_full",
  "journal_in_use",
] as const);

/** The commander node that `settings find` hangs below: `settings`, made on first need and told by what hangs there. */
function groupOf(program: Program, name: string, entries: readonly CommandEntry[]): Program {
  const [group, below] = name.split(" ");
  if (group === undefined || below === undefined) return program;
  const known = program.commands.find((command) => command.name() === group);
  if (known) return known;
  const members = entries.flatMap((entry) => {
    const [first, second] = entry.name.split(" ");
    return first === group && second !== undefined ? [second] : [];
  });
  const about = `${members.join(", ")}: see turnup ${group} --help`;
  return program.command(group).description(about).exitOverride();
}

function mountCommand(
  mount: Program,
  command: Command,
  run: (context: CommandContext) => Promise<void>,
  io: Io,
): void {
  if (command.description) mount.description(`${command.summary}\n\n${command.description}`);
  for (const { usage, about } of command.args ?? []) mount.argument(usage, about);
  for (const { flags, about, needed, choices } of command.options ?? []) {
    const option = new Option(flags, about).makeOptionMandatory(needed ?? false);
    mount.addOption(choices ? option.choices([...choices]) : option);
  }
  mount.option("--json", "machine-readable output: one JSON value a line");
  mount.addHelpText("after", `\nExamples:\n${command.examples.map((line) => `  ${line}`).join("\n")}`);
  mount.action(async () => run(contextOf(mount, io)));
}

function contextOf(mount: Program, io: Io): CommandContext {
  const options = mount.opts<Record<string, string | boolean | undefined>>();
  const given = (name: string) =>
    options[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
  let bar: Progress | undefined;
  const print = (line: string) => {
    if (io.stdout.isTTY) bar?.clear();
    return written(io.stdout, `${line}\n`);
  };
  return {
    args: mount.args,
    option: (name) => {
      const value = given(name);
      return typeof value === "string" ? value : undefined;
    },
    flag: (name) => given(name) === true,
    json: options.json === true,
    print,
    printJson: (value) => print(JSON.stringify(value)),
    note: (line) => {
      bar?.clear();
      io.stderr.write(`${line}\n`);
    },
    progress: (title) => {
      bar?.clear();
      bar = progressOn(io.stderr, title);
      return bar;
    },
    lines: (file) => linesOf(openedOf(file, io), LINE_CHARACTERS_MAX),
    content: (file, octetsMax) => contentOf(openedOf(file, io), octetsMax),
    env: io.env,
    now: io.now,
    isTerminal: io.stdout.isTTY === true,
    signal: io.signal,
    onHangup: (listener) => io.onHangup?.(listener),
  };
}

/** A promise only when the reader is behind: 100,000 lines must not wait a turn each. */
function written(stream: NodeJS.WritableStream, text: string): Promise<void> | undefined {
  if (stream.write(text)) return undefined;
  return new Promise((resolve) => stream.once("drain", resolve));
}

async function* openedOf(file: string, io: Io): AsyncGenerator<Buffer | string> {
  try {
    yield* file === "-" ? io.stdin : createReadStream(file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && "syscall" in error)) throw error;
    throw new TurnupError("file_unreadable", `${file} cannot be read: ${error.message}.`, {
      cause: error,
      nextStep: "Check the path and that you may read it; - reads standard input.",
    });
  }
}

async function contentOf(stream: AsyncIterable<Buffer | string>, octetsMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    octets += bytes.length;
    if (octets > octetsMax)
      throw new TurnupError("input_too_long", `The input has more than ${octetsMax} octets.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, octets);
}

function exitCodeOf(outcome: Outcome, mount: Program, io: Io): number {
  if (outcome === "usage") io.stderr.write(mount.helpInformation());
  return outcome === "ok" ? 0 : outcome === "failed" ? 1 : 2;
}

function report(error: unknown, asJson: boolean, io: Io): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // help or version, printed already
    if (asJson) complain({ code: "usage", message: error.message.replace(/^error: /, "") }, asJson, io);
    return 2; // commander has said it on stderr
  }
  if (error instanceof UsageError) {
    complain({ code: "usage", message: error.message }, asJson, io);
    return 2;
  }
  complain(complaintOf(error, io.env), asJson, io);
  return 1;
}

type Complaint = { readonly code: string; readonly message: string; readonly nextStep?: string | undefined };

function complaintOf(error: unknown, env: Io["env"]): Complaint {
  if (error instanceof TurnupError) {
    const { code, message, nextStep, details } = error;
    return { code, message, nextStep, ...details };
  }
  if (error instanceof DecodeError) {
    const fact = error.message.replace(/ \(at octet \d+\)$/, "");
    return { code: "decode_failed", message: sentenceOf(fact), ...{ offset: error.offset } };
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  return {
    code: "internal_error",
    message: env.TURNUP_DEBUG ? (fault.stack ?? fault.message) : fault.message,
    nextStep: "This is a fault of the program. TURNUP_DEBUG=1 shows where; please report it.",
  };
}

function complain(complaint: Complaint, asJson: boolean, io: Io): void {
  if (asJson) {
    io.stderr.write(`${JSON.stringify({ error: complaint })}\n`);
    return;
  }
  const { code, message, nextStep, ...details } = complaint;
  const facts = Object.entries(details).map(([name, value]) => ` (${name} ${value})`);
  io.stderr.write(`${code}: ${message}${facts.join("")}\n${nextStep ? `${nextStep}\n` : ""}`);
}
