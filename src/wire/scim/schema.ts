/**
 * What a schema says of its attributes (RFC 7643 clauses 2 and 7), and which attribute a name means: names and schema URIs
 * compare without case, and a name may have its schema's URI before it (RFC 7644 clause 3.10).
 *
 *   userName    name.givenName    urn:ietf:params:scim:schemas:core:2.0:User:name.givenName
 */

/** A JSON object of a resource. */
export type Json = Readonly<Record<string, unknown>>;

/** One attribute with its characteristics, in the members and words of RFC 7643 clause 7, so that it is shown as it stands. */
export type Attribute = {
  readonly name: string;
  readonly type: "string" | "boolean" | "dateTime" | "reference" | "binary" | "complex";
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: "readOnly" | "readWrite" | "writeOnly";
  readonly returned: "always" | "never" | "default" | "request";
  readonly uniqueness: "none" | "server";
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Attribute[];
};

/** A schema as `/Schemas` shows it; `id` is its URI. */
export type ScimSchema = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
};

/** What resources of one kind are made of: a core schema, and extensions whose attributes stand under their URI. */
export type ResourceKind = { readonly core: ScimSchema; readonly extensions: readonly ScimSchema[] };

/** Where an attribute stands: `schema` is an extension's URI; without `attribute`, all of that extension is meant. */
export type AttributePath = {
  readonly schema: string | undefined;
  readonly attribute: Attribute | undefined;
  readonly sub: Attribute | undefined;
};

/** An attribute with what is usual (RFC 7643 clause 2.2), but for what is said. */
export const attribute = (name: string, description: string, more: Partial<Attribute> = {}): Attribute => ({
  name,
  type: "string",
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: "readWrite",
  returned: "default",
  uniqueness: "none",
  ...more,
});

const RULED = { mutability: "readOnly", caseExact: true } as const;
/** What every resource has beside its schema (RFC 7643 clause 3.1); no schema lists them. */
const COMMON_ATTRIBUTES: readonly Attribute[] = [
  attribute("schemas", "URIs of the schemas", {
    mutability: "readOnly",
    multiValued: true,
    returned: "always",
  }),
  attribute("id", "The provider's own id", { ...RULED, returned: "always", uniqueness: "server" }),
  attribute("externalId", "The client's own id", { caseExact: true }),
  attribute("meta", "What the provider says of the resource", {
    type: "complex",
    mutability: "readOnly",
    subAttributes: [
      attribute("resourceType", "Kind of the resource", RULED),
      attribute("created", "When it was made", { ...RULED, type: "dateTime" }),
      attribute("lastModified", "When it was changed last", { ...RULED, type: "dateTime" }),
      attribute("location", "Where it is", { ...RULED, type: "reference", referenceTypes: ["uri"] }),
      attribute("version", "Its entity-tag", RULED),
    ],
  }),
];

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The attribute of this name, in any case. */
export const attributeNamed = (attributes: readonly Attribute[], name: string): Attribute | undefined =>
  attributes.find((one) => same(one.name, name));

/** The attributes that stand on top of a resource. */
export const topAttributes = ({ core }: ResourceKind): readonly Attribute[] => [
  ...COMMON_ATTRIBUTES,
  ...core.attributes,
];

/** The extension of this URI, in any case. */
export const extensionNamed = ({ extensions }: ResourceKind, uri: string): ScimSchema | undefined =>
  extensions.find(({ id }) => same(id, uri));

/** What a name means; undefined where it means nothing here. */
export function resolvePath(kind: ResourceKind, name: string): AttributePath | undefined {
  if (!/^urn:/i.test(name)) return within(topAttributes(kind), name, undefined);
  const whole = extensionNamed(kind, name);
  if (whole) return { schema: whole.id, attribute: undefined, sub: undefined };
  for (const schema of [kind.core, ...kind.extensions]) {
    const prefix = `${schema.id}:`;
    if (!same(name.slice(0, prefix.length), prefix)) continue;
    const isCore = schema === kind.core;
    const attributes = isCore ? topAttributes(kind) : schema.attributes;
    return within(attributes, name.slice(prefix.length), isCore ? undefined : schema.id);
  }
  return undefined;
}

function within(
  attributes: readonly Attribute[],
  name: string,
  schema: string | undefined,
): AttributePath | undefined {
  const [first = "", second, ...more] = name.split(".");
  const found = attributeNamed(attributes, first);
  if (!found || more.length > 0) return undefined;
  if (second === undefined) return { schema, attribute: found, sub: undefined };
  const sub = attributeNamed(found.subAttributes ?? [], second);
  return sub && { schema, attribute: found, sub };
}
