/**
 * What an import would change of the data that is in use, and when it would change too much to be taken on one person's word: a file
 * cut short, a column that came empty, numbers that a spreadsheet robbed of their zeros, verdicts that turn. A list that grows or is
 * corrected is taken as it is.
 */

/** Counted by what a row is about: a TAC, a model of a maker. */
export type ImportChange = {
  /** Rows in use. */
  readonly before: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Cells that said something in rows that stay. */
  readonly cellsBefore: number;
  /** Of them those that say nothing any more. */
  readonly emptied: number;
};

/** What was read of the file. */
export type ImportRead = {
  readonly taken: number;
  readonly refused: number;
  /** Rows whose number had lost the zero in front, and was read with it. */
  readonly padded: number;
};

/** What would become of verdicts about handsets that were seen on the network, by their TACs. */
export type VerdictChange = { readonly seen: number; readonly changed: number };

/** Below so many a share says nothing. */
const ROWS_MIN = 20;
/** Shares above which a second person must say that it is meant. */
const SHARE_MAX = { removed: 0.1, emptied: 0.1, refused: 0.1, padded: 0.1, verdicts: 0.05 } as const;

/** Why it is not taken on one person's word; sentences, none where it is. */
export function lossesOf(
  change: ImportChange,
  read: ImportRead,
  verdicts: VerdictChange | null,
): readonly string[] {
  const { before, removed, cellsBefore, emptied } = change;
  const rows = read.taken + read.refused;
  const isMore = (part: number, whole: number, share: number): boolean =>
    whole >= ROWS_MIN && part > whole * share;
  const losses: string[] = [];
  if (isMore(removed, before, SHARE_MAX.removed))
    losses.push(`${removed} of ${before} rows in use are not in the file.`);
  if (before >= ROWS_MIN && isMore(emptied, cellsBefore, SHARE_MAX.emptied))
    losses.push(`${emptied} of ${cellsBefore} filled cells of the rows that stay are empty in the file.`);
  if (isMore(read.refused, rows, SHARE_MAX.refused))
    losses.push(`${read.refused} of ${rows} rows of the file cannot be read.`);
  if (isMore(read.padded, rows, SHARE_MAX.padded))
    losses.push(`${read.padded} of ${rows} numbers of the file lost the zero in front.`);
  if (verdicts && isMore(verdicts.changed, verdicts.seen, SHARE_MAX.verdicts))
    losses.push(
      `The verdict of ${verdicts.changed} of ${verdicts.seen} TACs that were seen would be another.`,
    );
  return losses;
}
