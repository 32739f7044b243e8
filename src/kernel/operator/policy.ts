/**
 * What an operator decides about its orders: one value, versioned, checked at the door, read by the conductor.
 * Every switch that the patents leave open ("may") is one field here.
 */
import type { BearerOverrides } from "../../wire/message/bearer-profile.ts";
import type { Bearer } from "../../wire/message/legs.ts";
import type { PolicyTest } from "../support/policy-tests.ts";
import type { QuietHours } from "./quiet-hours.ts";
import { DEFAULT_REQUEST_POLICY, type RequestPolicy } from "./request-policy.ts";
import { KEEP_ALL, type RetentionPolicy } from "./retention.ts";
import { NO_SMS_LIMITS, type SmsLimits } from "./sms-limits.ts";

/** How sure it is that an item is there, least first: what each says stands in `order/order.ts`. */
export const LEVELS = ["delivered", "opened", "works"] as const;
export type Level = (typeof LEVELS)[number];

type FourEyes = {
  /** A second person must approve it (four-eyes principle). */
  readonly secondPerson: boolean;
  /** How long they have; then it is given up. */
  readonly approvalHours: number;
};

export type OrderPolicy = {
  /** A device is left behind when its model was first made more than this many years ago (R86); null: not by age alone. */
  readonly ageCutOffYears: number | null;
  /** 'make/model' or 'make/model*' patterns that count as left behind whatever their age (R87). */
  readonly listedModels: readonly string[];
  /** Send a key to devices that are not left behind too, where there is no deal with their maker (R89). */
  readonly keyWithoutDeal: boolean;
  /** Treat a device whose model is not known as left behind (R77, default road). */
  readonly keyForUnknown: boolean;
  /**
   * Send a key to models of which it is not known whether they run one, where their settings go by OMA CP: the key comes by
   * the same push, and the handset's own report tells the rest. No fee is due for the delivery of such a key alone.
   */
  readonly tryKeys: boolean;
  /** One message with key and settings, or two (R102). */
  readonly package: "together" | "apart";
  /** Also write the key's access points into the settings document, for models that run no key (201 F1:140). */
  readonly keyApnsInSettings: boolean;
  /** Who vouches for an OMA CP message: the IMSI, silently, or a PIN that is sent in a notice of its own. */
  readonly authentication: "netwpin" | "userpin";
  /** How settings go to a model whose over-the-air protocol is not known. */
  readonly unknownProtocol: "omacp" | "link";
  /** What carries messages to a device of which nobody says it (R30). */
  readonly unknownBearer: Bearer;
  /** What bearers carry in the operator's network, where it differs from what is common. */
  readonly bearers: BearerOverrides;
  /** Hosts only (kind `mno`): send shipped, unconfirmed access points where the operator has none of its own. */
  readonly sendUnconfirmed: boolean;
  /** The level at which an item counts as done. */
  readonly doneAt: Level;
  /** Whether settings work once traffic was seen on each access point that they set, or on one of them. */
  readonly worksBy: "each_access_point" | "one_access_point";
  /** What a SIM that returns to a handset it was in before does. */
  readonly returningPair: "open" | "skip";
  /** ISO 3166 countries of the home networks where the region rule marks an order (R84). */
  readonly markets: readonly string[];
  /** What holds for orders of a listed market in place of what stands here, by its country (R128). */
  readonly marketRules: Readonly<Record<string, MarketRules>>;
  /** How often a message is sent again after it failed or expired, before the item fails. */
  readonly resendLimit: number;
  /** Validity of one message at the SMSC, in minutes. */
  readonly messageValidityMinutes: number;
  /** How long an order may wait for proof before it ends with what it has, in hours. */
  readonly proofDeadlineHours: number;
  /** How long an order may wait for a key, an MSISDN or an access point, in hours. */
  readonly waitDeadlineHours: number;
  /** Texts, by name; `{pin}`, `{link}` and `{operator}` are filled in. */
  readonly texts: { readonly pinNotice: string; readonly link: string };
  /** When nothing goes out that nobody asked for; null: at any time. */
  readonly quietHours: QuietHours | null;
  /** The sender that subscribers see: a short code or up to 11 characters. */
  readonly sender: string;
  /** How much of its short messages may leave, wait and be spent. */
  readonly smsLimits: SmsLimits;
  /** Payment files to manufacturers: before anybody has one; what one that is given up would have paid waits for the next. */
  readonly payments: FourEyes;
  /** Changes of this policy, the one that ends this rule too. */
  readonly policyChanges: FourEyes;
  /** How long it keeps what grows with every phone. */
  readonly retention: RetentionPolicy;
  /** Requests of devices, and of others for them. */
  readonly request: RequestPolicy;
  /** What it has to say of devices: it does not go live while one of them fails. */
  readonly tests: readonly PolicyTest[];
};

