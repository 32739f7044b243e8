/**
 * A request comes in: who asks, what his selection comes to, and one order for it, once per idempotency key. What cannot
 * be had is an item of the order too, failed from the start with its reason, so that the outcome of everything that was
 * asked for is told (US 6,647,260, claim 10 and column 7).
 */
import { TurnupError } from "../../../term/error.ts";
import type { FactsQuery } from "../../account/account-facts.ts";
import { type CatalogItem, isAssuredEnough } from "../../catalog/catalog-item.ts";
import { type Catalog, type Expansion, expandRemoval, expandSelection } from "../../catalog/expand.ts";
import { tidyUserData } from "../../registration/check-user-data.ts";
import { seenWindowMs } from "../../registration/find-fraud.ts";
import type { ConductorDeps } from "../deps.ts";
import type { ItemState } from "../order.ts";
import type { ItemDraft, OrderDraft, Terms } from "../order-store.ts";
import { hoursAfter, NO_ACTION, type Scribe } from "../scribe.ts";
import type { Step } from "../step.ts";
import { beginRequest } from "./begin.ts";
import { isOfRequest } from "./context.ts";
import { newCode } from "./notices.ts";
import type { NewRequest } from "./request.ts";
import { type ConsentDraft, type ItemSubject, inLanguage, type RequestDraft } from "./request-draft.ts";
import type { Asker } from "./request-store.ts";

/** No letters that are read as digits, and none that are misheard. */
const REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ";
const REFERENCE_CHARACTERS = 8;
const SELECTION_MAX = 50;
/** Who asks for himself must be known well enough; a representative and a partner answer for whom they bring. */
const ASSURED_ROADS: readonly NewRequest["road"][] = ["self_service", "telephone", "offer"];

export type Submitted = { readonly orderId: string; readonly reference: string; readonly created: boolean };

/** @throws TurnupError identity_unknown, catalog_item_unknown, assurance_too_low, selection_empty, nothing_to_answer */
export async function submitRequest(
  deps: ConductorDeps,
  { tx, scribe }: Step,
  operatorId: string,
  request: NewRequest,
): Promise<Submitted> {
  if (request.selection.length === 0 || request.selection.length > SELECTION_MAX) {
    throw new TurnupError("selection_empty", `a request names 1 to ${SELECTION_MAX} items of the catalog`, {
      nextStep: "choose at least one item",
    });
  }
  const terms = await deps.store.termsOf(operatorId);
  const asker = await tx.askerOf(operatorId, request.who, scribe.newId);
  if (!asker) throw identityUnknown();
  const idempotencyKey = `request:${request.idempotencyKey}`;
  const before = await tx.requestByKey(operatorId, idempotencyKey);
  if (before) return { ...before, created: false };

  const facts = await tx.factsOf(factsQuery(operatorId, asker, request, terms, scribe.now));
  const holdings = await tx.holdingsOf(operatorId, asker.subscriberId);
  const catalog = await deps.catalog.catalogWith(operatorId, holdings);
  const noticeKey = request.noticeKey ?? (await tx.noticeKeyOf(operatorId, asker));
  const expansion = expand(catalog, request, {
    here: new Set(holdings.flatMap((one) => (one.deviceId === asker.deviceId ? [one.itemId] : []))),
    all: new Set(holdings.map(({ itemId }) => itemId)),
    hasClient: noticeKey !== null,
  });
  refuseUnknown(expansion);
  refuseUnassured(request, expansion, terms);
  const texts = await deps.catalog.currentTerms(operatorId);
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
    fields: request.fields,
    verification: null,
    nextNoticeAt: null,
    consents: [],
    registrations: [],
    account: facts.account,
    changed: false,
  };
  const order = newOrder(scribe, operatorId, asker, request, terms, draft);
  order.items.push(...itemsFor({ scribe, catalog, texts, request }, expansion));
  draft.consents.push(...consentsFor({ deps, scribe, catalog, texts, request }, order));
  await takeOffer(scribe, tx, order, request);
  await tx.openRequest(
    {
      ...order,
      cause: request.road,
      idempotencyKey,
      networkKind: terms.kind,
      deadlineAt: order.deadlineAt!,
      request: draft,
    },
    scribe.now,
  );
  scribe.touch(order);
  scribe.note(order, {
    kind: "order_received",
    state: "received",
    reason: `asked for on the road ${request.road}`,
    evidence: request.actor,
    detail: {
      action: request.action,
      selection: request.selection,
      assurance: request.assurance,
      bearer: request.bearer,
    },
  });
  const subject = (await tx.subjectsOf([order.id])).get(order.id)!;
  if (isOfRequest(order)) {
    const items = expansion.items.map(({ item }) => item);
    beginRequest({ deps, scribe, order, subject, terms }, { request, items, facts });
  }
  return { orderId: order.id, reference: draft.reference, created: true };
}

