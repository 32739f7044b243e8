/**
 * The books of one charge, double entry in integer minor units.
 *
 *   fee          receivable:operator -> revenue:fees             when the operator's payment system took the request
 *   paid         cash:bank -> receivable:operator                when the fee is paid
 *   portion      expense:portions -> payable:maker:<make>        manufacturer-key case only (201 Fig. 5B:561)
 *   payout       payable:maker:<make> -> cash:bank               when the electronic payment to the maker is done
 *
 * And those of one sum that is collected from a subscriber:
 *
 *   due          receivable:subscribers -> revenue:subscribers   when it is asked for
 *   taken        cash:payment_provider -> receivable:subscribers when the payment provider took it
 *   returned     receivable:subscribers -> cash:payment_provider what came back of it: it is owed again
 *   settled      cash:bank -> receivable:subscribers             paid otherwise, as a person booked
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

export const SUBSCRIBERS_ACCOUNT = "receivable:subscribers";
const PROVIDER_ACCOUNT = "cash:payment_provider";

type Sum = { readonly id: string; readonly amountMinor: bigint };

/** A sum is due as soon as it is asked for, whether or not it is taken. */
export const dueEntry = ({ id, amountMinor }: Sum): Entry => ({
  reference: `${id}:due`,
  debit: SUBSCRIBERS_ACCOUNT,
  credit: "revenue:subscribers",
  amountMinor,
});

export const takenEntry = ({ id, amountMinor }: Sum): Entry => ({
  reference: `${id}:taken`,
  debit: PROVIDER_ACCOUNT,
  credit: SUBSCRIBERS_ACCOUNT,
  amountMinor,
});

/** The other way round than it was taken, under the name of what told of it. */
export const returnedEntry = ({ id, amountMinor }: Sum, returnId: string): Entry => ({
  reference: `${id}:returned:${returnId}`,
  debit: SUBSCRIBERS_ACCOUNT,
  credit: PROVIDER_ACCOUNT,
  amountMinor,
});

export const settledEntry = ({ id, amountMinor }: Sum, bookingId: string): Entry => ({
  reference: `${id}:settled:${bookingId}`,
  debit: "cash:bank",
  credit: SUBSCRIBERS_ACCOUNT,
  amountMinor,
});
