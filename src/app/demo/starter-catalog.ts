/** The catalog that a made-up operator begins with: the shipped file, with the addresses and modules of this start. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCatalogYaml } from "../../http/v1/catalog/catalog-yaml.ts";
import { type CatalogStore, surroundingsOf } from "../../kernel/catalog/catalog-store.ts";
import { checkCatalogDocument } from "../../kernel/catalog/check-catalog.ts";
import { canonical, type ItemBody } from "../../kernel/catalog/item-body.ts";
import { shippedDataFolder } from "../../store/dataset/folder.ts";
import { TurnupError } from "../../term/error.ts";

const STARTER_CATALOG_FILE = "starter-catalog.yaml";

/** A module that this start has the octets of; its content is put into the store before. */
export type StarterModule = { readonly version: string; readonly sha256: string; readonly octets: number };
type StarterPlaces = {
  /** What stands for an origin of the file: `https://office.example` -> `https://127.0.0.1:7443`. */
  readonly origins?: Readonly<Record<string, string>>;
  /** By the module's name. */
  readonly modules?: Readonly<Record<string, StarterModule>>;
};

/** The file as it is shipped, with what is told put in its place; not checked yet. */
export function starterCatalog({ origins = {}, modules = {} }: StarterPlaces = {}): unknown {
  const file = join(shippedDataFolder(), STARTER_CATALOG_FILE);
  return placed(parseCatalogYaml(readFileSync(file, "utf8")), new Map(Object.entries(origins)), modules);
}

/**
 * Puts the starter catalog on offer where an operator has none. What somebody changed since stays as it is; the items that
 * nobody touched get the addresses and modules of this start. How many were written.
 */
export async function putStarterCatalog(
  store: CatalogStore,
  operatorId: string,
  places: StarterPlaces,
  actor: string,
): Promise<number> {
  const checked = checkCatalogDocument(starterCatalog(places), await surroundingsOf(store, operatorId));
  if (!checked.fits) {
    const [first] = checked.problems;
    throw new TurnupError(
      "catalog_malformed",
      `The starter catalog does not fit at ${first?.at}: it ${first?.wanted}.`,
    );
  }
  const { items } = await store.exported(operatorId);
  if (items.size === 0) {
    await store.import(operatorId, checked.value, { actor, dryRun: false });
    return checked.value.items.size;
  }
  let written = 0;
  for (const [id, body] of checked.value.items) {
    const current = items.get(id);
    if (!current || canonical(withoutPlaces(current)) !== canonical(withoutPlaces(body))) continue;
    const { outcome } = await store.put(operatorId, id, body, {
      expected: (version) => version !== undefined,
      actor,
    });
    if (outcome === "stored") written++;
  }
  return written;
}

/** What an item says beyond where its servers and octets are. */
function withoutPlaces({ service, provisioningServer, content, ...body }: ItemBody): unknown {
  const { module = null } = "module" in content ? content : {};
  return {
    ...body,
    isElsewhere: provisioningServer !== null,
    module,
    service: service && { ...service, uri: "" },
  };
}

function placed(
  value: unknown,
  origins: ReadonlyMap<string, string>,
  modules: NonNullable<StarterPlaces["modules"]>,
): unknown {
  if (typeof value === "string") return movedTo(value, origins);
  if (Array.isArray(value)) return value.map((member) => placed(member, origins, modules));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, placed(member, origins, modules)]),
  );
  const module = members.kind === "module" ? modules[String(members.module)] : undefined;
  return module ? { ...members, ...module, url: null } : members;
}

function movedTo(text: string, origins: ReadonlyMap<string, string>): string {
  for (const [from, to] of origins) {
    if (text === from || text.startsWith(`${from}/`)) return to + text.slice(from.length);
  }
  return text;
}
