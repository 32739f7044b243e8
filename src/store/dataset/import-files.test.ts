/** Files as people bring them: what device lists, lifecycles and access points came as, and what each is read as. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { decideSupport, type SupportVerdict } from "../../kernel/support/decide-support.ts";
import { SupportKnowledge } from "../../kernel/support/support-knowledge.ts";
import { parseAccessPointImport } from "./access-point-import.ts";
import { readShippedDatasets } from "./devices.ts";
import { type OwnKind, withOwnDatasets } from "./own-devices.ts";
import { readDeviceImport } from "./read-import.ts";

const FILES = join(import.meta.dirname, "../../../test/vector/data/imports");
const octetsOf = (file: string) => readFileSync(join(FILES, file));
type Hints = Parameters<typeof readDeviceImport>[3];
const read = (kind: OwnKind, file: string, hints?: Hints) =>
  readDeviceImport(kind, "ours", octetsOf(file), hints);
const readText = (kind: OwnKind, text: string, hints?: Hints) =>
  readDeviceImport(kind, "ours", Buffer.from(text), hints);
const shipped = readShippedDatasets();

/** The catalog over the shipped data with one import of an operator. */
function catalogWith(kind: OwnKind, { rows }: { readonly rows: ReturnType<typeof read>["rows"] }) {
  const own = {
    id: "1",
    operatorId: "1",
    kind,
    name: "ours",
    version: "1",
    rows: rows.map(({ body }) => body),
  };
  return new DeviceCatalog(withOwnDatasets(shipped, [own]));
}
const tacs = ({ rows }: { readonly rows: ReturnType<typeof read>["rows"] }) =>
  rows.map(({ body }) => [body.tac, body.make, body.model ?? "", body.model_codes ?? ""]);

test("the Device Map of 2016: make of the brand, the code beside the name, a cell that says nothing says nothing", () => {
  const map = read("tac", "device-map-2016.txt");
  assert.deepEqual(map.refused, []);
  assert.deepEqual(tacs(map), [
    ["35693803", "Apple", "iPhone X", "A1901"],
    ["01234500", "Acme Corp", "", ""],
    ["35209900", "Samsung", 'Galaxy "S" Pro', "GT-I9000"],
  ]);
});

test("the Device Map of 2021: several TACs in one cell are a row each; 7 digits get the zero that 01 begins with, and it is said", () => {
  const map = read("tac", "device-map-2021.txt");
  assert.deepEqual(map.refused, []);
  assert.deepEqual(tacs(map), [
    ["35123411", "Redmi", "Redmi Note 13", "2312DRA50G"],
    ["86012304", "vivo", "Y17s", "V2310"],
    ["86012305", "vivo", "Y17s", "V2310"],
    ["01234567", "Acme", "Lost Zero", "LZ-1"],
  ]);
  assert.equal(new Set(map.rows.map(({ line }) => line)).size, 4, "each row has a line of its own");
  assert.match(map.warnings.join(), /1 TACs of 7 digits .*01234567 \(line 4\)/);
});

test("a TAC of 7 digits before which no reporting body stands is refused: 03 and 08 are for tests", () => {
  const { rows, refused } = readText(
    "tac",
    "tac,make,model\n3514730,Acme,One\n8601230,Acme,Two\n326500,Acme,Three\n",
  );
  assert.equal(rows.length, 0);
  assert.match(refused[0]?.reason ?? "", /8 digits, this cell has 7/);
  assert.match(refused[2]?.reason ?? "", /8 digits, this cell has 6/);
});

test("the Device Map with model codes as names: kept as codes, and named where another row or list knows the code", () => {
  const map = read("tac", "device-map-model-codes.txt");
  assert.deepEqual(map.refused, []);
  const catalog = catalogWith("tac", map);
  const told = map.rows.map(({ body: { tac = "" } }) => {
    const { make, model, modelCodes } = catalog.deviceOf(tac);
    return [tac, make, model, modelCodes[0] ?? null];
  });
  assert.deepEqual(told, [
    ["35999911", "Samsung", "Galaxy S10", "SM-G973F"],
    ["35999912", "Samsung", "Galaxy S10", "SM-G973F"],
    ["35999913", "Apple", "iPhone 11", "A2221"],
    ["35999914", "Apple", "iPhone 11", "A2221"],
    ["35999915", "Quectel", "EG25-G", null],
    ["35999916", "Samsung", "Galaxy A51", "SM-A515F"],
  ]);
});

