/**
 * The engine of a server: conductor, books, outbox and calls with their loops, and the SMPP session. It has no state
 * of its own beyond what is under way, so any number of engines may run on one database.
 */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bookkeeper, createBookkeeper } from "../../kernel/conductor/bookkeeper.ts";
import { type Conductor, createConductor } from "../../kernel/conductor/conductor.ts";
import { createInHand, type InHand } from "../../kernel/conductor/in-hand.ts";
import {
  type BankPort,
  type CallMaker,
  createCallMaker,
  type MakerPort,
} from "../../kernel/conductor/make-calls.ts";
import { createOutbox, type Outbox } from "../../kernel/conductor/outbox.ts";
import { type Connectors, NO_CONNECTORS } from "../../kernel/conductor/request-calls.ts";
import { isKeyWithheld } from "../../kernel/detected/withheld-key.ts";
import type { SmsSpend } from "../../kernel/operator/sms-limits.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import type { ConductorDeps } from "../../kernel/order/deps.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import { CALL_KINDS, type CallKind } from "../../kernel/order/outbound-call.ts";
import { type Binds, createBinds } from "../../net/smsc/binds.ts";
import { type Delivered, type Receivers, takeDelivery } from "../../net/smsc/deliver.ts";
import { responseFormOf } from "../../net/smsc/receipt-ids.ts";
import { recordOf } from "../../term/record.ts";
import { binderOf } from "../../wire/message/device-key.ts";
import type { AppletOutcome, AppletReports } from "./applet-reports.ts";
import { type Loop, startLoop } from "./loop.ts";
import type { Arrivals } from "./measures.ts";
import { type CentreBehind, type MessageCentres, openCentres, type SmscOptions } from "./message-centres.ts";

const ORDER_BATCH = 500;
const CALL_BATCH = 500;
const CHANGE_BATCH = 200;
const EXPIRE_BATCH = 500;
/** How long work may lie unseen when nobody woke us: another node's, or what a retry left due. */
const POLL_MS = 500;
const EXPIRE_POLL_MS = 5_000;
/** A receipt that came while its part was being booked is found within this time after the booking. */
const REMATCH_POLL_MS = 250;
/** Months pass no faster. */
const COLLECT_POLL_MS = 5_000;
const COLLECT_BATCH = 100;
const REMATCH_BATCH = 1_000;
const FORGET_POLL_MS = 60_000;
/** A server that was missed twice at this pace is taken for gone. */
const LEASE_POLL_MS = 1_000;
/** Receipts are answered when they are on disk, a batch at a time: the centre may have this many unanswered. */
const MAX_UNANSWERED_RECEIPTS = 2_000;
const ESME_ROK = 0;

export type EngineOptions = {
  readonly store: OrderStore;
  /** The database's time, in which things are due (`store/node/database-clock.ts`). */
  readonly clock: () => Date;
  readonly newId: () => string;
  readonly clockToleranceMs: number;
  /** The message centres, in the order of the file. */
  readonly smscs: readonly SmscOptions[];
  /** The operator of a short name; undefined where there is none. */
  readonly operatorIdOf: (slug: string) => Promise<string | undefined>;
  readonly judge: ConductorDeps["judge"];
  readonly countryOf?: ConductorDeps["countryOf"];
  readonly lackOf?: ConductorDeps["lackOf"];
  readonly chooseSettings: ConductorDeps["chooseSettings"];
  readonly ownIssuer: ConductorDeps["ownIssuer"];
  readonly linkUrl: ConductorDeps["linkUrl"];
  readonly managementUrl: ConductorDeps["managementUrl"];
  /** For requests of the device's road: what can be had, and the addresses of its screens. */
  readonly catalog: ConductorDeps["catalog"];
  readonly fetchModule: ConductorDeps["fetchModule"];
  readonly requestUrl: ConductorDeps["requestUrl"];
  readonly offerUrl: ConductorDeps["offerUrl"];
  readonly peers?: NonNullable<ConductorDeps["peers"]>;
  readonly landName?: NonNullable<ConductorDeps["landName"]>;
  /** Machines that requests ask; a call to one that is left out fails, and says so. */
  readonly connectors?: Partial<Connectors>;
  readonly makerAt: (url: string) => MakerPort | undefined;
  readonly bankOf: (operatorId: string) => BankPort | undefined;
  readonly messageBatch: number;
  readonly spend: SmsSpend;
  /** Takes what phones send to the applet's short code. */
  readonly applet?: AppletReports | null;
  /** Sees what was written, after it is on disk: for views and measures. */
  readonly onChanges?: (changes: ChangeSet) => void;
  /** A failure of a loop, or of the SMPP session; never an identifier in it. */
  readonly onFault: (name: string, error: unknown) => void;
};

