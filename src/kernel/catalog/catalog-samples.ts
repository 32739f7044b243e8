/** Catalog items for tests: whole and valid, so that a test says only what matters to it. */
import type { CatalogItem } from "./catalog-item.ts";

export function sampleItem(id: string, said: Partial<CatalogItem> = {}): CatalogItem {
  return {
    id,
    version: 1,
    kind: "feature",
    name: { en: id },
    description: { en: `What ${id} does` },
    price: null,
    terms: null,
    needs: [],
    conflicts: [],
    includes: [],
    available: true,
    provisioningServer: null,
    content: { kind: "none" },
    service: null,
    elements: [],
    requires: { assurance: "network", verification: false, card: false },
    ...said,
  };
}

export const samplePackage = (
  id: string,
  includes: readonly string[],
  said: Partial<CatalogItem> = {},
): CatalogItem => sampleItem(id, { kind: "package", includes, ...said });

export const sampleCatalog = (...items: readonly CatalogItem[]): ReadonlyMap<string, CatalogItem> =>
  new Map(items.map((item) => [item.id, item]));
