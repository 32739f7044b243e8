/**
 * The books of a transfer: what a bank paid or gave back, parted over its lines; each share one posting, named by line and bank
 * entry so that nothing is booked twice. When all is paid each portion is settled, and its manufacturer told by key.
 */
import { type ChangeSet, emptyChangeSet, type NewEvent } from "../../kernel/order/change-set.ts";
import { type PaidLine, type Share, sharesOf } from "../../kernel/settlement/payment-batch.ts";
import { makerAccount } from "../../kernel/settlement/postings.ts";
import type { Db, Tx } from "../database/database.ts";
import type { RegistryDeps } from "../operator/audited.ts";
import { writeChanges } from "../orders/order-rows.ts";

/** As long as any notice to a manufacturer. */
const NOTICE_DEADLINE_MS = 14 * 86_400_000;

type LineRow = PaidLine & {
  readonly chargeId: string;
  readonly disputeId: string | null;
  readonly position: number;
  readonly isLive: boolean;
  readonly isClaimed: boolean;
  readonly orderId: string;
  readonly itemId: string;
  readonly keyId: string | null;
  readonly make: string;
  readonly currency: string;
};

/** payment_line_of_transfer, charge_pkey, order_item_pkey, payment_line_once, payment_line_set_off_once */
const LINES = `
  select l.id, l.charge_id as "chargeId", l.dispute_id as "disputeId", l.position, l.amount_minor as "amountMinor",
         l.booked_minor as "bookedMinor", l.live as "isLive", c.order_id as "orderId", c.item_id as "itemId", i.key_id as "keyId",
         c.make, c.currency,
         not l.live and (case when l.dispute_id is null
           then c.state <> 'paid' or exists (select from payment_line o where o.charge_id = l.charge_id and o.live and o.dispute_id is null)
           else exists (select from payment_line o where o.dispute_id = l.dispute_id and o.live) end) as "isClaimed"
    from payment_line l join charge c on c.id = l.charge_id left join order_item i on i.id = c.item_id
   where l.operator_id = $1 and l.transfer_id = $2 order by l.position`;

export const linesOf = (db: Db, operatorId: string, transferId: string): Promise<LineRow[]> =>
  db.rows<LineRow>(LINES, [operatorId, transferId]);

const REVIVE = "update payment_line set live = true where operator_id = $1 and transfer_id = $2 and not live"; // payment_line_of_transfer
const BOOK_LINES = `
  update payment_line l set booked_minor = l.booked_minor + v.amount
    from unnest($2::uuid[], $3::bigint[]) as v(id, amount) where l.operator_id = $1 and l.id = v.id`; // payment_line_pkey

/** A transfer whose lines are booked on, and the bank's entry by which they are. */
export type TransferBook = {
  readonly operatorId: string;
  readonly endToEndId: string;
  readonly transferId: string;
  readonly entryId: string;
  readonly lines: readonly LineRow[];
  readonly now: Date;
};

/** @param isWhole nothing of the transfer is left to be paid */
export async function bookPaid(
  tx: Tx,
  deps: RegistryDeps,
  book: TransferBook,
  paid: { readonly amountMinor: bigint; readonly isWhole: boolean },
): Promise<void> {
  const { operatorId, transferId, lines } = book;
  if (lines.some(({ isLive }) => !isLive)) await tx.run(REVIVE, [operatorId, transferId]);
  const changes = emptyChangeSet();
  await share(
    tx,
    deps,
    { ...book, changes },
    { shares: sharesOf(lines, paid.amountMinor, "paid"), kind: "payout" },
  );
  const portions = lines.filter(({ disputeId }) => disputeId === null);
  if (paid.isWhole) for (const line of portions) settle(deps, changes, book, line);
  writeChanges(tx, deps.sealer, changes, book.now);
}

