/**
 * JSON Merge Patch (RFC 7396): what a patch names takes the place of what is there, member by member; null takes a member
 * away; a list is one value.
 */

type Members = Readonly<Record<string, unknown>>;

/** RFC 7396 section 2, `MergePatch(Target, Patch)`. Neither value is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMembers(patch)) return patch;
  const merged = new Map<string, unknown>(isMembers(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
