/** Tables for people at a terminal: columns as wide as what stands in them, the last one as long as it likes. */

/** `right`: columns of numbers, by place. */
export function tableOf(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [] }: { readonly right?: readonly number[] } = {},
): string[] {
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? "").length)));
  return [heads, ...rows].map((row) =>
    row
      .map((cell, at) => (right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** How long ago, in the largest unit that tells something: `45 s`, `12 min`, `5 h`, `3 d`. */
export function ageOf(iso: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(iso)) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `2026-11-22 10:00:00Z`: a time as the eye reads it, still sortable. */
export const timeOf = (iso: string): string => iso.replace("T", " ").replace(/\.\d+Z$/, "Z");

/** JSON has no bigint: an amount is a number as over HTTP, and text where a number would lose digits. */
export function jsonable(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(jsonable);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, jsonable(member)]));
}