export type Engine = {
  readonly conductor: Conductor;
  readonly books: Bookkeeper;
  readonly centres: MessageCentres;
  /** Takes messages that were leased as they were written, while a message centre takes them. */
  readonly courier: Pick<Outbox, "hasRoom" | "hand">;
  /** Orders were opened. */
  wakeOrders(): void;
  wakeMessages(): void;
  stop(): Promise<void>;
};

/** Loops, by what they do; one for each kind of call. */
type Loops = Record<
  "orders" | "messages" | "expiry" | "collections" | "receipts" | "changes" | "forget" | "leases",
  Loop
> & {
  readonly calls: Readonly<Record<CallKind, Loop>>;
};
type Parts = {
  readonly conductor: Conductor;
  readonly books: Bookkeeper;
  readonly centres: MessageCentres;
  readonly outbox: Outbox;
  readonly callMaker: CallMaker;
  readonly inHand: InHand;
};

export function startEngine(options: EngineOptions): Engine {
  const { clock, store } = options;
  let loops: Loops | undefined;
  const conductor = conductorOf(options, (changes) => {
    if (changes.messages.length > 0) loops?.messages.wake();
    for (const kind of new Set(changes.calls.map((call) => call.kind))) loops?.calls[kind].wake();
    options.onChanges?.(changes);
  });
  const books = createBookkeeper(conductor, (ms) => sleep(ms));
  const centres = openCentres(options.smscs, {
    open: (smsc, behind) => openSession(options, smsc, { conductor, books, ...behind }),
    clock,
    onBound: () => loops?.messages.wake(),
    onTrouble: (_, error) => options.onFault("smsc", error),
  });
  centres.start();
  const inHand = createInHand();
  const outbox = createOutbox({
    store,
    books,
    inHand,
    smsc: centres.port,
    spend: options.spend,
    sleep: (ms) => sleep(ms),
    onRoom: () => loops?.messages.wake(),
    clock,
    random: Math.random,
    isKeyWithheld: (message, now) => isKeyWithheld(options, message, now),
  });
  const callMaker = createCallMaker({
    store,
    books,
    inHand,
    clock,
    makerAt: options.makerAt,
    bankOf: options.bankOf,
    connectors: { ...NO_CONNECTORS, ...options.connectors },
    binder: binderOf(options.ownIssuer.privateKey),
  });
  const parts = { conductor, books, centres, outbox, callMaker, inHand };
  const running = startLoops(options, parts);
  loops = running;
  return {
    conductor,
    books,
    centres,
    courier: { hasRoom: outbox.hasRoom, hand: outbox.hand },
    wakeOrders: () => running.orders.wake(),
    wakeMessages: () => running.messages.wake(),
    stop: () => stop(running, parts),
  };
}

const conductorOf = (options: EngineOptions, onWritten: ConductorDeps["onWritten"]): Conductor =>
  createConductor({
    store: options.store,
    newId: options.newId,
    clock: options.clock,
    clockToleranceMs: options.clockToleranceMs,
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    judge: options.judge,
    ...(options.countryOf && { countryOf: options.countryOf }),
    ...(options.lackOf && { lackOf: options.lackOf }),
    chooseSettings: options.chooseSettings,
    ownIssuer: options.ownIssuer,
    linkUrl: options.linkUrl,
    managementUrl: options.managementUrl,
    catalog: options.catalog,
    fetchModule: options.fetchModule,
    requestUrl: options.requestUrl,
    offerUrl: options.offerUrl,
    ...(options.peers && { peers: options.peers }),
    ...(options.landName && { landName: options.landName }),
    onWritten,
  });

