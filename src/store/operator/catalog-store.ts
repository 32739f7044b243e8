/**
 * The catalog on PostgreSQL: items, terms and the octets of modules. A change and its audit row are one transaction,
 * and one change of an operator's catalog is made at a time. Every statement names its operator and the index it runs on.
 */

import { NOTHING_HEARD } from "../../kernel/account/changes.ts";
import type { CatalogItem, CatalogKind } from "../../kernel/catalog/catalog-item.ts";
import type {
  CatalogDiff,
  CatalogStore,
  ExpectedVersion,
  ItemVersion,
  Put,
} from "../../kernel/catalog/catalog-store.ts";
import { bodyOf, type CatalogDocument, ITEMS_MAX } from "../../kernel/catalog/check-catalog.ts";
import { diffCatalogs, isEmptyDiff } from "../../kernel/catalog/diff.ts";
import type { Catalog } from "../../kernel/catalog/expand.ts";
import { canonical, type ItemBody } from "../../kernel/catalog/item-body.ts";
import { getFrom } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import type { Database, Db } from "../database/database.ts";
import type { ChangeChannel } from "../node/change-channel.ts";
import { putInForce, remembered } from "../node/versions.ts";
import { INSERT_AUDIT } from "./audited.ts";
import type { Change } from "./catalog-change.ts";
import { contentIn } from "./catalog-content.ts";
import { currentTerms, putTermsIn, termsIn } from "./catalog-terms.ts";

type CatalogStoreDeps = {
  readonly database: Database;
  /** Word of changes, and for those made here; without it every look asks whether what is remembered is still so. */
  readonly changes?: Pick<ChangeChannel, "isHeard" | "onChange" | "tellHere"> | undefined;
  readonly newId: () => string;
  readonly clock: () => Date;
};

const VERSIONS_TOLD_MAX = 200;

type Row = {
  readonly id: string;
  readonly version: number;
  readonly kind: CatalogKind;
  readonly body: Omit<ItemBody, "kind">;
};
const itemOf = ({ id, version, kind, body }: Row): CatalogItem => ({ ...body, id, version, kind });
const COLUMNS = "item_id as id, version, kind, body";

