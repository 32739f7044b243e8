/** Jobs and approvals on a database: what survives a kill, what is done once, who may decide. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import type { Acting } from "../../kernel/account/person.ts";
import type { Role } from "../../kernel/account/role.ts";
import type { JobView } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { assured } from "../../term/narrow.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createLeaseWatch } from "../node/node-presence.ts";
import { type ApprovalKind, createApprovals } from "./approvals.ts";
import { forgetJobs } from "./forget-jobs.ts";
import type { JobEnd, JobKind, JobWork } from "./job-kind.ts";
import { readJobPiles } from "./job-piles.ts";
import { createJobs } from "./jobs.ts";
import { failOverdue, type TakenJob, takeJob } from "./run-job.ts";

const database = await freshDatabase();
let nowMs = Date.parse("2026-03-01T12:00:00Z");
const clock = (): Date => new Date(nowMs);
/** What a run does, put in by each test. */
let run: (work: JobWork) => Promise<JobEnd> = () => assert.fail("no test said what the job does");
const abandoned: string[] = [];
/** What happens at that very moment, put in by a test. */
let whileAbandoned = async (): Promise<void> => undefined;
let whileCarried = async (): Promise<void> => undefined;
const counting: JobKind = {
  kind: "counting",
  run: (work) => run(work),
  async abandon(_tx, { id }) {
    abandoned.push(id);
    await whileAbandoned();
  },
};
const faults: unknown[] = [];
const deps = {
  ...{ database, clock, newId: () => uuidv7(), kinds: [counting], nodeNumber: () => null },
  onFault: (_: string, error: unknown) => void faults.push(error),
};
const jobs = createJobs(deps);
const carried: string[] = [];
const approvalKind: ApprovalKind = {
  kind: "counting",
  async carryOut(tx, { operatorId, subject, summary }) {
    if ((summary as { refuses?: true }).refuses)
      throw new TurnupError("dataset_malformed", "It cannot be done.");
    carried.push(subject);
    await whileCarried();
    await jobs.goOn(
      tx,
      { operatorId, id: subject },
      { reason: "It was approved.", hours: 1, checkpoint: { at: 99 } },
    );
  },
  async giveUp(tx, { operatorId, subject, summary }, how, reason) {
    if (sticks && (summary as { sticks?: true }).sticks)
      throw new TurnupError("dataset_malformed", "It cannot be given up.");
    await jobs.end(
      tx,
      { operatorId, id: subject },
      { state: "failed", reason: `${how}: ${reason}`, nextAction: "Ask again." },
    );
  },
};
let sticks = true;
const approvals = createApprovals({ ...deps, kinds: [approvalKind] });
const DONE: JobEnd = { state: "done", reason: "It is done.", summary: { counted: 4 } };

let operators = 0;
async function operator(): Promise<string> {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    id,
    `op-${++operators}`,
  ]);
  return id;
}
const ADA: Acting = { label: "ada-laptop", person: "Ada", vouchedBy: [] };
async function asked(
  operatorId: string,
  more: { readonly id?: string; readonly by?: Acting; readonly hours?: number } = {},
) {
  const id = more.id ?? uuidv7();
  const job = {
    id,
    operatorId,
    kind: "counting",
    input: { to: 4 },
    askedBy: more.by ?? ADA,
    hours: more.hours ?? 24,
  };
  await database.transaction((tx) => jobs.ask(tx, job));
  return id;
}
const taken = async (stop = new AbortController().signal): Promise<TakenJob> =>
  assured(await takeJob(deps, stop), "a job is due");
const stateOf = async (operatorId: string, id: string): Promise<JobView> =>
  assured(await jobs.find(operatorId, id), "the job is there");
const outcome = (position: number, code = "counted") => ({
  position,
  subject: `line ${position}`,
  code,
  reason: "",
});
const outcomesOf = (operatorId: string, id: string, code?: string) =>
  jobs.outcomes(operatorId, id, { limit: 10, after: 0, code });
/** Counts to four, two at a step, from where the checkpoint says. */
async function count(work: JobWork): Promise<JobEnd> {
  for (let at = (work.checkpoint as { at: number } | null)?.at ?? 0; at < 4; at += 2)
    await work.save({
      done: at + 2,
      total: 4,
      checkpoint: { at: at + 2 },
      outcomes: [outcome(at + 1), outcome(at + 2)],
    });
  return DONE;
}

