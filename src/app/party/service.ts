/** Starts the reference service server: its journal, its decisions, its doors. Stands alone or in the all-in-one. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { noRefusals } from "../../http/handshakes.ts";
import type { RevocationCheck } from "../../http/revocation-check.ts";
import { type OfferedService, type ServiceRefusal, serviceDoors } from "../../http/service/server.ts";
import { clientNamed, createAccessTokens } from "../../service/access-tokens.ts";
import { createReceiveManager } from "../../service/receive-manager.ts";
import {
  createRegistrationKernel,
  type RegistrationKernel,
  type ServiceJournal,
  type ServicePolicy,
} from "../../service/registration-kernel.ts";
import { openServiceJournal } from "../../store/journal/service-journal.ts";
import { assured } from "../../term/narrow.ts";
import type { PartyCertificates } from "../certificates/certificates.ts";
import { portOf, urlOf } from "../server/address.ts";
import { opening } from "../server/closing-stack.ts";

export type OfferedPolicy = Omit<ServicePolicy, "digestSecret">;
export type ServiceOptions = {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly certificates: PartyCertificates;
  readonly journalFolder: string;
  /** Operators with a contract. Their certificates bear `urn:turnup:client:<id>`. */
  readonly clientIds: readonly string[];
  /** What is offered, by the path of its SCIM door (`/scim/v2`). */
  readonly services: Readonly<Record<string, OfferedPolicy>>;
  /** Whether operators' certificates were taken back; not looked at without it. */
  readonly revocation?: RevocationCheck;
  now?(): Date;
  onRefused?(refusal: ServiceRefusal): void;
  onFault?(error: Error): void;
  /** Stands between the doors and the journal: for a test of a disk that fails. */
  journal?(real: ServiceJournal): ServiceJournal;
};
export type Service = {
  /** Without a path; tokens are at `/oauth2/token`. */
  readonly url: string;
  readonly port: number;
  kernelAt(path: string): RegistrationKernel;
  /** How often each kind of caller was refused since the start. */
  refusals(): Readonly<Record<ServiceRefusal["cause"], number>>;
  close(): Promise<void>;
};

export const startService = (options: ServiceOptions): Promise<Service> =>
  opening(async (closing) => {
    const { certificates, host = "127.0.0.1" } = options;
    const counts = { ...noRefusals(), no_contract: 0, no_token: 0 };
    const freshOctets = (octets: number) => Uint8Array.from(randomBytes(octets));
    const services: OfferedService[] = [];
    for (const [path, policy] of Object.entries(options.services))
      services.push(closing.use(await openService(path, policy, options, freshOctets)));
    const doors = closing.use(
      serviceDoors({
        services,
        clientOf: (names) => clientNamed(options.clientIds, names),
        tokens: createAccessTokens(freshOctets),
        tls: { ...certificates.server, authority: certificates.authority },
        revocation: options.revocation,
        now: options.now ?? (() => new Date()),
        monotonicMs: () => options.now?.().getTime() ?? performance.now(),
        onRefused(refusal) {
          counts[refusal.cause]++;
          options.onRefused?.(refusal);
        },
        onFault: options.onFault ?? (() => undefined),
      }),
    );
    await doors.listen({ host, port: options.port });
    const port = portOf(doors.server);
    return {
      url: urlOf("https", host, port),
      port,
      kernelAt: (path) =>
        assured(
          services.find((one) => one.path === path),
          "only its own paths are asked for",
        ).kernel,
      refusals: () => ({ ...counts }),
      close: () => closing.close(),
    };
  });

/** Each service has a kernel and a journal of its own. */
async function openService(
  path: string,
  policy: OfferedPolicy,
  { certificates, journalFolder, journal }: ServiceOptions,
  freshOctets: (octets: number) => Uint8Array,
): Promise<OfferedService & { close(): Promise<void> }> {
  if (!/^(\/[a-z0-9-]+)+$/.test(path)) throw new RangeError("a path of /a-z 0-9 - is wanted");
  const kernel = createRegistrationKernel({ ...policy, digestSecret: certificates.indexSecret }, freshOctets);
  const kept = await openServiceJournal({
    folder: join(journalFolder, path.slice(1).replaceAll("/", "_")),
    sealKey: certificates.sealKey,
    replay: kernel.apply,
  });
  return {
    path,
    kernel,
    receive: createReceiveManager(kernel),
    journal: journal?.(kept) ?? kept,
    close: kept.close,
  };
}
