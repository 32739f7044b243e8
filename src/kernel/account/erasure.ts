/**
 * When the data of a person may go: on their word, or since the network has not seen their SIM for longer than the operator's
 * policy keeps people (`retention.people`). What is owed or under way needs to know whose it is, so it holds them.
 */
import { TurnupError } from "../../term/error.ts";

/** What holds a person's data, and what ends it. */
export const HOLDS = {
  order_under_way: "An order is under way: cancel it, or wait for its end.",
  message_under_way:
    "An SMS is on its way: wait until the message centre told what became of it, or it expired.",
  charge_due: "A fee for a phone is asked for and not answered: wait for the bank.",
  dispute_open: "A line of the ledger is disputed: decide the dispute.",
  collection_open: "A sum is being collected, or may still be given back: wait for its end.",
  service_renews: "A service renews and is paid for: end it.",
  registration_live: "A service server holds a registration: remove the service there.",
  seen_lately: "The network saw the SIM lately.",
} as const;
export type Hold = keyof typeof HOLDS;
export const HOLD_NAMES = Object.keys(HOLDS) as Hold[]; // a literal's keys are its own

/** A direct debit may be given back for eight weeks without a reason (SEPA Direct Debit Core Rulebook, section 4.3.4). */
export const RETURN_DAYS = 56;

/** What goes of a person, or would: rows. Orders, postings and counts stay, and name nobody any more. */
export type Erased = {
  readonly messages: number;
  readonly pairings: number;
  /** Handsets that nobody else was seen with: their IMEIs go too. */
  readonly devices: number;
  readonly requests: number;
  readonly records: number;
};
export type ErasureView = {
  readonly subscriberId: string;
  /** Empty: nothing holds the person. */
  readonly holds: readonly Hold[];
  readonly erases: Erased;
  /** Null: nothing was erased, by a hold or since it was a look alone. */
  readonly erasedAt: string | null;
};

/** What is known of one person, opened: tables by name, each with its rows, the newest first. */
export type PersonData = {
  readonly subscriberId: string;
  readonly madeAt: string;
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
};

export interface Erasure {
  /** Nothing is changed. @throws TurnupError `subscriber_not_found` */
  look(operatorId: string, subscriberId: string): Promise<ErasureView>;
  /** @throws TurnupError `subscriber_not_found`, `subscriber_held` */
  erase(operatorId: string, subscriberId: string, actor: string): Promise<ErasureView>;
  /** Audited: it opens what is sealed. @throws TurnupError `subscriber_not_found` */
  exportOf(operatorId: string, subscriberId: string, actor: string): Promise<PersonData>;
}

export const subscriberNotFound = (): TurnupError =>
  new TurnupError("subscriber_not_found", "No SIM of this operator has this number.", {
    nextStep: "Check the number; a SIM is known once the network has seen it.",
  });

export function refuseHeld(holds: readonly Hold[]): void {
  if (holds.length === 0) return;
  throw new TurnupError("subscriber_held", "This person's data is needed still: nothing was erased.", {
    nextStep: holds.map((hold) => HOLDS[hold]).join(" "),
  });
}