test("a job runs to its end, and leaves what became of each row", async () => {
  const north = await operator();
  const id = await asked(north);
  await asked(north, { id });
  assert.deepEqual([(await jobs.list(north, {}, { limit: 10 })).rows.length], [1], "the same id asks once");
  run = count;
  assert.equal(await (await taken()).run(), "done");
  const { state, done, total, summary, deadlineAt } = await stateOf(north, id);
  assert.deepEqual([state, done, total, summary, deadlineAt], ["done", 4, 4, { counted: 4 }, null]);
  assert.deepEqual(
    (await outcomesOf(north, id))?.map(({ position }) => position),
    [1, 2, 3, 4],
  );
  assert.equal(await takeJob(deps, new AbortController().signal), undefined);
  const audited = await database.rows<{ action: string; actor: string }>(
    "select action, actor from audit where operator_id = $1 order by id",
    [north],
  );
  assert.deepEqual(
    audited.map(({ action, actor }) => `${action} ${actor}`),
    ["job.ask ada-laptop", "job.done ada-laptop"],
  );
});

for (const late of ["a step", "its end"])
  test(`a job whose server is gone goes on from its last checkpoint, and the server that was thought dead writes nothing more: ${late}`, async () => {
    const north = await operator();
    const id = await asked(north);
    let lateWork: JobWork | undefined;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    run = async (work) => {
      await work.save({ done: 2, total: 4, checkpoint: { at: 2 }, outcomes: [outcome(1), outcome(2)] });
      lateWork = work;
      await held; // as if it hung here
      return DONE;
    };
    const hung = (await taken()).run();
    while (!lateWork) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await takeJob(deps, new AbortController().signal), undefined, "its lease holds");
    nowMs += 61_000;
    const seen: unknown[] = [];
    run = async (work) => {
      seen.push(work.checkpoint, work.done);
      const step = { done: 3, checkpoint: { at: 3 }, outcomes: [outcome(9, "twice")] };
      if (late === "a step") await assert.rejects(async () => lateWork?.save(step), { name: "JobStopped" });
      release();
      assert.equal(await hung, "queued", "its end is not believed");
      return count(work);
    };
    assert.equal(await (await taken()).run(), "done");
    assert.deepEqual(seen, [{ at: 2 }, 2]);
    assert.deepEqual(
      (await outcomesOf(north, id))?.map(({ code }) => code),
      ["counted", "counted", "counted", "counted"],
    );
    assert.equal((await stateOf(north, id)).state, "done");
  });

test("what a step writes and its checkpoint are one: a step that fails leaves neither", async () => {
  const north = await operator();
  const id = await asked(north);
  run = async (work) => {
    await work.save({ done: 1, checkpoint: { at: 1 }, outcomes: [outcome(1)] }, async (tx) => {
      await tx.run("select 1 / 0");
    });
    return DONE;
  };
  const before = faults.length;
  assert.equal(await (await taken()).run(), "failed");
  assert.equal(faults.length, before + 1, "a fault of ours is told");
  const job = await stateOf(north, id);
  assert.deepEqual([job.done, job.reason], [0, "The server failed at it; the fault is logged."]);
  assert.deepEqual(await outcomesOf(north, id), []);
  assert.ok(abandoned.includes(id), "what it left is taken away");
});

test("while the database is away a job waits and goes on; what its kind refuses fails it, with the next step", async () => {
  const north = await operator();
  const id = await asked(north);
  run = async () => {
    throw new TurnupError("database_unavailable", "The database cannot be reached.");
  };
  assert.equal(await (await taken()).run(), "queued");
  assert.equal(await takeJob(deps, new AbortController().signal), undefined, "not at once");
  nowMs += 61_000;
  run = async () => {
    throw new TurnupError("dataset_malformed", "Line 3 is none.", { nextStep: "Mend it." });
  };
  assert.equal(await (await taken()).run(), "failed");
  const { reason, nextAction } = await stateOf(north, id);
  assert.deepEqual([reason, nextAction], ["Line 3 is none.", "Mend it."]);
});

test("a job that ends its server again and again at one place is given up", async () => {
  const north = await operator();
  const id = await asked(north);
  for (let kill = 0; kill < 5; kill++) {
    await taken(); // and the server is gone
    nowMs += 61_000;
  }
  run = () => assert.fail("it is not run again");
  assert.equal(await (await taken()).run(), "failed");
  assert.match((await stateOf(north, id)).reason, /^Its server ended 5 times/);
});

