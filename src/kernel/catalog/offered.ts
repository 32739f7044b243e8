/** What became of an offer to one subscriber, for whoever made it. */

export const OFFER_OUTCOMES = [
  "sent",
  "repeated",
  "unknown_subscriber",
  /** Their number said STOP. */
  "stopped",
  "has_already",
  "ordered_already",
  /** It cannot stand beside what they have. */
  "conflict",
  /** The model of their device is known to be without what it needs: a camera, a screen, bands, or its class. */
  "device_lacks",
  /** Not to be had now, not on their device, or not without another item that they lack. */
  "not_available",
  "declined_recently",
] as const;

export type OfferOutcome = (typeof OFFER_OUTCOMES)[number];
export type Offered = {
  readonly outcome: OfferOutcome;
  readonly offerId: string | null;
  /** When the message goes out: now, or when the quiet hours end. Null where none does. */
  readonly sendsAt: string | null;
};
