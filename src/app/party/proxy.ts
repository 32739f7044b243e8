/**
 * Starts the proxy between airnet and landnet: its journal of accounts, its decisions, its doors for devices and for the
 * operator's own gateways, and its land leg to the provisioning servers. Stands alone or in the all-in-one.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { BlockList, isIPv6 } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Registry } from "prom-client";
import { changeTls } from "../../http/mutual-tls.ts";
import { changeAirCertificates, createAirDoor } from "../../http/proxy/air.ts";
import { createGatewayDoor } from "../../http/proxy/gateway-door.ts";
import { createManageDoor } from "../../http/proxy/manage-door.ts";
import {
  createProxyParts,
  type ProxyDoorOptions,
  type ProxyParts,
  type ProxyRules,
} from "../../http/proxy/parts.ts";
import {
  createGateway,
  type Gateway,
  type GatewayLimits,
  type ProvisioningServer,
} from "../../net/gateway/gateway.ts";
import type { NetworkIdentity } from "../../proxy/admission.ts";
import { createEdge } from "../../proxy/edge.ts";
import { type GatewayRule, plainAddress } from "../../proxy/gateway-identity.ts";
import type { LandLeg } from "../../proxy/land-leg.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import type { AuditRecord, TerminationReason } from "../../proxy/session.ts";
import { openProxyJournal } from "../../store/journal/proxy-journal.ts";
import { type BearerOverrides, bearerProfiles } from "../../wire/message/bearer-profile.ts";
import type { Bearer } from "../../wire/message/legs.ts";
import type { ProxyCertificates } from "../certificates/leg-certificates.ts";
import { portOf, urlOf } from "../server/address.ts";
import { type ClosingStack, opening } from "../server/closing-stack.ts";
import { createMachineWatch, type MachineNews } from "../server/machine-watch.ts";
import type { Revocation } from "../server/revocation.ts";
import { createStrangers, type StrangerNews } from "../server/strangers.ts";
import { liveLand } from "./live-land.ts";
import { proxyMeasures } from "./proxy-measures.ts";
import { watchedLand } from "./watched-land.ts";

export type ProxyOptions = {
  /** In its certificate and in each signature. */
  readonly id: string;
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The door for the operator's own gateways, plain HTTP inside its network; none without it. */
  readonly gatewayDoor?: { readonly host: string; readonly port: number };
  /** The door for the proxy's operator, by TLS and a bearer secret; none without it. */
  readonly manageDoor?: ManageDoor;
  readonly certificates: ProxyCertificates;
  /** Devices that have no TLS 1.3 are let in by 1.2. */
  readonly olderTls?: boolean;
  readonly journalFolder: string;
  /** The first is asked for enrolment tokens where an address names none. */
  readonly servers: readonly ProvisioningServer[];
  readonly gateways?: readonly GatewayRule[];
  /** Which networks ride on which bearer: `{network: "10.64.0.0", bits: 10, bearer: "gsm"}`. */
  readonly bearers?: readonly BearerNetwork[];
  /** What bearers carry in this network, where it differs from what is common. */
  readonly bearerProfiles?: BearerOverrides;
  /** Whose line an address is now, where the operator's accounting tells it. */
  networkIdentityOf?(address: string): NetworkIdentity | null;
  readonly limits?: Partial<GatewayLimits>;
  /** Whether devices' certificates were taken back; not looked at without it. */
  readonly revocation?: Pick<Revocation, "check" | "checkListed" | "measure">;
  now?(): Date;
  onTerminated?(record: AuditRecord): void;
  onFault?(error: Error): void;
  /** Who came no further than the handshake at the devices' door. */
  readonly onStrangers?: (news: StrangerNews) => void;
  /** A provisioning server does not let us in, or does not prove itself; or does so again. */
  readonly onMachine?: (news: MachineNews) => void;
};
type ManageDoor = { readonly host: string; readonly port: number; readonly secret: string };
export type BearerNetwork = { readonly network: string; readonly bits: number; readonly bearer: Bearer };
export type ProxyAccount = {
  readonly deviceId: string;
  readonly imsi: string | null;
  readonly msisdn: string | null;
};
export type ProxyServer = {
  readonly url: string;
  readonly port: number;
  readonly gatewayUrl: string | undefined;
  readonly manageUrl: string | undefined;
  /** Opens the accounts that are not there yet; resolved when they are on disk. */
  openAccounts(accounts: readonly ProxyAccount[]): Promise<void>;
  /** As `openAccounts`, and says of the others which SIM is in which handset now. */
  keepAccounts(accounts: readonly ProxyAccount[]): Promise<void>;
  setBlocked(deviceId: string, isBlocked: boolean): Promise<void>;
  accounts(): number;
  /** Resolved when every provisioning server has proved itself. @throws Error that names the one that did not */
  reach(): Promise<void>;
  /** Other servers, gateways, bearers and certificates from now on. @throws Error: then all stays as it was */
  change(next: Changeable): void;
  /** How often each reason ended a session since the start. */
  terminations(): Readonly<Partial<Record<TerminationReason, number>>>;
  close(): Promise<void>;
};

