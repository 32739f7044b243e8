/** How many verdicts an import would turn: of the TACs that were seen on the operator's network, by the data in use and with the staged rows. */
import { setImmediate as turn } from "node:timers/promises";
import type { VerdictChange } from "../../kernel/devices/import-guard.ts";
import type { Database } from "../../store/database/database.ts";
import { readPackedDatasets } from "../../store/dataset/dataset-store.ts";
import type { Staged } from "../../store/dataset/import-job.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Stores } from "./open-stores.ts";
import { devicesWith } from "./own-devices.ts";

/** More are not looked at: a share of these tells enough. */
const TACS_MAX = 20_000;
/** Judged in one turn of the program. */
const TACS_A_TURN = 200;

/** One look-up of the index a TAC, however many handsets have it. */
const SEEN = `
  with recursive t as (
    (select tac from device where operator_id = $1 order by tac limit 1)
    union all
    select (select d.tac from device d where d.operator_id = $1 and d.tac > t.tac order by d.tac limit 1) from t where t.tac is not null)
  select tac from t where tac is not null limit ${TACS_MAX}`; // device_by_tac

/** TACs that were seen on the operator's network, in order; `TACS_MAX` at most. */
export const seenTacs = async (database: Database, operatorId: string): Promise<readonly string[]> =>
  (await database.rows<{ tac: string }>(SEEN, [operatorId])).map(({ tac }) => tac);

/** Where menus stand, and who runs a network. */
const TURNS_NO_VERDICT: readonly Staged["kind"][] = ["menus", "mcc_mnc", "carrier_id"];

type Asking = Pick<Stores, "database" | "termsOf" | "clock"> & {
  /** Asked where TACs were seen: whoever does not have it in memory reads all shipped data for it. */
  readonly knowledgeOf: () => Knowledge | Promise<Knowledge>;
};

export async function verdictChange(
  { database, knowledgeOf, termsOf, clock }: Asking,
  operatorId: string,
  staged: Staged,
): Promise<VerdictChange | null> {
  if (TURNS_NO_VERDICT.includes(staged.kind)) return null;
  const tacs = await seenTacs(database, operatorId);
  if (tacs.length === 0) return { seen: 0, changed: 0 };
  const knowledge = await knowledgeOf();
  const own = await readPackedDatasets(database, operatorId, staged);
  const beside = await devicesWith(knowledge.catalog.data, own);
  const [terms, now] = [await termsOf(operatorId), clock()];
  let changed = 0;
  for (const [at, tac] of tacs.entries()) {
    if (at % TACS_A_TURN === 0) await turn();
    if (knowledge.verdictOf(terms, tac, now) !== knowledge.verdictOf(terms, tac, now, beside)) changed++;
  }
  return { seen: tacs.length, changed };
}
