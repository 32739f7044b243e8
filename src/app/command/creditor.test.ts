/** `turnup creditor` and `turnup payer`: account data by check digits, masked wherever they are shown. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";

const load =
  (name: "creditorSetCommand" | "creditorListCommand" | "creditorRemoveCommand" | "payerSetCommand") =>
  async () =>
    (await import("./creditor.ts"))[name];
const fixture = await cliFixture([
  { name: "creditor set", summary: "", load: load("creditorSetCommand") },
  { name: "creditor list", summary: "", load: load("creditorListCommand") },
  { name: "creditor remove", summary: "", load: load("creditorRemoveCommand") },
  { name: "payer set", summary: "", load: load("payerSetCommand") },
]);
await fixture.operator("north");
const IBAN = "GB29 NWBK 6016 1331 9268 19";
const run = (...argv: string[]) => fixture.run(argv);
const refused = async (code: RegExp, ...argv: string[]): Promise<void> => {
  const { exitCode, stderr, stdout } = await run(...argv);
  assert.equal(exitCode, 1, stderr + stdout);
  assert.match(stderr, code);
};

test("an account is written and listed masked, the payer's first; nothing prints its number", async () => {
  assert.equal(
    (await run("payer", "set", "--name", "Meridian", "--iban", "DE89370400440532013000")).exitCode,
    0,
  );
  const set = await fixture.run(
    ["creditor", "set", "Sony", "--name", "Sony Europe", "--iban", "-"],
    `${IBAN}\n`,
  );
  assert.equal(set.exitCode, 0, set.stderr);
  const { stdout } = await run("creditor", "list");
  assert.match(stdout, /^\(payer\) +Meridian +DE89 \*\*\*\* 3000/m);
  assert.match(stdout, /^Sony +Sony Europe +GB29 \*\*\*\* 6819 .* cli$/m);
  const listed = jsonLines((await run("creditor", "list", "--json")).stdout);
  assert.deepEqual(
    listed.map(({ make, accountMasked }) => [make, accountMasked]),
    [
      [null, "DE89 **** 3000"],
      ["Sony", "GB29 **** 6819"],
    ],
  );
  for (const text of [set.stdout, stdout, JSON.stringify(listed)]) assert.ok(!text.includes("60161331"));
  const rows = await fixture.database.rows("select * from creditor");
  assert.ok(!JSON.stringify(rows).includes("60161331"));
});

test("a wrong digit, a half address, a number without its bank are refused, and nothing is written", async () => {
  await refused(
    /^iban_check_digits:/,
    "creditor",
    "set",
    "LG",
    "--name",
    "LG",
    "--iban",
    "GB29NWBK60161331926818",
  );
  await refused(
    /^[a-z_]+: .*(BIC|bank)/i,
    "creditor",
    "set",
    "LG",
    "--name",
    "LG",
    "--account-number",
    "100-22-33",
  );
  const half = await run(
    "creditor",
    "set",
    "LG",
    "--name",
    "LG",
    "--iban",
    "GB29NWBK60161331926819",
    "--town",
    "Seoul",
  );
  assert.notEqual(half.exitCode, 0);
  const none = await run("creditor", "set", "LG", "--iban", "GB29NWBK60161331926819");
  assert.equal(none.exitCode, 2, "a name is needed");
  const listed = jsonLines((await run("creditor", "list", "--json")).stdout);
  assert.ok(!listed.some(({ make }) => make === "LG"));
  const whole = [
    "creditor",
    "set",
    "LG",
    "--name",
    "LG",
    "--account-number",
    "100-22-33",
    "--bic",
    "CZNBKRSE",
  ];
  assert.equal((await run(...whole, "--town", "Seoul", "--country", "KR")).exitCode, 0);
});

test("an account is forgotten once; the audit says who wrote and who removed it", async () => {
  assert.equal((await run("creditor", "remove", "Sony")).exitCode, 0);
  await refused(/^creditor_not_found:/, "creditor", "remove", "Sony");
  const audits = await fixture.database.rows<{ action: string; actor: string }>(
    "select action, actor from audit where subject ilike '%sony%' order by id",
  );
  assert.deepEqual(
    audits.map(({ action, actor }) => [action, actor]),
    [
      ["creditor.put", "cli"],
      ["creditor.remove", "cli"],
    ],
  );
});
