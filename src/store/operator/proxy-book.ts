/** How far each proxy was told of its operator's accounts, and what comes next. Every statement names the index that it runs on. */
import type { ProxyBook, ToldProxy } from "../../kernel/account/proxy-accounts.ts";
import { type AccountChange, type AccountStanding, CHANGES_MAX } from "../../wire/message/account-api.ts";
import type { Database, Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

const LIST_VERSION = "coalesce((select l.version from proxy_account_list l where l.operator_id = $1), 0)";

const WAKE_ALL = {
  name: "wake_proxies", // proxy_told_pkey
  text: "update proxy_told set next_try_at = $2 where operator_id = $1 and next_try_at > $2",
};
const WAKE_ONE = {
  name: "wake_proxy", // proxy_told_pkey
  text: "update proxy_told set next_try_at = $3 where operator_id = $1 and proxy = $2 and next_try_at > $3",
};
const ENSURE = {
  name: "ensure_proxies_told", // proxy_told_pkey
  text: `insert into proxy_told (operator_id, proxy, version, tries, next_try_at)
         select $1, proxy, 0, 0, $3 from unnest($2::text[]) as proxy order by proxy on conflict (operator_id, proxy) do nothing`,
};
const CLAIM = {
  name: "claim_due_proxies", // proxy_told_pkey
  text: `update proxy_told set leased_until = $4
          where (operator_id, proxy) in (
            select operator_id, proxy from proxy_told
             where operator_id = $1 and proxy = any($2::text[]) and next_try_at <= $3
               and coalesce(leased_until, '-infinity') <= $3
               for update skip locked)
         returning proxy, version, tries`,
};
const CHANGES = {
  name: "proxy_account_changes", // proxy_account_by_version, device_pkey
  text: `select d.imei_sealed, a.imsi_sealed, a.msisdn_sealed, a.standing, a.version, a.line_version as "lineVersion"
           from proxy_account a join device d on d.id = a.device_id
          where a.operator_id = $1 and a.version > $2 order by a.version limit ${CHANGES_MAX}`,
};
const LIST = {
  name: "proxy_account_list_of", // proxy_account_list_pkey
  text: "select epoch, version from proxy_account_list where operator_id = $1",
};
const BOOK = {
  name: "book_proxy", // proxy_told_pkey, proxy_account_list_pkey
  text: `update proxy_told
            set version = coalesce($3::int, version), tries = $4, outcome = $5, tried_at = $6,
                answered_at = case when $3::int is null then answered_at else $6 end,
                next_try_at = case when $3::int < ${LIST_VERSION} then $6 else $7 end, leased_until = null
          where operator_id = $1 and proxy = $2`,
};
const TOLD = {
  name: "proxies_told", // proxy_told_pkey, proxy_account_list_pkey
  text: `select proxy, version, ${LIST_VERSION} as "listVersion", tries, outcome, tried_at as "triedAt",
                answered_at as "answeredAt", next_try_at as "nextTryAt"
           from proxy_told where operator_id = $1 order by proxy`,
};

/** All proxies of an operator are due: its list is further. */
export const wakeProxies = (db: Db, operatorId: string, now: Date): Promise<number> =>
  db.run(WAKE_ALL, [operatorId, now]);

type ToldRow = Omit<ToldProxy, "triedAt" | "answeredAt" | "nextTryAt"> & {
  readonly triedAt: Date | null;
  readonly answeredAt: Date | null;
  readonly nextTryAt: Date;
};

export async function toldProxies(db: Db, operatorId: string): Promise<readonly ToldProxy[]> {
  const rows = await db.rows<ToldRow>(TOLD, [operatorId]);
  return rows.map((row) => ({
    ...row,
    triedAt: row.triedAt?.toISOString() ?? null,
    answeredAt: row.answeredAt?.toISOString() ?? null,
    nextTryAt: row.nextTryAt.toISOString(),
  }));
}

export function createProxyBook(deps: {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: () => Date;
}): ProxyBook {
  const { database, sealer, clock } = deps;
  return {
    async claimDue(operatorId, proxies, leaseMs) {
      const now = clock();
      await database.run(ENSURE, [operatorId, proxies, now]);
      const until = new Date(now.getTime() + leaseMs);
      return database.rows(CLAIM, [operatorId, proxies, now, until]);
    },
    // The list is looked at first: a row that is younger than it has a later version.
    async changesAfter(operatorId, after) {
      const list = await database.one<{ epoch: string; version: number }>(LIST, [operatorId]);
      if (!list) return { list: operatorId, version: 0, after, upto: after, accounts: [] };
      const rows = await database.rows<ChangeRow>(CHANGES, [operatorId, after]);
      const upto = rows.at(-1)?.version ?? after;
      const accounts = rows.map((row) => changeOf(sealer, row, after));
      const version = rows.length === 0 ? list.version : Math.max(list.version, upto);
      return { list: list.epoch, version, after, upto, accounts };
    },
    async book(operatorId, proxy, { version, tries, outcome, nextTryAt }) {
      await database.run(BOOK, [operatorId, proxy, version, tries, outcome, clock(), nextTryAt]);
    },
    async wake(operatorId, proxy) {
      await database.run(WAKE_ONE, [operatorId, proxy, clock()]);
    },
  };
}

type ChangeRow = {
  readonly imei_sealed: Buffer;
  readonly imsi_sealed: Buffer | null;
  readonly msisdn_sealed: Buffer | null;
  readonly standing: AccountStanding;
  readonly version: number;
  readonly lineVersion: number;
};

const changeOf = (sealer: Sealer, row: ChangeRow, after: number): AccountChange => ({
  deviceId: sealer.open("imei", row.imei_sealed),
  standing: row.standing,
  line:
    row.standing === "closed" || row.lineVersion <= after
      ? null
      : {
          imsi: row.imsi_sealed && sealer.open("imsi", row.imsi_sealed),
          msisdn: row.msisdn_sealed && sealer.open("msisdn", row.msisdn_sealed),
        },
});
