/** How long messages rested: from when the centre had all of a message until the books say what became of it. */
import type { Db } from "../../src/store/database.ts";

const RESTED = `
  select count(*)::int as messages,
         round(1000 * percentile_cont(0.5) within group (order by rest))::int as median,
         round(1000 * percentile_cont(0.99) within group (order by rest))::int as most,
         round(1000 * max(rest))::int as longest
    from (select greatest(0, extract(epoch from m.updated_at - max(p.accepted_at))) as rest
            from message m join message_part p on p.message_id = m.id where m.state = 'delivered' group by m.id) r`;

/** In words, for a person who reads the run. */
export async function restOf(db: Db): Promise<string> {
  const row = await db.one<{ messages: number; median: number; most: number; longest: number }>(RESTED);
  return `${row?.messages} messages rested ${row?.median} ms in the middle, ${row?.most} ms at 99 %, ${row?.longest} ms at the longest`;
}
