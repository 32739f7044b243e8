/** `turnup sim-lock ...` through the API of a server that listens. */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { OPERATOR_A, openFixture, tokenFor } from "../../../test/fixture/http.ts";
import { portOf } from "../server/address.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const TURNUP_URL = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const locks = () => import("./sim-lock.ts");
const entries = [
  { name: "sim-lock arm", load: async () => (await locks()).simLockArmCommand },
  { name: "sim-lock lock", load: async () => (await locks()).simLockLockCommand },
  { name: "sim-lock keep", load: async () => (await locks()).simLockKeepCommand },
  { name: "sim-lock list", load: async () => (await locks()).simLockListCommand },
  { name: "sim-lock show", load: async () => (await locks()).simLockShowCommand },
].map((entry) => ({ ...entry, summary: "" }));
const run = (...argv: readonly string[]) =>
  runWith(entries, argv, "", { env: { TURNUP_URL, TURNUP_TOKEN: tokenFor(OPERATOR_A, "admin") } });

test("SIMs are armed, locked, kept and shown by commands, with the device that is expected and the one that came", async () => {
  const armed = await run("sim-lock", "arm", "262019876543210", "262019876543211", "--reason", "meters");
  assert.equal(armed.stdout, "262019*********: armed\n262019*********: armed\n", armed.stderr);
  const handset = ["--expected", "356938035643809", "--grace", "60", "--reason", "a meter"];
  await run("sim-lock", "lock", "262019876543210", ...handset);
  assert.match(
    JSON.stringify(fixture.calls.at(-1)?.input),
    /"action":"lock","expected":"35693803564380","graceSeconds":60/,
  );
  assert.match((await run("sim-lock", "list", "--state", "deferred")).stdout, /262019\*+ +deferred +imei/);
  assert.match((await run("sim-lock", "show", "262019876543210")).stdout, /35693803564380 +35209900111111/);
  assert.equal((await run("sim-lock", "arm", "12", "--reason", "meters")).exitCode, 1);
});
