/**
 * The rows that the feed is read from, each in the order of its position: what orders noted, what the network saw, and what
 * triggers noted of messages, charges and registrations (migration 0065). A row holds the events of one step or statement.
 */
import { typeOfKind, typeOfState } from "../../kernel/events/event-types.ts";
import type { Place } from "../../kernel/events/position.ts";
import type { Db } from "../database/database.ts";

/** An event as its row has it. */
export type StoredEvent = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
};
export type FeedRow = { readonly tx: bigint; readonly row: string; readonly events: readonly StoredEvent[] };

/** Of an operator, from a place on, below the first transaction that may still be under way. */
type FeedCut = {
  readonly operatorId: string;
  readonly from: Pick<Place, "tx" | "row">;
  readonly horizon: bigint;
  readonly limit: number;
};

/** `r.tx` is the number: by its text alone 999 would stand behind 1000. */
const WITHIN =
  "r.operator_id = $1 and (r.tx, r.id) >= ($2::xid8, $3::uuid) and r.tx is not null and r.tx < $4::xid8 order by r.tx, r.id limit $5";
const ISO = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const ORDER_ROWS = {
  name: "feed_orders", // order_event_by_position
  text: `select r.tx::text as tx, id, order_id as "orderId", item_id as "itemId", kind, state, reason, evidence, detail, more, ${ISO("at")} as at
           from order_event r where ${WITHIN}`,
};
const SIGHTING_ROWS = {
  name: "feed_sightings", // sighting_by_position
  text: `select r.tx::text as tx, id, subscriber_id as "subscriberId", device_id as "deviceId", outcome, serving_plmn as "servingPlmn",
                source, ${ISO("seen_at")} as "seenAt", ${ISO("received_at")} as at
           from sighting r where ${WITHIN}`,
};
const CHANGE_ROWS = {
  name: "feed_changes", // change_pkey
  text: `select r.tx::text as tx, id, subject, changes from change r where ${WITHIN}`,
};

type OrderRow = {
  readonly tx: string;
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string | null;
  readonly kind: string;
  readonly state: string | null;
  readonly reason: string;
  readonly evidence: string | null;
  readonly detail: unknown;
  readonly more: readonly MoreEvent[] | null;
  readonly at: string;
};
/** As `stepsOf` of store/orders/event-rows.ts writes it. */
type MoreEvent = readonly [string, string | null, string, string | null, string, string | null, unknown];
type SightingRow = {
  readonly tx: string;
  readonly id: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly outcome: string;
  readonly servingPlmn: string;
  readonly source: string;
  readonly seenAt: string;
  readonly at: string;
};
const CHANGED = ["message", "charge", "registration"] as const;
type Changed = (typeof CHANGED)[number];
type ChangeRow = {
  readonly tx: string;
  readonly id: string;
  readonly subject: Changed;
  readonly changes: readonly Change[];
};
/** As the triggers write it: what changed, its order, its item, what it is, its state, why, when. */
type Change = readonly [string, string | null, string | null, string, string, string | null, string];

/** The next rows of each kind; those of one kind end before `limit` where there are no more. */
export async function feedRows(
  db: Db,
  { operatorId, from, horizon, limit }: FeedCut,
): Promise<readonly FeedRow[]> {
  const values = [operatorId, String(from.tx), from.row, String(horizon), limit];
  const [orders, sightings, changes] = await Promise.all([
    db.rows<OrderRow>(ORDER_ROWS, values),
    db.rows<SightingRow>(SIGHTING_ROWS, values),
    db.rows<ChangeRow>(CHANGE_ROWS, values),
  ]);
  return [...orders.map(ofOrder), ...sightings.map(ofSighting), ...changes.map(ofChange)];
}

function ofOrder({
  tx,
  id,
  orderId,
  itemId,
  kind,
  state,
  reason,
  evidence,
  detail,
  more,
  at,
}: OrderRow): FeedRow {
  const head: MoreEvent = [id, itemId, kind, state, reason, evidence, detail];
  const noted = more === null ? [head] : [head, ...more].sort(([one], [other]) => (one < other ? -1 : 1));
  const events = noted.map(([eventId, ofItem, eventKind, moved, why, who, facts]) => ({
    id: eventId,
    type: typeOfKind(eventKind),
    subject: `orders/${orderId}`,
    at,
    data: {
      orderId,
      itemId: ofItem,
      kind: eventKind,
      state: moved,
      reason: why,
      evidence: who,
      detail: facts,
    },
  }));
  return { tx: BigInt(tx), row: id, events };
}

function ofSighting({ tx, id, at, ...data }: SightingRow): FeedRow {
  const type = typeOfState("pairing", data.outcome);
  return {
    tx: BigInt(tx),
    row: id,
    events: [{ id, type, subject: `subscribers/${data.subscriberId}`, at, data }],
  };
}

function ofChange({ tx, id, subject, changes }: ChangeRow): FeedRow {
  const events = changes.map((change, place) => {
    const [changed, , , , state, , at] = change;
    return {
      id: `${id}-${place}`,
      type: typeOfState(subject, state),
      subject: `${subject}s/${changed}`,
      at: new Date(at).toISOString(),
      data: DATA_OF[subject](change),
    };
  });
  return { tx: BigInt(tx), row: id, events };
}

const DATA_OF: Readonly<Record<Changed, (change: Change) => StoredEvent["data"]>> = {
  message: ([messageId, orderId, , kind, state, reason]) => ({ messageId, orderId, kind, state, reason }),
  charge: ([chargeId, orderId, itemId, keySource, state, reason]) => ({
    chargeId,
    orderId,
    itemId,
    keySource,
    state,
    reason,
  }),
  registration: ([registrationId, orderId, itemId, service, state]) => ({
    registrationId,
    orderId,
    itemId,
    service,
    state,
  }),
};

/**
 * The first transaction at or behind a number that left rows, and when the last of them was made, by its id: a restore is one
 * transaction with the rows of years, and stands where its youngest does.
 */
const FIRST_AT = {
  name: "feed_first_at", // order_event_by_position, sighting_by_position, change_pkey
  text: `select first.tx::text as tx, youngest.id from (
           select tx from (
             (select tx from order_event where operator_id = $1 and tx >= $2::xid8 and tx is not null order by tx, id limit 1) union all
             (select tx from sighting where operator_id = $1 and tx >= $2::xid8 and tx is not null order by tx, id limit 1) union all
             (select tx from change where operator_id = $1 and tx >= $2::xid8 order by tx, id limit 1)) found
            order by found.tx limit 1) first
          cross join lateral (
           select id from (
             (select id from order_event e where e.operator_id = $1 and e.tx = first.tx and e.tx is not null order by e.tx desc, e.id desc limit 1) union all
             (select id from sighting s where s.operator_id = $1 and s.tx = first.tx and s.tx is not null order by s.tx desc, s.id desc limit 1) union all
             (select id from change c where c.operator_id = $1 and c.tx = first.tx order by c.tx desc, c.id desc limit 1)) last
            order by last.id desc limit 1) youngest`,
};

export async function lastRowOfFirst(
  db: Db,
  operatorId: string,
  tx: bigint,
): Promise<{ readonly tx: bigint; readonly ms: number } | undefined> {
  const row = await db.one<{ tx: string; id: string }>(FIRST_AT, [operatorId, String(tx)]);
  return row && { tx: BigInt(row.tx), ms: Number.parseInt(row.id.replaceAll("-", "").slice(0, 12), 16) };
}
