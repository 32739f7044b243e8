/**
 * The conductor: takes what is due and what came in, in batches, lets the rules decide, and writes each batch in one
 * transaction. It holds no state of its own, so any number of them may run on one database.
 */
import { pairsOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import { hoursAfter, minutesAfter } from "../../term/moment.ts";
import { collectAgain, collectRenewal } from "../billing/collection.ts";
import type { AnsweredCall } from "../calls/answer.ts";
import { type Serving, serverTold, tellChange, tellServers } from "../calls/server-notices.ts";
import { closed, RECEIPT_GRACE_MINUTES } from "../delivery/resend.ts";
import { keyIdsOf } from "../detected/key-answers.ts";
import { KEY_WITHHELD, keyMessageWithheld } from "../detected/withheld-key.ts";
import { type ChangeSet, isEmpty } from "../order/change-set.ts";
import type { ConductorDeps } from "../order/deps.ts";
import { isFinal } from "../order/ending.ts";
import type { EventKind } from "../order/event-kind.ts";
import type { EndedMessage, Receipt, SubmittedPart, UnsentMessage } from "../order/message.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import type { ConfirmationInput, ConfirmationResult } from "../order/order-reader.ts";
import type { OrderTransaction } from "../order/order-store.ts";
import { isServerNotice, type UnreadableCall } from "../order/outbound-call.ts";
import type { RequestDesk } from "../order/request.ts";
import { createScribe } from "../order/scribe.ts";
import type { SelfCare } from "../order/self-care.ts";
import { createStep, type InStep, lockById, type Step } from "../order/step.ts";
import { isOfRequest, type Turn } from "../order/turn.ts";
import { messageDelivered, messageFailed, reach } from "../proof/progress.ts";
import { confirm, reportsCame } from "../proof/proof.ts";
import { type SessionShown, sessionsShowed } from "../proof/sessions.ts";
import { createRequestDesk } from "../requested/request-desk.ts";
import { SYMPTOM_DAYS, type SymptomInput, type SymptomResult } from "../support/symptoms.ts";
import { advanceOrder, hasLostNumber, isLeftToYounger } from "./advance.ts";
import { symptomsSeen } from "./failed-attempts.ts";
import { type AnsweredBatch, flowOf } from "./flow.ts";
import { createSelfCare } from "./self-care.ts";

/** A receipt without a message is kept this long for a booking that is still on its way. */
const UNMATCHED_RECEIPT_HOURS = 24;

/** The page of an item whose settings a subscriber asked for. */
export type OpenedLink = {
  readonly orderId: string;
  readonly itemId: string;
  /** The phone fetched the configuration profile of the page, by the link of this id. */
  readonly downloadOf?: string;
};

const LINK_PROOF = {
  level: "opened",
  evidence: "page_opened",
  reason: "the subscriber opened the page",
} as const;

/** That it was installed nobody tells us: iOS calls nobody back. */
const DOWNLOADED = {
  kind: "profile_downloaded",
  evidence: "downloaded",
  reason: "the phone downloaded its configuration profile; whether it is installed, traffic will show",
} as const;

export type Conductor = {
  /** Takes orders whose next action is due. Answers how many it took: fewer than `limit` means that none is left. */
  advance(limit: number): Promise<number>;
  bookReceipts(receipts: readonly Receipt[]): Promise<void>;
  bookSubmissions(taken: readonly SubmittedPart[], unsent: readonly UnsentMessage[]): Promise<void>;
  /** Messages whose receipts never came; answers how many. */
  expire(limit: number): Promise<number>;
  /** Collects what is due of what subscribers have by the month, and asks again for what was refused; answers of how many orders. */
  collect(limit: number): Promise<number>;
  /**
   * Receipts that came while the booking of their message was under way, here or on another server: found by this.
   * Answers how many were looked for.
   */
  rematchReceipts(limit: number): Promise<number>;
  /**
   * What has had its time: receipts that never found a message, symptoms that nobody saw for long, values given for offers that
   * ran out. Answers how many receipts were forgotten.
   */
  forget(): Promise<number>;
  /** Tells servers what changed outside orders; answers how many changes it took. */
  tellChanges(limit: number): Promise<number>;
  bookAnswers(answers: readonly AnsweredCall[]): Promise<void>;
  /** Reports that handsets sent as binary SMS; each answers whether it was one of ours and true. */
  bookReports(reports: readonly Uint8Array[]): Promise<boolean[]>;
  confirm(operatorId: string, confirmations: readonly ConfirmationInput[]): Promise<ConfirmationResult[]>;
  /**
   * Attempts of applications that the network saw fail; what is new of it joins the history of the handset's newest order.
   * @throws TurnupError `seen_in_future`
   */
  symptomsSeen(operatorId: string, seen: readonly SymptomInput[]): Promise<readonly SymptomResult[]>;
  /** Pages behind links were fetched. */
  linksOpened(links: readonly OpenedLink[]): Promise<void>;
  /** What management sessions of devices showed. */
  sessionsShowed(shown: readonly SessionShown[]): Promise<void>;
  resend(operatorId: string, orderId: string, actor: string): Promise<void>;
  cancel(operatorId: string, orderId: string, actor: string): Promise<void>;
  /** What is done to requests of the device's road. */
  readonly requests: RequestDesk;
  /** What subscribers do about their own orders without a person. */
  readonly selfCare: SelfCare;
};

export function createConductor(deps: ConductorDeps): Conductor {
  const { store } = deps;
  const inStep: InStep = (work) => stepOf(deps, work);
  return {
    requests: createRequestDesk(deps, store.requests, inStep),
    selfCare: createSelfCare(store, inStep),
    advance: (limit) => inStep((step) => advanceDue(step, limit)),
    bookReceipts: (receipts) =>
      inStep(async (step) => messagesEnded(step, await step.tx.bookReceipts(receipts, step.scribe.now))),
    bookSubmissions: (taken, unsent) =>
      inStep(async (step) =>
        messagesEnded(step, await step.tx.bookSubmissions(taken, unsent, step.scribe.now)),
      ),
    expire: (limit) => inStep((step) => expireMessages(step, limit)),
    collect: (limit) => inStep((step) => collectDue(step, limit)),
    rematchReceipts: (limit) => inStep((step) => rematchReceipts(step, limit)),
    forget: () => inStep(forget),
    tellChanges: (limit) => inStep((step) => tellChanges(step, limit)),
    bookAnswers: (answers) => inStep((step) => answersCame(step, answers)),
    bookReports: (reports) => reportsCame(deps, inStep, reports),
    confirm: (operatorId, confirmations) => confirm(deps, inStep, operatorId, confirmations),
    symptomsSeen: (operatorId, seen) => symptomsSeen(deps, inStep, operatorId, seen),
    linksOpened: (links) => inStep((step) => linksOpened(step, links)),
    sessionsShowed: (shown) => inStep((step) => sessionsShowed(step, shown)),
    resend: (operatorId, orderId, actor) =>
      inStep(async (step) => {
        const turn = await step.turnOf(await lockOne(step.tx, operatorId, orderId));
        await flowOf(turn.order).resend(turn, step.tx, actor);
      }),
    cancel: (operatorId, orderId, actor) =>
      inStep(async (step) => {
        const turn = await step.turnOf(await lockOne(step.tx, operatorId, orderId));
        if (isFinal(turn.order)) throw closed(turn.order);
        await flowOf(turn.order).cancel(turn, step.tx, `cancelled by ${actor}`);
      }),
  };
}

async function stepOf<T>(deps: ConductorDeps, work: (step: Step) => Promise<T>): Promise<T> {
  let written: ChangeSet | undefined;
  const result = await deps.store.transaction(async (tx) => {
    const scribe = createScribe(deps.clock(), deps.newId);
    const step = createStep(deps, tx, scribe, (order) => flowOf(order).ending);
    const value = await work(step);
    await settleAll(step);
    await tellServing(step);
    await tx.write(scribe.changes, scribe.now);
    written = scribe.changes;
    return value;
  });
  if (written && !isEmpty(written)) deps.onWritten(written);
  return result;
}

async function advanceDue(step: Step, limit: number): Promise<number> {
  const { tx, scribe } = step;
  const due = await tx.claimDue({ now: scribe.now, limit });
  for (const one of due) step.know(one.order.id, one.subject);
  const turns = await step.turnsOf(due.map(({ order }) => order));
  for (const [turn, one] of pairsOf(turns, due)) {
    const isLost = hasLostNumber(turn);
    if (isLost && (await flowOf(turn.order).numberLost(turn, tx))) continue;
    const companions = isLost || isLeftToYounger(one) ? await tx.companionsOf(one.order.id) : [];
    advanceOrder(turn, { ...one, companions });
  }
  return due.length;
}

async function expireMessages(step: Step, limit: number): Promise<number> {
  const { now } = step.scribe;
  const ended = await step.tx.expireMessages(minutesAfter(now, -RECEIPT_GRACE_MINUTES), limit, now);
  await messagesEnded(step, ended);
  return ended.length;
}

/** What is due is looked for without a lock, and again under those of its orders: another server may have been faster. */
async function collectDue(step: Step, limit: number): Promise<number> {
  const { tx, scribe } = step;
  const orderIds = await tx.dueCollections(scribe.now, limit);
  const orders = await lockById(tx, orderIds);
  if (orders.size === 0) return 0;
  const { renewals, retries } = await tx.takeDueCollections([...orders.keys()], scribe.now);
  const due = new Set([...renewals, ...retries].map(({ orderId }) => orderId));
  const asked = [...orders.values()].filter(({ id }) => due.has(id)).filter(isOfRequest);
  const turns = new Map((await step.turnsOf(asked)).map((turn) => [turn.order.id, turn]));
  for (const one of renewals) {
    const turn = turns.get(one.orderId);
    if (turn) collectRenewal(turn, one);
  }
  for (const one of retries) {
    const turn = turns.get(one.orderId);
    if (turn) collectAgain(turn, one);
  }
  return turns.size;
}

async function rematchReceipts(step: Step, limit: number): Promise<number> {
  const { looked, ended } = await step.tx.rematchReceipts(limit, step.scribe.now);
  await messagesEnded(step, ended);
  return looked;
}

async function forget({ tx, scribe }: Step): Promise<number> {
  await tx.dropOfferFields(scribe.now);
  await tx.dropSymptoms(hoursAfter(scribe.now, -24 * SYMPTOM_DAYS));
  return tx.dropReceipts(hoursAfter(scribe.now, -UNMATCHED_RECEIPT_HOURS));
}

async function linksOpened(step: Step, links: readonly OpenedLink[]): Promise<void> {
  const orders = await lockById(
    step.tx,
    links.map(({ orderId }) => orderId),
  );
  for (const { orderId, itemId, downloadOf } of links) {
    const order = orders.get(orderId);
    const item = order?.items.find(({ id }) => id === itemId);
    if (!order || !item) continue;
    reach(await step.bookingOf(order), item, LINK_PROOF);
    if (downloadOf !== undefined && (await step.tx.claimDownload(downloadOf, step.scribe.now)))
      step.scribe.note(order, { ...DOWNLOADED, itemId, state: item.state });
  }
}

async function lockOne(tx: OrderTransaction, operatorId: string, orderId: string): Promise<OrderDraft> {
  const [order] = await tx.lockOrders([orderId]);
  if (!order || order.operatorId !== operatorId) {
    throw new TurnupError("order_not_found", `There is no order ${orderId}.`, {
      nextStep: "List the orders and take an id from there.",
    });
  }
  return order;
}

/** Messages outside an order (plain texts) end in their own row only. */
async function messagesEnded(step: Step, ended: readonly EndedMessage[]): Promise<void> {
  const { tx } = step;
  const orders = await lockById(
    tx,
    ended.flatMap(({ orderId }) => (orderId ? [orderId] : [])),
  );
  const open = await tx.undeliveredSettings(
    ended.flatMap(({ orderId, kind, outcome }) =>
      orderId && kind === "settings" && outcome === "delivered" ? [orderId] : [],
    ),
  );
  for (const message of ended) {
    const order = message.orderId ? orders.get(message.orderId) : undefined;
    if (!order || (message.outcome !== "delivered" && (await isOvertaken(tx, message)))) continue;
    if (message.kind === "notice") {
      flowOf(order).noticeEnded(await step.turnOf(order), message);
      continue;
    }
    if (message.errorCode === KEY_WITHHELD && message.outcome !== "delivered") {
      if (!isFinal(order)) await keyMessageWithheld(await step.turnOf(order), tx, message);
      continue;
    }
    const booking = await step.bookingOf(order);
    if (message.outcome !== "delivered") messageFailed(booking, message);
    else if (!(message.kind === "settings" && open.has(order.id))) messageDelivered(booking, message);
  }
}

/** Once a transaction, after everything else: what follows from where its orders stand now. */
async function settleAll(step: Step): Promise<void> {
  const touched = step.scribe.changes.orders.filter(isOfRequest); // the others settle nothing, and nobody is unsealed for it
  for (const turn of await step.turnsOf(touched)) flowOf(turn.order).settle(turn);
}

const DONE_EVENTS: readonly EventKind[] = ["order_completed", "order_partly_completed"];

/** Orders that ended well in this transaction: whoever serves their devices beside them is told. */
async function tellServing(step: Step): Promise<void> {
  const { tx, scribe } = step;
  const ended = new Set(
    scribe.changes.events.filter(({ kind }) => DONE_EVENTS.includes(kind)).map(({ orderId }) => orderId),
  );
  if (ended.size === 0) return;
  const orders = scribe.changes.orders.filter(({ id }) => ended.has(id));
  // Of most subscribers nobody else is there: one question for all of them.
  const served = await tx.servedOf(orders.map(({ subscriberId }) => subscriberId));
  for (const turn of await step.turnsOf(orders.filter(({ subscriberId }) => served.has(subscriberId))))
    tellServers(turn, await servingOf(step, turn));
}

/** What changed outside orders: whoever serves the device is told. */
async function tellChanges(step: Step, limit: number): Promise<number> {
  const changes = await step.tx.takeServingChanges(limit);
  const orders = await lockById(
    step.tx,
    changes.map(({ orderId }) => orderId),
  );
  for (const change of changes) {
    const order = orders.get(change.orderId);
    if (!order) continue;
    const turn = await step.turnOf(order);
    tellChange(turn, await servingOf(step, turn), change);
  }
  return changes.length;
}

async function servingOf({ tx }: Step, { deps, order }: Turn): Promise<Serving> {
  const { operatorId, subscriberId } = order;
  const holdings = await tx.holdingsOf(operatorId, subscriberId);
  const catalog = await deps.catalog.catalogWith(operatorId, holdings);
  return {
    held: holdings.flatMap(({ itemId }) => catalog.get(itemId) ?? []),
    registrations: await tx.registrationsOf(operatorId, subscriberId),
    isBilled: (await tx.accountBooksOf(subscriberId)).told !== null,
  };
}

/** A companion that went out once more meanwhile is not sent a third time because its former message failed. */
async function isOvertaken(
  tx: OrderTransaction,
  { messageId, orderId, isCompanion }: EndedMessage,
): Promise<boolean> {
  if (!isCompanion || orderId === null) return false;
  return !(await tx.companionsOf(orderId)).some(({ id }) => id === messageId);
}

/**
 * What other companies' machines answered to durable calls: what an answer needs is read and locked in one go for a batch; what
 * it means is its flow's to say.
 */
async function answersCame(step: Step, answers: readonly AnsweredCall[]): Promise<void> {
  const { tx } = step;
  const keyIds = answers.flatMap(({ answer }) => keyIdsOf(answer));
  await tx.lockKeyIds(keyIds);
  const holders = (await tx.takenKeys(keyIds)).map(({ orderId }) => orderId);
  const orders = await lockById(tx, [...answers.map(({ call }) => call.orderId), ...holders]);
  const answered = answers.flatMap(({ call }) => orders.get(call.orderId) ?? []);
  const turns = new Map((await step.turnsOf(answered)).map((turn) => [turn.order.id, turn]));
  // Looked up again under the locks of their orders: what they are now is what they stay.
  const known = holders.length > 0 ? await tx.takenKeys(keyIds) : [];
  const chargeIds = answers.flatMap(({ call }) => chargeIdOf(call) ?? []);
  const charges = chargeIds.length > 0 ? await tx.lockCharges(chargeIds) : [];
  const batch: AnsweredBatch = {
    orders,
    taken: new Map(known.map((key) => [key.id, key])),
    charges: new Map(charges.map((charge) => [charge.id, charge])),
  };
  for (const { call, answer } of answers) {
    const turn = turns.get(call.orderId);
    if (!turn) continue;
    if (isUnreadable(call)) giveUpUnreadable(turn, call);
    else if (isServerNotice(call)) serverTold(turn, call, answer);
    else flowOf(turn.order).answered(turn, call, answer, batch);
  }
}

type Answered = AnsweredCall["call"];

const isUnreadable = (call: Answered): call is UnreadableCall => call.body === null;

const chargeIdOf = (call: Answered): string | undefined =>
  !isUnreadable(call) && (call.kind === "fee_request" || call.kind === "portion_payment")
    ? call.body.chargeId
    : undefined;

/** Nobody knows any more what was to be asked; what waits for it ends at its own deadline. */
function giveUpUnreadable({ scribe, order }: Turn, { id, kind, itemId }: UnreadableCall): void {
  const reason = `a call of kind ${kind} cannot be read: a person has to see to it`;
  scribe.changes.callChanges.push({ id, state: "given_up", reason, dueAt: null });
  scribe.note(order, { kind: "call_unreadable", itemId, reason });
}
