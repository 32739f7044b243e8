/**
 * The job of a file for a list of handsets: its lines are staged out of sight, compared with what is in force, and put in force as one
 * version: by themselves, by a person's word, or by a second person's where a black list would lose or gain much.
 */
import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { Acting } from "../../kernel/account/person.ts";
import {
  EQUIPMENT_FORMS,
  EQUIPMENT_IMPORTS,
  type EquipmentEdit,
  type EquipmentExchange,
  type EquipmentImportAsked,
  type EquipmentListView,
  equipmentRisksOf,
} from "../../kernel/equipment/equipment-lists.ts";
import { ownEntryIn, ownEntryOf } from "../../kernel/equipment/own-entry.ts";
import { IMPORT_MODES } from "../../kernel/jobs/imports.ts";
import type { JobOutcome } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { assured, membersOf, wordOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import { type CsvRecord, type Separator, separatorOf } from "../../wire/csv/csv.ts";
import { CsvReader } from "../../wire/csv/csv-reader.ts";
import { ExchangeError, ExchangeReader } from "../../wire/equipment/exchange.ts";
import type { Tx } from "../database/database.ts";
import { textOf } from "../dataset/file-text.ts";
import type { ApprovalKind } from "../jobs/approvals.ts";
import { bringFile, dropFile, fileParts } from "../jobs/job-files.ts";
import type { JobEnd, JobKind, JobWork } from "../jobs/job-kind.ts";
import type { JobDesk } from "../jobs/jobs.ts";
import {
  type EquipmentDeps,
  equipmentListNotFound,
  findList,
  lockList,
  OWN_ENTRIES_MAX,
  putInVersion,
} from "./equipment-lists.ts";
import { compareStage, dropLines, dropStage, foreignIn, stageEdits } from "./stage.ts";

const EQUIPMENT_JOB = "equipment_import";
const FILE_OCTETS_MAX = 64 * 1_048_576;
const TEXT_OCTETS_MAX = 128 * 1_048_576;
/** By which the separator is told, where no line ends before. */
const HEAD_CHARACTERS = 4_096;
const STEP_ROWS = 2_000;
const SLICE_MS = 10;
/** Told of one job; of more the count says how many. */
const TOLD_MAX = 10_000;
const IMPORT_HOURS = 6;
const APPROVAL_MS = 7 * 86_400_000;
/** Of the lines of a file that cannot be read, above which somebody has to look at it. */
const REFUSED_MAX = 0.1;

type ImportDeps = Omit<EquipmentDeps, "changes">;
type Input = EquipmentImportAsked & { readonly listId: string };
type Checkpoint = { readonly line: number; readonly taken: number; readonly refused: number };

/** Brings a file and asks for its job; answers the job's id. */
export async function askListImport(
  deps: ImportDeps & { readonly jobs: Pick<JobDesk, "ask"> },
  operatorId: string,
  listId: string,
  { file, asked, by }: { file: AsyncIterable<Uint8Array>; asked: EquipmentImportAsked; by: Acting },
): Promise<string> {
  const list = await findList(deps.database, operatorId, listId);
  if (!list) throw equipmentListNotFound();
  const kept = await bringFile(deps, operatorId, file, FILE_OCTETS_MAX);
  const id = deps.newId();
  try {
    const input = { listId, list: list.name, ...asked, sha256: kept.sha256 };
    const job = { id, operatorId, kind: EQUIPMENT_JOB, input, fileId: kept.id, askedBy: by };
    await deps.database.transaction((tx) => deps.jobs.ask(tx, { ...job, hours: IMPORT_HOURS }));
  } catch (error) {
    await dropFile(deps.database, operatorId, kept.id);
    throw error;
  }
  return id;
}

function inputOf(given: Readonly<Record<string, unknown>>): Input {
  return {
    listId: String(given.listId),
    mode: assured(wordOf(IMPORT_MODES, given.mode), "an import has a mode"),
    how: assured(wordOf(EQUIPMENT_IMPORTS, given.how), "an import says how it is meant"),
    form: assured(wordOf(EQUIPMENT_FORMS, given.form), "an import says its form"),
  };
}

function checkpointOf(value: unknown): Checkpoint {
  const { line = 0, taken = 0, refused = 0 } = membersOf(value);
  return { line: Number(line), taken: Number(taken), refused: Number(refused) };
}

export const equipmentImportJob = (deps: ImportDeps): JobKind => ({
  kind: EQUIPMENT_JOB,
  async run(work) {
    const input = inputOf(work.input);
    const list = await findList(deps.database, work.operatorId, input.listId);
    if (!list) throw equipmentListNotFound();
    const read = await stage(deps, work, { input, list });
    if (read.taken === 0 && (read.refused > 0 || input.how !== "replace"))
      return {
        state: "failed",
        reason: "No line of the file could be taken.",
        nextAction: "Mend the lines that are told, and bring it again.",
        also: async (tx) => void (await dropStage(tx, work.id)),
      };
    return await endOf(deps, work, { input, list, read });
  },
  async abandon(tx, { id }) {
    await dropStage(tx, id);
  },
});

/** Stages the file from the checkpoint's line on; each step's rows and its checkpoint are one transaction. */
async function stage(
  deps: ImportDeps,
  work: JobWork,
  { input, list }: Omit<Looked, "read">,
): Promise<Checkpoint> {
  const before = checkpointOf(work.checkpoint);
  const { records, rowIn, end } = rowsOf(deps, work, input, list);
  let at = before;
  let edits: EquipmentEdit[] = [];
  let outcomes: JobOutcome[] = [];
  const keep = (): Promise<void> => {
    const [given, told, now] = [edits, outcomes, at];
    edits = [];
    outcomes = [];
    return work.save({ done: now.taken + now.refused, checkpoint: now, outcomes: told }, (tx) =>
      stageEdits(tx, deps.sealer, { id: work.id, operatorId: work.operatorId, at: deps.clock() }, given),
    );
  };
  let sliceEnds = performance.now() + SLICE_MS;
  for await (const { line, cells, fault } of records) {
    if (performance.now() > sliceEnds) {
      await turn();
      sliceEnds = performance.now() + SLICE_MS;
    }
    // A registry's header counts for what comes after it, and its trailer counts all, also where a step before this one read them.
    const read = fault === undefined ? rowIn({ line, cells }) : { fault };
    if (!read || line <= before.line) continue;
    if ("entry" in read) {
      edits.push({ isRemoval: input.how === "remove", ...read, line });
      at = { ...at, line, taken: at.taken + 1 };
    } else {
      at = { ...at, line, refused: at.refused + 1 };
      if (at.refused <= TOLD_MAX) outcomes.push(refusal(at.refused, line, read));
    }
    if (at.taken > OWN_ENTRIES_MAX)
      throw new TurnupError("input_too_long", `The file has more than ${OWN_ENTRIES_MAX} entries.`, {
        nextStep: "Put them into a sorted file: `turnup equipment build`.",
      });
    if (edits.length + outcomes.length >= STEP_ROWS) await keep();
  }
  end();
  await keep();
  return input.form === "exchange" ? await withoutForeign(deps, work, list.id, at) : at;
}

type Fault = { readonly fault: string; readonly code?: string };
type EntryRow = Pick<EquipmentEdit, "entry" | "isWide"> & { readonly isRemoval?: boolean };
type Rows = {
  readonly records: AsyncIterable<CsvRecord>;
  readonly rowIn: (row: Pick<CsvRecord, "line" | "cells">) => EntryRow | Fault | undefined;
  /** @throws TurnupError `dataset_malformed`: it was cut short */
  readonly end: () => void;
};

/** @throws TurnupError `dataset_malformed`: the list says of no registry how its files look */
function rowsOf(
  deps: ImportDeps,
  work: JobWork,
  { form }: Input,
  { name, exchange }: EquipmentListView,
): Rows {
  const fileId = assured(work.fileId, "an import has its file");
  if (form === "lines")
    return { records: recordsIn(deps, fileId), rowIn: ({ cells }) => ownEntryIn(cells), end() {} };
  if (!exchange)
    throw new TurnupError("dataset_malformed", `It is not said how files of a registry look for ${name}.`, {
      nextStep: "PATCH /v1/equipment-lists/ID with `exchange`.",
    });
  const reader = new ExchangeReader(exchange);
  return {
    records: recordsIn(deps, fileId, exchange.separator),
    rowIn: (row) => whole(() => exchangeRow(reader.take(row), exchange)),
    end: () => whole(() => reader.end()),
  };
}

/** What is wrong with a registry's file as a whole ends the job. */
function whole<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ExchangeError)) throw cause;
    throw new TurnupError("dataset_malformed", `The file is not taken: ${cause.message}.`, { cause });
  }
}

