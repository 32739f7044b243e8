/** What retention puts away or would, and what it left of it: for staff who look before they decide. */

import type { OrderPolicy } from "../../kernel/operator/policy.ts";
import {
  keptFrom,
  type MonthlyStatistic,
  RETAINED_KINDS,
  type Retention,
  type RetentionView,
} from "../../kernel/operator/retention.ts";
import type { Database } from "../database/database.ts";
import { ENTRIES, isOver, MONTH, overIn } from "./entries.ts";
import { boundOf, GROWN } from "./partitions.ts";
import { countPeopleOver } from "./sweep-people.ts";

/** Ten million rows are read once. */
const LOOK_TIMEOUT_MS = 120_000;
const STATISTICS_MAX = 10_000;

type Deps = {
  readonly database: Database;
  readonly policyOf: (operatorId: string) => Promise<OrderPolicy>;
  readonly clock: () => Date;
};

export function createRetention({ database, policyOf, clock }: Deps): Retention {
  return {
    async look(operatorId, wanted) {
      const { retention } = await policyOf(operatorId);
      const views: RetentionView[] = [];
      for (const kind of RETAINED_KINDS) {
        const asked = wanted[kind] === undefined ? retention[kind] : wanted[kind];
        const from = keptFrom(asked, clock());
        const swept = await database.one<{ at: Date | null }>(
          "select ended_at as at from retention_sweep where kind = $1 and before ? $2",
          [kind, operatorId],
        );
        views.push({
          kind,
          months: retention[kind],
          askedMonths: asked,
          keptFrom: from?.toISOString() ?? null,
          over: from ? await countOver(database, kind, { operatorId, from, now: clock() }) : [],
          sweptAt: swept?.at?.toISOString() ?? null,
        });
      }
      return views;
    },
    async statistics(operatorId, { kind, from, to }) {
      return database.rows<MonthlyStatistic>(
        `select to_char(month, 'YYYY-MM') as month, what, count::int as count from monthly_statistic
          where operator_id = $1 and kind = $2 and month >= coalesce(($3 || '-01')::date, '-infinity')
            and month <= coalesce(($4 || '-01')::date, 'infinity') order by month, what limit ${STATISTICS_MAX}`,
        [operatorId, kind, from ?? null, to ?? null],
      );
    },
  };
}

type Over = { readonly operatorId: string; readonly from: Date; readonly now: Date };

const countOver = (
  database: Database,
  kind: RetentionView["kind"],
  { operatorId, from, now }: Over,
): Promise<RetentionView["over"]> =>
  database.transaction(
    (tx) =>
      kind === "people"
        ? countPeopleOver(tx, operatorId, from, now)
        : tx.rows(
            `with going as (select r.* from ${GROWN[kind].table} r join ${overIn(kind)} on ${isOver(kind)})
             select ${MONTH} as month, count(*)::int as entries from (${ENTRIES[kind].of("going")}) e group by 1 order by 1`,
            [[operatorId], [boundOf(GROWN[kind], from)]],
          ),
    { statementTimeoutMs: LOOK_TIMEOUT_MS },
  );
