/**
 * Values of attributes: read by what the schema says of them, and compared as filters and sorting do (RFC 7643 clauses 2.3
 * to 2.5, RFC 7644 clause 3.4.2). `null` and an empty list are no value; a boolean is taken as a text, too, since clients
 * write it so.
 */
import { foldCase } from "../../term/fold-case.ts";
import { isObject } from "../../term/narrow.ts";
import { type Attribute, attributeNamed, type Json } from "./schema.ts";
import { refusal } from "./scim-error.ts";

const MAX_VALUES = 100;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * What was sent for one attribute, as it is kept; undefined for none. Members that only the provider writes are dropped.
 * @throws ScimError `invalidValue`, `invalidSyntax`: it is of another type, or has members that the attribute has not
 */
export function readValue(attribute: Attribute, value: unknown, path = attribute.name): unknown {
  if (value === null || value === undefined) return undefined;
  if (!attribute.multiValued) return readOne(attribute, value, path);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MAX_VALUES) throw refusal("invalidValue", `${path} has more than ${MAX_VALUES} values.`);
  const read = list.map((one) => readOne(attribute, one, path)).filter((one) => one !== undefined);
  return read.length > 0 ? read : undefined;
}

/** One value of an attribute, also of one that has several. @throws ScimError as `readValue` */
export function readOne(attribute: Attribute, value: unknown, path: string): unknown {
  if (value === null || value === undefined) return undefined;
  if (attribute.type === "complex") {
    if (!isObject(value)) throw refusal("invalidValue", `${path} is no object with members.`);
    const members = readMembers(attribute.subAttributes ?? [], value, `${path}.`);
    return Object.keys(members).length > 0 ? members : undefined;
  }
  if (attribute.type === "boolean") {
    const read = booleanOf(value);
    if (read === undefined) throw refusal("invalidValue", `${path} is neither true nor false.`);
    return read;
  }
  if (typeof value !== "string") throw refusal("invalidValue", `${path} is no text.`);
  if (attribute.type === "binary" && !BASE64.test(value))
    throw refusal("invalidValue", `${path} is no base64.`);
  if (attribute.type === "reference" && !URL.canParse(value, "https://relative.invalid"))
    throw refusal("invalidValue", `${path} is no address.`);
  return value;
}

/** The members of an object by what the schema says of each, under the schema's own names. @throws ScimError as `readValue` */
export function readMembers(attributes: readonly Attribute[], value: Json, path = ""): Json {
  const read = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const attribute = attributeNamed(attributes, name);
    if (!attribute) throw refusal("invalidSyntax", `${path}${name} is no attribute of a user here.`);
    if (attribute.mutability === "readOnly") continue;
    if (read.has(attribute.name))
      throw refusal("invalidSyntax", `${path}${attribute.name} stands there twice.`);
    read.set(attribute.name, readValue(attribute, member, path + attribute.name));
  }
  return Object.fromEntries([...read].filter(([, member]) => member !== undefined));
}

/** `true`, `"True"`; undefined for whatever is neither yes nor no. */
export function booleanOf(value: unknown): boolean | undefined {
  const word = typeof value === "string" ? value.toLowerCase() : value;
  if (word === true || word === "true") return true;
  return word === false || word === "false" ? false : undefined;
}

/** What of a value is compared: texts without case where the schema says so, times by the moment. */
export function comparable(
  { type, caseExact }: Attribute,
  value: unknown,
): string | number | boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  if (type === "dateTime") {
    // Without a zone it is UTC, wherever the server stands.
    const isZoned = !/T/i.test(value) || /(?:Z|[+-]\d{2}:?\d{2})$/i.test(value);
    const moment = Date.parse(isZoned ? value : `${value}Z`);
    return Number.isNaN(moment) ? undefined : moment;
  }
  return caseExact ? value : foldCase(value);
}

/** Whether there is anything: a text that is not empty, a list or an object with anything in it (`pr`). */
export function isPresent(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isPresent);
  if (isObject(value)) return Object.values(value).some(isPresent);
  return value !== null && value !== undefined && value !== "";
}
