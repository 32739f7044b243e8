/** Starts the reference service server: its journal, its decisions, its doors. Stands alone or in the all-in-one. */
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type ServiceRefusal, serviceDoors } from "../http/service/server.ts";
import { createAccessTokens } from "../service/access-tokens.ts";
import { createReceiveManager } from "../service/receive-manager.ts";
import {
  createRegistrationKernel,
  type RegistrationKernel,
  type ServiceJournal,
  type ServicePolicy,
} from "../service/registration-kernel.ts";
import { openServiceJournal } from "../store/service-journal.ts";
import type { PartyCertificates } from "./certificates.ts";

export type ServiceOptions = {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly certificates: PartyCertificates;
  readonly journalFolder: string;
  readonly policy: Omit<ServicePolicy, "digestSecret">;
  now?(): Date;
  onRefused?(refusal: ServiceRefusal): void;
  onFault?(error: Error): void;
  /** Stands between the doors and the journal: for a test of a disk that fails. */
  journal?(real: ServiceJournal): ServiceJournal;
};
export type Service = {
  /** Without the path; SCIM is at `/scim/v2`, tokens at `/oauth2/token`. */
  readonly url: string;
  readonly port: number;
  readonly kernel: RegistrationKernel;
  /** How often each kind of caller was refused since the start. */
  refusals(): Readonly<Record<ServiceRefusal["cause"], number>>;
  close(): Promise<void>;
};

export async function startService(options: ServiceOptions): Promise<Service> {
  const { certificates, host = "127.0.0.1" } = options;
  const counts = { no_certificate: 0, wrong_authority: 0, handshake_failed: 0, no_contract: 0, no_token: 0 };
  const freshOctets = (octets: number) => Uint8Array.from(randomBytes(octets));
  const kernel = createRegistrationKernel(
    { ...options.policy, digestSecret: certificates.indexSecret },
    freshOctets,
  );
  const journal = await openServiceJournal({
    folder: options.journalFolder,
    sealKey: certificates.sealKey,
    replay: kernel.apply,
  });
  const doors = serviceDoors({
    kernel,
    receive: createReceiveManager(kernel),
    tokens: createAccessTokens(freshOctets),
    journal: options.journal?.(journal) ?? journal,
    tls: { ...certificates.server, authority: certificates.authority },
    now: options.now ?? (() => new Date()),
    onRefused(refusal) {
      counts[refusal.cause]++;
      options.onRefused?.(refusal);
    },
    onFault: options.onFault ?? (() => undefined),
  });
  try {
    await doors.listen({ host, port: options.port });
  } catch (error) {
    await journal.close();
    throw error;
  }
  const { port } = doors.server.address() as AddressInfo; // it listens on TCP
  return {
    url: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    kernel,
    refusals: () => ({ ...counts }),
    async close() {
      await doors.close();
      await journal.close();
    },
  };
}
