/** `turnup import ...`: lists of devices and access points that an operator brings, as they are published. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { readOwnDatasets } from "../../store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { withOwnDatasets } from "../../store/dataset/own-devices.ts";
import { createRegistry } from "../../store/operator/registry.ts";

const fixture = await cliFixture([
  { name: "import", summary: "", load: async () => (await import("./import.ts")).importCommand },
]);
const registry = createRegistry({
  database: fixture.database,
  sealer: fixture.sealer,
  newId: () => uuidv7(),
  clock: () => new Date(),
});
const run = (...argv: string[]) => fixture.run(["import", ...argv]);
const shipped = readShippedDatasets();
const deviceOf = async (operatorId: string, tac: string) =>
  new DeviceCatalog(withOwnDatasets(shipped, await readOwnDatasets(fixture.database, operatorId))).deviceOf(
    tac,
  );

const owned = (sets: readonly { readonly own: boolean }[]) => sets.filter(({ own }) => own);
const ONE_ROW = fixture.file("ours.csv", "tac,make,model\n87654321,Acme,One\n");
const withoutOperator = await run("tac", ONE_ROW);
const NORTH = await fixture.operator("north");

test("without an operator nothing is written and the next step is named; a dry run compares with what is in use and changes nothing", async () => {
  assert.equal(withoutOperator.exitCode, 1);
  assert.match(withoutOperator.stderr, /^operator_not_found: .*\nMake one with `turnup operator add`/);
  const dryRun = await run("tac", ONE_ROW, "--dry-run");
  assert.deepEqual(
    [dryRun.exitCode, dryRun.stdout],
    [0, "tac ours: 1 rows would be imported\n"],
    dryRun.stderr,
  );
  assert.match(dryRun.stderr, /in place of 0 rows: 1 added, 0 changed, 0 removed/);
  assert.deepEqual(await registry.datasets.list(NORTH, { retired: false }).then(owned), []);
});

test("the Osmocom file as published is taken, its bad rows named by line, the rest in use", async () => {
  const file = fixture.file(
    "tacdb.csv",
    [
      "Osmocom TAC database under CC-BY-SA v3.0 (c) Harald Welte 2016",
      "tac,name,name,contributor,comment,gsmarena,gsmarena,aka",
      '87654321,Acme,"One, silver",someone,,,,"A1,A2"',
      "3514730,Acme,Two,,,,,",
      "87654322,Acme,,,,,,",
      "87654323,Acme,Three,,,,,",
      "87654323,Acme,Three again,,,,,",
    ].join("\n"),
  );
  const { exitCode, stdout, stderr } = await run("tac", file, "--licence", "CC-BY-SA-3.0");
  assert.equal(exitCode, 0);
  assert.equal(stdout, "tac tacdb: 3 rows imported for north, 2 not taken\n");
  assert.match(stderr, /tacdb\.csv line 4: a TAC has 8 digits, this cell has 7 characters/);
  assert.match(stderr, /tacdb\.csv line 5: no model/);
  assert.match(stderr, /1 rows repeat a TAC/);
  const device = await deviceOf(NORTH, "87654321");
  assert.deepEqual([device.make, device.model, device.source], ["Acme", "One, silver", "tacdb"]);
  assert.equal((await deviceOf(NORTH, "87654323")).model, "Three");
  const [set] = await registry.datasets.list(NORTH, { retired: false });
  assert.deepEqual(
    [set?.own, set?.kind, set?.licence, set?.rowCount, set?.refused],
    [true, "tac", "CC-BY-SA-3.0", 3, 2],
  );
  const { rows } = await registry.audit.list(NORTH, { limit: 2 });
  assert.deepEqual(
    rows.map(({ actor, action }) => `${actor} ${action}`),
    ["cli job.done", "cli dataset.import"],
  );
});

for (const [name, separator] of [
  ["semicolons", ";"],
  ["tabs", "\t"],
  ["the bars of the GSMA's list", "|"],
] as const) {
  test(`a TAC list parted by ${name} is understood, gzipped too`, async () => {
    const text = `TAC;Manufacturer;Marketing Name\r\n87654321;Acme;"Two ""2"""\r\n`.replaceAll(
      ";",
      separator,
    );
    const { stdout } = await run(
      "tac",
      fixture.file("list.csv.gz", gzipSync(text)),
      "--name",
      "list",
      "--json",
    );
    assert.equal(jsonLines(stdout)[0]?.imported, 1);
    assert.equal((await deviceOf(NORTH, "87654321")).model, 'Two "2"');
  });
}

test("a file of which nothing can be taken leaves the one before in place and exits 1", async () => {
  const before = await registry.datasets.list(NORTH, { retired: true });
  for (const text of ["tac,make,model\n", "tac,make,model\n1,A,B\n2,A,B\n"]) {
    const { exitCode, stderr, stdout } = await run("tac", fixture.file("list.csv", text));
    assert.equal(exitCode, 1);
    assert.match(stderr, /dataset_malformed: No row of .*list\.csv could be imported/);
    assert.equal(stdout, "");
  }
  for (const text of ["", "a,b\n1,2\n", "\u0000\u0001"]) {
    const { exitCode, stderr } = await run("tac", fixture.file("list.csv", text));
    assert.equal(exitCode, 1);
    assert.match(stderr, /^dataset_malformed: The first \d+ lines hold no header with a column tac/);
  }
  assert.deepEqual(await registry.datasets.list(NORTH, { retired: true }), before);
});

test("rows that are not UTF-8 or hold control characters are refused by line, not stored broken", async () => {
  const latin = Buffer.from(
    "tac,make,model\n87654321,Acme,Caf\u00e9\n87654322,Acme,Plain\n87654323,Acme,N\u0000ul\n",
    "latin1",
  );
  const { exitCode, stderr } = await run("tac", fixture.file("latin.csv", latin));
  assert.equal(exitCode, 0);
  assert.match(stderr, /line 2: model is not UTF-8/);
  assert.match(stderr, /line 4: model holds a control character/);
  const [set] = (await readOwnDatasets(fixture.database, NORTH)).filter(({ name }) => name === "latin");
  assert.deepEqual(
    set?.rows.map(({ tac }) => tac),
    ["87654322"],
  );
});

test("of many bad rows twenty are named and the rest counted", async () => {
  const { stderr, stdout } = await run(
    "tac",
    fixture.file("many.csv", `tac,make,model\n${"1,A,B\n".repeat(30_000)}87654324,Acme,Ok\n`),
    "--dry-run",
    "--json",
  );
  assert.equal(stderr.match(/ line \d+: /g)?.length, 20);
  assert.match(stderr, /and 29980 more rows that were not taken/);
  const [summary] = jsonLines(stdout);
  assert.deepEqual([summary?.read, summary?.refused, summary?.dryRun], [30_001, 30_000, true]);
});

test("lifecycle and capability files are checked cell by cell, and a column that nobody reads is named", async () => {
  const lifecycle = fixture.file(
    "ends.csv",
    "make;label;released;security_updates_end;colour\nApple;iPhone 6;2014-09-19;2031-01-01;red\nApple;iPhone 7;soon;;\nApple;;;2020;\nApple;iPhone 8;2017;;\nApple;iPhone X;2017-02-30;2030;\n",
  );
  const told = await run("lifecycle", lifecycle);
  assert.equal(told.stdout, "lifecycle ends: 1 rows imported for north, 4 not taken\n", told.stderr);
  assert.match(told.stderr, /line 3: released is not YYYY, YYYY-MM or YYYY-MM-DD/);
  assert.match(told.stderr, /line 4: label is empty/);
  assert.match(told.stderr, /line 6: released is no day of the calendar/);
  assert.match(told.stderr, /line 5: says nothing of the end of support/);
  assert.match(told.stderr, /columns that nobody reads: colour/);
  const capability = fixture.file("caps.csv", "make,os,oma_cp\nApple,iOS,yes\nApple,iOS,maybe\n");
  const { stderr } = await run("capability", capability);
  assert.match(stderr, /line 3: oma_cp is not yes, no, partly or unknown/);
  const device = await deviceOf(NORTH, "35201307");
  assert.equal(device.lifecycle?.rows[0]?.securityUpdatesEnd, "2031-01-01");
  assert.equal(device.capability.omaCp, "yes");
  const { exitCode, stderr: lacking } = await run("lifecycle", fixture.file("x.csv", "make,model\nA,B\n"));
  assert.equal(exitCode, 1);
  assert.match(lacking, /^dataset_malformed: The header lacks label/);
});

const EXCERPTS = join(import.meta.dirname, "../../../test/vector/data");

for (const [name, expected] of [
  ["settings-apns-conf-excerpt.xml", 42],
  ["settings-serviceproviders-excerpt.xml", 12],
] as const) {
  test(`${name} is told by its content, imported confirmed, and a second time changes nothing`, async () => {
    const id = await fixture.operator(name.slice(9, 13));
    const file = fixture.file(name, readFileSync(join(EXCERPTS, name)));
    const argv = ["apn", file, "--operator", name.slice(9, 13), "--json"];
    const [first] = jsonLines((await run(...argv)).stdout);
    const points = await registry.accessPoints.list(id);
    assert.equal(points.length, expected);
    assert.equal(first?.imported, points.length);
    assert.ok(points.every((point) => point.confirmed && point.ownership === "operator"));
    const [second] = jsonLines((await run(...argv)).stdout);
    assert.equal(second?.imported, 0);
    assert.deepEqual(await registry.accessPoints.list(id), points);
  });
}

test("an access point's password is sealed at rest and its bad neighbours are named", async () => {
  const id = await fixture.operator("east");
  const file = fixture.file(
    "own.csv",
    "mcc,mnc,use,apn,user,password\n262,01,internet,internet.example,web,hunter-two\n26,01,internet,a.example,,\n262,01,fun,b.example,,\n",
  );
  const { exitCode, stdout, stderr } = await run("apn", file, "--operator", "east");
  assert.equal(exitCode, 0);
  assert.equal(stdout, "apn own: 1 rows imported for east, 2 not taken\n");
  assert.match(stderr, /line 3: mcc "26" is not 3 digits/);
  const [point] = await registry.accessPoints.list(id);
  assert.equal(point?.password, "hunter-two");
  const [{ body } = { body: "" }] = await fixture.database.rows<{ body: string }>(
    "select body::text as body from access_point where operator_id = $1",
    [id],
  );
  assert.ok(!body.includes("hunter-two"));
});

test("with several operators one must be named, and one that is not there is told with those that are", async () => {
  const none = await run("tac", ONE_ROW);
  assert.equal(none.exitCode, 2);
  assert.match(none.stderr, /--operator is needed, since there are several: north/);
  const wrong = await run("tac", ONE_ROW, "--operator", "nobody", "--json");
  assert.equal(wrong.exitCode, 1);
  assert.equal(JSON.parse(wrong.stderr).error.code, "operator_not_found");
});

const RELATION = {
  make: "Acme",
  deal: true,
  keySource: "own",
  feeMinor: 120,
  currency: "EUR",
  feeLevel: "works",
  portionBasisPoints: 0,
};

test("relations come as JSON or csv, are held to the rules of the API, and replace that of their make", async () => {
  const id = await fixture.operator("west");
  const rows = [RELATION, { ...RELATION, make: "Bolt", feeMinor: "12" }, { ...RELATION, make: "ACME" }, 5];
  const json = fixture.file("relations.json", JSON.stringify({ relations: rows }));
  const first = await run("relations", json, "--operator", "west");
  assert.equal(first.stdout, "relations relations: 1 rows imported for west, 3 not taken\n");
  assert.match(first.stderr, /relation 2: feeMinor must be integer/);
  assert.match(first.stderr, /relation 3: ACME stands at relation 1 already/);
  assert.match(first.stderr, /relation 4: is no object/);
  const csv = fixture.file(
    "relations.csv",
    'make,deal,key_source,key_server,app_hosts,fee_minor,currency,fee_level,portion_basis_points,delete_after_use,key_stock_low,access_points\nacme,no,maker,https://keys.acme.example,mms.acme.example|x.example,250,EUR,opened,2500,no,7,"[{""use"":""maker"",""apn"":""acme.apn"",""authType"":""none""}]"\n*,yes,none,,,0,EUR,works,0,,,\n',
  );
  assert.equal((await run("relations", csv, "--operator", "west")).exitCode, 0);
  const [other, acme] = await registry.relations.list(id);
  assert.equal(other?.make, "*");
  assert.deepEqual(acme, {
    make: "acme",
    deal: false,
    keySource: "maker",
    keyServer: "https://keys.acme.example",
    accessPoints: [{ use: "maker", apn: "acme.apn", authType: "none" }],
    appHosts: ["mms.acme.example", "x.example"],
    keyIssuers: {},
    feeMinor: 250n,
    currency: "EUR",
    feeLevel: "opened",
    portionBasisPoints: 2500,
    portionPaidBy: "payment_system",
    keyRequestBy: "model_and_imei",
    deleteAfterUse: false,
    keyApnsAsSettings: false,
    keyStockLow: 7,
  });
});

test("a fee for delivery is imported only for a make whose models are said to run keys", async () => {
  const id = await fixture.operator("proof");
  const file = fixture.file(
    "delivered.json",
    JSON.stringify([{ ...RELATION, make: "LG", feeLevel: "delivered" }]),
  );
  const refused = await run("relations", file, "--operator", "proof");
  assert.match(refused.stderr, /LG: It is not said of all models of LG that they run device keys/);
  assert.deepEqual(await registry.relations.list(id), []);
  const capability = fixture.file(
    "lg.csv",
    "make,os,from_year,to_year,oma_cp,device_key\nLG,Android,2010,2021,yes,yes\nLG,feature phone,2004,2016,yes,yes\n",
  );
  assert.equal((await run("capability", capability, "--operator", "proof")).exitCode, 0);
  assert.equal((await run("relations", file, "--operator", "proof")).exitCode, 0);
  assert.deepEqual(
    (await registry.relations.list(id)).map(({ make, feeLevel }) => [make, feeLevel]),
    [["LG", "delivered"]],
  );
});

test("a password that was hidden on the way out is not imported as three stars", async () => {
  const accessPoints = [{ use: "maker", apn: "a.apn", authType: "pap", user: "u", password: "***" }];
  const file = fixture.file("hidden.json", JSON.stringify([{ ...RELATION, accessPoints }]));
  const { exitCode, stderr } = await run("relations", file, "--dry-run");
  assert.equal(exitCode, 1);
  assert.match(stderr, /relation 1: a password reads \*\*\*/);
});

