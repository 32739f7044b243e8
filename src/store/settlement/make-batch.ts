/**
 * Makes a payment file: what waits is planned, written and kept in one transaction, under the operator's turn. The file's octets
 * are kept sealed and given again as they are; the same id again makes nothing.
 */
import { createHash } from "node:crypto";
import { type Acting, knownPerson } from "../../kernel/account/person.ts";
import { type OrderPolicy, withDefaults } from "../../kernel/operator/policy.ts";
import {
  type Creditor,
  isSepaTransfer,
  maskedAccountOf,
  remittanceOf,
} from "../../kernel/settlement/creditor.ts";
import {
  endToEndIdOf,
  type LeftOut,
  messageIdOf,
  type Payable,
  type PlannedTransfer,
  paymentInfoIdOf,
  planTransfers,
} from "../../kernel/settlement/payment-batch.ts";
import { TurnupError } from "../../term/error.ts";
import { decimalOf } from "../../term/money.ts";
import { encodePain001, type PaymentOrder, type PaymentParty } from "../../wire/iso20022/pain001.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Tx } from "../database/database.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { openCreditor } from "./creditors.ts";
import { type PayableFilter, payablesIn, takeMoneyTurn } from "./payable-rows.ts";
import { AWAITS_SECOND_PERSON, standingOf } from "./transfer-rows.ts";

export const FILE_DOMAIN = "payment_file";

type BatchAsked = PayableFilter & { readonly id: string; readonly executionDate?: string | undefined };

const FIND_BATCH = "select id from payment_batch where operator_id = $1 and id = $2"; // payment_batch_pkey
const INSERT_BATCH = `
  insert into payment_batch (id, operator_id, execution_date, transfer_count, payer_masked, file_sealed, file_sha256, file_octets,
                             made_by, made_at, release, release_until, made_by_person, made_by_vouched)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`;
/** Those that were in force since, the latest first. operator_policy_pkey */
const POLICIES = `
  select body from (select body, version, lead(made_at) over (order by version) as until from operator_policy where operator_id = $1) p
   where until is null or until > $2 order by version desc`;
/**
 * So long after four eyes were switched off two people are needed still: else one alone switches them off, makes a file, and has it
 * before anybody else can see the audit.
 */
const SWITCHED_OFF_HOURS = 72;

/** A planned transfer with its numbers and where it goes. */
type Numbered = PlannedTransfer & {
  readonly id: string;
  readonly endToEndId: string;
  readonly creditor: Creditor;
  readonly order: number;
};

/** What was left out, where the file is made now. */
export function makeBatch(
  deps: RegistryDeps,
  operatorId: string,
  asked: BatchAsked,
  actor: Acting,
): Promise<readonly LeftOut[]> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    if (await tx.one(FIND_BATCH, [operatorId, asked.id])) return [];
    const payer = await openCreditor(tx, deps.sealer, operatorId, null);
    if (!payer)
      throw new TurnupError("payer_missing", "It is not known from which account to pay.", {
        nextStep: "PUT /v1/payer, or `turnup payer set`.",
      });
    const { free, disputed } = await payablesIn(tx, operatorId, asked);
    const creditors = await creditorsOf(tx, deps, operatorId, free);
    const plan = planTransfers(free, (make) => creditors.has(make.toLowerCase()));
    const leftOut = [...plan.leftOut, ...disputedOf(disputed)];
    if (plan.transfers.length === 0) throw nothingPayable(leftOut);
    const transfers = numbered(deps, plan.transfers, creditors, payer);
    await writeBatch(tx, deps, { operatorId, asked, actor, payer, transfers });
    return leftOut;
  });
}

async function creditorsOf(
  tx: Tx,
  { sealer }: RegistryDeps,
  operatorId: string,
  payables: readonly Payable[],
): Promise<ReadonlyMap<string, Creditor>> {
  const found = new Map<string, Creditor>();
  for (const make of new Set(payables.map(({ make }) => make.toLowerCase()))) {
    const creditor = await openCreditor(tx, sealer, operatorId, make);
    if (creditor) found.set(make, creditor);
  }
  return found;
}

export const disputedOf = (disputed: readonly Payable[]): LeftOut[] =>
  planTransfers(disputed, () => true).transfers.map(({ make, currency, amountMinor, lines }) => ({
    make,
    currency,
    amountMinor,
    lines: lines.length,
    why: "disputed" as const,
  }));

