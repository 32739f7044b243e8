/**
 * Users' accounts, and what the books know of whoever asks for something. What a user told stands sealed; card and
 * identity document are found again by blind indexes. Every statement names the index that it runs on.
 */

import type {
  AccountFacts,
  AccountFactsSource,
  Accounts,
  Appearance,
  FactsQuery,
  NewUserAccount,
  UserAccount,
} from "../../kernel/account/account-facts.ts";
import type { Mandate, UserData } from "../../kernel/account/user-data.ts";
import type { Database, Db } from "../database/database.ts";
import { openJson, type Sealer } from "../seal/seal.ts";
import { tryKeyOf } from "./card-tries.ts";
import { recordFactsOf } from "./record-rows.ts";

const USER_DOMAIN = "user";
const CONTACT_DOMAIN = "contact";
const DOCUMENT_DOMAIN = "id_document";
/** Stays looked at: a device with more within a day is over every limit already. */
const APPEARANCES_MAX = 50;
/** Others are counted up to here; limits stand far below. */
const COUNTED_MAX = 1_000;

export const createAccounts = (database: Database, sealer: Sealer): Accounts & AccountFactsSource => ({
  find: (operatorId, subscriberId) => findAccount(database, sealer, operatorId, subscriberId),
  put: (account, now) => database.transaction((tx) => putAccount(tx, sealer, account, now)),
  factsOf: (query) => factsOf(database, sealer, query),
});

/**
 * The secret under which `takeCard` makes blind indexes of this operator's cards: 32 octets derived from the seal key, so
 * that there is no second secret to keep, and a card is seen again after the seal key was changed.
 */
export const cardSecretOf = (sealer: Sealer, operatorId: string): Uint8Array =>
  Buffer.concat(["1", "2"].map((half) => sealer.blindIndex("card_secret", operatorId, half)));

// Accounts.

const FIND_ACCOUNT = {
  name: "find_user_account", // user_account_operator_id_subscriber_id_key
  text: `select id, user_sealed, language, card_token, card_index, card_digits, mandate_reference, mandate_signed_on::text,
                state, billing_reference as "billingReference"
           from user_account where operator_id = $1 and subscriber_id = $2`,
};
const LOCK_ACCOUNT = { name: "lock_user_account", text: `${FIND_ACCOUNT.text} for update` };
const PUT_ACCOUNT = {
  name: "put_user_account", // user_account_operator_id_subscriber_id_key
  text: `insert into user_account (id, operator_id, subscriber_id, user_sealed, contact_sealed, language,
                card_token, card_index, card_digits, mandate_reference, mandate_signed_on, document_index, state, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $12, $13, $10, 'verified', $11, $11)
             on conflict (operator_id, subscriber_id) do update
            set user_sealed = excluded.user_sealed, contact_sealed = excluded.contact_sealed, language = excluded.language,
                card_token = coalesce(excluded.card_token, user_account.card_token),
                card_index = coalesce(excluded.card_index, user_account.card_index),
                card_digits = coalesce(excluded.card_digits, user_account.card_digits),
                mandate_reference = case when excluded.card_token is null then user_account.mandate_reference else excluded.mandate_reference end,
                mandate_signed_on = case when excluded.card_token is null then user_account.mandate_signed_on else excluded.mandate_signed_on end,
                document_index = coalesce(excluded.document_index, user_account.document_index),
                state = case user_account.state when 'closed' then 'verified' else user_account.state end,
                updated_at = excluded.updated_at`,
};

type Row = {
  readonly id: string;
  readonly user_sealed: Buffer;
  readonly language: string;
  readonly card_token: string | null;
  readonly card_index: Buffer | null;
  readonly card_digits: string | null;
  readonly mandate_reference: string | null;
  readonly mandate_signed_on: string | null;
  readonly state: UserAccount["state"];
  readonly billingReference: string | null;
};

