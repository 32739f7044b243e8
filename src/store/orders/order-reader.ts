/**
 * Lists and stories of orders on PostgreSQL. Orders are listed by order-list.ts; every other list
 * pages by (operator_id, id). Every query names the index that it runs on, and order-reader.test.ts asks PostgreSQL whether it does. Sealed numbers are opened only to be masked.
 */

import { localized } from "../../kernel/catalog/localized.ts";
import { ORDER_STATES } from "../../kernel/order/order.ts";
import { checkOffered } from "../../kernel/order/order-list.ts";
import type {
  Balance,
  ChargeRow,
  EventView,
  ItemSubjectView,
  ItemView,
  MessageView,
  OrderReader,
  OrderStory,
  PageQuery,
  PostingRow,
  RestoredRow,
} from "../../kernel/order/order-reader.ts";
import type { ItemRequest } from "../../kernel/order/request-draft.ts";
import { applicationsOf } from "../../kernel/support/applications.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { membersOf } from "../../term/narrow.ts";
import { recordOf } from "../../term/record.ts";
import { Conditions, type Query } from "../database/conditions.ts";
import type { Database, Db } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import type { Sealer } from "../seal/seal.ts";
import { historyOf } from "./event-rows.ts";
import { type Dated, iso, ORDER, orderRow, type StoredOrder } from "./listed-order.ts";
import { readOrderList, totalOf } from "./order-list.ts";
import { partiesOf } from "./parties.ts";
import { PAST_OF_ORDER, type PastPart, pastMessagesQuery, pastPartView } from "./past-messages.ts";

/** A story is read by a person: so many entries of one kind are shown, the newest. */
const STORY_ENTRIES_MAX = 1_000;

export function createOrderReader(database: Database, sealer: Sealer): OrderReader {
  return {
    async listOrders(operatorId, filter, page) {
      checkOffered(filter, page.sort ?? "created");
      const parties = await partiesOf(database, sealer, operatorId, filter);
      if (parties === "none")
        return { rows: [], nextCursor: null, ...(page.total && { total: { kind: page.total, count: 0 } }) };
      const scope = { operatorId, filter, parties };
      const list = await readOrderList(database, scope, page);
      return page.total ? { ...list, total: await totalOf(database, scope, page.total) } : list;
    },
    findOrder: (operatorId, orderId) =>
      database.transaction((tx) => storyOf(tx, sealer, operatorId, orderId), {
        isolation: "repeatable read",
      }),
    async countOrders(operatorId) {
      const counts = new Map(
        (await database.rows<{ state: string; count: number }>(COUNT_ORDERS, [operatorId])).map((row) => [
          row.state,
          row.count,
        ]),
      );
      return recordOf(ORDER_STATES, (state) => counts.get(state) ?? 0);
    },
    async listMessages(operatorId, filter, page) {
      const queries = [messagesQuery(operatorId, filter, page), pastMessagesQuery(operatorId, filter, page)];
      const found: StoredMessage[] = [];
      // One behind the other: what is put away meanwhile is met twice, and never missed.
      for (const { text, values } of queries)
        found.push(...(await database.rows<StoredMessage>(text, values)));
      const { rows, nextCursor } = cutPage(inOrder(found, page.order).slice(0, page.limit + 1), page.limit);
      const parts = await partsOf(database, rows);
      return { rows: rows.map((row) => messageView(row, parts)), nextCursor };
    },
    async listCharges(operatorId, filter, page) {
      const { text, values } = chargesQuery(operatorId, filter, page);
      return cutPage((await database.rows<StoredCharge>(text, values)).map(chargeRow), page.limit);
    },
    async listPostings(operatorId, filter, page) {
      const { text, values } = postingsQuery(operatorId, filter, page);
      const rows = await database.rows<Dated<PostingRow, "bookedAt">>(text, values);
      return cutPage(
        rows.map((row) => ({ ...row, bookedAt: row.bookedAt.toISOString() })),
        page.limit,
      );
    },
    restored: (operatorId, { from, to }) =>
      database.rows<RestoredRow>(RESTORED, [operatorId, from ?? null, to ?? null]),
    balances: (operatorId) => database.rows<Balance>(BALANCES, [operatorId]),
  };
}

// Lists.

const COUNT_ORDERS = {
  name: "count_orders", // provisioning_order_by_standing
  text: "select state, count(*)::int as count from provisioning_order where operator_id = $1 group by state",
};

