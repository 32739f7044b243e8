/** An operator's own access points on PostgreSQL; the password stands sealed in the body. */
import type { AccessPoints } from "../../kernel/account/registry.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import type { Db, Tx } from "../database/database.ts";
import { putInForce } from "../node/versions.ts";
import { wakeWaiting } from "../orders/wake.ts";
import type { Sealer } from "../seal/seal.ts";
import { type Note, noteIn, type RegistryDeps } from "./audited.ts";

/** Of one operator: more would be left out where orders look for them. */
export const OWN_ACCESS_POINTS_MAX = 10_000;

const OWN_ACCESS_POINTS = {
  name: "own_access_points", // access_point_of_operator
  text: `select id, body from access_point where operator_id = $1 and retired_at is null order by id limit ${OWN_ACCESS_POINTS_MAX}`,
};
const FIND_ACCESS_POINT = {
  name: "find_access_point", // access_point_of_operator
  text: "select id, body from access_point where operator_id = $1 and id = $2 and retired_at is null",
};
const INSERT_ACCESS_POINT = {
  name: "insert_access_point", // access_point_pkey
  text: `insert into access_point (id, operator_id, body, made_by, made_at) values ($1, $2, $3, $4, $5)
             on conflict (id) do nothing`,
};
const RETIRE_ACCESS_POINT = {
  name: "retire_access_point", // access_point_of_operator
  text: "update access_point set retired_at = $3 where operator_id = $1 and id = $2 and retired_at is null",
};

/** Under way has a deadline; an order that is over has none. */
const COUNT_ORDERS = {
  name: "orders_under_way_with_apn", // provisioning_order_by_deadline, order_item_of_order
  text: `select count(*)::int as count from (
           select from provisioning_order o
            where o.operator_id = $1 and o.deadline_at is not null and o.ended_at is null
              and exists (select from order_item i where i.order_id = o.id and i.apns @> array[$2]::text[])
            limit $3) found`,
};

type SealedPoint = { readonly id: string; readonly body: AccessPoint & { readonly passwordSealed?: string } };
const PASSWORD_DOMAIN = "access_point_password";

function opened(sealer: Sealer, { id, body }: SealedPoint): AccessPoint {
  const { passwordSealed, ...point } = body;
  const password =
    passwordSealed === undefined
      ? point.password
      : sealer.open(PASSWORD_DOMAIN, Buffer.from(passwordSealed, "base64"));
  return { ...point, id, password };
}

function sealed(sealer: Sealer, point: AccessPoint): SealedPoint["body"] {
  if (point.password === null) return point;
  const passwordSealed = sealer.seal(PASSWORD_DOMAIN, point.password).toString("base64");
  return { ...point, password: null, passwordSealed };
}

export async function ownAccessPoints(
  { database, sealer }: { readonly database: Db; readonly sealer: Sealer },
  operatorId: string,
): Promise<AccessPoint[]> {
  const rows = await database.rows<SealedPoint>(OWN_ACCESS_POINTS.text, [operatorId]);
  return rows.map((row) => opened(sealer, row));
}

/** Adds them in a transaction of somebody else's; those whose id is there stay as they are. */
export async function addAccessPoints(
  tx: Tx,
  deps: Pick<RegistryDeps, "sealer" | "clock" | "newId">,
  operatorId: string,
  points: readonly AccessPoint[],
  actor: string,
): Promise<void> {
  const note = noteIn(deps);
  let count = 0;
  for (const point of points) {
    const body = JSON.stringify(sealed(deps.sealer, point));
    const added = await tx.run(INSERT_ACCESS_POINT, [point.id, operatorId, body, actor, deps.clock()]);
    if (added === 0) continue;
    count++;
    const detail = { apn: point.apn };
    await note(tx, operatorId, { actor, action: "access_point.add", subject: point.id, detail });
  }
  if (count > 0) await wakeWaiting(tx, operatorId, deps.clock());
}

export function accessPointsIn(deps: RegistryDeps, note: Note): AccessPoints<AccessPoint> {
  const { database, sealer, clock } = deps;
  const addAll: AccessPoints<AccessPoint>["addAll"] = (operatorId, points, actor) =>
    putInForce(deps, operatorId, ["access_points"], (tx) =>
      addAccessPoints(tx, deps, operatorId, points, actor),
    );
  return {
    list: (operatorId) => ownAccessPoints(deps, operatorId),
    async find(operatorId, id) {
      const row = await database.one<SealedPoint>(FIND_ACCESS_POINT, [operatorId, id]);
      return row && opened(sealer, row);
    },
    add: (operatorId, point, actor) => addAll(operatorId, [point], actor),
    addAll,
    countOrders: async (operatorId, apn, most) =>
      (await database.one<{ count: number }>(COUNT_ORDERS, [operatorId, apn.toLowerCase(), most]))?.count ??
      0,
    retire: (operatorId, id, actor) =>
      putInForce(deps, operatorId, ["access_points"], async (tx) => {
        const found = (await tx.run(RETIRE_ACCESS_POINT, [operatorId, id, clock()])) > 0;
        if (found) await note(tx, operatorId, { actor, action: "access_point.retire", subject: id });
        return found;
      }),
  };
}
