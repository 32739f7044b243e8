/**
 * Data sets in the database: the shipped files, loaded at the first start of a release, and operators' own imports.
 * Every import leaves its head row for ever (who, which version, how many rows); rows are kept of the current one alone,
 * since a list of 300,000 rows that is imported every night would otherwise fill the disk.
 */

import { lossesOf } from "../../kernel/devices/import-guard.ts";
import { TacList, TacPacker } from "../../kernel/devices/tac-list.ts";
import { TurnupError } from "../../term/error.ts";
import { csvObjects } from "../../wire/csv/csv.ts";
import { bulkInsert, type Column } from "../database/bulk.ts";
import type { Database, Db } from "../database/database.ts";
import { the } from "../database/driver.ts";
import { inTurns } from "../node/in-turns.ts";
import { type DatasetContent, readShippedContent } from "./content.ts";
import { DATASETS, type DatasetKind, type ShippedDataset } from "./datasets.ts";
import { changeOf } from "./import-change.ts";
import { type OwnDataset, type OwnKind, tacRowOf } from "./own-devices.ts";
import { currentOf, retireLive } from "./stage.ts";

/** Rows of one insert: large enough that the round trip does not count, small enough for a progress bar. */
const BATCH_ROWS = 5_000;
/** Rows of one read: about 1.3 MB. */
const READ_ROWS = 5_000;
/** A list of a million rows takes half a minute; another server waits as long for its turn. */
const LOAD_TIMEOUT_MS = 600_000;
/** Of `dataset_row.key`: an index entry has at most 2,704 octets. */
const KEY_CHARACTERS_MAX = 200;

/** One row of a file: the line it begins on and its columns by name; empty cells are left out. */
export type DatasetRow = { readonly line: number; readonly body: Readonly<Record<string, string>> };
type OnProgress = (done: number, total: number, name: string) => void;

// The shipped files.

/**
 * Brings the shipped rows to those of this release. Costs one query when nothing has changed. Safe when servers start
 * side by side: each set is loaded under a lock and looked at again there. Of two releases the one started last wins.
 * @throws TurnupError `dataset_missing`, `dataset_malformed`
 */
export async function loadShippedDatasets(
  database: Database,
  newId: () => string,
  onProgress: OnProgress = () => undefined,
): Promise<{ readonly loaded: number }> {
  const current = await currentShipped(database);
  const changed = DATASETS.map((dataset) => ({ dataset, content: readShippedContent(dataset.kind) })).filter(
    ({ dataset, content }) => current.get(nameOf(dataset)) !== content.sha256,
  );
  const sets = changed.map(({ dataset, content }) => ({ dataset, content, rows: rowsOf(content) }));
  const total = sets.reduce((sum, { rows }) => sum + rows.length, 0);
  let done = 0;
  let loaded = 0;
  for (const { dataset, content, rows } of sets) {
    const name = nameOf(dataset);
    const isNew = await database.transaction(
      async (tx) => {
        await lock(tx, "shipped");
        if ((await currentShipped(tx)).get(name) === content.sha256) return false;
        await replace(tx, shippedHead(dataset, content, newId()), rows, (count) =>
          onProgress(done + count, total, name),
        );
        return true;
      },
      { statementTimeoutMs: LOAD_TIMEOUT_MS },
    );
    if (isNew) loaded++;
    done += rows.length;
    onProgress(done, total, name);
  }
  await retireStrays(database, current);
  return { loaded };
}

const nameOf = ({ file }: ShippedDataset): string => file.replace(/\.csv(\.gz)?$/, "");

function shippedHead(
  { kind, licence, ...dataset }: ShippedDataset,
  { version, sha256 }: DatasetContent,
  id: string,
): Head {
  const name = nameOf({ kind, licence, ...dataset });
  return { id, operatorId: null, kind, name, version, sha256, licence, refused: 0 };
}

function rowsOf({ kind, text }: DatasetContent): DatasetRow[] {
  const rows: DatasetRow[] = [];
  for (const { line, row } of csvObjects(text)) rows.push({ line, body: withoutEmpty(row) });
  if (kind in KEY_OF) return rows;
  throw new Error(`no key is named for data sets of kind ${kind}`);
}

function withoutEmpty(row: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ""));
}

/** What a row is looked up by. */
const KEY_OF: Readonly<Record<DatasetKind, (body: Readonly<Record<string, string>>) => string>> = {
  apn: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  apn_aosp: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  apn_chromeos: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  apn_doubtful: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  apn_gnome: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  apn_withdrawn: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  capability: ({ make }) => make ?? "",
  carrier_id: ({ carrier_id }) => carrier_id ?? "",
  device_facts: ({ make }) => make ?? "",
  lifecycle: ({ make }) => make ?? "",
  lifecycle_xiaomi: ({ make }) => make ?? "",
  maker_exit: ({ make }) => make ?? "",
  mcc_mnc: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  menus: ({ make }) => make ?? "",
  operator_rename: ({ mcc, mnc }) => `${mcc}-${mnc}`,
  reporting_body: ({ rbi }) => rbi ?? "",
  support_policy: ({ make }) => make ?? "",
  tac: ({ tac }) => tac ?? "",
  tac_age: ({ rbi }) => rbi ?? "",
  tac_samsung: ({ tac }) => tac ?? "",
};

