/** `turnup devices unknown`: TACs that were seen and that no list names. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import type { CommandEntry } from "../terminal/command.ts";
import { deviceUnknownCommand } from "./devices.ts";
import { importCommand } from "./import.ts";
import { sightCommand } from "./sight.ts";

const COMMANDS: readonly CommandEntry[] = [deviceUnknownCommand, importCommand, sightCommand].map(
  (command) => ({
    ...command,
    load: async () => command,
  }),
);
const fixture = await cliFixture(COMMANDS);
const operatorId = await fixture.operator("meridian");
await fixture.operator("other");
const NAMED = "35693803";
/** TACs of a reporting body that nobody's list names. */
const UNKNOWN = ["86999901", "86999902", "86999903"] as const;
const unknown = (...argv: string[]) => fixture.run(["device", "unknown", "--operator", "meridian", ...argv]);
const tacs = async (...argv: string[]) =>
  jsonLines((await unknown("--json", ...argv)).stdout).map(({ tac, nextCursor }) => tac ?? nextCursor);

const seen = (tac: string, serial: number, sim: number, at: string) => ({
  imei: `${tac}${String(serial).padStart(6, "0")}`,
  imsi: `26201${String(sim).padStart(10, "0")}`,
  plmn: "26201",
  seenAt: at,
});
const rows = [
  seen(NAMED, 1, 1, "2026-05-01T00:00:00Z"),
  seen(UNKNOWN[0], 1, 2, "2026-05-02T00:00:00Z"),
  seen(UNKNOWN[0], 2, 3, "2026-05-04T00:00:00Z"),
  seen(UNKNOWN[0], 2, 2, "2026-05-05T00:00:00Z"),
  seen(UNKNOWN[1], 1, 4, "2026-05-03T00:00:00Z"),
  seen(UNKNOWN[2], 1, 5, "2026-05-03T00:00:00Z"),
];
const reported = await fixture.run(
  ["sight", "-", "--operator", "meridian"],
  rows.map((row) => JSON.stringify(row)).join("\n"),
);

test("TACs that were seen and that no list names are told with how many, whose, and from when to when; no named one is", async () => {
  assert.equal(reported.exitCode, 0, reported.stderr);
  const lines = jsonLines((await unknown("--json")).stdout);
  assert.deepEqual(
    lines.map(({ tac }) => tac),
    UNKNOWN,
  );
  const { ageWindows, ...first } = lines[0] ?? {};
  assert.ok(Array.isArray(ageWindows));
  assert.deepEqual(first, {
    ...{ isSpecial: false, radios: [], said: [], proposal: null },
    tac: UNKNOWN[0],
    handsets: 2,
    subscribers: 2,
    firstSeenAt: "2026-05-02T00:00:00.000Z",
    lastSeenAt: "2026-05-05T00:00:00.000Z",
  });
  const other = await fixture.run(["device", "unknown", "--operator", "other"]);
  assert.match(other.stderr, /every model that was seen is named/);
});

test("pages follow each other by TAC and lose none", async () => {
  assert.deepEqual(await tacs("--limit", "2"), [UNKNOWN[0], UNKNOWN[1], UNKNOWN[1]]);
  assert.deepEqual(await tacs("--limit", "2", "--cursor", UNKNOWN[1]), [UNKNOWN[2]]);
  assert.equal((await unknown("--cursor", "1234")).exitCode, 2);
});

test("a word of the operator about a TAC resolves it, and so does a list that names it", async () => {
  await fixture.database.run(
    `insert into device_override (id, operator_id, scope, key, body, why, made_by)
     values ($1, $2, 'tac', $3, '{"verdict": "ended"}', 'reviewed', 'test')`,
    [uuidv7(), operatorId, UNKNOWN[0]],
  );
  assert.deepEqual(await tacs(), [UNKNOWN[1], UNKNOWN[2]]);
  const file = fixture.file("tacs.csv", `tac,make,model\n${UNKNOWN[1]},Acme,One\n`);
  const imported = await fixture.run(["import", "tac", file, "--operator", "meridian"]);
  assert.equal(imported.exitCode, 0, imported.stderr);
  assert.deepEqual(await tacs(), [UNKNOWN[2]]);
});
