/** Lists and maps of which more is known than their types say: that they belong together, that an entry is there. */

/**
 * Pairs of two lists of one length, such as what was asked and what was answered.
 * @throws RangeError: one is longer, so that an answer is missing or nobody asked for it
 */
export function pairsOf<Left, Right>(left: Iterable<Left>, right: Iterable<Right>): [Left, Right][] {
  const pairs: [Left, Right][] = [];
  const others = right[Symbol.iterator]();
  for (const one of left) {
    const other = others.next();
    if (other.done) throw new RangeError(`entry ${pairs.length + 1} has no counterpart`);
    pairs.push([one, other.value]);
  }
  if (!others.next().done) throw new RangeError(`more counterparts than the ${pairs.length} entries`);
  return pairs;
}

/** The first of a list that is never empty. @throws RangeError: it is */
export function firstOf<Entry>(list: readonly Entry[]): Entry {
  const [first] = list;
  if (first === undefined) throw new RangeError("the list is empty");
  return first;
}

/** The entry at a place that is counted round and round the list, backwards below 0. @throws RangeError: the list is empty */
export const roundAt = <Entry>(list: readonly Entry[], at: number): Entry =>
  firstOf(list.slice(at % Math.max(1, list.length)));

/** What a map has under a key that was put there. @throws RangeError: nothing; the key is not told, it may be a secret */
export function getFrom<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value {
  const value = map.get(key);
  if (value === undefined) throw new RangeError("nothing is under this key");
  return value;
}

/** Entries of late: what was put or got within the last `max` puts is there, and at most twice as many are. */
export type Recent<Key, Value> = {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
};

/**
 * Two generations: when the younger is full it becomes the older, whose entries are let go at once. A map from which the
 * oldest is deleted each time a new one comes skips all that was deleted before it, each time.
 */
export function recent<Key, Value>(max: number): Recent<Key, Value> {
  let young = new Map<Key, Value>();
  let old = new Map<Key, Value>();
  const set = (key: Key, value: Value): void => {
    if (young.size >= max && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    set,
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
  };
}

/** Drops what was put first until at most `max` entries are left. For few entries: it goes through all that were ever deleted. */
export function dropOldest(entries: Map<unknown, unknown> | Set<unknown>, max: number): void {
  if (entries.size <= max) return;
  for (const key of entries.keys()) {
    entries.delete(key);
    if (entries.size <= max) return;
  }
}

/** The entry of a list that has just one; undefined where it has none, or more. */
export const onlyOf = <Entry>(list: readonly Entry[]): Entry | undefined =>
  list.length === 1 ? list[0] : undefined;

/** Entries by their keys, each group in the order of the list. */
export function groupBy<Entry, Key>(list: readonly Entry[], keyOf: (entry: Entry) => Key): Map<Key, Entry[]> {
  const groups = new Map<Key, Entry[]>();
  for (const entry of list) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}
