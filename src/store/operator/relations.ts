/** What an operator agreed with manufacturers, one row a make. The passwords of a key's access points stand sealed. */
import type { Relations } from "../../kernel/account/registry.ts";
import type { Relation } from "../../kernel/operator/operator-terms.ts";
import type { KeyAccessPoint } from "../../wire/message/device-key-form.ts";
import { putInForce } from "../node/versions.ts";
import { wakeWaiting } from "../orders/wake.ts";
import type { Sealer } from "../seal/seal.ts";
import type { Note, RegistryDeps } from "./audited.ts";

/** Makes of one operator: entered by hand. */
const MAX_RELATIONS = 10_000;
const PASSWORD_DOMAIN = "access_point_password";

const RELATION = `make, deal, key_source as "keySource", key_server as "keyServer", access_points as "accessPoints",
  app_hosts as "appHosts", key_issuers as "keyIssuers", fee_minor as "feeMinor", currency, fee_level as "feeLevel",
  portion_basis_points as "portionBasisPoints", key_request_by as "keyRequestBy", delete_after_use as "deleteAfterUse",
  key_apns_as_settings as "keyApnsAsSettings", key_stock_low as "keyStockLow", portion_paid_by as "portionPaidBy"`;
const LIST_RELATIONS = {
  name: "list_relations", // relation_once
  text: `select ${RELATION} from relation where operator_id = $1 order by lower(make) limit ${MAX_RELATIONS}`,
};
const FIND_RELATION = {
  name: "find_relation", // relation_once
  text: `select ${RELATION} from relation where operator_id = $1 and lower(make) = lower($2)`,
};
const LOCK_RELATION = { name: "lock_relation", text: `${FIND_RELATION.text} for update` };
const PUT_RELATION = {
  name: "put_relation", // relation_once
  text: `insert into relation (id, operator_id, make, deal, key_source, key_server, access_points, app_hosts, key_issuers,
                fee_minor, currency, fee_level, portion_basis_points, key_request_by, delete_after_use, key_apns_as_settings, key_stock_low,
                portion_paid_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
             on conflict (operator_id, lower(make)) do update
            set make = excluded.make, deal = excluded.deal, key_source = excluded.key_source, key_server = excluded.key_server,
                access_points = excluded.access_points, app_hosts = excluded.app_hosts, key_issuers = excluded.key_issuers,
                fee_minor = excluded.fee_minor, currency = excluded.currency, fee_level = excluded.fee_level,
                portion_basis_points = excluded.portion_basis_points, key_request_by = excluded.key_request_by,
                delete_after_use = excluded.delete_after_use, key_apns_as_settings = excluded.key_apns_as_settings,
                key_stock_low = excluded.key_stock_low, portion_paid_by = excluded.portion_paid_by`,
};
const REMOVE_RELATION = {
  name: "remove_relation", // relation_once
  text: "delete from relation where operator_id = $1 and lower(make) = lower($2)",
};

type SealedKeyPoint = KeyAccessPoint & { readonly passwordSealed?: string };
type RelationRow = Omit<Relation, "accessPoints"> & { readonly accessPoints: readonly SealedKeyPoint[] };

const opened = (sealer: Sealer, row: RelationRow): Relation => ({
  ...row,
  accessPoints: row.accessPoints.map(({ passwordSealed, ...point }) =>
    passwordSealed === undefined
      ? point
      : { ...point, password: sealer.open(PASSWORD_DOMAIN, Buffer.from(passwordSealed, "base64")) },
  ),
});

const sealed = (sealer: Sealer, points: readonly KeyAccessPoint[]): SealedKeyPoint[] =>
  points.map(({ password, ...point }) =>
    password === undefined
      ? point
      : { ...point, passwordSealed: sealer.seal(PASSWORD_DOMAIN, password).toString("base64") },
  );

export async function relationsOf(
  { database, sealer }: Pick<RegistryDeps, "database" | "sealer">,
  operatorId: string,
): Promise<Relation[]> {
  const rows = await database.rows<RelationRow>(LIST_RELATIONS.text, [operatorId]);
  return rows.map((row) => opened(sealer, row));
}

export function relationsIn(deps: RegistryDeps, note: Note): Relations<Relation> {
  const { database, sealer, newId, clock } = deps;
  return {
    list: (operatorId) => relationsOf(deps, operatorId),
    async find(operatorId, make) {
      const row = await database.one<RelationRow>(FIND_RELATION, [operatorId, make]);
      return row && opened(sealer, row);
    },
    put: (operatorId, relation, expected, actor) =>
      putInForce(deps, operatorId, ["relations"], async (tx) => {
        const current = await tx.one<RelationRow>(LOCK_RELATION, [operatorId, relation.make]);
        if (!expected(current && opened(sealer, current))) return "changed";
        await tx.run(PUT_RELATION, [newId(), operatorId, ...relationValues(sealer, relation)]);
        await wakeWaiting(tx, operatorId, clock());
        const { deal, keySource, feeLevel } = relation;
        await note(tx, operatorId, {
          actor,
          action: "relation.put",
          subject: relation.make,
          detail: { deal, keySource, feeLevel },
        });
        return "stored";
      }),
    remove: (operatorId, make, actor) =>
      putInForce(deps, operatorId, ["relations"], async (tx) => {
        const found = (await tx.run(REMOVE_RELATION, [operatorId, make])) > 0;
        if (found) await note(tx, operatorId, { actor, action: "relation.remove", subject: make });
        return found;
      }),
  };
}

const relationValues = (sealer: Sealer, relation: Relation): unknown[] => [
  relation.make,
  relation.deal,
  relation.keySource,
  relation.keyServer,
  JSON.stringify(sealed(sealer, relation.accessPoints)),
  relation.appHosts,
  JSON.stringify(relation.keyIssuers),
  relation.feeMinor,
  relation.currency,
  relation.feeLevel,
  relation.portionBasisPoints,
  relation.keyRequestBy,
  relation.deleteAfterUse,
  relation.keyApnsAsSettings,
  relation.keyStockLow,
  relation.portionPaidBy,
];
