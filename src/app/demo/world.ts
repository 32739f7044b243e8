/**
 * The outside world of a demonstration or a story, over the real protocols: a message centre (SMPP), a fleet of
 * handsets, a core network, a manufacturer (key server over mutual TLS, application server) and a bank. It runs in a
 * process of its own, knows nothing of Turnup's inside, and speaks to it as the real world would.
 */

import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import { type BankSimulator, startBank } from "../../sim/bank/bank.ts";
import type { Mmsc } from "../../sim/core/mmsc.ts";
import type { PacketGateway } from "../../sim/core/packet-gateway.ts";
import { createFleet, type Fleet } from "../../sim/handset/fleet.ts";
import type { FleetEvent, MobileOriginated } from "../../sim/handset/fleet-state.ts";
import { createSmscSimulator, type SmscOptions, type SmscSimulator } from "../../sim/smsc/smsc.ts";
import { getFrom } from "../../term/collections.ts";
import { assured } from "../../term/narrow.ts";
import { ensureMakerCertificates, type MakerCertificates } from "../certificates/certificates.ts";
import { type Maker, startMaker } from "../party/maker.ts";
import { type ClosingStack, opening } from "../server/closing-stack.ts";
import { type DeviceWorld, startDeviceWorld } from "./device-world.ts";
import { askFor, makeNewPhones } from "./new-phones.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { WORLD } from "./world-facts.ts";
import { fleetOf, operatorMms, PLMN, type Tried, triedIn } from "./world-fleet.ts";
import type { Given, Handsets } from "./world-given.ts";
import {
  CONTACT_NUMBERS,
  createContacts,
  type Messaging,
  mmscAccount,
  startMessaging,
} from "./world-messaging.ts";
import { makerOf, startNetwork } from "./world-network.ts";
import type { TurnupAddress, WorldOptions } from "./world-options.ts";
import { reporter } from "./world-reporter.ts";

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
  /** Resolves when no phone does anything, and what the network saw of it is told: with what users of the fleet tried. */
  settle(): Promise<Tried>;
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
    /** Where the options want one; its ids are the first one's. */
    readonly secondCentre: SmscSimulator | undefined;
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
    const secondCentre = options.secondCentre
      ? closing.use(await startMessageCentre(options, handsets))
      : undefined;
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
    const { mmsc } = messaging;
    const centres = { smsc, secondCentre };
    const parties = { fleet, contacts, ...centres, bank, maker, certificates, road, mmsc, gateway };
    return {
      parties,
      addresses: addressesOf(parties),
      connect: (address) => connect(given, road, address),
      ask: async () => void (await Promise.all((road?.phones ?? []).map(askFor))),
      attach: (perSecond) => fleet.attachAll({ perSecond }),
      settle: () => settle(parties, messaging),
      ledger: () => ledgerOf(parties),
      close() {
        turnup.end(); // else what tells it would wait for a server that is gone, and the world for what tells it
        return closing.close();
      },
    };
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
      return (
        handsets.road?.phoneOf(sms.to)?.onMessage(sms) ??
        assured(handsets.fleet, "nothing is sent before they are there").onMessage(sms)
      );
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
  return closing.use(
    await startDeviceWorld({
      folder,
      seed,
      now: () => new Date(),
      submitMo,
      onFault,
      network: {
        gateway: { host, port },
        plmn: PLMN,
        contacts: CONTACT_NUMBERS,
        callHostOf: () => WORLD.callHost,
        openLink: (url, { make }) => turnup.openLink(url, make),
      },
    }),
  );
}

function addressesOf({ smsc, maker, bank, certificates, road }: World["parties"]): WorldAddresses {
  const spki = certificates.signing.publicKey.export({ type: "spki", format: "der" });
  return {
    smscPort: smsc.port,
    makerUrl: maker.url,
    bankUrl: bank.url,
    maker: { authority: certificates.authority, ...getFrom(certificates.clients, WORLD.clientId) },
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
  { fleet, contacts, gateway, road }: Pick<World["parties"], "fleet" | "contacts" | "gateway" | "road">,
  { worked }: Messaging,
): Promise<Tried> {
  await Promise.all([fleet.idle(), contacts.idle(), road?.idle()]);
  await Promise.all([gateway.flush(), worked.flush()]);
  return triedIn(fleet.phones());
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
