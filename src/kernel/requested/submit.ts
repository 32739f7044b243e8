/**
 * A request comes in: who asks, what their selection comes to, and one order for it, once per idempotency key. What cannot
 * be had is an item of the order too, failed from the start with its reason, so that the outcome of everything that was
 * asked for is told (US 6,647,260, claim 10 and column 7).
 */

import { TurnupError } from "../../term/error.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { hoursAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import type { AccountFacts, FactsQuery } from "../account/account-facts.ts";
import { type CatalogItem, isAssuredEnough, isElsewhere, weakerAssurance } from "../catalog/catalog-item.ts";
import { askingItems, type Catalog, type Expansion, type LackOf } from "../catalog/expand.ts";
import { canonical } from "../catalog/item-body.ts";
import { NO_PEERS, peerName } from "../catalog/peers.ts";
import { leavingOf, outdatedOf } from "../catalog/upgrade.ts";
import { consentsFor, itemsFor, type Making } from "../fulfilment/request-items.ts";
import { marketOf } from "../operator/market.ts";
import type { OperatorTerms } from "../operator/operator-terms.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import type { NewRequest } from "../order/request.ts";
import type { RequestDraft } from "../order/request-draft.ts";
import type { Asker, Holding } from "../order/request-store.ts";
import type { Scribe } from "../order/scribe.ts";
import type { Step } from "../order/step.ts";
import type { RequestedOrder, Turn } from "../order/turn.ts";
import { checkItemFields } from "../registration/check-item-fields.ts";
import { tidyUserData } from "../registration/check-user-data.ts";
import { seenWindowMs } from "../registration/find-fraud.ts";
import { registrationModuleOf } from "./registration-module.ts";

/** No letters that are read as digits, and none that are misheard. */
const REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ";
const REFERENCE_CHARACTERS = 8;
const SELECTION_MAX = 50;
/** Who asks for themselves, or through a partner, must be known well enough; a representative answers for whom they bring. */
const ASSURED_CHANNELS: readonly NewRequest["channel"][] = ["self_service", "telephone", "partner", "offer"];

/** Channels by which it is not the device itself that asks. */
const ASKED_FOR: readonly NewRequest["channel"][] = ["representative", "partner", "telephone", "offer"];

type Submitted = { readonly orderId: string; readonly reference: string; readonly created: boolean };

/** Who asks for what, of whom: what every part of the order is made from. */
type Submission = {
  readonly deps: ConductorDeps;
  readonly step: Step;
  readonly terms: OperatorTerms;
  readonly asker: Asker;
  readonly request: NewRequest;
};

/** What the selection comes to beside what is there and on its way. */
type Selected = {
  readonly catalog: Catalog;
  readonly expansion: Expansion;
  readonly underway: Making["underway"];
  readonly held: Making["held"];
  readonly replaced: Making["replaced"];
  readonly leaving: Making["leaving"];
  /** By catalog id: what is kept of what was given before. */
  readonly given: ReadonlyMap<string, Holding["given"]>;
  readonly noticeKey: Uint8Array | null;
};

