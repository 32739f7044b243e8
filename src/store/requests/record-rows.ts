/**
 * The record that an operator has of a subscriber, and the comparisons with it that fell short. Every statement names the
 * index that it runs on.
 */

import type { AccountFacts } from "../../kernel/account/account-facts.ts";
import type { UserData } from "../../kernel/account/user-data.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import type { Db } from "../database/database.ts";
import { openJson, type Sealer } from "../seal/seal.ts";

export const RECORD_DOMAIN = "subscriber_record";
/** Longer than the longest window of a policy. */
const KEPT_DAYS = 31;
const DAY_MS = 86_400_000;
const FORGOTTEN_AT_ONCE = 500;

/** By the SIM, else by its number. */
const RECORD_OF = {
  name: "record_of_subscriber", // subscriber_pkey, subscriber_record_by_imsi, subscriber_record_by_msisdn
  text: `select r.id, r.user_sealed, r.imsi_index is not null and r.imsi_index <> s.imsi_index as "isOfAnotherSim"
           from subscriber s join lateral (
             select id, user_sealed, imsi_index, 1 as rank from subscriber_record
              where operator_id = s.operator_id and imsi_index = s.imsi_index
             union all
             select id, user_sealed, imsi_index, 2 from subscriber_record
              where operator_id = s.operator_id and msisdn_index = s.msisdn_index) r on true
          where s.id = $2 and s.operator_id = $1 order by r.rank limit 1`,
};
const RECORD_OF_NUMBERS = {
  name: "record_of_numbers", // subscriber_record_by_imsi, subscriber_record_by_msisdn
  text: `select id, user_sealed, imsi_index is not null and imsi_index <> $2 as "isOfAnotherSim"
           from subscriber_record where operator_id = $1 and (imsi_index = $2 or msisdn_index = $3)
          order by imsi_index is distinct from $2 limit 1`,
};
const TRIES_OF = {
  name: "record_tries_of", // record_try_of_subscriber, record_try_of_device
  text: `select greatest((select count(*) from record_try where subscriber_id = $2 and operator_id = $1 and at >= $4),
                         (select count(*) from record_try where device_id = $3 and operator_id = $1 and at >= $4))::int as tries`,
};
const ADD_TRY = {
  name: "add_record_try",
  text: "insert into record_try (id, operator_id, subscriber_id, device_id, order_id, at) values ($1, $2, $3, $4, $5, $6)",
};
const FORGET = {
  name: "forget_record_tries", // record_try_by_time
  text: `delete from record_try where id in (select id from record_try where at < $1 order by at limit ${FORGOTTEN_AT_ONCE})`,
};

type Row = { readonly id: string; readonly user_sealed: Buffer; readonly isOfAnotherSim: boolean };

const rowOf = (db: Db, operatorId: string, subscriberId: string): Promise<Row | undefined> =>
  db.one<Row>(RECORD_OF, [operatorId, subscriberId]);

export async function recordIdOf(
  db: Db,
  operatorId: string,
  subscriberId: string,
): Promise<string | undefined> {
  return (await rowOf(db, operatorId, subscriberId))?.id;
}

export async function recordFactsOf(
  db: Db,
  sealer: Sealer,
  of: { readonly operatorId: string; readonly subscriberId: string; readonly deviceId: string },
  since: Date,
): Promise<Pick<AccountFacts, "record" | "recordTries">> {
  const { operatorId, subscriberId, deviceId } = of;
  const row = await rowOf(db, operatorId, subscriberId);
  const counted = await db.one<{ tries: number }>(TRIES_OF, [operatorId, subscriberId, deviceId, since]);
  return { record: row ? recordIn(sealer, row) : null, recordTries: counted?.tries ?? 0 };
}

const recordIn = (
  sealer: Sealer,
  { user_sealed, isOfAnotherSim }: Row,
): NonNullable<AccountFacts["record"]> => ({
  user: openJson<UserData>(sealer, RECORD_DOMAIN, user_sealed),
  isOfAnotherSim: Boolean(isOfAnotherSim),
});

/** Of a SIM that is in no books yet. */
export async function recordOfNumbers(
  db: Db,
  sealer: Sealer,
  operatorId: string,
  { imsi, msisdn }: { readonly imsi: string | null; readonly msisdn: string | null },
): Promise<AccountFacts["record"]> {
  const index = (domain: string, text: string | null): Buffer | null =>
    text === null ? null : sealer.blindIndex(domain, operatorId, text);
  const row = await db.one<Row>(RECORD_OF_NUMBERS, [
    operatorId,
    index("imsi", imsi),
    index("msisdn", msisdn),
  ]);
  return row ? recordIn(sealer, row) : null;
}

export async function addRecordTries(db: Db, tries: ChangeSet["recordTries"], now: Date): Promise<void> {
  if (tries.length === 0) return;
  await db.run(FORGET, [new Date(now.getTime() - KEPT_DAYS * DAY_MS)]);
  for (const { id, operatorId, subscriberId, deviceId, orderId } of tries)
    await db.run(ADD_TRY, [id, operatorId, subscriberId, deviceId, orderId, now]);
}
