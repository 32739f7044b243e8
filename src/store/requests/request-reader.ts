/**
 * Requests as staff and other servers read them, on PostgreSQL: lists by key, one request's consents and verification, offers,
 * and where a subscriber stands. Sealed numbers are opened only to be masked; what a user told is not read at all. Every
 * statement names the index that it runs on.
 */
import { maskedMeans } from "../../kernel/account/card.ts";
import { SPINE_CAUSES } from "../../kernel/order/order.ts";
import type { Page, PageQuery } from "../../kernel/order/order-reader.ts";
import type { VerificationRecord } from "../../kernel/order/request-draft.ts";
import type { RecordFinding } from "../../kernel/registration/own-record.ts";
import type {
  CareDevice,
  CareOrder,
  ConsentView,
  OfferFilter,
  OfferView,
  RecordView,
  RequestDetail,
  RequestFilter,
  RequestReader,
  RequestRow,
  Standing,
  SubscriberNumber,
  VerificationView,
} from "../../kernel/requested/request-reader.ts";
import { maskAccount } from "../../term/iban.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { Conditions, type Query } from "../database/conditions.ts";
import type { Database } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { isUuid } from "../database/uuid.ts";
import { type Dated, iso } from "../orders/listed-order.ts";
import { type Parties, partiesOf } from "../orders/parties.ts";
import type { Sealer } from "../seal/seal.ts";
import { SENT_BY } from "./request-rows.ts";

/** A person on the telephone reads these: the newest are enough. */
const SHOWN_MAX = 20;

export function createRequestReader(database: Database, sealer: Sealer, clock: () => Date): RequestReader {
  const offerView = ({ msisdn_sealed, ...row }: StoredOffer): OfferView => ({
    ...row,
    msisdnMasked: maskedNumber(sealer, msisdn_sealed),
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    answeredAt: iso(row.answeredAt),
  });
  return {
    async list(operatorId, filter, page) {
      const parties = await partiesOf(database, sealer, operatorId, filter);
      if (parties === "none") return { rows: [], nextCursor: null };
      const { text, values } = requestsQuery(operatorId, filter, parties, page);
      return cutPage((await database.rows<StoredRequest>(text, values)).map(requestRow), page.limit);
    },
    async detail(operatorId, idOrReference, of) {
      const id = isUuid(idOrReference) ? idOrReference : null;
      const values = [operatorId, id, idOrReference.toUpperCase(), of?.channel ?? null, of?.actor ?? null];
      const row = await database.one<StoredDetail>(DETAIL, values);
      if (!row) return undefined;
      const consents = await database.rows<StoredConsent>(CONSENTS, [row.id]);
      return detailOf(sealer, row, consents);
    },
    async offers(operatorId, filter, page) {
      const { text, values } = offersQuery(operatorId, filter, page, clock());
      const found: Page<StoredOffer> = cutPage(await database.rows<StoredOffer>(text, values), page.limit);
      return { rows: found.rows.map(offerView), nextCursor: found.nextCursor };
    },
    subscriberOf: (operatorId, number) => subscriberOf(database, sealer, operatorId, number),
    async standing(operatorId, subscriberId) {
      const row = await database.one<StoredSubscriber>(SUBSCRIBER, [operatorId, subscriberId]);
      if (!row) return undefined;
      const one = [operatorId, subscriberId];
      const devices = await database.rows<StoredDevice>(DEVICES, one);
      const orders = await database.rows<Dated<CareOrder, "deadlineAt" | "createdAt">>(ORDERS, one);
      const offers = await database.rows<StoredOffer>(OFFERS_OF, [...one, clock()]);
      return standingOf(sealer, subscriberId, row, { devices, orders, offers: offers.map(offerView) });
    },
    async noteScreen({ operatorId, subscriberId, screen, channel, at }) {
      await database.run(NOTE_SCREEN, [subscriberId, operatorId, screen, channel, at]);
    },
  };
}

const maskedNumber = (sealer: Sealer, sealed: Buffer | null): string | null =>
  sealed && maskIdentifier(sealer.open("msisdn", sealed), "msisdn");

// Lists.

const REQUEST = `o.id, r.reference, o.cause as channel, r.action, r.selection, r.actor, r.assurance, r.language, o.state, o.reason,
  o.next_action as "nextAction", o.deadline_at as "deadlineAt", o.subscriber_id as "subscriberId",
  o.market, o.serving_plmn as "servingPlmn", r.created_at as "createdAt", o.ended_at as "endedAt"`;
