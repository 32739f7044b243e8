/**
 * What the device keeps, so that a power cut at any moment leaves the old or the new state and never half of it.
 *
 *   slot-0, slot-1: frames of one generation, the first one whole state, the others changes. One commit is one frame.
 *   frame: | magic 54 4A : 2 | generation : 4 | octets of the body : 4 | first 16 octets of SHA-256 over all else : 16 | body |
 *   body:  | changes, each: | 1 put, 2 remove : 1 | key : 1 + n | value : 4 + n, of a put | |
 *   blob-<SHA-256>: one piece of software, written and synced before a frame names it
 *
 * A torn frame fails its digest and counts as not written, with all behind it. The slot that grows too long is replaced by
 * the other one, whose generation is higher once its first frame is whole; until then the old slot counts. So nothing is asked
 * of the medium but that what was synced stays.
 */
import { createHash } from "node:crypto";
import { DecodeError } from "../wire/decode-error.ts";
import { joined, numberOctets, readOctets, sizedOctets, textOctets } from "../wire/message/octets.ts";

/** The medium. A step may be cut anywhere by a loss of power, and what was not synced may be lost. */
export interface DeviceStorage {
  list(): readonly string[];
  read(name: string): Uint8Array | undefined;
  append(name: string, bytes: Uint8Array): void;
  replace(name: string, bytes: Uint8Array): void;
  /** Returns when all that was written to it before is on the medium. */
  sync(name: string): void;
  remove(name: string): void;
}

/** The medium has no room. What was there before the commit is there still. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";
}

/** A key with `null` is removed. */
export type Changes = Readonly<Record<string, Uint8Array | null>>;
export type DeviceStore = {
  get(key: string): Uint8Array | undefined;
  keys(prefix: string): readonly string[];
  /** All of it or nothing; on the medium when it returns. @throws StorageFullError */
  commit(changes: Changes): void;
  /** Writes software, not yet named by anything; answers its SHA-256 in hex. @throws StorageFullError */
  putBlob(bytes: Uint8Array): string;
  /** Undefined where it is not there whole. */
  blob(digest: string): Uint8Array | undefined;
  /** Removes software that nothing names. */
  keepBlobs(digests: readonly string[]): void;
};

/** What this program wrote itself as JSON, behind a digest: it has the shape that it was written with. */
export function readJson<Value>(store: Pick<DeviceStore, "get">, key: string): Value | undefined {
  const bytes = store.get(key);
  return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Value); // as it says above
}

/** Of keys and values together. */
const MAX_STATE_OCTETS = 1_048_576;
const MAX_BLOB_OCTETS = 1_048_576;
/** A slot is replaced when its changes are more than this and more than its first frame. */
const CHANGES_OCTETS = 65_536;
const MAX_FRAME_OCTETS = MAX_STATE_OCTETS + 65_536;
const SLOTS = ["slot-0", "slot-1"] as const;
const MAGIC = Uint8Array.of(0x54, 0x4a);
const DIGEST_OCTETS = 16;
const HEADER_OCTETS = MAGIC.length + 8 + DIGEST_OCTETS;
const KEY = { min: 1, max: 200, pattern: /^[\x21-\x7e]+$/ } as const;
const PUT = 1;
const REMOVE = 2;
const BLOB = "blob-";

type State = ReadonlyMap<string, Uint8Array>;
type Slot = {
  readonly name: string;
  readonly generation: number;
  readonly state: State;
  readonly firstOctets: number;
  readonly changesOctets: number;
  /** Something stands behind the last whole frame. */
  readonly isTorn: boolean;
};

