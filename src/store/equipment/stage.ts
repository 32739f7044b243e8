/**
 * Edits of a list of handsets: staged out of sight, compared with what is in force, and put in force as one version. What a version took
 * away stays for a month, and for as long as fewer than twenty came after it, so that it can be put back.
 */
import type {
  EquipmentChanged,
  EquipmentEdit,
  OwnEquipmentEntry,
} from "../../kernel/equipment/equipment-lists.ts";
import { bulkInsert, type Column } from "../database/bulk.ts";
import type { Db, Tx } from "../database/database.ts";
import { openJson, type Sealer } from "../seal/seal.ts";

const DOMAIN = "equipment";
const BODY_DOMAIN = "equipment_body";
const VERSIONS_KEPT = 20;
const KEPT_MS = 30 * 86_400_000;
const STAGED_ROWS = 1_000;

export const openEntry = (sealer: Sealer, sealed: Uint8Array): OwnEquipmentEntry =>
  openJson<OwnEquipmentEntry>(sealer, DOMAIN, sealed);

type StagedRow = {
  readonly stageId: string;
  readonly entryIndex: Buffer;
  readonly bodyIndex: Buffer;
  readonly sealed: Buffer;
  readonly edit: EquipmentEdit;
  readonly at: Date;
};
const COLUMNS: readonly Column<StagedRow>[] = [
  { name: "stage_id", type: "uuid", value: ({ stageId }) => stageId },
  { name: "entry_index", type: "bytea", value: ({ entryIndex }) => entryIndex },
  { name: "body_index", type: "bytea", value: ({ bodyIndex }) => bodyIndex },
  { name: "sealed", type: "bytea", value: ({ sealed }) => sealed },
  { name: "owner", type: "text", value: ({ edit }) => edit.entry.owner },
  { name: "is_removal", type: "bool", value: ({ edit }) => edit.isRemoval },
  { name: "is_wide", type: "bool", value: ({ edit }) => edit.isWide },
  { name: "line", type: "int4", value: ({ edit }) => edit.line },
  { name: "staged_at", type: "timestamptz", value: ({ at }) => at },
];
/** What is said later of the same handset counts. */
const insertStaged = bulkInsert(
  "equipment_staged",
  COLUMNS,
  `on conflict (stage_id, entry_index) do update set body_index = excluded.body_index, sealed = excluded.sealed, owner = excluded.owner,
     is_removal = excluded.is_removal, is_wide = excluded.is_wide, line = excluded.line`,
);

type Stage = { readonly id: string; readonly operatorId: string; readonly at: Date };

export async function stageEdits(
  tx: Tx,
  sealer: Sealer,
  { id: stageId, operatorId, at }: Stage,
  edits: readonly EquipmentEdit[],
): Promise<void> {
  // Of one batch the last of each handset: a statement writes no row twice.
  const rows = new Map<string, StagedRow>();
  for (const edit of edits) {
    const text = JSON.stringify(edit.entry);
    const entryIndex = sealer.blindIndex(DOMAIN, operatorId, edit.entry.device);
    rows.set(entryIndex.toString("latin1"), {
      ...{ stageId, edit, at, entryIndex },
      bodyIndex: sealer.blindIndex(BODY_DOMAIN, operatorId, text),
      sealed: sealer.seal(DOMAIN, text),
    });
  }
  const all = [...rows.values()];
  for (let from = 0; from < all.length; from += STAGED_ROWS)
    await insertStaged(tx, all.slice(from, from + STAGED_ROWS));
}

const DROP_STAGE = "delete from equipment_staged where stage_id = $1"; // equipment_staged_pkey
export const dropStage = (db: Db, stageId: string): Promise<number> => db.run(DROP_STAGE, [stageId]);

const DROP_LINES = "delete from equipment_staged where stage_id = $1 and line = any($2::int[])";
export const dropLines = async (db: Db, stageId: string, lines: readonly number[]): Promise<void> =>
  void (await db.run(DROP_LINES, [stageId, lines]));

/** `s`: staged, `e`: in force under the same index. */
const BESIDE = `equipment_staged s left join equipment_entry e
    on e.list_id = $1 and e.entry_index = s.entry_index and e.removed_in is null`; // equipment_entry_in_force
const COMPARE = `
  select count(*) filter (where not s.is_removal and e.list_id is null)::int as added,
         count(*) filter (where not s.is_removal and e.body_index <> s.body_index)::int as changed,
         count(*) filter (where s.is_removal and e.list_id is not null)::int as removed,
         count(*) filter (where s.is_removal and e.list_id is null or not s.is_removal and e.body_index = s.body_index)::int as unchanged,
         count(*) filter (where not s.is_removal and e.list_id is not null)::int as kept,
         count(*) filter (where s.is_wide and not s.is_removal and e.list_id is null)::int as wide
    from ${BESIDE} where s.stage_id = $2`;

