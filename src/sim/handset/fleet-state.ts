/**
 * What a fleet of handsets is: what it was made with, its phones and what stands beside them. The files beside this one say what
 * becomes of it.
 */
import type { KeyObject } from "node:crypto";
import {
  createHandsetClient,
  freshHandset,
  type HandsetClient,
  type HandsetEffect,
  type HandsetState,
} from "../../device/client.ts";
import type { AccessPointEntry, ApnUse } from "../../device/settings.ts";
import { createReassembler, type Reassembler } from "../../wire/sms/reassembly.ts";
import { createPauses, type Pauses } from "../web/pauses.ts";
import type {
  ApplicationEvent,
  ApplicationName,
  ApplicationState,
  MmsNotification,
} from "./application-state.ts";
import { type Chance, chanceFrom } from "./chance.ts";
import type { ManagedAnswer, ManagedDevice, ManagedPost } from "./management/client.ts";
import { createHandsetNetwork, type HandsetNetwork } from "./network.ts";
import type { PhoneSpec } from "./phones.ts";

const REASSEMBLY = { limitOctets: 64 * 1_048_576, timeoutMs: 3_600_000 } as const;
const MIN_UNFINISHED = 1_000;

export type IncomingSms = {
  readonly to: string;
  readonly from: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  /** With its length octet; empty where there is none. */
  readonly udh: Uint8Array;
  readonly data: Uint8Array;
};
export type MobileOriginated = IncomingSms;
export type FleetSighting = {
  readonly imei: string;
  readonly imsi: string;
  readonly msisdn: string;
  readonly plmn: string;
  readonly seenAt: Date;
  readonly source: string;
};
export type FleetEvent = { readonly phone: PhoneStatus } & (
  | { readonly kind: "attached"; readonly before: "dead" | "alive" | "unchecked" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "works" | "connect_failed"; readonly apn: string; readonly host: string }
  | { readonly kind: "online" | "offline"; readonly apn: string }
  | { readonly kind: "managed"; readonly isWhole: boolean }
  | ApplicationEvent
  | HandsetEffect
);
/** What is known of a phone from outside it. */
export type PhoneStatus = {
  readonly spec: PhoneSpec;
  readonly attached: boolean;
  /** Whether its application reached the manufacturer before anything was done, and whether it does now. */
  readonly before: "dead" | "alive" | "unchecked";
  readonly now: "dead" | "alive" | "unchecked";
  readonly keyOpened: boolean;
  readonly keyDeleted: boolean;
  readonly settingsApplied: number;
  readonly waitsForUser: number;
  /** Of each application that was used: how it went at first, and how the last time. */
  readonly applications: Readonly<Partial<Record<ApplicationName, ApplicationState>>>;
  readonly refused: readonly string[];
};

export type FleetOptions = {
  readonly phones: readonly PhoneSpec[];
  /** What they are set up with; the factory's access point alone where it is absent. */
  readonly settings?: readonly AccessPointEntry[];
  readonly seed: number;
  readonly plmn: string;
  readonly gateway: { readonly host: string; readonly port: number };
  publicKeyOf(issuer: string): KeyObject | undefined;
  onSighting(sighting: FleetSighting): void;
  /** Hands an SMS of a phone to the message centre. */
  submitMo(sms: MobileOriginated): Promise<void>;
  onEvent?(event: FleetEvent): void;
  /** The manufacturer's host that the application was built for; without it the state before is not checked. */
  makerHostOf?(spec: PhoneSpec): string | undefined;
  /** Whose server takes their video calls, where it is not the manufacturer's. */
  callHostOf?(spec: PhoneSpec): string | undefined;
  /** Applications that the user tries at power-on and again with each new road, and whom they write to besides themselves. */
  readonly applications?: {
    readonly used: readonly ApplicationName[];
    readonly contacts: readonly string[];
    /**
     * The share of each model's phones, 0 to 1 and one at least, whose user tries all of them, by each server; the others send a
     * message. All without it.
     */
    readonly eagerShare?: number;
  };
  /** What a user does with a link in a text: the access points that the page names, typed in by hand; none without a page. */
  openLink?(url: string, spec: PhoneSpec): Promise<readonly TypedPoint[]>;
  /** Carries a message of a phone's management client to the server of its account. */
  manage?(post: ManagedPost): Promise<ManagedAnswer>;
  readonly user?: { readonly delayMs?: readonly [number, number]; readonly declines?: number };
  readonly radio?: { readonly loss?: number; readonly duplicates?: number; readonly reorderMs?: number };
  now?(): Date;
};
/** An access point as a user types it in from a page. */
export type TypedPoint = Pick<AccessPointEntry, "apn" | "mmsc" | "proxy" | "port"> & { readonly use: ApnUse };
export type Phone = {
  status: { -readonly [Name in keyof PhoneStatus]: PhoneStatus[Name] };
  client: HandsetClient;
  state: HandsetState;
  texts: string[];
  /** Prompts that wait for a PIN which no text has brought yet. */
  pinless: number[];
  /** Which of its applications its user tries. */
  readonly uses: readonly ApplicationName[];
  readonly isEager: boolean;
  /** Data sessions that stand, by access point. */
  readonly sessions: Map<string, Promise<string | undefined>>;
  /** Messages that wait at the centre since they could not be fetched, oldest first. */
  unfetched: MmsNotification[];
  /** Where those messages lie that it heard of last: one that comes twice is fetched once. */
  notified: string[];
  lastTransaction: number;
  /** The last run through its applications. */
  using: Promise<void>;
  /** Its management client, once it has an account, and the session that it opened last. */
  managed?: ManagedDevice;
  lastSession?: string;
};

