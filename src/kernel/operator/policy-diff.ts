/** What differs between two policies, key by key, in the order of their names. */
import { isMembers } from "./merge-patch.ts";

export type PolicyChange = {
  /** `request.fraud.place`. */
  readonly key: string;
  /** Undefined: it was not there. */
  readonly before?: unknown;
  readonly after?: unknown;
};

/** Objects are compared by their members, everything else, lists too, as one value. */
export function policyChanges(before: unknown, after: unknown, key = ""): readonly PolicyChange[] {
  if (isMembers(before) && isMembers(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names]
      .sort()
      .flatMap((name) => policyChanges(before[name], after[name], key === "" ? name : `${key}.${name}`));
  }
  return isSame(before, after) ? [] : [{ key, before, after }];
}

/** Members of an object in a list may stand in any order. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, at) => isSame(item, other[at]));
  if (isMembers(one) && isMembers(other)) return policyChanges(one, other).length === 0;
  return Object.is(one, other);
}
