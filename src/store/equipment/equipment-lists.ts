/** Lists of handsets of an operator's own on PostgreSQL: each change is one version, one audit row, one transaction. */
import {
  type EquipmentChanged,
  type EquipmentLists,
  type EquipmentListView,
  type EquipmentListWish,
  type EquipmentSwitch,
  type EquipmentVersion,
  equipmentRisksOf,
  type OwnEquipmentEntry,
} from "../../kernel/equipment/equipment-lists.ts";
import { EQUIPMENT_LISTS_MAX } from "../../kernel/equipment/status-index.ts";
import { TurnupError } from "../../term/error.ts";
import { assured } from "../../term/narrow.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import type { ChangeChannel } from "../node/change-channel.ts";
import { noteIn } from "../operator/audited.ts";
import type { Sealer } from "../seal/seal.ts";
import {
  compareStage,
  forgetFormer,
  openEntry,
  putFormer,
  putStage,
  type StageUse,
  stageEdits,
} from "./stage.ts";

export type EquipmentDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
  /** Told of what is written here at once; without it the database tells. */
  readonly changes?: Pick<ChangeChannel, "tellHere"> | undefined;
};

/** Of all lists of an operator: each server has them in memory, some 150 octets each. More stand in a sorted file. */
export const OWN_ENTRIES_MAX = 500_000;
/** A black list with fewer may be removed as it is. */
const NEARLY_EMPTY = 20;
const VERSIONS_SHOWN = 200;
const EXPORTED_AT_ONCE = 2_000;

const VIEW = `id, name, status, priority, reason, exchange, entries, version, oldest_version as "oldestVersion", changed_at as "changedAt",
              changed_by as "changedBy"`;
const LIST = `select ${VIEW} from equipment_list where operator_id = $1 order by priority desc`; // equipment_list_by_priority
const FIND = `select ${VIEW} from equipment_list where operator_id = $1 and id = $2`; // equipment_list_pkey
const LOCK = `${FIND} for update`;
const LOCK_OPERATOR = "select pg_advisory_xact_lock(hashtextextended('equipment ' || $1, 0))";
const INSERT = `insert into equipment_list (id, operator_id, name, status, priority, reason, made_at, changed_at, changed_by)
                values ($1, $2, $3, $4, $5, $6, $7, $7, $8) on conflict do nothing`;
const ALTER = `update equipment_list set priority = coalesce($3, priority), reason = coalesce($4, reason), exchange = coalesce($7, exchange), changed_at = $5, changed_by = $6
                where operator_id = $1 and id = $2
                  and not exists (select from equipment_list o where o.operator_id = $1 and o.priority = $3 and o.id <> $2)`;
const REMOVE = "delete from equipment_list where operator_id = $1 and id = $2";
const HELD = "select coalesce(sum(entries), 0)::int as entries from equipment_list where operator_id = $1";
const SETTLE = `update equipment_list set version = $3, oldest_version = $4, entries = $5, changed_at = $6, changed_by = $7
                 where operator_id = $1 and id = $2`;
