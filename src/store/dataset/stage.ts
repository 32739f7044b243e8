/**
 * Versions of an operator's data set: staged out of sight, live by a switch, kept as the former one, put back.
 *
 *   staged ── goes live ── live ── another goes live ── former, the newest with its rows ── restored ── live
 *      └── given up: it is gone
 */
import { TurnupError } from "../../term/error.ts";
import { bulkInsert, type Column } from "../database/bulk.ts";
import type { Db, Tx } from "../database/database.ts";
import type { OwnKind } from "./own-devices.ts";

/** Of `dataset_row.key`: an index entry has at most 2,704 octets. */
const KEY_CHARACTERS_MAX = 200;

type StagedHead = {
  readonly id: string;
  readonly operatorId: string;
  /** `apn`: its rows name access points (`access-point-versions.ts`). */
  readonly kind: OwnKind | "apn";
  readonly name: string;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  readonly licence: string;
  readonly isGsma: boolean;
  readonly jobId: string;
  readonly at: Date;
};

const INSERT_STAGED = {
  name: "insert_staged_dataset", // dataset_pkey
  text: `insert into dataset (id, operator_id, kind, name, version, sha256, licence, row_count, refused, loaded_at, retired_at, live_at, is_gsma, import_job)
         values ($1, $2, $3, $4, left($5, 12), decode($5, 'hex'), $6, 0, 0, $7, $7, null, $8, $9)
             on conflict (id) do nothing`,
};
const COUNT_STAGED = {
  name: "count_staged_dataset", // dataset_pkey
  text: "update dataset set row_count = $3, refused = $4 where operator_id = $1 and id = $2",
};
const CURRENT = {
  name: "current_own_dataset", // dataset_current
  text: `select id, encode(sha256, 'hex') as sha256 from dataset
          where coalesce(operator_id, '00000000-0000-0000-0000-000000000000') = $1 and kind = $2 and name = $3 and retired_at is null`,
};
/** @throws TurnupError `dataset_not_found` */
export async function ownDatasetNamed(
  db: Db,
  operatorId: string,
  id: string,
): Promise<Pick<Former, "kind" | "name">> {
  const found = await db.one<Former>(FIND, [operatorId, id]);
  if (!found) throw noFormerVersion();
  return found;
}

const noFormerVersion = (): TurnupError =>
  new TurnupError("dataset_not_found", "There is no former version of a data set under this id.", {
    nextStep: "GET /v1/datasets?retired=true lists them.",
  });

const FIND = `select kind, name, row_count as "rowCount", retired_at as "retiredAt", live_at as "liveAt",
                     (select count(*)::int from dataset_row r where r.dataset_id = d.id) as rows
                from dataset d where operator_id = $1 and id = $2`; // dataset_pkey, dataset_row_pkey
const RETIRE_LIVE = {
  name: "retire_own_dataset", // dataset_current
  text: `update dataset set retired_at = $4
          where coalesce(operator_id, '00000000-0000-0000-0000-000000000000') = $1 and kind = $2 and name = $3 and retired_at is null`,
};
const GO_LIVE = {
  name: "dataset_goes_live", // dataset_pkey
  text: "update dataset set retired_at = null, live_at = $3 where operator_id = $1 and id = $2",
};
/** Of a set's former versions the newest keeps its rows: a list that is imported every night would else fill the disk. */
const FORGET_OLDER = {
  name: "forget_older_datasets", // dataset_row_pkey; heads are tens
  text: `delete from dataset_row where dataset_id in (
           select id from dataset where operator_id = $1 and kind = $2 and name = $3 and retired_at is not null and live_at is not null
            order by retired_at desc, id desc offset 1)`,
};
const GIVE_UP = {
  name: "give_up_staged_dataset", // dataset_pkey
  text: "delete from dataset where operator_id = $1 and id = $2 and live_at is null",
};

/** The line that it stands on, and its columns by name. */
type StagedRow = { readonly line: number; readonly body: Readonly<Record<string, string>> };
type StoredRow = StagedRow & { readonly datasetId: string; readonly key: string };
const ROW_COLUMNS: readonly Column<StoredRow>[] = [
  { name: "dataset_id", type: "uuid", value: ({ datasetId }) => datasetId },
  { name: "line", type: "int4", value: ({ line }) => line },
  { name: "key", type: "text", value: ({ key }) => key },
  { name: "body", type: "jsonb", value: ({ body }) => body },
];
const insertRows = bulkInsert("dataset_row", ROW_COLUMNS);

