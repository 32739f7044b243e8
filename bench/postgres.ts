/** Debian's PostgreSQL server in a temporary folder on the loopback, for what is measured on a server by URL. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { ownChild, ownFolder, removeFolder } from "./leftovers.ts";

const DEBIAN_FOLDER = "/usr/lib/postgresql";
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 100;
export const POSTGRES_MISSING = "no PostgreSQL server of Debian is installed: run bench/setup.sh";

export type PostgresServer = { readonly url: string; readonly major: string; close(): Promise<void> };

/** The newest major that is installed. */
export function debianPostgres(): string | undefined {
  if (!existsSync(DEBIAN_FOLDER)) return undefined;
  return readdirSync(DEBIAN_FOLDER)
    .filter((major) => existsSync(join(DEBIAN_FOLDER, major, "bin", "initdb")))
    .sort((one, other) => Number(other) - Number(one))[0];
}

/** With its own default settings, durable as they are; the password lives as long as the bench. */
export async function startDebianPostgres(): Promise<PostgresServer> {
  const major = debianPostgres();
  if (major === undefined) throw new Error(POSTGRES_MISSING);
  const folder = ownFolder(mkdtempSync(join(tmpdir(), "turnup-bench-postgres-")));
  const user = userOf();
  const passwordFile = join(folder, "password");
  const data = join(folder, "data");
  const password = randomBytes(16).toString("hex");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const program = (name: string): string => join(DEBIAN_FOLDER, major, "bin", name);
  const initdb = ["-D", data, "-U", "bench", "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8"];
  execFileSync(program("initdb"), [...initdb, "--locale=C"], { ...user, cwd: "/", stdio: "ignore" });
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", `port=${port}`, `unix_socket_directories=${folder}`];
  const child = spawn(program("postgres"), ["-D", data, ...settings.flatMap((setting) => ["-c", setting])], {
    ...user,
    cwd: "/",
    stdio: "ignore",
  });
  ownChild(child);
  const url = `postgres://bench:${password}@127.0.0.1:${port}/postgres`;
  const close = async (): Promise<void> => {
    child.kill("SIGINT"); // a fast shutdown: sessions are ended, nothing is lost
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      child.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    removeFolder(folder);
  };
  await answering(url).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { url, major, close };
}

/** PostgreSQL refuses to run as root. */
function userOf(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function answering(url: string): Promise<void> {
  for (const end = Date.now() + START_TIMEOUT_MS; ; ) {
    const client = new pg.Client(url);
    client.on("error", () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** A fresh database of the server, so that runs do not meet each other's rows. */
export async function freshDatabase(server: PostgresServer, name: string): Promise<string> {
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(`create database ${pg.escapeIdentifier(name)}`);
  await client.end();
  return server.url.replace(/\/postgres$/, `/${name}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
