/**
 * Four eyes on a payment file: where the operator's policy says so, nobody has it before a second person approved it, in time; one
 * that is refused, or that nobody approved, is given up, and what it would have paid waits for the next file.
 */
import { type Acting, checkSecondPerson } from "../../kernel/account/person.ts";
import { isFinalTransfer } from "../../kernel/settlement/bank-fact.ts";
import type { ReleaseState } from "../../kernel/settlement/payment-batch.ts";
import { TurnupError } from "../../term/error.ts";
import type { Tx } from "../database/database.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { takeMoneyTurn } from "./payable-rows.ts";
import { linesOf, sayUnpaid } from "./transfer-books.ts";
import { moveTransfer, standingOf, TRANSFER, type TransferRow } from "./transfer-rows.ts";

const FIND = `select id, release, release_until as "releaseUntil", made_by_person as "madeByPerson",
                     made_by_vouched as "madeByVouched" from payment_batch where operator_id = $1 and id = $2`; // payment_batch_pkey
const DECIDE = `
  update payment_batch set release = $3, released_by = $4, released_at = $5, release_reason = $6, released_by_person = $7
   where operator_id = $1 and id = $2 and release = 'awaiting'`; // payment_batch_pkey
const TRANSFERS = `select ${TRANSFER} from payment_transfer t where t.operator_id = $1 and t.batch_id = $2 order by t.id`; // payment_transfer_of_batch
/** Accounts that the file pays to and nobody but who changed them has looked at, or that are others now. payment_transfer_of_batch, creditor_once */
const UNSEEN = `
  select t.make, c.id is null or c.account_changed_at > b.made_at as "isOutdated", c.account_changed_by as "changedBy"
    from payment_transfer t
    join payment_batch b on b.operator_id = t.operator_id and b.id = t.batch_id
    left join creditor c on c.operator_id = t.operator_id and lower(coalesce(c.make, '')) = lower(t.make)
   where t.operator_id = $1 and t.batch_id = $2 and (c.id is null or (c.account_changed_at is not null and c.account_seen_at is null))
   order by t.make`;
const SEEN = `
  update creditor c set account_seen_at = $3
   where c.operator_id = $1 and c.account_seen_at is null and lower(coalesce(c.make, '')) in
         (select lower(t.make) from payment_transfer t where t.operator_id = $1 and t.batch_id = $2)`; // payment_transfer_of_batch, creditor_once
const GO_ON = `update payment_transfer set next_action = $3, updated_at = $4
                 where operator_id = $1 and batch_id = $2 and state = 'exported'`; // payment_transfer_of_batch
const OVERDUE = `select id, operator_id as "operatorId" from payment_batch where release = 'awaiting' and release_until <= $1
                  order by release_until limit $2`; // payment_batch_awaiting

type Awaiting = {
  readonly id: string;
  readonly release: ReleaseState;
  readonly releaseUntil: Date | null;
  readonly madeByPerson: string | null;
  readonly madeByVouched: readonly string[];
};
type Decision = {
  readonly operatorId: string;
  readonly batchId: string;
  readonly outcome: "approved" | "refused";
  readonly reason: string;
  readonly actor: Acting;
};

/** @throws TurnupError `payment_batch_not_found`, `payment_file_decided`, `payment_file_outdated`, `second_person_needed`, `person_unknown` */
export function releaseBatch(
  deps: RegistryDeps,
  { operatorId, batchId, outcome, reason, actor }: Decision,
): Promise<void> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const batch = await tx.one<Awaiting>(FIND, [operatorId, batchId]);
    if (!batch)
      throw new TurnupError("payment_batch_not_found", "There is no such payment file.", {
        nextStep: "GET /v1/payment-batches lists them.",
      });
    const now = deps.clock();
    const isOver = batch.releaseUntil !== null && batch.releaseUntil <= now;
    if (batch.release !== "awaiting" || isOver)
      throw new TurnupError(
        "payment_file_decided",
        `This payment file waits for nobody: it is ${isOver && batch.release === "awaiting" ? "lapsed" : batch.release}.`,
        { nextStep: "Make another one where there is something to pay." },
      );
    // Who made it may take it back, and may not be the second who looks.
    if (outcome === "approved") checkApproval(batch, actor);
    if (outcome === "approved") {
      await checkAccounts(tx, operatorId, batchId, actor);
      await tx.run(SEEN, [operatorId, batchId, now]);
      await decide(tx, deps, { operatorId, batchId, release: "released", reason, actor, now });
    } else await giveUp(tx, deps, { operatorId, batchId, release: "refused", reason, actor, now });
  });
}

function checkApproval({ madeByPerson: person, madeByVouched: vouchedBy }: Awaiting, actor: Acting): void {
  if (person === null)
    throw new TurnupError("second_person_needed", "It is not known which person made this payment file.", {
      nextStep: "Refuse it, and make another one with a token that names its person.",
    });
  checkSecondPerson({ person, vouchedBy }, actor);
}

