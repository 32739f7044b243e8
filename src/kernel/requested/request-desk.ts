/**
 * What may be done to requests from outside, each in one transaction: asked for, agreed to, completed, fetched, reported,
 * chosen. Who may do it is the scope's: a subscriber does it to their own requests alone.
 */

import { createHash } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { CONTENT_TYPE_OF_CONTENT } from "../../wire/message/content.ts";
import type { CatalogItem } from "../catalog/catalog-item.ts";
import { localized } from "../catalog/localized.ts";
import { isOutdated } from "../catalog/upgrade.ts";
import { composeContent, type ModuleSource, moduleSourceOf } from "../fulfilment/content.ts";
import { featuresOf, servicesOf } from "../fulfilment/modules.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { AnswerAir, ItemReference, RequestDesk, RequestScope } from "../order/request.ts";
import type { RequestStore } from "../order/request-store.ts";
import type { InStep } from "../order/step.ts";
import { itemOf, type RequestItem, type RequestTurn } from "../order/turn.ts";
import { detailsCame, reviewed } from "./begin.ts";
import { replyCame } from "./client-replies.ts";
import { termsAnswered } from "./consent.ts";
import { sendOffers } from "./offers.ts";
import { type Desk, onRequest } from "./on-request.ts";
import { statusOf } from "./status.ts";
import { lackingOf, submitRequest } from "./submit.ts";
import { textCame } from "./text-replies.ts";

export function createRequestDesk(deps: ConductorDeps, requests: RequestStore, inStep: InStep): RequestDesk {
  const desk: Desk = { deps, requests, inStep };
  return {
    submit: (operatorId, request) => inStep((step) => submitRequest(deps, step, operatorId, request)),
    find: (scope, idOrReference) => find(desk, scope, idOrReference),
    ofSubscriber: (scope) => ofSubscriber(desk, scope),
    provisioned: (scope) => provisioned(desk, scope),
    review: (operatorId, orderId, answer) =>
      onRequest(desk, { operatorId, subscriberId: null }, orderId, (turn) => reviewed(turn, answer)),
    underReview: (operatorId, idOrReference) => underReview(desk, operatorId, idOrReference),
    answerTerms: (scope, orderId, answer, channel) =>
      onRequest(desk, scope, orderId, (turn) => termsAnswered(turn, answer, channel)),
    supplyFields: (scope, orderId, itemId, fields) =>
      onRequest(desk, scope, orderId, (turn) => servicesOf(turn).fieldsSupplied(turn, itemId, fields)),
    giveDetails: (scope, orderId, user, channel) =>
      onRequest(desk, scope, orderId, async (turn, { tx, scribe }) => {
        const hours = turn.terms.policy.request.ownRecords.triesWindowHours;
        const facts = await tx.recordFactsOf(turn.order, hoursAfter(scribe.now, -hours));
        detailsCame(turn, user, channel, facts);
      }),
    chooseRetransmission: (scope, { orderId, itemId }, choice, channel) =>
      onRequest(desk, scope, orderId, (turn) => featuresOf(turn).chosen(turn, itemId, choice, channel)),
    deviceReports: (scope, { orderId, itemId }, outcome, channel) =>
      onRequest(desk, scope, orderId, (turn) => featuresOf(turn).reported(turn, itemId, outcome, channel)),
    lackOf: (operatorId, tac, item) => lackingOf(deps, operatorId, tac)(item),
    content: (scope, item, air) => content(desk, scope, item, air),
    textCame: (from, text, to, part) => textCame(desk, { from, text, to }, part),
    replyCame: (bytes) => replyCame(desk, bytes),
    findOffer: (token) => findOffer(desk, token),
    sendOffers: (operatorId, offer) => sendOffers(deps, inStep, operatorId, offer),
  };
}

async function find({ requests }: Desk, scope: RequestScope, idOrReference: string) {
  const id = await requests.orderIdOf(scope, idOrReference);
  const [order] = id ? await requests.readOrders([id]) : [];
  return order && statusOf(order);
}

