/**
 * What the provisioning application knows: where the user is, what is waited for, the requests that are open, the notices that
 * came. A plain value, and what can be read from it.
 */
import type { KeypadState } from "../wire/screen/keypad.ts";
import type { Screen } from "../wire/screen/screen.ts";
import type { Alert, Problem } from "./local-screens.ts";
import { orderShownBy } from "./server-path.ts";

const MAX_ORDERS = 8;
/** After an answer by SMS the server needs a moment before its screen is worth a look. */
export const LOOK_AGAIN_MS = 3_000;

type OpenOrder = { readonly server: string; readonly reference: string };
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

export const isWayBack = ({ keypad }: Place, to: string): boolean =>
  keypad.screen.actions.some(({ role, href }) => role === "back" && href === to);

export const viewsOrder = ({ place }: AppState, reference: string): boolean =>
  place?.kind === "server" && place.path !== null && orderShownBy(place.path) === reference;

export const lookedAtSoon = (place: Place | null, reference: string, at: number): Place | null =>
  place?.kind === "server" && place.path !== null && orderShownBy(place.path) === reference
    ? { ...place, refreshAt: at + LOOK_AGAIN_MS }
    : place;

export const withOpen = (state: AppState, order: OpenOrder): AppState => ({
  ...state,
  orders: [...state.orders.filter(({ reference }) => reference !== order.reference), order].slice(
    -MAX_ORDERS,
  ),
  ended: state.ended.filter((reference) => reference !== order.reference),
});

export const closed = (state: AppState, reference: string): AppState => ({
  ...state,
  orders: state.orders.filter((order) => order.reference !== reference),
  ended: [...state.ended.filter((other) => other !== reference), reference].slice(-MAX_ORDERS),
});

export function isLast({ form, refreshSeconds, actions, entries }: Screen): boolean {
  const asks = actions.some(({ role }) => role === "accept" || role === "decline" || role === "refresh");
  const leads = entries.some(({ href }) => /\/d\/orders\/[^/]+\/(terms|items)/.test(href));
  return !form && refreshSeconds === undefined && !asks && !leads;
}
