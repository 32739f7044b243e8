/**
 * Whether an item that somebody has is there in an older version than the one on offer (US 6,647,260, claim 6: software modules
 * modify what is there). Names, prices and terms may change without anything changing on the device: such a version is the same.
 */
import type { CatalogItem } from "./catalog-item.ts";
import { canonical } from "./item-body.ts";

/** What a version is made of on the device, at its service server and in the network. */
type Made = Pick<CatalogItem, "version" | "kind" | "content" | "elements" | "fields" | "service">;

/** A package is not had: its members are, each in a version of its own. */
export const isOutdated = (held: Made, offered: Made): boolean =>
  held.kind === offered.kind &&
  offered.kind !== "package" &&
  held.version < offered.version &&
  madeOf(held) !== madeOf(offered);

const madeOf = ({ content, elements, fields = [], service }: Made): string =>
  canonical([
    content,
    [...elements].sort(),
    askedFor(fields),
    service && [service.uri, service.module, askedFor(service.fields)],
  ]);
const askedFor = (fields: NonNullable<Made["fields"]>): readonly string[] =>
  fields.map(({ name, kind }) => `${name} ${kind}`);

/** Of what somebody has, the ids that are on offer in a version that replaces theirs. */
export const outdatedOf = (
  held: readonly (Made & Pick<CatalogItem, "id">)[],
  offered: ReadonlyMap<string, CatalogItem>,
): ReadonlySet<string> =>
  new Set(
    held.flatMap((one) => {
      const now = offered.get(one.id);
      return now && isOutdated(one, now) ? [one.id] : [];
    }),
  );

/** Of what somebody has, with the package that it came with. */
type HeldOfPackage = { readonly id: string; readonly bundle: string | null };

/**
 * What somebody has of packages that they ask for again, and what these hold no more: it goes once the rest of its package is
 * there. What they want besides, and what something needs that stays, does not go.
 */
export function leavingOf(
  catalog: ReadonlyMap<string, CatalogItem>,
  selection: readonly string[],
  held: readonly HeldOfPackage[],
): readonly (HeldOfPackage & { readonly bundle: string })[] {
  const packages = selection.flatMap((id) => {
    const item = catalog.get(id);
    return item?.kind === "package" && item.provisioningServer === null ? [item] : [];
  });
  const wanted = new Set([...selection, ...packages.flatMap(({ includes }) => includes)]);
  const leaving = new Map(
    held.flatMap(({ id, bundle }) =>
      bundle !== null && packages.some((one) => one.id === bundle) && !wanted.has(id)
        ? [[id, { id, bundle }] as const]
        : [],
    ),
  );
  // Each round keeps at least one back, so there are at most as many rounds as items.
  for (let settled = false; !settled; ) {
    settled = true;
    const stays = [...wanted, ...held.flatMap(({ id }) => (leaving.has(id) ? [] : [id]))];
    for (const id of stays)
      for (const need of catalog.get(id)?.needs ?? []) if (leaving.delete(need)) settled = false;
  }
  return [...leaving.values()];
}
