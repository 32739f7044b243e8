/**
 * What the billing centre is to hear of subscribers, and what it took last: the operator's own account number, the token that
 * pays, what each has. Numbers and what was told stand sealed.
 */

import type { AccountBooks, BilledOffering } from "../../kernel/account/account-books.ts";
import { maskedMeans } from "../../kernel/account/card.ts";
import type { BilledAccount } from "../../wire/message/billing-api.ts";
import type { Db } from "../database/database.ts";
import { openJson, type Sealer } from "../seal/seal.ts";

const NUMBER_DOMAIN = "billing_account";
const TOLD_DOMAIN = "billing_told";
const HELD_MAX = 500;

export const NO_BOOKS: AccountBooks = {
  externalId: null,
  paymentToken: null,
  paymentMasked: null,
  mandateReference: null,
  isPaymentEnded: false,
  owesReturned: false,
  holds: [],
  told: null,
};

const ACCOUNT_BOOKS = {
  name: "account_books", // subscriber_pkey, user_account_operator_id_subscriber_id_key, collection_of_subscriber, provisioned_item_current, order_item_of_order
  text: `select s.id, s.billing_account_sealed, a.billing_told_sealed, a.card_token as "paymentToken", a.card_digits, a.mandate_reference as "mandateReference",
                exists (select from collection c where c.operator_id = s.operator_id and c.subscriber_id = s.id and c.ends_means
                           and c.card_token = a.card_token) as "isPaymentEnded",
                exists (select from collection c where c.operator_id = s.operator_id and c.subscriber_id = s.id
                           and c.state in ('partly_returned', 'returned')) as "owesReturned",
                (select coalesce(jsonb_agg(jsonb_build_object('id', p.item_id, 'bundle', p.bundle)), '[]') from (
                   select h.item_id, (select i.subject ->> 'package' from order_item i
                                       where i.order_id = h.order_id and i.subject ->> 'catalogId' = h.item_id limit 1) as bundle
                     from provisioned_item h
                    where h.operator_id = s.operator_id and h.subscriber_id = s.id and h.ended_at is null
                    order by h.item_id limit ${HELD_MAX}) p) as holds
           from subscriber s
           left join user_account a on a.operator_id = s.operator_id and a.subscriber_id = s.id and a.state <> 'closed'
          where s.id = any($1::uuid[])`,
};
type Row = {
  readonly id: string;
  readonly billing_account_sealed: Buffer | null;
  readonly billing_told_sealed: Buffer | null;
  readonly paymentToken: string | null;
  readonly card_digits: string | null;
  readonly mandateReference: string | null;
  readonly isPaymentEnded: boolean;
  readonly owesReturned: boolean;
  readonly holds: readonly BilledOffering[];
};

/** By subscriber. */
export async function accountBooksOf(
  db: Db,
  sealer: Sealer,
  subscriberIds: readonly string[],
): Promise<ReadonlyMap<string, AccountBooks>> {
  const rows = await db.rows<Row>(ACCOUNT_BOOKS, [[...new Set(subscriberIds)]]);
  return new Map(
    rows.map(({ id, billing_account_sealed: number, billing_told_sealed: told, card_digits, ...books }) => [
      id,
      {
        ...books,
        paymentMasked: card_digits && maskedMeans(card_digits),
        externalId: number && sealer.open(NUMBER_DOMAIN, number),
        told: told && openJson<BilledAccount>(sealer, TOLD_DOMAIN, told),
      },
    ]),
  );
}

export const toldSealed = (sealer: Sealer, told: BilledAccount | null): Buffer | null =>
  told === null ? null : sealer.seal(TOLD_DOMAIN, JSON.stringify(told));

const PUT_NUMBER = {
  name: "put_billing_account", // subscriber_pkey
  text: "update subscriber set billing_account_sealed = $3 where operator_id = $1 and id = $2",
};

/** Null takes it away. */
export async function putAccountNumber(
  db: Db,
  sealer: Sealer,
  { operatorId, subscriberId, number }: { operatorId: string; subscriberId: string; number: string | null },
): Promise<void> {
  const sealed = number === null ? null : sealer.seal(NUMBER_DOMAIN, number);
  await db.run(PUT_NUMBER, [operatorId, subscriberId, sealed]);
}
