/**
 * What managed devices were to be set to goes when its order is long over, and with it accounts that no device ever proved: both hold
 * settings and secrets that nobody asks for any more. An account that its device has proved stays: the device may speak to it again.
 */
import { hoursAfter } from "../../term/moment.ts";
import type { SweepDeps } from "./sweep.ts";

/** An order that rested so long is not sent again. */
const REST_DAYS = 90;
const BATCH = 5_000;

const DROP_TASKS = {
  name: "drop_management_tasks", // management_task_pkey, provisioning_order_pkey
  text: `with over as (
           select t.id from management_task t left join provisioning_order o on o.id = t.order_id
            where t.expires_at < $1 and (o.id is null or (o.due_at is null and o.updated_at < $1))
            order by t.id limit ${BATCH} for update of t skip locked)
         delete from management_task t using over where t.id = over.id`,
};
/** Whoever gives a device a new account has its row locked, and it is not touched here. */
const DROP_ACCOUNTS = {
  name: "drop_management_accounts", // management_account_pkey
  text: `with over as (
           select a.id from management_account a
            where a.proved_at is null and a.updated_at < $1
              and not exists (select from management_task t where t.account_id = a.id)
            order by a.id limit ${BATCH} for update of a skip locked)
         delete from management_account a using over where a.id = over.id`,
};

/** @returns how many tasks and accounts went; more may be left for the next time */
export const dropManagedDevicesOver = ({
  database,
  clock,
}: Pick<SweepDeps, "database" | "clock">): Promise<number> =>
  database.transaction(async (tx) => {
    const before = hoursAfter(clock(), -24 * REST_DAYS);
    const tasks = await tx.run(DROP_TASKS, [before]);
    return tasks + (await tx.run(DROP_ACCOUNTS, [before]));
  });
