/**
 * Books what banks say, each fact in a transaction of its own under the operator's turn: a file that was half imported is
 * imported again, and nothing is booked twice. Movements that are no transfer of ours are counted and not kept.
 */
import { createHash } from "node:crypto";
import {
  type BankOutcome,
  UNSETTLED_OUTCOMES,
  type Verdict,
  weighBankFact,
} from "../../kernel/settlement/bank-fact.ts";
import {
  type BookedReturn,
  collectionNamed,
  type ToldReturn,
} from "../../kernel/settlement/collection-return.ts";
import type {
  BankEntryView,
  BankFile,
  Imported,
  PaymentDesk,
  TransferFact,
} from "../../kernel/settlement/payment-desk.ts";
import { Conditions } from "../database/conditions.ts";
import type { Database, Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { createCollectionReturns } from "./collection-returns.ts";
import { takeMoneyTurn } from "./payable-rows.ts";
import { bookGivenBack, bookPaid, linesOf, sayUnpaid, type TransferBook } from "./transfer-books.ts";
import { moveTransfer, TRANSFER, type TransferRow } from "./transfer-rows.ts";

/** As `endToEndIdOf` makes them: whatever looks otherwise is somebody else's. */
const OURS = /^T[0-9A-F]{32}$/;

const BY_END_TO_END = `select ${TRANSFER} from payment_transfer t where t.operator_id = $1 and t.end_to_end_id = $2`; // payment_transfer_operator_id_end_to_end_id_key
const BY_ID = `select ${TRANSFER} from payment_transfer t where t.operator_id = $1 and t.id = $2`; // payment_transfer_pkey
const OF_BATCH = `select t.end_to_end_id as "endToEndId" from payment_transfer t where t.operator_id = $1 and t.batch_id = $2`; // payment_transfer_of_batch
const OF_INFO = `select t.end_to_end_id as "endToEndId" from payment_transfer t where t.operator_id = $1 and t.payment_info_id = $2`; // payment_transfer_of_info
const KNOWN = `select id from bank_entry where operator_id = $1 and entry_key = $2`; // bank_entry_operator_id_entry_key_key
const INSERT = `
  insert into bank_entry (id, operator_id, entry_key, source, end_to_end_id, transfer_id, amount_minor, currency, direction,
                          booked_on, outcome, reason, file_sha256, imported_by, imported_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`;
/** What came back before it had gone: it counts once it has. bank_entry_of_transfer */
const EARLY = `select id, amount_minor as "amountMinor" from bank_entry where operator_id = $1 and transfer_id = $2 and outcome = 'early'`;
const SETTLE_EARLY = "update bank_entry set outcome = $3, reason = $4 where operator_id = $1 and id = $2"; // bank_entry_pkey
const ENTRY = `e.id, e.source, e.end_to_end_id as "endToEndId", e.transfer_id as "transferId", e.amount_minor as "amountMinor",
  e.currency, e.direction, e.booked_on as "bookedOn", e.outcome, e.reason, e.imported_by as "importedBy", e.imported_at as "importedAt"`;

type Import = {
  readonly deps: RegistryDeps;
  readonly operatorId: string;
  readonly file: BankFile;
  readonly actor: string;
};

export async function bookBankFile(
  deps: RegistryDeps,
  operatorId: string,
  file: BankFile,
  actor: string,
): Promise<Imported> {
  const one: Import = { deps, operatorId, file, actor };
  const entries: BankEntryView[] = [];
  const returns: BookedReturn[] = [];
  const collected = createCollectionReturns(deps);
  const numbered = createNumbering();
  let foreign = 0;
  for (const fact of inOrder(file.facts)) {
    const told = numbered(returnIn(file, fact));
    if (told) {
      returns.push(await collected.book(operatorId, told, actor));
      continue;
    }
    const targets = await targetsOf(one, fact);
    if (targets === "foreign") foreign++;
    else for (const endToEndId of targets) entries.push(await bookFact(one, fact, endToEndId));
  }
  const outcomes = Object.fromEntries(
    [...new Set(entries.map(({ outcome }) => outcome))].map((outcome) => [
      outcome,
      entries.filter((entry) => entry.outcome === outcome).length,
    ]),
  );
  await noteIn(deps)(deps.database, operatorId, {
    actor,
    action: "bank_file.import",
    subject: `${file.source} ${Buffer.from(file.sha256).toString("hex").slice(0, 16)}`,
    detail: { ...outcomes, returns: returns.length, foreign },
  });
  return { entries, returns, foreign };
}

/**
 * A direct debit that came back: what leaves the account with a return's reason, or as a debit that the operator issued, or by a
 * name that only sums of subscribers have. One that is announced and not booked is told again when it is. A notification and the day's
 * statement have the bank's number of it in common, and not always the other names and sums.
 */
function returnIn({ source }: BankFile, fact: TransferFact): ToldReturn | undefined {
  if (fact.kind !== "movement" || fact.direction !== "debit" || !fact.isBooked) return undefined;
  const names = [fact.endToEndId, ...(fact.otherNames ?? [])].flatMap((name) => name ?? []);
  const own = names.find((name) => collectionNamed(name) !== undefined);
  if (names.some((name) => OURS.test(name))) return undefined; // a payment to a manufacturer
  if (own === undefined && fact.returnReason === null && !fact.isIssuedDebit) return undefined;
  const { collectedMinor = null, currency, bookedOn = null, bankReference = null } = fact;
  const amountMinor = collectedMinor ?? fact.amountMinor;
  return {
    key: JSON.stringify(
      own !== undefined && bankReference !== null
        ? [bankReference, own]
        : [bankReference ?? bookedOn, ...names, String(amountMinor), currency],
    ),
    source: source === "camt.053" ? "camt.053" : "camt.054",
    kind: "return",
    named: names,
    ...{ amountMinor, currency },
    code: codeOf(fact.returnReason),
    returnedOn: bookedOn,
  };
}
/** Two returns of one file that look the same are two; the same file again has them in the same order. */
function createNumbering() {
  const seen = new Map<string, number>();
  return (told: ToldReturn | undefined): ToldReturn | undefined => {
    if (!told) return undefined;
    const number = seen.get(told.key) ?? 0;
    seen.set(told.key, number + 1);
    return number === 0 ? told : { ...told, key: `${told.key}#${number + 1}` };
  };
}

const codeOf = (reason: string | null): string | null =>
  reason !== null && /^[A-Za-z0-9._-]{1,35}$/.test(reason) ? reason : null;

/** What a bank decided, then what left the account, then what came back: a file may have them in any order. */
function inOrder(facts: readonly TransferFact[]): TransferFact[] {
  const rank = (fact: TransferFact): number =>
    fact.kind === "status" ? 0 : fact.direction === "debit" ? 1 : 2;
  return [...facts].sort((one, other) => rank(one) - rank(other));
}

/** The transfers that a fact is about: one, or all of a file or of an order in it. */
async function targetsOf(
  { deps, operatorId }: Import,
  fact: TransferFact,
): Promise<readonly string[] | "foreign"> {
  if (fact.endToEndId !== null) return OURS.test(fact.endToEndId) ? [fact.endToEndId] : "foreign";
  if (fact.kind === "movement") return "foreign";
  const [, batch] = /^B([0-9A-F]{32})$/.exec(fact.messageId ?? "") ?? [];
  const { database } = deps;
  const rows =
    batch === undefined
      ? await database.rows<Target>(OF_INFO, [operatorId, fact.paymentInfoId ?? ""])
      : await database.rows<Target>(OF_BATCH, [operatorId, uuidOf(batch)]);
  return rows.length === 0 ? "foreign" : rows.map(({ endToEndId }) => endToEndId);
}
type Target = { readonly endToEndId: string };

const uuidOf = (hex: string): string =>
  hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

function bookFact(one: Import, fact: TransferFact, endToEndId: string): Promise<BankEntryView> {
  const { deps, operatorId } = one;
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const key = keyOf(one.file, fact, endToEndId);
    const transfer = await tx.one<TransferRow>(BY_END_TO_END, [operatorId, endToEndId]);
    if (await tx.one(KNOWN, [operatorId, key])) {
      const verdict: Verdict = {
        outcome: "repeated",
        reason: "It was said before; nothing was booked again.",
      };
      return entryOf(one, fact, endToEndId, { id: deps.newId(), transfer, verdict });
    }
    const lines = transfer ? await linesOf(tx, operatorId, transfer.id) : [];
    const isUnclaimed = lines.every(({ isClaimed }) => !isClaimed);
    const verdict = weighBankFact(transfer && { ...transfer, isUnclaimed }, fact);
    const entry = entryOf(one, fact, endToEndId, { id: deps.newId(), transfer, verdict });
    await tx.run(INSERT, entryValues(one, entry, key));
    if (transfer) {
      await carryOut(tx, one, { transfer, lines, entryId: entry.id }, verdict);
      if (verdict.paidMinor !== undefined) await lookAtEarly(tx, one, transfer.id);
    }
    return entry;
  });
}

