/** What is known of a value whose type says little: JSON, an error that was caught, a word that was typed. */

/** Whether a value is an object, and no list, so that its members may be asked for: each is of unknown type, or missing. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The members of what should be an object; none of anything else. */
export const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  isObject(value) ? value : {};

/** Whether a value is an object whose members are all texts. */
export const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((one) => typeof one === "string");

/** Whether a text is one of these words, in just this case. */
export const isOneOf = <Word extends string>(words: readonly Word[], text: unknown): text is Word =>
  words.some((word) => word === text);

/** The word that a text is; undefined where it is none of these. */
export const wordOf = <Word extends string>(words: readonly Word[], text: unknown): Word | undefined =>
  words.find((word) => word === text);

/**
 * The code of an error that Node.js, a driver or a library raised: `ENOENT`, `EADDRINUSE`, an SQLSTATE of five characters.
 * Undefined where it has none.
 */
export function codeOf(error: unknown): string | undefined {
  const { code } = membersOf(error);
  return typeof code === "string" ? code : undefined;
}

/** What an error says, in its own words; of whatever else was thrown, its text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * A value that is there for a reason which its type does not know, said as a fact: "the hook lets nobody else through".
 * @throws Error with that reason: it is not there, so the program is wrong
 */
export function assured<Value>(value: Value | null | undefined, why: string): Value {
  if (value === null || value === undefined) throw new Error(`a value is missing, although ${why}`);
  return value;
}
