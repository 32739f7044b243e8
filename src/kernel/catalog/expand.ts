/**
 * What a selection comes to: a package is its fixed set (US 6,647,260, claim 10), what is asked for twice is asked for
 * once, and what cannot be had is named with its reason instead of being left out in silence (column 7).
 *
 *   known, offered, taken by the device  ->  its needs are had or asked for  ->  it stands beside the others  ->  needs again
 *
 * An item that falls at one step takes with it what needs it. Of a pair in conflict neither is provisioned (R42).
 */
import { type CatalogItem, isElsewhere, type Lack } from "./catalog-item.ts";

/** The versions that are offered now, by id. */
export type Catalog = ReadonlyMap<string, CatalogItem>;

type UnavailableReason =
  /** No such id. */
  | "unknown"
  /** Shown, but not to be had now. */
  | "not_available"
  /** This device's model cannot take it. */
  | "device_cannot"
  /** This model is known to be without what it needs of a device's hardware. */
  | `lacks_${Lack}`
  /** To be removed, but the subscriber has no such thing. */
  | "not_had";

type ConflictReason =
  /** Both were asked for. */
  | "asked_together"
  /** The subscriber has the other one. */
  | "had_already";

export type ExpandedItem = {
  readonly item: CatalogItem;
  /** Id of the package that it came with; null where it was chosen by itself. */
  readonly package: string | null;
};

export type Expansion = {
  /** What another item needs stands before it; at a removal, after it. */
  readonly items: readonly ExpandedItem[];
  /** Asked for, and there already: nothing is done about it. */
  readonly had: readonly { readonly id: string; readonly package: string | null }[];
  readonly unavailable: readonly { readonly id: string; readonly reason: UnavailableReason }[];
  /** Each of a pair has its line; what the subscriber has keeps working and has none. */
  readonly conflicts: readonly {
    readonly id: string;
    readonly with: string;
    readonly reason: ConflictReason;
  }[];
  /** `id` is neither had nor (any longer) asked for, so `neededBy` is not provisioned. At a removal: `id` stays. */
  readonly missing: readonly { readonly id: string; readonly neededBy: string }[];
};

export function expandSelection(
  catalog: Catalog,
  selection: readonly string[],
  {
    has,
    outdated = NOTHING,
    deviceTakes,
    lackOf = () => undefined,
  }: {
    /** Ids of what the subscriber has on this device. */
    readonly has: ReadonlySet<string>;
    /** Of these, what is there in an older version than the one on offer: asked for again, it is replaced (R122). */
    readonly outdated?: ReadonlySet<string>;
    readonly deviceTakes: (item: CatalogItem) => boolean;
    /** What the model is known to be without, of what an item needs. */
    readonly lackOf?: LackOf;
  },
): Expansion {
  const { wanted, unknown } = unfold(catalog, selection);
  const unavailable: { id: string; reason: UnavailableReason }[] = unknown.map((id) => ({
    id,
    reason: "unknown",
  }));
  const had: { id: string; package: string | null }[] = [];
  const standing = new Map<string, ExpandedItem>();
  for (const [id, entry] of wanted) {
    // What cannot be replaced now stays, and is there.
    const bundle = selection.includes(id) || entry.package === null ? undefined : catalog.get(entry.package);
    const lacking = lackWith(catalog, entry.item, lackOf) ?? (bundle && lackOf(bundle));
    const isTaken = isElsewhere(entry.item) || (deviceTakes(entry.item) && lacking === undefined);
    const isReplaced = outdated.has(id) && entry.offered && isTaken;
    if (has.has(id) && !isReplaced) had.push({ id, package: entry.package });
    else if (!entry.offered) unavailable.push({ id, reason: "not_available" });
    else if (!isTaken)
      unavailable.push({ id, reason: lacking === undefined ? "device_cannot" : `lacks_${lacking}` });
    else standing.set(id, { item: entry.item, package: entry.package });
  }

  const missing = dropWhatLacks(standing, has);
  const conflicts = dropWhatConflicts(catalog, standing, has);
  missing.push(...dropWhatLacks(standing, has));
  return { items: inOrderOfNeed(standing), had, unavailable, conflicts, missing };
}

/** By the model of one device: what of an item's own needs it is without. */
export type LackOf = (item: Pick<CatalogItem, "requires">) => Lack | undefined;

/**
 * What keeps an item off a device: its own needs, and of a package that all of its members lack something; what another server
 * provisions, that server judges.
 */
export function lackWith(catalog: Catalog, item: CatalogItem, lackOf: LackOf): Lack | undefined {
  if (isElsewhere(item)) return undefined;
  const own = lackOf(item);
  if (own !== undefined || item.includes.length === 0) return own;
  const lacks = item.includes.flatMap((id) => {
    const member = catalog.get(id);
    return member ? [isElsewhere(member) ? undefined : lackOf(member)] : [];
  });
  return lacks.includes(undefined) ? undefined : lacks[0];
}

/** Whose requirements hold: what is provisioned, and each package that any of it came with. */
export function askingItems(catalog: Catalog, { items }: Pick<Expansion, "items">): readonly CatalogItem[] {
  const packages = new Set(items.flatMap(({ package: id }) => (id === null ? [] : id)));
  return [...items.map(({ item }) => item), ...[...packages].flatMap((id) => catalog.get(id) ?? [])];
}