/** A session with a message centre; once started it is tried until it stands. */
function openSession(
  { applet, operatorIdOf, onFault }: EngineOptions,
  smsc: SmscOptions,
  { conductor: { requests }, books, arrivals, route }: Pick<Parts, "conductor" | "books"> & CentreBehind,
): Binds {
  const {
    name,
    label: _label,
    route: _route,
    receiptIds,
    receiptsMarked,
    receiptsPer,
    forms,
    ...session
  } = smsc;
  const { alphabet } = forms;
  const habits = { smsc: name, receiptIds, receiptsMarked, receiptsPer, ...(alphabet && { alphabet }) };
  const receivers: Receivers<AppletOutcome> = {
    receipt: books.receipt,
    applet: applet ?? null,
    report: books.report,
    reply: requests.replyCame,
    text: async (from, text, address, part) => {
      const [only, another] = route().operators;
      const operatorId = only === undefined || another ? undefined : await operatorIdOf(only);
      return requests.textCame(from, text, { address, operatorId }, part);
    },
  };
  return createBinds({
    maxUnansweredDeliveries: MAX_UNANSWERED_RECEIPTS,
    maxWaitingDeliveries: MAX_UNANSWERED_RECEIPTS * 2,
    ...session,
    messageIdForm: responseFormOf(receiptIds),
    onDeliver: async (pdu) => {
      const came = await takeDelivery(pdu, habits, receivers);
      const why = unread(came);
      if (why !== undefined) onFault("smsc", new Error(why));
      return counted(arrivals, came);
    },
  });
}

function startLoops(
  { clock, store, messageBatch, onFault }: EngineOptions,
  { conductor, centres, outbox, callMaker, inHand }: Parts,
): Loops {
  const loop = (name: string, pauseMs: number, pass: () => Promise<boolean>): Loop =>
    startLoop({ name, pauseMs, pass, onFailure: onFault });
  const messages = loop("messages", POLL_MS, async () => {
    if (!centres.isAnyBound()) return false;
    return outbox.pass(messageBatch);
  });
  const calls = recordOf(CALL_KINDS, (kind) =>
    loop(kind, POLL_MS, async () => (await callMaker.pass(kind, CALL_BATCH)) === CALL_BATCH),
  );
  return {
    orders: loop("orders", POLL_MS, async () => (await conductor.advance(ORDER_BATCH)) === ORDER_BATCH),
    messages,
    expiry: loop(
      "expiry",
      EXPIRE_POLL_MS,
      async () => (await conductor.expire(EXPIRE_BATCH)) === EXPIRE_BATCH,
    ),
    collections: loop(
      "collections",
      COLLECT_POLL_MS,
      async () => (await conductor.collect(COLLECT_BATCH)) === COLLECT_BATCH,
    ),
    receipts: loop(
      "receipts",
      REMATCH_POLL_MS,
      async () => (await conductor.rematchReceipts(REMATCH_BATCH)) === REMATCH_BATCH,
    ),
    changes: loop(
      "changes",
      POLL_MS,
      async () => (await conductor.tellChanges(CHANGE_BATCH)) === CHANGE_BATCH,
    ),
    forget: loop("forget", FORGET_POLL_MS, async () => conductor.forget().then(() => false)),
    calls,
    leases: loop("leases", LEASE_POLL_MS, async () => {
      const own = await inHand.giveBack(store.ownLeases, clock);
      if ((await store.reclaimLeases(clock())) + own === 0) return false;
      for (const one of [messages, ...Object.values(calls)]) one.wake();
      return false;
    }),
  };
}

/** What was handed over is booked before the session ends, and what is being booked is waited for. */
async function stop({ messages, calls, ...loops }: Loops, { outbox, centres, books }: Parts): Promise<void> {
  await Promise.all([...Object.values(loops), ...Object.values(calls)].map((one) => one.stop()));
  await messages.stop();
  await outbox.idle();
  await centres.stop();
  await books.idle();
}

/** For the log: a receipt that nothing can be made of, and what may be one of a centre that marks none. */
function unread(came: Delivered<AppletOutcome>): string | undefined {
  if (came.kind === "unreadable_receipt") return `a delivery receipt names no message: ${came.shown}`;
  if (came.kind !== "other" || came.likeReceipt === undefined) return undefined;
  return `a text looks like a delivery receipt and is not marked as one (smsc.receipts_marked): ${came.likeReceipt}`;
}

/** Counts what came, and says that it was taken. */
function counted(arrivals: Arrivals, came: Delivered<AppletOutcome>): number {
  switch (came.kind) {
    case "receipt":
      arrivals.receipts.set(came.state, (arrivals.receipts.get(came.state) ?? 0) + 1);
      break;
    case "unreadable_receipt":
      arrivals.unreadableReceipts += 1;
      break;
    case "applet":
      if (came.outcome !== "part") arrivals[came.outcome === "sighting" ? "applet" : "appletRefused"] += 1;
      break;
    default:
      arrivals[came.kind === "report" ? "reports" : "others"] += 1;
  }
  return ESME_ROK;
}
