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

type Cut = {
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

type Flash = {
  readonly folder: string | undefined;
  readonly roomOctets: number;
  readonly files: Map<string, File>;
  planned: (Cut & { readonly from: number }) | undefined;
  steps: number;
  isCut: boolean;
};

export function createPhoneStorage({
  folder,
  roomOctets = ROOM_OCTETS,
}: {
  readonly folder?: string;
  readonly roomOctets?: number;
} = {}): PhoneStorage {
  const files = new Map<string, File>(folder === undefined ? [] : filesIn(folder));
  const flash: Flash = { folder, roomOctets, files, planned: undefined, steps: 0, isCut: false };
  return {
    list: () => [...files].flatMap(([name, { written }]) => (written ? [name] : [])),
    read: (name) => files.get(name)?.written?.slice(),
    append: (name, bytes) => step(flash, (part) => append(flash, name, bytes, part)),
    replace: (name, bytes) => step(flash, (part) => replace(flash, name, bytes, part)),
    sync: (name) => step(flash, (part) => sync(flash, name, part)),
    remove: (name) => step(flash, (part) => remove(flash, name, part)),
    cut(cut) {
      flash.planned = { ...cut, from: flash.steps };
    },
    powerOn() {
      flash.planned = undefined;
      flash.isCut = false;
    },
    get isCut() {
      return flash.isCut;
    },
    get steps() {
      return flash.steps;
    },
  };
}

/** Runs one step: whole, or in part and never more. `act` gets how much of it is done. */
function step(flash: Flash, act: (part: number) => void): void {
  if (flash.isCut) throw new PowerCut("the phone is off");
  flash.steps++;
  const { planned, steps } = flash;
  const last = planned !== undefined && steps - planned.from >= planned.atStep ? planned : undefined;
  act(last?.part ?? 1);
  if (!last) return;
  flash.isCut = true;
  for (const file of flash.files.values()) {
    if (last.losesUnsynced) file.written = file.synced;
    else file.synced = file.written;
  }
  throw new PowerCut(`power went at step ${steps}`);
}

function append(flash: Flash, name: string, bytes: Uint8Array, part: number): void {
  const file = fileOf(flash, name);
  checkRoom(flash, bytes.length);
  const before = file.written ?? new Uint8Array(0);
  file.written = Uint8Array.from(Buffer.concat([before, beginning(bytes, part)]));
}

function replace(flash: Flash, name: string, bytes: Uint8Array, part: number): void {
  const file = fileOf(flash, name);
  checkRoom(flash, bytes.length - (file.written?.length ?? 0));
  if (part > 0) file.written = beginning(bytes, part);
}

function sync(flash: Flash, name: string, part: number): void {
  const file = fileOf(flash, name);
  if (part < 0.5) return;
  file.synced = file.written;
  if (flash.folder !== undefined && file.synced) writeThrough(flash.folder, name, file.synced);
}

function remove({ files, folder }: Flash, name: string, part: number): void {
  if (part < 0.5) return;
  files.delete(name);
  if (folder !== undefined) rmSync(join(folder, name), { force: true });
}

function fileOf({ files }: Flash, name: string): File {
  if (!NAME.test(name)) throw new RangeError("a file of the phone's memory has another kind of name");
  const file = files.get(name) ?? { written: undefined, synced: undefined };
  files.set(name, file);
  return file;
}

function checkRoom({ files, roomOctets }: Flash, more: number): void {
  const used = [...files.values()].reduce((sum, { written }) => sum + (written?.length ?? 0), 0);
  if (used + more > roomOctets) throw new StorageFullError("the phone's memory is full");
}

const beginning = (bytes: Uint8Array, part: number): Uint8Array =>
  bytes.slice(0, Math.floor(bytes.length * part));

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