/** A text of the API holds its payload itself. */
const MESSAGE = `m.id, m.order_id as "orderId", m.kind, coalesce(p.protocol, 'text') as protocol, p.sec, m.state, m.reason, coalesce(m.octets, p.octets) as octets,
  m.part_count as "partCount", p.bearer, p.channel, p.channel_rule as "channelRule", p.part_octets as "partOctets", m.attempts, m.created_at as "createdAt", m.updated_at as "updatedAt",
  m.expires_at as "expiresAt"`;
type PresentMessage = Dated<Omit<MessageView, "parts">, "createdAt" | "updatedAt" | "expiresAt">;
/** One that was put away brings its parts. */
type StoredMessage = PresentMessage & { readonly pastParts?: readonly PastPart[] | null };
type StoredPart = Dated<MessageView["parts"][number], "acceptedAt" | "doneAt"> & {
  readonly messageId: string;
};

/** The states whose messages an index keeps apart; written into the text, since a parameter would hide it. */
const UNSUCCESSFUL: readonly string[] = ["failed", "expired", "cancelled"];

/** Runs on message_of_order where an order is named, on message_unsuccessful for those states, else on message_by_id. */
export function messagesQuery(
  operatorId: string,
  { state, orderId }: { readonly state?: string | undefined; readonly orderId?: string | undefined },
  page: PageQuery,
): Query {
  const conditions = new Conditions().add("m.operator_id = ?", operatorId).maybe("m.order_id = ?", orderId);
  if (state !== undefined && UNSUCCESSFUL.includes(state)) conditions.fixed(`m.state = '${state}'`);
  else conditions.maybe("m.state = ?", state);
  return conditions.page(
    `select ${MESSAGE} from message m left join payload p on p.id = m.payload_id`,
    "m",
    page,
  );
}

/** By id, each once, as a page goes. */
function inOrder<Row extends { readonly id: string }>(
  rows: readonly Row[],
  order: PageQuery["order"],
): Row[] {
  const once = [...new Map(rows.map((row) => [row.id, row])).values()];
  const sorted = once.sort((one, other) => (one.id < other.id ? -1 : 1));
  return order === "asc" ? sorted : sorted.reverse();
}

const PARTS = {
  name: "parts_of_messages", // message_part_pkey
  text: `select message_id as "messageId", sequence, smsc, smsc_message_id as "smscMessageId", state, error_code as "errorCode",
                reported_state as "reportedState", accepted_at as "acceptedAt", done_at as "doneAt"
           from message_part where message_id = any($1::uuid[]) order by message_id, sequence`,
};

type Parts = MessageView["parts"];

/** By message; of those that were put away as they bring them. */
async function partsOf(db: Db, messages: readonly StoredMessage[]): Promise<ReadonlyMap<string, Parts>> {
  const parts = new Map<string, Parts>();
  const present: string[] = [];
  for (const { id, pastParts } of messages)
    if (pastParts === undefined) present.push(id);
    else parts.set(id, pastParts?.map(pastPartView) ?? []);
  const rows = present.length === 0 ? [] : await db.rows<StoredPart>(PARTS, [present]);
  for (const { messageId, ...part } of rows) {
    const view = { ...part, acceptedAt: part.acceptedAt.toISOString(), doneAt: iso(part.doneAt) };
    parts.set(messageId, [...(parts.get(messageId) ?? []), view]);
  }
  return parts;
}

const messageView = (
  { pastParts: _, createdAt, updatedAt, expiresAt, ...message }: StoredMessage,
  parts: ReadonlyMap<string, Parts>,
): MessageView => ({
  ...message,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  parts: parts.get(message.id) ?? [],
});

const CHARGE = `c.id, c.order_id as "orderId", c.item_id as "itemId", c.make, c.key_source as "keySource",
  c.fee_minor as "feeMinor", c.portion_minor as "portionMinor", c.currency, c.level, c.state, c.reason,
  c.bank_reference as "bankReference", c.payout_reference as "payoutReference", c.created_at as "createdAt",
  c.updated_at as "updatedAt"`;
type StoredCharge = Dated<ChargeRow, "createdAt" | "updatedAt">;
const chargeRow = (row: StoredCharge): ChargeRow => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

/** Runs on charge_by_state where a state is named, else on charge_by_id. */
export function chargesQuery(
  operatorId: string,
  { state, make }: { readonly state?: string | undefined; readonly make?: string | undefined },
  page: PageQuery,
): Query {
  return new Conditions()
    .add("c.operator_id = ?", operatorId)
    .maybe("c.state = ?", state)
    .maybe("c.make = ?", make)
    .page(`select ${CHARGE} from charge c`, "c", page);
}