/** @throws TurnupError identity_unknown, catalog_item_unknown, assurance_too_low, selection_empty, nothing_to_answer */
export async function submitRequest(
  deps: ConductorDeps,
  step: Step,
  operatorId: string,
  given: NewRequest,
): Promise<Submitted> {
  const { tx, scribe } = step;
  if (given.selection.length === 0 || given.selection.length > SELECTION_MAX) {
    throw new TurnupError("selection_empty", `A request names 1 to ${SELECTION_MAX} items of the catalog.`, {
      nextStep: "Choose at least one item.",
    });
  }
  const terms = await tx.termsOf(operatorId);
  const request = { ...given, assurance: assuranceOf(given, terms) };
  const byNetwork = request.assurance === "network" ? { now: scribe.now } : undefined;
  const asker = await tx.askerOf(operatorId, request.who, scribe.newId, byNetwork);
  if (!asker) throw identityUnknown();
  const idempotencyKey = `request:${request.idempotencyKey}`;
  const before = await tx.requestByKey(operatorId, idempotencyKey);
  if (before) return { ...before, created: false };

  if (given.accountNumber !== undefined)
    await tx.putAccountNumber(operatorId, asker.subscriberId, given.accountNumber);
  const submission = { deps, step, terms, asker, request };
  const facts = await tx.factsOf(factsQuery(asker, request, terms, scribe.now));
  const selected = await select(submission);
  const { catalog, expansion } = selected;
  refuseUnknown(expansion);
  refuseElsewhere({ deps, request, held: selected.held }, expansion);
  // What another server provisions, that server verifies.
  const here = expansion.items.filter(({ item }) => !isElsewhere(item));
  const asking = askingItems(catalog, { items: here });
  refuseUnassured(request, asking, terms);
  const order = await draftOrder(submission, selected, facts);
  await takeOffer(scribe, tx, order, request);
  await open(submission, order, idempotencyKey);
  // What is given back asks for no card and nobody's word.
  const items = request.action === "add" ? asking : [];
  registrationModuleOf(deps).begin(await step.turnOf(order), { request, items, facts });
  return { orderId: order.id, reference: order.request.reference, created: true };
}

async function select({ deps, step: { tx }, terms, asker, request }: Submission): Promise<Selected> {
  const { operatorId } = terms;
  const holdings = await tx.holdingsOf(operatorId, asker.subscriberId);
  const underway = await tx.underwayOf(operatorId, asker, request.action);
  const withHeld = await deps.catalog.catalogWith(operatorId, holdings);
  const offered = request.action === "remove" ? withHeld : await deps.catalog.catalogWith(operatorId, []);
  // What is added is what is on offer now; what is removed is what is there, in its version, also what is offered no more.
  const catalog: Catalog = new Map([...withHeld, ...offered]);
  const heldHere = holdings.flatMap(({ itemId, deviceId }) =>
    deviceId === asker.deviceId && !underway.has(itemId) ? (withHeld.get(itemId) ?? []) : [],
  );
  const given = new Map(holdings.map((one) => [one.itemId, one.given]));
  const isOlder = outdatedOf(heldHere, offered);
  const country = homeOf(deps, asker, operatorId);
  const givenAnew =
    request.action === "add" ? givenAnewOf(heldHere, offered, { ...request, country }, given) : [];
  const outdated = new Set([...isOlder, ...givenAnew]);
  const noticeKey = request.noticeKey ?? (await tx.noticeKeyOf(operatorId, asker));
  const expansion = registrationModuleOf(deps).match(catalog, request, {
    // What is on its way stands like what is there, and what is on its way out is there no more.
    here: new Set([
      ...holdings.flatMap((one) => (one.deviceId === asker.deviceId ? [one.itemId] : [])),
      ...underway.keys(),
    ]),
    outdated,
    lackOf: await lackingOn(deps, tx, terms.operatorId, asker.deviceId),
    all: new Set(holdings.flatMap(({ itemId }) => (underway.has(itemId) ? [] : [itemId]))),
    // Who is asked for has not shown here what is on their device: a knock finds it out.
    hasClient:
      noticeKey !== null || (ASKED_FOR.includes(request.channel) && (deps.landName?.() ?? null) !== null),
  });
  const replaced = new Map(
    heldHere.flatMap((item) =>
      outdated.has(item.id) ? [[item.id, { item, isGivenAnew: !isOlder.has(item.id) }] as const] : [],
    ),
  );
  const held = new Set(holdings.map(({ itemId }) => itemId));
  const leaving = await leavingNow(tx, { asker, request, catalog, heldHere });
  return { catalog, expansion, underway, held, replaced, leaving, given, noticeKey };
}

/** By the model of the device; a device of which nobody knows lacks nothing. */
export async function lackingOn(
  deps: ConductorDeps,
  tx: Step["tx"],
  operatorId: string,
  deviceId: string,
): Promise<LackOf> {
  return lackingOf(deps, operatorId, await tx.tacOf(operatorId, deviceId));
}

