/**
 * What a subscriber is shown and asked, step by step (US 6,647,260 columns 4 to 6 and Fig. 2), free of any markup. Each
 * screen is a pure function of what is known; state between screens stands in addresses alone, so a device without
 * cookies or script goes the whole way.
 *
 *   start -> list -> item -> account form -> request (one POST with data and selection) -> status
 *   status -> terms | missing fields | failed installation | done
 */

import { createHash } from "node:crypto";
import { type Action, type Entry, type Field, isFieldName, type Screen } from "../../wire/screen/screen.ts";
import type { UserField } from "../account/user-data.ts";
import {
  CATALOG_KINDS,
  type CatalogItem,
  type CatalogKind,
  type Localized,
  type Price,
} from "../catalog/catalog-item.ts";
import type { Catalog } from "../catalog/expand.ts";
import type { RequestStatus } from "../order/request/request.ts";
import { type DialogTexts, fill, localized, textsIn } from "./texts.ts";

/** A request that has come this far needs nothing more of anybody. */
const ENDED = ["completed", "partly_completed", "failed", "cancelled", "rejected", "declined", "expired"];
const REFRESH_SECONDS = 5;
/** A paragraph of a screen holds this much; longer terms are cut at sentences. */
const PARAGRAPH_CHARACTERS = 1_500;
const TITLE_CHARACTERS = 60;
const REQUESTS_SHOWN = 10;
const LIST_SHOWN = 50;
const ITEMS_SHOWN = 40;
const HELD_SHOWN = 90;
/** Of the terms on one screen; longer ones take several, and are agreed to on the last. */
const TERMS_PARAGRAPHS = 40;
const TERMS_CHARACTERS = 30_000;

export type Visitor = {
  readonly operatorName: string;
  readonly language: string;
  readonly catalog: Catalog;
  /** What the subscriber has; empty for somebody unknown. */
  readonly has: readonly { readonly itemId: string; readonly name: string }[];
  readonly requests: readonly RequestStatus[];
  /** Somebody is known to stand behind this session. */
  readonly isKnown: boolean;
  readonly care: { readonly phone: string | null; readonly url: string | null };
  /** An address of this server with the session's state in it; absolute ones of other servers are left alone. */
  readonly at: (path: string) => string;
};

type Step = Visitor & { readonly texts: DialogTexts };
const step = (visitor: Visitor): Step => ({ ...visitor, texts: textsIn(visitor.language) });

const short = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;
const nameOf = ({ name, id }: CatalogItem, language: string): string => localized(name, language) || id;

function screen(
  { language, texts, at }: Step,
  id: string,
  title: string,
  rest: Partial<Omit<Screen, "id" | "title" | "lang">>,
): Screen {
  const actions: Action[] = [...(rest.actions ?? [])];
  if (id !== "start") actions.push({ role: "home", label: texts.home, href: at("/d/start") });
  if (id !== "help") actions.push({ role: "help", label: texts.help, href: at("/d/help") });
  return {
    text: [],
    entries: [],
    ...rest,
    id,
    title: short(title, TITLE_CHARACTERS),
    lang: language,
    actions,
  };
}

/** Row 3: exactly three roads. */
export function startScreen(visitor: Visitor): Screen {
  const here = step(visitor);
  const { texts, at, requests, has, isKnown } = here;
  const open = requests.filter(({ state }) => !ENDED.includes(state));
  const actions: Action[] = [];
  if (!isKnown) actions.push({ role: "more", label: texts.signIn, href: at("/d/sign-in") });
  if (open.length > 0) actions.push({ role: "more", label: texts.myRequests, href: at("/d/orders") });
  if (has.length > 0) actions.push({ role: "more", label: texts.myServices, href: at("/d/mine") });
  return screen(here, "start", visitor.operatorName, {
    text: [fill(texts.welcome, { operator: visitor.operatorName })],
    entries: CATALOG_KINDS.map((kind) => ({
      label: texts.roads[kind],
      note: texts.roadNotes[kind],
      href: at(`/d/list/${kind}`),
    })),
    actions,
  });
}

