/** The operator's own subscriber records, sealed, found by blind indexes. Every statement names the index that it runs on. */
import {
  type OwnRecords,
  type RecordNumber,
  type RecordsPut,
  type RemovalLimit,
  refuseManyRemoved,
  type SubscriberRecord,
  type SubscriberRecordView,
  type WholeGiven,
  type WholePlan,
} from "../../kernel/account/own-records.ts";
import { USER_FIELDS, type UserData } from "../../kernel/account/user-data.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Tx } from "../database/database.ts";
import { cutPage, END_OF_ORDER, START_OF_ORDER } from "../database/page.ts";
import { RECORD_DOMAIN, recordIdOf } from "../requests/record-rows.ts";
import { openJson, type Sealer } from "../seal/seal.ts";
import { INSERT_AUDIT, type RegistryDeps } from "./audited.ts";
import { compareWhole, eraseAbsent } from "./whole-records.ts";

const TAKE_NUMBERS = {
  name: "take_record_numbers", // subscriber_record_by_msisdn
  text: `update subscriber_record r set msisdn_index = null, msisdn_sealed = null
           from unnest($2::bytea[], $3::bytea[]) as v(msisdn, imsi)
          where r.operator_id = $1 and r.msisdn_index = v.msisdn and r.imsi_index is not null and r.imsi_index <> v.imsi`,
};
const REPLACE = {
  name: "replace_records", // subscriber_record_by_imsi, subscriber_record_by_msisdn
  text: `delete from subscriber_record where operator_id = $1 and (imsi_index = any($2::bytea[]) or msisdn_index = any($3::bytea[]))`,
};
const VIEW = `id, imsi_sealed, msisdn_sealed, user_sealed, source, updated_at as "updatedAt"`;
const BY_IMSI = {
  name: "record_by_imsi", // subscriber_record_by_imsi
  text: `select ${VIEW} from subscriber_record where operator_id = $1 and imsi_index = $2`,
};
const BY_MSISDN = {
  name: "record_by_msisdn", // subscriber_record_by_msisdn
  text: `select ${VIEW} from subscriber_record where operator_id = $1 and msisdn_index = $2`,
};
const BY_ID = {
  name: "record_by_id", // subscriber_record_by_id
  text: `select ${VIEW} from subscriber_record where operator_id = $1 and id = $2`,
};
const OLDEST_FIRST = {
  name: "records_oldest_first", // subscriber_record_by_id
  text: `select ${VIEW} from subscriber_record where operator_id = $1 and id > $2 order by id limit $3`,
};
const NEWEST_FIRST = {
  name: "records_newest_first", // subscriber_record_by_id
  text: `select ${VIEW} from subscriber_record where operator_id = $1 and id < $2 order by id desc limit $3`,
};
const ERASE = {
  name: "erase_record", // subscriber_record_by_id
  text: "delete from subscriber_record where operator_id = $1 and id = $2",
};

type NewRow = {
  readonly id: string;
  readonly operatorId: string;
  readonly imsiIndex: Buffer | null;
  readonly imsiSealed: Buffer | null;
  readonly msisdnIndex: Buffer | null;
  readonly msisdnSealed: Buffer | null;
  readonly userSealed: Buffer;
  readonly source: string;
  readonly now: Date;
};
const insertRecords = bulkInsert<NewRow>("subscriber_record", [
  { name: "id", type: "uuid", value: ({ id }) => id },
  { name: "operator_id", type: "uuid", value: ({ operatorId }) => operatorId },
  { name: "imsi_index", type: "bytea", value: ({ imsiIndex }) => imsiIndex },
  { name: "imsi_sealed", type: "bytea", value: ({ imsiSealed }) => imsiSealed },
  { name: "msisdn_index", type: "bytea", value: ({ msisdnIndex }) => msisdnIndex },
  { name: "msisdn_sealed", type: "bytea", value: ({ msisdnSealed }) => msisdnSealed },
  { name: "user_sealed", type: "bytea", value: ({ userSealed }) => userSealed },
  { name: "source", type: "text", value: ({ source }) => source },
  { name: "updated_at", type: "timestamptz", value: ({ now }) => now },
]);

type StoredRow = {
  readonly id: string;
  readonly imsi_sealed: Buffer | null;
  readonly msisdn_sealed: Buffer | null;
  readonly user_sealed: Buffer;
  readonly source: string;
  readonly updatedAt: Date;
};

