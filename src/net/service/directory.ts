/**
 * The service servers that we have a contract with, each by the URI that catalog items name it by. Each has its own
 * certificate of ours, its own authority and pins, its own token and its own connections: no session and no secret of
 * one is of use at another (R28).
 */
import type { ServiceServerPort } from "../../kernel/calls/connectors.ts";
import { clientCredentials, fixedToken } from "../exchange/token.ts";
import { scimServiceServer } from "./scim-client.ts";

export type ServiceProvider = {
  /** Of its SCIM door: `https://service.example/scim/v2`. */
  readonly uri: string;
  readonly identity?: { readonly certificate: string; readonly key: string };
  readonly authority?: string;
  /** SHA-256 of the server's public key, in base64. */
  readonly pins?: readonly string[];
  readonly access:
    | { readonly kind: "bearer"; readonly token: string }
    | {
        /** A token by client credentials, bound to our certificate (RFC 8705). */
        readonly kind: "certificate_bound";
        readonly tokenUrl: string;
        readonly clientId: string;
        readonly scope?: string;
      };
};

export type ServiceDirectory = {
  /** Undefined where there is no contract with the server of this URI. */
  serverOf(uri: string): ServiceServerPort | undefined;
  close(): void;
};

/** @throws RangeError for two providers with one URI, or one whose way is not secure */
export function serviceDirectory(providers: readonly ServiceProvider[], timeoutMs: number): ServiceDirectory {
  const servers = new Map<string, ServiceServerPort & { close(): void }>();
  for (const provider of providers) {
    const uri = plain(provider.uri);
    if (servers.has(uri)) throw new RangeError("two service providers have one URI");
    servers.set(uri, serverFor(provider, timeoutMs));
  }
  return {
    serverOf: (uri) => servers.get(plain(uri)),
    close() {
      for (const server of servers.values()) server.close();
    },
  };
}

function serverFor({ uri, access, ...way }: ServiceProvider, timeoutMs: number) {
  if (access.kind === "certificate_bound" && !way.identity)
    throw new RangeError("a token that is bound to a certificate wants a certificate");
  const tokens =
    access.kind === "bearer" ? fixedToken(access.token) : clientCredentials({ ...access, ...way, timeoutMs });
  return scimServiceServer({ url: uri, ...way, tokens, timeoutMs });
}

const plain = (uri: string): string => uri.replace(/\/+$/, "");