test("wrong usage and files that are not there end with their codes", async () => {
  for (const argv of [[], ["tac"], ["fish", "x.csv"], ["tac", "x", "--name", ""]]) {
    const { exitCode, stdout } = await run(...argv);
    if (argv.at(-1) !== "") assert.equal(exitCode, 2, argv.join(" "));
    assert.equal(stdout, "");
  }
  const missing = await run("tac", "/nowhere/tac.csv");
  assert.equal(missing.exitCode, 1);
  assert.match(missing.stderr, /^file_unreadable: /);
  const broken = await run("relations", fixture.file("broken.json", '{"relations": ['));
  assert.equal(broken.exitCode, 1);
  assert.match(broken.stderr, /^dataset_malformed: The file is not JSON/);
});

const MODELS = [
  {
    make: "Acme",
    name: "One",
    form: "pager",
    bands: ["GSM 900", "UMTS 2100"],
    soc: "AC-1",
    camera: "0.3 MP",
    screen_px: "96x64",
    blocked_access_points: ["mms"],
    blocked_source: "the maker's letter of 2009",
  },
  { make: "Acme", name: "Two", form: "spaceship" },
  { make: "Acme", name: "Three", blocked_access_points: ["wap"] },
];

test("R13, R78, R125, R127: camera, screen, bands, chipset, class and blocked access points of a model come by JSON or csv", async () => {
  await run("tac", ONE_ROW, "--operator", "north", "--name", "acme-tac");
  const told = await run(
    "models",
    fixture.file("models.json", JSON.stringify(MODELS)),
    "--operator",
    "north",
  );
  assert.equal(told.exitCode, 0, told.stderr);
  assert.match(told.stdout, /1 rows imported for north, 2 not taken/);
  assert.match(told.stderr, /line 3: form is not phone, tablet, watch, modem, pager, pda, palm, remote/);
  assert.match(told.stderr, /line 4: says that access points are blocked and not who says so/);
  const expected = {
    modelClass: "pager",
    bands: ["GSM 900", "UMTS 2100"],
    chipset: "AC-1",
    camera: "0.3 MP",
    screen: { widthPx: 64, heightPx: 96, inch: null },
    blocked: { uses: ["mms"], source: "the maker's letter of 2009" },
  };
  const device = await deviceOf(NORTH, "87654321");
  const factsOf = ({ modelClass, bands, chipset, camera, screen, blocked }: typeof device) => ({
    ...{ modelClass, bands, chipset, camera, screen, blocked },
  });
  assert.deepEqual(factsOf(device), expected);
  assert.notDeepEqual(device.capability.platforms, ["android"], "an import says nothing of the platform");
  const csv = "make;name;form;camera\nAcme;One;remote;none\n";
  await run("models", fixture.file("models.csv", csv), "--operator", "north", "--name", "models");
  assert.equal((await deviceOf(NORTH, "87654321")).modelClass, "remote", "the later list of a name stands");
});

