/**
 * What the support rules know apart from the single device: how long makers support what they release, which makers
 * have left, and until when any phone of a given age is supported at all. Computed once from the data.
 */
import { boundsOfDate } from "../devices/age.ts";
import { makeOf } from "../devices/names.ts";
import type { DeviceDatasets, LifecycleRow, MakerExitRow, SupportPolicyRow } from "../devices/rows.ts";

type SupportLength = {
  readonly yearsMin: number;
  readonly yearsMax: number;
  readonly basis: string;
  /** For any maker: a guess, to be shown as one. */
  readonly isGuess: boolean;
};

/** End of support of one lifecycle row, as far as it is known. */
export type SupportEnd =
  | { readonly kind: "date"; readonly date: string; readonly quality: string }
  /** Ended on or before the day; the row gives no date. */
  | { readonly kind: "ended_by"; readonly date: string; readonly quality: string }
  /** Still supported on the day; the row gives no date. */
  | { readonly kind: "supported_on"; readonly date: string; readonly quality: string };

/** A support of fewer days after the release is a slip upstream (Nokia X71: two weeks). */
const SHORTEST_SUPPORT_DAYS = 180;
/** Makers whose support is far longer than the others' and says nothing of a maker without a policy on record. */
const LONGEST_SUPPORTED = ["Apple", "Fairphone"];
/** Families of the lifecycle list that are not handsets. */
const NOT_HANDSETS = ["Surface"];

export class SupportKnowledge {
  readonly snapshot: string;
  readonly #policies: readonly SupportPolicyRow[];
  readonly #exits: ReadonlyMap<string, MakerExitRow>;
  /** By release year: the latest end of any handset released up to it; null while one is supported without a date. */
  readonly #vintage: readonly { readonly year: number; readonly latestEnd: string | null }[];

  constructor(data: DeviceDatasets) {
    this.snapshot = data.lifecycleSnapshot;
    this.#policies = data.supportPolicy.rows;
    this.#exits = new Map(data.makerExits.rows.map((row) => [makeOf(row.make), row]));
    this.#vintage = this.#vintageOf(data.lifecycle.rows);
  }

  exitOf(make: string): MakerExitRow | undefined {
    return this.#exits.get(make);
  }

  /** How long the maker supports a device of that year; of the nearest year that is known, else what others give. */
  lengthOf(make: string, family: string, year: number): SupportLength | undefined {
    const own = nearestTo(
      year,
      this.#policies.filter((row) => row.make === make && row.family === family),
    )[0];
    if (own) {
      const { yearsMin, yearsMedian, yearsMax, basis } = own;
      return { yearsMin, yearsMax: yearsMax ?? yearsMedian * 2, basis, isGuess: false };
    }
    const any = this.#policies.find((row) => row.make === "*");
    if (!any) return undefined;
    // No maker on record of the ordinary ones gave a phone of that year more than the longest of these.
    const others = this.#policies.filter(
      (row) => row.fromYear !== null && !LONGEST_SUPPORTED.includes(row.make),
    );
    const longest = Math.max(any.yearsMedian, ...nearestTo(year, others).map((row) => row.yearsMax ?? 0));
    return { yearsMin: any.yearsMin, yearsMax: longest, basis: any.basis, isGuess: true };
  }

  /**
   * The day by which every handset released up to this year, of any maker in the lifecycle list, had lost its
   * support; null where one still has it or nothing is known.
   */
  allEndedBy(year: number): string | null {
    if (year > (this.#vintage.at(-1)?.year ?? 0)) return null;
    const found = this.#vintage.findLast((vintage) => vintage.year <= year) ?? this.#vintage[0];
    return found?.latestEnd ?? null;
  }

  #vintageOf(rows: readonly LifecycleRow[]): { year: number; latestEnd: string | null }[] {
    const ofYear = new Map<number, string | null>();
    for (const row of rows) {
      const released = boundsOfDate(row.released);
      if (!released || NOT_HANDSETS.includes(row.family)) continue;
      const year = Number(released.from.slice(0, 4));
      const own = this.#latestEndOf(row, released.to);
      ofYear.set(year, ofYear.has(year) ? later(ofYear.get(year) ?? null, own) : own);
    }
    const vintages: { year: number; latestEnd: string | null }[] = [];
    for (const year of [...ofYear.keys()].sort((one, other) => one - other)) {
      const before = vintages.at(-1);
      const own = ofYear.get(year) ?? null;
      vintages.push({ year, latestEnd: before ? later(before.latestEnd, own) : own });
    }
    return vintages;
  }

  /** An end without a date is no later than the snapshot, and no later than the maker's longest support allows. */
  #latestEndOf(row: LifecycleRow, released: string): string | null {
    const end = supportEndOf(row, this.snapshot);
    if (end.kind === "supported_on") return null;
    if (end.kind === "date") return end.date;
    const length = this.lengthOf(row.make, row.family, Number(released.slice(0, 4)));
    const longest = length ? plusYears(released, length.yearsMax) : end.date;
    return longest < end.date ? longest : end.date;
  }
}

/** The later of two ends; null, which is no end, is later than all. */
function later(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return null;
  return one > other ? one : other;
}

/** Adds years, fractions included, to an ISO date. */
export function plusYears(date: string, years: number): string {
  const whole = Math.trunc(years);
  const day = date.slice(4) === "-02-29" ? "-02-28" : date.slice(4);
  const start = new Date(`${Number(date.slice(0, 4)) + whole}${day}T00:00:00Z`);
  start.setUTCDate(start.getUTCDate() + Math.round((years - whole) * 365.25));
  return start.toISOString().slice(0, 10);
}

/** What one lifecycle row says of the end; security updates count, since they go on longest. */
export function supportEndOf(row: LifecycleRow, snapshot: string): SupportEnd {
  const quality = row.endDateQuality;
  const bounds = boundsOfDate(row.securityUpdatesEnd);
  const released = boundsOfDate(row.released);
  if (bounds && !(released && daysBetween(released.from, bounds.to) < SHORTEST_SUPPORT_DAYS)) {
    return { kind: "date", date: bounds.to, quality };
  }
  const osBounds = boundsOfDate(row.osUpdatesEnd);
  if (row.status === "ended") {
    return { kind: "ended_by", date: snapshot, quality };
  }
  return osBounds && osBounds.to > snapshot
    ? { kind: "date", date: osBounds.to, quality: `${quality}, system updates` }
    : { kind: "supported_on", date: snapshot, quality };
}

export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** The rows of the nearest year for which there are any. */
function nearestTo(year: number, rows: readonly SupportPolicyRow[]): readonly SupportPolicyRow[] {
  const shortest = Math.min(...rows.map((row) => distance(row, year)));
  return rows.filter((row) => distance(row, year) === shortest);
}

function distance({ fromYear, toYear }: SupportPolicyRow, year: number): number {
  if (fromYear !== null && year < fromYear) return fromYear - year;
  return toYear !== null && year > toYear ? year - toYear : 0;
}
