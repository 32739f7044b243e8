/**
 * When a model came out, as well as it can be told: by a date, by a year, or by the range its TAC was given out in.
 * A range is of the *model*, since a model sold for years keeps getting new TACs.
 */
import { onlyOf } from "../../term/collections.ts";
import type { AgeRuleRow } from "./rows.ts";

/** Whole years, both ends included. */
export type YearWindow = { readonly from: number; readonly to: number };

/** Bounds of the release, as ISO dates; equal where the day is known. `from` null: no lower bound. */
export type Release = {
  readonly from: string | null;
  readonly to: string;
  readonly basis: ReleaseBasis;
};
type ReleaseBasis =
  | "lifecycle" // the maker's date
  | "year" // the TAC list's release year of this row
  | "model_year" // the release year that other rows of the same model agree on
  | "facts" // the hardware list's date
  | "number" // the one window that the TAC's digits allow
  | "old_list"; // the row was copied from a list that closed before 2013

/** The windows of a TAC, compiled once: a look-up is a walk over the few rows of its reporting body. */
export class AgeRules {
  readonly #byBody = new Map<string, AgeRuleRow[]>();

  constructor(rows: readonly AgeRuleRow[]) {
    for (const row of rows) {
      const known = this.#byBody.get(row.rbi);
      if (known) known.push(row);
      else this.#byBody.set(row.rbi, [row]);
    }
  }

  /** All windows that match: none where the range is not known, two where the numbering was used twice. */
  windowsOf(tac: string): YearWindow[] {
    const xxxx = tac.slice(2, 6);
    const yy = tac.slice(6, 8);
    const matches = (this.#byBody.get(tac.slice(0, 2)) ?? []).filter(
      (row) => row.xxxxFrom <= xxxx && xxxx <= row.xxxxTo && row.yyFrom <= yy && yy <= row.yyTo,
    );
    return matches.map(({ yearFrom, yearTo }) => ({ from: yearFrom, to: yearTo }));
  }
}

/** The one window, or null where none or several match: two windows decide nothing. */
export const soleWindow = (windows: readonly YearWindow[]): YearWindow | null => onlyOf(windows) ?? null;

/** Whether a model of this year can carry a TAC of these windows: not given out well before the model was there. */
export function fitsNumber(windows: readonly YearWindow[], releasedYear: number): boolean {
  return windows.length === 0 || windows.some(({ to }) => releasedYear <= to + 1);
}

/** As `fitsNumber`, in both directions: for telling two lists' claims about one TAC apart. */
export function isOfWindow(windows: readonly YearWindow[], releasedYear: number): boolean {
  return windows.some(({ from, to }) => from - 1 <= releasedYear && releasedYear <= to + 1);
}

/** Bounds of a date written as YYYY, YYYY-MM or YYYY-MM-DD; undefined for anything else. */
export function boundsOfDate(text: string): { readonly from: string; readonly to: string } | undefined {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day] = match;
  if (day) return { from: text, to: text };
  if (month) return { from: `${text}-01`, to: lastDayOfMonth(Number(year), Number(month)) };
  return { from: `${year}-01-01`, to: `${year}-12-31` };
}

export const releaseOfYears = (from: number | null, to: number, basis: ReleaseBasis): Release => ({
  from: from === null ? null : `${from}-01-01`,
  to: `${to}-12-31`,
  basis,
});

/** The year of a release whose two bounds lie in one year, and that rests on the model and not on its number. */
export function yearOfRelease(release: Release | null): number | null {
  if (!release?.from || release.basis === "number" || release.basis === "old_list") return null;
  const year = release.from.slice(0, 4);
  return year === release.to.slice(0, 4) ? Number(year) : null;
}

function lastDayOfMonth(year: number, month: number): string {
  const day = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}
