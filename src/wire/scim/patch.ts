/**
 * PATCH (RFC 7644 clause 3.5.2): operations that add, replace and remove, by a path or without, applied to a copy; either
 * all of them or none.
 *
 *   PATH = name | name.sub | name[FILTER] | name[FILTER].sub, each with its schema's URI before it or without
 *
 * Words of the operations compare without case, and a member's name without a path may itself be a path: clients write so.
 */
import { isObject } from "../../term/narrow.ts";
import { type Filter, parseValueFilter } from "./filter.ts";
import { checkPrimaries, isPrimary } from "./resource.ts";
import { type Attribute, extensionNamed, type Json, type ResourceKind, resolvePath } from "./schema.ts";
import { refusal } from "./scim-error.ts";
import { isPresent, readOne, readValue } from "./value.ts";

const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const MAX_OPERATIONS = 100;
const OPS = ["add", "replace", "remove"] as const;
type Op = (typeof OPS)[number];
type Members = Record<string, unknown>;
type Target = {
  readonly schema: string | undefined;
  readonly attribute: Attribute;
  readonly filter: Filter | undefined;
  readonly sub: Attribute | undefined;
  /** As the client wrote it. */
  readonly path: string;
};
type Patched = { readonly resource: Json; readonly speaks: readonly string[] };

/**
 * @returns a new resource, and the extensions that the operations name
 * @throws ScimError `invalidSyntax`, `invalidPath`, `invalidFilter`, `invalidValue`, `noTarget`, `mutability`
 */
export function applyPatch(kind: ResourceKind, before: Json, body: unknown): Patched {
  const resource = structuredClone(before) as Members;
  const speaks = new Set<string>();
  for (const operation of operationsIn(body)) {
    const { op, path, value } = readOperation(operation);
    if (path !== undefined) {
      const extension = extensionNamed(kind, path);
      if (extension) speaks.add(extension.id);
      if (extension) applyToExtension(kind, resource, extension.id, op, value);
      else apply(resource, op, noted(speaks, targetOf(kind, path)), value, true);
    } else if (op === "remove") throw refusal("noTarget", "A removal wants a path.");
    else applyMembers(kind, resource, op, value, speaks);
  }
  checkPrimaries(resource);
  checkRequired(kind.core.attributes, before, resource, "");
  return { resource, speaks: [...speaks] };
}

/** What is required is there in the end; what was not there before, as of one that was begun, is asked for elsewhere. */
function checkRequired(attributes: readonly Attribute[], before: Json, after: Json, path: string): void {
  for (const { name, required, multiValued, subAttributes } of attributes) {
    const [was, is] = [before[name], after[name]];
    if (required && isPresent(was) && !isPresent(is))
      throw refusal("mutability", `${path}${name} is required and cannot be removed.`);
    if (!multiValued && isObject(was) && isObject(is))
      checkRequired(subAttributes ?? [], was, is, `${name}.`);
  }
}

function noted(speaks: Set<string>, target: Target): Target {
  if (target.schema !== undefined) speaks.add(target.schema);
  return target;
}

const memberOf = (object: Json, name: string): unknown =>
  Object.entries(object).find(([one]) => one.toLowerCase() === name)?.[1];

function operationsIn(body: unknown): readonly unknown[] {
  if (!isObject(body)) throw refusal("invalidSyntax", "The body is no JSON object.");
  const schemas = memberOf(body, "schemas");
  const isPatch =
    Array.isArray(schemas) && schemas.some((one) => String(one).toLowerCase() === PATCH_OP.toLowerCase());
  if (!isPatch) throw refusal("invalidSyntax", `schemas does not list ${PATCH_OP}.`);
  const operations = memberOf(body, "operations");
  if (!Array.isArray(operations) || operations.length === 0)
    throw refusal("invalidSyntax", "Operations is no list with operations.");
  if (operations.length > MAX_OPERATIONS)
    throw refusal("tooMany", `There are more than ${MAX_OPERATIONS} operations.`);
  return operations;
}

