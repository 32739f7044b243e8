/** `turnup ledger`: balances, postings, and the proof that each currency sums to nothing. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { writeOrderStory } from "../../../test/fixture/order-story.ts";
import { uuidv7 } from "../../store/database/uuid.ts";

const fixture = await cliFixture([
  { name: "ledger", summary: "", load: async () => (await import("./ledger.ts")).ledgerCommand },
]);
const run = (...argv: string[]) => fixture.run(["ledger", ...argv]);
const NORTH = await fixture.operator("north");
const empty = await run();
const { chargeId } = await writeOrderStory(fixture, NORTH);
await fixture.database.run(
  `insert into posting (id, operator_id, reference, charge_id, debit, credit, amount_minor, currency, booked_at)
   values ($1, $2, 'yen', $3, 'cash:bank', 'revenue:fees', 9007199254740993, 'JPY', '2026-11-22T11:00:00Z')`,
  [uuidv7(), NORTH, chargeId],
);

test("empty books balance", () => {
  assert.deepEqual(empty, {
    exitCode: 0,
    stdout: "nothing was booked yet: the books are empty and balance\n",
    stderr: "",
  });
});

test("balances by account and currency, the proof of each currency, then the latest postings", async () => {
  const { stdout, exitCode } = await run();
  assert.equal(exitCode, 0);
  for (const line of [
    /^cash:bank +€1\.50 {2}EUR$/m,
    /^cash:bank +¥9,007,199,254,740,993 {2}JPY$/m,
    /^payable:maker:acme +€0\.00 {2}EUR$/m,
    /^revenue:fees +-€2\.50 {2}EUR$/m,
    /^EUR balances: €2\.50 in debit and €2\.50 in credit sum to €0\.00$/m,
    /^JPY balances: ¥9,007,199,254,740,993 in debit and ¥9,007,199,254,740,993 in credit sum to ¥0$/m,
    /^2026-11-22 10:00:03Z +€1\.00 {2}cash:bank +payable:maker:acme +[0-9a-f-]{36}:payout$/m,
  ]) {
    assert.match(stdout, line);
  }
  const amounts = stdout.split("\n").filter((line) => /^2026/.test(line));
  assert.equal(amounts.length, 5);
});

test("one account shows its own balance and postings, and the proof over all", async () => {
  const lines = jsonLines((await run("--account", "payable:maker:acme", "--json", "--limit", "1")).stdout);
  assert.deepEqual(lines.slice(0, 3), [
    { balance: { account: "payable:maker:acme", currency: "EUR", balanceMinor: 0 } },
    { proof: { currency: "EUR", debitMinor: 250, creditMinor: 250, balanced: true } },
    // More than a number holds exactly: as text, digit by digit.
    {
      proof: {
        currency: "JPY",
        debitMinor: "9007199254740993",
        creditMinor: "9007199254740993",
        balanced: true,
      },
    },
  ]);
  assert.equal(lines.length, 4);
  assert.match((await run("--account", "nobody")).stderr, /nothing was ever booked on nobody/);
});

test("another operator's books are not seen", async () => {
  await fixture.operator("south");
  assert.match((await run("--operator", "south")).stdout, /^nothing was booked yet/);
});
