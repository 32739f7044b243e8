/**
 * The outside world of a demonstration or a story, over the real protocols: a message centre (SMPP), a fleet of
 * handsets, a core network, a manufacturer (key server over mutual TLS, application server) and a bank. It runs in a
 * process of its own, knows nothing of Turnup's inside, and speaks to it as the real world would.
 */

import { createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import type { MakerClient } from "../../maker/policy.ts";
import { type BankSimulator, startBank } from "../../sim/bank/bank.ts";
import { startApplicationServer } from "../../sim/core/application-server.ts";
import { type PacketGateway, startPacketGateway } from "../../sim/core/packet-gateway.ts";
import { createFleet, type Fleet } from "../../sim/handset/fleet.ts";
import type { FleetEvent, FleetSighting, MobileOriginated } from "../../sim/handset/fleet-state.ts";
import { createHandsetNetwork } from "../../sim/handset/network.ts";
import { buildPhones } from "../../sim/handset/phones.ts";
import { createSmscSimulator, type SmscSimulator } from "../../sim/smsc/smsc.ts";
import { ensureMakerCertificates, type MakerCertificates } from "../certificates/certificates.ts";
import { type Maker, startMaker } from "../party/maker.ts";
import { type ClosingStack, opening } from "../server/closing-stack.ts";
import { type DeviceWorld, startDeviceWorld } from "./device-world.ts";
import { askFor, makeNewPhones } from "./new-phones.ts";
import type { Sandboxes } from "./sandboxes.ts";
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
  /** What the world can swear to, for reconciling. */
  ledger(): WorldLedger;
  /** The parties themselves, for stories that steer them one by one. */
  readonly parties: {
    readonly fleet: Fleet;
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
type Handsets = { fleet: Fleet | undefined; road: DeviceWorld | undefined };

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
    const gateway = await startNetwork(closing, given, maker);
    const { bankSecret: secret, bankFaults: faults } = options;
    const bank = closing.use(await startBank({ secret, ...(faults && { faults }) }));
    const handsets: Handsets = { fleet: undefined, road: undefined };
    const smsc = closing.use(await startMessageCentre(options, handsets));
    const submitMo = async (sms: MobileOriginated): Promise<void> => {
      const taken = await smsc.sendMobileOriginated(sms);
      if (taken !== "taken") throw new Error("the message centre could not hand it over");
    };
    const road = await startNewPhones(closing, given, gateway, submitMo);
    const fleet = closing.use(createFleet(fleetOf(given, gateway, submitMo)));
    Object.assign(handsets, { fleet, road });
    const parties = { fleet, smsc, bank, maker, certificates, road };
    return {
      parties,
      addresses: addressesOf(parties),
      connect: (address) => connect(given, road, address),
      ask: async () => void (await Promise.all((road?.phones ?? []).map(askFor))),
      attach: (perSecond) => fleet.attachAll({ perSecond }),
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
): Promise<PacketGateway> {
  const application = closing.use(
    await startApplicationServer({
      onArrivals: (batch) => turnup.arrivals(batch),
      verifyArrival: maker.keyServer.verifyArrival,
      onFault,
    }),
  );
  return closing.use(
    await startPacketGateway({
      accessPoints: [
        { apn: WORLD.factoryApn, hosts: ["internet.example"] },
        { apn: WORLD.operatorApns.internet, hosts: ["internet.example"] },
        { apn: WORLD.operatorApns.mms, hosts: ["mmsc.meridian"] },
        { apn: WORLD.makerApn, hosts: [WORLD.makerHost] },
        { apn: WORLD.ownApn, hosts: [WORLD.ownHost] },
      ],
      hosts: new Map([
        [WORLD.makerHost, application.url],
        [WORLD.ownHost, application.url],
      ]),
      onUsage: (batch) => turnup.traffic(batch),
      onFailedAttempts: (batch) => turnup.failedAttempts(batch),
      onFault,
    }),
  );
}

const startMessageCentre = (options: WorldOptions, handsets: Handsets): Promise<SmscSimulator> =>
  createSmscSimulator({
    port: 0,
    systemId: WORLD.smscSystemId,
    password: options.smscPassword,
    seed: options.seed,
    onMessage(message) {
      const sms = { ...message, udh: message.udh ?? new Uint8Array(0) };
      return handsets.road?.phoneOf(sms.to)?.onMessage(sms) ?? handsets.fleet!.onMessage(sms); // nothing is sent before they are there
    },
    deliverWindow: 1_000,
    ...(options.faults ? { faults: options.faults } : {}),
    ...(options.onAccepted ? { onAccepted: options.onAccepted } : {}),
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
