/**
 * The manufacturer's books: which keys were made, for whom, and each one's account. The sum of its events: nothing but `apply`
 * changes it, and a restart replays what was journalled.
 *
 *   keyId -> account   nothing -> due at download -> paid | differs
 */
import type { IssuedKey, PaymentState } from "../wire/message/maker-api.ts";

export type MakerEvent =
  | {
      readonly kind: "issued";
      readonly keyId: string;
      readonly clientId: string;
      readonly requestId: string;
      readonly handset: string | null;
      readonly key: string;
      readonly confirmSecret: string;
      readonly notAfterMs: number;
      readonly portionMinor: number;
      readonly currency: string;
      readonly atMs: number;
    }
  | { readonly kind: "downloaded"; readonly keyId: string; readonly atMs: number }
  | {
      readonly kind: "paid";
      readonly keyId: string;
      readonly clientId: string;
      readonly paymentId: string;
      readonly amountMinor: number;
      readonly currency: string;
    };
export type Issued = Extract<MakerEvent, { kind: "issued" }>;

/** One key's account. `receivedMinor` sums payments in the contract's currency; others make it differ. */
export type Account = {
  readonly issued: Issued;
  readonly place: number;
  downloadedAtMs: number | undefined;
  replacedBy: string | undefined;
  receivedMinor: number;
  wrongCurrency: boolean;
};
type Ledger = { readonly accounts: Account[]; dueMinor: number; receivedMinor: number; differences: number };

export type Page<Entry> = { readonly entries: Entry[]; readonly next: string | undefined };

export type Books = {
  readonly accounts: Map<string, Account>;
  /** Of a client's request, and of a handset: its key. */
  readonly keyOfRequest: Map<string, string>;
  readonly keyOfHandset: Map<string, string>;
  /** Of a client: a payment that came twice is one. */
  readonly payments: Set<string>;
  readonly ledgers: Map<string, Ledger>;
};

export const emptyBooks = (): Books => ({
  accounts: new Map(),
  keyOfRequest: new Map(),
  keyOfHandset: new Map(),
  payments: new Set(),
  ledgers: new Map(),
});

/** Takes an event into the state; the only place that changes it. */
export function apply(books: Books, event: MakerEvent): void {
  if (event.kind === "issued") applyIssued(books, event);
  else change(books, event.keyId, (account) => applyToAccount(books, account, event));
}

function applyIssued(books: Books, event: Issued): void {
  const ledger = ledgerOf(books, event.clientId);
  const replaced = event.handset === null ? undefined : books.keyOfHandset.get(event.handset);
  const before = replaced === undefined ? undefined : books.accounts.get(replaced);
  if (before) before.replacedBy = event.keyId;
  const account: Account = {
    issued: event,
    place: ledger.accounts.length,
    downloadedAtMs: undefined,
    replacedBy: undefined,
    receivedMinor: 0,
    wrongCurrency: false,
  };
  ledger.accounts.push(account);
  books.accounts.set(event.keyId, account);
  books.keyOfRequest.set(requestOf(event), event.keyId);
  if (event.handset !== null) books.keyOfHandset.set(event.handset, event.keyId);
}

function applyToAccount(
  books: Books,
  account: Account,
  event: Extract<MakerEvent, { kind: "downloaded" | "paid" }>,
): void {
  if (event.kind === "downloaded") {
    account.downloadedAtMs = event.atMs;
    return;
  }
  books.payments.add(`${event.clientId}\n${event.paymentId}`);
  if (event.currency === account.issued.currency) account.receivedMinor += event.amountMinor;
  else account.wrongCurrency = true;
}

/** Keeps the client's totals true across one change of an account. */
function change(books: Books, keyId: string, act: (account: Account) => void): void {
  const account = books.accounts.get(keyId);
  if (!account) throw new RangeError("an event about a key that was never issued");
  const ledger = ledgerOf(books, account.issued.clientId);
  const count = (sign: 1 | -1): void => {
    const { state, dueMinor, receivedMinor } = paymentStateOf(account);
    ledger.dueMinor += sign * dueMinor;
    ledger.receivedMinor += sign * receivedMinor;
    if (state === "differs" || state === "paid_without_download") ledger.differences += sign;
  };
  count(-1);
  act(account);
  count(1);
}

export function ledgerOf(books: Books, clientId: string): Ledger {
  let ledger = books.ledgers.get(clientId);
  if (!ledger) {
    ledger = { accounts: [], dueMinor: 0, receivedMinor: 0, differences: 0 };
    books.ledgers.set(clientId, ledger);
  }
  return ledger;
}

/** This client's accounts after `after`, oldest first; an unknown `after` gives none. */
export function pageOf(
  books: Books,
  clientId: string,
  after: string | undefined,
  limit: number,
): Page<Account> {
  const all = ledgerOf(books, clientId).accounts;
  const last = after === undefined ? undefined : books.accounts.get(after);
  if (after !== undefined && last?.issued.clientId !== clientId) return { entries: [], next: undefined };
  const start = last ? last.place + 1 : 0;
  const entries = all.slice(start, start + limit);
  return { entries, next: start + limit < all.length ? entries.at(-1)?.issued.keyId : undefined };
}

export const requestOf = ({ clientId, requestId }: { clientId: string; requestId: string }): string =>
  `${clientId}\n${requestId}`;

export function issuedKeyOf({ issued, downloadedAtMs, replacedBy }: Account): IssuedKey {
  return {
    keyId: issued.keyId,
    requestId: issued.requestId,
    issuedAt: new Date(issued.atMs),
    ...(downloadedAtMs === undefined ? {} : { downloadedAt: new Date(downloadedAtMs) }),
    ...(replacedBy === undefined ? {} : { replacedBy }),
  };
}

/** Nothing is due before the download. */
export function paymentStateOf(account: Account): PaymentState {
  const { issued, downloadedAtMs, receivedMinor } = account;
  return {
    keyId: issued.keyId,
    state: stateOf(account),
    dueMinor: dueOf(account),
    receivedMinor,
    currency: issued.currency,
    ...(downloadedAtMs === undefined ? {} : { downloadedAt: new Date(downloadedAtMs) }),
  };
}

function stateOf(account: Account): PaymentState["state"] {
  const nothingCame = account.receivedMinor === 0 && !account.wrongCurrency;
  if (account.downloadedAtMs === undefined) return nothingCame ? "not_due" : "paid_without_download";
  if (account.receivedMinor === dueOf(account) && !account.wrongCurrency) return "paid";
  return nothingCame ? "due" : "differs";
}

const dueOf = ({ issued, downloadedAtMs }: Account): number =>
  downloadedAtMs === undefined ? 0 : issued.portionMinor;
