/**
 * The operator's own records of its subscribers, as its customer system has them: imported, sealed, and compared with what
 * somebody says of themselves (US 6,647,260, columns 3 and 5; R38). They are never shown whole, and never to whoever asks.
 */
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
  find(operatorId: string, number: RecordNumber): Promise<SubscriberRecordView | undefined>;
  list(operatorId: string, page: RegistryPage): Promise<RegistryRows<SubscriberRecordView>>;
  /** Erases it for good; false where there is none. */
  remove(operatorId: string, number: RecordNumber, actor: string): Promise<boolean>;
  /** What a comparison goes by, for whoever looks at one; undefined where there is none. */
  ofSubscriber(operatorId: string, subscriberId: string): Promise<SubscriberRecordView | undefined>;
}
