/** The catalog in memory, for tests of the doors: one feature, its terms and a module's octets, all of operator A. */
import { createHash } from "node:crypto";
import type { CatalogItem } from "../src/kernel/catalog/catalog-item.ts";
import { sampleItem } from "../src/kernel/catalog/catalog-samples.ts";
import type { CatalogStore, TermsVersion } from "../src/kernel/catalog/catalog-store.ts";
import { bodyOf, type CatalogDocument } from "../src/kernel/catalog/check-catalog.ts";
import { diffCatalogs } from "../src/kernel/catalog/diff.ts";
import { canonical } from "../src/kernel/catalog/item-body.ts";
import { type House, OPERATOR_A } from "./http-house.ts";

export const CONTENT = Buffer.from("module");
export const CONTENT_SHA256 = createHash("sha256").update(CONTENT).digest("hex");

type Shelf = {
  readonly items: Map<string, CatalogItem>;
  readonly terms: Map<string, TermsVersion>;
  readonly content: Map<string, Uint8Array>;
};

export function memoryCatalog(house: Pick<House, "audit">, madeAt: string): CatalogStore {
  const shelves = new Map<string, Shelf>();
  const made = { madeBy: "cli", madeAt };
  const shelfOf = (operatorId: string): Shelf => {
    const known = shelves.get(operatorId);
    if (known) return known;
    const isA = operatorId === OPERATOR_A;
    const terms = { id: "mail-terms", version: 1, texts: { en: "Mail costs." }, ...made };
    const shelf: Shelf = {
      items: new Map(isA ? [["mms", sampleItem("mms")]] : []),
      terms: new Map(isA ? [["mail-terms", terms]] : []),
      content: new Map(isA ? [[CONTENT_SHA256, CONTENT]] : []),
    };
    shelves.set(operatorId, shelf);
    return shelf;
  };
  const note = (operatorId: string, actor: string, action: string, subject: string): void =>
    void house.audit.push({ operatorId, actor, action, subject });
  const documentOf = ({ items, terms }: Shelf): CatalogDocument => ({
    items: new Map([...items].map(([id, item]) => [id, bodyOf(item)])),
    terms: new Map([...terms].map(([id, { texts }]) => [id, texts])),
  });
  return {
    currentCatalog: async (operatorId) => shelfOf(operatorId).items,
    currentTerms: async (operatorId) => shelfOf(operatorId).terms,
    async list(operatorId, { kind, after = "", limit }) {
      const all = [...shelfOf(operatorId).items.values()].filter(
        (item) => item.id > after && (kind === undefined || item.kind === kind),
      );
      const items = all.sort((one, other) => (one.id < other.id ? -1 : 1)).slice(0, limit);
      return { items, next: all.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    async find(operatorId, itemId) {
      const current = shelfOf(operatorId).items.get(itemId);
      return current && { current, versions: [{ version: current.version, ...made, retiredAt: null }] };
    },
    version: async (operatorId, itemId) => shelfOf(operatorId).items.get(itemId),
    catalogWith: async (operatorId) => shelfOf(operatorId).items,
    async put(operatorId, itemId, body, expected, actor) {
      const { items } = shelfOf(operatorId);
      const current = items.get(itemId);
      if (!expected(current?.version)) return { outcome: "changed" };
      if (current && canonical(bodyOf(current)) === canonical(body))
        return { outcome: "unchanged", version: current.version };
      const version = (current?.version ?? 0) + 1;
      items.set(itemId, { ...body, id: itemId, version });
      note(operatorId, actor, "catalog.put", itemId);
      return { outcome: "stored", version };
    },
    async retire(operatorId, itemId, expected, actor) {
      const { items } = shelfOf(operatorId);
      const current = items.get(itemId);
      if (!current) return "unknown";
      if (!expected(current.version)) return "changed";
      items.delete(itemId);
      note(operatorId, actor, "catalog.retire", itemId);
      return "retired";
    },
    exported: async (operatorId) => documentOf(shelfOf(operatorId)),
    async import(operatorId, document, { actor, dryRun, expected = () => true }) {
      const shelf = shelfOf(operatorId);
      const current = documentOf(shelf);
      if (!expected(current)) return "changed";
      const diff = diffCatalogs(current, document);
      if (dryRun) return diff;
      for (const id of diff.items.retired) shelf.items.delete(id);
      for (const [id, body] of document.items)
        shelf.items.set(id, { ...body, id, version: (shelf.items.get(id)?.version ?? 0) + 1 });
      for (const [id, texts] of document.terms)
        shelf.terms.set(id, { id, version: (shelf.terms.get(id)?.version ?? 0) + 1, texts, ...made });
      note(operatorId, actor, "catalog.import", `${document.items.size} items`);
      return diff;
    },
    listTerms: async (operatorId) => [...shelfOf(operatorId).terms.values()],
    termsVersions: async (operatorId, termsId) =>
      [shelfOf(operatorId).terms.get(termsId)].flatMap((one) => one ?? []),
    async termsVersion(operatorId, termsId, version) {
      const terms = shelfOf(operatorId).terms.get(termsId);
      return terms?.version === version ? terms : undefined;
    },
    async putTerms(operatorId, termsId, texts, expected, actor) {
      const { terms } = shelfOf(operatorId);
      const current = terms.get(termsId);
      if (!expected(current?.version)) return { outcome: "changed" };
      if (current && canonical(current.texts) === canonical(texts))
        return { outcome: "unchanged", version: current.version };
      const version = (current?.version ?? 0) + 1;
      terms.set(termsId, { id: termsId, version, texts, ...made });
      note(operatorId, actor, "terms.put", termsId);
      return { outcome: "stored", version };
    },
    async putContent(operatorId, sha256, octets) {
      const { content } = shelfOf(operatorId);
      const isNew = !content.has(sha256);
      content.set(sha256, octets);
      return isNew;
    },
    content: async (operatorId, sha256) => shelfOf(operatorId).content.get(sha256),
    knownContent: async (operatorId) => new Set(shelfOf(operatorId).content.keys()),
  };
}
