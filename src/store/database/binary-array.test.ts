/** Arrays of parameters in PostgreSQL's binary form. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { SEED } from "../../../test/fixture/seed.ts";
import { binaryArray, inBinary } from "./binary-array.ts";
import { momentOf } from "./moment.ts";

const { database } = await freshDatabaseConfig({ migrated: false });

const moment = fc
  .integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2199, 0, 1) })
  .map((milliseconds) => new Date(milliseconds));
const KINDS: readonly (readonly [type: string, value: fc.Arbitrary<unknown>])[] = [
  ["uuid", fc.uuid()],
  [
    "text",
    fc.oneof(fc.string({ unit: "grapheme", maxLength: 80 }), fc.constantFrom("", "\\", '"', "{a,b}", "NULL")),
  ],
  ["bytea", fc.uint8Array({ maxLength: 80 }).map((octets) => Buffer.from(octets))],
  ["integer", fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
  ["bigint", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ["boolean", fc.boolean()],
  ["timestamptz", moment],
];

for (const [type, value] of KINDS) {
  test(`an array of ${type} in binary is the array that its text is, nulls and all`, async () => {
    const both = {
      name: `both_${type}`,
      text: `select $1::${type}[] = ($2::text)::${type}[] as same, $1::${type}[] as back`,
    };
    const arrays = fc.array(fc.option(value), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(arrays, async (values) => {
        assert.ok(binaryArray(type, values), "it goes in binary");
        const row = await database.one<{ same: boolean; back: unknown[] }>(both, [values, textOf(values)]);
        assert.equal(row?.same, true);
        const asRead = values.map((one) => (typeof one === "bigint" ? String(one) : one)); // the driver's way within arrays
        assert.deepEqual(row?.back, asRead);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
}

/** As PostgreSQL's manual has it, 8.15.6. */
function textOf(values: readonly unknown[]): string {
  const quoted = values.map((value) => {
    if (value === null) return "NULL";
    const text =
      value instanceof Date
        ? value.toISOString()
        : Buffer.isBuffer(value)
          ? `\\x${value.toString("hex")}`
          : String(value);
    return `"${text.replace(/["\\]/g, "\\$&")}"`;
  });
  return `{${quoted.join(",")}}`;
}

test("what is no value of its type goes as text, so that PostgreSQL says what is wrong with it", async () => {
  const ids = { name: "ids", text: "select $1::uuid[] as ids" };
  for (const wrong of [
    "",
    "0190",
    "0190f3c4-7000-7000-8000-00000000000g",
    "0190f3c4.7000-7000-8000-000000000001",
  ]) {
    assert.equal(binaryArray("uuid", [wrong]), undefined, wrong);
    await assert.rejects(database.rows(ids, [[wrong]]), { code: "22P02" });
  }
  const forms = ["{0190F3C4-7000-7000-8000-000000000001}", "0190f3c4700070008000000000000001"];
  const read = await database.one(ids, [forms]);
  assert.deepEqual(read, { ids: forms.map(() => "0190f3c4-7000-7000-8000-000000000001") });
  assert.equal(binaryArray("integer", [2 ** 31]), undefined);
  assert.equal(binaryArray("integer", [0.5]), undefined);
  assert.equal(binaryArray("bigint", [2n ** 63n]), undefined);
  assert.equal(binaryArray("timestamptz", ["infinity"]), undefined);
  assert.equal(binaryArray("timestamptz", [new Date(8.64e15)]), undefined);
  assert.equal(binaryArray("text", [["nested"]]), undefined);
  assert.equal(binaryArray("interval", []), undefined);
});

test("an array is sent in binary where the statement names its type, and nothing else is touched", () => {
  const statement = { name: "s", text: "select $1::uuid[], $2, $3::text[], $4::jsonb" };
  const id = "0190f3c4-7000-7000-8000-000000000001";
  const values = [[id], ["plain"], "{a}", ["x"]];
  const sent = inBinary(statement, values);
  assert.ok(Buffer.isBuffer(sent[0]));
  assert.deepEqual(sent.slice(1), values.slice(1));
});

test("a moment is read as PostgreSQL writes it, whatever its zone and era", async () => {
  const spans = ["0", "0.1 s", "0.12 s", "0.123 s", "0.123456 s", "59.999999 s"];
  for (const zone of ["UTC", "Asia/Kolkata", "America/St_Johns"]) {
    for (const day of ["2026-11-29 15:42:00+00", "1969-12-31 23:59:59+00", "0099-03-01 00:00:00+00"]) {
      for (const span of spans) {
        const { text, ms } =
          (await database.transaction(async (tx) => {
            await tx.run(`set local timezone = '${zone}'`);
            return tx.one<{ text: string; ms: string }>(
              `select at::text as text, floor(extract(epoch from at) * 1000)::text as ms
                 from (select $1::timestamptz + $2::interval as at) moments`,
              [day, span],
            );
          })) ?? {};
        assert.equal(momentOf(String(text)).getTime(), Number(ms), `${text}`);
      }
    }
  }
  assert.equal(momentOf("infinity") as unknown, Number.POSITIVE_INFINITY);
});
