/** The PostgreSQL that a start brings along: begun, found again, ended. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, test } from "vitest";
import { openDatabase } from "../database/database.ts";
import { binariesIn, findBinaries } from "./binaries.ts";
import { readPostmaster } from "./postmaster.ts";
import { isAlive, processesIn, waitForEnd } from "./process.ts";
import { type ServerUser, startAs } from "./server-user.ts";
import { serverArguments } from "./settings.ts";
import { startEmbeddedPostgres } from "./supervisor.ts";

type EmbeddedPostgres = Awaited<ReturnType<typeof startEmbeddedPostgres>>;

type EmbeddedOptions = Parameters<typeof startEmbeddedPostgres>[0];

const END_LIMIT_MS = 30_000;
const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

const base = mkdtempSync(join(tmpdir(), "turnup-supervisor-"));
chmodSync(base, 0o755);
afterAll(() => rmSync(base, { recursive: true, force: true }));

const start = (folder: string, more: Partial<EmbeddedOptions> = {}) =>
  startEmbeddedPostgres({ folder, log: () => undefined, ...more });

async function query(server: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client(server.connection);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** A program of its own that starts the server, writes a row and stays; `uid` for another user. */
async function startInProgram(folder: string, uid?: number) {
  const code = `
    import { startEmbeddedPostgres } from ${JSON.stringify(join(import.meta.dirname, "supervisor.ts"))};
    const server = await startEmbeddedPostgres({ folder: ${JSON.stringify(folder)}, log: () => undefined });
    console.log(JSON.stringify({ pid: server.pid(), runsAs: server.runsAs }));
    setInterval(() => undefined, 1000);`;
  const args = ["--import", "tsx", "--input-type=module", "-e", code];
  const options = {
    stdio: ["ignore", "pipe", "inherit"] as ["ignore", "pipe", "inherit"],
    ...(uid ? { uid, gid: uid } : {}),
  };
  const program = spawn(process.execPath, args, options);
  const [line] = await once(createInterface(program.stdout), "line");
  const ended = once(program, "exit");
  const { pid, runsAs } = JSON.parse(String(line)) as { pid: number; runsAs: string };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    program.kill(signal);
    await ended;
  };
  return { program, server: pid, runsAs, end };
}

const usual = join(base, "usual");

test("the first start makes a data folder, and the next finds what was written", async () => {
  const first = await start(usual);
  assert.equal(first.startedCold, true);
  await query(first, "create table kept as select 42 as answer");
  await first.stop();
  assert.equal(isAlive(first.pid()), false);
  const second = await start(usual);
  assert.equal(second.startedCold, false);
  assert.deepEqual(await query(second, "select answer from kept"), [{ answer: 42 }]);
  await second.stop();
});

test("the server is reached through a folder of mode 0700 alone, and commits to the disk", async () => {
  const server = await start(usual);
  const names = ["listen_addresses", "fsync", "synchronous_commit", "full_page_writes", "data_checksums"];
  const [settings] = await query(
    server,
    `select ${names.map((name) => `current_setting('${name}') as ${name}`).join()}`,
  );
  await server.stop();
  assert.deepEqual(settings, {
    listen_addresses: "",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    data_checksums: "on",
  });
  assert.equal(statSync(server.connection.host).mode & 0o777, 0o700);
  assert.equal(statSync(join(usual, "postgres", "data")).mode & 0o777, 0o700);
});

test("names sort by code point and letters beyond ASCII have case", async () => {
  const server = await start(usual);
  const rows = await query(
    server,
    "select upper('é') as up, array_agg(n order by n) as sorted from unnest(array['b','B','a','ä']) n",
  );
  await server.stop();
  assert.deepEqual(rows, [{ up: "É", sorted: ["B", "a", "b", "ä"] }]);
});

test("no statement, parameter or row reaches the server's log", async () => {
  const server = await start(usual);
  const secret = "001019876543210";
  const client = new pg.Client(server.connection);
  await client.connect();
  await client.query("create table if not exists person (imsi text primary key)");
  await client.query("insert into person values ($1)", [secret]);
  await assert.rejects(client.query("insert into person values ($1)", [secret]));
  await assert.rejects(client.query(`select '${secret}'::int8 / 0`));
  await assert.rejects(client.query("select $1::uuid", [secret]));
  await client.end();
  await server.stop();
  const log = readFileSync(join(usual, "postgres", "server.log"), "utf8");
  assert.match(log, /database system is ready/);
  assert.ok(!log.includes(secret));
});

