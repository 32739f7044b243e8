/**
 * The queue of models to review: TACs that were seen on an operator's network, that no list names and of which the operator
 * has said nothing. Nothing is kept for it: a TAC leaves the queue when an import names it or an override speaks of it.
 */

import { cluesOf, type UnknownModel } from "../../kernel/detection/unknown-model.ts";
import type { Device } from "../../kernel/devices/catalog.ts";
import type { Database } from "../database/database.ts";
import type { DeviceStatements } from "./device-statements.ts";

/** A TAC with more handsets than this is told with this many: it is the first to look at anyhow. */
const HANDSETS_COUNTED_MAX = 10_000;
const TACS_READ_AT_ONCE = 1_000;
/** A page ends here, however few rows it has; its cursor goes on. */
const READS_PER_PAGE_MAX = 20;

/** Each TAC by one step down the index, however many handsets bear it. */
const NEXT_TACS = {
  name: "next_tacs_without_override", // device_by_tac, device_override_operator_id_scope_key_key
  text: `with recursive t(tac) as (
           (select tac from device where operator_id = $1 and tac > $2 order by tac limit 1)
           union all
           select (select d.tac from device d where d.operator_id = $1 and d.tac > t.tac order by d.tac limit 1)
             from t where t.tac is not null)
         select t.tac, exists (select from device_override o where o.operator_id = $1 and o.scope = 'tac' and o.key = t.tac) as "isSpokenOf"
           from t where t.tac is not null limit $3`,
};
const SEEN = {
  name: "handsets_of_tacs", // device_by_tac, pairing_of_device
  text: `select q.tac, count(distinct d.id)::int as handsets, count(distinct p.subscriber_id)::int as subscribers,
                min(coalesce(p.first_seen_at, d.created_at)) as "firstSeenAt", max(coalesce(p.last_seen_at, d.created_at)) as "lastSeenAt"
           from unnest($2::text[]) as q(tac)
          cross join lateral (select id, created_at from device
                               where operator_id = $1 and tac = q.tac order by id desc limit ${HANDSETS_COUNTED_MAX}) d
           left join pairing p on p.device_id = d.id
          group by q.tac order by q.tac`,
};

type Seen = Pick<UnknownModel, "tac" | "handsets" | "subscribers"> & {
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
};
type UnknownModels = {
  /** In the order of their TACs; `cursor` is the last TAC that was looked at. */
  list(
    operatorId: string,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<{ readonly rows: readonly UnknownModel[]; readonly nextCursor: string | null }>;
};

/** `deviceOf` says what the lists that hold for the operator say of a TAC. */
export function createUnknownModels(
  database: Database,
  deviceOf: (operatorId: string, tac: string) => Pick<Device, "model" | "ageWindows">,
  statements: Pick<DeviceStatements, "ofTacs">,
): UnknownModels {
  return {
    async list(operatorId, { limit, cursor }) {
      const found: string[] = [];
      let last = cursor ?? "";
      for (let reads = 0; reads < READS_PER_PAGE_MAX; reads++) {
        const tacs = await database.rows<{ tac: string; isSpokenOf: boolean }>(NEXT_TACS, [
          operatorId,
          last,
          TACS_READ_AT_ONCE,
        ]);
        for (const { tac, isSpokenOf } of tacs) {
          if (!isSpokenOf && deviceOf(operatorId, tac).model === null) {
            if (found.length === limit) return { rows: await seen(operatorId, found), nextCursor: last };
            found.push(tac);
          }
          last = tac;
        }
        if (tacs.length < TACS_READ_AT_ONCE) return { rows: await seen(operatorId, found), nextCursor: null };
      }
      return { rows: await seen(operatorId, found), nextCursor: last };
    },
  };

  async function seen(operatorId: string, tacs: readonly string[]): Promise<UnknownModel[]> {
    if (tacs.length === 0) return [];
    const rows = await database.rows<Seen>(SEEN, [operatorId, tacs]);
    const words = await statements.ofTacs(operatorId, tacs);
    return rows.map((row) => ({
      ...row,
      firstSeenAt: row.firstSeenAt.toISOString(),
      lastSeenAt: row.lastSeenAt.toISOString(),
      ...cluesOf(row.tac, deviceOf(operatorId, row.tac).ageWindows, words.get(row.tac)),
    }));
  }
}
