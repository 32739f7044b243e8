/**
 * One-time tokens by which a device without a factory certificate enrols its own key at the proxy (RFC 7030): sent by SMS,
 * so that whoever has the token has the SIM. A token is spent when a certificate is issued for it, once.
 */
import type { EnrolmentAnswer } from "../../wire/message/legs.ts";

type NewEnrolment = {
  readonly who: { readonly imsi?: string; readonly msisdn?: string };
  /** The only device that may use it; null: whichever holds the SIM. 15 digits. */
  readonly imei: string | null;
  /** SHA-256 of the token. */
  readonly tokenHash: Uint8Array;
  readonly expiresAt: Date;
};

export interface Enrolments {
  /** The number to send the token to; undefined where nobody is known by these numbers, or has no phone number. */
  issue(operatorId: string, enrolment: NewEnrolment): Promise<{ readonly msisdn: string } | undefined>;
  /** Whose it is, and leaves it good; undefined as of `spend`. */
  look(operatorId: string, tokenHash: Uint8Array, now: Date): Promise<EnrolmentAnswer | undefined>;
  /** Whose it was; undefined where it is spent, over, another operator's, or was never issued. */
  spend(operatorId: string, tokenHash: Uint8Array, now: Date): Promise<EnrolmentAnswer | undefined>;
}
