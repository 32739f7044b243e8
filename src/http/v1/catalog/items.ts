/** Items of the catalog one by one. A change is a next version; orders keep the one that they were made with. */
import Type, { type Static } from "typebox";
import { CATALOG_KINDS, type CatalogItem } from "../../../kernel/catalog/catalog-item.ts";
import { surroundingsOf } from "../../../kernel/catalog/catalog-store.ts";
import { listCostOf } from "../../../kernel/catalog/charges.ts";
import { checkCatalogItem } from "../../../kernel/catalog/check-catalog.ts";
import { type Catalog, type LackOf, lackWith } from "../../../kernel/catalog/expand.ts";
import { TurnupError } from "../../../term/error.ts";
import { isObject } from "../../../term/narrow.ts";
import {
  changedMeanwhile,
  ifMatchOf,
  isAmong,
  requiredIfMatch,
  versionEtag,
  versionEtagOf,
} from "../../etag.ts";
import { answerPage } from "../../page.ts";
import type { RequestDeps } from "../../ports.ts";
import { gone, ok, route } from "../../route.ts";
import { PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, page, words } from "../../schema.ts";
import { subscriberNamed, subscriberNumber } from "../subscribers/number.ts";
import { fitOrRefuse, ItemIn, ItemOut, ItemWithVersions, itemId, writtenCosts } from "./schema.ts";

const READERS = ["admin", "engineer", "care", "representative"] as const;
const WRITERS = ["admin", "engineer"] as const;

const written = (item: CatalogItem, catalog: Catalog): Static<typeof ItemOut> => ({
  ...(structuredClone(item) as Omit<Static<typeof ItemOut>, "costs" | "lacks">), // a copy may be written to; its schema has no readonly
  costs: writtenCosts(listCostOf(catalog, item)),
});
/** As it is read, so that what was got can be put again: what is reckoned is no part of what is said. */
function withoutCosts(body: unknown): unknown {
  if (!isObject(body)) return body;
  const { costs: _costs, lacks: _lacks, ...said } = body;
  return said;
}

const notFound = (): TurnupError =>
  new TurnupError("catalog_item_not_found", "There is no such item in the catalog.", {
    nextStep: "GET /v1/catalog lists them.",
  });

/** On the device where the subscriber's SIM is now. @throws TurnupError `subscriber_not_found`, `imsi_malformed`, `msisdn_malformed` */
async function lackingOf(
  { reader, people, desk }: RequestDeps,
  operatorId: string,
  number: string,
): Promise<LackOf> {
  const subscriberId = await subscriberNamed({ reader }, operatorId, number);
  const person = await people.find(operatorId, { subscriberId });
  return (item) => desk.lackOf(operatorId, person?.tac ?? null, item);
}

export const listCatalog = route({
  method: "GET",
  path: "/v1/catalog",
  summary: "What can be asked for: features, services and packages of both",
  tag: "catalog",
  description:
    "With `subscriber`, each item also says what the model of that subscriber's device is known to be without of what it needs.",
  roles: READERS,
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  query: {
    subscriber: Type.Optional(subscriberNumber),
    kind: Type.Optional(words(CATALOG_KINDS)),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, description: `${PAGE_ROWS_DEFAULT} unless given.` }),
    ),
    cursor: Type.Optional(itemId),
  },
  answer: page(ItemOut),
  async handle({ catalog, requests }, { query, caller: { operatorId }, request }) {
    const { kind, limit = PAGE_ROWS_DEFAULT, cursor, subscriber } = query;
    const lackOf = subscriber === undefined ? undefined : await lackingOf(requests, operatorId, subscriber);
    const { items, next } = await catalog.list(operatorId, { kind, limit, after: cursor });
    const all = await catalog.catalogWith(operatorId, []);
    const rows = items.map((item) => ({
      ...written(item, all),
      ...(lackOf && { lacks: lackWith(all, item, lackOf) ?? null }),
    }));
    return answerPage({ rows, nextCursor: next }, request);
  },
});

export const getCatalogItem = route({
  method: "GET",
  path: "/v1/catalog/:id",
  summary: "One item with its versions, and its ETag",
  tag: "catalog",
  roles: READERS,
  errors: ["catalog_item_not_found"],
  status: 200,
  params: { id: itemId },
  answer: ItemWithVersions,
  async handle({ catalog }, { params, caller }) {
    const found = await catalog.find(caller.operatorId, params.id);
    if (!found) throw notFound();
    const { current, versions } = found;
    const all = await catalog.catalogWith(caller.operatorId, []);
    const body = {
      item: current ? written(current, all) : null,
      versions: versions.map((one) => ({ ...one })),
    };
    return ok(body, current && { etag: versionEtag(current.version) });
  },
});

export const putCatalogItem = route({
  method: "PUT",
  path: "/v1/catalog/:id",
  summary: "Put an item on offer, or a next version of it",
  description:
    "A change needs the If-Match of what you read; a new item needs none. Items fit each other or nothing is changed. " +
    "What is there already changes nothing.",
  tag: "catalog",
  roles: WRITERS,
  errors: ["precondition_required", "precondition_failed"],
  status: 200,
  params: { id: itemId },
  body: ItemIn,
  checksOwnBody: true,
  answer: ItemOut,
  async handle({ catalog, hasServer }, { params, body, caller, request }) {
    const { items } = await catalog.exported(caller.operatorId);
    const around = await surroundingsOf(catalog, caller.operatorId, hasServer);
    const item = fitOrRefuse(checkCatalogItem(withoutCosts(body), params.id, items, around));
    const tags = items.has(params.id) ? requiredIfMatch(request) : ifMatchOf(request);
    const put = await catalog.put(caller.operatorId, params.id, item, {
      expected: (current) => (tags ? isAmong(tags, versionEtagOf(current)) : current === undefined),
      actor: caller.label,
    });
    if (put.outcome === "changed") throw changedMeanwhile();
    const stored = { ...item, id: params.id, version: put.version };
    const all = await catalog.catalogWith(caller.operatorId, []);
    return ok(written(stored, all), { etag: versionEtag(put.version) });
  },
});

export const retireCatalogItem = route({
  method: "DELETE",
  path: "/v1/catalog/:id",
  summary: "Offer an item no more; who has it keeps it",
  tag: "catalog",
  roles: WRITERS,
  errors: ["catalog_item_not_found", "catalog_item_in_use", "precondition_failed"],
  status: 204,
  params: { id: itemId },
  async handle({ catalog }, { params, caller, request }) {
    const tags = ifMatchOf(request);
    const outcome = await catalog.retire(
      caller.operatorId,
      params.id,
      (current) => !tags || isAmong(tags, versionEtagOf(current)),
      caller.label,
    );
    if (outcome === "unknown") throw notFound();
    if (outcome === "changed") throw changedMeanwhile();
    return gone();
  },
});
