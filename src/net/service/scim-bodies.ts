/** What a provider is sent of a registration: a new user, a change of one, or the whole user with what the provider had. */
import type { ServiceRegistration } from "../../kernel/calls/connectors.ts";
import { isObject } from "../../term/narrow.ts";
import {
  coreUserOf,
  EXTENSION_SCHEMA,
  extensionOf,
  type Fields,
  type NeededDatum,
  PATCH_SCHEMA,
  type RegistrationMessage,
  USER_SCHEMA,
} from "../../wire/message/scim.ts";
import { booleanOf, foldedMembers } from "./scim-user.ts";

type Json = Readonly<Record<string, unknown>>;
/** Members that are the provider's alone, in lower case: what it had of them is not sent back. */
const READ_ONLY = ["meta", "groups"];
const READ_ONLY_OF_EXTENSION = ["state", "needs", "accessdata"];

/** All that is known of the user; what was given for this very service counts before what is on file. */
export const valuesOf = ({ user, fields, msisdn }: ServiceRegistration): Fields => ({
  ...(Object.fromEntries(Object.entries(user).filter(([, value]) => value)) as Fields), // none that is empty is left
  ...fields,
  msisdn,
});

/** A name that nobody else has and that tells nothing; a service where people log in by one asks for it. */
export const ownNameOf = (id: string): string => `turnup-${id}`;

/** The name that the user is to have there. */
export const userNameOf = (registration: ServiceRegistration): string =>
  valuesOf(registration).userName ?? ownNameOf(registration.id);

function messageOf(registration: ServiceRegistration): RegistrationMessage {
  const { msisdn: _, ...fields } = valuesOf(registration);
  return {
    externalId: registration.id,
    msisdn: registration.msisdn,
    language: registration.language,
    userName: userNameOf(registration),
    fields,
  };
}

/** `renew` asks for new access data. */
export function userOf(registration: ServiceRegistration, extension: boolean, renew = false): Json {
  const message = messageOf(registration);
  return {
    schemas: [USER_SCHEMA, ...(extension ? [EXTENSION_SCHEMA] : [])],
    externalId: message.externalId,
    ...coreUserOf(message),
    ...(extension ? { [EXTENSION_SCHEMA]: { ...extensionOf(message), ...renewal(renew) } } : {}),
  };
}

const renewal = (renew: boolean) => (renew ? { renewAccessData: true } : {});

/** RFC 7644 clause 3.5.2.3: without a path, the value's members are replaced. */
export function patchOf(
  registration: ServiceRegistration,
  extension: boolean,
  wanted: readonly NeededDatum[] | undefined,
): Json {
  const message = messageOf(registration);
  const core = coreUserOf(message);
  if (!extension || wanted === undefined) {
    const { userName: _name, ...value } = core;
    return { schemas: [PATCH_SCHEMA], Operations: [{ op: "replace", value }] };
  }
  const names = new Set(wanted.map(({ name }) => name));
  const fields = Object.fromEntries(Object.entries(message.fields).filter(([name]) => names.has(name)));
  // What of the core they are part of, whole: a list is replaced by what comes.
  const {
    locale: _locale,
    preferredLanguage: _language,
    active: _active,
    ...touched
  } = coreUserOf({
    ...message,
    fields,
  });
  const named = Object.keys(touched).filter(
    (name) => names.has(name) || !["userName", "phoneNumbers"].includes(name),
  );
  if (names.has("msisdn") || names.has("fax")) named.push("phoneNumbers");
  const value = {
    ...Object.fromEntries(named.map((name) => [name, core[name]])),
    [EXTENSION_SCHEMA]: { fields: extensionOf({ ...message, fields }).fields, ...renewal(names.size === 0) },
  };
  return { schemas: [PATCH_SCHEMA], Operations: [{ op: "replace", value }] };
}

/**
 * A user to put in the place of `theirs`, with all that the provider had and we say nothing of: PUT replaces the whole
 * (RFC 7644 clause 3.5.1). `keepsName` leaves the user name as it is there.
 */
export function mergedUser(theirs: Json, ours: Json, id: string, keepsName: boolean): Json {
  const { userName, ...rest } = ours;
  const hasName = foldedMembers(theirs).username !== undefined;
  const said: Json = keepsName && hasName ? rest : { ...rest, userName };
  return { ...merged(theirs, said, READ_ONLY), id };
}

function merged(theirs: Json, ours: Json, readOnly: readonly string[]): Json {
  const own = foldedMembers(ours);
  const kept = Object.entries(theirs).filter(([name]) => {
    const folded = name.toLowerCase();
    return !readOnly.includes(folded) && folded !== "id" && !(folded in own);
  });
  const before = foldedMembers(theirs);
  const said = Object.entries(ours).map(([name, value]) => [
    name,
    joined(name, before[name.toLowerCase()], value),
  ]);
  return { ...Object.fromEntries(kept), ...Object.fromEntries(said) };
}

function joined(name: string, before: unknown, value: unknown): unknown {
  if (name === "schemas" && Array.isArray(before) && Array.isArray(value)) {
    const known = new Set(before.map((one) => String(one).toLowerCase()));
    return [...before, ...value.filter((one) => !known.has(String(one).toLowerCase()))];
  }
  if (Array.isArray(before) && Array.isArray(value)) return joinedList(before, value);
  if (!isObject(before) || !isObject(value)) return value;
  return merged(before, value, name === EXTENSION_SCHEMA ? READ_ONLY_OF_EXTENSION : []);
}

/** Whether a list has more of one type than we said, though what we said was to take its place. */
export function hasOldBeside(theirs: Json, ours: Json): boolean {
  const members = foldedMembers(theirs);
  return Object.entries(ours).some(([name, said]) => {
    const shown = members[name.toLowerCase()];
    if (name === "schemas" || !Array.isArray(said) || !Array.isArray(shown)) return false;
    return said.some((entry) => shown.filter((one) => typeOf(one) === typeOf(entry)).length > 1);
  });
}

const typeOf = (entry: unknown): string => String(foldedMembers(entry).type ?? "").toLowerCase();

/** Entries by their type: ours in the place of one of the same type, and at most one of all is the primary. */
function joinedList(before: readonly unknown[], ours: readonly unknown[]): unknown[] {
  const types = new Set(ours.map(typeOf));
  const kept = before.filter((entry) => !types.has(typeOf(entry)));
  const hasPrimary = kept.some((entry) => booleanOf(foldedMembers(entry).primary) === true);
  const said = hasPrimary
    ? ours.map((entry) => {
        if (!isObject(entry)) return entry;
        const { primary: _, ...plain } = entry;
        return plain;
      })
    : ours;
  return [...kept, ...said];
}
