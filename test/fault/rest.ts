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

/**
 * What is under way, and whose it is: a lease of a number that no server holds is nobody's. `parts` are those that the centre
 * took, each with its last word; `kept` are receipts that no part was found for.
 */
const WHAT_WAITS = `
  with alive as (
    select objid::bigint as number from pg_locks
     where locktype = 'advisory' and granted and objsubid = 2
       and database = (select oid from pg_database where datname = current_database()))
  select m.kind, m.state, m.reason, m.attempts,
         round(extract(epoch from m.due_at - now()))::int as "dueInSeconds", m.lease_until is not null as leased,
         m.leased_by as "leasedBy", m.leased_by in (select number from alive) as "isAlive",
         m.leased_by in (select number from node) as "isKnown",
         m.part_count as "partCount", array(select p.state from message_part p where p.message_id = m.id) as parts,
         round(extract(epoch from now() - m.updated_at))::int as "seconds", o.state as "order"
    from message m left join provisioning_order o on o.id = m.order_id
   where m.state in ('queued', 'submitting', 'submitted')
   union all
  select c.kind, c.state, c.reason, c.attempts,
         round(extract(epoch from c.due_at - now()))::int, c.lease_until is not null, c.leased_by,
         c.leased_by in (select number from alive), c.leased_by in (select number from node), 0, '{}',
         round(extract(epoch from now() - c.updated_at))::int, o.state
    from outbound_call c left join provisioning_order o on o.id = c.order_id where c.due_at is not null
   limit 20`;
const OPEN_ITEMS = `
  select i.kind, i.state, i.reason, i.attempt, round(extract(epoch from now() - o.updated_at))::int as seconds
    from provisioning_order o join order_item i on i.order_id = o.id where o.ended_at is null limit 20`;
const KEPT = `
  select state, other_ids as "otherIds", round(extract(epoch from now() - received_at))::int as seconds, look_at as "lookAt"
    from unmatched_receipt limit 20`;

/** For a person who reads the run: what is not at rest, and since when. */
export async function whatWaits(db: Db): Promise<string> {
  const [waits, items, kept] = [await db.rows(WHAT_WAITS), await db.rows(OPEN_ITEMS), await db.rows(KEPT)];
  return JSON.stringify({ waits, items, kept });
}
