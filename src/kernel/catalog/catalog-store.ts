/**
 * What is asked of storage about the catalog. Versions are never edited: a change is a next version, and the one before
 * retires; orders go on with the version that they were made with. Every call names its operator.
 */
import type { CatalogItem, CatalogKind, Localized } from "./catalog-item.ts";
import type { CatalogDocument, Surroundings } from "./check-catalog.ts";
import type { Catalog } from "./expand.ts";
import type { ItemBody } from "./item-body.ts";

/** When a version of an item was made, and when it ended. Times are RFC 3339. */
export type ItemVersion = {
  readonly version: number;
  readonly madeBy: string;
  readonly madeAt: string;
  /** A newer version took its place, or it is offered no more. */
  readonly retiredAt: string | null;
};

/** Terms as they read in one version. */
export type TermsVersion = {
  readonly id: string;
  readonly version: number;
  /** By language; `en` is there always. */
  readonly texts: Localized;
  readonly madeBy: string;
  readonly madeAt: string;
};

/** What a change made of a catalog, or would make. */
export type CatalogDiff = {
  readonly items: DiffOf;
  readonly terms: Omit<DiffOf, "retired">;
};
/** Ids by what happens to them; `members` names what of a body is another. */
type DiffOf = {
  readonly added: readonly string[];
  readonly changed: readonly { readonly id: string; readonly members: readonly string[] }[];
  readonly retired: readonly string[];
  readonly unchanged: number;
};

/** Whether what is there is still what the caller saw; asked inside the transaction that changes it. */
export type ExpectedVersion = (current: number | undefined) => boolean;

/** What became of a write; `changed`: what is there was not what the caller expected, and nothing was written. */
export type Put =
  | { readonly outcome: "stored" | "unchanged"; readonly version: number }
  | { readonly outcome: "changed" };

/**
 * The catalogs of all operators. Every change is audited under `actor`.
 * @throws TurnupError by every call: `database_unavailable`, `database_timeout`, `database_full`
 */
export interface CatalogStore {
  /** What is offered now; a change on another server may be noticed a second later. */
  currentCatalog(operatorId: string): Promise<Catalog>;
  /** The newest versions of all terms, as late. */
  currentTerms(operatorId: string): Promise<ReadonlyMap<string, TermsVersion>>;

  /** What is offered now, by id; `next` is the `after` of the next page. */
  list(
    operatorId: string,
    page: {
      readonly kind?: CatalogKind | undefined;
      readonly after?: string | undefined;
      readonly limit: number;
    },
  ): Promise<{ readonly items: readonly CatalogItem[]; readonly next: string | null }>;
  /** `current` is undefined where it is offered no more; undefined altogether where it never was. */
  find(
    operatorId: string,
    itemId: string,
  ): Promise<
    { readonly current: CatalogItem | undefined; readonly versions: readonly ItemVersion[] } | undefined
  >;
  /** Also what is offered no more. */
  version(operatorId: string, itemId: string, version: number): Promise<CatalogItem | undefined>;
  /** What an operator offers and the versions that `wanted` names beside it: for removing what is offered no more. */
  catalogWith(
    operatorId: string,
    wanted: readonly { readonly itemId: string; readonly version: number }[],
  ): Promise<Catalog>;
  /** Offers this body from now on, as the next version; the same body again is `unchanged`. */
  put(
    operatorId: string,
    itemId: string,
    body: ItemBody,
    change: { readonly expected: ExpectedVersion; readonly actor: string },
  ): Promise<Put>;
  /** False where it is not offered. */
  retire(
    operatorId: string,
    itemId: string,
    expected: ExpectedVersion,
    actor: string,
  ): Promise<"retired" | "changed" | "unknown">;

  /** Now, not some seconds ago. */
  exported(operatorId: string): Promise<CatalogDocument>;
  /**
   * Makes the catalog what the document says, in one transaction: what it does not name retires. Terms that it does not
   * name stay, since somebody may have agreed to them. The same document again changes nothing.
   */
  import(
    operatorId: string,
    document: CatalogDocument,
    how: {
      readonly actor: string;
      readonly dryRun: boolean;
      /** Whether what is there is still what the caller saw; asked inside the transaction. */
      readonly expected?: (current: CatalogDocument) => boolean;
    },
  ): Promise<CatalogDiff | "changed">;

  /** The newest version of each, by id, as it stands in the database now. */
  listTerms(operatorId: string): Promise<readonly TermsVersion[]>;
  /** All versions, newest first; none where there are no such terms. */
  termsVersions(operatorId: string, termsId: string): Promise<readonly TermsVersion[]>;
  /** The very text that somebody agreed to. */
  termsVersion(operatorId: string, termsId: string, version: number): Promise<TermsVersion | undefined>;
  /** Writes the next version; the same texts again are `unchanged`. */
  putTerms(
    operatorId: string,
    termsId: string,
    texts: Localized,
    change: { readonly expected: ExpectedVersion; readonly actor: string },
  ): Promise<Put>;

  /**
   * True where it is new.
   * @throws TurnupError `body_too_large`: no octets, or more than a module may have; `content_mismatch`: the octets are
   *   others than the name says
   */
  putContent(operatorId: string, sha256: string, octets: Uint8Array, actor: string): Promise<boolean>;
  /** The octets of that name; they never change. */
  content(operatorId: string, sha256: string): Promise<Uint8Array | undefined>;
  /** Hexadecimal SHA-256 of all octets that are there. */
  knownContent(operatorId: string): Promise<ReadonlySet<string>>;
}

/**
 * The same catalog as its own server reads it: an item that names this very server is provisioned here, so that one file may be
 * the catalog of several servers.
 * @param isOwn whether an origin is this server's own
 */
export function seenFromHome<Store extends Pick<CatalogStore, "currentCatalog" | "catalogWith">>(
  store: Store,
  isOwn: (origin: string) => boolean,
): Store {
  const home = (catalog: Catalog): Catalog =>
    new Map(
      [...catalog].map(([id, item]) =>
        item.provisioningServer !== null && isOwn(item.provisioningServer)
          ? [id, { ...item, provisioningServer: null }]
          : [id, item],
      ),
    );
  return {
    ...store,
    currentCatalog: async (operatorId) => home(await store.currentCatalog(operatorId)),
    catalogWith: async (operatorId, wanted) => home(await store.catalogWith(operatorId, wanted)),
  };
}

/** What a catalog of this operator may lean on. */
export async function surroundingsOf(
  store: Pick<CatalogStore, "listTerms" | "knownContent">,
  operatorId: string,
  hasServer?: Surroundings["hasServer"],
): Promise<Surroundings> {
  const [terms, content] = await Promise.all([store.listTerms(operatorId), store.knownContent(operatorId)]);
  const known = new Set(terms.map(({ id }) => id));
  return { hasTerms: (id) => known.has(id), hasContent: (sha256) => content.has(sha256), hasServer };
}
