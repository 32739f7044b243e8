/**
 * What spreadsheets do to numbers that are names (IMSI, IMEI, TAC, MNC): an apostrophe or `="..."` in front to keep them
 * as they are, `.0` behind, rounding to `3.5E+14`, leading zeros gone. What can be read without a guess is read.
 */

/** The cell without what keeps a spreadsheet from counting with it. */
export function plainText(cell: string): string {
  const text = cell.trim();
  if (text.startsWith("'")) return text.slice(1);
  return text.startsWith("=") ? (/^="([^"]*)"$/.exec(text)?.[1] ?? text) : text;
}

/** As `plainText`, and without the decimals that a whole number got. */
export function plainNumber(cell: string): string {
  const text = plainText(cell);
  return /^\d+\.0+$/.test(text) ? text.slice(0, text.indexOf(".")) : text;
}

/** Whether a spreadsheet has rounded the number: `1.01E+12`, with a comma in some languages. */
export const isRounded = (cell: string): boolean => /^[+-]?\d(?:[.,]\d+)?E[+-]?\d{1,3}$/i.test(cell.trim());

/** What is said of a number that a spreadsheet rounded; a clause. */
export const ROUNDED = "a spreadsheet rounded it and its digits are lost: format the column as text";
/** What is said of a number that lacks the zeros in front; a clause. */
export const ZEROS_LOST = "zeros in front are lost, as spreadsheets lose them: format the column as text";