test("a server that stops puts its job back, for the next one to go on at once", async () => {
  const north = await operator();
  const id = await asked(north);
  const stop = new AbortController();
  run = async (work) => {
    await work.save({ done: 2, checkpoint: { at: 2 }, outcomes: [outcome(1), outcome(2)] });
    stop.abort();
    assert.ok(work.signal.aborted);
    await work.save({ done: 4, checkpoint: { at: 4 } });
    return DONE;
  };
  assert.equal(await (await taken(stop.signal)).run(), "queued");
  assert.deepEqual([(await stateOf(north, id)).done], [2]);
  run = count;
  assert.equal(await (await taken()).run(), "done");
});

test("a queued job is cancelled at once, a running one at its next checkpoint, one that ended not at all", async () => {
  const north = await operator();
  const said = { actor: "bob", reason: "the wrong file" };
  const queued = await asked(north);
  assert.equal((await jobs.cancel(north, queued, said)).state, "cancelled");
  await assert.rejects(jobs.cancel(north, queued, said), { code: "job_ended" });
  const id = await asked(north);
  run = async (work) => {
    await jobs.cancel(north, id, said);
    await work.save({ done: 2, checkpoint: { at: 2 }, outcomes: [outcome(1), outcome(2)] });
    return assert.fail("it goes no further");
  };
  assert.equal(await (await taken()).run(), "cancelled");
  const { reason, done } = await stateOf(north, id);
  assert.deepEqual([reason, done], ["Cancelled by bob: the wrong file", 2], "what it had done stands");
});

test("a job whose cancelling was answered is cancelled, though word of it came too late to stop its last step", async () => {
  const north = await operator();
  const said = { actor: "bob", reason: "the wrong file" };
  const also = async (): Promise<void> => assert.fail("what it would end with is not written");
  for (const ending of [DONE, asksFor()]) {
    const id = await asked(north);
    run = async () => {
      await jobs.cancel(north, id, said);
      return { ...ending, also };
    };
    assert.equal(await (await taken()).run(), "cancelled");
    const { state, reason, approvalId } = await stateOf(north, id);
    assert.deepEqual([state, reason, approvalId], ["cancelled", "Cancelled by bob: the wrong file", null]);
  }
});

test("a job that came to wait for a person while it was found overdue goes on waiting", async () => {
  const north = await operator();
  const [first, second] = [await asked(north, { hours: 1 }), await asked(north, { hours: 2 })];
  nowMs += 2 * 3_600_000;
  whileAbandoned = async () => {
    whileAbandoned = async () => undefined;
    const waits = "update job set state = 'waiting_approval', due_at = null, deadline_at = $2 where id = $1";
    await database.run(waits, [second, new Date(nowMs + 3_600_000)]);
  };
  await failOverdue(deps, 10);
  assert.equal((await stateOf(north, first)).state, "failed");
  assert.equal((await stateOf(north, second)).state, "waiting_approval");
  await jobs.cancel(north, second, { actor: "bob", reason: "the test is over" });
});

test("an overdue job that cannot be ended is told, and keeps no other's from its end", async () => {
  const north = await operator();
  const [first, second] = [await asked(north, { hours: 1 }), await asked(north, { hours: 2 })];
  nowMs += 2 * 3_600_000;
  const fault = new Error("what it left behind cannot be taken away");
  whileAbandoned = async () => {
    whileAbandoned = async () => undefined;
    throw fault;
  };
  await failOverdue(deps, 10);
  assert.equal(faults.at(-1), fault);
  assert.deepEqual(
    [(await stateOf(north, first)).state, (await stateOf(north, second)).state],
    ["queued", "failed"],
  );
  await failOverdue(deps, 10);
  assert.equal((await stateOf(north, first)).state, "failed", "at the next pass");
});

test("a job that comes to no end in time fails", async () => {
  const north = await operator();
  const id = await asked(north, { hours: 1 });
  nowMs += 3_600_000;
  assert.equal(await failOverdue(deps, 10), 1);
  assert.equal((await stateOf(north, id)).state, "failed");
});

test("another operator's job is not there: not to look at, not to cancel; and a long one of one keeps no other's waiting", async () => {
  const [north, south] = [await operator(), await operator()];
  const id = await asked(north);
  assert.equal(await jobs.find(south, id), undefined);
  assert.equal(await outcomesOf(south, id), undefined);
  assert.deepEqual((await jobs.list(south, {}, { limit: 10 })).rows, []);
  await assert.rejects(jobs.cancel(south, id, { actor: "x", reason: "y" }), { code: "job_not_found" });
  await asked(north);
  const other = await asked(south);
  assert.equal((await taken()).id, id);
  assert.equal((await taken()).id, other, "before the second of the first operator");
  nowMs += 61_000;
  run = count;
  for (let at = 0; at < 3; at++) assert.equal(await (await taken()).run(), "done");
});

