/** What a key's proof sets going beside the order: the fee, once, and the word to the manufacturer. */
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import { type Relation, relationOf } from "../operator/operator-terms.ts";
import { rankOf } from "../order/order.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Booking } from "../order/turn.ts";
import { type FeeTerms, portionMinorOf } from "../settlement/charge.ts";

export const CALL_DEADLINE_HOURS = 24 * 14;

/** R113-114: the maker hears of the download as soon as there is a receipt, whatever comes after. */
export function tellMakerOfDownload({ scribe, order, terms }: Booking, item: ItemDraft): void {
  // Of a key of stock its maker hears where it has a key server.
  const isOfStock = item.keySource === "stock" && relationOf(terms, order.make)?.keyServer != null;
  if (item.keySource !== "maker" && !isOfStock) return;
  const keyId = assured(item.keyId, "an item with a key's source has its key");
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "download_notice",
    idempotencyKey: keyId,
    body: { keyId, at: scribe.now },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

/**
 * What holds for a key that is asked for or issued now. Any phone acknowledges an SMS: where nobody says that the model runs
 * keys, a receipt is no success, and no fee is due before the handset's own word (R113).
 */
export const feeTermsOf = (
  { feeMinor, currency, feeLevel, portionBasisPoints }: Relation,
  isKeyKnown: boolean,
): FeeTerms => ({
  feeMinor,
  currency,
  feeLevel: feeLevel === "delivered" && !isKeyKnown ? "opened" : feeLevel,
  portionBasisPoints,
});

/** Said where the relation names a level that this key's model does not bear out: one of an earlier release, or by import. */
export function noteFeeLevel({ scribe, order }: Booking, item: ItemDraft, relation: Relation): void {
  const level = item.feeTerms?.feeLevel;
  if (level === undefined || level === relation.feeLevel) return;
  scribe.note(order, {
    kind: "fee_level_raised",
    itemId: item.id,
    reason: `the relation names "${relation.feeLevel}", and nothing but the handset's own word confirms a key on this model: the fee is due at "${level}"`,
  });
}

/**
 * @param isKnown whether every model of the make that may take a key is said to run one
 * @throws TurnupError `fee_level_unproved`
 */
export function checkFeeLevel(
  { make, keySource, feeLevel, feeMinor }: Pick<Relation, "make" | "keySource" | "feeLevel" | "feeMinor">,
  isKnown: boolean,
): void {
  if (feeLevel !== "delivered" || keySource === "none" || feeMinor === 0n || isKnown) return;
  const whose = make === "*" ? "every other make" : make;
  throw new TurnupError(
    "fee_level_unproved",
    `It is not said of all models of ${whose} that they run device keys: a delivery receipt confirms no key there.`,
    {
      nextStep:
        'Choose "opened" or "works"; or say which models run keys (device_key in `turnup import capability FILE`).',
    },
  );
}

/**
 * R109-113: one charge when the level that the contract names is reached, never before, never twice. The contract
 * is the one under which the key was asked for or issued; only a key of a release that kept none goes by today's.
 */
export function charge(
  { scribe, order, terms }: Booking,
  item: ItemDraft,
  before: number,
  after: number,
): void {
  const relation = relationOf(terms, order.make);
  const contract = item.feeTerms ?? (relation && feeTermsOf(relation, false));
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
    body: { chargeId: id, amountMinor: contract.feeMinor, currency: contract.currency },
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