/** The same word of a bank, in whichever file it stands: a notification and the day's statement tell one movement. */
function keyOf({ messageId }: BankFile, fact: TransferFact, endToEndId: string): string {
  const parts =
    fact.kind === "status"
      ? ["status", messageId, fact.status]
      : [
          "movement",
          fact.bankReference ?? fact.bookedOn ?? "",
          fact.direction,
          fact.amountMinor ?? "",
          fact.currency ?? "",
          fact.isBooked,
          fact.isReversal,
        ];
  return createHash("sha256")
    .update(JSON.stringify([endToEndId, ...parts.map(String)]))
    .digest("base64url");
}

type Booked = {
  readonly transfer: TransferRow;
  readonly lines: Awaited<ReturnType<typeof linesOf>>;
  readonly entryId: string;
};

async function carryOut(
  tx: Tx,
  { deps, operatorId }: Import,
  { transfer, lines, entryId }: Booked,
  verdict: Verdict,
): Promise<void> {
  const { state, paidMinor = 0n, givenBackMinor = 0n, reason } = verdict;
  const bookedBy = verdict.bookedBy ?? transfer.bookedBy;
  const now = deps.clock();
  const { id: transferId, endToEndId } = transfer;
  const book: TransferBook = { operatorId, endToEndId, transferId, entryId, lines, now };
  const bookedMinor = transfer.bookedMinor + paidMinor - givenBackMinor;
  if (paidMinor > 0n)
    await bookPaid(tx, deps, book, { amountMinor: paidMinor, isWhole: bookedMinor === transfer.amountMinor });
  if (givenBackMinor > 0n)
    await bookGivenBack(tx, deps, book, { amountMinor: givenBackMinor, isWhole: bookedMinor === 0n, reason });
  if (state === "rejected") sayUnpaid(tx, deps, book, reason);
  if (state !== undefined || bookedBy !== transfer.bookedBy) {
    const to = { state: state ?? transfer.state, reason, now };
    await moveTransfer(tx, operatorId, { id: transferId, bookedMinor, bookedBy }, to);
  }
}

