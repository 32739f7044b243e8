/** The files of the other parties: locked, sealed, and read again after a power cut. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { stampOf } from "../embedded/process.ts";
import { openSealedJournal } from "./sealed-journal.ts";

type Event = { readonly n: number; readonly words: string };
const sealKey = Buffer.alloc(32, 5);
const eventOf = (n: number): Event => ({ n, words: "x".repeat(2_000) });
const IS_ROOT_ON_LINUX = process.getuid?.() === 0 && process.platform === "linux";

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "turnup-journal-"));
  whenDone(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(folder: string) {
  const seen: Event[] = [];
  const journal = await openSealedJournal<Event>({
    folder,
    party: "proxy",
    sealKey,
    replay: (event) => seen.push(event),
  });
  return { ...journal, seen };
}

test.runIf(IS_ROOT_ON_LINUX)(
  "a full disk refuses events by name, confirms nothing that rests on them, and takes them when there is room",
  async () => {
    const disk = freshFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", disk]);
    whenDone(() => execFileSync("umount", ["-l", disk]));
    const filler = join(disk, "filler");
    writeFileSync(filler, Buffer.alloc(32_768));
    const journal = await open(join(disk, "journal"));
    let written = 0;
    let refused: unknown;
    while (refused === undefined && written < 100)
      await journal.append([eventOf(written++)]).catch((error: unknown) => {
        refused = error;
      });
    assert.equal((refused as { code: string }).code, "journal_full");
    await assert.rejects(journal.append([]), { code: "journal_full" }); // an answer that rests on what is not written
    await assert.rejects(journal.append([eventOf(written++)]), { code: "journal_full" });
    rmSync(filler);
    await journal.append([]);
    await journal.append([eventOf(written++)]);
    const octets = statSync(join(disk, "journal", "proxy-journal")).size;
    await journal.close();
    const again = await open(join(disk, "journal"));
    assert.deepEqual(
      again.seen.map(({ n }) => n),
      Array.from({ length: written }, (_, n) => n),
    );
    assert.equal(statSync(join(disk, "journal", "proxy-journal")).size, octets, "nothing was cut off");
    await again.close();
  },
);

test("a lock of a process whose number lives again is taken over, one of a living process is not", async () => {
  const folder = freshFolder();
  await (await open(folder)).close();
  const lock = join(folder, "proxy-journal.lock");
  writeFileSync(lock, `${process.ppid} another boot/1`);
  await (await open(folder)).close();
  writeFileSync(lock, `${process.ppid} ${stampOf(process.ppid)}`);
  await assert.rejects(open(folder), { code: "journal_in_use" });
  writeFileSync(lock, String(process.ppid)); // of an earlier release
  await assert.rejects(open(folder), { code: "journal_in_use" });
});
