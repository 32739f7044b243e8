/**
 * A sum that was taken from a subscriber and comes back days or weeks later: a direct debit that the debtor's bank returns or refunds
 * (the R-transactions of the SEPA Direct Debit rulebook, EPC016-06 section 4.3.1; reasons by ISO 20022's external return reason codes), a
 * card payment that its holder's bank charges back. It may be told by several, the payment provider and the bank, each as often as they
 * like: it is booked once. What tells of nothing known is kept for a person.
 */
import type { CollectionState } from "./collection.ts";

export const RETURN_SOURCES = ["payment_provider", "camt.054", "camt.053"] as const;
type ReturnSource = (typeof RETURN_SOURCES)[number];
export const RETURN_KINDS = ["return", "chargeback"] as const;
type ReturnKind = (typeof RETURN_KINDS)[number];

/** `confirmed`: booked before, by another's word; `settled`: a person has seen to it. */
export const RETURN_OUTCOMES = ["booked", "confirmed", "unknown", "mismatch", "conflict", "settled"] as const;
type ReturnOutcome = (typeof RETURN_OUTCOMES)[number];
/** What a person has to look at. */
export const UNSETTLED_RETURNS: readonly ReturnOutcome[] = ["unknown", "mismatch", "conflict"];

/** What somebody says came back. */
export type ToldReturn = {
  /** The teller's own number of what it says: told again, it is the same. */
  readonly key: string;
  readonly source: ReturnSource;
  readonly kind: ReturnKind;
  /** What the sum is called: by us, by the payment provider. */
  readonly named: readonly string[];
  /** Null where the currency has no such sum. */
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  /** AM04, AC04, MD06; of a card, its scheme's own. */
  readonly code: string | null;
  /** YYYY-MM-DD */
  readonly returnedOn: string | null;
};

/** The name of a sum on the bank's statements on both sides (EndToEndId); a `T` is before those of payments to manufacturers. */
export const collectionNameOf = (collectionId: string): string =>
  `C${collectionId.replaceAll("-", "").toUpperCase()}`;
const NAME = /^C([0-9A-F]{8})([0-9A-F]{4})([0-9A-F]{4})([0-9A-F]{4})([0-9A-F]{12})$/;
/** The id of the sum that is named so; undefined of any other name. */
export function collectionNamed(name: string): string | undefined {
  const [, ...parts] = NAME.exec(name) ?? [];
  return parts.length > 0 ? parts.join("-").toLowerCase() : undefined;
}

type Collected = {
  readonly state: CollectionState;
  readonly amountMinor: bigint;
  readonly returnedMinor: bigint;
  /** Paid otherwise than by the payment provider. */
  readonly settledMinor: bigint;
  readonly currency: string;
};
/** What was told of the same sum before, and booked or confirmed. */
type Earlier = {
  readonly source: string;
  readonly amountMinor: bigint | null;
  readonly outcome: ReturnOutcome;
};

export type ReturnVerdict = {
  readonly outcome: ReturnOutcome;
  readonly reason: string;
  /** Came back by this word; left out where nothing is booked. */
  readonly backMinor?: bigint;
  readonly state?: "partly_returned" | "returned";
};

/** Only what was taken comes back: where the payment provider never said so, the return itself is the proof. */
const WERE_TAKEN: readonly CollectionState[] = ["taken", "unknown", "partly_returned", "returned"];

export function weighReturn(
  collected: Collected | undefined,
  earlier: readonly Earlier[],
  told: Pick<ToldReturn, "source" | "kind" | "amountMinor" | "currency" | "code">,
): ReturnVerdict {
  if (!collected) return { outcome: "unknown", reason: "No sum of ours has this name." };
  const { state, currency } = collected;
  const { amountMinor: backMinor } = told;
  if (backMinor === null || backMinor <= 0n || told.currency !== currency)
    return { outcome: "mismatch", reason: `What came back is no sum in ${currency}.` };
  if (state === "asked" || state === "waiting")
    return { outcome: "unknown", reason: "It came back before the payment provider said that it was taken." };
  if (!WERE_TAKEN.includes(state))
    return { outcome: "conflict", reason: `A sum came back that was not taken: it is ${state}.` };
  if (isTold(earlier, told))
    return { outcome: "confirmed", reason: "Another had told of it: nothing was booked again." };
  if (collected.settledMinor > collected.returnedMinor)
    return { outcome: "conflict", reason: "A sum came back that was paid otherwise, and not taken." };
  const left = collected.amountMinor - collected.returnedMinor;
  if (backMinor > left) return { outcome: "conflict", reason: "More came back than was taken." };
  return {
    outcome: "booked",
    reason: `${told.kind === "chargeback" ? "It was charged back" : "It came back"}: ${reasonOf(told.code)}.`,
    backMinor,
    state: backMinor === left ? "returned" : "partly_returned",
  };
}

