/**
 * What changed outside orders and is to be told to whoever serves the device: written with the change, for subscribers who have
 * anything that somebody serves. Every statement names the index that it runs on.
 */
import type { ServingChange } from "../../kernel/order/serving-change.ts";
import type { Db } from "../database/database.ts";

const ADD = {
  name: "add_serving_changes", // serving_change_pkey, provisioned_item_of_device, subscriber_pkey
  text: `insert into serving_change (id, operator_id, subscriber_id, device_id, event, what, at)
         select v.id, s.operator_id, s.id, v.device, $4, $5, $6
           from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as v(id, subscriber, device) join subscriber s on s.id = v.subscriber
          where exists (select from provisioned_item p where p.subscriber_id = s.id and p.ended_at is null)`,
};
const TAKE = {
  name: "take_serving_changes", // serving_change_by_time, serving_change_pkey, provisioning_order_of_subscriber
  text: `with taken as (
           delete from serving_change
            where id in (select id from serving_change order by at, id limit $1 for update skip locked)
           returning *)
         select t.id, t.event, t.what, t.at, o.id as "orderId", o.device_id is not distinct from t.device_id as "isOfDevice"
           from taken t cross join lateral (
             select id, device_id from provisioning_order where operator_id = t.operator_id and subscriber_id = t.subscriber_id
              order by (device_id = t.device_id) desc nulls last, id desc limit 1) o
          order by t.at, t.id`,
};
const SUBSCRIBERS_WITH = {
  name: "subscribers_with_device", // pairing_of_device
  text: "select subscriber_id as id from pairing where operator_id = $1 and device_id = $2 and is_current",
};

type Changed = { readonly id: string; readonly subscriberId: string; readonly deviceId: string | null };

export async function addServingChanges(
  db: Db,
  changed: readonly Changed[],
  { event, what, at }: Pick<ServingChange, "event" | "what" | "at">,
): Promise<void> {
  if (changed.length === 0) return;
  const ids = [
    changed.map(({ id }) => id),
    changed.map(({ subscriberId }) => subscriberId),
    changed.map(({ deviceId }) => deviceId),
  ];
  await db.run(ADD, [...ids, event, what, at]);
}

/** Takes the oldest of them off the list. Who has no order is served by nobody. */
export const takeServingChanges = (db: Db, limit: number): Promise<ServingChange[]> =>
  db.rows<ServingChange>(TAKE, [limit]);

/** Whose SIM is in this handset now. */
export async function subscribersWith(db: Db, operatorId: string, deviceId: string): Promise<string[]> {
  return (await db.rows<{ id: string }>(SUBSCRIBERS_WITH, [operatorId, deviceId])).map(({ id }) => id);
}
