/** What is known of a subscriber's line for others who may ask: which SIM has the number, which handset that SIM is in, and since when. */
import type { Imei } from "../../term/imei.ts";

/** The handset that a line was seen in last. */
export type LineDevice = {
  readonly imei: Imei;
  /** Two digits of the IMEISV; null where no source told it. */
  readonly softwareVersion: string | null;
  /** When the line was first seen in it after another, or at all. */
  readonly since: Date;
  /** When a source saw the two together last. */
  readonly lastSeenAt: Date;
};

export type Line = {
  /** When the number came to the SIM that has it; null while no SIM has it. */
  readonly simSince: Date | null;
  /** Null while the SIM was seen in no handset. */
  readonly device: LineDevice | null;
};

export interface LineReader {
  /** @param msisdn digits without `+` @returns undefined: no SIM of this operator has or had the number */
  lineOf(operatorId: string, msisdn: string): Promise<Line | undefined>;
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;

/** The last change as it may be told. */
type ToldChange = { readonly at: Date | null; readonly monitoredDays?: number };

/**
 * What is older than changes are looked after is not told: there was none within that period.
 * @param monitoredDays null: without end
 */
export function toldChange(since: Date | null, monitoredDays: number | null, now: Date): ToldChange {
  if (since === null) return { at: null };
  if (monitoredDays === null) return { at: since };
  const isMonitored = ageHours(since, now) <= monitoredDays * DAY_HOURS;
  return isMonitored ? { at: since } : { at: null, monitoredDays };
}

/** @param hours of the period that ends now; a change at its very beginning is within it */
export const changedWithin = (since: Date | null, hours: number, now: Date): boolean =>
  since !== null && ageHours(since, now) <= hours;

/** Whether a period goes back further than changes are looked after. */
export const isBeyondMonitoring = (hours: number, monitoredDays: number | null): boolean =>
  monitoredDays !== null && hours > monitoredDays * DAY_HOURS;

const ageHours = (since: Date, now: Date): number => (now.getTime() - since.getTime()) / HOUR_MS;