function exchangeRow(
  taken: ReturnType<ExchangeReader["take"]>,
  { reasons }: EquipmentExchange,
): EntryRow | Fault | undefined {
  if (!taken || "fault" in taken) return taken;
  const { isRemoval, from, to, reason, organisation } = taken.record;
  const device = from === to ? from : `${from}-${to}`;
  const read = ownEntryOf({ device, note: reasons[reason] ?? reason, owner: organisation });
  return "fault" in read ? { ...read, code: "0012" } : { ...read, isRemoval };
}

/** Records about what is another organisation's, or is not there, are passed over, each with the registry's own code. */
async function withoutForeign(
  { database }: ImportDeps,
  work: JobWork,
  listId: string,
  at: Checkpoint,
): Promise<Checkpoint> {
  const foreign = await foreignIn(database, listId, work.id);
  if (foreign.length === 0) return at;
  const refused = at.refused + foreign.length;
  const now = { ...at, taken: at.taken - foreign.length, refused };
  const outcomes = foreign
    .slice(0, Math.max(0, TOLD_MAX - at.refused))
    .map(({ line, code }, one) => refusal(at.refused + one + 1, line, { code, fault: FOREIGN[code] }));
  await work.save({ done: now.taken + refused, checkpoint: now, outcomes }, (tx) =>
    dropLines(
      tx,
      work.id,
      foreign.map(({ line }) => line),
    ),
  );
  return now;
}
const FOREIGN = {
  "0001": "it is there already, by another's file",
  "0002": "another organisation put it there: it is not removed",
  "0003": "it is not there, and cannot be removed",
} as const;

