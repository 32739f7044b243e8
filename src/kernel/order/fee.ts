/** What a key's proof sets going beside the order: the fee, once, and the word to the manufacturer. */
import { type FeeTerms, portionMinorOf } from "../settlement/charge.ts";
import { rankOf } from "./order.ts";
import { type ItemDraft, type OrderDraft, type Relation, relationOf, type Terms } from "./order-store.ts";
import { hoursAfter, type Scribe } from "./scribe.ts";

export const CALL_DEADLINE_HOURS = 24 * 14;

/** Row 113-114: the maker hears of the download as soon as there is a receipt, whatever comes after. */
export function tellMakerOfDownload(scribe: Scribe, order: OrderDraft, item: ItemDraft): void {
  if (item.keySource !== "maker") return;
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "download_notice",
    idempotencyKey: item.keyId!,
    body: { keyId: item.keyId!, at: scribe.now.toISOString() },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

/** What holds for a key that is asked for or issued now. */
export const feeTermsOf = ({ feeMinor, currency, feeLevel, portionBasisPoints }: Relation): FeeTerms => ({
  feeMinor,
  currency,
  feeLevel,
  portionBasisPoints,
});

/**
 * Rows 109-113: one charge when the level that the contract names is reached, never before, never twice. The contract
 * is the one under which the key was asked for or issued; only a key of a release that kept none goes by today's.
 */
export function charge(
  scribe: Scribe,
  order: OrderDraft,
  item: ItemDraft,
  terms: Terms,
  before: number,
  after: number,
): void {
  const contract = item.feeTerms ?? relationOf(terms, order.make);
  if (!contract || contract.feeMinor === 0n || !item.keySource) return;
  const due = rankOf(contract.feeLevel);
  if (before >= due || after < due) return;
  const id = scribe.newId();
  const reason = `the key reached "${contract.feeLevel}"; the fee is asked for`;
  scribe.changes.charges.push({
    id,
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    make: order.make ?? "*",
    keySource: item.keySource,
    feeMinor: contract.feeMinor,
    portionMinor: portionMinorOf({ ...contract, keySource: item.keySource }),
    currency: contract.currency,
    level: contract.feeLevel,
    reason,
  });
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "fee_request",
    idempotencyKey: item.id,
    body: { chargeId: id, amountMinor: String(contract.feeMinor), currency: contract.currency },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
  scribe.note(order, {
    kind: "fee_requested",
    itemId: item.id,
    reason,
    detail: { chargeId: id, feeMinor: String(contract.feeMinor), currency: contract.currency },
  });
}