function nothingPayable(leftOut: readonly LeftOut[]): TurnupError {
  const why = leftOut.map(({ make, currency, lines, why }) => `${make} ${currency}: ${lines} lines ${why}`);
  return new TurnupError(
    "nothing_payable",
    `No portion waits for a payment file${why.length > 0 ? ` (${why.join("; ")})` : ""}.`,
    {
      nextStep: "GET /v1/payables says what waits, and for what; `turnup creditor set` takes account data.",
    },
  );
}

/** One order of the file a currency and service level. */
function numbered(
  { newId }: RegistryDeps,
  planned: readonly PlannedTransfer[],
  creditors: ReadonlyMap<string, Creditor>,
  payer: Creditor,
): Numbered[] {
  const orders = new Map<string, number>();
  return planned.flatMap((one) => {
    const creditor = creditors.get(one.make.toLowerCase());
    if (!creditor) return []; // none is planned without
    const kind = `${one.currency} ${isSepaTransfer(one.currency, payer, creditor)}`;
    const order = orders.get(kind) ?? orders.size + 1;
    orders.set(kind, order);
    const id = newId();
    return [{ ...one, id, endToEndId: endToEndIdOf(id), creditor, order }];
  });
}

type Written = {
  readonly operatorId: string;
  readonly asked: BatchAsked;
  readonly actor: Acting;
  readonly payer: Creditor;
  readonly transfers: readonly Numbered[];
};

async function writeBatch(tx: Tx, deps: RegistryDeps, written: Written): Promise<void> {
  const { operatorId, asked, actor, payer, transfers } = written;
  const now = deps.clock();
  const releaseUntil = await releaseUntilOf(tx, operatorId, asked.executionDate, now);
  if (releaseUntil !== null) knownPerson(actor); // else nobody could tell whether the second is another one
  const executionDate = asked.executionDate ?? nextBankDay(releaseUntil ?? now);
  const file = Buffer.from(fileOf(written, executionDate, now));
  const sha256 = createHash("sha256").update(file).digest();
  await tx.run(INSERT_BATCH, [
    asked.id,
    operatorId,
    executionDate,
    transfers.length,
    maskedAccountOf(payer),
    deps.sealer.seal(FILE_DOMAIN, file),
    sha256,
    file.length,
    actor.label,
    now,
    releaseUntil === null ? "released" : "awaiting",
    releaseUntil,
    actor.person,
    actor.vouchedBy,
  ]);
  await insertTransfers(
    tx,
    transfers.map((transfer) =>
      transferRow(transfer, written, { executionDate, now, isAwaited: releaseUntil !== null }),
    ),
  );
  await insertLines(
    tx,
    transfers.flatMap(({ id, lines }) =>
      lines.map((line, position) => ({ ...line, id: deps.newId(), operatorId, transferId: id, position })),
    ),
  );
  await noteIn(deps)(tx, operatorId, {
    actor: actor.label,
    action: "payment_file.make",
    subject: asked.id,
    detail: {
      ...{ transfers: transfers.length, sha256: sha256.toString("hex") },
      ...(actor.person !== null && { person: actor.person }),
    },
  });
}

/** Until when a second person has to approve it, by what was in force within the last days; a file whose day has passed pays nobody any more. Null: none is needed. */
async function releaseUntilOf(
  tx: Tx,
  operatorId: string,
  executionDate: string | undefined,
  now: Date,
): Promise<Date | null> {
  const since = new Date(now.getTime() - SWITCHED_OFF_HOURS * 3_600_000);
  const stored = await tx.rows<{ body: Partial<OrderPolicy> }>(POLICIES, [operatorId, since]);
  const wanting = stored
    .map(({ body }) => withDefaults(body).payments)
    .find(({ secondPerson }) => secondPerson);
  if (!wanting) return null;
  const { approvalHours } = wanting;
  const inTime = now.getTime() + approvalHours * 3_600_000;
  const dayEnds = executionDate === undefined ? inTime : Date.parse(executionDate) + 86_400_000;
  return new Date(Math.max(now.getTime(), Math.min(inTime, dayEnds)));
}

