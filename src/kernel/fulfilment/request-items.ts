/**
 * The items of a request's order, and the terms that they come under: what is to be provisioned, what is there already, and
 * what cannot be had with its reason.
 */
import { getFrom } from "../../term/collections.ts";
import {
  type CatalogItem,
  type FeatureContent,
  isElsewhere,
  type NetworkElement,
} from "../catalog/catalog-item.ts";
import { type Cost, chargesOf, sumOf } from "../catalog/charges.ts";
import type { Catalog, ExpandedItem, Expansion } from "../catalog/expand.ts";
import { canonical } from "../catalog/item-body.ts";
import { localized } from "../catalog/localized.ts";
import { NO_PEERS, peerName } from "../catalog/peers.ts";
import { termsDue } from "../consent/terms-due.ts";
import { freshCode } from "../notices/notices.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { ItemState } from "../order/order.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { NewRequest } from "../order/request.ts";
import type { ConsentDraft, ItemRequest } from "../order/request-draft.ts";
import { NO_ACTION, type Scribe } from "../order/scribe.ts";
import type { RequestItem } from "../order/turn.ts";

export type Making = {
  readonly scribe: Scribe;
  readonly catalog: Catalog;
  readonly texts: Awaited<ReturnType<ConductorDeps["catalog"]["currentTerms"]>>;
  readonly request: NewRequest;
  /** What open requests do already, by catalog id: their references. */
  readonly underway: ReadonlyMap<string, string>;
  /** Catalog ids of what was provisioned here: that is removed here, whoever provisions it now. */
  readonly held: ReadonlySet<string>;
  /** By catalog id: what is on this device and is replaced. */
  readonly replaced: ReadonlyMap<string, Replaced>;
  /** What packages that are asked for hold no more, as it is there. */
  readonly leaving: readonly Leaving[];
  readonly deps: Pick<ConductorDeps, "peers" | "randomBytes">;
};

/** As it is there. `isGivenAnew`: in the version that is on offer, with something else given for it. */
type Replaced = { readonly item: CatalogItem; readonly isGivenAnew: boolean };
type Leaving = { readonly item: CatalogItem; readonly bundle: string };

