/** Approvals on PostgreSQL: what waits for a person, and the decision, which is carried out in its own transaction, once. */
import type { ChangeKind } from "../../kernel/account/changes.ts";
import type { Acting } from "../../kernel/account/person.ts";
import {
  type ApprovalState,
  type Approvals,
  type ApprovalView,
  checkDecision,
  type Decider,
  type Decision,
} from "../../kernel/jobs/approval.ts";
import { TurnupError } from "../../term/error.ts";
import { Conditions } from "../database/conditions.ts";
import type { Database, Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { type ChangeChannel, tellAll } from "../node/change-channel.ts";
import { putInForce } from "../node/versions.ts";
import { noteIn } from "../operator/audited.ts";
import { APPROVAL_NEWS } from "./ask-approval.ts";

/** What its kind is told of it. */
type ApprovalCase = {
  readonly id: string;
  readonly operatorId: string;
  readonly subject: string;
  readonly summary: unknown;
  readonly digest: string;
};
/** How it ended without being carried out. */
type GivenUp = Exclude<ApprovalState, "waiting" | "approved">;

/** A kind of decision; each runs in the transaction of the decision, which is none where it throws. */
export type ApprovalKind = {
  /** In the row; never renamed. */
  readonly kind: string;
  /** Words of the operator that it changes: who approves it is answered when it is in force. None where it is left out. */
  readonly putsInForce?: readonly ChangeKind[];
  /** Does what was asked for. What it throws leaves the approval waiting. */
  carryOut(tx: Tx, of: ApprovalCase, decidedBy: Acting): Promise<void>;
  /** Nobody agreed to it: whatever waits for it goes on, or ends. */
  giveUp(tx: Tx, of: ApprovalCase, how: GivenUp, reason: string): Promise<void>;
};

type ApprovalDeps = {
  readonly database: Database;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly kinds: readonly ApprovalKind[];
  /** Where this server remembers what operators said. */
  readonly changes?: Pick<ChangeChannel, "tellHere"> | undefined;
  /** Told of an approval that could not be given up; the others are, and it is tried again. */
  readonly onFault?: (what: string, error: unknown) => void;
};

const APPROVAL = `a.id, a.operator_id as "operatorId", a.kind, a.subject, a.state, a.title, a.summary, encode(a.digest, 'hex') as digest,
  a.reason, a.roles, a.second_person as "secondPerson", a.asked_by as "askedBy", a.asked_by_person as "askedByPerson",
  a.asked_by_vouched as "vouchedBy", a.asked_at as "askedAt", a.expires_at as "expiresAt", a.decided_by as "decidedBy",
  a.decided_by_person as "decidedByPerson", a.decided_at as "decidedAt", a.decision_reason as "decisionReason"`;
const FIND = `select ${APPROVAL} from approval a where a.operator_id = $1 and a.id = $2`; // approval_pkey
const DECIDE = {
  name: "decide_approval", // approval_pkey
  text: `update approval set state = $3, decided_by = $4, decided_by_person = $5, decided_at = $6, decision_reason = $7
          where operator_id = $1 and id = $2 and state = 'waiting'`,
};
const OVERDUE = {
  name: "overdue_approvals", // approval_waiting
  text: `select id, operator_id as "operatorId" from approval
          where state = 'waiting' and expires_at <= $1 and kind = any($2::text[]) order by expires_at, id limit $3 offset $4`,
};
const WAITING_OF = {
  name: "waiting_approval_of", // approval_once
  text: "select id from approval where operator_id = $1 and kind = $2 and subject = $3 and state = 'waiting'",
};

/** That cannot be given up, in one look: beyond them the fault is the database's. */
const FAILING_MAX = 100;

type ApprovalRow = Omit<ApprovalView, "askedAt" | "expiresAt" | "decidedAt"> & {
  readonly operatorId: string;
  readonly vouchedBy: readonly string[];
  readonly askedAt: Date;
  readonly expiresAt: Date;
  readonly decidedAt: Date | null;
};

const viewOf = ({ operatorId: _, vouchedBy: __, ...row }: ApprovalRow): ApprovalView => ({
  ...row,
  askedAt: row.askedAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  decidedAt: row.decidedAt?.toISOString() ?? null,
});

export type ApprovalDesk = Approvals & {
  /** Gives up those that nobody decided about in time; answers how many were looked at. */
  expire(limit: number): Promise<number>;
};

export function createApprovals(deps: ApprovalDeps): ApprovalDesk {
  const { database } = deps;
  const find = async (operatorId: string, id: string): Promise<ApprovalView | undefined> => {
    const row = await database.one<ApprovalRow>(FIND, [operatorId, id]);
    return row && viewOf(row);
  };
  return {
    async list(operatorId, { kind, state }, page) {
      const { text, values } = new Conditions()
        .add("a.operator_id = ?", operatorId)
        .maybe("a.kind = ?", kind)
        .maybe("a.state = ?", state)
        .page(`select ${APPROVAL} from approval a`, "a", { cursor: undefined, ...page }); // approval_by_id
      return cutPage((await database.rows<ApprovalRow>(text, values)).map(viewOf), page.limit);
    },
    find,
    async decide(operatorId, id, decision, decider) {
      const changed = decision.outcome === "approved" ? putsInForce(deps, await find(operatorId, id)) : [];
      const decideOnce = (tx: Tx) => decideIn(tx, deps, { operatorId, id, decision, decider });
      if (changed.length === 0) await database.transaction(decideOnce);
      else await putInForce(deps, operatorId, changed, decideOnce);
      const decided = await find(operatorId, id);
      if (!decided) throw notFound();
      return decided;
    },
    expire: (limit) => expireOverdue(deps, limit),
  };
}

const putsInForce = (
  { kinds }: Pick<ApprovalDeps, "kinds">,
  approval: ApprovalView | undefined,
): readonly ChangeKind[] => kinds.find(({ kind }) => kind === approval?.kind)?.putsInForce ?? [];

/**
 * Each is a transaction of its own: one that fails keeps no other, and no job, waiting. It is told, stands as it stood, and is looked at
 * again with the next ones; `skip` passes those over that failed before, so that as many failing ones as are looked at hide none.
 */
async function expireOverdue(deps: ApprovalDeps, limit: number): Promise<number> {
  const names = deps.kinds.map(({ kind }) => kind);
  let skip = 0;
  let looked = 0;
  for (;;) {
    const overdue = await deps.database.rows<Overdue>(OVERDUE, [deps.clock(), names, limit - looked, skip]);
    let failed = 0;
    for (const { id, operatorId } of overdue) {
      const of = { operatorId, id, how: "expired", reason: EXPIRED } as const;
      try {
        await deps.database.transaction((tx) => giveUpIn(tx, deps, of));
      } catch (error) {
        failed++;
        deps.onFault?.("approval", error);
      }
    }
    skip += failed;
    looked += overdue.length - failed;
    if (failed === 0 || skip >= FAILING_MAX) return looked + skip;
  }
}
type Overdue = { readonly id: string; readonly operatorId: string };

const EXPIRED = "Nobody decided about it in time.";
const NOBODY: Acting = { label: "deadline", person: null, vouchedBy: [] };
const ACTIONS = {
  approved: "approval.approve",
  refused: "approval.refuse",
  expired: "approval.expire",
  withdrawn: "approval.withdraw",
} as const;

type Deciding = {
  readonly operatorId: string;
  readonly id: string;
  readonly decision: Decision;
  readonly decider: Decider;
};

async function decideIn(
  tx: Tx,
  deps: ApprovalDeps,
  { operatorId, id, decision, decider }: Deciding,
): Promise<void> {
  const row = await lockedWaiting(tx, deps, operatorId, id);
  checkDecision({ ...row, person: row.askedByPerson }, decision, decider);
  const kind = kindOf(deps, row.kind);
  await write(tx, deps, row, { state: decision.outcome, reason: decision.reason, by: decider });
  if (decision.outcome === "approved") await kind.carryOut(tx, row, decider);
  else await kind.giveUp(tx, row, "refused", decision.reason);
}

/** The row under its lock: whoever decides at the same moment comes second, and is told so. */
async function lockedWaiting(
  tx: Tx,
  deps: ApprovalDeps,
  operatorId: string,
  id: string,
): Promise<ApprovalRow> {
  const row = await tx.one<ApprovalRow>(`${FIND} for update`, [operatorId, id]);
  if (!row) throw notFound();
  const isOver = row.expiresAt <= deps.clock();
  if (row.state === "waiting" && !isOver) return row;
  const state = row.state === "waiting" ? "expired" : row.state;
  throw new TurnupError("approval_decided", `This approval waits for nobody: it is ${state}.`, {
    nextStep: "Ask for it again where it is still wanted.",
  });
}

type Ended = {
  readonly operatorId: string;
  readonly id: string;
  readonly how: GivenUp;
  readonly reason: string;
};

async function giveUpIn(tx: Tx, deps: ApprovalDeps, { operatorId, id, how, reason }: Ended): Promise<void> {
  const row = await tx.one<ApprovalRow>(`${FIND} for update`, [operatorId, id]);
  if (row?.state !== "waiting") return; // another server, or a person, was faster
  await write(tx, deps, row, { state: how, reason, by: NOBODY });
  await kindOf(deps, row.kind).giveUp(tx, row, how, reason);
}

/** What an approval is about is gone: nobody need decide any more. Its kind is not told: it is the one that says so. */
export async function withdrawApproval(
  tx: Tx,
  deps: Pick<ApprovalDeps, "newId" | "clock">,
  of: { readonly operatorId: string; readonly kind: string; readonly subject: string },
  said: { readonly actor: string; readonly reason: string },
): Promise<void> {
  const waiting = await tx.one<{ id: string }>(WAITING_OF, [of.operatorId, of.kind, of.subject]);
  const row = waiting && (await tx.one<ApprovalRow>(`${FIND} for update`, [of.operatorId, waiting.id]));
  if (row?.state !== "waiting") return;
  const by = { ...NOBODY, label: said.actor };
  await write(tx, deps, row, { state: "withdrawn", reason: said.reason, by });
}

type Written = {
  readonly state: Exclude<ApprovalState, "waiting">;
  readonly reason: string;
  readonly by: Acting;
};

async function write(
  tx: Tx,
  deps: Pick<ApprovalDeps, "newId" | "clock">,
  { operatorId, id, kind, subject }: ApprovalRow,
  { state, reason, by }: Written,
): Promise<void> {
  await tx.run(DECIDE, [operatorId, id, state, by.label, by.person, deps.clock(), reason]);
  await noteIn(deps)(tx, operatorId, {
    actor: by.label,
    action: ACTIONS[state],
    subject: id,
    detail: { kind, of: subject, reason, ...(by.person !== null && { person: by.person }) },
  });
  tellAll(tx, { kind: APPROVAL_NEWS, operatorId, version: 0 });
}

function kindOf({ kinds }: Pick<ApprovalDeps, "kinds">, name: string): ApprovalKind {
  const found = kinds.find(({ kind }) => kind === name);
  if (found) return found;
  throw new TurnupError("approval_decided", `This server does not know approvals of the kind ${name}.`, {
    nextStep: "Decide about it at a server of the release that asked for it.",
  });
}

const notFound = (): TurnupError =>
  new TurnupError("approval_not_found", "There is no such approval.", {
    nextStep: "GET /v1/approvals lists them.",
  });
