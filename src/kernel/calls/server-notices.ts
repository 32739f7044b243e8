/**
 * Word to the servers that serve a device, of what came about there by others, or outside any order (US 6,647,260, abstract: notifications "for the subject
 * mobile device and for any associated server device providing services"; R123): each gets a durable call of its own, made until it
 * answers or its deadline passes, and the order's history says what became of it.
 *
 *   | server           | serves by                                | hears of                                              |
 *   | network element  | what the subscriber has that it carries  | all but what it did itself                            |
 *   | service provider | a registration of the subscriber         | what the device can do and is; of others' items, those |
 *   |                  |                                          | that its own item needs                               |
 *   | billing centre   | an account that it knows                 | what the network had done; what was asked for it hears |
 *   |                  |                                          | by the bill                                           |
 */

import { hoursAfter } from "../../term/moment.ts";
import { type CatalogItem, NETWORK_ELEMENTS } from "../catalog/catalog-item.ts";
import type { OrderCause } from "../order/order.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { OutboundCall, ProvisioningEvent, ServerRole } from "../order/outbound-call.ts";
import type { RegistrationDraft } from "../order/request-draft.ts";
import type { ServingChange } from "../order/serving-change.ts";
import type { Turn } from "../order/turn.ts";
import type { CallAnswer } from "./answer.ts";
import { NOTICE_DEADLINE_HOURS } from "./ask.ts";
import { nextTry } from "./next-try.ts";

/** Who serves the device beside what this order did: read in the same transaction. */
export type Serving = {
  /** What the subscriber has, by the catalog; what is offered no more too. */
  readonly held: readonly CatalogItem[];
  /** What is registered for the subscriber, at any provider. */
  readonly registrations: readonly Pick<
    RegistrationDraft,
    "id" | "registeredAs" | "service" | "remoteId" | "state" | "catalogId"
  >[];
  /** The billing centre knows the subscriber's account. */
  readonly isBilled: boolean;
};

/** Orders that the network opened since something about the device or its SIM is another. */
const CHANGES: readonly OrderCause[] = ["sim_moved"];

type Server = {
  readonly role: ServerRole;
  /** The element, or the provider's URI. */
  readonly name: string;
  readonly registration: { readonly id: string; readonly remoteId: string | null } | null;
  hears(item: ItemDraft): boolean;
};

/**
 * What changed outside an order's end is every server's affair that serves the device: each is told once of each change, and the
 * history of the subscriber's latest order says what became of it.
 */
export function tellChange(turn: Turn, serving: Serving, change: ServingChange): void {
  const { id, event, what, at, isOfDevice } = change;
  const { make, model } = isOfDevice ? turn.order : NO_MODEL;
  for (const server of serversOf(turn, serving, "all"))
    queue(turn, server, { key: id, event, items: [what], make, model, at });
}
const NO_MODEL = { make: null, model: null };

/** One notice for each server that something of it concerns; the same end of the same order is told once. */
export function tellServers(turn: Turn, serving: Serving): void {
  const { scribe, order, terms, ending } = turn;
  const done = order.items.filter(
    (item) => ending.isDone(item, terms) && item.cause !== "had" && !isOfModule(item),
  );
  const { make, model, state } = order;
  const main = eventOf(turn);
  // What a package holds no more is removed by the order that brings the rest.
  const eventIn = ({ subject }: ItemDraft): ProvisioningEvent => (subject?.leaves ? "removed" : main);
  for (const server of serversOf(turn, serving))
    for (const event of new Set(done.map(eventIn))) {
      const items = done.filter((item) => eventIn(item) === event && server.hears(item)).map(nameOf);
      if (items.length === 0) continue; // that the SIM is in another handset was told when it was seen there
      const key = `${order.id}:${state}${event === main ? "" : `:${event}`}`;
      queue(turn, server, { key, event, items, make, model, at: scribe.now });
    }
}

type News = Pick<OutboundCall<"server_notice">["body"], "event" | "items" | "make" | "model" | "at"> & {
  /** What tells this news from others of the same server. */
  readonly key: string;
};

