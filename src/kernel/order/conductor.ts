/**
 * The conductor: takes what is due and what came in, in batches, lets the rules decide, and writes each batch in one
 * transaction. It holds no state of its own, so any number of them may run on one data base.
 */
import { TurnupError } from "../../term/error.ts";
import { type AnsweredCall, answersCame } from "./answers.ts";
import { type ChangeSet, isEmpty } from "./change-set.ts";
import type { ConductorDeps } from "./deps.ts";
import { openOrder } from "./open-order.ts";
import { rankOf } from "./order.ts";
import type { ConfirmationInput, ConfirmationResult } from "./order-reader.ts";
import type {
  EndedMessage,
  ItemDraft,
  OrderDraft,
  OrderTransaction,
  Receipt,
  SubmittedPart,
  Terms,
  UnsentMessage,
} from "./order-store.ts";
import {
  cancelOrder,
  deadlinePassed,
  isFinal,
  messageDelivered,
  messageFailed,
  reach,
  resend,
} from "./progress.ts";
import { confirm, reportsCame } from "./proof.ts";
import { createScribe, hoursAfter, type Scribe } from "./scribe.ts";
import { lockById, type Step } from "./step.ts";

/** The page of an item that a subscriber fetched. */
export type OpenedLink = { readonly orderId: string; readonly itemId: string };

const LINK_PROOF = {
  level: "opened",
  evidence: "link_fetched",
  reason: "the subscriber opened the page",
} as const;

export type Conductor = {
  /** Takes orders whose next action is due. Answers how many it took: fewer than `limit` means that none is left. */
  advance(limit: number): Promise<number>;
  bookReceipts(receipts: readonly Receipt[]): Promise<void>;
  bookSubmissions(taken: readonly SubmittedPart[], unsent: readonly UnsentMessage[]): Promise<void>;
  /** Messages whose receipts never came; answers how many. */
  expire(limit: number): Promise<number>;
  bookAnswers(answers: readonly AnsweredCall[]): Promise<void>;
  /** Reports that handsets sent as binary SMS; each answers whether it was one of ours and true. */
  bookReports(reports: readonly Uint8Array[]): Promise<boolean[]>;
  confirm(operatorId: string, confirmations: readonly ConfirmationInput[]): Promise<ConfirmationResult[]>;
  /** Pages behind links were fetched. */
  linksOpened(links: readonly OpenedLink[]): Promise<void>;
  resend(operatorId: string, orderId: string, actor: string): Promise<void>;
  cancel(operatorId: string, orderId: string, actor: string): Promise<void>;
};

export function createConductor(deps: ConductorDeps): Conductor {
  const { store } = deps;

  const inStep = async <T>(work: (step: Step) => Promise<T>): Promise<T> => {
    let written: ChangeSet | undefined;
    const result = await store.transaction(async (tx) => {
      const scribe = createScribe(deps.clock(), deps.newId);
      const value = await work({ tx, scribe });
      await tx.write(scribe.changes, scribe.now);
      written = scribe.changes;
      return value;
    });
    if (written && !isEmpty(written)) deps.onWritten(written);
    return result;
  };

  return {
    advance: (limit) =>
      inStep(async ({ tx, scribe }) => {
        const due = await tx.claimDue({ now: scribe.now, limit });
        for (const { order, subject } of due) {
          const terms = await store.termsOf(order.operatorId);
          if (order.state === "provisioning") deadlinePassed(scribe, order, terms);
          else openOrder(deps, scribe, { order, subject }, terms);
        }
        return due.length;
      }),

    bookReceipts: (receipts) =>
      inStep(async (step) =>
        messagesEnded(deps, step, await step.tx.bookReceipts(receipts, step.scribe.now)),
      ),

    bookSubmissions: (taken, unsent) =>
      inStep(async (step) =>
        messagesEnded(deps, step, await step.tx.bookSubmissions(taken, unsent, step.scribe.now)),
      ),

    expire: (limit) =>
      inStep(async (step) => {
        const ended = await step.tx.expireMessages(step.scribe.now, limit);
        await messagesEnded(deps, step, ended);
        return ended.length;
      }),

    bookAnswers: (answers) => inStep((step) => answersCame(deps, step, answers)),

    bookReports: (reports) => reportsCame(deps, inStep, reports),

    confirm: (operatorId, confirmations) => confirm(deps, inStep, operatorId, confirmations),

    linksOpened: (links) =>
      inStep(async ({ tx, scribe }) => {
        const orders = await lockById(
          tx,
          links.map(({ orderId }) => orderId),
        );
        for (const { orderId, itemId } of links) {
          const order = orders.get(orderId);
          const item = order?.items.find(({ id }) => id === itemId);
          if (!order || !item) continue;
          reach(scribe, order, item, await store.termsOf(order.operatorId), LINK_PROOF);
        }
      }),

    resend: (operatorId, orderId, actor) =>
      inStep(async ({ tx, scribe }) => {
        const order = await lockOne(tx, operatorId, orderId);
        const terms = await store.termsOf(operatorId);
        resendByHand(scribe, order, terms, actor);
      }),

    cancel: (operatorId, orderId, actor) =>
      inStep(async ({ tx, scribe }) =>
        cancelOrder(scribe, openOnly(await lockOne(tx, operatorId, orderId)), actor),
      ),
  };
}

