/**
 * The provisioning application: starts by itself on a device that was never provisioned, walks the screens of provisioning
 * servers by keys, sends data and selection in one request, and shows what became of it (US 6,647,260 columns 4 to 6, Fig. 2).
 *
 *   off -> start: the open request's screen, else the first screen of the stored server, else the device's own menu
 *   a key -> another line, a call, an answer to a notice
 *   a call -> waiting -> its screen | a problem, which can be repeated under the same key of idempotency
 *   a notice -> over the screen, unless somebody types; answered where it was shown, by the channel that it came
 *
 * Each function takes the state and what happened, and gives the new state and what shall be done. All calls go to the proxy: a
 * screen's own address, or another server's through the proxy (`/r/<server>/d/...`); anything else is refused. What the user
 * typed goes only where the screen came from.
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
import type { ScreenWords } from "../wire/screen/words.ts";
import type { AddressBook } from "./address-book.ts";
import {
  type Answer,
  type AppCall,
  type AppState,
  closed,
  isLast,
  isWayBack,
  keptOf,
  LOOK_AGAIN_MS,
  lookedAtSoon,
  newAppState,
  type Place,
  viewsOrder,
  withOpen,
} from "./app-state.ts";
import { type IdentityFault, withoutIdentityFields } from "./identity.ts";
import {
  ALERT_ANSWERS,
  type Alert,
  type AppWords,
  addressesScreen,
  alertScreen,
  careScreen,
  homeScreen,
  installedScreen,
  messagesScreen,
  problemScreen,
  unreadyScreen,
  waitScreen,
} from "./local-screens.ts";
import { orderPathIn, orderShownBy, type ServerPath, serverPathOf } from "./server-path.ts";

const MAX_HISTORY = 20;
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

export type AppEffect =
  | { readonly kind: "call"; readonly id: string; readonly call: AppCall }
  | {
      readonly kind: "reply";
      readonly reply: Extract<ReplyKind, "accept" | "decline" | "retransmit" | "give_up">;
      readonly alert: Alert;
    };
export type AppStep = { readonly state: AppState; readonly effects: readonly AppEffect[] };

/** What the application is given once and never changes. */
export type App = {
  readonly home: { readonly server: string; readonly proxy: string } | { readonly fault: IdentityFault };
  readonly display: Display;
  /** Of keys and fields on any screen. */
  readonly words: ScreenWords;
  /** Of the screens that the device draws of its own. */
  readonly appWords: AppWords;
  /** A fresh text of at least 128 bits, for ids and keys of idempotency. */
  newId(): string;
  installed(): readonly string[];
  addresses(): AddressBook;
};

/** Power came on (Fig. 7A begins here). A device with an open request goes on with that. */
export function appStarted(app: App, before: AppState): AppStep {
  const state: AppState = { ...newAppState(before), place: homePlace(app, before) };
  if ("fault" in app.home)
    return still({ ...state, place: local(app, unreadyScreen(app.appWords, app.home.fault)) });
  const open = state.orders.at(-1);
  if (open)
    return settled(
      app,
      go(app, state, DEVICE_PATHS.through(open.server, DEVICE_PATHS.order(open.reference))),
    );
  return settled(
    app,
    state.provisionedOnce
      ? still(state)
      : go(app, state, DEVICE_PATHS.through(app.home.server, DEVICE_PATHS.start)),
  );
}

export const appStopped = (state: AppState): AppState => newAppState(keptOf(state));

export function appPressed(app: App, state: AppState, key: Key, at: number): AppStep {
  const { place, waiting } = state;
  if (!place) return still(state);
  if (waiting && !waiting.call.isQuiet) return pressWhileWaiting(app, state, waiting.call, key);
  const { state: keypad, effect } = pressKey(place.keypad, key);
  const next: AppState = { ...state, place: { ...place, keypad } };
  return settled(app, effect ? followEffect(app, next, place, effect, at) : still(next));
}

/** A look can be given up; what was sent is waited for, or it would be unknown whether it arrived. */
function pressWhileWaiting(app: App, state: AppState, call: AppCall, key: Key): AppStep {
  const gives = (key === "BACK" || key === "SOFT_RIGHT") && call.method === "GET";
  return gives ? settled(app, still({ ...state, waiting: null })) : still(state);
}

function followEffect(app: App, state: AppState, place: Place, effect: Effect, at: number): AppStep {
  if (effect.kind === "back") return goBack(app, state, place);
  const href = effect.kind === "submit" ? effect.action : effect.href;
  if (href.startsWith("/~/"))
    return place.kind === "server" ? foreign(app, state) : followLocal(app, state, href, at);
  if (place.kind !== "server" || "fault" in app.home) return foreign(app, state);
  const target = serverPathOf(href, { proxy: app.home.proxy, server: place.server, path: place.path });
  if (!target) return foreign(app, state);
  if (effect.kind === "follow" && effect.method === "get")
    return go(app, state, target.path, isWayBack(place, href) ? undefined : (place.path ?? undefined));
  // The server of this screen was proved by the proxy when the screen came; another one was not yet.
  if (target.server !== place.server) return foreign(app, state);
  return post(app, state, target, effect.kind === "submit" ? effect.fields : effect.hidden);
}

