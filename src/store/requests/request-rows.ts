/**
 * What a request has beside its order, as drafts and back. What is somebody's own stands sealed, each kind under a domain
 * of its own: user data and fields, notice keys, registration data, access data.
 */

import type { AccountBooks } from "../../kernel/account/account-books.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import { CHANNELS } from "../../kernel/order/order.ts";
import type { OrderDraft } from "../../kernel/order/order-draft.ts";
import type {
  ConsentDraft,
  NewOffer,
  NewProvisionedItem,
  RegistrationDraft,
  RequestDraft,
} from "../../kernel/order/request-draft.ts";
import type { NewRequestOrder, OfferRow } from "../../kernel/order/request-store.ts";
import { isOneOf } from "../../term/narrow.ts";
import { keyReferenceOf } from "../../wire/message/sealed-message.ts";
import { bulkInsert, bulkUpdate } from "../database/bulk.ts";
import type { Db } from "../database/database.ts";
import { tookInThePast } from "../orders/past-messages.ts";
import type { Sealer } from "../seal/seal.ts";
import { accountBooksOf, NO_BOOKS, toldSealed } from "./account-books.ts";
import { mandateIn, putAccount } from "./account-store.ts";
import { cardRefusedLater } from "./card-tries.ts";
import { addRecordTries } from "./record-rows.ts";

const DOMAIN = {
  user: "request_user",
  noticeKey: "notice_key",
  registration: "registration_data",
  access: "access_data",
  given: "provisioned_given",
  offered: "offer_given",
} as const;

// Reading.

type RequestRow = {
  readonly orderId: string;
  readonly reference: string;
  readonly action: RequestDraft["action"];
  readonly selection: readonly string[];
  readonly actor: string;
  readonly assurance: RequestDraft["assurance"];
  readonly language: string;
  readonly bearer: string | null;
  readonly hasClient: boolean;
  readonly user_sealed: Buffer | null;
  readonly notice_key_sealed: Buffer | null;
  readonly card_token: string | null;
  readonly card_index: Buffer | null;
  readonly card_digits: string | null;
  readonly mandate_reference: string | null;
  readonly mandate_signed_on: string | null;
  readonly verification: RequestDraft["verification"];
  readonly nextNoticeAt: Date | null;
  readonly accountId: string | null;
  readonly accountState: "verified" | "registered" | "closed";
};
const REQUESTS_OF = {
  name: "requests_of", // request_pkey, user_account_operator_id_subscriber_id_key
  text: `select r.order_id as "orderId", r.reference, r.action, r.selection, r.actor, r.assurance, r.language, r.bearer,
                r.has_client as "hasClient", r.user_sealed, r.notice_key_sealed, r.card_token, r.card_index, r.card_digits,
                r.mandate_reference, r.mandate_signed_on::text, r.verification, r.next_notice_at as "nextNoticeAt", a.id as "accountId", a.state as "accountState"
           from request r join provisioning_order o on o.id = r.order_id
           left join user_account a on a.operator_id = o.operator_id and a.subscriber_id = o.subscriber_id
          where r.order_id = any($1::uuid[])`,
};
/** Every part of an SMS that holds the text was taken by the message centre. */
const SMS_TOOK = (consent: string): string => `(exists (
  select from message m where m.order_id = ${consent}.order_id and m.payload_id = ${consent}.payload_id
     and m.part_count = (select count(*) from message_part p where p.message_id = m.id))
  or ${tookInThePast(consent)})`;

/** The channels that took the text of a consent. SMS is told by its message, the others when they answered. */
export const SENT_BY = (consent: string): string =>
  `case when ${SMS_TOOK(consent)} then array_prepend('sms', array_remove(${consent}.sent_by, 'sms')) else ${consent}.sent_by end`;

