/**
 * Asking for resources and the list that answers (RFC 7644 clauses 3.4.2 and 3.4.3): filter, order, page. `startIndex`
 * counts from 1; below that it is 1, and `count` below 0 is 0. What is no whole number is refused.
 */
import { isObject } from "../../term/narrow.ts";
import type { Projection } from "./project.ts";
import { isPrimary } from "./resource.ts";
import { type Attribute, attributeNamed, type Json, type ResourceKind, resolvePath } from "./schema.ts";
import { refusal } from "./scim-error.ts";
import { comparable } from "./value.ts";

const LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const MAX_NAMES = 100;

export type ListQuery = Projection & {
  readonly filter: string | undefined;
  readonly sortBy: string | undefined;
  readonly isDescending: boolean;
  readonly startIndex: number;
  readonly count: number;
};

/**
 * @param query of an address, or the body of a search; `maxCount` is given where no count or a larger one is asked for
 * @throws ScimError `invalidValue`, `invalidSyntax`
 */
export function readListQuery(query: Json, maxCount: number): ListQuery {
  const sortOrder = textIn(query, "sortOrder")?.toLowerCase() ?? "ascending";
  if (sortOrder !== "ascending" && sortOrder !== "descending")
    throw refusal("invalidValue", "sortOrder is neither ascending nor descending.");
  return {
    ...readProjection(query),
    filter: textIn(query, "filter"),
    sortBy: textIn(query, "sortBy"),
    isDescending: sortOrder === "descending",
    startIndex: Math.max(wholeIn(query, "startIndex") ?? 1, 1),
    count: Math.min(Math.max(wholeIn(query, "count") ?? maxCount, 0), maxCount),
  };
}

/** The body of `POST /.search`. @throws ScimError `invalidSyntax` */
export function searchIn(body: unknown): Json {
  const schemas = isObject(body) ? body.schemas : undefined;
  const isSearch =
    Array.isArray(schemas) &&
    schemas.some((one) => String(one).toLowerCase() === SEARCH_REQUEST.toLowerCase());
  if (!isObject(body) || !isSearch)
    throw refusal("invalidSyntax", `schemas does not list ${SEARCH_REQUEST}.`);
  return body;
}

/** Which attributes are asked for: names by commas, or a list of them. @throws ScimError `invalidValue`: too many, or no text */
export const readProjection = (query: Json): Projection => ({
  attributes: namesIn(query, "attributes"),
  excluded: namesIn(query, "excludedAttributes"),
});

function namesIn(query: Json, name: string): string[] {
  const value = query[name];
  const names = Array.isArray(value)
    ? value.flatMap((one) => String(one).split(","))
    : textIn(query, name)?.split(",");
  if (names && names.length > MAX_NAMES)
    throw refusal("invalidValue", `${name} has more than ${MAX_NAMES} names.`);
  return names?.filter((one) => one.trim() !== "") ?? [];
}

function textIn(query: Json, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw refusal("invalidValue", `${name} is no text, or stands there twice.`);
  return value;
}

function wholeIn(query: Json, name: string): number | undefined {
  const value = query[name];
  if (value === undefined || value === null || value === "") return undefined;
  const text = typeof value === "number" ? String(value) : value;
  // A plus in an address is read as a blank.
  if (typeof text !== "string" || !/^[\s+-]?\d+$/.test(text))
    throw refusal("invalidValue", `${name} is no whole number.`);
  const whole = Number(text.trim());
  return Math.max(Math.min(whole, Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

/** The page that is asked for. `itemsPerPage` is how many are on it. */
export function listResponse(resources: readonly Json[], totalResults: number, startIndex: number): Json {
  const page = { totalResults, itemsPerPage: resources.length, startIndex };
  return { schemas: [LIST_RESPONSE], ...page, Resources: resources };
}

/** The part of all that fits a page. */
export const pageOf = <Item>(all: readonly Item[], { startIndex, count }: ListQuery): readonly Item[] =>
  all.slice(startIndex - 1, startIndex - 1 + count);

/**
 * In the order of one attribute; of a list its primary value counts, or its first. Who lacks it comes last, or first where
 * the order descends. @throws ScimError `invalidPath`
 */
export function sorted<Item extends Json>(
  kind: ResourceKind,
  all: readonly Item[],
  { sortBy, isDescending }: ListQuery,
): readonly Item[] {
  if (sortBy === undefined) return all;
  const keyOf = keyBy(kind, sortBy);
  const keyed = all.map((item) => ({ item, key: keyOf(item) }));
  const sign = isDescending ? -1 : 1;
  keyed.sort(({ key: one }, { key: other }) => {
    if (one === other) return 0;
    if (one === undefined) return sign;
    if (other === undefined) return -sign;
    return one < other ? -sign : sign;
  });
  return keyed.map(({ item }) => item);
}

function keyBy(kind: ResourceKind, sortBy: string): (item: Json) => ReturnType<typeof comparable> {
  const path = resolvePath(kind, sortBy);
  const attribute = path?.attribute;
  if (!path || !attribute || attribute.returned === "never")
    throw refusal("invalidPath", `sortBy names no attribute that is shown: ${JSON.stringify(sortBy)}.`);
  const leaf: Attribute | undefined =
    path.sub ??
    (attribute.type === "complex" ? attributeNamed(attribute.subAttributes ?? [], "value") : attribute);
  if (!leaf) throw refusal("invalidPath", `${attribute.name} has members; one of them is wanted for sortBy.`);
  return (item) => {
    const place = path.schema === undefined ? item : item[path.schema];
    const value = isObject(place) ? place[attribute.name] : undefined;
    const one: unknown = Array.isArray(value) ? (value.find(isPrimary) ?? value[0]) : value;
    return comparable(leaf, isObject(one) ? one[leaf.name] : one);
  };
}