/** Each way of telling tells of a part once: the same part told by the other way is no other part. */
function isTold(
  earlier: readonly Earlier[],
  { source, amountMinor }: { readonly source: ReturnSource; readonly amountMinor: bigint | null },
): boolean {
  const same = earlier.filter((one) => one.amountMinor === amountMinor);
  const booked = same.filter(({ outcome }) => outcome === "booked").length;
  const toldSo = same.filter((one) => wayOf(one.source) === wayOf(source)).length;
  return booked > toldSo;
}
const wayOf = (source: string): string => (source === "payment_provider" ? source : "bank");

/** In words, where the code is one of those that subscribers' banks give. */
const REASONS: Readonly<Record<string, string>> = {
  AC01: "the account number is wrong",
  AC04: "the account is closed",
  AC06: "the account is blocked",
  AC13: "the account is not one to collect from",
  AG01: "nothing may be collected from the account",
  AM04: "there was not enough on the account",
  AM05: "it was collected twice",
  MD01: "there is no mandate",
  MD02: "the mandate lacks something",
  MD06: "its holder had it given back",
  MD07: "the account's holder has died",
  MS02: "its holder refused it",
  MS03: "the bank gives no reason",
  SL01: "the bank lets its holder collect from it no more",
};

function reasonOf(code: string | null): string {
  if (code === null) return "nobody said why";
  const words = REASONS[code];
  return words ? `${words} (${code})` : `the reason is ${code}`;
}

/** From these accounts nothing may be collected any more, whatever is owed. */
const ENDS: readonly string[] = ["AC01", "AC04", "AC06", "AC13", "AG01", "MD01", "MD02", "MD07", "SL01"];

/** Whether what paid may be asked no more until another card or account is left: there is no mandate, or no account, or a dispute. */
export const endsMeans = ({ kind, code }: Pick<ToldReturn, "kind" | "code">): boolean =>
  kind === "chargeback" || (code !== null && ENDS.includes(code));

export type CollectionReturnView = {
  readonly id: string;
  readonly source: ReturnSource;
  readonly kind: ReturnKind;
  readonly named: readonly string[];
  readonly collectionId: string | null;
  readonly orderId: string | null;
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly code: string | null;
  readonly returnedOn: string | null;
  readonly outcome: ReturnOutcome;
  readonly reason: string;
  readonly toldBy: string;
  readonly toldAt: string;
};

/** What became of one telling; `isRepeated`: it was told before by the same, and nothing was kept anew. */
export type BookedReturn = CollectionReturnView & { readonly isRepeated: boolean };

/** Sums that came back; every call names its operator. */
export interface CollectionReturns {
  /** Books what is told, once. */
  book(operatorId: string, told: ToldReturn, actor: string): Promise<BookedReturn>;
  /** Newest first; `unsettled`: those that a person has to look at. */
  list(
    operatorId: string,
    filter: { readonly unsettled?: boolean | undefined; readonly collectionId?: string | undefined },
    page: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly order?: "asc" | "desc" | undefined;
    },
  ): Promise<{ readonly rows: readonly CollectionReturnView[]; readonly nextCursor: string | null }>;
  /**
   * A person says which sum came back, or that none of ours did.
   * @throws TurnupError `collection_return_not_found`, `collection_return_closed`, `collection_not_found`
   */
  settle(
    operatorId: string,
    returnId: string,
    said: { readonly collectionId?: string | undefined; readonly reason: string },
    actor: string,
  ): Promise<CollectionReturnView>;
  /** Weighs again what came before its time; answers how many were booked. */
  lookAgain(operatorId: string): Promise<number>;
}

/** The payment provider's returns, asked for from where the last answer ended. */
export type ReturnsAsked =
  | {
      readonly kind: "returns";
      readonly returns: readonly Omit<ToldReturn, "source">[];
      readonly cursor: string | null;
      readonly isMore: boolean;
    }
  /** It has no such list. */
  | { readonly kind: "not_told" }
  | { readonly kind: "failed"; readonly cause: string; readonly reason: string };
