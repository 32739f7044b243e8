/**
 * What an operator decides about requests of the device's road: one part of its policy. Every "may" of US 6,647,260 that
 * concerns the provisioning server is one field here.
 */
import { BILLED_FIELDS, type BilledField } from "../../wire/message/billing-api.ts";
import type { Assurance } from "../catalog/catalog-item.ts";
import { DEFAULT_REGISTRATION_POLICY, type RegistrationPolicy } from "../registration/registration-policy.ts";
import { type NoticeTexts, SHIPPED_NOTICES } from "./notice-texts.ts";

/** Channels that terms may go to beside the SMS, where an address is known (R52). */
export const TERMS_CHANNELS = ["mail", "fax"] as const;

export type TermsChannel = (typeof TERMS_CHANNELS)[number];

/** Who collects what requests cost, and what becomes of a sum that is refused. */
type CollectionPolicy = {
  /** The billing centre, which is told of sums; or this server by the token that the subscriber left, and it is told of none. */
  readonly by: "billing_centre" | "token";
  /** How often a sum is asked for again that was refused for now, as for want of funds. */
  readonly retries: number;
  readonly retryAfterHours: number;
  /**
   * After a sum came back: what is due later is collected, but from nothing that its bank closed to us; or nothing of that subscriber
   * until what came back is paid. `by_reason` where left out. What was provisioned stays.
   */
  readonly afterReturn?: "by_reason" | "hold" | undefined;
};

export type RequestPolicy = RegistrationPolicy & {
  /** How sure we must be who asks, whatever is asked for. */
  readonly minimumAssurance: Assurance;
  /** The most that a partner's word for its customer counts. */
  readonly partnerAssurance: Assurance;
  /** How long checks may take before they count as a no. */
  readonly verificationDeadlineMinutes: number;
  readonly consentDeadlineHours: number;
  /** Where terms go beside the SMS, which they always go by. */
  readonly termsAlsoBy: readonly TermsChannel[];
  /** What becomes of the request when a channel, SMS included, does not take the terms before they were answered. */
  readonly termsNotSent: "continue" | "stop";
  /** For the user's answer after a failed installation, and for fields that a service misses. */
  readonly choiceDeadlineHours: number;
  /** How long a service server and elements of the network may take. */
  readonly serviceDeadlineHours: number;
  readonly retransmissionLimit: number;
  /** How often a subscriber may have one order sent again within a day, without a person; 0: never. */
  readonly selfCareResendsMax: number;
  /** Of the periodic status; null sends none. */
  readonly statusIntervalMinutes: number | null;
  /** What becomes of the rest when an item cannot be had, or stands in conflict. */
  readonly unavailableItem: "continue" | "stop";
  readonly conflictingItem: "continue" | "stop";
  /** Content of at most so many octets goes in the notice itself, by SMS. 0: content always goes wideband. */
  readonly narrowbandContentOctets: number;
  /** What the billing centre is told of an account; what it does not need stays here. */
  readonly billingFields: readonly BilledField[];
  readonly collection: CollectionPolicy;
  readonly offerDays: number;
  /** So long after a no to an offer the same item is not offered again; 0: at once. */
  readonly offerPauseDays: number;
  /** Words that mean yes and no in a reply by text, beside those that every operator's subscribers have; case does not count. */
  readonly acceptWords: readonly string[];
  readonly declineWords: readonly string[];
  /** By BCP 47 language; a text that a language lacks is taken from `en`, and one that `en` lacks from the shipped ones. */
  readonly notices: Readonly<Record<string, Partial<NoticeTexts>>>;
};

export const DEFAULT_REQUEST_POLICY: RequestPolicy = {
  ...DEFAULT_REGISTRATION_POLICY,
  minimumAssurance: "otp",
  partnerAssurance: "otp",
  verificationDeadlineMinutes: 60,
  consentDeadlineHours: 48,
  termsAlsoBy: ["mail", "fax"],
  termsNotSent: "continue",
  choiceDeadlineHours: 48,
  serviceDeadlineHours: 24,
  retransmissionLimit: 3,
  selfCareResendsMax: 3,
  statusIntervalMinutes: 720,
  unavailableItem: "continue",
  conflictingItem: "continue",
  narrowbandContentOctets: 0,
  billingFields: BILLED_FIELDS,
  collection: { by: "billing_centre", retries: 3, retryAfterHours: 72 },
  offerDays: 14,
  offerPauseDays: 90,
  acceptWords: [],
  declineWords: [],
  notices: SHIPPED_NOTICES,
};
