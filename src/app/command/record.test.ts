/** An operator's own subscriber records come from a file whole: what is not taken is lost to nobody (R38). */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createRegistry } from "../../store/operator/registry.ts";

const load = async () => await import("./record.ts");
const fixture = await cliFixture([
  { name: "record import", summary: "", load: async () => (await load()).recordImportCommand },
  { name: "record show", summary: "", load: async () => (await load()).recordShowCommand },
  { name: "record erase", summary: "", load: async () => (await load()).recordEraseCommand },
]);
const { ownRecords, audit } = createRegistry({
  database: fixture.database,
  sealer: fixture.sealer,
  newId: () => uuidv7(),
  clock: () => new Date(),
});
const NORTH = await fixture.operator("north");
const run = (...argv: string[]) => fixture.run(["record", ...argv]);
const HEADER = "IMSI;Phone Number;First name;Surname;DOB;Street;Post code;City;Country;Loyalty";

test("rows are taken as a customer system writes them; the others stand whole with line and reason in a file for its owner alone", async () => {
  const file = fixture.file(
    "crm.csv",
    [
      HEADER,
      '001010000000101;+447700900101;Zoë;"van der Quill";1.2.1990;Hauptstr. 12a;10115;Berlin;Germany;gold',
      ";447700900102;Bela;Bartók;25/03/1981;;;;HU;",
      "001010000000103;;Cleo;Quux;01/02/1990;;;;;", // day or month
      '0010;;Dan;"Semi;colon";1990-02-01;;;;;', // no IMSI
      "001010000000101;;Eve;Quux;1990-02-01;;;;;", // the first line's SIM
      ";;Fay;Quux;1990-02-01;;;;;",
      "001010000000107;;Gus;Quux;1890-02-01;;;;;",
    ].join("\n"),
  );
  const { exitCode, stdout, stderr } = await run("import", file);
  assert.deepEqual([exitCode, stdout], [0, "taken: 2, of them in place of older ones: 0; not taken: 5\n"]);
  assert.match(stderr, /crm\.csv line 4: birthdate: day and month could be either/);
  assert.match(stderr, /line 5: imsi: imsi_malformed/);
  assert.match(stderr, /line 6: its number stands at line 2 already/);
  assert.match(stderr, /line 7: neither imsi nor msisdn is given/);
  assert.match(stderr, /line 8: birthdate: date_too_long_ago/);
  assert.match(stderr, /columns that nobody reads: Loyalty/);
  for (const value of ["Quux", "Cleo", "1890"]) assert.ok(!stderr.includes(value), `${value} is told`);
  const rejected = `${file}.rejected.csv`;
  assert.equal(statSync(rejected).mode & 0o777, 0o600);
  assert.deepEqual(readFileSync(rejected, "utf8").split("\n").slice(0, 3), [
    `${HEADER};rejected_line;rejected_reason`,
    '001010000000103;;Cleo;Quux;01/02/1990;;;;;;4;"birthdate: day and month could be either; say which comes first"',
    '0010;;Dan;"Semi;colon";1990-02-01;;;;;;5;imsi: imsi_malformed',
  ]);
  const found = await ownRecords.find(NORTH, { msisdn: "447700900101" });
  assert.deepEqual(found?.user, {
    givenName: "Z***",
    familyName: "v***",
    birthdate: "1***",
    streetName: "H***",
    streetNumber: "1***",
    postalCode: "1***",
    locality: "B***",
    country: "D***",
  });
});

test("what was rejected is mended and imported from its own file, and the same file again changes nothing", async () => {
  const [mended] = [
    fixture.file(
      "again.csv",
      `${HEADER};rejected_line;rejected_reason\n001010000000103;;Cleo;Quux;01/02/1990;;;;;;4;x\n`,
    ),
  ];
  const first = await run("import", mended, "--dates", "dmy", "--json");
  const second = await run("import", mended, "--dates", "dmy", "--json");
  assert.deepEqual(
    [jsonLines(first.stdout)[0], jsonLines(second.stdout)[0]],
    [
      { taken: 1, replaced: 0, rejected: 0, rejectedFile: null, dryRun: false },
      { taken: 1, replaced: 1, rejected: 0, rejectedFile: null, dryRun: false },
    ],
  );
  assert.equal(existsSync(`${mended}.rejected.csv`), false);
});

