/**
 * What persons said of unknown models: a data set of the operator's own of kind `tac`, by the name `reviewed`. Each approval puts a new
 * version of it into use, which is the one before with the approved rows; one that was wrong is taken back as any import is.
 */
import { createHash } from "node:crypto";
import {
  type ModelProposals,
  PROPOSED_ROWS_MAX,
  type ProposedRow,
} from "../../kernel/jobs/model-proposals.ts";
import { TurnupError } from "../../term/error.ts";
import { isObject, isTexts, membersOf } from "../../term/narrow.ts";
import type { Database, Tx } from "../database/database.ts";
import type { ApprovalKind } from "../jobs/approvals.ts";
import { askApproval } from "../jobs/ask-approval.ts";
import { noteIn } from "../operator/audited.ts";
import { tacColumnsOf } from "./own-devices.ts";
import { countStaged, currentOf, goLive, lockDataset, stageHead, stageRows } from "./stage.ts";

/** In approvals; never renamed. */
const REVIEWED_MODELS = "reviewed_models";
const NAME = "reviewed";
const LICENCE = "the operator's own";
/** How long a person has to look at it. */
const APPROVAL_MS = 14 * 86_400_000;
/** TACs that a title names. */
const TITLE_TACS_MAX = 3;

type Deps = { readonly database: Database; readonly newId: () => string; readonly clock: () => Date };
type Columns = Readonly<Record<string, string>>;

const digestOf = (operatorId: string, rows: readonly unknown[]): Buffer =>
  createHash("sha256")
    .update(JSON.stringify([operatorId, rows]))
    .digest();

export const createModelProposals = (deps: Deps): ModelProposals => ({
  ask: (operatorId, { rows, reason, askedBy }) =>
    deps.database.transaction(async (tx) => {
      if (new Set(rows.map(({ tac }) => tac)).size < rows.length)
        throw new TurnupError("dataset_malformed", "A TAC is named twice.", { nextStep: "Name each once." });
      const expiresAt = new Date(deps.clock().getTime() + APPROVAL_MS);
      const columns = rows.map(columnsOf);
      const approvalId = await askApproval(tx, deps, {
        ...{ operatorId, kind: REVIEWED_MODELS, subject: deps.newId(), reason, askedBy, expiresAt },
        title: titleOf(rows),
        summary: { rows: columns },
        digest: digestOf(operatorId, columns),
        roles: ["admin", "engineer"],
        secondPerson: false,
      });
      return { approvalId, expiresAt: expiresAt.toISOString() };
    }),
});

function titleOf(rows: readonly ProposedRow[]): string {
  const named = rows.slice(0, TITLE_TACS_MAX).map(({ tac, make, model }) => `${tac} ${make} ${model}`);
  const more = rows.length > named.length ? ` and ${rows.length - named.length} more` : "";
  return `It names ${rows.length === 1 ? "a model" : `${rows.length} models`} that no list names: ${named.join(", ")}${more}.`;
}

/** As an import of a TAC list writes them. */
const columnsOf = ({ tac, make, model, modelCodes, releasedYear }: ProposedRow): Columns =>
  tacColumnsOf({
    ...{ tac, make, model, modelCodes, releasedYear },
    ...{ names: [], aka: [], upstreamSource: "", listedYear: null, suspect: false },
  });

const ROWS = {
  name: "rows_of_reviewed_models", // dataset_row_pkey
  text: "select body from dataset_row where dataset_id = $1 order by line",
};

export const reviewedModelsApproval = (deps: Omit<Deps, "database">): ApprovalKind => ({
  kind: REVIEWED_MODELS,
  putsInForce: ["datasets"],
  async carryOut(tx, { id, operatorId, subject, summary }, decidedBy) {
    const approved = rowsIn(summary);
    const named = { operatorId, kind: "tac", name: NAME } as const;
    await lockDataset(tx, named);
    const current = await currentOf(tx, named);
    const before = current ? await tx.rows<{ body: Columns }>(ROWS, [current.id]) : [];
    const tacs = new Set(approved.map(({ tac }) => tac));
    const kept = before.map(({ body }) => body).filter(({ tac }) => !tacs.has(tac));
    await putIntoUse(tx, deps, { ...named, jobId: subject, rows: [...kept, ...approved] });
    const detail = { approval: id, rows: approved.length, replaces: current?.id ?? null };
    const { label: actor } = decidedBy;
    await noteIn(deps)(tx, operatorId, { actor, action: "dataset.import", subject: `tac ${NAME}`, detail });
  },
  giveUp: async () => undefined, // nothing waits for it: the TACs stay in the queue
});

/** As they were looked at. */
function rowsIn(summary: unknown): readonly Columns[] {
  const { rows } = membersOf(summary);
  if (Array.isArray(rows) && rows.length <= PROPOSED_ROWS_MAX && rows.every(isObject) && rows.every(isTexts))
    return rows;
  throw new Error("an approval of models without its rows");
}

type NextVersion = {
  readonly operatorId: string;
  readonly kind: "tac";
  readonly name: string;
  /** What it came of. */
  readonly jobId: string;
  readonly rows: readonly Columns[];
};

async function putIntoUse(
  tx: Tx,
  { newId, clock }: Omit<Deps, "database">,
  { rows, ...head }: NextVersion,
): Promise<void> {
  const { operatorId } = head;
  const [id, now] = [newId(), clock()];
  const sha256 = digestOf(operatorId, rows).toString("hex");
  await stageHead(tx, { ...head, id, sha256, licence: LICENCE, isGsma: false, at: now });
  await stageRows(
    tx,
    id,
    rows.map((body, at) => ({ line: at + 1, body })),
  );
  await countStaged(tx, { operatorId, id }, { taken: rows.length, refused: 0 });
  await goLive(tx, head, id, now);
}