// ---- approvals

const digest = createHash("sha256").update("4").digest();
function asksFor(more: { readonly secondPerson?: boolean; readonly summary?: object } = {}): JobEnd {
  return {
    state: "waiting_approval",
    reason: "It would count far.",
    summary: { to: 4 },
    approval: {
      kind: "counting",
      title: "It counts to 4.",
      summary: more.summary ?? { to: 4 },
      digest,
      reason: "It would count far.",
      roles: ["admin"],
      secondPerson: more.secondPerson ?? true,
      expiresAt: new Date(nowMs + 3_600_000),
    },
  };
}
async function waiting(
  operatorId: string,
  end: JobEnd,
  by = ADA,
): Promise<{ readonly id: string; readonly approvalId: string }> {
  const id = await asked(operatorId, { by });
  run = async () => end;
  assert.equal(await (await taken()).run(), "waiting_approval");
  const { approvalId } = await stateOf(operatorId, id);
  return { id, approvalId: assured(approvalId, "it waits for an approval") };
}
const decider = (
  person: string | null,
  more: { readonly role?: Role; readonly vouchedBy?: readonly string[] } = {},
) => ({
  label: `${person}-token`,
  person,
  vouchedBy: more.vouchedBy ?? [],
  role: more.role ?? ("admin" as const),
});
const YES = { outcome: "approved", reason: "looked at" } as const;

test("another person agrees, and it is carried out once; the asker, their other token, another role and a stranger cannot", async () => {
  const [north, south] = [await operator(), await operator()];
  const { id, approvalId } = await waiting(north, asksFor());
  const refusals: [ReturnType<typeof decider>, string][] = [
    [decider("ada"), "second_person_needed"],
    [decider("Carol", { vouchedBy: ["Ada"] }), "second_person_needed"],
    [decider(null), "person_unknown"],
    [decider("Bob", { role: "engineer" }), "role_not_allowed"],
  ];
  for (const [who, code] of refusals)
    await assert.rejects(approvals.decide(north, approvalId, YES, who), { code });
  await assert.rejects(approvals.decide(south, approvalId, YES, decider("Bob")), {
    code: "approval_not_found",
  });
  const other = { ...YES, digest: "0".repeat(64) };
  await assert.rejects(approvals.decide(north, approvalId, other, decider("Bob")), {
    code: "approval_changed",
  });
  assert.deepEqual(carried, [], "nothing is done before");
  const both = [decider("Bob"), decider("Eve")].map((who) => approvals.decide(north, approvalId, YES, who));
  const outcomes = await Promise.allSettled(both);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.deepEqual(carried, [id], "once, whoever came first");
  run = async (work) => {
    assert.deepEqual(work.checkpoint, { at: 99 });
    return DONE;
  };
  assert.equal(await (await taken()).run(), "done");
});

test("who cancels a job while somebody approves it comes second, and neither fails for the other", async () => {
  const north = await operator();
  const { id, approvalId } = await waiting(north, asksFor());
  let cancelling: Promise<JobView> | undefined;
  whileCarried = async () => {
    whileCarried = async () => undefined;
    cancelling = jobs.cancel(north, id, { actor: "eve", reason: "not needed" });
    cancelling.catch(() => undefined); // looked at below
    const waits =
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await until(
      () => database.rows(waits),
      ({ length }) => length > 0,
      "the cancelling waits for the decision",
    );
  };
  assert.equal((await approvals.decide(north, approvalId, YES, decider("Bob"))).state, "approved");
  assert.equal((await cancelling)?.state, "cancelled");
});

test("what cannot be carried out is not approved: the decision is none", async () => {
  const north = await operator();
  const { approvalId } = await waiting(north, asksFor({ summary: { refuses: true } }));
  await assert.rejects(approvals.decide(north, approvalId, YES, decider("Bob")), {
    code: "dataset_malformed",
  });
  assert.equal((await approvals.find(north, approvalId))?.state, "waiting");
  await approvals.decide(north, approvalId, { outcome: "refused", reason: "no" }, decider("Bob"));
});

