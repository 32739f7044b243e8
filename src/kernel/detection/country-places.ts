/**
 * How far two countries are from each other at least. A network tells no finer place than its country, so the distance is that between
 * the nearest points that both could have: great circle between the middles, less the reach of both. Middles and reaches are
 * general knowledge, and generous: a reach covers every place that networks of the country's code serve.
 */
import { decodedRows } from "./place-rows.ts";

const EARTH_RADIUS_KM = 6_371;
const RADIANS = Math.PI / 180;

type Place = { readonly latitude: number; readonly longitude: number; readonly reachKm: number };

const PLACES: ReadonlyMap<string, Place> = new Map(
  decodedRows().map(([country, latitude, longitude, reachKm]) => [country, { latitude, longitude, reachKm }]),
);

/** In km; 0 for neighbours and for the same country, null where one of them has no place here. ISO 3166 codes of two letters. */
export function leastDistanceKm(one: string, other: string): number | null {
  if (one === other) return 0;
  const [from, to] = [PLACES.get(one), PLACES.get(other)];
  if (!from || !to) return null;
  return Math.max(0, Math.round(greatCircleKm(from, to) - from.reachKm - to.reachKm));
}

/**
 * Of the countries that a network is listed for, the one whose place covers those of all others: carriers of the United States serve Puerto
 * Rico by the same code. Null: none does, as where the same carrier's code is Guam's too, so that the network tells no place.
 */
export function countryCovering(countries: readonly string[]): string | null {
  const covers = (one: string): boolean =>
    countries.every((other) => {
      const [whole, part] = [PLACES.get(one), PLACES.get(other)];
      if (one === other) return true;
      return (
        whole !== undefined &&
        part !== undefined &&
        greatCircleKm(whole, part) + part.reachKm <= whole.reachKm
      );
    });
  return countries.find(covers) ?? null;
}

/** The haversine formula. */
function greatCircleKm(one: Place, other: Place): number {
  const [phi, otherPhi] = [one.latitude * RADIANS, other.latitude * RADIANS];
  const turn = (other.longitude - one.longitude) * RADIANS;
  const half =
    Math.sin((otherPhi - phi) / 2) ** 2 + Math.cos(phi) * Math.cos(otherPhi) * Math.sin(turn / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(half)));
}
