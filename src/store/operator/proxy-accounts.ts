/**
 * The operator's accounts at its proxies on PostgreSQL. A change is made under the lock of its operator's list, so that versions
 * are seen in the order in which they were given. Every statement names the index that it runs on.
 */
import type {
  ProxyAccounts,
  ProxyAccountView,
  WantedProxyAccount,
} from "../../kernel/account/proxy-accounts.ts";
import { imei14Of, parseImei } from "../../term/imei.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { assured } from "../../term/narrow.ts";
import type { AccountStanding } from "../../wire/message/account-api.ts";
import type { Db, Tx } from "../database/database.ts";
import { the } from "../database/driver.ts";
import { cutPage, END_OF_ORDER, START_OF_ORDER } from "../database/page.ts";
import { addServingChanges, subscribersWith } from "../requests/serving-changes.ts";
import { INSERT_AUDIT, type RegistryDeps } from "./audited.ts";
import { toldProxies, wakeProxies } from "./proxy-book.ts";

const ENSURE_DEVICE = {
  name: "ensure_account_device", // device_operator_id_imei_index_key
  text: `insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $4, $5)
             on conflict (operator_id, imei_index) do update set tac = excluded.tac
         returning id`,
};
const ENSURE_LIST = {
  name: "ensure_account_list", // proxy_account_list_pkey
  text: `insert into proxy_account_list (operator_id, epoch, version) values ($1, $2, 0) on conflict (operator_id) do nothing`,
};
const LOCK_LIST = {
  name: "lock_account_list", // proxy_account_list_pkey
  text: "select version from proxy_account_list where operator_id = $1 for update",
};
const RAISE_LIST = {
  name: "raise_account_list", // proxy_account_list_pkey
  text: "update proxy_account_list set version = $2 where operator_id = $1",
};
const VIEW = `a.id, d.imei_sealed, a.imsi_sealed, a.msisdn_sealed, a.standing, a.version, a.line_version as "lineVersion",
  a.changed_at as "changedAt", a.changed_by as "changedBy"`;
const OF_DEVICE = {
  name: "proxy_account_of_device", // device_operator_id_imei_index_key, proxy_account_pkey
  text: `select ${VIEW} from device d join proxy_account a on a.operator_id = d.operator_id and a.device_id = d.id
          where d.operator_id = $1 and d.imei_index = $2`,
};
const PUT = {
  name: "put_proxy_account", // proxy_account_pkey
  text: `insert into proxy_account (id, operator_id, device_id, imsi_sealed, msisdn_sealed, standing, version, line_version,
                                    changed_at, changed_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (operator_id, device_id) do update
            set imsi_sealed = excluded.imsi_sealed, msisdn_sealed = excluded.msisdn_sealed, standing = excluded.standing,
                version = excluded.version, line_version = excluded.line_version, changed_at = excluded.changed_at,
                changed_by = excluded.changed_by
         returning id`,
};
const OLDEST_FIRST = {
  name: "proxy_accounts_oldest_first", // proxy_account_by_id, device_pkey
  text: `select ${VIEW} from proxy_account a join device d on d.id = a.device_id
          where a.operator_id = $1 and a.id > $2 order by a.id limit $3`,
};
const NEWEST_FIRST = {
  name: "proxy_accounts_newest_first", // proxy_account_by_id, device_pkey
  text: `select ${VIEW} from proxy_account a join device d on d.id = a.device_id
          where a.operator_id = $1 and a.id < $2 order by a.id desc limit $3`,
};
const IS_SHUT_OUT = {
  name: "is_shut_out", // device_operator_id_imei_index_key, proxy_account_pkey, proxy_told_pkey
  text: `select from device d join proxy_account a on a.operator_id = d.operator_id and a.device_id = d.id
          where d.operator_id = $1 and d.imei_index = $2
            and (a.standing = 'blocked'
                 or a.standing = 'closed'
                    and a.version > coalesce((select t.version from proxy_told t where t.operator_id = $1 and t.proxy = $3), 0))`,
};

