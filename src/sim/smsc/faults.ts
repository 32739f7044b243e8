/** What the simulated SMSC does wrong, on demand. A part is 0 (never) to 1 (always). */

export type IdForm = "decimal" | "hex";

export type Faults = {
  /** Submits above this rate are answered ESME_RTHROTTLED. */
  readonly throttleAbovePerSecond?: number;
  /** Submits answered ESME_RMSGQFUL. */
  readonly queueFullPart?: number;
  /** Submits answered with this status instead of being taken. */
  readonly refuse?: { readonly part: number; readonly status: number };
  /** Each connection is cut after so many requests, the last one taken but unanswered. */
  readonly dropAfterPdus?: number;
  /** Accepted submits whose response is never sent. */
  readonly responseLostPart?: number;
  /** How long a submit waits for its response. */
  readonly responseDelayMs?: number;
  /** Nothing is answered any more, not even enquire_link. */
  readonly silent?: boolean;
  /** Each receipt waits a random time up to this; enough to change their order. */
  readonly receiptDelayMs?: number;
  readonly receiptDuplicatePart?: number;
  readonly receiptLostPart?: number;
  /** Receipts held back until the next one has gone. */
  readonly receiptReorderPart?: number;
  /** Nothing but its text says that a receipt is one. */
  readonly receiptsUnmarked?: boolean;
  /** One receipt for all parts of a long message, with the id of its last. Default `part`. */
  readonly receiptsPer?: "part" | "message";
  /** How the id is written in each place. Default decimal everywhere. */
  readonly idForms?: { readonly response?: IdForm; readonly text?: IdForm; readonly tlv?: IdForm };
};

export const NO_FAULTS: Faults = {};
