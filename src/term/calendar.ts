/** Days as ISO 8601 writes them. JavaScript reads 30 February as 2 March: a day that comes back as another is none. */

/** Whether `YYYY-MM-DD` names a day that its month has. */
export function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Whether the day in front of a time (RFC 3339) is one of the calendar. */
export const beginsWithDay = (text: string): boolean => isCalendarDay(text.slice(0, "YYYY-MM-DD".length));

/**
 * The same time of so many months later, UTC; a day that the later month lacks is its last one: a month after 31 January is
 * 28 February, and two months after it 31 March.
 */
export function monthsAfter(date: Date, months: number): Date {
  const first = new Date(date);
  first.setUTCDate(1);
  first.setUTCMonth(first.getUTCMonth() + months);
  const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(date.getUTCDate(), days));
  return first;
}
