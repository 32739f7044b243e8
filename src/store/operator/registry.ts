/**
 * The doors' registry on PostgreSQL: tokens, policy, relations, the operator's own access points, overrides, datasets,
 * audit. A change and its audit row are one transaction. Every statement names its operator and the index it runs on.
 */
import type { OwnRecords } from "../../kernel/account/own-records.ts";
import type {
  AccessPoints,
  AuditLog,
  AuditRow,
  Datasets,
  DatasetView,
  Override,
  Overrides,
  Policies,
  RegistryPage,
  RegistryRows,
  Relations,
  Tokens,
  TokenView,
  WirelessNetworks,
} from "../../kernel/account/registry.ts";
import type { TokenRecord } from "../../kernel/account/token.ts";
import type { Relation } from "../../kernel/operator/operator-terms.ts";
import type { OrderPolicy } from "../../kernel/operator/policy.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import type { WirelessNetwork } from "../../kernel/settings/wireless-network.ts";
import type { SupportOverride } from "../../kernel/support/decide-support.ts";
import type { Db } from "../database/database.ts";
import { cutPage, END_OF_ORDER, START_OF_ORDER } from "../database/page.ts";
import { putInForce } from "../node/versions.ts";
import { wakeWaiting } from "../orders/wake.ts";
import { type Note, noteIn, type RegistryDeps } from "./audited.ts";
import { accessPointsIn, ownAccessPoints } from "./own-access-points.ts";
import { createOwnRecords } from "./own-records.ts";
import { policiesIn } from "./policies.ts";
import { relationsIn, relationsOf } from "./relations.ts";
import { wirelessNetworksIn, wirelessNetworksOf } from "./wireless-networks.ts";

export type Registry = {
  readonly tokens: Tokens;
  readonly policies: Policies<OrderPolicy>;
  readonly relations: Relations<Relation>;
  readonly accessPoints: AccessPoints<AccessPoint>;
  readonly wirelessNetworks: WirelessNetworks<WirelessNetwork>;
  readonly overrides: Overrides;
  readonly datasets: Datasets;
  readonly ownRecords: OwnRecords;
  readonly audit: AuditLog;
  /** What an operator said itself, as the conductor reads it. */
  readonly ownWords: {
    readonly accessPointsOf: (operatorId: string) => Promise<readonly AccessPoint[]>;
    readonly wirelessNetworksOf: (operatorId: string) => Promise<readonly WirelessNetwork[]>;
    /** By `scope:key`; the key of one device is the hex of its blind index. */
    readonly overridesOf: (operatorId: string) => Promise<ReadonlyMap<string, SupportOverride>>;
    readonly relationsOf: (operatorId: string) => Promise<readonly Relation[]>;
  };
};

/** Most rows of a list that has no pages because an operator enters them by hand. */
const HAND_ENTERED_MAX = 10_000;

export function createRegistry(deps: RegistryDeps): Registry {
  const note = noteIn(deps);
  return {
    tokens: tokensIn(deps, note),
    policies: policiesIn(deps, note),
    relations: relationsIn(deps, note),
    accessPoints: accessPointsIn(deps, note),
    wirelessNetworks: wirelessNetworksIn(deps, note),
    overrides: overridesIn(deps, note),
    ownRecords: createOwnRecords(deps),
    datasets: { list: (operatorId, { retired }) => listDatasets(deps.database, operatorId, retired) },
    audit: {
      record: (operatorId, what) => note(deps.database, operatorId, what),
      list: (operatorId, page) => listAudit(deps.database, operatorId, page),
    },
    ownWords: {
      accessPointsOf: (operatorId) => ownAccessPoints(deps, operatorId),
      wirelessNetworksOf: (operatorId) => wirelessNetworksOf(deps, operatorId),
      overridesOf: (operatorId) => overrideMap(deps.database, operatorId),
      relationsOf: (operatorId) => relationsOf(deps, operatorId),
    },
  };
}

const LIST_AUDIT = pagedBy("list_audit", "audit_by_time", "id, actor, action, subject, detail, at", "audit");

async function listAudit(db: Db, operatorId: string, page: RegistryPage): Promise<RegistryRows<AuditRow>> {
  const rows = await db.rows<Timed<AuditRow, "at">>(...LIST_AUDIT(operatorId, page));
  return cutPage(
    rows.map((row) => ({ ...row, at: row.at.toISOString() })),
    page.limit,
  );
}

