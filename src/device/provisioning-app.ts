/**
 * The provisioning application: starts by itself on a device that was never provisioned, walks the screens of provisioning
 * servers by keys, sends data and selection in one request, and shows what became of it (US 6,647,260 columns 4 to 6, Fig. 2).
 *
 *   off -> start: the open request's screen, else the first screen of the stored server, else the device's own menu
 *   a key -> another line, a call, an answer to a notice
 *   a call -> waiting -> its screen | a problem, which can be repeated under the same key of idempotency
 *   a notice -> over the screen, unless somebody types; answered where it was shown, by the channel that it came
 *
 * Decisions over a plain value. All calls go to the proxy: a screen's own address, or another server's through the proxy
 * (`/r/<server>/d/...`); anything else is refused. What the user typed goes only where the screen came from.
 */

import { DEVICE_PATHS } from "../wire/message/legs.ts";
import type { NoticeKind } from "../wire/message/notice.ts";
import type { ReplyKind } from "../wire/message/reply.ts";
import {
  drawKeypad,
  type Effect,
  type Key,
  type KeypadState,
  openKeypad,
  pressKey,
} from "../wire/screen/keypad.ts";
import type { Display } from "../wire/screen/keypad-layout.ts";
import type { Screen } from "../wire/screen/screen.ts";
import { ENGLISH, type ScreenWords } from "../wire/screen/words.ts";
import type { AddressBook } from "./address-book.ts";
import { type IdentityFault, withoutIdentityFields } from "./identity.ts";
import {
  ALERT_ANSWERS,
  type Alert,
  type AppWords,
  addressesScreen,
  alertScreen,
  careScreen,
  ENGLISH_APP,
  homeScreen,
  installedScreen,
  messagesScreen,
  type Problem,
  problemScreen,
  unreadyScreen,
  waitScreen,
} from "./local-screens.ts";
import { orderPathIn, orderShownBy, type ServerPath, serverPathOf } from "./server-path.ts";

const MAX_HISTORY = 20;
const MAX_ORDERS = 8;
const MAX_ALERTS = 8;
const MAX_MESSAGES = 20;
/** Notices after which a request that was over is open again. */
const GOES_ON: readonly NoticeKind[] = ["terms", "content_ready", "content", "needs_information", "choice"];
/** Notices that come only when the terms were answered, here or by a text: a question that lies open is over. */
const AFTER_TERMS: readonly NoticeKind[] = [
  "content_ready",
  "content",
  "access_data",
  "needs_information",
  "choice",
  "done",
  "declined",
];
/** After an answer by SMS the server needs a moment before its screen is worth a look. */
const LOOK_AGAIN_MS = 3_000;

export type OpenOrder = { readonly server: string; readonly reference: string };
export type AppCall = {
  readonly method: "GET" | "POST";
  readonly server: string;
  /** As the proxy has it: `/r/<server>/d/...` */
  readonly path: string;
  readonly fields: Readonly<Record<string, string>> | null;
  /** Of a POST. A repeat bears the same. */
  readonly idempotencyKey: string | null;
  /** Asked for by the clock, not by the user. */
  readonly isQuiet: boolean;
};
export type Answer =
  | { readonly kind: "screen"; readonly status: number; readonly screen: Screen }
  /** It was content, and what became of it is told by notices and the order's screen. */
  | { readonly kind: "content" }
  | { readonly kind: "failed"; readonly problem: Problem };

export type Place =
  | {
      readonly kind: "server";
      readonly server: string;
      /** Null where a repeat would be a second POST. */
      readonly path: string | null;
      readonly keypad: KeypadState;
      readonly refreshAt: number | null;
    }
  | { readonly kind: "local"; readonly keypad: KeypadState }
  | { readonly kind: "alert"; readonly keypad: KeypadState; readonly alert: Alert };

