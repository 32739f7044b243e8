/** What an operator owes for one proven key, and what of it belongs to the manufacturer. Integer minor units. */
import { money, portionOf } from "../../term/money.ts";

/** As `KeySource` of the operator's terms. */
type ChargedKeySource = "own" | "maker" | "stock";

export type ChargeDraft = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly make: string;
  readonly keySource: ChargedKeySource;
  readonly feeMinor: bigint;
  readonly portionMinor: bigint;
  readonly currency: string;
  readonly state: "requested" | "paid" | "refused" | "settled";
};

/** What was agreed about a key when it was asked for or issued: it holds for that key, whatever is agreed later. */
export type FeeTerms = {
  readonly feeMinor: bigint;
  readonly currency: string;
  /** The level at which the fee is due. */
  readonly feeLevel: "delivered" | "opened" | "works";
  readonly portionBasisPoints: number;
};

/** The part of them that decides what is paid. */
type FeeContract = Pick<FeeTerms, "feeMinor" | "currency" | "portionBasisPoints"> & {
  readonly keySource: ChargedKeySource | "none";
};

/**
 * The manufacturer's portion: of a key that it was asked for only. One of the own data base, made here or stored beforehand,
 * pays none (201 Fig. 5A has no such step).
 */
export function portionMinorOf({ keySource, feeMinor, currency, portionBasisPoints }: FeeContract): bigint {
  if (keySource !== "maker") return 0n;
  return portionOf(money(feeMinor, currency), portionBasisPoints).portion.amountMinor;
}
