/** An order in memory, read under its lock, changed by decisions and written with them; and what it is about. */

import type { KeySource } from "../operator/operator-terms.ts";
import type { FeeTerms } from "../settlement/charge.ts";
import type { SeenSymptom } from "../support/symptoms.ts";
import type { KeyState } from "./device-key.ts";
import type { CarrierMessage } from "./message.ts";
import type { ItemKind, ItemState, OrderCause, OrderState, Verdict } from "./order.ts";
import type { ItemRequest, RequestDraft } from "./request-draft.ts";

/** Who and what an order is about, unsealed: lives in memory only, never in a row, a log or an error. */
export type Subscriber = {
  readonly imsi: string;
  readonly imei: string;
  readonly msisdn: string | null;
  readonly iccid: string | null;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly homePlmn: string;
  /** When its number became another SIM's, or it got another: what the former number proved before counts no more. */
  readonly numberLostAt?: Date | null;
  /** The number that it had when the order came, where it lost that since: what was done by it is taken back by it. */
  readonly formerMsisdn?: string;
};

export type ItemDraft = {
  readonly id: string;
  readonly kind: ItemKind;
  state: ItemState;
  cause: string | null;
  reason: string;
  nextAction: string;
  deadlineAt: Date | null;
  attempt: number;
  message: CarrierMessage | null;
  keyId: string | null;
  readonly keySource: KeySource | null;
  /** How far its key came, whatever became of the item since; null without a key. */
  keyState: KeyState | null;
  /** What its key costs; null without a key. */
  feeTerms: FeeTerms | null;
  /** Access points that it sets, in lower case, each once. */
  apns: readonly string[];
  /** Those of them on which traffic was seen since it was handed over. */
  apnsSeen: readonly string[];
  /** Applications of the handset that were seen to work over one of them, and with which server: `mms@mmsc.example`. */
  applicationsSeen: readonly string[];
  /** Of a feature or service: what was asked for and what is known of it so far. */
  subject: ItemRequest | null;
  isNew: boolean;
  changed: boolean;
};

export type OrderDraft = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly cause: OrderCause;
  readonly createdAt: Date;
  state: OrderState;
  reason: string;
  nextAction: string;
  dueAt: Date | null;
  deadlineAt: Date | null;
  /** Sends of that of its items which was sent most often. */
  attempts: number;
  /** ISO 3166 country of a listed market, where it is of one, and MCC and MNC of the network that served the device. */
  readonly market?: string | null;
  readonly servingPlmn?: string | null;
  make: string | null;
  model: string | null;
  verdict: Verdict | null;
  verdictReasons: unknown;
  /** The version of the policy that judged it; null before a verdict, and of one of an earlier release. */
  policyVersion: number | null;
  items: ItemDraft[];
  /** What a request has beside its order; null for an order that the network opened. */
  request: RequestDraft | null;
  changed: boolean;
};

/** An order whose next action is due, with all that the action needs. */
export type DueOrder = {
  readonly order: OrderDraft;
  readonly subject: Subscriber;
  /** The SIM was seen in another handset since, or anew in this one: a younger order does its work. */
  readonly isSuperseded: boolean;
  /** What the network saw its applications fail at, newest first. */
  readonly symptoms: readonly SeenSymptom[];
};
