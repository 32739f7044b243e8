/** The policy's changes, versions and tests by the API, over a store in memory. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bearer, OPERATOR_A, OPERATOR_B, openFixture } from "../../../../test/fixture/http.ts";
import { DEFAULT_POLICY } from "../../../kernel/operator/policy.ts";

const { server, calls } = await openFixture();
const ADMIN = bearer(OPERATOR_A, "admin");
const ENGINEER = bearer(OPERATOR_A, "engineer");

const read = async () => (await server.inject({ url: "/v1/policy", headers: ADMIN })).json();
const get = async (url: string, headers = ADMIN) => (await server.inject({ url, headers })).json();
const send = (method: "PATCH" | "POST" | "PUT", url: string, payload: unknown, headers: object = {}) =>
  server.inject({
    method,
    url,
    payload: JSON.stringify(payload),
    headers: { ...ADMIN, "content-type": "application/json", ...headers },
  });
const patch = (payload: unknown, headers: object = {}, reason = "") =>
  send("PATCH", `/v1/policy${reason === "" ? "" : `?reason=${encodeURIComponent(reason)}`}`, payload, {
    "content-type": "application/merge-patch+json",
    ...headers,
  });

test("a patch changes what it names, keeps all else, and bears who made it and why", async () => {
  const before = await read();
  const answer = await patch(
    { ageCutOffYears: 7, request: { fraud: { place: "country" } } },
    {},
    "as agreed",
  );
  assert.equal(answer.statusCode, 200, answer.body);
  const { version, body, madeBy, reason } = answer.json();
  const { request } = before.body;
  assert.deepEqual(body, {
    ...before.body,
    ageCutOffYears: 7,
    request: { ...request, fraud: { ...request.fraud, place: "country" } },
  });
  assert.deepEqual([version, reason, typeof madeBy], [before.version + 1, "as agreed", "string"]);
  assert.deepEqual(answer.headers.etag, `"${version}"`);
  assert.deepEqual((await get("/v1/policy", bearer(OPERATOR_B, "admin"))).version, 0, "of nobody else");
});

test("null takes a member back: to null where it may be null, else as it ships; a list is one value", async () => {
  await patch({
    ageCutOffYears: 9,
    resendLimit: 8,
    markets: ["AT", "DE"],
    request: { statusIntervalMinutes: 60 },
  });
  await patch({ marketRules: { AT: { tryKeys: false }, DE: { tryKeys: true } } });
  const answer = await patch({
    ...{ ageCutOffYears: null, resendLimit: null, markets: ["FR"] },
    ...{ marketRules: { AT: null }, request: { statusIntervalMinutes: null } },
  });
  const { body } = answer.json();
  assert.deepEqual(
    [
      body.ageCutOffYears,
      body.resendLimit,
      body.markets,
      body.marketRules,
      body.request.statusIntervalMinutes,
    ],
    [null, DEFAULT_POLICY.resendLimit, ["FR"], { DE: { tryKeys: true } }, null],
  );
});

test("a patch of what no policy has, of another kind, or of a version that is not in force any more is refused", async () => {
  const { version } = await read();
  for (const [payload, at] of [
    [{ ageCutoffYears: 7 }, "body/ageCutoffYears"],
    [{ resendLimit: "7" }, "body/resendLimit"],
    [{ request: 7 }, "body/request"],
    [{ quietHours: { from: "21:00" } }, "body/quietHours/to"],
    [[], "body"],
    ["x", "body"],
    [null, "body"],
  ] as const) {
    const answer = await patch(payload);
    assert.deepEqual([answer.statusCode, answer.json().errors?.[0]?.at], [400, at], answer.body);
  }
  const polluting = await server.inject({
    ...{ method: "PATCH", url: "/v1/policy", payload: '{"__proto__": {"resendLimit": 5}}' },
    headers: { ...ADMIN, "content-type": "application/merge-patch+json" },
  });
  assert.equal(polluting.statusCode, 400);
  const deep = await server.inject({
    ...{
      method: "PATCH",
      url: "/v1/policy",
      payload: `${'{"request":'.repeat(20_000)}1${"}".repeat(20_000)}`,
    },
    headers: { ...ADMIN, "content-type": "application/merge-patch+json" },
  });
  assert.equal(deep.statusCode, 400, "members in members without end");
  assert.equal((await patch({ resendLimit: 4 }, { "if-match": `"${version + 1}"` })).statusCode, 412);
  assert.equal((await patch({ retention: { sightings: 13 } }, ENGINEER)).json().code, "role_not_allowed");
  assert.equal((await read()).version, version);
});

test("versions are listed newest first with what each changed, and two of them differ key by key", async () => {
  const { version } = await read();
  await patch({ sender: "4711" }, {}, "a new short code");
  await patch({ sender: "4712", resendLimit: 5 });
  const { rows, nextCursor } = await get("/v1/policy/versions?limit=2");
  assert.deepEqual(
    rows.map((row: { version: number; reason: string | null; changed: string[] }) => [
      row.version,
      row.reason,
      row.changed,
    ]),
    [
      [version + 2, null, ["resendLimit", "sender"]],
      [version + 1, "a new short code", ["sender"]],
    ],
  );
  const next = await get(`/v1/policy/versions?limit=2&cursor=${nextCursor}`);
  assert.equal(next.rows[0].version, version);
  const diff = await get(`/v1/policy/diff?from=${version + 1}`);
  assert.deepEqual(diff.changes, [
    { key: "resendLimit", before: DEFAULT_POLICY.resendLimit, after: 5 },
    { key: "sender", before: "4711", after: "4712" },
  ]);
  const whole = await get(`/v1/policy/versions/${version + 1}`);
  assert.equal(whole.body.sender, "4711");
  assert.equal((await get("/v1/policy/diff?from=999")).code, "policy_version_not_found");
});

test("a rollback is a version of its own that says what a former one said", async () => {
  const { version } = await read();
  const back = await send("POST", "/v1/policy/rollback", { version: 0, reason: "care calls doubled" });
  assert.equal(back.statusCode, 200, back.body);
  assert.deepEqual([back.json().version, back.json().reason], [version + 1, "care calls doubled"]);
  assert.deepEqual(back.json().body, DEFAULT_POLICY);
  const again = await send("POST", "/v1/policy/rollback", { version });
  assert.equal(again.json().reason, `rolled back to version ${version}`);
  assert.equal(
    (await send("POST", "/v1/policy/rollback", { version: 999 })).json().code,
    "policy_version_not_found",
  );
});

test("a policy does not go live while one of its own tests fails, by whichever road; each is told with what the rules said", async () => {
  const { version, body } = await read();
  // Of the fixture: a test that wants `unknown` fails, since the rules say `ended by model_list`.
  const good = { name: "ended", tac: "35693803", verdict: "ended" };
  const bad = { name: "not told", tac: "35693803", verdict: "unknown" };
  const failing = { at: 1, name: "not told", wanted: "unknown", said: "ended by model_list" };
  const tried = await send("POST", "/v1/policy/diff", { resendLimit: 6, tests: [good, bad] });
  assert.deepEqual(tried.json().failing, [failing]);
  assert.deepEqual(
    tried.json().changes.map(({ key }: { key: string }) => key),
    ["resendLimit", "tests"],
  );
  for (const refused of [
    await patch({ tests: [good, bad] }),
    await send("PUT", "/v1/policy", { ...body, tests: [good, bad] }, { "if-match": `"${version}"` }),
  ]) {
    assert.deepEqual([refused.statusCode, refused.json().code], [422, "policy_test_failed"], refused.body);
    const said = "not told: unknown, and the rules say ended by model_list";
    assert.deepEqual(refused.json().errors, [{ at: "body/tests/1", wanted: said }]);
  }
  assert.equal((await read()).version, version, "nothing was put in force");
  const kept = await patch({ tests: [good] });
  assert.equal(kept.statusCode, 200, kept.body);
  const { tests: _, ...older } = body;
  const put = await send("PUT", "/v1/policy", older, { "if-match": `"${version + 1}"` });
  assert.deepEqual(put.json().body.tests, [good], "a client that knows of no tests does not take them away");
});

test("a test names one thing that there can be", async () => {
  for (const [one, at] of [
    [{ name: "x", verdict: "ended" }, "body/tests/0"],
    [{ name: "x", verdict: "ended", tac: "35693803", model: "Nokia/6610" }, "body/tests/0"],
    [{ name: "x", verdict: "ended", imei: "356938035643800" }, "body/tests/0/imei"],
    [{ name: "x", verdict: "ended", model: "6610" }, "body/tests/0/model"],
    [{ name: "x", verdict: "ended", model: "Nokia/6*" }, "body/tests/0/model"],
    [{ name: "x", verdict: "ended", tac: "3569380" }, "body/tests/0/tac"],
    [{ name: "x", verdict: "ended", tac: "35693803", asOf: "2026-02-30" }, "body/tests/0/asOf"],
    [{ name: "x", verdict: "current", tac: "35693803" }, "body/tests/0/verdict"],
  ] as const) {
    const answer = await patch({ tests: [one] });
    assert.deepEqual([answer.statusCode, answer.json().errors?.[0]?.at], [400, at], answer.body);
  }
});

test("a replay is a job of the request's own id, with the policy that the patch makes; a day that is none is refused", async () => {
  let keys = 0;
  const ask = (payload: object) =>
    send("POST", "/v1/policy/replays", payload, { "idempotency-key": `replay-${++keys}` });
  const asked = await ask({ since: "2026-05-01", policy: { ageCutOffYears: 3 } });
  assert.equal(asked.statusCode, 202, asked.body);
  const { input } = calls.findLast(({ name }) => name === "policyReplays.ask") ?? {};
  const { id, policy, since } = input as { id: string; policy: { ageCutOffYears: number }; since: Date };
  assert.deepEqual([asked.json().jobId, policy.ageCutOffYears], [id, 3]);
  assert.equal(since.toISOString(), "2026-05-01T00:00:00.000Z");
  assert.equal((await ask({ since: "2026-02-30" })).json().errors[0].at, "body/since");
  assert.equal((await ask({ since: "2026-05-01", policy: { nothing: 1 } })).statusCode, 400);
});

test("where two persons are wanted, a change is asked for and not made: the answer names the approval that it waits for", async () => {
  await patch({ policyChanges: { secondPerson: true, approvalHours: 5 } });
  const before = await read();
  const asked = await patch({ sender: "9999", tests: [] }, {}, "a new sender");
  assert.equal(asked.statusCode, 202, asked.body);
  assert.deepEqual([asked.json().state, typeof asked.json().approvalId], ["waiting", "string"]);
  const { input } = calls.findLast(({ name }) => name === "policies.propose") ?? {};
  const { hours, summary, title } = input as { hours: number; title: string; summary: { changes: unknown } };
  const changes = [{ key: "sender", before: before.body.sender, after: "9999" }];
  assert.deepEqual([hours, title, summary.changes], [5, "Changes the policy: sender.", changes]);
  assert.deepEqual(await read(), before);
});
