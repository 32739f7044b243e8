/**
 * The order and its items: states, levels of proof, and the one table that says which event moves what.
 *
 * Order that the network opened (US 11,109,201), or a person for it:
 *         received -> provisioning -> completed | partly_completed | failed
 *         received -> waiting (for an MSISDN, an access point, or a fault put right) -> provisioning | failed
 *         any state that is not final -> cancelled (by a person, or since a younger order takes its place)
 *         failed -> partly_completed -> completed by late proof;   partly_completed, failed -> provisioning by a resend
 * Order that a device, or somebody for it, asked for (US 6,647,260):
 *         received -> verifying -> rejected                            a known device takes the short road past it
 *         received, verifying -> awaiting_consent -> declined | expired | provisioning     past it where no terms are to be agreed to
 *         received, verifying -> provisioning | failed (nothing of it can be had)
 *
 * Item:   settings, key
 *         pending -> sending -> delivered -> opened -> works
 *         pending -> waiting_for_key -> sending | failed (the settings that waited for the key go alone)
 *         sending -> sending (resend) | failed;  any state that is not final -> failed | cancelled
 * Item:   feature
 *         pending -> sending -> delivered (fetched, or receipts) -> opened (the client has it) -> works (the device's own word)
 *         sending, delivered, opened -> awaiting_choice (the device failed it) -> sending (retransmission) | failed
 * Item:   service
 *         pending -> registering -> registered -> access_data_sent
 *         registering -> needs_information (just those fields) -> registering | failed
 * Item:   of another provisioning server
 *         pending -> forwarded (it has the request) -> works | failed, by its word alone
 *
 * `delivered`: receipts for all parts, or the content was fetched. `opened`: the client on the device reported it, or the
 * page of a link was opened. `works`: traffic on each new access point (traffic.ts), the maker's server saw the device, or the device
 * confirmed the installation. A higher level implies the lower ones; proof that comes again or late at a lower level
 * changes nothing.
 */

import { LEVELS, type Level } from "../operator/policy.ts";

export const ORDER_STATES = [
  "received",
  "waiting",
  "verifying",
  "awaiting_consent",
  "provisioning",
  "completed",
  "partly_completed",
  "failed",
  "cancelled",
  "rejected",
  "declined",
  "expired",
] as const;
export type OrderState = (typeof ORDER_STATES)[number];
export const FINAL_ORDER_STATES: readonly OrderState[] = [
  "completed",
  "partly_completed",
  "failed",
  "cancelled",
  "rejected",
  "declined",
  "expired",
];

export const ITEM_KINDS = ["settings", "key", "feature", "service"] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

export const ITEM_STATES = [
  "pending",
  "waiting_for_key",
  "sending",
  "delivered",
  "opened",
  "works",
  "awaiting_choice",
  "registering",
  "needs_information",
  "registered",
  "access_data_sent",
  "forwarded",
  "failed",
  "cancelled",
] as const;
export type ItemState = (typeof ITEM_STATES)[number];

const STATES_BY_RANK: readonly string[] = LEVELS;
/** 0 for a state that is no level yet; 1 delivered, 2 opened, 3 works. */
export const rankOf = (state: ItemState | Level): number => STATES_BY_RANK.indexOf(state) + 1;
/** Something of it is there, though not all. */
export const isPartlyDone = (state: ItemState): boolean =>
  rankOf(state) > 0 || state === "registered" || state === "access_data_sent";

/** Orders that the network opens, or a person for a handset. */
export const SPINE_CAUSES = ["first_registration", "sim_moved", "requested"] as const;
/** Orders that somebody asked for with a selection: who brought them. */
export const CHANNELS = ["self_service", "representative", "telephone", "partner", "offer"] as const;
export type Channel = (typeof CHANNELS)[number];
export const ORDER_CAUSES = [...SPINE_CAUSES, ...CHANNELS] as const;
export type OrderCause = (typeof ORDER_CAUSES)[number];
export const VERDICTS = ["ended", "supported", "unknown"] as const;
export type Verdict = (typeof VERDICTS)[number];
