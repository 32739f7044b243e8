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
import { dirname, join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { type Binaries, copyBinaries, linkLibraries } from "./binaries.ts";
import { chooseServerUser, ownerOf, type ServerUser } from "./server-user.ts";

export const PORT = 5432;
/** `sun_path` of a unix socket less its closing NUL: 108 octets on Linux, 104 on macOS. */
export const SOCKET_PATH_OCTETS_MAX = process.platform === "linux" ? 107 : 103;
/** Where data goes that no other user could walk to. */
const MOVED_ROOT = "/var/lib/turnup";

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
      mkdirSync(folder, { recursive: true });
      // Walkable, not readable: the server's user must reach its own folder inside, and nothing else.
      chmodSync(folder, process.getuid?.() === 0 ? 0o711 : 0o700);
    }
    return realpathSync(folder);
  } catch (cause) {
    throw unusable(`the data folder ${folder} cannot be made: ${(cause as Error).message}`, cause);
  }
}

export async function preparePlace(folder: string, found: Binaries): Promise<Place> {
  const root = join(folder, "postgres");
  try {
    mkdirSync(root, { recursive: true, mode: 0o711 });
    const environment = linkLibraries(found, join(root, "libraries"));
    const logFile = join(root, "server.log");
    const moved = readIfThere(join(root, "moved"));
    const owner = lstatSync(join(root, "data"), { throwIfNoEntry: false });
    const probe = { postgres: found.postgres, folder: root, environment, owner };
    const user = await chooseServerUser(probe);
    if (moved === undefined && user.kind !== "copied") {
      return finish({ root, logFile, binaries: found, environment, user, folder });
    }
    return finish({ ...(await move(root, found, moved)), logFile, environment: {}, folder });
  } catch (cause) {
    if (cause instanceof TurnupError) throw cause;
    throw unusable(`the data folder ${folder} cannot be used: ${(cause as Error).message}`, cause);
  }
}

/** Programs and data go where `nobody` can walk; where the data went is written down, so that it is found again. */
async function move(root: string, found: Binaries, moved: string | undefined) {
  const home = moved ?? join(MOVED_ROOT, shortHash(root));
  const programs = join(MOVED_ROOT, `programs-${found.version}`);
  mkdirSync(home, { recursive: true, mode: 0o711 });
  if (!existsSync(programs)) {
    const half = `${programs}.${process.pid}`;
    copyBinaries(found, half);
    renameSync(half, programs);
  }
  const binaries = copyBinaries(found, programs);
  const environment = linkLibraries(binaries, join(MOVED_ROOT, "libraries"));
  const owner = lstatSync(join(home, "data"), { throwIfNoEntry: false });
  const user = await chooseServerUser({ postgres: binaries.postgres, folder: home, environment, owner });
  if (user.kind === "copied") throw unusable(`${MOVED_ROOT} cannot be walked by another user either`);
  if (moved === undefined) {
    if (existsSync(join(root, "data"))) renameSync(join(root, "data"), join(home, "data"));
    writeFileSync(join(root, "moved"), home, { mode: 0o600 });
  }
  return { root: home, binaries, environment, user };
}

type Half = Omit<Place, "data" | "socketFolder"> & { readonly root: string; readonly folder: string };

function finish({ root, folder, ...rest }: Half): Place {
  const data = join(root, "data");
  if (existsSync(data)) give(data, rest.user);
  return { ...rest, data, socketFolder: makeSocketFolder(join(root, "run"), folder, rest.user) };
}

/** A folder of mode 0700 for the socket: beside the data, or where the path is short enough. */
function makeSocketFolder(beside: string, dataFolder: string, user: ServerUser): string {
  const candidates = [
    beside,
    ...[tmpdir(), "/tmp"].map((base) => join(base, `turnup-${shortHash(dataFolder)}`)),
  ];
  const folder = candidates.find((path) => Buffer.byteLength(socketIn(path)) <= SOCKET_PATH_OCTETS_MAX);
  if (!folder) throw unusable("no folder has a path short enough for a unix socket");
  const there = lstatSync(folder, { throwIfNoEntry: false });
  // In /tmp somebody else may have been there first; what we then open could be theirs.
  const mine = [process.getuid?.(), ownerOf(user)?.uid, nobodyBefore(beside)];
  if (there && !(there.isDirectory() && mine.includes(there.uid))) {
    throw unusable(`${folder} belongs to another user`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  give(folder, user);
  return folder;
}

/** The owner of the data before this start: the server may have run as somebody else then. */
const nobodyBefore = (beside: string): number | undefined =>
  lstatSync(join(dirname(beside), "data"), { throwIfNoEntry: false })?.uid;

export const socketIn = (folder: string): string => join(folder, `.s.PGSQL.${PORT}`);

/** Makes a path and all in it the server's own, where it is not. */
export function give(path: string, user: ServerUser): void {
  const owner = ownerOf(user);
  const now = lstatSync(path);
  if (!owner) {
    if (now.uid === process.getuid?.()) return;
    throw unusable(`${path} belongs to user number ${now.uid}`);
  }
  if (now.uid === owner.uid) return;
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

const unusable = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("data_folder_unusable", fact, {
    cause,
    nextStep: "name another folder (data.folder, TURNUP_DATA_FOLDER), or start as the user who owns this one",
  });
