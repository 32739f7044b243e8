/** Replies by text on PostgreSQL: evidence, open questions, and numbers that said STOP. Every statement names its index. */
import type {
  NewAudit,
  NewTextReply,
  NumberHolder,
  NumberOf,
  ReplyStore,
  ReplyTransaction,
} from "../../kernel/order/reply-store.ts";
import { pairsOf } from "../../term/collections.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Database, Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Of the words of somebody. */
const REPLY_DOMAIN = "text_reply";
/** Answers to one subscriber that are looked at; the limit of a day is far below. */
const ANSWERED_MAX = 50;

const OPEN_CODES = {
  name: "open_codes", // provisioning_order_of_subscriber, consent_of_order, order_item_of_order, offer_of_subscriber
  text: `with mine as (select id, state from provisioning_order
                        where operator_id = $1 and subscriber_id = $2
                          and state in ('received', 'verifying', 'awaiting_consent', 'provisioning'))
         select c.code from mine join consent c on c.order_id = mine.id where mine.state <> 'provisioning' and c.answer is null
          union
         select i.subject -> 'question' ->> 'code' from mine join order_item i on i.order_id = mine.id and i.state = 'awaiting_choice'
          union
         select code from offer where operator_id = $1 and subscriber_id = $2 and state = 'sent' and expires_at > $3`,
};
const ANSWERED_SINCE = {
  name: "replies_answered_since", // text_reply_of_subscriber
  text: `select questions from text_reply
          where operator_id = $1 and subscriber_id = $2 and received_at > $3 and read_as = 'unclear' and answered is not null
          order by received_at desc limit ${ANSWERED_MAX}`,
};
const STOP = {
  name: "stop_unasked", // message_stop_pkey
  text: `insert into message_stop (operator_id, msisdn_index, subscriber_id, stopped_at) values ($1, $2, $3, $4)
             on conflict (operator_id, msisdn_index) do update set subscriber_id = excluded.subscriber_id
          where message_stop.subscriber_id is distinct from excluded.subscriber_id
      returning (xmax = 0) as "isNew"`,
};
const END_OFFERS = {
  name: "decline_offers_of", // offer_of_subscriber
  text: `update offer set state = 'declined', answered_at = $3, given_sealed = null
          where operator_id = $1 and subscriber_id = $2 and state = 'sent' and expires_at > $3`,
};
const CANCEL_UNASKED = {
  name: "cancel_unasked", // message_unasked_of_subscriber, message_unasked_to
  text: `update message m set state = 'cancelled', reason = 'the number said STOP', due_at = null, lease_until = null, updated_at = $4
          where m.is_unasked and m.state = 'queued' and m.operator_id = $1
            and (m.subscriber_id = $2::uuid or m.destination_index = $3)`,
};
const ALLOW = {
  name: "allow_unasked", // message_stop_pkey, message_stop_of_subscriber
  text: "delete from message_stop where operator_id = $1 and (msisdn_index = $2 or subscriber_id = $3::uuid)",
};
/** What a claim asks too: see `CLAIM_MESSAGES`. */
const HAS_STOPPED = {
  name: "has_stopped", // subscriber_pkey, message_stop_pkey, message_stop_of_subscriber
  text: `select 1 from subscriber s join message_stop t on t.operator_id = s.operator_id
            and (t.msisdn_index = s.msisdn_index or t.subscriber_id = s.id)
          where s.operator_id = $1 and s.id = $2 limit 1`,
};
const HOME_PLMN = {
  name: "home_plmn_of", // subscriber_pkey
  text: `select home_plmn as "homePlmn" from subscriber where operator_id = $1 and id = $2`,
};
const DECLINED_AT = {
  name: "offer_declined_at", // offer_of_subscriber
  text: `select max(answered_at) as at from offer
          where operator_id = $1 and subscriber_id = $2 and item_id = $3 and state = 'declined'`,
};

const LOCK_SUBSCRIBER = {
  name: "lock_replying_subscriber", // subscriber_pkey
  text: "select id from subscriber where operator_id = $1 and id = $2 for update",
};

