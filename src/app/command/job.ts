/** `turnup job list`, `show`, `rows`, `cancel`: work that takes longer than a request, through the API. */
import type { JobOutcome, JobView } from "../../kernel/jobs/job.ts";
import { isObject } from "../../term/narrow.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

type Rows<Row> = { readonly rows: readonly Row[] };

const LIMIT = { flags: "--limit <count>", about: "rows of one page, 1 to 1000 (default 20)" };
const EXAMPLE_ID = "01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11";

/** A part of a path, whatever somebody typed. */
const idIn = ({ args }: CommandContext): string => encodeURIComponent(args[0] ?? "");

export const jobListCommand: Command = {
  name: "job list",
  summary: "List jobs, newest first: imports and other work that takes longer than a request",
  options: [
    ...API_OPTIONS,
    { flags: "--kind <kind>", about: "only jobs of this kind" },
    { flags: "--state <state>", about: "only jobs in this state" },
    LIMIT,
  ],
  examples: ["turnup job list", "turnup job list --state waiting_approval"],
  async run(context) {
    const query = new URLSearchParams({ limit: String(limitOf(context.option("limit"))) });
    for (const name of ["kind", "state"]) {
      const value = context.option(name);
      if (value !== undefined) query.set(name, value);
    }
    const { rows } = await apiOf(context).ask<Rows<JobView>>("GET", `/v1/jobs?${query}`);
    if (context.json) for (const row of rows) await context.printJson(row);
    else if (rows.length === 0) context.note("no such job");
    else
      for (const line of tableOf(
        ["JOB", "KIND", "STATE", "DONE", "ASKED", "BY", "REASON"],
        rows.map((job) => [
          job.id,
          job.kind,
          job.state,
          doneOf(job),
          timeOf(job.askedAt),
          job.askedBy,
          job.reason,
        ]),
        { right: [3] },
      ))
        await context.print(line);
    return "ok";
  },
};

const doneOf = ({ done, total }: JobView): string => (total === null ? String(done) : `${done} of ${total}`);

export const jobShowCommand: Command = {
  name: "job show",
  summary: "Show how far a job is, what it came to, and what comes next",
  args: [{ usage: "<id>", about: "of the job" }],
  options: API_OPTIONS,
  examples: [`turnup job show ${EXAMPLE_ID}`],
  async run(context) {
    await printJob(context, await apiOf(context).ask<JobView>("GET", `/v1/jobs/${idIn(context)}`));
    return "ok";
  },
};

async function printJob(context: CommandContext, job: JobView): Promise<void> {
  if (context.json) return void (await context.printJson(job));
  await context.print(`job ${job.id}: ${job.kind}, ${job.state}, ${doneOf(job)} done`);
  await context.print(`asked for by ${job.askedByPerson ?? job.askedBy} at ${timeOf(job.askedAt)}`);
  if (isObject(job.summary))
    for (const [name, value] of Object.entries(job.summary))
      await context.print(`  ${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
  const until = job.deadlineAt === null ? "" : `, until ${timeOf(job.deadlineAt)}`;
  await context.print(`${job.reason} Next: ${job.nextAction}${until}`);
}

export const jobRowsCommand: Command = {
  name: "job rows",
  summary: "Print what became of each row of a job",
  description: "As CSV, all of them, as they come; with --json one object a line, a page of them.",
  args: [{ usage: "<id>", about: "of the job" }],
  options: [
    ...API_OPTIONS,
    { flags: "--code <code>", about: "only rows that came to this" },
    { flags: "--limit <count>", about: "with --json: rows of the page, 1 to 1000 (default 20)" },
  ],
  examples: [`turnup job rows ${EXAMPLE_ID}`, `turnup job rows ${EXAMPLE_ID} --code refused > refused.csv`],
  async run(context) {
    const code = context.option("code");
    const query = new URLSearchParams(code === undefined ? {} : { code });
    const rows = `/v1/jobs/${idIn(context)}/rows`;
    if (context.json) {
      query.set("limit", String(limitOf(context.option("limit"))));
      const page = await apiOf(context).ask<Rows<JobOutcome>>("GET", `${rows}?${query}`);
      for (const row of page.rows) await context.printJson(row);
      return "ok";
    }
    for await (const line of linesOf(await apiOf(context).read(`${rows}.csv?${query}`)))
      await context.print(line);
    return "ok";
  },
};

async function* linesOf(octets: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of octets) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\r\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

export const jobCancelCommand: Command = {
  name: "job cancel",
  summary: "Cancel a job that has not ended",
  description: "A running one ends at its next checkpoint, and what it had done stands.",
  args: [{ usage: "<id>", about: "of the job" }],
  options: [...API_OPTIONS, { flags: "--reason <text>", about: "why; it stands in the audit", needed: true }],
  examples: [`turnup job cancel ${EXAMPLE_ID} --reason "the wrong file"`],
  async run(context) {
    const reason = context.option("reason") ?? "";
    if (reason === "") throw new UsageError("--reason says why.");
    const path = `/v1/jobs/${idIn(context)}/cancel`;
    await printJob(context, await apiOf(context).ask<JobView>("POST", path, { reason }));
    return "ok";
  },
};