test("more rows than one batch go in, all of them", async () => {
  const rows = Array.from({ length: 2_301 }, (_, n) => `0010199${String(n).padStart(8, "0")},Ann,Row`);
  const { stdout } = await run(
    "import",
    fixture.file("many.csv", ["imsi,givenName,familyName", ...rows].join("\n")),
    "--json",
  );
  assert.equal(jsonLines(stdout)[0]?.taken, 2_301);
  assert.ok(await ownRecords.find(NORTH, { imsi: "001019900002300" }));
});

test("a record is shown masked and erased for good, and the audit says who did it without a name", async () => {
  const shown = await run("show", "+447700900102");
  assert.equal(shown.exitCode, 0);
  assert.match(shown.stdout, /familyName {2}B\*\*\*/);
  assert.ok(!shown.stdout.includes("Bart"));
  assert.equal((await run("erase", "+447700900102")).exitCode, 0);
  const gone = await run("show", "+447700900102");
  assert.match(gone.stderr, /^subscriber_record_not_found: /);
  const { rows } = await audit.list(NORTH, { limit: 50 });
  assert.ok(rows.some(({ action, actor }) => action === "subscriber_record.erase" && actor === "cli"));
  assert.ok(!JSON.stringify(rows).includes("Bart"));
});

test("a file without a column of numbers, and one of which nothing can be taken, say what to do", async () => {
  const nameless = await run("import", fixture.file("none.csv", "name\nAda\n"));
  assert.deepEqual([nameless.exitCode, /neither imsi nor msisdn/.test(nameless.stderr)], [1, true]);
  const bad = await run("import", fixture.file("bad.csv", "imsi,familyName\n12,Ada\n"));
  assert.deepEqual([bad.exitCode, /No row of bad\.csv could be imported/.test(bad.stderr)], [1, true]);
});

test("a whole file says what is new, changed and gone, erases who is gone, and keeps whose row could not be taken", async () => {
  const whole = await fixture.operator("whole");
  const lines = (rows: readonly string[]) =>
    fixture.file(
      `whole-${rows.length}.csv`,
      ["imsi,msisdn,givenName,familyName,birthdate", ...rows].join("\n"),
    );
  const imported = async (rows: readonly string[], ...options: string[]) => {
    const { exitCode, stdout, stderr } = await run(
      "import",
      lines(rows),
      "--whole",
      "--operator",
      "whole",
      ...options,
    );
    return { exitCode, stderr, stdout };
  };
  const row = (n: number, name = "Ann") => `00101000000020${n},+44770090020${n},${name},Whole,1990-02-01`;
  const ten = Array.from({ length: 10 }, (_, n) => row(n));
  assert.match(
    (await imported(ten)).stdout,
    /^added 10, changed 0, unchanged 0, removed 0 of 0; not taken: 0$/m,
  );

  const next = [
    ...ten.slice(1, 8),
    row(8, "Bea"),
    "001010000000209,+447700900209,Ann,Whole,31/31/1990",
    "001010000000210,,Cy,Whole,",
  ];
  const dry = await imported(next, "--dry-run");
  assert.match(dry.stdout, /would be: added 1, changed 1, unchanged 7, removed 1 of 10; not taken: 1$/m);
  assert.ok(await ownRecords.find(whole, { msisdn: "447700900200" }), "a dry run erases nobody");
  assert.match(
    (await imported(next)).stdout,
    /^added 1, changed 1, unchanged 7, removed 1 of 10; not taken: 1$/m,
  );
  const names = async (n: number) =>
    (await ownRecords.find(whole, { msisdn: `44770090020${n}` }))?.user.givenName;
  assert.deepEqual([await names(0), await names(8), await names(9)], [undefined, "B***", "A***"]);

  const few = next.slice(0, 3);
  const many = await imported(few);
  assert.equal(many.exitCode, 1);
  assert.match(many.stderr, /^subscriber_records_many_removed: 7 of 10 records would be erased/m);
  assert.ok(await names(5));
  assert.equal((await imported(few, "--confirm-removed", "6")).exitCode, 1, "another number was confirmed");
  const nameless = await imported([...next, "12,,Dee,Whole,"], "--confirm-removed", "10");
  assert.match(nameless.stderr, /Whose row line 12 is cannot be read/);
  assert.match((await imported(few, "--confirm-removed", "7")).stdout, /removed 7 of 10/);
  assert.equal(await names(5), undefined);
  const { rows } = await audit.list(whole, { limit: 50 });
  const erased = rows.filter(({ action }) => action === "subscriber_records.erase_absent");
  assert.deepEqual(erased.map(({ detail }) => (detail as { removed: number }).removed).sort(), [1, 7]);
  assert.ok(!JSON.stringify(rows).includes("Ann"));
});