function readOperation(operation: unknown): { op: Op; path: string | undefined; value: unknown } {
  const members = isObject(operation) ? operation : {};
  const word = String(memberOf(members, "op")).toLowerCase();
  const op = OPS.find((one) => one === word);
  if (!op) throw refusal("invalidSyntax", "The op of an operation is neither add, replace nor remove.");
  const given = memberOf(members, "path") ?? undefined;
  const path = given === "" ? undefined : given; // clients that have none write it so
  if (path !== undefined && (typeof path !== "string" || path.trim() === ""))
    throw refusal("invalidPath", "The path of an operation is no text.");
  const value = memberOf(members, "value");
  if (op !== "remove" && value === undefined) throw refusal("invalidValue", `The ${op} has no value.`);
  return { op, path: path?.trim(), value };
}

function targetOf(kind: ResourceKind, path: string): Target {
  const [, name = "", filterText, subName] = /^([^[\]]+?)(?:\[(.*)\](?:\.([\w$-]+))?)?$/s.exec(path) ?? [];
  const found = resolvePath(kind, name);
  if (!found?.attribute) throw refusal("invalidPath", `The path ${JSON.stringify(path)} names no attribute.`);
  const { schema, attribute } = found;
  if (filterText === undefined) return { schema, attribute, filter: undefined, sub: found.sub, path };
  if (!attribute.multiValued || found.sub)
    throw refusal("invalidPath", `${attribute.name} in the path ${JSON.stringify(path)} is no list.`);
  const sub = attribute.subAttributes?.find((one) => one.name.toLowerCase() === subName?.toLowerCase());
  if (subName !== undefined && !sub)
    throw refusal("invalidPath", `${attribute.name} has no ${JSON.stringify(subName)}.`);
  return { schema, attribute, filter: parseValueFilter(filterText, attribute), sub, path };
}

/** Without a path, each member of the value is an operation of its own. */
function applyMembers(
  kind: ResourceKind,
  resource: Members,
  op: Op,
  value: unknown,
  speaks: Set<string>,
): void {
  if (!isObject(value)) throw refusal("invalidValue", `The value of an ${op} without a path is no object.`);
  for (const [name, member] of Object.entries(value)) {
    const extension = extensionNamed(kind, name);
    if (extension) {
      speaks.add(extension.id);
      applyToExtension(kind, resource, extension.id, op, member);
    } else if (resolvePath(kind, name) || name.includes("["))
      apply(resource, op, noted(speaks, targetOf(kind, name)), member, false);
    else throw refusal("invalidSyntax", `${name} is no attribute of a user here.`);
  }
}

function applyToExtension(kind: ResourceKind, resource: Members, id: string, op: Op, value: unknown): void {
  if (op === "remove" || value === null) {
    delete resource[id];
    return;
  }
  if (!isObject(value)) throw refusal("invalidValue", `${id} is no object with members.`);
  for (const [name, member] of Object.entries(value))
    apply(resource, op, targetOf(kind, `${id}:${name}`), member, false);
}

/** `isNamed`: what only the provider writes is refused where a path names it, and passed over among other members. */
function apply(resource: Members, op: Op, target: Target, value: unknown, isNamed: boolean): void {
  const { schema, attribute, sub, path } = target;
  if ([attribute, sub].some((one) => one?.mutability === "readOnly")) {
    if (isNamed) throw refusal("mutability", `${path} is the provider's to write.`);
    return;
  }
  const place = schema === undefined ? resource : placeIn(resource, schema);
  if (attribute.multiValued) applyToList(place, op, target, value);
  else if (sub) applyToMember(place, op, attribute, sub, value);
  else applyToAttribute(place, op, attribute, value);
  tidy(place, attribute.name);
}

/** The object of this name inside another, made where there is none. */
function placeIn(object: Members, name: string): Members {
  const known = object[name];
  if (isObject(known)) return known as Members; // ours: the copy that is changed
  const made: Members = {};
  object[name] = made;
  return made;
}

function applyToAttribute(place: Members, op: Op, attribute: Attribute, value: unknown): void {
  const read = op === "remove" ? undefined : readValue(attribute, value);
  if (read === undefined) delete place[attribute.name];
  // Members that are not named stay (RFC 7644 clause 3.5.2.3).
  else if (isObject(read)) Object.assign(placeIn(place, attribute.name), read);
  else place[attribute.name] = read;
}

function applyToMember(place: Members, op: Op, attribute: Attribute, sub: Attribute, value: unknown): void {
  const read = op === "remove" ? undefined : readValue(sub, value, `${attribute.name}.${sub.name}`);
  const object = placeIn(place, attribute.name);
  if (read === undefined) delete object[sub.name];
  else object[sub.name] = read;
}

