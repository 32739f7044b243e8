/**
 * A user as a provider shows it, in whatever manner: RFC 7643 clause 2.1 compares the names of attributes and the URIs of
 * schemas without case; ids come as JSON numbers, `active` as text, entity-tags without quotes.
 */
import { isObject } from "../../term/narrow.ts";
import {
  EXTENSION_SCHEMA,
  type Fields,
  type NeededDatum,
  needsIn,
  pairsIn,
  USERS,
} from "../../wire/message/scim.ts";
import { type Answered, jsonOf } from "../exchange/exchange.ts";

const REMOTE_ID = /^[\x21-\x7e]{1,200}$/;
/** RFC 9110 clause 8.8.3. */
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/;
const BARE_TAG = /^[\x21\x23-\x7e]{1,200}$/;

export type ScimUser = {
  /** The provider's own; undefined where it has none that can be used. */
  readonly id: string | undefined;
  readonly externalId: string | undefined;
  readonly userName: string | undefined;
  readonly active: boolean | undefined;
  readonly profileUrl: unknown;
  /** Where the provider says that the user is, which may be relative. */
  readonly locations: readonly unknown[];
  /** Entity-tag, to send back as it came. */
  readonly version: string | undefined;
  readonly state: unknown;
  readonly needs: readonly NeededDatum[] | undefined;
  readonly accessData: Fields;
  /** All of it, as it came. */
  readonly members: Readonly<Record<string, unknown>>;
};

/** The members of what should be an object by their names in lower case. */
export function foldedMembers(value: unknown): Readonly<Record<string, unknown>> {
  const folded: Record<string, unknown> = Object.create(null);
  if (!isObject(value)) return folded;
  for (const [name, member] of Object.entries(value)) folded[name.toLowerCase()] ??= member;
  return folded;
}

export function readUser(value: unknown): ScimUser {
  const user = foldedMembers(value);
  const meta = foldedMembers(user.meta);
  const extension = foldedMembers(user[EXTENSION_SCHEMA.toLowerCase()]);
  return {
    id: idOf(user.id),
    externalId: textOf(user.externalid),
    userName: textOf(user.username),
    active: booleanOf(user.active),
    profileUrl: user.profileurl,
    locations: [meta.location],
    version: tagOf(meta.version),
    state: extension.state,
    needs: needsIn(extension.needs),
    accessData: pairsIn(extension.accessdata),
    members: isObject(value) ? value : {},
  };
}

/** The user in an answer: its id may stand in the address alone. Undefined where there is none. */
export function userIn(answer: Answered, base: URL): ScimUser | undefined {
  const json = jsonOf(answer);
  const isUser = "value" in json && isObject(json.value) && Object.keys(json.value).length > 0;
  if (!isUser) return undefined;
  const user = readUser(json.value);
  const { etag, location } = answer.headers;
  const locations = [location, ...user.locations];
  return {
    ...user,
    id: user.id ?? locations.map((one) => idAt(one, base)).find((id) => id !== undefined),
    locations,
    version: tagOf(etag) ?? user.version,
  };
}

/**
 * The id at the end of a user's address, which may be relative to the request's (RFC 9110 clause 10.2.2). The rest of it
 * is not believed: a provider behind a proxy names itself as it is called inside.
 */
export function idAt(location: unknown, base: URL): string | undefined {
  const address = addressOf(location, base);
  const [, segment] = /\/Users\/([^/]+)\/?$/i.exec(address?.pathname ?? "") ?? [];
  try {
    return idOf(segment === undefined ? undefined : decodeURIComponent(segment));
  } catch {
    return undefined; // no percent-encoding
  }
}

/** An address as seen from where users are made. */
export function addressOf(location: unknown, base: URL): URL | undefined {
  if (typeof location !== "string" || location === "") return undefined;
  const here = new URL(base.pathname.replace(/\/$/, "") + USERS, base);
  return URL.canParse(location, here.href) ? new URL(location, here) : undefined;
}

/** A text that may stand in an address, or a number. */
export function idOf(value: unknown): string | undefined {
  // Beyond 2^53 the JSON number is another one than was written.
  const id = Number.isSafeInteger(value) ? String(value) : value;
  return typeof id === "string" && REMOTE_ID.test(id) ? id : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** `true`, `"True"`; undefined for whatever is neither yes nor no. */
export function booleanOf(value: unknown): boolean | undefined {
  const word = typeof value === "string" ? value.trim().toLowerCase() : value;
  if (word === true || word === "true") return true;
  return word === false || word === "false" ? false : undefined;
}

/** What may stand in `If-Match`: some write `meta.version` without its quotes. */
function tagOf(value: unknown): string | undefined {
  const text = textOf(value);
  if (text === undefined || ENTITY_TAG.test(text)) return text;
  return BARE_TAG.test(text) ? `"${text}"` : undefined;
}
