/** Turnup as a process of its own, as an operator runs it, to be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { WorldAddresses } from "../../src/app/demo/world.ts";
import { EXIT_START_AGAIN } from "../../src/app/terminal/runner.ts";

const BIN = join(import.meta.dirname, "..", "..", "bin", "turnup.js");
const START_LIMIT_MS = 300_000;

export type TurnupProcess = {
  readonly pid: number;
  /** What it wrote so far, standard output and error. */
  output(): string;
  kill(): Promise<void>;
  /** Asks it to stop and waits until it has. */
  stop(): Promise<number | null>;
};

/** Starts it, as a supervisor does: where it ends since what it stands on is not there yet, it is started again. */
export async function startTurnup(...start: Parameters<typeof startOnce>): Promise<TurnupProcess> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await startOnce(...start);
    } catch (error) {
      const startsAgain = error instanceof Error && error.cause === EXIT_START_AGAIN;
      if (!startsAgain || performance.now() > until) throw error;
    }
  }
}

/** Waits until it says what `ready` looks for. */
async function startOnce(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<TurnupProcess> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => chunks.push(chunk));
  }
  const output = (): string => chunks.join("");
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (ready.test(output())) resolve();
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", look);
    child.once("exit", (code) =>
      reject(new Error(`turnup ended with ${code}: ${output()}`, { cause: code })),
    );
    setTimeout(() => reject(new Error(`turnup was not ready: ${output()}`)), START_LIMIT_MS).unref();
  });
  return {
    pid: child.pid!,
    output,
    kill: () => end(child, "SIGKILL").then(() => undefined),
    stop: () => end(child, "SIGTERM"),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  return code;
}

/** The environment that leads a server to the parties of a world. */
export const worldEnvironment = (
  folder: string,
  { smscPort, bankUrl }: WorldAddresses,
  secrets: { readonly smscPassword: string; readonly bankSecret: string },
): Record<string, string> => ({
  TURNUP_DATA_FOLDER: join(folder, "data"),
  TURNUP_SMSC_PORT: String(smscPort),
  TURNUP_SMSC_PASSWORD: secrets.smscPassword,
  TURNUP_BANK_URL: bankUrl,
  TURNUP_BANK_SECRET: secrets.bankSecret,
  TURNUP_MAKER_AUTHORITY_FILE: join(folder, "world", "maker", "authority.crt"),
  TURNUP_MAKER_CERTIFICATE_FILE: join(folder, "world", "maker", "client-turnup.crt"),
  TURNUP_MAKER_KEY_FILE: join(folder, "world", "maker", "client-turnup.key"),
});