// Tokens.

const TOKEN_RECORD = `select id, operator_id as "operatorId", role, label, make, person, vouched_by as "vouchedBy",
         expires_at as "expiresAt", revoked_at as "revokedAt" from api_token`;
const FIND_TOKEN = {
  name: "find_token", // api_token_hash_key
  text: `${TOKEN_RECORD} where hash = $1`,
};
const FIND_TOKEN_BY_ID = {
  name: "find_token_by_id", // api_token_pkey
  text: `${TOKEN_RECORD} where id = $1`,
};
const TOUCH_TOKENS = {
  name: "touch_tokens", // api_token_pkey
  text: "update api_token set last_used_at = $2 where id = any($1::uuid[])",
};
const TOKEN_VIEW = `id, role, label, make, person, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt",
  last_used_at as "lastUsedAt"`;
const INSERT_TOKEN = {
  name: "insert_token", // api_token_pkey
  text: `insert into api_token (id, operator_id, hash, role, label, created_at, expires_at, make, person, vouched_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (id) do update set hash = excluded.hash where api_token.operator_id = excluded.operator_id
         returning ${TOKEN_VIEW}`,
};
const REVOKE_TOKEN = {
  name: "revoke_token", // api_token_pkey
  text: `update api_token set revoked_at = coalesce(revoked_at, $3) where id = $2 and operator_id = $1`,
};
const LIST_TOKENS = pagedBy("list_tokens", "api_token_of_operator", TOKEN_VIEW, "api_token");

type TokenRow = Timed<TokenView, "createdAt" | "expiresAt" | "revokedAt" | "lastUsedAt">;
const tokenView = (row: TokenRow): TokenView => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  expiresAt: iso(row.expiresAt),
  revokedAt: iso(row.revokedAt),
  lastUsedAt: iso(row.lastUsedAt),
});

function tokensIn(deps: RegistryDeps, note: Note): Tokens {
  const { database, clock } = deps;
  return {
    findByHash: (hash) => database.one<TokenRecord>(FIND_TOKEN, [hash]),
    findById: (tokenId) => database.one<TokenRecord>(FIND_TOKEN_BY_ID, [tokenId]),
    async touch(tokenIds, at) {
      await database.run(TOUCH_TOKENS, [tokenIds, at]);
    },
    async list(operatorId, page) {
      const rows = await database.rows<TokenRow>(...LIST_TOKENS(operatorId, page));
      return cutPage(rows.map(tokenView), page.limit);
    },
    create: (
      operatorId,
      { id, hash, role, label, make = null, person = null, vouchedBy = [], expiresAt },
      actor,
    ) =>
      database.transaction(async (tx) => {
        const values = [id, operatorId, hash, role, label, clock(), expiresAt, make, person, vouchedBy];
        const row = await tx.one<TokenRow>(INSERT_TOKEN, values);
        if (!row) throw new Error("the id of a new token belongs to another operator's");
        await note(tx, operatorId, {
          actor,
          action: "token.create",
          subject: id,
          detail: { role, label, person },
        });
        return tokenView(row);
      }),
    revoke: (operatorId, tokenId, actor) =>
      putInForce(deps, operatorId, ["tokens"], async (tx) => {
        const found = (await tx.run(REVOKE_TOKEN, [operatorId, tokenId, clock()])) > 0;
        if (found) await note(tx, operatorId, { actor, action: "token.revoke", subject: tokenId });
        return found;
      }),
  };
}

// Overrides.

const OVERRIDE = `id, scope, key, body, why, made_by as "madeBy", made_at as "madeAt"`;
const LIST_OVERRIDES = pagedBy("list_overrides", "device_override_by_id", OVERRIDE, "device_override");
const ALL_OVERRIDES = {
  name: "all_overrides", // device_override_operator_id_scope_key_key
  text: `select ${OVERRIDE} from device_override where operator_id = $1`,
};
const PUT_OVERRIDE = {
  name: "put_override", // device_override_operator_id_scope_key_key
  text: `insert into device_override (id, operator_id, scope, key, body, why, made_by, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (operator_id, scope, key) do update
            set body = excluded.body, why = excluded.why, made_by = excluded.made_by, made_at = excluded.made_at
         returning ${OVERRIDE}`,
};
const REMOVE_OVERRIDE = {
  name: "remove_override", // device_override_pkey
  text: "delete from device_override where operator_id = $1 and id = $2",
};

