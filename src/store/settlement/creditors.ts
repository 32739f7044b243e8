/** Account data of creditors, sealed: only what is masked can be read without the seal key. */

import type { Acting } from "../../kernel/account/person.ts";
import {
  type Creditor,
  type Creditors,
  type CreditorView,
  maskedAccountOf,
} from "../../kernel/settlement/creditor.ts";
import type { Db } from "../database/database.ts";
import { type Note, noteIn, type RegistryDeps } from "../operator/audited.ts";
import { openJson, type Sealer } from "../seal/seal.ts";

const DOMAIN = "creditor";
/** Makes of one operator: entered by hand. */
const CREDITORS_MAX = 10_000;

const ROW = `make, sealed, made_by as "madeBy", made_at as "madeAt"`;
const LIST = `select ${ROW} from creditor where operator_id = $1 and make is not null
               order by lower(make) limit ${CREDITORS_MAX}`; // creditor_once
const FIND = `select ${ROW} from creditor where operator_id = $1 and lower(coalesce(make, '')) = lower(coalesce($2::text, ''))`; // creditor_once
/** Another account than before (`$8`), or one of which nobody knows whose word it was. */
const IS_CHANGED = "($8 or (c.account_changed_by is not null and c.account_changed_by ->> 'person' is null))";
/** creditor_once */
const PUT = `insert into creditor as c (id, operator_id, make, sealed, masked, made_by, made_at, account_changed_at, account_changed_by)
             values ($1, $2, $3, $4, $5, $6, $7, $7, $9::jsonb)
                 on conflict (operator_id, lower(coalesce(make, ''))) do update
                set make = excluded.make, sealed = excluded.sealed, masked = excluded.masked,
                    made_by = excluded.made_by, made_at = excluded.made_at,
                    account_changed_at = case when ${IS_CHANGED} then excluded.account_changed_at else c.account_changed_at end,
                    account_changed_by = case when ${IS_CHANGED} then excluded.account_changed_by else c.account_changed_by end,
                    account_seen_at = case when ${IS_CHANGED} then null else c.account_seen_at end
             returning ${ROW}`;
const LOCKED = `${FIND} for update`;
const REMOVE = "delete from creditor where operator_id = $1 and lower(coalesce(make, '')) = lower($2)"; // creditor_once

type Row = {
  readonly make: string | null;
  readonly sealed: Buffer;
  readonly madeBy: string;
  readonly madeAt: Date;
};

export function createCreditors(deps: RegistryDeps): Creditors {
  const { database, sealer } = deps;
  const note = noteIn(deps);
  return {
    list: async (operatorId) =>
      (await database.rows<Row>(LIST, [operatorId])).map((row) => viewOf(sealer, row)),
    async find(operatorId, make) {
      const row = await database.one<Row>(FIND, [operatorId, make]);
      return row && viewOf(sealer, row);
    },
    put: (operatorId, creditor, actor) => putCreditor(deps, note, { operatorId, creditor, actor }),
    remove: (operatorId, make, actor) =>
      database.transaction(async (tx) => {
        const found = (await tx.run(REMOVE, [operatorId, make])) > 0;
        if (found) await note(tx, operatorId, { actor, action: "creditor.remove", subject: make });
        return found;
      }),
  };
}

function putCreditor(
  { database, sealer, newId, clock }: RegistryDeps,
  note: Note,
  {
    operatorId,
    creditor,
    actor,
  }: { readonly operatorId: string; readonly creditor: Creditor; readonly actor: Acting | string },
): Promise<CreditorView> {
  return database.transaction(async (tx) => {
    const { make } = creditor;
    const { label, ...who } = typeof actor === "string" ? { label: actor } : actor;
    const before = await tx.one<Row>(LOCKED, [operatorId, make]);
    const isChanged = !before || !isSameAccount(opened(sealer, before), creditor);
    const sealed = sealer.seal(DOMAIN, JSON.stringify(creditor));
    const masked = maskedAccountOf(creditor);
    const row = await tx.one<Row>(PUT, [
      ...[newId(), operatorId, make, sealed, masked, label, clock(), isChanged],
      "person" in who ? JSON.stringify(who) : null,
    ]);
    if (!row) throw new Error("account data were neither written nor replaced");
    const action = make === null ? "payer.put" : "creditor.put";
    const detail = { account: masked, ...("person" in who && who.person !== null && { person: who.person }) };
    await note(tx, operatorId, { actor: label, action, subject: make ?? "payer", detail });
    return viewOf(sealer, row);
  });
}

/** Where the money goes; a name, an address or a reference is no other account. */
const isSameAccount = (one: Creditor, other: Creditor): boolean =>
  JSON.stringify([one.account, one.bic]) === JSON.stringify([other.account, other.bic]);

/** Whom a file pays, or who pays by it, in clear: for the file alone. */
export async function openCreditor(
  db: Db,
  sealer: Sealer,
  operatorId: string,
  make: string | null,
): Promise<Creditor | undefined> {
  const row = await db.one<Row>(FIND, [operatorId, make]);
  return row && opened(sealer, row);
}

const opened = (sealer: Sealer, { sealed }: Row): Creditor => openJson<Creditor>(sealer, DOMAIN, sealed);

function viewOf(sealer: Sealer, row: Row): CreditorView {
  const creditor = opened(sealer, row);
  const { account: _hidden, ...shown } = creditor;
  return {
    ...shown,
    accountMasked: maskedAccountOf(creditor),
    madeBy: row.madeBy,
    madeAt: row.madeAt.toISOString(),
  };
}
