/** Where requests stand and what they wait for: terms, missing fields, the choice after a failed installation. */
import type { Action, Entry, Field, Screen } from "../../wire/screen/screen.ts";
import { momentWords } from "../operator/local-time.ts";
import type { RequestStatus } from "../order/request.ts";
import type { DialogTexts } from "./dialog-texts.ts";
import { fieldsOf, missingFieldName, type Typed } from "./order-screen.ts";
import { paragraphsOf, screenfuls } from "./paragraphs.ts";
import { fill } from "./texts.ts";
import { ENDED, PARAGRAPH_CHARACTERS, type PortalView, type Step, screen, short, step } from "./view.ts";

const ITEMS_SHOWN = 40;
const REQUESTS_SHOWN = 10;
const REFRESH_SECONDS = 5;

/** Where a request stands, with the one thing that waits for its user first. */
export function statusScreen(view: PortalView, request: RequestStatus): Screen {
  const here = step(view);
  const { texts, at } = here;
  const path = `/d/orders/${request.reference}`;
  const isEnded = ENDED.includes(request.state);
  const entries: Entry[] = [];
  if (request.terms.length > 0) entries.push({ label: texts.terms, href: at(`${path}/terms`), lead: true });
  if (request.askAgain.length > 0)
    entries.push({ label: texts.detailsAgain, href: at(`${path}/details`), lead: true });
  for (const item of request.items) {
    if (item.state === "needs_information")
      entries.push({
        label: short(fill(texts.stillNeeded, { item: item.name }), 100),
        href: at(`${path}/items/${item.id}/fields`),
        lead: true,
      });
    if (item.state === "awaiting_choice")
      entries.push({
        label: short(`${item.name}: ${texts.sendAgain}`, 100),
        href: at(`${path}/items/${item.id}/choice`),
        lead: true,
      });
  }
  // R19: what was really provisioned, by the books, and nothing else. A removal leaves nothing to be had.
  const isHad = ({ catalogId }: StatusItem): boolean => here.has.some(({ itemId }) => itemId === catalogId);
  const done = isEnded ? request.items.filter((item) => isSettled(item) && isHad(item)) : [];
  const had = [...new Set(done.map(({ name }) => name))];
  const next = nextOf(here, request);
  return screen(here, isEnded ? "done" : "status", fill(texts.request, { reference: request.reference }), {
    text: [
      capital(texts.states[request.state]),
      ...(next ? [next] : []),
      ...request.items
        .filter((item) => !done.includes(item))
        .slice(0, ITEMS_SHOWN)
        .map((item) => short(`${item.name}: ${itemWords(item, texts, isEnded)}`, PARAGRAPH_CHARACTERS)),
      ...(had.length > 0
        ? [short(fill(texts.youHaveNow, { items: had.join(", ") }), PARAGRAPH_CHARACTERS)]
        : []),
    ],
    entries,
    actions: isEnded ? [] : [{ role: "refresh", label: texts.refresh, href: at(path) }],
    ...(isEnded || entries.length > 0 ? {} : { refreshSeconds: REFRESH_SECONDS }),
  });
}

/**
 * What the visitor can do, or whose word is awaited and until when: in plain words, since the kernel's reasons are written for staff. A
 * rejection names its grounds as far as the kernel tells them to subscribers.
 */
export function nextOf(
  { texts, language, timeZone }: Step,
  { state, reason, waitsFor, deadlineAt }: RequestStatus,
): string {
  if (waitsFor !== null && deadlineAt !== null)
    return fill(texts.awaited[waitsFor], { until: momentWords(new Date(deadlineAt), language, timeZone) });
  if (state !== "rejected") return texts.nextSteps[state];
  return reason
    .split(", ")
    .map((ground) => texts.rejections[ground] ?? texts.rejections.other ?? "")
    .filter((words, index, all) => words !== "" && all.indexOf(words) === index)
    .join(" ");
}

type StatusItem = RequestStatus["items"][number];
const isSettled = ({ state }: StatusItem): boolean => state !== "failed" && state !== "cancelled";

