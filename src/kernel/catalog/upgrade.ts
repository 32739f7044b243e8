/**
 * Whether an item that somebody has is there in an older version than the one on offer (US 6,647,260, claim 6: software modules
 * modify what is there). Names, prices and terms may change without anything changing on the device: such a version is the same.
 */
import type { CatalogItem } from "./catalog-item.ts";
import { canonical } from "./item-body.ts";

/** What a version is made of on the device and in the network. */
type Made = Pick<CatalogItem, "version" | "kind" | "content" | "elements" | "fields">;

/** A feature alone is replaced: a service is registered once, at its own server, which keeps it as it is. */
export const isOutdated = (held: Made, offered: Made): boolean =>
  offered.kind === "feature" && held.version < offered.version && madeOf(held) !== madeOf(offered);

const madeOf = ({ content, elements, fields = [] }: Made): string =>
  canonical([content, [...elements].sort(), fields.map(({ name, kind }) => `${name} ${kind}`)]);

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