/** The same id again stages nothing. */
export const stageHead = (
  tx: Tx,
  { id, operatorId, kind, name, sha256, licence, at, isGsma, jobId }: StagedHead,
): Promise<number> => tx.run(INSERT_STAGED, [id, operatorId, kind, name, sha256, licence, at, isGsma, jobId]);

export const stageRows = (tx: Tx, datasetId: string, rows: readonly StagedRow[]): Promise<number> =>
  insertRows(
    tx,
    rows.map(({ line, body }) => ({
      ...{ datasetId, line, body },
      key: keyOf(body).slice(0, KEY_CHARACTERS_MAX),
    })),
  );

/** As of the shipped sets. */
const keyOf = ({ tac, make, mcc, mnc, name }: StagedRow["body"]): string =>
  tac ?? make ?? (mcc === undefined ? name : `${mcc}-${mnc}`) ?? "";

export const countStaged = (
  tx: Tx,
  { operatorId, id }: { readonly operatorId: string; readonly id: string },
  { taken, refused }: { readonly taken: number; readonly refused: number },
): Promise<number> => tx.run(COUNT_STAGED, [operatorId, id, taken, refused]);

type Named = { readonly operatorId: string; readonly kind: string; readonly name: string };

/** What is in use under that name. */
export const currentOf = (
  db: Db,
  { operatorId, kind, name }: Named,
): Promise<{ readonly id: string; readonly sha256: string } | undefined> =>
  db.one(CURRENT, [operatorId, kind, name]);

/** Puts a staged or former version into use; the one in use becomes the former one. */
export async function goLive(tx: Tx, named: Named, id: string, now: Date): Promise<void> {
  await tx.run(RETIRE_LIVE, [named.operatorId, named.kind, named.name, now]);
  await tx.run(GO_LIVE, [named.operatorId, id, now]);
  await tx.run(FORGET_OLDER, [named.operatorId, named.kind, named.name]);
}

/** Takes what is in use under a name out of use; it keeps its rows as the newest former version. */
export async function retireLive(tx: Db, { operatorId, kind, name }: Named, now: Date): Promise<void> {
  await tx.run(RETIRE_LIVE, [operatorId, kind, name, now]);
  await tx.run(FORGET_OLDER, [operatorId, kind, name]);
}

const LOCK = {
  name: "lock_own_dataset", // as an import at the command line takes it
  text: "select pg_advisory_xact_lock(hashtextextended('dataset ' || $1, 0))",
};
/** Who changes what is in use under a name comes one behind the other. */
export const lockDataset = (tx: Tx, { operatorId, kind, name }: Named): Promise<unknown> =>
  tx.rows(LOCK, [`${operatorId} ${kind} ${name}`]);

const STAGED_BY = {
  name: "dataset_staged_by", // heads are tens
  text: `select id, kind, name from dataset where operator_id = $1 and import_job = $2 and live_at is null`,
};
/** What a job has staged and nobody has put into use. */
export const stagedBy = (
  db: Db,
  operatorId: string,
  jobId: string,
): Promise<{ readonly id: string; readonly kind: OwnKind; readonly name: string } | undefined> =>
  db.one(STAGED_BY, [operatorId, jobId]);

/** Of one that was never live: its rows go with it. */
export const giveUpStaged = (tx: Tx, operatorId: string, id: string): Promise<number> =>
  tx.run(GIVE_UP, [operatorId, id]);

type Former = {
  readonly kind: OwnKind | "apn";
  readonly name: string;
  readonly rowCount: number;
  readonly retiredAt: Date | null;
  readonly liveAt: Date | null;
  readonly rows: number;
};

/** @throws TurnupError `dataset_not_found`, `dataset_rows_gone` */
export async function restoreDataset(tx: Tx, operatorId: string, id: string, now: Date): Promise<Former> {
  const named = await tx.one<Former>(FIND, [operatorId, id]);
  if (named) await lockDataset(tx, { operatorId, kind: named.kind, name: named.name });
  const found = await tx.one<Former>(FIND, [operatorId, id]); // as whoever was before us left it
  if (!found || found.liveAt === null || found.retiredAt === null) throw noFormerVersion();
  if (found.rows < found.rowCount)
    throw new TurnupError(
      "dataset_rows_gone",
      "The rows of this version are kept no more: the newest former version alone has them.",
      {
        nextStep: "Import its file again.",
      },
    );
  await goLive(tx, { operatorId, kind: found.kind, name: found.name }, id, now);
  return found;
}
