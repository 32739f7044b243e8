/**
 * Versions of an operator's imported sets of access points: a data set of kind `apn` whose rows name its access points, so that no
 * password stands in it. What stays from one version to the next keeps its id; what a version leaves out is retired, and comes back
 * with the version that had it. Access points that were added by hand or confirmed are of no set, and stay.
 */

import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { changeOfSet, type SetChange } from "../../kernel/settings/access-point-set.ts";
import { TurnupError } from "../../term/error.ts";
import type { Db, Tx } from "../database/database.ts";
import { noteIn } from "../operator/audited.ts";
import { addAccessPoints, OWN_ACCESS_POINTS_MAX, ownAccessPoints } from "../operator/own-access-points.ts";
import { wakeWaiting } from "../orders/wake.ts";
import type { Sealer } from "../seal/seal.ts";
import {
  countStaged,
  currentOf,
  goLive,
  lockDataset,
  restoreDataset,
  stageHead,
  stageRows,
} from "./stage.ts";

export const ACCESS_POINT_SET = "apn";

type Deps = { readonly sealer: Sealer; readonly newId: () => string; readonly clock: () => Date };

const LOCK = {
  name: "lock_own_access_points", // two imports of one operator's come one behind the other
  text: "select pg_advisory_xact_lock(hashtextextended('access points ' || $1, 0))",
};
const MEMBERS = {
  name: "members_of_access_point_sets", // dataset_row_pkey; heads are tens
  text: `select d.name, r.body->>'accessPoint' as id from dataset d join dataset_row r on r.dataset_id = d.id
          where d.operator_id = $1 and d.kind = 'apn' and d.retired_at is null`,
};
const MEMBERS_OF = {
  name: "members_of_access_point_set", // dataset_row_pkey
  text: "select body->>'accessPoint' as id from dataset_row where dataset_id = $1 order by line",
};
const RETIRE = {
  name: "retire_access_points", // access_point_of_operator
  text: "update access_point set retired_at = $3 where operator_id = $1 and id = any($2::uuid[]) and retired_at is null",
};
const BRING_BACK = {
  name: "bring_back_access_points", // access_point_pkey
  text: "update access_point set retired_at = null where operator_id = $1 and id = any($2::uuid[])",
};

type Compared = {
  readonly change: SetChange;
  /** Of the version that it was compared with; null: there is none. */
  readonly currentId: string | null;
  /** Access points of other sets. */
  readonly elsewhere: ReadonlySet<string>;
};

/** @throws TurnupError `input_too_long`: more than an operator may have */
export async function comparedSet(
  db: Db,
  { sealer }: Pick<Deps, "sealer">,
  { operatorId, name }: { readonly operatorId: string; readonly name: string },
  points: readonly AccessPoint[],
): Promise<Compared> {
  const current = await currentOf(db, { operatorId, kind: ACCESS_POINT_SET, name });
  const members = await db.rows<{ name: string; id: string }>(MEMBERS, [operatorId]);
  const own = await ownAccessPoints({ database: db, sealer }, operatorId);
  const mine = new Set(members.filter((one) => one.name === name).map(({ id }) => id));
  const elsewhere = new Set(members.filter((one) => one.name !== name).map(({ id }) => id));
  const change = changeOfSet(
    points,
    own.filter(({ id }) => mine.has(id)),
    own.filter(({ id }) => !mine.has(id)),
  );
  const leaving = change.removed.filter(({ id }) => !elsewhere.has(id)).length;
  checkRoom(own.length - leaving, change.added.length);
  return { change, currentId: current?.id ?? null, elsewhere };
}

function checkRoom(own: number, added: number): void {
  if (own + added <= OWN_ACCESS_POINTS_MAX) return;
  throw new TurnupError(
    "input_too_long",
    `${own} own access points and ${added} new ones are more than ${OWN_ACCESS_POINTS_MAX}.`,
    { nextStep: "Import the networks you serve; the shipped sets know the rest." },
  );
}