/** Runs on posting_of_charge or posting_of_collection where one is named, else on posting_by_id: accounts are few, so a page fills soon. */
export function postingsQuery(
  operatorId: string,
  {
    account,
    chargeId,
    collectionId,
  }: {
    readonly account?: string | undefined;
    readonly chargeId?: string | undefined;
    readonly collectionId?: string | undefined;
  },
  page: PageQuery,
): Query {
  return new Conditions()
    .add("p.operator_id = ?", operatorId)
    .maybe("p.charge_id = ?", chargeId)
    .maybe("p.collection_id = ?", collectionId)
    .maybe("? in (p.debit, p.credit)", account)
    .page(
      `select p.id, p.reference, p.charge_id as "chargeId", p.collection_id as "collectionId", p.debit, p.credit, p.amount_minor as "amountMinor", p.currency,
              p.booked_at as "bookedAt" from posting p`,
      "p",
      page,
    );
}

const BALANCES = {
  name: "balances", // posting_by_id: every posting of the operator is read once
  text: `select account, currency, sum(amount)::bigint as "balanceMinor"
           from (select debit, credit, currency, amount_minor from posting where operator_id = $1) p
          cross join lateral (values (debit, amount_minor), (credit, -amount_minor)) as side(account, amount)
          group by account, currency order by account, currency`,
};

/** More kinds of handset than any operator's report has. */
const RESTORED_ROWS_MAX = 1_000;
/**
 * Counts what was observed alone: a verdict that a rule reached, and every item of the order at `works`, whatever level
 * the policy calls done. Bounded by when the last of them was seen to work.
 */
const RESTORED = {
  name: "restored", // provisioning_order_by_standing, order_item_of_order, order_event_pkey
  text: `select make, model, rule, count(distinct device_id)::int as handsets,
                count(distinct device_id) filter (where with_key)::int as "withKey"
           from (
             select o.make, o.model, o.device_id,
                    (select one.value ->> 'rule' from jsonb_array_elements(o.verdict_reasons) one
                      where (one.value ->> 'decided')::boolean and one.value ->> 'outcome' = 'ended' limit 1) as rule,
                    exists (select from order_item i where i.order_id = o.id and i.kind = 'key') as with_key,
                    (select max(e.at) from order_event e where e.order_id = o.id and e.kind = 'works') as seen_at
               from provisioning_order o
              where o.operator_id = $1 and o.state = 'completed' and o.verdict = 'ended'
                and not exists (select from order_item i where i.order_id = o.id and i.state <> 'works')) proved
          where rule is not null and seen_at >= coalesce($2::timestamptz, '-infinity')
            and seen_at < coalesce($3::timestamptz, 'infinity')
          group by 1, 2, 3 order by 4 desc, 1, 2, 3 limit ${RESTORED_ROWS_MAX}`,
};

// One order's story.

const STORY = {
  name: "story_order", // provisioning_order_pkey, subscriber_pkey, device_pkey
  text: `select ${ORDER}, o.verdict_reasons as "verdictReasons", o.policy_version as "policyVersion", d.imei_sealed, s.imsi_sealed, s.msisdn_sealed
           from provisioning_order o join subscriber s on s.id = o.subscriber_id join device d on d.id = o.device_id
          where o.operator_id = $1 and o.id = $2`,
};
const STORY_ITEMS = {
  name: "story_items", // order_item_of_order
  text: `select id, kind, subject, state, cause, reason, next_action as "nextAction", deadline_at as "deadlineAt", attempt,
                message_id as "messageId", key_id as "keyId", apns, apns_seen as "apnsSeen", updated_at as "updatedAt"
           from order_item where order_id = $1 order by id`,
};
const STORY_EVENTS = {
  name: "story_events", // order_event_pkey
  text: `select * from (
           select id, item_id as "itemId", kind, state, reason, evidence, detail, at
             from (${historyOf("e.order_id = $1")}) h order by id desc limit ${STORY_ENTRIES_MAX}) newest order by id`,
};
const STORY_MESSAGES = {
  name: "story_messages", // message_of_order, payload_pkey
  text: `select ${MESSAGE}, m.reference, p.sealed from message m join payload p on p.id = m.payload_id
          where m.order_id = $1 order by m.id limit ${STORY_ENTRIES_MAX}`,
};
const STORY_CALLS = {
  name: "story_calls", // outbound_call_of_order
  text: `select kind, state, reason, attempts, due_at as "dueAt", updated_at as "updatedAt"
           from outbound_call where order_id = $1 order by id limit ${STORY_ENTRIES_MAX}`,
};
const STORY_CHARGES = {
  name: "story_charges", // charge_item_id_key
  text: `select ${CHARGE} from charge c where c.item_id = any($1::uuid[]) order by c.id`,
};

