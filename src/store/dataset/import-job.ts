/**
 * The job of an import: the file is read line by line, its rows are staged out of sight, compared with those in use, and go live as a
 * whole: by themselves, by a person's word, or by a second person's where the import would lose much.
 */
import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import {
  type ImportChange,
  type ImportRead,
  lossesOf,
  type VerdictChange,
} from "../../kernel/devices/import-guard.ts";
import { IMPORT_KINDS, IMPORT_MODES } from "../../kernel/jobs/imports.ts";
import type { JobOutcome } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { assured, isOneOf, membersOf, wordOf } from "../../term/narrow.ts";
import { keysOf } from "../../term/record.ts";
import { sentenceOf } from "../../term/sentence.ts";
import type { Database, Tx } from "../database/database.ts";
import type { ApprovalKind } from "../jobs/approvals.ts";
import { fileParts } from "../jobs/job-files.ts";
import type { JobEnd, JobKind, JobWork } from "../jobs/job-kind.ts";
import type { JobDesk } from "../jobs/jobs.ts";
import { noteIn } from "../operator/audited.ts";
import type { DatasetRow } from "./dataset-store.ts";
import type { RowRead } from "./device-import.ts";
import { linesIn, textOf } from "./file-text.ts";
import { changeOf, TOLD_MAX, tellChange } from "./import-change.ts";
import type { OwnKind } from "./own-devices.ts";
import { openStreamedImport } from "./read-import.ts";
import {
  countStaged,
  currentOf,
  giveUpStaged,
  goLive,
  lockDataset,
  stagedBy,
  stageHead,
  stageRows,
} from "./stage.ts";

export const IMPORT_JOB = "import";
/** Longest file, unpacked; it is read in pieces and never held. */
const TEXT_OCTETS_MAX = 512 * 1_048_576;
/** Three times the TACs that there are: what was staged in vain must be taken away within one statement. */
const LINES_MAX = 1_000_000;
/** Rows of a step: its transaction takes some tens of milliseconds. */
const STEP_ROWS = 2_000;
/** The server has other work: it is at this one no longer at a time. */
const SLICE_MS = 10;
/** How long a person has to look at it. */
const APPROVAL_MS = 7 * 86_400_000;

type ImportDeps = {
  readonly database: Database;
  readonly newId: () => string;
  readonly clock: () => Date;
  /** How many verdicts about handsets that were seen would be others with the staged data; null: of a kind that verdicts do not read. */
  readonly verdicts: (operatorId: string, staged: Staged) => Promise<VerdictChange | null>;
};
export type Staged = { readonly id: string; readonly kind: OwnKind; readonly name: string };

type Input = {
  readonly kind: OwnKind;
  readonly name: string;
  readonly mode: (typeof IMPORT_MODES)[number];
  readonly licence: string;
  readonly sha256: string;
  readonly columns: string | undefined;
  readonly make: string | undefined;
};
type Checkpoint = {
  readonly datasetId: string;
  readonly line: number;
  readonly taken: number;
  readonly refused: number;
  readonly isTold: boolean;
};

const textIn = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Kinds of data sets that have another name than the file that is brought. */
const DATASET_OF = { models: "device_facts", networks: "mcc_mnc", carriers: "carrier_id" } as const;
const RENAMED = keysOf(DATASET_OF);

function inputOf(given: Readonly<Record<string, unknown>>): Input {
  const kind = assured(wordOf(IMPORT_KINDS, given.kind), "an import has a kind");
  if (kind === "apn") throw new Error("access points are imported by a job of their own");
  return {
    kind: isOneOf(RENAMED, kind) ? DATASET_OF[kind] : kind,
    name: textIn(given.name) ?? kind,
    mode: wordOf(IMPORT_MODES, given.mode) ?? "approve",
    licence: textIn(given.licence) ?? "the operator's own",
    sha256: textIn(given.sha256) ?? "",
    columns: textIn(given.columns),
    make: textIn(given.make),
  };
}

function checkpointOf(value: unknown, datasetId: string): Checkpoint {
  const { datasetId: id, line, taken, refused, isTold } = membersOf(value);
  if (typeof id !== "string") return { datasetId, line: 0, taken: 0, refused: 0, isTold: false };
  return {
    datasetId: id,
    line: Number(line),
    taken: Number(taken),
    refused: Number(refused),
    isTold: isTold === true,
  };
}

