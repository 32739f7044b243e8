/**
 * The policy of an operator, version by version, on PostgreSQL: a version is never changed, and each bears who made it and
 * why. What names one handset in a policy's own tests stands sealed in it.
 */
import { createHash } from "node:crypto";
import type { Author, Policies, Versioned } from "../../kernel/account/registry.ts";
import type { NetworkKind } from "../../kernel/operator/operator-terms.ts";
import { DEFAULT_POLICY, type OrderPolicy, withDefaults } from "../../kernel/operator/policy.ts";
import { checkPolicy } from "../../kernel/operator/unconfirmed.ts";
import type { PolicyTest } from "../../kernel/support/policy-tests.ts";
import { TurnupError } from "../../term/error.ts";
import type { Tx } from "../database/database.ts";
import type { ApprovalKind } from "../jobs/approvals.ts";
import { askApproval } from "../jobs/ask-approval.ts";
import { putInForce } from "../node/versions.ts";
import { wakeWaiting } from "../orders/wake.ts";
import type { Sealer } from "../seal/seal.ts";
import { type Note, noteIn, type RegistryDeps } from "./audited.ts";

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
  const read = (row: Row): Versioned<OrderPolicy> => ({
    ...row,
    body: openedPolicy(sealer, row.body),
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
        const { body: inForce } = await inForceIn(tx, operatorId);
        if (inForce.policyChanges.secondPerson) throw secondPersonNeeded();
        const author: Author = typeof by === "string" ? { actor: by } : by;
        return await writeVersion(tx, { ...deps, note }, { operatorId, expected, body, author });
      }),
    propose: (operatorId, proposal) =>
      database.transaction(async (tx) => {
        if ((await inForceIn(tx, operatorId)).version !== proposal.expected) return undefined;
        const [id, now] = [deps.newId(), clock()];
        const stored = JSON.stringify(sealedPolicy(sealer, proposal.body));
        const { askedBy, expected, reason, title, summary, hours } = proposal;
        const expiresAt = new Date(now.getTime() + hours * 3_600_000);
        await tx.run(INSERT_PROPOSAL, [id, operatorId, expected, stored, askedBy.label, now, reason]);
        const approvalId = await askApproval(tx, deps, {
          ...{ operatorId, kind: POLICY_CHANGE, subject: id, title, summary, askedBy, expiresAt },
          digest: createHash("sha256").update(stored).digest(),
          reason: reason ?? "No reason was given.",
          roles: ["admin", "engineer"],
          secondPerson: true,
        });
        return { approvalId, expiresAt: expiresAt.toISOString() };
      }),
  };
}

/** In approvals; never renamed. */
const POLICY_CHANGE = "policy_change";

type CarryingOut = RegistryDeps & {
  /** @throws what keeps the policy from going live: a test of its own that fails by now */
  readonly check: (operatorId: string, body: OrderPolicy) => Promise<void>;
};

/** A change of a policy that a second person agreed to: the version that it was made from has to be in force still. */
export const policyApprovals = (deps: CarryingOut): ApprovalKind => ({
  kind: POLICY_CHANGE,
  putsInForce: ["policy"],
  async carryOut(tx, { operatorId, subject }) {
    const row = await tx.one<ProposalRow>(PROPOSAL, [operatorId, subject]);
    if (!row) throw new Error("an approval of a policy without its proposal");
    const body = openedPolicy(deps.sealer, row.body);
    await deps.check(operatorId, body);
    const author = { actor: row.madeBy, reason: row.reason };
    const wish = { operatorId, expected: row.fromVersion, body, author };
    if (await writeVersion(tx, { ...deps, note: noteIn(deps) }, wish)) return;
    throw new TurnupError("precondition_failed", "The policy was changed since this change was asked for.", {
      nextStep: "Refuse it, and ask for it again from the version in force.",
    });
  },
  giveUp: async () => undefined, // nothing waits for it: the proposal stands as what was not done
});

const INSERT_PROPOSAL = {
  name: "insert_policy_proposal", // policy_proposal_pkey
  text: `insert into policy_proposal (id, operator_id, from_version, body, made_by, made_at, reason)
         values ($1, $2, $3, $4, $5, $6, $7)`,
};
const PROPOSAL = {
  name: "policy_proposal", // policy_proposal_pkey
  text: `select from_version as "fromVersion", body, made_by as "madeBy", reason from policy_proposal
          where operator_id = $1 and id = $2`,
};
type ProposalRow = Pick<Row, "body" | "madeBy" | "reason"> & { readonly fromVersion: number };

const secondPersonNeeded = (): TurnupError =>
  new TurnupError(
    "second_person_needed",
    "This policy is changed by two persons: one asks, another approves.",
    {
      nextStep: "Ask for the change by PATCH /v1/policy, or by `turnup policy put` with --person.",
    },
  );

async function inForceIn(tx: Tx, operatorId: string): Promise<{ version: number; body: OrderPolicy }> {
  const row = await tx.one<Row>(CURRENT_POLICY, [operatorId]);
  return { version: row?.version ?? 0, body: withDefaults(row ? { ...row.body, tests: [] } : null) };
}

type Wish = {
  readonly operatorId: string;
  readonly expected: number;
  readonly body: OrderPolicy;
  readonly author: Author;
};

async function writeVersion(
  tx: Tx,
  { sealer, clock, note }: Pick<RegistryDeps, "sealer" | "clock"> & { readonly note: Note },
  { operatorId, expected, body, author: { actor, reason = null } }: Wish,
): Promise<Versioned<OrderPolicy> | undefined> {
  const kind = (await tx.one<{ kind: NetworkKind }>(KIND_OF, [operatorId]))?.kind;
  if (kind) checkPolicy(kind, body);
  const version = expected + 1;
  const now = clock();
  const before = (await inForceIn(tx, operatorId)).body.retention;
  const stored = JSON.stringify(sealedPolicy(sealer, body));
  const written = await tx.run(INSERT_POLICY, [operatorId, version, stored, actor, now, reason]);
  if (written === 0) return undefined;
  await wakeWaiting(tx, operatorId, now);
  const subject = `version ${version}`;
  await note(tx, operatorId, {
    actor,
    action: "policy.put",
    subject,
    detail: reason === null ? {} : { reason },
  });
  if (JSON.stringify(withDefaults(body).retention) !== JSON.stringify(before)) {
    const detail = { before, after: body.retention };
    await note(tx, operatorId, { actor, action: "retention.put", subject, detail });
  }
  return { version, body, madeBy: actor, madeAt: now.toISOString(), reason };
}

const sealedPolicy = (sealer: Sealer, body: OrderPolicy): Row["body"] => ({
  ...body,
  tests: body.tests.map((test) => sealedTest(sealer, test)),
});

/** A policy written by an older release lacks the switches that came since. */
const openedPolicy = (sealer: Sealer, body: Row["body"]): OrderPolicy =>
  withDefaults({ ...body, tests: (body.tests ?? []).map((test) => openedTest(sealer, test)) });

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
