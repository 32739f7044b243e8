/** What the comparison of one field says: how well two values agree, and why; never what they are. */

/** Stable: shown to staff, kept with the request. What made two writings of a field agree, or what is amiss. */
export type ComparisonReason =
  | "writing"
  | "accents"
  | "script"
  | "particles"
  | "order"
  | "swapped_names"
  | "initials"
  | "part_of_it"
  | "spelling"
  | "abbreviation"
  | "number_in_street"
  | "range"
  | "format"
  | "day_and_month"
  | "check_digit"
  | "check_digit_wrong"
  | "lookalikes"
  | "nothing_alike";

/** 0 to 100: from `SAME_FROM` on it is the same value, from `CLOSE_FROM` on close to it, below another one. */
export type Agreement = { readonly score: number; readonly reasons: readonly ComparisonReason[] };

export const SAME_FROM = 90;
export const CLOSE_FROM = 60;

export const agrees = (score: number, ...reasons: readonly ComparisonReason[]): Agreement => ({
  score,
  reasons,
});
export const DIFFERENT: Agreement = agrees(0, "nothing_alike");

/** The best of several ways to read them; the first of equals. */
export const bestOf = (first: Agreement, ...others: readonly Agreement[]): Agreement =>
  others.reduce((best, one) => (one.score > best.score ? one : best), first);