export const importJob = (deps: ImportDeps): JobKind => ({
  kind: IMPORT_JOB,
  async run(work) {
    const input = inputOf(work.input);
    const named = { ...input, operatorId: work.operatorId };
    const current = await currentOf(deps.database, named);
    if (current?.sha256 === input.sha256 && input.columns === undefined && input.make === undefined)
      return unchanged(input);
    const { read, at, warnings } = await stage(deps, work, input);
    if (at.taken === 0) return nothingRead(at);
    const change = await compared(deps, work, input, { at, currentId: current?.id ?? null });
    const verdicts = await deps.verdicts(work.operatorId, {
      id: at.datasetId,
      kind: input.kind,
      name: input.name,
    });
    return endOf(deps, work, input, {
      ...{ change, read, verdicts, warnings },
      ...{
        datasetId: at.datasetId,
        currentId: current?.id ?? null,
        losses: lossesOf(change, read, verdicts),
      },
    });
  },
  async abandon(tx, { id, operatorId }) {
    const staged = await stagedBy(tx, operatorId, id);
    if (staged) await giveUpStaged(tx, operatorId, staged.id);
  },
});

const unchanged = ({ name, sha256 }: Input): JobEnd => ({
  state: "done",
  reason: `${name} is in use already, octet for octet.`,
  summary: { name, sha256, unchanged: true },
});

const nothingRead = ({ refused }: Checkpoint): JobEnd => ({
  state: "failed",
  reason: "No row of the file could be imported.",
  nextAction:
    refused > 0 ? "Mend the rows that are told, and bring it again." : "The file has a header and no rows.",
});

type Read = { readonly read: ImportRead; readonly at: Checkpoint; readonly warnings: readonly string[] };

/** Reads the file from the checkpoint's line on; each step's rows and its checkpoint are one transaction. */
async function stage({ database, newId, clock }: ImportDeps, work: JobWork, input: Input): Promise<Read> {
  const before = checkpointOf(work.checkpoint, newId());
  const fileId = assured(work.fileId, "an import has its file");
  const text = () => textOf(fileParts(database, fileId), TEXT_OCTETS_MAX);
  const total = await linesIn(text()); // read twice: what is too long is told before a row of it is kept
  if (total > LINES_MAX)
    throw new TurnupError("input_too_long", `The file has more than ${LINES_MAX} lines.`, {
      nextStep: "Bring it in several files, each under a name of its own.",
    });
  const opened = await openStreamedImport(input.kind, text(), input);
  let at = before;
  let rows: DatasetRow[] = [];
  let outcomes: JobOutcome[] = [];
  let sliceEnds = performance.now() + SLICE_MS;
  const { operatorId } = work;
  const keep = async (isWhole: boolean): Promise<void> => {
    const [batch, told, now] = [rows, outcomes, at];
    rows = [];
    outcomes = [];
    await work.save(
      { done: Math.min(now.line, total), total, checkpoint: now, outcomes: told },
      async (tx) => {
        const { kind, name, sha256, licence } = input;
        const head = {
          id: now.datasetId,
          operatorId,
          kind,
          name,
          sha256,
          licence,
          jobId: work.id,
          at: clock(),
        };
        await stageHead(tx, { ...head, isGsma: opened.isDeviceMap });
        await stageRows(tx, now.datasetId, batch);
        if (isWhole) await countStaged(tx, { operatorId, id: now.datasetId }, now);
      },
    );
  };
  for await (const reads of opened.pieces) {
    for (const read of reads) {
      if (performance.now() > sliceEnds) {
        await turn();
        sliceEnds = performance.now() + SLICE_MS;
      }
      if (read.line <= before.line) continue;
      if ("body" in read) rows.push(read);
      else if (at.refused < TOLD_MAX) outcomes.push(refusedOutcome(at.refused + 1, read));
      at = past(at, read);
      if (rows.length + outcomes.length >= STEP_ROWS) await keep(false);
    }
  }
  await keep(true);
  const read = { taken: at.taken, refused: at.refused, padded: opened.paddedCount() };
  return { read, at, warnings: opened.warnings() };
}

const refusedOutcome = (
  position: number,
  { line, refused }: { readonly line: number; readonly refused: string },
): JobOutcome => ({
  position,
  subject: `line ${line}`,
  code: "refused",
  reason: maskText(refused),
});

const past = (at: Checkpoint, read: RowRead): Checkpoint => ({
  ...at,
  line: read.line,
  taken: at.taken + ("body" in read ? 1 : 0),
  refused: at.refused + ("body" in read ? 0 : 1),
});

/** Counted, and told row by row once. */
async function compared(
  { database }: ImportDeps,
  work: JobWork,
  { kind }: Input,
  { at, currentId }: { readonly at: Checkpoint; readonly currentId: string | null },
): Promise<ImportChange> {
  const change = await changeOf(database, kind, currentId, at.datasetId);
  if (at.isTold) return change;
  await work.save({ done: at.line, checkpoint: { ...at, isTold: true } }, async (tx) => {
    await tellChange(tx, work.id, { kind, currentId, stagedId: at.datasetId });
  });
  return change;
}

