/**
 * People who are gone: whose SIM no network saw for as many months as their operator keeps people, and whom nothing holds. A sweep
 * reads the subscribers once, some at a time; how far it has come stands beside the other kinds (sweep.ts).
 */
import { randomBytes } from "node:crypto";
import type { Db, Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { erasePeople, holdsOf, IS_HELD, LOCK_PEOPLE } from "./erase-people.ts";

/** Subscribers that one step reads, gone or not. */
const WINDOW = 1_000;

const GONE = {
  name: "people_gone", // subscriber_pkey, pairing_subscriber_id_device_id_key
  text: `select s.id, s.operator_id as "operatorId", o.kept_from as "keptFrom",
                o.kept_from is not null and s.erased_at is null and s.created_at < o.kept_from and not exists (
                  select from pairing p where p.subscriber_id = s.id and p.last_seen_at >= o.kept_from) as "isGone"
           from (select id, operator_id, erased_at, created_at from subscriber where id > $1 order by id limit ${WINDOW}) s
           left join unnest($2::uuid[], $3::timestamptz[]) as o(operator_id, kept_from) on o.operator_id = s.operator_id
          order by s.id`,
};
const COUNT = `
  insert into monthly_statistic as t (operator_id, kind, month, what, count)
  select operator_id, 'people', date_trunc('month', $2::timestamptz at time zone 'UTC')::date, array[home_plmn], count(*)
    from subscriber where id = any($1::uuid[]) group by 1, 4
      on conflict (operator_id, kind, month, what) do update set count = t.count + excluded.count`;

type PeopleStep = {
  readonly gone: readonly { readonly operatorId: string; readonly entries: number }[];
  /** The last that was looked at; undefined: there is none behind `after`. */
  readonly last: string | undefined;
};

/** @param before by operator, what its policy keeps */
export async function peopleStep(
  tx: Tx,
  sealer: Sealer,
  after: string,
  { before, now }: { readonly before: Readonly<Record<string, string>>; readonly now: Date },
): Promise<PeopleStep> {
  const seen = await tx.rows<Seen>(GONE, [after, Object.keys(before), Object.values(before)]);
  const byOperator = new Map<string, Seen[]>();
  for (const one of seen)
    if (one.isGone) byOperator.set(one.operatorId, [...(byOperator.get(one.operatorId) ?? []), one]);
  const gone: { operatorId: string; entries: number }[] = [];
  for (const [operatorId, people] of byOperator) {
    const locked = await tx.rows<{ id: string }>(LOCK_PEOPLE, [people.map(({ id }) => id)]);
    const asked = { since: people[0]?.keptFrom ?? null, byNumber: false, now };
    const holds = await holdsOf(
      tx,
      locked.map(({ id }) => id),
      asked,
    );
    const free = [...holds].flatMap(([id, held]) => (held.length === 0 ? [id] : []));
    if (free.length === 0) continue;
    await tx.run(COUNT, [free, now]);
    await erasePeople(tx, { sealer, randomBytes }, free, asked);
    gone.push({ operatorId, entries: free.length });
  }
  return { gone, last: seen.at(-1)?.id };
}

type Seen = {
  readonly id: string;
  readonly operatorId: string;
  readonly keptFrom: Date | null;
  readonly isGone: boolean;
};

/** Who would go, by the month in which they were seen last. */
const LOOK = {
  name: "people_that_would_go", // each subscriber of the operator is read once
  text: `select to_char(date_trunc('month', at at time zone 'UTC'), 'YYYY-MM') as month, count(*)::int as entries from (
           select coalesce((select max(p.last_seen_at) from pairing p where p.subscriber_id = s.id), s.created_at) as at
             from subscriber s
            where s.operator_id = $1 and s.erased_at is null and s.created_at < $2 and not (${IS_HELD})) gone
          group by 1 order by 1`,
};

export const countPeopleOver = (db: Db, operatorId: string, from: Date, now: Date) =>
  db.rows<{ month: string; entries: number }>(LOOK, [operatorId, from, false, now]);
