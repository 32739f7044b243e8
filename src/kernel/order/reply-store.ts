/** What replies by text ask of storage: who has a number, which questions are open, what was said before, and STOP. */

/** Somebody who may have written a text, at one operator. */
export type NumberHolder = {
  readonly operatorId: string;
  /** Null: this operator knows nobody by the number. */
  readonly subscriberId: string | null;
  /** BCP 47. */
  readonly language: string;
};

/** Where a subscriber's text went. */
export type TextTarget = {
  /** The short code or number of ours. */
  readonly address: string;
  /** Whose it can be alone: its message centre serves this operator and no other. */
  readonly operatorId?: string | undefined;
};

/** One of several messages that a longer text came in. */
export type TextPart = {
  /** From 1. */
  readonly seq: number;
  readonly total: number;
};

/** Evidence: a text as it came, what it was read as, and what was answered. */
export type NewTextReply = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string | null;
  readonly orderId: string | null;
  readonly offerId: string | null;
  readonly readAs: "accept" | "decline" | "stop" | "start" | "field" | "unclear";
  /** Names of the open questions that it may have been about. */
  readonly questions: readonly string[];
  readonly text: string;
  /** The notice that was sent back. */
  readonly answered: string | null;
};

/** A row of the audit that is written together with what it tells of. */
export type NewAudit = {
  readonly id: string;
  readonly operatorId: string;
  readonly actor: string;
  readonly action: string;
  /** An id; never a number of somebody. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** A number at one operator, and who is known by it. */
export type NumberOf = {
  readonly operatorId: string;
  /** E.164 digits. */
  readonly msisdn: string;
  readonly subscriberId: string | null;
};

/** What is asked, and kept, of a text within one transaction. */
export interface ReplyTransaction {
  /** So that two texts of one subscriber never see the same past. */
  lockSubscriber(operatorId: string, subscriberId: string): Promise<void>;
  /** Numbers that the open questions of a subscriber are named by: terms, choices, offers. */
  openCodesOf(operatorId: string, subscriberId: string, now: Date): Promise<readonly string[]>;
  /** Questions that were answered by "not understood" since, one list a notice. */
  answeredSince(
    operatorId: string,
    subscriberId: string,
    since: Date,
  ): Promise<readonly (readonly string[])[]>;
  /**
   * Nothing unasked to this number from now on: its open offers are declined and what is queued is cancelled.
   * Undefined where it was so before.
   */
  stopUnasked(
    of: NumberOf,
    now: Date,
  ): Promise<{ readonly offers: number; readonly messages: number } | undefined>;
  /** False where nothing was stopped. */
  allowUnasked(of: NumberOf): Promise<boolean>;
  /** By any number that they have, or said it with. */
  hasStopped(operatorId: string, subscriberId: string): Promise<boolean>;
  /** `MCC/MNC` of the network that issued the SIM. */
  homePlmnOf(operatorId: string, subscriberId: string): Promise<string | undefined>;
  /** When this subscriber declined an offer of this item last. */
  declinedAt(operatorId: string, subscriberId: string, itemId: string): Promise<Date | undefined>;
}

/** What is asked about a text before its transaction begins. */
export interface ReplyStore {
  /** One row an operator. Of a number that moved to another SIM, the SIM that was seen last. Empty for no number. */
  holdersOf(from: string): Promise<readonly NumberHolder[]>;
}
