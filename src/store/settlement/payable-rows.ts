/**
 * Portions that wait for a payment file: of a fee that is paid, in no file whose transfer lives, not asked of the payment system.
 * What the payment system refused may be paid by file; what it never answered may have been paid, and a person has to look.
 */
import type { Payable } from "../../kernel/settlement/payment-batch.ts";
import type { Db, Tx } from "../database/database.ts";

/** Of one file: more wait for the next. */
const PAYABLES_MAX = 20_000;

const UNPAID = `c.state = 'paid' and c.portion_minor > 0
   and not exists (select from payment_line l where l.charge_id = c.id and l.live and l.dispute_id is null)
   and not exists (select from outbound_call o where o.operator_id = c.operator_id and o.kind = 'portion_payment'
                      and o.idempotency_key = c.id::text and o.state in ('due', 'given_up'))`;
/** charge_unpaid, payment_line_once, outbound_call_operator_id_kind_idempotency_key_key, dispute_of_charge */
const PORTIONS = `
  select c.id as "chargeId", null::uuid as "disputeId", c.make, c.currency, c.portion_minor as "amountMinor",
         exists (select from dispute d where d.charge_id = c.id and d.state = 'open') as "isDisputed"
    from charge c
   where c.operator_id = $1 and ${UNPAID} and ($2::text[] is null or lower(c.make) = any($2)) and ($3::text is null or c.currency = $3)
   order by c.id limit ${PAYABLES_MAX}`;
/** dispute_of_make, payment_line_set_off_once */
const SET_OFFS = `
  select d.charge_id as "chargeId", d.id as "disputeId", c.make, c.currency, -c.portion_minor as "amountMinor", false as "isDisputed"
    from dispute d join charge c on c.id = d.charge_id
   where d.operator_id = $1 and d.claims_back and ($2::text[] is null or lower(d.make) = any($2)) and ($3::text is null or c.currency = $3)
     and not exists (select from payment_line l where l.dispute_id = d.id and l.live)
   order by d.id limit ${PAYABLES_MAX}`;

type PayableRow = Payable & { readonly isDisputed: boolean };
export type PayableFilter = {
  readonly makes?: readonly string[] | undefined;
  readonly currency?: string | undefined;
};

export async function payablesIn(
  db: Db,
  operatorId: string,
  { makes, currency }: PayableFilter = {},
): Promise<{ readonly free: readonly Payable[]; readonly disputed: readonly Payable[] }> {
  const values = [operatorId, makes?.map((make) => make.toLowerCase()) ?? null, currency ?? null];
  const rows = [
    ...(await db.rows<PayableRow>(PORTIONS, values)),
    ...(await db.rows<PayableRow>(SET_OFFS, values)),
  ];
  return {
    free: rows.filter(({ isDisputed }) => !isDisputed),
    disputed: rows.filter(({ isDisputed }) => isDisputed),
  };
}

const TAKE_TURN = "select id from operator where id = $1 for no key update"; // operator_pkey

/** One file, one bank's word, one decision at a time, of each operator: each sees what the one before it did. */
export async function takeMoneyTurn(tx: Tx, operatorId: string): Promise<void> {
  await tx.rows(TAKE_TURN, [operatorId]);
}
