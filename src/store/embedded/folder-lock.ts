/**
 * One Turnup a data folder: the second one is told the number of the first.
 *
 * The lock is a file, complete from the moment it has its name (written aside, then hard-linked). A lock whose
 * holder has ended, by whatever death, is taken over.
 */
import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { codeOf, isObject, messageOf } from "../../term/narrow.ts";
import { stampOf } from "./process.ts";
import { unusable } from "./unusable.ts";

const LOCK_NAME = "turnup.lock";
/** Each further attempt means that somebody else changed the lock in between. */
const ATTEMPTS_MAX = 20;

type Holder = { readonly pid: number; readonly stamp: string };

/**
 * Takes the folder; gives what releases it.
 * @throws TurnupError `data_folder_in_use`: another Turnup has it, named by its process number
 * @throws TurnupError `data_folder_unusable`: nothing can be written there
 */
export function lockFolder(folder: string): () => void {
  const lock = join(folder, LOCK_NAME);
  const mine = JSON.stringify({ pid: process.pid, stamp: stampOf(process.pid) ?? "" } satisfies Holder);
  const aside = `${lock}.${process.pid}.${randomUUID()}`;
  try {
    writeFileSync(aside, mine, { mode: 0o600 });
  } catch (cause) {
    rmSync(aside, { force: true });
    throw unusable(`The data folder ${folder} cannot be written: ${messageOf(cause)}.`, cause);
  }
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (linkIfFree(aside, lock)) return () => release(lock, mine);
      const found = readIfThere(lock);
      if (found === undefined) continue;
      const holder = holderOfFolder(folder);
      if (holder !== undefined) throw inUse(folder, holder);
      takeAway(lock, found);
    }
  } finally {
    rmSync(aside, { force: true });
  }
  throw new TurnupError("data_folder_in_use", `The lock ${lock} keeps changing hands.`, {
    nextStep: "Wait for the other start to finish.",
  });
}

/** The process number of the living Turnup that has the folder. */
export function holderOfFolder(folder: string): number | undefined {
  const holder = holderOf(readIfThere(join(folder, LOCK_NAME)) ?? "");
  return holder && holder.stamp !== "" && stampOf(holder.pid) === holder.stamp ? holder.pid : undefined;
}

/** Removes a dead holder's lock. If another starter was quicker and the lock is new, it is put back. */
function takeAway(lock: string, dead: string): void {
  const taken = `${lock}.${process.pid}.${randomUUID()}`;
  try {
    renameSync(lock, taken);
  } catch {
    return;
  }
  if (readFileSync(taken, "utf8") !== dead) linkIfFree(taken, lock);
  rmSync(taken, { force: true });
}

function release(lock: string, mine: string): void {
  if (readIfThere(lock) === mine) rmSync(lock, { force: true });
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function holderOf(text: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(text);
    if (!isObject(holder)) return undefined;
    const { pid, stamp } = holder;
    return typeof pid === "number" && typeof stamp === "string" ? { pid, stamp } : undefined;
  } catch {
    return undefined;
  }
}

const inUse = (folder: string, pid: number): TurnupError =>
  new TurnupError(
    "data_folder_in_use",
    `The data folder ${folder} is in use by Turnup with process number ${pid}.`,
    {
      nextStep: `Stop that one (kill ${pid}), or give this one another folder (data.folder, TURNUP_DATA_FOLDER).`,
    },
  );
