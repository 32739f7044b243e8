/** `turnup operator ...` and `turnup token ...`: operators are made, tokens given and revoked. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { hashToken } from "../../kernel/account/token.ts";

const fixture = await cliFixture([
  { name: "operator add", summary: "", load: async () => (await import("./operator.ts")).operatorAddCommand },
  { name: "token add", summary: "", load: async () => (await import("./token.ts")).tokenAddCommand },
]);

test("an operator is made once, with its networks; a second call changes nothing", async () => {
  const add = [
    "operator",
    "add",
    "meridian",
    "--name",
    "Meridian",
    "--kind",
    "mvno",
    "--plmn",
    "00101,262-06",
    "--json",
  ];
  const [made] = jsonLines((await fixture.run(add)).stdout);
  assert.equal(made?.made, true);
  const again = jsonLines((await fixture.run([...add.slice(0, 3), "--name", "Other", "--json"])).stdout)[0];
  assert.deepEqual(again, { ...made, made: false });
  assert.deepEqual(
    { name: made?.name, kind: made?.kind, homePlmns: made?.homePlmns },
    { name: "Meridian", kind: "mvno", homePlmns: ["001-01", "262-06"] },
  );
});

test("a slug or a network that is none is refused, and no operator is made", async () => {
  assert.equal((await fixture.run(["operator", "add", "Big Mobile"])).exitCode, 2);
  const { exitCode, stderr } = await fixture.run(["operator", "add", "big", "--plmn", "26"]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^plmn_malformed:/);
  for (const name of ["Big\u0007Mobile", "   "]) {
    const refused = await fixture.run(["operator", "add", "big", "--name", name]);
    assert.deepEqual([refused.exitCode, /--name is what phones/.test(refused.stderr)], [2, true]);
  }
  const rows = await fixture.database.rows("select 1 from operator where slug in ('big', 'Big Mobile')");
  assert.equal(rows.length, 0);
});

test("a second operator is told what stays with the first, and what commands want from now on", async () => {
  const { stderr } = await fixture.run(["operator", "add", "second"]);
  assert.match(stderr, /commands need --operator from now on: there are 2 operators/);
  assert.match(stderr, /stay with meridian \(portal\.operator names another\)/);
  const again = await fixture.run(["operator", "add", "second"]);
  assert.doesNotMatch(again.stderr, /from now on/);
});

test("the first token is shown once, and only its hash is kept", async () => {
  await fixture.run(["operator", "add", "north"]);
  const add = ["token", "add", "--operator", "north", "--role", "admin", "--days", "30"];
  const { stdout, exitCode } = await fixture.run(add);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^tup_[A-Za-z0-9_-]{43}\n$/);
  const rows = await fixture.database.rows<{ hash: Buffer; role: string; label: string; days: number }>(
    `select hash, role, label, round(extract(epoch from expires_at - created_at) / 86400)::int as days
       from api_token`,
  );
  assert.deepEqual(
    rows.map(({ hash, ...row }) => ({ ...row, isOurs: hash.equals(hashToken(stdout.trim())) })),
    [{ role: "admin", label: "admin", days: 30, isOurs: true }],
  );
});
