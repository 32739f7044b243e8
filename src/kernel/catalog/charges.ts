/**
 * What a selection is charged: the one place that says it, for the words on screens, in SMS and in answers of the API, and
 * for what is booked. A package with a price of its own costs that; one without costs what its members do. What somebody has
 * already, and what is provisioned and billed by another server, is charged nothing here.
 */
import { type CatalogItem, isElsewhere, type Localized, type Price } from "./catalog-item.ts";
import { type Catalog, type ExpandedItem, expandSelection, type LackOf } from "./expand.ts";

/** One currency, and one way of taxing; an item that costs nothing has none. */
export type Cost = {
  /** ISO 4217. */
  readonly currency: string;
  /** In minor units of it. */
  readonly onceMinor: number;
  readonly monthlyMinor: number;
  /** Prices of use do not add up: each stands by itself, with the item whose use it is. */
  readonly use: readonly UseCost[];
  /** As the catalog says it, `incl. VAT`; null where it says nothing. */
  readonly tax: Localized | null;
};
type UseCost = {
  readonly minor: number;
  /** What is counted: `MB`, `message`. */
  readonly per: Localized;
  readonly item: Pick<CatalogItem, "id" | "name">;
};
type Priced = { readonly item: Pick<CatalogItem, "id" | "name">; readonly price: Price };

const isFree = (price: Price): boolean =>
  !price ||
  (price.onceMinor === 0 && price.monthlyMinor === 0 && (price.use ?? []).every(({ minor }) => minor === 0));

/**
 * The price that each item bears. Of a package with a price of its own the first member bears it, and the others none;
 * members bear their own where the package has none.
 */
export function chargesOf(catalog: Catalog, items: readonly ExpandedItem[]): ReadonlyMap<string, Price> {
  const borne = new Set<string>();
  const charges = new Map<string, Price>();
  for (const { item, package: packaged } of items) {
    const price = packaged === null || isElsewhere(item) ? undefined : catalog.get(packaged)?.price;
    if (isElsewhere(item)) charges.set(item.id, null);
    else if (packaged === null || !price) charges.set(item.id, item.price);
    else {
      charges.set(item.id, borne.has(packaged) ? null : price);
      borne.add(packaged);
    }
  }
  return charges;
}

/** Sums by currency and tax words, in the order of the items. */
export function sumOf(priced: readonly Priced[]): readonly Cost[] {
  const costs = new Map<string, Cost>();
  for (const { item, price } of priced) {
    if (!price || isFree(price)) continue;
    const tax = price.tax ?? null;
    const key = JSON.stringify([price.currency, tax && Object.entries(tax).sort()]);
    const before = costs.get(key);
    const use = (price.use ?? []).flatMap(({ minor, per }) => (minor > 0 ? [{ minor, per, item }] : []));
    costs.set(key, {
      currency: price.currency,
      onceMinor: (before?.onceMinor ?? 0) + price.onceMinor,
      monthlyMinor: (before?.monthlyMinor ?? 0) + price.monthlyMinor,
      use: [...(before?.use ?? []), ...use],
      tax,
    });
  }
  return [...costs.values()];
}

/**
 * What somebody is charged for a selection, each of it by itself: what is in two packages costs once.
 * @param had what they have; of that, what is replaced by the version on offer, and costs what that does; what their device lacks
 */
export function costsOf(
  catalog: Catalog,
  selection: readonly string[],
  had: {
    readonly has?: ReadonlySet<string>;
    readonly outdated?: ReadonlySet<string>;
    readonly lackOf?: LackOf;
  } = {},
): ReadonlyMap<string, readonly Cost[]> {
  const { items } = expandSelection(catalog, selection, {
    ...had,
    has: had.has ?? new Set(),
    deviceTakes: () => true,
  });
  const charges = chargesOf(catalog, items);
  return new Map(
    selection.map((id) => [
      id,
      sumOf(
        items.flatMap(({ item, package: packaged }) =>
          (packaged ?? item.id) === id ? [{ item, price: charges.get(item.id) ?? null }] : [],
        ),
      ),
    ]),
  );
}

/** It, or something in it, is billed by another server: that nothing is charged here does not make it free. */
export const isBilledElsewhere = (catalog: Catalog, item: CatalogItem): boolean =>
  isElsewhere(item) ||
  item.includes.some((id) => {
    const member = catalog.get(id);
    return member !== undefined && isElsewhere(member);
  });

/** What an item costs whoever has nothing yet, whether it is to be had now or not: for lists of staff and of the API. */
export function listCostOf(catalog: Catalog, item: CatalogItem): readonly Cost[] {
  const members = item.price === null ? item.includes.flatMap((id) => catalog.get(id) ?? []) : [];
  const priced = members.length > 0 ? members : [item];
  return sumOf(priced.map((one) => ({ item: one, price: one.price })));
}
