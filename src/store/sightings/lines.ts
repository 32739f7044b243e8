/** Lines by their number, as others may ask about them: the SIM that has it, the handset it is in, and since when. */
import type { Line, LineReader } from "../../kernel/exposure/line.ts";
import { parseImei } from "../../term/imei.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

type Row = {
  readonly simSince: Date;
  readonly imeiSealed: Buffer | null;
  readonly softwareVersion: string | null;
  readonly since: Date | null;
  readonly lastSeenAt: Date | null;
};
/** A number came to the SIM that has it when another lost it, that SIM lost its former one, or was first seen itself, whichever is last. */
const LINE_OF = {
  name: "line_of_number", // subscriber_by_msisdn, pairing_subscriber_id_device_id_key, device_pkey, former_number_by_number, former_number_of_subscriber
  text: `select d.imei_sealed as "imeiSealed", d.software_version as "softwareVersion",
                p.since, p.last_seen_at as "lastSeenAt",
                greatest(coalesce((select min(first_seen_at) from pairing where subscriber_id = s.id), s.created_at),
                         (select max(f.lost_at) from former_number f
                                         where f.operator_id = $1 and f.msisdn_index = $2),
                         (select max(f.lost_at) from former_number f where f.subscriber_id = s.id)) as "simSince"
           from subscriber s
           left join pairing p on p.subscriber_id = s.id and p.is_current
           left join device d on d.id = p.device_id
          where s.operator_id = $1 and s.msisdn_index = $2 and s.erased_at is null
          order by p.last_seen_at desc nulls last, s.id desc limit 1`,
};
const WAS_HELD = {
  name: "number_was_held", // former_number_by_number
  text: "select 1 from former_number where operator_id = $1 and msisdn_index = $2 limit 1",
};

export function createLineReader(database: Database, sealer: Sealer): LineReader {
  return {
    async lineOf(operatorId, msisdn) {
      const values = [operatorId, sealer.blindIndex("msisdn", operatorId, msisdn)];
      const [row] = await database.rows<Row>(LINE_OF, values);
      if (row) return lineIn(sealer, row);
      const former = await database.rows(WAS_HELD, values);
      return former.length > 0 ? { simSince: null, device: null } : undefined;
    },
  };
}

function lineIn(sealer: Sealer, { simSince, imeiSealed, softwareVersion, since, lastSeenAt }: Row): Line {
  if (!imeiSealed || !since || !lastSeenAt) return { simSince, device: null };
  const imei = parseImei(sealer.open("imei", imeiSealed));
  return { simSince, device: { imei, softwareVersion, since, lastSeenAt } };
}