export function createOwnRecords(deps: Omit<RegistryDeps, "changes">): OwnRecords {
  const { database, sealer, newId, clock } = deps;
  const one = async (statement: typeof BY_ID, operatorId: string, key: string | Buffer) => {
    const row = await database.one<StoredRow>(statement, [operatorId, key]);
    return row && viewOf(sealer, row);
  };
  const find = (operatorId: string, number: RecordNumber): Promise<SubscriberRecordView | undefined> =>
    "imsi" in number
      ? one(BY_IMSI, operatorId, sealer.blindIndex("imsi", operatorId, number.imsi))
      : one(BY_MSISDN, operatorId, sealer.blindIndex("msisdn", operatorId, number.msisdn));
  return {
    put: (operatorId, records, by) =>
      database.transaction((tx) => putAll(deps, tx, { operatorId, records, ...by })),
    planWhole: async (operatorId, given) => (await compareWhole(deps, operatorId, given)).plan,
    putWhole: (operatorId, given, limit) => putWhole(deps, operatorId, given, limit),
    find,
    async list(operatorId, { limit, cursor, order }) {
      const rows =
        order === "asc"
          ? await database.rows<StoredRow>(OLDEST_FIRST, [operatorId, cursor ?? START_OF_ORDER, limit + 1])
          : await database.rows<StoredRow>(NEWEST_FIRST, [operatorId, cursor ?? END_OF_ORDER, limit + 1]);
      const page = cutPage(rows, limit);
      return { ...page, rows: page.rows.map((row) => viewOf(sealer, row)) };
    },
    async remove(operatorId, number, actor) {
      const found = await find(operatorId, number);
      if (!found) return false;
      return database.transaction(async (tx) => {
        if ((await tx.run(ERASE, [operatorId, found.id])) === 0) return false;
        const audit = [newId(), operatorId, actor, "subscriber_record.erase", found.id, {}, clock()];
        await tx.run(INSERT_AUDIT, audit);
        return true;
      });
    },
    async ofSubscriber(operatorId, subscriberId) {
      const id = await recordIdOf(database, operatorId, subscriberId);
      return id === undefined ? undefined : one(BY_ID, operatorId, id);
    },
  };
}

async function putWhole(
  deps: Omit<RegistryDeps, "changes">,
  operatorId: string,
  given: WholeGiven,
  limit: RemovalLimit,
): Promise<WholePlan> {
  const { source, actor } = given;
  const whole = await compareWhole(deps, operatorId, given);
  refuseManyRemoved(whole.plan, limit);
  // A broken import is begun again, and changes nothing that it wrote.
  for (let at = 0; at < whole.news.length; at += BATCH_ROWS) {
    const records = whole.news.slice(at, at + BATCH_ROWS);
    await deps.database.transaction((tx) => putAll(deps, tx, { operatorId, records, source, actor }));
  }
  return { ...whole.plan, removed: await eraseAbsent(deps, operatorId, whole, given) };
}
const BATCH_ROWS = 1_000;

type Putting = {
  readonly operatorId: string;
  readonly records: readonly SubscriberRecord[];
  readonly source: string;
  readonly actor: string;
};

async function putAll(
  { sealer, newId, clock }: Omit<RegistryDeps, "changes">,
  tx: Tx,
  { operatorId, records, source, actor }: Putting,
): Promise<RecordsPut> {
  if (records.length === 0) return { taken: 0, replaced: 0 };
  const now = clock();
  const indexed = (domain: string, text: string | null): Buffer | null =>
    text === null ? null : sealer.blindIndex(domain, operatorId, text);
  const sealed = (domain: string, text: string | null): Buffer | null =>
    text === null ? null : sealer.seal(domain, text);
  const rows = records.map(
    ({ imsi, msisdn, user }): NewRow => ({
      id: newId(),
      operatorId,
      imsiIndex: indexed("imsi", imsi),
      imsiSealed: sealed("imsi", imsi),
      msisdnIndex: indexed("msisdn", msisdn),
      msisdnSealed: sealed("msisdn", msisdn),
      userSealed: sealer.seal(RECORD_DOMAIN, JSON.stringify(user)),
      source,
      now,
    }),
  );
  const both = rows.filter(({ imsiIndex, msisdnIndex }) => imsiIndex && msisdnIndex);
  await tx.run(TAKE_NUMBERS, [
    operatorId,
    both.map(({ msisdnIndex }) => msisdnIndex),
    both.map(({ imsiIndex }) => imsiIndex),
  ]);
  const replaced = await tx.run(REPLACE, [
    operatorId,
    rows.flatMap(({ imsiIndex }) => imsiIndex ?? []),
    rows.flatMap(({ msisdnIndex }) => msisdnIndex ?? []),
  ]);
  await insertRecords(tx, rows);
  const detail = { taken: rows.length, replaced, source };
  await tx.run(INSERT_AUDIT, [newId(), operatorId, actor, "subscriber_records.put", source, detail, now]);
  return { taken: rows.length, replaced };
}

function viewOf(sealer: Sealer, row: StoredRow): SubscriberRecordView {
  const user = openJson<UserData>(sealer, RECORD_DOMAIN, row.user_sealed);
  return {
    id: row.id,
    imsiMasked: row.imsi_sealed && maskIdentifier(sealer.open("imsi", row.imsi_sealed), "imsi"),
    msisdnMasked: row.msisdn_sealed && maskIdentifier(sealer.open("msisdn", row.msisdn_sealed), "msisdn"),
    user: Object.fromEntries(
      USER_FIELDS.flatMap((field) => (user[field] ? [[field, `${[...user[field]][0]}***`]] : [])),
    ),
    source: row.source,
    updatedAt: row.updatedAt.toISOString(),
  };
}