export type FleetState = {
  readonly options: FleetOptions;
  readonly chance: Chance;
  readonly network: HandsetNetwork;
  readonly reassembler: Reassembler;
  readonly phones: readonly Phone[];
  readonly byMsisdn: Map<string, Phone>;
  readonly pauses: Pauses;
  readonly counts: { lostReports: number; faults: number };
  /** Users who try their applications now, and those who come after them. */
  readonly users: { busy: number; readonly waiting: (() => void)[] };
  /** Who waits until no phone does anything. */
  readonly idlers: (() => void)[];
  busy: number;
  closed: boolean;
  onEvent(event: FleetEvent): void;
  now(): Date;
};

export function newFleet(options: FleetOptions): FleetState {
  const isEager = eagerness(options.applications?.eagerShare ?? 1);
  const phones = options.phones.map((spec) => phoneOf(options, spec, isEager(spec)));
  const limitMessages = Math.max(MIN_UNFINISHED, phones.length * 4);
  return {
    options,
    chance: chanceFrom(options.seed),
    network: createHandsetNetwork(options.gateway),
    reassembler: createReassembler({ ...REASSEMBLY, limitMessages }),
    phones,
    byMsisdn: new Map(phones.map((phone) => [phone.status.spec.msisdn, phone])),
    pauses: createPauses(),
    counts: { lostReports: 0, faults: 0 },
    users: { busy: 0, waiting: [] },
    idlers: [],
    busy: 0,
    closed: false,
    onEvent: (event) => options.onEvent?.(event),
    now: () => options.now?.() ?? new Date(),
  };
}

/** The first phone of each model, and from then on evenly. */
function eagerness(share: number): (spec: PhoneSpec) => boolean {
  const before = new Map<string, number>();
  return ({ tac }) => {
    const at = before.get(tac) ?? 0;
    before.set(tac, at + 1);
    return Math.ceil((at + 1) * share) > Math.ceil(at * share);
  };
}

function phoneOf(options: FleetOptions, spec: PhoneSpec, isEager: boolean): Phone {
  const used = (options.applications?.used ?? []).filter((name) => spec.claims?.includes(name) ?? true);
  return {
    status: {
      spec,
      attached: false,
      before: "unchecked",
      now: "unchecked",
      keyOpened: false,
      keyDeleted: false,
      settingsApplied: 0,
      waitsForUser: 0,
      applications: {},
      refused: [],
    },
    client: clientOf(options, spec),
    state: freshHandset(
      options.settings ?? [
        { apn: spec.factoryApn, uses: ["internet"], authType: "none", hosts: [], origin: "factory" },
      ],
    ),
    texts: [],
    pinless: [],
    uses: isEager ? used : used.filter((name) => name === "mms"),
    isEager,
    sessions: new Map(),
    unfetched: [],
    notified: [],
    lastTransaction: 0,
    using: Promise.resolve(),
  };
}

export function clientOf(options: FleetOptions, { imei, imsi, capability }: PhoneSpec): HandsetClient {
  return createHandsetClient({ imei, imsi, ...capability, publicKeyOf: options.publicKeyOf });
}

/** Runs what a phone does beside the others, and keeps `idle` waiting for it. */
export function start(fleet: FleetState, action: () => Promise<void>): void {
  fleet.busy++;
  action()
    .catch(() => fleet.counts.faults++)
    .finally(() => {
      fleet.busy--;
      if (fleet.busy === 0) for (const wake of fleet.idlers.splice(0)) wake();
    });
}

export const typedEntry = ({ use, ...typed }: TypedPoint): AccessPointEntry => ({
  ...typed,
  uses: [use],
  authType: "none",
  hosts: [],
  origin: "settings",
});
