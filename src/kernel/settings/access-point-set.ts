/**
 * A set of access points that an operator brings as a file, beside the version of it that is in use: what is added, changed and removed.
 * Two access points are the same when all that they say is; one that says something else for the same SIMs, APN and uses is changed.
 */
import type { ImportChange } from "../devices/import-guard.ts";
import type { AccessPoint } from "./access-point.ts";

type ChangedPoint = { readonly was: AccessPoint; readonly becomes: AccessPoint };
export type SetChange = {
  /** Of the file, those that nobody has, the new forms of changed ones among them. */
  readonly added: readonly AccessPoint[];
  readonly changed: readonly ChangedPoint[];
  /** Of the version in use, those that the file has not, the former forms of changed ones among them. */
  readonly removed: readonly AccessPoint[];
  /** Of the version in use, those that stay. */
  readonly kept: readonly AccessPoint[];
  /** Those that the file has and that are there apart from the set. */
  readonly known: readonly AccessPoint[];
};

/**
 * @param file ids are places in it; what it repeats counts once
 * @param current of the version in use
 * @param others the operator's other own ones
 */
export function changeOfSet(
  file: readonly AccessPoint[],
  current: readonly AccessPoint[],
  others: readonly AccessPoint[],
): SetChange {
  const wanted = new Map(file.map((point) => [contentsOf(point), point])); // later ones say the same
  const isWanted = (point: AccessPoint): boolean => wanted.has(contentsOf(point));
  const there = new Set([...current, ...others].map(contentsOf));
  const added = [...wanted].flatMap(([contents, point]) => (there.has(contents) ? [] : [point]));
  const removed = current.filter((point) => !isWanted(point));
  const former = new Map(removed.map((point) => [aboutOf(point), point]));
  const changed = added.flatMap((becomes) => {
    const was = former.get(aboutOf(becomes));
    former.delete(aboutOf(becomes)); // one of each
    return was ? [{ was, becomes }] : [];
  });
  return { added, changed, removed, kept: current.filter(isWanted), known: others.filter(isWanted) };
}

/** For the guard of imports. */
export function countsOf({ added, changed, removed, kept }: SetChange): ImportChange {
  const cells = (points: readonly AccessPoint[]): number =>
    points.reduce((sum, point) => sum + saidIn(point).length, 0);
  const isEmptied = ({ becomes }: ChangedPoint, name: string): boolean => !saidIn(becomes).includes(name);
  return {
    before: kept.length + removed.length,
    added: added.length - changed.length,
    changed: changed.length,
    removed: removed.length - changed.length,
    cellsBefore: cells([...kept, ...changed.map(({ was }) => was)]),
    emptied: changed.reduce(
      (sum, one) => sum + saidIn(one.was).filter((name) => isEmptied(one, name)).length,
      0,
    ),
  };
}

/** What is another, by its name; secrets are not told. */
export function wordsOfChange({ was, becomes }: ChangedPoint): string {
  const [before, after] = [new Map(Object.entries(was)), new Map(Object.entries(becomes))];
  const names = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => !UNTOLD.includes(name) && textOf(before.get(name)) !== textOf(after.get(name)),
  );
  return names
    .map((name) =>
      name === "password"
        ? "password is another"
        : `${name} was ${textOf(before.get(name))}, is ${textOf(after.get(name))}`,
    )
    .join("; ");
}

/** Where it was read, and under which id it stands, is not what it says. */
const UNTOLD = ["id", "source"];

const saidIn = (point: AccessPoint): readonly string[] =>
  Object.entries(point).flatMap(([name, value]) =>
    UNTOLD.includes(name) || value === null || value === undefined ? [] : [name],
  );

const textOf = (value: unknown): string =>
  value === null || value === undefined ? "empty" : typeof value === "string" ? value : sorted(value);

const contentsOf = ({ id: _, source: __, ...point }: AccessPoint): string => sorted(point);
const aboutOf = ({ criteria, apn, uses }: AccessPoint): string =>
  sorted([criteria, apn.toLowerCase(), [...uses].sort()]);

/** The same text whatever the order of members. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_name, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
