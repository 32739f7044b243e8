/**
 * Messages and their parts: claimed for sending, handed over, and ended by receipts, refusals or time.
 *
 *   queued -> submitting -> submitted -> delivered | failed | expired;   queued, submitting -> cancelled
 *   submitting -> queued (later);   expired, failed, cancelled -> delivered when its receipts say so after all
 */

import type { OperatorTerms } from "../../kernel/operator/operator-terms.ts";
import { maySendUnconfirmed } from "../../kernel/operator/unconfirmed.ts";
import {
  type CarrierMessage,
  type EndedMessage,
  lastWords,
  type OutgoingMessage,
  type Receipt,
  type SubmittedPart,
  type UnsentMessage,
} from "../../kernel/order/message.ts";
import type { OrderStore, OrderTransaction, WaitingPlace } from "../../kernel/order/order-store.ts";
import { pairsOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Db, Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { named } from "./receipt-names.ts";

const MARK_PARTS = {
  name: "mark_parts", // message_part_by_smsc_id, message_part_pkey
  // `delivered` holds; any other last word gives way to a later one. Of an id that was used twice, the message without a last
  // word is meant, else the younger one.
  text: `with r as (
           select r.*, (select q.message_id from message_part q where q.smsc = r.smsc and q.smsc_message_id = r.id
                         order by q.state <> 'accepted', q.accepted_at desc limit 1) as message_id
             from unnest($1::text[], $2::text[], $3::text[], $4::text[], $6::text[], $7::boolean[])
               as r(smsc, id, state, error_code, reported_state, speaks_for_message))
         update message_part p
            set state = case when p.state = 'delivered' then p.state else r.state end,
                error_code = case when p.state = 'delivered' then p.error_code else r.error_code end,
                reported_state = case when p.state = 'delivered' then p.reported_state else r.reported_state end,
                speaks_for_message = p.speaks_for_message or r.speaks_for_message,
                done_at = case when p.state in ('delivered', r.state) then p.done_at else $5 end
           from r
          where p.message_id = r.message_id and p.smsc = r.smsc and p.smsc_message_id = r.id
      returning p.message_id as "messageId", p.smsc, p.smsc_message_id as "smscMessageId"`,
};
const LOCK_MESSAGES = {
  name: "lock_messages", // message_pkey; in order of id, so that two batches never wait on each other
  text: "select id from message where id = any($1::uuid[]) order by id for update",
};
/** What the conductor hears of a message that ended; a text of the API is its own payload. */
const ENDED = `m.id as "messageId", m.order_id as "orderId", m.state as outcome, m.id, coalesce(m.payload_id, m.id) as "payloadId", m.kind,
  m.part_count as "partCount", m.reference, m.idempotency_key as "idempotencyKey"`;
type EndedRow = Omit<EndedMessage, "attempt" | "isCompanion"> & { readonly idempotencyKey: string };

const END_MESSAGES = {
  name: "end_messages", // message_part_pkey
  // A message that was taken for expired or failed, or was no longer wanted, is delivered all the same when its receipts say
  // so. Where the last word of a part that did not arrive changes, so does the message's; nobody need hear of that again.
  text: `with tally as (
           select m.id, m.part_count, m.state as before, count(*)::int as parts,
                  count(*) filter (where p.state = 'delivered')::int = m.part_count as has_every_part,
                  bool_or(p.state = 'delivered' and p.speaks_for_message) as is_spoken_for,
                  count(*) filter (where p.state = 'failed')::int as failed,
                  count(*) filter (where p.state = 'expired')::int as expired,
                  max(p.error_code) filter (where p.state in ('failed', 'expired')) as error_code
             from message m join message_part p on p.message_id = m.id
            where m.id = any($1::uuid[]) and m.state in ('submitting', 'submitted', 'expired', 'cancelled', 'failed')
              and m.number_lost_at is null -- it may have reached another SIM
            group by m.id, m.part_count, m.state)
         update message m
            set state = case when t.has_every_part or t.is_spoken_for then 'delivered' when t.failed > 0 then 'failed' else 'expired' end,
                reason = case when t.has_every_part then 'every part was delivered'
                              when t.is_spoken_for then 'the SMSC''s one receipt for it says that it was delivered'
                              when t.failed > 0 then 'the SMSC failed a part' else 'a part expired undelivered' end,
                due_at = null, lease_until = null, updated_at = $2
           from tally t
          where m.id = t.id and (t.has_every_part or t.is_spoken_for
                or (m.state in ('submitting', 'submitted') and (t.failed > 0 or t.expired > 0))
                or (m.state in ('failed', 'expired') and t.parts = t.part_count and t.failed + t.expired > 0
                    and m.state <> case when t.failed > 0 then 'failed' else 'expired' end))
      returning ${ENDED}, t.error_code as "errorCode",
                t.before in ('failed', 'expired') and m.state <> 'delivered' as "isKnown"`,
};
const keepUnmatched = bulkInsert<Receipt>(
  "unmatched_receipt",
  [
    { name: "smsc", type: "text", value: (row) => row.smsc },
    { name: "smsc_message_id", type: "text", value: (row) => row.smscMessageId },
    { name: "state", type: "text", value: (row) => row.state },
    { name: "error_code", type: "text", value: (row) => row.errorCode },
    { name: "other_ids", type: "text[]", value: (row) => row.otherIds ?? [] },
    { name: "reported_state", type: "text", value: (row) => row.reportedState ?? null },
    { name: "speaks_for_message", type: "boolean", value: (row) => row.speaksForMessage ?? false },
  ],
  // Told once more: a booking under way may have taken the row that is overwritten, so it is looked for anew.
  `on conflict (smsc, smsc_message_id) do update
      set state = case when unmatched_receipt.state = 'delivered' then 'delivered' else excluded.state end,
          error_code = case when unmatched_receipt.state = 'delivered' then unmatched_receipt.error_code else excluded.error_code end,
          reported_state = case when unmatched_receipt.state = 'delivered' then unmatched_receipt.reported_state else excluded.reported_state end,
          speaks_for_message = excluded.speaks_for_message, other_ids = excluded.other_ids, look_at = now(), horizon = null`,
);
/**
 * Parts that the SMSC took; messages of which it has every part now; receipts that were here before their parts. One
 * statement, which sees the parts of before and counts its own beside them. The messages are locked already.
 */
const BOOK_PARTS = {
  name: "book_parts", // message_part_pkey, message_pkey, unmatched_receipt_pkey, unmatched_receipt_by_other_id, sms_day_pkey
  text: `with v as (
           select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $6::bigint[])
             as v(message_id, sequence, smsc, id, cost_micros)),
         added as (
           insert into message_part (message_id, sequence, smsc, smsc_message_id, state, accepted_at)
           select message_id, sequence, smsc, id, 'accepted', $5 from v
               on conflict (message_id, sequence) do nothing
        returning message_id, sequence),
         spent as (
           insert into sms_day (operator_id, day, node, parts, cost_micros)
           select m.operator_id, ($5::timestamptz at time zone 'UTC')::date, $7, count(*), sum(v.cost_micros)
             from added a join v on v.message_id = a.message_id and v.sequence = a.sequence join message m on m.id = a.message_id
            group by m.operator_id order by m.operator_id
               on conflict (operator_id, day, node) do update
              set parts = sms_day.parts + excluded.parts, cost_micros = sms_day.cost_micros + excluded.cost_micros),
         tally as (
           select message_id, sum(parts) as parts
             from (select message_id, 1 as parts from added union all select message_id, 0 from v) t
            group by message_id),
         submitted as (
           update message m
              set state = 'submitted', due_at = null, lease_until = null, updated_at = $5,
                  reason = case when exists (select from v where v.message_id = m.id and v.id = '')
                                  or exists (select from message_part p where p.message_id = m.id and p.smsc_message_id = '')
                                then 'the SMSC took every part and named one by no id: no receipt can be matched, it ends when it expires'
                                else 'the SMSC took every part; receipts are awaited' end
             from tally t
            where m.id = t.message_id and m.state in ('queued', 'submitting')
              and m.part_count = t.parts + (select count(*) from message_part p where p.message_id = m.id))
         delete from unmatched_receipt u using (
           select e.smsc, e.smsc_message_id, v.id from v join unmatched_receipt e on e.smsc = v.smsc and e.smsc_message_id = v.id
            union
           select e.smsc, e.smsc_message_id, v.id from v join unmatched_receipt e
               on e.smsc = v.smsc and e.other_ids @> array[v.id] and e.other_ids <> '{}') f
          where u.smsc = f.smsc and u.smsc_message_id = f.smsc_message_id
      returning u.smsc, f.id as "smscMessageId", u.state, u.error_code as "errorCode", u.reported_state as "reportedState",
                u.speaks_for_message as "speaksForMessage"`,
};
const PUT_OFF = {
  name: "put_off", // message_pkey
  // What did not leave this time may have been taken the time before: that stays known.
  text: `update message m set state = 'queued', reason = v.reason, due_at = v.retry_at, lease_until = null, updated_at = $4,
                perhaps_with = coalesce(v.perhaps_with, m.perhaps_with), perhaps_until = coalesce(v.perhaps_until, m.perhaps_until)
           from unnest($1::uuid[], $2::text[], $3::timestamptz[], $5::text[], $6::timestamptz[])
             as v(id, reason, retry_at, perhaps_with, perhaps_until)
          where m.id = v.id and m.state = 'submitting'`,
};
const GIVE_UP = {
  name: "give_up", // message_pkey
  text: `update message m
            set state = case when v.error_code = 'expired' then 'expired' else 'failed' end, reason = v.reason,
                due_at = null, lease_until = null, updated_at = $4
           from unnest($1::uuid[], $2::text[], $3::text[]) as v(id, reason, error_code)
          where m.id = v.id and m.state = 'submitting'
      returning ${ENDED}, v.error_code as "errorCode"`,
};
const EXPIRE = {
  name: "expire_messages", // message_in_flight, message_part_pkey
  text: `update message m
            set state = 'expired', due_at = null, lease_until = null, updated_at = $3,
                reason = case when exists (select from message_part p where p.message_id = m.id and p.smsc_message_id = '')
                              then 'the SMSC named a part by no id, so that no receipt could be matched before it expired'
                              else 'no receipt came before it expired' end
          where m.id in (select id from message where state in ('queued', 'submitting', 'submitted') and expires_at <= $1
                          order by expires_at limit $2 for update skip locked)
      returning ${ENDED}, null::text as "errorCode"`,
};
/**
 * A receipt that no part was found for was kept; the booking of its part did not see it when both were under way at once.
 * So it is looked for once more, until every transaction has ended that may have been under way when it was kept: those
 * below the `horizon`, the number that the first look took itself, after it had seen the receipt. (Not the snapshot's `xmax`:
 * that is one above the last transaction that has ended, and a booking may be under way above it.) Who books the part later
 * finds it by itself, so the number of looks does not grow with what is nobody's.
 */
const RECEIPTS_TO_LOOK_FOR = {
  name: "receipts_to_look_for", // unmatched_receipt_to_look_for
  text: `select smsc, smsc_message_id as "smscMessageId", other_ids as "otherIds", state, error_code as "errorCode",
                reported_state as "reportedState", speaks_for_message as "speaksForMessage", coalesce(horizon, pg_current_xact_id()::text::bigint) as horizon,
                pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest
           from unmatched_receipt where look_at <= now() order by look_at limit $1 for update skip locked`,
};
/** What is under way for longer than the first second is seldom, and looked for seldom. */
const SOON_MS = 250;
const LATER_MS = 1_500;
const LOOKED_FOR = {
  name: "receipts_looked_for", // unmatched_receipt_pkey
  text: `update unmatched_receipt u
            set horizon = v.horizon,
                look_at = case when v.is_last then null
                               when u.received_at > now() - interval '1 s' then now() + interval '${SOON_MS} ms'
                               else now() + interval '${LATER_MS} ms' end
           from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) as v(smsc, id, horizon, is_last)
          where u.smsc = v.smsc and u.smsc_message_id = v.id`,
};
const FORGET_MATCHED = {
  name: "forget_matched_receipts", // unmatched_receipt_pkey
  text: `delete from unmatched_receipt u using unnest($1::text[], $2::text[]) as v(smsc, id)
          where u.smsc = v.smsc and u.smsc_message_id = v.id`,
};
const DROP_UNMATCHED = {
  name: "drop_unmatched", // unmatched_receipt_by_age
  text: "delete from unmatched_receipt where received_at < $1",
};
const UNDELIVERED_SETTINGS = {
  name: "undelivered_settings", // message_of_order
  text: `select distinct order_id as "orderId" from (
           select m.order_id from message m where m.order_id = any($1::uuid[]) and m.kind = 'settings'
            group by m.order_id, m.payload_id having not bool_or(m.state = 'delivered')) open`,
};
const COMPANIONS = {
  name: "companions_of", // message_of_order; a companion's key begins with the id of its payload
  text: `select distinct on (m.payload_id) m.id, m.payload_id as "payloadId", m.kind, m.part_count as "partCount", m.reference,
                m.idempotency_key as "idempotencyKey"
           from message m where m.order_id = $1 and m.idempotency_key like m.payload_id::text || ':%'
          order by m.payload_id, m.id desc`,
};
const UNCONFIRMED_PAYLOADS = {
  name: "unconfirmed_payloads", // message_of_order, payload_pkey
  text: `select distinct p.id from message m join payload p on p.id = m.payload_id where m.order_id = $1 and p.unconfirmed`,
};
/** Leases what `chosen` names; a lease that lapses is due again by itself. subscriber_by_msisdn, message_stop_pkey, message_stop_of_subscriber */
const claimOf = (chosen: string): string => `with claimed as (
           update message m set state = 'submitting', reason = 'being handed to the SMSC', attempts = m.attempts + 1,
                  lease_until = $3, due_at = $3, leased_by = $4, updated_at = $1
            where m.id in (${chosen})
        returning m.*)
         select c.id as "messageId", c.operator_id as "operatorId", c.order_id as "orderId", c.kind, c.reference, c.part_count as "partCount",
                c.attempts, c.expires_at as "expiresAt", coalesce(p.protocol, 'text') as protocol, p.part_octets as "partOctets",
                coalesce(c.sealed, p.sealed) as sealed, coalesce(p.unconfirmed, false) as unconfirmed, s.msisdn_sealed, c.destination_sealed,
                array(select sequence from message_part where message_id = c.id) as "acceptedParts",
                (select smsc from message_part where message_id = c.id order by sequence limit 1) as "acceptedBy",
                case when c.perhaps_until > $1 then c.perhaps_with end as "perhapsWith",
                case when c.is_unasked then json_build_object('homePlmn', coalesce(s.home_plmn,
                  (select home_plmn from subscriber k where k.operator_id = c.operator_id and k.msisdn_index = c.destination_index limit 1)), 'isStopped', exists (
                  select from message_stop t where t.operator_id = c.operator_id
                     and (t.msisdn_index = coalesce(c.destination_index, s.msisdn_index) or t.subscriber_id = c.subscriber_id))) end as unasked
           from claimed c left join payload p on p.id = c.payload_id left join subscriber s on s.id = c.subscriber_id
          order by c.created_at, c.id`;
const CLAIM_MESSAGES = {
  name: "claim_messages", // message_due
  text: claimOf("select id from message where due_at <= $1 order by due_at limit $2 for update skip locked"),
};
const CLAIM_PAST = {
  name: "claim_messages_past", // message_due_of_operator: what the others have due, however much it is, is not read
  text: claimOf(`select d.id from operator o cross join lateral (
                     select id, due_at from message where operator_id = o.id and due_at <= $1
                      order by due_at limit least($2, coalesce((
                        select v.most from unnest($6::uuid[], $7::integer[]) as v(id, most) where v.id = o.id), $8::integer))
                        for update skip locked) d
                  where o.id <> all($5::uuid[]) order by d.due_at limit $2`),
};

export function claimMessages(
  db: Db,
  {
    now,
    limit,
    leaseMs,
    except = [],
    most = new Map(),
    mostOfOthers = limit,
    node,
  }: Parameters<OrderStore["claimMessages"]>[0] & { readonly node: number | null },
): Promise<ClaimedMessage[]> {
  const values = [now, limit, new Date(now.getTime() + leaseMs), node];
  if (except.length === 0 && most.size === 0) return db.rows<ClaimedMessage>(CLAIM_MESSAGES, values);
  return db.rows<ClaimedMessage>(CLAIM_PAST, [
    ...values,
    except,
    [...most.keys()],
    [...most.values()],
    mostOfOthers,
  ]);
}

export async function tellWaiting(
  db: Db,
  { operatorId, reason, now, limit, after }: Parameters<OrderStore["tellWaiting"]>[0],
): Promise<WaitingPlace | null> {
  const place = after ?? { dueAt: new Date(0), id: NO_ID };
  return (
    (await db.one<WaitingPlace>(TELL_WAITING, [operatorId, now, place.dueAt, place.id, limit, reason])) ??
    null
  );
}
const NO_ID = "00000000-0000-0000-0000-000000000000";
const TELL_WAITING = {
  name: "tell_waiting", // message_due_of_operator, message_pkey
  text: `with w as (
           select id, due_at from message
            where operator_id = $1 and due_at between $3 and $2 and state = 'queued' and (due_at, id) > ($3, $4::uuid)
            order by due_at, id limit $5 for update skip locked),
         told as (update message m set reason = $6, updated_at = $2 from w where m.id = w.id)
         select due_at as "dueAt", id from w order by due_at desc, id desc limit 1`,
};

type ClaimedMessage = Omit<OutgoingMessage, "content" | "sender" | "operatorSlug"> & {
  readonly sealed: Buffer;
  readonly unconfirmed: boolean;
  readonly msisdn_sealed: Buffer | null;
  readonly destination_sealed: Buffer | null;
};

export function outgoing(row: ClaimedMessage, sealer: Sealer, terms: OperatorTerms): OutgoingMessage {
  const { sealed, unconfirmed, msisdn_sealed, destination_sealed, ...message } = row;
  return {
    ...message,
    operatorSlug: terms.operatorSlug,
    sender: terms.policy.sender,
    smsLimits: terms.policy.smsLimits,
    isWithheld: unconfirmed && !maySendUnconfirmed(terms),
    content: contentOf(sealer, sealed, destination_sealed ?? msisdn_sealed),
  };
}

function contentOf(sealer: Sealer, payload: Buffer, to: Buffer | null): OutgoingMessage["content"] {
  if (to === null) return null;
  try {
    return { to: sealer.open("msisdn", to), payload: sealer.openBytes("payload", payload) };
  } catch (error) {
    if (error instanceof TurnupError && error.code === "seal_broken") return null;
    throw error;
  }
}

const unique = (ids: readonly string[]): string[] => [...new Set(ids)];
const nameOf = ({ smsc, smscMessageId }: Pick<Receipt, "smsc" | "smscMessageId">): string =>
  `${smsc} ${smscMessageId}`;

async function endMessages(tx: Tx, messageIds: readonly string[], now: Date): Promise<EndedMessage[]> {
  if (messageIds.length === 0) return [];
  tx.send(LOCK_MESSAGES, [messageIds]);
  const ended = await tx.rows<EndedRow & { readonly isKnown: boolean }>(END_MESSAGES, [messageIds, now]);
  return ended.flatMap(({ isKnown, ...row }) => (isKnown ? [] : [endedMessage(row)]));
}

/** Books last words for parts; answers which receipts found one, and the messages that ended by it. */
async function bookParts(
  tx: Tx,
  receipts: readonly Receipt[],
  now: Date,
): Promise<{ readonly found: ReadonlySet<string>; readonly ended: EndedMessage[] }> {
  const words = lastWords(receipts);
  const marked = await tx.rows<{ messageId: string; smsc: string; smscMessageId: string }>(MARK_PARTS, [
    words.map(({ smsc }) => smsc),
    words.map(({ smscMessageId }) => smscMessageId),
    words.map(({ state }) => state),
    words.map(({ errorCode }) => errorCode),
    now,
    words.map(({ reportedState }) => reportedState ?? null),
    words.map(({ speaksForMessage }) => speaksForMessage ?? false),
  ]);
  const ended = await endMessages(tx, unique(marked.map(({ messageId }) => messageId)), now);
  return { found: new Set(marked.map(nameOf)), ended };
}

type OfMessages = Pick<
  OrderTransaction,
  | "bookReceipts"
  | "bookSubmissions"
  | "expireMessages"
  | "rematchReceipts"
  | "dropReceipts"
  | "companionsOf"
  | "undeliveredSettings"
  | "unconfirmedPayloads"
>;

/** @param node this server's number in the database; 0: none */
export const messageTransaction = (tx: Tx, node: number): OfMessages => ({
  async bookReceipts(receipts, now) {
    const last = lastWords(await named(tx, receipts));
    if (last.length === 0) return [];
    const { found, ended } = await bookParts(tx, last, now);
    await keepUnmatched(
      tx,
      last.filter((one) => !found.has(nameOf(one))),
    );
    return ended;
  },

  async bookSubmissions(taken, unsent, now) {
    const messageIds = unique(taken.map(({ messageId }) => messageId)).sort();
    const ended: EndedMessage[] = [];
    if (messageIds.length > 0) {
      const locking = tx.rows<{ id: string }>(LOCK_MESSAGES, [messageIds]);
      const [locked, early] = await Promise.all([locking, insertParts(tx, taken, now, node)]);
      if (locked.length < messageIds.length)
        throw new Error("the SMSC took a part of a message that is not there");
      if (early.length > 0) ended.push(...(await bookParts(tx, early, now)).ended);
    }
    ended.push(...(await bookUnsent(tx, unsent, now)));
    return ended;
  },

  expireMessages: async (expiredBefore, limit, now) =>
    (await tx.rows<EndedRow>(EXPIRE, [expiredBefore, limit, now])).map(endedMessage),

  rematchReceipts: (limit, now) => rematch(tx, limit, now),
  dropReceipts: (receivedBefore) => tx.run(DROP_UNMATCHED, [receivedBefore]),

  async undeliveredSettings(orderIds) {
    if (orderIds.length === 0) return new Set();
    const rows = await tx.rows<{ orderId: string }>(UNDELIVERED_SETTINGS, [unique(orderIds)]);
    return new Set(rows.map(({ orderId }) => orderId));
  },

  async companionsOf(orderId) {
    const rows = await tx.rows<CarrierMessage & { readonly idempotencyKey: string }>(COMPANIONS, [orderId]);
    return rows.map(({ idempotencyKey, ...message }) => ({ ...message, attempt: attemptOf(idempotencyKey) }));
  },

  async unconfirmedPayloads(orderId) {
    const rows = await tx.rows<{ readonly id: string }>(UNCONFIRMED_PAYLOADS, [orderId]);
    return new Set(rows.map(({ id }) => id));
  },
});

type KeptReceipt = Receipt & {
  /** Transactions below it may not have seen the receipt. */
  readonly horizon: bigint;
  /** Under way at this look. */
  readonly oldest: bigint;
};

async function rematch(
  tx: Tx,
  limit: number,
  now: Date,
): Promise<{ readonly looked: number; readonly ended: EndedMessage[] }> {
  const kept = await tx.rows<KeptReceipt>(RECEIPTS_TO_LOOK_FOR, [limit]);
  if (kept.length === 0) return { looked: 0, ended: [] };
  const all = await named(tx, kept);
  const { found, ended } = await bookParts(tx, all, now);
  const looked = pairsOf(kept, all).map(([one, whole]) => ({ one, isFound: found.has(nameOf(whole)) }));
  const matched = looked.flatMap(({ one, isFound }) => (isFound ? [one] : []));
  const left = looked.flatMap(({ one, isFound }) => (isFound ? [] : [one]));
  tx.send(FORGET_MATCHED, [
    matched.map(({ smsc }) => smsc),
    matched.map(({ smscMessageId }) => smscMessageId),
  ]);
  tx.send(LOOKED_FOR, [
    left.map(({ smsc }) => smsc),
    left.map(({ smscMessageId }) => smscMessageId),
    left.map(({ horizon }) => horizon),
    left.map(({ horizon, oldest }) => oldest >= horizon),
  ]);
  return { looked: kept.length, ended };
}

const attemptOf = (idempotencyKey: string): number =>
  Number(idempotencyKey.slice(idempotencyKey.lastIndexOf(":") + 1));

const endedMessage = ({ idempotencyKey, ...row }: EndedRow): EndedMessage => ({
  ...row,
  attempt: attemptOf(idempotencyKey),
  isCompanion: idempotencyKey.startsWith(`${row.payloadId}:`),
});

/** Answers the receipts that were here before their parts. */
const insertParts = (tx: Db, parts: readonly SubmittedPart[], now: Date, node: number): Promise<Receipt[]> =>
  tx.rows<Receipt>(BOOK_PARTS, [
    parts.map(({ messageId }) => messageId),
    parts.map(({ sequence }) => sequence),
    parts.map(({ smsc }) => smsc),
    parts.map(({ smscMessageId }) => smscMessageId),
    now,
    parts.map(({ costMicros = 0 }) => costMicros),
    node,
  ]);

async function bookUnsent(db: Db, unsent: readonly UnsentMessage[], now: Date): Promise<EndedMessage[]> {
  const later = unsent.filter(({ retryAt }) => retryAt !== null);
  const never = unsent.filter(({ retryAt }) => retryAt === null);
  if (later.length > 0) {
    await db.run(PUT_OFF, [
      later.map(({ messageId }) => messageId),
      later.map(({ reason }) => reason),
      later.map(({ retryAt }) => retryAt),
      now,
      later.map(({ perhapsWith }) => perhapsWith?.smsc ?? null),
      later.map(({ perhapsWith }) => perhapsWith?.until ?? null),
    ]);
  }
  if (never.length === 0) return [];
  const ended = await db.rows<EndedRow>(GIVE_UP, [
    never.map(({ messageId }) => messageId),
    never.map(({ reason }) => reason),
    never.map(({ errorCode }) => errorCode),
    now,
  ]);
  return ended.map(endedMessage);
}
