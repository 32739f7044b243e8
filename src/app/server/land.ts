/** Starts the provisioning server's door for proxies. What stands behind it comes in as a handler. */
import { randomBytes } from "node:crypto";
import type { LandHandler } from "../../http/land/handler.ts";
import {
  createLandServer,
  type LandProxy,
  type LandRefusal,
  type LandServerOptions,
} from "../../http/land/server.ts";
import type { LandCertificates } from "../certificates/leg-certificates.ts";
import { portOf, urlOf } from "./address.ts";

export type LandOptions = {
  /** Our name in proofs. */
  readonly id: string;
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly certificates: LandCertificates;
  readonly revocation?: LandServerOptions["revocation"];
  readonly proxies: readonly LandProxy[];
  readonly handler: LandHandler;
  readonly enrolmentOf: LandServerOptions["enrolmentOf"];
  readonly onProved?: LandServerOptions["onProved"] | undefined;
  now?(): Date;
  onRefused?(refusal: LandRefusal): void;
  onFault?(error: Error): void;
};
export type Land = {
  readonly url: string;
  readonly port: number;
  /** Other certificates and proxies from now on. @throws Error where they do not fit: then all stays as it was */
  change(next: Pick<LandOptions, "certificates" | "proxies">): void;
  close(): Promise<void>;
};

const tlsOf = ({ server, proxyAuthority }: LandCertificates) => ({ ...server, authority: proxyAuthority });

export async function startLand(options: LandOptions): Promise<Land> {
  const { certificates, host = "127.0.0.1" } = options;
  const { app: door, change } = createLandServer({
    id: options.id,
    tls: tlsOf(certificates),
    signingKey: certificates.signingKey,
    sessionKey: certificates.sessionKey,
    proxies: options.proxies,
    revocation: options.revocation,
    handler: options.handler,
    enrolmentOf: options.enrolmentOf,
    now: options.now ?? (() => new Date()),
    freshOctets: (octets) => Uint8Array.from(randomBytes(octets)),
    onProved: options.onProved ?? (() => undefined),
    onRefused: options.onRefused ?? (() => undefined),
    onFault: options.onFault ?? (() => undefined),
  });
  await door.listen({ host, port: options.port });
  const port = portOf(door.server);
  return {
    url: urlOf("https", host, port),
    port,
    change: (next) => change({ tls: tlsOf(next.certificates), proxies: next.proxies }),
    close: () => door.close(),
  };
}
