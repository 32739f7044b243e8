/**
 * Orders with their items as drafts: read, or locked and read. What a server locks again and again it has by heart
 * (`order-memory.ts`); the database is then asked for the versions of the rows alone.
 */
import type { ItemDraft, OrderDraft } from "../../kernel/order/order-draft.ts";
import { getFrom, pairsOf } from "../../term/collections.ts";
import type { Db, Tx } from "../database/database.ts";
import { withRequests } from "../requests/request-rows.ts";
import type { Sealer } from "../seal/seal.ts";
import type { Recall, RowVersions } from "./order-memory.ts";
import { type FeeTermsRow, feeTermsOfRow } from "./order-rows.ts";
import { bringBack } from "./past-messages.ts";

/** Columns of a draft, of `provisioning_order o`. */
export const ORDER = `o.id, o.operator_id as "operatorId", o.subscriber_id as "subscriberId", o.device_id as "deviceId", o.cause,
  o.created_at as "createdAt", o.state, o.reason, o.next_action as "nextAction", o.due_at as "dueAt", o.deadline_at as "deadlineAt",
  o.sends as attempts, o.market, o.serving_plmn as "servingPlmn", o.make, o.model, o.verdict, o.verdict_reasons as "verdictReasons",
  o.policy_version as "policyVersion"`;

/** Of this transaction, as rows that it writes bear it: `xmin`. */
export const OWN_VERSION = `pg_current_xact_id()::xid::text as "ownVersion"`;

const LOCK_ORDERS = {
  name: "lock_orders", // provisioning_order_pkey
  text: `select o.id, ${OWN_VERSION} from provisioning_order o where o.id = any($1::uuid[]) order by o.id for update`,
};
const READ_ORDERS = {
  name: "read_orders", // provisioning_order_pkey
  text: `select ${ORDER}, o.xmin::text as version, o.messages_away as "isAway" from provisioning_order o where o.id = any($1::uuid[]) order by o.id`,
};
const ITEMS_OF_ORDERS = {
  name: "items_of_orders", // order_item_of_order, message_pkey, device_key_pkey
  text: `select i.id, i.order_id as "orderId", i.kind, i.state, i.cause, i.reason, i.next_action as "nextAction",
                i.deadline_at as "deadlineAt", i.attempt, i.key_id as "keyId", i.apns, i.apns_seen as "apnsSeen", i.applications_seen as "applicationsSeen", i.subject, i.fee_terms as "feeTerms", k.source as "keySource", k.state as "keyState",
                i.message_id as "messageId", m.payload_id as "payloadId", m.kind as "messageKind",
                m.part_count as "partCount", m.reference, m.number_lost_at is not null as "isLost", i.xmin::text as version
           from order_item i left join message m on m.id = i.message_id left join device_key k on k.id = i.key_id
          where i.order_id = any($1::uuid[]) order by i.id`,
};
/**
 * `xmin` names the transaction that wrote a row as it is: whoever changes it, by whichever program, it is another then. What an
 * item is said of by other rows, its key and its message, comes along.
 */
const VERSIONS_OF_ORDERS = {
  name: "versions_of_orders", // provisioning_order_pkey, order_item_of_order, message_pkey, device_key_pkey
  text: `select o.id as "orderId", o.xmin::text as version, i.id as "itemId", i.xmin::text as "itemVersion",
                k.source as "keySource", k.state as "keyState", m.number_lost_at is not null as "isLost"
           from provisioning_order o left join order_item i on i.order_id = o.id
           left join message m on m.id = i.message_id left join device_key k on k.id = i.key_id
          where o.id = any($1::uuid[])`,
};

export type OrderColumns = Omit<OrderDraft, "items" | "request" | "changed">;
type VersionedOrder = OrderColumns & { readonly version: string; readonly isAway: boolean };
type ItemColumns = Omit<ItemDraft, "message" | "feeTerms" | "isNew" | "changed"> & {
  readonly feeTerms: FeeTermsRow | null;
  readonly orderId: string;
  readonly messageId: string | null;
  readonly payloadId: string | null;
  readonly messageKind: NonNullable<ItemDraft["message"]>["kind"];
  readonly partCount: number;
  readonly reference: number;
  readonly isLost: boolean;
  readonly version: string;
};

/** In the order of their ids as given. */
export async function readOrders(db: Db, sealer: Sealer, ids: readonly string[]): Promise<OrderDraft[]> {
  if (ids.length === 0) return [];
  const rows = await db.rows<VersionedOrder>(READ_ORDERS, [ids]);
  const orders = await withItems(db, sealer, rows.map(withoutVersion));
  return ids.flatMap((id) => orders.find((order) => order.id === id) ?? []);
}

