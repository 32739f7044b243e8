/**
 * Whether two handsets bear one IMEI: it was seen with one SIM in one country, and with another SIM in another one, sooner than
 * anybody travels between them. What is no clone: a handset that is handed on within a country, or carried to another one in the time
 * that this takes; one SIM that roams; the two SIMs of a phone that has two IMEIs, one each; a special IMEI, which many
 * phones bear (`special-imei.ts`).
 */
import { DEFAULT_CLOCK_TOLERANCE_MS } from "./clock-tolerance.ts";
import { leastDistanceKm } from "./country-places.ts";
import { imeiClassOf } from "./special-imei.ts";

/** Where the handset with this IMEI was seen, with whose SIM. */
export type PlaceSeen = {
  readonly subscriberId: string;
  /** ISO 3166 of the network that served it; null: no list knows the network. */
  readonly country: string | null;
  readonly seenMs: number;
};

export type Clone = {
  readonly one: PlaceSeen & { readonly country: string };
  /** The later of the two. */
  readonly other: PlaceSeen & { readonly country: string };
  /** Between the two countries, at least. */
  readonly distanceKm: number;
  readonly minutesBetween: number;
};

/** An airliner at its fastest, from gate to gate without a queue: whoever is faster did not travel. */
const FASTEST_KM_PER_HOUR = 1_000;
const HOUR_MS = 3_600_000;
/** Half around the earth at that speed: what is further apart in time is never compared. */
export const CLONE_WINDOW_MS = 20 * HOUR_MS;
/** Each of two networks may be off by the tolerance of clocks. */
const CLOCKS_MS = 2 * DEFAULT_CLOCK_TOLERANCE_MS;

/**
 * The two sights that are the hardest to explain; null: all of it can be one handset.
 * @param imei 14 digits at least
 */
export function cloneIn(imei: string, seen: readonly PlaceSeen[]): Clone | null {
  if (imeiClassOf(imei) !== "ordinary") return null;
  const placed = seen
    .flatMap(({ country, ...one }) => (country === null ? [] : [{ ...one, country }]))
    .sort((one, other) => one.seenMs - other.seenMs);
  let worst: Clone | null = null;
  let worstSpeed = 0;
  for (const [at, one] of placed.entries())
    for (const other of placed.slice(at + 1)) {
      const betweenMs = other.seenMs - one.seenMs;
      if (betweenMs > CLONE_WINDOW_MS) break;
      const distanceKm = one.subscriberId === other.subscriberId ? 0 : distanceOf(one, other);
      const speed = distanceKm / ((betweenMs + CLOCKS_MS) / HOUR_MS);
      if (speed <= FASTEST_KM_PER_HOUR || speed <= worstSpeed) continue;
      worstSpeed = speed;
      worst = { one, other, distanceKm, minutesBetween: Math.round(betweenMs / 60_000) };
    }
  return worst;
}

const distanceOf = (one: { readonly country: string }, other: { readonly country: string }): number =>
  leastDistanceKm(one.country, other.country) ?? 0;

/** A clause that says what was seen; it names no person. */
export const cloneWords = ({ one, other, distanceKm, minutesBetween }: Clone): string =>
  `seen with one SIM in ${one.country} and with another in ${other.country}, ${distanceKm} km away at least, ${minutesBetween} minutes later`;
