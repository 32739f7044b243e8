/**
 * What may be done to requests from outside, each in one transaction: asked for, agreed to, completed, fetched, reported,
 * chosen. Who may do it is the scope's: a subscriber does it to their own requests alone.
 */
import { createHash } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { CONTENT_TYPE_OF_CONTENT } from "../../wire/message/content.ts";
import { openReply, peekReply, type Reply } from "../../wire/message/reply.ts";
import { composeContent, type ModuleSource, moduleSourceOf } from "../fulfilment/content.ts";
import {
  choiceMade,
  contentFetched,
  deviceReported,
  hasContent,
  reachOnDevice,
} from "../fulfilment/feature.ts";
import { noticeIdOf } from "../fulfilment/notices.ts";
import { accessDelivered, fieldsSupplied } from "../fulfilment/service.ts";
import type { ConductorDeps } from "../order/deps.ts";
import { isClosed } from "../order/ending.ts";
import type { DeviceOutcome, RequestDesk, RequestScope } from "../order/request.ts";
import { inLanguage } from "../order/request-draft.ts";
import type { RequestStore } from "../order/request-store.ts";
import type { InStep } from "../order/step.ts";
import { isOfRequest, itemOf, itemsOf, type RequestItem, type RequestTurn } from "../order/turn.ts";
import { reviewed } from "./begin.ts";
import { termsAnswered } from "./consent.ts";
import { sendOffers } from "./offers.ts";
import { statusOf } from "./status.ts";
import { submitRequest } from "./submit.ts";
import { textCame } from "./text-replies.ts";

export function createRequestDesk(deps: ConductorDeps, requests: RequestStore, inStep: InStep): RequestDesk {
  /** One request in scope, locked. */
  async function on<T>(scope: RequestScope, orderId: string, work: (turn: RequestTurn) => T): Promise<T> {
    const id = await requests.orderIdOf(scope, orderId);
    if (!id) throw notFound();
    return inStep(async (step) => {
      const [order] = await step.tx.lockOrders([id]);
      if (!order || !isOfRequest(order)) throw notFound();
      const openCodes = await step.tx.openCodesOf(order.operatorId, order.subscriberId, step.scribe.now);
      return work({ ...(await step.turnOf(order)), openCodes });
    });
  }

  const desk: RequestDesk = {
    submit: (operatorId, request) => inStep(async (step) => submitRequest(deps, step, operatorId, request)),

    async find(scope, idOrReference) {
      const id = await requests.orderIdOf(scope, idOrReference);
      const [order] = id ? await requests.readOrders([id]) : [];
      return order && statusOf(order);
    },

    async ofSubscriber({ operatorId, subscriberId }) {
      if (subscriberId === null) return [];
      return (await requests.ordersOf(operatorId, subscriberId)).flatMap((order) => statusOf(order) ?? []);
    },

    async provisioned({ operatorId, subscriberId }) {
      if (subscriberId === null) return [];
      const [latest] = await requests.ordersOf(operatorId, subscriberId);
      const language = latest?.request?.language ?? "en";
      return (await requests.provisionedOf(operatorId, subscriberId)).map(
        ({ itemId, kind, body, since, deviceId }) => ({
          itemId,
          name: body?.name ? inLanguage(body.name, language) : itemId,
          kind: kind ?? "feature",
          since: since.toISOString(),
          deviceId,
        }),
      );
    },

    review: (operatorId, orderId, answer) =>
      on({ operatorId, subscriberId: null }, orderId, (turn) => reviewed(turn, answer)),

    async underReview(operatorId, idOrReference) {
      const orderId = await requests.orderIdOf({ operatorId, subscriberId: null }, idOrReference);
      const [order] = orderId ? await requests.readOrders([orderId]) : [];
      const isAsked = order?.request?.verification?.findings.review?.state === "asked";
      if (!orderId || !order?.request || order.state !== "verifying" || !isAsked) return undefined;
      return { orderId, user: order.request.user };
    },

    answerTerms: (scope, orderId, answer, channel) =>
      on(scope, orderId, (turn) => termsAnswered(turn, answer, channel)),

    supplyFields: (scope, orderId, itemId, fields) =>
      on(scope, orderId, (turn) => fieldsSupplied(turn, itemId, fields)),

    chooseRetransmission: (scope, { orderId, itemId }, choice, channel) =>
      on(scope, orderId, (turn) => choiceMade(turn, itemId, choice, channel)),

    deviceReports: (scope, { orderId, itemId }, outcome, channel) =>
      on(scope, orderId, (turn) => deviceReported(turn, itemId, outcome, channel)),

    async content(scope, orderId, itemId) {
      const source = await on(scope, orderId, (turn) => {
        const item = itemOf(turn, itemId);
        return item && hasContent(item) ? { module: moduleSourceOf(item) ?? null } : undefined;
      });
      if (!source) return undefined;
      // Outside a transaction: it may come from another server.
      const octets = source.module && (await moduleOctets(deps, scope.operatorId, source.module));
      const bytes = await on(scope, orderId, (turn) => {
        const item = itemOf(turn, itemId);
        if (!item || !hasContent(item)) return undefined;
        const composed = compose(turn, item, octets);
        contentFetched(turn, item, composed.length);
        return composed;
      });
      return bytes && { contentType: CONTENT_TYPE_OF_CONTENT, bytes };
    },

    textCame: (from, text, to, part) =>
      textCame({ deps, requests, inStep, on, submit: desk.submit }, { from, text, to }, part),

    async replyCame(bytes) {
      const peeked = peekReply(bytes);
      if (!peeked) return false;
      for (const known of await requests.requestsByKey(peeked.keyReference)) {
        const reply = opened(bytes, known.noticeKey);
        if (!reply || reply.reference !== known.reference) continue;
        const scope = { operatorId: known.operatorId, subscriberId: known.subscriberId };
        await on(scope, known.orderId, (turn) => take(turn, reply));
        return true;
      }
      return false;
    },

    async findOffer(token) {
      const offer = await requests.offerByToken(createHash("sha256").update(token).digest());
      if (offer?.state !== "sent" || offer.expiresAt <= deps.clock()) return undefined;
      const { id: offerId, operatorId, subscriberId, itemId, expiresAt } = offer;
      return { offerId, operatorId, subscriberId, itemId, expiresAt: expiresAt.toISOString() };
    },

    sendOffers: (operatorId, offer) => sendOffers(deps, inStep, operatorId, offer),
  };
  return desk;
}

