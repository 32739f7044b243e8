/** Disputed lines on PostgreSQL. A decision and its reversing posting are one transaction, under the operator's turn. */
import { emptyChangeSet } from "../../kernel/order/change-set.ts";
import {
  checkDispute,
  checkReversible,
  DECISION_DAYS,
  type DisputeState,
  lineKindOf,
  reversalOf,
} from "../../kernel/settlement/dispute.ts";
import type { Disputes, DisputeView } from "../../kernel/settlement/payment-desk.ts";
import { makerAccount } from "../../kernel/settlement/postings.ts";
import { TurnupError } from "../../term/error.ts";
import { Conditions } from "../database/conditions.ts";
import type { Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { writeChanges } from "../orders/order-rows.ts";
import { takeMoneyTurn } from "./payable-rows.ts";

const DISPUTE = `d.id, d.posting_id as "postingId", d.charge_id as "chargeId", d.make, d.raised_by as "raisedBy",
  d.raised_as as "raisedAs", d.reason, d.state, d.owner, d.deadline_at as "deadlineAt", d.decided_by as "decidedBy",
  d.decision, d.decided_at as "decidedAt", d.created_at as "createdAt"`;
/** posting_pkey, charge_pkey, dispute_open_once, dispute_reversed_once, posting_of_charge */
const LINE = `
  select p.id, p.reference, p.debit, p.credit, p.amount_minor as "amountMinor", p.currency, p.booked_at as "bookedAt",
         p.charge_id as "chargeId", c.make, c.order_id as "orderId", c.item_id as "itemId", c.state as "chargeState",
         exists (select from dispute d where d.posting_id = p.id and d.state = 'open') as "isDisputed",
         exists (select from dispute d where d.posting_id = p.id and d.state = 'reversed') as "isReversed",
         exists (select from payment_line l where l.charge_id = c.id and l.live and l.dispute_id is null) as "isInTransfer",
         p.amount_minor <> c.portion_minor
           or exists (select from posting o where o.charge_id = p.charge_id and o.id <> p.id and o.reference ~ ':(payout|returned):'
                         and split_part(o.reference, ':', 1) = split_part(p.reference, ':', 1)) as "isInParts"
    from posting p join charge c on c.id = p.charge_id
   where p.operator_id = $1 and p.id = $2`;
const COUNT_OPEN = `select count(*)::int as count from dispute where operator_id = $1 and lower(make) = lower($2) and state = 'open'`; // dispute_of_make
const FIND = `select ${DISPUTE} from dispute d where d.operator_id = $1 and d.id = $2`; // dispute_pkey
const INSERT = `
  insert into dispute (id, operator_id, posting_id, charge_id, make, raised_by, raised_as, reason, state, owner, deadline_at, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, $11)`;
const DECIDE = `
  update dispute set state = $3, deadline_at = null, decided_by = $4, decision = $5, decided_at = $6, claims_back = $7
   where operator_id = $1 and id = $2`; // dispute_pkey
/** What did not arrive is booked on its line and transfer no more. payment_line_pkey, payment_transfer_pkey */
const UNBOOK_LINE = `
  with line as (update payment_line set live = false, booked_minor = booked_minor - $3 where operator_id = $1 and id = $2 returning transfer_id)
  update payment_transfer t set booked_minor = t.booked_minor - $3 from line where t.id = line.transfer_id`;
const DUE = `select id, operator_id as "operatorId" from dispute where deadline_at <= $1 order by deadline_at limit $2`; // dispute_due

/** Who has to decide, as long as nobody took it: whoever administers the operator's money. */
const OWNER = "the operator's administrators";
const LAPSED_BY = "deadline";

type Row = Omit<DisputeView, "deadlineAt" | "decidedAt" | "createdAt" | "nextAction"> & {
  readonly deadlineAt: Date | null;
  readonly decidedAt: Date | null;
  readonly createdAt: Date;
};
type LineRow = {
  readonly id: string;
  readonly reference: string;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly bookedAt: Date;
  readonly chargeId: string;
  readonly make: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly chargeState: string;
  readonly isDisputed: boolean;
  readonly isReversed: boolean;
  readonly isInTransfer: boolean;
  readonly isInParts: boolean;
};

const viewOf = (row: Row): DisputeView => ({
  ...row,
  nextAction:
    row.state === "open"
      ? `Decide whether the line is kept or reversed; after the deadline it is kept.`
      : "none",
  deadlineAt: row.deadlineAt?.toISOString() ?? null,
  decidedAt: row.decidedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
});

export function createDisputes(deps: RegistryDeps): Disputes {
  const { database } = deps;
  return {
    open: (operatorId, asked, actor) => openDispute(deps, operatorId, asked, actor),
    async list(operatorId, { make, state }, page) {
      const { text, values } = new Conditions()
        .add("d.operator_id = ?", operatorId)
        .maybe("lower(d.make) = lower(?)", make)
        .maybe("d.state = ?", state)
        .page(`select ${DISPUTE} from dispute d`, "d", page); // dispute_by_id
      return cutPage((await database.rows<Row>(text, values)).map(viewOf), page.limit);
    },
    decide: (operatorId, id, { outcome, reason }, actor) =>
      decideDispute(deps, { operatorId, id, state: outcome, reason, actor }),
    async lapse(now, limit) {
      const due = await database.rows<{ id: string; operatorId: string }>(DUE, [now, limit]);
      for (const one of due) {
        const reason = `Nobody decided within ${DECISION_DAYS} days: the line is kept.`;
        await decideDispute(deps, { ...one, state: "kept", reason, actor: LAPSED_BY }).catch(
          (error: unknown) => {
            // Another server was faster.
            if (!(error instanceof TurnupError && error.code === "dispute_closed")) throw error;
          },
        );
      }
      return due.length;
    },
  };
}

function openDispute(
  deps: RegistryDeps,
  operatorId: string,
  { id, postingId, side, make, reason }: Parameters<Disputes["open"]>[1],
  actor: string,
): Promise<DisputeView> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const before = await tx.one<Row>(FIND, [operatorId, id]);
    if (before) return viewOf(before); // the same request again
    const line = await tx.one<LineRow>(LINE, [operatorId, postingId]);
    if (!line || (make !== undefined && !isOnAccountOf(line, make)))
      throw new TurnupError("posting_not_found", "There is no such line.", {
        nextStep: "The statement lists its lines with their ids.",
      });
    const open = await tx.one<{ count: number }>(COUNT_OPEN, [operatorId, line.make]);
    const now = deps.clock();
    checkDispute(line, open?.count ?? 0, now);
    const deadlineAt = new Date(now.getTime() + DECISION_DAYS * 86_400_000);
    await tx.run(INSERT, [
      id,
      operatorId,
      postingId,
      line.chargeId,
      line.make,
      side,
      actor,
      reason,
      OWNER,
      deadlineAt,
      now,
    ]);
    note(tx, deps, operatorId, line, {
      kind: "line_disputed",
      reason: `${side} ${actor}: ${reason}`,
      at: now,
    });
    await noteIn(deps)(tx, operatorId, {
      actor,
      action: "dispute.open",
      subject: id,
      detail: { postingId, side },
    });
    return viewOf(await found(tx, operatorId, id));
  });
}

