/** A SIM as access points are chosen for it: its network, its signs, and the handset that it is in now. */
import type { Subscriber } from "../../kernel/order/order-draft.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

const SUBJECT = {
  name: "sim_subject", // subscriber_pkey, pairing_current, device_pkey
  text: `select s.imsi_sealed, s.msisdn_sealed, s.iccid_sealed, s.gid1, s.spn, s.home_plmn as "homePlmn", d.imei_sealed
           from subscriber s
           left join pairing p on p.subscriber_id = s.id and p.is_current
           left join device d on d.id = p.device_id
          where s.operator_id = $1 and s.id = $2`,
};

type Row = Pick<Subscriber, "gid1" | "spn" | "homePlmn"> & {
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
  readonly iccid_sealed: Buffer | null;
  readonly imei_sealed: Buffer | null;
};

/** `imei` is empty where the SIM is in no handset that is known. */
export async function simSubject(
  { database, sealer }: { readonly database: Database; readonly sealer: Sealer },
  operatorId: string,
  subscriberId: string,
): Promise<Subscriber | undefined> {
  const row = await database.one<Row>(SUBJECT, [operatorId, subscriberId]);
  if (!row) return undefined;
  const { imsi_sealed, msisdn_sealed, iccid_sealed, imei_sealed, ...rest } = row;
  return {
    ...rest,
    imsi: sealer.open("imsi", imsi_sealed),
    msisdn: msisdn_sealed && sealer.open("msisdn", msisdn_sealed),
    iccid: iccid_sealed && sealer.open("iccid", iccid_sealed),
    imei: imei_sealed ? sealer.open("imei", imei_sealed) : "",
  };
}
