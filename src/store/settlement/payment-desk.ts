/** Payment files on PostgreSQL: what waits, files made and read again, transfers followed and taken back. */

import { type LeftOut, planTransfers, type ReleaseState } from "../../kernel/settlement/payment-batch.ts";
import type {
  AdviceLine,
  BatchStory,
  BatchView,
  PayableView,
  PaymentDesk,
  TransferView,
} from "../../kernel/settlement/payment-desk.ts";
import { TurnupError } from "../../term/error.ts";
import { Conditions } from "../database/conditions.ts";
import { cutPage } from "../database/page.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { bookBankFile, listEntries } from "./bank-entries.ts";
import { disputedOf, FILE_DOMAIN, makeBatch } from "./make-batch.ts";
import { payablesIn, takeMoneyTurn } from "./payable-rows.ts";
import { lapseBatches, refuseUnreleased, releaseBatch } from "./release-batch.ts";
import { linesOf, sayUnpaid } from "./transfer-books.ts";
import { moveTransfer, TRANSFER, type TransferRow, transferView } from "./transfer-rows.ts";

const BATCH = `b.id, b.execution_date as "executionDate", b.transfer_count as "transferCount", b.payer_masked as "payerMasked",
  encode(b.file_sha256, 'hex') as sha256, b.file_octets as octets, b.made_by as "madeBy",
  b.made_by_person as "madeByPerson", b.released_by_person as "releasedByPerson", b.made_at as "madeAt", b.release, b.release_until as "releaseUntil",
  b.released_by as "releasedBy", b.released_at as "releasedAt", b.release_reason as "releaseReason"`;
const FIND = `select ${BATCH} from payment_batch b where b.operator_id = $1 and b.id = $2`; // payment_batch_pkey
/** payment_batch_pkey, payment_transfer_of_batch */
const FILE = `
  select b.file_sealed as sealed, b.release,
         exists (select from payment_transfer t
                  where t.operator_id = b.operator_id and t.batch_id = b.id and t.state = 'cancelled') as "isPartlyTakenBack"
    from payment_batch b where b.operator_id = $1 and b.id = $2`;
const RELEASE = "select release from payment_batch where operator_id = $1 and id = $2"; // payment_batch_pkey
const TRANSFERS = `select ${TRANSFER} from payment_transfer t where t.operator_id = $1 and t.batch_id = $2 order by t.id`; // payment_transfer_of_batch
const TRANSFERS_WAITING = `select ${TRANSFER} from payment_transfer t where t.operator_id = $1 and t.deadline_at is not null
                            order by t.deadline_at limit $2`; // payment_transfer_waiting
const TRANSFER_BY_ID = `select ${TRANSFER} from payment_transfer t where t.operator_id = $1 and t.id = $2`; // payment_transfer_pkey
const ACCOUNTS = "select lower(make) as make from creditor where operator_id = $1 and make is not null"; // creditor_once

type FileRow = {
  readonly sealed: Buffer;
  readonly release: ReleaseState;
  readonly isPartlyTakenBack: boolean;
};
/** What was taken back goes into another file: a bank that had both would pay it twice. */
const takenBack = (): TurnupError =>
  new TurnupError(
    "payment_file_unreleased",
    "A transfer of this payment file was taken back: a bank that had the file would pay it all the same.",
    { nextStep: "Take back its other transfers too, then make another file." },
  );

type BatchRow = Omit<BatchView, "madeAt" | "releaseUntil" | "releasedAt"> & {
  readonly madeAt: Date;
  readonly releaseUntil: Date | null;
  readonly releasedAt: Date | null;
};
const batchView = (row: BatchRow): BatchView => ({
  ...row,
  madeAt: row.madeAt.toISOString(),
  releaseUntil: row.releaseUntil?.toISOString() ?? null,
  releasedAt: row.releasedAt?.toISOString() ?? null,
});

