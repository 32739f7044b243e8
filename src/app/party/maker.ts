/** Starts the manufacturer's key server: its journal, its decisions, its doors. Stands alone or in the all-in-one. */
import { randomBytes } from "node:crypto";
import { noRefusals } from "../../http/handshakes.ts";
import { type MakerRefusal, makerDoors } from "../../http/maker/server.ts";
import type { RevocationCheck } from "../../http/revocation-check.ts";
import { createKeyServer, type KeyServer } from "../../maker/key-server.ts";
import type { MakerPolicy } from "../../maker/policy.ts";
import { openMakerJournal } from "../../store/journal/maker-journal.ts";
import type { MakerCertificates } from "../certificates/certificates.ts";
import { portOf, urlOf } from "../server/address.ts";
import { opening } from "../server/closing-stack.ts";

export type MakerOptions = {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly certificates: MakerCertificates;
  readonly journalFolder: string;
  readonly policy: Omit<MakerPolicy, "signingKey" | "indexSecret">;
  /** Whether operators' certificates were taken back; not looked at without it. */
  readonly revocation?: RevocationCheck;
  now?(): Date;
  onRefused?(refusal: MakerRefusal): void;
  onFault?(error: Error): void;
};
export type Maker = {
  readonly url: string;
  readonly port: number;
  readonly keyServer: KeyServer;
  /** How often each kind of caller was refused since the start. */
  refusals(): Readonly<Record<MakerRefusal["cause"], number>>;
  close(): Promise<void>;
};

export const startMaker = (options: MakerOptions): Promise<Maker> =>
  opening(async (closing) => {
    const { certificates, host = "127.0.0.1" } = options;
    const counts = { ...noRefusals(), no_contract: 0 };
    const keyServer = createKeyServer(
      {
        ...options.policy,
        signingKey: certificates.signing.privateKey,
        indexSecret: certificates.indexSecret,
      },
      (octets) => Uint8Array.from(randomBytes(octets)),
    );
    const journal = closing.use(
      await openMakerJournal({
        folder: options.journalFolder,
        sealKey: certificates.sealKey,
        replay: keyServer.apply,
      }),
    );
    const doors = makerDoors({
      keyServer,
      journal,
      tls: { ...certificates.server, authority: certificates.authority },
      revocation: options.revocation,
      now: options.now ?? (() => new Date()),
      onRefused(refusal) {
        counts[refusal.cause]++;
        options.onRefused?.(refusal);
      },
      onFault: options.onFault ?? (() => undefined),
    });
    closing.use(doors);
    await doors.listen({ host, port: options.port });
    const port = portOf(doors.server);
    return {
      url: urlOf("https", host, port),
      port,
      keyServer,
      refusals: () => ({ ...counts }),
      close: () => closing.close(),
    };
  });