export async function bookGivenBack(
  tx: Tx,
  deps: RegistryDeps,
  book: TransferBook,
  back: { readonly amountMinor: bigint; readonly isWhole: boolean; readonly reason: string },
): Promise<void> {
  const changes = emptyChangeSet();
  const shares = sharesOf(book.lines, back.amountMinor, "given_back");
  await share(tx, deps, { ...book, changes }, { shares, kind: "returned" });
  if (back.isWhole)
    for (const line of book.lines.filter(({ disputeId }) => disputeId === null)) {
      const reason = `${back.reason} The portion waits for the next payment file.`;
      changes.chargeChanges.push({ id: line.chargeId, state: "paid", reason });
      changes.events.push(eventOf(deps, book, line, { kind: "portion_returned", reason: back.reason }));
    }
  writeChanges(tx, deps.sealer, changes, book.now);
}

/** Says at each portion why its transfer came to nothing. */
export function sayUnpaid(tx: Tx, deps: RegistryDeps, book: TransferBook, reason: string): void {
  const changes = emptyChangeSet();
  for (const line of book.lines.filter(({ disputeId }) => disputeId === null)) {
    changes.chargeChanges.push({
      id: line.chargeId,
      state: "paid",
      reason: `${reason} The portion waits for the next payment file.`,
    });
    changes.events.push(eventOf(deps, book, line, { kind: "portion_refused", reason }));
  }
  writeChanges(tx, deps.sealer, changes, book.now);
}

async function share(
  tx: Tx,
  { newId }: RegistryDeps,
  { operatorId, entryId, lines, changes }: TransferBook & { readonly changes: ChangeSet },
  { shares, kind }: { readonly shares: readonly Share[]; readonly kind: "payout" | "returned" },
): Promise<void> {
  const byId = new Map(lines.map((line) => [line.id, line]));
  const sign = kind === "payout" ? 1n : -1n;
  await tx.run(BOOK_LINES, [
    operatorId,
    shares.map(({ lineId }) => lineId),
    shares.map(({ amountMinor }) => sign * amountMinor),
  ]);
  for (const { lineId, amountMinor } of shares) {
    const line = byId.get(lineId);
    if (!line) continue; // shares are of these lines
    const [debit, credit] =
      kind === "payout" ? [makerAccount(line.make), "cash:bank"] : ["cash:bank", makerAccount(line.make)];
    changes.postings.push({
      id: newId(),
      operatorId,
      reference: `${lineId}:${kind}:${entryId}`,
      chargeId: line.chargeId,
      debit,
      credit,
      amountMinor,
      currency: line.currency,
    });
  }
}

/** Paid, or set off against what the manufacturer owed: either way its account is square. */
function settle(deps: RegistryDeps, changes: ChangeSet, book: TransferBook, line: LineRow): void {
  const { operatorId, endToEndId, now } = book;
  changes.chargeChanges.push({
    id: line.chargeId,
    state: "settled",
    reason: "fee received, portion paid",
    payoutReference: endToEndId,
  });
  changes.events.push(
    eventOf(deps, book, line, {
      kind: "portion_paid",
      reason: `the portion went to ${line.make}`,
      detail: { reference: endToEndId },
    }),
  );
  if (line.keyId === null) return;
  changes.calls.push({
    id: deps.newId(),
    operatorId,
    orderId: line.orderId,
    itemId: line.itemId,
    kind: "remittance_notice",
    idempotencyKey: line.id,
    body: {
      // Of each key its own: a manufacturer's books tell payments apart by it.
      paymentId: `${endToEndId}.${line.position}`,
      keyId: line.keyId,
      amountMinor: line.amountMinor,
      currency: line.currency,
      at: now,
    },
    dueAt: now,
    deadlineAt: new Date(now.getTime() + NOTICE_DEADLINE_MS),
  });
}

type Said = { readonly kind: NewEvent["kind"]; readonly reason: string; readonly detail?: unknown };

function eventOf(
  { newId }: RegistryDeps,
  { operatorId, now }: TransferBook,
  { orderId, itemId }: LineRow,
  { kind, reason, detail = null }: Said,
): NewEvent {
  return {
    id: newId(),
    operatorId,
    orderId,
    itemId,
    kind,
    state: null,
    reason,
    evidence: null,
    detail,
    at: now,
  };
}
