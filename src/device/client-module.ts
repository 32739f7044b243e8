/**
 * The client module of a device (US 6,647,260 Fig. 3, 304): opens the way to the proxy, keeps identity and address book, runs the
 * provisioning application on display and keys, takes notices by SMS, installs, and reports. The rooms beside this one decide;
 * this one joins them over the device's store.
 *
 *   event (power, key, answer, push, clock) -> decided -> kept in the store -> effects
 *
 * What an event changed is on the medium before anything goes out because of it. Whoever runs the module does what the effects
 * say and comes back with the outcome as an event: requests to the proxy, SMS, enrolment of the device's own key; and sends a
 * `clock` event at `nextClockAt`.
 */
import type { KeyObject } from "node:crypto";
import { bytesOf, hexOf } from "../wire/hex.ts";
import { DEVICE_PATHS } from "../wire/message/legs.ts";
import { encodeReply, type ReplyKind } from "../wire/message/reply.ts";
import type { Key } from "../wire/screen/keypad.ts";
import type { ScreenWords } from "../wire/screen/words.ts";
import { type AddressBook, withAddress, withoutAddress } from "./address-book.ts";
import { type DeviceClass, displayOfClass } from "./device-class.ts";
import { type Identity, judgeIdentity, type StoredIdentity, withEnrolled } from "./identity.ts";
import { createInstaller, type Installed } from "./installer.ts";
import { type Kept, keepAddresses, keepClient, keepIdentity, readKept } from "./kept.ts";
import type { AppWords } from "./local-screens.ts";
import {
  acknowledge,
  enqueue,
  lost,
  nextDueAt,
  overdue,
  type ReceiveManager,
  receive,
  resumed,
  type SendManager,
  takeDue,
} from "./messaging.ts";
import type { ModuleSet } from "./modules.ts";
import { alertOf, openNotice } from "./notice-push.ts";
import {
  type ItemAddress,
  isAway,
  type Outbound,
  readAnswer,
  requestOf,
  type WidebandAnswer,
  type WidebandRequest,
} from "./outbound.ts";
import {
  type AppEffect,
  type AppStep,
  appDueAt,
  createProvisioningApp,
  keptOf,
  newAppState,
  screenOf,
} from "./provisioning-app.ts";
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

export type ClientEvent =
  | { readonly kind: "power_on" }
  | { readonly kind: "power_off" }
  | { readonly kind: "key"; readonly key: Key }
  | { readonly kind: "answered"; readonly id: string; readonly answer: WidebandAnswer }
  | { readonly kind: "sms_sent"; readonly id: string; readonly isTaken: boolean }
  /** A WAP push, whole. */
  | { readonly kind: "push"; readonly from: string; readonly bytes: Uint8Array }
  | { readonly kind: "enrolled"; readonly reference: string }
  | { readonly kind: "enrolment_failed"; readonly cause: string }
  | { readonly kind: "clock" };

export type ClientEffect =
  | { readonly kind: "request"; readonly id: string; readonly request: WidebandRequest }
  | { readonly kind: "sms"; readonly id: string; readonly to: string; readonly bytes: Uint8Array }
  /** Draw a key, and have it certified at the proxy (RFC 7030). */
  | { readonly kind: "enrol"; readonly identity: Identity }
  /** A push of another kind: for the handset's other applications. */
  | { readonly kind: "other_push"; readonly from: string; readonly bytes: Uint8Array }
  /** For who watches: */
  | { readonly kind: "notice"; readonly notice: string; readonly reference: string }
  | { readonly kind: "dropped"; readonly what: "notice" | "access_data"; readonly cause: string }
  | { readonly kind: "resent" | "given_up"; readonly what: Outbound["kind"] }
  | { readonly kind: "installation"; readonly itemId: string; readonly outcome: Installed };

export type ClientModule = ReturnType<typeof createClientModule>;