async function lockOne(tx: OrderTransaction, operatorId: string, orderId: string): Promise<OrderDraft> {
  const [order] = await tx.lockOrders([orderId]);
  if (!order || order.operatorId !== operatorId) {
    throw new TurnupError("order_not_found", `there is no order ${orderId}`, {
      nextStep: "list the orders and take an id from there",
    });
  }
  return order;
}

function openOnly(order: OrderDraft): OrderDraft {
  if (!isFinal(order)) return order;
  throw new TurnupError("order_closed", `the order is ${order.state} already: ${order.reason}`, {
    nextStep: "open a new order for this handset if something is still to be done",
  });
}

/** Messages outside an order (plain texts) end in their own row only. */
async function messagesEnded(
  deps: ConductorDeps,
  { tx, scribe }: Step,
  ended: readonly EndedMessage[],
): Promise<void> {
  const orders = await lockById(
    tx,
    ended.flatMap(({ orderId }) => (orderId ? [orderId] : [])),
  );
  for (const message of ended) {
    const order = message.orderId ? orders.get(message.orderId) : undefined;
    if (!order) continue;
    const terms = await deps.store.termsOf(order.operatorId);
    if (message.outcome === "delivered") messageDelivered(scribe, order, message.messageId, terms);
    else if (!isFinal(order)) {
      messageFailed(scribe, order, message.messageId, terms, {
        outcome: message.outcome,
        errorCode: message.errorCode,
      });
    }
  }
}

/** Sends again what has not reached its level; an order that had ended for want of it is open again. */
function resendByHand(scribe: Scribe, order: OrderDraft, terms: Terms, actor: string): void {
  if (order.state === "cancelled" || order.state === "completed") openOnly(order);
  const wanted = order.items.filter(
    (item) =>
      item.message !== null && item.state !== "cancelled" && rankOf(item.state) < rankOf(terms.policy.doneAt),
  );
  if (wanted.length === 0) {
    throw new TurnupError(
      "nothing_to_resend",
      `the order is ${order.state} and no message of it can be sent again`,
      {
        nextStep: "look at its items: what waits for a key or a number is not yet composed",
      },
    );
  }
  if (isFinal(order)) {
    const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
    scribe.moveOrder(order, {
      state: "provisioning",
      reason: `opened again: ${actor} asked to resend`,
      nextAction: "wait for receipts and proof",
      dueAt: deadlineAt,
      deadlineAt,
      event: "reopened",
    });
  }
  const byMessage = new Map<string, ItemDraft[]>();
  for (const item of wanted) {
    if (item.state === "sending") scribe.changes.cancelledMessages.push(item.message!.id);
    byMessage.set(item.message!.id, [...(byMessage.get(item.message!.id) ?? []), item]);
  }
  for (const items of byMessage.values()) {
    resend(scribe, order, items, terms, { reason: `${actor} asked to resend it`, waitMinutes: 0 });
  }
}
