/**
 * Starts the proxy between airnet and landnet: its journal of accounts, its decisions, its doors for devices and for the
 * operator's own gateways, and its land leg to the provisioning servers. Stands alone or in the all-in-one.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { type AddressInfo, BlockList, isIPv6 } from "node:net";
import type { FastifyInstance } from "fastify";
import { createAirDoor } from "../../http/proxy/air.ts";
import { createGatewayDoor } from "../../http/proxy/gateway-door.ts";
import { createProxyParts } from "../../http/proxy/parts.ts";
import { createGateway, type GatewayLimits, type ProvisioningServer } from "../../net/gateway/gateway.ts";
import type { NetworkIdentity } from "../../proxy/admission.ts";
import { createEdge } from "../../proxy/edge.ts";
import { type GatewayRule, plainAddress } from "../../proxy/gateway-identity.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import type { AuditRecord, TerminationReason } from "../../proxy/session.ts";
import { openProxyJournal } from "../../store/journal/proxy-journal.ts";
import type { Bearer } from "../../wire/message/legs.ts";
import type { ProxyCertificates } from "../certificates/leg-certificates.ts";
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

export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  const { certificates, servers, host = "127.0.0.1", now = () => new Date() } = options;
  // A test that gives the time of day gives all time.
  const monotonicMs = (): number => options.now?.().getTime() ?? performance.now();
  const [first] = servers;
  if (!first) throw new RangeError("a proxy leads to one provisioning server or more");
  const counts: Partial<Record<TerminationReason, number>> = {};
  const freshOctets = (octets: number): Uint8Array => Uint8Array.from(randomBytes(octets));
  const edge = createEdge(randomUUID);
  const journal = await openProxyJournal({
    folder: options.journalFolder,
    sealKey: certificates.sealKey,
    replay: edge.apply,
  });
  const machines = createMachineWatch({ nowMs: () => now().getTime(), tell: options.onMachine });
  const gateway = createGateway({
    proxy: { id: options.id, ...certificates.land, signing: certificates.signing },
    servers,
    ...(options.limits && { limits: options.limits }),
    now,
    freshOctets,
  });
  const land = watchedLand(gateway, machines);
  const parts = createProxyParts({
    edge,
    journal,
    land,
    defaultServer: serverNameOf(first.url),
    airKey: certificates.airKey,
    gateways: options.gateways ?? [],
    bearerOf: bearerTable(options.bearers ?? []),
    networkIdentityOf: options.networkIdentityOf ?? (() => null),
    now,
    monotonicMs,
    freshOctets,
    onTerminated(record) {
      counts[record.reason] = (counts[record.reason] ?? 0) + 1;
      options.onTerminated?.(record);
    },
    onFault: options.onFault ?? (() => undefined),
  });
  const doors: FastifyInstance[] = [];
  const close = async (): Promise<void> => {
    for (const door of doors) await door.close();
    land.close();
    await journal.close();
  };
  try {
    const air = await createAirDoor({
      parts,
      tls: certificates.air,
      factoryAuthorities: certificates.factoryAuthorities,
      enrolment: certificates.enrolment,
    });
    doors.push(air);
    await air.listen({ host, port: options.port });
    const gatewayUrl = options.gatewayDoor && (await openGatewayDoor(doors, parts, options.gatewayDoor));
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
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openGatewayDoor(
  doors: FastifyInstance[],
  parts: ReturnType<typeof createProxyParts>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const door = await createGatewayDoor(parts);
  doors.push(door);
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