/** Row 6: each entry carries the address of its own provisioning server. A long list goes on where `from` says. */
export function listScreen(visitor: Visitor, kind: CatalogKind, from = 0): Screen {
  const here = step(visitor);
  const { texts, catalog, language, at } = here;
  const all = [...catalog.values()].filter((item) => item.kind === kind);
  const items = all.slice(from, from + LIST_SHOWN);
  const next = from + LIST_SHOWN;
  const more: Action[] =
    next < all.length ? [{ role: "more", label: texts.more, href: at(`/d/list/${kind}?from=${next}`) }] : [];
  const entries = items.map(
    (item): Entry => ({
      label: short(nameOf(item, language), PARAGRAPH_CHARACTERS / 20),
      note: noteOf(here, item),
      href: addressOf(item, `/d/items/${item.id}`, at),
    }),
  );
  return screen(here, "list", texts.roads[kind], {
    text: [entries.length > 0 ? texts.choose : texts.nothingOffered],
    entries,
    actions: [...more, { role: "back", label: texts.back, href: at("/d/start") }],
  });
}

/** At the item's own server, where it names one; sessions do not travel between servers. */
export const addressOf = (
  { provisioningServer }: Pick<CatalogItem, "provisioningServer">,
  path: string,
  at: (path: string) => string,
): string => (provisioningServer === null ? at(path) : `${provisioningServer.replace(/\/+$/, "")}${path}`);

function noteOf({ texts, has, language }: Step, item: CatalogItem): string {
  if (has.some(({ itemId }) => itemId === item.id)) return texts.youHaveIt;
  if (!item.available) return texts.notNow;
  return priceText(item.price, texts, language);
}

