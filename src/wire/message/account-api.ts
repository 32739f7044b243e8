/**
 * What an operator's server says to a proxy of it: which devices have an account, of which SIM, and which of them is blocked.
 * JSON over TLS with a bearer secret. Each call says how it is to stand, so that a repeat changes nothing.
 *
 *   PUT    /v1/accounts/<IMEI>   {"imsi", "msisdn", "blocked"}  -> 200 how it stands
 *   GET    /v1/accounts/<IMEI>                                  -> 200, or 404
 *   DELETE /v1/accounts/<IMEI>                                  -> 204, also where there is none
 */
import { boolean, object, type Read, text } from "./shape.ts";

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
