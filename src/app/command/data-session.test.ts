/** `turnup data-session ...` through the API of a server that listens. */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { OPERATOR_A, OPERATOR_B, openFixture, tokenFor } from "../../../test/fixture/http.ts";
import { portOf } from "../server/address.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const TURNUP_URL = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const load = async (
  name: "dataSessionListCommand" | "dataSessionDisconnectCommand" | "dataSessionChangeCommand",
) => (await import("./data-session.ts"))[name];
const entries = [
  { name: "data-session list", summary: "", load: () => load("dataSessionListCommand") },
  { name: "data-session disconnect", summary: "", load: () => load("dataSessionDisconnectCommand") },
  { name: "data-session change", summary: "", load: () => load("dataSessionChangeCommand") },
];
const run = (argv: readonly string[], operator = OPERATOR_A) =>
  runWith(entries, argv, "", { env: { TURNUP_URL, TURNUP_TOKEN: tokenFor(operator, "engineer") } });

test("a SIM's sessions are listed; one that goes on though it was to end tells why, what to do, and fails the command", async () => {
  const list = await run(["data-session", "list", "+447700900123"]);
  assert.match(list.stdout, /pgw-1 +internet/);
  const ended = await run([
    "data-session",
    "disconnect",
    "234150000000001",
    "--reason",
    "to fetch its settings",
  ]);
  assert.equal(
    ended.stdout,
    "pgw-1 internet: refused; Error-Cause 504 Session Context Not Removable; Next: Ask again in a minute.\n",
  );
  assert.equal(ended.exitCode, 1);
  assert.deepEqual(fixture.calls.at(-1)?.input, {
    ...{ sim: { imsi: "234150000000001" }, request: { kind: "disconnect" } },
    ...{ reason: "to fetch its settings", actor: "engineer-token" },
  });
});

test("a change names what is to be otherwise; a SIM without a session is told and is no failure", async () => {
  const change = [
    "data-session",
    "change",
    "+447700900123",
    "--filter-id",
    "slow",
    "--session-timeout",
    "600",
  ];
  assert.equal((await run([...change, "--reason", "out of volume"])).exitCode, 1);
  assert.deepEqual(fixture.calls.at(-1)?.input, {
    sim: { msisdn: "447700900123" },
    request: { kind: "change", filterId: "slow", sessionTimeoutSeconds: 600 },
    ...{ reason: "out of volume", actor: "engineer-token" },
  });
  assert.equal((await run([...change.slice(0, -1), "soon", "--reason", "r"])).exitCode, 2);
  const none = await run(["data-session", "disconnect", "+447700900123", "--reason", "r"], OPERATOR_B);
  assert.deepEqual([none.exitCode, none.stdout], [0, ""]);
  assert.match(none.stderr, /no gateway that can be asked has told of a session/);
});
