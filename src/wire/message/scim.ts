/**
 * How a registration at a service server is written in SCIM 2.0 (RFC 7643): core attributes wherever SCIM has one, so
 * that any provider understands them, and one extension of ours for what it has none for. A provider without the
 * extension is told only the core.
 *
 *   extension  language                what the user reads
 *              fields[]                {name, value} of every field that was asked for; never returned
 *              state                   needs_information | registered
 *              needs[]                 {name, problem} of just the fields that are missing or corrupt
 *              accessData[]            {name, value} for the device alone; in one answer, and never again
 *              renewAccessData         true asks for new access data in place of the old
 *
 * An error of the provider (RFC 7644 clause 3.12) may bear the extension too, with `id` and `needs`.
 */
import { membersOf } from "../../term/narrow.ts";
export const USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User";
/** Schema URI of our extension to a SCIM user (RFC 7643 clause 3.3). */
export const EXTENSION_SCHEMA = "urn:ietf:params:scim:schemas:extension:turnup:2.0:User";
/** Schema URI of a PATCH request (RFC 7644 clause 3.5.2). */
export const PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/** Where users are, behind a provider's base (RFC 7644 clause 3.2). */
export const USERS = "/Users";
/** Media type of every body (RFC 7644 clause 8.1). */
export const SCIM_TYPE = "application/scim+json";
/** In front of the name of one of our clients. */
export const CLIENT_URN = "urn:turnup:client:";

const MAX_FIELDS = 64;
const MAX_NAME_CHARACTERS = 64;
const MAX_VALUE_CHARACTERS = 1_000;
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** What is wrong with one field: not there, or there and not usable. */
export type Problem = "missing" | "corrupt";
/** One field that a service wants (US 6,647,260, figure 7C). */
export type NeededDatum = { readonly name: string; readonly problem: Problem };
/** Values by the name of the field. */
export type Fields = Readonly<Record<string, string>>;
/** What is told of one user; `externalId` is our id and the same at every repeat. */
export type RegistrationMessage = {
  readonly externalId: string;
  /** E.164 digits. */
  readonly msisdn: string;
  readonly language: string;
  readonly userName: string;
  readonly fields: Fields;
};
type Json = Readonly<Record<string, unknown>>;

/** Fields that are members of the user itself. */
const PLAIN = ["nickName", "displayName", "title", "timezone", "password", "profileUrl"] as const;
const NAMES = ["givenName", "familyName", "middleName"] as const;
const ADDRESS = ["postalCode", "locality", "country", "region"] as const;

/** Where a field stands among the attributes of SCIM's core. */
const ATTRIBUTE_OF_FIELD: Readonly<Record<string, string>> = {
  msisdn: "phoneNumbers",
  fax: "phoneNumbers",
  email: "emails",
  streetName: "addresses.streetAddress",
  ...Object.fromEntries(PLAIN.map((name) => [name, name])),
  ...Object.fromEntries(NAMES.map((name) => [name, `name.${name}`])),
  ...Object.fromEntries(ADDRESS.map((name) => [name, `addresses.${name}`])),
};

/** The core attribute that a field is given by, `name.givenName`; undefined where only our extension has a place for it. */
export const attributeOfField = (name: string): string | undefined =>
  Object.hasOwn(ATTRIBUTE_OF_FIELD, name) ? ATTRIBUTE_OF_FIELD[name] : undefined;

/** What of a provider's own words for an attribute is which field of ours. */
const FIELD_OF_ATTRIBUTE: Readonly<Record<string, string>> = {
  username: "userName",
  "name.givenname": "givenName",
  givenname: "givenName",
  "name.familyname": "familyName",
  familyname: "familyName",
  "name.middlename": "middleName",
  emails: "email",
  "emails.value": "email",
  email: "email",
  phonenumbers: "msisdn",
  "phonenumbers.value": "msisdn",
  "addresses.streetaddress": "streetName",
  streetaddress: "streetName",
  "addresses.postalcode": "postalCode",
  postalcode: "postalCode",
  "addresses.locality": "locality",
  "addresses.country": "country",
  nickname: "nickName",
  displayname: "displayName",
  password: "password",
  title: "title",
  timezone: "timezone",
};

/** The core attributes of a registration. */
export function coreUserOf({
  msisdn,
  language,
  userName,
  fields,
}: Omit<RegistrationMessage, "externalId">): Json {
  const name = pick(fields, NAMES);
  const street = [fields.streetName, fields.streetNumber].filter(Boolean).join(" ");
  const address = { ...pick(fields, ADDRESS), ...(street ? { streetAddress: street } : {}) };
  const formatted = [fields.givenName, fields.familyName].filter(Boolean).join(" ");
  return {
    userName,
    ...(Object.keys(name).length > 0 ? { name: { ...name, ...(formatted ? { formatted } : {}) } } : {}),
    ...(fields.email ? { emails: [{ value: fields.email, type: "home", primary: true }] } : {}),
    phoneNumbers: [
      { value: `+${msisdn}`, type: "mobile", primary: true },
      ...(fields.fax ? [{ value: fields.fax, type: "fax" }] : []),
    ],
    ...(Object.keys(address).length > 0 ? { addresses: [{ ...address, type: "home" }] } : {}),
    ...pick(fields, PLAIN),
    locale: language,
    preferredLanguage: language,
    active: true,
  };
}