function factsQuery(
  operatorId: string,
  asker: Asker,
  { card, user }: NewRequest,
  { policy }: Terms,
  now: Date,
): FactsQuery {
  const { fraud } = policy.request;
  return {
    operatorId,
    ...asker,
    cardIndex: card?.index ?? null,
    idDocument: user.idDocument ?? null,
    seenSince: new Date(now.getTime() - seenWindowMs(fraud)),
    requestsSince: hoursAfter(now, -fraud.requestWindowHours),
  };
}

const identityUnknown = (): TurnupError =>
  new TurnupError("identity_unknown", "no SIM and device are known by what the request names", {
    nextStep: "give IMSI and IMEI, or the phone number of a SIM that the network has seen",
  });

const newReference = (deps: ConductorDeps): string =>
  [...deps.randomBytes(REFERENCE_CHARACTERS)]
    .map((octet) => REFERENCE_ALPHABET[octet % REFERENCE_ALPHABET.length])
    .join("");

function expand(
  catalog: Catalog,
  { action, selection }: NewRequest,
  had: { readonly here: ReadonlySet<string>; readonly all: ReadonlySet<string>; readonly hasClient: boolean },
): Expansion {
  if (action === "remove") return expandRemoval(catalog, selection, { has: had.all });
  return expandSelection(catalog, selection, {
    has: had.here,
    deviceTakes: (item) => had.hasClient || !needsClient(item),
  });
}

/** Software, its activation and its parameters are received by our client module alone. */
const needsClient = ({ content, service }: CatalogItem): boolean =>
  [content.kind, service?.module?.kind ?? "none"].some((kind) => !["none", "settings"].includes(kind));

function refuseUnknown({ unavailable }: Expansion): void {
  const [unknown] = unavailable.filter(({ reason }) => reason === "unknown");
  if (!unknown) return;
  throw new TurnupError("catalog_item_unknown", `the catalog has no item ${unknown.id}`, {
    nextStep: "take ids from the catalog as it is now",
  });
}

function refuseUnassured({ road, assurance }: NewRequest, { items }: Expansion, { policy }: Terms): void {
  if (!ASSURED_ROADS.includes(road)) return;
  const needed = [policy.request.minimumAssurance, ...items.map(({ item }) => item.requires.assurance)];
  const lacking = needed.find((one) => !isAssuredEnough(assurance, one));
  if (lacking === undefined) return;
  throw new TurnupError(
    "assurance_too_low",
    `this needs an identity by "${lacking}", and it is by "${assurance}"`,
    {
      nextStep: `ask from the device itself, or in a way that gives "${lacking}"`,
    },
  );
}

function newOrder(
  scribe: Scribe,
  operatorId: string,
  asker: Asker,
  request: NewRequest,
  terms: Terms,
  draft: RequestDraft,
): OrderDraft {
  return {
    id: scribe.newId(),
    operatorId,
    ...asker,
    cause: request.road,
    createdAt: scribe.now,
    state: "received",
    reason: `asked for on the road ${request.road}`,
    nextAction: "verify who asks",
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, terms.policy.waitDeadlineHours),
    attempts: 0,
    make: null,
    model: null,
    verdict: null,
    verdictReasons: null,
    items: [],
    request: draft,
    changed: true,
  };
}

type Making = {
  readonly scribe: Scribe;
  readonly catalog: Catalog;
  readonly texts: Awaited<ReturnType<ConductorDeps["catalog"]["currentTerms"]>>;
  readonly request: NewRequest;
};

function itemsFor(making: Making, expansion: Expansion): ItemDraft[] {
  const { scribe, catalog, texts, request } = making;
  const make = (id: string, packaged: string | null, standing: Standing) => {
    const item = catalog.get(id)!;
    return newItem(scribe, item, subjectOf(item, request.action, packaged, null), standing);
  };
  const priced = new Set<string>();
  const items: ItemDraft[] = [];
  for (const { item, package: packaged } of expansion.items) {
    const lacking = termsOf(catalog, { item, package: packaged }).find((id) => !texts.has(id));
    const standing = request.action === "add" && lacking ? withoutTerms(lacking) : PENDING;
    const made = make(item.id, packaged, standing);
    const price = packaged === null ? undefined : catalog.get(packaged)?.price;
    // A package has one price, and its first member bears it; members have their own where the package has none.
    if (price) made.subject = { ...made.subject!, price: priced.has(packaged!) ? null : price };
    if (price) priced.add(packaged!);
    items.push(made);
    if (item.service?.module) {
      const content = { ...item, content: item.service.module, elements: [], price: null };
      const subject = subjectOf(content, request.action, packaged, made.id);
      items.push(newItem(scribe, { ...item, kind: "feature" }, subject, standing));
    }
  }
  for (const { id, package: packaged } of expansion.had)
    items.push(make(id, packaged, had(catalog.get(id)!)));
  const fallen = [
    ...expansion.unavailable.map(({ id, reason }) => ({ id, standing: unavailable(reason) })),
    ...expansion.conflicts.map(({ id, with: other }) => ({ id, standing: inConflict(other) })),
    ...expansion.missing.map(({ id, neededBy }) =>
      request.action === "add"
        ? { id: neededBy, standing: lacks(id) }
        : { id, standing: stillNeeded(neededBy) },
    ),
  ];
  const told = new Set(items.map(({ subject }) => subject?.catalogId));
  for (const { id, standing } of fallen) {
    if (told.has(id) || !catalog.has(id)) continue;
    told.add(id);
    items.push(make(id, packageOf(catalog, request, id), standing));
  }
  return items;
}