/** Opens what the last power cut left; a medium that holds nothing whole is a new one. */
export function openDeviceStore(storage: DeviceStorage): DeviceStore {
  let slot = newestSlot(storage) ?? replaced(storage, SLOTS[0], 1, new Map());

  return {
    get: (key) => slot.state.get(key),
    keys: (prefix) => [...slot.state.keys()].filter((key) => key.startsWith(prefix)).sort(),
    commit(changes) {
      const state = applied(slot.state, changes);
      if (octetsOf(state) > MAX_STATE_OCTETS) throw new StorageFullError("the device's store is full");
      const frame = encodeFrame(slot.generation, changes);
      if (slot.isTorn || slot.changesOctets + frame.length > Math.max(CHANGES_OCTETS, slot.firstOctets)) {
        slot = compacted(storage, slot, state);
        return;
      }
      try {
        storage.append(slot.name, frame);
        storage.sync(slot.name);
      } catch (error) {
        slot = { ...slot, isTorn: true }; // half a frame may stand there: nothing may be written behind it
        throw error;
      }
      slot = { ...slot, state, changesOctets: slot.changesOctets + frame.length };
    },
    putBlob(bytes) {
      if (bytes.length > MAX_BLOB_OCTETS) throw new StorageFullError("a piece of software is too large");
      const digest = digestOf(bytes);
      if (!blobIn(storage, digest)) {
        storage.replace(BLOB + digest, bytes);
        storage.sync(BLOB + digest);
      }
      return digest;
    },
    blob: (digest) => blobIn(storage, digest),
    keepBlobs(digests) {
      for (const name of storage.list())
        if (name.startsWith(BLOB) && !digests.includes(name.slice(BLOB.length))) storage.remove(name);
    },
  };
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function blobIn(storage: DeviceStorage, digest: string): Uint8Array | undefined {
  const bytes = storage.read(BLOB + digest);
  return bytes && digestOf(bytes) === digest ? bytes : undefined;
}

function newestSlot(storage: DeviceStorage): Slot | undefined {
  return SLOTS.flatMap((name) => readSlot(storage, name) ?? []).toSorted(
    (a, b) => b.generation - a.generation,
  )[0];
}

function readSlot(storage: DeviceStorage, name: string): Slot | undefined {
  const bytes = storage.read(name);
  const first = bytes && readFrame(bytes, 0);
  if (!bytes || !first) return undefined;
  const { generation, end: firstOctets } = first;
  let state = applied(new Map(), first.changes);
  let at = firstOctets;
  for (;;) {
    const frame = readFrame(bytes, at);
    if (frame?.generation !== generation) break;
    state = applied(state, frame.changes);
    at = frame.end;
  }
  const isTorn = at < bytes.length;
  return { name, generation, state, firstOctets, changesOctets: at - firstOctets, isTorn };
}

/** The state goes to the other slot, under the next generation; this one counts until that is on the medium. */
function compacted(storage: DeviceStorage, slot: Slot, state: State): Slot {
  const other = slot.name === SLOTS[0] ? SLOTS[1] : SLOTS[0];
  return replaced(storage, other, slot.generation + 1, state);
}

function replaced(storage: DeviceStorage, name: string, generation: number, state: State): Slot {
  const frame = encodeFrame(generation, Object.fromEntries(state));
  storage.replace(name, frame);
  storage.sync(name);
  return { name, generation, state, firstOctets: frame.length, changesOctets: 0, isTorn: false };
}

function applied(state: State, changes: Changes): State {
  const next = new Map(state);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) next.delete(key);
    else next.set(key, value.slice());
  }
  return next;
}

const octetsOf = (state: State): number =>
  [...state].reduce((sum, [key, value]) => sum + key.length + value.length, 0);

function encodeFrame(generation: number, changes: Changes): Uint8Array {
  const body = joined(
    Object.entries(changes).flatMap(([key, value]) => {
      const name = textOctets(1, key, KEY, "a key");
      return value === null
        ? [Uint8Array.of(REMOVE), name]
        : [Uint8Array.of(PUT), name, sizedOctets(4, value)];
    }),
  );
  const head = joined([
    MAGIC,
    numberOctets(4, generation, "a generation"),
    numberOctets(4, body.length, "a frame"),
  ]);
  return joined([head, frameDigest(head, body), body]);
}

const frameDigest = (head: Uint8Array, body: Uint8Array): Uint8Array =>
  createHash("sha256").update(head).update(body).digest().subarray(0, DIGEST_OCTETS);

/** Undefined where no whole frame stands there. */
function readFrame(
  bytes: Uint8Array,
  at: number,
): { readonly generation: number; readonly changes: Changes; readonly end: number } | undefined {
  const head = bytes.subarray(at, at + MAGIC.length + 8);
  if (bytes.length - at < HEADER_OCTETS || head[0] !== MAGIC[0] || head[1] !== MAGIC[1]) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const length = view.getUint32(MAGIC.length + 4);
  const start = at + HEADER_OCTETS;
  if (length > MAX_FRAME_OCTETS || start + length > bytes.length) return undefined;
  const body = bytes.subarray(start, start + length);
  const digest = bytes.subarray(at + head.length, start);
  if (Buffer.compare(digest, frameDigest(head, body)) !== 0) return undefined;
  try {
    return { generation: view.getUint32(MAGIC.length), changes: readChanges(body), end: start + length };
  } catch (error) {
    if (error instanceof DecodeError) return undefined; // another program's frame, with a good digest
    throw error;
  }
}

function readChanges(body: Uint8Array): Changes {
  const reader = readOctets(body);
  const changes: [string, Uint8Array | null][] = [];
  while (reader.left > 0) {
    const at = reader.at;
    const kind = reader.number(1, "change");
    if (kind !== PUT && kind !== REMOVE) throw new DecodeError("a change of unknown kind", at);
    const key = reader.text(1, KEY, "key");
    changes.push([key, kind === PUT ? reader.sized(4, MAX_STATE_OCTETS, "value") : null]);
  }
  return Object.fromEntries(changes);
}