type OverrideRow = Timed<Override, "madeAt">;
const overrideView = (row: OverrideRow): Override => ({ ...row, madeAt: row.madeAt.toISOString() });

async function overrideMap(db: Db, operatorId: string): Promise<ReadonlyMap<string, SupportOverride>> {
  const rows = await db.rows<OverrideRow>(ALL_OVERRIDES.text, [operatorId]);
  return new Map(
    rows.map(({ scope, key, body, why }) => [
      `${scope}:${key}`,
      { ...(body as Omit<SupportOverride, "scope" | "note">), scope, note: why }, // written by `putOverride` alone
    ]),
  );
}

function overridesIn(deps: RegistryDeps, note: Note): Overrides {
  const { database, sealer, newId, clock } = deps;
  // The first 14 digits: the part of an IMEI that never varies.
  const keyOf = (operatorId: string, scope: Override["scope"], key: string): string =>
    scope === "imei" ? sealer.blindIndex("imei", operatorId, key.slice(0, 14)).toString("hex") : key;
  return {
    async list(operatorId, page) {
      const rows = await database.rows<OverrideRow>(...LIST_OVERRIDES(operatorId, page));
      return cutPage(rows.map(overrideView), page.limit);
    },
    put: (operatorId, { scope, key, body, why }, actor) =>
      putInForce(deps, operatorId, ["overrides"], async (tx) => {
        const stored = keyOf(operatorId, scope, key);
        const values = [newId(), operatorId, scope, stored, JSON.stringify(body), why, actor, clock()];
        const row = await tx.one<OverrideRow>(PUT_OVERRIDE, values);
        if (!row) throw new Error("an override was neither written nor replaced");
        await wakeWaiting(tx, operatorId, clock());
        await note(tx, operatorId, {
          actor,
          action: "override.put",
          subject: row.id,
          detail: { scope, body },
        });
        return overrideView(row);
      }),
    remove: (operatorId, id, actor) =>
      putInForce(deps, operatorId, ["overrides"], async (tx) => {
        const found = (await tx.run(REMOVE_OVERRIDE, [operatorId, id])) > 0;
        if (found) await note(tx, operatorId, { actor, action: "override.remove", subject: id });
        return found;
      }),
  };
}

// Datasets: tens of rows, shipped ones among them, so no index is needed.

const LIST_DATASETS = {
  name: "list_datasets",
  text: `select id, operator_id is not null as own, kind, name, version, encode(sha256, 'hex') as sha256, licence,
                row_count as "rowCount", refused, loaded_at as "loadedAt", retired_at as "retiredAt"
           from dataset
          where (operator_id is null or operator_id = $1) and ($2 or retired_at is null) and live_at is not null
          order by kind, name, loaded_at desc limit ${HAND_ENTERED_MAX}`,
};

async function listDatasets(db: Db, operatorId: string, retired: boolean): Promise<DatasetView[]> {
  const rows = await db.rows<Timed<DatasetView, "loadedAt" | "retiredAt">>(LIST_DATASETS, [
    operatorId,
    retired,
  ]);
  return rows.map((row) => ({ ...row, loadedAt: row.loadedAt.toISOString(), retiredAt: iso(row.retiredAt) }));
}

// What the sections share.

/** The row as PostgreSQL gives it: times are dates there. */
type Timed<Row, Name extends keyof Row> = Omit<Row, Name> & {
  readonly [At in Name]: null extends Row[At] ? Date | null : Date;
};
const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString());

/** One operator's rows of a table, paged by id along the named index; one row more than asked tells of a next page. */
function pagedBy(name: string, index: string, columns: string, table: string) {
  const statement = (order: "asc" | "desc") => ({
    name: `${name}_${order}`, // runs on the index that is named below
    text: `select ${columns} from ${table} /* ${index} */
            where operator_id = $1 and id ${order === "asc" ? ">" : "<"} $2::uuid order by id ${order} limit $3`,
  });
  const statements = { asc: statement("asc"), desc: statement("desc") };
  return (operatorId: string, { limit, cursor, order = "desc" }: RegistryPage) => {
    const start = order === "asc" ? START_OF_ORDER : END_OF_ORDER;
    return [statements[order], [operatorId, cursor ?? start, limit + 1]] as const;
  };
}