test("a second Turnup on the folder is told who has it, and the first goes on", async () => {
  const server = await start(usual);
  await assert.rejects(start(usual), {
    code: "data_folder_in_use",
    message: new RegExp(String(process.pid)),
  });
  assert.deepEqual(await query(server, "select 1 as one"), [{ one: 1 }]);
  await server.stop();
});

test("a lock left by a dead Turnup is taken over, even where its number lives again", async () => {
  writeFileSync(join(usual, "turnup.lock"), JSON.stringify({ pid: process.pid, stamp: "another boot/1" }));
  await (await start(usual)).stop();
  writeFileSync(join(usual, "turnup.lock"), "torn {");
  await (await start(usual)).stop();
  assert.equal(existsSync(join(usual, "turnup.lock")), false);
});

test("a server left by a killed Turnup is adopted, with all that was committed", async () => {
  const killed = await startInProgram(usual);
  await killed.end("SIGKILL");
  assert.equal(isAlive(killed.server), true);
  const server = await start(usual);
  assert.equal(server.adopted, true);
  assert.equal(server.pid(), killed.server);
  assert.deepEqual(await query(server, "select answer from kept"), [{ answer: 42 }]);
  await server.stop();
  assert.equal(isAlive(killed.server), false);
});

test("a server left with other settings is stopped and started with today's", async () => {
  const data = join(usual, "postgres", "data");
  const before = await start(usual);
  await before.stop();
  const { uid, gid } = statSync(data);
  const user: ServerUser = before.runsAs === "user" ? { kind: "user", uid, gid } : { kind: "self" };
  const words = serverArguments(data, before.connection.host, "turnup-older");
  const { command, args, identity } = startAs(user, findBinaries().postgres, words);
  const older = spawn(command, args, { ...identity, cwd: "/", stdio: "ignore", detached: true });
  const olderEnded = once(older, "exit");
  for (let i = 0; !readPostmaster(data)?.ready; i++) {
    assert.ok(i < 500 && older.exitCode === null, "the older server did not start");
    await sleep(20);
  }
  const server = await start(usual);
  await olderEnded;
  assert.equal(server.adopted, false);
  assert.notEqual(server.pid(), older.pid);
  await server.stop();
});

test("a stale postmaster.pid that names another living program does not keep the server from starting", async () => {
  const file = join(usual, "postgres", "data", "postmaster.pid");
  const { uid, gid } = statSync(join(usual, "postgres", "data"));
  writeFileSync(
    file,
    `${process.pid}\n${join(usual, "postgres", "data")}\n1\n5432\n/nowhere\n\n1 1\nready   \n`,
  );
  chownSync(file, uid, gid);
  const server = await start(usual);
  assert.equal(server.adopted, false);
  await server.stop();
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} to a program without a handler of its own ends the server too`, async () => {
    const running = await startInProgram(usual);
    await running.end(signal);
    assert.equal(running.program.signalCode, signal);
    assert.ok(await waitForEnd(running.server, END_LIMIT_MS));
    assert.equal(existsSync(join(usual, "turnup.lock")), false);
  });
}

test("a server whose every process is killed is started again, with all that was committed", async () => {
  const server = await start(usual);
  const database = await openDatabase({ connection: server.connection });
  const first = server.pid();
  await database.run("insert into kept values (43)");
  const all = processesIn(join(usual, "postgres", "data"));
  assert.ok(all.length > 1);
  for (const pid of all) process.kill(pid, "SIGKILL");
  let rows: unknown[] | undefined;
  for (let attempt = 0; !rows && attempt < 100; attempt++) {
    rows = await database.rows("select answer from kept order by 1").catch((error) => {
      assert.equal(error.code, "database_unavailable");
      return undefined;
    });
  }
  await database.close();
  await server.stop();
  assert.deepEqual(rows, [{ answer: 42 }, { answer: 43 }]);
  assert.notEqual(server.pid(), first);
});

test("data of another major version is refused before the server is tried", async () => {
  const file = join(usual, "postgres", "data", "PG_VERSION");
  const before = readFileSync(file, "utf8");
  writeFileSync(file, "17\n");
  await assert.rejects(start(usual), { code: "embedded_version", message: /PostgreSQL 17/ });
  writeFileSync(file, before);
});

test("a server that cannot start says why, in its own words, and frees the folder", async () => {
  const hba = join(usual, "postgres", "data", "pg_hba.conf");
  const before = readFileSync(hba, "utf8");
  writeFileSync(hba, "nonsense\n");
  await assert.rejects(start(usual), { code: "embedded_failed", message: /pg_hba\.conf/ });
  writeFileSync(hba, before);
  await (await start(usual)).stop();
});

test("a folder whose path is too long for a socket works, with the socket elsewhere in a folder of mode 0700", async () => {
  const long = join(base, "x".repeat(60), "y".repeat(60));
  const server = await start(long);
  assert.deepEqual(await query(server, "select 1 as one"), [{ one: 1 }]);
  await server.stop();
  assert.ok(Buffer.byteLength(server.connection.host) < 60, server.connection.host);
  assert.equal(statSync(server.connection.host).mode & 0o777, 0o700);
  rmSync(server.connection.host, { recursive: true });
});

test("a path with a blank, a comma and a quote in it works", async () => {
  const server = await start(join(base, `a b,c"d'é`));
  assert.deepEqual(await query(server, "select 1 as one"), [{ one: 1 }]);
  await server.stop();
});