type StoredRequest = Dated<RequestRow, "deadlineAt" | "createdAt" | "endedAt">;

const requestRow = (row: StoredRequest): RequestRow => ({
  ...row,
  deadlineAt: iso(row.deadlineAt),
  createdAt: row.createdAt.toISOString(),
  endedAt: iso(row.endedAt),
});

const FOR_REVIEW = "o.state = 'verifying' and r.verification #>> '{findings,review,state}' = 'asked'";

/**
 * Runs on provisioning_order_of_subscriber or _of_device where a party is named, on request_by_actor where who entered it is,
 * on provisioning_order_by_road, _by_standing or _by_market where that is, else on request_by_id, all in the order of the page. A channel is
 * written into the text, since a parameter would hide the index that holds channels alone.
 */
export function requestsQuery(
  operatorId: string,
  { state, isForReview, channel, market, actor, subscriberId }: RequestFilter,
  { subscriberIds, deviceId }: Parties,
  page: PageQuery,
): Query {
  const conditions = new Conditions()
    .add("o.operator_id = ?", operatorId)
    .add("r.operator_id = ?", operatorId)
    .maybe("o.state = ?", state)
    .maybe("o.market = ?", market)
    .maybe("r.actor = ?", actor)
    .maybe("o.subscriber_id = ?", subscriberId)
    .maybe("o.subscriber_id = any(?::uuid[])", subscriberIds)
    .maybe("o.device_id = ?", deviceId);
  if (isForReview) conditions.fixed(FOR_REVIEW);
  if (channel !== undefined) conditions.fixed(`o.cause = '${channel}'`);
  return conditions.page(
    `select ${REQUEST} from request r join provisioning_order o on o.id = r.order_id`,
    "o",
    page,
  );
}

/** An offer whose time is over is expired from that moment, though nobody has written it down. */
const OFFER = (
  now: string,
): string => `f.id, f.subscriber_id as "subscriberId", s.msisdn_sealed, f.item_id as "itemId",
  case when f.state = 'sent' and f.expires_at <= ${now} then 'expired' else f.state end as state, f.made_by as "madeBy",
  f.created_at as "createdAt", f.expires_at as "expiresAt", f.answered_at as "answeredAt", f.order_id as "orderId"`;
type StoredOffer = Omit<Dated<OfferView, "createdAt" | "expiresAt" | "answeredAt">, "msisdnMasked"> & {
  readonly msisdn_sealed: Buffer | null;
};

/** Runs on offer_by_id: offers that are open, or that became something, are never rare. */
function offersQuery(operatorId: string, { state, itemId }: OfferFilter, page: PageQuery, now: Date): Query {
  const conditions = new Conditions().add("f.operator_id = ?", operatorId).maybe("f.item_id = ?", itemId);
  if (state === "sent") conditions.add("f.state = 'sent' and f.expires_at > ?", now);
  else if (state === "expired")
    conditions.add("(f.state = 'expired' or f.state = 'sent' and f.expires_at <= ?)", now);
  else conditions.maybe("f.state = ?", state);
  const moment = `'${now.toISOString()}'::timestamptz`; // a time of ours, no text of anybody
  return conditions.page(
    `select ${OFFER(moment)} from offer f join subscriber s on s.id = f.subscriber_id`,
    "f",
    page,
  );
}

// One request.

