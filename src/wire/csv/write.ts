/** CSV as it is written (RFC 4180), safe to open in a spreadsheet. */

/** What a spreadsheet takes for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * One line with its end. A cell with a separator, a quote or a line's end is quoted; one that a spreadsheet would run as a formula gets
 * an apostrophe in front, which a spreadsheet does not show. Numbers stay as they are.
 */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cellOf).join(",")}\r\n`;

function cellOf(cell: string): string {
  const isNumber = /^-?\d+(\.\d+)?$/.test(cell);
  const safe = FORMULA.test(cell) && !isNumber ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