/** @param tac null: nobody knows the device */
export const lackingOf =
  ({ lackOf }: Pick<ConductorDeps, "lackOf">, operatorId: string, tac: string | null): LackOf =>
  ({ requires }) =>
    tac === null ? undefined : lackOf?.(operatorId, tac, requires);

/** Where the SIM is at home, by whose numbering people there write phone numbers. */
export const homeOf = (
  { countryOf }: ConductorDeps,
  { homePlmn }: Asker,
  operatorId: string,
): string | null => countryOf?.(homePlmn.slice(0, MCC_DIGITS), operatorId) ?? null;
const MCC_DIGITS = 3;

/** Of what is there: that for which something else is given now, such as another number that calls are forwarded to. */
function givenAnewOf(
  held: readonly CatalogItem[],
  offered: Catalog,
  { selection, fields, country }: NewRequest & { readonly country: string | null },
  before: ReadonlyMap<string, Holding["given"]>,
): readonly string[] {
  return held.flatMap(({ id }) => {
    const item = offered.get(id);
    const given = fields[id];
    const isAsked = selection.some((one) => one === id || offered.get(one)?.includes.includes(id));
    if (!item || !given || !isAsked || item.kind !== "feature") return [];
    const former = before.get(id) ?? {};
    const now = checkItemFields([item], { [id]: { ...former, ...given } }, country)[id] ?? {};
    return canonical(now) === canonical(former) ? [] : [id];
  });
}

async function leavingNow(
  tx: Step["tx"],
  {
    asker,
    request,
    catalog,
    heldHere,
  }: Pick<Submission, "asker" | "request"> & {
    readonly catalog: Catalog;
    readonly heldHere: readonly CatalogItem[];
  },
): Promise<Making["leaving"]> {
  if (request.action === "remove" || !request.selection.some((id) => catalog.get(id)?.kind === "package"))
    return [];
  const { holds } = await tx.accountBooksOf(asker.subscriberId);
  return leavingOf(catalog, request.selection, holds).flatMap(({ id, bundle }) => {
    const item = heldHere.find((one) => one.id === id);
    return item ? [{ item, bundle }] : [];
  });
}

/** What is given now, beside what of it is kept where an item is replaced. */
const fieldsWith = (
  { fields }: NewRequest,
  { replaced, given, catalog }: Pick<Selected, "replaced" | "given" | "catalog">,
): NewRequest["fields"] => ({
  ...fields,
  ...Object.fromEntries(
    [...replaced.keys()].map((id) => {
      const asked = (catalog.get(id)?.fields ?? []).map(({ name }) => name);
      const kept = Object.entries(given.get(id) ?? {}).filter(([name]) => asked.includes(name));
      return [id, { ...Object.fromEntries(kept), ...fields[id] }];
    }),
  ),
});

/** What another server provisions, that server asks for. */
const doneHere = ({ items }: Expansion): readonly CatalogItem[] =>
  items.flatMap(({ item }) => (isElsewhere(item) ? [] : [item]));

async function draftOrder(
  { deps, step, terms, asker, request }: Submission,
  selected: Selected,
  facts: AccountFacts,
): Promise<RequestedOrder> {
  const { tx, scribe } = step;
  const { operatorId } = terms;
  const { expansion, replaced, leaving, given, noticeKey } = selected;
  const texts = await deps.catalog.currentTerms(operatorId);
  // By them is found what a service server has to change or end; that may be asked for at once, before the order is read again.
  const registrations =
    request.action === "remove" || replaced.size + leaving.length > 0
      ? await tx.registrationsOf(operatorId, asker.subscriberId)
      : [];
  const fields =
    request.action === "add"
      ? checkItemFields(doneHere(expansion), fieldsWith(request, selected), homeOf(deps, asker, operatorId))
      : {};
  const former = [...replaced.keys()].flatMap((id) => {
    const before = given.get(id) ?? {};
    return Object.keys(before).length > 0 ? [[id, before] as const] : [];
  });
  const draft: RequestDraft = {
    stateBefore: "received",
    reference: newReference(deps),
    action: request.action,
    selection: request.selection,
    actor: request.actor,
    assurance: request.assurance,
    language: request.language,
    bearer: request.bearer,
    hasClient: noticeKey !== null,
    noticeKey,
    card: request.card,
    user: { ...facts.account?.user, ...tidyUserData(request.user) },
    fields,
    formerFields: Object.fromEntries(former),
    verification: null,
    nextNoticeAt: null,
    consents: [],
    registrations: [...registrations],
    account: facts.account,
    books: await tx.accountBooksOf(asker.subscriberId),
    changed: false,
  };
  const order = newOrder({ scribe, terms, deps }, asker, request, draft);
  const making: Making = { deps, request, scribe, texts, ...selected };
  order.items.push(...itemsFor(making, expansion));
  const openCodes = await tx.openCodesOf(operatorId, asker.subscriberId, scribe.now);
  draft.consents.push(...consentsFor({ ...making, openCodes }, order));
  return order;
}

