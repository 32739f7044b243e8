/** Files of access points that an operator brings, hostile ones too. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "vitest";
import { GNOME, LINEAGE, readAccessPoints } from "./access-point-data.ts";
import { IMPORT_OCTETS_MAX, type OPERATORS_WORD, parseAccessPointImport } from "./access-point-import.ts";

type ImportOptions = typeof OPERATORS_WORD;

const VECTORS = join(import.meta.dirname, "../../../test/vector/data");
const vector = (name: string) => readFileSync(join(VECTORS, name));
const bytesOf = (text: string) => new TextEncoder().encode(text);
const HEAD = "mcc,mnc,use,apn,mmsc,mms_proxy,mms_port,auth_type,user,password,gid1,whole_network";
const csv = (...lines: string[]) => parseAccessPointImport(bytesOf([HEAD, ...lines].join("\n")), "csv");

test("an operator's csv becomes confirmed access points of its own", () => {
  const { accessPoints, refused } = csv(
    "999,01,internet,web.nord,,,,pap,u,p,,",
    "999,01,mms,mms.nord,http://mms.nord/,10.0.0.1:8080,,,,,5A,true",
  );
  assert.deepEqual(refused, []);
  const [internet, mms] = accessPoints;
  assert.deepEqual([internet?.ownership, internet?.confirmed, internet?.authType], ["operator", true, "pap"]);
  assert.deepEqual(
    [internet?.user, internet?.password, internet?.criteria],
    ["u", "p", { mcc: "999", mnc: "01" }],
  );
  assert.deepEqual([mms?.uses, mms?.mmsProxy, mms?.mmsPort], [["mms"], "10.0.0.1", 8080]);
  assert.deepEqual(mms?.criteria, { mcc: "999", mnc: "01", gid1: "5A", wholeNetwork: true });
});

const badRows = [
  { row: "99,01,internet,web,,,,,,,,", reason: /mcc "99"/ },
  { row: "999,1,internet,web,,,,,,,,", reason: /mnc "1"/ },
  { row: "999,01,,web,,,,,,,,", reason: /use is empty/ },
  { row: "999,01,surfing,web,,,,,,,,", reason: /use "surfing"/ },
  { row: "999,01,internet,,,,,,,,,", reason: /apn is empty/ },
  { row: "999,01,internet,bad apn,,,,,,,,", reason: /apn "bad apn"/ },
  { row: "999,01,mms,mms.nord,,,,,,,,", reason: /needs mmsc/ },
  { row: "999,01,mms,mms.nord,ftp://x,,,,,,,", reason: /needs mmsc/ },
  { row: "999,01,mms,mms.nord,http://10.152.10.70.38090,010.010.010.011:8080,,,,,,", reason: /mmsc "http/ },
  {
    row: "999,01,mms,mms.nord,http://mms.example,999.1.2.3,,,,,,",
    reason: /mms_proxy "999.1.2.3" is no host/,
  },
  { row: "999,01,mms,mms.nord,http://x,h,70000,,,,,", reason: /mms_port "70000"/ },
  { row: "999,01,internet,web,,,,kerberos,,,,", reason: /auth_type "kerberos"/ },
  { row: "999,01,internet,web,,,,,,,XYZ,", reason: /gid1 "XYZ"/ },
  { row: `999,01,internet,web,,,,,${"u".repeat(1025)},,,`, reason: /user is longer/ },
];
for (const { row, reason } of badRows) {
  test(`a csv row is refused with its line and ${reason}, and the rows around it go on`, () => {
    const good = "999,01,internet,web.nord,,,,,,,,";
    const { accessPoints, refused } = csv(good, row, good);
    assert.equal(accessPoints.length, 2);
    assert.equal(refused.length, 1);
    assert.equal(refused[0]?.where, "line 3");
    assert.match(refused[0]?.reason ?? "", reason);
  });
}

const asShipped = (source: ImportOptions["source"]): ImportOptions => ({
  ownership: "shipped",
  confirmed: false,
  source,
});
/** Content without the number of the row. */
const content = (points: ReturnType<typeof readAccessPoints>) =>
  points.map(({ id: _, ...rest }) => JSON.stringify(Object.entries(rest).sort())).sort();