export const startProxy = (options: ProxyOptions): Promise<ProxyServer> =>
  opening(async (closing) => {
    const { certificates, host = "127.0.0.1", now = () => new Date() } = options;
    const edge = createEdge(randomUUID);
    const journal = closing.use(
      await openProxyJournal({
        folder: options.journalFolder,
        sealKey: certificates.sealKey,
        replay: edge.apply,
      }),
    );
    const land = closing.use(liveLand(openLand(options, options, now)));
    const counts: Counts = {};
    const rules = { ...rulesOf(options) };
    const measures = proxyMeasures({ edge, counts, forwarded: land.forwarded });
    const strangers = createStrangers({
      registry: measures,
      nowMs: monotonicOf(options),
      tell: options.onStrangers,
    });
    const onHandshakeRefused = strangers.at("air");
    options.revocation?.measure(measures);
    const parts = createProxyParts(
      partsOf(options, { edge, journal, land, now, counts, rules, onHandshakeRefused }),
    );
    const air = closing.use(await createAirDoor({ parts, ...airCertificatesOf(certificates, options) }));
    await air.listen({ host, port: options.port });
    const gatewayUrl = options.gatewayDoor && (await openGatewayDoor(closing, parts, options.gatewayDoor));
    const port = portOf(air.server);
    const manage = await openManageDoor(closing, parts, measures, options);
    const keepAccounts = (accounts: readonly ProxyAccount[]): Promise<void> =>
      journal.append(accounts.flatMap((account) => edge.keepAccount(account, now())));
    return {
      url: urlOf("https", host, port),
      port,
      gatewayUrl,
      manageUrl: manage?.url,
      openAccounts: (accounts) =>
        keepAccounts(accounts.filter(({ deviceId }) => edge.accountOf(deviceId) === undefined)),
      keepAccounts,
      setBlocked: (deviceId, isBlocked) => journal.append(edge.setBlocked(deviceId, isBlocked, now())),
      accounts: edge.size,
      reach: () => reach(land),
      terminations: () => ({ ...counts }),
      change(next) {
        const [nextRules, nextLand] = [rulesOf(next), openLand(options, next, now)];
        try {
          changeAirCertificates(air, airCertificatesOf(next.certificates, options));
          manage?.change(next);
        } catch (error) {
          nextLand.close();
          throw error;
        }
        Object.assign(rules, nextRules);
        land.change(nextLand);
      },
      close: () => closing.close(),
    };
  });

/** What a proxy is told anew while it runs. */
type Changeable = Pick<
  ProxyOptions,
  "servers" | "gateways" | "bearers" | "bearerProfiles" | "certificates"
> & {
  /** Of the door for its operator, where that is another. */
  readonly manageSecret?: string | undefined;
};

function rulesOf({ servers, gateways, bearers, bearerProfiles: figures }: Changeable): ProxyRules {
  const [first] = servers;
  if (!first) throw new RangeError("a proxy leads to one provisioning server or more");
  return {
    defaultServer: serverNameOf(first.url),
    gateways: gateways ?? [],
    bearerOf: bearerTable(bearers ?? []),
    profiles: bearerProfiles(figures),
  };
}

