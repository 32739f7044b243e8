/** What a server is started with. */
import type { DestinationStream } from "pino";
import type { ReadinessCheck } from "../../http/ports.ts";
import type { Connectors } from "../../kernel/conductor/request-calls.ts";
import type { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import type { TurnupError } from "../../term/error.ts";
import type { CertificateNews } from "../certificates/certificate-watch.ts";
import type { Config } from "../config/config.ts";
import type { RadiusPlace } from "../config/radius-config.ts";
import type { ConnectorConfig } from "./connectors.ts";
import type { LandPlace } from "./device-doors.ts";
import type { MachineNews } from "./machine-watch.ts";
import type { MakerCredentials } from "./maker-ports.ts";
import type { RevocationNews } from "./revocation.ts";
import type { StrangerNews } from "./strangers.ts";

export type ServerOptions = {
  readonly config: Config;
  /** For a person: what the start is doing. */
  readonly log: (message: string) => void;
  /** Log lines as JSON; none without it. */
  readonly logStream?: DestinationStream;
  /** Certificates for key servers, where they do not come from the configuration's files. */
  readonly makerCredentials?: MakerCredentials;
  /** Starts what is outside, beside the database; the configuration's own message centre and bank otherwise. */
  readonly outside?: (catalog: DeviceCatalog) => Promise<Outside>;
  /** Rows of the shipped data that are being loaded: the first start only. */
  readonly onProgress?: (done: number, total: number, name: string) => void;
  readonly onChanges?: (changes: ChangeSet) => void;
  readonly onFault?: (name: string, error: unknown) => void;
  /** A machine of others refuses our credentials, or takes them again. */
  readonly onMachine?: (news: MachineNews) => void;
  /** Who came no further than the handshake at a door for certificates; one line a minute of each door at most. */
  readonly onStrangers?: (news: StrangerNews) => void;
  /** Whether certificates were taken back cannot be told; one line a minute at most. */
  readonly onRevocation?: (news: RevocationNews) => void;
  /** A certificate that the configuration names is over, not good yet, or near its end: at the start, and once a day. */
  readonly onCertificates?: (news: CertificateNews) => void;
  /** The embedded database died and does not come back: the server is of no use any more. */
  readonly onLost?: (error: TurnupError) => void;
  /** Machines that requests of the device's road ask; those of the configuration otherwise. */
  readonly connectors?: Partial<Connectors>;
  /** The door for proxies, where it does not come from the configuration's files. */
  readonly land?: LandPlace;
  /** The door for RADIUS accounting, where it does not come from the configuration's files. */
  readonly radius?: RadiusPlace;
  /** Parts of this process that are none of the server's, and without which it is not ready. */
  readonly alsoReady?: readonly ReadinessCheck[];
};

/** What of the outside is known only once it runs: a message centre, key servers, a bank. */
export type Outside = {
  readonly smsc: Pick<Config["smsc"], "host" | "port" | "password">;
  readonly bank: Pick<Config["bank"], "url" | "secret">;
  readonly makerCredentials: MakerCredentials;
  /** Other companies' machines of the device's road. */
  readonly connectors?: ConnectorConfig;
  readonly land?: LandPlace;
};

/** The configuration, with what came up outside in its place. */
export function withOutside(
  config: Config,
  outside: Outside | undefined,
): Pick<ServerOptions, "config" | "makerCredentials" | "land"> {
  if (!outside) return { config };
  const { smsc, bank, makerCredentials, connectors, land } = outside;
  return {
    config: {
      ...config,
      ...connectors,
      smsc: { ...config.smsc, ...smsc },
      smscEntries: [], // the network outside is another
      bank: { ...config.bank, ...bank },
    },
    makerCredentials,
    ...(land && { land }),
  };
}
