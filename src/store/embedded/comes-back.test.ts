/** The embedded server after deaths that leave something behind: a zombie, a number of somebody else's, a full disk. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { TurnupError } from "../../term/error.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { makeFolder } from "../journal/make-folder.ts";
import { findBinaries } from "./binaries.ts";
import { clearLeftovers } from "./leftovers.ts";
import { socketIn } from "./place.ts";
import { readPostmaster } from "./postmaster.ts";
import { isAlive } from "./process.ts";
import { type ServerUser, startAs } from "./server-user.ts";
import { serverArguments } from "./settings.ts";
import { startEmbeddedPostgres } from "./supervisor.ts";

type EmbeddedPostgres = Awaited<ReturnType<typeof startEmbeddedPostgres>>;

type EmbeddedOptions = Parameters<typeof startEmbeddedPostgres>[0];

const LIMIT_MS = 60_000;
const IS_ROOT = process.getuid?.() === 0;
const IS_LINUX = process.platform === "linux";
const LOCK_WORDS = (pid: number, data: string): string =>
  `${pid}\n${data}\n1\n5432\n/nowhere\n\n1 1\nready   \n`;

const base = mkdtempSync(join(tmpdir(), "turnup-comes-back-"));
chmodSync(base, 0o755);
afterAll(() => rmSync(base, { recursive: true, force: true, maxRetries: 3 }));

const usual = join(base, "usual");
const data = join(usual, "postgres", "data");
const start = (folder = usual, more: Partial<EmbeddedOptions> = {}) =>
  startEmbeddedPostgres({ folder, log: () => undefined, ...more });

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `not within ${LIMIT_MS / 1000} s: ${what}`);
    await sleep(20);
  }
}

async function query(server: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client(server.connection);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const stateOf = (pid: number): string => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";

/** A server below a parent that never asks what became of its children, as the first process of many containers. */
async function startBelowOneWhoNeverWaits(
  socketFolder: string,
): Promise<{ parent: ChildProcess; pid: number }> {
  const { uid, gid } = statSync(data);
  const user: ServerUser = IS_ROOT && uid !== 0 ? { kind: "user", uid, gid } : { kind: "self" };
  const words = serverArguments(data, socketFolder, "turnup-older");
  const { command, args, identity } = startAs(user, findBinaries().postgres, words);
  const parent = spawn("/bin/sh", ["-c", '"$@" & exec sleep 600', "sh", command, ...args], {
    ...identity,
    cwd: "/",
    stdio: "ignore",
    detached: true,
  });
  whenDone(() => parent.kill("SIGKILL"));
  await until("the server is ready", () => readPostmaster(data)?.ready === true);
  return { parent, pid: readPostmaster(data)?.pid as number };
}

test("a server that was killed and that nobody waits for, a zombie, does not keep the next from starting", async () => {
  const before = await start();
  await query(before, "create table kept as select 42 as answer");
  await before.stop();
  const { pid } = await startBelowOneWhoNeverWaits(before.connection.host);
  process.kill(pid, "SIGKILL");
  if (IS_LINUX) await until("it is a zombie", () => stateOf(pid) === "Z");
  const lock = `${socketIn(before.connection.host)}.lock`;
  for (const file of [join(data, "postmaster.pid"), lock])
    assert.equal(Number(readFileSync(file, "utf8").split("\n")[0]), pid);
  const server = await start();
  assert.equal(server.adopted, false);
  assert.deepEqual(await query(server, "select answer from kept"), [{ answer: 42 }]);
  await server.stop();
});

for (const [what, words] of [
  ["the number of another program", () => LOCK_WORDS(process.ppid, data)],
  ["our own number", () => LOCK_WORDS(process.pid, data)],
  ["the number of the first process", () => LOCK_WORDS(1, data)],
  ["nothing, as after a power cut", () => ""],
] as const) {
  test(`lock files with ${what} do not keep the server from starting, and nobody is ended for them`, async () => {
    const before = await start();
    await before.stop();
    const { uid, gid } = statSync(data);
    for (const file of [join(data, "postmaster.pid"), `${socketIn(before.connection.host)}.lock`]) {
      writeFileSync(file, words());
      chownSync(file, uid, gid);
    }
    const server = await start();
    assert.equal(server.adopted, false);
    assert.equal(isAlive(process.ppid), true);
    await server.stop();
  });
}

test("workers that a dead server left at work are ended before the next begins, and a living server is not", async () => {
  const said: string[] = [];
  const server = await start(usual, { log: (message) => said.push(message) });
  const client = new pg.Client(server.connection);
  client.on("error", () => undefined);
  await client.connect();
  const lost = client.query("do $$ begin loop end loop; end $$").catch(() => undefined);
  await until("the worker works", async () => {
    const rows = await query(
      server,
      "select 1 from pg_stat_activity where query like 'do %' and state = 'active'",
    );
    return rows.length > 0;
  });
  const socket = socketIn(server.connection.host);
  await assert.rejects(
    clearLeftovers(data, socket, () => undefined, 100),
    { code: "embedded_failed" },
  );
  assert.equal(isAlive(server.pid()), true);

  // Its keeper begins another as soon as it is dead, and ends what is left at work before that.
  const killed = server.pid();
  process.kill(killed, "SIGKILL");
  await lost;
  await until("it is another server", () => server.pid() !== killed && readPostmaster(data)?.ready === true);
  assert.match(said.join(), /killing what a dead PostgreSQL server left running/);
  await server.stop();
});