async function findAccount(
  db: Db,
  sealer: Sealer,
  operatorId: string,
  subscriberId: string,
  statement: typeof FIND_ACCOUNT = FIND_ACCOUNT,
): Promise<UserAccount | undefined> {
  const row = await db.one<Row>(statement, [operatorId, subscriberId]);
  if (!row) return undefined;
  const { card_token: token, card_index: index, card_digits: digits } = row;
  return {
    id: row.id,
    operatorId,
    subscriberId,
    user: openJson<UserData>(sealer, USER_DOMAIN, row.user_sealed),
    language: row.language,
    card:
      token !== null && index !== null && digits !== null
        ? { token, index, digits, mandate: mandateIn(row) }
        : null,
    state: row.state,
    billingReference: row.billingReference,
  };
}

/** Of a row that keeps one beside its token. */
export const mandateIn = (row: {
  readonly mandate_reference: string | null;
  readonly mandate_signed_on: string | null;
}): Mandate | null =>
  row.mandate_reference !== null && row.mandate_signed_on !== null
    ? { reference: row.mandate_reference, signedOn: row.mandate_signed_on }
    : null;

/** Inside the caller's transaction, so that an account and the order that made it stand or fall together. */
export async function putAccount(
  tx: Db,
  sealer: Sealer,
  account: NewUserAccount,
  now: Date,
): Promise<UserAccount> {
  const { operatorId, subscriberId, card } = account;
  const before = await findAccount(tx, sealer, operatorId, subscriberId, LOCK_ACCOUNT);
  const user: UserData = { ...before?.user, ...account.user };
  const { email, fax } = user;
  const hasContact = email !== undefined || fax !== undefined;
  await tx.run(PUT_ACCOUNT, [
    account.id,
    operatorId,
    subscriberId,
    sealer.seal(USER_DOMAIN, JSON.stringify(user)),
    hasContact ? sealer.seal(CONTACT_DOMAIN, JSON.stringify({ email, fax })) : null,
    account.language,
    card?.token ?? null,
    card && Buffer.from(card.index),
    card?.digits ?? null,
    documentIndex(sealer, operatorId, user.idDocument ?? null),
    now,
    card?.mandate?.reference ?? null,
    card?.mandate?.signedOn ?? null,
  ]);
  const written = await findAccount(tx, sealer, operatorId, subscriberId);
  if (!written) throw new Error("an account was neither written nor replaced");
  return written;
}

const documentIndex = (sealer: Sealer, operatorId: string, idDocument: string | null): Buffer | null => {
  const plain = idDocument?.toUpperCase().replace(/[^A-Z0-9]/g, "") ?? "";
  return plain === "" ? null : sealer.blindIndex(DOCUMENT_DOMAIN, operatorId, plain);
};

// What is known of whoever asks.

const IS_KNOWN_DEVICE = {
  name: "is_known_device", // provisioned_item_of_device
  text: "select 1 from provisioned_item where subscriber_id = $2 and device_id = $3 and operator_id = $1 limit 1",
};
const CURRENT_DEVICE = {
  name: "current_device_of", // pairing_current
  text: `select device_id as "deviceId" from pairing where subscriber_id = $2 and operator_id = $1 and is_current`,
};
/** The place of a stay is where its SIM was last reported from in that device. */
const PLACE = `left join lateral (select serving_plmn from sighting
                             where operator_id = p.operator_id and subscriber_id = p.subscriber_id and device_id = p.device_id
                             order by seen_at desc limit 1) s on true`;
const STAY = `p.subscriber_id as "subscriberId", p.device_id as "deviceId", s.serving_plmn as place, p.since,
  p.last_seen_at as "lastSeenAt"`;
