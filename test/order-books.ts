/**
 * The rows of orders in memory, with the rules that the data base holds them to: for the table and the random walks of
 * the order engine's decisions. Everything about storage itself is tested on PostgreSQL.
 */
import assert from "node:assert/strict";
import type {
  ChangeSet,
  NewCall,
  NewCharge,
  NewMessage,
  NewPosting,
} from "../src/kernel/order/change-set.ts";
import type {
  Companion,
  DueOrder,
  EndedMessage,
  IssuedKey,
  ItemDraft,
  KeyState,
  OrderDraft,
  OrderStore,
  OrderTransaction,
  OutboundCall,
  Subject,
  Terms,
} from "../src/kernel/order/order-store.ts";
import { KEY_STATES } from "../src/kernel/order/order-store.ts";
import type { ChargeDraft } from "../src/kernel/settlement/charge.ts";

export type StoredMessage = NewMessage & {
  state: "queued" | "submitted" | "delivered" | "failed" | "expired" | "cancelled";
};
export type StoredCall = Omit<NewCall, "dueAt"> & {
  state: "due" | "done" | "refused" | "given_up";
  reason: string;
  dueAt: Date | null;
  attempts: number;
};
export type StoredCharge = Omit<NewCharge, "reason"> & { state: ChargeDraft["state"]; reason: string };

export type OrderBooks = {
  readonly orders: Map<string, OrderDraft>;
  readonly messages: Map<string, StoredMessage>;
  readonly calls: Map<string, StoredCall>;
  readonly charges: Map<string, StoredCharge>;
  readonly postings: Map<string, NewPosting>;
  readonly keys: Map<string, IssuedKey & { readonly deviceId: string; state: KeyState }>;
  readonly subjects: Map<string, Subject>;
  readonly superseded: Set<string>;
  /** Payloads with access points that nobody confirmed. */
  readonly unconfirmed: Set<string>;
  readonly events: { readonly kind: string; readonly orderId: string; readonly itemId: string | null }[];
  terms: Terms;
  readonly store: OrderStore;
};

const isCompanion = ({ idempotencyKey, payloadId }: NewMessage): boolean =>
  idempotencyKey.startsWith(`${payloadId}:`);
const attemptOf = ({ idempotencyKey }: NewMessage): number => Number(idempotencyKey.split(":").at(-1));

export function orderBooks(terms: Terms): OrderBooks {
  const books: OrderBooks = {
    orders: new Map(),
    messages: new Map(),
    calls: new Map(),
    charges: new Map(),
    postings: new Map(),
    keys: new Map(),
    subjects: new Map(),
    superseded: new Set(),
    unconfirmed: new Set(),
    events: [],
    terms,
    get store() {
      return store;
    },
  };
  const store = storeOver(books);
  return books;
}

/** What a row is read as: a draft of its own, with its key's state as it is now. */
const draftOf = (books: OrderBooks, order: OrderDraft): OrderDraft => ({
  ...order,
  changed: false,
  items: order.items.map(
    (item): ItemDraft => ({
      ...item,
      isNew: false,
      changed: false,
      keyState: item.keyId ? (books.keys.get(item.keyId)?.state ?? null) : null,
    }),
  ),
});

export const ended = (
  message: StoredMessage,
  outcome: EndedMessage["outcome"],
  errorCode: string | null = null,
): EndedMessage => ({
  id: message.id,
  messageId: message.id,
  orderId: message.orderId,
  payloadId: message.payloadId,
  kind: message.kind,
  partCount: message.partCount,
  reference: message.reference,
  attempt: attemptOf(message),
  isCompanion: isCompanion(message),
  outcome,
  errorCode,
});