test("Android's apns-conf.xml reads to the same access points as the csv that was made of it", () => {
  const read = parseAccessPointImport(
    vector("settings-apns-conf-excerpt.xml"),
    "apns-conf",
    asShipped(LINEAGE),
  );
  assert.equal(read.accessPoints.length + read.refused.length, 42);
  // Two rows of 234/26 in the set have no APN at all.
  assert.ok(
    read.refused.every(({ where, reason }) => /^apns\/apn\[\d+\]$/.test(where) && reason === "apn is empty"),
  );
  const known = new Set(content(readAccessPoints()));
  assert.deepEqual(
    content([...read.accessPoints]).filter((one) => !known.has(one)),
    [],
  );
});

test("GNOME's serviceproviders.xml, which names a DTD, reads to the same access points as the csv made of it", () => {
  const read = parseAccessPointImport(
    vector("settings-serviceproviders-excerpt.xml"),
    "serviceproviders",
    asShipped(GNOME),
  );
  assert.deepEqual(read.refused, []);
  const places = new Set(read.accessPoints.map(({ criteria }) => `${criteria.mcc}/${criteria.mnc}`));
  const shipped = readAccessPoints().filter(
    ({ source, criteria }) => source === GNOME && places.has(`${criteria.mcc}/${criteria.mnc}`),
  );
  assert.ok(read.accessPoints.length >= 12);
  assert.deepEqual(content([...read.accessPoints]), content(shipped));
});

test("a gzipped file is read as what it holds", () => {
  const packed = gzipSync(vector("settings-apns-conf-excerpt.xml"));
  assert.ok(parseAccessPointImport(packed, "apns-conf").accessPoints.length >= 40);
});

const bomb = `<?xml version="1.0"?><!DOCTYPE apns [<!ENTITY a "ha"><!ENTITY b "${"&a;".repeat(100)}">]><apns>&b;</apns>`;
const hostile = [
  { name: "entities that grow (billion laughs)", text: bomb, reason: /entities/ },
  {
    name: "a DOCTYPE with declarations",
    text: "<!DOCTYPE apns [<!ELEMENT apns ANY>]><apns/>",
    reason: /DOCTYPE/,
  },
  {
    name: "an external entity",
    text: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><apns/>',
    reason: /entities/,
  },
  { name: "nesting without end", text: `<apns>${"<a>".repeat(100_000)}`, reason: /nested deeper/ },
  { name: "a tag that never ends", text: '<apns><apn mcc="262"', reason: /ends inside a tag/ },
  { name: "another kind of file", text: "<html><body/></html>", reason: /not an apns-conf/ },
  { name: "tags that do not match", text: "<apns><apn></apns>", reason: /well-formed/ },
  { name: "no XML at all", text: "mcc,mnc", reason: /apns-conf|well-formed/ },
];
for (const { name, text, reason } of hostile) {
  test(`XML with ${name} is refused whole`, () => {
    assert.throws(() => parseAccessPointImport(bytesOf(text), "apns-conf"), {
      code: "access_point_import_malformed",
      message: reason,
    });
  });
}

test("attributes called after the object's own inner names do no harm", () => {
  const text =
    '<apns><apn __proto__="x" constructor="y" mcc="262" mnc="01" apn="web" type="default"/></apns>';
  let read: ReturnType<typeof parseAccessPointImport> | undefined;
  try {
    read = parseAccessPointImport(bytesOf(text), "apns-conf");
  } catch (error) {
    assert.equal((error as { code?: string }).code, "access_point_import_malformed");
  }
  assert.ok(read === undefined || read.accessPoints.length === 1);
  assert.equal(Object.hasOwn(Object.prototype, "mcc"), false);
});

test("a file that is too large, unpacks to too much or is not UTF-8 is refused whole", () => {
  const code = "access_point_import_malformed";
  assert.throws(() => parseAccessPointImport(new Uint8Array(IMPORT_OCTETS_MAX + 1), "csv"), { code });
  assert.throws(() => parseAccessPointImport(gzipSync(Buffer.alloc(IMPORT_OCTETS_MAX + 1)), "csv"), { code });
  assert.throws(() => parseAccessPointImport(Uint8Array.of(0x1f, 0x8b, 0, 0), "csv"), { code });
  assert.throws(() => parseAccessPointImport(Uint8Array.of(0xff, 0xfe, 0x41), "csv"), { code });
});

test("a csv without a needed column is refused whole, naming the column", () => {
  assert.throws(() => parseAccessPointImport(bytesOf("mcc,mnc,apn\n262,01,web"), "csv"), {
    message: /lacks use/,
  });
});
