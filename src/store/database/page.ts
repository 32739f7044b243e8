/** Paging by key: a page is read with one row more than asked, which tells whether there is a next one. */

/** Before and after every id. */
export const START_OF_ORDER = "00000000-0000-0000-0000-000000000000";
export const END_OF_ORDER = "ffffffff-ffff-ffff-ffff-ffffffffffff";

export function cutPage<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
): { readonly rows: readonly Row[]; readonly nextCursor: string | null } {
  if (rows.length <= limit) return { rows, nextCursor: null };
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: page.at(-1)?.id ?? null };
}
