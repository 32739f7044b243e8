/** The sorted file of equipment statuses as it is read: its index in memory, of each look-up one block from disk. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Equipment } from "../../kernel/equipment/equipment.ts";
import type { EquipmentFound, EquipmentList } from "../../kernel/equipment/status-index.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import {
  BLOCK_OCTETS,
  decodeStatusHeader,
  FILE_STATUSES,
  findInBlock,
  HEADER_CHECKED_OCTETS,
  HEADER_OCTETS,
  headerCrcOf,
  INDEX_ENTRY_OCTETS,
  type StatusFileHeader,
} from "../../wire/equipment/status-file.ts";

const IMEI_DIGITS = 14;

export type StatusFile = {
  readonly header: StatusFileHeader;
  /** Says whether it is another file under this path by now. */
  readonly identity: string;
  /** @throws Error: the block cannot be read, or its octets were changed */
  find(handset: Pick<Equipment, "imei">): EquipmentFound | undefined;
  /** Reads all blocks. @throws TurnupError `dataset_malformed` */
  verify(onProgress?: (done: number) => void): void;
  close(): void;
};

/** What tells one file under a path from another; undefined: there is none. */
export function statusFileIdentity(path: string): string | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      return identityOf(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function identityOf(fd: number): string {
  const { ino, size, mtimeMs } = fstatSync(fd);
  return `${ino} ${size} ${mtimeMs}`;
}

/**
 * `named`: as which list it stands beside others; its own rows say the status.
 * @throws TurnupError `file_unreadable`; `dataset_malformed`: no such file, cut short, or its header or index was changed
 */
export function openStatusFile(path: string, named: Pick<EquipmentList, "name" | "priority">): StatusFile {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
  try {
    return opened(fd, named);
  } catch (cause) {
    closeSync(fd);
    throw new TurnupError(
      "dataset_malformed",
      `${path} is no sorted file of statuses: ${messageOf(cause)}.`,
      {
        cause,
        nextStep: "Build it again: `turnup equipment build`.",
      },
    );
  }
}

function opened(fd: number, { name, priority }: Pick<EquipmentList, "name" | "priority">): StatusFile {
  const header = readHeader(fd);
  const { firsts, crcs } = readIndex(fd, header);
  const block = new Uint8Array(BLOCK_OCTETS);
  /** Into the one block that all look-ups share: they do not wait, so none comes between. */
  const readBlock = (at: number): void => {
    const read = readSync(fd, block, 0, BLOCK_OCTETS, HEADER_OCTETS + at * BLOCK_OCTETS);
    if (read !== BLOCK_OCTETS || crc32(block) !== crcs[at])
      throw new Error(`block ${at} of the sorted file ${name} was changed or cut short`);
  };
  const founds = FILE_STATUSES.map(
    (status): EquipmentFound => ({ list: { name, priority, status }, isLetIn: false }),
  );
  return {
    header,
    identity: identityOf(fd),
    find({ imei }) {
      const handset = Number(imei.slice(0, IMEI_DIGITS));
      const at = lastNotAbove(firsts, handset);
      const first = firsts[at];
      if (first === undefined) return undefined;
      readBlock(at);
      return founds[findInBlock(block, first, handset)];
    },
    verify(onProgress) {
      for (let at = 0; at < header.blocks; at++) {
        try {
          readBlock(at);
        } catch (cause) {
          throw new TurnupError("dataset_malformed", `${messageOf(cause)}.`, { cause });
        }
        if (at % 1_024 === 0) onProgress?.(at);
      }
    },
    close: () => closeSync(fd),
  };
}

function readHeader(fd: number): StatusFileHeader {
  const octets = new Uint8Array(HEADER_OCTETS);
  const read = readSync(fd, octets, 0, HEADER_OCTETS, 0);
  const header = decodeStatusHeader(octets.subarray(0, read));
  if (crc32(octets.subarray(0, HEADER_CHECKED_OCTETS)) !== headerCrcOf(octets))
    throw new Error("its header was changed");
  return header;
}

/** Eight octets a block for its first handset, four for its CRC-32: 2 MB for 200 million handsets. */
function readIndex(fd: number, { blocks, indexOffset, indexCrc }: StatusFileHeader) {
  const octets = new Uint8Array(blocks * INDEX_ENTRY_OCTETS);
  const read = readSync(fd, octets, 0, octets.length, indexOffset);
  if (read !== octets.length || crc32(octets) !== indexCrc)
    throw new Error("its index was changed or cut short");
  const view = new DataView(octets.buffer);
  const firsts = new Float64Array(blocks);
  const crcs = new Uint32Array(blocks);
  for (let at = 0; at < blocks; at++) {
    firsts[at] = view.getFloat64(at * INDEX_ENTRY_OCTETS);
    crcs[at] = view.getUint32(at * INDEX_ENTRY_OCTETS + 8);
  }
  return { firsts, crcs };
}

/** -1: all are above. */
function lastNotAbove(sorted: Float64Array, key: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