/** On disk from here on, and in the order's story. */
async function open(
  { step: { tx, scribe }, terms, request }: Submission,
  order: RequestedOrder,
  idempotencyKey: string,
): Promise<void> {
  await tx.openRequest(
    {
      ...order,
      cause: request.channel,
      idempotencyKey,
      networkKind: terms.kind,
      market: order.market ?? null,
      servingPlmn: order.servingPlmn ?? null,
      deadlineAt: assured(order.deadlineAt, "a request that is not over has a deadline"),
    },
    scribe.now,
  );
  scribe.touch(order);
  scribe.note(order, {
    kind: "order_received",
    state: "received",
    reason: `asked for by the channel ${request.channel}`,
    evidence: request.actor,
    detail: {
      action: request.action,
      selection: request.selection,
      assurance: request.assurance,
      bearer: request.bearer,
      market: order.market ?? null,
      servingPlmn: order.servingPlmn ?? null,
    },
  });
  noteFields(scribe, order);
}

/** What was given for an item stands in its history, so far as it names nobody. */
function noteFields(scribe: Scribe, order: RequestedOrder): void {
  for (const { id: itemId, kind, subject } of order.items) {
    const given =
      subject && kind === "feature" && subject.moduleOf === null
        ? Object.entries(order.request.fields[subject.catalogId] ?? {})
        : [];
    if (given.length === 0) continue;
    const asked = subject?.fields ?? [];
    const isSecret = (name: string): boolean => asked.find((one) => one.name === name)?.kind === "secret";
    const words = given.map(([name, value]) => `${name} ${isSecret(name) ? "***" : maskIdentifier(value)}`);
    scribe.note(order, {
      kind: "fields_given",
      itemId,
      reason: `given with the request: ${words.join(", ")}`,
    });
  }
}

/** Where nothing of it can be done here or forwarded, no order is opened: whoever asks is told where to ask. */
function refuseElsewhere(
  { deps: { peers = NO_PEERS }, held, request }: Pick<Making, "deps" | "held" | "request">,
  { items, had, conflicts, missing, unavailable }: Expansion,
): void {
  const isWithUs = ({ item }: Expansion["items"][number]): boolean =>
    !isElsewhere(item) ||
    (request.action === "remove" && held.has(item.id)) ||
    peers.of(item.provisioningServer ?? "")?.takesRequests === true;
  const others = had.length + conflicts.length + missing.length + unavailable.length;
  const [first] = items;
  if (first === undefined || others > 0 || items.some(isWithUs)) return;
  const origin = first.item.provisioningServer ?? "";
  const name = peerName(peers, origin);
  const { portalUrl = null } = peers.of(origin) ?? {};
  throw new TurnupError(
    "item_elsewhere",
    `${items.map(({ item }) => item.id).join(", ")}: this is provisioned by ${name}, which takes no requests from here.`,
    {
      nextStep: `Ask ${name} for it, ${portalUrl ?? origin}/d/items/${first.item.id}; or give that server in peer.file with apiUrl and tokenFile.`,
    },
  );
}