const INSERT_VERSION = `insert into equipment_version (list_id, version, made_at, made_by, reason, added, changed, removed, entries)
                        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;
const VERSIONS = `select version, made_at as "madeAt", made_by as "madeBy", reason, added, changed, removed, entries
                    from equipment_version where list_id = $1 order by version desc limit ${VERSIONS_SHOWN}`;
const ENTRIES = `select entry_index as index, sealed from equipment_entry
                  where list_id = $1 and removed_in is null and entry_index > $2 order by entry_index limit ${EXPORTED_AT_ONCE}`;
const SWITCH = `select answers_black as "answersBlack", reason, changed_by as "changedBy", changed_at as "changedAt"
                  from equipment_switch where operator_id = $1`;
const SET_SWITCH = `insert into equipment_switch (operator_id, answers_black, reason, changed_by, changed_at) values ($1, $2, $3, $4, $5)
                    on conflict (operator_id) do update set answers_black = $2, reason = $3, changed_by = $4, changed_at = $5`;

type Row = Omit<EquipmentListView, "changedAt"> & { readonly changedAt: Date };
const viewOf = (row: Row): EquipmentListView => ({ ...row, changedAt: row.changedAt.toISOString() });

export const equipmentListNotFound = (): TurnupError =>
  new TurnupError("equipment_list_not_found", "There is no such list of handsets.", {
    nextStep: "GET /v1/equipment-lists lists them.",
  });

/** Under its lock: whoever changes a list comes one behind the other. @throws TurnupError `equipment_list_not_found` */
export async function lockList(tx: Tx, operatorId: string, id: string): Promise<EquipmentListView> {
  const row = await tx.one<Row>(LOCK, [operatorId, id]);
  if (!row) throw equipmentListNotFound();
  return viewOf(row);
}

export async function findList(
  db: Db,
  operatorId: string,
  id: string,
): Promise<EquipmentListView | undefined> {
  const row = await db.one<Row>(FIND, [operatorId, id]);
  return row && viewOf(row);
}

export function createEquipmentLists(deps: EquipmentDeps): Omit<EquipmentLists, "bring"> {
  const { database, clock, changes } = deps;
  const inForce = async <Result>(operatorId: string, work: (tx: Tx) => Promise<Result>): Promise<Result> => {
    try {
      return await database.transaction(work);
    } finally {
      changes?.tellHere({ kind: "equipment", operatorId, version: 0 });
    }
  };
  const found = async (db: Db, operatorId: string, id: string): Promise<EquipmentListView> => {
    const list = await findList(db, operatorId, id);
    if (!list) throw equipmentListNotFound();
    return list;
  };
  return {
    list: async (operatorId) => (await database.rows<Row>(LIST, [operatorId])).map(viewOf),
    make: (operatorId, id, wish, actor) =>
      inForce(operatorId, async (tx) => {
        await makeList(tx, deps, operatorId, { id, ...wish, actor });
        return found(tx, operatorId, id);
      }),
    alter: (operatorId, id, { priority, reason, exchange }, actor) =>
      inForce(operatorId, async (tx) => {
        await lockList(tx, operatorId, id);
        const files = exchange ? JSON.stringify(exchange) : null;
        const values = [operatorId, id, priority ?? null, reason ?? null, clock(), actor, files];
        if ((await tx.run(ALTER, values)) === 0) throw taken(`priority ${priority}`);
        const detail = { priority, reason, exchange };
        await noteIn(deps)(tx, operatorId, { actor, action: "equipment_list.alter", subject: id, detail });
        return found(tx, operatorId, id);
      }),
    remove: (operatorId, id, actor) =>
      inForce(operatorId, async (tx) => {
        const { name, status, entries } = await lockList(tx, operatorId, id);
        if (status === "black" && entries >= NEARLY_EMPTY)
          throw tooLarge(`The list ${name} shuts out ${entries} handsets, ranges and models.`);
        await tx.run(REMOVE, [operatorId, id]);
        const detail = { name, status, entries };
        await noteIn(deps)(tx, operatorId, { actor, action: "equipment_list.remove", subject: id, detail });
      }),
    change: (operatorId, id, edits, { actor, reason }) =>
      inForce(operatorId, async (tx) => {
        const list = await lockList(tx, operatorId, id);
        const stageId = deps.newId();
        await stageEdits(tx, deps.sealer, { id: stageId, operatorId, at: clock() }, edits);
        const use = { stageId, replaces: false };
        const compared = await compareStage(tx, id, use, list.entries);
        const risks = equipmentRisksOf(list, list.entries, compared);
        if (risks.length > 0) throw tooLarge(risks.join(" "));
        return putInVersion(tx, deps, { operatorId, list, use, actor, reason });
      }),
    async versions(operatorId, id) {
      await found(database, operatorId, id);
      const rows = await database.rows<Omit<EquipmentVersion, "madeAt"> & { madeAt: Date }>(VERSIONS, [id]);
      return rows.map((row) => ({ ...row, madeAt: row.madeAt.toISOString() }));
    },
    restore: (operatorId, id, version, said) =>
      inForce(operatorId, (tx) => restoreVersion(tx, deps, { operatorId, id, version, ...said })),
    async entries(operatorId, id, actor) {
      const { name, entries } = await found(database, operatorId, id);
      const detail = { name, entries };
      await noteIn(deps)(database, operatorId, {
        actor,
        action: "equipment_list.export",
        subject: id,
        detail,
      });
      return entriesOf(deps, id);
    },
    async switchOf(operatorId) {
      return switchView(await database.one<SwitchRow>(SWITCH, [operatorId]));
    },
    setSwitch: (operatorId, answersBlack, { actor, reason }) =>
      inForce(operatorId, async (tx) => {
        await tx.run(SET_SWITCH, [operatorId, answersBlack, reason, actor, clock()]);
        const action = answersBlack ? "equipment.black_on" : "equipment.black_off";
        await noteIn(deps)(tx, operatorId, { actor, action, subject: operatorId, detail: { reason } });
        return switchView(await tx.one<SwitchRow>(SWITCH, [operatorId]));
      }),
  };
}

type SwitchRow = {
  readonly answersBlack: boolean;
  readonly reason: string;
  readonly changedBy: string;
  readonly changedAt: Date;
};
const switchView = (row: SwitchRow | undefined): EquipmentSwitch =>
  row
    ? { ...row, changedAt: row.changedAt.toISOString() }
    : { answersBlack: true, reason: null, changedBy: null, changedAt: null };

async function makeList(
  tx: Tx,
  deps: EquipmentDeps,
  operatorId: string,
  { id, name, status, priority, reason, actor }: EquipmentListWish & { id: string; actor: string },
): Promise<void> {
  await tx.rows(LOCK_OPERATOR, [operatorId]);
  const lists = await tx.rows<Row>(LIST, [operatorId]);
  if (lists.some((list) => list.id === id)) return; // asked for again
  if (lists.length >= EQUIPMENT_LISTS_MAX)
    throw new TurnupError("equipment_list_full", `An operator has ${EQUIPMENT_LISTS_MAX} lists at most.`, {
      nextStep: "Put the handsets into one that is there.",
    });
  const values = [id, operatorId, name, status, priority, reason, deps.clock(), actor];
  if ((await tx.run(INSERT, values)) === 0)
    throw taken(lists.some((list) => list.name === name) ? `the name ${name}` : `priority ${priority}`);
  const detail = { name, status, priority, reason };
  await noteIn(deps)(tx, operatorId, { actor, action: "equipment_list.add", subject: id, detail });
}

const taken = (what: string): TurnupError =>
  new TurnupError("equipment_list_taken", `Another list of handsets has ${what}.`, {
    nextStep: "GET /v1/equipment-lists lists them; take another name or priority.",
  });
const tooLarge = (facts: string): TurnupError =>
  new TurnupError("equipment_change_too_large", facts, {
    nextStep: "Bring it as a file: POST /v1/equipment-lists/ID/imports asks a second person.",
  });

type Version = {
  readonly operatorId: string;
  /** Locked. */
  readonly list: EquipmentListView;
  readonly use: StageUse;
  readonly actor: string;
  readonly reason: string;
};

/** Puts what is staged in force as the list's next version. @throws TurnupError `equipment_list_full` */
export async function putInVersion(
  tx: Tx,
  deps: Pick<EquipmentDeps, "newId" | "clock">,
  { operatorId, list, use, actor, reason }: Version,
): Promise<EquipmentChanged> {
  const { added, changed, removed, unchanged } = await compareStage(tx, list.id, use, list.entries);
  const version = list.version + 1;
  await putStage(tx, list.id, use, { version, now: deps.clock() });
  const counts = { added, changed, removed };
  return { ...(await settle(tx, deps, { operatorId, list, counts, actor, reason })), unchanged };
}

type Settled = Omit<Version, "use"> & {
  readonly counts: { readonly added: number; readonly changed: number; readonly removed: number };
};

async function settle(
  tx: Tx,
  deps: Pick<EquipmentDeps, "newId" | "clock">,
  { operatorId, list, counts, actor, reason }: Settled,
): Promise<Omit<EquipmentChanged, "unchanged">> {
  const now = deps.clock();
  const version = list.version + 1;
  const { added, changed, removed } = counts;
  const entries = list.entries + added - removed;
  await tx.rows(LOCK_OPERATOR, [operatorId]);
  const held = assured(await tx.one<{ entries: number }>(HELD, [operatorId]), "a sum has a row").entries;
  if (added > removed && held - list.entries + entries > OWN_ENTRIES_MAX)
    throw new TurnupError(
      "equipment_list_full",
      `The operator's lists would hold more than ${OWN_ENTRIES_MAX} entries.`,
      { nextStep: "Put them into a sorted file: `turnup equipment build`." },
    );
  const oldest = await forgetFormer(tx, list.id, { version, oldest: list.oldestVersion, now });
  await tx.run(SETTLE, [operatorId, list.id, version, oldest, entries, now, actor]);
  await tx.run(INSERT_VERSION, [list.id, version, now, actor, reason, added, changed, removed, entries]);
  await noteIn(deps)(tx, operatorId, {
    actor,
    action: "equipment_list.change",
    subject: list.id,
    detail: { name: list.name, version, ...counts, entries, reason },
  });
  return { version, entries, ...counts };
}

