/**
 * The order and its items: states, levels of proof, and the one table that says which event moves what.
 *
 * Order:  received -> provisioning -> completed | partly_completed | failed
 *         received -> waiting (for an MSISDN, an access point, or a fault put right) -> provisioning | failed
 *         any state that is not final -> cancelled (by a person, or since a younger order takes its place)
 *         failed -> partly_completed -> completed by late proof;   partly_completed, failed -> provisioning by a resend
 * Item:   pending -> sending -> delivered -> opened -> works
 *         pending -> waiting_for_key -> sending | failed (the settings that waited for the key go alone)
 *         sending -> sending (resend) | failed;  any state that is not final -> failed | cancelled
 *
 * `delivered`: receipts for all parts. `opened`: the client on the device reported it, or the page of a link was
 * fetched. `works`: traffic on the new access point, or the maker's server saw the device. A higher level implies the
 * lower ones; proof that comes again or late at a lower level changes nothing.
 */

export const ORDER_STATES = [
  "received",
  "waiting",
  "provisioning",
  "completed",
  "partly_completed",
  "failed",
  "cancelled",
] as const;
export type OrderState = (typeof ORDER_STATES)[number];
export const FINAL_ORDER_STATES: readonly OrderState[] = [
  "completed",
  "partly_completed",
  "failed",
  "cancelled",
];

export const ITEM_STATES = [
  "pending",
  "waiting_for_key",
  "sending",
  "delivered",
  "opened",
  "works",
  "failed",
  "cancelled",
] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export const LEVELS = ["delivered", "opened", "works"] as const;
export type Level = (typeof LEVELS)[number];
/** 0 for a state that is no level yet; 1 delivered, 2 opened, 3 works. */
export const rankOf = (state: ItemState | Level): number => LEVELS.indexOf(state as Level) + 1;

export const ORDER_CAUSES = ["first_registration", "sim_moved", "requested"] as const;
export type OrderCause = (typeof ORDER_CAUSES)[number];
export type Verdict = "ended" | "supported" | "unknown";
export type NetworkKind = "mno" | "mvno" | "secondary" | "tertiary";

/** Where a thing stands and what happens next: no state without all of them. */
export type Standing<State> = {
  readonly state: State;
  /** A sentence for people: why it stands here. */
  readonly reason: string;
  /** What is done next, and by whom; "none" in a final state. */
  readonly nextAction: string;
  /** ISO time; null only in a final state. */
  readonly deadlineAt: string | null;
};
