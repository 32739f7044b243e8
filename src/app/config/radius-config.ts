/**
 * Who may tell the server of sessions by RADIUS, from a file: gateways and the proxies in front of them, each with its secret and whose
 * subscribers it tells of. Paths in the file are relative to it.
 */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { list, object, optional, type Read, ShapeError, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";

const CLIENTS_MAX = 1_000;
const NETWORKS_MAX = 100;
/** RFC 2865 section 3: as large and unguessable as a password; what is shorter is guessed from one packet. */
const SECRET_OCTETS_MIN = 8;
const SECRET_OCTETS_MAX = 256;

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
/** Of an address or a network: how many of its bits count. */
export const bitsOf = (network: string): number => {
  const [address = "", bits] = network.split("/");
  return bits === undefined ? (isIP(address) === 6 ? 128 : 32) : Number(bits);
};
const readClients = list(
  object({
    name: text({ max: 64, pattern: /^[A-Za-z0-9._-]+$/, wanted: "1 to 64 of A-Z a-z 0-9 . _ - are wanted" }),
    addresses: list(network, { min: 1, max: NETWORKS_MAX }),
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
  const { host, port, clientsFile } = radius;
  if (port === undefined) return undefined;
  if (!clientsFile)
    throw new TurnupError("config_invalid", "radius.port is set, and radius.clients_file is not.", {
      nextStep: "Name the file that has the gateways with their secrets, or give no port.",
    });
  const clients = parsed(clientsFile, await contentOf(clientsFile));
  const names = new Set(clients.map(({ name }) => name));
  if (names.size < clients.length) throw invalid(clientsFile, "a name stands in it twice");
  const places = clients.flatMap(({ addresses }) =>
    addresses.map((one) => `${one.split("/")[0]}/${bitsOf(one)}`),
  );
  const seen = new Set<string>();
  const twice = places.find((one) => seen.size === seen.add(one).size);
  if (twice !== undefined) throw invalid(clientsFile, `${twice} stands in it twice`);
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
    throw invalid(path, `a secret of ${SECRET_OCTETS_MIN} to ${SECRET_OCTETS_MAX} octets is wanted`);
  return secret;
}

function parsed(path: string, content: string) {
  try {
    return readClients(JSON.parse(content), "");
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(path, "it is no JSON");
    if (error instanceof ShapeError) throw invalid(path, error.message);
    throw error;
  }
}

const invalid = (path: string, fact: string): TurnupError =>
  new TurnupError("config_invalid", `${path}: ${fact}.`, {
    nextStep: "See RADIUS accounting in docs/operations.md for the form of the file.",
  });

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}
