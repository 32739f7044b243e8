/** Files that name machines by the addresses from which they come: gateways, Diameter peers, functions of a 5G core. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { amongNetworks } from "../../http/connections.ts";
import { TurnupError } from "../../term/error.ts";
import { list, object, optional, type Read, ShapeError, text } from "../../wire/message/shape.ts";

const NETWORKS_MAX = 100;

/** An address, or a network: `192.0.2.0/24`. */
const network: Read<string> = (value, path) => {
  const given = text({ max: 49 })(value, path);
  const [address = "", bits, more] = given.split("/");
  const family = isIP(address);
  const isBits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
  if (family === 0 || !isBits || more !== undefined)
    throw new ShapeError(path, "an IP address or a network as 192.0.2.0/24 is wanted");
  return given;
};
export const placeName = text({
  max: 64,
  pattern: /^[A-Za-z0-9._-]+$/,
  wanted: "1 to 64 of A-Z a-z 0-9 . _ - are wanted",
});
export const networks = list(network, { min: 1, max: NETWORKS_MAX });

/** Of an address or a network: how many of its bits count. */
const bitsOf = (given: string): number => {
  const [address = "", bits] = given.split("/");
  return bits === undefined ? (isIP(address) === 6 ? 128 : 32) : Number(bits);
};
/** Written in one way, whichever it was given in. */
export const plainNetwork = (given: string): string => `${given.split("/")[0]}/${bitsOf(given)}`;

/** The first that stands a second time. */
export function twiceIn(values: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return values.find((one) => seen.size === seen.add(one).size);
}

/** Of two whose networks both hold an address, the one with the smaller network: a machine within it is never hidden by the others. */
export function nearestAt<Place>(
  places: readonly { readonly addresses: readonly string[]; readonly place: Place }[],
): (address: string) => Place | undefined {
  const apart = places.flatMap(({ addresses, place }) =>
    [...new Set(addresses.map(bitsOf))].map((bits) => {
      const isAt = amongNetworks(addresses.filter((one) => bitsOf(one) === bits));
      return { place, bits, isAt };
    }),
  );
  apart.sort((one, other) => other.bits - one.bits);
  return (address) => apart.find(({ isAt }) => isAt(address))?.place;
}

/** A JSON file of one shape. @throws TurnupError `file_unreadable`; `config_invalid` with `nextStep` */
export async function readPlaces<Value>(path: string, read: Read<Value>, nextStep: string): Promise<Value> {
  try {
    return read(JSON.parse(await contentOf(path)), "");
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidPlaces(path, "it is no JSON", nextStep);
    if (error instanceof ShapeError) throw invalidPlaces(path, error.message, nextStep);
    throw error;
  }
}

/** A machine by its name and addresses, and whose subscribers it tells of. */
export type NamedPlace = {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Short name; the operator that was made first unless given. */
  readonly operator: string | undefined;
};
const readNamed = list(
  object({ name: placeName, addresses: networks, operator: optional(text({ max: 64 })) }),
  { min: 1, max: 1_000 },
);

/** No name and no address stands twice. @throws TurnupError `file_unreadable`; `config_invalid` with `nextStep` */
export async function readNamedPlaces(path: string, nextStep: string): Promise<readonly NamedPlace[]> {
  const places = await readPlaces(path, readNamed, nextStep);
  for (const values of [
    places.map(({ name }) => name),
    places.flatMap(({ addresses }) => addresses.map(plainNetwork)),
  ]) {
    const twice = twiceIn(values);
    if (twice !== undefined) throw invalidPlaces(path, `${twice} stands in it twice`, nextStep);
  }
  return places.map(({ operator, ...place }) => ({ ...place, operator }));
}

export const invalidPlaces = (path: string, fact: string, nextStep: string): TurnupError =>
  new TurnupError("config_invalid", `${path}: ${fact}.`, { nextStep });

/** @throws TurnupError `file_unreadable` */
export async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}