function priceText(price: Price, texts: DialogTexts, language: string): string {
  if (!price || (price.onceMinor === 0 && price.monthlyMinor === 0)) return texts.free;
  const format = new Intl.NumberFormat(language, { style: "currency", currency: price.currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  // Some scripts set the sign apart with a space that old phones have no picture of.
  const sum = (minor: number): string => format.format(minor / 10 ** digits).replace(/[\u00a0\u202f]/g, " ");
  return [
    ...(price.onceMinor > 0 ? [fill(texts.once, { sum: sum(price.onceMinor) })] : []),
    ...(price.monthlyMinor > 0 ? [fill(texts.monthly, { sum: sum(price.monthlyMinor) })] : []),
  ].join(", ");
}

export function itemScreen(visitor: Visitor, item: CatalogItem): Screen {
  const here = step(visitor);
  const { texts, catalog, language, at, has } = here;
  const names = (ids: readonly string[]): string =>
    ids.map((id) => (catalog.has(id) ? nameOf(catalog.get(id)!, language) : id)).join(", ");
  const description = localized(item.description, language);
  const isHad = has.some(({ itemId }) => itemId === item.id);
  const text = [
    ...paragraphsOf(description),
    noteOf(here, item),
    ...(item.includes.length > 0 ? [fill(texts.includes, { items: names(item.includes) })] : []),
    ...(item.needs.length > 0 ? [fill(texts.needs, { items: names(item.needs) })] : []),
    ...(item.conflicts.length > 0 ? [fill(texts.conflictsWith, { items: names(item.conflicts) })] : []),
  ];
  const entries: Entry[] = [];
  if (isHad) entries.push({ label: texts.remove, href: at(`/d/mine/${item.id}`) });
  else if (item.available)
    entries.push({ label: texts.order, href: at(`/d/items/${item.id}/order`), lead: true });
  if (item.terms !== null) entries.push({ label: texts.terms, href: at(`/d/items/${item.id}/terms`) });
  return screen(here, "item", nameOf(item, language), {
    text: text.map((one) => short(one, PARAGRAPH_CHARACTERS)),
    entries,
    actions: [{ role: "back", label: texts.back, href: at(`/d/list/${item.kind}`) }],
  });
}

/** To be read before anything is asked for; they are agreed to in the request alone. */
export function itemTermsScreen(visitor: Visitor, item: CatalogItem, terms: Localized): Screen {
  const here = step(visitor);
  const { texts, language, at } = here;
  return screen(here, "itemterms", texts.terms, {
    text: paragraphsOf(localized(terms, language)),
    actions: [{ role: "back", label: texts.back, href: at(`/d/items/${item.id}`) }],
  });
}

/** What a form asks for: of the user, of single services, and a card. Never the device's own identity (row 9). */
export type Asked = {
  readonly user: readonly UserField[];
  readonly services: readonly {
    readonly itemId: string;
    readonly fields: readonly {
      readonly name: string;
      readonly label: Readonly<Record<string, string>>;
      readonly kind: Field["kind"];
      readonly required: boolean;
    }[];
  }[];
  readonly card: boolean;
};

/** What was typed before, and what was wrong with it by field name. Secrets are typed again. */
export type Typed = {
  readonly values: Readonly<Record<string, string>>;
  readonly faults: Readonly<Record<string, string>>;
};
export const NOTHING_TYPED: Typed = { values: {}, faults: {} };

const USER_KINDS: Readonly<Partial<Record<UserField, Field["kind"]>>> = {
  birthdate: "date",
  email: "email",
  fax: "phone",
};

/** Names of form fields: `u_` a user's, `c_` the card's, `f_` a service's. */
export const CARD_FIELDS = { number: "c_number", expiry: "c_expiry", code: "c_code" } as const;
export const userFieldName = (field: UserField): string => `u_${field}`;
/** A catalog id has hyphens, a form's name has none; what is too long for a form's name gets one of its own. */
export const serviceFieldName = (itemId: string, name: string): string =>
  formName("f", `f_${itemId.replaceAll("-", "_")}__${name}`, `${itemId} ${name}`);
/** What a service server asks for again. */
export const missingFieldName = (name: string): string => formName("x", `x_${name}`, name);

const FORM_NAME_DIGITS = 16;
const formName = (kind: string, plain: string, whole: string): string =>
  isFieldName(plain)
    ? plain
    : `${kind}_${createHash("sha256").update(whole).digest("hex").slice(0, FORM_NAME_DIGITS)}`;

/** One form, one POST: account data and selection together (row 5). */
export function orderScreen(
  visitor: Visitor,
  {
    items,
    asked,
    state,
    offerId,
  }: {
    readonly items: readonly CatalogItem[];
    readonly asked: Asked;
    /** Keeps a form from being sent by another page, and a repeat from being done twice. */
    readonly state: string;
    readonly offerId?: string;
  },
  typed: Typed = NOTHING_TYPED,
): Screen {
  const here = step(visitor);
  const { texts, language, at } = here;
  const [first] = items;
  const lines = items.map((item) => `${nameOf(item, language)}: ${priceText(item.price, texts, language)}`);
  const fields = fieldsOf(here, asked, typed);
  const hasFaults = Object.keys(typed.faults).length > 0;
  return screen(here, "order", fields.length > 0 ? texts.yourData : texts.order, {
    text: [
      ...(hasFaults ? [texts.pleaseCheck] : []),
      ...(offerId === undefined ? [] : [texts.offered]),
      ...lines,
      ...(items.some(({ terms }) => terms !== null) ? [texts.withTerms] : []),
      ...(asked.user.length > 0 ? [texts.yourDataWhy] : []),
    ],
    form: {
      action: at("/d/requests"),
      submit: texts.order,
      fields,
      hidden: {
        selection: items.map(({ id }) => id).join(" "),
        state,
        ...(offerId === undefined ? {} : { offer: offerId }),
      },
    },
    entries: items.flatMap(({ id, terms }) =>
      terms === null ? [] : [{ label: texts.terms, href: at(`/d/items/${id}/terms`) }],
    ),
    actions: first ? [{ role: "back", label: texts.back, href: at(`/d/items/${first.id}`) }] : [],
  });
}

function fieldsOf({ texts, language }: Step, asked: Asked, { values, faults }: Typed): Field[] {
  const note = (name: string): { note?: string } => {
    const code = faults[name];
    return code === undefined ? {} : { note: texts.faults[code] ?? texts.faults.other ?? code };
  };
  const value = (name: string): { value?: string } => (values[name] ? { value: values[name] } : {});
  const user = asked.user.map((field): Field => {
    const name = userFieldName(field);
    const kind = USER_KINDS[field] ?? "text";
    return {
      name,
      label: texts.fields[field],
      kind,
      required: true,
      maxLength: 100,
      ...value(name),
      ...note(name),
    };
  });
  const services = asked.services.flatMap(({ itemId, fields }) =>
    fields.map(({ name: own, label, kind, required }): Field => {
      const name = serviceFieldName(itemId, own);
      const shown = kind === "secret" ? {} : value(name);
      return {
        name,
        label: short(localized(label, language), 60),
        kind,
        required,
        maxLength: 200,
        ...shown,
        ...note(name),
      };
    }),
  );
  const { number, expiry, code } = CARD_FIELDS;
  const card: Field[] = asked.card
    ? [
        {
          name: number,
          label: texts.card.number,
          kind: "secret",
          required: true,
          minLength: 12,
          maxLength: 23,
          note: texts.card.kept,
          ...note(number),
        },
        {
          name: expiry,
          label: texts.card.expiry,
          kind: "digits",
          required: true,
          minLength: 4,
          maxLength: 4,
          ...note(expiry),
        },
        { name: code, label: texts.card.code, kind: "secret", required: false, maxLength: 4, ...note(code) },
      ]
    : [];
  return [...user, ...services, ...card];
}

/** Where a request stands, with the one thing that waits for its user first. */
export function statusScreen(visitor: Visitor, request: RequestStatus): Screen {
  const here = step(visitor);
  const { texts, at } = here;
  const path = `/d/orders/${request.reference}`;
  const isEnded = ENDED.includes(request.state);
  const entries: Entry[] = [];
  if (request.terms.length > 0) entries.push({ label: texts.terms, href: at(`${path}/terms`), lead: true });
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
  // Row 19: what was really provisioned, by the books, and nothing else. A removal leaves nothing to be had.
  const isHad = ({ catalogId }: StatusItem): boolean => here.has.some(({ itemId }) => itemId === catalogId);
  const done = isEnded ? request.items.filter((item) => isSettled(item) && isHad(item)) : [];
  const had = [...new Set(done.map(({ name }) => name))];
  const next = nextOf(request, texts);
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
 * What the visitor can do, or that he need do nothing: in his words, since the kernel's reasons are written for staff. A
 * rejection names its grounds as far as the kernel tells them to subscribers.
 */
function nextOf({ state, reason }: RequestStatus, texts: DialogTexts): string {
  if (state !== "rejected") return texts.nextSteps[state];
  return reason
    .split(", ")
    .map((ground) => texts.rejections[ground] ?? texts.rejections.other ?? "")
    .filter((words, index, all) => words !== "" && all.indexOf(words) === index)
    .join(" ");
}

type StatusItem = RequestStatus["items"][number];
const isSettled = ({ state }: StatusItem): boolean => state !== "failed" && state !== "cancelled";

/** Of what is not among the things that he has now. */
function itemWords(item: StatusItem, texts: DialogTexts, isEnded: boolean): string {
  const { state, reason } = item;
  if (isEnded && isSettled(item)) return texts.removed;
  const words = texts.itemStates[state];
  return state === "failed" && reason !== "" ? `${words} (${reason})` : words;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Row 20: the exact text, and two answers that are equally easy. */
export function termsScreen(visitor: Visitor, request: RequestStatus, state: string, part = 0): Screen {
  const here = step(visitor);
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

/** Paragraphs by screens, none of which holds more than a screen may. */
function screenfuls(paragraphs: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  let characters = 0;
  for (const paragraph of paragraphs) {
    const last = parts.at(-1)!;
    if (last.length >= TERMS_PARAGRAPHS || characters + paragraph.length > TERMS_CHARACTERS) {
      parts.push([paragraph]);
      characters = paragraph.length;
    } else {
      last.push(paragraph);
      characters += paragraph.length;
    }
  }
  return parts;
}

/** One line each, none longer than a paragraph may be; nothing is left out. */
export function paragraphsOf(text: string): string[] {
  return text
    .split(/\r?\n+/)
    .map((line) => line.replace(/\p{Cc}/gu, " ").trim())
    .filter((line) => line !== "")
    .flatMap((line) => {
      const pieces: string[] = [];
      let rest = line;
      while (rest.length > PARAGRAPH_CHARACTERS) {
        const space = rest.lastIndexOf(" ", PARAGRAPH_CHARACTERS);
        const end = space > 0 ? space : PARAGRAPH_CHARACTERS;
        pieces.push(rest.slice(0, end));
        rest = rest.slice(end).trimStart();
      }
      return [...pieces, rest];
    });
}

/** Row 61: just what is missing or corrupt. */
export function fieldsScreen(
  visitor: Visitor,
  request: RequestStatus,
  itemId: string,
  state: string,
): Screen | undefined {
  const here = step(visitor);
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
        kind: kind as Field["kind"],
        required: true,
        maxLength: 200,
      })),
    },
    actions: [{ role: "back", label: texts.back, href: at(path) }],
  });
}