function post(
  app: App,
  state: AppState,
  { server, path }: ServerPath,
  fields: Readonly<Record<string, string>>,
): AppStep {
  return called(app, state, {
    method: "POST",
    server,
    path,
    fields,
    idempotencyKey: app.newId(),
    isQuiet: false,
  });
}

/** @param from where BACK shall lead; none where this is a way back itself: then on from there, never in a circle */
function go(app: App, state: AppState, path: string, from?: string): AppStep {
  const server = decodeURIComponent(path.split("/")[2] ?? "");
  const before = state.history.indexOf(path);
  const trail = from === undefined ? state.history : [...state.history, from].slice(-MAX_HISTORY);
  const history = before < 0 ? trail : state.history.slice(0, before);
  const call: AppCall = { method: "GET", server, path, fields: null, idempotencyKey: null, isQuiet: false };
  return called(app, { ...state, history }, call);
}

function called(app: App, state: AppState, call: AppCall): AppStep {
  const id = app.newId();
  return {
    state: { ...state, waiting: { id, call }, failedCall: null },
    effects: [{ kind: "call", id, call }],
  };
}

function goBack(app: App, state: AppState, place: Place): AppStep {
  if (place.kind === "alert") return still(dismissed(app, state));
  if (place.kind === "local") return still({ ...state, place: homePlace(app, state) });
  const path = state.history.at(-1);
  const rest = { ...state, history: state.history.slice(0, -1) };
  return path === undefined ? still({ ...rest, place: homePlace(app, state) }) : go(app, rest, path);
}

function followLocal(app: App, state: AppState, href: string, at: number): AppStep {
  const shown = (screen: Screen): AppStep => still({ ...state, place: local(app, screen) });
  const [, , name, argument] = href.split("/");
  switch (name) {
    case "start":
      return "fault" in app.home
        ? foreign(app, state)
        : go(app, { ...state, history: [] }, DEVICE_PATHS.through(app.home.server, DEVICE_PATHS.start));
    case "order":
      return goToOrder(app, state, argument ?? "");
    case "again":
      return state.failedCall ? called(app, state, state.failedCall) : still(state);
    case "answer":
      return answerAlert(app, state, argument ?? "", at);
    case "dismiss":
      return still(dismissed(app, state));
    case "messages":
      return shown(messagesScreen(app.appWords, state.messages));
    case "installed":
      return shown(installedScreen(app.appWords, app.installed()));
    case "addresses":
      return shown(addressesScreen(app.appWords, app.addresses()));
    case "care":
      return shown(careScreen(app.appWords, app.addresses()));
    default:
      return still({ ...state, place: homePlace(app, state) });
  }
}

function goToOrder(app: App, state: AppState, reference: string): AppStep {
  if ("fault" in app.home) return foreign(app, state);
  const server = state.orders.find((order) => order.reference === reference)?.server ?? app.home.server;
  return go(app, dismissed(app, state), DEVICE_PATHS.through(server, DEVICE_PATHS.order(reference)));
}

function answerAlert(app: App, state: AppState, answer: string, at: number): AppStep {
  const reply = ALERT_ANSWERS.find((known) => known === answer);
  if (state.place?.kind !== "alert" || !reply) return still(state);
  const { alert } = state.place;
  const next = dismissed(app, state);
  return {
    state: { ...next, place: lookedAtSoon(next.place, alert.reference, at) },
    effects: [{ kind: "reply", reply, alert }],
  };
}

const foreign = (app: App, state: AppState): AppStep =>
  still({ ...state, place: local(app, problemScreen(app.appWords, "foreign_address", false)) });

/** An answer to a call that nobody waits for any more changes nothing. */
export function appAnswered(app: App, state: AppState, id: string, answer: Answer, at: number): AppStep {
  const { waiting } = state;
  if (waiting?.id !== id) return still(state);
  const { call } = waiting;
  const next: AppState = { ...state, waiting: null };
  if (answer.kind === "content") return settled(app, orderAgain(app, next, call));
  if (call.isQuiet) return settled(app, still(refreshed(app, next, call, answer, at)));
  if (answer.kind === "failed")
    return settled(
      app,
      still({
        ...next,
        failedCall: call,
        place: local(app, problemScreen(app.appWords, answer.problem, answer.problem !== "unreadable")),
      }),
    );
  const place = placeOf(app, answer.screen, call, at);
  return settled(app, still(withOrder({ ...next, place, under: null }, call, answer)));
}

/** After content the order's own screen tells how it stands. */
function orderAgain(app: App, state: AppState, call: AppCall): AppStep {
  const path = orderPathIn(call.path);
  return path === undefined ? still(state) : go(app, state, path);
}