function factsQuery(
  asker: Asker,
  { card, user }: NewRequest,
  { operatorId, policy }: OperatorTerms,
  now: Date,
): FactsQuery {
  const { fraud, cardTries, ownRecords } = policy.request;
  return {
    operatorId,
    ...asker,
    cardIndex: card?.index ?? null,
    idDocument: user.idDocument ?? null,
    seenSince: new Date(now.getTime() - seenWindowMs(fraud)),
    requestsSince: hoursAfter(now, -fraud.requestWindowHours),
    cardsSince: hoursAfter(now, -cardTries.windowHours),
    recordTriesSince: hoursAfter(now, -ownRecords.triesWindowHours),
  };
}

/** How sure a partner is counts as far as policy trusts partners. */
const assuranceOf = (
  { channel, assurance }: NewRequest,
  { policy }: OperatorTerms,
): NewRequest["assurance"] =>
  channel === "partner" ? weakerAssurance(assurance, policy.request.partnerAssurance) : assurance;

const identityUnknown = (): TurnupError =>
  new TurnupError("identity_unknown", "No SIM and device are known by what the request names.", {
    nextStep: "Give IMSI and IMEI, or the phone number of a SIM that the network has seen.",
  });

const newReference = (deps: ConductorDeps): string =>
  [...deps.randomBytes(REFERENCE_CHARACTERS)]
    .map((octet) => REFERENCE_ALPHABET[octet % REFERENCE_ALPHABET.length])
    .join("");

function refuseUnknown({ unavailable }: Expansion): void {
  const [unknown] = unavailable.filter(({ reason }) => reason === "unknown");
  if (!unknown) return;
  throw new TurnupError("catalog_item_unknown", `The catalog has no item ${unknown.id}.`, {
    nextStep: "Take ids from the catalog as it is now.",
  });
}

function refuseUnassured(
  { channel, assurance }: NewRequest,
  items: readonly CatalogItem[],
  { policy }: OperatorTerms,
): void {
  if (!ASSURED_CHANNELS.includes(channel)) return;
  const needed = [policy.request.minimumAssurance, ...items.map(({ requires }) => requires.assurance)];
  const lacking = needed.find((one) => !isAssuredEnough(assurance, one));
  if (lacking === undefined) return;
  throw new TurnupError(
    "assurance_too_low",
    `This needs an identity by "${lacking}", and it is by "${assurance}".`,
    {
      nextStep: `Ask from the device itself, or in a way that gives "${lacking}".`,
    },
  );
}

function newOrder(
  { scribe, terms, deps }: Pick<Turn, "scribe" | "terms" | "deps">,
  asker: Asker,
  request: NewRequest,
  draft: RequestDraft,
): RequestedOrder {
  const { operatorId, policy } = terms;
  const market = marketOf(asker, (mcc) => deps.countryOf?.(mcc, operatorId) ?? null, policy.markets);
  return {
    id: scribe.newId(),
    operatorId,
    subscriberId: asker.subscriberId,
    deviceId: asker.deviceId,
    market,
    servingPlmn: asker.servingPlmn,
    cause: request.channel,
    createdAt: scribe.now,
    state: "received",
    reason: `asked for by the channel ${request.channel}`,
    nextAction: "verify who asks",
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, terms.policy.waitDeadlineHours),
    attempts: 0,
    make: null,
    model: null,
    verdict: null,
    verdictReasons: null,
    policyVersion: null,
    items: [],
    request: draft,
    changed: true,
  };
}

async function takeOffer(
  scribe: Scribe,
  tx: Step["tx"],
  order: OrderDraft,
  { offerId }: NewRequest,
): Promise<void> {
  if (offerId === null) return;
  const offer = await tx.lockOffer(order.operatorId, offerId);
  if (
    !offer ||
    offer.subscriberId !== order.subscriberId ||
    offer.state !== "sent" ||
    offer.expiresAt <= scribe.now
  ) {
    throw new TurnupError("nothing_to_answer", "This offer was answered before, or its time is over.", {
      nextStep: "Choose the item from the catalog.",
    });
  }
  scribe.changes.offerChanges.push({ id: offer.id, state: "taken", orderId: order.id });
}