type Restored = {
  readonly operatorId: string;
  readonly id: string;
  readonly version: number;
  readonly actor: string;
  readonly reason: string;
};

async function restoreVersion(
  tx: Tx,
  deps: EquipmentDeps,
  { operatorId, id, version, actor, reason }: Restored,
): Promise<EquipmentChanged> {
  const list = await lockList(tx, operatorId, id);
  if (version < list.oldestVersion || version >= list.version)
    throw new TurnupError(
      "equipment_version_gone",
      `Version ${version} of ${list.name} cannot be put back.`,
      {
        nextStep: `Versions ${list.oldestVersion} to ${list.version - 1} can; import its file again for another.`,
      },
    );
  const next = { version: list.version + 1, now: deps.clock() };
  const counts = { ...(await putFormer(tx, id, version, next)), changed: 0 };
  const said = { actor, reason: `Version ${version} put back: ${reason}` };
  return { ...(await settle(tx, deps, { operatorId, list, counts, ...said })), unchanged: 0 };
}

/** By page, each a short reading: an export of half a million holds no transaction open. */
async function* entriesOf(
  { database, sealer }: Pick<EquipmentDeps, "database" | "sealer">,
  listId: string,
): AsyncGenerator<OwnEquipmentEntry> {
  for (let after: Buffer = Buffer.alloc(0); ; ) {
    const rows = await database.rows<{ index: Buffer; sealed: Buffer }>(ENTRIES, [listId, after]);
    for (const { sealed } of rows) yield openEntry(sealer, sealed);
    const last = rows.at(-1);
    if (!last || rows.length < EXPORTED_AT_ONCE) return;
    after = last.index;
  }
}
