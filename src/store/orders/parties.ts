/** Subscribers and handset behind the numbers that a list is asked for by. Sealed numbers stay sealed: blind indexes find them. */
import type { OrderFilter } from "../../kernel/order/order-list.ts";
import { type Imei, imei14Of } from "../../term/imei.ts";
import type { Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { DEVICE_BY_IMEI } from "../sightings/pairings.ts";

/** Subscribers that one phone number was seen with; more than a few is a mistake in the data. */
const SUBSCRIBERS_OF_NUMBER_MAX = 100;

/** The rows behind the numbers that a filter names. */
export type Parties = { readonly subscriberIds?: readonly string[]; readonly deviceId?: string };

const SUBSCRIBER_BY_IMSI = {
  name: "subscriber_by_imsi", // subscriber_operator_id_imsi_index_key
  text: "select id from subscriber where operator_id = $1 and imsi_index = $2",
};
const SUBSCRIBERS_BY_MSISDN = {
  name: "subscribers_by_msisdn", // subscriber_by_msisdn
  text: `select id from subscriber where operator_id = $1 and msisdn_index = $2 limit ${SUBSCRIBERS_OF_NUMBER_MAX}`,
};

export async function partiesOf(
  db: Db,
  sealer: Sealer,
  operatorId: string,
  { imsi, msisdn, imei }: OrderFilter,
): Promise<Parties | "none"> {
  const parties: { subscriberIds?: readonly string[]; deviceId?: string } = {};
  if (imsi !== undefined) {
    const index = sealer.blindIndex("imsi", operatorId, imsi);
    parties.subscriberIds = idsOf(await db.rows<Id>(SUBSCRIBER_BY_IMSI, [operatorId, index]));
  }
  if (msisdn !== undefined) {
    const index = sealer.blindIndex("msisdn", operatorId, msisdn);
    const found = idsOf(await db.rows<Id>(SUBSCRIBERS_BY_MSISDN, [operatorId, index]));
    const before = parties.subscriberIds;
    parties.subscriberIds = before ? found.filter((id) => before.includes(id)) : found;
  }
  if (imei !== undefined) {
    const index = sealer.blindIndex("imei", operatorId, imei14Of(imei as Imei)); // the door has read it
    const device = await db.one<Id>(DEVICE_BY_IMEI, [operatorId, index]);
    if (!device) return "none";
    parties.deviceId = device.id;
  }
  return parties.subscriberIds?.length === 0 ? "none" : parties;
}

type Id = { readonly id: string };
const idsOf = (rows: readonly Id[]): readonly string[] => rows.map(({ id }) => id);
