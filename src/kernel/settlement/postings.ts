/**
 * The books of one charge, double entry in integer minor units.
 *
 *   fee          receivable:operator -> revenue:fees             when the operator's payment system took the request
 *   paid         cash:bank -> receivable:operator                when the fee is paid
 *   portion      expense:portions -> payable:maker:<make>        manufacturer-key case only (201 Fig. 5B:561)
 *   payout       payable:maker:<make> -> cash:bank               when the electronic payment to the maker is done
 *
 * A posting is named by its charge and step, so that a repeated answer books nothing twice. Amounts of zero are not
 * booked. A correction would be a posting of its own; none is ever edited.
 */
import type { ChargeDraft } from "./charge.ts";

export type Entry = {
  readonly reference: string;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
};

export const makerAccount = (make: string): string => `payable:maker:${make.toLowerCase()}`;

export function feePaidEntries(charge: ChargeDraft): Entry[] {
  return [
    {
      reference: `${charge.id}:fee`,
      debit: "receivable:operator",
      credit: "revenue:fees",
      amountMinor: charge.feeMinor,
    },
    {
      reference: `${charge.id}:paid`,
      debit: "cash:bank",
      credit: "receivable:operator",
      amountMinor: charge.feeMinor,
    },
    {
      reference: `${charge.id}:portion`,
      debit: "expense:portions",
      credit: makerAccount(charge.make),
      amountMinor: charge.portionMinor,
    },
  ].filter(({ amountMinor }) => amountMinor > 0n);
}

export function payoutEntries(charge: ChargeDraft): Entry[] {
  return [
    {
      reference: `${charge.id}:payout`,
      debit: makerAccount(charge.make),
      credit: "cash:bank",
      amountMinor: charge.portionMinor,
    },
  ].filter(({ amountMinor }) => amountMinor > 0n);
}