function storeOver(books: OrderBooks): OrderStore {
  const none = (): never => {
    throw new Error("not a part of these books");
  };
  const transactionOf = (): OrderTransaction => ({
    termsOf: async () => books.terms,
    claimDue: async ({ now, limit }) =>
      [...books.orders.values()]
        .filter(({ dueAt }) => dueAt !== null && dueAt <= now)
        .slice(0, limit)
        .map(
          (order): DueOrder => ({
            order: draftOf(books, order),
            subject: books.subjects.get(order.id)!,
            isSuperseded: books.superseded.has(order.id),
            symptoms: [],
          }),
        ),
    lockOrders: async (ids) =>
      ids.flatMap((id) => {
        const order = books.orders.get(id);
        return order ? [draftOf(books, order)] : [];
      }),
    subjectsOf: async (ids) => new Map(ids.map((id) => [id, books.subjects.get(id)!])),
    bookReceipts: async (receipts) =>
      receipts.flatMap(({ smscMessageId, state, errorCode }) => {
        const message = books.messages.get(smscMessageId);
        if (!message || message.state === "delivered" || message.state === "failed") return [];
        if (message.state !== "submitted" && state !== "delivered") return [];
        message.state = state;
        return [ended(message, state, errorCode)];
      }),
    bookSubmissions: async (_taken, unsent) =>
      unsent.flatMap(({ messageId, retryAt, errorCode }) => {
        const message = books.messages.get(messageId)!;
        if (retryAt !== null || message.state !== "queued") return [];
        message.state = "failed";
        return [ended(message, "failed", errorCode)];
      }),
    expireMessages: async (before, limit) =>
      [...books.messages.values()]
        .filter(
          ({ state, expiresAt }) => (state === "queued" || state === "submitted") && expiresAt <= before,
        )
        .slice(0, limit)
        .map((message) => {
          message.state = "expired";
          return ended(message, "expired");
        }),
    rematchReceipts: async () => ({ looked: 0, ended: [] }),
    dropReceipts: async () => 0,
    dropSymptoms: async () => 0,
    undeliveredSettings: async (orderIds) => {
      const settings = [...books.messages.values()].filter(({ kind }) => kind === "settings");
      const delivered = new Set(
        settings.filter(({ state }) => state === "delivered").map(({ payloadId }) => payloadId),
      );
      return new Set(
        settings.flatMap(({ orderId, payloadId }) =>
          orderId !== null && orderIds.includes(orderId) && !delivered.has(payloadId) ? [orderId] : [],
        ),
      );
    },
    companionsOf: async (orderId) => {
      const latest = new Map<string, Companion>();
      for (const message of books.messages.values()) {
        if (message.orderId !== orderId || !isCompanion(message)) continue;
        latest.set(message.payloadId, { ...message, attempt: attemptOf(message) });
      }
      return [...latest.values()];
    },
    unconfirmedPayloads: async (orderId) =>
      new Set(
        [...books.messages.values()]
          .filter((message) => message.orderId === orderId && books.unconfirmed.has(message.payloadId))
          .map(({ payloadId }) => payloadId),
      ),
    takenKeys: async (ids) =>
      ids.flatMap((id) => {
        const key = books.keys.get(id);
        if (!key) return [];
        const { itemId } = withItem(books, id);
        const isCharged = [...books.charges.values()].some((charge) => charge.itemId === itemId);
        return [{ id, deviceId: key.deviceId, orderId: key.orderId, state: key.state, isCharged }];
      }),
    openCallsOf: none,
    lockCharges: async (ids) =>
      ids.flatMap((id) => {
        const charge = books.charges.get(id);
        return charge ? [{ ...charge }] : [];
      }),
    write: async (changes) => write(books, changes),
    askerOf: none,
    requestByKey: none,
    holdingsOf: none,
    underwayOf: async () => new Map(),
    factsOf: none,
    registrationsOf: none,
    noticeKeyOf: none,
    openRequest: none,
    accountBooksOf: none,
    putAccountNumber: none,
    languageOf: none,
    lockOffer: none,
    isQueued: none,
    lockSubscriber: none,
    openCodesOf: none,
    answeredSince: none,
    stopUnasked: none,
    allowUnasked: none,
    hasStopped: none,
    declinedAt: none,
    homePlmnOf: none,
  });
  return {
    transaction: (work) => work(transactionOf()),
    termsOf: async () => books.terms,
    subjectsOf: async (ids) => new Map(ids.map((id) => [id, books.subjects.get(id)!])),
    itemsByTraffic: async (_operator, traffic) =>
      traffic.map(({ imsi, apn }) => {
        const own = [...books.orders.values()].filter(({ id }) => books.subjects.get(id)?.imsi === imsi);
        const newest = own.at(-1);
        return (newest?.items ?? [])
          .filter(({ apns }) => apns.includes(apn.toLowerCase()))
          .map(({ id }) => ({ orderId: newest!.id, itemId: id }));
      }),
    noteSymptoms: none,
    keysById: async (_operator, ids) =>
      new Map(ids.flatMap((id) => (books.keys.has(id) ? [[id, withItem(books, id)] as const] : []))),
    keysByReference: async (references) =>
      [...books.keys.keys()]
        .filter((id) =>
          references.some((one) => id.replaceAll("-", "").startsWith(Buffer.from(one).toString("hex"))),
        )
        .map((id) => withItem(books, id)),
    claimMessages: none,
    claimCalls: none,
    makesOf: none,
    reclaimLeases: none,
    accountsOf: none,
    requests: {
      questionsOf: none,
      holdersOf: none,
      requestsByKey: none,
      orderIdOf: none,
      readOrders: none,
      ordersOf: none,
      provisionedOf: none,
      offerByToken: none,
    },
  };
}