type AccountRow = {
  readonly id: string;
  readonly imei_sealed: Buffer;
  readonly imsi_sealed: Buffer | null;
  readonly msisdn_sealed: Buffer | null;
  readonly standing: AccountStanding;
  readonly version: number;
  readonly lineVersion: number;
  readonly changedAt: Date;
  readonly changedBy: string;
};

type Deps = Omit<RegistryDeps, "changes">;

export function createProxyAccounts(deps: Deps): ProxyAccounts {
  const { database } = deps;
  const find = async (db: Db, operatorId: string, imei: string): Promise<AccountRow | undefined> =>
    db.one<AccountRow>(OF_DEVICE, [operatorId, indexOf(deps, operatorId, imei)]);
  const view = (row: AccountRow | undefined) => row && viewOf(deps, row);
  return {
    put: (operatorId, wanted, actor) =>
      database.transaction(async (tx) => {
        await putOne(deps, tx, { operatorId, wanted, actor });
        return assured(view(await find(tx, operatorId, wanted.imei)), "it was written above");
      }),
    close: (operatorId, imei, actor) =>
      database.transaction((tx) => closeOne(deps, tx, { operatorId, imei, actor })),
    find: async (operatorId, imei) => view(await find(database, operatorId, imei)),
    async list(operatorId, { limit, cursor, order }) {
      const rows =
        order === "asc"
          ? await database.rows<AccountRow>(OLDEST_FIRST, [operatorId, cursor ?? START_OF_ORDER, limit + 1])
          : await database.rows<AccountRow>(NEWEST_FIRST, [operatorId, cursor ?? END_OF_ORDER, limit + 1]);
      const page = cutPage(rows, limit);
      return { ...page, rows: page.rows.map((row) => viewOf(deps, row)) };
    },
    proxies: (operatorId) => toldProxies(database, operatorId),
    async isShutOut(operatorId, imei, proxy) {
      const found = await database.one(IS_SHUT_OUT, [operatorId, indexOf(deps, operatorId, imei), proxy]);
      return found !== undefined;
    },
  };
}

const indexOf = ({ sealer }: Deps, operatorId: string, imei: string): Buffer =>
  sealer.blindIndex("imei", operatorId, imei14Of(parseImei(imei)));

/** The list's version, which nobody else raises before this transaction ends. */
async function lockList({ newId }: Deps, tx: Tx, operatorId: string): Promise<number> {
  await tx.run(ENSURE_LIST, [operatorId, newId()]);
  return the(await tx.rows<{ version: number }>(LOCK_LIST, [operatorId])).version;
}

const NEVER = 0;

type Putting = {
  readonly operatorId: string;
  readonly wanted: WantedProxyAccount;
  readonly actor: string;
};

async function putOne(deps: Deps, tx: Tx, { operatorId, wanted, actor }: Putting): Promise<void> {
  const { sealer } = deps;
  const version = (await lockList(deps, tx, operatorId)) + 1;
  const known = await tx.one<AccountRow>(OF_DEVICE, [operatorId, indexOf(deps, operatorId, wanted.imei)]);
  const before = {
    imsi: known?.imsi_sealed ? sealer.open("imsi", known.imsi_sealed) : null,
    msisdn: known?.msisdn_sealed ? sealer.open("msisdn", known.msisdn_sealed) : null,
  };
  const { imsi = before.imsi, msisdn = before.msisdn, isBlocked = known?.standing === "blocked" } = wanted;
  const standing = isBlocked ? "blocked" : "open";
  const isNew = !known || known.standing === "closed";
  const isOtherLine = imsi !== before.imsi || msisdn !== before.msisdn;
  if (!isNew && !isOtherLine && known.standing === standing) return;
  // Of whose SIM nothing was said, a proxy keeps what it knows by its own file or by an enrolment.
  const lineVersion = isOtherLine ? version : isNew ? NEVER : known.lineVersion;
  const id = await write(deps, tx, {
    operatorId,
    imei: wanted.imei,
    imsi,
    msisdn,
    standing,
    version,
    lineVersion,
    actor,
    isOtherStanding: standing !== (known?.standing ?? "open"),
  });
  const detail = { standing, version, ...(isOtherLine && !isNew && { line: "changed" }) };
  await note(deps, tx, {
    operatorId,
    actor,
    action: `proxy_account.${isNew ? "open" : "change"}`,
    id,
    detail,
  });
}

