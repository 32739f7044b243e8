/**
 * Finds the users of ours at a provider whose own id of them we never learned: by externalId, which is our id; where that
 * filter is refused or ignored, or externalId is not kept, by user name; at last by walking the list. A user is ours only
 * if it proves to be (`isMine`): what a provider gives in answer to a filter it ignores is anybody.
 */
import type { Failed, Refused } from "../../kernel/calls/connectors.ts";
import { foldCase } from "../../term/fold-case.ts";
import { isObject } from "../../term/narrow.ts";
import { USERS } from "../../wire/message/scim.ts";
import { failed, jsonOf } from "../exchange/exchange.ts";
import { outcomeOf } from "./scim-outcome.ts";
import type { ScimSession } from "./scim-session.ts";
import { foldedMembers, readUser, type ScimUser } from "./scim-user.ts";

/** Pages of one list; with `PAGE_USERS` on each, 5,000 users. */
const MAX_PAGES = 50;
const PAGE_USERS = 100;
/** How filters that a provider does not have are refused; 404 and 204 are how some say that nothing was found. */
const FILTER_REFUSED = [204, 400, 403, 404, 405, 413, 414, 422, 501];

type Wanted = {
  /** Our own id, which users bear as externalId. */
  readonly id: string;
  readonly userName: string;
  /** Nobody else can have this name: we made it of the id, or the provider has just taken it from us. */
  readonly isNameOurs: boolean;
  /** The user cannot have another name than this. */
  readonly isNameSure: boolean;
};
/** Users that are ours, and whether one that is there would have been seen. */
type Found = { readonly mine: readonly ScimUser[]; readonly isWhole: boolean };

type Users = {
  readonly kind: "users";
  readonly filter: string | undefined;
  readonly users: readonly ScimUser[];
  /** How many there are, where the provider says it. */
  readonly total: number | undefined;
};
type Searched = Users | { readonly kind: "no_filter" } | Refused | Failed;

const isWhole = ({ users, total }: Users): boolean => total === undefined || total <= users.length;

/** @returns `failed` and `refused`: the provider could not be asked, which says nothing of its users */
export async function findOurs(session: ScimSession, wanted: Wanted): Promise<Found | Refused | Failed> {
  const byId = await search(session, `externalId eq ${JSON.stringify(wanted.id)}`);
  if (byId.kind === "refused" || byId.kind === "failed") return byId;
  const isKnownById =
    byId.kind === "users" && isFilteredBy(byId, ({ externalId }) => externalId === wanted.id);
  if (byId.kind === "users" && byId.users.length > 0 && (isKnownById || isWhole(byId)))
    return provedByFilter(session, byId, wanted);

  const byName = await search(session, `userName eq ${JSON.stringify(wanted.userName)}`);
  if (byName.kind === "refused" || byName.kind === "failed") return byName;
  if (byName.kind === "users" && isFilteredBy(byName, ({ userName }) => isName(userName, wanted))) {
    const found = await seenOf(session, byName, wanted);
    if (!("mine" in found) || found.mine.length > 0 || wanted.isNameSure || isKnownById) return found;
  }
  const all = byId.kind === "users" && !isKnownById ? byId : await search(session, undefined);
  if (all.kind === "users") return seenOf(session, all, wanted);
  // Without a list to walk, what the filter said is all that can be known.
  if (isKnownById) return { mine: [], isWhole: true };
  return all.kind === "no_filter" ? failed("bad_answer", "the users cannot be listed") : all;
}

/** Whether the provider looked at the filter: none, or none but such as were asked for. */
const isFilteredBy = (found: Users, isAsked: (user: ScimUser) => boolean): boolean =>
  found.users.length > 0 ? found.users.every(isAsked) : isWhole(found);

/**
 * One user that bears no externalId, in answer to a filter for ours: it is ours if the provider looks at that filter,
 * which a search for what nobody bears shows.
 */
async function provedByFilter(session: ScimSession, byId: Users, wanted: Wanted) {
  const found = await seenOf(session, byId, wanted);
  const [only, ...others] = byId.users;
  const isBare = only !== undefined && others.length === 0 && only.externalId === undefined;
  if (!("mine" in found) || found.mine.length > 0 || !isBare) return found;
  const nobody = await search(session, `externalId eq ${JSON.stringify(`${wanted.id}-nobody`)}`);
  if (nobody.kind === "refused" || nobody.kind === "failed") return nobody;
  const isProved = nobody.kind === "users" && nobody.users.length === 0 && isWhole(nobody);
  return isProved ? { mine: [only], isWhole: true } : found;
}

function isMine({ externalId, userName }: ScimUser, wanted: Wanted): boolean {
  if (externalId !== undefined) return externalId === wanted.id;
  return wanted.isNameOurs && isName(userName, wanted);
}

/** RFC 7643 clause 4.1.1: user names are compared without case. */
const isName = (userName: string | undefined, wanted: Wanted): boolean =>
  userName !== undefined && foldCase(userName) === foldCase(wanted.userName);

/** Who of a list, and of its further pages, is ours. */
async function seenOf(session: ScimSession, first: Users, wanted: Wanted): Promise<Found | Refused | Failed> {
  let all = first;
  for (let pages = 1; pages < MAX_PAGES && !isWhole(all); pages++) {
    const next = await search(session, all.filter, all.users.length + 1);
    if (next.kind === "no_filter") break;
    if (next.kind !== "users") return next;
    const known = new Set(all.users.map(({ id }) => id));
    const more = next.users.filter(({ id }) => !known.has(id));
    if (more.length === 0) break; // it does not turn pages
    all = { ...next, users: [...all.users, ...more] };
  }
  return { mine: all.users.filter((user) => isMine(user, wanted)), isWhole: isWhole(all) };
}

/**
 * One page. What is no list says nothing of whether there is one: RFC 7644 clause 3.4.2 has `Resources` in each list that
 * is not empty.
 */
async function search(session: ScimSession, filter: string | undefined, startIndex = 1): Promise<Searched> {
  const query = new URLSearchParams({
    ...(filter === undefined ? {} : { filter }),
    ...(startIndex === 1 ? {} : { startIndex: String(startIndex), count: String(PAGE_USERS) }),
  });
  // Not every provider reads a plus as a space.
  const text = query.toString().replaceAll("+", "%20");
  const answer = await session.send({ method: "GET", path: USERS + (text && `?${text}`) });
  if (answer.kind === "failed") return outcomeOf(answer);
  if (answer.status !== 200)
    return filter !== undefined && FILTER_REFUSED.includes(answer.status)
      ? { kind: "no_filter" }
      : outcomeOf(answer);
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  const { resources, totalresults } = foldedMembers(json.value);
  const total = /^\d{1,15}$/.test(String(totalresults)) ? Number(totalresults) : undefined;
  const users: readonly unknown[] | undefined = Array.isArray(resources)
    ? resources
    : isObject(resources)
      ? [resources] // a list of one, as it comes out of XML
      : total === 0
        ? []
        : undefined;
  if (!users) return failed("bad_answer", "the answer to a search is no list of users");
  return { kind: "users", filter, users: users.map(readUser), total };
}