const CONSENTS_OF = {
  name: "consents_of", // consent_of_order, message_of_order, message_part_pkey
  text: `select order_id as "orderId", id, terms_id as "termsId", terms_version as "termsVersion", language, text, code,
                payload_id as "payloadId", ${SENT_BY("consent")} as "sentBy", asked_at as "askedAt", answer,
                answered_by as "answeredBy", answered_at as "answeredAt"
           from consent where order_id = any($1::uuid[]) order by id`,
};
const REGISTRATIONS_OF = {
  name: "registrations_of", // registration_of_subscriber; a removal finds what an older request registered
  text: `select o.id as "orderId", g.id, coalesce(g.registered_as, g.id) as "registeredAs", g.order_item_id as "itemId",
                i.subject ->> 'catalogId' as "catalogId", g.service, g.remote_id as "remoteId", g.state, g.missing, g.data_sealed,
                g.access_sealed
           from provisioning_order o
           join registration g on g.operator_id = o.operator_id and g.subscriber_id = o.subscriber_id
           join order_item i on i.id = g.order_item_id
          where o.id = any($1::uuid[]) and (g.order_id = o.id or g.state = 'registered') order by g.id`,
};

const REGISTERED_OF = {
  name: "registered_of", // registration_of_subscriber, order_item_pkey
  text: `select g.order_id as "orderId", g.id, coalesce(g.registered_as, g.id) as "registeredAs", g.order_item_id as "itemId",
                i.subject ->> 'catalogId' as "catalogId", g.service, g.remote_id as "remoteId", g.state, g.missing, g.data_sealed,
                g.access_sealed
           from registration g join order_item i on i.id = g.order_item_id
          where g.operator_id = $1 and g.subscriber_id = $2 and g.state = 'registered' order by g.id`,
};

type Stored<Row> = Omit<Row, "isNew" | "changed"> & { readonly orderId: string };
type RegistrationRow = Omit<Stored<RegistrationDraft>, "data" | "access"> & {
  readonly data_sealed: Buffer;
  readonly access_sealed: Buffer | null;
};

/** Gives the orders that somebody asked for their requests. */
export async function withRequests(db: Db, sealer: Sealer, orders: readonly OrderDraft[]): Promise<void> {
  const asked = orders.filter(({ cause }) => isOneOf(CHANNELS, cause));
  if (asked.length === 0) return;
  const ids = [asked.map(({ id }) => id)];
  const rows = await db.rows<RequestRow>(REQUESTS_OF, ids);
  const consents = await db.rows<Stored<ConsentDraft>>(CONSENTS_OF, ids);
  const registrations = await db.rows<RegistrationRow>(REGISTRATIONS_OF, ids);
  const books = await accountBooksOf(
    db,
    sealer,
    asked.map(({ subscriberId }) => subscriberId),
  );
  const byId = new Map(rows.map((row) => [row.orderId, row]));
  for (const order of asked) {
    const row = byId.get(order.id);
    if (!row) continue;
    order.request = {
      ...draftOf(sealer, order, row, books.get(order.subscriberId) ?? NO_BOOKS),
      consents: consents
        .filter(({ orderId }) => orderId === order.id)
        .map(({ orderId, ...consent }) => ({ ...consent, isNew: false, changed: false })),
      registrations: registrations
        .filter(({ orderId }) => orderId === order.id)
        .map((one) => registrationOf(sealer, one)),
    };
  }
}

type Given = Pick<RequestDraft, "user" | "fields" | "formerFields">;

