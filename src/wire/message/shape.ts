/**
 * Reads JSON that another party sent: strict objects (an unknown member is refused), bounded texts, lists and numbers.
 * A refusal names the place as a path (`keys[3].uniqueId.imei`) and what was wanted there; it never repeats the value,
 * which may be a secret.
 */
import { beginsWithDay } from "../../term/calendar.ts";
import { isObject } from "../../term/narrow.ts";

/** A message of another shape than agreed. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
  readonly path: string;
  constructor(path: string, wanted: string) {
    super(`${path || "the message"}: ${wanted}`);
    this.path = path;
  }
}

/** What is wrong with a value, or undefined: for who sends many and must not let one spoil the batch. */
export function shapeFaultOf(value: unknown, read: Read<unknown>): string | undefined {
  try {
    read(value, "");
    return undefined;
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
}

/** Reads one value at `path`. */
export type Read<Value> = (value: unknown, path: string) => Value;

type Members = Readonly<Record<string, Read<unknown>>>;
type Optional<Value> = Read<Value | undefined> & { readonly optional: true };
type OptionalName<M extends Members> = {
  [Name in keyof M]: M[Name] extends Optional<unknown> ? Name : never;
}[keyof M];
/** The object that readers of its members make; those that are `optional` may be absent. */
export type Shape<M extends Members> = {
  readonly [Name in Exclude<keyof M, OptionalName<M>>]: ReturnType<M[Name]>;
} & { readonly [Name in OptionalName<M>]?: Exclude<ReturnType<M[Name]>, undefined> };

/**
 * Reads an object with exactly these members.
 * @throws ShapeError: no object, an unknown member, one that is missing; by the reader that this gives
 */
export function object<M extends Members>(members: M): Read<Shape<M>> {
  return (value, path) => {
    if (!isObject(value)) throw new ShapeError(path, "an object is wanted");
    const stray = Object.keys(value).find((name) => !Object.hasOwn(members, name));
    if (stray !== undefined) throw new ShapeError(memberOf(path, stray.slice(0, 40)), "an unknown member");
    const read: Record<string, unknown> = {};
    for (const [name, readMember] of Object.entries(members)) {
      const there = memberOf(path, name);
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      if (member === undefined && !("optional" in readMember)) throw new ShapeError(there, "is missing");
      if (member !== undefined) read[name] = readMember(member, there);
    }
    return read as Shape<M>; // each member was read by its own reader
  };
}

/** A member that may be left out. */
export function optional<Value>(read: Read<Value>): Optional<Value> {
  const orAbsent = (value: unknown, path: string): Value | undefined =>
    value === undefined ? undefined : read(value, path);
  return Object.assign(orAbsent, { optional: true as const });
}

/**
 * Reads a list of `min` (0) to `max` entries.
 * @throws ShapeError: no list, or too few or too many; by the reader that this gives
 */
export function list<Value>(
  read: Read<Value>,
  { min = 0, max }: { min?: number; max: number },
): Read<Value[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, "a list is wanted");
    if (value.length < min || value.length > max)
      throw new ShapeError(path, `${min} to ${max} entries are wanted, ${value.length} came`);
    return value.map((entry, at) => read(entry, `${path}[${at}]`));
  };
}

/**
 * Reads a text without control characters; `min` (1) and `max` count UTF-16 units.
 * @throws ShapeError: another length or form, said as `wanted`; by the reader that this gives
 */
export function text({ min = 1, max, pattern, wanted }: TextRule): Read<string> {
  return (value, path) => {
    if (typeof value !== "string") throw new ShapeError(path, "a text is wanted");
    if (
      value.length < min ||
      value.length > max ||
      /\p{Cc}/u.test(value) ||
      (pattern && !pattern.test(value))
    )
      throw new ShapeError(path, wanted ?? `a text of ${min} to ${max} characters is wanted`);
    return value;
  };
}
type TextRule = { min?: number; max: number; pattern?: RegExp; wanted?: string };

/**
 * Reads a whole number from `min` to `max`, both included.
 * @throws ShapeError: by the reader that this gives
 */
export function integer({ min, max }: { min: number; max: number }): Read<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max)
      throw new ShapeError(path, `a whole number from ${min} to ${max} is wanted`);
    return value;
  };
}

/**
 * Reads `true` or `false`, and no word or number for it.
 * @throws ShapeError: anything else
 */
export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw new ShapeError(path, "true or false is wanted");
  return value;
}

/**
 * Reads one of these words, in just this case.
 * @throws ShapeError: names them all; by the reader that this gives
 */
export function oneOf<const Word extends string>(words: readonly Word[]): Read<Word> {
  return (value, path) => {
    const word = words.find((known) => known === value);
    if (word === undefined) throw new ShapeError(path, `one of ${words.join(", ")} is wanted`);
    return word;
  };
}

/**
 * Reads a time in RFC 3339 with a zone; digits behind the millisecond are dropped.
 * @throws ShapeError: another form, or a part of it out of range, a day that its month lacks too
 */
export function instant(value: unknown, path: string): Date {
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
  const isTime = typeof value === "string" && form.test(value) && beginsWithDay(value);
  const date = isTime ? new Date(value) : undefined;
  if (!date || Number.isNaN(date.getTime())) throw new ShapeError(path, "an RFC 3339 time is wanted");
  return date;
}

/**
 * Reads octets in base64 or base64url (RFC 4648 clauses 4 and 5), padded or not; `min` and `max` count octets.
 * @throws ShapeError: by the reader that this gives
 */
export function octets({ min, max }: { min: number; max: number }): Read<Uint8Array> {
  return (value, path) => {
    const good =
      typeof value === "string" && value.length <= max * 2 && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value);
    const bytes = good ? Uint8Array.from(Buffer.from(value, "base64")) : undefined;
    if (!bytes || bytes.length < min || bytes.length > max)
      throw new ShapeError(path, `${min} to ${max} octets in base64 are wanted`);
    return bytes;
  };
}

const memberOf = (path: string, name: string): string => (path ? `${path}.${name}` : name);

/**
 * Octets as lower-case hexadecimal text of a fixed length.
 * @throws ShapeError: another length, a capital letter, no hexadecimal; by the reader that this gives
 */
export function hexText(octetCount: number): Read<string> {
  return text({
    min: octetCount * 2,
    max: octetCount * 2,
    pattern: /^[0-9a-f]+$/,
    wanted: `${octetCount * 2} lower-case hex digits are wanted`,
  });
}
