/**
 * The policy of an operator, version by version, on PostgreSQL: a version is never changed, and each bears who made it and
 * why. What names one handset in a policy's own tests stands sealed in it.
 */
import type { Author, Policies, Versioned } from "../../kernel/account/registry.ts";
import type { NetworkKind } from "../../kernel/operator/operator-terms.ts";
import { DEFAULT_POLICY, type OrderPolicy, withDefaults } from "../../kernel/operator/policy.ts";
import { checkPolicy } from "../../kernel/operator/unconfirmed.ts";
import type { PolicyTest } from "../../kernel/support/policy-tests.ts";
import { putInForce } from "../node/versions.ts";
import { wakeWaiting } from "../orders/wake.ts";
import type { Sealer } from "../seal/seal.ts";
import type { Note, RegistryDeps } from "./audited.ts";

const VERSION = `version, body, made_by as "madeBy", made_at as "madeAt", reason`;
const CURRENT_POLICY = {
  name: "current_policy", // operator_policy_pkey
  text: `select ${VERSION} from operator_policy where operator_id = $1 order by version desc limit 1`,
};
const POLICY_VERSION = {
  name: "policy_version", // operator_policy_pkey
  text: `select ${VERSION} from operator_policy where operator_id = $1 and version = $2`,
};
const POLICY_VERSIONS = {
  name: "policy_versions", // operator_policy_pkey
  text: `select ${VERSION} from operator_policy where operator_id = $1 and version < $2 order by version desc limit $3`,
};
const INSERT_POLICY = {
  name: "insert_policy", // operator_policy_pkey; who comes second with one version finds it taken
  text: `insert into operator_policy (operator_id, version, body, made_by, made_at, reason)
         select $1, $2::int, $3, $4, $5, $6
          where coalesce((select max(version) from operator_policy where operator_id = $1), 0) = $2::int - 1
             on conflict (operator_id, version) do nothing`,
};
const KIND_OF = { name: "kind_of_operator", text: "select kind from operator where id = $1" }; // operator_pkey

const LAST_VERSION = 2_147_483_647;

type StoredTest = PolicyTest & { readonly imeiSealed?: string };
type Row = {
  readonly version: number;
  readonly body: Partial<Omit<OrderPolicy, "tests">> & { readonly tests?: readonly StoredTest[] };
  readonly madeBy: string;
  readonly madeAt: Date;
  readonly reason: string | null;
};

const SHIPPED: Versioned<OrderPolicy> = {
  version: 0,
  body: DEFAULT_POLICY,
  madeBy: null,
  madeAt: null,
  reason: null,
};

export function policiesIn(deps: RegistryDeps, note: Note): Policies<OrderPolicy> {
  const { database, sealer, clock } = deps;
  // A policy written by an older release lacks the switches that came since.
  const read = (row: Row): Versioned<OrderPolicy> => ({
    ...row,
    body: withDefaults({
      ...row.body,
      tests: (row.body.tests ?? []).map((test) => openedTest(sealer, test)),
    }),
    madeAt: row.madeAt.toISOString(),
  });
  return {
    async current(operatorId) {
      const row = await database.one<Row>(CURRENT_POLICY, [operatorId]);
      return row ? read(row) : SHIPPED;
    },
    async version(operatorId, version) {
      if (version === 0) return SHIPPED;
      const row = await database.one<Row>(POLICY_VERSION, [operatorId, version]);
      return row && read(row);
    },
    async versions(operatorId, { limit, before = LAST_VERSION }) {
      return (await database.rows<Row>(POLICY_VERSIONS, [operatorId, before, limit])).map(read);
    },
    put: (operatorId, expected, body, by) =>
      putInForce(deps, operatorId, ["policy"], async (tx) => {
        const { actor, reason = null }: Author = typeof by === "string" ? { actor: by } : by;
        const kind = (await tx.one<{ kind: NetworkKind }>(KIND_OF, [operatorId]))?.kind;
        if (kind) checkPolicy(kind, body);
        const version = expected + 1;
        const now = clock();
        const before = withDefaults(
          (await tx.one<Row>(CURRENT_POLICY, [operatorId]))?.body ?? null,
        ).retention;
        const stored = { ...body, tests: body.tests.map((test) => sealedTest(sealer, test)) };
        const values = [operatorId, version, JSON.stringify(stored), actor, now, reason];
        const written = await tx.run(INSERT_POLICY, values);
        if (written === 0) return undefined;
        await wakeWaiting(tx, operatorId, now);
        const subject = `version ${version}`;
        const detail = reason === null ? {} : { reason };
        await note(tx, operatorId, { actor, action: "policy.put", subject, detail });
        if (JSON.stringify(withDefaults(body).retention) !== JSON.stringify(before)) {
          const detail = { before, after: body.retention };
          await note(tx, operatorId, { actor, action: "retention.put", subject, detail });
        }
        return { version, body, madeBy: actor, madeAt: now.toISOString(), reason };
      }),
  };
}

const TEST_DOMAIN = "imei";

function sealedTest(sealer: Sealer, { imei, ...test }: PolicyTest): StoredTest {
  return imei === undefined
    ? test
    : { ...test, imeiSealed: sealer.seal(TEST_DOMAIN, imei).toString("base64") };
}

function openedTest(sealer: Sealer, { imeiSealed, ...test }: StoredTest): PolicyTest {
  return imeiSealed === undefined
    ? test
    : { ...test, imei: sealer.open(TEST_DOMAIN, Buffer.from(imeiSealed, "base64")) };
}