/** Monday to Friday after today: which days a bank works beyond that is its own to know, and it moves what falls on another. */
function nextBankDay(now: Date): string {
  const day = new Date(now.getTime() + 86_400_000);
  while ([0, 6].includes(day.getUTCDay())) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

function fileOf({ asked, payer, transfers }: Written, executionDate: string, now: Date): string {
  const numbers = [...new Set(transfers.map(({ order }) => order))];
  return encodePain001({
    messageId: messageIdOf(asked.id),
    createdAt: now,
    initiator: payer.name,
    orders: numbers.map((number): PaymentOrder => {
      const own = transfers.filter(({ order }) => order === number);
      return {
        id: paymentInfoIdOf(asked.id, number),
        isSepa: own.every(({ currency, creditor }) => isSepaTransfer(currency, payer, creditor)),
        executionDate,
        debtor: partyOf(payer),
        transfers: own.map((transfer) => ({
          endToEndId: transfer.endToEndId,
          amount: decimalOf(transfer),
          currency: transfer.currency,
          creditor: partyOf(transfer.creditor),
          remittance: remittanceFor(transfer),
        })),
      };
    }),
  });
}

const partyOf = ({ name, address, account, bic }: Creditor): PaymentParty => ({
  name,
  address,
  account,
  bic,
});
const remittanceFor = ({ creditor, endToEndId, lines }: Numbered) =>
  remittanceOf(creditor, { endToEndId, keys: lines.length });

type TransferInsert = {
  readonly transfer: Numbered;
  readonly batchId: string;
  readonly operatorId: string;
  readonly reference: string;
  readonly nextAction: string;
  readonly deadlineAt: Date | null;
  readonly owner: string;
  readonly now: Date;
};

type Insertion = { readonly executionDate: string; readonly now: Date; readonly isAwaited: boolean };

function transferRow(
  transfer: Numbered,
  { operatorId, asked, actor }: Written,
  { executionDate, now, isAwaited }: Insertion,
): TransferInsert {
  const remittance = remittanceFor(transfer);
  return {
    transfer,
    batchId: asked.id,
    operatorId,
    reference: "reference" in remittance ? remittance.reference : remittance.text,
    ...standingOf("exported", new Date(Math.max(Date.parse(executionDate), now.getTime()))),
    ...(isAwaited && { nextAction: AWAITS_SECOND_PERSON }),
    owner: actor.label,
    now,
  };
}

const insertTransfers = bulkInsert<TransferInsert>("payment_transfer", [
  { name: "id", type: "uuid", value: ({ transfer }) => transfer.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "batch_id", type: "uuid", value: (row) => row.batchId },
  { name: "make", type: "text", value: ({ transfer }) => transfer.make },
  { name: "currency", type: "text", value: ({ transfer }) => transfer.currency },
  { name: "amount_minor", type: "bigint", value: ({ transfer }) => transfer.amountMinor },
  { name: "end_to_end_id", type: "text", value: ({ transfer }) => transfer.endToEndId },
  { name: "payment_info_id", type: "text", value: (row) => paymentInfoIdOf(row.batchId, row.transfer.order) },
  { name: "reference", type: "text", value: (row) => row.reference },
  { name: "creditor_masked", type: "text", value: ({ transfer }) => maskedAccountOf(transfer.creditor) },
  { name: "state", type: "text", value: () => "exported" },
  { name: "reason", type: "text", value: () => "It stands in a payment file; no bank has spoken of it yet." },
  { name: "next_action", type: "text", value: (row) => row.nextAction },
  { name: "owner", type: "text", value: (row) => row.owner },
  { name: "deadline_at", type: "timestamptz", value: (row) => row.deadlineAt },
  { name: "created_at", type: "timestamptz", value: (row) => row.now },
  { name: "updated_at", type: "timestamptz", value: (row) => row.now },
]);

type LineInsert = Payable & {
  readonly id: string;
  readonly operatorId: string;
  readonly transferId: string;
  readonly position: number;
};
const insertLines = bulkInsert<LineInsert>("payment_line", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "transfer_id", type: "uuid", value: (row) => row.transferId },
  { name: "charge_id", type: "uuid", value: (row) => row.chargeId },
  { name: "dispute_id", type: "uuid", value: (row) => row.disputeId },
  { name: "position", type: "integer", value: (row) => row.position },
  { name: "amount_minor", type: "bigint", value: (row) => row.amountMinor },
  { name: "live", type: "boolean", value: () => true },
]);