const DETAIL = {
  name: "request_detail", // request_pkey or request_operator_id_reference_key, provisioning_order_pkey
  text: `select ${REQUEST}, o.make, o.model, r.card_digits, r.mandate_reference, r.verification, s.imsi_sealed, s.msisdn_sealed, d.imei_sealed
           from request r join provisioning_order o on o.id = r.order_id
           join subscriber s on s.id = o.subscriber_id join device d on d.id = o.device_id
          where r.operator_id = $1 and (r.order_id = $2::uuid or r.reference = $3)
            and ($4::text is null or o.cause = $4) and ($5::text is null or r.actor = $5)`,
};
const CONSENTS = {
  name: "consents_of_request", // consent_of_order, message_of_order, message_part_pkey, outbound_call_of_order
  text: `select terms_id as "termsId", terms_version as version, language, ${SENT_BY("consent")} as "sentBy", asked_at as "askedAt",
                answer, answered_by as "answeredBy", answered_at as "answeredAt",
                coalesce((select jsonb_agg(jsonb_build_object('channel', channel, 'reason', reason) order by channel) from (
                  select 'sms' as channel, reason from (
                    select m.state, m.reason from (
                      select id, state, reason from message where order_id = consent.order_id and payload_id = consent.payload_id
                       union all
                      select id, state, reason from past_message where order_id = consent.order_id and payload_id = consent.payload_id) m
                     order by m.id desc limit 1) latest where state in ('failed', 'expired')
                  union all
                  select body ->> 'channel', reason from outbound_call
                   where order_id = consent.order_id and kind = 'mail_notice' and state in ('refused', 'given_up')
                     and consent.payload_id is not null) one), '[]') as "notSentBy"
           from consent where order_id = $1 order by id`,
};
type StoredDetail = StoredRequest & {
  readonly make: string | null;
  readonly model: string | null;
  readonly card_digits: string | null;
  readonly mandate_reference: string | null;
  readonly verification: VerificationRecord | null;
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
  readonly imei_sealed: Buffer;
};
type StoredConsent = Dated<ConsentView, "askedAt" | "answeredAt">;

function detailOf(
  sealer: Sealer,
  {
    card_digits,
    mandate_reference,
    verification,
    imsi_sealed,
    msisdn_sealed,
    imei_sealed,
    ...row
  }: StoredDetail,
  consents: readonly StoredConsent[],
): RequestDetail {
  return {
    ...requestRow(row),
    make: row.make,
    model: row.model,
    imsiMasked: maskIdentifier(sealer.open("imsi", imsi_sealed), "imsi"),
    msisdnMasked: maskedNumber(sealer, msisdn_sealed),
    imeiMasked: maskIdentifier(sealer.open("imei", imei_sealed), "imei"),
    card: card_digits && maskedMeans(card_digits),
    mandate: mandate_reference && maskAccount(mandate_reference),
    consents: consents.map((consent) => ({
      ...consent,
      askedAt: consent.askedAt.toISOString(),
      answeredAt: iso(consent.answeredAt),
    })),
    verification: verification && verificationView(verification),
  };
}

const verificationView = ({ due, verdict, reasons, findings }: VerificationRecord): VerificationView => ({
  verdict,
  extent: due.road,
  identity: due.identity,
  card: due.card,
  reasons: reasons.map(({ code }) => code),
  record: findings.record ? recordView(findings.record) : null,
});

const recordView = ({ match, score, consequence, isOfAnotherSim, fields }: RecordFinding): RecordView => ({
  match,
  score,
  consequence,
  isOfAnotherSim,
  fields,
});

// Subscribers.

const BY_IMSI = {
  name: "care_subscriber_by_imsi", // subscriber_operator_id_imsi_index_key
  text: "select id from subscriber where operator_id = $1 and imsi_index = $2",
};
const BY_MSISDN = {
  name: "care_subscriber_by_msisdn", // subscriber_by_msisdn, pairing_current
  text: `select s.id from subscriber s left join pairing p on p.subscriber_id = s.id and p.is_current
          where s.operator_id = $1 and s.msisdn_index = $2 order by p.last_seen_at desc nulls last, s.id desc limit 1`,
};

async function subscriberOf(
  database: Database,
  sealer: Sealer,
  operatorId: string,
  { imsi, msisdn }: SubscriberNumber,
): Promise<string | undefined> {
  const [statement, domain, number] =
    imsi === undefined ? ([BY_MSISDN, "msisdn", msisdn] as const) : ([BY_IMSI, "imsi", imsi] as const);
  if (number === undefined) return undefined;
  const values = [operatorId, sealer.blindIndex(domain, operatorId, number)];
  return (await database.one<{ id: string }>(statement, values))?.id;
}