export const replyTransaction = (db: Db, sealer: Sealer): ReplyTransaction => ({
  lockSubscriber: async (operatorId, subscriberId) =>
    void (await db.rows(LOCK_SUBSCRIBER, [operatorId, subscriberId])),
  async openCodesOf(operatorId, subscriberId, now) {
    const rows = await db.rows<{ code: string | null }>(OPEN_CODES, [operatorId, subscriberId, now]);
    return rows.flatMap(({ code }) => code ?? []);
  },
  async answeredSince(operatorId, subscriberId, since) {
    const values = [operatorId, subscriberId, since];
    return (await db.rows<{ questions: string[] }>(ANSWERED_SINCE, values)).map(({ questions }) => questions);
  },
  async stopUnasked(of, now) {
    const index = indexOf(sealer, of);
    const { operatorId, subscriberId } = of;
    const row = await db.one<{ isNew: boolean }>(STOP, [operatorId, index, subscriberId, now]);
    // Both are done again for a STOP that came before: what was queued since by a node that does not know it must not go out.
    const offers = subscriberId === null ? 0 : await db.run(END_OFFERS, [operatorId, subscriberId, now]);
    const messages = await db.run(CANCEL_UNASKED, [operatorId, subscriberId, index, now]);
    return row?.isNew ? { offers, messages } : undefined;
  },
  async allowUnasked(of) {
    return (await db.run(ALLOW, [of.operatorId, indexOf(sealer, of), of.subscriberId])) > 0;
  },
  hasStopped: async (operatorId, subscriberId) =>
    (await db.one(HAS_STOPPED, [operatorId, subscriberId])) !== undefined,
  homePlmnOf: async (operatorId, subscriberId) =>
    (await db.one<{ homePlmn: string }>(HOME_PLMN, [operatorId, subscriberId]))?.homePlmn,
  async declinedAt(operatorId, subscriberId, itemId) {
    const row = await db.one<{ at: Date | null }>(DECLINED_AT, [operatorId, subscriberId, itemId]);
    return row?.at ?? undefined;
  },
});

const indexOf = (sealer: Sealer, { operatorId, msisdn }: NumberOf): Buffer =>
  sealer.blindIndex("msisdn", operatorId, msisdn);

const insertReplies = bulkInsert<NewTextReply & { readonly sealed: Buffer; readonly now: Date }>(
  "text_reply",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
    { name: "order_id", type: "uuid", value: (row) => row.orderId },
    { name: "offer_id", type: "uuid", value: (row) => row.offerId },
    { name: "read_as", type: "text", value: (row) => row.readAs },
    { name: "questions", type: "text[]", value: (row) => row.questions },
    { name: "text_sealed", type: "bytea", value: (row) => row.sealed },
    { name: "answered", type: "text", value: (row) => row.answered },
    { name: "received_at", type: "timestamptz", value: (row) => row.now },
  ],
);
const insertAudits = bulkInsert<NewAudit & { readonly now: Date }>("audit", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "actor", type: "text", value: (row) => row.actor },
  { name: "action", type: "text", value: (row) => row.action },
  { name: "subject", type: "text", value: (row) => row.subject },
  { name: "detail", type: "jsonb", value: (row) => row.detail },
  { name: "at", type: "timestamptz", value: (row) => row.now },
]);

export async function writeReplies(
  db: Db,
  sealer: Sealer,
  {
    textReplies,
    audits,
  }: { readonly textReplies: readonly NewTextReply[]; readonly audits: readonly NewAudit[] },
  now: Date,
): Promise<void> {
  await insertReplies(
    db,
    textReplies.map((row) => ({ ...row, sealed: sealer.seal(REPLY_DOMAIN, row.text), now })),
  );
  await insertAudits(
    db,
    audits.map((row) => ({ ...row, now })),
  );
}

// Whose number.

