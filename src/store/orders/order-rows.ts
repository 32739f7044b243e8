/** The tables of an order as the conductor's drafts and back: columns, bulk writers, and rows read into drafts. */
import { writeCallBody } from "../../kernel/calls/call-body.ts";
import type {
  CallChange,
  ChangeSet,
  ChargeChange,
  KeyChange,
  KeyTransfer,
  NewCall,
  NewCharge,
  NewKey,
  NewLink,
  NewMessage,
  NewPayload,
  NewPosting,
} from "../../kernel/order/change-set.ts";
import { KEY_STATES } from "../../kernel/order/device-key.ts";
import type { ItemDraft, OrderDraft } from "../../kernel/order/order-draft.ts";
import type { FeeTerms } from "../../kernel/settlement/charge.ts";
import { bulkInsert, bulkUpdate } from "../database/bulk.ts";
import type { Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { insertSteps, stepsOf } from "./event-rows.ts";
import { slotOf } from "./updated-slot.ts";

const sqlList = (words: readonly string[]): string =>
  `array[${words.map((word) => `'${word}'`).join(", ")}]::text[]`;

type ItemOf = { readonly order: OrderDraft; readonly item: ItemDraft; readonly now: Date };
type At<Row> = Row & { readonly now: Date };
type Sealed<Row> = Row & { readonly now: Date; readonly sealed: Buffer };

const insertPayloads = bulkInsert<Sealed<NewPayload>>("payload", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "kind", type: "text", value: (row) => row.kind },
  { name: "protocol", type: "text", value: (row) => row.protocol },
  { name: "sec", type: "text", value: (row) => row.sec },
  { name: "octets", type: "integer", value: (row) => row.bytes.length },
  { name: "sealed", type: "bytea", value: (row) => row.sealed },
  { name: "unconfirmed", type: "boolean", value: (row) => row.unconfirmed === true },
  { name: "bearer", type: "text", value: ({ air }) => air?.bearer },
  { name: "channel", type: "text", value: ({ air }) => air?.channel },
  { name: "channel_rule", type: "text", value: ({ air }) => air?.rule },
  { name: "part_octets", type: "integer", value: ({ air }) => air?.partOctets },
  { name: "created_at", type: "timestamptz", value: (row) => row.now },
]);

const insertMessages = bulkInsert<At<NewMessage> & { readonly destinationSealed: Buffer | null }>(
  "message",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "order_id", type: "uuid", value: (row) => row.orderId },
    { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
    { name: "destination_sealed", type: "bytea", value: (row) => row.destinationSealed },
    { name: "payload_id", type: "uuid", value: (row) => row.payloadId },
    { name: "kind", type: "text", value: (row) => row.kind },
    { name: "idempotency_key", type: "text", value: (row) => row.idempotencyKey },
    { name: "reference", type: "integer", value: (row) => row.reference },
    { name: "part_count", type: "integer", value: (row) => row.partCount },
    { name: "state", type: "text", value: () => "queued" },
    { name: "reason", type: "text", value: () => "waits for its turn at the SMSC" },
    { name: "due_at", type: "timestamptz", value: (row) => row.dueAt },
    { name: "expires_at", type: "timestamptz", value: (row) => row.expiresAt },
    { name: "is_unasked", type: "boolean", value: (row) => row.isUnasked ?? false },
    { name: "created_at", type: "timestamptz", value: (row) => row.now },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  "on conflict (operator_id, idempotency_key) do nothing",
);

const insertKeys = bulkInsert<Sealed<NewKey>>("device_key", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "order_id", type: "uuid", value: (row) => row.orderId },
  { name: "device_id", type: "uuid", value: (row) => row.deviceId },
  { name: "source", type: "text", value: (row) => row.source },
  { name: "issuer", type: "text", value: (row) => row.issuer },
  { name: "reference", type: "bytea", value: (row) => Buffer.from(row.reference) },
  { name: "sealed", type: "bytea", value: (row) => row.sealed },
  { name: "state", type: "text", value: () => "issued" },
  { name: "not_after", type: "timestamptz", value: (row) => row.notAfter },
  { name: "issued_at", type: "timestamptz", value: (row) => row.now },
  { name: "updated_at", type: "timestamptz", value: (row) => row.now },
]);

/** As it stands in its row: JSON has no integers of money's size. */
export type FeeTermsRow = Omit<FeeTerms, "feeMinor"> & { readonly feeMinor: string };
const feeTermsRow = (terms: FeeTerms | null): FeeTermsRow | null =>
  terms && { ...terms, feeMinor: String(terms.feeMinor) };

