/** `turnup sight`: sightings out of a file, as networks export them. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";

const fixture = await cliFixture([
  { name: "sight", summary: "", load: async () => (await import("./sight.ts")).sightCommand },
]);
const NORTH = await fixture.operator("north");
const run = (argv: readonly string[], stdin = "") => fixture.run(["sight", ...argv], stdin);
const orders = async (operatorId = NORTH) =>
  (
    await fixture.database.rows<{ cause: string }>(
      "select cause from provisioning_order where operator_id = $1 order by id",
      [operatorId],
    )
  ).map(({ cause }) => cause);

const PHONE_A = "35201307123456";
const PHONE_B = "35693803564380";

test("first registration, the same again, a move and a late row are told apart; a bad row is named and the rest goes on", async () => {
  const csv = [
    "imsi,imei,plmn,msisdn,seen_at",
    `262019876543210,${PHONE_A},262-01,+491701234567,2026-11-22T10:00:00Z`,
    `262019876543210,${PHONE_A},262-01,,2026-11-22T10:05:00Z`,
    `262019876543210,${PHONE_B},262-01,,2026-11-22T11:00:00Z`,
    "26201987654321x,35201307123456,262-01,,",
    `262019876543210,${PHONE_A}`,
    "",
    `262019876543299,${PHONE_A},262-01,,2027-11-22T10:00:00Z`,
  ].join("\r\n");
  const { exitCode, stdout, stderr } = await run([fixture.file("register.csv", csv)]);
  assert.equal(exitCode, 0);
  assert.equal(stdout, "6 sightings: 2 orders opened, 1 unchanged, 0 late, 3 refused\n");
  assert.deepEqual(stderr.trim().split("\n"), [
    "line 5: imsi_malformed: An IMSI has 6 to 15 digits, not 15 characters of this kind.",
    "line 6: sighting_malformed: the row has 2 cells, the header has 5",
    "line 8: seen_in_future: seenAt is more than 10 minutes ahead of this server's clock.",
  ]);
  const older = `imsi,imei,plmn,seenAt\n262019876543210,${PHONE_A},262-01,2026-11-22T10:30:00Z\n`;
  assert.match((await run(["-"], older)).stdout, /^1 sightings: 0 orders opened, 0 unchanged, 1 late/);
  assert.deepEqual(await orders(), ["first_registration", "sim_moved"]);
});

test("the same file again opens nothing", async () => {
  const csv = `imsi,imei,plmn\n262019876540001,${PHONE_A},26201\n262019876540002,${PHONE_B},26201\n`;
  const before = (await orders()).length;
  assert.match((await run(["-"], csv)).stdout, /^2 sightings: 2 orders opened/);
  assert.match((await run(["-"], csv)).stdout, /^2 sightings: 0 orders opened, 2 unchanged/);
  assert.equal((await orders()).length, before + 2);
});

test("an operator's export is understood: semicolons, other column names, MCC and MNC apart, seconds since 1970, quotes", async () => {
  const csv = [
    '"MSISDN_E164";IMSI;"Device IMEI";MCC;MNC;Last Seen;SPN;Cell',
    `491701112233;262019876541111;${PHONE_A};262;01;1795341600;"Acme; Mobile";77`,
  ].join("\n");
  const { stdout, stderr } = await run(["-", "--json"], csv);
  const [row, end] = jsonLines(stdout);
  assert.equal(row?.outcome, "first_registration");
  assert.deepEqual(end?.summary, { read: 1, opened: 1, unchanged: 0, late: 0, refused: 0 });
  assert.match(stderr, /columns that nobody reads: Cell/);
  const stored = await fixture.database.one<{ spn: string; seenAt: Date }>(
    `select s.spn, p.first_seen_at as "seenAt" from subscriber s join pairing p on p.subscriber_id = s.id where s.id = $1`,
    [row?.subscriberId],
  );
  assert.deepEqual([stored?.spn, stored?.seenAt.toISOString()], ["Acme; Mobile", "2026-11-22T10:00:00.000Z"]);
});

test("JSON lines are taken one by one, each answered on its line in order", async () => {
  const lines = [
    JSON.stringify({ imsi: "262019876542222", imei: PHONE_A, plmn: "26201", source: "radius" }),
    JSON.stringify({ imsi: 262019876542223, imei: PHONE_A, plmn: "26201" }),
    "{ this is not JSON",
    JSON.stringify({ imsi: "262019876542224", imei: PHONE_A, plmn: "26201", source: "guess" }),
    JSON.stringify({ imsi: "262019876542225", imei: PHONE_A, plmn: "26201", spn: "x".repeat(101) }),
    JSON.stringify([1]),
  ];
  const { stdout, exitCode } = await run(["-", "--json"], lines.join("\n"));
  assert.equal(exitCode, 0);
  const told = jsonLines(stdout);
  assert.deepEqual(
    told.slice(0, -1).map(({ line, outcome }) => [line, outcome]),
    [
      [1, "first_registration"],
      [2, "refused"],
      [3, "refused"],
      [4, "refused"],
      [5, "refused"],
      [6, "refused"],
    ],
  );
  assert.match(String(told[1]?.reason), /imsi must be a JSON string/);
  const source = await fixture.database.one("select source from sighting where subscriber_id = $1", [
    told[0]?.subscriberId,
  ]);
  assert.deepEqual(source, { source: "radius" });
});

test("rows of one SIM stay in the order of the file over the edge of a batch", async () => {
  const filler = Array.from({ length: 1_999 }, (_, at) => `26202${String(at).padStart(10, "0")},${PHONE_A}`);
  const csv = [
    "imsi,imei",
    ...filler,
    `262019876543333,${PHONE_A}`,
    `262019876543333,${PHONE_B}`,
    `262019876543333,${PHONE_A}`,
  ];
  const timed = csv.map((row, at) =>
    at === 0 ? `${row},seenAt` : `${row},${new Date(1795341600_000 + at).toISOString()}`,
  );
  const { stdout } = await run(["-", "--plmn", "262-02"], timed.join("\n"));
  assert.equal(stdout, "2002 sightings: 2002 orders opened, 0 unchanged, 0 late, 0 refused\n");
});

test("no number of a subscriber or a handset is printed in clear, whatever is wrong with the row", async () => {
  const csv = `imsi,imei,plmn,msisdn,seenAt,iccid\n${[
    `262019876543210,352013071234560,262-01,+49170123456789012345,,`,
    `2620198765432109876,${PHONE_A},262-01,,,`,
    `262019876543210,${PHONE_A},262019876543210,,,`,
    `262019876543210,${PHONE_A},262-01,,262019876543210,`,
    `262019876543210,${PHONE_A},262-01,,,8949123456789012345`,
  ].join("\n")}\n`;
  for (const argv of [["-"], ["-", "--json"]]) {
    const { stdout, stderr } = await run(argv, csv);
    assert.doesNotMatch(stdout.replace(/[0-9a-f-]{36}/g, "") + stderr, /\d{9,}/);
  }
});

test("a file without a header, an empty one and a JSON list are refused with what to do", async () => {
  for (const [content, fact] of [
    [`262019876543210,${PHONE_A},262-01\n`, /The header lacks imsi/],
    ["imsi,msisdn,plmn\n", /The header lacks imei/],
    ["imsi,imei\n", /The header lacks plmn; --plmn/],
    ["imsi,imei,plmn,mccmnc\n", /Two columns are named plmn/],
    ['[{"imsi": "1"}]', /A JSON list cannot be read line by line/],
  ] as const) {
    const { exitCode, stderr } = await run(["-"], content);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^sighting_malformed: /);
    assert.match(stderr, fact);
  }
  const none = await run(["-"], "");
  assert.deepEqual(
    [none.exitCode, none.stdout],
    [0, "0 sightings: 0 orders opened, 0 unchanged, 0 late, 0 refused\n"],
  );
  const allBad = await run(["-"], "imsi,imei,plmn\n1,2,3\n");
  assert.equal(allBad.exitCode, 1);
  assert.equal((await run(["/nowhere.csv"])).exitCode, 1);
  assert.equal((await run([])).exitCode, 2);
  assert.equal((await run(["-", "--source", "hearsay"])).exitCode, 2);
});

test("what was reported for one operator is not another's", async () => {
  const south = await fixture.operator("south");
  const csv = `imsi,imei,plmn\n262019876543210,${PHONE_A},262-01\n`;
  const { stdout } = await run(["-", "--operator", "south"], csv);
  assert.match(stdout, /^1 sightings: 1 orders opened/);
  assert.deepEqual(await orders(south), ["first_registration"]);
});
