/**
 * A phone of today's simulated world that runs the client module for real: over TLS 1.3 or a WAP gateway to the proxy, over SMS
 * by the message centre, on a memory that can lose power, with keys and a display for a person or a script.
 *
 *   off -> on: the module starts from what the memory kept -> off, or the power goes in the middle of a step
 *
 * Several phones run side by side; each owns its sockets and timers and closes them when it is switched off.
 */
import { type KeyObject, randomBytes } from "node:crypto";
import type { AddressBook } from "../../device/address-book.ts";
import { createClientModule } from "../../device/client-module.ts";
import type { ClientEffect, ClientEvent } from "../../device/client-turn.ts";
import type { DeviceClass } from "../../device/device-class.ts";
import type { CredentialReference } from "../../device/identity.ts";
import { type ModuleSet, NO_MODULES } from "../../device/modules.ts";
import { type DeviceStore, openDeviceStore } from "../../device/store.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { NOTICE_PORT } from "../../wire/message/notice.ts";
import type { Key } from "../../wire/screen/keypad.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { createReassembler } from "../../wire/sms/reassembly.ts";
import { DATA_CODING, decodeText, encodeText } from "../../wire/sms/text.ts";
import { type Chance, chanceFrom } from "../handset/chance.ts";
import type { IncomingSms, MobileOriginated } from "../handset/fleet.ts";
import { type Air, type Credential, openAir, type Radio } from "./air.ts";
import { type Enrolment, enrol, isDueForRenewal, renew } from "./enrolment.ts";
import { createPhoneStorage, type PhoneStorage, PowerCut } from "./storage.ts";
import { type Hands, type Step, walk, wander } from "./user.ts";

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
export type Phone = ReturnType<typeof createPhone>;

const REASSEMBLY = { limitMessages: 16, limitOctets: 65_536, timeoutMs: 3_600_000 } as const;
const MAX_TEXTS = 20;
/** A timer never sleeps longer, so that a clock that was set is noticed. */
const MAX_SLEEP_MS = 60_000;
const CREDENTIAL = "credential";