test("what would lose much waits for a second person, who it is asked by being known; the same file again changes nothing", async () => {
  const id = await fixture.operator("guarded");
  const rows = Array.from({ length: 40 }, (_, at) => `${87650000 + at},Acme,Model ${at}\n`);
  const at = (count: number) =>
    fixture.file("guarded.csv", `tac,make,model\n${rows.slice(0, count).join("")}`);
  const argv = (count: number, ...more: string[]) => ["tac", at(count), "--operator", "guarded", ...more];
  assert.equal((await run(...argv(40))).exitCode, 0);
  const again = await run(...argv(40));
  assert.equal(again.stdout, "tac guarded: in use already, octet for octet\n");
  const dry = await run(...argv(20, "--dry-run"));
  assert.match(dry.stderr, /it would need a second person: 20 of 40 rows in use are not in the file\./);
  const nobody = await run(...argv(20));
  assert.equal(nobody.exitCode, 1);
  assert.match(nobody.stderr, /^person_unknown: [\s\S]*--person/m);
  const waiting = await run(...argv(20, "--person", "Ada"));
  assert.equal(waiting.exitCode, 0, waiting.stderr);
  assert.match(waiting.stdout, /20 rows wait for a second person, and nothing has changed yet/);
  assert.match(waiting.stderr, /turnup approval approve /);
  const [set] = owned(await registry.datasets.list(id, { retired: false }));
  assert.equal(set && "rowCount" in set ? set.rowCount : undefined, 40);
});