export function itemsFor(making: Making, expansion: Expansion): ItemDraft[] {
  const { deps, scribe, catalog, texts, request, underway } = making;
  const isForeign = (item: CatalogItem): boolean =>
    isElsewhere(item) && !(request.action === "remove" && making.held.has(item.id));
  const make = (id: string, packaged: string | null, standing: Standing) => {
    const item = getFrom(catalog, id);
    const old = request.action === "add" ? making.replaced.get(id) : undefined;
    const subject = { ...subjectOf(item, request.action, packaged, null), ...(old && replacedBy(old, item)) };
    return newItem(scribe, item, isForeign(item) ? atItsServer(subject, item) : subject, standing);
  };
  const items: ItemDraft[] = [];
  const termsLacking = (entry: ExpandedItem): string | undefined =>
    request.action === "add" ? termsOf(catalog, entry).find((id) => !texts.has(id)) : undefined;
  // What nobody can agree to bears nothing: a package's price is borne by what is provisioned of it.
  const charges = chargesOf(
    catalog,
    expansion.items.filter(
      (entry) => termsLacking(entry) === undefined && !making.replaced.get(entry.item.id)?.isGivenAnew,
    ),
  );
  for (const entry of expansion.items) {
    const { item, package: packaged } = entry;
    const lacking = termsLacking(entry);
    const standing = isForeign(entry.item)
      ? foreignStanding(deps, entry.item)
      : lacking === undefined
        ? PENDING
        : withoutTerms(lacking);
    const made = make(item.id, packaged, standing);
    made.subject = { ...made.subject, price: charges.get(item.id) ?? null };
    items.push(made);
    if (!isForeign(item)) items.push(...modulesFor(making, made, entry, standing));
  }
  items.push(...making.leaving.flatMap((one) => leavingItems(making, one)));
  const standsOf = (id: string, otherwise: Standing): Standing => {
    const reference = underway.get(id);
    return reference === undefined ? otherwise : askedAlready(reference);
  };
  for (const { id, package: packaged } of expansion.had)
    items.push(make(id, packaged, standsOf(id, had(getFrom(catalog, id)))));
  // Subscribers know items by their names; one that is offered no more has none but its id.
  const named = (id: string): string => localized(catalog.get(id)?.name ?? { en: id }, request.language);
  const fallen = [
    ...expansion.unavailable.map(({ id, reason }) => ({
      id,
      standing: standsOf(id, unavailable(reason, catalog.get(id))),
    })),
    ...expansion.conflicts.map(({ id, with: other, reason }) => ({
      id,
      standing: inConflict(named(other), reason === "had_already"),
    })),
    ...expansion.missing.map(({ id, neededBy }) =>
      request.action === "add"
        ? { id: neededBy, standing: lacks(named(id)) }
        : { id, standing: stillNeeded(named(neededBy)) },
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

/** What these are charged once they are done, by the very prices that are booked then. */
export const costsOfItems = (items: readonly Pick<RequestItem, "subject">[]): readonly Cost[] =>
  sumOf(
    items.flatMap(({ subject: { action, catalogId, name, price } }) =>
      action === "add" ? [{ item: { id: catalogId, name }, price }] : [],
    ),
  );

const packageOf = (catalog: Catalog, { selection }: NewRequest, id: string): string | null =>
  selection.find((one) => catalog.get(one)?.includes.includes(id)) ?? null;

/** What of the old one has to be known: what it set, should the new one come to nothing, and what the new one has no use for. */
function replacedBy(
  { item: { version, elements, content, fields = [] }, isGivenAnew }: Replaced,
  now: CatalogItem,
): Pick<ItemRequest, "replaces" | "elements"> {
  const drops = elements.filter((element) => !now.elements.includes(element));
  const gone = moduleIn(content) === moduleIn(now.content) ? null : moduleIn(content);
  return {
    elements: wanted([...now.elements, ...drops]),
    replaces: {
      version,
      elements,
      drops,
      values: content.kind === "parameters" ? content.values : {},
      fields: fields.map(({ name }) => name),
      module: content.kind === "module" ? gone : null,
      activation: content.kind === "activation" ? gone : null,
      ...(content.kind === "settings" && now.content.kind !== "settings" && { leavesAccessPoints: true }),
      ...(isGivenAnew && { isGivenAnew }),
    },
  };
}

const moduleIn = (content: FeatureContent | null): string | null =>
  content && "module" in content ? content.module : null;

const wanted = (elements: readonly NetworkElement[]): ItemRequest["elements"] =>
  Object.fromEntries(elements.map((element) => [element, "wanted"]));

/**
 * What a service needs on the device: of a new version what is new in it, and what it needs there no more goes. Of a feature that
 * is access points now: what it was before, since those go by another road and take nothing off.
 */
function modulesFor(
  { scribe, request, replaced }: Making,
  made: RequestItem,
  { item, package: packaged }: ExpandedItem,
  standing: Standing,
): RequestItem[] {
  const now = item.service?.module ?? null;
  const before = request.action === "add" ? replaced.get(item.id)?.item : undefined;
  const old = before?.service?.module ?? (item.content.kind === "settings" ? before?.content : null) ?? null;
  const module = (content: FeatureContent, action: "add" | "remove"): RequestItem => {
    const of = { ...item, content, elements: [], fields: [], price: null };
    return newItem(scribe, { ...item, kind: "feature" }, subjectOf(of, action, packaged, made.id), standing);
  };
  const isSame = old !== null && canonical(old) === canonical(now);
  const gone = old && notIn(old, now);
  return [
    ...(now && !isSame ? [module(now, request.action)] : []),
    ...(gone ? [module(gone, "remove")] : []),
  ];
}

/** What of a version's content on the device a later one neither has nor sets anew; null where there is nothing of that kind. */
function notIn(old: FeatureContent, now: FeatureContent | null): FeatureContent | null {
  if (old.kind !== "parameters") return moduleIn(old) === moduleIn(now) ? null : old;
  const kept = now?.kind === "parameters" ? now.values : {};
  const values = Object.entries(old.values).filter(([name]) => !Object.hasOwn(kept, name));
  return values.length > 0 ? { kind: "parameters", values: Object.fromEntries(values) } : null;
}

/** What a package holds no more is removed as it is there, with what it needs on the device. */
function leavingItems(making: Making, { item, bundle }: Leaving): RequestItem[] {
  const removing = { ...making, request: { ...making.request, action: "remove" as const } };
  const subject = { ...subjectOf(item, "remove", bundle, null), leaves: bundle };
  const made = newItem(making.scribe, item, subject, LEAVING);
  return [made, ...modulesFor(removing, made, { item, package: bundle }, LEAVING)];
}

function subjectOf(
  item: CatalogItem,
  action: "add" | "remove",
  packaged: string | null,
  moduleOf: string | null,
): ItemRequest {
  const service = moduleOf === null ? item.service : null;
  return {
    catalogId: item.id,
    version: item.version,
    action,
    package: packaged,
    name: item.name,
    content: item.content,
    ...(item.kind === "feature" && item.fields && { fields: item.fields }),
    service: service && { uri: service.uri, fields: service.fields },
    moduleOf,
    price: item.price,
    terms: item.terms,
    elements: wanted(item.elements),
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
const LEAVING: Standing = {
  state: "pending",
  cause: null,
  reason: "the package that it came with holds it no more",
  nextAction: "remove it once all else of the package is there",
};
const fallen = (cause: string, reason: string): Standing => ({
  state: "failed",
  cause,
  reason,
  nextAction: NO_ACTION,
});
const unavailable = (reason: Unavailable, item: CatalogItem | undefined): Standing =>
  fallen("unavailable", unavailableWords(reason, item));

type Unavailable = Expansion["unavailable"][number]["reason"];

function unavailableWords(reason: Unavailable, item: CatalogItem | undefined): string {
  const { screen = "", bands = [], classes = [] } = item?.requires ?? {};
  switch (reason) {
    case "device_cannot":
      return "it needs the client module, which is not on this device";
    case "lacks_camera":
      return "it needs a camera, and this model has none, by what is known of it";
    case "lacks_screen":
      return `it needs a screen${screen && ` of ${screen} pixels`}, which this model does not have, by what is known of it`;
    case "lacks_bands":
      return `it needs ${bands.join(" or ")}, and this model has no such band, by what is known of it`;
    case "lacks_class":
      return `it is for a ${classes.join(" or ")}, which this model is not, by what is known of it`;
    case "not_had":
      return "the subscriber does not have it";
    default:
      return "it cannot be had now";
  }
}
/** Nothing of it is done, charged or agreed to here: what its own server makes of it is all there is to know. */
const atItsServer = (subject: ItemRequest, { provisioningServer }: CatalogItem): ItemRequest => ({
  ...subject,
  server: provisioningServer,
  content: { kind: "none" },
  service: null,
  price: null,
  terms: null,
  elements: {},
});

/** The cause of an item whose own server takes no requests from this one. */
export const ELSEWHERE = "elsewhere";
function foreignStanding({ peers = NO_PEERS }: Pick<ConductorDeps, "peers">, item: CatalogItem): Standing {
  const origin = item.provisioningServer ?? "";
  if (peers.of(origin)?.takesRequests) return PENDING;
  return fallen(ELSEWHERE, `${peerName(peers, origin)} provisions it, and takes no requests from here`);
}

/** Done twice it would be billed twice. */
const askedAlready = (reference: string): Standing =>
  fallen("asked_already", `request ${reference} is at it already`);
const withoutTerms = (termsId: string): Standing =>
  fallen("unavailable", `its terms ${termsId} have no text`);

/** Ends the reason of an item that falls because of what the subscriber has, and keeps. */
export const WHICH_IS_THERE = ", which is there already";
const inConflict = (other: string, isHad: boolean): Standing =>
  fallen("conflict", `it cannot stand beside ${other}${isHad ? WHICH_IS_THERE : ""}`);
const lacks = (need: string): Standing => fallen("missing_need", `it needs ${need}`);
const stillNeeded = (by: string): Standing => fallen("still_needed", `${by} needs it and stays`);
const had = ({ kind }: CatalogItem): Standing => ({
  state: kind === "service" ? "access_data_sent" : "works",
  cause: "had",
  reason: "it is there already",
  nextAction: NO_ACTION,
});

function newItem(scribe: Scribe, item: CatalogItem, subject: ItemRequest, standing: Standing): RequestItem {
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
    apnsSeen: [],
    applicationsSeen: [],
    subject: standing.state === "pending" ? subject : { ...subject, elements: {} },
    isNew: true,
    changed: true,
  };
}

/** Of an item, and of the package that it came with. */
const termsOf = (catalog: Catalog, { item, package: packaged }: ExpandedItem): string[] =>
  [item.terms, packaged === null ? null : (catalog.get(packaged)?.terms ?? null)].flatMap((id) => id ?? []);

/** One row for each terms of what is to be provisioned; what was answered on the same screen is answered. */
export function consentsFor(
  making: Making & { readonly openCodes: readonly string[] },
  order: OrderDraft,
): ConsentDraft[] {
  const { deps, scribe, catalog, texts, request } = making;
  if (request.action === "remove") return [];
  const asking = order.items
    // To its own terms, its own server asks for an answer.
    .filter(
      ({ state, subject }) =>
        state === "pending" && subject?.action === "add" && !subject.server && !subject.replaces?.isGivenAnew,
    )
    .flatMap(({ subject }) =>
      [subject?.catalogId, subject?.package].flatMap((id) => (id == null ? [] : (catalog.get(id) ?? []))),
    );
  // What was agreed to on the same screen has its row too; an earlier request's yes was to that request.
  const { due } = termsDue(asking, texts, [], request.language);
  const code = freshCode(deps, making.openCodes);
  return due.map(({ termsId, version, language, text }): ConsentDraft => {
    const agreed = request.agreed.find((one) => one.termsId === termsId && one.version === version);
    return {
      id: scribe.newId(),
      termsId,
      termsVersion: version,
      language,
      text,
      code,
      payloadId: null,
      sentBy: agreed ? [agreed.channel] : [],
      askedAt: scribe.now,
      answer: agreed ? "accept" : null,
      answeredBy: agreed?.channel ?? null,
      answeredAt: agreed ? scribe.now : null,
      isNew: true,
      changed: true,
    };
  });
}