type UnseenRow = {
  readonly make: string;
  readonly isOutdated: boolean;
  readonly changedBy: Omit<Acting, "label"> | null;
};

/** Whoever says where the money goes is no second person for the first file that brings it there. */
async function checkAccounts(tx: Tx, operatorId: string, batchId: string, actor: Acting): Promise<void> {
  for (const { make, isOutdated, changedBy } of await tx.rows<UnseenRow>(UNSEEN, [operatorId, batchId])) {
    if (isOutdated)
      throw new TurnupError(
        "payment_file_outdated",
        `The account of ${make} was changed or forgotten after this payment file was made, and the file pays to the one before.`,
        { nextStep: "Refuse it, look at the account, and make another file." },
      );
    if (changedBy === null) continue; // who has the database needs no file
    const { person, vouchedBy } = changedBy;
    if (person === null)
      throw new TurnupError(
        "second_person_needed",
        `It is not known which person last changed the account of ${make}.`,
        {
          nextStep: `Write the account again with a token that names its person: PUT /v1/creditors/${make}.`,
        },
      );
    try {
      checkSecondPerson({ person, vouchedBy }, actor);
    } catch (error) {
      if (!(error instanceof TurnupError) || error.code !== "second_person_needed") throw error;
      throw new TurnupError(
        "second_person_needed",
        `The account of ${make} was changed by ${person}, and nobody else has approved a payment to it.`,
        { cause: error, nextStep: error.nextStep ?? "Let another person approve it." },
      );
    }
  }
}

const LAPSED_BY: Acting = { label: "deadline", person: null, vouchedBy: [] };
const LAPSED = "Nobody approved it in time.";

/** Gives up files that nobody approved in time; answers how many were looked at. */
export async function lapseBatches(deps: RegistryDeps, now: Date, limit: number): Promise<number> {
  const { database } = deps;
  const overdue = await database.rows<{ id: string; operatorId: string }>(OVERDUE, [now, limit]);
  for (const { id: batchId, operatorId } of overdue) {
    await database.transaction(async (tx) => {
      await takeMoneyTurn(tx, operatorId);
      const batch = await tx.one<Awaiting>(FIND, [operatorId, batchId]);
      if (batch?.release !== "awaiting") return; // another server was faster
      await giveUp(tx, deps, {
        operatorId,
        batchId,
        release: "lapsed",
        reason: LAPSED,
        actor: LAPSED_BY,
        now,
      });
    });
  }
  return overdue.length;
}

type Decided = {
  readonly operatorId: string;
  readonly batchId: string;
  readonly release: Exclude<ReleaseState, "awaiting">;
  readonly reason: string;
  readonly actor: Acting;
  readonly now: Date;
};
const ACTIONS = {
  released: "payment_file.approve",
  refused: "payment_file.refuse",
  lapsed: "payment_file.lapse",
} as const;

async function decide(tx: Tx, deps: RegistryDeps, decided: Decided): Promise<void> {
  const { operatorId, batchId, release, reason, actor, now } = decided;
  await tx.run(DECIDE, [operatorId, batchId, release, actor.label, now, reason, actor.person]);
  if (release === "released")
    await tx.run(GO_ON, [operatorId, batchId, standingOf("exported", now).nextAction, now]);
  const action = ACTIONS[release];
  const detail = { reason, ...(actor.person !== null && { person: actor.person }) };
  await noteIn(deps)(tx, operatorId, { actor: actor.label, action, subject: batchId, detail });
}

/** No bank ever had it: what it would have paid is owed as before. */
async function giveUp(tx: Tx, deps: RegistryDeps, decided: Decided): Promise<void> {
  const { operatorId, batchId, release, reason, actor, now } = decided;
  await decide(tx, deps, decided);
  const said = `Its payment file was ${release === "lapsed" ? "given up" : `refused by ${actor.label}`}: ${reason}`;
  for (const transfer of await tx.rows<TransferRow>(TRANSFERS, [operatorId, batchId])) {
    if (isFinalTransfer(transfer.state)) continue;
    const lines = await linesOf(tx, operatorId, transfer.id);
    const { endToEndId, id: transferId } = transfer;
    sayUnpaid(tx, deps, { operatorId, endToEndId, transferId, entryId: transferId, lines, now }, said);
    await moveTransfer(tx, operatorId, transfer, { state: "cancelled", reason: said, now });
  }
}

/** @throws TurnupError `payment_file_unreleased` */
export function refuseUnreleased(release: ReleaseState): void {
  if (release === "released") return;
  throw new TurnupError(
    "payment_file_unreleased",
    release === "awaiting"
      ? "This payment file waits for a second person."
      : `This payment file was given up: it is ${release}.`,
    {
      nextStep:
        release === "awaiting"
          ? "Let somebody else than its maker approve it: POST /v1/payment-batches/ID/release, or `turnup payment approve`."
          : "Make another one: what it would have paid waits again.",
    },
  );
}