function queue({ scribe, order }: Turn, server: Server, { key, ...news }: News): void {
  const { role, name, registration } = server;
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: null,
    kind: "server_notice",
    idempotencyKey: `${key}:${role}:${registration?.id ?? name}`,
    body: {
      ...{ role, server: name, ...news },
      registrationId: registration?.id ?? null,
      remoteId: registration?.remoteId ?? null,
    },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, NOTICE_DEADLINE_HOURS),
  });
  const { event, items } = news;
  scribe.note(order, {
    kind: "server_notice_queued",
    reason: `${whoIs(server)} is told what was ${event}: ${items.join(", ")}`,
    detail: { role, server: name, event, items },
  });
}

const isOfModule = ({ subject }: ItemDraft): boolean => subject !== null && subject.moduleOf !== null;
const nameOf = ({ kind, subject }: ItemDraft): string => subject?.catalogId ?? kind;

function eventOf({ order }: Turn): ProvisioningEvent {
  if (order.request) return order.request.action === "remove" ? "removed" : "provisioned";
  return CHANGES.includes(order.cause) ? "changed" : "provisioned";
}

/** `all`: also those that hear of this order's own items by its own calls and by the bill. */
function* serversOf(
  { order }: Turn,
  { held, registrations, isBilled }: Serving,
  which: "others" | "all" = "others",
): Iterable<Server> {
  const byId = new Map(held.map((item) => [item.id, item]));
  for (const element of NETWORK_ELEMENTS) {
    if (!held.some(({ elements }) => elements.includes(element))) continue;
    // What it carries itself it was told by its own task.
    const hears = ({ subject }: ItemDraft): boolean => subject === null || !(element in subject.elements);
    yield { role: "element", name: element, registration: null, hears };
  }
  // Those of this order hear of it by their own calls.
  const isAll = which === "all";
  const own = new Set(isAll ? [] : order.items.flatMap(({ subject }) => subject?.catalogId ?? []));
  for (const { registeredAs: id, service: name, remoteId, state, catalogId } of registrations) {
    if (state !== "registered" || own.has(catalogId)) continue;
    const needs = byId.get(catalogId)?.needs ?? [];
    const hears = ({ subject }: ItemDraft): boolean => subject === null || needs.includes(subject.catalogId);
    yield { role: "service", name, registration: { id, remoteId }, hears };
  }
  if (isBilled && (isAll || !order.request))
    yield { role: "billing", name: "billing", registration: null, hears: () => true };
}

const ROLES: Readonly<Record<ServerRole, string>> = {
  element: "the network's",
  service: "the service server",
  billing: "the billing centre",
};
const whoIs = ({ role, name }: Pick<Server, "role" | "name">): string =>
  role === "billing" ? ROLES.billing : `${ROLES[role]} ${role === "service" ? new URL(name).host : name}`;

/** What a server answered, on whichever road its order came. */
export function serverTold(
  { scribe, order }: Pick<Turn, "scribe" | "order">,
  call: OutboundCall<"server_notice">,
  answer: CallAnswer,
): void {
  const { role, server } = call.body;
  const who = whoIs({ role, name: server });
  const change = (
    state: "due" | "done" | "refused" | "given_up",
    reason: string,
    dueAt: Date | null = null,
  ) => scribe.changes.callChanges.push({ id: call.id, state, reason, dueAt });
  if (answer.kind === "done") {
    change("done", `${who} was told`);
    return scribe.note(order, {
      kind: "server_told",
      reason: `${who} was told what was ${call.body.event}`,
      evidence: `server:${role}`,
    });
  }
  const cause = answer.kind === "failed" || answer.kind === "refused" ? answer.cause : "bad_answer";
  const isNo = answer.kind === "refused";
  const retry = isNo ? null : nextTry(scribe, call);
  if (retry) return void change("due", `${who} gave no answer: ${cause}`, retry);
  change(
    isNo ? "refused" : "given_up",
    `${who} ${isNo ? "takes no such notice" : "gave no answer"}: ${cause}`,
  );
  scribe.note(order, {
    kind: "server_not_told",
    reason: isNo
      ? `${who} takes no such notice: ${cause}`
      : `${who} could not be told in time: ${cause}: a person has to see to it`,
  });
}
