/**
 * What goes of people, whoever asks for it: their rows, or what names them in rows that stay. A subscriber and a handset keep
 * their row with an unlinkable number in it, so that orders, postings and counts still add up. All of it is one transaction.
 */
import { type Erased, type Hold, RETURN_DAYS } from "../../kernel/account/erasure.ts";
import { ERASED } from "../../term/mask.ts";
import type { Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

const ENDED_CALLS = "('done', 'refused', 'given_up')";

/** Of a subscriber `s`: `$2` is since when nothing may have been touched ("infinity": it is enough that nothing is open). */
const HELD_BY: Readonly<Record<Hold, string>> = {
  order_under_way: `exists (select from provisioning_order o where o.subscriber_id = s.id and (o.due_at is not null or o.updated_at >= $2))`,
  message_under_way: `exists (select from message m where m.subscriber_id = s.id and m.state in ('queued', 'submitting', 'submitted'))
      or $3 and exists (select from message m where m.operator_id = s.operator_id and m.destination_index = s.msisdn_index
                           and m.state in ('queued', 'submitting', 'submitted'))`,
  charge_due: `exists (select from provisioning_order o join order_item i on i.order_id = o.id join charge c on c.item_id = i.id
                        where o.subscriber_id = s.id and (c.state = 'requested' or c.updated_at >= $2))`,
  dispute_open: `exists (select from provisioning_order o join order_item i on i.order_id = o.id join charge c on c.item_id = i.id
                           join dispute d on d.charge_id = c.id
                          where o.subscriber_id = s.id and (d.state = 'open' or d.decided_at >= $2))`,
  collection_open: `exists (select from collection c where c.operator_id = s.operator_id and c.subscriber_id = s.id
                              and (c.state in ('asked', 'waiting', 'unknown') or c.updated_at >= $2
                                or c.state = 'taken' and c.updated_at >= $4::timestamptz - interval '${RETURN_DAYS} days'))`,
  service_renews: `exists (select from provisioned_item p where p.operator_id = s.operator_id and p.subscriber_id = s.id
                             and p.ended_at is null and p.renews_at is not null)`,
  registration_live: `exists (select from registration r where r.operator_id = s.operator_id and r.subscriber_id = s.id
                                and r.state in ('asked', 'needs_information', 'registered', 'removing'))`,
  seen_lately: `exists (select from pairing p where p.subscriber_id = s.id and p.last_seen_at >= $2)`,
};
const HELD = Object.entries(HELD_BY).map(([hold, condition]) => `case when ${condition} then '${hold}' end`);
const HOLDS = {
  name: "holds_of_people", // subscriber_pkey, then each hold by an index of the subscriber
  text: `select s.id, array_remove(array[${HELD.join(", ")}], null) as holds
           from unnest($1::uuid[]) as q(id) join subscriber s on s.id = q.id where s.erased_at is null`,
};
/** Of a subscriber `s`, for a count of those who would go; the parameters are those of `holdsOf`. */
export const IS_HELD = Object.values(HELD_BY)
  .map((condition) => `(${condition})`)
  .join(" or ");

type Asked = {
  /** Touched since: held. Null: only what is open holds. */
  readonly since: Date | null;
  /** Also texts that went to the number without an order, which no index finds among those of the last weeks. */
  readonly byNumber: boolean;
  readonly now: Date;
};

/** By subscriber; one that is not there, or was erased, is not in it. */
export async function holdsOf(
  tx: Tx,
  ids: readonly string[],
  { since, byNumber, now }: Asked,
): Promise<ReadonlyMap<string, readonly Hold[]>> {
  const values = [ids, since ?? "infinity", byNumber, now];
  const rows = await tx.rows<{ id: string; holds: Hold[] }>(HOLDS, values);
  return new Map(rows.map(({ id, holds }) => [id, holds]));
}

export const LOCK_PEOPLE = {
  name: "lock_people", // subscriber_pkey
  text: "select id from subscriber where id = any($1::uuid[]) and erased_at is null order by id for update",
};

/** Numbers that these people have or had, by their blind index. */
const NUMBERS = `(select operator_id, msisdn_index as index from subscriber where id = any($1::uuid[]) and msisdn_index is not null
                   union select operator_id, msisdn_index from former_number where subscriber_id = any($1::uuid[]))`;
const THEIR_ORDERS = "(select id from provisioning_order where subscriber_id = any($1::uuid[]))";

/** `$2`: also by number, and offers, which one reading of `message` finds. Ended ones alone: what is under way holds. */
const MESSAGES_OF = `
  select m.id from message m where m.order_id in ${THEIR_ORDERS}
   union
  select m.id from message m
   where $2 and m.state not in ('queued', 'submitting', 'submitted')
     and (m.subscriber_id = any($1::uuid[]) or (m.operator_id, m.destination_index) in ${NUMBERS})`;
const PAST_MESSAGES_OF = `
  select m.id from past_message m where m.subscriber_id = any($1::uuid[])
   union
  select m.id from ${NUMBERS} n join past_message m on m.operator_id = n.operator_id and m.destination_index = n.index`;

const COUNTED = (from: string): string => `
  insert into monthly_statistic as t (operator_id, kind, month, what, count)
  select operator_id, 'messages', date_trunc('month', created_at at time zone 'UTC')::date, array[kind, state], count(*)
    from ${from} group by 1, 3, 4
      on conflict (operator_id, kind, month, what) do update set count = t.count + excluded.count`;

/** Messages go as a whole and are counted still; keys of texts stay, as digests. */
const DELETE_MESSAGES = [
  `with gone as (delete from message where id in (${MESSAGES_OF}) returning *),
        part as (delete from message_part where message_id in (${MESSAGES_OF})),
        body as (delete from payload b using (select distinct payload_id as id from gone) g where b.id = g.id),
        counted as (${COUNTED("gone")})
   select count(*)::int as n from gone`,
  `with gone as (delete from past_message where id in (${PAST_MESSAGES_OF}) returning *),
        counted as (${COUNTED("gone")})
   select count(*)::int as n from gone where $2 or true`,
];

/** `$1`: subscribers. In this order: what finds them by number goes before the number. */
const FORGET = {
  records: `delete from subscriber_record r using subscriber s where s.id = any($1::uuid[]) and r.operator_id = s.operator_id
              and (r.imsi_index = s.imsi_index or r.msisdn_index = s.msisdn_index)`,
  requests: `update request set user_sealed = null, notice_key_sealed = null, notice_key_reference = null, card_token = null,
               card_index = null, card_digits = null, mandate_reference = null, verification = null
             where order_id in ${THEIR_ORDERS}`,
  others: [
    `delete from sim_lock l using subscriber s where s.id = any($1::uuid[]) and l.operator_id = s.operator_id and l.imsi_index = s.imsi_index`,
    `update former_number set new_holder_id = null where new_holder_id = any($1::uuid[])`,
    `delete from former_number where subscriber_id = any($1::uuid[])`,
    `update message_stop set subscriber_id = null where subscriber_id = any($1::uuid[])`,
    ...[
      "text_reply",
      "portal_link",
      "telephone_pin",
      "screen_seen",
      "serving_change",
      "record_try",
      "user_account",
    ].map((table) => `delete from ${table} where subscriber_id = any($1::uuid[])`),
    `delete from sighting_conflict where subscriber_id = any($1::uuid[])`,
    `delete from link where order_id in ${THEIR_ORDERS}`,
    `delete from management_task where order_id in ${THEIR_ORDERS}`,
    `update offer set given_sealed = null where subscriber_id = any($1::uuid[]) and given_sealed is not null`,
    `update provisioned_item set given_sealed = null where subscriber_id = any($1::uuid[]) and given_sealed is not null`,
    `update collection set card_token = null, means_masked = null where subscriber_id = any($1::uuid[])`,
    `update outbound_call set sealed = null where order_id in ${THEIR_ORDERS} and sealed is not null and state in ${ENDED_CALLS}`,
  ],
};

/** With nothing in it: what is opened later finds a value, and nothing in that. */
const WIPE_REGISTRATIONS = `update registration set data_sealed = $2, access_sealed = null where subscriber_id = any($1::uuid[])`;

const DELETE_PAIRINGS = {
  name: "delete_pairings_of_people", // pairing_subscriber_id_device_id_key; a trigger tells all servers while the SIM's index is there
  text: `delete from pairing where subscriber_id = any($1::uuid[]) returning device_id as "deviceId"`,
};
/** Handsets that nobody else was seen with, and of which nothing is under way. */
const LEFT_DEVICES = {
  name: "devices_left_behind", // device_pkey, pairing_of_device, provisioning_order_of_device
  text: `select d.id from device d where d.id = any($1::uuid[])
            and not exists (select from pairing p where p.device_id = d.id)
            and not exists (select from provisioning_order o where o.device_id = d.id and o.due_at is not null)
          order by d.id for update`,
};
const ERASE_DEVICES = [
  // What it said of itself, and what was thought of its number.
  `delete from device_statement where device_id = any($1::uuid[])`,
  `delete from device_radio where device_id = any($1::uuid[])`,
  `delete from imei_doubt where device_id = any($1::uuid[])`,
  `delete from shared_device where device_id = any($1::uuid[])`,
  // What a managed device told of itself names its IMEI.
  `delete from management_task t using management_account a where a.device_id = any($1::uuid[]) and t.account_id = a.id`,
  `delete from management_account where device_id = any($1::uuid[])`,
  `delete from symptom y using device d where d.id = any($1::uuid[]) and y.operator_id = d.operator_id and y.imei_index = d.imei_index`,
  `update proxy_account set imsi_sealed = null, msisdn_sealed = null where device_id = any($1::uuid[])`,
  `delete from management_task t using management_account a where t.account_id = a.id and a.device_id = any($1::uuid[])`,
  `delete from management_account where device_id = any($1::uuid[])`, // what it said last may name the handset; one that comes again gets another
];
const UNLINK_DEVICES = `update device d set imei_index = v.token, imei_sealed = $3
   from unnest($1::uuid[], $2::bytea[]) as v(id, token) where d.id = v.id`;
const UNLINK_PEOPLE = `update subscriber s
    set imsi_index = v.token, imsi_sealed = $3, msisdn_index = null, msisdn_sealed = null, iccid_sealed = null,
        billing_account_sealed = null, gid1 = null, spn = null, erased_at = $4
   from unnest($1::uuid[], $2::bytea[]) as v(id, token) where s.id = v.id`;

/** As long as a blind index. */
const TOKEN_OCTETS = 32;

type Eraser = { readonly sealer: Sealer; readonly randomBytes: (octets: number) => Uint8Array };

/** Of people who are locked, and whom nothing holds. */
export async function erasePeople(
  tx: Tx,
  { sealer, randomBytes }: Eraser,
  ids: readonly string[],
  { byNumber, now }: Pick<Asked, "byNumber" | "now">,
): Promise<Erased> {
  const tokens = (of: readonly string[]) => of.map(() => Buffer.from(randomBytes(TOKEN_OCTETS)));
  let messages = 0;
  for (const text of DELETE_MESSAGES)
    messages += (await tx.one<{ n: number }>(text, [ids, byNumber]))?.n ?? 0;
  const records = await tx.run(FORGET.records, [ids]);
  const requests = await tx.run(FORGET.requests, [ids]);
  for (const text of FORGET.others) tx.send(text, [ids]);
  tx.send(WIPE_REGISTRATIONS, [ids, sealer.seal("registration_data", "{}")]);
  const paired = await tx.rows<{ deviceId: string }>(DELETE_PAIRINGS, [ids]);
  const left = await tx.rows<{ id: string }>(LEFT_DEVICES, [
    [...new Set(paired.map(({ deviceId }) => deviceId))],
  ]);
  const devices = left.map(({ id }) => id);
  for (const text of ERASE_DEVICES) tx.send(text, [devices]);
  tx.send(UNLINK_DEVICES, [devices, tokens(devices), sealer.seal("imei", ERASED)]);
  await tx.run(UNLINK_PEOPLE, [ids, tokens(ids), sealer.seal("imsi", ERASED), now]);
  return { messages, pairings: paired.length, devices: devices.length, requests, records };
}

const WOULD_GO = `select
  ((select count(*) from (${MESSAGES_OF}) m) + (select count(*) from (${PAST_MESSAGES_OF}) m))::int as messages,
  (select count(*) from pairing where subscriber_id = any($1::uuid[]))::int as pairings,
  (select count(distinct p.device_id) from pairing p where p.subscriber_id = any($1::uuid[])
      and not exists (select from pairing other where other.device_id = p.device_id and other.subscriber_id <> all($1::uuid[]))
      and not exists (select from provisioning_order o where o.device_id = p.device_id and o.due_at is not null))::int as devices,
  (select count(*) from request where order_id in ${THEIR_ORDERS})::int as requests,
  (select count(*) from subscriber_record r join subscriber s on s.id = any($1::uuid[]) and r.operator_id = s.operator_id
      and (r.imsi_index = s.imsi_index or r.msisdn_index = s.msisdn_index))::int as records`;

/** As `erasePeople` would answer. */
export async function wouldGo(tx: Tx, ids: readonly string[]): Promise<Erased> {
  const found = await tx.one<Erased>(WOULD_GO, [ids, true]);
  return found ?? { messages: 0, pairings: 0, devices: 0, requests: 0, records: 0 };
}