const CURRENT_SHIPPED = {
  name: "current_shipped_datasets",
  text: `select name, encode(sha256, 'hex') as sha256 from dataset where operator_id is null and retired_at is null`,
};
const RETIRE_SHIPPED = {
  name: "retire_shipped_dataset",
  text: `with retired as (update dataset set retired_at = now()
                           where operator_id is null and name = any($1::text[]) and retired_at is null returning id)
         delete from dataset_row where dataset_id in (select id from retired)`,
};

/** Digest by name. */
async function currentShipped(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db.rows<{ name: string; sha256: string }>(CURRENT_SHIPPED);
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]));
}

/** Files that an earlier release shipped and this one does not. */
async function retireStrays(database: Database, current: ReadonlyMap<string, string>): Promise<void> {
  const names = DATASETS.map(nameOf);
  const strays = [...current.keys()].filter((name) => !names.includes(name));
  if (strays.length > 0) await database.run(RETIRE_SHIPPED, [strays]);
}

// An operator's own.

type DatasetImport = {
  readonly id: string;
  readonly auditId: string;
  readonly operatorId: string;
  readonly kind: OwnKind;
  readonly name: string;
  readonly version: string;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  readonly licence: string;
  readonly rows: readonly DatasetRow[];
  /** Rows of the file that were not taken. */
  readonly refused: number;
  readonly actor: string;
};

/**
 * Takes the place of the operator's set of the same kind and name, with its audit row, all or nothing.
 * @throws TurnupError `import_loses_much`: what is there stays
 */
export async function importDataset(
  database: Database,
  { rows, actor, auditId, ...head }: DatasetImport,
  onProgress: OnProgress = () => undefined,
): Promise<void> {
  await database.transaction(
    async (tx) => {
      await lock(tx, `${head.operatorId} ${head.kind} ${head.name}`);
      const before = await currentOf(tx, head);
      await replace(tx, head, rows, (count) => onProgress(count, rows.length, head.name));
      const change = await changeOf(tx, head.kind, before?.id ?? null, head.id);
      const losses = lossesOf(change, { taken: rows.length, refused: head.refused, padded: 0 }, null);
      if (losses.length > 0) throw losesMuch(losses);
      const detail = { version: head.version, rows: rows.length, refused: head.refused };
      const subject = `${head.kind} ${head.name}`;
      await tx.run(INSERT_AUDIT, [auditId, head.operatorId, actor, subject, JSON.stringify(detail)]);
    },
    { statementTimeoutMs: LOAD_TIMEOUT_MS },
  );
}

const losesMuch = (losses: readonly string[]): TurnupError =>
  new TurnupError("import_loses_much", `${losses.join(" ")} One person's word is not enough for it.`, {
    nextStep: "Bring it by POST /v1/imports, where a second person can approve it.",
  });

const INSERT_AUDIT = {
  name: "audit_dataset_import",
  text: `insert into audit (id, operator_id, actor, action, subject, detail) values ($1, $2, $3, 'dataset.import', $4, $5)`,
};

/** The current imports of all operators, newest first, without their rows: tells cheaply whether anything has changed. */
export const ownDatasetHeads = (db: Db): Promise<readonly Pick<OwnDataset, "id" | "operatorId">[]> =>
  db.rows<Pick<OwnDataset, "id" | "operatorId">>(OWN_HEADS);

/**
 * One operator's current imports about devices, newest first, with their rows. No other operator's are looked at. `instead`: as it
 * would be with this staged one in the place of the one of its name.
 */
export const readOwnDatasets = (
  database: Database,
  operatorId: string,
  instead?: Instead,
  isWanted: (head: OwnHead) => boolean = () => true,
): Promise<readonly OwnDataset[]> =>
  readEach(database, operatorId, instead, async (tx, head) =>
    isWanted(head) ? [{ ...head, rows: await bodiesOf(tx, head.id) }] : [],
  );

/** As `readOwnDatasets`, each TAC list packed as it is read: of hundred thousands of rows no more than some are there at once. */
export const readPackedDatasets = (
  database: Database,
  operatorId: string,
  instead?: Instead,
): Promise<readonly OwnDataset[]> =>
  readEach(database, operatorId, instead, async (tx, head) => {
    if (head.kind !== "tac") return [{ ...head, rows: await bodiesOf(tx, head.id) }];
    const packer = new TacPacker();
    await eachPart(tx, head.id, (rows) => inTurns(rows, ({ body }) => packer.push(tacRowOf(body))));
    return [{ ...head, rows: [], tacs: new TacList(packer) }];
  });

type Instead = { readonly id: string; readonly kind: string; readonly name: string };
type OwnHead = Omit<OwnDataset, "rows" | "tacs">;

