/** Whose SIMs were in a handset, for whoever looks at the handset. Numbers are opened only to be masked. */
import type { Pairings, PairingView } from "../../kernel/account/registry.ts";
import { maskIdentifier } from "../../term/mask.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

export const DEVICE_BY_IMEI = {
  name: "device_by_imei", // device_operator_id_imei_index_key
  text: "select id from device where operator_id = $1 and imei_index = $2",
};
const PAIRINGS = {
  name: "pairings_of_device", // pairing_of_device, subscriber_pkey
  text: `select p.subscriber_id as "subscriberId", s.imsi_sealed, s.msisdn_sealed, s.home_plmn as "homePlmn",
                p.first_seen_at as "firstSeenAt", p.last_seen_at as "lastSeenAt", p.since, p.is_current as "isCurrent"
           from pairing p join subscriber s on s.id = p.subscriber_id
          where p.device_id = $1 and p.operator_id = $2 order by p.last_seen_at desc limit $3`,
};

type Row = Pick<PairingView, "subscriberId" | "homePlmn" | "isCurrent"> & {
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly since: Date;
};

export function createPairings(database: Database, sealer: Sealer): Pairings {
  const view = ({ imsi_sealed, msisdn_sealed, ...row }: Row): PairingView => ({
    ...row,
    imsiMasked: maskIdentifier(sealer.open("imsi", imsi_sealed), "imsi"),
    msisdnMasked: msisdn_sealed && maskIdentifier(sealer.open("msisdn", msisdn_sealed), "msisdn"),
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    since: row.since.toISOString(),
  });
  return {
    async ofDevice(operatorId, imei, limit) {
      const index = sealer.blindIndex("imei", operatorId, imei.slice(0, 14));
      const device = await database.one<{ id: string }>(DEVICE_BY_IMEI, [operatorId, index]);
      if (!device) return undefined;
      const rows = await database.rows<Row>(PAIRINGS, [device.id, operatorId, limit]);
      return { deviceId: device.id, pairings: rows.map(view) };
    },
  };
}
