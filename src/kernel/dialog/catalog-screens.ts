/** What is on offer: three roads, lists, items, their terms (US 6,647,260 column 5 and Fig. 2). */
import { firstOf } from "../../term/collections.ts";
import type { Action, Entry, Screen } from "../../wire/screen/screen.ts";
import {
  CATALOG_KINDS,
  type CatalogItem,
  type CatalogKind,
  isElsewhere,
  type Localized,
} from "../catalog/catalog-item.ts";
import { type Catalog, lackWith } from "../catalog/expand.ts";
import { localized } from "../catalog/localized.ts";
import { paragraphsOf } from "./paragraphs.ts";
import { isHad, priceLines, replaceableHere } from "./price-lines.ts";
import { fill } from "./texts.ts";
import {
  ENDED,
  nameOf,
  PARAGRAPH_CHARACTERS,
  type PortalView,
  type Step,
  screen,
  short,
  step,
} from "./view.ts";

const LIST_SHOWN = 50;
/** A package has at most 50 members. */
const TERMS_SHOWN = 51;
const TERMS_LABEL_CHARACTERS = 100;
/** R3: exactly three roads. */
export function startScreen(view: PortalView): Screen {
  const here = step(view);
  const { texts, at, requests, has, isKnown } = here;
  const open = requests.filter(({ state }) => !ENDED.includes(state));
  const actions: Action[] = [];
  if (!isKnown) actions.push({ role: "more", label: texts.signIn, href: at("/d/sign-in") });
  if (open.length > 0) actions.push({ role: "more", label: texts.myRequests, href: at("/d/orders") });
  if (has.length > 0) actions.push({ role: "more", label: texts.myServices, href: at("/d/mine") });
  return screen(here, "start", view.operatorName, {
    text: [fill(texts.welcome, { operator: view.operatorName })],
    entries: CATALOG_KINDS.map((kind) => ({
      label: texts.roads[kind],
      note: texts.roadNotes[kind],
      href: at(`/d/list/${kind}`),
    })),
    actions,
  });
}

/** R6: each entry carries the address of its own provisioning server. A long list goes on where `from` says. */
export function listScreen(view: PortalView, kind: CatalogKind, from = 0): Screen {
  const here = step(view);
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
      href: addressOf(here, item),
    }),
  );
  return screen(here, "list", texts.roads[kind], {
    text: [entries.length > 0 ? texts.choose : texts.nothingOffered],
    entries,
    actions: [...more, { role: "back", label: texts.back, href: at("/d/start") }],
  });
}

/** At the item's own server, where it names one that the visitor can reach; sessions do not travel between servers. */
function addressOf({ at, serverUrl }: Step, { id, provisioningServer }: CatalogItem): string {
  const elsewhere = provisioningServer === null ? null : serverUrl(provisioningServer);
  return elsewhere === null ? at(`/d/items/${id}`) : `${elsewhere}/d/items/${id}`;
}

function noteOf(here: Step, item: CatalogItem): string {
  if (isHad(here, item)) return here.texts.youHaveIt;
  if (!item.available) return here.texts.notNow;
  const lack = lackWith(here.catalog, item, here.lackOf);
  if (lack !== undefined) return here.texts.lacks[lack];
  return firstOf(priceLines(here, [item]));
}

export function itemScreen(view: PortalView, item: CatalogItem): Screen {
  const here = step(view);
  const { texts, catalog, language, at, has } = here;
  const names = (ids: readonly string[]): string =>
    ids
      .map((id) => {
        const named = catalog.get(id);
        return named ? nameOf(named, language) : id;
      })
      .join(", ");
  const description = localized(item.description, language);
  const leftOut = item.includes.filter((id) => {
    const member = catalog.get(id);
    return member !== undefined && lackWith(catalog, member, here.lackOf) !== undefined;
  });
  const isHeld = has.some(({ itemId }) => itemId === item.id);
  const text = [
    ...paragraphsOf(description),
    noteOf(here, item),
    ...(item.available && isOutOfReach(here, item) ? [askServer(here, item)] : []),
    ...(canBeHad(here, item) && leftOut.length > 0 ? [fill(texts.leavesOut, { items: names(leftOut) })] : []),
    ...(item.includes.length > 0 ? [fill(texts.includes, { items: names(item.includes) })] : []),
    ...(item.needs.length > 0 ? [fill(texts.needs, { items: names(item.needs) })] : []),
    ...(item.conflicts.length > 0 ? [fill(texts.conflictsWith, { items: names(item.conflicts) })] : []),
  ];
  const entries: Entry[] = [];
  if (isHeld) {
    if (canBeHad(here, item) && replaceableHere(here).has(item.id))
      entries.push({ label: texts.change, href: at(`/d/items/${item.id}/order`), lead: true });
    entries.push({ label: texts.remove, href: at(`/d/mine/${item.id}`) });
  } else if (canBeHad(here, item)) entries.push(...wayToIt(here, item));
  entries.push(...termsEntries(here, [item]));
  return screen(here, "item", nameOf(item, language), {
    text: text.map((one) => short(one, PARAGRAPH_CHARACTERS)),
    entries,
    actions: [{ role: "back", label: texts.back, href: at(`/d/list/${item.kind}`) }],
  });
}

