/**
 * Account data: of a manufacturer, to whom portions are paid, and of the operator, who pays them. Entered by a person, checked
 * here, sealed at rest, shown masked (201 claims 7 and 19: a payable creditor).
 */

import { parseBic } from "../../term/bic.ts";
import { creditorReferenceOf, isCreditorReference } from "../../term/creditor-reference.ts";
import { TurnupError } from "../../term/error.ts";
import { countryOfIban, type Iban, maskAccount, parseIban } from "../../term/iban.ts";
import type { Acting } from "../account/person.ts";

/** An IBAN, or a number of a country that has none, with the scheme by which its banks read it. */
type AccountNumber = { readonly iban: Iban } | { readonly number: string; readonly scheme: string | null };
type PostalAddress = {
  readonly street: string | null;
  readonly building: string | null;
  readonly postCode: string | null;
  readonly town: string;
  /** ISO 3166, two letters. */
  readonly country: string;
};
/** Who is paid, or pays; `make` is null for the operator itself. */
export type Creditor = {
  readonly make: string | null;
  readonly name: string;
  readonly account: AccountNumber;
  readonly bic: string | null;
  readonly address: PostalAddress | null;
  /** What the creditor wants to find the payment by: a structured reference (ISO 11649), or its own number of the contract. */
  readonly reference: string | null;
};
/** As it may be shown: the account number is masked. */
export type CreditorView = Omit<Creditor, "account"> & {
  readonly accountMasked: string;
  readonly madeBy: string;
  readonly madeAt: string;
};

/** As somebody typed it. */
type CreditorInput = {
  readonly name: string;
  readonly iban?: string | undefined;
  readonly accountNumber?: string | undefined;
  readonly accountScheme?: string | undefined;
  readonly bic?: string | undefined;
  readonly address?: PostalAddress | undefined;
  readonly reference?: string | undefined;
};

/** Account data by make. Every change is audited, without the number. */
export interface Creditors {
  list(operatorId: string): Promise<readonly CreditorView[]>;
  /** `make` null: the operator's own. */
  find(operatorId: string, make: string | null): Promise<CreditorView | undefined>;
  /** `person` null where nobody said who acts: whoever has the database. */
  put(operatorId: string, creditor: Creditor, actor: Acting | string): Promise<CreditorView>;
  /** False where there was none. */
  remove(operatorId: string, make: string, actor: string): Promise<boolean>;
}

const ACCOUNT_NUMBER = /^[A-Za-z0-9/\- ]{3,34}$/;

/**
 * Checks what was typed; nothing of a wrong number is repeated.
 * @throws TurnupError `account_malformed`: `details` has the field and the rule
 */
export function readCreditor(make: string | null, input: CreditorInput): Creditor {
  const { name, iban, accountNumber, accountScheme = null, address = null, reference = null } = input;
  if ((iban === undefined) === (accountNumber === undefined))
    throw malformed("iban", "account_missing", "Either an IBAN or another account number is wanted.");
  if (accountNumber !== undefined && !ACCOUNT_NUMBER.test(accountNumber))
    throw malformed(
      "accountNumber",
      "account_number_malformed",
      "An account number has 3 to 34 letters, digits, - and /.",
    );
  if (address && !/^[A-Z]{2}$/.test(address.country))
    throw malformed(
      "address",
      "country_malformed",
      "The country of an address is two capital letters of ISO 3166.",
    );
  if (reference?.toUpperCase().startsWith("RF") && !isCreditorReference(reference))
    throw malformed(
      "reference",
      "reference_check_digits",
      "The check digits of this creditor reference do not fit the rest of it.",
    );
  const bic = input.bic === undefined ? null : parseBic(input.bic);
  if (accountNumber !== undefined && bic === null)
    throw malformed(
      "bic",
      "bic_missing",
      "An account without an IBAN is found by the BIC of its bank, which is missing.",
    );
  const account: AccountNumber =
    iban === undefined
      ? { number: (accountNumber ?? "").trim(), scheme: accountScheme }
      : { iban: parseIban(iban) };
  return { make, name, account, bic, address, reference };
}

const malformed = (field: string, code: string, message: string): TurnupError =>
  new TurnupError("account_malformed", message, {
    details: { field, code },
    nextStep: "Correct it; nothing of it was kept.",
  });

export const maskedAccountOf = ({ account }: Creditor): string =>
  maskAccount("iban" in account ? account.iban : account.number);

/** What the creditor finds a transfer by: its own reference, or one made from the transfer's number. */
export function remittanceOf(
  { reference }: Creditor,
  transfer: { readonly endToEndId: string; readonly keys: number },
): { readonly reference: string } | { readonly text: string } {
  if (reference === null)
    return { reference: creditorReferenceOf(transfer.endToEndId.toUpperCase().slice(-21)) };
  if (isCreditorReference(reference)) return { reference: reference.replace(/\s/g, "").toUpperCase() };
  return { text: `${reference} ${transfer.endToEndId} ${transfer.keys} device keys` };
}

/** Countries and territories of the single euro payments area (EPC409-09), by the first letters of their IBANs. */
const SEPA =
  "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA".split(
    " ",
  );

/** Whether a transfer goes by the rules of the single euro payments area, or as one between any two banks. */
export const isSepaTransfer = (currency: string, ...parties: readonly Creditor[]): boolean =>
  currency === "EUR" &&
  parties.every(({ account }) => "iban" in account && SEPA.includes(countryOfIban(account.iban)));