type Looked = {
  readonly datasetId: string;
  readonly currentId: string | null;
  readonly change: ImportChange;
  readonly read: ImportRead;
  readonly verdicts: VerdictChange | null;
  readonly losses: readonly string[];
  readonly warnings: readonly string[];
};

function endOf(deps: ImportDeps, work: JobWork, input: Input, looked: Looked): JobEnd {
  const { operatorId } = work;
  const { datasetId, currentId, losses } = looked;
  const summary = summaryOf(input, looked);
  const what = `${input.kind} ${input.name}: ${told(looked)}`;
  if (input.mode === "dry_run")
    return {
      state: "done",
      reason: `It would change ${what}`,
      summary,
      also: async (tx) => void (await giveUpStaged(tx, operatorId, datasetId)),
    };
  if (input.mode === "live" && losses.length === 0)
    return {
      state: "done",
      reason: `It is in use. ${what}`,
      summary,
      also: (tx) =>
        switchTo(tx, deps, { ...input, operatorId, datasetId, currentId, actor: work.askedBy.label }),
    };
  return {
    state: "waiting_approval",
    reason: losses.length > 0 ? losses.join(" ") : "It is to be looked at before it counts.",
    summary,
    approval: {
      kind: IMPORT_JOB,
      title: `It changes ${what}`,
      summary,
      digest: createHash("sha256")
        .update(JSON.stringify([operatorId, input.kind, input.name, input.sha256, currentId]))
        .digest(),
      reason: losses.length > 0 ? losses.join(" ") : "It is to be looked at before it counts.",
      roles: ["admin", "engineer"],
      secondPerson: losses.length > 0,
      expiresAt: new Date(deps.clock().getTime() + APPROVAL_MS),
    },
  };
}

const told = ({ change, read }: Looked): string =>
  sentenceOf(
    `${read.taken} rows in place of ${change.before}; ${change.added} added, ${change.changed} changed, ${change.removed} removed, ${read.refused} not taken`,
  );

function summaryOf(input: Input, { change, read, verdicts, losses, warnings, currentId }: Looked) {
  const { name, kind, sha256, mode } = input;
  return {
    ...{ kind, name, version: sha256.slice(0, 12), mode, replaces: currentId },
    ...{ taken: read.taken, refused: read.refused, before: change.before },
    ...{ added: change.added, changed: change.changed, removed: change.removed, emptied: change.emptied },
    ...{ verdicts, losses, warnings },
  };
}

type Switch = {
  readonly operatorId: string;
  readonly kind: OwnKind;
  readonly name: string;
  readonly datasetId: string;
  /** What it was compared with. */
  readonly currentId: string | null;
  readonly actor: string;
};

/** @throws TurnupError `precondition_failed`: another import went live meanwhile, and what was looked at is not what would change */
async function switchTo(tx: Tx, deps: Omit<ImportDeps, "verdicts">, to: Switch): Promise<void> {
  const { operatorId, kind, name, datasetId, currentId, actor } = to;
  await lockDataset(tx, to);
  if (((await currentOf(tx, to))?.id ?? null) !== currentId)
    throw new TurnupError("precondition_failed", `Another version of ${name} went live meanwhile.`, {
      nextStep: "Bring the file again: it is compared with what is in use then.",
    });
  await goLive(tx, to, datasetId, deps.clock());
  const detail = { dataset: datasetId, replaces: currentId };
  await noteIn(deps)(tx, operatorId, { actor, action: "dataset.import", subject: `${kind} ${name}`, detail });
}

export const importApproval = (
  deps: Omit<ImportDeps, "verdicts">,
  jobs: Pick<JobDesk, "end">,
): ApprovalKind => ({
  kind: IMPORT_JOB,
  putsInForce: ["datasets"],
  async carryOut(tx, { operatorId, subject, summary }, decidedBy) {
    const reason = `It is in use, approved by ${decidedBy.person ?? decidedBy.label}.`;
    const ending = { state: "done", reason, nextAction: "Nothing." } as const;
    const staged = assured(await stagedBy(tx, operatorId, subject), "an import that waits has its rows");
    const replaces = textIn(membersOf(summary).replaces) ?? null;
    const { id: datasetId, kind, name } = staged;
    await switchTo(tx, deps, {
      operatorId,
      kind,
      name,
      datasetId,
      currentId: replaces,
      actor: decidedBy.label,
    });
    await jobs.end(tx, { operatorId, id: subject }, ending);
  },
  giveUp: (tx, { operatorId, subject }, how, reason) =>
    jobs.end(
      tx,
      { operatorId, id: subject },
      {
        state: "failed",
        reason: `It did not go live: ${how}. ${sentenceOf(reason)}`,
        nextAction: "Bring it again where it is still wanted.",
      },
    ),
});
