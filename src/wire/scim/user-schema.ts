/** The core schema of a user (RFC 7643 clauses 4.1 and 8.7.1), whole but for what the caller says is required. */
import { type Attribute, attribute, type ScimSchema } from "./schema.ts";

const VALUE_LISTS: readonly (readonly [name: string, description: string, types: readonly string[]])[] = [
  ["emails", "E-mail addresses", ["work", "home", "other"]],
  ["phoneNumbers", "Telephone numbers", ["work", "home", "mobile", "fax", "pager", "other"]],
  ["ims", "Addresses for instant messages", ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]],
  ["photos", "Addresses of pictures", ["photo", "thumbnail"]],
  ["entitlements", "What the user is entitled to", []],
  ["roles", "Roles of the user", []],
  ["x509Certificates", "Certificates of the user, DER in base64", []],
];
const VALUE_OF: Readonly<Record<string, Partial<Attribute>>> = {
  photos: { type: "reference", caseExact: true, referenceTypes: ["external"] },
  x509Certificates: { type: "binary", caseExact: true },
};

const type = (types: readonly string[]): Attribute =>
  attribute("type", "What the value is for", types.length > 0 ? { canonicalValues: types } : {});
const primary = attribute("primary", "Whether it is the preferred one; at most one of a list is", {
  type: "boolean",
});

function valueList(name: string, description: string, types: readonly string[]): Attribute {
  return attribute(name, description, {
    type: "complex",
    multiValued: true,
    subAttributes: [
      attribute("value", "The value", VALUE_OF[name]),
      attribute("display", "The value as people read it"),
      type(types),
      primary,
    ],
  });
}

const NAME = attribute("name", "The parts of the user's name", {
  type: "complex",
  subAttributes: [
    attribute("formatted", "The whole name as it is shown"),
    attribute("familyName", "Family name"),
    attribute("givenName", "Given name"),
    attribute("middleName", "Middle names"),
    attribute("honorificPrefix", "Title before the name"),
    attribute("honorificSuffix", "Suffix behind the name"),
  ],
});

const ADDRESSES = attribute("addresses", "Where the user is by post", {
  type: "complex",
  multiValued: true,
  subAttributes: [
    attribute("formatted", "The whole address as it is written on a letter"),
    attribute("streetAddress", "Street and number"),
    attribute("locality", "Town"),
    attribute("region", "State or region"),
    attribute("postalCode", "Postal code"),
    attribute("country", "Country, ISO 3166-1 alpha-2"),
    type(["work", "home", "other"]),
    primary,
  ],
});

const GROUPS = attribute("groups", "Groups of the user; none are offered", {
  type: "complex",
  multiValued: true,
  mutability: "readOnly",
  subAttributes: [
    attribute("value", "Id of the group", { mutability: "readOnly" }),
    attribute("$ref", "Where the group is", {
      type: "reference",
      mutability: "readOnly",
      caseExact: true,
      referenceTypes: ["Group"],
    }),
    attribute("display", "Name of the group", { mutability: "readOnly" }),
    attribute("type", "Whether directly a member", { mutability: "readOnly" }),
  ],
});

const ATTRIBUTES: readonly Attribute[] = [
  attribute("userName", "The name by which the user signs in", { required: true, uniqueness: "server" }),
  NAME,
  attribute("displayName", "The name that is shown"),
  attribute("nickName", "How the user is called"),
  attribute("profileUrl", "A page about the user", {
    type: "reference",
    caseExact: true,
    referenceTypes: ["external"],
  }),
  attribute("title", "Title in an organisation"),
  attribute("userType", "Kind of user"),
  attribute("preferredLanguage", "What the user reads, as in Accept-Language"),
  attribute("locale", "How numbers and dates are written, BCP 47"),
  attribute("timezone", "Time zone by its IANA name"),
  attribute("active", "Whether the user is let in", { type: "boolean" }),
  attribute("password", "Password for the service, 8 to 128 characters without blanks", {
    caseExact: true,
    mutability: "writeOnly",
    returned: "never",
  }),
  ...VALUE_LISTS.slice(0, 4).map((one) => valueList(...one)),
  ADDRESSES,
  GROUPS,
  ...VALUE_LISTS.slice(4).map((one) => valueList(...one)),
];

/** @param required names of attributes, or `name.givenName`, that a service cannot do without beside `userName` */
export function userSchema(id: string, required: readonly string[]): ScimSchema {
  const isRequired = (path: string): boolean =>
    required.some((one) => one === path || one.startsWith(`${path}.`));
  const ruled = (one: Attribute, path: string): Attribute => ({
    ...one,
    required: one.required || isRequired(path),
    ...(one.subAttributes && {
      subAttributes: one.subAttributes.map((sub) => ruled(sub, `${path}.${sub.name}`)),
    }),
  });
  return {
    id,
    name: "User",
    description: "User account",
    attributes: ATTRIBUTES.map((one) => ruled(one, one.name)),
  };
}