async function lookAtEarly(tx: Tx, one: Import, transferId: string): Promise<void> {
  const { operatorId } = one;
  for (const early of await tx.rows<{ id: string; amountMinor: bigint }>(EARLY, [operatorId, transferId])) {
    const transfer = await tx.one<TransferRow>(BY_ID, [operatorId, transferId]);
    if (transfer?.state !== "booked") continue;
    const lines = await linesOf(tx, operatorId, transferId);
    const verdict = weighBankFact(
      { ...transfer, isUnclaimed: true },
      {
        kind: "movement",
        amountMinor: early.amountMinor,
        currency: transfer.currency,
        direction: "credit",
        isReversal: false,
        isBooked: true,
        returnReason: null,
      },
    );
    await carryOut(tx, one, { transfer, lines, entryId: early.id }, verdict);
    await tx.run(SETTLE_EARLY, [operatorId, early.id, verdict.outcome, verdict.reason]);
  }
}

function entryOf(
  { deps, file, actor }: Import,
  fact: TransferFact,
  endToEndId: string,
  {
    id,
    transfer,
    verdict,
  }: { readonly id: string; readonly transfer: TransferRow | undefined; readonly verdict: Verdict },
): BankEntryView {
  const { outcome, reason } = verdict;
  const movement = fact.kind === "movement" ? fact : undefined;
  return {
    id,
    source: file.source,
    endToEndId,
    transferId: transfer?.id ?? null,
    amountMinor: movement?.amountMinor ?? null,
    currency: movement?.currency ?? null,
    direction: movement?.direction ?? null,
    bookedOn: fact.bookedOn ?? null,
    outcome,
    reason,
    importedBy: actor,
    importedAt: deps.clock().toISOString(),
  };
}

const entryValues = ({ operatorId, file }: Import, entry: BankEntryView, key: string): unknown[] => [
  entry.id,
  operatorId,
  key,
  entry.source,
  entry.endToEndId,
  entry.transferId,
  entry.amountMinor,
  entry.currency,
  entry.direction,
  entry.bookedOn,
  entry.outcome,
  entry.reason,
  Buffer.from(file.sha256),
  entry.importedBy,
  entry.importedAt,
];

type StoredEntry = Omit<BankEntryView, "importedAt" | "outcome"> & {
  readonly importedAt: Date;
  readonly outcome: BankOutcome;
};

/** bank_entry_by_id, bank_entry_of_transfer */
export const listEntries =
  (database: Database): PaymentDesk["entries"] =>
  async (operatorId, { unsettled, transferId }, page) => {
    const { text, values } = new Conditions()
      .add("e.operator_id = ?", operatorId)
      .maybe("e.outcome = any(?::text[])", unsettled ? [...UNSETTLED_OUTCOMES] : undefined)
      .maybe("e.transfer_id = ?::uuid", transferId)
      .page(`select ${ENTRY} from bank_entry e`, "e", page);
    const rows = await database.rows<StoredEntry>(text, values);
    return cutPage(
      rows.map((row) => ({ ...row, importedAt: row.importedAt.toISOString() })),
      page.limit,
    );
  };