function applyToList(place: Members, op: Op, target: Target, value: unknown): void {
  const { attribute, filter, sub } = target;
  const before = (Array.isArray(place[attribute.name]) ? place[attribute.name] : []) as Members[]; // its entries were read by their schema
  if (filter || sub) {
    place[attribute.name] = withEntries(before, op, target, value);
    return;
  }
  const read = readValue(attribute, value);
  const given = (Array.isArray(read) ? read : []) as Members[]; // likewise
  if (op === "remove") place[attribute.name] = value === undefined ? [] : without(before, given);
  else if (op === "replace") place[attribute.name] = given;
  else place[attribute.name] = given.reduce(withEntry, before);
}

/** Clients name what is to go by its value, instead of by a filter: nothing else may go. */
const without = (list: readonly Members[], gone: readonly Members[]): Members[] =>
  list.filter((one) => !gone.some((other) => isSameEntry(one, other)));

/** What is there already is not there twice (RFC 7644 clause 3.5.2.1). */
function withEntry(list: Members[], entry: Members): Members[] {
  const known = list.find((one) => one.type === entry.type && isSameEntry(one, entry));
  const added = known ? list.map((one) => (one === known ? { ...one, ...entry } : one)) : [...list, entry];
  return withPrimary(added, (one) => isSameEntry(one, entry) && one.type === entry.type);
}

function isSameEntry(one: Members, other: Members): boolean {
  if (one.value !== undefined || other.value !== undefined) return one.value === other.value;
  const isIn = (part: Members, whole: Members) =>
    Object.entries(part).every(([name, value]) => whole[name] === value);
  return isIn(one, other) || isIn(other, one);
}

/** Where one that was just written is the primary, no other is (RFC 7644 clause 3.5.2). */
function withPrimary(list: Members[], isWritten: (entry: Members) => boolean): Members[] {
  const isNew = list.some((entry) => isWritten(entry) && isPrimary(entry));
  if (!isNew) return list;
  return list.map((entry) => (isWritten(entry) || !isPrimary(entry) ? entry : { ...entry, primary: false }));
}

/** Those entries of a list that a filter chooses; all of them without one. */
function withEntries(before: Members[], op: Op, target: Target, value: unknown): Members[] {
  const { attribute, filter, path } = target;
  const chosen = before.filter((entry) => filter?.matches(entry) ?? true);
  if (chosen.length > 0) return changedAmong(before, chosen, op, target, value);
  const made = op === "add" ? entryOf(target) : undefined;
  if (!made) throw refusal("noTarget", `${path} fits none of the user's ${attribute.name}.`);
  return changedAmong([...before, made], [made], op, target, value);
}

/** What clients mean who add to `emails[type eq "work"].value` where there is none. */
function entryOf({ attribute, filter, path }: Target): Members | undefined {
  if (!filter) return {};
  if (!filter.equalities) return undefined;
  const read = readOne(attribute, Object.fromEntries(filter.equalities), path);
  return isObject(read) ? { ...read } : undefined;
}

function changedAmong(
  list: readonly Members[],
  chosen: readonly Members[],
  op: Op,
  { attribute, sub, path }: Target,
  value: unknown,
): Members[] {
  const written = new Set<Members>();
  const changed = list.flatMap((entry) => {
    if (!chosen.includes(entry)) return [entry];
    const after = sub
      ? { ...entry, [sub.name]: op === "remove" ? undefined : readValue(sub, value, path) }
      : changedEntry(entry, op, readOne(attribute, Array.isArray(value) ? value[0] : value, path));
    if (after === undefined) return [];
    written.add(after);
    return [after];
  });
  return withPrimary(changed, (entry) => written.has(entry));
}

function changedEntry(entry: Members, op: Op, read: unknown): Members | undefined {
  if (op === "remove" || !isObject(read)) return undefined;
  return op === "add" ? { ...entry, ...read } : { ...read };
}

/** Nothing is kept of what holds nothing. */
function tidy(place: Members, name: string): void {
  const value = place[name];
  const full = (object: Json) =>
    Object.fromEntries(Object.entries(object).filter(([, one]) => one !== undefined));
  if (Array.isArray(value))
    place[name] = value.map((one) => (isObject(one) ? full(one) : one)).filter(isPresent);
  if (!isPresent(place[name]) && place[name] !== "") delete place[name];
}
