/** What changes when one catalog takes the place of another, for whoever reviews it before. */
import type { Localized } from "./catalog-item.ts";
import type { CatalogDiff } from "./catalog-store.ts";
import type { CatalogDocument } from "./check-catalog.ts";
import { canonical } from "./item-body.ts";

/** Terms that `wanted` does not name stay. */
export function diffCatalogs(current: CatalogDocument, wanted: CatalogDocument): CatalogDiff {
  const { retired: _stay, ...terms } = diffOf<Localized>(current.terms, wanted.terms);
  return { items: diffOf(current.items, wanted.items), terms };
}

export const isEmptyDiff = ({ items, terms }: CatalogDiff): boolean =>
  [items.added, items.changed, items.retired, terms.added, terms.changed].every(({ length }) => length === 0);

function diffOf<Value extends object>(
  current: ReadonlyMap<string, Value>,
  wanted: ReadonlyMap<string, Value>,
): CatalogDiff["items"] {
  const added: string[] = [];
  const changed: { id: string; members: string[] }[] = [];
  for (const [id, value] of wanted) {
    const before = current.get(id);
    const members = before ? membersThatDiffer(before, value) : [];
    if (!before) added.push(id);
    else if (members.length > 0) changed.push({ id, members });
  }
  const retired = [...current.keys()].filter((id) => !wanted.has(id));
  return { added, changed, retired, unchanged: wanted.size - added.length - changed.length };
}

function membersThatDiffer(before: object, after: object): string[] {
  const [one, other] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...one.keys(), ...other.keys()])].filter(
    (name) => canonical(one.get(name) ?? null) !== canonical(other.get(name) ?? null),
  );
}
