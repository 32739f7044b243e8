/** Sums that are collected from subscribers, as rows: what is due to be asked for, what is written, what a person reads and books. */

import type {
  ChangeSet,
  CollectionChange,
  NewCollection,
  NewCollectionPosting,
} from "../../kernel/order/change-set.ts";
import type { DueRenewal, DueRetry } from "../../kernel/settlement/collection.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Db } from "../database/database.ts";

/** What of a sum `c` was paid otherwise than by the payment provider, as persons booked it. posting_of_collection */
export const SETTLED = `(select coalesce(sum(p.amount_minor), 0)::bigint from posting p
    where p.collection_id = c.id and p.operator_id = c.operator_id and p.debit = 'cash:bank')`;

/** Orders of which something is due to be collected; not locked. */
const DUE = {
  name: "collections_due", // provisioned_item_renewing, collection_waiting
  text: `select order_id as id from provisioned_item where renews_at <= $1 and ended_at is null
          union select order_id from collection where state = 'waiting' and due_at <= $1 limit $2`,
};
const RENEWALS = {
  name: "take_renewals", // provisioned_item_renewing, order_item_of_order
  text: `select p.id as "provisionedId", p.order_id as "orderId", p.since, p.renewals,
                coalesce((select i.id from order_item i where i.order_id = p.order_id and i.subject ->> 'catalogId' = p.item_id
                           order by i.id limit 1)::text, '') as "orderItemId"
           from provisioned_item p
          where p.renews_at <= $2 and p.ended_at is null and p.order_id = any($1::uuid[]) order by p.id for update of p`,
};
const RETRIES = {
  name: "take_collection_retries", // collection_waiting
  text: `select id, order_id as "orderId", order_item_id as "orderItemId", purpose, period, attempt, amount_minor as "amountMinor", currency
           from collection where state = 'waiting' and due_at <= $2 and order_id = any($1::uuid[]) order by id for update`,
};

/** What a transaction asks of them. */
export const collectionTransaction = (db: Db) => ({
  dueCollections: async (now: Date, limit: number): Promise<readonly string[]> =>
    (await db.rows<{ id: string }>(DUE, [now, limit])).map(({ id }) => id),
  takeDueCollections: async (orderIds: readonly string[], now: Date) => ({
    renewals: await db.rows<DueRenewal>(RENEWALS, [orderIds, now]),
    retries: await db.rows<DueRetry>(RETRIES, [orderIds, now]),
  }),
});

type Written = NewCollection & { readonly now: Date };
const insertCollections = bulkInsert<Written>(
  "collection",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
    { name: "order_id", type: "uuid", value: (row) => row.orderId },
    { name: "order_item_id", type: "uuid", value: (row) => row.orderItemId },
    { name: "catalog_id", type: "text", value: (row) => row.catalogId },
    { name: "purpose", type: "text", value: (row) => row.purpose },
    { name: "period", type: "integer", value: (row) => row.period },
    { name: "amount_minor", type: "bigint", value: (row) => row.amountMinor },
    { name: "currency", type: "text", value: (row) => row.currency },
    { name: "state", type: "text", value: (row) => row.state },
    { name: "attempt", type: "integer", value: (row) => row.attempt },
    { name: "reason", type: "text", value: (row) => row.reason },
    { name: "next_action", type: "text", value: (row) => row.nextAction },
    { name: "deadline_at", type: "timestamptz", value: (row) => row.deadlineAt },
    { name: "means_masked", type: "text", value: (row) => row.meansMasked },
    { name: "card_token", type: "text", value: (row) => row.cardToken },
    { name: "created_at", type: "timestamptz", value: (row) => row.now },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  "on conflict (order_item_id, period) do nothing",
);
/** What was ended meanwhile, or is asked for again already, no earlier word changes. */
const CHANGE = {
  name: "change_collection", // collection_pkey
  text: `update collection set state = $4, attempt = coalesce($5, attempt), reason = $6, next_action = $7, due_at = $8, deadline_at = $9,
                means_masked = coalesce($10, means_masked), reference = coalesce($11, reference), updated_at = $12,
                card_token = coalesce($13, card_token)
          where id = $1 and attempt = $2 and state = $3`,
};
const RENEW = {
  name: "renew_provisioned", // provisioned_item_pkey
  text: "update provisioned_item set renews_at = $2, renewals = $3 where id = $1 and ended_at is null",
};

export async function writeCollections(db: Db, changes: ChangeSet, now: Date): Promise<void> {
  await insertCollections(
    db,
    changes.collections.map((row) => ({ ...row, now })),
  );
  for (const change of changes.collectionChanges) await db.run(CHANGE, changeValues(change, now));
  await writeCollectionPostings(db, changes.collectionPostings, now);
  for (const { id, renewsAt, renewals } of changes.renewals) await db.run(RENEW, [id, renewsAt, renewals]);
}

/** Of a sum that stands: one that another server was faster with is that one's to book. Once a reference. */
const POST = {
  name: "post_collection", // collection_pkey, posting_operator_id_reference_key
  text: `insert into posting (id, operator_id, reference, collection_id, debit, credit, amount_minor, currency, booked_at)
         select $1, c.operator_id, $3, c.id, $5, $6, $7, $8, $9 from collection c where c.operator_id = $2 and c.id = $4
             on conflict (operator_id, reference) do nothing`,
};

export async function writeCollectionPostings(
  db: Db,
  postings: readonly NewCollectionPosting[],
  now: Date,
): Promise<void> {
  for (const { id, operatorId, reference, collectionId, debit, credit, amountMinor, currency } of postings)
    await db.run(POST, [
      ...[id, operatorId, reference, collectionId],
      ...[debit, credit, amountMinor, currency, now],
    ]);
}

const changeValues = (
  { id, attempt, from, state, nextAttempt, reason, nextAction, ...rest }: CollectionChange,
  now: Date,
): unknown[] => [
  ...[id, attempt, from, state, nextAttempt ?? null, reason, nextAction],
  ...[
    rest.dueAt ?? null,
    rest.deadlineAt ?? null,
    rest.meansMasked ?? null,
    rest.reference ?? null,
    now,
    rest.cardToken ?? null,
  ],
];
