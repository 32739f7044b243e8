/** How many jobs and approvals wait, for measures: open ones alone are looked at, by their indexes. */
import type { Database } from "../database/database.ts";
import { the } from "../database/driver.ts";

export type JobPiles = {
  /** By state, of those that have not ended. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly approvals: number;
  /** 0 where none waits for a server. */
  readonly oldestDueSeconds: number;
};

const PILES = {
  name: "job_piles", // job_deadline, approval_waiting
  text: `select coalesce(jsonb_object_agg(state, count), '{}') as jobs,
                (select count(*)::int from approval where state = 'waiting') as approvals,
                greatest(0, coalesce(extract(epoch from $1::timestamptz - min(due) filter (where state = 'queued')), 0))::float8 as "oldestDueSeconds"
           from (select state, count(*)::int as count, min(due_at) as due from job where deadline_at is not null group by state) s`,
};

export const readJobPiles = async (database: Database, now: Date): Promise<JobPiles> =>
  the(await database.rows<JobPiles>(PILES, [now]));