type Written = {
  readonly operatorId: string;
  readonly imei: string;
  readonly imsi: string | null;
  readonly msisdn: string | null;
  readonly standing: AccountStanding;
  readonly version: number;
  readonly lineVersion: number;
  readonly actor: string;
  /** Of one that was there before. */
  readonly isOtherStanding: boolean;
};

async function write(deps: Deps, tx: Tx, account: Written): Promise<string> {
  const { sealer, newId, clock } = deps;
  const { operatorId, imsi, msisdn, standing, version, lineVersion, actor, isOtherStanding } = account;
  const imei = parseImei(account.imei);
  const index = sealer.blindIndex("imei", operatorId, imei14Of(imei));
  const sealed = sealer.seal("imei", imei);
  const devices = await tx.rows<{ id: string }>(ENSURE_DEVICE, [
    newId(),
    operatorId,
    index,
    sealed,
    imei.slice(0, 8),
  ]);
  const put = await tx.rows<{ id: string }>(PUT, [
    newId(),
    operatorId,
    the(devices).id,
    imsi === null ? null : sealer.seal("imsi", imsi),
    msisdn === null ? null : sealer.seal("msisdn", msisdn),
    standing,
    version,
    lineVersion,
    clock(),
    actor,
  ]);
  await tx.run(RAISE_LIST, [operatorId, version]);
  if (isOtherStanding) await tellServing(deps, tx, operatorId, { deviceId: the(devices).id, standing });
  await wakeProxies(tx, operatorId, clock());
  return the(put).id;
}

/** Whoever serves the device hears that its account was blocked, released or closed (R123). */
async function tellServing(
  { newId, clock }: Deps,
  tx: Tx,
  operatorId: string,
  { deviceId, standing }: { readonly deviceId: string; readonly standing: AccountStanding },
): Promise<void> {
  const subscribers = await subscribersWith(tx, operatorId, deviceId);
  const changed = subscribers.map((subscriberId) => ({ id: newId(), subscriberId, deviceId }));
  const event = standing === "closed" ? "removed" : "changed";
  await addServingChanges(tx, changed, { event, what: "account", at: clock() });
}

type Closing = { readonly operatorId: string; readonly imei: string; readonly actor: string };

async function closeOne(deps: Deps, tx: Tx, { operatorId, imei, actor }: Closing): Promise<boolean> {
  const version = (await lockList(deps, tx, operatorId)) + 1;
  const known = await tx.one<AccountRow>(OF_DEVICE, [operatorId, indexOf(deps, operatorId, imei)]);
  if (!known || known.standing === "closed") return false;
  const nobody = { imsi: null, msisdn: null };
  await write(deps, tx, {
    operatorId,
    imei,
    ...nobody,
    standing: "closed",
    version,
    lineVersion: version,
    actor,
    isOtherStanding: true,
  });
  const detail = { version };
  await note(deps, tx, { operatorId, actor, action: "proxy_account.close", id: known.id, detail });
  return true;
}

type Noted = {
  readonly operatorId: string;
  readonly actor: string;
  readonly action: string;
  readonly id: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

const note = ({ newId, clock }: Deps, tx: Tx, { operatorId, actor, action, id, detail }: Noted) =>
  tx.run(INSERT_AUDIT, [newId(), operatorId, actor, action, id, JSON.stringify(detail), clock()]);

const viewOf = ({ sealer }: Deps, row: AccountRow): ProxyAccountView => ({
  id: row.id,
  imeiMasked: maskIdentifier(sealer.open("imei", row.imei_sealed), "imei"),
  imsiMasked: row.imsi_sealed && maskIdentifier(sealer.open("imsi", row.imsi_sealed), "imsi"),
  msisdnMasked: row.msisdn_sealed && maskIdentifier(sealer.open("msisdn", row.msisdn_sealed), "msisdn"),
  standing: row.standing,
  version: row.version,
  changedAt: row.changedAt.toISOString(),
  changedBy: row.changedBy,
});
