/**
 * Who may tell the server of sessions by RADIUS, from a file: gateways and the proxies in front of them, each with its secret (UDP) or its
 * certificate (TLS) and whose subscribers it tells of. Paths in the file are relative to it.
 */
import { dirname, resolve } from "node:path";
import type { DoorTls } from "../../http/mutual-tls.ts";
import { TurnupError } from "../../term/error.ts";
import { boolean, integer, list, object, optional, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import { readDoorTls } from "./door-tls.ts";
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
/** RFC 5176 section 2.1. */
const DYNAMIC_PORT = 3_799;
const NEXT = "See RADIUS accounting in docs/operations.md for the form of the file.";

const readClients = list(
  object({
    name: placeName,
    addresses: optional(networks),
    secretFile: optional(text({ max: 1_000 })),
    certificate: optional(
      text({
        max: 400,
        pattern: /^(?:(?:dns|uri|cn):[!-~]+(?: [!-~]+)*|sha256:[0-9A-Fa-f]{64})$/,
        wanted: "dns:, uri: or cn: and a certificate's name, or sha256: and its fingerprint is wanted",
      }),
    ),
    operator: optional(text({ max: 64 })),
    disconnect: optional(
      object({
        host: optional(
          text({ max: 253, pattern: /^[0-9A-Za-z.:-]+$/, wanted: "a host name or an address is wanted" }),
        ),
        port: optional(integer({ min: 1, max: 65_535 })),
        withImsi: optional(boolean),
      }),
    ),
  }),
  { min: 1, max: CLIENTS_MAX },
);

export type RadiusClientPlace = {
  readonly name: string;
  /** Empty: by TLS alone, from anywhere. */
  readonly addresses: readonly string[];
  /** Undefined: by TLS alone. */
  readonly secret: Uint8Array | undefined;
  /** A name or the fingerprint of its certificate, as `certificateNames` writes them; undefined: by UDP alone. */
  readonly certificate: string | undefined;
  /** Short name; the operator that was made first unless given. */
  readonly operator: string | undefined;
  /** Undefined: it is asked to end no sessions. Without a host it is asked over the connection that it opened by TLS. */
  readonly disconnect:
    | { readonly host: string | undefined; readonly port: number; readonly withImsi: boolean }
    | undefined;
};
export type RadiusPlace = {
  readonly host: string;
  /** UDP; undefined: by TLS alone. */
  readonly port: number | undefined;
  readonly tls: { readonly port: number; readonly files: DoorTls } | undefined;
  readonly clients: readonly RadiusClientPlace[];
};

/** Undefined without `radius.port` and `radius.tls_port`. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readRadiusPlace({ radius }: Pick<Config, "radius">): Promise<RadiusPlace | undefined> {
  const anyPort = radius.port ?? radius.tlsPort;
  if (!hasPort("radius", { ...radius, port: anyPort }, ["clientsFile"])) return undefined;
  const { host, port, clientsFile } = radius;
  if (!clientsFile)
    throw new TurnupError(
      "config_invalid",
      `${port === undefined ? "radius.tls_port" : "radius.port"} is set, and radius.clients_file is not.`,
      { nextStep: "Name the file that has the gateways with their secrets, or give no port." },
    );
  const given = await readPlaces(clientsFile, readClients, NEXT);
  const clients = await Promise.all(given.map((client) => clientIn(clientsFile, client)));
  checkApart(clientsFile, clients);
  return { host, port, tls: await tlsOf(radius), clients };
}

async function clientIn(
  clientsFile: string,
  {
    name,
    addresses = [],
    secretFile,
    certificate,
    operator,
    disconnect,
  }: ReturnType<typeof readClients>[number],
): Promise<RadiusClientPlace> {
  if (secretFile !== undefined && addresses.length === 0)
    throw invalidPlaces(clientsFile, `${name} has a secret, and no addresses from which it may come`, NEXT);
  if (secretFile === undefined && certificate === undefined)
    throw invalidPlaces(clientsFile, `${name} has neither secretFile nor certificate`, NEXT);
  if (disconnect && (disconnect.host === undefined ? certificate === undefined : secretFile === undefined))
    throw invalidPlaces(
      clientsFile,
      `${name} is asked to disconnect by ${disconnect.host === undefined ? "TLS, and has no certificate" : "UDP, and has no secretFile"}`,
      NEXT,
    );
  return {
    ...{ name, addresses, operator },
    disconnect: disconnect && {
      host: disconnect.host,
      port: disconnect.port ?? DYNAMIC_PORT,
      withImsi: disconnect.withImsi ?? false,
    },
    certificate:
      certificate &&
      (certificate.startsWith("uri:") || certificate.startsWith("cn:")
        ? certificate
        : certificate.toLowerCase()),
    secret: secretFile === undefined ? undefined : await secretIn(resolve(dirname(clientsFile), secretFile)),
  };
}

function checkApart(clientsFile: string, clients: readonly RadiusClientPlace[]): void {
  if (twiceIn(clients.map(({ name }) => name)) !== undefined)
    throw invalidPlaces(clientsFile, "a name stands in it twice", NEXT);
  const byUdp = clients.filter(({ secret }) => secret !== undefined);
  const twice =
    twiceIn(byUdp.flatMap(({ addresses }) => addresses.map(plainNetwork))) ??
    twiceIn(clients.flatMap(({ certificate }) => certificate ?? []));
  if (twice !== undefined) throw invalidPlaces(clientsFile, `${twice} stands in it twice`, NEXT);
}

async function tlsOf({
  tlsPort,
  authorityFile,
  certificateFile,
  keyFile,
}: Config["radius"]): Promise<RadiusPlace["tls"]> {
  const files = { port: tlsPort, authorityFile, certificateFile, keyFile };
  if (tlsPort === undefined) {
    hasPort("radius", files, ["authorityFile", "certificateFile", "keyFile"], "tls_port");
    return undefined;
  }
  if (!authorityFile || !certificateFile || !keyFile)
    throw new TurnupError("config_invalid", "radius.tls_port is set, and a file of its TLS is missing.", {
      nextStep: "Give radius.authority_file, radius.certificate_file and radius.key_file, or no tls_port.",
    });
  return {
    port: tlsPort,
    files: await readDoorTls("radius", { authorityFile, certificateFile, keyFile }),
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
