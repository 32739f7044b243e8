/**
 * The proxy as the configuration has it: alone (`turnup proxy`), or in one process with the server that it leads to
 * (`turnup serve --with-proxy`). In one process the land leg is the same mutual TLS over this machine's own network, and what
 * its two ends need of each other is made at the first start; files that are given count.
 */
import { createPublicKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import type { ProvisioningServer } from "../../net/gateway/gateway.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import { TurnupError } from "../../term/error.ts";
import { Secret } from "../../term/secret.ts";
import {
  ensureLandCertificates,
  ensureProxyCertificates,
  landProxyOf,
  type ProxyCertificates,
} from "../certificates/leg-certificates.ts";
import { type Config, dataFolderOf } from "../config/config.ts";
import {
  hasLandFiles,
  type ProxyPolicy,
  readAccountsFile,
  readLandSettings,
  readPolicyFile,
} from "../config/leg-config.ts";
import type { LandPlace } from "../server/device-doors.ts";
import { machineLog, revocationLog, strangersLog } from "../server/machine-log.ts";
import type { ManageAddress } from "../server/proxy-teller.ts";
import { openRevocation, type Revocation } from "../server/revocation.ts";
import { type ProxyAccount, type ProxyOptions, type ProxyServer, startProxy } from "./proxy.ts";

/** Of the server's door for the proxy beside it, where `land.port` names none. */
const LAND_PORT = 8445;
const SECRET_CHARACTERS_MIN = 16;
const OWN_SECRET_OCTETS = 32;
const LOCAL_HOSTS = ["localhost", "127.0.0.1", "::1"];
/** Addresses that stand for all of a machine's: no name of anything. */
const EVERYWHERE = ["0.0.0.0", "::"];

/** What the files of a proxy say. */
type ProxyPlace = {
  readonly policy: ProxyPolicy;
  /** Accounts that are there from the start. */
  readonly accounts: readonly ProxyAccount[];
  readonly folder: string;
  readonly certificates: ProxyCertificates;
};

/** In one process with its server a proxy needs no policy: it leads to that server. */
const POLICY_BESIDE_SERVER: ProxyPolicy = {
  id: "proxy",
  servers: [],
  factoryAuthorities: undefined,
  gateways: [],
  bearers: [],
  bearerProfiles: {},
};

/** @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readProxyPlace(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  now: Date,
  { besideServer }: { readonly besideServer: boolean },
): Promise<ProxyPlace> {
  const { policyFile, accountsFile } = config.proxy;
  const isItself = besideServer && !hasLandFiles(config);
  if (policyFile === undefined && !isItself)
    throw new TurnupError("config_invalid", "proxy.policy_file is not set.", {
      nextStep: "See docs/operations.md for such a file.",
    });
  const policy =
    policyFile === undefined
      ? POLICY_BESIDE_SERVER
      : await readPolicyFile(policyFile, { besideServer: isItself });
  const folder = config.proxy.folder ?? join(dataFolderOf(config, env), "proxy");
  const certificates = await ensureProxyCertificates({
    folder: join(folder, "certificates"),
    proxyId: policy.id,
    hosts: hostsWith(config.proxy.host, config.proxy.manageHost),
    ...(policy.factoryAuthorities && { factoryAuthorities: policy.factoryAuthorities }),
    now,
  });
  const accounts = accountsFile === undefined ? [] : await readAccountsFile(accountsFile);
  return { policy, accounts, folder, certificates };
}

const hostsWith = (...more: readonly string[]): string[] => [
  ...new Set([...LOCAL_HOSTS, ...more.filter((host) => !EVERYWHERE.includes(host))]),
];

/** The server's door for the proxy beside it: by its files where they are given, else made in the proxy's folder. */
export async function landBeside(
  config: Config,
  { policy, folder, certificates }: ProxyPlace,
  now: Date,
): Promise<LandPlace | undefined> {
  if (hasLandFiles(config)) return readLandSettings(config);
  const { land } = config;
  return {
    id: land.id,
    host: land.host,
    port: landPortOf(config),
    certificates: await ensureLandCertificates({
      folder: join(folder, "certificates"),
      hosts: landHostsOf(config),
      proxyAuthority: certificates.airAuthority,
      now,
    }),
    proxies: [landProxyOf(policy.id, certificates)],
  };
}

export const landPortOf = ({ land }: Pick<Config, "land">): number => land.port ?? LAND_PORT;

/** The names of that door in its certificate. @throws TurnupError `config_invalid`: devices would have none for it */
export function landHostsOf({ land }: Pick<Config, "land">): readonly string[] {
  if (land.url === undefined && EVERYWHERE.includes(land.host))
    throw new TurnupError("config_invalid", `land.host is ${land.host} and land.url is not set.`, {
      nextStep: "Say in land.url by which address devices name this server.",
    });
  return hostsWith(land.host, ...(land.url === undefined ? [] : [new URL(land.url).hostname]));
}

/** The server of this process first, unless the policy says itself how it is reached. */
export function serversBeside(
  config: Config,
  { policy }: ProxyPlace,
  land: LandPlace | undefined,
  doorUrl: string | undefined,
): readonly ProvisioningServer[] {
  const url = config.land.url ?? doorUrl;
  if (!land || url === undefined || hasLandFiles(config)) return policy.servers;
  const { serverAuthority: authority, publicKey } = land.certificates;
  const own = { url, id: land.id, authority, publicKey };
  return [own, ...policy.servers.filter((server) => serverNameOf(server.url) !== serverNameOf(url))];
}

/**
 * The door by which the server of this process tells the proxy of accounts: the one of the configuration, else one on this
 * machine's own network under a secret that nobody else learns.
 */
export function manageBeside(
  config: Config,
  { certificates: { airAuthority: authority } }: ProxyPlace,
): { readonly config: Config; addressOf(proxy: ProxyServer): ManageAddress | undefined } {
  const given = config.proxy.manageSecret;
  const isNamed = config.proxy.managePort !== undefined && given !== undefined;
  const secret = isNamed ? given : new Secret(randomBytes(OWN_SECRET_OCTETS).toString("hex"));
  const own = { manageHost: "127.0.0.1", managePort: 0, manageSecret: secret };
  return {
    config:
      config.proxy.managePort === undefined ? { ...config, proxy: { ...config.proxy, ...own } } : config,
    addressOf({ manageUrl }) {
      if (manageUrl === undefined) return undefined;
      const url = new URL(manageUrl);
      if (EVERYWHERE.includes(url.hostname.replace(/[[\]]/g, ""))) url.hostname = "127.0.0.1";
      return { url: url.origin, authority, secret: secret.reveal() };
    },
  };
}

/** The proxy, and whether its devices' certificates were taken back. */
type ConfiguredProxy = ProxyServer & { readonly revocation: Revocation };

export async function startConfiguredProxy(
  { proxy: settings, tls }: Config,
  { policy, accounts, certificates, folder }: ProxyPlace,
  servers: readonly ProvisioningServer[],
  log: Pick<Logger, "info" | "warn" | "error">,
): Promise<ConfiguredProxy> {
  const revocation = await openRevocation(tls, { now: () => new Date(), tell: revocationLog(log) });
  const proxy = await startProxy({
    revocation,
    host: settings.host,
    port: settings.port,
    limits: { timeoutMs: settings.timeoutMs },
    olderTls: settings.olderTls,
    ...(settings.gatewayPort !== undefined && {
      gatewayDoor: { host: settings.gatewayHost, port: settings.gatewayPort },
    }),
    ...manageDoorOf(settings),
    id: policy.id,
    servers,
    gateways: policy.gateways,
    bearers: policy.bearers,
    bearerProfiles: policy.bearerProfiles,
    certificates,
    journalFolder: join(folder, "journal"),
    onMachine: machineLog(log),
    onStrangers: strangersLog(log),
    onTerminated: (record) => log.warn(record, "session ended"),
    onFault: (error) => log.error({ reason: error.message }, "fault"),
  });
  try {
    await proxy.openAccounts(accounts); // a SIM that moved since the file was written stays where it is
    return { ...proxy, revocation };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

/**
 * Puts into force what the files say now: servers, gateways, bearers, certificates, and accounts that are new.
 * @throws TurnupError, Error: then all stays as it was
 */
export async function changeProxy(
  proxy: ConfiguredProxy,
  { policy, certificates, accounts }: ProxyPlace,
  servers: readonly ProvisioningServer[],
  next: { readonly id: string; readonly tls: Config["tls"]; readonly manageSecret?: string | undefined },
): Promise<void> {
  const { id, manageSecret } = next;
  if (policy.id !== id)
    throw new TurnupError("config_invalid", `The policy's id is ${policy.id}, and this proxy is ${id}.`, {
      nextStep: "A proxy's name stands in its certificate and signatures: start it anew under another.",
    });
  const { gateways, bearers, bearerProfiles } = policy;
  const changeRevocation = await proxy.revocation.prepare(next.tls);
  proxy.change({ servers, gateways, bearers, bearerProfiles, certificates, manageSecret });
  changeRevocation();
  await proxy.openAccounts(accounts);
}

/** @throws TurnupError `config_invalid` */
export function manageDoorOf({
  manageHost: host,
  managePort: port,
  manageSecret,
}: Config["proxy"]): Pick<ProxyOptions, "manageDoor"> {
  if (port === undefined) return {};
  const secret = manageSecret?.reveal() ?? "";
  if (secret.length < SECRET_CHARACTERS_MIN)
    throw new TurnupError(
      "config_invalid",
      `proxy.manage_port is set, and proxy.manage_secret has no ${SECRET_CHARACTERS_MIN} characters.`,
      {
        nextStep: "Give proxy.manage_secret_file, or no port.",
      },
    );
  return { manageDoor: { host, port, secret } };
}

/** What devices and provisioning servers must know of this proxy. */
export function toldOf(proxy: ProxyServer, { policy, certificates, folder }: ProxyPlace): string {
  const { keyid, algorithm, key } = certificates.signing;
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  return [
    `${policy.id} serves devices at ${proxy.url}, ${proxy.accounts()} accounts` +
      (proxy.gatewayUrl === undefined ? "" : `, gateways at ${proxy.gatewayUrl}`) +
      (proxy.manageUrl === undefined ? "" : `, its operator at ${proxy.manageUrl}`),
    `devices and servers trust it by ${join(folder, "certificates", "proxy", "authority.crt")}`,
    `in a server's land.proxies_file: ${JSON.stringify([{ id: policy.id, keys: [{ keyid, algorithm, publicKey }] }])}`,
  ].join("\n");
}
