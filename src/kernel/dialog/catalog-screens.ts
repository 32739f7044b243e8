/** What is on offer: three roads, lists, items, their terms (US 6,647,260 column 5 and Fig. 2). */
import type { Action, Entry, Screen } from "../../wire/screen/screen.ts";
import {
  CATALOG_KINDS,
  type CatalogItem,
  type CatalogKind,
  type Localized,
  type Price,
} from "../catalog/catalog-item.ts";
import { paragraphsOf } from "./paragraphs.ts";
import { type DialogTexts, fill, localized } from "./texts.ts";
import {
  ENDED,
  nameOf,
  PARAGRAPH_CHARACTERS,
  type Step,
  screen,
  short,
  step,
  type Visitor,
} from "./visitor.ts";

const LIST_SHOWN = 50;
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

export function priceText(price: Price, texts: DialogTexts, language: string): string {
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
