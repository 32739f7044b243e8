/** `turnup equipment-list ...` and `turnup equipment ...` through the API of a server that listens. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { OPERATOR_A, openFixture, THING_ID, tokenFor } from "../../../test/fixture/http.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { portOf } from "../server/address.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const TURNUP_URL = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const lists = () => import("./equipment-list.ts");
const entries = [
  { name: "equipment-list list", load: async () => (await lists()).equipmentListListCommand },
  { name: "equipment-list add", load: async () => (await lists()).equipmentListAddCommand },
  { name: "equipment-list remove", load: async () => (await lists()).equipmentListRemoveCommand },
  { name: "equipment-list change", load: async () => (await lists()).equipmentListChangeCommand },
  { name: "equipment-list import", load: async () => (await lists()).equipmentListImportCommand },
  { name: "equipment-list export", load: async () => (await lists()).equipmentListExportCommand },
  { name: "equipment-list versions", load: async () => (await lists()).equipmentListVersionsCommand },
  { name: "equipment-list restore", load: async () => (await lists()).equipmentListRestoreCommand },
  { name: "equipment check", load: async () => (await import("./equipment.ts")).equipmentCheckCommand },
  { name: "equipment switch", load: async () => (await import("./equipment.ts")).equipmentSwitchCommand },
].map((entry) => ({ ...entry, summary: "" }));
const run = (...argv: readonly string[]) =>
  runWith(entries, argv, "", { env: { TURNUP_URL, TURNUP_TOKEN: tokenFor(OPERATOR_A, "admin") } });

test("lists of handsets are named, changed, brought as files, taken as files and put back by commands", async () => {
  assert.match((await run("equipment-list", "list")).stdout, /stolen +black +10 +1 +1 /);
  const made = ["--status", "grey", "--priority", "3", "--reason", "watched"];
  assert.match(
    (await run("equipment-list", "add", "watched", ...made)).stdout,
    /watched is made: grey, priority 3/,
  );
  const handset = ["equipment-list", "change", "stolen", "356938035643809"];
  const changed = await run(...handset, "--sims", "234150000000001", "--reason", "reported");
  assert.match(changed.stdout, /^version 2: 1 added, 0 changed, 0 removed, 0 as before; 2 entries/);
  assert.match(
    JSON.stringify(fixture.calls.at(-1)?.input),
    /"entry":\{"device":"35693803564380","imsis":\["234150000000001"\],"note":null,"owner":null\}/,
  );
  await run(...handset, "--take-away", "--reason", "found");
  assert.match(JSON.stringify(fixture.calls.at(-1)?.input), /"isRemoval":true/);
  assert.match(
    (await run("equipment-list", "export", "stolen")).stdout,
    /35693803564380,262019876543210,"reported, twice",/,
  );
  assert.match((await run("equipment-list", "versions", "stolen")).stdout, /2 .* 1 +0 +0 +2 +reported/);
  assert.match(
    (await run("equipment-list", "restore", "stolen", "1", "--reason", "wrong")).stdout,
    /^version 2/,
  );
  assert.equal((await run("equipment-list", "remove", "stolen")).exitCode, 0);
  const folder = await mkdtemp(join(tmpdir(), "turnup-equipment-list-"));
  whenDone(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "stolen.csv"), "35693803564380\n");
  const brought = await run(
    "equipment-list",
    "import",
    "stolen",
    join(folder, "stolen.csv"),
    "--mode",
    "dry_run",
  );
  assert.match(brought.stdout, new RegExp(`job ${THING_ID}`));
  assert.deepEqual(fixture.calls.at(-1)?.input, {
    asked: { mode: "dry_run", how: "replace", form: "lines" },
    text: "35693803564380\n",
  });
  const unknown = await run("equipment-list", "remove", "nobody");
  assert.match(unknown.stderr, /^equipment_list_not_found/);
});

test("what a core would hear is shown, and black answers are turned off with a reason", async () => {
  assert.equal((await run("equipment", "check", "356938035643809")).stdout, "white: it is on no list\n");
  assert.equal((await run("equipment", "switch")).stdout, "black answers are on\n");
  assert.equal((await run("equipment", "switch", "off")).exitCode, 2);
  assert.match(
    (await run("equipment", "switch", "off", "--reason", "a wrong list")).stdout,
    /answers are off/,
  );
  assert.deepEqual(fixture.calls.at(-1)?.name, "equipmentLists.setSwitch");
});