type Version = {
  readonly operatorId: string;
  readonly name: string;
  readonly sha256: string;
  readonly licence: string;
  readonly jobId: string;
  readonly points: readonly AccessPoint[];
  readonly refused: number;
  /** What was looked at. */
  readonly replaces: string | null;
  readonly actor: string;
};

/** @throws TurnupError `precondition_failed`: another version went live meanwhile; `input_too_long` */
export async function putVersion(tx: Tx, deps: Deps, version: Version): Promise<void> {
  const { operatorId, name, points, actor } = version;
  const named = { operatorId, kind: ACCESS_POINT_SET, name } as const;
  await lockDataset(tx, named);
  await tx.rows(LOCK, [operatorId]);
  const { change, currentId, elsewhere } = await comparedSet(tx, deps, version, points);
  if (currentId !== version.replaces)
    throw new TurnupError("precondition_failed", `Another version of ${name} went live meanwhile.`, {
      nextStep: "Bring the file again: it is compared with what is in use then.",
    });
  const added = change.added.map((point) => ({ ...point, id: deps.newId() }));
  await addAccessPoints(tx, deps, operatorId, added, actor);
  await retire(
    tx,
    deps,
    operatorId,
    idsOf(change.removed).filter((id) => !elsewhere.has(id)),
  );
  const members = [
    ...idsOf(change.kept),
    ...idsOf(added),
    ...idsOf(change.known).filter((id) => elsewhere.has(id)),
  ];
  const id = deps.newId();
  const { sha256, licence, jobId } = version;
  await stageHead(tx, { ...named, id, sha256, licence, jobId, isGsma: false, at: deps.clock() });
  await stageRows(
    tx,
    id,
    members.map((accessPoint, at) => ({ line: at + 1, body: { accessPoint } })),
  );
  await countStaged(tx, { operatorId, id }, { taken: members.length, refused: version.refused });
  await goLive(tx, named, id, deps.clock());
  const detail = { rows: added.length, removed: change.removed.length, version: sha256.slice(0, 12) };
  await noteIn(deps)(tx, operatorId, { actor, action: "access_point.import", subject: name, detail });
}

/**
 * Puts a former version back: what it had comes back, also what a person retired since, and what it had not is retired.
 * @throws TurnupError `dataset_not_found`, `dataset_rows_gone`, `input_too_long`
 */
export async function restoreVersion(
  tx: Tx,
  deps: Deps,
  { operatorId, name, id }: { readonly operatorId: string; readonly name: string; readonly id: string },
): Promise<void> {
  await lockDataset(tx, { operatorId, kind: ACCESS_POINT_SET, name }); // in the order of an import, so that neither waits for the other
  await tx.rows(LOCK, [operatorId]);
  const before = await currentOf(tx, { operatorId, kind: ACCESS_POINT_SET, name });
  const left = before ? await membersOf(tx, before.id) : [];
  await restoreDataset(tx, operatorId, id, deps.clock());
  const back = await membersOf(tx, id);
  const others = await tx.rows<{ id: string }>(MEMBERS, [operatorId]); // of all sets as they are now
  const stays = new Set(others.map((one) => one.id));
  await retire(
    tx,
    deps,
    operatorId,
    left.filter((one) => !stays.has(one)),
  );
  if ((await tx.run(BRING_BACK, [operatorId, back])) < back.length)
    throw new TurnupError("dataset_rows_gone", "Access points of this version are kept no more.", {
      nextStep: "Import its file again.",
    });
  await wakeWaiting(tx, operatorId, deps.clock());
  const own = await ownAccessPoints({ database: tx, sealer: deps.sealer }, operatorId);
  checkRoom(own.length, 0);
}

const idsOf = (points: readonly AccessPoint[]): readonly string[] => points.map(({ id }) => id);
const membersOf = async (db: Db, datasetId: string): Promise<readonly string[]> =>
  (await db.rows<{ id: string }>(MEMBERS_OF, [datasetId])).map(({ id }) => id);
const retire = (tx: Tx, { clock }: Deps, operatorId: string, ids: readonly string[]): Promise<number> =>
  tx.run(RETIRE, [operatorId, ids, clock()]);