test("a Device Map's `Not Known` is nobody's make or model, and hides no name that a shipped list has", () => {
  const map = read("tac", "device-map-not-known.txt");
  assert.deepEqual(map.refused, []);
  const catalog = catalogWith("tac", map);
  const before = new DeviceCatalog(shipped);
  assert.ok(map.rows.every(({ body }) => !Object.values(body).some((cell) => /not known/i.test(cell))));
  const iphone = catalog.deviceOf("01326500");
  assert.deepEqual([iphone.make, iphone.model], ["Apple", before.deviceOf("01326500").model]);
  const nokia = catalog.deviceOf("49015420");
  assert.deepEqual([nokia.make, nokia.model], ["Nokia", before.deviceOf("49015420").model]);
  assert.deepEqual(
    [catalog.deviceOf("35332811").make, catalog.deviceOf("35332811").model],
    ["Xiaomi", "Redmi Note 13"],
  );
});

test("what only a shipped list names is told with both sources", () => {
  const known = "35925406"; // an iPhone of the shipped list
  const before = new DeviceCatalog(shipped).deviceOf(known);
  assert.ok(before.model !== null && before.source !== null);
  const map = readText(
    "tac",
    `TAC|Marketing Name|Manufacturer (or) Applicant|Brand Name|Model Name\n${known}|Not Known|${before.make}|-|-\n`,
  );
  const device = catalogWith("tac", map).deviceOf(known);
  assert.deepEqual(
    [device.model, device.source, device.conflicts],
    [before.model, `ours over ${before.source}`, []],
  );
});

test("between bars a quote stands for itself: six rows, none swallowed", () => {
  const map = read("tac", "device-map-quotes.txt");
  assert.deepEqual(map.refused, []);
  assert.deepEqual(
    map.rows.map(({ body }) => body.model),
    ["Alpha 1", '"Quote', "Beta", "Gamma", 'Say "hi"', "Delta"],
  );
});

test("a list with strange header words or none is taken with the columns that its bringer names, and the refusal says how", () => {
  assert.throws(() => read("tac", "tac-brand-first.csv"), {
    code: "dataset_malformed",
    message: /lacks make or model; its columns are Brand, TAC, SPECS/,
    nextStep: /--columns tac=1,make=0,model=2/,
  });
  assert.throws(() => read("tac", "tac-no-header.csv"), {
    code: "dataset_malformed",
    nextStep: /--columns tac=0,make=1,model=2/,
  });
  for (const columns of ["tac=1,make=0,model=2", "tac=TAC,make=Brand,model=SPECS"]) {
    const list = read("tac", "tac-brand-first.csv", { columns });
    assert.deepEqual([list.refused, tacs(list)], [[], [["35123411", "Acme", "SM-A505F/DS2019", ""]]]);
  }
  const bare = read("tac", "tac-no-header.csv", { columns: "tac=0,make=1,model=2" });
  assert.deepEqual([bare.refused, tacs(bare)], [[], [["35123411", "Acme", "X1", ""]]]);
  const bars = readText("tac", "35123411;Acme;X1\n", { columns: "tac=0,make=1,model=2" });
  assert.deepEqual(tacs(bars), [["35123411", "Acme", "X1", ""]]);
  for (const columns of ["", "tac", "tac=0,tac=1", "make=0", "tac=0,wheels=1"]) {
    assert.throws(
      () => read("tac", "tac-no-header.csv", { columns }),
      { code: "dataset_malformed" },
      columns,
    );
  }
  assert.throws(() => read("lifecycle", "lifecycle-dates.csv", { columns: "tac=0" }), {
    code: "dataset_malformed",
  });
});

for (const [file, rows] of [
  ["tac-sep-line.csv", [["35123411", "Acme", "X 1", ""]]],
  ["tac-utf16.csv", [["35123411", "Acme", "X1", ""]]],
  [
    "tac-cr-only.csv",
    [
      ["35123411", "Acme", "X1", ""],
      ["35123412", "Acme", "X2", ""],
    ],
  ],
] as const) {
  test(`${file} is read whole`, () => {
    const list = read("tac", file);
    assert.deepEqual([list.refused, tacs(list)], [[], rows]);
  });
}

