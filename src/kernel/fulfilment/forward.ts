/**
 * Items of other provisioning servers (US 6,647,260, column 5, claims 11 and 12; R6, R40 and R120). Each server is handed its
 * items of a request in one call, as our partner request, and asked how it goes until it has ended there. Nothing of them is
 * done, charged or agreed to here: an item is done when its server says so, and not before.
 *
 *   pending -> forwarded (the server has the request, by its reference) -> works | failed
 */
import { firstOf } from "../../term/collections.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import type { PeerAnswer } from "../calls/connectors.ts";
import type { Assurance } from "../catalog/catalog-item.ts";
import { NO_PEERS, peerName } from "../catalog/peers.ts";
import { namesOf, tell } from "../notices/notices.ts";
import { change } from "../order/change.ts";
import type { CallChange } from "../order/change-set.ts";
import { failItem, isClosed, waitNoMore } from "../order/ending.ts";
import { FINAL_ORDER_STATES, type ItemState, isPartlyDone } from "../order/order.ts";
import type { OutboundCall, RequestCall } from "../order/outbound-call.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemsOf, type RequestItem, type RequestTurn } from "../order/turn.ts";

type Forwarded = Extract<PeerAnswer, { readonly kind: "forwarded" }>;

export function forwardToServers(turn: RequestTurn, items: readonly RequestItem[]): void {
  const { order } = turn;
  const { request } = order;
  for (const server of new Set(items.map(({ subject }) => subject.server ?? ""))) {
    const its = items.filter(({ subject }) => subject.server === server);
    const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
    const ids = its.map(({ subject }) => subject.catalogId);
    ask(turn, {
      kind: "forward_request",
      itemId: null,
      idempotencyKey: `${order.id}:forward:${server}`,
      body: {
        server,
        action: request.action,
        selection: ids,
        language: request.language,
        assurance: assuranceFor(turn),
        reference: null,
      },
      secret: {
        // As it is now: what is entered twice under one key has to say the same.
        msisdn: turn.subject.msisdn,
        user: request.user,
        fields: Object.fromEntries(Object.entries(request.fields).filter(([id]) => ids.includes(id))),
        noticeKey: request.noticeKey && Buffer.from(request.noticeKey).toString("base64"),
      },
      deadlineAt,
    });
    for (const item of its)
      change(item, {
        reason: `${nameOf(turn, server)} is asked to provision it`,
        nextAction: `wait for the word of ${nameOf(turn, server)}`,
        deadlineAt,
      });
  }
}

/** A representative answers for whom they bring: our word, which counts there as far as that server trusts its partners. */
const assuranceFor = ({ order: { cause, request } }: RequestTurn): Assurance =>
  cause === "representative" ? "otp" : request.assurance;

const nameOf = ({ deps: { peers = NO_PEERS } }: Pick<RequestTurn, "deps">, server: string): string =>
  peerName(peers, server);

/** Who asked for what its own server alone can give hears where. */
export function tellOfElsewhere(turn: RequestTurn, items: readonly RequestItem[]): void {
  const { peers = NO_PEERS } = turn.deps;
  for (const server of new Set(items.map(({ subject }) => subject.server ?? ""))) {
    const its = items.filter(({ subject }) => subject.server === server);
    const link = `${peers.of(server)?.portalUrl ?? server}/d/items/${firstOf(its).subject.catalogId}`;
    const values = { items: namesOf(turn, its), server: nameOf(turn, server), link };
    tell(turn, { kind: "unavailable", text: "elsewhere", values });
  }
}

/** Its server's word. `given_up`: none came before the deadline. */
export function forwardAnswered(
  turn: RequestTurn,
  call: OutboundCall<"forward_request">,
  answer: CallAnswer,
): void {
  const { server } = call.body;
  const items = itemsOf(turn).filter(
    (item) => item.subject.server === server && !isClosed(item) && item.state !== "works",
  );
  if (items.length === 0) return;
  if (answer.kind === "forwarded") return takeWord(turn, server, items, answer);
  const name = nameOf(turn, server);
  const isRefused = answer.kind === "refused";
  const cause = "cause" in answer ? answer.cause.replaceAll("_", " ") : "no answer";
  for (const item of items)
    failItem(turn, item, {
      cause: isRefused ? "server_refused" : "no_answer",
      reason: isRefused
        ? `${name} does not take the request: ${cause}`
        : `${name} has not said in time what became of it: ${cause}`,
    });
}

/** From then on its server is asked by its reference alone. */
export const knownThere = (call: RequestCall, answer: CallAnswer): Pick<CallChange, "content"> =>
  answer.kind === "forwarded" && call.kind === "forward_request"
    ? { content: { kind: call.kind, body: { ...call.body, reference: answer.reference } } }
    : {};

/** Still to be asked again. */
export const isUnderWay = (answer: CallAnswer): boolean =>
  answer.kind === "forwarded" && !FINAL_ORDER_STATES.includes(answer.state);

function takeWord(turn: RequestTurn, server: string, items: readonly RequestItem[], answer: Forwarded): void {
  const { scribe, order } = turn;
  const name = nameOf(turn, server);
  const fresh = items.filter(({ state }) => state === "pending");
  for (const item of fresh)
    scribe.moveItem(order, item, {
      state: "forwarded",
      reason: `${name} has it, as its request ${answer.reference}`,
      nextAction: `wait for the word of ${name}`,
      deadlineAt: item.deadlineAt,
      evidence: "peer",
      detail: { server, reference: answer.reference },
    });
  if (!isUnderWay(answer)) return endedThere(turn, name, items, answer);
  if (fresh.length === 0) return;
  const values = { items: namesOf(turn, fresh), server: name };
  tell(turn, { kind: "status", text: "forwarded", values });
}

/** Each of its items there has an outcome of its own; a package is done when all that came of it is. */
function endedThere(
  turn: RequestTurn,
  name: string,
  items: readonly RequestItem[],
  { reference, state: ended, reason, items: there }: Forwarded,
): void {
  const { scribe, order } = turn;
  for (const item of items) {
    const { catalogId } = item.subject;
    const its = there.filter((one) => one.catalogId === catalogId || one.package === catalogId);
    const missed = its.find(({ state }) => !isDoneThere(state, ended));
    if (its.length === 0 || missed) {
      failItem(turn, item, {
        cause: "server_failed",
        reason: `${name}, request ${reference}: ${missed?.reason ?? reason}`,
        evidence: "peer",
      });
      continue;
    }
    scribe.moveItem(order, item, {
      state: "works",
      reason: `${name} says that it is done, request ${reference}`,
      nextAction: NO_ACTION,
      deadlineAt: null,
      evidence: "peer",
    });
    waitNoMore(item);
  }
}

/** In a request that completed, all is; in one that did not, what stands at a level that ends something. */
const isDoneThere = (state: ItemState, ended: Forwarded["state"]): boolean =>
  ended === "completed" || (ended === "partly_completed" && state !== "registered" && isPartlyDone(state));
