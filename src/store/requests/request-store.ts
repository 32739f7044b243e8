/** What requests ask of storage, on PostgreSQL. Every statement names the index that it runs on. */
import { readSighting } from "../../kernel/detection/read-sighting.ts";
import { SPINE_CAUSES } from "../../kernel/order/order.ts";
import type { OrderDraft } from "../../kernel/order/order-draft.ts";
import type { NewRequest } from "../../kernel/order/request.ts";
import type {
  Asker,
  Holding,
  OfferRow,
  OpenQuestion,
  ProvisionedRow,
  RequestStore,
  RequestTransaction,
} from "../../kernel/order/request-store.ts";
import { imei14Of, imeiFromNetwork } from "../../term/imei.ts";
import { type HomePlmnOf, parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { assured } from "../../term/narrow.ts";
import type { Database, Db } from "../database/database.ts";
import { the } from "../database/driver.ts";
import { isUuid } from "../database/uuid.ts";
import type { Sealer } from "../seal/seal.ts";
import { collectionTransaction } from "../settlement/collection-rows.ts";
import { lockHolders, loseNumbers } from "../sightings/number-moves.ts";
import { accountBooksOf, NO_BOOKS, putAccountNumber } from "./account-books.ts";
import { factsOf } from "./account-store.ts";
import { recordFactsOf } from "./record-rows.ts";
import { numbersNowAt, OF_NUMBERS, replyStore, replyTransaction } from "./reply-rows.ts";
import {
  givenIn,
  noticeKeyIn,
  offeredFieldsIn,
  openRequest,
  registeredOf,
  sealedOfferedFields,
} from "./request-rows.ts";

/** Requests of one subscriber that a screen lists; questions that a reply may answer. */
const LISTED_MAX = 20;
const HELD_MAX = 500;
/** Requests that one device made under one key. */
const OF_KEY_MAX = 50;

const NETWORK_MAX = 5;
const NETWORK_ORDERS = {
  name: "network_orders_of_subscriber", // provisioning_order_of_subscriber
  text: `select id from provisioning_order
          where subscriber_id = $2 and operator_id = $1 and cause in (${SPINE_CAUSES.map((cause) => `'${cause}'`).join(", ")})
          order by id desc limit ${NETWORK_MAX}`,
};
const SELF_CARE_RESENDS = {
  name: "self_care_resends_of", // order_event_pkey
  text: "select count(*)::int as count from order_event where order_id = $1 and kind = 'self_care_resend' and at >= $2",
};

// Who asks.

const UPSERT_SUBSCRIBER = {
  name: "upsert_asking_subscriber", // subscriber_operator_id_imsi_index_key
  text: `insert into subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn) values ($1, $2, $3, $4, $5)
             on conflict (operator_id, imsi_index) do update set home_plmn = subscriber.home_plmn
         returning id, msisdn_index as "msisdnIndex"`,
};
const GIVE_NUMBER = {
  name: "give_asking_number", // subscriber_pkey; a number that is known is changed by sightings alone
  text: "update subscriber set msisdn_index = $2, msisdn_sealed = $3 where id = $1 and msisdn_index is null",
};
const UPSERT_DEVICE = {
  name: "upsert_asking_device", // device_operator_id_imei_index_key
  text: `insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $4, $5)
             on conflict (operator_id, imei_index) do update set tac = excluded.tac returning id`,
};
/** The device where the SIM is by the latest sighting; where nobody saw it, the one of its latest order. */
const DEVICE_OF = `coalesce((select p.device_id from pairing p where p.subscriber_id = s.id and p.is_current limit 1),
  (select o.device_id from provisioning_order o where o.subscriber_id = s.id order by o.id desc limit 1))`;
const BY_IMSI = {
  name: "asker_by_imsi", // subscriber_operator_id_imsi_index_key, pairing_current
  text: `select s.id as "subscriberId", ${DEVICE_OF} as "deviceId" from subscriber s where s.operator_id = $1 and s.imsi_index = $2`,
};
const BY_MSISDN = {
  name: "asker_by_msisdn", // subscriber_by_msisdn; of a number that moved to another SIM, the SIM that was seen last
  text: `select s.id as "subscriberId", ${DEVICE_OF} as "deviceId" from subscriber s
           left join pairing p on p.subscriber_id = s.id and p.is_current
          where s.operator_id = $1 and s.msisdn_index = $2 order by p.last_seen_at desc nulls last, s.id desc limit 1`,
};
const BY_ID = {
  name: "asker_by_id", // subscriber_pkey
  text: `select s.id as "subscriberId", ${DEVICE_OF} as "deviceId" from subscriber s where s.operator_id = $1 and s.id = $2`,
};
const BY_IMEI = {
  name: "asker_by_imei", // device_operator_id_imei_index_key, pairing_of_device
  text: `select p.subscriber_id as "subscriberId", d.id as "deviceId" from device d
           join pairing p on p.device_id = d.id and p.is_current
          where d.operator_id = $1 and d.imei_index = $2 order by p.last_seen_at desc limit 1`,
};
const LOCK_SUBSCRIBER = {
  name: "lock_asking_subscriber", // subscriber_pkey
  text: `select s.home_plmn as "homePlmn",
                (select p.serving_plmn from pairing p where p.subscriber_id = s.id and p.is_current) as "servingPlmn"
           from subscriber s where s.id = $1 for update of s`,
};

type Asking = {
  readonly db: Db;
  readonly sealer: Sealer;
  readonly homePlmnOf: HomePlmnOf;
  readonly newId: () => string;
  readonly byNetwork: { readonly now: Date } | undefined;
};

async function askerOf(
  asking: Asking,
  operatorId: string,
  who: NewRequest["who"],
): Promise<Asker | undefined> {
  const found = await findAsker(asking, operatorId, who);
  if (!found?.deviceId) return undefined;
  const place = await asking.db.one<Pick<Asker, "homePlmn" | "servingPlmn">>(LOCK_SUBSCRIBER, [
    found.subscriberId,
  ]);
  return (
    place && {
      ...place,
      subscriberId: found.subscriberId,
      deviceId: found.deviceId,
    }
  );
}

type Found = { readonly subscriberId: string; readonly deviceId: string | null };

async function findAsker(
  asking: Asking,
  operatorId: string,
  { subscriberId, imsi, imei, msisdn }: NewRequest["who"],
): Promise<Found | undefined> {
  const { db, sealer } = asking;
  const index = (domain: string, text: string): Buffer => sealer.blindIndex(domain, operatorId, text);
  if (subscriberId !== undefined) return db.one<Found>(BY_ID, [operatorId, subscriberId]);
  if (imsi !== undefined && imei !== undefined) return seenPair(asking, operatorId, { imsi, imei, msisdn });
  if (imsi !== undefined) return db.one<Found>(BY_IMSI, [operatorId, index("imsi", parseImsi(imsi))]);
  if (msisdn !== undefined)
    return db.one<Found>(BY_MSISDN, [operatorId, index("msisdn", parseMsisdn(msisdn))]);
  if (imei === undefined) return undefined;
  return db.one<Found>(BY_IMEI, [operatorId, index("imei", imei14Of(imeiFromNetwork(imei)))]);
}

/** Read as a sighting is: what would be refused there is refused here. A pair that nobody has seen is made. */
async function seenPair(
  { db, sealer, homePlmnOf, newId, byNetwork }: Asking,
  operatorId: string,
  {
    imsi,
    imei,
    msisdn,
  }: { readonly imsi: string; readonly imei: string; readonly msisdn: string | undefined },
): Promise<Found> {
  const input = { imsi, imei, plmn: imsi.slice(0, 5), ...(msisdn === undefined ? {} : { msisdn }) };
  const pair = readSighting(input, 0, (known) => homePlmnOf(known, operatorId));
  const subscribers = await db.rows<{ id: string; msisdnIndex: Buffer | null }>(UPSERT_SUBSCRIBER, [
    newId(),
    operatorId,
    sealer.blindIndex("imsi", operatorId, pair.imsi),
    sealer.seal("imsi", pair.imsi),
    pair.homePlmn,
  ]);
  const { id: subscriberId, msisdnIndex } = the(subscribers);
  if (pair.msisdn !== null && msisdnIndex === null) {
    const seen = {
      subscriberId,
      operatorId,
      msisdnIndex: sealer.blindIndex("msisdn", operatorId, pair.msisdn),
    };
    const holders = await lockHolders(db, [seen]);
    if (byNetwork)
      await loseNumbers(
        db,
        holders.map((holder) => ({ ...holder, newHolderId: subscriberId })),
        byNetwork.now,
        newId,
      );
    if (byNetwork || holders.length === 0)
      await db.run(GIVE_NUMBER, [subscriberId, seen.msisdnIndex, sealer.seal("msisdn", pair.msisdn)]);
  }
  const devices = await db.rows<{ id: string }>(UPSERT_DEVICE, [
    newId(),
    operatorId,
    sealer.blindIndex("imei", operatorId, pair.imei14),
    sealer.seal("imei", pair.imei),
    pair.tac,
  ]);
  return { subscriberId, deviceId: the(devices).id };
}

// Inside a transaction.

const TAC_OF = {
  name: "tac_of", // device_pkey
  text: "select tac from device where operator_id = $1 and id = $2",
};
const REQUEST_BY_KEY = {
  name: "request_by_key", // provisioning_order_once, request_pkey
  text: `select o.id as "orderId", r.reference from provisioning_order o join request r on r.order_id = o.id
          where o.operator_id = $1 and o.idempotency_key = $2`,
};
const HOLDINGS = {
  name: "holdings_of", // provisioned_item_current
  text: `select item_id as "itemId", version, device_id as "deviceId", given_sealed from provisioned_item
          where operator_id = $1 and subscriber_id = $2 and ended_at is null order by item_id limit ${HELD_MAX}`,
};
type HoldingRow = Omit<Holding, "given"> & { readonly given_sealed: Buffer | null };
const SERVED = {
  name: "served_of", // provisioned_item_of_device
  text: `select distinct subscriber_id as id from provisioned_item
          where subscriber_id = any($1::uuid[]) and ended_at is null`,
};
const UNDERWAY = {
  name: "underway_of", // provisioning_order_of_subscriber, request_pkey, order_item_of_order
  text: `select i.subject ->> 'catalogId' as "itemId", r.reference from provisioning_order o
           join request r on r.order_id = o.id join order_item i on i.order_id = o.id
          where o.subscriber_id = $2 and o.operator_id = $1 and o.device_id = $3 and i.subject ->> 'action' = $4
            and o.state in ('received', 'verifying', 'awaiting_consent', 'provisioning')
            and i.state not in ('failed', 'cancelled') and i.cause is distinct from 'had'
          order by o.id desc limit ${HELD_MAX}`,
};
const DONE_ELSEWHERE = {
  name: "done_elsewhere", // provisioning_order_of_subscriber, order_item_of_order
  text: `select "itemId" from (
           select distinct on (i.subject ->> 'catalogId') i.subject ->> 'catalogId' as "itemId", i.subject ->> 'action' as action
             from provisioning_order o join order_item i on i.order_id = o.id
            where o.subscriber_id = $2 and o.operator_id = $1 and i.state = 'works' and i.subject ->> 'server' is not null
            order by i.subject ->> 'catalogId', o.id desc) last
          where action = 'add' limit ${HELD_MAX}`,
};
const NOTICE_KEY_OF = {
  name: "notice_key_of", // provisioning_order_of_subscriber, request_pkey
  text: `select r.notice_key_sealed from provisioning_order o join request r on r.order_id = o.id
          where o.subscriber_id = $2 and o.operator_id = $1 and o.device_id = $3 and r.notice_key_sealed is not null
          order by o.id desc limit 1`,
};
const OFFER = `id, operator_id as "operatorId", subscriber_id as "subscriberId", item_id as "itemId", state, expires_at as "expiresAt", given_sealed`;
type OfferColumns = Omit<OfferRow, "given"> & { readonly given_sealed: Buffer | null };
const offerIn = (sealer: Sealer, row: OfferColumns | undefined): OfferRow | undefined => {
  if (!row) return undefined;
  const { given_sealed, ...rest } = row;
  return { ...rest, given: offeredFieldsIn(sealer, given_sealed) };
};
const KEEP_OFFER_FIELDS = {
  name: "keep_offer_fields", // offer_pkey
  text: "update offer set given_sealed = $3 where operator_id = $1 and id = $2 and state = 'sent'",
};
const DROP_OFFER_FIELDS = {
  name: "drop_offer_fields", // offer_given
  text: "update offer set given_sealed = null where given_sealed is not null and expires_at <= $1",
};
const OFFER_BY_TOKEN = {
  name: "offer_by_token", // offer_token_hash_key
  text: `select ${OFFER} from offer where token_hash = $1`,
};
const LOCK_OFFER = {
  name: "lock_offer", // offer_pkey
  text: `select ${OFFER} from offer where operator_id = $1 and id = $2 for update`,
};
const IS_QUEUED = {
  name: "is_queued", // message_operator_id_idempotency_key_key, message_key_pkey
  text: `select 1 from message where operator_id = $1 and idempotency_key = $2
          union all select 1 from message_key where operator_id = $1 and digest = message_key_digest($2) limit 1`,
};
const LANGUAGE_OF = {
  name: "language_of", // user_account_operator_id_subscriber_id_key, provisioning_order_of_subscriber
  text: `select coalesce(
           (select r.language from provisioning_order o join request r on r.order_id = o.id
             where o.subscriber_id = $2 and o.operator_id = $1 order by o.id desc limit 1),
           (select language from user_account where operator_id = $1 and subscriber_id = $2)) as language`,
};

export const requestTransaction = (db: Db, sealer: Sealer, homePlmnOf: HomePlmnOf): RequestTransaction => ({
  ...replyTransaction(db, sealer),
  ...collectionTransaction(db),
  askerOf: (operatorId, who, newId, byNetwork) =>
    askerOf({ db, sealer, homePlmnOf, newId, byNetwork }, operatorId, who),
  requestByKey: (operatorId, key) => db.one(REQUEST_BY_KEY, [operatorId, key]),
  async holdingsOf(operatorId, subscriberId) {
    const rows = await db.rows<HoldingRow>(HOLDINGS, [operatorId, subscriberId]);
    return rows.map(({ given_sealed, ...row }) => ({ ...row, given: givenIn(sealer, given_sealed) }));
  },
  tacOf: async (operatorId, deviceId) =>
    assured(await db.one<{ tac: string }>(TAC_OF, [operatorId, deviceId]), "who asks has a device").tac,
  servedOf: async (subscriberIds) =>
    new Set((await db.rows<{ id: string }>(SERVED, [subscriberIds])).map(({ id }) => id)),
  async underwayOf(operatorId, { subscriberId, deviceId }, action) {
    const rows = await db.rows<{ itemId: string; reference: string }>(UNDERWAY, [
      ...[operatorId, subscriberId, deviceId, action],
    ]);
    return new Map(rows.map(({ itemId, reference }) => [itemId, reference]));
  },
  doneElsewhere: async (operatorId, subscriberId) =>
    (await db.rows<{ itemId: string }>(DONE_ELSEWHERE, [operatorId, subscriberId])).map(
      ({ itemId }) => itemId,
    ),
  factsOf: (query) => factsOf(db, sealer, query),
  selfCareResendsOf: async (orderId, since) =>
    (await db.one<{ count: number }>(SELF_CARE_RESENDS, [orderId, since]))?.count ?? 0,
  recordFactsOf: (asker, since) => recordFactsOf(db, sealer, asker, since),
  registrationsOf: (operatorId, subscriberId) => registeredOf(db, sealer, operatorId, subscriberId),
  async noticeKeyOf(operatorId, { subscriberId, deviceId }) {
    const row = await db.one<{ notice_key_sealed: Buffer }>(NOTICE_KEY_OF, [
      operatorId,
      subscriberId,
      deviceId,
    ]);
    return row ? noticeKeyIn(sealer, row.notice_key_sealed) : null;
  },
  accountBooksOf: async (subscriberId) =>
    (await accountBooksOf(db, sealer, [subscriberId])).get(subscriberId) ?? NO_BOOKS,
  putAccountNumber: (operatorId, subscriberId, number) =>
    putAccountNumber(db, sealer, { operatorId, subscriberId, number }),
  openRequest: (order, now) => openRequest(db, sealer, order, now),
  lockOffer: async (operatorId, offerId) =>
    offerIn(sealer, await db.one<OfferColumns>(LOCK_OFFER, [operatorId, offerId])),
  dropOfferFields: async (now) => {
    await db.run(DROP_OFFER_FIELDS, [now]);
  },
  keepOfferFields: async (operatorId, offerId, given) => {
    await db.run(KEEP_OFFER_FIELDS, [operatorId, offerId, sealedOfferedFields(sealer, given)]);
  },
  isQueued: async (operatorId, key) => (await db.one(IS_QUEUED, [operatorId, key])) !== undefined,
  languageOf: async (operatorId, subscriberId) =>
    (await db.one<{ language: string | null }>(LANGUAGE_OF, [operatorId, subscriberId]))?.language ??
    undefined,
});

// Outside of one.

const QUESTIONS = {
  name: "open_questions", // subscriber_by_msisdn, pairing_current, provisioning_order_of_subscriber, consent_of_order, order_item_of_order, offer_of_subscriber
  text: `with who as (${OF_NUMBERS}),
         asked as (select o.id, o.state, o.operator_id, o.subscriber_id, r.language from who
                     join provisioning_order o on o.subscriber_id = who.id and o.state in ('awaiting_consent', 'provisioning')
                      and (who.number_lost_at is null or o.created_at > who.number_lost_at) -- what was asked by a former number is over
                     join request r on r.order_id = o.id)
         select * from (
           select distinct 'terms' as kind, c.code, a.id as "orderId", null::uuid as "itemId", null::uuid as "offerId",
                  c.asked_at as "askedAt", a.operator_id as "operatorId", a.subscriber_id as "subscriberId", a.language
             from asked a join consent c on c.order_id = a.id where a.state = 'awaiting_consent' and c.answer is null
            union all
           select 'choice', i.subject -> 'question' ->> 'code', a.id, i.id, null, i.updated_at, a.operator_id, a.subscriber_id, a.language
             from asked a join order_item i on i.order_id = a.id and i.state = 'awaiting_choice'
            union all
           select 'offer', f.code, null, null, f.id, f.created_at, f.operator_id, f.subscriber_id,
                  coalesce((select r.language from provisioning_order o join request r on r.order_id = o.id
                             where o.subscriber_id = f.subscriber_id order by o.id desc limit 1), 'en')
             from who join offer f on f.subscriber_id = who.id and f.state = 'sent' and f.expires_at > $3) q
          order by "askedAt" desc limit ${LISTED_MAX}`,
};
const BY_NOTICE_KEY = {
  name: "requests_by_notice_key", // request_by_notice_key
  text: `select o.operator_id as "operatorId", o.subscriber_id as "subscriberId", o.id as "orderId", r.reference, r.notice_key_sealed
           from request r join provisioning_order o on o.id = r.order_id
          where r.notice_key_reference = $1 order by o.id desc limit ${OF_KEY_MAX}`,
};
const ORDER_ID_OF = {
  name: "request_in_scope", // request_pkey or request_operator_id_reference_key
  text: `select o.id from request r join provisioning_order o on o.id = r.order_id
          where r.operator_id = $1 and (r.order_id = $2::uuid or r.reference = $3)
            and ($4::uuid is null or o.subscriber_id = $4)`,
};
const OF_SUBSCRIBER = {
  name: "requests_of_subscriber", // provisioning_order_of_subscriber
  text: `select o.id from provisioning_order o join request r on r.order_id = o.id
          where o.subscriber_id = $2 and o.operator_id = $1 order by o.id desc limit ${LISTED_MAX}`,
};
const PROVISIONED = {
  name: "provisioned_of", // provisioned_item_current, catalog_item_pkey
  text: `select p.item_id as "itemId", p.device_id as "deviceId", p.version, p.since, c.kind, c.body
           from provisioned_item p
           left join catalog_item c on c.operator_id = p.operator_id and c.item_id = p.item_id and c.version = p.version
          where p.operator_id = $1 and p.subscriber_id = $2 and p.ended_at is null order by p.since, p.item_id limit ${HELD_MAX}`,
};

type QuestionRow = OpenQuestion & {
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly language: string;
};

export function requestStore(
  database: Database,
  sealer: Sealer,
  readOrders: (orderIds: readonly string[]) => Promise<readonly OrderDraft[]>,
): RequestStore {
  return {
    ...replyStore(database, sealer),
    async questionsOf(from, now) {
      const numbers = await numbersNowAt(database, sealer, from);
      return numbers ? database.rows<QuestionRow>(QUESTIONS, [...numbers, now]) : [];
    },
    async requestsByKey(keyReference) {
      type Row = Awaited<ReturnType<RequestStore["requestsByKey"]>>[number] & { notice_key_sealed: Buffer };
      const rows = await database.rows<Row>(BY_NOTICE_KEY, [Buffer.from(keyReference)]);
      return rows.map(({ notice_key_sealed, ...row }) => ({
        ...row,
        noticeKey: assured(noticeKeyIn(sealer, notice_key_sealed), "it was found by its key"),
      }));
    },
    async orderIdOf({ operatorId, subscriberId }, idOrReference) {
      const id = isUuid(idOrReference) ? idOrReference : null;
      const values = [operatorId, id, idOrReference.toUpperCase(), subscriberId];
      return (await database.one<{ id: string }>(ORDER_ID_OF, values))?.id;
    },
    readOrders,
    offerByToken: async (tokenHash) =>
      offerIn(sealer, await database.one<OfferColumns>(OFFER_BY_TOKEN, [Buffer.from(tokenHash)])),
    networkOrdersOf: async (operatorId, subscriberId) =>
      readOrders(
        (await database.rows<{ id: string }>(NETWORK_ORDERS, [operatorId, subscriberId])).map(({ id }) => id),
      ),
    ordersOf: async (operatorId, subscriberId) =>
      readOrders(
        (await database.rows<{ id: string }>(OF_SUBSCRIBER, [operatorId, subscriberId])).map(({ id }) => id),
      ),
    provisionedOf: async (operatorId, subscriberId) =>
      database.rows<ProvisionedRow>(PROVISIONED, [operatorId, subscriberId]),
  };
}