const readEach = (
  database: Database,
  operatorId: string,
  { id, kind, name }: Partial<Instead> = {},
  read: (tx: Db, head: OwnHead) => Promise<readonly OwnDataset[]>,
): Promise<readonly OwnDataset[]> =>
  database.transaction(
    async (tx) => {
      const given = [operatorId, id ?? null, kind ?? null, name ?? null];
      const sets: OwnDataset[] = [];
      for (const head of await tx.rows<OwnHead>(OWN_HEADS_OF, given)) sets.push(...(await read(tx, head)));
      return sets;
    },
    { isolation: "repeatable read", statementTimeoutMs: LOAD_TIMEOUT_MS }, // an import meanwhile removes the rows
  );

const OWN_HEADS = {
  name: "own_dataset_heads",
  text: `select id, operator_id as "operatorId" from dataset
          where operator_id is not null and retired_at is null order by coalesce(live_at, loaded_at) desc, id desc`,
};
const OWN_HEADS_OF = {
  name: "own_dataset_heads_of",
  text: `select id, operator_id as "operatorId", kind, name, version, is_gsma as "isGsma" from dataset
          where operator_id = $1 and (id = $2 or (retired_at is null and ($2::uuid is null or kind <> $3 or name <> $4)))
          order by coalesce(live_at, loaded_at) desc, id desc`,
};
const OWN_ROWS = {
  name: "own_dataset_rows", // dataset_row_pkey
  text: `select line, body from dataset_row where dataset_id = $1 and line > $2 order by line limit ${READ_ROWS}`,
};

async function bodiesOf(db: Db, datasetId: string): Promise<readonly DatasetRow["body"][]> {
  const bodies: DatasetRow["body"][] = [];
  await eachPart(db, datasetId, async (rows) => {
    for (const { body } of rows) bodies.push(body);
  });
  return bodies;
}

async function eachPart(
  db: Db,
  datasetId: string,
  take: (rows: readonly DatasetRow[]) => Promise<void>,
): Promise<void> {
  for (let line = -1; ; ) {
    const rows = await db.rows<DatasetRow>(OWN_ROWS, [datasetId, line]);
    await take(rows);
    if (rows.length < READ_ROWS) return;
    line = rows.at(-1)?.line ?? line;
  }
}

// What both share.

type Head = {
  readonly id: string;
  readonly operatorId: string | null;
  readonly kind: DatasetKind;
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly licence: string;
  readonly refused: number;
};

const LOCK = {
  name: "lock_dataset",
  text: "select pg_advisory_xact_lock(hashtextextended('dataset ' || $1, 0))",
};
/** The first of several servers that start together loads; the others wait their turn longer than for a row. */
const LOCK_PATIENCE = `set local lock_timeout = ${LOAD_TIMEOUT_MS}`;

async function lock(tx: Db, what: string): Promise<void> {
  await tx.run(LOCK_PATIENCE);
  await tx.rows(LOCK, [what]);
}

const RETIRE = {
  name: "retire_dataset", // dataset_current
  text: `with retired as (
           update dataset set retired_at = now()
            where coalesce(operator_id, '00000000-0000-0000-0000-000000000000') = coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
              and kind = $2 and name = $3 and retired_at is null returning id)
         delete from dataset_row where dataset_id in (select id from retired)`,
};
/** As `retired_at` of shipped sets is written. */
const nowOf = async (tx: Db): Promise<Date> => the(await tx.rows<{ now: Date }>("select now() as now")).now;
const INSERT_HEAD = {
  name: "insert_dataset",
  text: `insert into dataset (id, operator_id, kind, name, version, sha256, licence, row_count, refused)
         values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, $8, $9)`,
};
type StoredRow = DatasetRow & { readonly datasetId: string; readonly key: string };
const ROW_COLUMNS: readonly Column<StoredRow>[] = [
  { name: "dataset_id", type: "uuid", value: ({ datasetId }) => datasetId },
  { name: "line", type: "int4", value: ({ line }) => line },
  { name: "key", type: "text", value: ({ key }) => key },
  { name: "body", type: "jsonb", value: ({ body }) => body },
];
const insertRows = bulkInsert("dataset_row", ROW_COLUMNS);

async function replace(
  tx: Db,
  { id, operatorId, kind, name, version, sha256, licence, refused }: Head,
  rows: readonly DatasetRow[],
  onRows: (count: number) => void,
): Promise<void> {
  if (operatorId === null) await tx.run(RETIRE, [operatorId, kind, name]);
  else await retireLive(tx, { operatorId, kind, name }, await nowOf(tx));
  await tx.run(INSERT_HEAD, [id, operatorId, kind, name, version, sha256, licence, rows.length, refused]);
  for (let at = 0; at < rows.length; at += BATCH_ROWS) {
    const batch = rows.slice(at, at + BATCH_ROWS).map(({ line, body }) => ({
      datasetId: id,
      line,
      key: KEY_OF[kind](body).slice(0, KEY_CHARACTERS_MAX),
      body,
    }));
    await insertRows(tx, batch);
    onRows(at + batch.length);
  }
}