function draftOf(sealer: Sealer, order: OrderDraft, row: RequestRow, books: AccountBooks): RequestDraft {
  // A row of the release before names no former fields.
  const given: Given = {
    ...{ user: {}, fields: {}, formerFields: {} },
    ...(row.user_sealed ? JSON.parse(sealer.open(DOMAIN.user, row.user_sealed)) : {}),
  };
  const { card_token: token, card_index: index, card_digits: digits } = row;
  return {
    stateBefore: order.state,
    reference: row.reference,
    action: row.action,
    selection: row.selection,
    actor: row.actor,
    assurance: row.assurance,
    language: row.language,
    bearer: row.bearer,
    hasClient: row.hasClient,
    noticeKey: noticeKeyIn(sealer, row.notice_key_sealed),
    card:
      token !== null && index !== null && digits !== null
        ? { token, index, first6: digits.slice(0, 6), last4: digits.slice(6), mandate: mandateIn(row) }
        : null,
    user: given.user,
    fields: given.fields,
    formerFields: given.formerFields,
    verification: row.verification,
    nextNoticeAt: row.nextNoticeAt,
    consents: [],
    registrations: [],
    account: row.accountId === null ? null : { id: row.accountId, state: row.accountState },
    books,
    changed: false,
  };
}

/** What was given for something that is had; nothing, of what the release before wrote. */
export const givenIn = (sealer: Sealer, sealed: Buffer | null): Readonly<Record<string, string>> =>
  sealed ? JSON.parse(sealer.open(DOMAIN.given, sealed)) : {};

/** What a text gave of what an offer lacks. */
export const offeredFieldsIn = (sealer: Sealer, sealed: Buffer | null): OfferRow["given"] =>
  sealed ? JSON.parse(sealer.open(DOMAIN.offered, sealed)) : {};
export const sealedOfferedFields = (sealer: Sealer, given: OfferRow["given"]): Buffer =>
  sealer.seal(DOMAIN.offered, JSON.stringify(given));

export const noticeKeyIn = (sealer: Sealer, sealed: Buffer | null): Uint8Array | null =>
  sealed && Uint8Array.from(sealer.openBytes(DOMAIN.noticeKey, sealed));

function registrationOf(sealer: Sealer, row: RegistrationRow): RegistrationDraft {
  const { orderId, data_sealed, access_sealed, ...registration } = row;
  return {
    ...registration,
    data: JSON.parse(sealer.open(DOMAIN.registration, data_sealed)),
    access: access_sealed && JSON.parse(sealer.open(DOMAIN.access, access_sealed)),
    isNew: false,
    changed: false,
  };
}

/** For a request that is just being written. */
export async function registeredOf(
  db: Db,
  sealer: Sealer,
  operatorId: string,
  subscriberId: string,
): Promise<RegistrationDraft[]> {
  const rows = await db.rows<RegistrationRow>(REGISTERED_OF, [operatorId, subscriberId]);
  return rows.map((row) => registrationOf(sealer, row));
}

// Writing.

