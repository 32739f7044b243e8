/**
 * A server whose database, journal and log stand on one disk that is full: whoever writes is told so by name, the process
 * lives, and it goes on by itself when there is room.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "vitest";
import { hashToken, tokenOf } from "../../src/kernel/account/token.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { runningPostgres } from "../../src/store/embedded/supervisor.ts";
import { ensureOperator } from "../../src/store/operator/operators.ts";
import { createRegistry } from "../../src/store/operator/registry.ts";
import { createSealer } from "../../src/store/seal/seal.ts";
import { checkDigitOf } from "../../src/term/imei.ts";
import { freePort } from "../fixture/free-port.ts";
import { whenDone } from "../fixture/when-done.ts";

const BIN = join(import.meta.dirname, "..", "..", "bin", "turnup.js");
const SEAL_KEY = Buffer.alloc(32, 9);
const LIMIT_MS = 120_000;
const TEST_LIMIT_MS = 400_000;
const BATCH = 500;
const IS_ROOT_ON_LINUX = process.getuid?.() === 0 && process.platform === "linux";

type Answer = { readonly status: number; readonly code: string; readonly text: string };

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(performance.now() < deadline, `not within ${LIMIT_MS / 1000} s: ${what}`);
    await sleep(100);
  }
}

function serve(env: Readonly<Record<string, string>>, logFile: string) {
  const log = openSync(logFile, "a");
  return spawn(process.execPath, [BIN, "serve"], {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/", ...env },
    stdio: ["ignore", log, log],
  });
}

async function adminToken(folder: string): Promise<string> {
  const database = await openDatabase({ connection: runningPostgres(folder)! });
  try {
    const operator = {
      id: uuidv7(),
      slug: "full",
      name: "Full",
      kind: "mno" as const,
      homePlmns: ["262-01"],
    };
    const { id } = await ensureOperator(database, operator);
    const registry = createRegistry({
      database,
      sealer: createSealer(SEAL_KEY),
      newId: uuidv7,
      clock: () => new Date(),
    });
    const token = tokenOf(randomBytes(32));
    await registry.tokens.create(
      id,
      { id: uuidv7(), hash: hashToken(token), role: "admin", label: "test", expiresAt: null },
      "test",
    );
    return token;
  } finally {
    await database.close();
  }
}

let phones = 0;
/** Phones that nobody saw before: each is several rows. */
function newPhones(): object[] {
  return Array.from({ length: BATCH }, () => {
    const serial = String(++phones).padStart(6, "0");
    const body = `35693803${serial}`;
    return {
      imei: body + checkDigitOf(body),
      imsi: `262010000${serial}`,
      msisdn: `491700${serial}`,
      plmn: "262-01",
    };
  });
}

test.runIf(IS_ROOT_ON_LINUX)(
  "a server on a full disk refuses by name, lives, and goes on when there is room",
  async () => {
    const disk = mkdtempSync(join(tmpdir(), "turnup-full-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=330m,mode=755", "tmpfs", disk]);
    whenDone(() => {
      execFileSync("umount", ["-l", disk]);
      rmSync(disk, { recursive: true, force: true });
    });
    chmodSync(disk, 0o755);
    const [logFile, filler] = [join(disk, "log"), join(disk, "filler")];
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = serve(
      {
        TURNUP_DATA_FOLDER: join(disk, "data"),
        TURNUP_HTTP_PORT: String(port),
        TURNUP_SMSC_PORT: String(await freePort()),
        TURNUP_SEAL_KEY: SEAL_KEY.toString("hex"),
      },
      logFile,
    );
    const ended = once(child, "exit");
    try {
      const log = () => readFileSync(logFile, "utf8");
      await until("it serves", async () => /Turnup serves at/.test(log()) || undefined);
      const token = await adminToken(join(disk, "data"));
      const post = async (sightings: readonly object[]): Promise<Answer> => {
        const answer = await fetch(`${url}/v1/sightings`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ sightings }),
        });
        const text = await answer.text();
        return { status: answer.status, text, code: answer.ok ? "" : (JSON.parse(text).code as string) };
      };
      assert.equal((await post(newPhones())).status, 200);

      try {
        execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"], { stdio: "ignore" });
      } catch {
        // It ends where the disk does.
      }
      let refused: object[] = [];
      const refusal = await until("a write is refused", async () => {
        refused = newPhones();
        const answer = await post(refused);
        return answer.status === 200 ? undefined : answer;
      });
      assert.equal(refusal.status, 503, refusal.text);
      assert.match(refusal.code, /^database_(full|unavailable)$/);
      const named = await until("it is named", async () => {
        const answer = await post(refused);
        assert.equal(answer.status, 503, answer.text);
        return answer.code === "database_full" ? answer : undefined;
      });
      assert.match(named.text, /room/);
      for (let line = 0; line < 500; line++) await fetch(`${url}/healthz`); // each a line of the log
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      assert.equal(child.exitCode, null);

      rmSync(filler);
      const taken = await until("it takes what it refused", async () => {
        const answer = await post(refused);
        return answer.status === 200 ? answer : undefined;
      });
      const outcomes = (JSON.parse(taken.text).results as { outcome: string }[]).map(
        ({ outcome }) => outcome,
      );
      assert.deepEqual([...new Set(outcomes)], ["first_registration"]);
      await until("the log goes on", async () => {
        await fetch(`${url}/healthz`);
        return /log could not be written/.test(log()) || undefined;
      });
      child.kill("SIGTERM");
      const [code] = (await ended) as [number | null];
      assert.equal(code, 0);
    } finally {
      child.kill("SIGKILL");
    }
  },
  TEST_LIMIT_MS,
);