const ID_OCTETS = 16;
const MESSAGE_ID_OCTETS = 8;
/** Looks at once where somebody knocked: a stranger's knocks cost no more. */
const KNOCKS_MAX = 4;
/** Servers whose number is kept. */
const CENTRES_MAX = 8;
const withCentre = (
  centres: Readonly<Record<string, string>>,
  server: string,
  from: string,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...Object.entries(centres).filter(([name]) => name !== server), [server, from] as const].slice(
      -CENTRES_MAX,
    ),
  );

export function createClientModule(options: ClientModuleOptions) {
  const { store, factory, deviceClass, language, random } = options;
  const kept: Kept = readKept(store, factory);
  let { identity: stored, addresses } = kept;
  const verdict = judgeIdentity(stored);
  const identity = verdict.kind === "ready" ? verdict.identity : undefined;
  const installer = createInstaller({
    store,
    imei: stored.imei,
    issuerKeyOf: options.issuerKeyOf,
    vendorKeyOf: options.vendorKeyOf,
    factory: factory.modules,
  });
  const newId = (): string => hexOf(random(ID_OCTETS));
  const app = createProvisioningApp({
    home: verdict.kind === "ready" ? verdict.identity : { fault: verdict.fault },
    display: displayOfClass(deviceClass),
    newId,
    installed: () =>
      installer
        .modules()
        .modules.flatMap(({ name, version, state }) => (state === "active" ? `${name} ${version}` : [])),
    addresses: () => addresses,
    ...(options.words ? { words: options.words } : {}),
    ...(options.appWords ? { appWords: options.appWords } : {}),
  });
  let state = newAppState(kept.app);
  let outbox: SendManager<Outbound> = kept.outbox;
  let received: ReceiveManager = kept.received;
  /** Where notices come from: what has no notice to answer goes there too. */
  let centre: string | null = kept.centre;
  let centres = kept.centres;
  let isOn = false;
  let isEnrolling = false;

  function handle(event: ClientEvent, at: Date): readonly ClientEffect[] {
    if (!isOn && event.kind !== "power_on") return []; // a device that is off hears nothing
    const effects: ClientEffect[] = [];
    onEvent(event, at, effects);
    const { queue, due } = isOn ? takeDue(outbox, at.getTime()) : { queue: outbox, due: [] };
    outbox = queue;
    keepWhereRoomIs();
    for (const { id, message } of due) effects.push(effectOf(id, message));
    return effects;
  }

  /** A memory that is full must not stop the device: what it could not keep it knows until it is switched off. */
  function keepWhereRoomIs(): void {
    try {
      keepClient(store, { app: keptOf(state), outbox, received, centre, centres });
    } catch (error) {
      if (!(error instanceof StorageFullError)) throw error;
    }
  }

  function onEvent(event: ClientEvent, at: Date, effects: ClientEffect[]): void {
    switch (event.kind) {
      case "power_on":
        return powerOn(at, effects);
      case "power_off":
        isOn = false;
        state = app.stop(state);
        return;
      case "key":
        if (!isEnrolling) step(app.press(state, event.key, at.getTime()), at);
        return;
      case "answered":
        return answered(event.id, event.answer, at, effects);
      case "sms_sent":
        return smsSent(event.id, event.isTaken, at, effects);
      case "push":
        return pushed(event, at, effects);
      case "enrolled":
        stored = withEnrolled(stored, event.reference);
        keepIdentity(store, stored);
        return startApp(at);
      case "enrolment_failed":
        return startApp(at); // the proxy decides what a device without a certificate of its own may do
      case "clock":
        for (const id of overdue(outbox, at.getTime())) wasLost(id, at, effects);
        if (!isEnrolling) step(app.tick(state, at.getTime()), at);
        return;
    }
  }

  /** The first time the device draws its own key; a gateway's way without TLS has no use for one. */
  function powerOn(at: Date, effects: ClientEffect[]): void {
    if (isOn) return;
    isOn = true;
    outbox = resumed(outbox, at.getTime());
    const needsKey = identity?.proxy.startsWith("https:") && stored.credential?.kind !== "enrolled";
    if (!needsKey) return startApp(at);
    isEnrolling = true;
    effects.push({ kind: "enrol", identity: identity! });
  }

  function startApp(at: Date): void {
    isEnrolling = false;
    step(app.start(state), at);
  }

  function step(next: AppStep, at: Date): void {
    state = next.state;
    for (const effect of next.effects) followUp(effect, at);
  }

  function followUp(effect: AppEffect, at: Date): void {
    if (effect.kind === "reply") {
      const { messageId, reference, itemId } = effect.alert;
      const to = effect.alert.from ?? centre;
      send({ kind: effect.reply, messageId: bytesOf(messageId), reference, itemId }, null, at, to);
      return;
    }
    const { method, path, fields, idempotencyKey } = effect.call;
    const queue = enqueue<Outbound>(
      outbox,
      effect.id,
      { kind: "screen", method, path, fields, idempotencyKey },
      at.getTime(),
    );
    if (queue) outbox = queue;
    else step(app.answered(state, effect.id, { kind: "failed", problem: "not_sent" }, at.getTime()), at);
  }

  /** Queues a reply by SMS; nothing where nobody's number is known. */
  function send(
    reply: {
      kind: ReplyKind;
      messageId: Uint8Array;
      reference: string;
      itemId: string | null;
      cause?: string | null;
    },
    report: Extract<Outbound, { kind: "sms" }>["report"],
    at: Date,
    to: string | null = centre,
  ): boolean {
    if (to === null || !identity) return false;
    const bytes = hexOf(encodeReply({ cause: null, ...reply }, identity.noticeKey));
    const queue = enqueue<Outbound>(outbox, newId(), { kind: "sms", to, bytes, report }, at.getTime());
    outbox = queue ?? outbox;
    return queue !== undefined;
  }

  function effectOf(id: string, message: Outbound): ClientEffect {
    if (message.kind === "sms") return { kind: "sms", id, to: message.to, bytes: bytesOf(message.bytes) };
    return { kind: "request", id, request: requestOf(message, identity!, deviceClass, language)! };
  }

  function answered(id: string, answer: WidebandAnswer, at: Date, effects: ClientEffect[]): void {
    if (answer.kind === "lost") return wasLost(id, at, effects);
    const read = readAnswer(answer);
    // A server that is away, or that is not the one that has it: asked once more, as if no answer had come.
    if (isAway(read) || (isContent(id) && read.kind !== "content")) return wasLost(id, at, effects);
    const { queue, message } = acknowledge(outbox, id);
    outbox = queue;
    if (message?.kind === "content" && read.kind === "content")
      return contentCame(read.bytes, message.item, at, effects);
    if (message?.kind !== "screen") return; // a report is done, whatever was answered
    if (read.kind === "screen") return step(app.answered(state, id, read, at.getTime()), at);
    if (read.kind !== "content")
      return step(app.answered(state, id, { kind: "failed", problem: "unreadable" }, at.getTime()), at);
    const item = itemOfPath(message.path);
    if (item) contentCame(read.bytes, item, at, effects);
    step(app.answered(state, id, { kind: "content" }, at.getTime()), at);
  }

  /** Once more after a pause; then by the other channel, where there is one, or the user is told. */
  function wasLost(id: string, at: Date, effects: ClientEffect[]): void {
    const { queue, outcome, message } = lost(outbox, id, at.getTime());
    outbox = queue;
    if (!outcome || !message) return;
    effects.push({ kind: outcome, what: message.kind });
    if (outcome === "resent") return readdress(id);
    const fresh = random(MESSAGE_ID_OCTETS);
    switch (message.kind) {
      case "screen":
        return step(app.answered(state, id, { kind: "failed", problem: "no_connection" }, at.getTime()), at);
      case "content": {
        const { server, reference, itemId } = message.item;
        if (message.isKnocked) return; // whoever knocked is not known to be anybody
        const failed = {
          kind: "failed",
          messageId: fresh,
          reference,
          itemId,
          cause: "no_connection",
        } as const;
        send(failed, null, at, centreOf(server));
        return;
      }
      case "report": {
        const { item, cause } = message;
        send(
          {
            kind: cause === null ? "installed" : "failed",
            messageId: fresh,
            reference: item.reference,
            itemId: item.itemId,
            cause,
          },
          null,
          at,
          centreOf(item.server),
        );
        return;
      }
      case "sms":
        if (message.report) report(message.report.item, message.report.cause, at);
        return;
    }
  }

  function smsSent(id: string, isTaken: boolean, at: Date, effects: ClientEffect[]): void {
    if (isTaken) outbox = acknowledge(outbox, id).queue;
    else wasLost(id, at, effects);
  }

  function pushed(
    { from, bytes }: { from: string; bytes: Uint8Array },
    at: Date,
    effects: ClientEffect[],
  ): void {
    const opened = openNotice(bytes, stored.noticeKey);
    if (opened.kind === "other") {
      effects.push({ kind: "other_push", from, bytes });
      return;
    }
    if (opened.kind === "refused") {
      effects.push({ kind: "dropped", what: "notice", cause: opened.cause });
      return;
    }
    if (opened.kind === "knock") return knocked(opened.knock, at, effects);
    const { notice } = opened;
    const got = receive(received, hexOf(notice.messageId), notice.at.getTime());
    received = got.manager;
    if (got.outcome === "too_old") {
      effects.push({ kind: "dropped", what: "notice", cause: "too_old" });
      return;
    }
    centre = from;
    if (notice.server) centres = withCentre(centres, notice.server, from);
    const { messageId, reference, itemId } = notice;
    // What came twice is acknowledged twice, and done once.
    if (notice.kind !== "content") send({ kind: "ack", messageId, reference, itemId }, null, at, from);
    if (got.outcome === "repeated") {
      effects.push({ kind: "dropped", what: "notice", cause: "repeated" });
      return;
    }
    effects.push({ kind: "notice", notice: notice.kind, reference });
    if (notice.kind === "content" && notice.content && itemId !== null)
      contentByNotice(
        notice.content,
        messageId,
        { server: serverOf(reference, notice.server), reference, itemId },
        at,
        effects,
      );
    if (notice.kind === "content_ready" && itemId !== null)
      fetchContent({ server: serverOf(reference, notice.server), reference, itemId }, at);
    if (notice.kind === "access_data" && !installer.keepSecurity(reference, itemId ?? "all", notice.fields))
      effects.push({ kind: "dropped", what: "access_data", cause: "memory_full" });
    step(app.noticed(state, alertOf(notice, from), at.getTime()), at);
  }

  /** Content of a server that this device never asked. What waits there already is not asked for twice. */
  function knocked(item: ItemAddress, at: Date, effects: ClientEffect[]): void {
    const waiting = outbox.filter(({ message }) => message.kind === "content" && message.isKnocked);
    const isWaiting = waiting.some(
      ({ message }) => message.kind === "content" && message.item.itemId === item.itemId,
    );
    if (isWaiting || waiting.length >= KNOCKS_MAX) {
      effects.push({ kind: "dropped", what: "notice", cause: isWaiting ? "repeated" : "too_many" });
      return;
    }
    effects.push({ kind: "notice", notice: "knock", reference: item.reference });
    const message = { ...contentOf(item), isKnocked: true };
    outbox = enqueue<Outbound>(outbox, newId(), message, at.getTime()) ?? outbox;
  }

  const centreOf = (server: string): string | null => centres[server] ?? centre;

  /**
   * A notice names the server that wrote it. From one that does not, the server of its request, or the one that was just asked:
   * a notice can overtake the answer to its own request.
   */
  const serverOf = (wanted: string, writer: string | null = null): string =>
    state.orders.find(({ reference }) => reference === wanted)?.server ??
    writer ??
    serverAsked() ??
    identity?.server ??
    "";

  const serverAsked = (): string | undefined =>
    state.waiting?.call.method === "POST" ? state.waiting.call.server : undefined;

  function fetchContent(item: ItemAddress, at: Date): void {
    const message = contentOf(item);
    outbox = enqueue<Outbound>(outbox, newId(), message, at.getTime()) ?? outbox;
  }

  const contentOf = (item: ItemAddress): Extract<Outbound, { kind: "content" }> => ({
    kind: "content",
    path: DEVICE_PATHS.through(item.server, DEVICE_PATHS.content(item.reference, item.itemId)),
    item,
  });

  const isContent = (wanted: string): boolean =>
    outbox.some(({ id, message }) => id === wanted && message.kind === "content");

  /** Meanwhile it may be known whose request it is. */
  function readdress(wanted: string): void {
    outbox = outbox.map((one) =>
      one.id === wanted && one.message.kind === "content"
        ? {
            ...one,
            message: {
              ...one.message,
              ...contentOf({
                ...one.message.item,
                server: serverOf(one.message.item.reference, one.message.item.server),
              }),
            },
          }
        : one,
    );
  }

  /** Wideband content is answered wideband. */
  function contentCame(bytes: Uint8Array, item: ItemAddress, at: Date, effects: ClientEffect[]): void {
    const outcome = install(bytes, item, at, effects);
    report(item, outcome.kind === "failed" ? outcome.fault : null, at);
  }

  /** Content by SMS alone is answered by SMS alone (claims 18 and 19). */
  function contentByNotice(
    bytes: Uint8Array,
    messageId: Uint8Array,
    item: ItemAddress,
    at: Date,
    effects: ClientEffect[],
  ): void {
    const outcome = install(bytes, item, at, effects);
    const cause = outcome.kind === "failed" ? outcome.fault : null;
    const { reference, itemId } = item;
    send(
      { kind: cause === null ? "installed" : "failed", messageId, reference, itemId, cause },
      { item, cause },
      at,
      centreOf(item.server),
    );
  }

  function install(bytes: Uint8Array, item: ItemAddress, at: Date, effects: ClientEffect[]): Installed {
    const outcome = installer.install(bytes, item, at);
    effects.push({ kind: "installation", itemId: item.itemId, outcome });
    if (outcome.kind === "installed") state = { ...state, provisionedOnce: true };
    return outcome;
  }

  function report(item: ItemAddress, cause: string | null, at: Date): void {
    const path = DEVICE_PATHS.through(item.server, DEVICE_PATHS.report(item.reference, item.itemId));
    const message: Outbound = { kind: "report", path, item, cause, idempotencyKey: newId() };
    outbox = enqueue<Outbound>(outbox, newId(), message, at.getTime()) ?? outbox;
  }

  return {
    handle,
    /** Undefined while nothing waits for the clock. In ms. */
    nextClockAt(): number | undefined {
      const times = [nextDueAt(outbox), appDueAt(state)].filter((time) => time !== undefined);
      return isOn && times.length > 0 ? Math.min(...times) : undefined;
    },
    lines: (): readonly string[] => (isOn ? app.draw(state) : []),
    screen: () => (isEnrolling ? undefined : screenOf(state)),
    isBusy: (): boolean => isEnrolling || outbox.length > 0,
    state: () => state,
    identity: (): StoredIdentity => stored,
    addresses: (): AddressBook => addresses,
    /** What a user does in the address book; the fault where it cannot be. */
    addAddress: (entry: { readonly name: string; readonly number: string }) =>
      changeBook(withAddress(addresses, entry)),
    removeAddress: (name: string) => changeBook(withoutAddress(addresses, name)),
    installer,
  };

  function changeBook(changed: ReturnType<typeof withAddress>) {
    if (changed.kind === "refused") return changed.fault;
    addresses = changed.book;
    keepAddresses(store, addresses);
    return undefined;
  }
}

/** The item whose content a screen's entry leads to. */
function itemOfPath(path: string): ItemAddress | undefined {
  const [, server, reference, itemId] =
    /^\/r\/([^/]+)\/d\/orders\/([0-9A-Za-z]{8})\/items\/([0-9a-f-]{36})\/content$/.exec(path) ?? [];
  if (server === undefined || reference === undefined || itemId === undefined) return undefined;
  return { server: decodeURIComponent(server), reference, itemId };
}
