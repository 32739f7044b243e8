/**
 * What a simulated phone is: what it was made with, what lies in it without power, and what runs while it is on.
 */
import type { KeyObject } from "node:crypto";
import type { Credential } from "../../client/link.ts";
import type { AddressBook } from "../../device/address-book.ts";
import type { ClientModule } from "../../device/client-module.ts";
import type { ClientEffect } from "../../device/client-turn.ts";
import type { DeviceClass } from "../../device/device-class.ts";
import type { ModuleSet } from "../../device/modules.ts";
import type { DeviceStore } from "../../device/store.ts";
import { createReassembler, type Reassembler } from "../../wire/sms/reassembly.ts";
import { type Chance, chanceFrom } from "../handset/chance.ts";
import type { MobileOriginated } from "../handset/fleet-state.ts";
import type { Air, Radio } from "./air.ts";
import { createPhoneStorage, type PhoneStorage, PowerCut } from "./storage.ts";
import { createWatch, type Watch } from "./watch.ts";

export type PhoneOptions = {
  readonly imei: string;
  readonly imsi: string;
  readonly msisdn: string;
  readonly deviceClass?: DeviceClass;
  /** BCP 47. */
  readonly language?: string;
  /** What the maker stored: null is a device that was sold without. */
  readonly provisioningUri: string | null;
  readonly proxyUri: string | null;
  /** PEM that the proxy is trusted by. */
  readonly proxyAuthority?: string;
  /** PEM pair of the factory; null for a device that can only enrol with a token, or comes by a gateway. */
  readonly factory?: Credential | null;
  readonly enrolmentToken?: { readonly user: string; readonly password: string };
  /** What an operator's WAP gateway says of the line, in front of plain HTTP. */
  readonly gatewayHeaders?: Readonly<Record<string, string>>;
  readonly modules?: ModuleSet;
  readonly addresses?: AddressBook;
  issuerKeyOf(issuer: string): KeyObject | undefined;
  vendorKeyOf(vendor: string): KeyObject | undefined;
  /** Hands an SMS of the phone to the message centre; throws where it is not taken. */
  submitMo(sms: MobileOriginated): Promise<void>;
  /** Wideband faults, and of SMS: `loss` and `duplicates`. */
  readonly radio?: Radio & { readonly smsLoss?: number; readonly smsDuplicates?: number };
  readonly seed: number;
  readonly storage?: PhoneStorage;
  now?(): Date;
  /** Its timers sleep no longer (a minute if absent), so that a clock that was set, or runs faster, is noticed. */
  readonly sleepMsMax?: number;
  onEvent?(event: PhoneEvent): void;
};

export type PhoneEvent = { readonly msisdn: string } & (
  | { readonly kind: "display"; readonly lines: readonly string[] }
  | { readonly kind: "text"; readonly from: string; readonly text: string }
  | { readonly kind: "power_cut" }
  | { readonly kind: "enrolled" }
  | { readonly kind: "enrolment_failed"; readonly cause: string }
  | { readonly kind: "request"; readonly method: string; readonly path: string }
  | {
      readonly kind: "answer";
      readonly path: string;
      readonly status: number | null;
      readonly channel: string | null;
    }
  | { readonly kind: "sms_out"; readonly octets: number }
  | Extract<
      ClientEffect,
      { kind: "notice" | "dropped" | "resent" | "given_up" | "installation" | "other_push" }
    >
);

/** While the phone is on. */
export type Running = {
  readonly store: DeviceStore;
  readonly client: ClientModule;
  air: Air;
  timer: NodeJS.Timeout | undefined;
  /** Calls and SMS on their way. */
  open: number;
  lines: string;
};

export type Push = { readonly from: string; readonly bytes: Uint8Array };

export type PhoneState = {
  readonly options: PhoneOptions;
  readonly radio: NonNullable<PhoneOptions["radio"]>;
  readonly chance: Chance;
  readonly storage: PhoneStorage;
  readonly reassembler: Reassembler;
  readonly texts: { from: string; text: string }[];
  readonly watch: Watch;
  /** Pushes that the module has not taken yet: like any SMS they stand on the SIM until then, also without power. */
  readonly unread: Set<Push>;
  running: Running | undefined;
  smsReference: number;
  now(): Date;
};

const REASSEMBLY = { limitMessages: 16, limitOctets: 65_536, timeoutMs: 3_600_000 } as const;

export function newPhone(options: PhoneOptions): PhoneState {
  const chance = chanceFrom(options.seed);
  return {
    options,
    radio: options.radio ?? {},
    chance,
    storage: options.storage ?? createPhoneStorage(),
    reassembler: createReassembler(REASSEMBLY),
    texts: [],
    watch: createWatch(),
    unread: new Set(),
    running: undefined,
    smsReference: chance.between(0, 255),
    now: () => options.now?.() ?? new Date(),
  };
}

export const tell = ({ options }: PhoneState, event: DistributiveOmit<PhoneEvent, "msisdn">): void =>
  options.onEvent?.({ ...event, msisdn: options.msisdn } as PhoneEvent); // the number was all that was missing

type DistributiveOmit<Union, Name extends PropertyKey> = Union extends unknown ? Omit<Union, Name> : never;

/** Does what may cost the phone its power: a cut ends all that runs. */
export function guarded(phone: PhoneState, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    dropped(phone);
    tell(phone, { kind: "power_cut" });
    phone.watch.changed();
  }
}

/** Nothing runs any more; what it owned is closed. */
export function dropped(phone: PhoneState): void {
  clearTimeout(phone.running?.timer);
  phone.running?.air.close();
  phone.running = undefined;
}
