/**
 * A party's journal: an append-only file of its events, each sealed with AES-256-GCM, one a line. A line's number and
 * the journal's name are authenticated with it, so lines cannot be moved, dropped from the middle or taken from another
 * journal.
 *
 *   line = base64( nonce 12 | sealed JSON | tag 16 )
 *
 * Events given while a write runs share the next write and its fdatasync. What a failed write left is cut off, and its
 * events go first at the next: the party's memory holds them already, and nothing may be confirmed that rests on them
 * before they are written. So a full disk refuses, and works on as soon as there is room. A last line without its end is
 * what a power cut leaves: nobody was told of it, so it is cut off. Damage anywhere else stops the start.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { codeOf } from "../../term/narrow.ts";
import { isAlive, stampOf } from "../embedded/process.ts";
import { makePrivateFolder } from "./make-folder.ts";

const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const SEAL_KEY_OCTETS = 32;
/** A maker's issued key with four access points seals to less than 3,000. */
const MAX_LINE_OCTETS = 16_384;
/** Above this the disk does not follow; the door refuses rather than grows. */
const MAX_WAITING_EVENTS = 100_000;

type SealedJournal<Event> = {
  /**
   * Resolved when these events, and all given before, survive a power cut.
   * @throws TurnupError `journal_full`, `journal_overloaded`; the system's error where the disk fails otherwise
   */
  append(events: readonly Event[]): Promise<void>;
  close(): Promise<void>;
};
type SealedJournalOptions<Event> = {
  readonly folder: string;
  /** Whose: `maker`, `proxy`; it names the file. */
  readonly party: string;
  readonly sealKey: Uint8Array;
  replay(event: Event): void;
};

/**
 * Opens or begins the party's journal in `folder` and hands every event in it to `replay`, in order.
 * @throws TurnupError `journal_damaged`, `journal_in_use`
 */
export async function openSealedJournal<Event>(
  options: SealedJournalOptions<Event>,
): Promise<SealedJournal<Event>> {
  if (options.sealKey.length !== SEAL_KEY_OCTETS) throw new RangeError("a seal key has 32 octets");
  makePrivateFolder(options.folder);
  await takeLock(lockOf(options));
  try {
    const path = join(options.folder, `${options.party}-journal`);
    const written = await replayFile(path, options);
    return appenderOf(await open(path, "a", 0o600), written, options);
  } catch (error) {
    await rm(lockOf(options), { force: true });
    throw error;
  }
}

type Place = { readonly folder: string; readonly party: string; readonly sealKey: Uint8Array };

const lockOf = ({ folder, party }: Pick<Place, "folder" | "party">): string =>
  join(folder, `${party}-journal.lock`);

/** What is certainly on the disk. */
type Written = { readonly lines: number; readonly octets: number };

function appenderOf<Event>(file: FileHandle, before: Written, place: Place): SealedJournal<Event> {
  let written = before;
  let isTorn = false;
  let waiting: Event[] = [];
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let closed = false;

  async function writeWaiting(): Promise<void> {
    const events = waiting;
    waiting = [];
    next = undefined;
    if (events.length === 0) return;
    const { lines, octets } = written;
    const text = events.map((event, at) => `${sealed(event, lines + at, place)}\n`).join("");
    try {
      if (isTorn) await file.truncate(octets);
      isTorn = true;
      await file.appendFile(text);
      await file.datasync();
      isTorn = false;
      written = { lines: lines + events.length, octets: octets + text.length };
    } catch (error) {
      waiting = [...events, ...waiting];
      throw fullOr(error, place);
    }
  }

  return {
    append(events) {
      if (waiting.length + events.length > MAX_WAITING_EVENTS)
        return Promise.reject(new TurnupError("journal_overloaded", "The journal's disk does not follow."));
      waiting.push(...events);
      if (!next) {
        next = running.catch(() => undefined).then(writeWaiting);
        running = next;
        running.catch(() => undefined);
      }
      return next;
    },
    async close() {
      if (closed) return; // by now the lock may be another's
      closed = true;
      await running.catch(() => undefined);
      await file.close();
      await rm(lockOf(place), { force: true });
    },
  };
}