type StoredItem = Omit<Dated<ItemView, "deadlineAt" | "updatedAt">, "subject"> & {
  readonly subject: ItemRequest | null;
};
const subjectView = (subject: ItemRequest): ItemSubjectView => ({
  catalogId: subject.catalogId,
  version: subject.version,
  action: subject.action,
  package: subject.package,
  name: localized(subject.name, "en"),
  channel: subject.channel,
  retransmissions: subject.retransmissions,
  missing: subject.missing.map(({ name }) => name),
  elements: subject.elements,
  billing: subject.billing.state,
});

type StoredStory = StoredOrder & {
  readonly verdictReasons: unknown;
  readonly policyVersion: number | null;
  readonly imei_sealed: Buffer;
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
};
type SealedMessage = StoredMessage & { readonly reference: number; readonly sealed: Buffer };

async function storyOf(
  tx: Db,
  sealer: Sealer,
  operatorId: string,
  orderId: string,
): Promise<OrderStory | undefined> {
  const found = await tx.one<StoredStory>(STORY, [operatorId, orderId]);
  if (!found) return undefined;
  const { imei_sealed, imsi_sealed, msisdn_sealed, ...order } = found;
  const items = await tx.rows<StoredItem>(STORY_ITEMS, [orderId]);
  const dated = await tx.rows<Dated<EventView, "at">>(STORY_EVENTS, [orderId]);
  const events = dated.map((event) => ({ ...event, at: event.at.toISOString() }));
  const past = await tx.rows<SealedMessage>(PAST_OF_ORDER, [orderId, STORY_ENTRIES_MAX]);
  const present = await tx.rows<SealedMessage>(STORY_MESSAGES, [orderId]);
  const messages = inOrder([...past, ...present], "asc").slice(0, STORY_ENTRIES_MAX);
  const parts = await partsOf(tx, messages);
  const calls = await tx.rows<Dated<OrderStory["calls"][number], "dueAt" | "updatedAt">>(STORY_CALLS, [
    orderId,
  ]);
  const charges = await tx.rows<StoredCharge>(STORY_CHARGES, [items.map(({ id }) => id)]);
  return {
    ...orderRow(order),
    verdictReasons: order.verdictReasons,
    policyVersion: order.policyVersion,
    imeiMasked: maskIdentifier(sealer.open("imei", imei_sealed), "imei"),
    imsiMasked: maskIdentifier(sealer.open("imsi", imsi_sealed), "imsi"),
    msisdnMasked: msisdn_sealed && maskIdentifier(sealer.open("msisdn", msisdn_sealed), "msisdn"),
    items: items.map((item) => ({
      ...item,
      subject: item.subject && subjectView(item.subject),
      deadlineAt: iso(item.deadlineAt),
      updatedAt: item.updatedAt.toISOString(),
    })),
    reasonCode: reasonCodeOf(order.state, events),
    events,
    applications: applicationsOf(events),
    messages: messages.map(({ sealed, reference, ...message }) => ({
      ...messageView(message, parts),
      reference,
      // A notice may hold a subscriber's passwords: it is for their device alone (US 6,647,260, R46).
      payload: message.kind === "notice" ? new Uint8Array(0) : sealer.openBytes("payload", sealed),
    })),
    calls: calls.map((call) => ({
      ...call,
      dueAt: iso(call.dueAt),
      updatedAt: call.updatedAt.toISOString(),
    })),
    charges: charges.map(chargeRow),
  };
}

/** Said by the event that brought the order where it stands; an order that is under way waits for nothing by a code. */
function reasonCodeOf(
  state: OrderStory["state"],
  events: readonly Pick<EventView, "kind" | "itemId" | "state" | "detail">[],
): string | null {
  const last = events.findLast((event) => event.itemId === null && event.state === state);
  const { cause } = membersOf(last?.detail);
  return typeof cause === "string" ? cause : null;
}