export type AppState = {
  /** Null while the device is off. */
  readonly place: Place | null;
  /** What an alert lies over. */
  readonly under: Place | null;
  readonly history: readonly string[];
  readonly waiting: { readonly id: string; readonly call: AppCall } | null;
  readonly failedCall: AppCall | null;
  readonly alerts: readonly Alert[];
  readonly orders: readonly OpenOrder[];
  /** References of requests that are over: a screen that lags behind does not open them again. */
  readonly ended: readonly string[];
  readonly messages: readonly { readonly text: string; readonly at: number }[];
  readonly provisionedOnce: boolean;
};
/** What survives the power switch. */
export type KeptAppState = Pick<AppState, "orders" | "ended" | "messages" | "alerts" | "provisionedOnce">;

export type AppEffect =
  | { readonly kind: "call"; readonly id: string; readonly call: AppCall }
  | {
      readonly kind: "reply";
      readonly reply: Extract<ReplyKind, "accept" | "decline" | "retransmit" | "give_up">;
      readonly alert: Alert;
    };
export type AppStep = { readonly state: AppState; readonly effects: readonly AppEffect[] };

export type AppConfig = {
  readonly home: { readonly server: string; readonly proxy: string } | { readonly fault: IdentityFault };
  readonly display: Display;
  readonly words?: ScreenWords;
  readonly appWords?: AppWords;
  /** A fresh text of at least 128 bits, for ids and keys of idempotency. */
  newId(): string;
  installed(): readonly string[];
  addresses(): AddressBook;
};
export type ProvisioningApp = ReturnType<typeof createProvisioningApp>;

export const newAppState = (kept?: KeptAppState): AppState => ({
  place: null,
  under: null,
  history: [],
  waiting: null,
  failedCall: null,
  alerts: [],
  orders: [],
  ended: [],
  messages: [],
  provisionedOnce: false,
  ...kept,
});

