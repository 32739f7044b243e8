/**
 * A SIM that moves to and fro between the doors of two servers: one of them may answer "unchanged" from memory in the
 * milliseconds in which word of the other's move is on its way, and that sighting would be lost. So when word comes of a SIM
 * that is known here, and the database has it elsewhere at an earlier time than it was seen here, that sighting is taken
 * again, by the database this time: same pair, same network, same time. A number that was told in that moment is not known
 * here and cannot be told again: the next sighting that states it does.
 */
import type { Intake, SightingInput, SightingSource } from "../../kernel/detection/sighting.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { beginOf, indexesOf } from "./last-seen.ts";
import type { PairMemory } from "./pair-memory.ts";
import type { LastSeen } from "./pair-table.ts";

const MAX_ROWS = 1_000;
/** Who told it is not remembered. */
const SOURCE: SightingSource = "api";

/** Pairs that were seen after what the database has of their SIMs, which has them elsewhere. */
const OVERTAKEN = {
  name: "overtaken_sightings", // subscriber_operator_id_imsi_index_key, pairing_current, pairing_subscriber_id_device_id_key, device_pkey
  text: `select q.at::int as at, s.imsi_sealed as "imsiSealed", d.imei_sealed as "imeiSealed"
           from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::timestamptz[], $6::text[]) with ordinality
                  as q(operator_id, first_index, last_index, imei_begin, seen_at, plmn, at)
          cross join lateral (select id, imsi_sealed from subscriber
                               where operator_id = q.operator_id and imsi_index between q.first_index and q.last_index
                               order by imsi_index limit 1) s
          cross join lateral (select id, last_seen_at, serving_plmn from pairing
                               where subscriber_id = s.id and is_current limit 1) c
           join pairing x on x.subscriber_id = s.id
           join device d on d.id = x.device_id and substr(d.imei_index, 1, 4) = q.imei_begin
          where c.last_seen_at < q.seen_at and (x.id <> c.id or c.serving_plmn is distinct from q.plmn)`,
};

type Deps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly memory: PairMemory;
  readonly intake: Intake;
  readonly onFault: (name: string, error: unknown) => void;
};
type Overtaken = { readonly at: number; readonly imsiSealed: Buffer; readonly imeiSealed: Buffer };

/**
 * Of pairs that were known until word came, those that were overtaken are told again. Answers how many, and which could not be
 * told and are to be tried again. @throws what the look-up says: then none was told
 */
export async function resight(
  deps: Deps,
  pairs: readonly LastSeen[],
): Promise<{ readonly told: number; readonly failed: readonly LastSeen[] }> {
  const { database, memory } = deps;
  const some = pairs.slice(0, MAX_ROWS);
  const ends = some.map(indexesOf);
  const rows = await database.rows<Overtaken>(OVERTAKEN, [
    some.map((pair) => memory.operatorOf(pair)),
    ends.map(([first]) => first),
    ends.map(([, last]) => last),
    some.map(beginOf),
    some.map(({ seenMs }) => new Date(seenMs)),
    some.map((pair) => memory.networkOf(pair)),
  ]);
  const failed = pairs.slice(MAX_ROWS);
  const tellings = rows.map(async (row) => {
    const pair = some[row.at - 1];
    if (pair && !(await tell(deps, pair, row))) failed.push(pair);
  });
  await Promise.all(tellings);
  return { told: rows.length, failed };
}

/** False: it could not be told now. A row that does not open is told as a fault, and never again. */
async function tell(
  { sealer, memory, intake, onFault }: Deps,
  pair: LastSeen,
  row: Overtaken,
): Promise<boolean> {
  let sighting: SightingInput;
  try {
    sighting = {
      imsi: sealer.open("imsi", row.imsiSealed),
      imei: sealer.open("imei", row.imeiSealed),
      plmn: memory.networkOf(pair),
      seenAt: new Date(pair.seenMs).toISOString(),
    };
  } catch (error) {
    onFault("resight", error);
    return true;
  }
  try {
    await intake.accept(memory.operatorOf(pair), [sighting], SOURCE);
    return true;
  } catch (error) {
    onFault("resight", error);
    return false;
  }
}