const refusal = (position: number, line: number, { code = "refused", fault }: Fault): JobOutcome => ({
  position,
  subject: `line ${line}`,
  code,
  reason: maskText(sentenceOf(fault)),
});

/** @throws TurnupError `dataset_malformed`, `input_too_long` */
async function* recordsIn(
  { database }: ImportDeps,
  fileId: string,
  separator?: Separator,
): AsyncGenerator<CsvRecord> {
  let head = "";
  let reader = separator && new CsvReader(separator);
  for await (const piece of textOf(fileParts(database, fileId), TEXT_OCTETS_MAX)) {
    head += reader ? "" : piece;
    if (!reader && head.length < HEAD_CHARACTERS && !/[\r\n]/.test(head)) continue;
    const text = reader ? piece : head;
    reader ??= new CsvReader(separatorOf(head));
    yield* reader.push(text);
  }
  if (reader) yield* reader.end();
  else yield* new CsvReader(separatorOf(head)).push(head, true);
}

type Looked = { readonly input: Input; readonly list: EquipmentListView; readonly read: Checkpoint };

async function endOf(deps: ImportDeps, work: JobWork, { input, list, read }: Looked): Promise<JobEnd> {
  const { operatorId, id } = work;
  const use = { stageId: id, replaces: isWhole(input) };
  const compared = await compareStage(deps.database, list.id, use, list.entries);
  const risks = [...equipmentRisksOf(list, list.entries, compared), ...unread(read)];
  const { added, changed, removed, unchanged } = compared;
  const summary = {
    ...{ list: list.name, status: list.status, version: list.version, ...input },
    ...{ lines: read.taken, refused: read.refused, before: list.entries },
    ...{ added, changed, removed, unchanged, risks },
  };
  const what = sentenceOf(
    `${list.name} (${list.status}): ${added} added, ${changed} changed, ${removed} removed, ${read.refused} lines not taken`,
  );
  if (input.mode === "dry_run")
    return {
      state: "done",
      reason: `It would change ${what}`,
      summary,
      also: async (tx) => void (await dropStage(tx, id)),
    };
  if (input.mode === "live" && risks.length === 0) {
    const actor = work.askedBy.label;
    const put = (tx: Tx) => putStaged(tx, deps, { operatorId, jobId: id, summary, actor });
    return { state: "done", reason: `It is in force. ${what}`, summary, also: put };
  }
  const reason = risks.length > 0 ? risks.join(" ") : "It is to be looked at before it counts.";
  const digest = createHash("sha256")
    .update(JSON.stringify([operatorId, work.input, list.version]))
    .digest();
  return {
    ...{ state: "waiting_approval", reason, summary },
    approval: {
      ...{ kind: EQUIPMENT_JOB, title: `It changes ${what}`, summary, digest, reason },
      ...{ roles: ["admin", "engineer"], secondPerson: risks.length > 0 },
      expiresAt: new Date(deps.clock().getTime() + APPROVAL_MS),
    },
  };
}

