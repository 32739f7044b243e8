/**
 * A SIM that moves to and fro between the doors of two servers: one of them may answer "unchanged" from memory in the
 * milliseconds in which word of the other's move is on its way, and that sighting would be lost. So when word comes of a SIM
 * that was seen here a moment ago, that sighting is taken again, by the database this time. It is written there as it was
 * told: same pair, same network, same time.
 */
import type { Intake, SightingSource } from "../../kernel/detection/sighting.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { beginOf, indexesOf } from "./last-seen.ts";
import type { PairMemory } from "./pair-memory.ts";
import type { LastSeen } from "./pair-table.ts";

const MAX_ROWS = 1_000;
/** Who told it is not remembered. */
const SOURCE: SightingSource = "api";

const PAIRS_BY_INDEX = {
  name: "pairs_by_index", // subscriber_operator_id_imsi_index_key, pairing_subscriber_id_device_id_key, device_pkey
  text: `select q.at::int as at, s.imsi_sealed as "imsiSealed", d.imei_sealed as "imeiSealed"
           from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[]) with ordinality
                  as q(operator_id, first_index, last_index, imei_begin, at)
           join subscriber s on s.operator_id = q.operator_id and s.imsi_index between q.first_index and q.last_index
           join pairing x on x.subscriber_id = s.id and not x.is_current
           join device d on d.id = x.device_id and substr(d.imei_index, 1, 4) = q.imei_begin`,
};

type Deps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly memory: PairMemory;
  readonly intake: Intake;
};

/** Pairs that were known until word came; answers how many of them are no more where they were, and were told again. */
export async function resight(
  { database, sealer, memory, intake }: Deps,
  pairs: readonly LastSeen[],
): Promise<number> {
  let told = 0;
  for (let from = 0; from < pairs.length; from += MAX_ROWS) {
    const some = pairs.slice(from, from + MAX_ROWS);
    const ends = some.map(indexesOf);
    const rows = await database.rows<{ at: number; imsiSealed: Buffer; imeiSealed: Buffer }>(PAIRS_BY_INDEX, [
      some.map((pair) => memory.operatorOf(pair)),
      ends.map(([first]) => first),
      ends.map(([, last]) => last),
      some.map(beginOf),
    ]);
    for (const { at, imsiSealed, imeiSealed } of rows) {
      const pair = some[at - 1];
      if (!pair) continue;
      const sighting = {
        imsi: sealer.open("imsi", imsiSealed),
        imei: sealer.open("imei", imeiSealed),
        plmn: memory.networkOf(pair),
        seenAt: new Date(pair.seenMs).toISOString(),
      };
      await intake.accept(memory.operatorOf(pair), [sighting], SOURCE);
      told++;
    }
  }
  return told;
}
