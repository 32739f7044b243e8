/**
 * Who may tell the server of sessions by RADIUS, from a file: gateways and the proxies in front of them, each with its secret and whose
 * subscribers it tells of. Paths in the file are relative to it.
 */
import { dirname, resolve } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { list, object, optional, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import {
  contentOf,
  invalidPlaces,
  networks,
  placeName,
  plainNetwork,
  readPlaces,
  twiceIn,
} from "./places-file.ts";

const CLIENTS_MAX = 1_000;
/** RFC 2865 section 3: as large and unguessable as a password; what is shorter is guessed from one packet. */
const SECRET_OCTETS_MIN = 8;
const SECRET_OCTETS_MAX = 256;
const NEXT = "See RADIUS accounting in docs/operations.md for the form of the file.";

const readClients = list(
  object({
    name: placeName,
    addresses: networks,
    secretFile: text({ max: 1_000 }),
    operator: optional(text({ max: 64 })),
  }),
  { min: 1, max: CLIENTS_MAX },
);

type RadiusClientPlace = {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly secret: Uint8Array;
  /** Short name; the operator that was made first unless given. */
  readonly operator: string | undefined;
};
export type RadiusPlace = {
  readonly host: string;
  readonly port: number;
  readonly clients: readonly RadiusClientPlace[];
};

/** Undefined without `radius.port`. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readRadiusPlace({ radius }: Pick<Config, "radius">): Promise<RadiusPlace | undefined> {
  if (!hasPort("radius", radius, ["clientsFile"])) return undefined;
  const { host, port, clientsFile } = radius;
  if (!clientsFile)
    throw new TurnupError("config_invalid", "radius.port is set, and radius.clients_file is not.", {
      nextStep: "Name the file that has the gateways with their secrets, or give no port.",
    });
  const clients = await readPlaces(clientsFile, readClients, NEXT);
  if (twiceIn(clients.map(({ name }) => name)) !== undefined)
    throw invalidPlaces(clientsFile, "a name stands in it twice", NEXT);
  const twice = twiceIn(clients.flatMap(({ addresses }) => addresses.map(plainNetwork)));
  if (twice !== undefined) throw invalidPlaces(clientsFile, `${twice} stands in it twice`, NEXT);
  return {
    host,
    port,
    clients: await Promise.all(
      clients.map(async ({ name, addresses, operator, secretFile }) => ({
        ...{ name, addresses, operator },
        secret: await secretIn(resolve(dirname(clientsFile), secretFile)),
      })),
    ),
  };
}

async function secretIn(path: string): Promise<Uint8Array> {
  const secret = new TextEncoder().encode((await contentOf(path)).replace(/\r?\n$/, ""));
  if (secret.length < SECRET_OCTETS_MIN || secret.length > SECRET_OCTETS_MAX)
    throw invalidPlaces(
      path,
      `a secret of ${SECRET_OCTETS_MIN} to ${SECRET_OCTETS_MAX} octets is wanted`,
      NEXT,
    );
  return secret;
}
