/** Transfers as they stand in their rows, and what of each line was booked. */
import { isFinalTransfer, type TransferState } from "../../kernel/settlement/bank-fact.ts";
import type { TransferView } from "../../kernel/settlement/payment-desk.ts";
import type { Db } from "../database/database.ts";

export type TransferRow = Omit<
  TransferView,
  "deadlineAt" | "createdAt" | "updatedAt" | "isOverdue" | "accountChangedAt"
> & {
  readonly accountChangedAt: Date | null;
  readonly deadlineAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly bookedBy: "status" | "movement" | null;
  readonly paymentInfoId: string;
};

export const TRANSFER = `t.id, t.batch_id as "batchId", t.make, t.currency, t.amount_minor as "amountMinor",
  t.booked_minor as "bookedMinor", t.booked_by as "bookedBy", t.end_to_end_id as "endToEndId",
  t.payment_info_id as "paymentInfoId", t.reference, t.creditor_masked as "creditorMasked", t.state, t.reason,
  t.next_action as "nextAction", t.owner, t.deadline_at as "deadlineAt", t.created_at as "createdAt", t.updated_at as "updatedAt",
  (select c.account_changed_at from creditor c
    where c.operator_id = t.operator_id and lower(coalesce(c.make, '')) = lower(t.make) and c.account_seen_at is null) as "accountChangedAt"`; // creditor_once

export function transferView(
  {
    deadlineAt,
    createdAt,
    updatedAt,
    accountChangedAt,
    bookedBy: _by,
    paymentInfoId: _info,
    ...row
  }: TransferRow,
  now: Date,
): TransferView {
  return {
    ...row,
    deadlineAt: deadlineAt?.toISOString() ?? null,
    accountChangedAt: accountChangedAt?.toISOString() ?? null,
    isOverdue: deadlineAt !== null && deadlineAt <= now,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** The bank's word is waited for this long after the day on which it was to pay. */
const BANK_DAYS = 5;
/** What a person has to look at. */
const PERSON_DAYS = 5;

/** What is to be done about a transfer in this state, and by when. */
export function standingOf(
  state: TransferState,
  from: Date,
): { readonly nextAction: string; readonly deadlineAt: Date | null } {
  const after = (days: number): Date => new Date(from.getTime() + days * 86_400_000);
  if (isFinalTransfer(state)) {
    const free =
      state === "booked"
        ? "none"
        : "Its portions go into the next payment file; check the account data first.";
    return { nextAction: free, deadlineAt: null };
  }
  if (state === "exported")
    return {
      nextAction: "Give the file to the bank, then import what the bank says.",
      deadlineAt: after(BANK_DAYS),
    };
  if (state === "accepted")
    return { nextAction: "Import the bank's booking (camt.054 or camt.053).", deadlineAt: after(BANK_DAYS) };
  return { nextAction: "Ask the bank for the rest; import what it says.", deadlineAt: after(PERSON_DAYS) };
}

/** Of a transfer whose file nobody may have yet. */
export const AWAITS_SECOND_PERSON = "Let a second person approve its file, or refuse it.";

const SET_STATE = `
  update payment_transfer
     set state = $3, reason = $4, next_action = $5, deadline_at = $6, booked_minor = $7, booked_by = $8, updated_at = $9
   where operator_id = $1 and id = $2`; // payment_transfer_pkey
const FREE_LINES = "update payment_line set live = false where operator_id = $1 and transfer_id = $2"; // payment_line_of_transfer

/** Writes where a transfer stands; one that came to nothing leaves its lines to the next file. */
export async function moveTransfer(
  db: Db,
  operatorId: string,
  transfer: Pick<TransferRow, "id" | "bookedMinor" | "bookedBy">,
  to: { readonly state: TransferState; readonly reason: string; readonly now: Date },
): Promise<void> {
  const { nextAction, deadlineAt } = standingOf(to.state, to.now);
  const { id, bookedMinor, bookedBy } = transfer;
  await db.run(SET_STATE, [
    operatorId,
    id,
    to.state,
    to.reason,
    nextAction,
    deadlineAt,
    bookedMinor,
    bookedBy,
    to.now,
  ]);
  if (isFinalTransfer(to.state) && to.state !== "booked") await db.run(FREE_LINES, [operatorId, id]);
}
