/** What the feed keeps no longer, and how far behind it is. Rows of orders and sightings go by the policy's months; positions end here. */
import type { Database, Db } from "../database/database.ts";
import { firstTxAt, lookAtFeed } from "./event-feed.ts";

const ROWS_AT_ONCE = 2_000;
const DAY_MS = 86_400_000;

const FORGET = {
  name: "forget_changes", // change_pkey
  text: `delete from change where operator_id = $1 and (tx, id) in (
           select tx, id from change where operator_id = $1 and tx < $2::xid8 order by change.tx, id limit ${ROWS_AT_ONCE})`,
};
/** A position below it is refused from then on: first that, so that nobody misses what goes unawares. */
const RAISE_FLOOR = {
  name: "raise_floor", // event_feed_pkey
  text: "update event_feed set floor = $2::xid8 where operator_id = $1 and floor < $2::xid8",
};

/** Of every operator; answers whether there is more. */
export async function forgetEvents(database: Database, now: Date, keptDays: number): Promise<boolean> {
  let isMore = false;
  const moment = new Date(now.getTime() - keptDays * DAY_MS);
  for (const { id } of await database.rows<{ id: string }>("select id from operator")) {
    const floor = String(await firstTxAt(database, id, await lookAtFeed(database, id), moment));
    await database.run(RAISE_FLOOR, [id, floor]);
    const gone = await database.run(FORGET, [id, floor]);
    isMore ||= gone === ROWS_AT_ONCE;
  }
  return isMore;
}

/** For how long the oldest transaction that writes has been under way: so far behind the feed is. */
export async function secondsBehind(db: Db): Promise<number> {
  const row = await db.one<{ seconds: number }>(
    `select coalesce(extract(epoch from clock_timestamp() - min(xact_start)), 0)::float8 as seconds
       from pg_stat_activity where backend_xid is not null`,
  );
  return row?.seconds ?? 0;
}
