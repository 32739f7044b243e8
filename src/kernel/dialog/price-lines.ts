/**
 * What a visitor is told that things cost: what they would be charged for them, by the rules of what is booked. What another
 * server bills is said to come from there, and never to be free.
 */
import { createHash } from "node:crypto";
import { type CatalogItem, isElsewhere } from "../catalog/catalog-item.ts";
import { type Cost, costsOf, isBilledElsewhere, listCostOf } from "../catalog/charges.ts";
import { type ExpandedItem, expandSelection } from "../catalog/expand.ts";
import { priceWords } from "../catalog/price-words.ts";
import { fill } from "./texts.ts";
import { nameOf, type PortalView, type Step } from "./view.ts";

/** What is on the device in hand: what is only on another one is provisioned, and charged, once more. */
export const hasHere = ({ has }: Pick<PortalView, "has">): ReadonlySet<string> =>
  new Set(has.flatMap(({ itemId, isHere = true }) => (isHere ? [itemId] : [])));

/** Of that, what the version on offer would replace. */
const outdatedHere = ({ has }: Pick<PortalView, "has">): ReadonlySet<string> =>
  new Set(has.flatMap(({ itemId, isHere = true, isOutdated }) => (isHere && isOutdated ? [itemId] : [])));

/** Something else can be given for it while it is there, such as another number that calls are forwarded to. */
const asksForFields = ({ kind, fields = [], provisioningServer }: CatalogItem): boolean =>
  kind === "feature" && fields.length > 0 && provisioningServer === null;

/** What is asked for again to some end: the version on offer would replace it, or something else can be given for it. */
export const replaceableHere = (view: Pick<PortalView, "has" | "catalog">): ReadonlySet<string> =>
  new Set([
    ...outdatedHere(view),
    ...[...hasHere(view)].filter((id) => {
      const item = view.catalog.get(id);
      return item !== undefined && asksForFields(item);
    }),
  ]);

/** One line for each of a selection, as it is ordered together: what is in two of them costs once. */
export function priceLines(here: Step, chosen: readonly CatalogItem[]): readonly string[] {
  const ids = chosen.map(({ id }) => id);
  const had = { has: hasHere(here), outdated: outdatedHere(here), lackOf: here.lackOf };
  const { items } = expandSelection(here.catalog, ids, { ...had, deviceTakes: () => true });
  const costs = costsOf(here.catalog, ids, had);
  return chosen.map((item) => priceLine(here, item, items, costs.get(item.id) ?? []));
}

function priceLine(
  here: Step,
  item: CatalogItem,
  items: readonly ExpandedItem[],
  costs: readonly Cost[],
): string {
  const { texts, language, catalog } = here;
  if (isElsewhere(item)) {
    const advertised = listCostOf(catalog, item);
    return [
      fromServer(here, item),
      ...(advertised.length > 0 ? [priceWords(advertised, language)] : []),
    ].join(", ");
  }
  const own = items.filter((one) => (one.package ?? one.item.id) === item.id);
  const isInPackage = items.some((one) => one.item.id === item.id && one.package !== null);
  if (isInPackage) return texts.inPackage;
  // It lacks what it needs, or cannot stand beside something: what it would cost is worth knowing all the same.
  if (own.length === 0)
    return isHad(here, item)
      ? texts.youHaveIt
      : priceWords(listCostOf(catalog, item), language, isBilledElsewhere(catalog, item));
  const foreign = own.filter((one) => isElsewhere(one.item)).map((one) => one.item);
  // That the rest of a package costs nothing is no reason to call it free.
  const isCosted = costs.length > 0 || foreign.length === 0;
  return [
    ...(own.some((one) => outdatedHere(here).has(one.item.id)) ? [texts.newerVersion] : []),
    ...(isCosted ? [priceWords(costs, language)] : []),
    ...foreign.map((one) => `${nameOf(one, language)}: ${fromServer(here, one)}`),
  ].join("; ");
}

/** In the version on offer; of a package: all of its members. */
export const isHad = ({ has }: Pick<PortalView, "has">, { id, includes }: CatalogItem): boolean =>
  (includes.length > 0 ? includes : [id]).every((one) =>
    has.some(({ itemId, isOutdated = false }) => itemId === one && !isOutdated),
  );

const fromServer = ({ texts, serverName }: Step, { provisioningServer }: CatalogItem): string =>
  fill(texts.fromServer, { server: serverName(provisioningServer ?? "") });

const QUOTE_CHARACTERS = 16;
/** Names what somebody was shown that their selection costs: a form that bears another than now is shown anew. */
export function quoteOf(view: PortalView, chosen: readonly CatalogItem[]): string {
  const costs = costsOf(
    view.catalog,
    chosen.map(({ id }) => id),
    { has: hasHere(view), outdated: outdatedHere(view), lackOf: view.lackOf },
  );
  return createHash("sha256")
    .update(JSON.stringify([...costs]))
    .digest("base64url")
    .slice(0, QUOTE_CHARACTERS);
}