const FOREIGN = `
  select s.line, case when e.list_id is null then '0003' when s.is_removal then '0002' else '0001' end as code from ${BESIDE}
   where s.stage_id = $2 and (s.is_removal and e.list_id is null or e.owner is distinct from s.owner and e.list_id is not null)
   order by s.line`;
/** Staged records of a registry's file about what another organisation put there, or what is not there to be removed. */
export const foreignIn = (
  db: Db,
  listId: string,
  stageId: string,
): Promise<{ line: number; code: "0001" | "0002" | "0003" }[]> => db.rows(FOREIGN, [listId, stageId]);

type Compared = Omit<EquipmentChanged, "version" | "entries"> & { readonly wide: number };

/** What the staged edits would change of a list that holds `before` entries. */
export async function compareStage(
  db: Db,
  listId: string,
  { stageId, replaces }: StageUse,
  before: number,
): Promise<Compared> {
  const found = await db.one<Compared & { readonly kept: number }>(COMPARE, [listId, stageId]);
  const { kept = 0, ...counts } = found ?? { added: 0, changed: 0, removed: 0, unchanged: 0, wide: 0 };
  return { ...counts, removed: replaces ? before - kept : counts.removed };
}

/** How a stage is meant: edits alone, or all that the list is to hold. */
export type StageUse = { readonly stageId: string; readonly replaces: boolean };

const END_REPLACED = `
  update equipment_entry e set removed_in = $3, removed_at = $4
    from equipment_staged s
   where s.stage_id = $2 and e.list_id = $1 and e.entry_index = s.entry_index and e.removed_in is null
     and (s.is_removal or e.body_index <> s.body_index)`; // equipment_entry_in_force
const END_OTHERS = `
  update equipment_entry e set removed_in = $3, removed_at = $4
   where e.list_id = $1 and e.removed_in is null
     and not exists (select from equipment_staged s where s.stage_id = $2 and s.entry_index = e.entry_index)`;
const PUT_STAGED = `
  insert into equipment_entry (list_id, entry_index, body_index, sealed, owner, added_in)
  select $1, s.entry_index, s.body_index, s.sealed, s.owner, $3 from ${BESIDE}
   where s.stage_id = $2 and not s.is_removal and e.list_id is null`;

/** Puts staged edits in force as `version`, under the lock of the list. */
export async function putStage(
  tx: Tx,
  listId: string,
  { stageId, replaces }: StageUse,
  { version, now }: { readonly version: number; readonly now: Date },
): Promise<void> {
  const values = [listId, stageId, version, now];
  await tx.run(END_REPLACED, values);
  if (replaces) await tx.run(END_OTHERS, values);
  await tx.run(PUT_STAGED, [listId, stageId, version]);
  await dropStage(tx, stageId);
}

const END_LATER = `
  update equipment_entry e set removed_in = $3, removed_at = $4
   where e.list_id = $1 and e.removed_in is null and e.added_in > $2`; // equipment_entry_added
const PUT_FORMER = `
  insert into equipment_entry (list_id, entry_index, body_index, sealed, owner, added_in)
  select list_id, entry_index, body_index, sealed, owner, $3 from equipment_entry
   where list_id = $1 and added_in <= $2 and removed_in > $2`; // equipment_entry_removed

/** What was in force in a former version is so again, as `version`; answers how many entries went and came. */
export async function putFormer(
  tx: Tx,
  listId: string,
  former: number,
  { version, now }: { readonly version: number; readonly now: Date },
): Promise<{ readonly removed: number; readonly added: number }> {
  const removed = await tx.run(END_LATER, [listId, former, version, now]);
  return { removed, added: await tx.run(PUT_FORMER, [listId, former, version]) };
}

const FORGET_FORMER = `
  with gone as (delete from equipment_entry where list_id = $1 and removed_in <= $2 and removed_at < $3 returning removed_in)
  select max(removed_in)::int as upto from gone`; // equipment_entry_removed

/** Takes away what no version that is kept had; answers the first version that can still be put back. */
export async function forgetFormer(
  tx: Tx,
  listId: string,
  { version, oldest, now }: { readonly version: number; readonly oldest: number; readonly now: Date },
): Promise<number> {
  const before = new Date(now.getTime() - KEPT_MS);
  const gone = await tx.one<{ upto: number | null }>(FORGET_FORMER, [
    listId,
    version - VERSIONS_KEPT,
    before,
  ]);
  return Math.max(oldest, gone?.upto ?? 0);
}