const OPERATORS = { name: "operator_ids", text: "select id from operator order by id" };
/** Of a number that moved to another SIM, the SIM that was seen last: whoever had it before is asked no more by it. */
export const OF_NUMBERS = `select s.id, s.operator_id, s.number_lost_at from unnest($1::uuid[], $2::bytea[]) as q(operator_id, msisdn_index)
  cross join lateral (select x.id, x.operator_id, x.number_lost_at from subscriber x
                        left join pairing p on p.subscriber_id = x.id and p.is_current
                       where x.operator_id = q.operator_id and x.msisdn_index = q.msisdn_index
                       order by p.last_seen_at desc nulls last, x.id desc limit 1) s`;
const HOLDERS = {
  name: "holders_of", // subscriber_by_msisdn, pairing_current, provisioning_order_of_subscriber
  text: `with who as (${OF_NUMBERS})
         select o.id as "operatorId", w.id as "subscriberId",
                coalesce((select r.language from provisioning_order n join request r on r.order_id = n.id
                           where n.subscriber_id = w.id order by n.id desc limit 1),
                         (select a.language from user_account a where a.operator_id = o.id and a.subscriber_id = w.id), 'en') as language
           from unnest($1::uuid[]) as o(id) left join who w on w.operator_id = o.id`,
};

const SIMS_OF_NUMBER = {
  name: "sims_of_number", // subscriber_by_msisdn, pairing_current
  text: `with who as (${OF_NUMBERS})
         select who.operator_id as "operatorId", s.imsi_sealed as "imsiSealed", p.last_seen_at as "lastSeenAt"
           from who join subscriber s on s.id = who.id left join pairing p on p.subscriber_id = s.id and p.is_current`,
};

/**
 * As `numbersAt`, of the operators alone whose SIM has the number now: one that was taken along from one operator of this
 * server to another stands in the books of both, and whoever has it answers for the SIM that was seen last.
 */
export async function numbersNowAt(
  database: Database,
  sealer: Sealer,
  from: string,
): ReturnType<typeof numbersAt> {
  const numbers = await numbersAt(database, sealer, from);
  if (!numbers) return undefined;
  type Sim = { readonly operatorId: string; readonly imsiSealed: Buffer; readonly lastSeenAt: Date | null };
  const sims = (await database.rows<Sim>(SIMS_OF_NUMBER, [...numbers])).map((sim) => ({
    ...sim,
    imsi: sealer.open("imsi", sim.imsiSealed),
    seenMs: sim.lastSeenAt?.getTime() ?? 0,
  }));
  const lastMs = Math.max(...sims.map(({ seenMs }) => seenMs));
  const last = new Set(sims.filter(({ seenMs }) => seenMs === lastMs).map(({ imsi }) => imsi));
  const meant = new Set(sims.filter(({ imsi }) => last.has(imsi)).map(({ operatorId }) => operatorId));
  const [operators, indexes] = numbers;
  const left = pairsOf(operators, indexes).filter(([id]) => meant.has(id));
  return [left.map(([id]) => id), left.map(([, index]) => index)];
}

/** A number's blind index at every operator, for `OF_NUMBERS`; undefined for a sender that is no number. */
async function numbersAt(
  database: Database,
  sealer: Sealer,
  from: string,
): Promise<readonly [operatorIds: readonly string[], indexes: readonly Buffer[]] | undefined> {
  const msisdn = numberOf(from);
  if (msisdn === undefined) return undefined;
  const operators = (await database.rows<{ id: string }>(OPERATORS)).map(({ id }) => id);
  return [operators, operators.map((id) => sealer.blindIndex("msisdn", id, msisdn))];
}

export const replyStore = (database: Database, sealer: Sealer): ReplyStore => ({
  async holdersOf(from) {
    const numbers = await numbersAt(database, sealer, from);
    return numbers ? database.rows<NumberHolder>(HOLDERS, [...numbers]) : [];
  },
});

/** A sender that is no number asks nothing. */
function numberOf(from: string): string | undefined {
  try {
    return parseMsisdn(from.startsWith("+") ? from : `+${from}`);
  } catch {
    return undefined;
  }
}
