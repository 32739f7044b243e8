/** The tenants. An operator is made once, by whoever sets the server up; everything else belongs to one. */
import type { NetworkKind } from "../../kernel/operator/operator-terms.ts";
import type { Database } from "../database/database.ts";
import { the } from "../database/driver.ts";

export type Operator = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly kind: NetworkKind;
  /** `MCC-MNC` of the SIMs it issues. */
  readonly homePlmns: readonly string[];
};

const COLUMNS = `id, slug, name, kind, home_plmns as "homePlmns"`;

export const listOperators = (database: Database): Promise<Operator[]> =>
  database.rows<Operator>(`select ${COLUMNS} from operator order by id`);

/** The operator of that slug, made if there is none; an existing one stays as it is. */
export async function ensureOperator(database: Database, wanted: Operator): Promise<Operator> {
  await database.run(
    `insert into operator (id, slug, name, kind, home_plmns) values ($1, $2, $3, $4, $5) on conflict (slug) do nothing`,
    [wanted.id, wanted.slug, wanted.name, wanted.kind, wanted.homePlmns],
  );
  return the(await database.rows<Operator>(`select ${COLUMNS} from operator where slug = $1`, [wanted.slug]));
}