export function createProvisioningApp(config: AppConfig) {
  const { home, display, words = ENGLISH, appWords = ENGLISH_APP, newId } = config;
  const opened = (screen: Screen): KeypadState => openKeypad(screen, display, words);
  const local = (screen: Screen): Place => ({ kind: "local", keypad: opened(screen) });
  const still = (state: AppState): AppStep => ({ state, effects: [] });

  /** Power came on (Fig. 7A begins here). A device with an open request goes on with that. */
  function start(before: AppState): AppStep {
    const state: AppState = { ...newAppState(before), place: homePlace(before) };
    if ("fault" in home) return still({ ...state, place: local(unreadyScreen(appWords, home.fault)) });
    const open = state.orders.at(-1);
    if (open)
      return settled(go(state, DEVICE_PATHS.through(open.server, DEVICE_PATHS.order(open.reference))));
    return settled(
      state.provisionedOnce ? still(state) : go(state, DEVICE_PATHS.through(home.server, DEVICE_PATHS.start)),
    );
  }

  const stop = (state: AppState): AppState => newAppState(keptOf(state));

  function press(state: AppState, key: Key, at: number): AppStep {
    const { place, waiting } = state;
    if (!place) return still(state);
    if (waiting && !waiting.call.isQuiet) return pressWhileWaiting(state, waiting.call, key);
    const { state: keypad, effect } = pressKey(place.keypad, key);
    const next: AppState = { ...state, place: { ...place, keypad } };
    return settled(effect ? did(next, place, effect, at) : still(next));
  }

  /** A look can be given up; what was sent is waited for, or it would be unknown whether it arrived. */
  function pressWhileWaiting(state: AppState, call: AppCall, key: Key): AppStep {
    const gives = (key === "BACK" || key === "SOFT_RIGHT") && call.method === "GET";
    return gives ? settled(still({ ...state, waiting: null })) : still(state);
  }

  function did(state: AppState, place: Place, effect: Effect, at: number): AppStep {
    if (effect.kind === "back") return goBack(state, place);
    const href = effect.kind === "submit" ? effect.action : effect.href;
    if (href.startsWith("/~/"))
      return place.kind === "server" ? foreign(state) : followLocal(state, href, at);
    if (place.kind !== "server" || "fault" in home) return foreign(state);
    const target = serverPathOf(href, { proxy: home.proxy, server: place.server, path: place.path });
    if (!target) return foreign(state);
    if (effect.kind === "follow" && effect.method === "get")
      return go(state, target.path, isWayBack(place, href) ? undefined : (place.path ?? undefined));
    // The server of this screen was proved by the proxy when the screen came; another one was not yet.
    if (target.server !== place.server) return foreign(state);
    return post(state, target, effect.kind === "submit" ? effect.fields : effect.hidden);
  }

  function post(
    state: AppState,
    { server, path }: ServerPath,
    fields: Readonly<Record<string, string>>,
  ): AppStep {
    return called(state, { method: "POST", server, path, fields, idempotencyKey: newId(), isQuiet: false });
  }

  /** @param from where BACK shall lead; none where this is a way back itself: then on from there, never in a circle */
  function go(state: AppState, path: string, from?: string): AppStep {
    const server = decodeURIComponent(path.split("/")[2] ?? "");
    const before = state.history.indexOf(path);
    const trail = from === undefined ? state.history : [...state.history, from].slice(-MAX_HISTORY);
    const history = before < 0 ? trail : state.history.slice(0, before);
    const call: AppCall = { method: "GET", server, path, fields: null, idempotencyKey: null, isQuiet: false };
    return called({ ...state, history }, call);
  }

  function called(state: AppState, call: AppCall): AppStep {
    const id = newId();
    return {
      state: { ...state, waiting: { id, call }, failedCall: null },
      effects: [{ kind: "call", id, call }],
    };
  }

  function goBack(state: AppState, place: Place): AppStep {
    if (place.kind === "alert") return still(dismissed(state));
    if (place.kind === "local") return still({ ...state, place: homePlace(state) });
    const path = state.history.at(-1);
    const rest = { ...state, history: state.history.slice(0, -1) };
    return path === undefined ? still({ ...rest, place: homePlace(state) }) : go(rest, path);
  }

  function followLocal(state: AppState, href: string, at: number): AppStep {
    const shown = (screen: Screen): AppStep => still({ ...state, place: local(screen) });
    const [, , name, argument] = href.split("/");
    switch (name) {
      case "start":
        return "fault" in home
          ? foreign(state)
          : go({ ...state, history: [] }, DEVICE_PATHS.through(home.server, DEVICE_PATHS.start));
      case "order":
        return goToOrder(state, argument ?? "");
      case "again":
        return state.failedCall ? called(state, state.failedCall) : still(state);
      case "answer":
        return answerAlert(state, argument ?? "", at);
      case "dismiss":
        return still(dismissed(state));
      case "messages":
        return shown(messagesScreen(appWords, state.messages));
      case "installed":
        return shown(installedScreen(appWords, config.installed()));
      case "addresses":
        return shown(addressesScreen(appWords, config.addresses()));
      case "care":
        return shown(careScreen(appWords, config.addresses()));
      default:
        return still({ ...state, place: homePlace(state) });
    }
  }

  function goToOrder(state: AppState, reference: string): AppStep {
    if ("fault" in home) return foreign(state);
    const server = state.orders.find((order) => order.reference === reference)?.server ?? home.server;
    return go(dismissed(state), DEVICE_PATHS.through(server, DEVICE_PATHS.order(reference)));
  }

  function answerAlert(state: AppState, answer: string, at: number): AppStep {
    const reply = ALERT_ANSWERS.find((known) => known === answer);
    if (state.place?.kind !== "alert" || !reply) return still(state);
    const { alert } = state.place;
    const next = dismissed(state);
    return {
      state: { ...next, place: lookedAtSoon(next.place, alert.reference, at) },
      effects: [{ kind: "reply", reply, alert }],
    };
  }

  const foreign = (state: AppState): AppStep =>
    still({ ...state, place: local(problemScreen(appWords, "foreign_address", false)) });

  /** An answer to a call that nobody waits for any more changes nothing. */
  function answered(state: AppState, id: string, answer: Answer, at: number): AppStep {
    const { waiting } = state;
    if (waiting?.id !== id) return still(state);
    const { call } = waiting;
    const next: AppState = { ...state, waiting: null };
    if (answer.kind === "content") return settled(orderAgain(next, call));
    if (call.isQuiet) return settled(still(refreshed(next, call, answer, at)));
    if (answer.kind === "failed")
      return settled(
        still({
          ...next,
          failedCall: call,
          place: local(problemScreen(appWords, answer.problem, answer.problem !== "unreadable")),
        }),
      );
    const place = placeOf(answer.screen, call, at);
    return settled(still(withOrder({ ...next, place, under: null }, call, answer)));
  }

  /** After content the order's own screen tells how it stands. */
  function orderAgain(state: AppState, call: AppCall): AppStep {
    const path = orderPathIn(call.path);
    return path === undefined ? still(state) : go(state, path);
  }

  function placeOf(screen: Screen, call: AppCall, at: number): Place {
    const reference = orderShownBy(call.path, screen);
    const orderPath =
      reference === undefined ? null : DEVICE_PATHS.through(call.server, DEVICE_PATHS.order(reference));
    const path = call.method === "GET" ? call.path : orderPath;
    const refreshAt = screen.refreshSeconds === undefined ? null : at + screen.refreshSeconds * 1_000;
    return {
      kind: "server",
      server: call.server,
      path,
      keypad: opened(withoutIdentityFields(screen)),
      refreshAt,
    };
  }

  /** A screen that asks for nothing and does not move by itself is an order's last one. */
  function withOrder(state: AppState, call: AppCall, answer: Answer): AppState {
    if (answer.kind !== "screen" || answer.status >= 400) return state;
    const reference = orderShownBy(call.path, answer.screen);
    if (reference === undefined) return state;
    if (isLast(answer.screen)) return closed(state, reference);
    return state.ended.includes(reference) ? state : withOpen(state, { server: call.server, reference });
  }

  /** What a look by the clock brought: it replaces the screen that it is of, when that changed and nobody types. */
  function refreshed(state: AppState, call: AppCall, answer: Answer, at: number): AppState {
    const { place } = state;
    if (place?.kind !== "server" || place.path !== call.path) return state;
    if (answer.kind !== "screen" || place.keypad.mode.kind !== "browse")
      return { ...state, place: { ...place, refreshAt: at + LOOK_AGAIN_MS * 10 } };
    const next = placeOf(answer.screen, call, at);
    const isSame = JSON.stringify(place.keypad.screen) === JSON.stringify(next.keypad.screen);
    const shown = isSame && next.kind === "server" ? { ...next, keypad: place.keypad } : next;
    return withOrder({ ...state, place: shown }, call, answer);
  }

  /** A notice that was opened and never seen before. */
  function noticed(state: AppState, alert: Alert, at: number): AppStep {
    const isSecret = alert.kind === "access_data";
    const messages = isSecret
      ? state.messages
      : [...state.messages, { text: alert.text, at }].slice(-MAX_MESSAGES);
    let next = withoutAnswered(orderTold({ ...state, messages }, alert), alert);
    const isViewed = viewsOrder(next, alert.reference);
    if (isViewed) next = { ...next, place: lookedAtSoon(next.place, alert.reference, at - LOOK_AGAIN_MS) };
    const isQuiet =
      ["status", "content_ready", "content"].includes(alert.kind) ||
      (isViewed && ["done", "declined"].includes(alert.kind));
    const alerts = isQuiet ? next.alerts : [...next.alerts, alert].slice(-MAX_ALERTS);
    return settled(tick({ ...next, alerts }, at));
  }

  function withoutAnswered(state: AppState, { kind, reference }: Alert): AppState {
    const isOver = (open: Alert): boolean =>
      open.reference === reference && open.kind === "terms" && AFTER_TERMS.includes(kind);
    const left = state.place?.kind === "alert" && isOver(state.place.alert) ? dismissed(state) : state;
    return { ...left, alerts: left.alerts.filter((open) => !isOver(open)) };
  }

  function orderTold(state: AppState, { kind, reference, server }: Alert): AppState {
    if (kind === "done") return { ...closed(state, reference), provisionedOnce: true };
    if (kind === "declined") return closed(state, reference);
    const isKnown = state.orders.some((order) => order.reference === reference);
    const isOver = state.ended.includes(reference) && !GOES_ON.includes(kind);
    if (kind === "offer" || isKnown || isOver || "fault" in home) return state;
    return withOpen(state, { server: server ?? home.server, reference }); // somebody asked for it elsewhere
  }

  /** The clock: a screen that wants to be looked at again is, while nobody types and nothing else is asked. */
  function tick(state: AppState, at: number): AppStep {
    const { place, waiting } = state;
    if (place?.kind !== "server" || waiting || place.path === null || place.keypad.mode.kind !== "browse")
      return still(state);
    if (place.refreshAt === null || place.refreshAt > at) return still(state);
    const { server, path } = place;
    const call: AppCall = { method: "GET", server, path, fields: null, idempotencyKey: null, isQuiet: true };
    return called({ ...state, place: { ...place, refreshAt: null } }, call);
  }

  /** Alerts come over what is shown as soon as nobody types or waits. */
  function settled({ state, effects }: AppStep): AppStep {
    const { place, waiting, alerts } = state;
    const [alert] = alerts;
    const isFree = place && place.kind !== "alert" && place.keypad.mode.kind === "browse";
    if (!alert || !isFree || (waiting && !waiting.call.isQuiet)) return { state, effects };
    // No mark at first: a key that was meant for the screen below must not agree to anything.
    const keypad = { ...opened(alertScreen(appWords, alert)), selected: null };
    const shown: Place = { kind: "alert", keypad, alert };
    return { state: { ...state, place: shown, under: place, alerts: alerts.slice(1) }, effects };
  }

  const dismissed = (state: AppState): AppState =>
    state.place?.kind === "alert" ? { ...state, place: state.under ?? homePlace(state), under: null } : state;

  const homePlace = ({ orders, messages }: AppState): Place =>
    local(
      homeScreen(
        appWords,
        orders.map(({ reference }) => reference),
        messages.length > 0,
      ),
    );

  /** The lines of the display; none while the device is off. */
  function draw({ place, waiting }: AppState): readonly string[] {
    if (!place) return [];
    if (waiting && !waiting.call.isQuiet) return drawKeypad(opened(waitScreen(appWords)));
    return drawKeypad(place.keypad);
  }

  return { start, stop, press, answered, noticed, tick, draw };
}