const isOnAccountOf = ({ debit, credit }: LineRow, make: string): boolean =>
  [debit, credit].includes(makerAccount(make));

type Decision = {
  readonly operatorId: string;
  readonly id: string;
  readonly state: Exclude<DisputeState, "open">;
  readonly reason: string;
  readonly actor: string;
};

function decideDispute(deps: RegistryDeps, decision: Decision): Promise<DisputeView> {
  const { operatorId, id, state, reason, actor } = decision;
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const dispute = await found(tx, operatorId, id);
    if (dispute.state !== "open")
      throw new TurnupError("dispute_closed", `This dispute was decided: the line is ${dispute.state}.`, {
        nextStep: "Open another one where there is something new.",
      });
    const line = await tx.one<LineRow>(LINE, [operatorId, dispute.postingId]);
    if (!line) throw new Error("a disputed line is not there");
    if (state === "reversed") checkReversible(line); // the bank may have spoken since it was opened
    const now = deps.clock();
    const claimsBack =
      state === "reversed" ? await reverse(tx, deps, operatorId, line, { reason, now }) : false;
    await tx.run(DECIDE, [operatorId, id, state, actor, reason, now, claimsBack]);
    note(tx, deps, operatorId, line, {
      kind: "dispute_decided",
      reason: `the line is ${state} (${actor}): ${reason}`,
      at: now,
    });
    await noteIn(deps)(tx, operatorId, {
      actor,
      action: "dispute.decide",
      subject: id,
      detail: { outcome: state },
    });
    return viewOf(await found(tx, operatorId, id));
  });
}

async function found(tx: Tx, operatorId: string, id: string): Promise<Row> {
  const row = await tx.one<Row>(FIND, [operatorId, id]);
  if (row) return row;
  throw new TurnupError("dispute_not_found", "There is no such dispute.", {
    nextStep: "GET /v1/disputes lists them.",
  });
}

/**
 * Takes a line back. A portion that nobody paid yet is owed no more; one that is paid, or on its way, is set off against the
 * next transfer. A payment that did not arrive is owed again.
 * @returns whether the portion is claimed back
 */
async function reverse(
  tx: Tx,
  deps: RegistryDeps,
  operatorId: string,
  line: LineRow,
  { reason, now }: { readonly reason: string; readonly now: Date },
): Promise<boolean> {
  const changes = emptyChangeSet();
  const { chargeId, currency, chargeState } = line;
  changes.postings.push({ ...reversalOf(line), id: deps.newId(), operatorId, chargeId, currency });
  const kind = lineKindOf(line.reference);
  const isOwed = chargeState === "paid" && !line.isInTransfer;
  if (kind === "portion" && isOwed)
    changes.chargeChanges.push({
      id: chargeId,
      state: "settled",
      reason: `The portion was taken back: ${reason}`,
    });
  if (kind === "payout") {
    const [, lineId] = /^([0-9a-f-]{36}):payout:/.exec(line.reference) ?? [];
    if (lineId !== undefined) await tx.run(UNBOOK_LINE, [operatorId, lineId, line.amountMinor]);
    changes.chargeChanges.push({
      id: chargeId,
      state: "paid",
      reason: `The payment was taken back: ${reason}`,
    });
  }
  writeChanges(tx, deps.sealer, changes, now);
  return kind === "portion" && !isOwed;
}

type Said = {
  readonly kind: "line_disputed" | "dispute_decided";
  readonly reason: string;
  readonly at: Date;
};

function note(
  tx: Tx,
  deps: RegistryDeps,
  operatorId: string,
  { orderId, itemId, id }: LineRow,
  { kind, reason, at }: Said,
): void {
  const changes = emptyChangeSet();
  const event = { id: deps.newId(), operatorId, orderId, itemId, state: null, evidence: null, at };
  changes.events.push({ ...event, kind, reason, detail: { postingId: id } });
  writeChanges(tx, deps.sealer, changes, at);
}
