/** The effect of a step for engines that bring no tables of their own: one row a flow and step, whatever is tried again. */
import type pg from "pg";

type Asking = Pick<pg.Pool, "query">;

export const makeEffects = (pool: Asking): Promise<unknown> =>
  pool.query(`create table if not exists effect (
    flow uuid not null, step integer not null, at timestamptz not null default now(), primary key (flow, step))`);

/** Answers the flows whose effect of this step is new. */
export async function takeEffect(client: Asking, flows: readonly string[], step: number): Promise<string[]> {
  const { rows } = await client.query<{ flow: string }>(
    "insert into effect (flow, step) select flow, $2 from unnest($1::uuid[]) flow on conflict do nothing returning flow",
    [flows, step],
  );
  return rows.map(({ flow }) => flow);
}

/** @throws Error where these flows have another number of effects than three each */
export async function checkEffects(pool: Asking, flows: readonly string[]): Promise<void> {
  const { rows } = await pool.query<{ count: number }>(
    "select count(*)::int as count from effect where flow = any($1::uuid[])",
    [flows],
  );
  const count = rows[0]?.count ?? 0;
  if (count !== flows.length * 3) throw new Error(`${count} effects of ${flows.length} flows`);
}

/** Runs `work` in one transaction. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const value = await work(client);
    await client.query("commit");
    return value;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}
