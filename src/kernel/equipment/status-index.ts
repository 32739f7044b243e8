/**
 * What all lists of an operator say of a handset, in typed arrays: eight octets for each handset that stands in one by itself. Of two entries
 * the one of the list with the higher priority counts; within a list the narrower one, then the one with a software version, then the
 * one that stands later (TS 22.016 leaves it open; this is how registers of the field do it).
 */
import type { Equipment } from "./equipment.ts";
import type { EquipmentEntry } from "./status-line.ts";

export type EquipmentList = {
  readonly name: string;
  readonly status: "white" | "grey" | "black";
  /** Higher counts before lower; no two of an operator have the same. */
  readonly priority: number;
};
type Wide = EquipmentEntry & { readonly rank: number; readonly order: number };

/** What one source of lists says of a handset. */
export type EquipmentFound = {
  readonly list: EquipmentList;
  /** The list is black, and this SIM is let in all the same. */
  readonly isLetIn: boolean;
};
type Handset = Pick<Equipment, "imei" | "softwareVersion" | "imsi">;

export type EquipmentIndex = {
  /** By the entry that counts; undefined: it stands in no list. */
  find(handset: Handset): EquipmentFound | undefined;
  /** Whether it stands in this one list, whatever others say of it. */
  isOn(list: string, handset: Handset): boolean;
};

const IMEI_DIGITS = 14;
const IMEISV_DIGITS = 16;

/** A number and the rank of its list in one: 14 digits times this stay within what a double counts exactly. */
export const EQUIPMENT_LISTS_MAX = 64;
const FIRST_ROOM = 1_024;

/** Lists and their entries are given in turns; `done` makes the index. */
export function buildEquipmentIndex(lists: readonly EquipmentList[]) {
  /** Best first: the rank of a list is its place here. */
  const ranked = [...lists].sort((one, other) => other.priority - one.priority);
  const rankOf = lists.map((list) => ranked.indexOf(list));
  const wide: Wide[] = [];
  let singles = new Float64Array(FIRST_ROOM);
  let count = 0;
  return {
    put(list: number, { from, to, softwareVersion, imsis }: EquipmentEntry): void {
      const rank = rankOf[list] ?? 0;
      if (from !== to || softwareVersion !== undefined || imsis.length > 0) {
        wide.push({ from, to, softwareVersion, imsis, rank, order: wide.length });
        return;
      }
      if (count === singles.length) {
        const larger = new Float64Array(count * 2);
        larger.set(singles);
        singles = larger;
      }
      singles[count++] = from * EQUIPMENT_LISTS_MAX + rank;
    },
    done: (): EquipmentIndex => indexOf(ranked, singles.slice(0, count).sort(), wide),
  };
}

function indexOf(
  lists: readonly EquipmentList[],
  singles: Float64Array,
  wide: readonly Wide[],
): EquipmentIndex {
  const ranges = rangesOf(wide);
  const rankOf = new Map(lists.map(({ name }, rank) => [name, rank]));
  return {
    find({ imei, softwareVersion, imsi }) {
      const imei14 = Number(imei.slice(0, IMEI_DIGITS));
      const version = versionOf(imei, softwareVersion);
      let found: Wide | undefined;
      ranges.each(imei14, (entry) => {
        const fits = entry.softwareVersion === undefined || entry.softwareVersion === version;
        if (fits && isBetter(found, entry)) found = entry;
      });
      const key = singles[placeIn(singles, imei14 * EQUIPMENT_LISTS_MAX)] ?? Number.NaN;
      const rank = key - imei14 * EQUIPMENT_LISTS_MAX;
      if (rank < EQUIPMENT_LISTS_MAX) {
        const single: Wide = {
          ...{ from: imei14, to: imei14, softwareVersion: undefined, imsis: [] },
          ...{ rank, order: -1 },
        };
        if (isBetter(found, single)) found = single;
      }
      const list = found && lists[found.rank];
      if (!found || !list) return undefined;
      return {
        list,
        isLetIn: list.status === "black" && imsi !== undefined && found.imsis.includes(imsi),
      };
    },
    isOn(name, { imei, softwareVersion }) {
      const rank = rankOf.get(name);
      if (rank === undefined) return false;
      const imei14 = Number(imei.slice(0, IMEI_DIGITS));
      const key = imei14 * EQUIPMENT_LISTS_MAX + rank;
      if (singles[placeIn(singles, key)] === key) return true;
      const version = versionOf(imei, softwareVersion);
      let isFound = false;
      ranges.each(imei14, (entry) => {
        const fits = entry.softwareVersion === undefined || entry.softwareVersion === version;
        if (fits && entry.rank === rank) isFound = true;
      });
      return isFound;
    },
  };
}

const versionOf = (imei: string, softwareVersion: string | undefined): number =>
  Number(softwareVersion ?? (imei.length === IMEISV_DIGITS ? imei.slice(IMEI_DIGITS) : Number.NaN));

function isBetter(one: Wide | undefined, other: Wide): boolean {
  if (!one) return true;
  if (one.rank !== other.rank) return other.rank < one.rank;
  const [width, otherWidth] = [one.to - one.from, other.to - other.from];
  if (width !== otherWidth) return otherWidth < width;
  const [hasOne, hasOther] = [one.softwareVersion !== undefined, other.softwareVersion !== undefined];
  return hasOne === hasOther ? other.order > one.order : hasOther;
}

/** First place whose key is not smaller. */
function placeIn(keys: Float64Array, key: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By where they begin; `reach` is the furthest end of all before, so that a look back ends where none can hold the number. */
function rangesOf(wide: readonly Wide[]) {
  const sorted = [...wide].sort((one, other) => one.from - other.from);
  const starts = Float64Array.from(sorted, ({ from }) => from);
  const reach = new Float64Array(sorted.length);
  let furthest = -1;
  for (const [at, { to }] of sorted.entries()) {
    furthest = Math.max(furthest, to);
    reach[at] = furthest;
  }
  return {
    each(key: number, take: (entry: Wide) => void): void {
      for (let at = placeIn(starts, key + 1) - 1; at >= 0 && (reach[at] ?? -1) >= key; at--) {
        const entry = sorted[at];
        if (entry && entry.to >= key) take(entry);
      }
    },
  };
}