const INSERT_ORDER = {
  name: "insert_request_order", // provisioning_order_once
  text: `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, idempotency_key, network_kind,
                market, serving_plmn, state, reason, next_action, due_at, deadline_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'received', $10, 'verify who asks', $12, $11, $12, $12)`,
};
const INSERT_REQUEST = {
  name: "insert_request", // request_pkey
  text: `insert into request (order_id, operator_id, reference, action, selection, actor, assurance, language, bearer, user_sealed,
                notice_key_sealed, notice_key_reference, has_client, card_token, card_index, card_digits, created_at,
                mandate_reference, mandate_signed_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
};

export async function openRequest(db: Db, sealer: Sealer, order: NewRequestOrder, now: Date): Promise<void> {
  const { id, operatorId, request } = order;
  await db.run(INSERT_ORDER, [
    ...[id, operatorId, order.subscriberId, order.deviceId, order.cause, order.idempotencyKey],
    ...[order.networkKind, order.market, order.servingPlmn, order.reason, order.deadlineAt, now],
  ]);
  const { noticeKey, card } = request;
  await db.run(INSERT_REQUEST, [
    ...[id, operatorId, request.reference, request.action, request.selection, request.actor],
    ...[request.assurance, request.language, request.bearer, userSealed(sealer, request)],
    noticeKey && sealer.seal(DOMAIN.noticeKey, noticeKey),
    noticeKey && Buffer.from(keyReferenceOf(noticeKey)),
    request.hasClient,
    card?.token ?? null,
    card && Buffer.from(card.index),
    card && `${card.first6}${card.last4}`,
    now,
    card?.mandate?.reference ?? null,
    card?.mandate?.signedOn ?? null,
  ]);
}

function userSealed(sealer: Sealer, { user, fields, formerFields }: Given): Buffer | null {
  const isEmpty = [user, fields, formerFields].every((one) => Object.keys(one).length === 0);
  return isEmpty ? null : sealer.seal(DOMAIN.user, JSON.stringify({ user, fields, formerFields }));
}

const UPDATE_REQUEST = {
  name: "update_request", // request_pkey
  text: "update request set user_sealed = $2, verification = $3, next_notice_at = $4 where order_id = $1",
};

type ConsentOf = ConsentDraft & { readonly operatorId: string; readonly orderId: string };
const CONSENT_ANSWER = [
  { name: "id", type: "uuid", value: (row: ConsentOf) => row.id },
  { name: "payload_id", type: "uuid", value: (row: ConsentOf) => row.payloadId },
  { name: "sent_by", type: "text[]", value: (row: ConsentOf) => row.sentBy },
  { name: "asked_at", type: "timestamptz", value: (row: ConsentOf) => row.askedAt },
  { name: "answer", type: "text", value: (row: ConsentOf) => row.answer },
  { name: "answered_by", type: "text", value: (row: ConsentOf) => row.answeredBy },
  { name: "answered_at", type: "timestamptz", value: (row: ConsentOf) => row.answeredAt },
];
const insertConsents = bulkInsert<ConsentOf>("consent", [
  ...CONSENT_ANSWER,
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "order_id", type: "uuid", value: (row) => row.orderId },
  { name: "terms_id", type: "text", value: (row) => row.termsId },
  { name: "terms_version", type: "integer", value: (row) => row.termsVersion },
  { name: "language", type: "text", value: (row) => row.language },
  { name: "text", type: "text", value: (row) => row.text },
  { name: "code", type: "text", value: (row) => row.code },
]);
const updateConsents = bulkUpdate<ConsentOf>("consent", CONSENT_ANSWER);

type RegistrationOf = RegistrationDraft & {
  readonly order: OrderDraft;
  readonly now: Date;
  readonly dataSealed: Buffer;
  readonly accessSealed: Buffer | null;
};
const REGISTRATION_STATE = [
  { name: "id", type: "uuid", value: (row: RegistrationOf) => row.id },
  { name: "remote_id", type: "text", value: (row: RegistrationOf) => row.remoteId },
  { name: "state", type: "text", value: (row: RegistrationOf) => row.state },
  { name: "missing", type: "text[]", value: (row: RegistrationOf) => row.missing },
  { name: "data_sealed", type: "bytea", value: (row: RegistrationOf) => row.dataSealed },
  { name: "access_sealed", type: "bytea", value: (row: RegistrationOf) => row.accessSealed },
  { name: "updated_at", type: "timestamptz", value: (row: RegistrationOf) => row.now },
];
const insertRegistrations = bulkInsert<RegistrationOf>("registration", [
  ...REGISTRATION_STATE,
  { name: "operator_id", type: "uuid", value: ({ order }) => order.operatorId },
  { name: "order_id", type: "uuid", value: ({ order }) => order.id },
  { name: "order_item_id", type: "uuid", value: (row) => row.itemId },
  { name: "subscriber_id", type: "uuid", value: ({ order }) => order.subscriberId },
  {
    name: "registered_as",
    type: "uuid",
    value: ({ id, registeredAs }) => (registeredAs === id ? null : registeredAs),
  },
  { name: "service", type: "text", value: (row) => row.service },
  { name: "created_at", type: "timestamptz", value: (row) => row.now },
]);
const updateRegistrations = bulkUpdate<RegistrationOf>("registration", REGISTRATION_STATE);

type ProvisionedRow = NewProvisionedItem & { readonly now: Date; readonly givenSealed: Buffer | null };
const PROVISIONED_ITEM = [
  { name: "id", type: "uuid", value: (row: ProvisionedRow) => row.id },
  { name: "operator_id", type: "uuid", value: (row: ProvisionedRow) => row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row: ProvisionedRow) => row.subscriberId },
  { name: "device_id", type: "uuid", value: (row: ProvisionedRow) => row.deviceId },
  { name: "item_id", type: "text", value: (row: ProvisionedRow) => row.catalogId },
  { name: "version", type: "integer", value: (row: ProvisionedRow) => row.version },
  { name: "order_id", type: "uuid", value: (row: ProvisionedRow) => row.orderId },
  { name: "since", type: "timestamptz", value: (row: ProvisionedRow) => row.now },
  { name: "given_sealed", type: "bytea", value: (row: ProvisionedRow) => row.givenSealed },
];
const ONE_CURRENT = `on conflict (operator_id, subscriber_id, item_id) where ended_at is null do update
     set device_id = excluded.device_id, version = excluded.version, order_id = excluded.order_id, since = excluded.since,
         given_sealed = excluded.given_sealed`;

/** One current row a subscriber and item: what is had on a new device is had there from then on. */
const insertProvisioned = bulkInsert<ProvisionedRow>(
  "provisioned_item",
  [
    ...PROVISIONED_ITEM,
    {
      name: "renews_at",
      type: "timestamptz",
      value: ({ renewsAt }) => (renewsAt === "as_before" ? null : renewsAt),
    },
  ],
  `${ONE_CURRENT}, renews_at = excluded.renews_at, renewals = 0`,
);
/** With what is collected for it as it was. */
const keepProvisioned = bulkInsert<ProvisionedRow>("provisioned_item", PROVISIONED_ITEM, ONE_CURRENT);
const END_PROVISIONED = {
  name: "end_provisioned", // provisioned_item_current
  text: `update provisioned_item set ended_at = $5, ended_by = $4, given_sealed = null
          where operator_id = $1 and subscriber_id = $2 and item_id = $3 and ended_at is null`,
};
const REGISTER_ACCOUNT = {
  name: "register_account", // user_account_operator_id_subscriber_id_key
  text: `update user_account set state = 'registered', billing_reference = coalesce($3, billing_reference), updated_at = $4,
                billing_told_sealed = coalesce($5, billing_told_sealed)
          where operator_id = $1 and subscriber_id = $2 and state <> 'closed'`,
};
const insertOffers = bulkInsert<NewOffer & { readonly now: Date }>("offer", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
  { name: "item_id", type: "text", value: (row) => row.itemId },
  { name: "code", type: "text", value: (row) => row.code },
  { name: "token_hash", type: "bytea", value: (row) => Buffer.from(row.tokenHash) },
  { name: "state", type: "text", value: () => "sent" },
  { name: "made_by", type: "text", value: (row) => row.actor },
  { name: "created_at", type: "timestamptz", value: (row) => row.now },
  { name: "expires_at", type: "timestamptz", value: (row) => row.expiresAt },
]);
const ANSWER_OFFER = {
  name: "answer_offer", // offer_pkey
  text: `update offer set state = $2, order_id = $3, answered_at = $4, given_sealed = null where id = $1 and state = 'sent'`,
};
/** What is wiped is sent no more, also where it waits to be sent again. */
const CANCEL_WIPED = {
  name: "cancel_wiped", // message_of_order
  text: `update message set state = 'cancelled', reason = 'no longer wanted', due_at = null, lease_until = null, updated_at = $3
          where order_id = any($1::uuid[]) and payload_id = any($2::uuid[]) and state = 'queued'`,
};
/** Sealed octets of nothing: the row still says how long it was. */
const WIPE_PAYLOADS = {
  name: "wipe_payloads", // payload_pkey
  text: "update payload set sealed = $2 where id = any($1::uuid[])",
};

/** One statement may not touch a row twice: of two orders of one batch that brought the same, the later one holds. */
const lastOfEach = (rows: readonly NewProvisionedItem[]): NewProvisionedItem[] => [
  ...new Map(rows.map((row) => [`${row.operatorId} ${row.subscriberId} ${row.catalogId}`, row])).values(),
];

/** Human-paced: rows go one by one where that is clearer. */
export async function writeRequests(db: Db, sealer: Sealer, changes: ChangeSet, now: Date): Promise<void> {
  const orders = changes.orders.flatMap((order) =>
    order.request ? [{ order, request: order.request }] : [],
  );
  for (const { order, request } of orders) {
    if (!request.changed) continue;
    const verification = request.verification && JSON.stringify(request.verification);
    await db.run(UPDATE_REQUEST, [order.id, userSealed(sealer, request), verification, request.nextNoticeAt]);
  }
  const consents = orders.flatMap(({ order, request }) =>
    request.consents.map((one): ConsentOf => ({ ...one, operatorId: order.operatorId, orderId: order.id })),
  );
  await insertConsents(
    db,
    consents.filter(({ isNew }) => isNew),
  );
  await updateConsents(
    db,
    consents.filter(({ isNew, changed }) => changed && !isNew),
  );
  const registrations = orders.flatMap(({ order, request }) =>
    request.registrations
      .filter(({ changed }) => changed)
      .map(
        (one): RegistrationOf => ({
          ...one,
          order,
          now,
          dataSealed: sealer.seal(DOMAIN.registration, JSON.stringify(one.data)),
          accessSealed: one.access && sealer.seal(DOMAIN.access, JSON.stringify(one.access)),
        }),
      ),
  );
  await insertRegistrations(
    db,
    registrations.filter(({ isNew }) => isNew),
  );
  await updateRegistrations(
    db,
    registrations.filter(({ isNew }) => !isNew),
  );
  for (const card of changes.refusedCards) await cardRefusedLater(db, sealer, card);
  await addRecordTries(db, changes.recordTries, now);
  for (const account of changes.accounts) await putAccount(db, sealer, account, now);
  for (const { operatorId, subscriberId, billingReference, told } of changes.registeredAccounts) {
    const sealed = toldSealed(sealer, told);
    await db.run(REGISTER_ACCOUNT, [operatorId, subscriberId, billingReference, now, sealed]);
  }
  for (const end of changes.provisionedEnds)
    await db.run(END_PROVISIONED, [end.operatorId, end.subscriberId, end.catalogId, end.orderId, now]);
  const provisioned = lastOfEach(changes.provisioned).map((row) => {
    const isGiven = Object.keys(row.given).length > 0;
    return {
      ...row,
      now,
      givenSealed: isGiven ? sealer.seal(DOMAIN.given, JSON.stringify(row.given)) : null,
    };
  });
  const isKept = ({ renewsAt }: NewProvisionedItem): boolean => renewsAt === "as_before";
  await insertProvisioned(
    db,
    provisioned.filter((row) => !isKept(row)),
  );
  await keepProvisioned(db, provisioned.filter(isKept));
  await insertOffers(
    db,
    changes.offers.map((row) => ({ ...row, now })),
  );
  for (const { id, state, orderId } of changes.offerChanges)
    await db.run(ANSWER_OFFER, [id, state, orderId, now]);
  if (changes.wipedPayloads.length > 0) {
    const payloadIds = changes.wipedPayloads.map(({ payloadId }) => payloadId);
    await db.run(CANCEL_WIPED, [changes.wipedPayloads.map(({ orderId }) => orderId), payloadIds, now]);
    await db.run(WIPE_PAYLOADS, [payloadIds, sealer.seal("payload", new Uint8Array(0))]);
  }
}
