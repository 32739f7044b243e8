/**
 * Orders that this server has by heart. Each is locked some six times on its way, and nearly every time it is as this server left
 * it: then its rows need not be read and parsed again. What is remembered is believed for one lock only when the database, asked
 * behind that lock, names the same versions of all of its rows; so it does not matter who else writes them, or when this server
 * hears that its own commit came through.
 *
 *   written ── committed ── remembered ── locked again: same versions? ── a copy of it
 *                                                       other versions? ── read anew
 *
 * Orders that somebody asked for are not remembered: more than their own rows decides about them.
 */
import type { KeySource } from "../../kernel/operator/operator-terms.ts";
import type { KeyState } from "../../kernel/order/device-key.ts";
import type { CarrierMessage } from "../../kernel/order/message.ts";
import type { ItemDraft, OrderDraft } from "../../kernel/order/order-draft.ts";
import { groupBy, type Recent, recent } from "../../term/collections.ts";

/** Some 2 kB each; of those beyond, and at most as many more, the ones that were longest not asked for are forgotten. */
const ORDERS_MAX = 5_000;

/** What the database says behind the lock: a row an item, or one without where there are none. */
export type RowVersions = {
  readonly orderId: string;
  readonly version: string;
  readonly itemId: string | null;
  readonly itemVersion: string | null;
  readonly keySource: KeySource | null;
  readonly keyState: KeyState | null;
  readonly isLost: boolean;
};

/** Its draft is never handed out, and never changed. */
type Remembered = {
  readonly order: OrderDraft;
  readonly version: string;
  readonly itemVersions: ReadonlyMap<string, string>;
};
type Memory = Recent<string, Remembered>;

/** What one transaction knows of the orders that it holds. */
export type Recall = {
  knows(orderId: string): boolean;
  /** @param ownVersion what rows that this transaction writes will bear */
  begin(ownVersion: string): void;
  /** Copies of those that are as they are remembered, by id. */
  believe(rows: readonly RowVersions[]): ReadonlyMap<string, OrderDraft>;
  /** Read under its lock. */
  noteRead(order: OrderDraft, version: string, itemVersions: ReadonlyMap<string, string>): void;
  /** Orders as they are written: what is not marked as changed stays as it was read. */
  noteWritten(orders: readonly OrderDraft[]): void;
  /** The transaction is on disk. */
  committed(): void;
};

/** Answers a recall for each transaction. */
export function createOrderMemory(ordersMax = ORDERS_MAX): () => Recall {
  const memory = recent<string, Remembered>(ordersMax);
  return () => recallOf(memory);
}

function recallOf(memory: Memory): Recall {
  const held = new Map<string, Remembered>();
  const written = new Set<string>();
  let own: string | undefined;
  return {
    knows: (orderId) => memory.get(orderId) !== undefined,
    begin(ownVersion) {
      own = ownVersion;
    },
    believe(rows) {
      const believed = new Map<string, OrderDraft>();
      for (const [orderId, versions] of groupBy(rows, ({ orderId }) => orderId)) {
        const known = memory.get(orderId);
        if (!known || !isAsRemembered(known, versions)) continue;
        held.set(orderId, known);
        believed.set(orderId, copyOf(known.order, versions));
      }
      return believed;
    },
    noteRead(order, version, itemVersions) {
      if (isRemembered(order)) held.set(order.id, { order: copyOf(order), version, itemVersions });
    },
    noteWritten(orders) {
      for (const order of orders) {
        const isTwice = written.has(order.id); // as two drafts: nobody knows which of them the row is
        written.add(order.id);
        const now = isTwice || own === undefined ? undefined : asWritten(order, held.get(order.id), own);
        if (now) held.set(order.id, now);
        else held.delete(order.id); // what was remembered of it before is of other versions
      }
    },
    committed() {
      for (const [orderId, order] of held) memory.set(orderId, order);
    },
  };
}

const isRemembered = ({ request, items }: OrderDraft): boolean =>
  request === null && items.every(({ subject }) => subject === null);

const isAsRemembered = ({ version, itemVersions }: Remembered, rows: readonly RowVersions[]): boolean => {
  const items = rows.filter(({ itemId }) => itemId !== null);
  return (
    rows.every((row) => row.version === version) &&
    items.length === itemVersions.size &&
    items.every(({ itemId, itemVersion }) => itemId !== null && itemVersions.get(itemId) === itemVersion)
  );
};

/** Undefined where not all of it is known as it is on disk. */
function asWritten(order: OrderDraft, before: Remembered | undefined, own: string): Remembered | undefined {
  const version = order.changed ? own : before?.version;
  const row = order.changed ? order : before?.order;
  if (!isRemembered(order) || version === undefined || !row) return undefined;
  const items: ItemDraft[] = [];
  const itemVersions = new Map<string, string>();
  for (const item of order.items) {
    const isWritten = item.isNew || item.changed;
    const known = isWritten ? item : before?.order.items.find(({ id }) => id === item.id);
    const itemVersion = isWritten ? own : before?.itemVersions.get(item.id);
    if (!known || itemVersion === undefined) return undefined;
    items.push(known);
    itemVersions.set(item.id, itemVersion);
  }
  return { order: copyOf({ ...row, items }), version, itemVersions };
}

/** With what other rows say of its items now. */
function copyOf(order: OrderDraft, rows: readonly RowVersions[] = []): OrderDraft {
  const said = new Map(rows.map((row) => [row.itemId, row]));
  const items = order.items.map((item): ItemDraft => {
    const now = said.get(item.id);
    const message = item.message && carrierOf(item.message, now?.isLost ?? item.message.isLost ?? false);
    const copy = { ...item, message, isNew: false, changed: false };
    return now ? { ...copy, keySource: now.keySource, keyState: now.keyState } : copy;
  });
  return { ...order, items, changed: false };
}

/** As it is read: one that was just composed holds more. */
const carrierOf = (
  { id, payloadId, kind, partCount, reference }: CarrierMessage,
  isLost: boolean,
): CarrierMessage => ({ id, payloadId, kind, partCount, reference, isLost });
