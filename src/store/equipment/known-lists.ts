/** An operator's lists of handsets as each server knows them by heart: read whole once, then only what changed since. */
import { setImmediate as turn } from "node:timers/promises";
import {
  buildEquipmentIndex,
  type EquipmentIndex,
  type EquipmentList,
} from "../../kernel/equipment/status-index.ts";
import { type EquipmentEntry, readEquipmentLine } from "../../kernel/equipment/status-line.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { openEntry } from "./stage.ts";

const PAGE_ROWS = 5_000;
/** The server has other work: it is at this one no longer at a time. */
const SLICE_MS = 5;

const STAMPS = `select operator_id as "operatorId", version::text as version from change_version where kind = 'equipment'`;
const LISTS = `select id, name, status, priority, version, oldest_version as "oldestVersion" from equipment_list where operator_id = $1`;
const ANSWERS_BLACK = `select answers_black as "answersBlack" from equipment_switch where operator_id = $1`;
const GONE = `select entry_index as index from equipment_entry where list_id = $1 and removed_in > $2`; // equipment_entry_removed
const CAME = `select entry_index as index, sealed from equipment_entry
               where list_id = $1 and added_in > $2 and removed_in is null and entry_index > $3
               order by entry_index limit ${PAGE_ROWS}`;

type ListRow = EquipmentList & {
  readonly id: string;
  readonly version: number;
  readonly oldestVersion: number;
};
type Known = { readonly version: number; readonly entries: Map<string, EquipmentEntry> };

/** What is known of one operator. */
export type OwnEquipment = { readonly index: EquipmentIndex; readonly answersBlack: boolean };

/** By operator: the version of what it said last. */
export async function equipmentStamps(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.rows<{ operatorId: string; version: string }>(STAMPS);
  return new Map(rows.map(({ operatorId, version }) => [operatorId, version]));
}

/** Reads an operator's lists; the same reader, asked again, reads what is new. */
export function createListReader({
  database,
  sealer,
}: {
  readonly database: Database;
  readonly sealer: Sealer;
}): (operatorId: string) => Promise<OwnEquipment> {
  const known = new Map<string, Known>();
  let sliceEnds = 0;
  const breathe = async (): Promise<void> => {
    if (performance.now() < sliceEnds) return;
    await turn();
    sliceEnds = performance.now() + SLICE_MS;
  };
  const readList = async ({ id, version, oldestVersion }: ListRow): Promise<Known> => {
    const before = known.get(id);
    const since = before && before.version >= oldestVersion ? before.version : -1;
    if (since === version && before) return before;
    const entries = since >= 0 && before ? before.entries : new Map<string, EquipmentEntry>();
    if (since >= 0)
      for (const { index } of await database.rows<{ index: Buffer }>(GONE, [id, since]))
        entries.delete(index.toString("latin1"));
    for (let after: Buffer = Buffer.alloc(0); ; ) {
      const rows = await database.rows<{ index: Buffer; sealed: Buffer }>(CAME, [id, since, after]);
      for (const { index, sealed } of rows) {
        const { device, imsis } = openEntry(sealer, sealed);
        const read = readEquipmentLine(device);
        if (read && "entry" in read) entries.set(index.toString("latin1"), { ...read.entry, imsis });
        await breathe();
      }
      const last = rows.at(-1);
      if (!last || rows.length < PAGE_ROWS) return { version, entries };
      after = last.index;
    }
  };
  return async (operatorId) => {
    const said = await database.one<{ answersBlack: boolean }>(ANSWERS_BLACK, [operatorId]);
    const lists = await database.rows<ListRow>(LISTS, [operatorId]);
    const building = buildEquipmentIndex(lists);
    for (const [at, list] of lists.entries()) {
      const read = await readList(list);
      known.set(list.id, read);
      for (const entry of read.entries.values()) {
        building.put(at, entry);
        await breathe();
      }
    }
    return { index: building.done(), answersBlack: said?.answersBlack ?? true };
  };
}