test("UTF-16 is read whichever end comes first, with its mark or without", () => {
  const text = "tac,make,model\n35123411,Caf\u00e9,X1\n";
  const little = Buffer.from(text, "utf16le");
  const big = Buffer.from(text, "utf16le").swap16();
  for (const octets of [
    little,
    big,
    Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
    Buffer.concat([Buffer.from([0xfe, 0xff]), big]),
  ]) {
    assert.deepEqual(tacs(readDeviceImport("tac", "ours", octets)), [["35123411", "Caf\u00e9", "X1", ""]]);
  }
});

test("a quote that is never closed is the fault of its own line; the rest goes on", () => {
  const { rows, refused } = read("tac", "tac-quotes.csv");
  assert.deepEqual(
    rows.map(({ body }) => body.model),
    ['14" tablet', "O'Neil", 'a "q" b', "lost", "lost2"],
  );
  assert.deepEqual(refused, [{ line: 5, reason: "a quote is opened and never closed" }]);
  const later = readText(
    "tac",
    'tac,make,model\n35123411,Acme,"open\n35123412,Acme,"shut"\n35123413,Acme,Z\n',
  );
  assert.deepEqual([later.refused.map(({ line }) => line), later.rows.length], [[2], 2]);
});

test("what a spreadsheet did to a TAC: read where nothing is lost, refused with the reason where digits are", () => {
  const { rows, refused, warnings } = read("tac", "tac-spreadsheet.csv");
  assert.deepEqual(
    rows.map(({ body }) => body.tac),
    ["01326500", "01326500", "35123411"],
  );
  assert.deepEqual(
    refused.map(({ line }) => line),
    [3],
  );
  assert.match(refused[0]?.reason ?? "", /a spreadsheet rounded it/);
  assert.match(warnings.join(), /01326500 \(line 2\)/);
});

test("lifecycles: a date that does not exist or cannot be, and an end before the release, are refused by name; true has ended", () => {
  const { rows, refused } = read("lifecycle", "lifecycle-dates.csv");
  assert.deepEqual(
    refused.map(({ line, reason }) => [line, reason]),
    [
      [2, "released is no day of the calendar"],
      [5, "released is not YYYY, YYYY-MM or YYYY-MM-DD"],
      [6, "security_updates_end 2020-01-01 is before released 2021"],
      [7, "security_updates_end is of the year 9999, which cannot be (1983 to 2100)"],
    ],
  );
  assert.deepEqual(
    rows.map(({ body: { label, status, security_updates_end: end } }) => [label, status, end]),
    [
      ["P2", "ended", undefined],
      ["P3", "supported", undefined],
    ],
  );
});

const verdictOn = (catalog: DeviceCatalog, tac: string, asOf: string): SupportVerdict =>
  decideSupport(
    {
      device: catalog.deviceOf(tac),
      policy: { ageCutOffYears: null, listedModels: [] },
      relation: null,
      override: null,
      asOf,
    },
    new SupportKnowledge(catalog.data),
  ).verdict;

for (const file of ["endoflife.yaml", "endoflife.json"]) {
  test(`${file}, a product of endoflife.date, is taken as a lifecycle and decides`, () => {
    const product = read("lifecycle", file);
    assert.deepEqual(product.refused, []);
    const [row] = product.rows;
    assert.deepEqual(
      [row?.body.make, row?.body.released, row?.body.os_updates_end, row?.body.security_updates_end],
      ["Acme", "2021-03-01", "2023-03-01", "2024-03-01"],
    );
    assert.match(product.warnings.join(), /the make Acme is/);
    const own = (kind: OwnKind, rows: typeof product.rows) => ({
      ...{ id: kind, operatorId: "1", kind, name: kind, version: "1" },
      rows: rows.map(({ body }) => body),
    });
    const list = readText("tac", "tac,make,model\n35123411,Acme,9\n");
    const catalog = new DeviceCatalog(
      withOwnDatasets(shipped, [own("lifecycle", product.rows), own("tac", list.rows)]),
    );
    assert.equal(verdictOn(catalog, "35123411", "2024-06-01"), "ended");
    assert.equal(verdictOn(catalog, "35123411", "2023-06-01"), "supported");
  });
}

