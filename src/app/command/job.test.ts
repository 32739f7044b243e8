/** `turnup job ...` and `turnup approval ...` through the API of a server that listens. */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { OPERATOR_A, OPERATOR_B, openFixture, THING_ID, tokenFor } from "../../../test/fixture/http.ts";
import { portOf } from "../server/address.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const TURNUP_URL = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const load = async (name: "jobListCommand" | "jobShowCommand" | "jobRowsCommand" | "jobCancelCommand") =>
  (await import("./job.ts"))[name];
const loadApproval = async (name: "approvalListCommand" | "approvalShowCommand" | "approvalApproveCommand") =>
  (await import("./approval.ts"))[name];
const entries = [
  { name: "job list", summary: "", load: () => load("jobListCommand") },
  { name: "job show", summary: "", load: () => load("jobShowCommand") },
  { name: "job rows", summary: "", load: () => load("jobRowsCommand") },
  { name: "job cancel", summary: "", load: () => load("jobCancelCommand") },
  { name: "approval list", summary: "", load: () => loadApproval("approvalListCommand") },
  { name: "approval show", summary: "", load: () => loadApproval("approvalShowCommand") },
  { name: "approval approve", summary: "", load: () => loadApproval("approvalApproveCommand") },
];
const run = (argv: readonly string[], env: Record<string, string> = {}) =>
  runWith(entries, argv, "", { env: { TURNUP_URL, TURNUP_TOKEN: tokenFor(OPERATOR_A, "admin"), ...env } });

test("jobs are listed, shown, cancelled, and their rows printed as CSV", async () => {
  const list = await run(["job", "list", "--state", "running"]);
  assert.match(list.stdout, new RegExp(`${THING_ID} +import +running +2 of 3`));
  const shown = await run(["job", "show", THING_ID]);
  assert.match(shown.stdout, /^job \S+: import, running, 2 of 3 done\n/);
  assert.match(shown.stdout, /A server is at it\. Next: It ends by itself\./);
  const rows = await run(["job", "rows", THING_ID, "--code", "refused"]);
  assert.equal(rows.stdout, 'position,subject,code,reason\n2,\'=line 3,refused,"it says ""no"", twice"\n');
  assert.equal((await run(["job", "cancel", THING_ID, "--reason", "the wrong file"])).exitCode, 0);
  assert.deepEqual(fixture.calls.at(-1)?.input, {
    id: THING_ID,
    actor: "admin-token",
    reason: "the wrong file",
  });
});

test("an approval is shown with who may decide and until when, and approved under the token's person", async () => {
  assert.match((await run(["approval", "list"])).stdout, /It replaces 3 rows\./);
  const shown = await run(["approval", "show", THING_ID]);
  assert.match(shown.stdout, /waits for another person than who asked of role admin until/);
  const approved = await run(["approval", "approve", THING_ID, "--reason", "looked at"]);
  assert.equal(approved.exitCode, 0, approved.stderr);
  assert.equal(fixture.calls.at(-1)?.name, "approvals.decide");
});

test("what the API refuses is told with its code; another operator's job is not there", async () => {
  const foreign = await run(["job", "show", THING_ID], { TURNUP_TOKEN: tokenFor(OPERATOR_B, "admin") });
  assert.equal(foreign.exitCode, 1);
  assert.match(foreign.stderr, /^job_not_found: There is no such job\.\nGET \/v1\/jobs lists them\.\n$/);
});

test("a token goes over no network in clear, and none is asked for on the command line", async () => {
  const clear = await run(["job", "list"], { TURNUP_URL: "http://turnup.example" });
  assert.deepEqual([clear.exitCode, clear.stdout], [2, ""]);
  assert.match(clear.stderr, /would go over the network in clear/);
  const none = await run(["job", "list"], { TURNUP_TOKEN: "" });
  assert.equal(none.exitCode, 2);
  assert.match(none.stderr, /A token is needed/);
});
