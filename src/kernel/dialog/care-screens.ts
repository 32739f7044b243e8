/**
 * Help without a person (US 6,647,260, column 5 and claim 1:112; R23, R124): where somebody stands, with requests and with what
 * the network opened for their device, what is missing, and what they can do about it: mend it, have it sent again, give it up.
 */
import type { Action, Entry, Screen } from "../../wire/screen/screen.ts";
import type { RequestStatus } from "../order/request.ts";
import type { NetworkOrder } from "../order/self-care.ts";
import type { DialogTexts } from "./dialog-texts.ts";
import { PIN_PATH } from "./pin-screens.ts";
import { nextOf } from "./request-screens.ts";
import { fill } from "./texts.ts";
import { ENDED, type PortalView, type Step, screen, step } from "./view.ts";

/** What the help screen knows beside the dialog's view. */
export type CareView = PortalView & {
  /** What the network opened for this subscriber, the newest first. */
  readonly networkOrders: readonly NetworkOrder[];
  /** False where the network has not told their number yet, which settings wait for. */
  readonly hasNumber: boolean;
  /** Where somebody unknown signs in; null where they cannot, or are known. */
  readonly signIn: string | null;
  /** Whether they may choose their PIN for the telephone here. */
  readonly mayChoosePin: boolean;
};

/** Ended well enough, or by decision: nothing of it is to be sent again. */
const NOTHING_TO_SEND = ["completed", "cancelled", "rejected", "declined", "expired"];
const NOT_ARRIVED = ["failed", "partly_completed"];
const AWAITED = ["sending", "delivered", "opened", "awaiting_choice"];
const REQUESTS_SHOWN = 5;

export type CareOrder =
  | { readonly kind: "request"; readonly request: RequestStatus }
  | { readonly kind: "network"; readonly order: NetworkOrder };

export const idOf = (one: CareOrder): string =>
  one.kind === "request" ? one.request.orderId : one.order.orderId;
const stateOf = (one: CareOrder) => (one.kind === "request" ? one.request.state : one.order.state);

/** Open requests, and of what the network opened the latest, unless it is done. */
function careOrdersOf({ requests, networkOrders }: CareView): readonly CareOrder[] {
  const open = requests
    .filter(({ state }) => !ENDED.includes(state))
    .slice(0, REQUESTS_SHOWN)
    .map((request) => ({ kind: "request", request }) as const);
  const [latest] = networkOrders;
  const network = latest && !["completed", "cancelled"].includes(latest.state) ? [latest] : [];
  return [...open, ...network.map((order) => ({ kind: "network", order }) as const)];
}

const isEnded = (one: CareOrder): boolean => ENDED.includes(stateOf(one));

/** What a resend would find; the kernel decides. */
const mayResend = (one: CareOrder): boolean =>
  one.kind === "network"
    ? !NOTHING_TO_SEND.includes(one.order.state) && one.order.items.some(({ state }) => state !== "pending")
    : one.request.state === "provisioning" &&
      one.request.items.some(({ kind, state }) => kind === "feature" && AWAITED.includes(state));

/** R23: there before anything is provisioned, and it says where the user stands. */
export function helpScreen(view: CareView): Screen {
  const here = step(view);
  const { texts, care, at } = here;
  const orders = careOrdersOf(view);
  const [open] = view.requests.filter(({ state }) => !ENDED.includes(state));
  const call = care.phone
    ? open
      ? fill(texts.helpCall, { phone: care.phone, reference: open.reference })
      : fill(texts.helpCallPlain, { phone: care.phone })
    : undefined;
  return screen(here, "help", texts.help, {
    text: [
      ...(orders.length > 0 ? orders.map((one) => standingOf(here, view, one)) : [texts.helpNothingOpen]),
      ...(call ? [call] : []),
    ],
    entries: [
      ...orders.map((one): Entry => ({ label: nameOf(texts, one), href: at(`/d/help/orders/${idOf(one)}`) })),
      ...(view.signIn === null ? [] : [{ label: texts.careSignIn, href: at(view.signIn) }]),
      ...(view.mayChoosePin ? [{ label: texts.pin.title, href: at(PIN_PATH) }] : []),
      ...(care.url ? [{ label: texts.help, href: care.url }] : []),
    ],
  });
}

const nameOf = (texts: DialogTexts, one: CareOrder): string =>
  one.kind === "request" ? fill(texts.request, { reference: one.request.reference }) : texts.careSettings;

function standingOf(here: Step, { hasNumber }: CareView, one: CareOrder): string {
  const { texts } = here;
  if (one.kind === "request") {
    const { request } = one;
    const reason = missingOf(texts, request) ?? nextOf(here, request);
    return fill(texts.helpWhere, { state: texts.states[request.state], reason }).trim();
  }
  const { state } = one.order;
  const reason =
    state === "waiting"
      ? hasNumber
        ? texts.careWaitsForSettings
        : texts.careWaitsForNumber
      : state === "provisioning"
        ? texts.careOnItsWay
        : NOT_ARRIVED.includes(state)
          ? texts.careNotArrived
          : texts.nextSteps[state];
  return `${texts.careSettings}: ${texts.states[state]}. ${reason}`.trim();
}

/** The one thing that waits for them. */
function missingOf(texts: DialogTexts, { terms, items }: RequestStatus): string | undefined {
  if (terms.length > 0) return texts.nextSteps.awaiting_consent;
  const asked = items.find(({ state }) => state === "needs_information");
  if (asked) return fill(texts.stillNeeded, { item: asked.name });
  const failed = items.find(({ state }) => state === "awaiting_choice");
  return failed && fill(texts.notInstalled, { item: failed.name });
}

/** One order, with what can be done about it; `done` is what was done just now, and nothing that was not. */
export function careScreen(
  view: CareView,
  one: CareOrder,
  { state, done }: { readonly state: string; readonly done?: "resent" | "given_up" },
): Screen {
  const here = step(view);
  const { texts, at } = here;
  const href = at(`/d/help/orders/${idOf(one)}`);
  const resend: Action = {
    role: "accept",
    label: texts.sendAgain,
    href,
    method: "post",
    hidden: { choice: "resend", state },
  };
  const entries: Entry[] = [];
  if (one.kind === "request")
    entries.push({ label: texts.careMend, href: at(`/d/orders/${one.request.reference}`) });
  if (!isEnded(one)) entries.push({ label: texts.giveUp, href: at(`/d/help/orders/${idOf(one)}/give-up`) });
  return screen(here, "care", nameOf(texts, one), {
    text: [
      ...(done === "resent" ? [texts.careResent] : done === "given_up" ? [texts.careGivenUp] : []),
      standingOf(here, view, one),
    ],
    entries,
    actions: [
      ...(mayResend(one) && done === undefined ? [resend] : []),
      { role: "back", label: texts.back, href: at("/d/help") },
    ],
  });
}

/** Two presses, since it cannot be undone. */
export function giveUpScreen(view: CareView, one: CareOrder, state: string): Screen | undefined {
  if (isEnded(one)) return undefined;
  const here = step(view);
  const { texts, at } = here;
  const href = at(`/d/help/orders/${idOf(one)}`);
  return screen(here, "care", nameOf(texts, one), {
    text: [texts.careGiveUpSure],
    actions: [
      { role: "accept", label: texts.giveUp, href, method: "post", hidden: { choice: "give_up", state } },
      { role: "back", label: texts.back, href },
    ],
  });
}
