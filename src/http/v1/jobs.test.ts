/** What the doors show of jobs and approvals. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bearer, OPERATOR_A, openFixture, THING_ID } from "../../../test/fixture/http.ts";

const { server, calls } = await openFixture();
const headers = bearer(OPERATOR_A, "admin");
const get = (url: string) => server.inject({ method: "GET", url, headers });

test("what became of each row comes by page, each with a link to the next, or of one code alone", async () => {
  const first = await get(`/v1/jobs/${THING_ID}/rows?limit=2`);
  assert.deepEqual([first.json().rows.length, first.json().nextCursor], [2, 2]);
  assert.equal(first.headers.link, `</v1/jobs/${THING_ID}/rows?limit=2&cursor=2>; rel="next"`);
  const last = await get(`/v1/jobs/${THING_ID}/rows?limit=2&cursor=2`);
  assert.deepEqual([last.json().rows.length, last.json().nextCursor], [1, null]);
  const refused = await get(`/v1/jobs/${THING_ID}/rows?code=refused`);
  assert.deepEqual(
    refused.json().rows.map(({ position }: { position: number }) => position),
    [2],
  );
});

test("all of it comes as one CSV file that a spreadsheet does not run as formulas", async () => {
  const file = await get(`/v1/jobs/${THING_ID}/rows.csv`);
  assert.equal(file.headers["content-type"], "text/csv; charset=utf-8");
  assert.equal(
    file.body,
    'position,subject,code,reason\r\n1,line 2,added,\r\n2,\'=line 3,refused,"it says ""no"", twice"\r\n3,line 4,added,\r\n',
  );
});

test("who decides about an approval is the token's person and role, with what was looked at", async () => {
  const digest = "0".repeat(64);
  const payload = { outcome: "approved", reason: "looked at", digest };
  const answer = await server.inject({ method: "POST", url: `/v1/approvals/${THING_ID}`, headers, payload });
  assert.equal(answer.statusCode, 200, answer.body);
  const { input } = calls.findLast(({ name }) => name === "approvals.decide") ?? {};
  const decider = { label: "admin-token", person: null, vouchedBy: [], role: "admin" };
  assert.deepEqual(input, { id: THING_ID, decision: payload, decider });
});