test("a home of mode 0700 works, root's too", async () => {
  const home = join(base, "home");
  mkdirSync(home, { mode: 0o700 });
  const server = await start(join(home, "data"));
  assert.deepEqual(await query(server, "select 1 as one"), [{ one: 1 }]);
  await server.stop();
  const expected = IS_ROOT ? ["namespace", "copied"] : ["self"];
  assert.ok(expected.includes(server.runsAs), server.runsAs);
  assert.equal(
    (await start(join(home, "data")).then((again) => again.stop().then(() => again))).startedCold,
    false,
  );
});

test("where the kernel gives root no user namespace, programs and data go to a walkable folder and stay there", async () => {
  const home = join(base, "closed");
  mkdirSync(home, { mode: 0o700 });
  const walkableFolder = join(base, "walkable");
  const path = process.env.PATH;
  process.env.PATH = "/nonexistent"; // no unshare is found: as good as refused
  const first = await start(join(home, "data"), { walkableFolder }).finally(() => {
    process.env.PATH = path;
  });
  await query(first, "create table kept as select 42 as answer");
  await first.stop();
  assert.equal(first.runsAs, IS_ROOT ? "user" : "self");
  if (IS_ROOT) assert.ok(readdirSync(walkableFolder).some((name) => name.startsWith("programs-")));
  // Later the kernel may allow more; the data is found where it went.
  const second = await start(join(home, "data"), { walkableFolder });
  assert.deepEqual(await query(second, "select answer from kept"), [{ answer: 42 }]);
  assert.equal(second.startedCold, false);
  await second.stop();
});

test("a user who is not root runs the server as himself", async () => {
  const folder = join(base, "own");
  mkdirSync(folder, { mode: 0o700 });
  if (IS_ROOT) chownSync(folder, NOBODY, NOBODY);
  const running = await startInProgram(folder, IS_ROOT ? NOBODY : undefined);
  assert.equal(running.runsAs, "self");
  await running.end("SIGTERM");
  assert.ok(await waitForEnd(running.server, END_LIMIT_MS));
});

test("an installation without install scripts lacks the library links; they are made in the data folder", async () => {
  const { native, version } = findBinaries();
  const bare = join(base, "bare");
  cpSync(native, bare, {
    recursive: true,
    filter: (source) => !lstatSync(source).isSymbolicLink() && !source.endsWith(".a"),
  });
  const binaries = binariesIn(bare, version);
  assert.equal(binaries.missingLinks.length, 14);
  const server = await start(join(base, "hydrated"), { binaries });
  assert.deepEqual(await query(server, "select 1 as one"), [{ one: 1 }]);
  await server.stop();
  assert.equal(binariesIn(bare, version).missingLinks.length, 14); // the package itself was left alone
});

test("a machine without a server program is told to use DATABASE_URL", () => {
  for (const [platform, arch] of [
    ["linux", "ia32"],
    ["win32", "x64"],
    ["linux", "arm64"],
  ] as const) {
    if (platform === process.platform && arch === process.arch) continue;
    assert.throws(
      () => findBinaries(platform, arch),
      (error: { code: string; nextStep: string }) => {
        assert.equal(error.code, "embedded_unsupported");
        assert.match(error.nextStep, /DATABASE_URL/);
        return true;
      },
    );
  }
});