/** It is on offer, and nothing that it needs is known to be missing on the device in hand. */
export const canBeHad = ({ catalog, lackOf }: PortalView, item: CatalogItem): boolean =>
  item.available && lackWith(catalog, item, lackOf) === undefined;

/** To its form, or to its own server. What neither leads to is not to be had from here, and the screen says who has it. */
function wayToIt(here: Step, item: CatalogItem): Entry[] {
  const { texts, at, serverUrl, serverName } = here;
  const { provisioningServer: origin } = item;
  if (isOutOfReach(here, item)) return [];
  if (origin !== null && serverUrl(origin) !== null) {
    const label = short(fill(texts.goToServer, { server: serverName(origin) }), TERMS_LABEL_CHARACTERS);
    return [{ label, href: addressOf(here, item), lead: true }];
  }
  return [{ label: texts.order, href: at(`/d/items/${item.id}/order`), lead: true }];
}

/** It cannot be ordered here: it is another server's, which takes no requests from this one. */
export const isOutOfReach = (
  { serverUrl, isForwarded }: PortalView,
  { provisioningServer: origin }: CatalogItem,
): boolean => origin !== null && serverUrl(origin) === null && !isForwarded(origin);
const askServer = ({ texts, serverName }: Step, { provisioningServer }: CatalogItem): string =>
  fill(texts.askServer, { server: serverName(provisioningServer ?? "") });

/** It is ordered at its own server, which the visitor's screen leads to. */
export const isOrderedElsewhere = (
  { serverUrl }: PortalView,
  { provisioningServer: origin }: CatalogItem,
): boolean => origin !== null && serverUrl(origin) !== null;

/** Whose terms come with an item: its own, and of a package those of its members too; each terms once. */
export function termsWith(catalog: Catalog, item: CatalogItem): readonly CatalogItem[] {
  const all = isElsewhere(item) ? [] : [item, ...item.includes.flatMap((id) => catalog.get(id) ?? [])];
  return all.filter(
    ({ terms, provisioningServer }, at) =>
      terms !== null &&
      provisioningServer === null &&
      all.findIndex((one) => one.terms === terms && one.provisioningServer === null) === at,
  );
}

/** A way to all terms that an order of these would ask an answer to. */
export function termsEntries({ texts, catalog, language, at }: Step, items: readonly CatalogItem[]): Entry[] {
  const entries = items.flatMap((item) =>
    termsWith(catalog, item).map((of) => ({ of, href: `/d/items/${item.id}/terms/${of.terms}` })),
  );
  return entries
    .filter(({ of }, at) => entries.findIndex((one) => one.of.terms === of.terms) === at)
    .slice(0, TERMS_SHOWN)
    .map(({ of, href }) => ({
      label:
        entries.length === 1
          ? texts.terms
          : short(fill(texts.termsOf, { item: nameOf(of, language) }), TERMS_LABEL_CHARACTERS),
      href: at(href),
    }));
}

/** To be read before anything is asked for; they are agreed to in the request alone. */
export function itemTermsScreen(view: PortalView, item: CatalogItem, terms: Localized): Screen {
  const here = step(view);
  const { texts, language, at } = here;
  return screen(here, "itemterms", texts.terms, {
    text: paragraphsOf(localized(terms, language)),
    actions: [{ role: "back", label: texts.back, href: at(`/d/items/${item.id}`) }],
  });
}
