/** What the portal asks of storage about whoever comes: by the books alone, nobody is made by looking. */
import type { AccountFacts } from "../account/account-facts.ts";
import type { NewRequest } from "../order/request.ts";

/** Who stands behind a number. */
export type KnownPerson = {
  readonly subscriberId: string;
  /** The device that was named, else the one where the SIM is now, else the one that it asked with last. */
  readonly deviceId: string | null;
  readonly tac: string | null;
  readonly msisdn: string | null;
  /** When the number that they had became another SIM's: what it proved before counts no more. */
  readonly numberLostAt?: Date | null;
};

/** A way in by SMS: a link, and a code to type where the link cannot be opened. Both stand as hashes. */
type NewPortalLink = {
  readonly operatorId: string;
  readonly subscriberId: string;
  /** Where it is sent: it must be theirs still when it is written down. */
  readonly msisdn: string;
  readonly tokenHash: Uint8Array;
  readonly codeHash: Uint8Array;
  readonly expiresAt: Date;
};

export interface PortalPeople {
  /** @throws TurnupError of a number that is none */
  find(operatorId: string, who: NewRequest["who"]): Promise<KnownPerson | undefined>;
  /** What verification of this person would go by. */
  known(
    operatorId: string,
    person: Pick<KnownPerson, "subscriberId" | "deviceId">,
  ): Promise<Pick<AccountFacts, "isKnownDevice" | "account" | "record">>;
  /** Whether the operator has a record of this SIM or number, of whoever asks for the first time. */
  recordOf(operatorId: string, who: NewRequest["who"]): Promise<AccountFacts["record"]>;
  /** False where `most` ways in of this subscriber are not over yet, or the number is no longer theirs: nothing is sent. */
  addLink(link: NewPortalLink, now: Date, most: number): Promise<boolean>;
  /** Spends the link: its subscriber; undefined where it is spent, over, or was never sent. */
  useLink(operatorId: string, tokenHash: Uint8Array, now: Date): Promise<string | undefined>;
  /**
   * Spends a try, and the whole way in where the code is right: its subscriber; undefined in all other cases.
   * @param validAfter ways in that end before are over for codes, which live shorter than links
   */
  useCode(
    operatorId: string,
    code: { readonly tokenHash: Uint8Array; readonly codeHash: Uint8Array },
    now: Date,
    validAfter: Date,
  ): Promise<string | undefined>;
  /** Forgets ways in that ended before, a bounded number at once; how many. */
  forgetLinks(before: Date): Promise<number>;
}
