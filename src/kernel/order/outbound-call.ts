/**
 * What another company's machine is asked or told: durable, made until it is answered or its deadline passes. Each kind says
 * what it holds: `body` ids and amounts alone, `secret` what is somebody's data, sealed at rest and wiped when the call ends.
 */
import { isOneOf } from "../../term/narrow.ts";
import type { BILLING_NOTICES, BilledAccount } from "../../wire/message/billing-api.ts";
import type { UserData } from "../account/user-data.ts";
import type { Assurance, NetworkElement } from "../catalog/catalog-item.ts";
import type { TermsChannel } from "../operator/request-policy.ts";
import type { CollectionPurpose } from "../settlement/collection.ts";

/** `account` and `account_change` are of whom is billed; the others of one item. */
export type BillingNotice = (typeof BILLING_NOTICES)[number];

type Action = "add" | "remove";
type Fields = Readonly<Record<string, string>>;

/** What each kind of call says beside whose it is. */
export type CallBodies = {
  /** `from`: asked for at its maker, or taken from the maker's keys that were stored beforehand. */
  readonly key_request: { readonly itemId: string; readonly from: "maker" | "stock" };
  readonly download_notice: { readonly keyId: string; readonly at: Date };
  readonly fee_request: Sum & { readonly chargeId: string };
  readonly portion_payment: Sum & { readonly chargeId: string; readonly make: string };
  readonly remittance_notice: Sum & { readonly paymentId: string; readonly keyId: string; readonly at: Date };
  readonly identity_check: Readonly<Record<never, never>>;
  readonly card_check: Sum;
  readonly collection: Sum & {
    readonly collectionId: string;
    readonly purpose: CollectionPurpose;
    /** 0: what is due with the order; n: the n-th month after it. */
    readonly period: number;
    /** Each refusal that is tried again is a call of its own. */
    readonly attempt: number;
  };
  readonly service_registration: {
    /** `change`: of a user that is registered, to what is given now; `restore`: back to what was given before. */
    readonly action: "register" | "change" | "restore" | "remove";
    /** Its URI. */
    readonly service: string;
    readonly registrationId: string;
    /** The server's own id of it, where it is known. */
    readonly remoteId: string | null;
    /** Of a registration. */
    readonly language: string | null;
  };
  readonly element_task: {
    readonly element: NetworkElement;
    readonly action: Action;
    readonly catalogId: string;
    /** It takes back what an earlier task did. */
    readonly undo: boolean;
  };
  readonly billing_notice: {
    readonly kind: BillingNotice;
    readonly catalogId: string | null;
    readonly action: Action;
    readonly onceMinor: number;
    readonly monthlyMinor: number;
    readonly currency: string | null;
    /** Of commit and abort: the id of the call that prepared it. */
    readonly prepared: string | null;
  };
  readonly mail_notice: { readonly channel: TermsChannel; readonly language: string };
  readonly forward_request: {
    /** Its origin. */
    readonly server: string;
    readonly action: Action;
    /** Ids of that server's catalog. */
    readonly selection: readonly string[];
    readonly language: string;
    readonly assurance: Assurance;
    /** What that server calls it, once it has said that it has it. */
    readonly reference: string | null;
  };
  readonly server_notice: {
    readonly role: ServerRole;
    /** The element, or the provider's URI. */
    readonly server: string;
    /** Of a provider: whose registration it is, by our id and by its own. */
    readonly registrationId: string | null;
    readonly remoteId: string | null;
    readonly event: ProvisioningEvent;
    /** Catalog ids; `settings` and `key` of what the network had done; `handset`, `number`, `account` of what changed by itself. */
    readonly items: readonly string[];
    /** The device's, where it is known. */
    readonly make: string | null;
    readonly model: string | null;
    readonly at: Date;
  };
};

/** What a server that serves the device is told of. */
export const PROVISIONING_EVENTS = ["provisioned", "changed", "removed"] as const;
export type ProvisioningEvent = (typeof PROVISIONING_EVENTS)[number];
export const SERVER_ROLES = ["element", "service", "billing"] as const;
export type ServerRole = (typeof SERVER_ROLES)[number];

type Sum = { readonly amountMinor: bigint; readonly currency: string };

/** What each kind of call carries of somebody; the others carry nothing. */
type CallSecrets = {
  readonly identity_check: { readonly user: UserData };
  readonly card_check: { readonly token: string };
  /** `mandate`: of a bank account, by what it may be collected from. */
  readonly collection: { readonly token: string; readonly mandate: string | null };
  readonly service_registration: { readonly user: UserData; readonly fields: Fields };
  readonly element_task: { readonly values: Fields };
  readonly billing_notice: { readonly account: BilledAccount };
  readonly mail_notice: { readonly address: string; readonly subject: string; readonly text: string };
  readonly forward_request: {
    readonly user: UserData;
    /** By catalog id and name. */
    readonly fields: Readonly<Record<string, Fields>>;
    /** In base64; null where the device gave none. */
    readonly noticeKey: string | null;
    /** Left out in a call of the release before. */
    readonly msisdn?: string | null;
  };
};

export const CALL_KINDS = [
  "key_request",
  "download_notice",
  "fee_request",
  "portion_payment",
  "remittance_notice",
  "identity_check",
  "card_check",
  "service_registration",
  "element_task",
  "billing_notice",
  "mail_notice",
  "forward_request",
  "server_notice",
  "collection",
] as const satisfies readonly (keyof CallBodies)[];
export type CallKind = (typeof CALL_KINDS)[number];

type SecretOf<Kind extends CallKind> = Kind extends keyof CallSecrets ? CallSecrets[Kind] : never;

/** What a call says, by its kind. `secret` is undefined where it carries nothing, or where its seal does not open. */
export type CallContent<Kind extends CallKind = CallKind> = {
  [One in Kind]: {
    readonly kind: One;
    readonly body: CallBodies[One];
    readonly secret?: SecretOf<One> | undefined;
  };
}[Kind];

type CallIds = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string | null;
};

/** A call, leased to one caller. */
export type OutboundCall<Kind extends CallKind = CallKind> = CallContent<Kind> &
  CallIds & {
    readonly attempts: number;
    readonly deadlineAt: Date;
    readonly createdAt: Date;
  };

/** A call whose row cannot be read: it is given up, and stops no other. */
export type UnreadableCall = CallIds & { readonly kind: CallKind; readonly body: null };

/** A call of an order that is still to be made, or being made. */
export type OpenCall = CallContent & {
  readonly id: string;
  readonly itemId: string | null;
  readonly attempts: number;
  /** Until then one caller has it. */
  readonly leaseUntil: Date | null;
};

/** Calls of orders that somebody asked for, made by the connectors as `server_notice` is, which is of all orders. */
export const REQUEST_CALL_KINDS = [
  "identity_check",
  "card_check",
  "service_registration",
  "element_task",
  "billing_notice",
  "mail_notice",
  "forward_request",
  "collection",
] as const satisfies readonly CallKind[];
export type RequestCallKind = (typeof REQUEST_CALL_KINDS)[number];
export type RequestCall = OutboundCall<RequestCallKind>;

const isRequestKind = (kind: CallKind): kind is RequestCallKind => isOneOf(REQUEST_CALL_KINDS, kind);
export const isRequestCall = (call: OutboundCall): call is RequestCall => isRequestKind(call.kind);
export const isServerNotice = (call: OutboundCall): call is OutboundCall<"server_notice"> =>
  call.kind === "server_notice";
