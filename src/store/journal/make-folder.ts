/** Makes a folder and those above it, or says why that cannot be. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { codeOf, messageOf } from "../../term/narrow.ts";
import { unusable } from "../embedded/unusable.ts";

/**
 * Node's own `recursive` goes round for ever where the system answers ENOENT below a folder that is there (`/proc`, the
 * mount point of a share that went away): Node 20 takes memory until it is killed. Here each folder is tried once on the
 * way up and once on the way down.
 * @throws the system's error, with its `code` and `path`
 */
export function makeFolder(folder: string, mode = 0o777): void {
  const path = resolve(folder);
  try {
    mkdirSync(path, { mode });
    return;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    const above = dirname(path);
    if (code !== "ENOENT" || above === path) throw error;
    makeFolder(above, mode);
  }
  mkdirSync(path, { mode });
}

/** A folder for keys and journals. @throws TurnupError `data_folder_unusable` */
export function makePrivateFolder(folder: string): void {
  try {
    makeFolder(folder, 0o700);
  } catch (cause) {
    throw unusable(`The folder ${folder} cannot be made: ${messageOf(cause)}.`, cause);
  }
}
