/**
 * What an operator's server says to a proxy of it: which devices have an account, of which SIM, and which of them is blocked.
 * JSON over TLS with a bearer secret. Each call says how it is to stand, so that a repeat changes nothing.
 *
 *   PUT    /v1/accounts/<IMEI>   {"imsi", "msisdn", "blocked"}  -> 200 how it stands
 *   GET    /v1/accounts/<IMEI>                                  -> 200, or 404
 *   DELETE /v1/accounts/<IMEI>                                  -> 204, also where there is none
 *   POST   /v1/account-changes   {"list", "after", "upto", "accounts"} -> 200 {"version"}
 *
 * `account-changes` brings a proxy from one version of an operator's list of accounts to a later one. Where the proxy has
 * another version than `after`, it takes nothing and answers the one that it has; `after` 0 begins anew and is always taken.
 * So whoever tells learns from each answer where to go on, whatever the proxy missed or lost. No accounts, and `upto` equal
 * to `after`, asks for the version alone.
 */
import { boolean, integer, list, object, oneOf, type Read, text } from "./shape.ts";

const digitsOrNull: Read<string | null> = (value, path) =>
  value === null ? null : text({ max: 20, pattern: /^\d+$/, wanted: "digits are wanted" })(value, path);

export const readDeviceId = text({ min: 15, max: 15, pattern: /^\d+$/, wanted: "15 digits are wanted" });
/** How an account is to stand; numbers are digits without `+`. */
export const readWantedAccount = object({ imsi: digitsOrNull, msisdn: digitsOrNull, blocked: boolean });
/** How it stands: `bond` is what SIM and handset are to each other. */
export type StandingAccount = {
  readonly deviceId: string;
  readonly bond: "unbound" | "bound" | "broken";
  readonly blocked: boolean;
};

export const accountPath = (deviceId: string): string => `/v1/accounts/${deviceId}`;

/** `closed`: the device has no account any more, and its certificates are nobody's. */
export const ACCOUNT_STANDINGS = ["open", "blocked", "closed"] as const;
export type AccountStanding = (typeof ACCOUNT_STANDINGS)[number];

/** Accounts of one call; a longer way goes in several. */
export const CHANGES_MAX = 500;
/** 500 accounts of 200 octets, and room. */
export const CHANGES_OCTETS_MAX = 131_072;
export const ACCOUNT_CHANGES_PATH = "/v1/account-changes";

/** One account as it is to stand. `line`: which SIM is in the handset, where that changed; null leaves what is known. */
export type AccountChange = {
  readonly deviceId: string;
  readonly standing: AccountStanding;
  readonly line: { readonly imsi: string | null; readonly msisdn: string | null } | null;
};
/** Versions are counted from 1; 0 is an empty list. */
export type AccountChanges = {
  /** Whose list: versions of two lists are nothing to each other. */
  readonly list: string;
  readonly after: number;
  readonly upto: number;
  readonly accounts: readonly AccountChange[];
};

const version = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const readLine = object({ imsi: digitsOrNull, msisdn: digitsOrNull });
export const readAccountChanges: Read<AccountChanges> = object({
  list: text({ max: 64, pattern: /^[A-Za-z0-9._-]+$/ }),
  after: version,
  upto: version,
  accounts: list(
    object({
      deviceId: readDeviceId,
      standing: oneOf(ACCOUNT_STANDINGS),
      line: (value: unknown, path: string) => (value === null ? null : readLine(value, path)),
    }),
    { max: CHANGES_MAX },
  ),
});
export const readListVersion = object({ version });