export const DEFAULT_POLICY: OrderPolicy = {
  ageCutOffYears: null,
  listedModels: [],
  keyWithoutDeal: false,
  keyForUnknown: false,
  tryKeys: true,
  package: "apart",
  keyApnsInSettings: false,
  authentication: "netwpin",
  unknownProtocol: "link",
  unknownBearer: "gsm",
  bearers: {},
  sendUnconfirmed: false,
  doneAt: "works",
  worksBy: "each_access_point",
  returningPair: "open",
  markets: [],
  marketRules: {},
  resendLimit: 3,
  messageValidityMinutes: 1440,
  proofDeadlineHours: 72,
  waitDeadlineHours: 168,
  texts: {
    pinNotice: "{operator}: your phone will ask for a PIN to install its settings. The PIN is {pin}.",
    link: "{operator}: the internet and picture message settings for your phone are at {link}",
  },
  quietHours: null,
  sender: "2948",
  smsLimits: NO_SMS_LIMITS,
  payments: { secondPerson: false, approvalHours: 72 },
  policyChanges: { secondPerson: false, approvalHours: 72 },
  retention: KEEP_ALL,
  request: DEFAULT_REQUEST_POLICY,
  tests: [],
};

/** What a market may have rules of its own for. */
export type MarketRules = Partial<
  Pick<
    OrderPolicy,
    | "ageCutOffYears"
    | "keyWithoutDeal"
    | "keyForUnknown"
    | "tryKeys"
    | "package"
    | "authentication"
    | "unknownProtocol"
    | "unknownBearer"
    | "doneAt"
    | "sender"
  >
>;

/** The policy as it holds for an order of this market; null: of none. */
export function policyIn(policy: OrderPolicy, market: string | null | undefined): OrderPolicy {
  const rules = market ? policy.marketRules[market] : undefined;
  return rules ? { ...policy, ...rules } : policy;
}

/** A policy as an older release wrote it, with the switches that came since as they ship. */
export const withDefaults = (stored: Partial<OrderPolicy> | null): OrderPolicy => {
  const request = { ...DEFAULT_REQUEST_POLICY, ...stored?.request };
  const fraud = { ...DEFAULT_REQUEST_POLICY.fraud, ...stored?.request?.fraud };
  const cardTries = { ...DEFAULT_REQUEST_POLICY.cardTries, ...stored?.request?.cardTries };
  const ownRecords = { ...DEFAULT_REQUEST_POLICY.ownRecords, ...stored?.request?.ownRecords };
  const collection = { ...DEFAULT_REQUEST_POLICY.collection, ...stored?.request?.collection };
  const payments = { ...DEFAULT_POLICY.payments, ...stored?.payments };
  const policyChanges = { ...DEFAULT_POLICY.policyChanges, ...stored?.policyChanges };
  return {
    ...DEFAULT_POLICY,
    ...stored,
    smsLimits: { ...NO_SMS_LIMITS, ...stored?.smsLimits },
    payments,
    policyChanges,
    retention: { ...KEEP_ALL, ...stored?.retention },
    request: { ...request, fraud, cardTries, ownRecords, collection },
  };
};