function placeOf(app: App, screen: Screen, call: AppCall, at: number): Place {
  const reference = orderShownBy(call.path, screen);
  const orderPath =
    reference === undefined ? null : DEVICE_PATHS.through(call.server, DEVICE_PATHS.order(reference));
  const path = call.method === "GET" ? call.path : orderPath;
  const refreshAt = screen.refreshSeconds === undefined ? null : at + screen.refreshSeconds * 1_000;
  return {
    kind: "server",
    server: call.server,
    path,
    keypad: opened(app, withoutIdentityFields(screen)),
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
function refreshed(app: App, state: AppState, call: AppCall, answer: Answer, at: number): AppState {
  const { place } = state;
  if (place?.kind !== "server" || place.path !== call.path) return state;
  if (answer.kind !== "screen" || place.keypad.mode.kind !== "browse")
    return { ...state, place: { ...place, refreshAt: at + LOOK_AGAIN_MS * 10 } };
  const next = placeOf(app, answer.screen, call, at);
  const isSame = JSON.stringify(place.keypad.screen) === JSON.stringify(next.keypad.screen);
  const shown = isSame && next.kind === "server" ? { ...next, keypad: place.keypad } : next;
  return withOrder({ ...state, place: shown }, call, answer);
}

/** A notice that was opened and never seen before. */
export function appNoticed(app: App, state: AppState, alert: Alert, at: number): AppStep {
  const isSecret = alert.kind === "access_data";
  const messages = isSecret
    ? state.messages
    : [...state.messages, { text: alert.text, at }].slice(-MAX_MESSAGES);
  let next = withoutAnswered(app, orderTold(app, { ...state, messages }, alert), alert);
  const isViewed = viewsOrder(next, alert.reference);
  if (isViewed) next = { ...next, place: lookedAtSoon(next.place, alert.reference, at - LOOK_AGAIN_MS) };
  const isQuiet =
    ["status", "content_ready", "content"].includes(alert.kind) ||
    (isViewed && ["done", "declined"].includes(alert.kind));
  const alerts = isQuiet ? next.alerts : [...next.alerts, alert].slice(-MAX_ALERTS);
  return settled(app, appTicked(app, { ...next, alerts }, at));
}

function withoutAnswered(app: App, state: AppState, { kind, reference }: Alert): AppState {
  const isOver = (open: Alert): boolean =>
    open.reference === reference && open.kind === "terms" && AFTER_TERMS.includes(kind);
  const left = state.place?.kind === "alert" && isOver(state.place.alert) ? dismissed(app, state) : state;
  return { ...left, alerts: left.alerts.filter((open) => !isOver(open)) };
}

function orderTold(app: App, state: AppState, { kind, reference, server }: Alert): AppState {
  if (kind === "done") return { ...closed(state, reference), provisionedOnce: true };
  if (kind === "declined") return closed(state, reference);
  const isKnown = state.orders.some((order) => order.reference === reference);
  const isOver = state.ended.includes(reference) && !GOES_ON.includes(kind);
  if (kind === "offer" || isKnown || isOver || "fault" in app.home) return state;
  return withOpen(state, { server: server ?? app.home.server, reference }); // somebody asked for it elsewhere
}

/** The clock: a screen that wants to be looked at again is, while nobody types and nothing else is asked. */
export function appTicked(app: App, state: AppState, at: number): AppStep {
  const { place, waiting } = state;
  if (place?.kind !== "server" || waiting || place.path === null || place.keypad.mode.kind !== "browse")
    return still(state);
  if (place.refreshAt === null || place.refreshAt > at) return still(state);
  const { server, path } = place;
  const call: AppCall = { method: "GET", server, path, fields: null, idempotencyKey: null, isQuiet: true };
  return called(app, { ...state, place: { ...place, refreshAt: null } }, call);
}

/** Alerts come over what is shown as soon as nobody types or waits. */
function settled(app: App, { state, effects }: AppStep): AppStep {
  const { place, waiting, alerts } = state;
  const [alert] = alerts;
  const isFree = place && place.kind !== "alert" && place.keypad.mode.kind === "browse";
  if (!alert || !isFree || (waiting && !waiting.call.isQuiet)) return { state, effects };
  // No mark at first: a key that was meant for the screen below must not agree to anything.
  const keypad = { ...opened(app, alertScreen(app.appWords, alert)), selected: null };
  const shown: Place = { kind: "alert", keypad, alert };
  return { state: { ...state, place: shown, under: place, alerts: alerts.slice(1) }, effects };
}

const dismissed = (app: App, state: AppState): AppState =>
  state.place?.kind === "alert"
    ? { ...state, place: state.under ?? homePlace(app, state), under: null }
    : state;

const homePlace = (app: App, { orders, messages }: AppState): Place =>
  local(
    app,
    homeScreen(
      app.appWords,
      orders.map(({ reference }) => reference),
      messages.length > 0,
    ),
  );

/** The lines of the display; none while the device is off. */
export function drawApp(app: App, { place, waiting }: AppState): readonly string[] {
  if (!place) return [];
  if (waiting && !waiting.call.isQuiet) return drawKeypad(opened(app, waitScreen(app.appWords)));
  return drawKeypad(place.keypad);
}

const opened = (app: App, screen: Screen): KeypadState => openKeypad(screen, app.display, app.words);
const local = (app: App, screen: Screen): Place => ({ kind: "local", keypad: opened(app, screen) });
const still = (state: AppState): AppStep => ({ state, effects: [] });
