/**
 * The device's memory as files in a folder, for handsets with a file system: a step returns when it is done, `sync` when the octets
 * are on the medium. Whoever has flash of another kind writes a `DeviceStorage` of its own.
 */
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type DeviceStorage, StorageFullError } from "../device/store.ts";

const NAME = /^[a-z0-9-]{1,100}$/;

/** The folder is made where it is not there; nobody but the client may write in it. */
export function openFlash(folder: string): DeviceStorage {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => {
    if (!NAME.test(name)) throw new RangeError("a file of the device's memory has another kind of name");
    return join(folder, name);
  };
  return {
    list: () => readdirSync(folder).filter((name) => NAME.test(name)),
    read: (name) => octetsOf(pathOf(name)),
    append: (name, bytes) => written(() => appendFileSync(pathOf(name), bytes, { mode: 0o600 })),
    replace: (name, bytes) => written(() => writeFileSync(pathOf(name), bytes, { mode: 0o600 })),
    sync(name) {
      synced(pathOf(name));
      synced(folder); // a file that is new has its name there
    },
    remove: (name) => rmSync(pathOf(name), { force: true }),
  };
}

function octetsOf(path: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** @throws StorageFullError */
function written(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT")
      throw new StorageFullError("the device's memory is full");
    throw error;
  }
}

function synced(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";
