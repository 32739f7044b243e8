/**
 * Other provisioning servers that this one is told of by `peer.file`: what people call them, where a browser finds their portal,
 * and how requests are forwarded there. Paths in the file are relative to it; what is wrong is told before anything starts.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { PeerServer } from "../../kernel/calls/connectors.ts";
import type { Peers } from "../../kernel/catalog/peers.ts";
import { peerServer } from "../../net/peer/client.ts";
import { TurnupError } from "../../term/error.ts";
import { list, object, optional, ShapeError, text } from "../../wire/message/shape.ts";
import type { Config } from "../config/config.ts";
import { checkAuthority, checkIdentity } from "../config/pem.ts";
import { createRetired } from "./retired.ts";

const PEERS_MAX = 100;
const path = text({ max: 1_000 });
const url = text({
  max: 300,
  pattern: /^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|localhost)(?=[:/]|$))\S*$/,
  wanted: "an https URL is wanted",
});
const readPeers = list(
  object({
    /** As `provisioningServer` of an item has it. */
    origin: text({ max: 300, pattern: /^https:\/\/[^\s/]+$/, wanted: "https://host:port is wanted" }),
    name: text({ max: 60 }),
    portalUrl: optional(url),
    apiUrl: optional(url),
    tokenFile: optional(path),
    authorityFile: optional(path),
    certificateFile: optional(path),
    keyFile: optional(path),
    /** SHA-256 of its public key (SPKI), in base64. */
    pins: optional(list(text({ min: 44, max: 44, pattern: /^[A-Za-z0-9+/]{43}=$/ }), { min: 1, max: 8 })),
  }),
  { max: PEERS_MAX },
);
type Peer = ReturnType<typeof readPeers>[number];

export type OpenPeers = {
  readonly peers: Peers;
  /** Undefined where no file names any: then nobody knows which there are. */
  readonly hasServer: ((origin: string) => boolean) | undefined;
  readonly at: (operatorId: string, origin: string) => PeerServer | undefined;
  close(): void;
};

/** @throws TurnupError `config_invalid`, `file_unreadable` */
export function openPeers({ peer: { file, timeoutMs } }: Pick<Config, "peer">): OpenPeers {
  const known = new Map<string, Peer>();
  const clients = new Map<string, PeerServer & { close(): void }>();
  const know = (file: string, peer: Peer): void => {
    const { origin } = URL.canParse(peer.origin) ? new URL(peer.origin) : { origin: "" };
    if (origin !== peer.origin) throw invalid(file, `${peer.origin} has to be an origin alone, as ${origin}`);
    if (known.has(peer.origin)) throw invalid(file, `${peer.origin} is named twice`);
    known.set(peer.origin, peer);
    const client = clientOf(peer, file, timeoutMs);
    if (client) clients.set(peer.origin, client);
  };
  if (file !== undefined) for (const peer of peersIn(file)) know(file, peer);
  return {
    peers: {
      of(origin) {
        const peer = known.get(origin);
        if (!peer) return undefined;
        const portalUrl = peer.portalUrl?.replace(/\/+$/, "") ?? null;
        return { name: peer.name, portalUrl, takesRequests: clients.has(origin) };
      },
    },
    hasServer: file === undefined ? undefined : (origin) => known.has(origin),
    at: (_operatorId, origin) => clients.get(origin),
    close() {
      for (const client of clients.values()) client.close();
    },
  };
}

/** Peers that may be others while requests are under way: a call ends at the client that it began with. */
export function livePeers(first: OpenPeers) {
  let current = first;
  const retired = createRetired();
  return {
    peers: { of: (origin) => current.peers.of(origin) } satisfies Peers,
    /** Where no file names any, nobody knows which there are: each may be one. */
    hasServer: (origin: string): boolean => current.hasServer?.(origin) ?? true,
    at: ((operatorId, origin) => current.at(operatorId, origin)) satisfies OpenPeers["at"],
    change(next: OpenPeers): void {
      retired.add(current);
      current = next;
    },
    async close(): Promise<void> {
      await retired.close();
      current.close();
    },
  };
}

function clientOf(
  { origin, apiUrl, tokenFile, authorityFile, certificateFile, keyFile, pins }: Peer,
  file: string,
  timeoutMs: number,
) {
  if (apiUrl === undefined && tokenFile === undefined) return undefined;
  if (apiUrl === undefined || tokenFile === undefined)
    throw invalid(file, `${origin}: apiUrl and tokenFile go together`);
  if ((certificateFile === undefined) !== (keyFile === undefined))
    throw invalid(file, `${origin}: a certificate and its key go together`);
  const beside = (name: string): string => contentOf(resolve(dirname(file), name));
  const identity =
    certificateFile && keyFile ? { certificate: beside(certificateFile), key: beside(keyFile) } : undefined;
  const authority = authorityFile && beside(authorityFile);
  const of = (member: string): string => `${file}, ${origin}: ${member}`;
  if (identity) checkIdentity(identity, { certificate: of("certificateFile"), key: of("keyFile") });
  if (authority) checkAuthority(authority, of("authorityFile"));
  try {
    return peerServer({
      url: apiUrl,
      timeoutMs,
      token: beside(tokenFile).trim(),
      ...(authority ? { authority } : {}),
      ...(identity ? { identity } : {}),
      ...(pins ? { pins } : {}),
    });
  } catch (error) {
    if (error instanceof RangeError) throw invalid(file, `${origin}: ${error.message}`);
    throw error;
  }
}

function peersIn(file: string): Peer[] {
  try {
    return readPeers(JSON.parse(contentOf(file)), "");
  } catch (error) {
    if (error instanceof ShapeError) throw invalid(file, error.message);
    if (error instanceof SyntaxError) throw invalid(file, "it is no JSON");
    throw error;
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}

const invalid = (file: string, fact: string): TurnupError =>
  new TurnupError("config_invalid", `peer.file = ${file}: ${fact}.`, {
    nextStep: "Correct the file at the place named; nothing of it was taken over.",
  });