/** The extension's members of a registration. */
export const extensionOf = ({
  language,
  fields,
}: Pick<RegistrationMessage, "language" | "fields">): Json => ({
  language,
  fields: Object.entries(fields).map(([name, value]) => ({ name, value })),
});

/** What a user of SCIM says, whoever wrote it; what is in the extension counts before the core. */
export function registrationIn(user: unknown): Partial<RegistrationMessage> & { readonly fields: Fields } {
  const core = membersOf(user);
  const extension = membersOf(core[EXTENSION_SCHEMA]);
  const mobile = entryOf(core.phoneNumbers, "mobile") ?? entryOf(core.phoneNumbers, undefined);
  const fax = entryOf(core.phoneNumbers, "fax")?.value;
  const email = (entryOf(core.emails, "home") ?? entryOf(core.emails, undefined))?.value;
  const address = entryOf(core.addresses, "home") ?? entryOf(core.addresses, undefined) ?? {};
  const fields = {
    ...texts(core, PLAIN),
    ...texts(membersOf(core.name), NAMES),
    ...texts(address, ADDRESS),
    ...(typeof address.streetAddress === "string" ? { streetName: address.streetAddress } : {}),
    ...(typeof email === "string" ? { email } : {}),
    ...(typeof fax === "string" ? { fax } : {}),
    ...pairsIn(extension.fields),
  };
  const number = typeof mobile?.value === "string" ? mobile.value.replace(/^tel:|[\s()./-]/g, "") : undefined;
  const language = [extension.language, core.preferredLanguage, core.locale].find(
    (one) => typeof one === "string",
  );
  return {
    ...(typeof core.externalId === "string" ? { externalId: core.externalId } : {}),
    ...(typeof core.userName === "string" ? { userName: core.userName } : {}),
    ...(number === undefined ? {} : { msisdn: number.replace(/^\+/, "") }),
    ...(typeof language === "string" ? { language } : {}),
    fields,
  };
}

/** `[{name, value}]` as a record; what is no pair, or too long, is left out. */
export function pairsIn(value: unknown): Fields {
  if (!Array.isArray(value)) return {};
  const pairs = value.slice(0, MAX_FIELDS).flatMap((one) => {
    const { name, value: said } = membersOf(one);
    const isPair = typeof name === "string" && FIELD_NAME.test(name) && typeof said === "string";
    return isPair && said.length <= MAX_VALUE_CHARACTERS ? [[name, said] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** `[{name, problem}]`; undefined where there is none. */
export function needsIn(value: unknown): NeededDatum[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const needs = value.slice(0, MAX_FIELDS).flatMap((one): NeededDatum[] => {
    const { name, problem } = membersOf(one);
    const isNeed = typeof name === "string" && FIELD_NAME.test(name);
    return isNeed && (problem === "missing" || problem === "corrupt") ? [{ name, problem }] : [];
  });
  return needs.length > 0 ? needs : undefined;
}

/**
 * The fields that a provider's free text of an `invalidValue` names, for providers without the extension. `given` says
 * what was sent: a field that was not is missing, one that was is corrupt.
 */
export function needsInDetail(detail: string, given: ReadonlySet<string>): NeededDatum[] {
  const words = detail.slice(0, MAX_VALUE_CHARACTERS).match(/[A-Za-z][A-Za-z0-9.]{1,63}/g) ?? [];
  const names = words.flatMap((word) => FIELD_OF_ATTRIBUTE[word.toLowerCase().replace(/\.+$/, "")] ?? []);
  return [...new Set(names)].map((name) => ({ name, problem: given.has(name) ? "corrupt" : "missing" }));
}

/** The preferred one of this type, else the last: what is added stands behind what was there. */
function entryOf(list: unknown, type: string | undefined): Json | undefined {
  if (!Array.isArray(list)) return undefined;
  const isAsked = (one: Json) => type === undefined || String(one.type).toLowerCase() === type;
  const entries = list.map(membersOf).filter(isAsked);
  return entries.find(({ primary }) => primary === true) ?? entries.at(-1);
}

const pick = (fields: Fields, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, fields[name]] as const] : [])));

const texts = (members: Json, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = members[name];
      return typeof value === "string" &&
        value.length <= MAX_VALUE_CHARACTERS &&
        name.length <= MAX_NAME_CHARACTERS
        ? [[name, value] as const]
        : [];
    }),
  );