export async function withItems(
  db: Db,
  sealer: Sealer,
  rows: readonly OrderColumns[],
): Promise<OrderDraft[]> {
  const orders = rows.map(draftOf);
  await withRequests(db, sealer, orders);
  // An order that was not yet opened has no items to look for, unless somebody asked for them.
  const opened = orders
    .filter(({ state, request }) => request || (state !== "received" && state !== "waiting"))
    .map(({ id }) => id);
  if (opened.length > 0) addItems(orders, await db.rows<ItemColumns>(ITEMS_OF_ORDERS, [opened]));
  return orders;
}

/**
 * Locks in ascending order of id, and answers in that order. What is asked for behind the lock, not after its answer, is read
 * when it is held; only what was believed and is not so any more is asked for once more.
 */
export async function lockWithItems(
  tx: Tx,
  sealer: Sealer,
  recall: Recall,
  orderIds: readonly string[],
): Promise<OrderDraft[]> {
  const known = orderIds.filter((id) => recall.knows(id));
  const believable = new Set(known);
  const unknown = orderIds.filter((id) => !believable.has(id));
  const [locked, versions, read] = await Promise.all([
    tx.rows<{ readonly id: string; readonly ownVersion: string }>(LOCK_ORDERS, [orderIds]),
    known.length === 0 ? [] : tx.rows<RowVersions>(VERSIONS_OF_ORDERS, [known]),
    readLocked(tx, unknown),
  ]);
  const [first] = locked;
  if (!first) return [];
  recall.begin(first.ownVersion);
  const believed = recall.believe(versions);
  const changed = known.filter((id) => !believed.has(id));
  const parts = [read, await readLocked(tx, changed)];
  const drafts = parts.flatMap(({ orders, items }) => noted(recall, orders, items));
  await withRequests(tx, sealer, drafts);
  const all = new Map([...drafts.map((draft) => [draft.id, draft] as const), ...believed]);
  return locked.flatMap(({ id }) => all.get(id) ?? []);
}

type Rows = { readonly orders: readonly VersionedOrder[]; readonly items: readonly ItemColumns[] };

/** Both go out before either is answered. What was put away of an order that is taken up again comes back first. */
async function readLocked(tx: Tx, ids: readonly string[]): Promise<Rows> {
  if (ids.length === 0) return { orders: [], items: [] };
  const rows = await readRows(tx, ids);
  const away = rows.orders.filter(({ isAway }) => isAway).map(({ id }) => id);
  if (away.length === 0) return rows;
  await bringBack(tx, away);
  return readRows(tx, ids);
}

async function readRows(tx: Tx, ids: readonly string[]): Promise<Rows> {
  const [orders, items] = await Promise.all([
    tx.rows<VersionedOrder>(READ_ORDERS, [ids]),
    tx.rows<ItemColumns>(ITEMS_OF_ORDERS, [ids]),
  ]);
  return { orders, items };
}

function noted(recall: Recall, rows: Rows["orders"], items: Rows["items"]): OrderDraft[] {
  const orders = rows.map((row) => draftOf(withoutVersion(row)));
  addItems(orders, items);
  const versions = new Map(items.map(({ id, version }) => [id, version]));
  for (const [row, order] of pairsOf(rows, orders))
    recall.noteRead(order, row.version, new Map(order.items.map(({ id }) => [id, getFrom(versions, id)])));
  return orders;
}

const withoutVersion = ({ version, isAway, ...columns }: VersionedOrder): OrderColumns => columns;

const draftOf = (row: OrderColumns): OrderDraft => ({ ...row, items: [], request: null, changed: false });

function addItems(orders: readonly OrderDraft[], items: readonly ItemColumns[]): void {
  const byId = new Map(orders.map((order) => [order.id, order]));
  for (const row of items) {
    const {
      orderId,
      messageId,
      payloadId,
      messageKind,
      partCount,
      reference,
      isLost,
      feeTerms,
      version,
      ...item
    } = row;
    const message =
      messageId === null || payloadId === null // its month is not kept any more
        ? null
        : { id: messageId, payloadId, kind: messageKind, partCount, reference, isLost };
    byId.get(orderId)?.items.push({
      ...item,
      message,
      feeTerms: feeTermsOfRow(feeTerms),
      isNew: false,
      changed: false,
    });
  }
}