test("product files of endoflife.date in their other forms: API v1, flags alone, a page with text behind it, the make given", () => {
  const v1 = readText(
    "lifecycle",
    JSON.stringify({
      result: {
        name: "samsung-mobile",
        label: "Samsung Mobile",
        releases: [
          {
            name: "galaxy-s9",
            label: "Galaxy S9",
            releaseDate: "2018-03-16",
            isEol: true,
            eolFrom: "2022-04-01",
          },
          { name: "galaxy-s24", label: "Galaxy S24", releaseDate: "2024-01-24", isEol: false, eolFrom: null },
        ],
      },
    }),
  );
  assert.deepEqual(
    v1.rows.map(({ body }) => [body.make, body.label, body.security_updates_end, body.status]),
    [
      ["Samsung", "Galaxy S9", "2022-04-01", undefined],
      ["Samsung", "Galaxy S24", undefined, "supported"],
    ],
  );
  const page = readText(
    "lifecycle",
    "---\ntitle: Apple iPhone\nreleases:\n- releaseCycle: '7'\n  releaseLabel: 'iPhone __RELEASE_CYCLE__'\n  releaseDate: 2016-09-16\n  eol: true\n---\n> The [iPhone](x) is a phone: a good one.\n",
  );
  assert.deepEqual(
    page.rows.map(({ line, body }) => [line, body.make, body.label, body.status]),
    [[4, "Apple", "iPhone 7", "ended"]],
  );
  const cycles = '[{"cycle":"9a","eol":"2032-04-01"},{"cycle":"9","eol":"2031-08-01"}]';
  assert.throws(() => readText("lifecycle", cycles), { code: "dataset_malformed", nextStep: /--make/ });
  assert.equal(readText("lifecycle", cycles, { make: "Google" }).rows[0]?.body.make, "Google");
  for (const text of ["{", "[1,", "[[[]]]".repeat(3), "{}", "releases: 3\n"]) {
    assert.throws(() => readText("lifecycle", text, { make: "A" }), { code: "dataset_malformed" }, text);
  }
});

const apns = (file: string) => parseAccessPointImport(octetsOf(file), "csv");
for (const file of ["apn-semicolon.csv", "apn-sep-line.csv", "apn-cr-only.csv", "apn-blank-rows.csv"]) {
  test(`${file} gives its one access point and refuses nothing`, () => {
    const { accessPoints, refused } = apns(file);
    assert.deepEqual(refused, []);
    assert.deepEqual(
      accessPoints.map(({ apn, criteria }) => [apn, criteria]),
      [["test.example", { mcc: "262", mnc: "01" }]],
    );
  });
}

test("an address of five numbers or of numbers above 255 is refused; one with zeros in front of its numbers is taken", () => {
  const { accessPoints, refused } = apns("apn-leading-zeros.csv");
  assert.deepEqual(accessPoints, []);
  assert.match(refused[0]?.reason ?? "", /mmsc "http:\/\/10\.152\.10\.70\.38090"/);
  assert.match(refused[1]?.reason ?? "", /mms_proxy "999\.1\.2\.3"/);
  const good = parseAccessPointImport(
    Buffer.from(
      "mcc,mnc,use,apn,mmsc,mms_proxy\n262,98,mms,mms.example,http://mms.example,010.010.010.011:8080\n",
    ),
    "csv",
  );
  assert.deepEqual([good.accessPoints.length, good.refused.length], [1, 0]); // what is sent, kernel/payload says: 10.10.10.11
});

test("XML in Latin-1 is read by its declaration; undeclared it is refused as no UTF-8", () => {
  const xml = (declaration: string) =>
    Buffer.from(
      `${declaration}<apns><apn carrier="T\u00e9l\u00e9" mcc="262" mnc="01" apn="web" type="default"/></apns>`,
      "latin1",
    );
  const { accessPoints } = parseAccessPointImport(
    xml('<?xml version="1.0" encoding="ISO-8859-1"?>'),
    "apns-conf",
  );
  assert.equal(accessPoints[0]?.name, "T\u00e9l\u00e9");
  assert.throws(() => parseAccessPointImport(xml(""), "apns-conf"), { message: /not UTF-8/ });
});

for (const file of ["apn-lineage.csv.gz", "apn-gnome.csv.gz"]) {
  test(`the shipped ${file} can be brought as an operator's own with its own columns`, () => {
    const octets = readFileSync(join(import.meta.dirname, "../../../data", file));
    const { accessPoints, refused } = parseAccessPointImport(octets, "csv");
    const reasons = new Set(refused.map(({ reason }) => reason.replace(/"[^"]*"/, "it")));
    assert.ok(accessPoints.length > 2_000, [...reasons].join("; "));
    assert.ok(accessPoints.some(({ criteria }) => criteria.gid1 !== undefined));
  });
}
