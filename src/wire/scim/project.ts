/**
 * Which attributes of a resource are shown (RFC 7644 clause 3.9): those that `attributes` names, or all but those that
 * `excludedAttributes` names; what is always returned stays, what is never returned is not there. A name that means nothing
 * here chooses nothing.
 */
import { isObject } from "../../term/narrow.ts";
import { type AttributePath, type Json, type ResourceKind, resolvePath, topAttributes } from "./schema.ts";

export type Projection = { readonly attributes: readonly string[]; readonly excluded: readonly string[] };
/** What is chosen of one attribute or extension: all of it, or some of its members. */
type Chosen = ReadonlyMap<string, "all" | ReadonlySet<string>>;

/** A copy of the resource with what is to be shown of it. */
export function project(kind: ResourceKind, resource: Json, { attributes, excluded }: Projection): Json {
  const always = topAttributes(kind).flatMap(({ name, returned }) => (returned === "always" ? [name] : []));
  const wanted = attributes.length > 0 ? chosenBy(kind, attributes) : undefined;
  const unwanted = chosenBy(kind, excluded);
  const shown = Object.entries(resource).flatMap(([name, value]) => {
    if (always.includes(name)) return [[name, value] as const];
    const kept = without(wanted ? only(value, wanted.get(name)) : value, unwanted.get(name));
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(shown);
}

/** By the names under which they stand on top of a resource. */
function chosenBy(kind: ResourceKind, names: readonly string[]): Chosen {
  const chosen = new Map<string, "all" | Set<string>>();
  for (const name of names) {
    const path = resolvePath(kind, name.trim());
    const top = path && (path.schema ?? path.attribute?.name);
    if (path === undefined || top === undefined) continue;
    const member = memberOf(path);
    const known = chosen.get(top);
    if (member === undefined) chosen.set(top, "all");
    else if (known instanceof Set) known.add(member);
    else if (known === undefined) chosen.set(top, new Set([member]));
  }
  return chosen;
}

/** A member of what stands on top: an extension's attribute, or a part of an attribute. */
const memberOf = ({ schema, attribute, sub }: AttributePath): string | undefined =>
  schema === undefined ? sub?.name : attribute?.name;

function only(value: unknown, names: "all" | ReadonlySet<string> | undefined): unknown {
  if (names === "all" || names === undefined) return names && value;
  return withMembers(value, (name) => names.has(name));
}

function without(value: unknown, names: "all" | ReadonlySet<string> | undefined): unknown {
  if (names === "all") return undefined;
  return names ? withMembers(value, (name) => !names.has(name)) : value;
}

function withMembers(value: unknown, isKept: (name: string) => boolean): unknown {
  if (Array.isArray(value)) {
    const kept = value.map((one) => withMembers(one, isKept)).filter((one) => one !== undefined);
    return kept.length > 0 ? kept : undefined;
  }
  if (!isObject(value)) return undefined;
  const kept = Object.entries(value).filter(([name]) => isKept(name));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
