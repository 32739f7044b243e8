/**
 * The flash memory of a simulated phone, with its faults: it loses power at a given step, tears what is being written, and
 * may lose what was not synced. With a folder, what is synced stands there as files, so that a phone outlives its process.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DeviceStorage, StorageFullError } from "../../device/store.ts";

/** Power went; nothing more happens until `powerOn`. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

export type Cut = {
  /** Which step is the last, from 1; steps are append, replace, sync and remove. */
  readonly atStep: number;
  /** How much of that step is done, from 0 to 1; a sync or a remove is done from 1/2 on. */
  readonly part: number;
  /** Whether earlier writes that were not synced are lost too. */
  readonly losesUnsynced: boolean;
};

export type PhoneStorage = DeviceStorage & {
  /** Loses power at a step counted from now. */
  cut(cut: Cut): void;
  powerOn(): void;
  readonly isCut: boolean;
  /** Steps that were begun, ever. */
  readonly steps: number;
};

type File = { written: Uint8Array | undefined; synced: Uint8Array | undefined };
const NAME = /^[a-z0-9-]{1,100}$/;
/** What a phone of the time of the first colour displays had, and some. */
const ROOM_OCTETS = 16 * 1_048_576;

export function createPhoneStorage(
  options: { readonly folder?: string; readonly roomOctets?: number } = {},
): PhoneStorage {
  const { folder, roomOctets = ROOM_OCTETS } = options;
  const files = new Map<string, File>(folder === undefined ? [] : filesIn(folder));
  let planned: (Cut & { readonly from: number }) | undefined;
  let steps = 0;
  let isCut = false;

  /** Runs one step: whole, or in part and never more. `act` gets how much of it is done. */
  function step(act: (part: number) => void): void {
    if (isCut) throw new PowerCut("the phone is off");
    steps++;
    const last = planned !== undefined && steps - planned.from >= planned.atStep ? planned : undefined;
    act(last?.part ?? 1);
    if (!last) return;
    isCut = true;
    for (const file of files.values()) {
      if (last.losesUnsynced) file.written = file.synced;
      else file.synced = file.written;
    }
    throw new PowerCut(`power went at step ${steps}`);
  }

  function fileOf(name: string): File {
    if (!NAME.test(name)) throw new RangeError("a file of the phone's memory has another kind of name");
    const file = files.get(name) ?? { written: undefined, synced: undefined };
    files.set(name, file);
    return file;
  }

  function checkRoom(more: number): void {
    const used = [...files.values()].reduce((sum, { written }) => sum + (written?.length ?? 0), 0);
    if (used + more > roomOctets) throw new StorageFullError("the phone's memory is full");
  }

  const beginning = (bytes: Uint8Array, part: number): Uint8Array =>
    bytes.slice(0, Math.floor(bytes.length * part));

  return {
    list: () => [...files].flatMap(([name, { written }]) => (written ? [name] : [])),
    read: (name) => files.get(name)?.written?.slice(),
    append: (name, bytes) =>
      step((part) => {
        const file = fileOf(name);
        checkRoom(bytes.length);
        file.written = Uint8Array.from(
          Buffer.concat([file.written ?? new Uint8Array(0), beginning(bytes, part)]),
        );
      }),
    replace: (name, bytes) =>
      step((part) => {
        const file = fileOf(name);
        checkRoom(bytes.length - (file.written?.length ?? 0));
        if (part > 0) file.written = beginning(bytes, part);
      }),
    sync: (name) =>
      step((part) => {
        const file = fileOf(name);
        if (part < 0.5) return;
        file.synced = file.written;
        if (folder !== undefined && file.synced) writeThrough(folder, name, file.synced);
      }),
    remove: (name) =>
      step((part) => {
        if (part < 0.5) return;
        files.delete(name);
        if (folder !== undefined) rmSync(join(folder, name), { force: true });
      }),
    cut(cut) {
      planned = { ...cut, from: steps };
    },
    powerOn() {
      planned = undefined;
      isCut = false;
    },
    get isCut() {
      return isCut;
    },
    get steps() {
      return steps;
    },
  };
}

function filesIn(folder: string): [string, File][] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .map((name) => {
      const bytes = Uint8Array.from(readFileSync(join(folder, name)));
      return [name, { written: bytes, synced: bytes }];
    });
}

function writeThrough(folder: string, name: string, bytes: Uint8Array): void {
  const beside = join(folder, `${name}.new`);
  writeFileSync(beside, bytes);
  renameSync(beside, join(folder, name));
}
