/** An entry of an operator's own list as it is given, by the API or in a row of a file: handset, SIMs let in, why it stands there. */
import type { EquipmentEdit } from "./equipment-lists.ts";
import { readEquipmentLine, writeEquipmentDevice } from "./status-line.ts";

/** As rows of a file are read and written; the first may stand alone. */
export const ENTRY_COLUMNS = ["device", "sims", "note", "owner"] as const;
const NOTE_CHARACTERS_MAX = 100;
/** A model's serial numbers (TS 23.003 clause 6.2.1). */
const SERIALS = 1_000_000;

export type GivenEntry = {
  readonly device: string;
  readonly sims?: readonly string[] | undefined;
  readonly note?: string | null | undefined;
  readonly owner?: string | null | undefined;
};
type ReadEntry = Pick<EquipmentEdit, "entry" | "isWide"> | { readonly fault: string };

export function ownEntryOf({ device, sims = [], note = null, owner = null }: GivenEntry): ReadEntry {
  if (/[,;\t]/.test(device)) return { fault: "a handset, a range or a model has no separators in it" };
  const read = readEquipmentLine(`${device},${sims.join(" ")}`);
  if (!read) return { fault: "a handset, a range or a model is missing" };
  if ("fault" in read) return read;
  if ((note?.length ?? 0) > NOTE_CHARACTERS_MAX || /\p{Cc}/u.test(note ?? ""))
    return { fault: `a note has at most ${NOTE_CHARACTERS_MAX} characters` };
  const { from, to, imsis } = read.entry;
  return {
    entry: { device: writeEquipmentDevice(read.entry), imsis: [...new Set(imsis)].sort(), note, owner },
    isWide: to - from >= SERIALS,
  };
}

/** Undefined: a header or a comment, which says nothing. */
export function ownEntryIn(cells: readonly string[]): ReadEntry | undefined {
  const [device = "", sims = "", note = "", owner = ""] = cells.map((cell) => cell.trim().replace(/^'/, ""));
  if (device.startsWith("#") || /^(?:device|imei|tac)$/i.test(device)) return undefined;
  return ownEntryOf({
    device,
    sims: sims === "" ? [] : sims.split(/\s+/),
    note: note || null,
    owner: owner || null,
  });
}