export const feeTermsOfRow = (row: FeeTermsRow | null): FeeTerms | null =>
  row && { ...row, feeMinor: BigInt(row.feeMinor) };

const ITEM_STATE = [
  { name: "id", type: "uuid", value: ({ item }: ItemOf) => item.id },
  { name: "state", type: "text", value: ({ item }: ItemOf) => item.state },
  { name: "cause", type: "text", value: ({ item }: ItemOf) => item.cause },
  { name: "reason", type: "text", value: ({ item }: ItemOf) => item.reason },
  { name: "next_action", type: "text", value: ({ item }: ItemOf) => item.nextAction },
  { name: "deadline_at", type: "timestamptz", value: ({ item }: ItemOf) => item.deadlineAt },
  { name: "attempt", type: "integer", value: ({ item }: ItemOf) => item.attempt },
  { name: "message_id", type: "uuid", value: ({ item }: ItemOf) => item.message?.id },
  { name: "key_id", type: "uuid", value: ({ item }: ItemOf) => item.keyId },
  { name: "apns", type: "text[]", value: ({ item }: ItemOf) => item.apns },
  { name: "apns_seen", type: "text[]", value: ({ item }: ItemOf) => item.apnsSeen },
  { name: "applications_seen", type: "text[]", value: ({ item }: ItemOf) => item.applicationsSeen },
  { name: "fee_terms", type: "jsonb", value: ({ item }: ItemOf) => feeTermsRow(item.feeTerms) },
  { name: "subject", type: "jsonb", value: ({ item }: ItemOf) => item.subject },
  { name: "updated_at", type: "timestamptz", value: ({ now }: ItemOf) => now },
];
const insertItems = bulkInsert<ItemOf>("order_item", [
  ...ITEM_STATE,
  { name: "operator_id", type: "uuid", value: ({ order }) => order.operatorId },
  { name: "order_id", type: "uuid", value: ({ order }) => order.id },
  { name: "kind", type: "text", value: ({ item }) => item.kind },
]);
const updateItems = bulkUpdate<ItemOf>("order_item", ITEM_STATE);

const updateOrders = bulkUpdate<At<OrderDraft>>(
  "provisioning_order",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "state", type: "text", value: (row) => row.state },
    { name: "reason", type: "text", value: (row) => row.reason },
    { name: "next_action", type: "text", value: (row) => row.nextAction },
    { name: "due_at", type: "timestamptz", value: (row) => row.dueAt },
    { name: "deadline_at", type: "timestamptz", value: (row) => row.deadlineAt },
    { name: "sends", type: "integer", value: (row) => row.attempts },
    { name: "make", type: "text", value: (row) => row.make },
    { name: "model", type: "text", value: (row) => row.model },
    { name: "verdict", type: "text", value: (row) => row.verdict },
    { name: "verdict_reasons", type: "jsonb", value: (row) => row.verdictReasons },
    { name: "policy_version", type: "integer", value: (row) => row.policyVersion },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  {
    also: `ended_at = case when v.due_at is null then v.updated_at end, updated_slot = ${slotOf("v.updated_at")}`,
  },
);

/** Of what is somebody's in the body of a call. */
export const CALL_DOMAIN = "call";
const insertCalls = bulkInsert<At<NewCall> & { readonly sealed: Buffer | null }>(
  "outbound_call",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "order_id", type: "uuid", value: (row) => row.orderId },
    { name: "item_id", type: "uuid", value: (row) => row.itemId },
    { name: "kind", type: "text", value: (row) => row.kind },
    { name: "idempotency_key", type: "text", value: (row) => row.idempotencyKey },
    { name: "body", type: "jsonb", value: (row) => writeCallBody(row) },
    { name: "sealed", type: "bytea", value: (row) => row.sealed },
    { name: "state", type: "text", value: () => "due" },
    { name: "reason", type: "text", value: () => "waits for its turn" },
    { name: "due_at", type: "timestamptz", value: (row) => row.dueAt },
    { name: "deadline_at", type: "timestamptz", value: (row) => row.deadlineAt },
    { name: "created_at", type: "timestamptz", value: (row) => row.now },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  "on conflict (operator_id, kind, idempotency_key) do nothing",
);
const updateCalls = bulkUpdate<At<CallChange>>(
  "outbound_call",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "state", type: "text", value: (row) => row.state },
    { name: "reason", type: "text", value: (row) => row.reason },
    { name: "due_at", type: "timestamptz", value: (row) => row.dueAt },
    { name: "body", type: "jsonb", value: (row) => row.content && writeCallBody(row.content), keep: true },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  // A late answer of a second caller does not bring back what the first one ended; what ended keeps nobody's data.
  {
    also: "lease_until = null, sealed = case when v.due_at is null then null else t.sealed end",
    where: "and t.state = 'due'",
  },
);

