/**
 * The client module of a device (US 6,647,260 Fig. 3, 304): opens the way to the proxy, keeps identity and address book, runs the
 * provisioning application on display and keys, takes notices by SMS, installs, and reports. The files beside this one decide;
 * this one leads each event to them, over the device's store.
 *
 *   state and event (power, key, answer, push, clock) -> new state and effects; the state is kept in the store
 *
 * What an event changed is on the medium before anything goes out because of it. Whoever runs the module does what the effects
 * say and comes back with the outcome as an event: requests to the proxy, SMS, enrolment of the device's own key; and sends a
 * `clock` event at `nextClockAt`.
 */
import type { KeyObject } from "node:crypto";
import { assured } from "../term/narrow.ts";
import { bytesOf } from "../wire/hex.ts";
import { ENGLISH, type ScreenWords } from "../wire/screen/words.ts";
import { type AddressBook, withAddress, withoutAddress } from "./address-book.ts";
import { appDueAt, keptOf, newAppState, screenOf } from "./app-state.ts";
import { pushed } from "./client-notices.ts";
import { answered, smsSent, wasLost } from "./client-sending.ts";
import {
  type ClientEffect,
  type ClientEvent,
  type ClientState,
  change,
  type Device,
  newIdFrom,
  startApp,
  stepApp,
  type Turn,
} from "./client-turn.ts";
import { type DeviceClass, displayOfClass } from "./device-class.ts";
import { judgeIdentity, type StoredIdentity, withEnrolled } from "./identity.ts";
import { createInstaller } from "./installer.ts";
import { addressesIn, keepAddresses, keepClient, keepIdentity, readKept } from "./kept.ts";
import { type AppWords, ENGLISH_APP } from "./local-screens.ts";
import { nextDueAt, overdue, resumed, takeDue } from "./messaging.ts";
import type { ModuleSet } from "./modules.ts";
import { type Outbound, requestOf } from "./outbound.ts";
import { type App, appPressed, appStopped, appTicked, drawApp } from "./provisioning-app.ts";
import { type DeviceStore, StorageFullError } from "./store.ts";

export type ClientModuleOptions = {
  readonly store: DeviceStore;
  /** What the maker wrote into the device; what the store has already stands. */
  readonly factory: {
    readonly identity: StoredIdentity;
    readonly modules: ModuleSet;
    readonly addresses: AddressBook;
  };
  readonly deviceClass: DeviceClass;
  /** BCP 47. */
  readonly language: string;
  readonly words?: ScreenWords;
  readonly appWords?: AppWords;
  issuerKeyOf(issuer: string): KeyObject | undefined;
  vendorKeyOf(vendor: string): KeyObject | undefined;
  /** Chance, good enough for keys. */
  random(octets: number): Uint8Array;
};

export type ClientModule = ReturnType<typeof createClientModule>;

/** The module over its store: holds the state, and nothing else. */
export function createClientModule(options: ClientModuleOptions) {
  const { identity: stored, app, ...kept } = readKept(options.store, options.factory.identity);
  const device = deviceOf(options, stored);
  const { store } = device;
  let state: ClientState = { ...kept, stored, app: newAppState(app), isOn: false, isEnrolling: false };

  return {
    handle(event: ClientEvent, at: Date): readonly ClientEffect[] {
      const handled = handle(device, state, event, at);
      state = handled.state;
      return handled.effects;
    },
    /** Undefined while nothing waits for the clock. In ms. */
    nextClockAt: (): number | undefined => nextClockAt(state),
    lines: (): readonly string[] => (state.isOn ? drawApp(device.app, state.app) : []),
    screen: () => (state.isEnrolling ? undefined : screenOf(state.app)),
    isBusy: (): boolean => state.isEnrolling || state.outbox.length > 0,
    state: () => state.app,
    identity: (): StoredIdentity => state.stored,
    addresses: (): AddressBook => device.app.addresses(),
    /** What a user does in the address book; the fault where it cannot be. */
    addAddress: (entry: { readonly name: string; readonly number: string }) =>
      changeBook(store, withAddress(device.app.addresses(), entry)),
    removeAddress: (name: string) => changeBook(store, withoutAddress(device.app.addresses(), name)),
    installer: device.installer,
  };
}