/** Row 56: after a failed installation the user chooses. */
export function choiceScreen(
  visitor: Visitor,
  request: RequestStatus,
  itemId: string,
  state: string,
): Screen | undefined {
  const here = step(visitor);
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

export function ordersScreen(visitor: Visitor): Screen {
  const here = step(visitor);
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

/** Row 65: what he has can be changed any time. */
export function mineScreen(visitor: Visitor): Screen {
  const here = step(visitor);
  const { texts, at, has } = here;
  return screen(here, "mine", texts.myServices, {
    text: has.length > 0 ? [] : [texts.nothingYet],
    entries: has
      .slice(0, HELD_SHOWN)
      .map(({ itemId, name }) => ({ label: short(name, 100), href: at(`/d/mine/${itemId}`) })),
  });
}

export function removeScreen(visitor: Visitor, itemId: string, state: string): Screen | undefined {
  const here = step(visitor);
  const { texts, at, has } = here;
  const item = has.find((one) => one.itemId === itemId);
  if (!item) return undefined;
  return screen(here, "remove", item.name, {
    text: [fill(texts.removeSure, { item: item.name })],
    form: {
      action: at("/d/requests"),
      submit: texts.remove,
      fields: [],
      hidden: { selection: itemId, remove: "yes", state },
    },
    actions: [{ role: "back", label: texts.back, href: at("/d/mine") }],
  });
}

/** Row 23: there before anything is provisioned, and it says where the user stands. */
export function helpScreen(visitor: Visitor): Screen {
  const here = step(visitor);
  const { texts, care, requests, at } = here;
  const [open] = requests.filter(({ state }) => !ENDED.includes(state));
  return screen(here, "help", texts.help, {
    text: [
      open
        ? fill(texts.helpWhere, { state: texts.states[open.state], reason: nextOf(open, texts) }).trim()
        : texts.helpNothingOpen,
      ...(care.phone
        ? [
            open
              ? fill(texts.helpCall, { phone: care.phone, reference: open.reference })
              : fill(texts.helpCallPlain, { phone: care.phone }),
          ]
        : []),
    ],
    entries: [
      ...(open
        ? [
            {
              label: fill(texts.request, { reference: open.reference }),
              href: at(`/d/orders/${open.reference}`),
            },
          ]
        : []),
      ...(care.url ? [{ label: texts.help, href: care.url }] : []),
    ],
  });
}

/**
 * For those whom neither a proxy nor a gateway vouches for: the SIM proves itself by an SMS.
 * @param to where to go afterwards, as far as the address tells
 */
export function signInScreen(
  visitor: Visitor,
  {
    state,
    to,
    wasWrong = false,
  }: { readonly state: string; readonly to: string | null; readonly wasWrong?: boolean },
): Screen {
  const here = step(visitor);
  const { texts, at } = here;
  return screen(here, "signin", texts.signIn, {
    text: [texts.signInWhy],
    form: {
      action: at("/d/sign-in"),
      submit: texts.send,
      fields: [
        {
          name: "msisdn",
          label: texts.phoneNumber,
          kind: "phone",
          required: true,
          maxLength: 25,
          note: wasWrong ? texts.phoneNumberWrong : texts.phoneNumberForm,
        },
      ],
      hidden: { state, ...(to === null ? {} : { to }) },
    },
  });
}

/** The same for a number that is known and one that is not: it tells nobody whose subscriber somebody is. */
export function codeScreen(
  visitor: Visitor,
  {
    state,
    way,
    to,
    wasWrong = false,
  }: {
    readonly state: string;
    /** Names the SMS that the code came by. */
    readonly way: string;
    readonly to: string | null;
    readonly wasWrong?: boolean;
  },
): Screen {
  const here = step(visitor);
  const { texts, at } = here;
  return screen(here, "code", texts.signIn, {
    text: [wasWrong ? texts.codeWrong : texts.linkSent],
    form: {
      action: at("/d/code"),
      submit: texts.send,
      fields: [
        { name: "code", label: texts.code, kind: "digits", required: true, minLength: 6, maxLength: 6 },
      ],
      hidden: { state, way, ...(to === null ? {} : { to }) },
    },
    actions: [{ role: "back", label: texts.back, href: at("/d/sign-in") }],
  });
}

/** What the SMS says that lets its reader in. */
export const wayInText = (
  language: string,
  values: { readonly operator: string; readonly code: string; readonly link: string },
): string => fill(textsIn(language).wayIn, values);

/** Behind a link in an SMS. Looking must not spend it: programs look at links before people do. */
export function linkScreen(visitor: Visitor, path: string, state: string): Screen {
  const here = step(visitor);
  const { texts, at } = here;
  return screen(here, "link", visitor.operatorName, {
    text: [texts.linkReady],
    actions: [{ role: "accept", label: texts.goOn, href: at(path), method: "post", hidden: { state } }],
  });
}

/** In plain words: what happened and what can be done; codes are for logs. */
export function problemScreen(
  visitor: Pick<Visitor, "language" | "at" | "operatorName">,
  code: string,
  signIn = "/d/sign-in",
): Screen {
  const texts = textsIn(visitor.language);
  const here = { ...visitor, texts } as Step; // a problem needs nothing else of who asks
  const why = texts.problems[code] ?? texts.problems.other ?? code;
  const leads: Readonly<Record<string, Entry>> = {
    assurance_too_low: { label: texts.signIn, href: visitor.at(signIn), lead: true },
    link_over: { label: texts.signIn, href: visitor.at(signIn), lead: true },
    request_in_progress: { label: texts.myRequests, href: visitor.at("/d/orders") },
    nothing_to_answer: { label: texts.myRequests, href: visitor.at("/d/orders") },
  };
  const lead = leads[code];
  const title = code === "assurance_too_low" ? texts.signIn : texts.problem;
  return screen(here, "problem", title, { text: [why], ...(lead ? { entries: [lead] } : {}) });
}