const insertCharges = bulkInsert<At<NewCharge>>(
  "charge",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "order_id", type: "uuid", value: (row) => row.orderId },
    { name: "item_id", type: "uuid", value: (row) => row.itemId },
    { name: "make", type: "text", value: (row) => row.make },
    { name: "key_source", type: "text", value: (row) => row.keySource },
    { name: "fee_minor", type: "bigint", value: (row) => String(row.feeMinor) },
    { name: "portion_minor", type: "bigint", value: (row) => String(row.portionMinor) },
    { name: "currency", type: "text", value: (row) => row.currency },
    { name: "level", type: "text", value: (row) => row.level },
    { name: "state", type: "text", value: () => "requested" },
    { name: "reason", type: "text", value: (row) => row.reason },
    { name: "created_at", type: "timestamptz", value: (row) => row.now },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  "on conflict (item_id) do nothing",
);
const updateCharges = bulkUpdate<At<ChargeChange>>("charge", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "state", type: "text", value: (row) => row.state },
  { name: "reason", type: "text", value: (row) => row.reason },
  { name: "bank_reference", type: "text", value: (row) => row.bankReference, keep: true },
  { name: "payout_reference", type: "text", value: (row) => row.payoutReference, keep: true },
  { name: "updated_at", type: "timestamptz", value: (row) => row.now },
]);

const insertPostings = bulkInsert<At<NewPosting>>(
  "posting",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "reference", type: "text", value: (row) => row.reference },
    { name: "charge_id", type: "uuid", value: (row) => row.chargeId },
    { name: "debit", type: "text", value: (row) => row.debit },
    { name: "credit", type: "text", value: (row) => row.credit },
    { name: "amount_minor", type: "bigint", value: (row) => String(row.amountMinor) },
    { name: "currency", type: "text", value: (row) => row.currency },
    { name: "booked_at", type: "timestamptz", value: (row) => row.now },
  ],
  "on conflict (operator_id, reference) do nothing",
);

const insertLinks = bulkInsert<Sealed<NewLink>>("link", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "order_id", type: "uuid", value: (row) => row.orderId },
  { name: "item_id", type: "uuid", value: (row) => row.itemId },
  { name: "token_hash", type: "bytea", value: (row) => Buffer.from(row.tokenHash) },
  { name: "settings_sealed", type: "bytea", value: (row) => row.sealed },
  { name: "expires_at", type: "timestamptz", value: (row) => row.expiresAt },
]);

/** Under another order a key begins anew, whatever became of it under the one before. */
const transferKeys = bulkUpdate<Sealed<KeyTransfer>>(
  "device_key",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "order_id", type: "uuid", value: (row) => row.orderId },
    { name: "issuer", type: "text", value: (row) => row.issuer },
    { name: "sealed", type: "bytea", value: (row) => row.sealed },
    { name: "not_after", type: "timestamptz", value: (row) => row.notAfter },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  { also: "state = 'issued', issued_at = v.updated_at" },
);

/** A key only goes forward: late proof of its use does not undo its deletion. */
const updateKeys = bulkUpdate<At<KeyChange>>(
  "device_key",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "state", type: "text", value: (row) => row.state },
    { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  ],
  {
    where: `and array_position(${sqlList(KEY_STATES)}, t.state) < array_position(${sqlList(KEY_STATES)}, v.state)`,
  },
);

const EXTEND_LINKS = {
  name: "extend_links", // link_of_order
  text: `update link l set expires_at = greatest(l.expires_at, v.expires_at)
           from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v(order_id, item_id, expires_at)
          where l.order_id = v.order_id and l.item_id = v.item_id
            and not exists (select from link n where n.order_id = l.order_id and n.item_id = l.item_id and n.id > l.id)`,
};

