/**
 * A phone of today's simulated world that runs the client module for real: over TLS 1.3 or a WAP gateway to the proxy, over SMS
 * by the message centre, on a memory that can lose power, with keys and a display for a person or a script.
 *
 *   off -> on: the module starts from what the memory kept -> off, or the power goes in the middle of a step
 *
 * Several phones run side by side; each owns its sockets and timers and closes them when it is switched off.
 */
import { randomBytes } from "node:crypto";
import { createClientModule } from "../../device/client-module.ts";
import type { CredentialReference, StoredIdentity } from "../../device/identity.ts";
import { NO_MODULES } from "../../device/modules.ts";
import { openDeviceStore } from "../../device/store.ts";
import type { Key } from "../../wire/screen/keypad.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import type { IncomingSms } from "../handset/fleet-state.ts";
import { airWith, enrolledIn, renewInTime } from "./phone-key.ts";
import { feed } from "./phone-run.ts";
import { onMessage, readPush, sendText } from "./phone-sms.ts";
import {
  dropped,
  guarded,
  newPhone,
  type PhoneOptions,
  type PhoneState,
  type Running,
} from "./phone-state.ts";
import { type Hands, type Step, walk, wander } from "./user.ts";

export type Phone = ReturnType<typeof createPhone>;

const NOTICE_KEY_OCTETS = 32;

export function createPhone(options: PhoneOptions) {
  const { imei, imsi, msisdn } = options;
  const phone = newPhone(options);
  const hands = handsOn(phone);
  return {
    msisdn,
    imei,
    imsi,
    /** What is left when the phone is off; another phone object may go on with it. */
    storage: phone.storage,
    onMessage: (sms: IncomingSms) => onMessage(phone, sms),
    powerOn: (): void => powerOn(phone),
    powerOff: (): void => powerOff(phone),
    /** Cuts power at a step of the memory, counted from now. */
    cutPower: phone.storage.cut,
    press: (...keys: readonly Key[]): void => press(phone, keys),
    /** The display, line by line; none while the phone is off. */
    lines: (): readonly string[] => linesOf(phone),
    screen: (): Screen | undefined => phone.running?.client.screen(),
    texts: (): readonly { from: string; text: string }[] => [...phone.texts],
    walk: (script: readonly Step[], withinMs?: number): Promise<Screen> => walk(hands, script, withinMs),
    wander: (screens: number): Promise<readonly string[]> => wander(hands, phone.chance, screens),
    /** Resolves when a condition holds. @throws Error after so long */
    until: (holds: () => boolean, what: string, withinMs?: number): Promise<void> =>
      until(phone, holds, what, withinMs),
    /** A text that the person types: `YES 4821`. */
    sms: (text: string, to: string): Promise<void> => sendText(phone, text, to),
    isOn: (): boolean => phone.running !== undefined,
    /** Whether anything is on its way. */
    isBusy: (): boolean => phone.running !== undefined && isBusy(phone.running),
    /** The module itself, while the phone is on: what is installed, messages, the address book. */
    client: () => phone.running?.client,
    sessionToken: (): string | undefined => phone.running?.air.sessionToken(),
  };
}

function powerOn(phone: PhoneState): void {
  if (phone.running) return;
  phone.storage.powerOn();
  guarded(phone, () => {
    const on = started(phone);
    phone.running = on;
    const enrolled = on.client.identity().credential?.kind === "enrolled" ? enrolledIn(on.store) : undefined;
    if (enrolled) renewInTime(phone, on, enrolled);
    feed(phone, on, { kind: "power_on" });
    for (const push of [...phone.unread]) if (phone.running === on) readPush(phone, on, push);
  });
}

/** The module from what the memory kept, with the factory's credential until it enrolled. */
function started(phone: PhoneState): Running {
  const { options, storage } = phone;
  const { deviceClass = "phone", language = "en", modules = NO_MODULES, addresses = [] } = options;
  const store = openDeviceStore(storage);
  const client = createClientModule({
    store,
    factory: { identity: factoryIdentity(options), modules, addresses },
    deviceClass,
    language,
    issuerKeyOf: options.issuerKeyOf,
    vendorKeyOf: options.vendorKeyOf,
    random: (octets) => Uint8Array.from(randomBytes(octets)),
  });
  const isEnrolled = client.identity().credential?.kind === "enrolled";
  const credential = (isEnrolled ? enrolledIn(store) : undefined) ?? options.factory ?? null;
  return { store, client, air: airWith(phone, credential), timer: undefined, open: 0, lines: "" };
}

/** The key of notices is the phone's own; what it kept of it stands before this. */
function factoryIdentity(options: PhoneOptions): StoredIdentity {
  const { imei, imsi, provisioningUri, proxyUri, factory } = options;
  const credential: CredentialReference | null = factory ? { kind: "factory", reference: "factory" } : null;
  const noticeKey = Uint8Array.from(randomBytes(NOTICE_KEY_OCTETS));
  return { imei, imsi, credential, provisioningUri, proxyUri, noticeKey };
}

function powerOff(phone: PhoneState): void {
  if (!phone.running) return;
  feed(phone, phone.running, { kind: "power_off" });
  dropped(phone);
  phone.watch.changed();
}

function press(phone: PhoneState, keys: readonly Key[]): void {
  for (const key of keys) if (phone.running) feed(phone, phone.running, { kind: "key", key });
}

const linesOf = ({ running }: PhoneState): readonly string[] => running?.client.lines() ?? [];

const isBusy = ({ open, client }: Running): boolean => open > 0 || client.isBusy();

const handsOn = (phone: PhoneState): Hands => ({
  keypad: () => (phone.running?.client.screen() ? phone.running.client.state().place?.keypad : undefined),
  press: (key) => press(phone, [key]),
  changed: phone.watch.next,
});

async function until(
  phone: PhoneState,
  holds: () => boolean,
  what: string,
  withinMs = 20_000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!holds()) {
    const left = end - performance.now();
    if (left <= 0) throw new Error(`${what} did not happen; the display says ${linesOf(phone).join(" | ")}`);
    await phone.watch.next(left);
  }
}

/** Leads the message centre's messages to the phones by their numbers, and all others on. */
export function phonesBehindCentre(
  phones: readonly Pick<Phone, "msisdn" | "onMessage">[],
  others: (sms: IncomingSms) => Promise<"delivered" | "absent"> = async () => "absent",
): (sms: IncomingSms) => Promise<"delivered" | "absent"> {
  const byMsisdn = new Map(phones.map((phone) => [phone.msisdn, phone]));
  return (sms) => byMsisdn.get(sms.to)?.onMessage(sms) ?? others(sms);
}
