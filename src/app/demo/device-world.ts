/**
 * The device's road around a server, each party a machine of its own: sandboxes of other companies, two reference service
 * servers, the proxy between airnet and landnet, and new phones that run the client module. It runs beside the simulated
 * world, in its process or in a test's, and speaks to the server by its doors alone.
 */

import { createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { factoryModules } from "../../device/modules.ts";
import { APPLICATIONS, type ApplicationName } from "../../sim/handset/application-state.ts";
import {
  createOwnSoftware,
  type OwnSoftware,
  type OwnSoftwareSurroundings,
} from "../../sim/phone/own-software.ts";
import { createPhone, type Phone } from "../../sim/phone/phone.ts";
import type { PhoneEvent, PhoneOptions } from "../../sim/phone/phone-state.ts";
import { firstOf } from "../../term/collections.ts";
import { ensureLegCertificates, type LegCertificates } from "../certificates/leg-certificates.ts";
import { type ProxyOptions, type ProxyServer, startProxy } from "../party/proxy.ts";
import { type Sandboxes, type SandboxHabits, startSandboxes } from "./sandboxes.ts";
import { ensureTrialVendor, TRIAL_VENDOR, type TrialVendor } from "./trial-vendor.ts";

export const ROAD_WORLD = {
  proxyId: "edge-1",
  landId: "turnup",
  /** What phones of the fleet leave the factory with, asleep (R18). */
  dormantModule: "java-runtime",
} as const;

const DORMANT = {
  name: ROAD_WORLD.dormantModule,
  version: "1.0",
  vendor: TRIAL_VENDOR,
  state: "dormant",
} as const;

type DeviceWorldOptions = {
  readonly folder: string;
  readonly seed: number;
  readonly now: () => Date;
  readonly habits?: SandboxHabits;
  /** Hands an SMS of a phone to the message centre; throws where it is not taken. */
  submitMo: PhoneOptions["submitMo"];
  onEvent?(event: PhoneEvent): void;
  onFault(error: unknown): void;
  /** The network that phones' own software uses with settings that came over the air or were typed in; none without it. */
  readonly network?: OwnSoftwareSurroundings;
};

/** A provisioning server that the proxy leads to. */
export type DeviceWorldServer = { readonly id: string; readonly url: string };
type DeviceWorldConnection = {
  /** The first is where phones begin. */
  readonly servers: readonly DeviceWorldServer[];
  /** Whose content phones install. SPKI in base64. */
  readonly issuers: readonly { readonly name: string; readonly spki: string }[];
  readonly proxy?: Partial<ProxyOptions>;
};
type NewPhone = Pick<PhoneOptions, "imei" | "imsi" | "msisdn"> &
  Partial<PhoneOptions> & {
    /** Applications that its own software claims; all of them without it. */
    readonly applications?: readonly ApplicationName[];
  };

export type DeviceWorld = {
  readonly sandboxes: Sandboxes;
  /** Of the same folder as the server's, so that the ends of each leg trust each other. */
  readonly certificates: LegCertificates;
  /** Whose software modules phones of the fleet install. */
  readonly vendor: TrialVendor;
  /** The phones so far, in the order they were made. */
  readonly phones: readonly Phone[];
  connect(connection: DeviceWorldConnection): Promise<ProxyServer>;
  proxy(): ProxyServer;
  /** A phone with an account at the proxy, switched off. */
  phone(spec: NewPhone): Promise<Phone>;
  /** What a phone has beside its module; undefined where there is no network for it. */
  ownSoftwareOf(msisdn: string): OwnSoftware | undefined;
  /** Resolves when no application of these phones does anything. */
  idle(): Promise<void>;
  /** To whom of these phones an SMS goes; undefined for a number of somebody else's. */
  phoneOf(msisdn: string): Phone | undefined;
  close(): Promise<void>;
};

type World = {
  readonly options: DeviceWorldOptions;
  readonly certificates: LegCertificates;
  readonly vendor: TrialVendor;
  readonly phones: Phone[];
  readonly byMsisdn: Map<string, Phone>;
  readonly software: Map<string, OwnSoftware>;
  /** Whose content phones install. */
  readonly issuers: Map<string, KeyObject>;
  /** Once it is connected. */
  leads: { readonly to: DeviceWorldConnection; readonly proxy: ProxyServer } | undefined;
};

export async function startDeviceWorld(options: DeviceWorldOptions): Promise<DeviceWorld> {
  const { folder, now, habits } = options;
  const certificates = await ensureLegCertificates({
    folder: join(folder, "road"),
    proxyId: ROAD_WORLD.proxyId,
    now: now(),
  });
  const vendor = await ensureTrialVendor(join(folder, "vendor"));
  const sandboxes = await startSandboxes({
    folder: join(folder, "sandboxes"),
    now: now(),
    ...(habits && { habits }),
  });
  const known = { phones: [], byMsisdn: new Map(), software: new Map(), issuers: new Map() };
  const world: World = { options, certificates, vendor, ...known, leads: undefined };
  return {
    sandboxes,
    certificates,
    vendor,
    phones: world.phones,
    connect: (to) => connect(world, to),
    proxy: () => leadsOf(world).proxy,
    phone: (spec) => makePhone(world, spec),
    ownSoftwareOf: (msisdn) => world.software.get(msisdn),
    idle: async () => void (await Promise.all([...world.software.values()].map(({ idle }) => idle()))),
    phoneOf: (msisdn) => world.byMsisdn.get(msisdn),
    async close() {
      for (const phone of world.phones) phone.powerOff();
      for (const own of world.software.values()) own.close();
      await world.leads?.proxy.close();
      await sandboxes.close();
    },
  };
}

async function connect(world: World, to: DeviceWorldConnection): Promise<ProxyServer> {
  const { options, certificates, issuers } = world;
  for (const { name, spki } of to.issuers) issuers.set(name, publicKeyOf(spki));
  const { serverAuthority: authority, publicKey } = certificates.land;
  const proxy = await startProxy({
    id: ROAD_WORLD.proxyId,
    port: 0,
    certificates: certificates.proxy,
    journalFolder: join(options.folder, "proxy-journal"),
    servers: to.servers.map((server) => ({ ...server, authority, publicKey })),
    now: options.now,
    onFault: options.onFault,
    ...to.proxy,
  });
  world.leads = { to, proxy };
  return proxy;
}

function leadsOf({ leads }: World): NonNullable<World["leads"]> {
  if (!leads) throw new Error("the road leads nowhere yet: connect it first");
  return leads;
}

async function makePhone(world: World, spec: NewPhone): Promise<Phone> {
  const { options, certificates, vendor, phones, byMsisdn, issuers } = world;
  const { imei, imsi, msisdn } = spec;
  const { to, proxy } = leadsOf(world);
  await proxy.keepAccounts([{ deviceId: imei, imsi, msisdn }]);
  const { seed: first, submitMo, network } = options;
  const seed = first + phones.length;
  const { applications = APPLICATIONS, ...made } = spec;
  const own =
    network &&
    createOwnSoftware({ imei, imsi, msisdn, seed, submitMo, model: "new phone", applications }, network);
  if (own) world.software.set(msisdn, own);
  const phone = createPhone({
    provisioningUri: firstOf(to.servers).url,
    proxyUri: proxy.url,
    proxyAuthority: certificates.proxy.airAuthority,
    factory: await certificates.factoryPair(imei),
    modules: factoryModules([DORMANT]),
    issuerKeyOf: (issuer) => issuers.get(issuer),
    vendorKeyOf: (name) => (name === vendor.name ? vendor.publicKey : undefined),
    submitMo,
    seed,
    now: options.now,
    ...made,
    onEvent(event) {
      own?.take(event);
      (spec.onEvent ?? options.onEvent)?.(event);
    },
  });
  phones.push(phone);
  byMsisdn.set(msisdn, phone);
  return phone;
}

const publicKeyOf = (spki: string): KeyObject =>
  createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
