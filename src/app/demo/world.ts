/**
 * The outside world of a demonstration or a story, over the real protocols: a message centre (SMPP), a fleet of
 * handsets, a core network, a manufacturer (key server over mutual TLS, application server) and a bank. It runs in a
 * process of its own, knows nothing of Turnup's inside, and speaks to it as the real world would.
 */

import { createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import type { AccessPointEntry } from "../../device/settings.ts";
import type { MakerClient } from "../../maker/policy.ts";
import { type BankSimulator, startBank } from "../../sim/bank/bank.ts";
import { startApplicationServer } from "../../sim/core/application-server.ts";
import type { Mmsc } from "../../sim/core/mmsc.ts";
import { type PacketGateway, startPacketGateway } from "../../sim/core/packet-gateway.ts";
import { startVideoServer } from "../../sim/core/video-server.ts";
import { APPLICATIONS } from "../../sim/handset/application-state.ts";
import { createFleet, type Fleet } from "../../sim/handset/fleet.ts";
import type { FleetEvent, FleetSighting, MobileOriginated } from "../../sim/handset/fleet-state.ts";
import { createHandsetNetwork } from "../../sim/handset/network.ts";
import { buildPhones } from "../../sim/handset/phones.ts";
import { VIDEO_PORT } from "../../sim/handset/video-application.ts";
import { createSmscSimulator, type SmscOptions, type SmscSimulator } from "../../sim/smsc/smsc.ts";
import { ensureMakerCertificates, type MakerCertificates } from "../certificates/certificates.ts";
import { type Maker, startMaker } from "../party/maker.ts";
import { type ClosingStack, opening } from "../server/closing-stack.ts";
import { type DeviceWorld, startDeviceWorld } from "./device-world.ts";
import { askFor, makeNewPhones } from "./new-phones.ts";
import type { Sandboxes } from "./sandboxes.ts";
import {
  CONTACT_NUMBERS,
  createContacts,
  type Messaging,
  mmscAccount,
  startMessaging,
} from "./world-messaging.ts";
import type { TurnupAddress, WorldOptions } from "./world-options.ts";
import { type Reporter, reporter } from "./world-reporter.ts";

export const WORLD = {
  smscSystemId: "turnup",
  issuer: "maker.example",
  clientId: "turnup",
  /** The network of a made-up virtual operator on the test PLMN 001 01 (3GPP TS 23.003). */
  network: { mcc: "001", mnc: "01", msisdnPrefix: "88210" },
  factoryApn: "oldhost.example",
  operatorApns: { internet: "internet.meridian", mms: "mms.meridian" },
  mmscHost: "mmsc.meridian",
  /** What the operator's access point for MMS leads to goes by it. */
  mmsProxy: { host: "10.11.12.13", port: 8080 },
  makerHost: "mms.maker.example",
  makerApn: "apps.maker.example",
  /** The access point that keys of the own store name, for makers without a key server. */
  ownApn: "legacy.meridian",
  ownHost: "apps.legacy.example",
  feeMinor: 250,
  portionBasisPoints: 4_000,
  currency: "EUR",
  shortCode: "2948",
} as const;

/** The contract as the manufacturer keeps it; `makerRelation` of the demonstration is the operator's copy. */
export const makerClient = (): MakerClient => ({
  id: WORLD.clientId,
  feeMinor: WORLD.feeMinor,
  portionBasisPoints: WORLD.portionBasisPoints,
  currency: WORLD.currency,
});
/** So many show every application of every kind of phone, and do not double the time of a run with thousands. */
const EAGER_USERS = 100;
const KEY_VALID_MS = 365 * 86_400_000;

export type WorldAddresses = {
  readonly smscPort: number;
  readonly makerUrl: string;
  readonly bankUrl: string;
  readonly maker: { readonly authority: string; readonly certificate: string; readonly key: string };
  /** Issuer -> Ed25519 public key, SPKI in base64. */
  readonly makerIssuer: { readonly name: string; readonly spki: string };
  /** Of the device's road: what a server's environment must name, and where the starter catalog's servers are. */
  readonly road: Pick<Sandboxes, "environment" | "origins"> | null;
};

export type World = {
  readonly addresses: WorldAddresses;
  /** Tells the world where Turnup is. */
  connect(turnup: TurnupAddress): Promise<void>;
  /** Switches the phones on. */
  attach(perSecond: number): Promise<void>;
  /** Switches the new phones on and lets their users ask; resolves when every one has asked, or rejects with why not. */
  ask(): Promise<void>;
  /** Resolves when no phone does anything, and what the network saw of it is told. */
  settle(): Promise<void>;
  /** What the world can swear to, for reconciling. */
  ledger(): WorldLedger;
  /** The parties themselves, for stories that steer them one by one. */
  readonly parties: {
    readonly fleet: Fleet;
    /** Subscribers with working phones. */
    readonly contacts: Fleet;
    readonly mmsc: Mmsc;
    readonly gateway: PacketGateway;
    readonly smsc: SmscSimulator;
    readonly bank: BankSimulator;
    readonly maker: Maker;
    readonly certificates: MakerCertificates;
    readonly road: DeviceWorld | undefined;
  };
  close(): Promise<void>;
};

export type WorldLedger = {
  readonly phones: readonly {
    readonly imsi: string;
    readonly imei: string;
    readonly make: string;
    readonly model: string;
    readonly keyOpened: boolean;
    readonly keyDeleted: boolean;
    readonly settingsApplied: number;
    readonly before: string;
    readonly now: string;
    readonly refused: readonly string[];
  }[];
  readonly accepted: number;
  readonly payments: readonly { readonly kind: string; readonly id: string; readonly amountMinor: number }[];
  readonly makerRefusals: number;
};

/** What each party is started with. */
type Given = {
  readonly options: WorldOptions;
  readonly turnup: Reporter;
  readonly onEvent: (event: FleetEvent) => void;
  readonly onFault: (error: unknown) => void;
  /** Whose keys handsets run: issuer -> Ed25519 public key. */
  readonly trusted: Map<string, KeyObject>;
};
/** To whom an SMS goes. The message centre is there before them. */
type Handsets = {
  fleet: Fleet | undefined;
  road: DeviceWorld | undefined;
  contacts: Fleet | undefined;
  /** The subscriber register: IMSI -> number. */
  readonly numbers: Map<string, string>;
};

export const startWorld = (
  options: WorldOptions,
  onEvent: (event: FleetEvent) => void,
  onFault: (error: unknown) => void,
): Promise<World> =>
  opening(async (closing) => {
    const certificates = await ensureMakerCertificates({
      folder: join(options.folder, "maker"),
      clientIds: [WORLD.clientId],
      now: new Date(),
    });
    const turnup = closing.use(reporter());
    const trusted = new Map([[WORLD.issuer, certificates.signing.publicKey]]);
    const given: Given = { options, turnup, onEvent, onFault, trusted };
    const maker = closing.use(await startMaker(makerOf(options, certificates)));
    const { bankSecret: secret, bankFaults: faults } = options;
    const bank = closing.use(await startBank({ secret, ...(faults && { faults }) }));
    const handsets: Handsets = { fleet: undefined, road: undefined, contacts: undefined, numbers: new Map() };
    const { systemId, password } = mmscAccount();
    const smsc = closing.use(
      await startMessageCentre({ ...options, others: [{ systemId, password }] }, handsets),
    );
    const messaging = startMessaging(closing, {
      smscPort: smsc.port,
      password,
      host: WORLD.mmscHost,
      onWorked: (batch) => turnup.worked(batch),
      onFault,
    });
    const gateway = await startNetwork(closing, given, maker, { messaging, handsets });
    const submitMo = async (sms: MobileOriginated): Promise<void> => {
      const taken = await smsc.sendMobileOriginated(sms);
      if (taken !== "taken") throw new Error("the message centre could not hand it over");
    };
    const road = await startNewPhones(closing, given, gateway, submitMo);
    const fleetOptions = fleetOf(given, gateway, submitMo);
    const fleet = closing.use(createFleet(fleetOptions));
    const contacts = closing.use(createContacts([operatorMms()], fleetOptions));
    for (const { spec } of [...fleet.phones(), ...contacts.phones()])
      handsets.numbers.set(spec.imsi, spec.msisdn);
    Object.assign(handsets, { fleet, road, contacts });
    for (const at of contacts.phones().keys()) await contacts.attach(at);
    const parties = { fleet, contacts, smsc, bank, maker, certificates, road, mmsc: messaging.mmsc, gateway };
    return {
      parties,
      addresses: addressesOf(parties),
      connect: (address) => connect(given, road, address),
      ask: async () => void (await Promise.all((road?.phones ?? []).map(askFor))),
      attach: (perSecond) => fleet.attachAll({ perSecond }),
      settle: () => settle(parties, messaging),
      ledger: () => ledgerOf(parties),
      close: () => closing.close(),
    };
  });

function makerOf(
  { folder, models, keyServerMakes }: WorldOptions,
  certificates: MakerCertificates,
): Parameters<typeof startMaker>[0] {
  const makes = new Map(models.map(({ tac, make, model }) => [tac, { make, model }]));
  return {
    port: 0,
    certificates,
    journalFolder: join(folder, "maker-journal"),
    policy: {
      issuer: WORLD.issuer,
      clients: [makerClient()],
      makes: keyServerMakes,
      modelOf: (tac) => makes.get(tac),
      offerOf: () => ({
        accessPoints: [
          { apn: WORLD.makerApn, use: "maker", authType: "none", mmsc: `http://${WORLD.makerHost}/m` },
        ],
        hosts: [WORLD.makerHost],
      }),
      deleteAfterUse: true,
      validityMs: KEY_VALID_MS,
    },
  };
}

/** The access points, and the manufacturer's application server behind one of them. */
async function startNetwork(
  closing: ClosingStack,
  { turnup, onFault }: Given,
  maker: Maker,
  { messaging, handsets }: { readonly messaging: Messaging; readonly handsets: Handsets },
): Promise<PacketGateway> {
  const application = closing.use(
    await startApplicationServer({
      mmsc: messaging.mmsc,
      onArrivals: (batch) => turnup.arrivals(batch),
      verifyArrival: maker.keyServer.verifyArrival,
      onFault,
    }),
  );
  const { mmsProxy } = WORLD;
  const video = closing.use(
    await startVideoServer({ onCall: ({ port }) => callEnded(messaging, gateway, port) }),
  );
  const gateway = closing.use(
    await startPacketGateway({
      accessPoints: [
        { apn: WORLD.factoryApn, hosts: ["internet.example"] },
        { apn: WORLD.operatorApns.internet, hosts: ["internet.example"] },
        { apn: WORLD.operatorApns.mms, hosts: [WORLD.mmscHost], proxy: `${mmsProxy.host}:${mmsProxy.port}` },
        { apn: WORLD.makerApn, hosts: [WORLD.makerHost] },
        { apn: WORLD.ownApn, hosts: [WORLD.ownHost] },
      ],
      hosts: new Map([
        [WORLD.makerHost, application.url],
        [WORLD.ownHost, application.url],
        [WORLD.mmscHost, application.url],
      ]),
      msisdnOf: (imsi) => handsets.numbers.get(imsi),
      onUsage: (batch) => turnup.traffic(batch),
      onFailedAttempts: (batch) => turnup.failedAttempts(batch),
      services: new Map(
        [WORLD.makerHost, WORLD.ownHost].map((host) => [`${host}:${VIDEO_PORT}`, video.port]),
      ),
      onFault,
    }),
  );
  return gateway;
}

/** The video server knows a call by where it came from; whose that is, the network knows. */
function callEnded({ worked }: Messaging, gateway: PacketGateway, port: number): void {
  const owner = gateway.ownerOfPort(port);
  if (owner) worked.push({ ...owner, application: "video_call", at: new Date() });
}

/** What a phone with the operator's settings has. */
const operatorMms = (): AccessPointEntry => ({
  apn: WORLD.operatorApns.mms,
  uses: ["mms"],
  authType: "none",
  mmsc: `http://${WORLD.mmscHost}/mms`,
  proxy: WORLD.mmsProxy.host,
  port: WORLD.mmsProxy.port,
  hosts: [],
  origin: "settings",
});

const startMessageCentre = (
  options: WorldOptions & Pick<SmscOptions, "others">,
  handsets: Handsets,
): Promise<SmscSimulator> =>
  createSmscSimulator({
    port: 0,
    systemId: WORLD.smscSystemId,
    password: options.smscPassword,
    ...(options.others ? { others: options.others } : {}),
    seed: options.seed,
    onMessage(message) {
      const sms = { ...message, udh: message.udh ?? new Uint8Array(0) };
      if (handsets.contacts?.has(sms.to)) return handsets.contacts.onMessage(sms);
      return handsets.road?.phoneOf(sms.to)?.onMessage(sms) ?? handsets.fleet!.onMessage(sms); // nothing is sent before they are there
    },
    deliverWindow: 1_000,
    ...(options.faults ? { faults: options.faults } : {}),
    onAccepted(message) {
      if (message.account === WORLD.smscSystemId) options.onAccepted?.(message); // and none of the MMSC's
    },
    ...(options.smscRetryMs === undefined ? {} : { retryMs: options.smscRetryMs }),
  });

/** New phones that ask by themselves, with all that stands around them; undefined where the options want none. */
async function startNewPhones(
  closing: ClosingStack,
  { options: { newPhones, folder, seed }, turnup, onFault }: Given,
  { host, port }: PacketGateway,
  submitMo: (sms: MobileOriginated) => Promise<void>,
): Promise<DeviceWorld | undefined> {
  if (!newPhones) return undefined;
  const online = createHandsetNetwork({ host, port });
  closing.defer(() => online.end());
  return closing.use(
    await startDeviceWorld({
      folder,
      seed,
      now: () => new Date(),
      submitMo,
      onFault,
      goOnline: online.open,
      openLink: (url) => turnup.openLink(url),
    }),
  );
}

function fleetOf(
  { options, turnup, onEvent, trusted }: Given,
  { host, port }: PacketGateway,
  submitMo: (sms: MobileOriginated) => Promise<void>,
): Parameters<typeof createFleet>[0] {
  const { models, phones: count, seed, keyServerMakes } = options;
  const { network, factoryApn } = WORLD;
  return {
    phones: buildPhones({ models, count, seed, network, factoryApn }),
    seed,
    plmn: `${network.mcc}-${network.mnc}`,
    gateway: { host, port },
    publicKeyOf: (issuer) => trusted.get(issuer),
    onSighting: (sighting: FleetSighting) => turnup.sighting(sighting),
    submitMo,
    onEvent,
    makerHostOf: ({ make }) => (keyServerMakes.includes(make) ? WORLD.makerHost : WORLD.ownHost),
    applications: {
      used: APPLICATIONS,
      contacts: CONTACT_NUMBERS,
      eager: options.eagerUsers ?? EAGER_USERS,
    },
    openLink: (url) => turnup.openLink(url),
    ...(options.radio ? { radio: options.radio } : {}),
    ...(options.user ? { user: options.user } : {}),
  };
}

function addressesOf({ smsc, maker, bank, certificates, road }: World["parties"]): WorldAddresses {
  const spki = certificates.signing.publicKey.export({ type: "spki", format: "der" });
  return {
    smscPort: smsc.port,
    makerUrl: maker.url,
    bankUrl: bank.url,
    maker: { authority: certificates.authority, ...certificates.clients.get(WORLD.clientId)! },
    makerIssuer: { name: WORLD.issuer, spki: spki.toString("base64") },
    road: road ? { environment: road.sandboxes.environment, origins: road.sandboxes.origins } : null,
  };
}

async function connect(
  { options, turnup, trusted }: Given,
  road: DeviceWorld | undefined,
  address: TurnupAddress,
): Promise<void> {
  turnup.connect(address);
  for (const { name, spki } of address.trusted) {
    trusted.set(name, createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" }));
  }
  if (!road || !address.land) return;
  await road.connect({ servers: [address.land], issuers: address.trusted });
  await makeNewPhones(road, options);
}

async function settle(
  { fleet, contacts, gateway }: Pick<World["parties"], "fleet" | "contacts" | "gateway">,
  { worked }: Messaging,
): Promise<void> {
  await Promise.all([fleet.idle(), contacts.idle()]);
  await Promise.all([gateway.flush(), worked.flush()]);
}

const ledgerOf = ({ fleet, smsc, bank, maker }: World["parties"]): WorldLedger => ({
  phones: fleet.phones().map(({ spec, keyOpened, keyDeleted, settingsApplied, before, now, refused }) => ({
    imsi: spec.imsi,
    imei: spec.imei,
    make: spec.make,
    model: spec.model,
    keyOpened,
    keyDeleted,
    settingsApplied,
    before,
    now,
    refused,
  })),
  accepted: smsc.stats.accepted,
  payments: bank.ledger().map(({ kind, id, amountMinor }) => ({ kind, id, amountMinor })),
  makerRefusals: Object.values(maker.refusals()).reduce((sum, count) => sum + count, 0),
});
