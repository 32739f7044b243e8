/**
 * Kannel as a peer: bearerbox and smsbox with a configuration of their own in a temporary folder, on free ports of the
 * loopback, bound to our sink. Installed by `bench/setup.sh`. It never waits for the disk by itself; made durable it does, once
 * for each message that it stores.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownChild, ownFolder, removeFolder } from "./leftovers.ts";
import { freePort } from "./postgres.ts";
import type { Sink } from "./smpp-sink.ts";

const BEARERBOX = "/usr/sbin/bearerbox";
const SMSBOX = "/usr/sbin/smsbox";
export const KANNEL_MISSING = "Kannel is not installed: run bench/setup.sh";
export const KANNEL_USER = { name: "bench", password: "bench" } as const;
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

export type Kannel = {
  readonly port: number;
  /** Of bearerbox and smsbox. */
  readonly pids: readonly number[];
  /** How often it waited for the disk; undefined where it does not. */
  syncs(): number | undefined;
  close(): Promise<void>;
};

export const hasKannel = (): boolean => existsSync(BEARERBOX) && existsSync(SMSBOX);

/**
 * Ready when bound at the sink and its HTTP door answers.
 * @throws Error where it does not start, or is to be durable and no C compiler is there
 */
export async function startKannel(sink: Sink, { isDurable = false } = {}): Promise<Kannel> {
  const folder = ownFolder(mkdtempSync(join(tmpdir(), "turnup-bench-kannel-")));
  const [adminPort, boxPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const file = join(folder, "kannel.conf");
  writeFileSync(file, configuration({ folder, adminPort, boxPort, port, sinkPort: sink.port }));
  const { binds } = await sink.count();
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(children.reverse().map(stopped));
    removeFolder(folder);
  };
  try {
    const preloaded = isDurable ? durability(folder) : {};
    children.push(start(BEARERBOX, file, preloaded));
    await until(async () => (await sink.count()).binds > binds, "bearerbox did not bind");
    children.push(start(SMSBOX, file));
    await until(() => answers(port), "smsbox does not answer");
    const { submits } = await sink.count();
    await until(() => sends(port), "Kannel does not send");
    await until(async () => (await sink.count()).submits > submits, "Kannel's first message did not come");
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    pids: children.flatMap(({ pid }) => pid ?? []),
    syncs: () => (isDurable ? Number(readFileSync(syncsFile(folder)).readBigUInt64LE()) : undefined),
    close,
  };
}

const storeFile = (folder: string): string => join(folder, "kannel.store");
const syncsFile = (folder: string): string => join(folder, "syncs");

/** What makes bearerbox wait for the disk: its environment, with the library beside this file, compiled. */
function durability(folder: string): NodeJS.ProcessEnv {
  const library = join(folder, "kannel-durable.so");
  const source = join(import.meta.dirname, "peer", "kannel-durable.c");
  const { status } = spawnSync("cc", ["-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], {
    stdio: "ignore",
  });
  if (status !== 0) throw new Error("a C compiler is needed for a durable Kannel: run bench/setup.sh");
  return {
    LD_PRELOAD: library,
    TURNUP_BENCH_STORE: storeFile(folder),
    TURNUP_BENCH_SYNCS: syncsFile(folder),
  };
}

type Places = {
  readonly folder: string;
  readonly adminPort: number;
  readonly boxPort: number;
  readonly port: number;
  readonly sinkPort: number;
};

/** Its guide's settings, with the store on a file, a window of 100 as ours, and logs that name errors alone. */
const configuration = ({ folder, adminPort, boxPort, port, sinkPort }: Places): string => `
group = core
admin-port = ${adminPort}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = ${boxPort}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
store-type = file
store-location = "${storeFile(folder)}"
log-file = "${folder}/bearerbox.log"
log-level = 3

group = smsc
smsc = smpp
smsc-id = sink
host = 127.0.0.1
port = ${sinkPort}
smsc-username = bench
smsc-password = bench
system-type = ""
transceiver-mode = true
max-pending-submits = 100
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = ${boxPort}
sendsms-port = ${port}
sendsms-interface = 127.0.0.1
global-sender = 2948
log-file = "${folder}/smsbox.log"
log-level = 3

group = sendsms-user
username = ${KANNEL_USER.name}
password = ${KANNEL_USER.password}
max-messages = 10
concatenation = true
`;

function start(program: string, configurationFile: string, preloaded: NodeJS.ProcessEnv = {}): ChildProcess {
  const env = { ...process.env, ...preloaded };
  return ownChild(spawn(program, ["-v", "4", configurationFile], { stdio: "ignore", env }));
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    child.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; ) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(otherwise);
}

const get = async (port: number, path: string): Promise<string> => {
  try {
    return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  } catch {
    return "";
  }
};
const answers = async (port: number): Promise<boolean> => (await get(port, "/cgi-bin/sendsms")) !== "";
/** Right after the start it answers "Queued for later delivery" until it has seen its link. */
const sends = async (port: number): Promise<boolean> =>
  (
    await get(
      port,
      `/cgi-bin/sendsms?username=${KANNEL_USER.name}&password=${KANNEL_USER.password}&to=88210000000000&text=ready`,
    )
  ).startsWith("0:");
