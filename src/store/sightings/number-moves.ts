/**
 * A number that moved on: seen with another SIM, it is that SIM's alone from then on. Whoever had it keeps his row, without the
 * number, and a row that he had it; what proves possession of the number, or is on its way to it, ends in the same
 * transaction: offers, ways in by SMS, pages behind links, messages that wait or are on their way. His orders are due at once,
 * and say themselves what becomes of them. The same person with a new SIM looks the same from here, so nothing is carried over.
 *
 * A SIM that has another number now has lost its former one in the same way: that number is or will be somebody else's.
 */
import { bulkInsert } from "../database/bulk.ts";
import type { Db } from "../database/database.ts";

/** A number as a SIM was seen with it, or as the network named its line. */
export type NumberSeen = {
  readonly subscriberId: string;
  readonly operatorId: string;
  readonly msisdnIndex: Buffer;
};
/** Who has a number that was seen with another SIM, and when he was seen last himself. */
export type Holder = {
  readonly subscriberId: string;
  readonly operatorId: string;
  readonly msisdnIndex: Buffer;
  readonly msisdnSealed: Buffer;
  readonly imsiSealed: Buffer;
  readonly deviceId: string | null;
  readonly lastSeenAt: Date | null;
};
export type NumberLost = Pick<Holder, "subscriberId" | "operatorId" | "msisdnIndex" | "msisdnSealed"> & {
  readonly newHolderId: string | null;
};

const LOCK_HOLDERS = {
  name: "lock_number_holders", // subscriber_by_msisdn, subscriber_pkey, pairing_current
  text: `select s.id as "subscriberId", s.operator_id as "operatorId", s.msisdn_index as "msisdnIndex",
                s.msisdn_sealed as "msisdnSealed", s.imsi_sealed as "imsiSealed", p.device_id as "deviceId",
                p.last_seen_at as "lastSeenAt"
           from subscriber s left join pairing p on p.subscriber_id = s.id and p.is_current
          where s.id = any(array(
                  select x.id from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as q(subscriber_id, operator_id, msisdn_index)
                   cross join lateral (select id from subscriber
                                        where operator_id = q.operator_id and msisdn_index = q.msisdn_index
                                          and id <> q.subscriber_id) x))
          order by s.id for update of s`,
};
const TAKE_AWAY = {
  name: "take_numbers_away", // subscriber_pkey
  text: `update subscriber set msisdn_index = null, msisdn_sealed = null, number_lost_at = $2 where id = any($1::uuid[])`,
};
const keepFormer = bulkInsert<NumberLost & { readonly id: string; readonly now: Date }>("former_number", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
  { name: "msisdn_index", type: "bytea", value: (row) => row.msisdnIndex },
  { name: "msisdn_sealed", type: "bytea", value: (row) => row.msisdnSealed },
  { name: "lost_at", type: "timestamptz", value: (row) => row.now },
  { name: "new_holder_id", type: "uuid", value: (row) => row.newHolderId },
]);
/** Handed over or not: what the centre holds may reach the number's new holder, and proves nothing of the old one. */
const STOP_MESSAGES = {
  name: "stop_messages_to_number", // message_in_flight_of_subscriber
  text: `update message m
            set state = 'cancelled', reason = 'its number is no longer that of its subscriber', due_at = null, lease_until = null,
                number_lost_at = $2, updated_at = $2
           from (select id from message where subscriber_id = any($1::uuid[]) and state in ('queued', 'submitting', 'submitted')
                  order by id for update) v
          where m.id = v.id`,
};
const END_OFFERS = {
  name: "end_offers_of", // offer_of_subscriber
  text: `update offer set state = 'expired', answered_at = $2 where subscriber_id = any($1::uuid[]) and state = 'sent'`,
};
const END_WAYS_IN = {
  name: "end_ways_in_of", // portal_link_of_subscriber
  text: "update portal_link set used_at = $2 where subscriber_id = any($1::uuid[]) and used_at is null",
};
const END_PAGES = {
  name: "end_pages_of", // provisioning_order_of_subscriber, link_of_order
  text: `update link set expires_at = $2
          where order_id = any(array(select id from provisioning_order where subscriber_id = any($1::uuid[])))
            and expires_at > $2`,
};
const WAKE_ORDERS = {
  name: "wake_orders_of_lost_numbers", // provisioning_order_of_subscriber, provisioning_order_pkey
  text: `update provisioning_order o set due_at = least(o.due_at, $2)
           from (select id from provisioning_order
                  where id = any(array(select id from provisioning_order
                                        where subscriber_id = any($1::uuid[]) and due_at is not null))
                    and due_at is not null
                  order by id for update) v
          where o.id = v.id`,
};

/** Other SIMs that have these numbers by our books, locked. */
export const lockHolders = (tx: Db, seen: readonly NumberSeen[]): Promise<Holder[]> =>
  tx.rows<Holder>(LOCK_HOLDERS, [
    seen.map(({ subscriberId }) => subscriberId),
    seen.map(({ operatorId }) => operatorId),
    seen.map(({ msisdnIndex }) => msisdnIndex),
  ]);

/** Before their numbers are written to whom they are now. */
export async function loseNumbers(
  tx: Db,
  lost: readonly NumberLost[],
  now: Date,
  newId: () => string,
): Promise<void> {
  if (lost.length === 0) return;
  const ids = [...new Set(lost.map(({ subscriberId }) => subscriberId))].sort();
  await keepFormer(
    tx,
    lost.map((one) => ({ ...one, id: newId(), now })),
  );
  await tx.run(TAKE_AWAY, [ids, now]);
  for (const end of [STOP_MESSAGES, END_OFFERS, END_WAYS_IN, END_PAGES, WAKE_ORDERS])
    await tx.run(end, [ids, now]);
}
