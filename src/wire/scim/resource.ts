/**
 * A resource as a client sends it (RFC 7644 clauses 3.3 and 3.5.1), read by its schemas: names as the schemas write them,
 * what only the provider writes dropped, everything else either understood or refused by its name.
 */
import { isObject } from "../../term/narrow.ts";
import { extensionNamed, type Json, type ResourceKind, topAttributes } from "./schema.ts";
import { refusal } from "./scim-error.ts";
import { booleanOf, readMembers } from "./value.ts";

/** `speaks` names the extensions that the client knows: those it lists in `schemas` or has members of. */
export type ReadResource = { readonly resource: Json; readonly speaks: readonly string[] };

/** @throws ScimError `invalidSyntax`, `invalidValue` */
export function readResource(kind: ResourceKind, body: unknown): ReadResource {
  if (!isObject(body)) throw refusal("invalidSyntax", "The body is no JSON object.");
  const listed = readSchemas(kind, body);
  const members = new Map<string, unknown>();
  const extended: [string, Json][] = [];
  for (const [name, value] of Object.entries(body)) {
    const extension = extensionNamed(kind, name);
    if (!extension) members.set(name, value);
    else if (isObject(value))
      extended.push([extension.id, readMembers(extension.attributes, value, `${extension.id}:`)]);
    else if (value !== null) throw refusal("invalidValue", `${extension.id} is no object with members.`);
  }
  const resource = readMembers(topAttributes(kind), Object.fromEntries(members));
  checkPrimaries(resource);
  return {
    resource: { ...resource, ...Object.fromEntries(extended) },
    speaks: [...new Set([...listed, ...extended.map(([id]) => id)])],
  };
}

/** The extensions that are listed. */
function readSchemas(kind: ResourceKind, body: Json): string[] {
  const [, listed] = Object.entries(body).find(([name]) => name.toLowerCase() === "schemas") ?? [];
  if (!Array.isArray(listed))
    throw refusal("invalidSyntax", "schemas is missing: it lists the URIs of the schemas.");
  const ids = listed.map((one) => {
    const isCore = String(one).toLowerCase() === kind.core.id.toLowerCase();
    const known = isCore ? kind.core : extensionNamed(kind, String(one));
    if (!known)
      throw refusal("invalidSyntax", `schemas lists ${JSON.stringify(one)}, which is not offered here.`);
    return known.id;
  });
  if (!ids.includes(kind.core.id)) throw refusal("invalidSyntax", `schemas does not list ${kind.core.id}.`);
  return ids.filter((id) => id !== kind.core.id);
}

/** @throws ScimError `invalidValue`: more than one value of a list is its primary (RFC 7643 clause 2.4) */
export function checkPrimaries(resource: Json): void {
  for (const [name, value] of Object.entries(resource)) {
    const primaries = Array.isArray(value) ? value.filter(isPrimary) : [];
    if (primaries.length > 1) throw refusal("invalidValue", `More than one of ${name} is primary.`);
  }
}

/** Whether one entry of a list is the preferred one. */
export const isPrimary = (entry: unknown): boolean => isObject(entry) && booleanOf(entry.primary) === true;
