/** What an operator owes for one proven key, and what of it belongs to the manufacturer. Integer minor units. */
import { money, portionOf } from "../../term/money.ts";

export type ChargeDraft = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly make: string;
  readonly keySource: "own" | "maker";
  readonly feeMinor: bigint;
  readonly portionMinor: bigint;
  readonly currency: string;
  readonly state: "requested" | "paid" | "refused" | "settled";
};

/** The part of a contract that money needs. */
export type FeeContract = {
  readonly keySource: "own" | "maker" | "none";
  readonly feeMinor: bigint;
  readonly currency: string;
  readonly portionBasisPoints: number;
};

/** The manufacturer's portion: of a key it made only; an own key pays none (201 Fig. 5A has no such step). */
export function portionMinorOf({ keySource, feeMinor, currency, portionBasisPoints }: FeeContract): bigint {
  if (keySource !== "maker") return 0n;
  return portionOf(money(feeMinor, currency), portionBasisPoints).portion.amountMinor;
}