test("the asker may take it back; refused, expired or cancelled, nothing is done and its job ends with why", async () => {
  const north = await operator();
  const refused = await waiting(north, asksFor());
  const before = carried.length;
  const decided = await approvals.decide(
    north,
    refused.approvalId,
    { outcome: "refused", reason: "a mistake" },
    decider("Ada"),
  );
  assert.deepEqual([decided.state, decided.decisionReason], ["refused", "a mistake"]);
  assert.equal((await stateOf(north, refused.id)).reason, "refused: a mistake");

  const late = await waiting(north, asksFor());
  nowMs += 3_600_000;
  await assert.rejects(approvals.decide(north, late.approvalId, YES, decider("Bob")), {
    code: "approval_decided",
  });
  assert.equal(await approvals.expire(10), 1);
  assert.equal((await approvals.find(north, late.approvalId))?.state, "expired");
  assert.equal((await stateOf(north, late.id)).state, "failed");

  const cancelled = await waiting(north, asksFor());
  await jobs.cancel(north, cancelled.id, { actor: "bob", reason: "not needed" });
  assert.equal((await approvals.find(north, cancelled.approvalId))?.state, "withdrawn");
  await assert.rejects(approvals.decide(north, cancelled.approvalId, YES, decider("Bob")), {
    code: "approval_decided",
  });
  assert.equal(carried.length, before);
  const audited = await database.rows<{ action: string }>(
    "select action from audit where operator_id = $1 and action like 'approval.%' order by id",
    [north],
  );
  assert.deepEqual(
    audited.map(({ action }) => action.slice("approval.".length)),
    ["ask", "refuse", "ask", "expire", "ask", "withdraw"],
  );
});

test("an approval that cannot be given up keeps no other waiting; it is told, and tried again", async () => {
  const north = await operator();
  const stuck = await waiting(north, asksFor({ summary: { sticks: true } }));
  const other = await waiting(north, asksFor());
  nowMs += 3_600_000;
  const faults: string[] = [];
  const desk = createApprovals({ ...deps, kinds: [approvalKind], onFault: (what) => faults.push(what) });
  assert.equal(await desk.expire(1), 2, "the one that sticks hides none, however few are looked at");
  assert.deepEqual(faults, ["approval"]);
  assert.equal((await approvals.find(north, other.approvalId))?.state, "expired");
  assert.equal((await approvals.find(north, stuck.approvalId))?.state, "waiting");
  sticks = false;
  assert.equal(await desk.expire(1), 1);
  assert.equal((await approvals.find(north, stuck.approvalId))?.state, "expired");
});

test("where nobody knows which person asks, what needs a second one fails at once and says how to ask; what needs none waits", async () => {
  const north = await operator();
  const nobody: Acting = { label: "script", person: null, vouchedBy: [] };
  const id = await asked(north, { by: nobody });
  run = async () => asksFor();
  assert.equal(await (await taken()).run(), "failed");
  const { reason, nextAction } = await stateOf(north, id);
  assert.match(reason, /^It is not known which person script is/);
  assert.match(nextAction, /names its person/);
  const own = await waiting(north, asksFor({ secondPerson: false }), nobody);
  await approvals.decide(north, own.approvalId, YES, decider(null));
  assert.equal(carried.at(-1), own.id);
  run = async () => DONE;
  assert.equal(await (await taken()).run(), "done");
});

test("what ended long ago is forgotten with its outcomes, what is open is counted", async () => {
  const north = await operator();
  const id = await asked(north);
  const piles = await readJobPiles(database, new Date(nowMs + 5_000));
  assert.deepEqual([piles.jobs.queued, piles.oldestDueSeconds], [1, 5]);
  run = count;
  assert.equal(await (await taken()).run(), "done");
  nowMs += 90 * 86_400_000;
  while (await forgetJobs(database, clock(), 90));
  assert.deepEqual((await stateOf(north, id)).state, "done", "not before its days are over");
  nowMs += 1;
  while (await forgetJobs(database, clock(), 90));
  assert.equal(await jobs.find(north, id), undefined);
  const left = await database.one<{ count: number }>(
    "select count(*)::int as count from job_outcome where job_id = $1",
    [id],
  );
  assert.equal(left?.count, 0);
});

test("a job of a server that is gone is due at once, without waiting for its lease", async () => {
  const north = await operator();
  const id = await asked(north);
  const dead = { ...deps, nodeNumber: () => 7_777_777 };
  await takeJob(dead, new AbortController().signal);
  await database.run("insert into node (number) values (7777777)");
  const look = createLeaseWatch(database);
  await look(clock());
  assert.equal(await takeJob(deps, new AbortController().signal), undefined, "it may be back in a moment");
  assert.equal(await look(clock()), 1);
  const again = await taken();
  assert.equal(again.id, id);
  run = count;
  assert.equal(await again.run(), "done");
});