test("a server that dies six times within a minute comes back each time", async () => {
  const said: string[] = [];
  const server = await start(usual, {
    log: (message) => said.push(message),
    restarts: { atOnce: 2, pauseMs: 20 },
  });
  for (let death = 0; death < 6; death++) {
    const pid = server.pid();
    process.kill(pid, "SIGKILL");
    await until("another one is ready", async () => {
      if (server.pid() === pid) return false;
      return query(server, "select answer from kept").then(
        () => true,
        () => false,
      );
    });
  }
  assert.deepEqual(await query(server, "select answer from kept"), [{ answer: 42 }]);
  await server.stop();
  assert.match(said.join("\n"), /runs again/);
});

test("a server that does not come back is given up after a while, once, and the program is told", async () => {
  const lost: TurnupError[] = [];
  const server = await start(usual, {
    restarts: { atOnce: 1, pauseMs: 10, pauseMaxMs: 20, giveUpMs: 1_000 },
    onLost: (error) => lost.push(error),
  });
  const hba = join(data, "pg_hba.conf");
  const before = readFileSync(hba, "utf8");
  writeFileSync(hba, "nonsense\n");
  process.kill(server.pid(), "SIGKILL");
  await until("it is given up", () => lost.length > 0);
  await server.stop();
  writeFileSync(hba, before);
  assert.deepEqual(
    lost.map(({ code }) => code),
    ["embedded_failed"],
  );
  assert.match(lost[0]?.message ?? "", /pg_hba\.conf/);
  await (await start()).stop();
});

/** A disk of its own, so small that it is full at once. */
function smallDisk(megabytes: number): { readonly folder: string; fill(): void; empty(): void } {
  const folder = mkdtempSync(join(base, "small-"));
  chmodSync(folder, 0o755);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", folder]);
  whenDone(() => execFileSync("umount", ["-l", folder]));
  const filler = join(folder, "filler");
  return {
    folder,
    fill: () => {
      try {
        execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"], { stdio: "ignore" });
      } catch {
        // It ends where the disk does.
      }
    },
    empty: () => rmSync(filler),
  };
}

const writes = (database: Database) =>
  database.run("insert into heavy select n, repeat('x', 1000) from generate_series(1, 3000) n");

test.runIf(IS_ROOT && IS_LINUX)(
  "a full disk refuses writes by name, and writing goes on by itself as soon as there is room",
  async () => {
    const disk = smallDisk(260);
    const lost: TurnupError[] = [];
    const server = await start(join(disk.folder, "turnup"), {
      restarts: { atOnce: 1, pauseMs: 20, pauseMaxMs: 100, giveUpMs: 1_500 },
      onLost: (error) => lost.push(error),
    });
    const database = await openDatabase({ connection: server.connection });
    whenDone(async () => {
      await database.close();
      await server.stop();
    });
    await database.run("create table heavy (n int, words text)");
    await writes(database);
    disk.fill();
    const first = await refusal(database);
    assert.equal(first.code, "database_full");
    assert.ok(!first.message.includes("xxx"));
    // Dead, it may find no room to start in, for longer than one that is broken would be tried.
    process.kill(server.pid(), "SIGKILL");
    await sleep(2_500); // however long: nothing may come of it
    assert.match((await refusal(database)).code, /^database_(full|unavailable)$/);
    disk.empty();
    await until("it writes again", () =>
      writes(database).then(
        () => true,
        () => false,
      ),
    );
    const [row] = await database.rows<{ count: number }>("select count(*)::int as count from heavy");
    assert.equal((row?.count ?? 0) % 3000, 0);
    assert.deepEqual(lost, []);
  },
);

async function refusal(database: Database): Promise<TurnupError> {
  return writes(database).then(
    () => assert.fail("it was written"),
    (error: unknown) => error as TurnupError,
  );
}

test.runIf(IS_ROOT && IS_LINUX)(
  "a start without room says so by name and leaves nothing that keeps a later one from starting",
  async () => {
    const disk = smallDisk(24);
    const folder = join(disk.folder, "turnup");
    await assert.rejects(start(folder), { code: "database_full" });
    execFileSync("mount", ["-o", "remount,size=260m", disk.folder]);
    const server = await start(folder);
    assert.deepEqual(await query(server, "select 1 as one"), [{ one: 1 }]);
    await server.stop();
  },
);

test.runIf(IS_LINUX)("a folder where none can be made is refused at once, by name", async () => {
  assert.throws(() => makeFolder("/proc/none/below"), { code: "ENOENT" });
  await assert.rejects(start("/proc/none/below"), { code: "data_folder_unusable" });
  const file = join(base, "file");
  writeFileSync(file, "");
  await assert.rejects(start(join(file, "below")), { code: "data_folder_unusable" });
  makeFolder(join(base, "a", "b", "c"), 0o700);
  expect(statSync(join(base, "a", "b", "c")).mode & 0o777).toBe(0o700);
  assert.equal(existsSync(join(base, "a", "b", "c")), true);
});
