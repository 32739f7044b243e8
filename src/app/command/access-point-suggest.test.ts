/** `turnup access-point suggest`, `confirm`, `test`, `retire` through the API of a server that listens. */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { OPERATOR_A, openFixture, THING_ID, tokenFor } from "../../../test/fixture/http.ts";
import { portOf } from "../server/address.ts";
import {
  accessPointConfirmCommand,
  accessPointRetireCommand,
  accessPointSuggestCommand,
  accessPointTestCommand,
} from "./access-point-suggest.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const TURNUP_URL = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const entries = [
  accessPointConfirmCommand,
  accessPointRetireCommand,
  accessPointSuggestCommand,
  accessPointTestCommand,
].map((command) => ({ ...command, load: async () => command }));
const run = (argv: readonly string[]) =>
  runWith(entries, argv, "", { env: { TURNUP_URL, TURNUP_TOKEN: tokenFor(OPERATOR_A, "admin") } });

test("suggestions are shown with their sources, and confirmed by id for the operator's only network", async () => {
  const shown = await run(["access-point", "suggest"]);
  assert.match(shown.stdout, /^Telco \(262-01\), formerly Telefant\n/);
  assert.match(shown.stdout, /set-1 +internet +internet\.telco +set 1/);
  const confirmed = await run(["access-point", "confirm", "set-1", "--uses", "internet"]);
  assert.equal(confirmed.exitCode, 0, confirmed.stderr);
  assert.match(confirmed.stdout, /^internet\.telco is the operator's own now, for internet: /);
  const none = await run(["access-point", "confirm", "set-2"]);
  assert.equal(none.exitCode, 1);
  assert.match(none.stderr, /^suggestion_not_found: /);
});

test("signs without their network and a word that nobody knows are usage errors", async () => {
  assert.equal((await run(["access-point", "suggest", "--spn", "Lumo"])).exitCode, 2);
  assert.equal((await run(["access-point", "confirm", "set-1", "--accept", "all"])).exitCode, 2);
});

test("a SIM is tested by its number", async () => {
  assert.match(
    (await run(["access-point", "test", "262019876543210"])).stdout,
    /in no handset that is known/,
  );
});

test("the last access point for a use is told before anything is retired, and retired by a word alone", async () => {
  const kept = await run(["access-point", "retire", THING_ID]);
  assert.equal(kept.exitCode, 2);
  assert.match(
    kept.stderr,
    /internet\.telco is kept: no other access point .* for internet\. Add another first, or retire it with --yes/,
  );
  assert.equal(kept.stdout, "");
  const retired = await run(["access-point", "retire", THING_ID, "--yes"]);
  assert.equal(retired.exitCode, 0, retired.stderr);
  assert.match(
    retired.stdout,
    /^retired internet\.telco\n3 orders under way have sent its APN, and keep it\nno other access point .* for internet\n/,
  );
});
