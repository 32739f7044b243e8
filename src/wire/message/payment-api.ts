/**
 * What Turnup and a payment provider say to each other of cards, as JSON over HTTPS with a bearer secret. A card's number
 * and code are in the first message alone and nowhere else; all later ones name its token.
 *
 *   POST /v1/tokens           a card for a token; the code is checked and dropped
 *   POST /v1/accounts         a bank account, with the mandate to collect from it, for a token; who takes cards alone has no
 *                             such address (404, 405, 501) or answers `accounts_not_taken`
 *   POST /v1/authorisations   a sum is held against a token; 0 checks the card alone
 *   POST /v1/charges          a sum is taken by a token: what is ordered, and each further month of it
 *   GET /v1/returns?after=    what was taken and came back since: direct debits returned or refunded, cards charged back, oldest first;
 *                             who tells of none so has no such address (404, 405, 501)
 *
 * The header `Idempotency-Key` names the message: a repeat gets the first answer again, a repeat with other content is
 * refused as `key_reused`. A key is remembered for 30 days at least: whoever got no answer asks again for 14. Money is whole minor units.
 */
import { ibanFaultOf } from "../../term/iban.ts";
import { passesLuhn } from "../../term/luhn.ts";
import { integer, list, object, oneOf, optional, ShapeError, text } from "./shape.ts";

const code = text({ max: 60, pattern: /^[a-z_]+$/, wanted: "a code of a-z and _ is wanted" });
const token = text({ max: 128, pattern: /^[A-Za-z0-9._:-]+$/, wanted: "a token is wanted" });
const digits = (min: number, max: number) =>
  text({ min, max, pattern: /^\d+$/, wanted: `${min} to ${max} digits are wanted` });

const MONTHS = 12;
/** MMYY. */
const expiry = (value: unknown, path: string): string => {
  const read = digits(4, 4)(value, path);
  const month = Number(read.slice(0, 2));
  if (month < 1 || month > MONTHS) throw new ShapeError(path, "a month and a year (MMYY) are wanted");
  return read;
};
/** ISO/IEC 7812-1: at most 19 digits, the last is the check digit. */
const pan = (value: unknown, path: string): string => {
  const read = digits(12, 19)(value, path);
  if (!passesLuhn(read)) throw new ShapeError(path, "the check digit is wrong");
  return read;
};

/** AT-01 of EPC016-06. */
const mandateReference = text({ min: 1, max: 35, pattern: /^[A-Za-z0-9/?:().,'+-]+$/ });

/**
 * The body of `POST /v1/tokens`: number and code go to the payment provider, and nowhere else.
 * @throws ShapeError: the place and what is wanted there; the value is never repeated
 */
export const readCard = object({ pan, expiry, cvv: optional(digits(3, 4)) });

/**
 * The body of `POST /v1/accounts`: the IBAN goes to the payment provider, and nowhere else. The mandate is what a direct debit needs
 * (EPC016-06): its reference, and when it was given.
 * @throws ShapeError: the value is never repeated
 */
export const readAccount = object({
  iban: (value: unknown, path: string): string => {
    const read = text({ min: 5, max: 34, pattern: /^[A-Z]{2}\d{2}[A-Z0-9]+$/, wanted: "an IBAN is wanted" })(
      value,
      path,
    );
    if (ibanFaultOf(read) !== null) throw new ShapeError(path, "the IBAN's check digits or length are wrong");
    return read;
  },
  /** Whose account it is; no debtor's name is longer (AT-14). */
  holder: optional(text({ min: 1, max: 70 })),
  mandate: object({
    reference: mandateReference,
    signedOn: text({ min: 10, max: 10, pattern: /^\d{4}-\d{2}-\d{2}$/ }),
  }),
});

/**
 * The answer to `POST /v1/accounts`: the token, and the last four characters of the account.
 * @throws ShapeError
 */
export const readAccountToken = object({ token, last4: text({ min: 4, max: 4, pattern: /^[A-Z0-9]{4}$/ }) });

/**
 * The answer to `POST /v1/tokens`: the token, and what may be shown of the card.
 * @throws ShapeError
 */
export const readTokenAnswer = object({
  token,
  first6: digits(6, 6),
  last4: digits(4, 4),
  brand: text({ max: 32, pattern: /^[A-Za-z0-9 _-]+$/ }),
});

/**
 * The body of `POST /v1/authorisations`, in whole minor units; 0 checks the card alone.
 * @throws ShapeError
 */
export const readAuthorisation = object({
  token,
  amountMinor: integer({ min: 0, max: 1_000_000_000_000 }),
  currency: text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" }),
});

/**
 * The body of `POST /v1/charges`, in whole minor units. `renewal`: nobody is there to be asked for a code. `mandate` is the
 * reference under which an account was given.
 * @throws ShapeError
 */
export const readCharge = object({
  token,
  mandate: optional(mandateReference),
  amountMinor: integer({ min: 1, max: 1_000_000_000_000 }),
  currency: text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" }),
  purpose: oneOf(["order", "renewal"]),
  /** What it is to be called on the bank's statements of both sides (EndToEndId). */
  endToEndId: optional(
    text({ max: 35, pattern: /^[A-Za-z0-9]+$/, wanted: "1 to 35 letters and digits are wanted" }),
  ),
});

const returnedName = text({ max: 128, pattern: /^[A-Za-z0-9._:-]+$/ });

/**
 * The answer to `GET /v1/returns`: what came back, oldest first. `id` is the return's own number: told again, it is the same. `cursor`
 * is what `after` says the next time; `more`: the next ones are there already.
 * @throws ShapeError
 */
export const readReturns = object({
  returns: list(
    object({
      id: returnedName,
      kind: oneOf(["return", "chargeback"]),
      /** Of the charge that came back. */
      reference: optional(returnedName),
      endToEndId: optional(returnedName),
      amountMinor: integer({ min: 1, max: 1_000_000_000_000 }),
      currency: text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" }),
      /** ISO 20022 external return reason (AM04, AC04, MD06), or the card scheme's. */
      code: optional(text({ max: 35, pattern: /^[A-Za-z0-9._-]+$/ })),
      returnedOn: optional(text({ min: 10, max: 10, pattern: /^\d{4}-\d{2}-\d{2}$/ })),
    }),
    { max: 500 },
  ),
  cursor: optional(text({ max: 200, pattern: /^[A-Za-z0-9._:=+/-]+$/ })),
  more: optional(oneOf(["yes", "no"])),
});

/**
 * The answer to `POST /v1/charges`; `pending` is asked again under the same key, as a direct debit is for days.
 * @throws ShapeError
 */
export const readChargeAnswer = object({
  state: oneOf(["taken", "declined", "pending"]),
  /** Of one that was taken. */
  reference: optional(token),
  /** Why it was declined: `insufficient_funds`, `limit_exceeded`, `issuer_unavailable`, `try_again_later` may be another day's yes. */
  code: optional(code),
});

/**
 * The answer to `POST /v1/authorisations`; `pending` is asked again under the same key.
 * @throws ShapeError
 */
export const readAuthorisationAnswer = object({
  state: oneOf(["approved", "declined", "pending"]),
  /** Of an approval. */
  reference: optional(token),
  /** Why it was declined: `insufficient_funds`, `expired_card`, `do_not_honour`. */
  code: optional(code),
});

/**
 * The body of an answer that refuses: a word for machines.
 * @throws ShapeError
 */
export const readPaymentRefusal = object({ code });