function withItem(books: OrderBooks, keyId: string): IssuedKey {
  const key = books.keys.get(keyId)!;
  const item = books.orders.get(key.orderId)?.items.find((one) => one.keyId === keyId);
  return { ...key, itemId: item?.id ?? null };
}

const once = <Row>(rows: Map<string, Row>, key: string, row: Row): void => {
  assert.ok(!rows.has(key), `${key} is there already`);
  rows.set(key, row);
};

/** The same uniqueness and the same silence about repeats as the tables. */
function write(books: OrderBooks, changes: ChangeSet): void {
  for (const { id, unconfirmed } of changes.payloads) if (unconfirmed) books.unconfirmed.add(id);
  const messageKeys = new Set([...books.messages.values()].map(({ idempotencyKey }) => idempotencyKey));
  for (const message of changes.messages) {
    assert.ok(!messageKeys.has(message.idempotencyKey), `a message would be lost: ${message.idempotencyKey}`);
    messageKeys.add(message.idempotencyKey);
    once(books.messages, message.id, { ...message, state: "queued" });
  }
  for (const id of changes.cancelledMessages) {
    const message = books.messages.get(id);
    if (message?.state === "queued") message.state = "cancelled";
  }
  for (const key of changes.keys) {
    once(books.keys, key.id, {
      keyId: key.id,
      operatorId: key.operatorId,
      orderId: key.orderId,
      deviceId: key.deviceId,
      itemId: null,
      bytes: key.bytes,
      state: "issued",
    });
  }
  for (const { id, orderId, bytes } of changes.keyTransfers) {
    books.keys.set(id, { ...books.keys.get(id)!, orderId, bytes, state: "issued" });
  }
  for (const order of changes.orders) {
    books.orders.set(order.id, { ...order, items: order.items.map((item) => ({ ...item })) });
  }
  const callKeys = new Set(
    [...books.calls.values()].map(({ kind, idempotencyKey }) => `${kind} ${idempotencyKey}`),
  );
  for (const call of changes.calls) {
    if (callKeys.has(`${call.kind} ${call.idempotencyKey}`)) continue;
    once(books.calls, call.id, { ...call, state: "due", reason: "waits for its turn", attempts: 0 });
  }
  for (const change of changes.callChanges) {
    const call = books.calls.get(change.id)!;
    if (call.state === "due") Object.assign(call, change);
  }
  for (const charge of changes.charges) {
    const isCharged = [...books.charges.values()].some(({ itemId }) => itemId === charge.itemId);
    assert.ok(!isCharged, `item ${charge.itemId} would be charged twice`);
    once(books.charges, charge.id, { ...charge, state: "requested" });
  }
  for (const change of changes.chargeChanges) Object.assign(books.charges.get(change.id)!, change);
  for (const posting of changes.postings) {
    if (!books.postings.has(posting.reference)) books.postings.set(posting.reference, posting);
  }
  for (const { id, state } of changes.keyChanges) {
    const key = books.keys.get(id)!;
    if (KEY_STATES.indexOf(state) > KEY_STATES.indexOf(key.state)) key.state = state;
  }
  books.events.push(...changes.events);
}

export const outboundCall = (call: StoredCall): OutboundCall => ({
  id: call.id,
  operatorId: call.operatorId,
  orderId: call.orderId,
  itemId: call.itemId,
  kind: call.kind,
  body: call.body,
  attempts: call.attempts,
  deadlineAt: call.deadlineAt,
  createdAt: call.dueAt ?? call.deadlineAt,
});
