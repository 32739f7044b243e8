/**
 * What a payment file pays: one transfer a manufacturer and currency, for all its portions that wait, less what disputes took
 * back after it had been paid. Making a file pays nobody: a portion is paid when the bank says so (`bank-fact.ts`).
 */

/** A portion that waits to be paid; with a `disputeId`, one that is taken back, below zero. */
export type Payable = {
  readonly chargeId: string;
  readonly disputeId: string | null;
  readonly make: string;
  readonly currency: string;
  readonly amountMinor: bigint;
};
export type PlannedTransfer = {
  readonly make: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  /** Portions before set-offs, each in the order in which they were given. */
  readonly lines: readonly Payable[];
};
/**
 * Whether a file may be had: `awaiting` a second person, where the operator's policy wants one. What was `refused`, or `lapsed` since
 * nobody approved it in time, no bank will ever have.
 */
export const RELEASE_STATES = ["released", "awaiting", "refused", "lapsed"] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** What no file pays now, and why. */
export type LeftOut = {
  readonly make: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly lines: number;
  /** `no_account`: nobody said where to; `set_off`: as much or more is claimed back; `disputed`: somebody has to decide. */
  readonly why: "no_account" | "set_off" | "disputed";
};

export function planTransfers(
  payables: readonly Payable[],
  hasAccount: (make: string) => boolean,
): { readonly transfers: readonly PlannedTransfer[]; readonly leftOut: readonly LeftOut[] } {
  const transfers: PlannedTransfer[] = [];
  const leftOut: LeftOut[] = [];
  for (const group of groupsOf(payables)) {
    const { make, currency, amountMinor, lines } = group;
    const why = amountMinor <= 0n ? "set_off" : hasAccount(make) ? null : "no_account";
    if (why === null) transfers.push(group);
    else leftOut.push({ make, currency, amountMinor, lines: lines.length, why });
  }
  return { transfers, leftOut };
}

/** By make, letter case ignored, and currency; in the order of both. */
function groupsOf(payables: readonly Payable[]): PlannedTransfer[] {
  const groups = new Map<string, Payable[]>();
  for (const payable of payables) {
    const key = `${payable.make.toLowerCase()}\n${payable.currency}`;
    groups.set(key, [...(groups.get(key) ?? []), payable]);
  }
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, found]) => {
      const [first] = found;
      if (!first) return [];
      const lines = [
        ...found.filter(({ disputeId }) => disputeId === null),
        ...found.filter(({ disputeId }) => disputeId !== null),
      ];
      const amountMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
      return [{ make: first.make, currency: first.currency, amountMinor, lines }];
    });
}

/** Of a transfer: what of each line was booked as paid. Set-offs are never booked: they lower what is. */
export type PaidLine = { readonly id: string; readonly amountMinor: bigint; readonly bookedMinor: bigint };
export type Share = { readonly lineId: string; readonly amountMinor: bigint };

/** Parts a sum that the bank moved over the lines, first come first paid; what comes back leaves the last ones first. */
export function sharesOf(
  lines: readonly PaidLine[],
  amountMinor: bigint,
  way: "paid" | "given_back",
): readonly Share[] {
  const shares: Share[] = [];
  let rest = amountMinor;
  const paying = lines.filter((line) => line.amountMinor > 0n);
  for (const line of way === "paid" ? paying : paying.reverse()) {
    const room = way === "paid" ? line.amountMinor - line.bookedMinor : line.bookedMinor;
    const share = room < rest ? room : rest;
    if (share > 0n) shares.push({ lineId: line.id, amountMinor: share });
    rest -= share;
  }
  if (rest !== 0n) throw new RangeError("a bank's sum is larger than what its transfer pays");
  return shares;
}

/** Everything below is 1 to 35 characters (Max35Text), of those that each bank takes, and the same for the same id. */
export const endToEndIdOf = (transferId: string): string => `T${hexOf(transferId)}`;
export const messageIdOf = (batchId: string): string => `B${hexOf(batchId)}`;
export const paymentInfoIdOf = (batchId: string, number: number): string =>
  `P${number}-${hexOf(batchId).slice(0, 30)}`;
const hexOf = (id: string): string => id.replaceAll("-", "").toUpperCase();
