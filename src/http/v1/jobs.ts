/** Jobs: work that takes longer than a request. Listed, looked at, cancelled; what became of each row, by page and as CSV. */
import { Readable } from "node:stream";
import Type from "typebox";
import { JOB_STATES, type JobOutcome, type Jobs, type JobView } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { csvLine } from "../../wire/csv/write.ts";
import { answerPage, pageOf } from "../page.ts";
import { asItIs, ok, route } from "../route.ts";
import {
  anything,
  id,
  instant,
  instantOrNull,
  integerOrNull,
  named,
  PAGE_ROWS_DEFAULT,
  page,
  pageLimit,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../schema.ts";

export const Job = named(
  "Job",
  Type.Object({
    id: Type.String(),
    kind: Type.String(),
    state: words(JOB_STATES),
    input: anything("What was asked for, by its kind."),
    done: Type.Integer({ description: "Rows that are done." }),
    total: integerOrNull({ description: "How many there are; null: not known yet." }),
    summary: anything("What it came to, by its kind; null before."),
    reason: Type.String(),
    nextAction: Type.String(),
    askedBy: Type.String(),
    askedByPerson: textOrNull(),
    askedAt: instant(),
    startedAt: instantOrNull(),
    endedAt: instantOrNull(),
    updatedAt: instant(),
    deadlineAt: textOrNull({ format: "date-time", description: "When it fails for want of an end." }),
    approvalId: textOrNull({ description: "The approval that it waits for, or that was decided about it." }),
  }),
);
const JOB_ID = id("Of the job.");
export const jobNotFound = (): TurnupError =>
  new TurnupError("job_not_found", "There is no such job.", { nextStep: "GET /v1/jobs lists them." });

const shared = { tag: "jobs", roles: ["admin", "engineer"], status: 200 } as const;

export const listJobs = route({
  ...shared,
  method: "GET",
  path: "/v1/jobs",
  summary: "Jobs, newest first: imports and other work that takes longer than a request",
  errors: [],
  query: {
    ...pageQuery,
    kind: Type.Optional(text("Only jobs of this kind.", 60)),
    state: Type.Optional(words(JOB_STATES)),
  },
  answer: page(Job),
  async handle({ jobs }, { query, caller, request }) {
    const { kind, state } = query;
    return answerPage(await jobs.list(caller.operatorId, { kind, state }, pageOf(query)), request);
  },
});

export const getJob = route({
  ...shared,
  method: "GET",
  path: "/v1/jobs/:id",
  summary: "One job: how far it is, what it came to, what comes next",
  errors: ["job_not_found"],
  params: { id: JOB_ID },
  answer: Job,
  async handle({ jobs }, { params, caller }) {
    const found = await jobs.find(caller.operatorId, params.id);
    if (!found) throw jobNotFound();
    return ok<JobView>(found);
  },
});

export const cancelJob = route({
  ...shared,
  method: "POST",
  path: "/v1/jobs/:id/cancel",
  summary:
    "Cancel a job that has not ended; a running one ends at its next checkpoint, and what it had done stands",
  errors: ["job_not_found", "job_ended"],
  params: { id: JOB_ID },
  body: Type.Object({ reason: text("Why; it stands in the audit.") }, { additionalProperties: false }),
  answer: Job,
  async handle({ jobs }, { params, body, caller }) {
    const said = { actor: caller.label, reason: body.reason };
    return ok(await jobs.cancel(caller.operatorId, params.id, said));
  },
});

const Outcome = named(
  "JobOutcome",
  Type.Object({
    position: Type.Integer({ description: "From 1, in the job's own order." }),
    subject: Type.String({ description: "A line, an id, a TAC; never a person's number." }),
    code: Type.String({ description: "A word that a client can compare." }),
    reason: Type.String(),
  }),
);
const outcomeCode = { code: Type.Optional(text("Only outcomes of this code.", 60)) };

export const listJobRows = route({
  ...shared,
  method: "GET",
  path: "/v1/jobs/:id/rows",
  summary: "What became of each row of a job, in its own order",
  errors: ["job_not_found"],
  params: { id: JOB_ID },
  query: {
    limit: pageLimit,
    cursor: Type.Optional(Type.Integer({ minimum: 0, description: "`nextCursor` of the page before." })),
    ...outcomeCode,
  },
  answer: Type.Object({
    rows: Type.Array(Outcome),
    nextCursor: integerOrNull({ description: "Give it as `cursor` for the next page; null on the last." }),
  }),
  async handle({ jobs }, { params, query, caller, request }) {
    const { limit = PAGE_ROWS_DEFAULT, cursor = 0, code } = query;
    const found = await jobs.outcomes(caller.operatorId, params.id, {
      limit: limit + 1,
      after: cursor,
      code,
    });
    if (!found) throw jobNotFound();
    const rows = found.slice(0, limit);
    const last = found.length > limit ? rows.at(-1)?.position : undefined;
    const answer = answerPage({ rows, nextCursor: last === undefined ? null : String(last) }, request);
    return { ...answer, body: { rows, nextCursor: last ?? null } };
  },
});

const CSV = "text/csv";
/** Rows that are read at once for a file. */
const CSV_ROWS = 2_000;

export const getJobRowsCsv = route({
  ...shared,
  method: "GET",
  path: "/v1/jobs/:id/rows.csv",
  summary: "What became of each row of a job, all of them as one CSV file",
  description: "A cell that a spreadsheet would take for a formula has an apostrophe in front.",
  errors: ["job_not_found"],
  params: { id: JOB_ID },
  query: outcomeCode,
  produces: [CSV],
  async handle({ jobs }, { params, query, caller }) {
    const first = await jobs.outcomes(caller.operatorId, params.id, {
      limit: CSV_ROWS,
      after: 0,
      code: query.code,
    });
    if (!first) throw jobNotFound();
    const lines = csvOf(jobs, { operatorId: caller.operatorId, jobId: params.id, code: query.code }, first);
    return asItIs(Readable.from(lines), {
      "content-type": `${CSV}; charset=utf-8`,
      "content-disposition": `attachment; filename="job-${params.id}.csv"`,
    });
  },
});

type Of = { readonly operatorId: string; readonly jobId: string; readonly code: string | undefined };

async function* csvOf(
  jobs: Jobs,
  { operatorId, jobId, code }: Of,
  first: readonly JobOutcome[],
): AsyncGenerator<string> {
  yield csvLine(["position", "subject", "code", "reason"]);
  for (let rows = first; rows.length > 0; ) {
    yield rows
      .map(({ position, subject, code: said, reason }) => csvLine([String(position), subject, said, reason]))
      .join("");
    const after = rows.at(-1)?.position ?? 0;
    rows = (await jobs.outcomes(operatorId, jobId, { limit: CSV_ROWS, after, code })) ?? [];
  }
}
