/**
 * The operator's own records of its subscribers, as its customer system has them: imported, sealed, and compared with what
 * somebody says of themselves (US 6,647,260, columns 3 and 5; R38). They are never shown whole, and never to whoever asks.
 */
import { TurnupError } from "../../term/error.ts";
import type { RegistryPage, RegistryRows } from "./registry.ts";
import type { UserData, UserField } from "./user-data.ts";

/** At least one number; of both, the SIM is looked for first. */
export type SubscriberRecord = {
  readonly imsi: string | null;
  readonly msisdn: string | null;
  readonly user: UserData;
};

/** As staff see it: numbers masked, of each field its first character. */
export type SubscriberRecordView = {
  readonly id: string;
  readonly imsiMasked: string | null;
  readonly msisdnMasked: string | null;
  readonly user: Readonly<Partial<Record<UserField, string>>>;
  /** What brought it: the name of a file, or `api`. */
  readonly source: string;
  readonly updatedAt: string;
};

export type RecordNumber = { readonly imsi: string } | { readonly msisdn: string };

/** `replaced`: records that stood under the same SIM or number before. */
export type RecordsPut = { readonly taken: number; readonly replaced: number };

/** All subscribers that the operator's customer system has. */
export type WholeGiven = {
  readonly records: readonly SubscriberRecord[];
  /** Of rows that could not be taken: the records of these stay as they are. */
  readonly kept: readonly RecordNumber[];
  readonly source: string;
  readonly actor: string;
};

/** What the whole comes to beside what was there. */
export type WholePlan = {
  readonly there: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly removed: number;
};

/** How many records one import may erase. */
export type RemovalLimit = {
  /** Of those that are there, 0 to 100. */
  readonly mostPercent: number;
  /** So many were announced and are wanted, whatever their share; null: none was. */
  readonly confirmed: number | null;
};

/**
 * A file that was cut short, or is of another system, looks like one that most subscribers have left.
 * @throws TurnupError `subscriber_records_many_removed`
 */
export function refuseManyRemoved(
  { there, removed }: WholePlan,
  { mostPercent, confirmed }: RemovalLimit,
): void {
  if (removed * 100 <= there * mostPercent || (confirmed !== null && removed <= confirmed)) return;
  throw new TurnupError(
    "subscriber_records_many_removed",
    `${removed} of ${there} records would be erased, which is more than ${mostPercent} percent.`,
    {
      nextStep: `Look whether the file is whole; where it is, confirm that ${removed} records go.`,
      details: { removed, there },
    },
  );
}

/** Every change is audited in its own transaction, by counts and ids. */
export interface OwnRecords {
  /**
   * Writes records, all or none. Each takes the place of those with its SIM or its number; a number that another SIM's record
   * has is taken from that record, which stays. No two of them may name the same SIM or number.
   */
  put(
    operatorId: string,
    records: readonly SubscriberRecord[],
    by: { readonly source: string; readonly actor: string },
  ): Promise<RecordsPut>;
  /** What `putWhole` would do; nothing is written. */
  planWhole(operatorId: string, given: WholeGiven): Promise<WholePlan>;
  /**
   * Writes what is new or changed, and erases for good who is not in it any more; what was written by another road meanwhile stays.
   * @throws TurnupError `subscriber_records_many_removed`: nothing was written
   */
  putWhole(operatorId: string, given: WholeGiven, limit: RemovalLimit): Promise<WholePlan>;
  find(operatorId: string, number: RecordNumber): Promise<SubscriberRecordView | undefined>;
  list(operatorId: string, page: RegistryPage): Promise<RegistryRows<SubscriberRecordView>>;
  /** Erases it for good; false where there is none. */
  remove(operatorId: string, number: RecordNumber, actor: string): Promise<boolean>;
  /** What a comparison goes by, for whoever looks at one; undefined where there is none. */
  ofSubscriber(operatorId: string, subscriberId: string): Promise<SubscriberRecordView | undefined>;
}