/** What only carried somebody's data to be looked at or read. Registrations and the network's elements are taken back instead. */
const WITHDRAW_CALLS = {
  name: "withdraw_calls", // outbound_call_of_order
  text: `update outbound_call set state = 'given_up', reason = 'the request ended before it was made', due_at = null,
                sealed = null, updated_at = $2
          where order_id = any($1::uuid[]) and state = 'due'
            and (kind = 'forward_request' or (attempts = 0 and kind in ('identity_check', 'card_check', 'mail_notice')))`,
};
const CANCEL_MESSAGES = {
  name: "cancel_messages",
  text: `update message set state = 'cancelled', reason = 'no longer wanted', due_at = null, lease_until = null, updated_at = $2
          where id = any($1::uuid[]) and state in ('queued', 'submitting')`,
};

/**
 * Sends a change set; parents before children, what others refer to first. Nothing waits for an answer: the transaction
 * fails where one of the statements does.
 */
export function writeChanges(tx: Tx, sealer: Sealer, changes: ChangeSet, now: Date): void {
  const at = <Row>(rows: readonly Row[]): At<Row>[] => rows.map((row) => ({ ...row, now }));
  const items = changes.orders.flatMap((order) => order.items.map((item) => ({ order, item, now })));
  insertPayloads.send(
    tx,
    at(changes.payloads).map((row) => ({ ...row, sealed: sealer.seal("payload", row.bytes) })),
  );
  insertMessages.send(
    tx,
    at(changes.messages).map((row) => ({
      ...row,
      destinationSealed: row.destination === null ? null : sealer.seal("msisdn", row.destination),
    })),
  );
  if (changes.cancelledMessages.length > 0) tx.send(CANCEL_MESSAGES, [changes.cancelledMessages, now]);
  insertKeys.send(
    tx,
    at(changes.keys).map((row) => ({ ...row, sealed: sealer.seal("device_key", row.bytes) })),
  );
  const transfers = at(changes.keyTransfers).map((row) => ({
    ...row,
    sealed: sealer.seal("device_key", row.bytes),
  }));
  transferKeys.send(tx, transfers);
  insertItems.send(
    tx,
    items.filter(({ item }) => item.isNew),
  );
  updateItems.send(
    tx,
    items.filter(({ item }) => item.changed && !item.isNew),
  );
  updateOrders.send(tx, at(changes.orders.filter(({ changed }) => changed)));
  insertLinks.send(
    tx,
    at(changes.links).map((row) => ({
      ...row,
      sealed: sealer.seal("settings", JSON.stringify(row.settings)),
    })),
  );
  if (changes.linkExtensions.length > 0) {
    tx.send(EXTEND_LINKS, [
      changes.linkExtensions.map(({ orderId }) => orderId),
      changes.linkExtensions.map(({ itemId }) => itemId),
      changes.linkExtensions.map(({ expiresAt }) => expiresAt),
    ]);
  }
  if (changes.withdrawnCalls.length > 0) tx.send(WITHDRAW_CALLS, [changes.withdrawnCalls, now]);
  insertCalls.send(
    tx,
    at(changes.calls).map((row) => ({
      ...row,
      sealed: row.secret === undefined ? null : sealer.seal(CALL_DOMAIN, JSON.stringify(row.secret)),
    })),
  );
  updateCalls.send(tx, at(changes.callChanges));
  insertCharges.send(tx, at(changes.charges));
  updateCharges.send(tx, at(changes.chargeChanges));
  insertPostings.send(tx, at(changes.postings));
  updateKeys.send(tx, at(furthestOf(changes.keyChanges)));
  const worked = changes.workingApplications;
  if (worked.length > 0)
    tx.send(END_SYMPTOMS, [
      worked.map(({ deviceId }) => deviceId),
      worked.map(({ application }) => application),
      worked.map(({ server }) => server),
    ]);
  insertSteps.send(tx, stepsOf(changes.events));
}

/** Of that application alone: what nobody saw work is as it was (R106). */
const END_SYMPTOMS = {
  name: "end_symptoms_of_applications", // device_pkey, symptom_pkey
  text: `delete from symptom s using device d, unnest($1::uuid[], $2::text[], $3::text[]) as v(device_id, application, server)
          where d.id = v.device_id and s.operator_id = d.operator_id and s.imei_index = d.imei_index
            and s.application = v.application and s.server = coalesce(v.server, s.server)`,
};

/** One statement may not touch a row twice: of several changes of one key the one that goes furthest holds. */
const furthestOf = (changes: readonly KeyChange[]): KeyChange[] => {
  const rank = ({ state }: KeyChange): number => KEY_STATES.indexOf(state);
  return [
    ...new Map(
      [...changes].sort((one, other) => rank(one) - rank(other)).map((change) => [change.id, change]),
    ).values(),
  ];
};
