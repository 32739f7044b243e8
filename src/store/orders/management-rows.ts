/** Accounts of managed devices and what is to be set on them, as orders write them. */
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import type { Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** What both sides share stands under this seal. */
export const ACCOUNT_DOMAIN = "management_account";

/** A device that gets an account anew has it in the place of the former one, and every session of that is over. */
const PUT_ACCOUNT = {
  name: "put_management_account", // management_account_operator_id_device_id_key
  text: `insert into management_account (id, operator_id, device_id, token_hash, sealed, version, failures, updated_at)
         values ($1, $2, $3, $4, $5, 1, 0, $6)
         on conflict (operator_id, device_id) do update
            set token_hash = excluded.token_hash, sealed = excluded.sealed, version = management_account.version + 1,
                session_until = null, failures = 0, proved_at = null, updated_at = excluded.updated_at`,
};
/** What was to be set before: it would else be set after what takes its place, in the next session. */
const END_FORMER_TASKS = {
  name: "end_former_management_tasks", // management_account_operator_id_device_id_key, management_task_open
  text: `update management_task t set ended_at = $3 from management_account a
          where a.operator_id = $1 and a.device_id = $2 and t.account_id = a.id and t.ended_at is null`,
};
/** A device that is asked once more has it to set once more, until later. */
const REOPEN_TASKS = {
  name: "reopen_management_tasks", // management_task_order
  text: `update management_task t set expires_at = greatest(t.expires_at, v.expires_at), ended_at = null
           from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v(order_id, item_id, expires_at)
          where t.order_id = v.order_id and t.item_id = v.item_id
            and not exists (select from management_task n where n.order_id = t.order_id and n.item_id = t.item_id and n.id > t.id)`,
};
const PUT_TASK = {
  name: "put_management_task", // management_account_operator_id_device_id_key
  text: `insert into management_task (id, operator_id, account_id, order_id, item_id, settings_sealed, expires_at, created_at)
         select $1, $2, a.id, $4, $5, $6, $7, $8 from management_account a where a.operator_id = $2 and a.device_id = $3`,
};
export const CLAIM_MANAGED = {
  name: "claim_managed", // management_task_pkey
  text: "update management_task set ended_at = $2 where id = $1 and ended_at is null returning id",
};
const RELEASE_WAKES = {
  name: "release_wakes", // message_of_order
  text: `update message set due_at = $2, updated_at = $2
          where order_id = any($1::uuid[]) and kind = 'wake' and state = 'queued' and due_at > $2`,
};
const DROP_WAKES = {
  name: "drop_wakes", // message_of_order
  text: `update message set state = 'cancelled', reason = 'no longer wanted', due_at = null, lease_until = null, updated_at = $2
          where order_id = any($1::uuid[]) and kind = 'wake' and state in ('queued', 'submitting')`,
};

export function writeManagement(tx: Tx, sealer: Sealer, changes: ChangeSet, now: Date): void {
  for (const row of changes.management) {
    const sealed = sealer.seal(ACCOUNT_DOMAIN, JSON.stringify(row.standing));
    tx.send(PUT_ACCOUNT, [
      row.accountId,
      row.operatorId,
      row.deviceId,
      Buffer.from(row.tokenHash),
      sealed,
      now,
    ]);
    tx.send(END_FORMER_TASKS, [row.operatorId, row.deviceId, now]);
    tx.send(PUT_TASK, [
      ...[row.id, row.operatorId, row.deviceId, row.orderId, row.itemId],
      ...[sealer.seal("settings", JSON.stringify(row.settings)), row.expiresAt, now],
    ]);
  }
  const again = changes.managementAgain;
  if (again.length > 0)
    tx.send(REOPEN_TASKS, [
      again.map(({ orderId }) => orderId),
      again.map(({ itemId }) => itemId),
      again.map(({ expiresAt }) => expiresAt),
    ]);
  const ordersOf = (isWanted: boolean): string[] =>
    changes.wakeChanges.flatMap((one) => (one.isWanted === isWanted ? [one.orderId] : []));
  for (const [statement, orderIds] of [
    [RELEASE_WAKES, ordersOf(true)],
    [DROP_WAKES, ordersOf(false)],
  ] as const)
    if (orderIds.length > 0) tx.send(statement, [orderIds, now]);
}
