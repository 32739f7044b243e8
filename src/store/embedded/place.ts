/**
 * Where the embedded server's files lie, and who owns them.
 *
 *   <data folder>/                 ours; seal.key and turnup.lock lie here, unreadable to the server
 *   <data folder>/postgres/data    the server's data, mode 0700, owned by the server's user
 *   <data folder>/postgres/run     its socket, mode 0700; in a short temporary folder where this path is too long
 *   <data folder>/postgres/libraries, server.log
 *   <data folder>/postgres/moved   present when data and socket had to go to /var/lib/turnup; names the place
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { makeFolder } from "../journal/make-folder.ts";
import { type Binaries, binariesIn, copyBinaries, linkLibraries } from "./binaries.ts";
import { stopServer } from "./keeper.ts";
import { readPostmaster } from "./postmaster.ts";
import { isServerOf } from "./process.ts";
import { chooseServerUser, ownerOf, type ServerUser } from "./server-user.ts";
import { unusable } from "./unusable.ts";

export const PORT = 5432;
/** `sun_path` of a unix socket less its closing NUL: 108 octets on Linux, 104 on macOS. */
const SOCKET_PATH_OCTETS_MAX = process.platform === "linux" ? 107 : 103;
/** Where data goes that no other user could walk to. */
const WALKABLE_FOLDER = "/var/lib/turnup";

export type Place = {
  readonly data: string;
  readonly socketFolder: string;
  readonly logFile: string;
  readonly binaries: Binaries;
  readonly environment: Record<string, string>;
  readonly user: ServerUser;
};

/** Makes the folder and gives its real path. @throws TurnupError `data_folder_unusable` */
export function makeDataFolder(folder: string): string {
  try {
    if (!existsSync(folder)) {
      makeFolder(folder);
      // Walkable, not readable: the server's user must reach its own folder inside, and nothing else.
      chmodSync(folder, process.getuid?.() === 0 ? 0o711 : 0o700);
    }
    return realpathSync(folder);
  } catch (cause) {
    throw unusable(`The data folder ${folder} cannot be made: ${messageOf(cause)}.`, cause);
  }
}

/** The server's data of a data folder, wherever it went. */
export function dataIn(folder: string): string {
  const root = join(folder, "postgres");
  return join(readIfThere(join(root, "moved")) ?? root, "data");
}

export async function preparePlace(
  folder: string,
  found: Binaries,
  walkable: string = WALKABLE_FOLDER,
): Promise<Place> {
  const root = join(folder, "postgres");
  try {
    makeFolder(root, 0o711);
    const environment = linkLibraries(found, join(root, "libraries"));
    const logFile = join(root, "server.log");
    const moved = readIfThere(join(root, "moved"));
    const owner = lstatSync(join(root, "data"), { throwIfNoEntry: false });
    const probe = { postgres: found.postgres, folder: root, environment, owner };
    const user = await chooseServerUser(probe);
    if (moved === undefined && user.kind !== "copied") {
      return finish({ root, logFile, binaries: found, environment, user, folder });
    }
    return finish({ ...(await move(root, found, moved, walkable)), logFile, folder });
  } catch (cause) {
    if (cause instanceof TurnupError) throw cause;
    throw unusable(`The data folder ${folder} cannot be used: ${messageOf(cause)}.`, cause);
  }
}

/** Programs and data go where `nobody` can walk; where the data went is written down, so that it is found again. */
async function move(root: string, found: Binaries, moved: string | undefined, walkable: string) {
  const home = moved ?? join(walkable, shortHash(root));
  const programs = join(walkable, `programs-${found.version}`);
  makeFolder(home);
  for (const folder of [walkable, home]) chmodSync(folder, 0o711); // whatever the umask says
  if (!existsSync(programs)) {
    const half = `${programs}.${process.pid}`;
    copyBinaries(found, half);
    renameSync(half, programs);
  }
  const binaries = binariesIn(programs, found.version);
  const environment = linkLibraries(binaries, join(walkable, "libraries"));
  const owner = lstatSync(join(home, "data"), { throwIfNoEntry: false });
  const user = await chooseServerUser({ postgres: binaries.postgres, folder: home, environment, owner });
  if (user.kind === "copied") throw unusable(`${walkable} cannot be walked by another user either.`);
  if (moved === undefined) {
    if (existsSync(join(root, "data"))) {
      await endServerIn(join(root, "data"));
      const half = join(home, "data.half");
      rmSync(half, { recursive: true, force: true });
      cpSync(join(root, "data"), half, { recursive: true, preserveTimestamps: true });
      renameSync(half, join(home, "data"));
      renameSync(join(root, "data"), join(root, "data.before"));
    }
    writeFileSync(join(root, "moved"), home, { mode: 0o600 });
  }
  return { root: home, binaries, environment, user };
}

type Half = Omit<Place, "data" | "socketFolder"> & { readonly root: string; readonly folder: string };

async function finish({ root, folder, ...rest }: Half): Promise<Place> {
  const data = join(root, "data");
  if (existsSync(data) && !isOwnedBy(data, rest.user)) {
    await endServerIn(data);
    give(data, rest.user);
  }
  return { ...rest, data, socketFolder: makeSocketFolder(join(root, "run"), folder, rest.user) };
}

/** Files do not change hands under a server left running by a killed Turnup. */
async function endServerIn(data: string): Promise<void> {
  const left = readPostmaster(data);
  if (left && isServerOf(left.pid, data)) await stopServer(left.pid);
}

/** A folder of mode 0700 for the socket: beside the data, or in a temporary folder whose path is short enough. */
function makeSocketFolder(beside: string, dataFolder: string, user: ServerUser): string {
  const short = [tmpdir(), "/tmp"].map((base) => join(base, `turnup-${shortHash(dataFolder)}`));
  const folder = [beside, ...short].find(
    (path) => Buffer.byteLength(socketIn(path)) <= SOCKET_PATH_OCTETS_MAX,
  );
  if (!folder) throw unusable("No folder has a path short enough for a unix socket.");
  const there = lstatSync(folder, { throwIfNoEntry: false });
  if (there && folder !== beside && !(there.isDirectory() && isOwnedBy(folder, user))) {
    // Somebody else was there first and could open what we put in. Root makes it anew, anybody else cannot.
    if (process.getuid?.() !== 0) throw unusable(`${folder} belongs to another user.`);
    rmSync(folder, { recursive: true });
  }
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  give(folder, user);
  chmodSync(folder, 0o700);
  return folder;
}

export const socketIn = (folder: string): string => join(folder, `.s.PGSQL.${PORT}`);

const isOwnedBy = (path: string, user: ServerUser): boolean =>
  lstatSync(path).uid === (ownerOf(user)?.uid ?? process.getuid?.());

/** Makes a path and all in it the server's own, where it is not. */
function give(path: string, user: ServerUser): void {
  if (isOwnedBy(path, user)) return;
  const owner = ownerOf(user);
  if (!owner) throw unusable(`${path} belongs to user number ${lstatSync(path).uid}.`);
  chownSync(path, owner.uid, owner.gid);
  for (const name of readdirSync(path, { recursive: true })) {
    lchownSync(join(path, String(name)), owner.uid, owner.gid);
  }
}

/** A fresh folder that the server's user may fill. */
export function makeServerFolder(path: string, user: ServerUser): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  give(path, user);
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