export function createPaymentDesk(deps: RegistryDeps): PaymentDesk {
  const { database, sealer, clock } = deps;
  const note = noteIn(deps);
  return {
    payables: (operatorId) => payableViews(deps, operatorId),
    async make(operatorId, asked, actor) {
      const leftOut = await makeBatch(deps, operatorId, asked, actor);
      const story = await storyOf(deps, operatorId, asked.id, leftOut);
      if (!story) throw new Error("a payment file that was made is not there");
      return story;
    },
    async list(operatorId, page) {
      const { text, values } = new Conditions()
        .add("b.operator_id = ?", operatorId)
        .page(`select ${BATCH} from payment_batch b`, "b", page); // payment_batch_by_id
      return cutPage((await database.rows<BatchRow>(text, values)).map(batchView), page.limit);
    },
    find: (operatorId, batchId) => storyOf(deps, operatorId, batchId, []),
    async file(operatorId, batchId, actor) {
      const row = await database.one<FileRow>(FILE, [operatorId, batchId]);
      if (!row) return undefined;
      refuseUnreleased(row.release);
      if (row.isPartlyTakenBack) throw takenBack();
      await note(database, operatorId, { actor, action: "payment_file.fetch", subject: batchId });
      return sealer.openBytes(FILE_DOMAIN, row.sealed);
    },
    async release(operatorId, batchId, decision, actor) {
      await releaseBatch(deps, { operatorId, batchId, ...decision, actor });
      const story = await storyOf(deps, operatorId, batchId, []);
      if (!story) throw new Error("a payment file that was decided is not there");
      return story;
    },
    lapse: (now, limit) => lapseBatches(deps, now, limit),
    async waiting(operatorId, limit) {
      const rows = await database.rows<TransferRow>(TRANSFERS_WAITING, [operatorId, limit]);
      return rows.map((row) => transferView(row, clock()));
    },
    async advice(operatorId, transferId) {
      if (!(await database.one(TRANSFER_BY_ID, [operatorId, transferId]))) return undefined;
      return (await linesOf(database, operatorId, transferId)).map(
        ({ chargeId, itemId, keyId, amountMinor, bookedMinor }): AdviceLine => ({
          chargeId,
          itemId,
          keyReference: keyId?.replaceAll("-", "") ?? null,
          amountMinor,
          bookedMinor,
        }),
      );
    },
    cancel: (operatorId, transferId, reason, actor) =>
      cancelTransfer(deps, { operatorId, transferId, reason, actor }),
    book: (operatorId, file, actor) => bookBankFile(deps, operatorId, file, actor),
    entries: listEntries(database),
  };
}

async function storyOf(
  { database, clock }: RegistryDeps,
  operatorId: string,
  batchId: string,
  leftOut: readonly LeftOut[],
): Promise<BatchStory | undefined> {
  const batch = await database.one<BatchRow>(FIND, [operatorId, batchId]);
  if (!batch) return undefined;
  const rows = await database.rows<TransferRow>(TRANSFERS, [operatorId, batchId]);
  return { ...batchView(batch), transfers: rows.map((row) => transferView(row, clock())), leftOut };
}

async function payableViews({ database }: RegistryDeps, operatorId: string): Promise<PayableView[]> {
  const { free, disputed } = await payablesIn(database, operatorId);
  const accounts = new Set(
    (await database.rows<{ make: string }>(ACCOUNTS, [operatorId])).map(({ make }) => make),
  );
  const { transfers, leftOut } = planTransfers(free, (make) => accounts.has(make.toLowerCase()));
  return [
    ...transfers.map(({ make, currency, amountMinor, lines }) => ({
      make,
      currency,
      amountMinor,
      lines: lines.length,
      why: null,
    })),
    ...leftOut,
    ...disputedOf(disputed),
  ];
}

type Cancelled = {
  readonly operatorId: string;
  readonly transferId: string;
  readonly reason: string;
  readonly actor: string;
};

function cancelTransfer(
  deps: RegistryDeps,
  { operatorId, transferId, reason, actor }: Cancelled,
): Promise<TransferView> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const transfer = await tx.one<TransferRow>(TRANSFER_BY_ID, [operatorId, transferId]);
    if (!transfer)
      throw new TurnupError("payment_transfer_not_found", "There is no such transfer.", {
        nextStep: "GET /v1/payment-batches/ID lists those of a file.",
      });
    const batch = await tx.one<{ release: ReleaseState }>(RELEASE, [operatorId, transfer.batchId]);
    if (batch?.release === "awaiting")
      throw new TurnupError(
        "payment_transfer_closed",
        "The payment file of this transfer waits for a second person, who may approve all of it.",
        { nextStep: "Refuse the whole file: what it would have paid waits for the next one." },
      );
    // What the bank accepted may be paid at any moment: it is the bank's to take back, and then says so.
    if (transfer.state !== "exported")
      throw new TurnupError(
        "payment_transfer_closed",
        `The bank has spoken of this transfer: it is ${transfer.state}.`,
        {
          nextStep: "GET /v1/bank-entries?transferId=ID tells what the bank said.",
        },
      );
    const now = deps.clock();
    const said = `Taken back by ${actor}: ${reason}`;
    const lines = await linesOf(tx, operatorId, transferId);
    sayUnpaid(
      tx,
      deps,
      { operatorId, endToEndId: transfer.endToEndId, transferId, entryId: transferId, lines, now },
      said,
    );
    await moveTransfer(tx, operatorId, transfer, { state: "cancelled", reason: said, now });
    await noteIn(deps)(tx, operatorId, {
      actor,
      action: "payment_transfer.cancel",
      subject: transferId,
      detail: { reason },
    });
    const after = await tx.one<TransferRow>(TRANSFER_BY_ID, [operatorId, transferId]);
    return transferView(after ?? transfer, now);
  });
}
