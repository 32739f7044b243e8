/**
 * Starts the proxy between airnet and landnet: its journal of accounts, its decisions, its doors for devices and for the
 * operator's own gateways, and its land leg to the provisioning servers. Stands alone or in the all-in-one.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { type AddressInfo, BlockList, isIPv6 } from "node:net";
import { createAirDoor } from "../../http/proxy/air.ts";
import { createGatewayDoor } from "../../http/proxy/gateway-door.ts";
import { createProxyParts, type ProxyDoorOptions } from "../../http/proxy/parts.ts";
import { createGateway, type GatewayLimits, type ProvisioningServer } from "../../net/gateway/gateway.ts";
import type { NetworkIdentity } from "../../proxy/admission.ts";
import { createEdge } from "../../proxy/edge.ts";
import { type GatewayRule, plainAddress } from "../../proxy/gateway-identity.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import type { AuditRecord, TerminationReason } from "../../proxy/session.ts";
import { openProxyJournal } from "../../store/journal/proxy-journal.ts";
import type { Bearer } from "../../wire/message/legs.ts";
import type { ProxyCertificates } from "../certificates/leg-certificates.ts";
import { type ClosingStack, opening } from "../server/closing-stack.ts";
import { createMachineWatch, type MachineNews } from "../server/machine-watch.ts";
import { watchedLand } from "./watched-land.ts";

export type ProxyOptions = {
  /** In its certificate and in each signature. */
  readonly id: string;
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The door for the operator's own gateways, plain HTTP inside its network; none without it. */
  readonly gatewayDoor?: { readonly host: string; readonly port: number };
  readonly certificates: ProxyCertificates;
  readonly journalFolder: string;
  /** The first is asked for enrolment tokens where an address names none. */
  readonly servers: readonly ProvisioningServer[];
  readonly gateways?: readonly GatewayRule[];
  /** Which networks ride on which bearer: `{network: "10.64.0.0", bits: 10, bearer: "gsm"}`. */
  readonly bearers?: readonly BearerNetwork[];
  /** Whose line an address is now, where the operator's accounting tells it. */
  networkIdentityOf?(address: string): NetworkIdentity | null;
  readonly limits?: Partial<GatewayLimits>;
  now?(): Date;
  onTerminated?(record: AuditRecord): void;
  onFault?(error: Error): void;
  /** A provisioning server does not let us in, or does not prove itself; or does so again. */
  readonly onMachine?: (news: MachineNews) => void;
};
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
  /** Opens the accounts that are not there yet; resolved when they are on disk. */
  openAccounts(accounts: readonly ProxyAccount[]): Promise<void>;
  /** As `openAccounts`, and says of the others which SIM is in which handset now. */
  keepAccounts(accounts: readonly ProxyAccount[]): Promise<void>;
  setBlocked(deviceId: string, isBlocked: boolean): Promise<void>;
  accounts(): number;
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
    const land = closing.use(openLand(options, now));
    const counts: Partial<Record<TerminationReason, number>> = {};
    const parts = createProxyParts(partsOf(options, { edge, journal, land, now, counts }));
    const air = closing.use(
      await createAirDoor({
        parts,
        tls: certificates.air,
        factoryAuthorities: certificates.factoryAuthorities,
        enrolment: certificates.enrolment,
      }),
    );
    await air.listen({ host, port: options.port });
    const gatewayUrl = options.gatewayDoor && (await openGatewayDoor(closing, parts, options.gatewayDoor));
    const { port } = air.server.address() as AddressInfo; // it listens on TCP
    const keepAccounts = (accounts: readonly ProxyAccount[]): Promise<void> =>
      journal.append(accounts.flatMap((account) => edge.keepAccount(account, now())));
    return {
      url: urlOf("https", host, port),
      port,
      gatewayUrl,
      openAccounts: (accounts) =>
        keepAccounts(accounts.filter(({ deviceId }) => edge.accountOf(deviceId) === undefined)),
      keepAccounts,
      setBlocked: (deviceId, isBlocked) => journal.append(edge.setBlocked(deviceId, isBlocked, now())),
      accounts: edge.size,
      terminations: () => ({ ...counts }),
      close: () => closing.close(),
    };
  });

const freshOctets = (octets: number): Uint8Array => Uint8Array.from(randomBytes(octets));

function openLand({ id, certificates, servers, limits, onMachine }: ProxyOptions, now: () => Date) {
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

type Opened = Pick<ProxyDoorOptions, "edge" | "journal" | "land" | "now"> & {
  /** How often each reason ended a session. */
  readonly counts: Partial<Record<TerminationReason, number>>;
};

function partsOf(options: ProxyOptions, { counts, ...opened }: Opened): ProxyDoorOptions {
  const [first] = options.servers;
  if (!first) throw new RangeError("a proxy leads to one provisioning server or more");
  return {
    ...opened,
    defaultServer: serverNameOf(first.url),
    airKey: options.certificates.airKey,
    gateways: options.gateways ?? [],
    bearerOf: bearerTable(options.bearers ?? []),
    networkIdentityOf: options.networkIdentityOf ?? (() => null),
    // A test that gives the time of day gives all time.
    monotonicMs: () => options.now?.().getTime() ?? performance.now(),
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
  parts: ReturnType<typeof createProxyParts>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const door = closing.use(await createGatewayDoor(parts));
  await door.listen({ host, port });
  return urlOf("http", host, (door.server.address() as AddressInfo).port);
}

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

const urlOf = (scheme: string, host: string, port: number): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