const OF_DEVICE = {
  name: "appearances_of_device", // pairing_of_device, sighting_of_subscriber
  text: `select ${STAY} from pairing p ${PLACE}
          where p.device_id = $2 and p.operator_id = $1 and p.last_seen_at >= $3
          order by p.last_seen_at desc limit ${APPEARANCES_MAX}`,
};
const OF_SUBSCRIBER = {
  name: "appearances_of_subscriber", // pairing_subscriber_id_device_id_key, sighting_of_subscriber
  text: `select ${STAY} from pairing p ${PLACE}
          where p.subscriber_id = $2 and p.operator_id = $1 and p.last_seen_at >= $3
          order by p.last_seen_at desc limit ${APPEARANCES_MAX}`,
};
const CARD_ACCOUNTS = {
  name: "count_card_accounts", // user_account_by_card
  text: `select count(*)::int as count from (select 1 from user_account
          where operator_id = $1 and card_index = $2 and subscriber_id <> $3 and state <> 'closed' limit ${COUNTED_MAX}) n`,
};
const DOCUMENT_ACCOUNTS = {
  name: "count_document_accounts", // user_account_by_document
  text: `select count(*)::int as count from (select 1 from user_account
          where operator_id = $1 and document_index = $2 and subscriber_id <> $3 and state <> 'closed' limit ${COUNTED_MAX}) n`,
};
const DEVICE_ACCOUNTS = {
  name: "count_device_accounts", // pairing_of_device, user_account_operator_id_subscriber_id_key
  text: `select count(*)::int as count from (select 1 from pairing p
           join user_account a on a.operator_id = p.operator_id and a.subscriber_id = p.subscriber_id
          where p.device_id = $2 and p.operator_id = $1 and p.subscriber_id <> $3 and a.state <> 'closed' limit ${COUNTED_MAX}) n`,
};
const ROAD_CAUSES = "('self_service', 'representative', 'telephone', 'partner', 'offer')";
const REQUESTS_OF_DEVICE = {
  name: "count_requests_of_device", // provisioning_order_of_device
  text: `select count(*)::int as count from (select 1 from provisioning_order
          where device_id = $2 and operator_id = $1 and created_at >= $3 and cause in ${ROAD_CAUSES} limit ${COUNTED_MAX}) n`,
};
const REQUESTS_OF_SUBSCRIBER = {
  name: "count_requests_of_subscriber", // provisioning_order_of_subscriber
  text: `select count(*)::int as count from (select 1 from provisioning_order
          where subscriber_id = $2 and operator_id = $1 and created_at >= $3 and cause in ${ROAD_CAUSES} limit ${COUNTED_MAX}) n`,
};

const CARDS_TRIED = {
  name: "count_cards_tried", // card_try_pkey
  text: `select coalesce(max(n), 0)::int as count from (
           select count(distinct card) as n from unnest(array['number', 'device'], $2::bytea[]) as q(kind, key)
             join card_try t on t.operator_id = $1 and t.kind = q.kind and t.key = q.key and t.at >= $3 group by t.kind) c`,
};

/** Also inside a transaction; its statements run one after the other there. */
export async function factsOf(db: Db, sealer: Sealer, query: FactsQuery): Promise<AccountFacts> {
  const { operatorId, subscriberId, deviceId, seenSince, requestsSince } = query;
  const count = async (statement: { name: string; text: string }, ...values: unknown[]): Promise<number> =>
    (await db.one<{ count: number }>(statement, [operatorId, ...values]))?.count ?? 0;
  const document = documentIndex(sealer, operatorId, query.idDocument);
  const current = await db.one<{ deviceId: string }>(CURRENT_DEVICE, [operatorId, subscriberId]);
  return {
    isKnownDevice: (await db.one(IS_KNOWN_DEVICE, [operatorId, subscriberId, deviceId])) !== undefined,
    account: (await findAccount(db, sealer, operatorId, subscriberId)) ?? null,
    pairing: !current ? "never" : current.deviceId === deviceId ? "current" : "another_device",
    ofDevice: await db.rows<Appearance>(OF_DEVICE, [operatorId, deviceId, seenSince]),
    ofSubscriber: await db.rows<Appearance>(OF_SUBSCRIBER, [operatorId, subscriberId, seenSince]),
    cardAccounts: query.cardIndex
      ? await count(CARD_ACCOUNTS, Buffer.from(query.cardIndex), subscriberId)
      : 0,
    documentAccounts: document ? await count(DOCUMENT_ACCOUNTS, document, subscriberId) : 0,
    deviceAccounts: await count(DEVICE_ACCOUNTS, deviceId, subscriberId),
    cardsTried: await count(
      CARDS_TRIED,
      [
        tryKeyOf(sealer, operatorId, "number", subscriberId),
        tryKeyOf(sealer, operatorId, "device", deviceId),
      ],
      query.cardsSince,
    ),
    ...(await recordFactsOf(db, sealer, query, query.recordTriesSince)),
    requestsOfDevice: await count(REQUESTS_OF_DEVICE, deviceId, requestsSince),
    requestsOfSubscriber: await count(REQUESTS_OF_SUBSCRIBER, subscriberId, requestsSince),
  };
}
