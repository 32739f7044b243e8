/**
 * A number that moved on: seen with another SIM, it is that SIM's alone from then on. Whoever had it keeps their row, without the
 * number, and a row that they had it; what proves possession of the number, or is on its way to it, ends in the same
 * transaction: offers, ways in by SMS, pages behind links, messages that wait or are on their way. Their orders are due at once,
 * and say themselves what becomes of them. The same person with a new SIM looks the same from here, so nothing is carried over.
 *
 * A SIM that has another number now has lost its former one in the same way: that number is or will be somebody else's.
 */

import { bulkInsert } from "../database/bulk.ts";
import type { Database, Db } from "../database/database.ts";
import { addServingChanges } from "../requests/serving-changes.ts";

/** A number as a SIM was seen with it, or as the network named its line. */
export type NumberSeen = {
  readonly subscriberId: string;
  readonly operatorId: string;
  readonly msisdnIndex: Buffer;
};
/** Who has a number that was seen with another SIM, and when they were seen last themselves. */
type Holder = {
  readonly subscriberId: string;
  readonly operatorId: string;
  readonly msisdnIndex: Buffer;
  readonly msisdnSealed: Buffer;
  readonly imsiIndex: Buffer;
  readonly imeiIndex: Buffer | null;
  readonly lastSeenAt: Date | null;
};
export type NumberLost = Pick<Holder, "subscriberId" | "operatorId" | "msisdnIndex" | "msisdnSealed"> & {
  readonly newHolderId: string | null;
};

const LOCK_HOLDERS = {
  name: "lock_number_holders", // subscriber_by_msisdn, subscriber_pkey, pairing_current, device_pkey
  text: `select s.id as "subscriberId", s.operator_id as "operatorId", s.msisdn_index as "msisdnIndex",
                s.msisdn_sealed as "msisdnSealed", s.imsi_index as "imsiIndex", p.last_seen_at as "lastSeenAt",
                (select imei_index from device where id = p.device_id) as "imeiIndex"
           from subscriber s left join pairing p on p.subscriber_id = s.id and p.is_current
          where s.id = any(array(
                  select x.id from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as q(subscriber_id, operator_id, msisdn_index)
                   cross join lateral (select id from subscriber
                                        where operator_id = q.operator_id and msisdn_index = q.msisdn_index
                                          and id <> q.subscriber_id) x))
            and s.msisdn_index = any($3::bytea[]) -- asked again of a row that was waited for: it may have lost it meanwhile
          order by s.id for update of s`,
};
/** Two batches at once may give one number to two SIMs, since neither sees the other's row. */
const GIVEN_TWICE = {
  name: "numbers_given_twice", // subscriber_by_msisdn
  text: `select q.operator_id as "operatorId", q.msisdn_index as "msisdnIndex"
           from unnest($1::uuid[], $2::bytea[]) as q(operator_id, msisdn_index)
          where (select count(*) from (select from subscriber
                                        where operator_id = q.operator_id and msisdn_index = q.msisdn_index limit 2) x) > 1`,
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
  text: `update offer set state = 'expired', answered_at = $2, given_sealed = null where subscriber_id = any($1::uuid[]) and state = 'sent'`,
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

/**
 * Who said STOP keeps their word without the number, under their own id in its place; the number keeps it too, since the same
 * person may have it in a new SIM. From here on each of them says START for themselves alone.
 */
const KEEP_STOPS = {
  name: "keep_stops_of", // message_stop_of_subscriber, message_stop_pkey
  text: `insert into message_stop (operator_id, msisdn_index, subscriber_id, stopped_at)
         select operator_id, uuid_send(subscriber_id), subscriber_id, min(stopped_at) from message_stop
          where subscriber_id = any($1::uuid[]) group by operator_id, subscriber_id
             on conflict (operator_id, msisdn_index) do nothing`,
};
const LEAVE_STOPS = {
  name: "leave_stops_to_numbers", // message_stop_of_subscriber
  text: `update message_stop set subscriber_id = null
          where subscriber_id = any($1::uuid[]) and msisdn_index <> uuid_send(subscriber_id)`,
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
  for (const part of [KEEP_STOPS, LEAVE_STOPS]) await tx.run(part, [ids]);
  const changed = ids.map((subscriberId) => ({ id: newId(), subscriberId, deviceId: null }));
  await addServingChanges(tx, changed, { event: "changed", what: "number", at: now });
}

/**
 * Once numbers were given and that was committed: whichever batch is the later one sees both SIMs, and leaves the number to
 * the one that was seen last.
 * @param onLost sims whose numbers are others' now, before that is committed
 */
export async function endRivals(
  { database, newId, clock }: RivalDeps,
  given: readonly Pick<NumberSeen, "operatorId" | "msisdnIndex">[],
  onLost: (holders: readonly Holder[]) => void,
): Promise<void> {
  if (given.length === 0) return;
  const twice = await database.rows<Pick<NumberSeen, "operatorId" | "msisdnIndex">>(GIVEN_TWICE, [
    given.map(({ operatorId }) => operatorId),
    given.map(({ msisdnIndex }) => msisdnIndex),
  ]);
  if (twice.length === 0) return;
  await database.transaction(
    async (tx) => {
      const rivals = await lockHolders(
        tx,
        twice.map((one) => ({ ...one, subscriberId: NOBODY })),
      );
      const lost = losersOf(rivals);
      onLost(lost.map(({ holder }) => holder));
      const rows = lost.map(({ holder, newHolderId }) => ({ ...holder, newHolderId }));
      await loseNumbers(tx, rows, clock(), newId);
    },
    { keepsPlans: true, safeToRepeat: true },
  );
}

type RivalDeps = {
  readonly database: Database;
  readonly newId: () => string;
  readonly clock: () => Date;
};
const NOBODY = "00000000-0000-0000-0000-000000000000";

function losersOf(rivals: readonly Holder[]): { readonly holder: Holder; readonly newHolderId: string }[] {
  const latestFirst = [...rivals].sort(
    (one, other) => seenMsOf(other) - seenMsOf(one) || (one.subscriberId < other.subscriberId ? 1 : -1),
  );
  const winners = new Map<string, string>();
  return latestFirst.flatMap((holder) => {
    const number = `${holder.operatorId} ${holder.msisdnIndex.toString("base64")}`;
    const newHolderId = winners.get(number);
    winners.set(number, newHolderId ?? holder.subscriberId);
    return newHolderId === undefined ? [] : [{ holder, newHolderId }];
  });
}

const seenMsOf = ({ lastSeenAt }: Holder): number => lastSeenAt?.getTime() ?? 0;