const airCertificatesOf = (
  { air: tls, airAuthority: doorAuthority, factoryAuthorities, enrolment }: ProxyCertificates,
  { olderTls: admitsOlder = false }: ProxyOptions,
) => ({ tls, doorAuthority, factoryAuthorities, enrolment, admitsOlder });

const freshOctets = (octets: number): Uint8Array => Uint8Array.from(randomBytes(octets));

async function reach(land: Pick<LandLeg, "servers" | "authenticate">): Promise<void> {
  for (const server of land.servers) {
    const answer = await land.authenticate(server);
    if (answer.kind === "failed") throw new Error(`${server}: ${answer.cause}`);
  }
}

function openLand(
  { id, limits, onMachine }: ProxyOptions,
  { certificates, servers }: Changeable,
  now: () => Date,
): Gateway {
  const machines = createMachineWatch({ nowMs: () => now().getTime(), tell: onMachine });
  const gateway = createGateway({
    proxy: { id, ...certificates.land, signing: certificates.signing },
    servers,
    ...(limits && { limits }),
    now,
    freshOctets,
  });
  return watchedLand(gateway, machines);
}

type Opened = Pick<ProxyDoorOptions, "edge" | "journal" | "land" | "now" | "rules" | "onHandshakeRefused"> & {
  /** How often each reason ended a session. */
  readonly counts: Counts;
};
type Counts = Partial<Record<TerminationReason, number>>;

/** A test that gives the time of day gives all time. */
const monotonicOf =
  ({ now }: ProxyOptions) =>
  (): number =>
    now?.().getTime() ?? performance.now();

function partsOf(options: ProxyOptions, { counts, ...opened }: Opened): ProxyDoorOptions {
  return {
    ...opened,
    airKey: options.certificates.airKey,
    networkIdentityOf: options.networkIdentityOf ?? (() => null),
    revocation: options.revocation && {
      factory: options.revocation.check,
      own: options.revocation.checkListed,
    },
    monotonicMs: monotonicOf(options),
    pause: (ms) => pause(ms),
    freshOctets,
    onTerminated(record) {
      counts[record.reason] = (counts[record.reason] ?? 0) + 1;
      options.onTerminated?.(record);
    },
    onFault: options.onFault ?? (() => undefined),
  };
}

async function openGatewayDoor(
  closing: ClosingStack,
  parts: ProxyParts,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const door = closing.use(await createGatewayDoor(parts));
  await door.listen({ host, port });
  return urlOf("http", host, portOf(door.server));
}

async function openManageDoor(
  closing: ClosingStack,
  parts: ProxyParts,
  registry: Registry,
  { manageDoor, certificates }: ProxyOptions,
): Promise<OpenManageDoor | undefined> {
  if (!manageDoor) return undefined;
  const { host, port, ...shown } = manageDoor;
  const { land } = parts;
  const door = closing.use(
    await createManageDoor({
      ...parts,
      registry,
      secret: () => shown.secret,
      tls: certificates.manage,
      reach: () => reach(land),
    }),
  );
  await door.listen({ host, port });
  return {
    url: urlOf("https", host, portOf(door.server)),
    change({ certificates: { manage }, manageSecret = shown.secret }) {
      changeTls(door.server, { key: manage.key, cert: manage.certificate, minVersion: "TLSv1.3" });
      shown.secret = manageSecret;
    },
  };
}

type OpenManageDoor = {
  readonly url: string;
  /** @throws Error of certificates that do not fit: then all stays as it was */
  change(next: Pick<Changeable, "certificates" | "manageSecret">): void;
};

function bearerTable(networks: readonly BearerNetwork[]): (address: string) => Bearer | undefined {
  const rules = networks.map(({ network, bits, bearer }) => {
    const list = new BlockList();
    list.addSubnet(network, bits, isIPv6(network) ? "ipv6" : "ipv4");
    return { list, bearer };
  });
  return (address) => {
    const plain = plainAddress(address);
    return rules.find(({ list }) => list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4"))?.bearer;
  };
}