const CURRENT_ITEMS = {
  name: "current_catalog", // catalog_item_current
  text: `select ${COLUMNS} from catalog_item where operator_id = $1 and retired_at is null order by item_id limit ${ITEMS_MAX}`,
};
const LIST_ITEMS = {
  name: "list_catalog", // catalog_item_current
  text: `select ${COLUMNS} from catalog_item
          where operator_id = $1 and retired_at is null and item_id > $2 and ($3::text is null or kind = $3)
          order by item_id limit $4`,
};
const ITEM_VERSIONS = {
  name: "catalog_item_versions", // catalog_item_pkey
  text: `select ${COLUMNS}, made_by as "madeBy", made_at as "madeAt", retired_at as "retiredAt" from catalog_item
          where operator_id = $1 and item_id = $2 order by version desc limit ${VERSIONS_TOLD_MAX}`,
};
const ITEM_VERSION = {
  name: "catalog_item_version", // catalog_item_pkey
  text: `select ${COLUMNS} from catalog_item where operator_id = $1 and item_id = $2 and version = $3`,
};
const ITEMS_BY_VERSION = {
  name: "catalog_items_by_version", // catalog_item_pkey
  text: `select c.item_id as id, c.version, c.kind, c.body
           from unnest($2::text[], $3::int[]) as q(item_id, version)
           join catalog_item c on c.operator_id = $1 and c.item_id = q.item_id and c.version = q.version`,
};
const NEXT_VERSION = {
  name: "next_catalog_item_version", // catalog_item_pkey
  text: "select coalesce(max(version), 0)::int + 1 as next from catalog_item where operator_id = $1 and item_id = $2",
};
const CURRENT_ITEM = {
  name: "current_catalog_item", // catalog_item_current
  text: `select ${COLUMNS} from catalog_item where operator_id = $1 and item_id = $2 and retired_at is null`,
};
const RETIRE_ITEM = {
  name: "retire_catalog_item", // catalog_item_current
  text: "update catalog_item set retired_at = $3 where operator_id = $1 and item_id = $2 and retired_at is null",
};
const INSERT_ITEM = {
  name: "insert_catalog_item", // catalog_item_pkey
  text: `insert into catalog_item (operator_id, item_id, version, kind, body, made_by, made_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
};

/** Held until the transaction ends: of two changes the second sees what the first made. */
const LOCK_CATALOG = {
  name: "lock_catalog",
  text: "select pg_advisory_xact_lock(hashtextextended('catalog ' || $1::text, 0))",
};

export function createCatalogStore(deps: CatalogStoreDeps): CatalogStore {
  const { database, newId, clock } = deps;
  const heard = { database, changes: deps.changes ?? NOTHING_HEARD };
  const catalogs = remembered(heard, ["catalog"], (operatorId) => currentItems(database, operatorId));
  const terms = remembered(heard, ["terms"], (operatorId) => currentTerms(database, operatorId));
  const changing = <Result>(
    operatorId: string,
    actor: string,
    work: (change: Change) => Promise<Result>,
  ): Promise<Result> =>
    putInForce(deps, operatorId, ["catalog", "terms"], async (tx) => {
      await tx.run(LOCK_CATALOG, [operatorId]);
      const at = clock();
      const note: Change["note"] = async (action, subject, detail = {}) => {
        await tx.run(INSERT_AUDIT, [newId(), operatorId, actor, action, subject, JSON.stringify(detail), at]);
      };
      return work({ tx, operatorId, actor, at, note });
    });

  return {
    currentCatalog: catalogs.of,
    currentTerms: terms.of,
    async list(operatorId, { kind, after, limit }) {
      const rows = await database.rows<Row>(LIST_ITEMS, [operatorId, after ?? "", kind ?? null, limit + 1]);
      const items = rows.slice(0, limit).map(itemOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    find: (operatorId, itemId) => findItem(database, operatorId, itemId),
    async version(operatorId, itemId, version) {
      const row = await database.one<Row>(ITEM_VERSION, [operatorId, itemId, version]);
      return row && itemOf(row);
    },
    async catalogWith(operatorId, wanted) {
      const [current, rows] = await Promise.all([
        catalogs.of(operatorId),
        database.rows<Row>(ITEMS_BY_VERSION, [
          operatorId,
          wanted.map(({ itemId }) => itemId),
          wanted.map(({ version }) => version),
        ]),
      ]);
      return new Map([...current, ...rows.map((row) => [row.id, itemOf(row)] as const)]);
    },
    put: (operatorId, itemId, body, { expected, actor }) =>
      changing(operatorId, actor, (change) => putItem(change, itemId, body, expected)),
    retire: (operatorId, itemId, expected, actor) =>
      changing(operatorId, actor, async (change) => {
        const current = await change.tx.one<Row>(CURRENT_ITEM, [operatorId, itemId]);
        if (!current) return "unknown";
        if (!expected(current.version)) return "changed";
        await refuseWhereUsed(change, itemId);
        await retireItem(change, itemId);
        await change.note("catalog.retire", itemId, { version: current.version });
        return "retired";
      }),
    exported: (operatorId) =>
      // One look at one moment: an export must not hold half of an import.
      database.transaction((tx) => documentOf(tx, operatorId), { isolation: "repeatable read" }),
    import: (operatorId, document, { actor, dryRun, expected = () => true }) =>
      changing(operatorId, actor, async (change) => {
        const current = await documentOf(change.tx, operatorId);
        if (!expected(current)) return "changed";
        const diff = diffCatalogs(current, document);
        if (!dryRun && !isEmptyDiff(diff)) await importAll(change, document, diff);
        return diff;
      }),
    ...termsIn(database, changing),
    ...contentIn(database, newId, clock, INSERT_AUDIT),
  };
}

async function currentItems(db: Db, operatorId: string): Promise<Catalog> {
  const rows = await db.rows<Row>(CURRENT_ITEMS, [operatorId]);
  return new Map(rows.map((row) => [row.id, itemOf(row)]));
}

type VersionRow = Row & { readonly madeBy: string; readonly madeAt: Date; readonly retiredAt: Date | null };

async function findItem(
  db: Db,
  operatorId: string,
  itemId: string,
): Promise<{ current: CatalogItem | undefined; versions: ItemVersion[] } | undefined> {
  const rows = await db.rows<VersionRow>(ITEM_VERSIONS, [operatorId, itemId]);
  const [newest] = rows;
  if (!newest) return undefined;
  const versions = rows.map(({ version, madeBy, madeAt, retiredAt }) => ({
    version,
    madeBy,
    madeAt: madeAt.toISOString(),
    retiredAt: retiredAt?.toISOString() ?? null,
  }));
  return { current: newest.retiredAt === null ? itemOf(newest) : undefined, versions };
}

async function putItem(
  change: Change,
  itemId: string,
  body: ItemBody,
  expected: ExpectedVersion,
): Promise<Put> {
  const current = await change.tx.one<Row>(CURRENT_ITEM, [change.operatorId, itemId]);
  if (!expected(current?.version)) return { outcome: "changed" };
  if (current && canonical(bodyOf(itemOf(current))) === canonical(body))
    return { outcome: "unchanged", version: current.version };
  const version = await writeItem(change, itemId, body);
  await change.note("catalog.put", itemId, { version });
  return { outcome: "stored", version };
}

async function writeItem(
  { tx, operatorId, actor, at }: Change,
  itemId: string,
  body: ItemBody,
): Promise<number> {
  const { next = 1 } = (await tx.one<{ next: number }>(NEXT_VERSION, [operatorId, itemId])) ?? {};
  await tx.run(RETIRE_ITEM, [operatorId, itemId, at]);
  const { kind, ...rest } = body;
  await tx.run(INSERT_ITEM, [operatorId, itemId, next, kind, JSON.stringify(rest), actor, at]);
  return next;
}

const retireItem = ({ tx, operatorId, at }: Change, itemId: string): Promise<number> =>
  tx.run(RETIRE_ITEM, [operatorId, itemId, at]);

async function refuseWhereUsed({ tx, operatorId }: Change, itemId: string): Promise<void> {
  const items = await currentItems(tx, operatorId);
  const users = [...items.values()].filter(
    (one) => one.needs.includes(itemId) || one.includes.includes(itemId),
  );
  if (users.length === 0) return;
  throw new TurnupError(
    "catalog_item_in_use",
    `${users.map(({ id }) => id).join(", ")} cannot do without it.`,
    {
      nextStep: "Change or retire those first, or import a whole catalog without all of them.",
    },
  );
}

async function documentOf(db: Db, operatorId: string): Promise<CatalogDocument> {
  const items = await currentItems(db, operatorId);
  const terms = await currentTerms(db, operatorId);
  return {
    items: new Map([...items].map(([id, item]) => [id, bodyOf(item)])),
    terms: new Map([...terms].map(([id, { texts }]) => [id, texts])),
  };
}

async function importAll(change: Change, document: CatalogDocument, diff: CatalogDiff): Promise<void> {
  const touched = ({ added, changed }: Pick<typeof diff.items, "added" | "changed">): string[] => [
    ...added,
    ...changed.map(({ id }) => id),
  ];
  for (const id of touched(diff.terms)) await putTermsIn(change, id, getFrom(document.terms, id));
  for (const id of touched(diff.items)) await writeItem(change, id, getFrom(document.items, id));
  for (const id of diff.items.retired) await retireItem(change, id);
  const { items, terms } = diff;
  await change.note("catalog.import", `${document.items.size} items`, {
    added: items.added,
    changed: items.changed.map(({ id }) => id),
    retired: items.retired,
    terms: touched(terms),
  });
}