export function createPhone(options: PhoneOptions) {
  const { imei, imsi, msisdn, deviceClass = "phone", language = "en", factory = null } = options;
  const { radio = {}, now = () => new Date(), modules = NO_MODULES, addresses = [] } = options;
  const chance: Chance = chanceFrom(options.seed);
  const storage = options.storage ?? createPhoneStorage();
  const reassembler = createReassembler(REASSEMBLY);
  const texts: { from: string; text: string }[] = [];
  const watchers = new Set<() => void>();
  /** Pushes that the module has not taken yet: like any SMS they stand on the SIM until then, also without power. */
  const unread = new Set<{ readonly from: string; readonly bytes: Uint8Array }>();
  let running: Running | undefined;
  let smsReference = chance.between(0, 255);

  type Running = {
    readonly store: DeviceStore;
    readonly client: ReturnType<typeof createClientModule>;
    air: Air;
    timer: NodeJS.Timeout | undefined;
    /** Calls and SMS on their way. */
    open: number;
    lines: string;
  };

  const tell = (event: DistributiveOmit<PhoneEvent, "msisdn">): void =>
    options.onEvent?.({ ...event, msisdn } as PhoneEvent); // the number was all that was missing

  function powerOn(): void {
    if (running) return;
    storage.powerOn();
    guarded(() => {
      const store = openDeviceStore(storage);
      const client = createClientModule({
        store,
        factory: { identity: factoryIdentity(), modules, addresses },
        deviceClass,
        language,
        issuerKeyOf: options.issuerKeyOf,
        vendorKeyOf: options.vendorKeyOf,
        random: (octets) => Uint8Array.from(randomBytes(octets)),
      });
      const isEnrolled = client.identity().credential?.kind === "enrolled";
      const credential = isEnrolled ? credentialIn(store) : factory;
      running = { store, client, air: airWith(credential), timer: undefined, open: 0, lines: "" };
      if (isEnrolled && credential) renewInTime(running, credential);
      feed(running, { kind: "power_on" });
      for (const push of [...unread]) readPush(running, push);
    });
  }

  function readPush(
    on: Running | undefined,
    push: { readonly from: string; readonly bytes: Uint8Array },
  ): void {
    if (!on) return;
    unread.add(push);
    feed(on, { kind: "push", ...push });
    if (running === on) unread.delete(push);
  }

  /** The key of notices is the phone's own; what it kept of it stands before this. */
  function factoryIdentity() {
    const credential: CredentialReference | null = factory && { kind: "factory", reference: "factory" };
    const { provisioningUri, proxyUri } = options;
    return { imei, imsi, credential, provisioningUri, proxyUri, noticeKey: Uint8Array.from(randomBytes(32)) };
  }

  const airWith = (credential: Credential | null): Air =>
    openAir({
      proxy:
        options.proxyUri !== null && URL.canParse(options.proxyUri)
          ? options.proxyUri
          : "https://none.invalid",
      credential,
      chance,
      radio,
      ...(options.proxyAuthority === undefined ? {} : { authority: options.proxyAuthority }),
      ...(options.gatewayHeaders && { gatewayHeaders: options.gatewayHeaders }),
    });

  function credentialIn(store: DeviceStore): Credential | null {
    const bytes = store.get(CREDENTIAL);
    return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as Credential) : factory; // it wrote that itself
  }

  /** Lets the module decide, and does what it says. A cut of power ends all of it. */
  function feed(on: Running, event: ClientEvent): void {
    if (running !== on) return; // it was switched off meanwhile
    guarded(() => {
      for (const effect of on.client.handle(event, now())) act(on, effect);
      clearTimeout(on.timer);
      const at = on.client.nextClockAt();
      const sleepMs = Math.min(MAX_SLEEP_MS, Math.max(0, (at ?? 0) - now().getTime()));
      if (at !== undefined && running === on)
        on.timer = setTimeout(() => feed(on, { kind: "clock" }), sleepMs);
      const lines = on.client.lines();
      if (lines.join("\n") !== on.lines) tell({ kind: "display", lines });
      on.lines = lines.join("\n");
    });
    changed();
  }

  function guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      dropped();
      tell({ kind: "power_cut" });
      changed();
    }
  }

  function dropped(): void {
    clearTimeout(running?.timer);
    running?.air.close();
    running = undefined;
  }

  const changed = (): void => {
    for (const wake of [...watchers]) wake();
  };

  function act(on: Running, effect: ClientEffect): void {
    switch (effect.kind) {
      case "request":
        return start(on, () => ask(on, effect));
      case "sms":
        return start(on, () => sendReply(on, effect));
      case "enrol":
        return start(on, () => enrolKey(on));
      default:
        return tell(effect);
    }
  }

  /** What runs beside; a phone that was switched off does not hear of its end. */
  function start(on: Running, action: () => Promise<ClientEvent>): void {
    on.open++;
    void action().then((event) => {
      on.open--;
      feed(on, event);
    });
  }

  async function ask(
    on: Running,
    { id, request }: Extract<ClientEffect, { kind: "request" }>,
  ): Promise<ClientEvent> {
    tell({ kind: "request", method: request.method, path: request.path });
    const answer = await on.air.send(request);
    const status = answer.kind === "answer" ? answer.status : null;
    tell({ kind: "answer", path: request.path, status, channel: answer.headers?.["turnup-channel"] ?? null });
    return { kind: "answered", id, answer };
  }

  async function sendReply(
    _on: Running,
    { id, to, bytes }: Extract<ClientEffect, { kind: "sms" }>,
  ): Promise<ClientEvent> {
    const udh = new Uint8Array(0);
    const isTaken = await taken({
      from: msisdn,
      to,
      esmClass: 0,
      dataCoding: DATA_CODING.binary,
      udh,
      data: bytes,
    });
    return { kind: "sms_sent", id, isTaken };
  }

  async function taken(sms: MobileOriginated): Promise<boolean> {
    if (chance.is(radio.smsLoss ?? 0)) return false;
    tell({ kind: "sms_out", octets: sms.data.length });
    try {
      await options.submitMo(sms);
      return true;
    } catch {
      return false; // the module sends it once more
    }
  }

  async function enrolKey(on: Running): Promise<ClientEvent> {
    const { enrolmentToken: token } = options;
    const isKept = keepKey(on, await enrol(on.air, { imei, ...(token && { token }) }));
    return isKept
      ? { kind: "enrolled", reference: CREDENTIAL }
      : { kind: "enrolment_failed", cause: "no certificate came" };
  }

  /** The new certificate is on the medium before it is used; the proxy takes the old one until then. */
  function keepKey(on: Running, outcome: Enrolment): boolean {
    if (outcome.kind === "failed" || running !== on) {
      const cause = outcome.kind === "failed" ? outcome.cause : "switched off";
      tell({ kind: "enrolment_failed", cause });
      return false;
    }
    let isKept = false;
    guarded(() => {
      on.store.commit({ [CREDENTIAL]: new TextEncoder().encode(JSON.stringify(outcome.credential)) });
      on.air.leave();
      on.air = airWith(outcome.credential);
      isKept = true;
      tell({ kind: "enrolled" });
    });
    return isKept;
  }

  /** Beside all else, at each start. */
  function renewInTime(on: Running, credential: Credential): void {
    if (!isDueForRenewal(credential, now())) return;
    on.open++;
    void renew(on.air, credential).then((outcome) => {
      on.open--;
      keepKey(on, outcome);
      changed();
    });
  }

  /** One SMS of the message centre, which tries again while a phone is off or the radio lost it. */
  async function onMessage(sms: IncomingSms): Promise<"delivered" | "absent"> {
    if (!running || sms.to !== msisdn || chance.is(radio.smsLoss ?? 0)) return "absent";
    const times = chance.is(radio.smsDuplicates ?? 0) ? 2 : 1;
    for (let time = 0; time < times && running; time++) takeSms(running, sms);
    return running ? "delivered" : "absent";
  }

  function takeSms(on: Running, { from, to, udh, data, dataCoding }: IncomingSms): void {
    try {
      const whole = reassembler.accept({ from, to, udh, data, atMs: now().getTime() });
      if (!whole) return;
      if (whole.udh.destPort === NOTICE_PORT) return readPush(on, { from, bytes: whole.bytes });
      if (whole.udh.destPort !== undefined) return tell({ kind: "other_push", from, bytes: whole.bytes });
      const text = decodeText(dataCoding, whole.bytes);
      texts.push({ from, text });
      texts.splice(0, texts.length - MAX_TEXTS);
      tell({ kind: "text", from, text });
      changed();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error; // a phone drops what it cannot read
    }
  }

  const hands: Hands = {
    keypad: () => (running?.client.screen() ? running.client.state().place?.keypad : undefined),
    press: (key) => press(key),
    changed: (withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(wake, withinMs);
        function wake(): void {
          clearTimeout(timer);
          watchers.delete(wake);
          resolve();
        }
        watchers.add(wake);
      }),
  };

  function press(...keys: readonly Key[]): void {
    for (const key of keys) if (running) feed(running, { kind: "key", key });
  }

  return {
    msisdn,
    imei,
    imsi,
    /** What is left when the phone is off; another phone object may go on with it. */
    storage,
    onMessage,
    powerOn,
    powerOff(): void {
      if (!running) return;
      const on = running;
      feed(on, { kind: "power_off" });
      dropped();
      changed();
    },
    /** Cuts power at a step of the memory, counted from now. */
    cutPower: storage.cut,
    press,
    /** The display, line by line; none while the phone is off. */
    lines: (): readonly string[] => running?.client.lines() ?? [],
    screen: (): Screen | undefined => running?.client.screen(),
    texts: (): readonly { from: string; text: string }[] => [...texts],
    walk: (script: readonly Step[], withinMs?: number): Promise<Screen> => walk(hands, script, withinMs),
    wander: (screens: number): Promise<readonly string[]> => wander(hands, chance, screens),
    /** Resolves when a condition holds. @throws Error after so long */
    async until(holds: () => boolean, what: string, withinMs = 20_000): Promise<void> {
      const end = performance.now() + withinMs;
      while (!holds()) {
        const left = end - performance.now();
        if (left <= 0)
          throw new Error(`${what} did not happen; the display says ${this.lines().join(" | ")}`);
        await hands.changed(left);
      }
    },
    /** A text that the person types: `YES 4821`. */
    async sms(text: string, to: string): Promise<void> {
      const { dataCoding, parts } = encodeText(text, { reference: smsReference++ });
      for (const { udh, data } of parts)
        await options.submitMo({
          from: msisdn,
          to,
          esmClass: udh.length > 0 ? 0x40 : 0,
          dataCoding,
          udh,
          data,
        });
    },
    isOn: (): boolean => running !== undefined,
    /** Whether anything is on its way. */
    isBusy: (): boolean => (running ? running.open > 0 || running.client.isBusy() : false),
    /** The module itself, while the phone is on: what is installed, messages, the address book. */
    client: () => running?.client,
    sessionToken: (): string | undefined => running?.air.sessionToken(),
  };
}

type DistributiveOmit<Union, Name extends PropertyKey> = Union extends unknown ? Omit<Union, Name> : never;

/** Leads the message centre's messages to the phones by their numbers, and all others on. */
export function phonesBehindCentre(
  phones: readonly Pick<Phone, "msisdn" | "onMessage">[],
  others: (sms: IncomingSms) => Promise<"delivered" | "absent"> = async () => "absent",
): (sms: IncomingSms) => Promise<"delivered" | "absent"> {
  const byMsisdn = new Map(phones.map((phone) => [phone.msisdn, phone]));
  return (sms) => byMsisdn.get(sms.to)?.onMessage(sms) ?? others(sms);
}
