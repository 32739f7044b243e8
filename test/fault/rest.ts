/** How long messages rested: from when the centre had all of a message until the books say what became of it. */
import type { Db } from "../../src/store/database/database.ts";

const RESTED = `
  select count(*)::int as messages,
         round(1000 * percentile_cont(0.5) within group (order by rest))::int as median,
         round(1000 * percentile_cont(0.99) within group (order by rest))::int as most,
         round(1000 * max(rest))::int as longest
    from (select greatest(0, extract(epoch from m.updated_at - max(p.accepted_at))) as rest
            from message m join message_part p on p.message_id = m.id where m.state = 'delivered' group by m.id) r`;

/** Those that rested longest, with what tells why: a message that its server did not live to book goes out again. */
const LONGEST = `
  select m.kind, m.attempts, m.part_count as parts, round(1000 * extract(epoch from m.updated_at - max(p.accepted_at)))::int as ms,
         round(1000 * extract(epoch from max(p.accepted_at) - min(p.accepted_at)))::int as "betweenParts"
    from message m join message_part p on p.message_id = m.id where m.state = 'delivered'
   group by m.id having m.updated_at - max(p.accepted_at) > interval '2 s' order by 4 desc limit 5`;

/** In words, for a person who reads the run. */
export async function restOf(db: Db): Promise<string> {
  const row = await db.one<{ messages: number; median: number; most: number; longest: number }>(RESTED);
  const longest = await db.rows(LONGEST);
  const beyond = longest.length === 0 ? "" : `; beyond two seconds ${JSON.stringify(longest)}`;
  return `${row?.messages} messages rested ${row?.median} ms in the middle, ${row?.most} ms at 99 %, ${row?.longest} ms at the longest${beyond}`;
}