/** A registry's file says itself what is put in and taken away. */
const isWhole = ({ how, form }: { readonly how: unknown; readonly form: unknown }): boolean =>
  how === "replace" && form !== "exchange";

const unread = ({ taken, refused }: Checkpoint): readonly string[] =>
  refused > (taken + refused) * REFUSED_MAX
    ? [`${refused} of ${taken + refused} lines of the file cannot be read.`]
    : [];

type Put = {
  readonly operatorId: string;
  readonly jobId: string;
  readonly summary: unknown;
  readonly actor: string;
};

/** @throws TurnupError `precondition_failed`: the list is another than the one that was looked at */
async function putStaged(
  tx: Tx,
  deps: ImportDeps,
  { operatorId, jobId, summary, actor }: Put,
): Promise<void> {
  const { listId, version, how, form } = membersOf(summary);
  const list = await lockList(tx, operatorId, String(listId));
  if (list.version !== version)
    throw new TurnupError("precondition_failed", `${list.name} was changed meanwhile.`, {
      nextStep: "Bring the file again: it is compared with what is in force then.",
    });
  const use = { stageId: jobId, replaces: isWhole({ how, form }) };
  await putInVersion(tx, deps, { operatorId, list, use, actor, reason: `Job ${jobId}` });
}

export const equipmentImportApproval = (deps: ImportDeps, jobs: Pick<JobDesk, "end">): ApprovalKind => ({
  kind: EQUIPMENT_JOB,
  async carryOut(tx, { operatorId, subject, summary }, decidedBy) {
    await putStaged(tx, deps, { operatorId, jobId: subject, summary, actor: decidedBy.label });
    const reason = `It is in force, approved by ${decidedBy.person ?? decidedBy.label}.`;
    await jobs.end(tx, { operatorId, id: subject }, { state: "done", reason, nextAction: "Nothing." });
  },
  giveUp: (tx, { operatorId, subject }, how, reason) =>
    jobs.end(
      tx,
      { operatorId, id: subject },
      {
        state: "failed",
        reason: `It did not come in force: ${how}. ${sentenceOf(reason)}`,
        nextAction: "Bring it again where it is still wanted.",
      },
    ),
});
