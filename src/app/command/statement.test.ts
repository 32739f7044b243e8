/** `turnup statement` and `turnup dispute`: a side's account over a span, and a line that is taken back by a posting of its own. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { writePaidFee } from "../../../test/fixture/paid-fee.ts";

const load =
  (name: "statementCommand" | "disputeListCommand" | "disputeOpenCommand" | "disputeDecideCommand") =>
  async () =>
    (await import("./statement.ts"))[name];
const fixture = await cliFixture([
  { name: "statement", summary: "", load: load("statementCommand") },
  { name: "dispute list", summary: "", load: load("disputeListCommand") },
  { name: "dispute open", summary: "", load: load("disputeOpenCommand") },
  { name: "dispute decide", summary: "", load: load("disputeDecideCommand") },
]);
await writePaidFee(fixture, await fixture.operator("north"));
const run = (...argv: string[]) => fixture.run(argv);
type Line = { id: string; kind: string; amountMinor: number; dispute: { state: string } | null };
const statement = async (...argv: string[]) => {
  const printed = jsonLines((await run("statement", ...argv, "--json")).stdout);
  return {
    balances: printed.flatMap(({ balance }) =>
      balance ? [balance as { closingMinor: number; openingMinor: number }] : [],
    ),
    lines: printed.flatMap(({ line }) => (line ? [line as Line] : [])),
  };
};

test("a manufacturer's statement has its lines, and opening and closing that they sum to", async () => {
  const { balances, lines } = await statement("Acme");
  assert.deepEqual(
    balances.map(({ openingMinor, closingMinor }) => [openingMinor, closingMinor]),
    [[0, 100]],
  );
  assert.equal(
    lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    100,
  );
  assert.match(
    (await run("statement", "Acme")).stdout,
    /^payable:maker:acme EUR: opening €0\.00, \d+ lines, closing €1\.00$/m,
  );
  const own = await statement();
  assert.ok(own.lines.some(({ kind }) => kind === "fee"));
  assert.match((await run("statement", "Nobody")).stdout, /nothing was ever booked/);
  assert.equal((await run("statement", "Acme", "--from", "yesterday")).exitCode, 2);
  const later = await statement("Acme", "--from", "2099-01-01T00:00:00Z");
  assert.deepEqual([later.balances[0]?.openingMinor, later.lines.length], [100, 0]);
});

test("a line is disputed once at a time, decided once, and taken back by a line of its own", async () => {
  const portion = (await statement("Acme")).lines.find(({ kind }) => kind === "portion")!;
  assert.equal((await run("dispute", "open", "x", "--reason", "no")).exitCode, 2);
  const opened = await run("dispute", "open", portion.id, "--reason", "the phone never worked", "--json");
  const [dispute] = jsonLines(opened.stdout);
  assert.equal(dispute?.state, "open", opened.stderr);
  assert.match(
    (await run("dispute", "open", portion.id, "--reason", "again")).stderr,
    /^dispute_not_possible:/,
  );
  assert.match(
    (await run("dispute", "list", "--state", "open")).stdout,
    /Acme +operator +open .* the phone never worked/,
  );
  const decide = ["dispute", "decide", String(dispute?.id), "reversed", "--reason", "it is true"];
  assert.equal((await run(...decide)).exitCode, 0);
  assert.match((await run(...decide)).stderr, /^dispute_closed:/);
  const { balances, lines } = await statement("Acme");
  assert.equal(balances[0]?.closingMinor, 0);
  assert.deepEqual(
    lines.map(({ amountMinor, dispute }) => [amountMinor, dispute?.state ?? null]),
    [
      [100, "reversed"],
      [-100, null],
    ],
  );
  assert.match((await run("dispute", "list", "--make", "Other")).stderr, /no line is or was disputed/);
});