/** The screen that the user sees, for who watches or drives the device. */
export function screenOf({ place, waiting }: AppState): Screen | undefined {
  return waiting && !waiting.call.isQuiet ? undefined : place?.keypad.screen;
}

/** When the clock must look again. */
export const appDueAt = ({ place, waiting }: AppState): number | undefined =>
  place?.kind === "server" && !waiting ? (place.refreshAt ?? undefined) : undefined;

/** An alert that is shown counts as not answered yet. */
export const keptOf = ({
  orders,
  ended,
  messages,
  alerts,
  provisionedOnce,
  place,
}: AppState): KeptAppState => ({
  orders,
  ended,
  messages,
  alerts: (place?.kind === "alert" ? [place.alert, ...alerts] : alerts).filter(
    ({ kind }) => kind !== "access_data",
  ),
  provisionedOnce,
});

const isWayBack = ({ keypad }: Place, to: string): boolean =>
  keypad.screen.actions.some(({ role, href }) => role === "back" && href === to);

const viewsOrder = ({ place }: AppState, reference: string): boolean =>
  place?.kind === "server" && place.path !== null && orderShownBy(place.path) === reference;

const lookedAtSoon = (place: Place | null, reference: string, at: number): Place | null =>
  place?.kind === "server" && place.path !== null && orderShownBy(place.path) === reference
    ? { ...place, refreshAt: at + LOOK_AGAIN_MS }
    : place;

const withOpen = (state: AppState, order: OpenOrder): AppState => ({
  ...state,
  orders: [...state.orders.filter(({ reference }) => reference !== order.reference), order].slice(
    -MAX_ORDERS,
  ),
  ended: state.ended.filter((reference) => reference !== order.reference),
});

const closed = (state: AppState, reference: string): AppState => ({
  ...state,
  orders: state.orders.filter((order) => order.reference !== reference),
  ended: [...state.ended.filter((other) => other !== reference), reference].slice(-MAX_ORDERS),
});

function isLast({ form, refreshSeconds, actions, entries }: Screen): boolean {
  const asks = actions.some(({ role }) => role === "accept" || role === "decline" || role === "refresh");
  const leads = entries.some(({ href }) => /\/d\/orders\/[^/]+\/(terms|items)/.test(href));
  return !form && refreshSeconds === undefined && !asks && !leads;
}