async function ofSubscriber({ requests }: Desk, { operatorId, subscriberId }: RequestScope) {
  if (subscriberId === null) return [];
  return (await requests.ordersOf(operatorId, subscriberId)).flatMap((order) => statusOf(order) ?? []);
}

async function provisioned({ deps, requests }: Desk, { operatorId, subscriberId }: RequestScope) {
  if (subscriberId === null) return [];
  const [latest] = await requests.ordersOf(operatorId, subscriberId);
  const language = latest?.request?.language ?? "en";
  const offered = await deps.catalog.catalogWith(operatorId, []);
  return (await requests.provisionedOf(operatorId, subscriberId)).map(
    ({ itemId, kind, body, since, deviceId, version }) => ({
      itemId,
      version,
      isOutdated: isReplaced(
        offered.get(itemId),
        body && { ...body, kind: kind ?? body.kind, id: itemId, version },
      ),
      name: body?.name ? localized(body.name, language) : itemId,
      kind: kind ?? "feature",
      since: since.toISOString(),
      deviceId,
    }),
  );
}

const isReplaced = (offered: CatalogItem | undefined, held: CatalogItem | null): boolean =>
  offered !== undefined && held !== null && isOutdated(held, offered);

async function underReview({ requests }: Desk, operatorId: string, idOrReference: string) {
  const orderId = await requests.orderIdOf({ operatorId, subscriberId: null }, idOrReference);
  const [order] = orderId ? await requests.readOrders([orderId]) : [];
  const isAsked = order?.request?.verification?.findings.review?.state === "asked";
  if (!orderId || !order?.request || order.state !== "verifying" || !isAsked) return undefined;
  return { orderId, user: order.request.user };
}

async function findOffer({ deps, requests }: Desk, token: string) {
  const offer = await requests.offerByToken(createHash("sha256").update(token).digest());
  if (offer?.state !== "sent" || offer.expiresAt <= deps.clock()) return undefined;
  const { id: offerId, operatorId, subscriberId, itemId, expiresAt } = offer;
  return { offerId, operatorId, subscriberId, itemId, expiresAt: expiresAt.toISOString() };
}

async function content(
  desk: Desk,
  scope: RequestScope,
  { orderId, itemId }: ItemReference,
  air: AnswerAir = ANY_AIR,
) {
  const source = await onRequest(desk, scope, orderId, (turn) => {
    const item = itemOf(turn, itemId);
    return item && featuresOf(turn).hasContent(item) ? { module: moduleSourceOf(item) ?? null } : undefined;
  });
  if (!source) return undefined;
  // Outside a transaction: it may come from another server.
  const octets = source.module && (await moduleOctets(desk.deps, scope.operatorId, source.module));
  const bytes = await onRequest(desk, scope, orderId, (turn) => {
    const item = itemOf(turn, itemId);
    if (!item || !featuresOf(turn).hasContent(item)) return undefined;
    const composed = compose(turn, item, octets);
    const features = featuresOf(turn);
    if (isTooLarge(composed, air)) features.heldBack(turn, item, composed.length, air);
    else features.fetched(turn, item, composed.length, air);
    return composed;
  });
  if (bytes && isTooLarge(bytes, air)) throw tooNarrow(bytes.length, air);
  return bytes && { contentType: CONTENT_TYPE_OF_CONTENT, bytes };
}

/** Nobody said what carries it. */
const ANY_AIR: AnswerAir = { bearer: null, octetsMax: null };

const isTooLarge = ({ length }: Uint8Array, { octetsMax }: AnswerAir): boolean =>
  octetsMax !== null && length > octetsMax;

const tooNarrow = (octets: number, { bearer, octetsMax }: AnswerAir): TurnupError =>
  new TurnupError(
    "bearer_too_narrow",
    `The content has ${octets} octets, and ${bearer ?? "the device's bearer"} carries ${octetsMax} in one message.`,
    { nextStep: "Fetch it where the device has packet data." },
  );

const unavailable = (fact: string, cause?: unknown) =>
  new TurnupError("content_unavailable", `The content cannot be had: ${fact}.`, {
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