function deviceOf(options: ClientModuleOptions, stored: StoredIdentity): Device {
  const { store, factory, deviceClass, language, issuerKeyOf, vendorKeyOf, random } = options;
  const { imei } = stored;
  const verdict = judgeIdentity(stored);
  const installer = createInstaller({ store, imei, issuerKeyOf, vendorKeyOf, factory: factory.modules });
  const activeModules = () => installer.modules().modules.filter((module) => module.state === "active");
  const app: App = {
    home: verdict.kind === "ready" ? verdict.identity : { fault: verdict.fault },
    display: displayOfClass(deviceClass),
    words: options.words ?? ENGLISH,
    appWords: options.appWords ?? ENGLISH_APP,
    newId: () => newIdFrom(random),
    installed: () => activeModules().map(({ name, version }) => `${name} ${version}`),
    addresses: () => addressesIn(store) ?? factory.addresses,
  };
  const identity = verdict.kind === "ready" ? verdict.identity : undefined;
  return { store, identity, app, installer, deviceClass, language, random };
}

/** One turn: what the event changed is kept before the effects are told. */
function handle(
  device: Device,
  before: ClientState,
  event: ClientEvent,
  at: Date,
): { readonly state: ClientState; readonly effects: readonly ClientEffect[] } {
  if (!before.isOn && event.kind !== "power_on") return { state: before, effects: [] }; // off: it hears nothing
  const turn: Turn = { device, at, state: before, effects: [] };
  onEvent(turn, event);
  if (turn.state.isOn) sendDue(turn);
  keepWhereRoomIs(device.store, turn.state);
  return turn;
}

function onEvent(turn: Turn, event: ClientEvent): void {
  const { device, state, at } = turn;
  switch (event.kind) {
    case "power_on":
      return powerOn(turn);
    case "power_off":
      return change(turn, { isOn: false, app: appStopped(state.app) });
    case "key":
      if (!state.isEnrolling) stepApp(turn, appPressed(device.app, state.app, event.key, at.getTime()));
      return;
    case "answered":
      return answered(turn, event.id, event.answer);
    case "sms_sent":
      return smsSent(turn, event.id, event.isTaken);
    case "push":
      return pushed(turn, event.from, event.bytes);
    case "enrolled":
      return enrolled(turn, event.reference);
    case "enrolment_failed":
      return startApp(turn); // the proxy decides what a device without a certificate of its own may do
    case "clock":
      return onClock(turn);
  }
}

/** The first time the device draws its own key; a gateway's way without TLS has no use for one. */
function powerOn(turn: Turn): void {
  const { device, state, at } = turn;
  if (state.isOn) return;
  change(turn, { isOn: true, outbox: resumed(state.outbox, at.getTime()) });
  const { identity } = device;
  const isEnrolled = state.stored.credential?.kind === "enrolled";
  if (!identity?.proxy.startsWith("https:") || isEnrolled) return startApp(turn);
  change(turn, { isEnrolling: true });
  turn.effects.push({ kind: "enrol", identity });
}

function enrolled(turn: Turn, reference: string): void {
  const stored = withEnrolled(turn.state.stored, reference);
  change(turn, { stored });
  keepIdentity(turn.device.store, stored);
  startApp(turn);
}

function onClock(turn: Turn): void {
  const now = turn.at.getTime();
  for (const id of overdue(turn.state.outbox, now)) wasLost(turn, id);
  const { device, state } = turn;
  if (!state.isEnrolling) stepApp(turn, appTicked(device.app, state.app, now));
}

function sendDue(turn: Turn): void {
  const { queue, due } = takeDue(turn.state.outbox, turn.at.getTime());
  change(turn, { outbox: queue });
  for (const { id, message } of due) turn.effects.push(effectOf(turn.device, id, message));
}

function effectOf({ identity, deviceClass, language }: Device, id: string, message: Outbound): ClientEffect {
  if (message.kind === "sms") return { kind: "sms", id, to: message.to, bytes: bytesOf(message.bytes) };
  const caller = assured(identity, "without an identity the application never calls");
  const request = requestOf(message, caller, deviceClass, language);
  return { kind: "request", id, request: assured(request, "all that is no SMS has a request") };
}

/** A memory that is full must not stop the device: what it could not keep it knows until it is switched off. */
function keepWhereRoomIs(store: DeviceStore, state: ClientState): void {
  const { app, outbox, received, centre, centres } = state;
  try {
    keepClient(store, { app: keptOf(app), outbox, received, centre, centres });
  } catch (error) {
    if (!(error instanceof StorageFullError)) throw error;
  }
}

function nextClockAt({ isOn, outbox, app }: ClientState): number | undefined {
  const times = [nextDueAt(outbox), appDueAt(app)].filter((time) => time !== undefined);
  return isOn && times.length > 0 ? Math.min(...times) : undefined;
}

function changeBook(store: DeviceStore, changed: ReturnType<typeof withAddress>) {
  if (changed.kind === "refused") return changed.fault;
  keepAddresses(store, changed.book);
  return undefined;
}
