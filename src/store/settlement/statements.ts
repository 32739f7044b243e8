/**
 * Statements: one account over a span, with what stood there before and after. Both sides find each line by the key's id and
 * the charge; a payment also by the transfer on the bank's statement.
 */

import { lineKindOf } from "../../kernel/settlement/dispute.ts";
import type {
  Statement,
  StatementBalance,
  StatementLine,
  Statements,
} from "../../kernel/settlement/payment-desk.ts";
import { makerAccount, SUBSCRIBERS_ACCOUNT } from "../../kernel/settlement/postings.ts";
import type { Database } from "../database/database.ts";
import { cutPage, END_OF_ORDER, START_OF_ORDER } from "../database/page.ts";

/** The operator's own side: what it owes for keys that proved themselves. */
const OPERATOR_ACCOUNT = "receivable:operator";

/**
 * Above zero is what is owed to the account's holder: credits of a manufacturer's account, debits of the operator's own;
 * on that of the subscribers, whose debits are what they owe the operator.
 * posting_of_debit, posting_of_credit
 */
const ON_ACCOUNT = `
  select p.id, p.reference, p.charge_id, p.collection_id, p.currency, p.booked_at, p.amount_minor * $3::int as amount from posting p
   where p.operator_id = $1 and p.credit = $2
  union all
  select p.id, p.reference, p.charge_id, p.collection_id, p.currency, p.booked_at, -p.amount_minor * $3::int from posting p
   where p.operator_id = $1 and p.debit = $2`;
const BALANCES = `
  select currency, coalesce(sum(amount) filter (where booked_at < $4), 0)::bigint as "openingMinor",
         coalesce(sum(amount) filter (where booked_at < $5), 0)::bigint as "closingMinor",
         (count(*) filter (where booked_at >= $4 and booked_at < $5))::int as lines
    from (${ON_ACCOUNT}) l where $6::text is null or currency = $6 group by currency order by currency`;
/** charge_pkey, collection_pkey, order_item_pkey, payment_line_pkey, payment_transfer_pkey, dispute_open_once, dispute_reversed_once */
const lines = (order: "asc" | "desc"): string => `
  select l.id, l.reference, l.charge_id as "chargeId", l.currency, l.booked_at as "bookedAt", l.amount as "amountMinor",
         l.collection_id as "collectionId", coalesce(c.order_id, s.order_id) as "orderId", coalesce(c.item_id, s.order_item_id) as "itemId", replace(i.key_id::text, '-', '') as "keyReference",
         t.end_to_end_id as "endToEndId", d.id as "disputeId", d.state as "disputeState"
    from (select * from (${ON_ACCOUNT}) a
           where booked_at >= $4 and booked_at < $5 and ($6::text is null or currency = $6) and id ${order === "asc" ? ">" : "<"} $7
           order by id ${order} limit $8) l
    left join charge c on c.id = l.charge_id
    left join collection s on s.id = l.collection_id
    left join order_item i on i.id = c.item_id
    left join payment_line pl on pl.id = (case when l.reference ~ '^[0-9a-f-]{36}:(payout|returned):' and l.charge_id is not null then split_part(l.reference, ':', 1) end)::uuid
    left join payment_transfer t on t.id = pl.transfer_id
    left join lateral (select id, state from dispute where posting_id = l.id order by id desc limit 1) d on true
   order by l.id ${order}`;
const LINES = { asc: lines("asc"), desc: lines("desc") };

const BEGINNING = "-infinity";
const END = "infinity";

type LineRow = Omit<StatementLine, "bookedAt" | "kind" | "dispute"> & {
  readonly bookedAt: Date;
  readonly disputeId: string | null;
  readonly disputeState: NonNullable<StatementLine["dispute"]>["state"] | null;
};

export const createStatements = (database: Database): Statements => ({
  async of(operatorId, whose, { from, to, currency }, { limit, cursor, order = "asc" }): Promise<Statement> {
    const isMaker = typeof whose === "object";
    const account = isMaker
      ? makerAccount(whose.make)
      : whose === "fees"
        ? OPERATOR_ACCOUNT
        : SUBSCRIBERS_ACCOUNT;
    const sign = isMaker ? 1 : -1;
    const span = [operatorId, account, sign, from ?? BEGINNING, to ?? END, currency ?? null];
    const start = cursor ?? (order === "asc" ? START_OF_ORDER : END_OF_ORDER);
    // One moment for both: a line that is booked between them would stand in one alone.
    const [balances, rows] = await database.transaction(
      async (tx) => [
        await tx.rows<StatementBalance>(BALANCES, span),
        await tx.rows<LineRow>(LINES[order], [...span, start, limit + 1]),
      ],
      { isolation: "repeatable read" },
    );
    return { account, from: from ?? null, to: to ?? null, balances, ...cutPage(rows.map(lineOf), limit) };
  },
});

const lineOf = ({ disputeId, disputeState, bookedAt, ...row }: LineRow): StatementLine => ({
  ...row,
  kind: lineKindOf(row.reference),
  bookedAt: bookedAt.toISOString(),
  dispute: disputeId && disputeState ? { id: disputeId, state: disputeState } : null,
});
