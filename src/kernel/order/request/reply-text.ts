/** A reply by text: a word that means yes or no, and the number of the question, in either order. */
import type { RequestPolicy } from "./request-policy.ts";

const MAX_CHARACTERS = 160;

export type AnswerRead = {
  readonly answer: "accept" | "decline";
  /** Null where only the word was sent. */
  readonly code: string | null;
};

/** Undefined where it is neither a yes nor a no. */
export function readAnswer(
  text: string,
  { acceptWords, declineWords }: Pick<RequestPolicy, "acceptWords" | "declineWords">,
): AnswerRead | undefined {
  const words = text
    .slice(0, MAX_CHARACTERS)
    .normalize("NFC")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
  const means = (among: readonly string[]): boolean =>
    words.some((word) => among.some((known) => known.toLowerCase() === word));
  const [isYes, isNo] = [means(acceptWords), means(declineWords)];
  if (isYes === isNo) return undefined; // neither, or both: nobody can tell
  const code = words.find((word) => /^\d{4,6}$/.test(word)) ?? null;
  return { answer: isYes ? "accept" : "decline", code };
}