const packageOf = (catalog: Catalog, { selection }: NewRequest, id: string): string | null =>
  selection.find((one) => catalog.get(one)?.includes.includes(id)) ?? null;

function subjectOf(
  item: CatalogItem,
  action: "add" | "remove",
  packaged: string | null,
  moduleOf: string | null,
): ItemSubject {
  const service = moduleOf === null ? item.service : null;
  return {
    catalogId: item.id,
    version: item.version,
    action,
    package: packaged,
    name: item.name,
    content: item.content,
    service: service && { uri: service.uri, fields: service.fields },
    moduleOf,
    price: item.price,
    terms: item.terms,
    elements: Object.fromEntries(item.elements.map((element) => [element, "wanted"])),
    billing: { mode: "tell", state: "none", preparedBy: null },
    channel: null,
    retransmissions: 0,
    question: null,
    missing: [],
    round: 0,
  };
}

type Standing = {
  readonly state: ItemState;
  readonly cause: string | null;
  readonly reason: string;
  readonly nextAction: string;
};
const PENDING: Standing = {
  state: "pending",
  cause: null,
  reason: "asked for",
  nextAction: "provision it when the request is verified and agreed to",
};
const fallen = (cause: string, reason: string): Standing => ({
  state: "failed",
  cause,
  reason,
  nextAction: NO_ACTION,
});
const unavailable = (reason: string): Standing =>
  fallen(
    "unavailable",
    reason === "device_cannot"
      ? "it needs the client module, which is not on this device"
      : reason === "not_had"
        ? "the subscriber does not have it"
        : "it cannot be had now",
  );
const withoutTerms = (termsId: string): Standing =>
  fallen("unavailable", `its terms ${termsId} have no text`);
const inConflict = (other: string): Standing => fallen("conflict", `it cannot stand beside ${other}`);
const lacks = (need: string): Standing => fallen("missing_need", `it needs ${need}`);
const stillNeeded = (by: string): Standing => fallen("still_needed", `${by} needs it and stays`);
const had = ({ kind }: CatalogItem): Standing => ({
  state: kind === "service" ? "access_data_sent" : "works",
  cause: "had",
  reason: "it is there already",
  nextAction: NO_ACTION,
});

function newItem(scribe: Scribe, item: CatalogItem, subject: ItemSubject, standing: Standing): ItemDraft {
  return {
    id: scribe.newId(),
    kind: item.kind === "service" ? "service" : "feature",
    ...standing,
    deadlineAt: null,
    attempt: 0,
    message: null,
    keyId: null,
    keySource: null,
    keyState: null,
    feeTerms: null,
    apns: [],
    subject: standing.state === "pending" ? subject : { ...subject, elements: {} },
    isNew: true,
    changed: true,
  };
}

/** Of an item, and of the package that it came with. */
const termsOf = (
  catalog: Catalog,
  { item, package: packaged }: { readonly item: CatalogItem; readonly package: string | null },
): string[] =>
  [item.terms, packaged === null ? null : (catalog.get(packaged)?.terms ?? null)].flatMap((id) => id ?? []);

/** One row for each terms of what is to be provisioned; what was answered on the same screen is answered. */
function consentsFor(making: Making & { readonly deps: ConductorDeps }, order: OrderDraft): ConsentDraft[] {
  const { deps, scribe, catalog, texts, request } = making;
  if (request.action === "remove") return [];
  const ids = new Set(
    order.items
      .filter(({ state }) => state === "pending")
      .flatMap(({ subject }) =>
        termsOf(catalog, { item: catalog.get(subject!.catalogId)!, package: subject!.package }),
      ),
  );
  const code = newCode(deps);
  return [...ids].flatMap((id): ConsentDraft[] => {
    const terms = texts.get(id);
    if (!terms) return [];
    const agreed = request.agreed.find(({ termsId, version }) => termsId === id && version === terms.version);
    return [
      {
        id: scribe.newId(),
        termsId: id,
        termsVersion: terms.version,
        language: request.language,
        text: inLanguage(terms.texts, request.language),
        code,
        sentBy: agreed ? [agreed.channel] : [],
        askedAt: scribe.now,
        answer: agreed ? "accept" : null,
        answeredBy: agreed?.channel ?? null,
        answeredAt: agreed ? scribe.now : null,
        isNew: true,
        changed: true,
      },
    ];
  });
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
    throw new TurnupError("nothing_to_answer", "this offer was answered before, or its time is over", {
      nextStep: "choose the item from the catalog",
    });
  }
  scribe.changes.offerChanges.push({ id: offer.id, state: "taken", orderId: order.id });
}