const notFound = (): TurnupError =>
  new TurnupError("order_not_found", "there is no such request", {
    nextStep: "Take the reference from the notice or the status screen.",
  });

const unavailable = (fact: string, cause?: unknown) =>
  new TurnupError("content_unavailable", `the content cannot be had: ${fact}`, {
    cause,
    nextStep: "Fetch it again later; the operator puts the octets into the catalog.",
  });

function compose(turn: RequestTurn, item: RequestItem, octets: Uint8Array | null): Uint8Array {
  try {
    return composeContent(turn, item, octets);
  } catch (cause) {
    const isMalformed = cause instanceof Error && ["RangeError", "DecodeError"].includes(cause.name);
    throw isMalformed ? unavailable("what the catalog holds makes no content", cause) : cause;
  }
}

/** @throws TurnupError `content_unavailable` */
async function moduleOctets(
  deps: ConductorDeps,
  operatorId: string,
  { sha256, url }: ModuleSource,
): Promise<Uint8Array> {
  const own = await deps.catalog.content(operatorId, sha256);
  if (own) return own;
  if (url === null) throw unavailable("the catalog holds no octets of it");
  const fetched = await deps.fetchModule(url).catch((cause: unknown) => {
    throw unavailable("the server that keeps it did not give it", cause);
  });
  const found = createHash("sha256").update(fetched).digest("hex");
  if (found !== sha256)
    throw unavailable("the server that keeps it gave other octets than the catalog names");
  return fetched;
}

function opened(bytes: Uint8Array, noticeKey: Uint8Array): Reply | undefined {
  try {
    return openReply(bytes, noticeKey);
  } catch {
    return undefined; // another key with the same reference, or octets that were changed
  }
}

/** A reply that asks for what is over changes nothing: the client may say everything twice. */
function take(turn: RequestTurn, reply: Reply): void {
  const item = itemOf(turn, reply.itemId);
  const channel = "client_sms";
  try {
    switch (reply.kind) {
      case "ack":
        return acknowledged(turn, reply);
      case "accept":
      case "decline":
        return termsAnswered(turn, reply.kind, channel);
      case "retransmit":
      case "give_up":
        return item && choiceMade(turn, item.id, reply.kind, channel);
      default: {
        const outcome: DeviceOutcome =
          reply.kind === "installed"
            ? { kind: "installed" }
            : { kind: "failed", cause: reply.cause ?? "unknown" };
        if (item) deviceReported(turn, item.id, outcome, channel);
      }
    }
  } catch (error) {
    if (!(error instanceof TurnupError) || error.code !== "nothing_to_answer") throw error;
    turn.scribe.note(turn.order, {
      kind: "late_reply",
      itemId: item?.id ?? null,
      reason: `the client said "${reply.kind}" when nothing waited for it`,
      evidence: channel,
    });
  }
}

/** It has the notice: what it carried has arrived. */
function acknowledged(turn: RequestTurn, { messageId }: Reply): void {
  const item = itemsOf(turn).find(
    ({ message }) => message && Buffer.from(noticeIdOf(message.payloadId)).equals(messageId),
  );
  if (!item || isClosed(item)) return;
  if (item.kind === "service") return accessDelivered(turn, item, "the client has the access data");
  if (item.subject.channel === "narrowband") {
    reachOnDevice(turn, item, "opened", {
      evidence: "client_ack",
      reason: "the client has the content",
    });
  }
}