const SUBSCRIBER = {
  name: "care_subscriber", // subscriber_pkey, user_account_operator_id_subscriber_id_key, screen_seen_pkey
  text: `select s.imsi_sealed, s.msisdn_sealed, s.home_plmn as "homePlmn", a.state as account_state, a.language, a.card_digits, a.mandate_reference,
                n.screen, n.channel, n.at
           from subscriber s
           left join user_account a on a.operator_id = s.operator_id and a.subscriber_id = s.id
           left join screen_seen n on n.subscriber_id = s.id and n.operator_id = s.operator_id
          where s.operator_id = $1 and s.id = $2`,
};
type StoredSubscriber = {
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
  readonly homePlmn: string;
  readonly account_state: NonNullable<Standing["account"]>["state"] | null;
  readonly language: string | null;
  readonly card_digits: string | null;
  readonly mandate_reference: string | null;
  readonly screen: string | null;
  readonly channel: string | null;
  readonly at: Date | null;
};
const DEVICES = {
  name: "care_devices", // pairing_subscriber_id_device_id_key, device_pkey, provisioning_order_of_device, sighting_of_subscriber, imei_doubt_open
  text: `select p.device_id as "deviceId", d.imei_sealed, d.tac, o.make, o.model, p.first_seen_at as "firstSeenAt",
                p.last_seen_at as "lastSeenAt", p.is_current as "isCurrent",
                (select g.source from sighting g where g.operator_id = p.operator_id and g.subscriber_id = p.subscriber_id
                    and g.device_id = p.device_id order by g.seen_at desc limit 1) as "cameBy",
                coalesce((select json_agg(json_build_object('id', i.id, 'kind', i.kind, 'reason', i.reason,
                            'foundAt', to_char(i.found_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by i.id)
                            from imei_doubt i where i.device_id = p.device_id and i.ended_at is null), '[]') as doubts
           from pairing p join device d on d.id = p.device_id
           left join lateral (select make, model from provisioning_order
                               where device_id = p.device_id and operator_id = p.operator_id and make is not null
                               order by id desc limit 1) o on true
          where p.subscriber_id = $2 and p.operator_id = $1
          order by p.is_current desc, p.last_seen_at desc limit ${SHOWN_MAX}`,
};
type StoredDevice = Omit<Dated<CareDevice, "firstSeenAt" | "lastSeenAt">, "imeiMasked"> & {
  readonly imei_sealed: Buffer;
};
const ORDERS = {
  name: "care_orders", // provisioning_order_of_subscriber
  text: `select id, cause, state, reason, next_action as "nextAction", deadline_at as "deadlineAt", created_at as "createdAt"
           from provisioning_order
          where subscriber_id = $2 and operator_id = $1 and cause in (${SPINE_CAUSES.map((cause) => `'${cause}'`).join(", ")})
          order by id desc limit ${SHOWN_MAX}`,
};
const OFFERS_OF = {
  name: "care_offers", // offer_of_subscriber
  text: `select ${OFFER("$3")} from offer f join subscriber s on s.id = f.subscriber_id
          where f.subscriber_id = $2 and f.operator_id = $1 order by f.id desc limit ${SHOWN_MAX}`,
};
const NOTE_SCREEN = {
  name: "note_screen", // screen_seen_pkey
  text: `insert into screen_seen (subscriber_id, operator_id, screen, channel, at) values ($1, $2, $3, $4, $5)
             on conflict (subscriber_id) do update set screen = excluded.screen, channel = excluded.channel, at = excluded.at
          where screen_seen.at <= excluded.at`,
};

type Found = {
  readonly devices: readonly StoredDevice[];
  readonly orders: readonly Dated<CareOrder, "deadlineAt" | "createdAt">[];
  readonly offers: readonly OfferView[];
};

function standingOf(
  sealer: Sealer,
  subscriberId: string,
  row: StoredSubscriber,
  { devices, orders, offers }: Found,
): Standing {
  const { screen, channel, at, account_state: state, language, card_digits, mandate_reference } = row;
  const pays = {
    card: card_digits && maskedMeans(card_digits),
    mandate: mandate_reference && maskAccount(mandate_reference),
  };
  return {
    subscriberId,
    imsiMasked: maskIdentifier(sealer.open("imsi", row.imsi_sealed), "imsi"),
    msisdnMasked: maskedNumber(sealer, row.msisdn_sealed),
    homePlmn: row.homePlmn,
    account: state !== null && language !== null ? { state, language, ...pays } : null,
    devices: devices.map(({ imei_sealed, ...device }) => ({
      ...device,
      imeiMasked: maskIdentifier(sealer.open("imei", imei_sealed), "imei"),
      firstSeenAt: device.firstSeenAt.toISOString(),
      lastSeenAt: device.lastSeenAt.toISOString(),
    })),
    orders: orders.map((order) => ({
      ...order,
      deadlineAt: iso(order.deadlineAt),
      createdAt: order.createdAt.toISOString(),
    })),
    offers,
    lastScreen:
      screen !== null && channel !== null && at !== null ? { screen, channel, at: at.toISOString() } : null,
  };
}