function fullOr(error: unknown, { party }: Place): unknown {
  if (!["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "")) return error;
  return new TurnupError("journal_full", `There is no room on the disk of the ${party}'s journal.`, {
    cause: error,
    nextStep: "Make room on that disk; the journal goes on by itself.",
  });
}

/** Returns the whole lines that there are. */
async function replayFile<Event>(path: string, options: SealedJournalOptions<Event>): Promise<Written> {
  let lines = 0;
  let wholeOctets = 0;
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path)) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        options.replay(unsealed<Event>(rest.subarray(0, end).toString("latin1"), lines, options));
        lines++;
        wholeOctets += end + 1;
        rest = rest.subarray(end + 1);
      }
      if (rest.length > MAX_LINE_OCTETS) throw damaged(options, lines, "no line is so long");
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  if (rest.length > 0) await truncate(path, wholeOctets);
  return { lines, octets: wholeOctets };
}

function sealed(event: unknown, line: number, place: Place): string {
  const nonce = randomBytes(NONCE_OCTETS);
  const cipher = createCipheriv("aes-256-gcm", place.sealKey, nonce).setAAD(lineOf(place, line));
  const body = Buffer.concat([cipher.update(JSON.stringify(event), "utf8"), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64");
}

function unsealed<Event>(text: string, line: number, place: Place): Event {
  const octets = Buffer.from(text, "base64");
  if (octets.length <= NONCE_OCTETS + TAG_OCTETS) throw damaged(place, line, "cut short");
  const tagAt = octets.length - TAG_OCTETS;
  try {
    const decipher = createDecipheriv("aes-256-gcm", place.sealKey, octets.subarray(0, NONCE_OCTETS))
      .setAAD(lineOf(place, line))
      .setAuthTag(octets.subarray(tagAt));
    const json = Buffer.concat([decipher.update(octets.subarray(NONCE_OCTETS, tagAt)), decipher.final()]);
    return JSON.parse(json.toString("utf8")) as Event; // authenticated: this program alone wrote it
  } catch (cause) {
    throw damaged(place, line, "its seal does not open", cause);
  }
}

const lineOf = ({ party }: Pick<Place, "party">, line: number): Buffer =>
  Buffer.from(`turnup ${party} journal line ${line}`);

const damaged = ({ party }: Pick<Place, "party">, line: number, fact: string, cause?: unknown): TurnupError =>
  new TurnupError("journal_damaged", `Line ${line + 1} of the ${party}'s journal: ${fact}.`, {
    cause,
    nextStep: "Restore the journal and its seal key together from a backup; nothing was changed.",
  });

/**
 * One process a journal: the lock holds its process number and what tells it from a later one of the same number, and
 * the lock of a dead process is taken over.
 */
async function takeLock(path: string): Promise<void> {
  for (const attempt of [1, 2]) {
    try {
      await writeFile(path, `${process.pid} ${stampOf(process.pid) ?? ""}`, { flag: "wx", mode: 0o600 });
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const [number = "", ...stamp] = (await readFile(path, "utf8").catch(() => "")).trim().split(" ");
      const owner = Number(number);
      if (attempt === 2 || holds(owner, stamp.join(" "))) {
        throw new TurnupError("journal_in_use", `Process ${owner} has this journal open.`, {
          nextStep: "Stop the other process, or give this one a folder of its own.",
        });
      }
      await rm(path, { force: true });
    }
  }
}

/** A lock of an earlier release holds the number alone. */
function holds(owner: number, stamp: string): boolean {
  if (!Number.isInteger(owner) || owner <= 0) return false;
  return stamp === "" ? isAlive(owner) : stampOf(owner) === stamp;
}