/**
 * The other way: what is removed, users of a thing before the thing. What something that stays still needs is not removed.
 * `catalog` must know what the subscriber has, also what is offered no more.
 */
export function expandRemoval(
  catalog: Catalog,
  selection: readonly string[],
  { has }: { readonly has: ReadonlySet<string> },
): Expansion {
  const { wanted, unknown } = unfold(catalog, selection);
  const unavailable: { id: string; reason: UnavailableReason }[] = unknown.map((id) => ({
    id,
    reason: "unknown",
  }));
  const leaving = new Map<string, ExpandedItem>();
  for (const [id, entry] of wanted) {
    // What another server provisioned, that server knows.
    if (has.has(id) || isElsewhere(entry.item)) leaving.set(id, { item: entry.item, package: entry.package });
    else unavailable.push({ id, reason: "not_had" });
  }

  const missing: { id: string; neededBy: string }[] = [];
  // Each round takes at least one item out, so there are at most as many rounds as items.
  for (let settled = false; !settled; ) {
    settled = true;
    for (const stays of has) {
      if (leaving.has(stays)) continue;
      for (const id of catalog.get(stays)?.needs ?? []) {
        if (!leaving.delete(id)) continue;
        missing.push({ id, neededBy: stays });
        settled = false;
      }
    }
  }
  return { items: inOrderOfNeed(leaving).reverse(), had: [], unavailable, conflicts: [], missing };
}

const NOTHING: ReadonlySet<string> = new Set();

type Wanted = { item: CatalogItem; package: string | null; offered: boolean };

/**
 * Packages to their members. What is chosen by itself and in a package comes with the package: its price is in there.
 * An empty package and one that holds a package are refused when a catalog is read, so one step is enough.
 */
function unfold(
  catalog: Catalog,
  selection: readonly string[],
): { readonly wanted: Map<string, Wanted>; readonly unknown: readonly string[] } {
  const wanted = new Map<string, Wanted>();
  const unknown = new Set<string>();
  const want = (id: string, packaged: CatalogItem | null) => {
    const item = catalog.get(id);
    if (!item) return void unknown.add(id);
    const before = wanted.get(id);
    wanted.set(id, {
      item,
      package: before?.package ?? packaged?.id ?? null,
      // A package that is not to be had withholds its members, unless they were chosen otherwise too.
      offered: (before?.offered ?? false) || (item.available && (packaged?.available ?? true)),
    });
  };
  for (const id of selection) {
    const item = catalog.get(id);
    // Of a package that another server provisions, that server knows the members.
    if (item?.kind !== "package" || isElsewhere(item)) want(id, null);
    else for (const member of item.includes) want(member, item);
  }
  return { wanted, unknown: [...unknown] };
}

/** Until all needs are met: what lacks one falls, and with it what needed that. */
function dropWhatLacks(
  standing: Map<string, ExpandedItem>,
  has: ReadonlySet<string>,
): { id: string; neededBy: string }[] {
  const missing: { id: string; neededBy: string }[] = [];
  for (let settled = false; !settled; ) {
    settled = true;
    for (const [id, { item }] of standing) {
      const lacking = item.needs.filter((need) => !has.has(need) && !standing.has(need));
      if (lacking.length === 0) continue;
      missing.push(...lacking.map((need) => ({ id: need, neededBy: id })));
      standing.delete(id);
      settled = false;
    }
  }
  return missing;
}

/** A conflict named by one side holds for both. All pairs are found first, so the order of choosing changes nothing. */
function dropWhatConflicts(
  catalog: Catalog,
  standing: Map<string, ExpandedItem>,
  has: ReadonlySet<string>,
): { id: string; with: string; reason: ConflictReason }[] {
  const conflicts: { id: string; with: string; reason: ConflictReason }[] = [];
  for (const [id, { item }] of standing) {
    for (const other of standing.values()) {
      if (areInConflict(item, other.item))
        conflicts.push({ id, with: other.item.id, reason: "asked_together" });
    }
    for (const heldId of has) {
      const held = catalog.get(heldId);
      const clash = held ? areInConflict(item, held) : item.conflicts.includes(heldId);
      if (clash) conflicts.push({ id, with: heldId, reason: "had_already" });
    }
  }
  for (const { id } of conflicts) standing.delete(id);
  return conflicts;
}

const areInConflict = (one: CatalogItem, other: CatalogItem): boolean =>
  one.id !== other.id && (one.conflicts.includes(other.id) || other.conflicts.includes(one.id));

/** Depth first over needs; as it was chosen where nothing needs anything. A cycle, were there one, is cut where it closes. */
function inOrderOfNeed(standing: ReadonlyMap<string, ExpandedItem>): ExpandedItem[] {
  const ordered: ExpandedItem[] = [];
  const seen = new Set<string>();
  const place = (id: string) => {
    const entry = standing.get(id);
    if (!entry || seen.has(id)) return;
    seen.add(id);
    for (const need of entry.item.needs) place(need);
    ordered.push(entry);
  };
  for (const id of standing.keys()) place(id);
  return ordered;
}