/** Of what is not among the things that they have now. */
function itemWords(item: StatusItem, texts: DialogTexts, isEnded: boolean): string {
  const { state, reason } = item;
  if (isEnded && isSettled(item) && item.server === null) return texts.removed;
  const words = texts.itemStates[state];
  return state === "failed" && reason !== "" ? `${words} (${reason})` : words;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** R20: the exact text, and two answers that are equally easy. */
export function termsScreen(view: PortalView, request: RequestStatus, state: string, part = 0): Screen {
  const here = step(view);
  const { texts, at } = here;
  const path = `/d/orders/${request.reference}/terms`;
  const href = at(path);
  const parts = screenfuls(request.terms.flatMap(({ text }) => paragraphsOf(text)));
  const shown = parts[part] ? part : 0;
  const back: Action = {
    role: "back",
    label: texts.back,
    href: at(
      shown === 0 ? `/d/orders/${request.reference}` : shown === 1 ? path : `${path}?part=${shown - 1}`,
    ),
  };
  const answer = (role: "accept" | "decline"): Action => ({
    role,
    label: texts[role],
    href,
    method: "post",
    hidden: { answer: role, state },
  });
  const isLast = shown >= parts.length - 1;
  const more: Action = { role: "more", label: texts.more, href: at(`${path}?part=${shown + 1}`) };
  return screen(here, "terms", texts.terms, {
    text: parts[shown] ?? [],
    actions: [...(isLast ? [answer("accept"), answer("decline")] : [more]), back],
  });
}

/** R61: just what is missing or corrupt. */
export function fieldsScreen(
  view: PortalView,
  request: RequestStatus,
  itemId: string,
  state: string,
): Screen | undefined {
  const here = step(view);
  const { texts, at } = here;
  const item = request.items.find(({ id, state: now }) => id === itemId && now === "needs_information");
  if (!item) return undefined;
  const path = `/d/orders/${request.reference}`;
  return screen(here, "fields", item.name, {
    text: [fill(texts.stillNeeded, { item: item.name })],
    form: {
      action: at(`${path}/items/${itemId}/fields`),
      submit: texts.send,
      hidden: { state },
      fields: item.missing.map(({ name, label, kind }) => ({
        name: missingFieldName(name),
        label: short(label || name, 60),
        kind: kind as Field["kind"], // a server names kinds of `wire/message/registration.ts`
        required: true,
        maxLength: 200,
      })),
    },
    actions: [{ role: "back", label: texts.back, href: at(path) }],
  });
}

/** R38: details that agree with the operator's record in part are asked for again, by their names alone. */
export function detailsScreen(
  view: PortalView,
  request: RequestStatus,
  state: string,
  typed: Typed = { values: {}, faults: {} },
): Screen | undefined {
  if (request.askAgain.length === 0) return undefined;
  const here = step(view);
  const { texts, at } = here;
  const path = `/d/orders/${request.reference}`;
  const hasFaults = Object.keys(typed.faults).length > 0;
  return screen(here, "fields", texts.detailsAgain, {
    text: [hasFaults ? texts.pleaseCheck : texts.detailsAgainWhy],
    form: {
      action: at(`${path}/details`),
      submit: texts.send,
      hidden: { state },
      fields: fieldsOf(here, { user: request.askAgain, services: [], payment: null }, typed),
    },
    actions: [{ role: "back", label: texts.back, href: at(path) }],
  });
}

/** R56: after a failed installation the user chooses. */
export function choiceScreen(
  view: PortalView,
  request: RequestStatus,
  itemId: string,
  state: string,
): Screen | undefined {
  const here = step(view);
  const { texts, at } = here;
  const item = request.items.find(({ id, state: now }) => id === itemId && now === "awaiting_choice");
  if (!item) return undefined;
  const href = at(`/d/orders/${request.reference}/items/${itemId}/choice`);
  const hidden = (choice: string) => ({ choice, state });
  return screen(here, "choice", item.name, {
    text: [fill(texts.notInstalled, { item: item.name })],
    actions: [
      { role: "accept", label: texts.sendAgain, href, method: "post", hidden: hidden("retransmit") },
      { role: "decline", label: texts.giveUp, href, method: "post", hidden: hidden("give_up") },
    ],
  });
}

export function ordersScreen(view: PortalView): Screen {
  const here = step(view);
  const { texts, at, requests } = here;
  return screen(here, "orders", texts.myRequests, {
    text: requests.length > 0 ? [] : [texts.helpNothingOpen],
    entries: requests.slice(0, REQUESTS_SHOWN).map(({ reference, state }) => ({
      label: fill(texts.request, { reference }),
      note: texts.states[state],
      href: at(`/d/orders/${reference}`),
    })),
  });
}
