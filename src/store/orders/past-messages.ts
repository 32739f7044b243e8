/**
 * Messages that were put away (store/retention/put-away.ts), found again: a row of `past_message` holds a message with its parts
 * and its payload. Who reads looks here too; who takes an order up again has its messages brought back first, so that whatever
 * decides about an order finds them where all others are.
 */
import type { MessageView, PageQuery } from "../../kernel/order/order-reader.ts";
import { Conditions, type Query } from "../database/conditions.ts";
import type { Tx } from "../database/database.ts";

/** Of `message` and `past_message` alike; what only a message under way has is not among them. */
const SHARED = `id, operator_id, order_id, subscriber_id, destination_sealed, destination_index, payload_id, kind, idempotency_key,
  reference, part_count, state, reason, attempts, expires_at, created_at, updated_at, leased_by, is_unasked, number_lost_at`;
const sharedOf = (alias: string): string => SHARED.replace(/\w+/g, (column) => `${alias}.${column}`);

/**
 * `$1`: ids of messages. Each goes with its parts and its payload, which no message but those of the same order names. An order is
 * told so: its row is another one then, so that no server believes what it has by heart of it.
 */
export const PUT_AWAY = {
  name: "put_messages_away", // message_pkey, message_part_pkey, payload_pkey, provisioning_order_pkey
  text: `with gone as (delete from message m where m.id = any($1::uuid[]) returning m.*),
         part as (delete from message_part p where p.message_id = any($1::uuid[]) returning p.*),
         body as (
           delete from payload b using (select distinct payload_id as id from gone) g where b.id = g.id returning b.*),
         told as (
           update provisioning_order o set messages_away = true
             from (select distinct order_id as id from gone) g where o.id = g.id)
         insert into past_message (${SHARED}, parts, sealed, octets, protocol, sec, unconfirmed, bearer, channel, channel_rule,
                                   part_octets, payload_at)
         select ${sharedOf("g")}, p.parts, coalesce(g.sealed, b.sealed), coalesce(g.octets, b.octets), b.protocol, b.sec,
                coalesce(b.unconfirmed, false), b.bearer, b.channel, b.channel_rule, b.part_octets, b.created_at
           from gone g left join body b on b.id = g.payload_id
           left join (select message_id, jsonb_agg(to_jsonb(part) - 'message_id' order by sequence) as parts
                        from part group by message_id) p on p.message_id = g.id`,
};

const BRING_BACK = {
  name: "bring_messages_back", // past_message_of_order of each month, message_pkey, provisioning_order_pkey
  text: `with back as (delete from past_message where order_id = any($1::uuid[]) returning *),
         body as (
           insert into payload (id, operator_id, kind, protocol, sec, octets, sealed, created_at, unconfirmed, bearer, channel,
                                channel_rule, part_octets)
           select distinct on (payload_id) payload_id, operator_id, kind, protocol, sec, octets, sealed, payload_at, unconfirmed,
                  bearer, channel, channel_rule, part_octets
             from back where payload_at is not null order by payload_id, id),
         part as (
           insert into message_part (message_id, sequence, smsc, smsc_message_id, state, error_code, accepted_at, done_at,
                                     reported_state, speaks_for_message)
           select b.id, p.* from back b cross join lateral jsonb_to_recordset(b.parts) as p(
                  sequence integer, smsc text, smsc_message_id text, state text, error_code text, accepted_at timestamptz,
                  done_at timestamptz, reported_state text, speaks_for_message boolean)),
         told as (update provisioning_order set messages_away = false where id = any($1::uuid[]))
         insert into message (${SHARED}) select ${SHARED} from back`,
};

/** Of orders that are locked. */
export const bringBack = (tx: Tx, orderIds: readonly string[]): Promise<number> =>
  tx.run(BRING_BACK, [orderIds]);

/** As `message` is listed; a text of the API has no payload of its own. */
const PAST = `m.id, m.order_id as "orderId", m.kind, coalesce(m.protocol, 'text') as protocol, m.sec, m.state, m.reason, m.octets,
  m.part_count as "partCount", m.bearer, m.channel, m.channel_rule as "channelRule", m.part_octets as "partOctets", m.attempts,
  m.created_at as "createdAt", m.updated_at as "updatedAt", m.expires_at as "expiresAt", m.parts as "pastParts"`;

/** Runs on past_message_of_order where an order is named, else on past_message_by_id: month by month, the youngest first. */
export function pastMessagesQuery(
  operatorId: string,
  { state, orderId }: { readonly state?: string | undefined; readonly orderId?: string | undefined },
  page: PageQuery,
): Query {
  return new Conditions()
    .add("m.operator_id = ?", operatorId)
    .maybe("m.order_id = ?", orderId)
    .maybe("m.state = ?", state)
    .page(`select ${PAST} from past_message m`, "m", page);
}

export const PAST_OF_ORDER = {
  name: "past_messages_of_order", // past_message_of_order
  text: `select ${PAST}, m.reference, m.sealed from past_message m where m.order_id = $1 order by m.id limit $2`,
};

export type PastPart = {
  readonly sequence: number;
  readonly smsc: string;
  readonly smsc_message_id: string;
  readonly state: MessageView["parts"][number]["state"];
  readonly error_code: string | null;
  readonly reported_state: string | null;
  readonly accepted_at: string;
  readonly done_at: string | null;
};

export const pastPartView = (part: PastPart): MessageView["parts"][number] => ({
  sequence: part.sequence,
  smsc: part.smsc,
  smscMessageId: part.smsc_message_id,
  state: part.state,
  errorCode: part.error_code,
  reportedState: part.reported_state,
  acceptedAt: new Date(part.accepted_at).toISOString(),
  doneAt: part.done_at === null ? null : new Date(part.done_at).toISOString(),
});

/** Of consents: every part of an SMS that held this text was taken, as the message that was put away tells. */
export const tookInThePast = (consent: string): string => `exists (
  select from past_message m where m.order_id = ${consent}.order_id and m.payload_id = ${consent}.payload_id
     and m.part_count = jsonb_array_length(m.parts))`;
