/** `turnup import` of lists about devices and of access points: the job of `POST /v1/imports`, asked for, watched and told at the terminal. */
import { knownPerson } from "../../kernel/account/person.ts";
import { IMPORT_KINDS, type ImportAsked } from "../../kernel/jobs/imports.ts";
import type { JobView } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { isOneOf, membersOf } from "../../term/narrow.ts";
import { type ImportedBeside, importBeside } from "../server/import-beside.ts";
import { CLI_ACTOR, withOperator } from "../server/operator-store.ts";
import type { CommandContext, Outcome } from "../terminal/command.ts";

type ImportKind = ImportAsked["kind"];
export const isJobKind = (kind: string): kind is ImportKind => isOneOf(IMPORT_KINDS, kind);

type Brought = {
  readonly kind: ImportKind;
  readonly file: string;
  readonly octets: Uint8Array;
  readonly name: string;
  readonly licence: string;
};
/** Refused rows that are told at the terminal. */
const REFUSED_TOLD_MAX = 20;

export async function importByJob(
  context: CommandContext,
  { kind, file, octets, name, licence }: Brought,
): Promise<Outcome> {
  const [columns, make] = [context.option("columns"), context.option("make")];
  const mode: ImportAsked["mode"] = context.flag("dry-run") ? "dry_run" : "live";
  const by = { label: CLI_ACTOR, person: context.option("person") ?? null, vouchedBy: [] };
  return await withOperator(context, async (opened) => {
    const progress = context.progress(`importing ${kind}`);
    const asked = {
      ...{ kind, name, mode, licence },
      ...(columns !== undefined && { columns }),
      ...(make !== undefined && { make }),
    } as const;
    const imported = await importBeside(opened, {
      ...{ octets, asked, by, refusedMax: REFUSED_TOLD_MAX, signal: context.signal },
      onAsked(jobId) {
        if (context.isTerminal) context.note(`job ${jobId}: turnup job cancel ${jobId} takes it back`);
      },
      onProgress: (done, total) => progress.update(done, total, "lines"),
    }).finally(() => progress.clear());
    const summary = summaryOf(imported.job);
    tellRows(context, file, imported, summary);
    if (imported.job.state === "failed") throw failure(imported.job, file, by);
    return await tell(context, imported, { summary, kind, name, operator: opened.operator.slug });
  });
}

type Summary = {
  readonly taken: number;
  /** Access points that the operator has already. */
  readonly known: number;
  readonly refused: number;
  readonly change: string;
  readonly losses: readonly string[];
  readonly warnings: readonly string[];
  readonly isUnchanged: boolean;
  readonly members: Readonly<Record<string, unknown>>;
};

/** As the job left it; a job that failed has none. */
function summaryOf({ summary }: JobView): Summary {
  const members = membersOf(summary);
  const count = (name: string): number => (typeof members[name] === "number" ? members[name] : 0);
  const texts = (name: string): readonly string[] => {
    const list = members[name];
    return Array.isArray(list) ? list.map(String) : [];
  };
  const verdicts = membersOf(members.verdicts);
  const turned =
    typeof verdicts.changed === "number" && typeof verdicts.seen === "number"
      ? `; the verdict of ${verdicts.changed} of ${verdicts.seen} TACs that were seen changes`
      : "";
  return {
    ...{ taken: count("taken") - count("known"), known: count("known"), refused: count("refused"), members },
    change: `in place of ${count("before")} rows: ${count("added")} added, ${count("changed")} changed, ${count("removed")} removed${turned}`,
    ...{ losses: texts("losses"), warnings: texts("warnings"), isUnchanged: members.unchanged === true },
  };
}

function tellRows(
  context: CommandContext,
  file: string,
  { refused }: ImportedBeside,
  summary: Summary,
): void {
  for (const { subject, reason } of refused) context.note(`${file} ${subject}: ${reason}`);
  const more = summary.refused - refused.length;
  if (more > 0) context.note(`and ${more} more rows that were not taken`);
  for (const warning of summary.warnings) context.note(`${file}: ${warning}`);
}

/** Of a job that found nothing to take, or whose second person nobody could tell. */
function failure(job: JobView, file: string, by: Parameters<typeof knownPerson>[0]): TurnupError {
  try {
    knownPerson(by);
  } catch (error) {
    if (error instanceof TurnupError && error.message === job.reason) return error;
  }
  const message = job.reason.replace(/\bthe file\b/, () => file);
  return new TurnupError("dataset_malformed", message, { nextStep: job.nextAction });
}

type Told = {
  readonly summary: Summary;
  readonly kind: ImportKind;
  readonly name: string;
  readonly operator: string;
};

async function tell(
  context: CommandContext,
  { job, refused }: ImportedBeside,
  { summary, kind, name, operator }: Told,
): Promise<Outcome> {
  const isDry = context.flag("dry-run");
  const isWaiting = job.state === "waiting_approval";
  const isDone = job.state === "done";
  const imported = isDone && !isDry ? summary.taken : 0;
  if (context.json) {
    await context.printJson({
      ...{ kind, name, operator, read: summary.taken + summary.known + summary.refused, imported },
      ...{
        unchanged: summary.known,
        alreadyInUse: summary.isUnchanged,
        refused: summary.refused,
        dryRun: isDry,
      },
      refusals: refused.map(({ subject: where, reason }) => ({ where, reason })),
      ...{ job: job.id, state: job.state, approvalId: job.approvalId, summary: summary.members },
    });
    return isDone || isWaiting ? "ok" : "failed";
  }
  if (summary.isUnchanged) {
    await context.print(`${kind} ${name}: in use already, octet for octet`);
    return "ok";
  }
  if (!isDone && !isWaiting) {
    context.note(`${job.reason} ${job.nextAction}`);
    return "failed";
  }
  const known = summary.known > 0 ? `, ${summary.known} known already` : "";
  const lost = `${known}${summary.refused > 0 ? `, ${summary.refused} not taken` : ""}`;
  const what = isDry
    ? `${summary.taken} rows would be imported`
    : isWaiting
      ? `${summary.taken} rows wait for a second person, and nothing has changed yet`
      : `${imported} rows imported for ${operator}`;
  await context.print(`${kind} ${name}: ${what}${lost}`);
  context.note(summary.change);
  for (const loss of summary.losses) context.note(isDry ? `it would need a second person: ${loss}` : loss);
  if (isWaiting) context.note(`approval ${job.approvalId}: turnup approval approve ${job.approvalId}`);
  return "ok";
}
