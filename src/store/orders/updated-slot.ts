/**
 * The five minutes in which an order was changed last. The index of the list by last change holds them in place of the time:
 * most changes of an order fall into the slot of the one before, and write no index for that.
 */

/** SQL: the slot of a timestamptz, as migration 0039 counts them. */
export const slotOf = (moment: string): string =>
  `date_bin('5 minutes', ${moment}, timestamptz '2000-01-01T00:00:00Z')`;

const SLOT_MS = 300_000;
/** The same of a date; the slots begin at a whole number of them after 1970. */
export const slotAt = (date: Date): Date => new Date(Math.floor(date.getTime() / SLOT_MS) * SLOT_MS);
